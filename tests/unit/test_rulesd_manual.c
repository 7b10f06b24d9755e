/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rulesd_manual.c - rulesd(8) has every option and exactly the drop reasons that there are. */
#include <ctype.h>
#include <glib.h>
#include <string.h>

#include "bpf/abi.h"
#include "rulesd/options.h"
#include "tests/lib/check.h"

#define PAGE "rulesd/rulesd.8"

static char *page;

static int read_page(void **state)
{
	(void)state;
	if (g_file_get_contents(PAGE, &page, NULL, NULL))
		return 0;
	print_error("cannot read %s: run this from the top of the tree\n", PAGE);
	return -1;
}

static int free_page(void **state)
{
	(void)state;
	g_free(page);
	return 0;
}

/* The items as abi.h gives them: the name, then what it means as a sentence. */
static char *drop_reasons(void)
{
	static const struct {
		const char *name, *doc;
	} reasons[] = {
#define SG_X(id, name, doc) {name, doc},
		SG_DROP_REASONS(SG_X)
#undef SG_X
	};
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
		g_string_append_printf(text, ".It Li %s\n%c%s.\n", reasons[i].name,
				       toupper((unsigned char)*reasons[i].doc), reasons[i].doc + 1);
	return g_string_free(text, FALSE);
}

static void drop_reasons_are_those_of_the_programs(void **state)
{
	g_autofree char *expected = drop_reasons();
	const char *section = strstr(page, "\n.Sh DROP REASONS\n");
	const char *items = section ? strstr(section, ".Bl -tag -width Ds\n") : NULL;
	const char *end = items ? strstr(items, "\n.El\n") : NULL;
	g_autofree char *listed = NULL;

	(void)state;
	assert_non_null(end);
	items = strchr(items, '\n') + 1;
	listed = g_strndup(items, (gsize)(end + 1 - items));
	assert_string_equal(listed, expected);
}

static void every_option_is_described(void **state)
{
	g_auto(GStrv) lines = g_strsplit(options_help, "\n", -1);
	unsigned int options = 0;

	(void)state;
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit_set(*line, " ,", -1);

		for (char **word = words; g_str_has_prefix(*line, "  --") && *word; word++) {
			g_autofree char *item = NULL;

			if (!g_str_has_prefix(*word, "--"))
				continue;
			item = g_strdup_printf("Fl \\-%s", *word + 2);
			if (!strstr(page, item))
				fail_msg("%s does not describe %s", PAGE, *word);
			options++;
		}
	}
	assert_true(options > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drop_reasons_are_those_of_the_programs),
		cmocka_unit_test(every_option_is_described),
	};

	return cmocka_run_group_tests(tests, read_page, free_page);
}
