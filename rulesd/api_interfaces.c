/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_interfaces.c - /v1/interfaces: how each one stands, attaching and detaching by hand.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/api_list.h"
#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

static json_t *addresses_json(const struct model_interface *iface)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < iface->address_count; i++) {
		char text[ADDR_TEXT_SIZE];

		json_array_append_new(list, json_string(addr_format(&iface->addresses[i], text)));
	}
	return list;
}

static json_t *cidrs_json(const struct model_settings *settings)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < settings->allowed_count; i++) {
		char text[CIDR_TEXT_SIZE];

		json_array_append_new(list, json_string(cidr_format(&settings->allowed[i], text)));
	}
	return list;
}

static json_t *groups_json(const struct model_groups *groups)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < groups->count; i++)
		json_array_append_new(list, json_string(groups->ids[i]));
	return list;
}

static json_t *vlans_json(const struct model_settings *settings)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < settings->vlan_count; i++)
		json_array_append_new(list, json_integer(settings->vlans[i]));
	return list;
}

static json_t *mac_json(const struct model_interface *iface)
{
	char text[MAC_TEXT_SIZE];

	return iface->settings->has_mac ? json_string(mac_format(iface->settings->mac, text))
					: json_null();
}

static uint32_t flows_of(const struct engine *engine, const struct engine_iface *runtime)
{
	struct sg_stats stats;
	struct sg_slot exact;

	if (!runtime || (!runtime->ifindex && !runtime->parked) ||
	    dataplane_stats(engine->dataplane, runtime->slot, &stats, &exact) < 0)
		return 0;
	return exact.flows;
}

static bool is_match(const char *device)
{
	return device && strchr(device, ':');
}

/* As the policy says it, or of what matches now. */
static json_t *device_json(const struct engine *engine, const char *device,
			   const struct engine_iface *runtime)
{
	const struct link *link = runtime ? links_by_index(engine->links, runtime->ifindex) : NULL;

	if (!is_match(device))
		return api_string_or_null(device);
	return api_string_or_null(link ? link->name : NULL);
}

static json_t *match_json(const char *device)
{
	if (!is_match(device))
		return json_null();
	if (g_str_has_prefix(device, LINK_ALIAS))
		return json_pack("{ss}", "alias", device + strlen(LINK_ALIAS));
	return json_pack("{ss}", "mac", device + strlen(LINK_MAC));
}

json_t *api_interface_json(const struct engine *engine, const struct model_interface *iface)
{
	const struct engine_iface *runtime = NULL;
	const enum engine_iface_state state = engine_iface_state(engine, iface, &runtime);
	const struct model_conntrack conntrack = model_effective_conntrack(engine->model, iface);
	const bool attached = runtime && runtime->ifindex;
	json_t *json = json_pack("{ss ss ss ss}", "id", iface->id, "network", iface->network,
				 "state", engine_state_name(state), "source",
				 iface->attached ? "attached" : "policy");

	json_object_set_new(json, "device", device_json(engine, iface->settings->device, runtime));
	json_object_set_new(json, "match", match_json(iface->settings->device));
	json_object_set_new(json, "ifindex",
			    attached ? json_integer(runtime->ifindex) : json_null());
	json_object_set_new(json, "hook",
			    attached ? json_string(hook_name(runtime->hook)) : json_null());
	json_object_set_new(json, "flooded", json_boolean(attached && runtime->flood.early));
	json_object_set_new(json, "groups", groups_json(iface->groups));
	json_object_set_new(json, "addresses", addresses_json(iface));
	json_object_set_new(json, "allowed_addresses", cidrs_json(iface->settings));
	json_object_set_new(json, "mac", mac_json(iface));
	json_object_set_new(json, "spoof_guard", json_boolean(iface->settings->spoof_guard));
	json_object_set_new(json, "vlans", vlans_json(iface->settings));
	json_object_set_new(json, "host", api_string_or_null(iface->settings->host));
	json_object_set_new(json, "description", api_string_or_null(iface->settings->description));
	json_object_set_new(json, "error", api_string_or_null(runtime ? runtime->error : NULL));
	json_object_set_new(json, "max_flows", json_integer(conntrack.max_flows));
	json_object_set_new(json, "flows", json_integer(flows_of(engine, runtime)));
	return json;
}

