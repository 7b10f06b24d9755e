/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show_columns.c - the subjects of sgctl show and the columns of each. */
#include <netinet/in.h>

#include "ctl/show.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

/*
 * "echo-request", "destination-unreachable/4", "type 200"; NULL when icmp chooses no type. The API
 * has numbers in rules and names in services.
 */
static char *icmp_text(const json_t *icmp, const char *protocol)
{
	const json_t *type = json_object_get(icmp, "type"), *code = json_object_get(icmp, "code");
	bool v6 = protocol && g_str_has_prefix(protocol, "icmpv6");
	const char *name = json_string_value(type);
	g_autofree char *text = NULL;

	if (json_is_integer(type))
		name = icmp_type_name(v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
				      (int)json_integer_value(type));
	else if (!name)
		return NULL;
	text = name ? g_strdup(name)
		    : g_strdup_printf("type %" JSON_INTEGER_FORMAT, json_integer_value(type));
	if (!code || json_is_null(code))
		return TAKE_PTR(text);

	g_autofree char *code_text = table_cell(NULL, code);

	return g_strdup_printf("%s/%s", text, code_text);
}

/* "443, 8000-8080"; for ICMP the type and code; "all" for every one. */
static char *cell_ports(const json_t *row, const json_t *value)
{
	g_autofree char *icmp = icmp_text(json_object_get(row, "icmp"),
					  json_string_value(json_object_get(row, "protocol")));

	if (json_array_size(value))
		return table_cell(row, value);
	return icmp ? TAKE_PTR(icmp) : g_strdup("all");
}

static char *cell_matches(const json_t *row, const json_t *value)
{
	GString *text = g_string_new(NULL);
	const json_t *match;
	size_t i;

	(void)row;
	json_array_foreach (value, i, match) {
		const char *protocol = json_string_value(json_object_get(match, "protocol"));
		const char *ports = json_string_value(json_object_get(match, "ports"));
		g_autofree char *icmp = icmp_text(json_object_get(match, "icmp"), protocol);
		const char *detail = ports ? ports : icmp;

		g_string_append_printf(text, "%s%s%s%s", i ? ", " : "", protocol ? protocol : "?",
				       detail ? "/" : "", detail ? detail : "");
	}
	return g_string_free(text, FALSE);
}

/* As git does: enough of a digest to tell it from others. */
static char *cell_digest(const json_t *row, const json_t *value)
{
	const char *digest = json_string_value(value);

	return digest ? g_strndup(digest, 12) : table_cell(row, value);
}

static char *cell_kind(const json_t *row, const json_t *value)
{
	(void)value;
	if (json_is_true(json_object_get(row, "external")))
		return g_strdup("external");
	return g_strdup(json_is_true(json_object_get(row, "implied")) ? "implied" : "-");
}

static const struct column groups[] = {
	{"GROUP", "id", NULL, 0},
	{"NETWORK", "network", NULL, COLUMN_AUTO},
	{"KIND", "external", cell_kind, COLUMN_AUTO},
	{"INGRESS", "ingress", NULL, COLUMN_RIGHT},
	{"EGRESS", "egress", NULL, COLUMN_RIGHT},
	{"MEMBERS", "members", NULL, COLUMN_RIGHT},
	{"INTERFACES", "interfaces", NULL, COLUMN_RIGHT},
	{"DESCRIPTION", "description", NULL, COLUMN_LIST | COLUMN_AUTO},
	{0},
};

