/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats.c - sgctl stats: what each interface let through and dropped, and why. */
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/known.h"
#include "ctl/output.h"
#include "ctl/table.h"
#include "ctl/units.h"
#include "rulesd/cleanup.h"

static json_int_t counter(const json_t *row, const char *outcome, const char *direction,
			  const char *unit)
{
	return json_integer_value(
		json_object_get(json_object_get(json_object_get(row, outcome), direction), unit));
}

/* "120 (14K)" */
static char *traffic(const json_t *row, const char *outcome, const char *direction)
{
	g_autofree char *bytes = units_bytes((uint64_t)counter(row, outcome, direction, "bytes"));

	return g_strdup_printf("%" JSON_INTEGER_FORMAT " (%s)",
			       counter(row, outcome, direction, "packets"), bytes);
}

static char *cell_in(const json_t *row, const json_t *value)
{
	(void)value;
	return traffic(row, "allowed", "ingress");
}

static char *cell_out(const json_t *row, const json_t *value)
{
	(void)value;
	return traffic(row, "allowed", "egress");
}

static char *cell_in_dropped(const json_t *row, const json_t *value)
{
	(void)value;
	return g_strdup_printf("%" JSON_INTEGER_FORMAT,
			       counter(row, "dropped", "ingress", "packets"));
}

static char *cell_out_dropped(const json_t *row, const json_t *value)
{
	(void)value;
	return g_strdup_printf("%" JSON_INTEGER_FORMAT,
			       counter(row, "dropped", "egress", "packets"));
}

static char *cell_flows(const json_t *row, const json_t *value)
{
	return g_strdup_printf("%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
			       json_integer_value(value),
			       json_integer_value(json_object_get(row, "max_flows")));
}

/* {"no_rule": 3, "vlan": 1} -> "no_rule=3, vlan=1" */
static char *cell_reasons(const json_t *row, const json_t *value)
{
	GString *text = g_string_new(NULL);
	const char *reason;
	const json_t *count;

	(void)row;
	for (void *i = json_object_iter((json_t *)(uintptr_t)value); i;
	     i = json_object_iter_next((json_t *)(uintptr_t)value, i)) {
		reason = json_object_iter_key(i);
		count = json_object_iter_value(i);
		g_string_append_printf(text, "%s%s=%" JSON_INTEGER_FORMAT, text->len ? ", " : "",
				       reason, json_integer_value(count));
	}
	if (!text->len)
		g_string_append_c(text, '-');
	return g_string_free(text, FALSE);
}

static const struct column columns[] = {
	{"INTERFACE", "interface", NULL, 0},
	{"NETWORK", "network", NULL, COLUMN_AUTO},
	{"IN", "allowed", cell_in, COLUMN_RIGHT},
	{"OUT", "allowed", cell_out, COLUMN_RIGHT},
	{"IN-DROPPED", "dropped", cell_in_dropped, COLUMN_RIGHT},
	{"OUT-DROPPED", "dropped", cell_out_dropped, COLUMN_RIGHT},
	{"FLOWS", "flows", cell_flows, COLUMN_RIGHT | COLUMN_EXTRA},
	{"EXCEEDED", "allowance_exceeded", NULL, COLUMN_RIGHT | COLUMN_EXTRA},
	{"DROPS", "drops", cell_reasons, COLUMN_LIST},
	{"ALLOWS", "allows", cell_reasons, COLUMN_LIST | COLUMN_EXTRA},
	{0},
};

enum exit_status command_stats(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const char *interface = args_value(args, "interface");
	g_autoptr(GString) path = g_string_new("/v1/stats");
	AUTO_JSON json_t *stats = NULL;
	g_autofree char *error = NULL;
	int result;

	if (table_check(columns, args_value(args, "output"), &error))
		return output_usage_error(args, "%s", error);
	client_add_query(path, "interface", interface);
	result = client_request(args, "GET", path->str, NULL, &stats, NULL, diag);
	if (result == -ENOENT && interface)
		known_suggest(args, "/v1/interfaces", "id", interface, diag);
	if (result)
		return output_failure(args, diag);
	if (args_flag(args, "json"))
		output_json(stats);
	else
		table_print(columns, stats, args_value(args, "output"), &error);
	return EXIT_DONE;
}
