/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_status.c - /v1/status, /v1/services, and what is not there yet.
 */
#include "rulesd/api_request.h"
#include "rulesd/guard.h"
#include "rulesd/names.h"
#include "rulesd/totals.h"

#define DIGEST_SECONDS 10

static void set_number(json_t *json, const char *key, uint64_t number)
{
	json_object_set_new(json, key, json_integer((json_int_t)number));
}

static json_t *kept_to_json(const struct engine *engine)
{
	json_t *list = json_array();
	const struct engine_kept *kept;

	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		kept = g_hash_table_lookup(engine->kept, GUINT_TO_POINTER(slot));
		if (kept)
			json_array_append_new(list,
					      json_pack("{ss sI}", "device", kept->device,
							"ifindex", (json_int_t)kept->ifindex));
	}
	return list;
}

static json_t *guard_json(const struct engine *engine)
{
	const struct options *options = engine->options;
	struct guard_status status;
	json_t *patterns, *json;

	if (!engine->guard)
		return json_null();
	status = guard_status(engine->guard);
	patterns = json_array();
	for (unsigned int i = 0; i < options->guard_count; i++)
		json_array_append_new(patterns, json_string(options->guard[i]));
	json = json_pack("{so sI ss ss}", "patterns", patterns, "group",
			 (json_int_t)options->guard_group, "table", guard_table_name(engine->guard),
			 "state", status.in_place ? "in-place" : "missing");
	json_object_set_new(json, "error", api_string_or_null(status.error));
	set_number(json, "repairs", status.repairs);
	json_object_set_new(json, "owned", json_boolean(status.owned));
	set_number(json, "group_repairs", engine->guard_groups);
	set_number(json, "dropped_packets", status.packets);
	set_number(json, "dropped_bytes", status.bytes);
	return json;
}

static json_t *repairs_json(const struct engine_repairs *repairs)
{
	g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(repairs->last_at);
	g_autofree char *time = repairs->last ? g_date_time_format_iso8601(at) : NULL;

	return json_pack("{sI sI sI ss? ss? ss?}", "programs", (json_int_t)repairs->programs,
			 "pins", (json_int_t)repairs->pins, "entries", (json_int_t)repairs->entries,
			 "last", repairs->last, "last_at", time, "failed", repairs->failed);
}

static void answer(struct api_request *request)
{
	struct engine *engine = request->engine;
	const struct totals totals = totals_of(engine);
	const int64_t uptime_us = g_get_monotonic_time() - engine->started_us;
	json_t *json = json_pack("{ss ss ss}", "version", TAPGUARD_VERSION, "host",
				 engine->options->host, "source", engine_source(engine));

	set_number(json, "generation", engine_generation(engine));
	json_object_set_new(
		json, "policy_sha256",
		api_string_or_null(engine_sha256(engine, state_current(engine->state), true)));
	set_number(json, "interfaces", totals.interfaces);
	set_number(json, "groups", totals.groups);
	set_number(json, "members", totals.members);
	set_number(json, "flows", totals.flows);
	json_object_set_new(json, "dataplane", json_string(dataplane_name(engine->dataplane)));
	set_number(json, "attached", totals.states.filtering);
	set_number(json, "waiting", totals.states.waiting);
	set_number(json, "failed", totals.states.failed);
	set_number(json, "remote", totals.states.remote);
	set_number(json, "max_flows", engine->options->max_flows);
	set_number(json, "reserved_flows", totals.reserved_flows);
	set_number(json, "uptime", (uint64_t)uptime_us / G_USEC_PER_SEC);
	json_object_set_new(json, "on_trial",
			    engine->on_trial
				    ? json_pack("{sI si}", "back_to",
						(json_int_t)engine->confirm_back_to, "seconds",
						(int)engine_confirm_left(engine))
				    : json_null());
	json_object_set_new(json, "guard", guard_json(engine));
	json_object_set_new(json, "repairs", repairs_json(&engine->repairs));
	json_object_set_new(json, "policy_error", api_string_or_null(engine->policy_error));
	json_object_set_new(json, "state_error", api_string_or_null(engine->state->lost));
	json_object_set_new(json, "kept", kept_to_json(engine));
	api_reply(request, MHD_HTTP_OK, json);
}

/* Waits for the digest of a large policy while that is being worked out. */
static bool digest_waited(struct api_request *request, bool late)
{
	struct engine *engine = request->engine;

	if (!late && !engine_sha256(engine, state_current(engine->state), true) && engine->digest)
		return false;
	answer(request);
	return true;
}

void api_get_status(struct api_request *request)
{
	if (!digest_waited(request, false))
		api_wait_for(request, DIGEST_SECONDS, digest_waited);
}

void api_get_services(struct api_request *request)
{
	api_reply(request, MHD_HTTP_OK, services_to_json());
}

void api_post_flows(struct api_request *request)
{
	api_fail(request, MHD_HTTP_NOT_IMPLEMENTED, "not-supported", NULL,
		 "importing flows is not supported yet");
}
