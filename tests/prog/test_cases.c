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

struct run {
	const struct case_list *list;
	const struct prog_case *test;
	enum case_mode mode;
};

static void run_case(void **state)
{
	const struct run *run = *state;

	case_run(run->list, run->test, run->mode);
}

static void add_run(GArray *tests, const struct case_list *list, const struct prog_case *test,
		    enum case_mode mode)
{
	struct run *run = g_new0(struct run, 1);
	g_autofree char *file = g_path_get_basename(list->file);
	struct CMUnitTest added = {.test_func = run_case, .initial_state = run};

	run->list = list;
	run->test = test;
	run->mode = mode;
	added.name = g_strdup_printf("%s: %s%s", file, test->name,
				     !test->sends	       ? ""
				     : mode == CASE_TEST_XDP   ? " (xdp)"
				     : mode == CASE_TEST_EARLY ? " (xdp of a flood, and tc)"
							       : " (tc)");
	g_array_append_val(tests, added);
}

int main(void)
{
	g_autoptr(GPtrArray) lists = cases_read_all();
	g_autoptr(GArray) tests = g_array_new(FALSE, TRUE, sizeof(struct CMUnitTest));
	const char *pattern = getenv("CASES") ? getenv("CASES") : "*";

	for (unsigned int i = 0; i < lists->len; i++) {
		const struct case_list *list = g_ptr_array_index(lists, i);

		for (unsigned int j = 0; j < list->cases->len; j++) {
			const struct prog_case *test = g_ptr_array_index(list->cases, j);

			if (!g_pattern_match_simple(pattern, test->name))
				continue;
			if (test->sends) {
				add_run(tests, list, test, CASE_TEST_XDP);
				add_run(tests, list, test, CASE_TEST_EARLY);
			}
			add_run(tests, list, test, CASE_TEST_TC);
		}
	}
	return _cmocka_run_group_tests("cases", (const struct CMUnitTest *)(void *)tests->data,
				       tests->len, proggy_setup, proggy_teardown);
}
