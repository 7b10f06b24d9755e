/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows.c - sgctl flows: the flow table, each flow with the rule that allowed it. */
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/filters.h"
#include "ctl/known.h"
#include "ctl/output.h"
#include "ctl/table.h"
#include "rulesd/cleanup.h"

static void append_end(GString *text, const json_t *row, const char *address_key,
		       const char *port_key)
{
	const char *address = json_string_value(json_object_get(row, address_key));
	const json_t *port = json_object_get(row, port_key);
	const char *protocol = json_string_value(json_object_get(row, "protocol"));
	bool ports = protocol && (!strcmp(protocol, "tcp") || !strcmp(protocol, "udp") ||
				  !strcmp(protocol, "sctp"));

	if (!address)
		address = "?";
	if (!json_is_integer(port) || !ports)
		g_string_append(text, address);
	else
		g_string_append_printf(text, strchr(address, ':') ? "[%s]:%d" : "%s:%d", address,
				       (int)json_integer_value(port));
}

/* "10.0.0.9:51234 > 10.0.0.5:443", as the opener sent it. */
static char *cell_flow(const json_t *row, const json_t *value)
{
	GString *text = g_string_new(NULL);

	(void)value;
	append_end(text, row, "src", "sport");
	g_string_append(text, " > ");
	append_end(text, row, "dst", "dport");
	return g_string_free(text, FALSE);
}

static const struct column columns[] = {
	{"IFACE", "interface", NULL, 0},
	{"DIR", "direction", table_cell_direction, 0},
	{"PROTO", "protocol", NULL, 0},
	{"FLOW", "src", cell_flow, COLUMN_LIST},
	{"SRC", "src", NULL, COLUMN_EXTRA},
	{"SPORT", "sport", NULL, COLUMN_RIGHT | COLUMN_EXTRA},
	{"DST", "dst", NULL, COLUMN_EXTRA},
	{"DPORT", "dport", NULL, COLUMN_RIGHT | COLUMN_EXTRA},
	{"STATE", "state", NULL, 0},
	{"AGE", "age", table_cell_age, COLUMN_RIGHT},
	{"EXPIRES", "expires", table_cell_age, COLUMN_RIGHT | COLUMN_EXTRA},
	{"PACKETS", "packets", NULL, COLUMN_RIGHT | COLUMN_EXTRA},
	{"BYTES", "bytes", table_cell_bytes, COLUMN_RIGHT},
	{"RULE", "rule", NULL, COLUMN_RULE},
	{0},
};

static json_t *matching(const json_t *flows, int port)
{
	json_t *selected = json_array();
	json_t *flow;
	size_t i;

	json_array_foreach (flows, i, flow)
		if (filters_port_matches(flow, port))
			json_array_append(selected, flow);
	return selected;
}

enum exit_status command_flows(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const char *moved = args_operand(args, 0), *interface = args_value(args, "interface");
	g_autoptr(GString) path = g_string_new("/v1/flows");
	AUTO_JSON json_t *flows = NULL;
	AUTO_JSON json_t *selected = NULL;
	g_autofree char *error = NULL;
	int port, result;

	if (moved && (!strcmp(moved, "export") || !strcmp(moved, "import")))
		return output_failure_text(args, "not-supported", "flows %s is not supported yet",
					   moved);
	if (moved)
		return output_usage_error(args, "flows does not take \"%s\"", moved);
	if (filters_query(args, path, &port, &error) ||
	    table_check(columns, args_value(args, "output"), &error))
		return output_usage_error(args, "%s", error);
	result = client_request(args, "GET", path->str, NULL, &flows, NULL, diag);
	if (result == -ENOENT && interface)
		known_suggest(args, "/v1/interfaces", "id", interface, diag);
	if (result)
		return output_failure(args, diag);
	selected = matching(flows, port);
	if (args_flag(args, "json"))
		output_json(selected);
	else
		table_print(columns, selected, args_value(args, "output"), &error);
	return EXIT_DONE;
}
