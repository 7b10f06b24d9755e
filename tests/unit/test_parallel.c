/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_parallel.c - large documents read by several threads: what one thread makes of them, to the
 * byte, whatever is wrong with them.
 *
 * One thread is what the same code does when the process may use one CPU.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/json_internal.h"
#include "rulesd/load.h"
#include "rulesd/parallel.h"
#include "tests/lib/check.h"
#include "tests/lib/policy.h"

#define INTERFACES 40000u /* 3 MB: enough for pieces, parts and threads of every kind */
#define GROUPS	   400u
#ifdef __SANITIZE_ADDRESS__ /* each takes a second there */
#define MUTATIONS 12u
#else
#define MUTATIONS 40u
#endif

static cpu_set_t all_cpus;

static int find_cpus(void **state)
{
	(void)state;
	return sched_getaffinity(0, sizeof(all_cpus), &all_cpus);
}

static void use_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &all_cpus))
			CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(parallel_threads(), 1);
}

static void use_all_cpus(void)
{
	assert_int_equal(sched_setaffinity(0, sizeof(all_cpus), &all_cpus), 0);
}

/* ------------------------------------------------------------------ documents */

/* Lines, objects in objects, arrays of objects, text that looks like the end of something. */
static void add_group(GString *text, unsigned int i, const char *space)
{
	g_string_append_printf(
		text,
		"%s\"sg-%u\": {%s\"description\": \"}, \\\"sg-9\\\": {}},\", \"labels\": {\"a\": "
		"\"b\"},%s\"ingress\": [",
		i ? "," : "", i, space, space);
	for (unsigned int r = 0; r < 5; r++)
		g_string_append_printf(
			text,
			"%s{\"protocol\": \"tcp\", \"ports\": [%u], \"from\": "
			"[{\"group\": \"sg-%u\", \"id\": \"p%u\"}, \"10.%u.0.0/16\"]}",
			r ? ", " : "", r + 1, (i + r) % GROUPS, r, r);
	g_string_append_printf(text, "],%s\"x-note\": {\"a\": {}, \"b\": [{\"c\": {}}]}}%s", space,
			       space);
}

static void add_interface(GString *text, unsigned int i, const char *space)
{
	g_string_append_printf(text, "%s%s\"m%u\": {\"addresses\": [\"10.%u.%u.%u\"", i ? "," : "",
			       space, i, 100 + (i >> 16), i >> 8 & 255, i & 255);
	if (i % 7 == 0)
		g_string_append_printf(text, ",\"fd00::%x\"", i + 1);
	g_string_append_printf(text, "]%s, \"groups\": [\"sg-%u\"%s]", space, i % GROUPS,
			       i % 3 || i % GROUPS == 1 ? "" : ", \"sg-1\"");
	if (i % 1000 == 5)
		g_string_append_printf(text,
				       ", \"device\": \"tap%u\", \"conntrack\": {\"udp\": 30}, "
				       "\"description\": \"\xc3\xa4\xe2\x82\xac\"",
				       i);
	g_string_append_c(text, '}');
}

static GString *document(const char *space)
{
	GString *text = g_string_new("{\"version\": 1, \"groups\": {");

	for (unsigned int i = 0; i < GROUPS; i++)
		add_group(text, i, space);
	g_string_append(text, "}, \"prefix_lists\": {\"pl-0\": {\"entries\": [\"10.0.0.0/8\"]}, "
			      "\"pl-1\": {\"entries\": []}}, \"interfaces\": {");
	for (unsigned int i = 0; i < INTERFACES; i++)
		add_interface(text, i, space);
	g_string_append(text, "}}\n");
	return text;
}

/* ------------------------------------------------------------------ comparing */

static char *told(const GPtrArray *sources)
{
	struct model *model = NULL;
	CLEANUP(diag_free) struct diag *diag = diag_new();

	if (load_policy(sources, &model, diag) < 0)
		return policy_diag_text(diag);
	model_free(&model);
	return load_canonical(sources);
}

/* Whether they are accepted. */
static bool assert_same(const GPtrArray *sources, const char *what)
{
	g_autofree char *one = NULL, *all = NULL;

	use_one_cpu();
	one = told(sources);
	use_all_cpus();
	all = told(sources);
	if (strcmp(one, all) != 0)
		fail_msg("%s: one thread:\n%.1000s\nseveral:\n%.1000s", what, one, all);
	return one[0] == '{';
}

static bool assert_same_text(const GString *text, const char *what)
{
	g_autoptr(GPtrArray) sources = load_sources_new();

	policy_add_source(sources, "a.json", text->str, text->len);
	return assert_same(sources, what);
}

static void assert_same_nodes(const GString *text, const char *what)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(jdoc_free) struct jdoc *one = NULL;
	CLEANUP(jdoc_free) struct jdoc *all = NULL;
	size_t blocks = text->len / JDOC_BLOCK + 1;

	use_one_cpu();
	one = jdoc_parse("a.json", text->str, text->len, diag);
	use_all_cpus();
	all = jdoc_parse("a.json", text->str, text->len, diag);
	assert_true(one && all && !diag_any(diag));
	if (one->unfolded != all->unfolded ||
	    memcmp(one->blocks, all->blocks, blocks * sizeof(*one->blocks)) != 0)
		fail_msg("%s: %u nodes and %u nodes, or other lines", what, one->unfolded,
			 all->unfolded);
	for (uint32_t i = 0; i < one->unfolded; i++)
		if (memcmp(&one->nodes[i], &all->nodes[i], sizeof(*one->nodes)) != 0)
			fail_msg("%s: node %u differs", what, i);
}

