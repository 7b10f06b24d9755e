/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_manual.c - sgctl(1) names every command, every option and every subject of the tables.
 */
#include <glib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/show.h"
#include "tests/lib/check.h"

#define PAGE "ctl/sgctl.1"

static char *read_page(void)
{
	char *text = NULL;

	if (!g_file_get_contents(PAGE, &text, NULL, NULL))
		fail_msg("cannot read %s: run this from the top of the tree", PAGE);
	return text;
}

/* The part of a command: from its .It on the first level to the next one. */
static char *section(const char *page, const char *command)
{
	g_autofree char *start = g_strdup_printf("\n.It Cm %s", command);
	const char *from = strstr(page, start);
	const char *to = NULL;

	/* "\n.It Cm fl" must not find "flows" */
	while (from && from[strlen(start)] != ' ' && from[strlen(start)] != '\n')
		from = strstr(from + 1, start);
	if (!from)
		return NULL;
	to = strstr(from + 1, "\n.It Cm ");
	return to ? g_strndup(from, (size_t)(to - from)) : g_strdup(from);
}

static void assert_has_option(const char *text, const struct option *option, const char *where)
{
	g_autofree char *written = g_strdup_printf("Fl \\-%s", option->name);
	const char *at = strstr(text, written);

	while (at && (g_ascii_isalnum(at[strlen(written)]) || at[strlen(written)] == '-'))
		at = strstr(at + 1, written);
	if (!at && option->letter) {
		g_autofree char *letter = g_strdup_printf("Fl %c", option->letter);

		at = strstr(text, letter);
	}
	if (!at)
		fail_msg("%s does not describe --%s of %s", PAGE, option->name, where);
}

static void every_command_and_option_is_described(void **state)
{
	g_autofree char *page = read_page();

	(void)state;
	for (const struct command *c = commands; c->name; c++) {
		g_autofree char *part = section(page, c->name);

		if (!part)
			fail_msg("%s does not describe %s", PAGE, c->name);
		/* flush refers to the filters of flows */
		if (c->run == command_flush)
			continue;
		for (const struct option *o = c->options; o && o->name; o++)
			assert_has_option(part, o, c->name);
	}
	for (const struct option *o = global_options; o->name; o++)
		assert_has_option(page, o, "sgctl");
}

static void every_subject_of_show_is_described(void **state)
{
	g_autofree char *page = read_page();
	g_autofree char *part = section(page, "show");

	(void)state;
	for (const struct subject *s = show_subjects; s->name; s++) {
		g_autofree char *written = g_strdup_printf(".Cm %s", s->name);

		if (!strstr(part, written))
			fail_msg("%s does not describe show %s", PAGE, s->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_and_option_is_described),
		cmocka_unit_test(every_subject_of_show_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
