/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify.c - sgctl verify: what rulesd believes against what the kernel holds. */
#include <stdio.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/table.h"
#include "ctl/units.h"
#include "rulesd/cleanup.h"

/* "yes", "no", or why not. */
static char *cell_repaired(const json_t *row, const json_t *value)
{
	const char *error = json_string_value(json_object_get(row, "error"));

	if (json_is_true(value))
		return g_strdup("yes");
	return g_strdup(error ? error : "no");
}

static const struct column columns[] = {
	{"OBJECT", "object", NULL, COLUMN_LIST},
	{"EXPECTED", "expected", NULL, COLUMN_LIST},
	{"FOUND", "found", NULL, COLUMN_LIST},
	{"KIND", "kind", NULL, COLUMN_EXTRA},
	{"REPAIRED", "repaired", cell_repaired, COLUMN_EXTRA | COLUMN_LIST},
	{0},
};

static json_int_t number(const json_t *answer, const char *key)
{
	return json_integer_value(json_object_get(answer, key));
}

/* "interfaces 3, members 1000000": of what there is. */
static char *checked_text(const json_t *answer)
{
	json_t *checked = json_object_get(answer, "checked");
	GString *text = g_string_new(NULL);
	const char *kind;
	json_t *count;

	json_object_foreach (checked, kind, count)
		if (json_integer_value(count))
			g_string_append_printf(text, "%s%s %" JSON_INTEGER_FORMAT,
					       text->len ? ", " : "", kind,
					       json_integer_value(count));
	return g_string_free(text, FALSE);
}

static void print(const struct args *args, const json_t *answer, bool repair)
{
	const char *chosen = args_value(args, "output");
	json_t *differences = json_object_get(answer, "differences");
	json_int_t found = number(answer, "found");
	g_autofree char *checked = checked_text(answer);
	g_autofree char *count = units_count((uint64_t)found, "difference");
	double seconds = json_real_value(json_object_get(answer, "seconds"));

	if (found)
		table_print(columns, differences,
			    chosen   ? chosen
			    : repair ? "+REPAIRED"
				     : NULL,
			    NULL);
	if (found > (json_int_t)json_array_size(differences))
		printf("and %" JSON_INTEGER_FORMAT " more\n",
		       found - (json_int_t)json_array_size(differences));
	if (found && repair)
		printf("%s, %" JSON_INTEGER_FORMAT " repaired: %s in %.1f s\n", count,
		       number(answer, "repaired"), checked, seconds);
	else if (found)
		printf("%s: %s in %.1f s; sgctl verify --repair puts %s right\n", count, checked,
		       seconds, found == 1 ? "it" : "them");
	else
		printf("no difference: %s in %.1f s\n", checked, seconds);
}

enum exit_status command_verify(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	bool repair = args_flag(args, "repair");
	AUTO_JSON json_t *answer = NULL;
	g_autofree char *error = NULL;

	if (table_check(columns, args_value(args, "output"), &error))
		return output_usage_error(args, "%s", error);
	if (client_request(args, repair ? "POST" : "GET", "/v1/verify", NULL, &answer, NULL, diag))
		return output_failure(args, diag);
	if (args_flag(args, "json"))
		output_json(answer);
	else
		print(args, answer, repair);
	/* What was repaired is not different any more. */
	return number(answer, "found") > (repair ? number(answer, "repaired") : 0) ? EXIT_FAILED
										   : EXIT_DONE;
}
