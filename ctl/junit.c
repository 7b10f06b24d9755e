/* SPDX-License-Identifier: GPL-2.0-or-later */
/* junit.c - see junit.h. */
#include "ctl/junit.h"

#include <glib.h>
#include <stdio.h>

#include "ctl/output.h"

/* XML 1.0 has no way to write most control characters: they are escaped as in tables first. */
static char *escaped(const char *text)
{
	g_autofree char *printable = output_escape(text);

	return g_markup_escape_text(printable, -1);
}

static void print_case(const json_t *result)
{
	const char *problem = json_string_value(json_object_get(result, "problem"));
	const json_t *trace = json_object_get(result, "trace"), *step;
	const char *interface = json_string_value(json_object_get(trace, "interface"));
	g_autofree char *name = escaped(json_string_value(json_object_get(result, "name")));
	g_autofree char *class = escaped(interface ? interface : "policy");
	size_t i;

	printf("  <testcase classname=\"%s\" name=\"%s\"", class, name);
	if (!problem) {
		printf("/>\n");
		return;
	}
	g_autofree char *message = escaped(problem);

	printf(">\n    <failure message=\"%s\">", message);
	json_array_foreach (json_object_get(trace, "steps"), i, step) {
		g_autofree char *line = escaped(json_string_value(step));

		printf("%s\n", line);
	}
	printf("</failure>\n  </testcase>\n");
}

void junit_print(const json_t *results)
{
	const json_t *result;
	size_t failures = 0, i;

	json_array_foreach (results, i, result)
		failures += !json_is_true(json_object_get(result, "passed"));
	printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	       "<testsuites>\n<testsuite name=\"sgctl test\" tests=\"%zu\" failures=\"%zu\">\n",
	       json_array_size(results), failures);
	json_array_foreach (results, i, result)
		print_case(result);
	printf("</testsuite>\n</testsuites>\n");
}
