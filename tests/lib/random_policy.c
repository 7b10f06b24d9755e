/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random_policy.c - see random_policy.h.
 */
#include "tests/lib/random_policy.h"

#include <jansson.h>
#include <string.h>

#include "rulesd/cleanup.h"

static const char *const groups[] = {"sg-a", "sg-b", "sg-c", "sg-d"};
static const char *const lists[] = {"pl-x", "pl-y"};
static const char *const cidrs[] = {
	"0.0.0.0/0",	 "10.0.0.0/8",	"10.0.0.0/16", "10.0.0.0/24",  "10.0.0.1/32", "10.0.0.2/31",
	"192.0.2.0/24",	 "::/0",	"fd00::/16",   "fd00::/64",    "fd00::1/128", "fd00::2/127",
	"2001:db8::/32", "128.0.0.0/1", "10.0.0.0/30", "2001:db8::/48"};
static const char *const matches[] = {
	"\"protocol\": \"tcp\", \"ports\": [80]",
	"\"protocol\": \"tcp\", \"ports\": [\"79-81\", 443, \"8000-8080\"]",
	"\"protocol\": \"tcp\"",
	"\"protocol\": 6, \"ports\": [\"1-1023\"]",
	"\"protocol\": \"udp\", \"ports\": [53, 68]",
	"\"protocol\": \"udp\", \"ports\": [\"50-600\"]",
	"\"protocol\": \"sctp\", \"ports\": [80]",
	"\"protocol\": \"icmp\", \"icmp\": {\"type\": 8, \"code\": 0}",
	"\"protocol\": \"icmp\", \"icmp\": {\"type\": 13}",
	"\"protocol\": \"icmp\"",
	"\"protocol\": \"icmpv6\", \"icmp\": {\"type\": 128}",
	"\"protocol\": \"icmpv6\"",
	"\"protocol\": 47",
	"\"protocol\": 112",
	"\"protocol\": \"all\"",
	"\"service\": \"dns\"",
};
static const unsigned int ports[] = {1,	  22,  53,  67,	 68,  78,   79,	  81,	82,   80,   80,
				     443, 546, 547, 600, 601, 7999, 8000, 8080, 8081, 65535};
static const char *const v4[] = {"10.0.0.1", "10.0.0.2",  "10.0.0.3",	"10.0.1.1",
				 "10.1.0.1", "192.0.2.1", "203.0.113.9"};
static const char *const v6[] = {"fd00::1",   "fd00::2",     "fd00::3",
				 "fd00:1::1", "2001:db8::1", "2001:db8:1::1"};
static const char *const odd_v4[] = {"127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.5",
				     "169.254.3.4"};
static const char *const odd_v6[] = {"::",
				     "::1",
				     "::10.0.0.1",
				     "ff02::1",
				     "fe80::9",
				     "fe80::5054:ff:fe00:1",
				     "fe80::5054:ff:fe00:2"};

const struct random_vm random_vms[RANDOM_VMS] = {
	{"vm1", 1, "10.0.0.1", "fd00::1"},
	{"vm2", 2, "10.0.0.2", "fd00::2"},
	{"blue1", 1, "10.0.0.1", "fd00::1"},
};

bool random_chance(int percent)
{
	return g_random_int_range(0, 100) < percent;
}

unsigned int random_port(void)
{
	return RANDOM_PICK(ports);
}

const char *random_address(bool is_v6, bool odd)
{
	if (odd && random_chance(12))
		return is_v6 ? RANDOM_PICK(odd_v6) : RANDOM_PICK(odd_v4);
	return is_v6 ? RANDOM_PICK(v6) : RANDOM_PICK(v4);
}

/* ---------------------------------------------------------------- policies */

/* A peer twice in one rule is an error, so each kind walks on from a random start. */
static void add_peers(GString *json, bool may_name_blue)
{
	guint cidr = g_random_int(), group = g_random_int(), list = g_random_int();

	for (int i = 0, count = g_random_int_range(1, 4); i < count; i++) {
		int kind = g_random_int_range(0, 100);

		g_string_append(json, i ? ", " : "");
		if (kind < 45)
			g_string_append_printf(json, "\"%s\"", cidrs[cidr++ % G_N_ELEMENTS(cidrs)]);
		else if (kind < 80 || i > 1)
			g_string_append_printf(json, "\"%s%s\"",
					       may_name_blue && group % 3 == 0 ? "blue:" : "",
					       groups[group % G_N_ELEMENTS(groups)]);
		else if (kind < 95)
			g_string_append_printf(json, "\"%s\"", lists[list++ % G_N_ELEMENTS(lists)]);
		else
			g_string_append(json, i ? "\"198.51.100.0/24\"" : "\"any\"");
		group += kind >= 45;
	}
}

