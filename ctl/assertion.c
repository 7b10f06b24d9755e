/* SPDX-License-Identifier: GPL-2.0-or-later */
/* assertion.c - see assertion.h. */
#include "ctl/assertion.h"

#include <string.h>

#include "ctl/endpoint.h"
#include "ctl/reach.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

#define CLIENT_PORT 49152 /* of a client, where the test names none */

struct reading {
	const json_t *test;
	const char *file, *pointer;
	struct diag *diag;
	bool failed;
};

G_GNUC_PRINTF(4, 5)
static void fail(struct reading *reading, const char *field, const char *fix, const char *format,
		 ...)
{
	struct place place = {.file = g_intern_string(reading->file)};
	g_autofree char *at = g_strdup_printf("%s/%s", reading->pointer, field);
	g_autofree char *message = NULL;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	diag_add(reading->diag, "test", place, at, fix, "%s", message);
	reading->failed = true;
}

static const char *text_of(const json_t *test, const char *field)
{
	return json_string_value(json_object_get(test, field));
}

static bool is_given(const json_t *test, const char *field)
{
	const json_t *value = json_object_get(test, field);

	return value && !json_is_null(value);
}

static bool is_egress(const json_t *test)
{
	enum sg_dir direction;
	const char *text = text_of(test, "direction");

	return text && !dir_parse(text, &direction) && direction == SG_EGRESS;
}

static bool is_one_address(const json_t *test, const char *field, int *port)
{
	const char *text = text_of(test, field);
	g_autofree char *ignored = NULL;
	struct endpoint end;

	if (!text || endpoint_parse(text, &end, &ignored))
		return false;
	*port = end.port;
	return true;
}

bool assertion_is_symbolic(const json_t *test)
{
	const char *remote = is_egress(test) ? "dst" : "src";
	const char *local = is_egress(test) ? "src" : "dst";
	const char *text = text_of(test, remote);
	const json_t *dport = json_object_get(test, "dport");
	int port;

	if (!text || !json_is_object(test))
		return false;
	if (json_is_string(dport) || !is_given(test, local))
		return true;
	/* A misspelt address is better explained as one. */
	return !is_one_address(test, remote, &port) &&
	       (strchr(text, '/') || !strcmp(text, "any") || g_str_has_prefix(text, "sg-") ||
		g_str_has_prefix(text, "pl-") || strstr(text, ":sg-"));
}

/* ---------------------------------------------------------------- what is asked */

struct assertion {
	struct reach_query query;
	struct sg_addr local;
	const char *remote; /* as written, without a port */
};

static void assertion_clear(struct assertion *assertion)
{
	g_clear_pointer(&assertion->query.remote, g_array_unref);
	g_clear_pointer(&assertion->query.ports, g_array_unref);
}

static void add_port_text(struct reading *reading, const char *text, GArray *ports)
{
	g_auto(GStrv) ends = g_strsplit(text, "-", 2);
	g_autofree char *error = NULL;
	struct model_ports range;

	if (!ends[0] || endpoint_parse_port(ends[0], &range.first, &error) ||
	    endpoint_parse_port(ends[1] ? ends[1] : ends[0], &range.last, &error) ||
	    range.last < range.first)
		fail(reading, "dport", "a port, or \"LOW-HIGH\"", "\"%s\" is no port", text);
	else
		g_array_append_val(ports, range);
}

static void read_ports(struct reading *reading, struct reach_query *query, int port)
{
	const json_t *dport = json_object_get(reading->test, "dport");
	const json_t *sport = json_object_get(reading->test, "sport");
	json_int_t number = json_integer_value(dport);
	char name[8];

	query->sport = json_is_integer(sport) ? (uint16_t)json_integer_value(sport) : CLIENT_PORT;
	if (!protocol_has_ports(query->protocol)) {
		if (port >= 0 || is_given(reading->test, "dport"))
			fail(reading, "dport", "only tcp, udp and sctp have ports",
			     "packets of %s have no port", protocol_format(query->protocol, name));
		return;
	}
	if (port >= 0) {
		struct model_ports one = {(uint16_t)port, (uint16_t)port};

		g_array_append_val(query->ports, one);
	}
	if (!is_given(reading->test, "dport"))
		return;
	if (port >= 0) {
		fail(reading, "dport", "name the port once", "the port stands in \"dst\" too");
	} else if (json_is_string(dport)) {
		add_port_text(reading, json_string_value(dport), query->ports);
	} else if (!json_is_integer(dport) || number < 0 || number > 65535) {
		fail(reading, "dport", "a port, or \"LOW-HIGH\"", "\"dport\" is no port");
	} else {
		struct model_ports one = {(uint16_t)number, (uint16_t)number};

		g_array_append_val(query->ports, one);
	}
}

