/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_print.c - see import_print.h. */
#include "ctl/import_print.h"

#include <stdio.h>

#include "ctl/args.h"
#include "ctl/table.h"
#include "rulesd/cleanup.h"

/* "FILE#/pointer", as URIs name a place inside a document. */
static char *where(const json_t *row, const json_t *value)
{
	const char *file = json_string_value(value);
	const char *pointer = json_string_value(json_object_get(row, "pointer"));

	if (!file)
		return g_strdup("-");
	return g_strdup_printf("%s%s%s", file, pointer && *pointer ? "#" : "",
			       pointer ? pointer : "");
}

static const struct column columns[] = {
	{"EFFECT", "effect", NULL, 0},
	{"OBJECT", "object", NULL, 0},
	{"WHAT", "message", NULL, COLUMN_LIST},
	{"WHERE", "file", where, COLUMN_RULE},
	{0},
};

static void print(const struct args *args, const struct import_report *report)
{
	AUTO_JSON json_t *document = NULL;

	if (!args_flag(args, "json")) {
		if (json_array_size(report->findings))
			table_print_to(stderr, columns, report->findings);
		if (report->left_out)
			fprintf(stderr, "sgctl: %u more are not shown\n", report->left_out);
		return;
	}
	document = json_pack("{s:O, s:i}", "report", report->findings, "left_out",
			     (int)report->left_out);
	json_dumpf(document, stderr, JSON_INDENT(2));
	fputc('\n', stderr);
}

enum exit_status import_print(const struct args *args, const struct import_report *report)
{
	fflush(stdout); /* the document first, where both are the terminal */
	print(args, report);
	return args_flag(args, "strict") && import_report_count(report) ? EXIT_FAILED : EXIT_DONE;
}
