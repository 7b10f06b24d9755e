/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_cases_taps.c - the cases of tests/prog/cases once more, on real taps: what the VM sends is
 * written to the tap, what it is sent is transmitted on the tap's device; verdicts are what comes
 * out, reasons are the counters that moved. First on plain taps, where XDP filters, then on taps
 * with a virtio header, where tc does and segments with data travel as GSO frames.
 *
 * CASES=glob runs the cases whose name matches.
 */
#include <glib.h>
#include <stdlib.h>

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

static void add_runs(GArray *tests, const struct case_list *list, enum case_mode mode)
{
	const char *pattern = getenv("CASES") ? getenv("CASES") : "*";
	g_autofree char *file = g_path_get_basename(list->file);

	for (unsigned int i = 0; i < list->cases->len; i++) {
		const struct prog_case *test = g_ptr_array_index(list->cases, i);
		struct CMUnitTest added = {.test_func = run_case};
		struct run *run;

		if (!g_pattern_match_simple(pattern, test->name))
			continue;
		run = g_new0(struct run, 1);
		*run = (struct run){.list = list, .test = test, .mode = mode};
		added.initial_state = run;
		added.name = g_strdup_printf("%s: %s (%s)", file, test->name,
					     mode == CASE_TAPS ? "plain tap" : "offloads");
		g_array_append_val(tests, added);
	}
}

int main(void)
{
	static const enum case_mode modes[] = {CASE_TAPS, CASE_VNET_TAPS};
	g_autoptr(GPtrArray) lists = cases_read_all();
	g_autoptr(GArray) tests = g_array_new(FALSE, TRUE, sizeof(struct CMUnitTest));

	for (unsigned int i = 0; i < G_N_ELEMENTS(modes); i++)
		for (unsigned int j = 0; j < lists->len; j++)
			add_runs(tests, g_ptr_array_index(lists, j), modes[i]);
	return _cmocka_run_group_tests("cases on taps",
				       (const struct CMUnitTest *)(void *)tests->data, tests->len,
				       proggy_setup, proggy_teardown);
}
