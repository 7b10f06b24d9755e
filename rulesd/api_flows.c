/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_flows.c - /v1/flows: the flow table, listed or flushed, by the same filters.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

/* A flow as its opener sent it. */
struct flow_view {
	const struct sg_addr *src, *dst;
	unsigned int sport, dport; /* ICMP: identifier, type */
	const char *state;
	const char *rule; /* or NULL */
};

struct flow_filter {
	const struct engine *engine;
	uint32_t slot;	       /* 0: any */
	int protocol;	       /* -1: any */
	int direction;	       /* of the opener; -1: any */
	struct cidr src, dst;  /* where set */
	bool has_src, has_dst; /* ICMP and ports as flow_view has them */
	int sport, dport;      /* -1: any */
	const char *state, *rule, *group;
	bool nothing; /* an interface that has no flows here */
};

static struct flow_view view_of(const struct engine *engine, const struct dataplane_flow *flow)
{
	const struct sg_flow_key *key = &flow->key;
	const bool egress = flow->flow.opener == SG_EGRESS;
	const unsigned int local = ntohs(key->lport);
	const unsigned int remote = ntohs(key->rport);
	struct flow_view view = {
		.src = egress ? &key->local : &key->remote,
		.dst = egress ? &key->remote : &key->local,
		.sport = egress ? local : remote,
		.dport = egress ? remote : local,
		.state = flow_state_name(key->proto, flow->flow.state),
		.rule = engine_rule_name(engine, flow->flow.rule),
	};

	if (protocol_is_icmp(key->proto)) {
		view.sport = local;
		view.dport = key->rport >> 8; /* SG_ICMP_FLOW */
	}
	return view;
}

/* ---------------------------------------------------------------- filters */

static int bad_filter(struct api_request *request, const char *key, const char *fix)
{
	api_fail(request, MHD_HTTP_BAD_REQUEST, "parameter", fix, "%s=%s", key,
		 api_query(request, key));
	return -EINVAL;
}

static int read_port(struct api_request *request, const char *key, int *port)
{
	const char *text = api_query(request, key);
	guint64 number = 0;

	*port = -1;
	if (!text)
		return 0;
	if (!g_ascii_string_to_unsigned(text, 10, 0, 65535, &number, NULL))
		return bad_filter(request, key, "a number from 0 to 65535 is wanted");
	*port = (int)number;
	return 0;
}

static int read_network(struct api_request *request, const char *key, struct cidr *cidr, bool *has)
{
	const char *text = api_query(request, key);

	*has = text;
	if (text && cidr_parse(text, cidr) < 0)
		return bad_filter(request, key, "an address or a CIDR without host bits is wanted");
	return 0;
}

static int read_interface(struct api_request *request, struct flow_filter *filter)
{
	const char *id = api_query(request, "interface");
	const struct engine_iface *runtime;

	if (!id)
		return 0;
	if (!model_interface(request->engine->model, id)) {
		api_fail(request, MHD_HTTP_NOT_FOUND, "not-found", NULL, "no interface %s", id);
		return -ENOENT;
	}
	runtime = g_hash_table_lookup(request->engine->ifaces, id);
	filter->slot = runtime ? runtime->slot : 0;
	filter->nothing = !runtime;
	return 0;
}

static int read_filter(struct api_request *request, struct flow_filter *filter)
{
	const char *protocol = api_query(request, "protocol");
	const char *direction = api_query(request, "direction");
	enum sg_dir dir = SG_EGRESS;
	uint16_t number = SG_PROTO_ALL;

	*filter = (struct flow_filter){
		.engine = request->engine,
		.protocol = -1,
		.direction = -1,
		.state = api_query(request, "state"),
		.rule = api_query(request, "rule"),
		.group = api_query(request, "group"),
	};
	if (protocol && protocol_parse(protocol, &number) < 0)
		return bad_filter(request, "protocol", "a protocol's name or number is wanted");
	if (number != SG_PROTO_ALL)
		filter->protocol = number;
	if (direction && dir_parse(direction, &dir) < 0)
		return bad_filter(request, "direction", "ingress or egress is wanted");
	if (direction)
		filter->direction = (int)dir;
	if (read_interface(request, filter) < 0 ||
	    read_network(request, "src", &filter->src, &filter->has_src) < 0 ||
	    read_network(request, "dst", &filter->dst, &filter->has_dst) < 0 ||
	    read_port(request, "sport", &filter->sport) < 0 ||
	    read_port(request, "dport", &filter->dport) < 0)
		return -EINVAL;
	return 0;
}

static bool in_group(const char *rule, const char *group)
{
	const size_t length = strlen(group);

	return rule && strncmp(rule, group, length) == 0 && rule[length] == '/';
}

static bool selected(const struct dataplane_flow *flow, void *arg)
{
	const struct flow_filter *filter = arg;
	const struct flow_view view = view_of(filter->engine, flow);

	return (filter->direction < 0 || flow->flow.opener == filter->direction) &&
	       (!filter->has_src || cidr_contains(&filter->src, view.src)) &&
	       (!filter->has_dst || cidr_contains(&filter->dst, view.dst)) &&
	       (filter->sport < 0 || view.sport == (unsigned int)filter->sport) &&
	       (filter->dport < 0 || view.dport == (unsigned int)filter->dport) &&
	       (!filter->state || strcmp(filter->state, view.state) == 0) &&
	       (!filter->rule || g_strcmp0(filter->rule, view.rule) == 0) &&
	       (!filter->group || in_group(view.rule, filter->group));
}