static int icmp_value(const json_t *value, uint16_t protocol, int type, int *number)
{
	if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	    json_integer_value(value) <= 255)
		*number = (int)json_integer_value(value);
	else if (!json_is_string(value) ||
		 (type < 0 ? icmp_type_parse(protocol, json_string_value(value), number)
			   : icmp_code_parse(protocol, type, json_string_value(value), number)))
		return -EINVAL;
	return 0;
}

static void read_icmp(struct reading *reading, struct reach_query *query)
{
	const json_t *icmp = json_object_get(reading->test, "icmp");
	const json_t *type = json_object_get(icmp, "type"), *code = json_object_get(icmp, "code");

	query->icmp_type = -1;
	query->icmp_code = -1;
	if (!icmp || json_is_null(icmp))
		return;
	if (!protocol_is_icmp(query->protocol))
		fail(reading, "icmp", "only icmp and icmpv6 have a type",
		     "these packets have no ICMP type");
	else if (!type || icmp_value(type, query->protocol, -1, &query->icmp_type))
		fail(reading, "icmp/type", "a number from 0 to 255 or a name such as echo-request",
		     "this is not an ICMP type");
	else if (code && icmp_value(code, query->protocol, query->icmp_type, &query->icmp_code))
		fail(reading, "icmp/code", "a number from 0 to 255, or a name",
		     "this is not an ICMP code");
}

static void read_protocol(struct reading *reading, struct reach_query *query)
{
	const json_t *value = json_object_get(reading->test, "protocol");
	const char *text = json_string_value(value);

	if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	    json_integer_value(value) <= 255)
		query->protocol = (uint16_t)json_integer_value(value);
	else if (!text || protocol_parse(text, &query->protocol) || query->protocol == SG_PROTO_ALL)
		fail(reading, "protocol",
		     "tcp, udp, icmp, icmpv6, sctp, gre, esp, ah or a number from 0 to 255",
		     text ? "\"%s\" is not the protocol of a packet" : "\"protocol\" is missing%s",
		     text ? text : "");
}

/* What can be said of it without a policy. */
static void check_remote(struct reading *reading, const char *field, const char *text)
{
	char canonical[CIDR_TEXT_SIZE];
	g_autofree char *ignored = NULL;
	struct endpoint end;
	struct cidr cidr;
	int error;

	if (!strcmp(text, "any") || g_str_has_prefix(text, "sg-") ||
	    g_str_has_prefix(text, "pl-") || strstr(text, ":sg-") ||
	    !endpoint_parse(text, &end, &ignored))
		return;
	error = cidr_parse(text, &cidr);
	if (error == -ERANGE)
		fail(reading, field, cidr_format(&cidr, canonical), "\"%s\" has host bits set",
		     text);
	else if (error)
		fail(reading, field, "any, an address or CIDR, sg-… or pl-…",
		     "\"%s\" stands for no address", text);
}

