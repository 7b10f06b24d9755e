/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_report.c - findings as a table, as lines, as JSON; the checks themselves. See lint_report.h.
 */
#include "ctl/lint_report.h"

#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/table.h"
#include "rulesd/cleanup.h"

#define WIDTH 80

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *number_or_null(unsigned int number)
{
	return number ? json_integer((json_int_t)number) : json_null();
}

static void set(json_t *json, const char *key, json_t *value)
{
	json_object_set_new_nocheck(json, key, value);
}

/* whole: with what a table shows only when asked. */
static json_t *finding_to_json(const struct lint_finding *finding, bool whole)
{
	const struct lint_check *check = finding->check;
	json_t *json = json_object();

	set(json, "code", json_string_nocheck(check->code));
	if (whole)
		set(json, "name", json_string_nocheck(check->name));
	set(json, "severity", json_string_nocheck(lint_severity_name(check->severity)));
	set(json, "subject", json_string(finding->subject));
	if (whole)
		set(json, "rule", text_or_null(finding->rule));
	set(json, "network", text_or_null(*finding->network ? finding->network : NULL));
	set(json, "file", text_or_null(finding->place.file));
	set(json, "line", number_or_null(finding->place.line));
	set(json, "column", number_or_null(finding->place.column));
	if (whole)
		set(json, "pointer", text_or_null(finding->pointer));
	set(json, "message", json_string(finding->message));
	if (whole) {
		set(json, "fix", text_or_null(finding->fix));
		set(json, "fingerprint", json_string(finding->fingerprint));
	}
	return json;
}

static json_t *rows_of(const struct lint_findings *findings, bool whole)
{
	json_t *list = json_array();

	for (guint i = 0; i < findings->all->len; i++)
		json_array_append_new(list,
				      finding_to_json(g_ptr_array_index(findings->all, i), whole));
	return list;
}

json_t *lint_findings_to_json(const struct lint_findings *findings)
{
	return rows_of(findings, true);
}

/* ------------------------------------------------------------------ table */

static char *cell_place(const json_t *row, const json_t *value)
{
	const json_t *line = json_object_get(row, "line"), *column = json_object_get(row, "column");

	if (!json_is_string(value))
		return g_strdup("-");
	if (!json_is_integer(line))
		return g_strdup(json_string_value(value));
	return g_strdup_printf("%s:%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT,
			       json_string_value(value), json_integer_value(line),
			       json_integer_value(column));
}

/* "default" stands for itself: a column shows up when there is another one. */
static const struct column columns[] = {
	{"SEVERITY", "severity", NULL, 0},
	{"CODE", "code", NULL, 0},
	{"SUBJECT", "subject", NULL, COLUMN_RULE},
	{"NETWORK", "network", NULL, COLUMN_AUTO},
	{"PLACE", "file", cell_place, 0},
	{"MESSAGE", "message", NULL, COLUMN_LIST},
	{"FIX", "fix", NULL, COLUMN_LIST | COLUMN_EXTRA},
	{"NAME", "name", NULL, COLUMN_EXTRA},
	{"RULE", "rule", NULL, COLUMN_RULE | COLUMN_EXTRA},
	{"POINTER", "pointer", NULL, COLUMN_EXTRA},
	{"FINGERPRINT", "fingerprint", NULL, COLUMN_EXTRA},
	{0},
};

int lint_print_table(const struct lint_findings *findings, const char *chosen, char **error)
{
	AUTO_JSON json_t *rows = rows_of(findings, chosen && *chosen);

	return table_print(columns, rows, chosen, error);
}

int lint_check_columns(const char *chosen, char **error)
{
	return table_check(columns, chosen, error);
}

/* ------------------------------------------------------------------ lines */

void lint_print_lines(const struct lint_findings *findings)
{
	static const char *const words[] = {
		[LINT_INFO] = "note", [LINT_WARNING] = "warning", [LINT_ERROR] = "error"};

	for (guint i = 0; i < findings->all->len; i++) {
		const struct lint_finding *finding = g_ptr_array_index(findings->all, i);
		const struct place *place = &finding->place;

		if (place->file)
			output_text("%s:%u:%u: ", place->file, place->line, place->column);
		output_text("%s: %s: %s%s%s [%s]\n", words[finding->check->severity],
			    finding->subject, finding->message, finding->fix ? "; " : "",
			    finding->fix ? finding->fix : "", finding->check->code);
	}
}

/* ------------------------------------------------------------------ checks */

void lint_print_checks(void)
{
	printf("\nChecks:\n");
	for (int i = 0; i < LINT_CODES; i++) {
		const struct lint_check *check = &lint_checks[i];

		printf("  %s  %-8s %s\n", check->code, lint_severity_name(check->severity),
		       check->title);
	}
}

static void print_wrapped(const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	size_t at = 0;

	for (char **word = words; *word; word++) {
		size_t length = strlen(*word);

		if (at && at + 1 + length > WIDTH) {
			putchar('\n');
			at = 0;
		}
		at += (size_t)printf("%s%s", at ? " " : "", *word);
	}
	putchar('\n');
}

void lint_print_check(const struct lint_check *check)
{
	printf("%s %s (%s)\n\n%c%s.\n\n", check->code, check->name,
	       lint_severity_name(check->severity), g_ascii_toupper(*check->title),
	       check->title + 1);
	print_wrapped(check->text);
}
