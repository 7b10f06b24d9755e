/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_ports.c - a protocol and the two numbers beside it, as AWS and Terraform write them.
 *
 * What AWS makes of them (EC2 API, IpPermission; VPC user guide, "Security group rules"): ports
 * of tcp and udp; type and code of icmp and icmpv6, -1 for every one; with any other protocol,
 * and with -1 (all), they are ignored.
 */
#include <netinet/in.h>
#include <string.h>

#include "ctl/import_policy.h"
#include "rulesd/names.h"

/* Names that others use and policies do not. */
static const struct {
	const char *name;
	uint16_t protocol;
} aliases[] = {
	{"-1", SG_PROTO_ALL},
	{"any", SG_PROTO_ALL},
	{"icmp6", IPPROTO_ICMPV6},
	{"icmpv6", IPPROTO_ICMPV6},
	{"ipv6-icmp", IPPROTO_ICMPV6},
	{"dccp", 33},
	{"egp", 8},
	{"igmp", 2},
	{"ipip", 4},
	{"ipencap", 4},
	{"ipv6-encap", 41},
	{"ipv6-frag", 44},
	{"ipv6-nonxt", 59},
	{"ipv6-opts", 60},
	{"ipv6-route", 43},
	{"ospf", 89},
	{"ospfigp", 89},
	{"pgm", 113},
	{"rsvp", 46},
	{"udplite", 136},
	{"vrrp", 112},
};

static bool parse(const char *text, uint16_t *protocol)
{
	g_autofree char *lower = g_ascii_strdown(text, -1);

	for (guint i = 0; i < G_N_ELEMENTS(aliases); i++)
		if (!strcmp(lower, aliases[i].name)) {
			*protocol = aliases[i].protocol;
			return true;
		}
	return protocol_parse(lower, protocol) == 0;
}

bool import_protocol(struct import *import, const struct import_node *node, const char *object,
		     uint16_t *protocol)
{
	g_autofree char *shown = NULL;
	const char *text = import_text(node);
	json_int_t number;

	if (text ? parse(text, protocol) : false)
		return true;
	if (!text && import_integer(node, &number) && number >= -1 && number <= 255) {
		*protocol = number < 0 ? SG_PROTO_ALL : (uint16_t)number;
		return true;
	}
	shown = import_shown(node);
	if (node->value)
		import_report_add(import->report, IMPORT_LEFT_OUT, "protocol", object, node,
				  "a rule with the protocol %s: there is none of that name", shown);
	else
		import_report_add(import->report, IMPORT_LEFT_OUT, "protocol", object, node,
				  "a rule without a protocol");
	return false;
}

/* The two numbers; IMPORT_EVERY and false for one that is missing. */
struct numbers_beside {
	json_int_t from, to;
	bool has_from, has_to;
};

static bool bad(struct import *import, const char *object, const struct import_node *from,
		const char *what)
{
	import_report_add(import->report, IMPORT_LEFT_OUT, "ports", object, from, "a rule with %s",
			  what);
	return false;
}

static bool read_number(struct import *import, const char *object, const struct import_node *node,
			json_int_t *number, bool *has)
{
	g_autofree char *shown = NULL;
	g_autofree char *what = NULL;

	*number = IMPORT_EVERY;
	*has = false;
	if (!node->value || (json_is_string(node->value) && !import_text(node)))
		return true;
	if (import_integer(node, number)) {
		*has = true;
		return true;
	}
	shown = import_shown(node);
	what = g_strdup_printf("the port %s: it is no number", shown);
	return bad(import, object, node, what);
}

/* Numbers that say "all" wherever they are ignored. */
static bool are_no_limit(const struct numbers_beside *n)
{
	return (!n->has_from || n->from <= 0) && (!n->has_to || n->to <= 0 || n->to == 65535);
}

static bool transport(struct import *import, struct import_rule *rule, const char *object,
		      const struct import_node *from, const struct numbers_beside *n)
{
	g_autofree char *what = NULL;

	if ((!n->has_from && !n->has_to) || (n->from == 0 && n->to == 65535))
		return true;
	if (n->from == -1 && n->to == -1) {
		import_report_add(import->report, IMPORT_ASSUMED, "ports", object, from,
				  "-1 as both ends of the ports is read as every port");
		return true;
	}
	if (n->has_from && n->has_to && n->from >= 0 && n->from <= n->to && n->to <= 65535) {
		rule->first = (int)n->from;
		rule->last = (int)n->to;
		return true;
	}
	if (!n->has_from || !n->has_to)
		return bad(import, object, from, "one end of a range of ports alone");
	what = g_strdup_printf("the ports %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT
			       ": that is no range",
			       n->from, n->to);
	return bad(import, object, from, what);
}

static bool icmp(struct import *import, struct import_rule *rule, const char *object,
		 const struct import_node *from, const struct numbers_beside *n)
{
	g_autofree char *what = NULL;

	if (n->from == -1) {
		if (n->to >= 0)
			import_report_add(
				import->report, IMPORT_ASSUMED, "icmp", object, from,
				"code %" JSON_INTEGER_FORMAT
				" of every type is read as every type and code, as AWS does",
				n->to);
		return true;
	}
	if (n->from >= 0 && n->from <= 255 && n->to >= -1 && n->to <= 255) {
		rule->first = (int)n->from;
		rule->last = (int)n->to;
		return true;
	}
	what = g_strdup_printf("ICMP type %" JSON_INTEGER_FORMAT " and code %" JSON_INTEGER_FORMAT
			       ": they go from 0 to 255",
			       n->from, n->to);
	return bad(import, object, from, what);
}

bool import_ports(struct import *import, struct import_rule *rule, const char *object,
		  const struct import_node *from, const struct import_node *to)
{
	struct numbers_beside n;
	char name[8];

	if (!read_number(import, object, from, &n.from, &n.has_from) ||
	    !read_number(import, object, to, &n.to, &n.has_to))
		return false;
	if (protocol_is_icmp(rule->protocol))
		return icmp(import, rule, object, from, &n);
	if (rule->protocol == IPPROTO_TCP || rule->protocol == IPPROTO_UDP)
		return transport(import, rule, object, from, &n);
	if (!are_no_limit(&n))
		import_report_add(import->report, IMPORT_ASSUMED, "ports", object, from,
				  "the ports %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT
				  " of protocol %s are ignored, as AWS does",
				  n.from, n.to, protocol_format(rule->protocol, name));
	return true;
}