static void collect_interfaces(struct api_request *request, struct api_list *list)
{
	GHashTableIter networks;
	gpointer network;

	g_hash_table_iter_init(&networks, request->engine->model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		const GPtrArray *all = ((const struct model_network *)network)->interfaces;

		for (guint i = 0; i < all->len; i++)
			api_list_name(list, "",
				      ((const struct model_interface *)all->pdata[i])->id);
	}
}

static void write_interface(struct api_request *request, const void *item, struct api_list *list,
			    void *arg)
{
	(void)arg;
	api_list_add(list, api_interface_json(request->engine, item));
}

void api_get_interfaces(struct api_request *request)
{
	static const struct api_list_kind kind = {
		.collect = collect_interfaces,
		.find = api_list_interface,
		.write = write_interface,
	};

	api_list_reply(request, &kind, NULL, NULL);
}

static void no_interface(struct api_request *request)
{
	api_fail(request, MHD_HTTP_NOT_FOUND, "not-found", NULL, "no interface %s", request->id);
}

static int read_seconds(struct api_request *request, const char *key, unsigned int least,
			unsigned int most, unsigned int *seconds)
{
	const char *text = api_query(request, key);
	g_autofree char *fix = NULL;
	guint64 number = 0;

	*seconds = 0;
	if (!text)
		return 0;
	if (!g_ascii_string_to_unsigned(text, 10, least, most, &number, NULL)) {
		fix = g_strdup_printf("a number of seconds from %u to %u is wanted", least, most);
		api_fail(request, MHD_HTTP_BAD_REQUEST, "parameter", fix, "%s=%s", key, text);
		return -EINVAL;
	}
	*seconds = (unsigned int)number;
	return 0;
}

/* GET ?wait=: until it filters, or until it is clear that it will not; one that nobody has defined
 * yet may come. */
static bool get_waited(struct api_request *request, bool late)
{
	const struct model_interface *iface = model_interface(request->engine->model, request->id);
	const struct engine_iface *runtime = NULL;

	if (!late &&
	    (!iface || engine_iface_state(request->engine, iface, &runtime) == ENGINE_WAITING))
		return false;
	if (!iface)
		no_interface(request);
	else
		api_reply(request, MHD_HTTP_OK, api_interface_json(request->engine, iface));
	return true;
}

void api_get_interface(struct api_request *request)
{
	unsigned int seconds = 0;

	if (read_seconds(request, "wait", 0, API_MAX_WAIT, &seconds) < 0)
		return;
	if (!get_waited(request, seconds == 0))
		api_wait_for(request, seconds, get_waited);
}

/* 201 new, 200 changed, 202 while there is no device to filter. */
bool api_interface_waited(struct api_request *request, bool late)
{
	const struct engine *engine = request->engine;
	const struct model_interface *iface = model_interface(engine->model, request->id);
	const struct engine_iface *runtime = NULL;
	enum engine_iface_state state;

	if (!iface) {
		no_interface(request); /* deleted meanwhile */
		return true;
	}
	state = engine_iface_state(engine, iface, &runtime);
	if (state == ENGINE_WAITING && !late)
		return false;
	if (state == ENGINE_WAITING)
		api_reply(request, MHD_HTTP_ACCEPTED, api_interface_json(engine, iface));
	else
		api_reply(request, request->created ? MHD_HTTP_CREATED : MHD_HTTP_OK,
			  api_interface_json(engine, iface));
	return true;
}

void api_put_interface(struct api_request *request)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const GByteArray *body = request->body;
	struct engine_put how = {0};
	unsigned int seconds = 0;
	int err;

	if (read_seconds(request, "wait", 0, API_MAX_WAIT, &seconds) < 0 ||
	    read_seconds(request, "adopt_flows", 1, API_MAX_ADOPT, &how.adopt_seconds) < 0 ||
	    api_query_bool(request, "allow_waiting", &how.allow_waiting) < 0)
		return;
	how.allow_waiting |= seconds > 0;
	err = engine_put_interface(request->engine, request->id,
				   body ? (const char *)body->data : "", body ? body->len : 0, &how,
				   &request->created, diag);
	if (err < 0) {
		api_fail_engine(request, err, diag);
		return;
	}
	if (!api_interface_waited(request, seconds == 0))
		api_wait(request, seconds);
}

void api_delete_interface(struct api_request *request)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	int err = engine_delete_interface(request->engine, request->id, diag);

	if (err < 0)
		api_fail_engine(request, err, diag);
	else
		api_reply(request, MHD_HTTP_OK,
			  json_pack("{sI}", "generation",
				    (json_int_t)engine_generation(request->engine)));
}