/* The dataplane judges slot and protocol, everything else is judged here as it is shown. */
static struct dataplane_flow_filter dataplane_filter(struct flow_filter *filter)
{
	return (struct dataplane_flow_filter){
		.slot = filter->slot,
		.protocol = filter->protocol,
		.sport = -1,
		.dport = -1,
		.also = selected,
		.arg = filter,
	};
}

/* ---------------------------------------------------------------- answers */

/* Seconds with three digits behind the point. */
static json_t *seconds_json(double seconds)
{
	return json_real(seconds > 0 ? (double)(int64_t)(seconds * 1000 + 0.5) / 1000 : 0);
}

static json_t *flow_json(const struct engine *engine, const struct dataplane_flow *flow)
{
	const struct flow_view view = view_of(engine, flow);
	const struct sg_flow_half *half = flow->flow.half;
	json_t *json = json_object();
	char protocol[8];
	char src[ADDR_TEXT_SIZE];
	char dst[ADDR_TEXT_SIZE];

	json_object_set_new(json, "interface",
			    api_string_or_null(engine_slot_id(engine, flow->key.slot)));
	json_object_set_new(json, "direction",
			    json_string(dir_name((enum sg_dir)flow->flow.opener)));
	json_object_set_new(json, "protocol",
			    json_string(protocol_format(flow->key.proto, protocol)));
	json_object_set_new(json, "src", json_string(addr_format(view.src, src)));
	json_object_set_new(json, "sport", json_integer(view.sport));
	json_object_set_new(json, "dst", json_string(addr_format(view.dst, dst)));
	json_object_set_new(json, "dport", json_integer(view.dport));
	json_object_set_new(json, "state", json_string(view.state));
	json_object_set_new(json, "rule", api_string_or_null(view.rule));
	json_object_set_new(
		json, "packets",
		json_integer((json_int_t)(half[SG_EGRESS].packets + half[SG_INGRESS].packets)));
	json_object_set_new(
		json, "bytes",
		json_integer((json_int_t)(half[SG_EGRESS].bytes + half[SG_INGRESS].bytes)));
	json_object_set_new(json, "age", seconds_json(flow->age));
	json_object_set_new(json, "expires", seconds_json(flow->expires));
	return json;
}

struct listing {
	const struct engine *engine;
	struct flow_filter filter;
	struct dataplane_flow_filter selection;
	struct dataplane_flow_walk walk;
	GString *text;
};

/* Text at once: a table of a million flows as JSON objects would take gigabytes. */
static bool list_flow(const struct dataplane_flow *flow, void *arg)
{
	struct listing *listing = arg;
	AUTO_JSON json_t *json = flow_json(listing->engine, flow);
	g_autofree char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));

	if (listing->text->len > 1)
		g_string_append_c(listing->text, ',');
	g_string_append(listing->text, text);
	return true;
}

static void fail_dataplane(struct api_request *request, int err, const char *error)
{
	api_fail(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "dataplane", NULL, "%s",
		 error ? error : g_strerror(-err));
}

static void listing_free(gpointer pointer)
{
	struct listing *listing = pointer;

	if (listing->text)
		g_string_free(listing->text, TRUE);
	g_free(listing);
}

static bool list_part(struct api_request *request, void *work)
{
	struct listing *listing = work;
	g_autofree char *error = NULL;
	bool more = !listing->filter.nothing;
	int err = 0;

	if (more)
		err = dataplane_flows_part(request->engine->dataplane, &listing->selection,
					   &listing->walk, list_flow, listing, &more, &error);
	if (err < 0) {
		fail_dataplane(request, err, error);
		return false;
	}
	if (more)
		return api_may_hold(request, listing->text->len);
	g_string_append(listing->text, "]\n");
	api_reply_text(request, MHD_HTTP_OK, "application/json",
		       g_string_free(TAKE_PTR(listing->text), FALSE));
	return false;
}

void api_get_flows(struct api_request *request)
{
	struct listing *listing = g_new0(struct listing, 1);

	if (read_filter(request, &listing->filter) < 0) {
		listing_free(listing);
		return;
	}
	listing->engine = request->engine;
	listing->selection = dataplane_filter(&listing->filter);
	listing->text = g_string_new("[");
	api_in_parts(request, list_part, listing, listing_free);
}

void api_delete_flows(struct api_request *request)
{
	struct flow_filter filter;
	struct dataplane_flow_filter selection;
	g_autofree char *error = NULL;
	unsigned int removed = 0;
	int err = 0;

	if (read_filter(request, &filter) < 0)
		return;
	selection = dataplane_filter(&filter);
	if (!filter.nothing)
		err = dataplane_flows_remove(request->engine->dataplane, &selection, &removed,
					     &error);
	if (err < 0)
		fail_dataplane(request, err, error);
	else
		api_reply(request, MHD_HTTP_OK, json_pack("{si}", "flushed", (int)removed));
}
