/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_json.c - the question and the answer of a trace as JSON (POST /v1/trace, sgctl trace
 * --json).
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/eval.h"
#include "rulesd/names.h"

/* A port no server listens at, so that a question without one is about an ordinary client. */
#define DEFAULT_SOURCE_PORT 49152

static json_t *strings(const GPtrArray *words)
{
	json_t *array = json_array();

	for (guint i = 0; i < words->len; i++)
		json_array_append_new(array, json_string(g_ptr_array_index(words, i)));
	return array;
}

json_t *trace_to_json(const struct trace *trace, const char *interface_id, enum sg_dir direction)
{
	json_t *nearest = trace->nearest ? json_pack("{s:s, s:o}", "rule", trace->nearest,
						     "differs", strings(trace->differs))
					 : json_null();

	return json_pack("{s:s, s:s, s:s?, s:o, s:s, s:s, s:o}", "verdict",
			 sg_reason_is_drop(trace->verdict.reason) ? "deny" : "allow", "reason",
			 reason_name(trace->verdict.reason), "rule", trace->rule, "nearest",
			 nearest, "interface", interface_id, "direction", dir_name(direction),
			 "steps", strings(trace->steps));
}

/* ---------------------------------------------------------------- the question */

struct request {
	const json_t *json;
	struct diag *diag;
	bool failed;
};

G_GNUC_PRINTF(4, 5)
static void fail(struct request *request, const char *field, const char *fix, const char *format,
		 ...)
{
	g_autofree char *pointer = g_strdup_printf("%s%s", *field ? "/" : "", field);
	g_autofree char *message = NULL;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	diag_add(request->diag, "trace", (struct place){0}, pointer, fix, "%s", message);
	request->failed = true;
}

/* NULL is the same as absent. */
static const json_t *get(const json_t *object, const char *field)
{
	const json_t *value = json_object_get(object, field);

	return json_is_null(value) ? NULL : value;
}

static void refuse_unknown(struct request *request, const json_t *object, const char *const *known,
			   const char *parent)
{
	/* jansson's iterators take a mutable object although they do not change it. */
	json_t *mutable = (json_t *)(uintptr_t)object;

	for (void *at = json_object_iter(mutable); at; at = json_object_iter_next(mutable, at)) {
		const char *field = json_object_iter_key(at);
		g_autofree char *pointer = g_strdup_printf("%s%s", parent, field);
		g_autofree char *list = NULL;

		if (g_strv_contains(known, field))
			continue;
		list = g_strjoinv(", ", (char **)(uintptr_t)known);
		fail(request, pointer, list, "unknown field \"%s\"", field);
	}
}

static const char *get_text(struct request *request, const char *field, const char *fix)
{
	const json_t *value = get(request->json, field);

	if (json_is_string(value))
		return json_string_value(value);
	fail(request, field, fix, value ? "\"%s\" is not a string" : "\"%s\" is missing", field);
	return NULL;
}

static void read_protocol(struct request *request, struct eval_packet *packet)
{
	static const char fix[] =
		"tcp, udp, icmp, icmpv6, sctp, gre, esp, ah or a number from 0 to 255";
	const json_t *value = get(request->json, "protocol");
	json_int_t number = json_integer_value(value);

	if (json_is_integer(value) && number >= 0 && number <= 255)
		packet->protocol = (uint16_t)number;
	else if (json_is_integer(value))
		fail(request, "protocol", fix, "%" JSON_INTEGER_FORMAT " is not a protocol",
		     number);
	else if (!json_is_string(value))
		fail(request, "protocol", fix,
		     value ? "\"protocol\" is not a string" : "\"protocol\" is missing");
	else if (protocol_parse(json_string_value(value), &packet->protocol) < 0 ||
		 packet->protocol == SG_PROTO_ALL)
		fail(request, "protocol", fix, "\"%s\" is not the protocol of a packet",
		     json_string_value(value));
}

static bool parse_port(const char *text, int *port)
{
	char *end = NULL;
	guint64 value;

	if (!g_ascii_isdigit(*text))
		return false;
	value = g_ascii_strtoull(text, &end, 10);
	if (*end || value > 65535)
		return false;
	*port = (int)value;
	return true;
}

/* "A", "A:PORT", "[v6]" or "[v6]:PORT"; *port stays as it is without one. */
static bool parse_endpoint(const char *text, struct sg_addr *addr, int *port)
{
	const char *colon = strchr(text, ':');
	const char *close = *text == '[' ? strchr(text, ']') : NULL;
	g_autofree char *host = NULL;

	if (*text == '[') {
		if (!close || (close[1] && close[1] != ':'))
			return false;
		host = g_strndup(text + 1, (gsize)(close - text - 1));
		if (addr_parse(host, addr) < 0 || addr_is_v4(addr))
			return false;
		return !close[1] || parse_port(close + 2, port);
	}
	if (!colon || strchr(colon + 1, ':'))
		return addr_parse(text, addr) == 0;
	host = g_strndup(text, (gsize)(colon - text));
	return addr_parse(host, addr) == 0 && addr_is_v4(addr) && parse_port(colon + 1, port);
}

/* The port stands behind the address or apart; -1 when nowhere. */
static int read_endpoint(struct request *request, const char *field, const char *port_field,
			 struct sg_addr *addr)
{
	const char *text = get_text(request, field, "an address, ADDRESS:PORT or [IPv6]:PORT");
	const json_t *apart = get(request->json, port_field);
	json_int_t number = json_integer_value(apart);
	int port = -1;

