/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_cases.c - runs every case of tests/prog/cases/NAME.cases: single packets and sequences
 * against a policy, with the verdict and the reason of each (see tests/lib/cases.h).
 *
 * CASES=glob runs the cases whose name matches.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/cases.h"
#include "tests/lib/check.h"
#include "tests/lib/proggy.h"

#define CASES_DIR "tests/prog/cases"

struct run {
	const struct case_list *list;
	const struct prog_case *test;
	bool xdp;
};

static void run_case(void **state)
{
	const struct run *run = *state;

	case_run(run->list, run->test, run->xdp);
}

static void add_run(GArray *tests, const struct case_list *list, const struct prog_case *test,
		    bool xdp)
{
	struct run *run = g_new0(struct run, 1);
	g_autofree char *file = g_path_get_basename(list->file);
	struct CMUnitTest added = {.test_func = run_case, .initial_state = run};

	run->list = list;
	run->test = test;
	run->xdp = xdp;
	added.name = g_strdup_printf("%s: %s%s", file, test->name,
				     !test->sends ? ""
				     : xdp	  ? " (xdp)"
						  : " (tc)");
	g_array_append_val(tests, added);
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *case_files(void)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(CASES_DIR, 0, &error);
	const char *name;

	if (!dir) {
		fprintf(stderr, "%s\n", error->message);
		exit(2);
	}
	while ((name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".cases"))
			g_ptr_array_add(files, g_build_filename(CASES_DIR, name, NULL));
	g_ptr_array_sort(files, by_text);
	return files;
}

int main(void)
{
	g_autoptr(GPtrArray) files = case_files();
	g_autoptr(GArray) tests = g_array_new(FALSE, TRUE, sizeof(struct CMUnitTest));
	const char *pattern = getenv("CASES") ? getenv("CASES") : "*";

	for (unsigned int i = 0; i < files->len; i++) {
		const struct case_list *list = cases_read(g_ptr_array_index(files, i));

		for (unsigned int j = 0; j < list->cases->len; j++) {
			const struct prog_case *test = g_ptr_array_index(list->cases, j);

			if (!g_pattern_match_simple(pattern, test->name))
				continue;
			if (test->sends)
				add_run(tests, list, test, true);
			add_run(tests, list, test, false);
		}
	}
	return _cmocka_run_group_tests("cases", (const struct CMUnitTest *)(void *)tests->data,
				       tests->len, proggy_setup, proggy_teardown);
}