/* The local address, and a port that stands behind either. */
static void read_ends(struct reading *reading, struct assertion *assertion, int *port)
{
	bool egress = assertion->query.direction == SG_EGRESS;
	const char *local = text_of(reading->test, egress ? "src" : "dst");
	g_autofree char *error = NULL;
	struct endpoint end = {.port = -1};

	assertion->remote = text_of(reading->test, egress ? "dst" : "src");
	if (!assertion->remote)
		fail(reading, egress ? "dst" : "src", "any, an address or CIDR, sg-… or pl-…",
		     "\"%s\" is missing", egress ? "dst" : "src");
	else
		check_remote(reading, egress ? "dst" : "src", assertion->remote);
	if (!local)
		return;
	if (endpoint_parse(local, &end, &error)) {
		fail(reading, egress ? "src" : "dst", "one of its addresses; without: each of them",
		     "\"%s\" is not an address", local);
		return;
	}
	assertion->local = end.addr;
	assertion->query.local = &assertion->local;
	if (!egress)
		*port = end.port;
	else if (end.port >= 0)
		assertion->query.sport = (uint16_t)end.port;
}

static void refuse_unknown(struct reading *reading)
{
	static const char *const known[] = {"name", "interface", "direction", "protocol", "src",
					    "dst",  "sport",	 "dport",     "icmp",	  "expect",
					    "rule", "reason",	 NULL};
	json_t *mutable = (json_t *)(uintptr_t)reading->test;

	for (void *at = json_object_iter(mutable); at; at = json_object_iter_next(mutable, at))
		if (!g_strv_contains(known, json_object_iter_key(at)))
			fail(reading, json_object_iter_key(at), NULL, "unknown field \"%s\"",
			     json_object_iter_key(at));
}

/* Everything but the addresses of the other side, for which a policy is needed. */
static bool read_assertion(struct reading *reading, struct assertion *assertion)
{
	const char *direction = text_of(reading->test, "direction");
	int port = -1;

	assertion->query.remote = g_array_new(FALSE, FALSE, sizeof(struct reach_range));
	assertion->query.ports = g_array_new(FALSE, FALSE, sizeof(struct model_ports));
	refuse_unknown(reading);
	if (!text_of(reading->test, "interface"))
		fail(reading, "interface", "the id of an interface", "\"interface\" is missing");
	if (!direction || dir_parse(direction, &assertion->query.direction))
		fail(reading, "direction", "ingress or egress",
		     direction ? "\"%s\" is not a direction" : "\"direction\" is missing%s",
		     direction ? direction : "");
	read_protocol(reading, &assertion->query);
	read_ends(reading, assertion, &port);
	if (reading->failed)
		return false;
	read_ports(reading, &assertion->query, port);
	read_icmp(reading, &assertion->query);
	return !reading->failed;
}

void assertion_check(const json_t *test, const char *file, const char *pointer, struct diag *diag)
{
	struct reading reading = {.test = test, .file = file, .pointer = pointer, .diag = diag};
	CLEANUP(assertion_clear) struct assertion assertion = {0};

	read_assertion(&reading, &assertion);
}

/* ---------------------------------------------------------------- the other side */

static int no_such(struct reading *reading, const char *what, const char *name)
{
	diag_add(reading->diag, "unknown", (struct place){0}, NULL, NULL, "the policy has no %s %s",
		 what, name);
	return -ENOENT;
}

static int find_group(struct reading *reading, const struct model *model,
		      const struct model_network *own, const char *text, GArray *ranges)
{
	const char *colon = strchr(text, ':');
	g_autofree char *name = colon ? g_strndup(text, (gsize)(colon - text)) : NULL;
	const struct model_network *network = name ? model_network(model, name) : own;
	const char *id = colon ? colon + 1 : text;

	if (!network || !g_hash_table_contains(network->groups, id))
		return no_such(reading, "group", text);
	reach_add_group(ranges, network, id);
	return 0;
}

