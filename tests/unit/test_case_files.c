/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_case_files.c - holds the case files of tests/prog/cases to what they promise: enough of
 * them, every name once, none that repeats another with other ports or addresses, and a passing
 * twin for every frame that drops.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "rulesd/names.h"
#include "tests/lib/case_twin.h"
#include "tests/lib/cases.h"
#include "tests/lib/check.h"

#define CASES_AT_LEAST 300

static unsigned int count_cases(const GPtrArray *lists)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < lists->len; i++)
		count += ((const struct case_list *)g_ptr_array_index(lists, i))->cases->len;
	return count;
}

static void there_are_enough_cases(void **state)
{
	unsigned int count = count_cases(*state);

	if (count < CASES_AT_LEAST)
		fail_msg("%u cases, not %d", count, CASES_AT_LEAST);
	print_message("%u cases\n", count);
}

/* What a case is compared by; the caller frees it. */
typedef char *identity_fn(const struct case_list *list, const struct prog_case *test);

static char *by_name(const struct case_list *list, const struct prog_case *test)
{
	(void)list;
	return g_strdup(test->name);
}

static void assert_different(const GPtrArray *lists, identity_fn *identity, const char *same)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	unsigned int repeated = 0;

	for (unsigned int i = 0; i < lists->len; i++) {
		const struct case_list *list = g_ptr_array_index(lists, i);

		for (unsigned int j = 0; j < list->cases->len; j++) {
			struct prog_case *test = g_ptr_array_index(list->cases, j);
			char *text = identity(list, test);
			const struct prog_case *other = g_hash_table_lookup(seen, text);

			if (other) {
				print_error("\"%s\" (%s) and \"%s\" (%s) %s\n", other->name,
					    other->file, test->name, test->file, same);
				repeated++;
				g_free(text);
			} else {
				g_hash_table_insert(seen, text, test);
			}
		}
	}
	assert_int_equal(repeated, 0);
}

static void every_name_is_given_once(void **state)
{
	assert_different(*state, by_name, "have the same name");
}

static void no_two_cases_differ_only_in_ports_or_addresses(void **state)
{
	assert_different(*state, case_canonical, "are the same but for ports and addresses");
}

/* ------------------------------------------------------------------ twins */

/* A frame of a file, and under what it was judged. */
struct judged {
	unsigned int line;
	bool sends, drops;
	const char *policy, *interface; /* borrowed */
	struct case_packet packet;
};

static void free_judged(gpointer data)
{
	struct judged *judged = data;

	case_packet_clear(&judged->packet);
	g_free(judged);
}

static struct judged *judge(const struct case_line *line, const char *policy, const char *interface)
{
	struct judged *judged = g_new0(struct judged, 1);
	uint32_t reason = 0;

	judged->line = line->number;
	judged->sends = g_str_has_prefix(line->text, "out ");
	judged->policy = policy;
	judged->interface = interface;
	if (!case_packet_read(strchr(line->text, ' ') + 1, &judged->packet) ||
	    reason_parse(judged->packet.reason, &reason) < 0)
		fail_msg("line %u: %s", line->number, line->text);
	judged->drops = sg_reason_is_drop(reason);
	return judged;
}

static void judge_lines(const struct prog_case *test, GPtrArray *out)
{
	const char *interface = "vm", *policy = "";

	for (unsigned int i = 0; i < test->lines->len; i++) {
		const struct case_line *line = g_ptr_array_index(test->lines, i);

		if (g_str_has_prefix(line->text, "with "))
			policy = line->text + 5;
		else if (g_str_has_prefix(line->text, "change "))
			policy = line->text + 7;
		else if (g_str_has_prefix(line->text, "on "))
			interface = line->text + 3;
		else if (g_str_has_prefix(line->text, "in ") ||
			 g_str_has_prefix(line->text, "out "))
			g_ptr_array_add(out, judge(line, policy, interface));
	}
}

/*
 * The same frame at another time, in the other direction or under another policy; or one that
 * differs in one field.
 */
static bool is_twin(const struct judged *drops, const struct judged *passes)
{
	unsigned int fields;

	if (passes->drops)
		return false;
	fields = case_frames_differ(drops->packet.frame, passes->packet.frame);
	return fields == 0 || (fields == 1 && passes->sends == drops->sends &&
			       strcmp(drops->policy, passes->policy) == 0 &&
			       strcmp(drops->interface, passes->interface) == 0);
}

static bool has_twin(const GPtrArray *all, const struct judged *drops)
{
	for (unsigned int i = 0; i < all->len; i++)
		if (is_twin(drops, g_ptr_array_index(all, i)))
			return true;
	return false;
}

static void every_frame_that_drops_has_a_twin_that_passes(void **state)
{
	const GPtrArray *lists = *state;
	unsigned int alone = 0;

	for (unsigned int i = 0; i < lists->len; i++) {
		const struct case_list *list = g_ptr_array_index(lists, i);
		g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(free_judged);

		for (unsigned int j = 0; j < list->cases->len; j++)
			judge_lines(g_ptr_array_index(list->cases, j), all);
		for (unsigned int j = 0; j < all->len; j++) {
			const struct judged *judged = g_ptr_array_index(all, j);

			if (!judged->drops || has_twin(all, judged))
				continue;
			print_error("%s:%u: nothing that differs in one field passes: %s %s\n",
				    list->file, judged->line, judged->sends ? "out" : "in",
				    judged->packet.frame);
			alone++;
		}
	}
	assert_int_equal(alone, 0);
}

static void fields_are_counted(void **state)
{
	(void)state;
	assert_int_equal(case_frames_differ("tcp 10.0.0.9:1 > 10.0.0.5:2 S seq=1",
					    "tcp 10.0.0.9:1 > 10.0.0.5:2 S seq=1"),
			 0);
	assert_int_equal(case_frames_differ("tcp 10.0.0.9:1 > 10.0.0.5:2 S seq=1",
					    "tcp 10.0.0.9:1 > 10.0.0.5:3 A seq=1 ack=4"),
			 2);
	assert_int_equal(
		case_frames_differ("icmp 10.0.0.9 > 10.0.0.5 { udp 10.0.0.5:1 > 10.0.0.9:2 }",
				   "icmp 10.0.0.9 > 10.0.0.5 { udp 10.0.0.5:1 > 10.0.0.9:3 df }"),
		2);
	assert_int_equal(case_frames_differ("udp [fd00::1]:1 > [fd00::2]:2 vlan=1",
					    "udp [fd00::1]:1 > [fd00::3]:2 vlan=1 vlan=1"),
			 2);
}

static int read_files(void **state)
{
	*state = cases_read_all();
	return 0;
}

static int forget_files(void **state)
{
	g_ptr_array_unref(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_counted),
		cmocka_unit_test(there_are_enough_cases),
		cmocka_unit_test(every_name_is_given_once),
		cmocka_unit_test(no_two_cases_differ_only_in_ports_or_addresses),
		cmocka_unit_test(every_frame_that_drops_has_a_twin_that_passes),
	};

	return cmocka_run_group_tests(tests, read_files, forget_files);
}