/* open: one rule more that allows much, so that flows live. */
static void add_rules(GString *json, const char *direction, const char *peers, bool may_name_blue,
		      bool open)
{
	static const char *const wide[] = {"tcp", "udp", "sctp", "icmp", "icmpv6", "all", "tcp"};

	g_string_append_printf(json, "\"%s\": [", direction);
	for (int i = 0, count = g_random_int_range(0, 5); i < count; i++) {
		g_string_append_printf(json, "%s{\"id\": \"r%d\", %s, \"%s\": [", i ? ", " : "", i,
				       RANDOM_PICK(matches), peers);
		add_peers(json, may_name_blue);
		g_string_append(json, "]}");
	}
	if (open)
		g_string_append_printf(
			json, "%s{\"id\": \"open\", \"protocol\": \"%s\", \"%s\": [\"any\"]}",
			json->str[json->len - 1] == '[' ? "" : ", ", RANDOM_PICK(wide), peers);
	g_string_append(json, "]");
}

static void add_objects(GString *json, bool may_name_blue, bool stateful)
{
	g_string_append(json, "\"groups\": {");
	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
		g_string_append_printf(json, "%s\"%s\": {", i ? ", " : "", groups[i]);
		add_rules(json, "ingress", "from", may_name_blue, stateful && random_chance(40));
		g_string_append(json, ", ");
		add_rules(json, "egress", "to", may_name_blue, stateful && random_chance(40));
		g_string_append(json, "}");
	}
	g_string_append(json, "}, \"prefix_lists\": {");
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		guint at = g_random_int();

		g_string_append_printf(json, "%s\"%s\": {\"entries\": [\"%s\", \"%s\"]}",
				       i ? ", " : "", lists[i], cidrs[at % G_N_ELEMENTS(cidrs)],
				       cidrs[(at + 1) % G_N_ELEMENTS(cidrs)]);
	}
	g_string_append(json, "}, \"interfaces\": {");
}

/* device is NULL for what is only a member. */
static void add_interface(GString *json, const char *id, const char *device, unsigned int mac,
			  const char *addresses, bool stateful)
{
	static const char *const allowed[] = {"", "\"10.0.0.0/24\"", "\"::/0\"",
					      "\"fd00::/64\", \"203.0.113.8/29\""};
	guint group = g_random_int();

	g_string_append_printf(json, "%s\"%s\": {", json->str[json->len - 1] == '{' ? "" : ", ",
			       id);
	if (device)
		g_string_append_printf(json, "\"device\": \"%s\", \"spoof_guard\": %s, ", device,
				       random_chance(80) ? "true" : "false");
	if (device && !(stateful && random_chance(12)))
		g_string_append_printf(json, "\"mac\": \"52:54:00:00:00:%02x\", ", mac);
	g_string_append_printf(
		json, "\"allowed_addresses\": [%s], \"addresses\": [%s], \"groups\": [\"%s\"",
		RANDOM_PICK(allowed), addresses, groups[group % G_N_ELEMENTS(groups)]);
	for (guint i = 1, count = (guint)g_random_int_range(1, 4); i < count; i++)
		g_string_append_printf(json, ", \"%s\"",
				       groups[(group + i) % G_N_ELEMENTS(groups)]);
	g_string_append(json, "]");
	if (stateful && device && random_chance(30))
		g_string_append(json, ", \"vlans\": [7, 100]");
	if (stateful && device && random_chance(30))
		g_string_append_printf(json, ", \"conntrack\": {\"max_flows\": %d}",
				       g_random_int_range(1, 6));
	g_string_append(json, "}");
}

