/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_stats.c - /v1/stats: counters of each interface that this host filters.
 */
#include <string.h>

#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"
#include "rulesd/sorted.h"

static json_t *outcome_json(const struct sg_stats *stats, enum sg_outcome outcome)
{
	json_t *json = json_object();

	for (int dir = SG_EGRESS; dir < SG_DIRS; dir++)
		json_object_set_new(json, dir_name((enum sg_dir)dir),
				    json_pack("{sI sI}", "packets",
					      (json_int_t)stats->packets[dir][outcome], "bytes",
					      (json_int_t)stats->bytes[dir][outcome]));
	return json;
}

static json_t *reasons_json(const struct sg_stats *stats, uint32_t first, uint32_t end)
{
	json_t *json = json_object();

	for (uint32_t reason = first; reason < end; reason++) {
		if (stats->reasons[reason])
			json_object_set_new(json, reason_name(reason),
					    json_integer((json_int_t)stats->reasons[reason]));
	}
	return json;
}

static json_t *interface_json(const struct engine *engine, const struct model_interface *iface,
			      const struct sg_stats *stats, const struct sg_slot *exact)
{
	const uint32_t most = model_effective_conntrack(engine->model, iface).max_flows;
	json_t *json = json_pack("{ss ss}", "interface", iface->id, "network", iface->network);

	json_object_set_new(json, "allowed", outcome_json(stats, SG_ALLOWED));
	json_object_set_new(json, "dropped", outcome_json(stats, SG_DROPPED));
	json_object_set_new(json, "drops", reasons_json(stats, SG_DROP_FIRST, SG_REASONS));
	json_object_set_new(json, "allows", reasons_json(stats, 0, SG_DROP_FIRST));
	json_object_set_new(json, "flows", json_integer(exact->flows));
	json_object_set_new(json, "max_flows", json_integer(most));
	json_object_set_new(json, "allowance_exceeded",
			    json_integer((json_int_t)exact->allowance_exceeded));
	json_object_set_new(json, "allowance_available",
			    json_integer(most > exact->flows ? most - exact->flows : 0));
	return json;
}

static void add_interface(json_t *list, const struct engine *engine,
			  const struct engine_iface *runtime)
{
	const struct model_interface *iface = model_interface(engine->model, runtime->id);
	struct sg_stats stats = {0};
	struct sg_slot exact = {0};

	if (!iface)
		return;
	/* One that waits has no counters in the kernel: zeros. */
	if (runtime->ifindex &&
	    dataplane_stats(engine->dataplane, runtime->slot, &stats, &exact) < 0)
		return;
	json_array_append_new(list, interface_json(engine, iface, &stats, &exact));
}

void api_get_stats(struct api_request *request)
{
	const struct engine *engine = request->engine;
	const char *only = api_query(request, "interface");
	g_autoptr(GPtrArray) all = sorted_values(engine->ifaces);
	json_t *list;

	if (only && !model_interface(engine->model, only)) {
		api_fail(request, MHD_HTTP_NOT_FOUND, "not-found", NULL, "no interface %s", only);
		return;
	}
	list = json_array();
	for (guint i = 0; i < all->len; i++) {
		const struct engine_iface *runtime = all->pdata[i];

		if (!only || strcmp(only, runtime->id) == 0)
			add_interface(list, engine, runtime);
	}
	api_reply(request, MHD_HTTP_OK, list);
}