/* ------------------------------------------------------------------ tests */

static void documents_of_every_layout_are_the_same(void **state)
{
	static const char *const spaces[] = {"", "\n", " \n\t\t  ", "\n\n\n"};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(spaces); i++) {
		g_autoptr(GString) text = document(spaces[i]);

		assert_same_nodes(text, spaces[i]);
		assert_true(assert_same_text(text, spaces[i]));
	}
}

/*
 * The next old from at on. Not strstr(): with a sanitizer it measures all the rest, each time.
 */
static gsize find(const GString *text, gsize at, const char *old)
{
	const char *found = g_strstr_len(text->str + at, (gssize)(text->len - at), old);

	assert_non_null(found);
	return (gsize)(found - text->str);
}

/* Puts new in place of the number-th old, and of each tenth of the first more. */
static void change(GString *text, unsigned int number, unsigned int more, const char *old,
		   const char *new)
{
	gsize at = 0;

	for (unsigned int i = 0; i <= number || i < more; i++) {
		at = find(text, at, old);
		if (i == number || (i < more && i % 10 == 0)) {
			g_string_erase(text, (gssize)at, (gssize)strlen(old));
			g_string_insert(text, (gssize)at, new);
			at += strlen(new);
		} else {
			at++;
		}
	}
}

static void what_is_wrong_is_told_in_the_same_words(void **state)
{
	static const struct {
		unsigned int number, more;
		const char *old, *new;
	} wrong[] = {
		{20000, 0, "\"groups\"", "\"grups\""},
		{30000, 0, "10.100.", "10.300."},
		{100, 20000, "\"addresses\": [", "\"addresses\": [1, "}, /* more than are told */
		{0, 0, "\"m30001\"", "\"m\\u00330000\""},
		{0, 0, "\"m30001\"", "\"m30000\""}, /* the key itself is there twice */
		{0, 0, "\"m30001\"", "\"x-m30001\""},
		{0, 0, "\"m30001\"", "\"x-m30001\": 1, \"m30001\""}, /* a remark: right */
		{0, 0, "\"sg-399\": {", "\"sg-398\": {"},
		{0, 0, "\"sg-200\": {", "\"sg-200\": {\"external\": true, "},
		{0, 0, "10.100.100.7\"", "10.100.100.8\""},
		{35, 0, "\"tap", "\"tap5\", \"host\": \"h"},
		{0, 0, "\xe2\x82\xac", "\xe2\x82"},
		{39, 0, "\xc3\xa4", "\xa4"},
		{30000, 0, "]", ""},
		{1500, 0, "\"}", "\""},
		{30000, 0, "}", "}}"},
		{30000, 0, ",", ",,"},
		{100, 0, "\"c\": {}", "\"c\": {}, \"c\": {}"},
	};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *what = g_strdup_printf("wrong[%u]", i);
		g_autoptr(GString) text = document("\n ");

		change(text, wrong[i].number, wrong[i].more, wrong[i].old, wrong[i].new);
		if (assert_same_text(text, what) && i != 6)
			fail_msg("%s was accepted", what);
	}
}

static void two_documents_with_the_same_ids_are_told_the_same(void **state)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autoptr(GString) text = document("");
	g_autoptr(GString) other = document("\n");

	(void)state;
	policy_add_source(sources, "a.json", text->str, text->len);
	policy_add_source(sources, "b.json", other->str, other->len);
	assert_false(assert_same(sources, "twice"));
}

static void bytes_changed_anywhere_are_told_the_same(void **state)
{
	static const char bytes[] = "{}[]\",:\\ \n0a\x80";
	g_autoptr(GString) text = document(" ");
	g_autoptr(GRand) random = g_rand_new_with_seed(4);
	unsigned int accepted = 0;

	(void)state;
	for (unsigned int i = 0; i < MUTATIONS; i++) {
		gsize at = (gsize)(g_rand_double(random) * (double)text->len);
		char before = text->str[at];
		g_autofree char *what = NULL;

		text->str[at] = bytes[g_rand_int_range(random, 0, sizeof(bytes) - 1)];
		what = g_strdup_printf("byte %zu is '%c' instead of '%c'", at, text->str[at],
				       before);
		accepted += assert_same_text(text, what);
		text->str[at] = before;
	}
	assert_in_range(accepted, 1, MUTATIONS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_of_every_layout_are_the_same),
		cmocka_unit_test(what_is_wrong_is_told_in_the_same_words),
		cmocka_unit_test(two_documents_with_the_same_ids_are_told_the_same),
		cmocka_unit_test(bytes_changed_anywhere_are_told_the_same),
	};

	return cmocka_run_group_tests(tests, find_cpus, NULL);
}