static const struct column rules[] = {
	{"RULE", "rule", NULL, COLUMN_RULE},
	{"NETWORK", "network", NULL, COLUMN_AUTO},
	{"DIR", "direction", table_cell_direction, 0},
	{"PROTOCOL", "protocol", NULL, 0},
	{"PORTS", "ports", cell_ports, COLUMN_LIST},
	{"PEERS", "peers", NULL, COLUMN_LIST},
	{"PACKETS", "packets", NULL, COLUMN_RIGHT},
	{"BYTES", "bytes", table_cell_bytes, COLUMN_RIGHT},
	{"FLOWS", "flows", NULL, COLUMN_RIGHT},
	{"LIVE", "live", NULL, COLUMN_RIGHT | COLUMN_EXTRA},
	{"GROUP", "group", NULL, COLUMN_EXTRA},
	{"SERVICE", "service", NULL, COLUMN_EXTRA},
	{"DESCRIPTION", "description", NULL, COLUMN_LIST | COLUMN_EXTRA},
	{0},
};

static const struct column interfaces[] = {
	{"ID", "id", NULL, 0},
	{"NETWORK", "network", NULL, COLUMN_AUTO},
	{"DEVICE", "device", NULL, 0},
	{"STATE", "state", NULL, 0},
	{"HOOK", "hook", NULL, 0},
	{"GROUPS", "groups", NULL, COLUMN_LIST},
	{"ADDRESSES", "addresses", NULL, COLUMN_LIST},
	{"HOST", "host", NULL, COLUMN_AUTO},
	{"FLOWS", "flows", NULL, COLUMN_RIGHT},
	{"ERROR", "error", NULL, COLUMN_AUTO | COLUMN_LIST},
	{"ALLOWED", "allowed_addresses", NULL, COLUMN_LIST | COLUMN_EXTRA},
	{"MAC", "mac", NULL, COLUMN_EXTRA},
	{"IFINDEX", "ifindex", NULL, COLUMN_RIGHT | COLUMN_EXTRA},
	{"SOURCE", "source", NULL, COLUMN_EXTRA},
	{"FLOODED", "flooded", NULL, COLUMN_EXTRA},
	{"SPOOF-GUARD", "spoof_guard", NULL, COLUMN_EXTRA},
	{"VLANS", "vlans", NULL, COLUMN_LIST | COLUMN_EXTRA},
	{"MAX-FLOWS", "max_flows", NULL, COLUMN_RIGHT | COLUMN_EXTRA},
	{0},
};

static const struct column prefix_lists[] = {
	{"PREFIX-LIST", "id", NULL, 0},
	{"NETWORK", "network", NULL, COLUMN_AUTO},
	{"KIND", "external", cell_kind, COLUMN_AUTO},
	{"ENTRIES", "entries", NULL, COLUMN_LIST},
	{"DESCRIPTION", "description", NULL, COLUMN_LIST | COLUMN_AUTO},
	{0},
};

static const struct column members[] = {
	{"ADDRESS", "address", NULL, 0},
	{"INTERFACE", "interface", NULL, 0},
	{"GROUP", "group", NULL, 0},
	{"NETWORK", "network", NULL, COLUMN_AUTO},
	{0},
};

static const struct column services[] = {
	{"SERVICE", "name", NULL, 0},
	{"MATCHES", "matches", cell_matches, COLUMN_LIST},
	{"DESCRIPTION", "description", NULL, COLUMN_LIST},
	{0},
};

static const struct column generations[] = {
	{"GENERATION", "generation", NULL, COLUMN_RIGHT},
	{"TIME", "time", NULL, 0},
	{"SHA256", "sha256", cell_digest, 0},
	{"SOURCE", "source", NULL, 0},
	{0},
};

const struct subject show_subjects[] = {
	{"status", "/v1/status", NULL, "the daemon, its policy, and how much there is"},
	{"groups", "/v1/groups", groups, "security groups"},
	{"rules", "/v1/rules", rules, "rules with packet, byte and flow counters"},
	{"interfaces", "/v1/interfaces", interfaces, "interfaces and whether they are filtered"},
	{"prefix-lists", "/v1/prefix-lists", prefix_lists, "prefix lists"},
	{"members", "/v1/members", members, "the addresses that a group stands for"},
	{"services", NULL, services, "service presets (needs no daemon)"},
	{"generations", "/v1/generations", generations, "policies that rollback can return to"},
	{0},
};