	if (text && !parse_endpoint(text, addr, &port))
		fail(request, field, "an address, ADDRESS:PORT or [IPv6]:PORT",
		     "\"%s\" is not an address", text);
	if (!apart)
		return port;
	if (!json_is_integer(apart) || number < 0 || number > 65535)
		fail(request, port_field, "a number from 0 to 65535", "\"%s\" is not a port",
		     port_field);
	else if (port >= 0 && port != number)
		fail(request, port_field, "name the port once",
		     "\"%s\" is %d in \"%s\" and %" JSON_INTEGER_FORMAT " here", port_field, port,
		     field, number);
	else
		port = (int)number;
	return port;
}

static void read_ports(struct request *request, struct eval_packet *packet, int sport, int dport)
{
	char name[8];

	if (protocol_has_ports(packet->protocol)) {
		if (dport < 0)
			fail(request, "dst", "ADDRESS:PORT or [IPv6]:PORT",
			     "packets of %s need a destination port",
			     protocol_format(packet->protocol, name));
		packet->sport = (uint16_t)(sport < 0 ? DEFAULT_SOURCE_PORT : sport);
		packet->dport = (uint16_t)dport;
	} else if (sport >= 0 || dport >= 0) {
		fail(request, dport >= 0 ? "dst" : "src", "only tcp, udp and sctp have ports",
		     "packets of %s have no port", protocol_format(packet->protocol, name));
	}
}

/* Number or name, as in a rule. */
static int read_icmp_value(struct request *request, const json_t *value, const char *field,
			   uint16_t protocol, int type, int otherwise)
{
	json_int_t number = json_integer_value(value);
	bool is_type = strcmp(field, "type") == 0;
	g_autofree char *pointer = g_strdup_printf("icmp/%s", field);
	int parsed = otherwise;

	if (!value)
		return otherwise;
	if (json_is_integer(value) && number >= 0 && number <= 255)
		return (int)number;
	if (json_is_string(value) &&
	    (is_type ? icmp_type_parse(protocol, json_string_value(value), &parsed)
		     : icmp_code_parse(protocol, type, json_string_value(value), &parsed)) == 0)
		if (parsed >= 0)
			return parsed;
	fail(request, pointer, "a number from 0 to 255 or a name such as echo-request",
	     "this is not an ICMP %s", field);
	return otherwise;
}

static void read_icmp(struct request *request, struct eval_packet *packet)
{
	static const char *const fields[] = {"type", "code", NULL};
	const json_t *icmp = get(request->json, "icmp");
	int echo = packet->protocol == IPPROTO_ICMP ? ICMP_ECHO : ICMP6_ECHO_REQUEST;

	if (!protocol_is_icmp(packet->protocol)) {
		if (icmp)
			fail(request, "icmp", "only icmp and icmpv6 have a type",
			     "this packet has no ICMP type");
		return;
	}
	if (icmp && !json_is_object(icmp)) {
		fail(request, "icmp", "{\"type\": 8, \"code\": 0}", "\"icmp\" is not an object");
		return;
	}
	refuse_unknown(request, icmp, fields, "icmp/");
	packet->icmp_type = (uint8_t)read_icmp_value(request, get(icmp, "type"), "type",
						     packet->protocol, -1, echo);
	packet->icmp_code = (uint8_t)read_icmp_value(request, get(icmp, "code"), "code",
						     packet->protocol, packet->icmp_type, 0);
}

static void check_families(struct request *request, const struct eval_packet *packet)
{
	bool is_v4 = addr_is_v4(&packet->src);

	if (is_v4 != addr_is_v4(&packet->dst))
		fail(request, "dst", "two IPv4 or two IPv6 addresses",
		     "src and dst are of different families");
	else if (packet->protocol == (is_v4 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		fail(request, "protocol", is_v4 ? "icmp" : "icmpv6",
		     "%s is not a protocol of these addresses", is_v4 ? "icmpv6" : "icmp");
}

int trace_packet_from_json(const json_t *json, char **interface_id, struct eval_packet *packet,
			   struct diag *diag)
{
	struct request request = {.json = json, .diag = diag};
	static const char *const fields[] = {"interface", "direction", "protocol", "src", "dst",
					     "sport",	  "dport",     "icmp",	   NULL};
	struct eval_packet read = {0};
	const char *id, *direction;
	int sport, dport;

	if (!json_is_object(json)) {
		fail(&request, "", "{\"interface\", \"direction\", \"protocol\", \"src\", \"dst\"}",
		     "the question is not an object");
		return -EINVAL;
	}
	refuse_unknown(&request, json, fields, "");
	id = get_text(&request, "interface", "the id of an interface");
	direction = get_text(&request, "direction", "ingress or egress");
	if (direction && dir_parse(direction, &read.direction) < 0)
		fail(&request, "direction", "ingress or egress", "\"%s\" is not a direction",
		     direction);
	read_protocol(&request, &read);
	sport = read_endpoint(&request, "src", "sport", &read.src);
	dport = read_endpoint(&request, "dst", "dport", &read.dst);
	if (request.failed)
		return -EINVAL;
	read_ports(&request, &read, sport, dport);
	read_icmp(&request, &read);
	check_families(&request, &read);
	if (request.failed)
		return -EINVAL;
	*interface_id = g_strdup(id);
	*packet = read;
	return 0;
}