char *random_policy(bool stateful)
{
	GString *json =
		g_string_new("{\"version\": 1, \"networks\": {\"default\": {\"peers\": [\"blue\"]");

	if (random_chance(80))
		g_string_append_printf(
			json,
			", \"exempt\": [{\"address\": \"%s\", \"protocol\": \"tcp\", \"ports\": [80]}, "
			"{\"address\": \"%s\", \"protocol\": \"udp\"}]",
			RANDOM_PICK(v4), RANDOM_PICK(v6));
	g_string_append(json, "}}, ");
	add_objects(json, true, stateful);
	add_interface(json, "vm1", "dtap1", 1, "\"10.0.0.1\", \"fd00::1\"", stateful);
	add_interface(json, "vm2", "dtap2", 2, "\"10.0.0.2\", \"fd00::2\"", stateful);
	add_interface(json, "far", NULL, 0, "\"10.0.1.1\", \"fd00::3\", \"192.0.2.1\"", stateful);
	g_string_append(json, "}}\n---\n{\"version\": 1, \"network\": \"blue\", ");
	add_objects(json, false, stateful);
	add_interface(json, "blue1", "dtap3", 1, "\"10.0.0.1\", \"fd00::1\"", stateful);
	add_interface(json, "blue2", NULL, 0, "\"10.0.0.2\", \"2001:db8::1\", \"10.1.0.1\"",
		      stateful);
	g_string_append(json, "}}");
	return g_string_free(json, FALSE);
}

/* ---------------------------------------------------------------- changes */

static json_t *random_member(json_t *object)
{
	size_t size = json_object_size(object), at;
	void *iter = json_object_iter(object);

	for (at = size ? (size_t)g_random_int_range(0, (gint32)size) : 0; at > 0; at--)
		iter = json_object_iter_next(object, iter);
	return json_object_iter_value(iter);
}

static void change_rules(json_t *document)
{
	json_t *group = random_member(json_object_get(document, "groups")), *rule;
	json_t *rules = json_object_get(group, random_chance(50) ? "ingress" : "egress");
	size_t size = json_array_size(rules), at;

	if (!size)
		return;
	at = random_chance(50) ? size - 1 : (size_t)g_random_int_range(0, (gint32)size);
	rule = json_array_get(rules, at);
	switch (g_random_int_range(0, 3)) {
	case 0:
		json_array_remove(rules, at);
		break;
	case 1: /* to the front: the order of rules decides which one is named */
		json_incref(rule);
		json_array_remove(rules, at);
		json_array_insert_new(rules, 0, rule);
		break;
	default: {
		json_t *peers = json_object_get(rule, "from") ? json_object_get(rule, "from")
							      : json_object_get(rule, "to");

		if (json_array_size(peers) > 1)
			json_array_remove(peers, 0);
		else
			json_array_set_new(peers, 0, json_string("any"));
	}
	}
}

static void change_list(json_t *document)
{
	json_t *list = random_member(json_object_get(document, "prefix_lists"));

	json_object_set_new(list, "entries", json_pack("[s]", RANDOM_PICK(cidrs)));
}

static void change_interface(json_t *document)
{
	json_t *interfaces = json_object_get(document, "interfaces");
	json_t *iface = random_member(interfaces), *list;

	switch (g_random_int_range(0, 4)) {
	case 0:
		list = json_object_get(iface, "groups");
		if (json_array_size(list) > 1)
			json_array_remove(list, 0);
		break;
	case 1: /* an address that nobody else has */
		list = json_object_get(iface, "addresses");
		if (json_array_size(list) > 1)
			json_array_remove(list, json_array_size(list) - 1);
		break;
	case 2:
		json_object_set_new(iface, "spoof_guard", json_boolean(random_chance(50)));
		break;
	default:
		json_object_set_new(iface, "allowed_addresses", json_array());
	}
}

static void change_network(json_t *document)
{
	json_t *network = random_member(json_object_get(document, "networks"));

	if (network)
		json_object_del(network, "exempt");
}

char *random_policy_change(const char *policy)
{
	static void (*const changes[])(json_t *) = {change_rules, change_rules,	    change_rules,
						    change_list,  change_interface, change_network};
	g_auto(GStrv) documents = g_strsplit(policy, "\n---\n", -1);
	unsigned int at = (unsigned int)g_random_int_range(0, (gint32)g_strv_length(documents));
	AUTO_JSON json_t *document = json_loads(documents[at], 0, NULL);
	char *text;

	RANDOM_PICK(changes)(document);
	g_free(documents[at]);
	text = json_dumps(document, 0);
	documents[at] = g_strdup(text);
	free(text);
	return g_strjoinv("\n---\n", documents);
}
