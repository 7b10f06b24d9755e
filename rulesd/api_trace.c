/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_trace.c - /v1/trace: what would be decided about a packet, and why.
 */
#include <arpa/inet.h>

#include "rulesd/addr.h"
#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/eval.h"
#include "rulesd/log.h"
#include "rulesd/names.h"

/* The live flow that a packet belongs to, whichever side opened it. */
struct search {
	const struct eval_packet *packet;
	struct dataplane_flow flow;
	bool found;
};

static bool is_of_flow(const struct dataplane_flow *flow, void *arg)
{
	const struct search *search = arg;
	const struct eval_packet *packet = search->packet;
	const struct sg_flow_key *key = &flow->key;
	bool egress = packet->direction == SG_EGRESS;

	if (!addr_equal(&key->local, egress ? &packet->src : &packet->dst) ||
	    !addr_equal(&key->remote, egress ? &packet->dst : &packet->src))
		return false;
	return !protocol_has_ports(packet->protocol) ||
	       (ntohs(key->lport) == (egress ? packet->sport : packet->dport) &&
		ntohs(key->rport) == (egress ? packet->dport : packet->sport));
}

static bool keep_flow(const struct dataplane_flow *flow, void *arg)
{
	struct search *search = arg;

	search->flow = *flow;
	search->found = true;
	return false;
}

/* What the flow table says; rules are asked only of packets that open a flow. */
static void add_flow(const struct engine *engine, const char *id, const struct eval_packet *packet,
		     json_t *answer)
{
	const struct engine_iface *runtime = g_hash_table_lookup(engine->ifaces, id);
	struct search search = {.packet = packet};
	const struct dataplane_flow_filter filter = {
		.slot = runtime ? runtime->slot : 0,
		.protocol = packet->protocol,
		.sport = -1,
		.dport = -1,
		.also = is_of_flow,
		.arg = &search,
	};
	g_autofree char *step = NULL, *error = NULL;
	const char *rule, *state;

	if (runtime && runtime->slot && !protocol_is_icmp(packet->protocol) &&
	    dataplane_flows(engine->dataplane, &filter, keep_flow, &search, &error) < 0)
		log_debug("trace: %s", error);
	if (!search.found)
		return;
	rule = engine_rule_name(engine, search.flow.flow.rule);
	state = flow_state_name(search.flow.key.proto, search.flow.flow.state);
	json_object_set_new(
		answer, "flow",
		json_pack("{ss ss? sf}", "state", state, "rule", rule, "age", search.flow.age));
	step = g_strdup_printf(
		"flow: belongs to a live one (%s, %.0f s old), which %s%s opened: its "
		"packets pass by it; what follows is about a new one",
		state, search.flow.age, rule ? "rule " : "an exempt endpoint", rule ? rule : "");
	json_array_insert_new(json_object_get(answer, "steps"), 1, json_string(step));
}

static void reply_trace(struct api_request *request, const char *id,
			const struct eval_packet *packet)
{
	const struct engine *engine = request->engine;
	CLEANUP(trace_free) struct trace *trace = NULL;
	json_t *answer;

	if (!model_interface(engine->model, id)) {
		api_fail(request, MHD_HTTP_NOT_FOUND, "not-found", NULL, "no interface %s", id);
		return;
	}
	if (!image_iface(engine->image, id)) {
		api_fail(request, MHD_HTTP_UNPROCESSABLE_CONTENT, "remote",
			 "trace it where its device is, or offline with --policy",
			 "interface %s is not filtered by this host (%s)", id,
			 engine->options->host);
		return;
	}
	trace = trace_packet(engine->model, engine->image, engine->numbers, id, packet);
	answer = trace_to_json(trace, id, packet->direction);
	add_flow(engine, id, packet, answer);
	api_reply(request, MHD_HTTP_OK, answer);
}

void api_post_trace(struct api_request *request)
{
	AUTO_JSON json_t *question = api_body_json(request);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct eval_packet packet = {0};
	g_autofree char *id = NULL;

	if (!question)
		return;
	if (trace_packet_from_json(question, &id, &packet, diag) < 0) {
		api_fail_diag(request, MHD_HTTP_UNPROCESSABLE_CONTENT, diag);
		return;
	}
	reply_trace(request, id, &packet);
}
