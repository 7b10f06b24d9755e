/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace_print.c - see trace_print.h. */
#include "ctl/trace_print.h"

#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "rulesd/names.h"

static void print_nearest(const json_t *nearest)
{
	const json_t *differs = json_object_get(nearest, "differs"), *one;
	const char *rule = json_string_value(json_object_get(nearest, "rule"));
	size_t i;

	if (!rule)
		return;
	output_text(": nearest is %s", rule);
	json_array_foreach (differs, i, one)
		output_text("%s%s", i ? " and " : ", which differs in ", json_string_value(one));
}

static void print_verdict(const json_t *trace)
{
	const char *verdict = json_string_value(json_object_get(trace, "verdict"));
	const char *reason = json_string_value(json_object_get(trace, "reason"));
	const char *rule = json_string_value(json_object_get(trace, "rule"));
	const json_t *nearest = json_object_get(trace, "nearest");
	bool allow = verdict && !strcmp(verdict, "allow");
	uint32_t number;

	if (output_colors())
		printf("\033[1;%dm%s\033[0m", allow ? 32 : 31, allow ? "ALLOW" : "DENY");
	else
		fputs(allow ? "ALLOW" : "DENY", stdout);
	if (allow && rule)
		output_text(" by %s", rule);
	else
		output_text(" %s", reason ? reason : "?");
	if (!allow && json_is_object(nearest))
		print_nearest(nearest);
	else if (!rule && reason && !reason_parse(reason, &number))
		output_text(": %s", reason_description(number));
	putchar('\n');
}

void trace_print(const json_t *trace)
{
	const json_t *steps = json_object_get(trace, "steps"), *step;
	size_t i;

	print_verdict(trace);
	json_array_foreach (steps, i, step)
		output_text("  %s\n", json_string_value(step) ? json_string_value(step) : "?");
}
