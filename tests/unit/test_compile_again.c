/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_compile_again.c - the same input gives the same image and no new number; a change renews
 * what it touches.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "tests/lib/build.h"
#include "tests/lib/compiled.h"

static void fill(struct model *model, bool backwards)
{
	static const char *const groups[] = {"sg-a", "sg-b", "sg-c", "sg-d", "sg-e", "sg-f"};
	int count = (int)G_N_ELEMENTS(groups);

	build_prefix_list(model, "default", "pl-x", "10.0.0.0/8 192.0.2.0/24");
	for (int i = 0; i < count; i++) {
		int at = backwards ? count - 1 - i : i;

		build_rule(model, "default", groups[at], "r", SG_INGRESS, "tcp 1-9", "any");
		build_rule(model, "default", groups[at], "s", SG_INGRESS, "udp 53",
			   groups[(at + 1) % count]);
		build_rule(model, "default", groups[at], "t", SG_EGRESS, "all", "pl-x 10.1.0.0/16");
	}
	for (int i = 0; i < 40; i++) {
		int at = backwards ? 39 - i : i;
		g_autofree char *id = g_strdup_printf("vm-%d", at);
		g_autofree char *addresses = g_strdup_printf("10.0.0.%d fd00::%d", at, at);
		g_autofree char *carried =
			g_strdup_printf("%s %s", groups[at % 6], groups[(at + 2) % 6]);

		build_interface(model, "default", id, "tap", addresses, carried);
	}
}

static void cleanup_string(char **text)
{
	g_free(*text);
}

static void compiling_again_gives_the_same_image_and_no_number(void **state)
{
	struct compiled *f = *state;
	CLEANUP(cleanup_string) char *first = NULL;
	CLEANUP(cleanup_string) char *second = NULL;
	AUTO_JSON json_t *before = NULL;
	AUTO_JSON json_t *after = NULL;

	fill(f->model, false);
	compiled_again(f);
	first = compiled_dump(f->image);
	before = numbers_to_json(f->numbers);
	compiled_again(f);
	second = compiled_dump(f->image);
	after = numbers_to_json(f->numbers);
	assert_string_equal(first, second);
	assert_true(json_equal(before, after));
}

static void the_order_of_objects_does_not_matter(void **state)
{
	struct compiled *f = *state;
	struct compiled other = {
		.model = model_new(), .numbers = numbers_new(), .diag = diag_new()};
	CLEANUP(cleanup_string) char *first = NULL;
	CLEANUP(cleanup_string) char *second = NULL;

	fill(f->model, false);
	compiled_again(f);
	fill(other.model, true);
	compiled_again(&other);
	first = compiled_dump(f->image);
	second = compiled_dump(other.image);
	assert_string_equal(first, second);
	image_free(&other.image);
	numbers_free(&other.numbers);
	model_free(&other.model);
	diag_free(&other.diag);
}

static void a_change_renews_only_what_it_touches(void **state)
{
	struct compiled *f = *state;
	uint32_t touched, untouched, rule, set;
	struct sg_addr addr = build_addr("10.0.0.9");

	fill(f->model, false);
	build_rule(f->model, "default", "sg-z", "r", SG_INGRESS, "tcp 1", "any");
	build_interface(f->model, "default", "z", "tapz", "10.9.0.1", "sg-z");
	compiled_again(f);
	touched = image_iface(f->image, "z")->policy->number;
	untouched = image_iface(f->image, "vm-1")->policy->number;
	set = image_find_member(f->image, 1, &addr);
	rule = numbers_find(f->numbers, NUMBER_RULE, "default:ingress:sg-z/r");
	assert_string_equal(image_rule_name(f->image, rule), "sg-z/r");
	g_ptr_array_set_size(model_group(f->model, "default", "sg-z")->rules[SG_INGRESS], 0);
	build_rule(f->model, "default", "sg-z", "r", SG_INGRESS, "tcp 2", "any");
	compiled_again(f);
	assert_true(image_iface(f->image, "z")->policy->number > touched);
	assert_int_equal(image_iface(f->image, "vm-1")->policy->number, untouched);
	assert_int_equal(image_find_member(f->image, 1, &addr), set);
	/* The rule has its name still, so its counters go on. */
	assert_int_equal(numbers_find(f->numbers, NUMBER_RULE, "default:ingress:sg-z/r"), rule);
	/* A content that was there long ago does not get its old number back. */
	touched = image_iface(f->image, "z")->policy->number;
	g_ptr_array_set_size(model_group(f->model, "default", "sg-z")->rules[SG_INGRESS], 0);
	build_rule(f->model, "default", "sg-z", "r", SG_INGRESS, "tcp 1", "any");
	compiled_again(f);
	assert_true(image_iface(f->image, "z")->policy->number > touched);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILED_TEST(compiling_again_gives_the_same_image_and_no_number),
		COMPILED_TEST(the_order_of_objects_does_not_matter),
		COMPILED_TEST(a_change_renews_only_what_it_touches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