static int find_remote(struct reading *reading, const struct model *model,
		       const struct model_interface *iface, struct assertion *assertion)
{
	const struct model_network *network = model_network(model, iface->network);
	struct reach_query *query = &assertion->query;
	const struct model_prefix_list *list;
	const char *text = assertion->remote;
	g_autofree char *ignored = NULL;
	struct endpoint end;
	struct cidr cidr;

	query->skip_own = true;
	if (!strcmp(text, "any")) {
		static const struct cidr v6 = {.bits = 0};
		static const struct cidr v4 = {.addr = {.b = {[10] = 0xff, [11] = 0xff}}};

		query->unicast_only = true;
		reach_add_cidr(query->remote, &v4);
		reach_add_cidr(query->remote, &v6);
		return 0;
	}
	if (g_str_has_prefix(text, "sg-") || strstr(text, ":sg-"))
		return find_group(reading, model, network, text, query->remote);
	if (g_str_has_prefix(text, "pl-")) {
		list = model_prefix_list(model, iface->network, text);
		for (guint i = 0; list && i < list->entries->len; i++)
			reach_add_cidr(query->remote,
				       &g_array_index(list->entries, struct cidr, i));
		return list ? 0 : no_such(reading, "prefix list", text);
	}
	if (!cidr_parse(text, &cidr)) {
		query->skip_own = strchr(text, '/');
		query->unicast_only = !cidr.bits;
		reach_add_cidr(query->remote, &cidr);
		return 0;
	}
	if (!endpoint_parse(text, &end, &ignored)) {
		struct cidr host = {.addr = end.addr, .bits = addr_is_v4(&end.addr) ? 32 : 128};

		query->skip_own = false;
		reach_add_cidr(query->remote, &host);
		return 0;
	}
	return -EINVAL; /* check_remote has seen it before */
}

/* ---------------------------------------------------------------- the answer */

static char *show_packet(const struct eval_packet *packet)
{
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE];

	addr_format(&packet->src, src);
	addr_format(&packet->dst, dst);
	if (protocol_has_ports(packet->protocol))
		return g_strdup_printf("%s > %s port %u", src, dst, packet->dport);
	if (protocol_is_icmp(packet->protocol))
		return g_strdup_printf("%s > %s type %u code %u", src, dst, packet->icmp_type,
				       packet->icmp_code);
	return g_strdup_printf("%s > %s", src, dst);
}

static char *problem_of(const struct reach_answer *answer, const struct reach_expected *expected,
			const struct image *image, const char *remote)
{
	g_autofree char *packet = show_packet(&answer->packet);
	bool drop = sg_reason_is_drop(answer->verdict.reason);
	const char *rule = image_rule_name(image, answer->verdict.rule);

	if (drop)
		return g_strdup_printf("expected %s for all of %s, but %s is denied (%s)",
				       expected->allow ? "allow" : "deny", remote, packet,
				       reason_name(answer->verdict.reason));
	return g_strdup_printf("expected %s%s%s for all of %s, but %s is allowed by %s",
			       expected->allow ? "allow" : "deny", expected->rule ? " by " : "",
			       expected->rule ? expected->rule : "", remote, packet,
			       rule ? rule : reason_name(answer->verdict.reason));
}

int assertion_ask(struct offline *offline, const json_t *test, char **problem, json_t **trace,
		  struct diag *diag)
{
	struct reading reading = {.test = test, .file = "", .pointer = "", .diag = diag};
	CLEANUP(assertion_clear) struct assertion assertion = {0};
	const struct reach_expected expected = {
		.allow = !g_strcmp0(text_of(test, "expect"), "allow"),
		.rule = text_of(test, "rule"),
		.reason = text_of(test, "reason"),
	};
	struct offline_compiled compiled;
	struct reach_answer answer;
	int error;

	*problem = NULL;
	*trace = NULL;
	if (!read_assertion(&reading, &assertion))
		return -EINVAL;
	error = offline_compile(offline, text_of(test, "interface"), &compiled, diag);
	if (!error)
		error = find_remote(&reading, compiled.model, compiled.iface, &assertion);
	if (error)
		return error;
	answer = reach_ask(compiled.model, compiled.image, compiled.iface, &assertion.query,
			   &expected);
	if (!answer.holds) {
		CLEANUP(trace_free)
		struct trace *explained =
			trace_packet(compiled.model, compiled.image, compiled.numbers,
				     compiled.iface->id, &answer.packet);

		*problem = problem_of(&answer, &expected, compiled.image, assertion.remote);
		*trace = trace_to_json(explained, compiled.iface->id, answer.packet.direction);
	} else if (!answer.tried && expected.allow) {
		*problem = g_strdup_printf("%s stands for no address that could reach %s: nothing "
					   "was tested",
					   assertion.remote, compiled.iface->id);
	}
	return 0;
}
