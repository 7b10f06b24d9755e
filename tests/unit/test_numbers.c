/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_numbers.c - the registry: names keep their numbers, numbers are never given twice, files
 * that lie are refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"
#include "rulesd/numbers.h"

static void cleanup_numbers(struct numbers **numbers)
{
	numbers_free(numbers);
}
#define AUTO_NUMBERS CLEANUP(cleanup_numbers)

static void a_name_keeps_its_number(void **state)
{
	AUTO_NUMBERS struct numbers *numbers = numbers_new();
	uint32_t web = numbers_get(numbers, NUMBER_RULE, "default:ingress:sg-web/https");

	(void)state;
	assert_int_not_equal(web, 0);
	assert_int_not_equal(numbers_get(numbers, NUMBER_RULE, "default:ingress:sg-web/ssh"), web);
	assert_int_equal(numbers_get(numbers, NUMBER_RULE, "default:ingress:sg-web/https"), web);
	assert_int_equal(numbers_find(numbers, NUMBER_RULE, "default:ingress:sg-web/https"), web);
	assert_string_equal(numbers_name(numbers, NUMBER_RULE, web),
			    "default:ingress:sg-web/https");
	assert_int_equal(numbers_find(numbers, NUMBER_RULE, "default:ingress:sg-web/smtp"), 0);
	assert_int_equal(numbers_find(numbers, NUMBER_PEER, "default:ingress:sg-web/https"), 0);
	assert_null(numbers_name(numbers, NUMBER_RULE, 4711));
}

static void kinds_stay_in_their_ranges(void **state)
{
	AUTO_NUMBERS struct numbers *numbers = numbers_new();

	(void)state;
	assert_int_equal(numbers_get(numbers, NUMBER_ZONE, "default"), 1);
	assert_true(numbers_get(numbers, NUMBER_PEER, "default:sg-web") > SG_PEER_ANY);
	assert_true(numbers_get(numbers, NUMBER_EXEMPT, "default:10.0.0.1/tcp/") & SG_RULE_EXEMPT);
	assert_false(numbers_get(numbers, NUMBER_RULE, "default:ingress:sg-web/a") &
		     SG_RULE_EXEMPT);
	assert_int_equal(numbers_next_policy(numbers), 1);
	assert_int_equal(numbers_next_policy(numbers), 2);
	assert_int_equal(numbers_next_set(numbers), 1);
}

static void any_is_built_in(void **state)
{
	AUTO_NUMBERS struct numbers *numbers = numbers_new();

	(void)state;
	assert_int_equal(numbers_find(numbers, NUMBER_PEER, "any"), SG_PEER_ANY);
	assert_int_equal(numbers_get(numbers, NUMBER_PEER, "any"), SG_PEER_ANY);
	assert_string_equal(numbers_name(numbers, NUMBER_PEER, SG_PEER_ANY), "any");
	assert_int_equal(numbers_find(numbers, NUMBER_RULE, "any"), 0);
}

static void slots_return_to_the_pool_and_go_round(void **state)
{
	AUTO_NUMBERS struct numbers *numbers = numbers_new();
	bool seen[SG_MAX_SLOTS + 1] = {false};
	uint32_t slot;

	(void)state;
	for (unsigned int i = 0; i < SG_MAX_SLOTS; i++) {
		g_autofree char *id = g_strdup_printf("vm-%u", i);

		slot = numbers_get(numbers, NUMBER_SLOT, id);
		assert_in_range(slot, 1, SG_MAX_SLOTS);
		assert_false(seen[slot]);
		seen[slot] = true;
	}
	assert_int_equal(numbers_get(numbers, NUMBER_SLOT, "one-too-many"), 0);
	slot = numbers_find(numbers, NUMBER_SLOT, "vm-17");
	numbers_release_slot(numbers, "vm-17");
	numbers_release_slot(numbers, "vm-17");
	assert_int_equal(numbers_find(numbers, NUMBER_SLOT, "vm-17"), 0);
	assert_null(numbers_name(numbers, NUMBER_SLOT, slot));
	assert_int_equal(numbers_get(numbers, NUMBER_SLOT, "new"), slot);
}

static void a_slot_is_not_given_again_at_once(void **state)
{
	AUTO_NUMBERS struct numbers *numbers = numbers_new();
	uint32_t slot = numbers_get(numbers, NUMBER_SLOT, "a");

	(void)state;
	numbers_release_slot(numbers, "a");
	assert_int_not_equal(numbers_get(numbers, NUMBER_SLOT, "b"), slot);
}

static void numbers_survive_a_restart_and_are_never_reused(void **state)
{
	AUTO_NUMBERS struct numbers *numbers = numbers_new();
	AUTO_NUMBERS struct numbers *read = NULL;
	AUTO_JSON json_t *json = NULL;
	AUTO_JSON json_t *again = NULL;
	g_autofree char *text = NULL;
	uint32_t last[NUMBER_KINDS], policy, set;

	(void)state;
	for (int kind = 0; kind < NUMBER_KINDS; kind++) {
		for (int i = 0; i < 50; i++) {
			g_autofree char *name = g_strdup_printf("default:name-%d", i);

			last[kind] = numbers_get(numbers, kind, name);
		}
	}
	policy = numbers_next_policy(numbers);
	set = numbers_next_set(numbers);
	json = numbers_to_json(numbers);
	text = json_dumps(json, 0);
	again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(numbers_from_json(&read, again), 0);
	for (int kind = 0; kind < NUMBER_KINDS; kind++) {
		assert_int_equal(numbers_find(read, kind, "default:name-49"), last[kind]);
		assert_string_equal(numbers_name(read, kind, last[kind]), "default:name-49");
		assert_int_equal(numbers_get(read, kind, "default:another"), last[kind] + 1);
	}
	assert_int_equal(numbers_next_policy(read), policy + 1);
	assert_int_equal(numbers_next_set(read), set + 1);
}

static void the_last_number_is_given_once(void **state)
{
	AUTO_NUMBERS struct numbers *numbers = numbers_new();
	AUTO_NUMBERS struct numbers *read = NULL;
	AUTO_NUMBERS struct numbers *full = NULL;
	AUTO_JSON json_t *json = numbers_to_json(numbers);
	AUTO_JSON json_t *full_json = NULL;

	(void)state;
	json_object_set_new(json_object_get(json, "exempt"), "next", json_integer(0xffffffffll));
	json_object_set_new(json, "next_set", json_integer(SG_SET_SINGLE - 1));
	json_object_set_new(json, "next_policy", json_integer(0xffffffffll));
	assert_int_equal(numbers_from_json(&read, json), 0);
	assert_int_equal(numbers_get(read, NUMBER_EXEMPT, "a"), 0xffffffffu);
	assert_int_equal(numbers_get(read, NUMBER_EXEMPT, "b"), 0);
	assert_int_equal(numbers_next_set(read), SG_SET_SINGLE - 1);
	assert_int_equal(numbers_next_set(read), 0);
	assert_int_equal(numbers_next_policy(read), 0xffffffffu);
	assert_int_equal(numbers_next_policy(read), 0);
	full_json = numbers_to_json(read);
	assert_int_equal(numbers_from_json(&full, full_json), 0);
	assert_int_equal(numbers_get(full, NUMBER_EXEMPT, "b"), 0);
	assert_int_equal(numbers_get(full, NUMBER_EXEMPT, "a"), 0xffffffffu);
	assert_int_equal(numbers_next_set(full), 0);
}

/* Each would give a number to two things or one that the kernel reads as something else. */
static void a_damaged_registry_is_refused(void **state)
{
	static const char *const damages[] = {
		"{}",
		"[]",
		"{\"version\": 2}",
		"{\"next_policy\": 0}",
		"{\"next_set\": -1}",
		"{\"next_set\": 2147483649}",
		"{\"zones\": {\"next\": 0, \"names\": {}}}",
		"{\"zones\": {\"next\": 2}}",
		"{\"peers\": {\"next\": 5, \"names\": {\"default:sg-a\": 5}}}",
		"{\"peers\": {\"next\": 5, \"names\": {\"default:sg-a\": 1}}}",
		"{\"peers\": {\"next\": 5, \"names\": {\"any\": 3}}}",
		"{\"peers\": {\"next\": 5, \"names\": {\"default:sg-a\": 3, \"default:sg-b\": 3}}}",
		"{\"peers\": {\"next\": 5, \"names\": {\"default:sg-a\": \"3\"}}}",
		"{\"rules\": {\"next\": 2147483650, \"names\": {}}}",
		"{\"exempt\": {\"next\": 7, \"names\": {\"a\": 1}}}",
		"{\"slots\": {\"next\": 7, \"names\": {\"a\": 4097}}}",
		"{\"slots\": {\"next\": 7, \"names\": {\"a\": 0}}}",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
		AUTO_NUMBERS struct numbers *numbers = numbers_new();
		AUTO_NUMBERS struct numbers *read = NULL;
		AUTO_JSON json_t *json = numbers_to_json(numbers);
		AUTO_JSON json_t *damage = json_loads(damages[i], 0, NULL);

		assert_non_null(damage);
		if (json_object_size(damage))
			json_object_update(json, damage);
		else
			json_object_clear(json);
		if (numbers_from_json(&read, json_is_array(damage) ? damage : json) != -EINVAL)
			fail_msg("accepted: %s", damages[i]);
		assert_null(read);
	}
}

/* ---------------------------------------------------------------- journal and marks */

static char *dump(const struct numbers *numbers, const char *without)
{
	AUTO_JSON json_t *json = numbers_to_json(numbers);

	json_object_del(json, without);
	return json_dumps(json, JSON_SORT_KEYS);
}

static void news_bring_a_snapshot_up_to_date(void **state)
{
	AUTO_NUMBERS struct numbers *numbers = numbers_new();
	AUTO_NUMBERS struct numbers *read = NULL;
	AUTO_JSON json_t *snapshot = NULL;
	AUTO_JSON json_t *first = NULL;
	AUTO_JSON json_t *second = NULL;
	g_autofree char *wanted = NULL;
	g_autofree char *got = NULL;

	(void)state;
	assert_null(numbers_news(numbers));
	numbers_get(numbers, NUMBER_PEER, "default:sg-a");
	numbers_get(numbers, NUMBER_SLOT, "vm-1");
	numbers_get(numbers, NUMBER_SLOT, "vm-2");
	snapshot = numbers_to_json(numbers);
	first = numbers_news(numbers);
	assert_int_equal(json_object_size(json_object_get(first, "peers")), 1);
	numbers_news_written(numbers);
	assert_null(numbers_news(numbers));
	numbers_get(numbers, NUMBER_PEER, "default:sg-a");
	assert_null(numbers_news(numbers));

	numbers_get(numbers, NUMBER_PEER, "default:sg-b");
	numbers_get(numbers, NUMBER_EXEMPT, "default:10.0.0.1/6/");
	numbers_release_slot(numbers, "vm-1");
	numbers_release_slot(numbers, "vm-2");
	numbers_get(numbers, NUMBER_SLOT, "vm-2"); /* another one now */
	second = numbers_news(numbers);
	assert_int_equal(json_object_size(json_object_get(second, "peers")), 1);
	assert_true(json_is_null(json_object_get(json_object_get(second, "slots"), "vm-1")));

	/* The journal may begin before the snapshot. */
	assert_int_equal(numbers_from_json(&read, snapshot), 0);
	assert_int_equal(numbers_add_news(read, first), 0);
	assert_int_equal(numbers_add_news(read, second), 0);
	assert_null(numbers_news(read));
	assert_int_equal(numbers_find(read, NUMBER_SLOT, "vm-1"), 0);
	/* But for where slots go round to, which no file needs to know. */
	wanted = dump(numbers, "slots");
	got = dump(read, "slots");
	assert_string_equal(got, wanted);
	assert_int_equal(numbers_find(read, NUMBER_SLOT, "vm-2"),
			 numbers_find(numbers, NUMBER_SLOT, "vm-2"));
}

static void news_that_contradict_are_refused(void **state)
{
	static const char *const wrong[] = {
		"[]",
		"{\"peers\": []}",
		"{\"peers\": {\"default:sg-a\": 3}}",
		"{\"peers\": {\"default:sg-b\": 2}}",
		"{\"peers\": {\"default:sg-b\": 0}}",
		"{\"peers\": {\"default:sg-b\": 2147483648}}",
		"{\"peers\": {\"default:sg-b\": null}}",
		"{\"peers\": {\"any\": 7}}",
		"{\"slots\": {\"vm-2\": 1}}",
		"{\"slots\": {\"vm-2\": 4097}}",
		"{\"slots\": {\"vm-2\": \"3\"}}",
	};
	unsigned int failed = 0;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		AUTO_NUMBERS struct numbers *numbers = numbers_new();
		AUTO_JSON json_t *news = json_loads(wrong[i], 0, NULL);

		assert_non_null(news);
		assert_int_equal(numbers_get(numbers, NUMBER_PEER, "default:sg-a"), 2);
		assert_int_equal(numbers_get(numbers, NUMBER_SLOT, "vm-1"), 1);
		if (numbers_add_news(numbers, news) != -EINVAL) {
			print_error("accepted: %s\n", wrong[i]);
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

/* A crash after the kernel saw numbers whose names were not written yet. */
static void nothing_below_a_mark_is_given_again(void **state)
{
	AUTO_NUMBERS struct numbers *numbers = numbers_new();
	AUTO_NUMBERS struct numbers *read = NULL;
	AUTO_JSON json_t *snapshot = numbers_to_json(numbers);
	AUTO_JSON json_t *marks = NULL;
	AUTO_JSON json_t *more = NULL;
	uint32_t peer = 0, policy = 0, set = 0;

	(void)state;
	assert_true(numbers_need_marks(numbers));
	marks = numbers_marks(numbers, 16);
	numbers_marks_written(numbers, marks);
	assert_false(numbers_need_marks(numbers));
	for (int i = 0; i < 16; i++) {
		g_autofree char *name = g_strdup_printf("default:sg-%d", i);

		assert_false(numbers_need_marks(numbers));
		peer = numbers_get(numbers, NUMBER_PEER, name);
		policy = numbers_next_policy(numbers);
		set = numbers_next_set(numbers);
	}
	assert_false(numbers_need_marks(numbers));
	assert_int_equal(numbers_from_json(&read, snapshot), 0);
	assert_int_equal(numbers_skip(read, marks), 0);
	assert_false(numbers_need_marks(read));
	assert_int_equal(numbers_get(read, NUMBER_PEER, "default:other"), peer + 1);
	assert_int_equal(numbers_next_policy(read), policy + 1);
	assert_int_equal(numbers_next_set(read), set + 1);
	/* The one beyond needs another mark before it is used. */
	assert_true(numbers_need_marks(read));
	numbers_next_policy(numbers);
	assert_true(numbers_need_marks(numbers));
	more = numbers_marks(numbers, 16);
	numbers_marks_written(numbers, more);
	assert_false(numbers_need_marks(numbers));
	json_object_del(more, "sets");
	assert_int_equal(numbers_skip(numbers, more), -EINVAL);
	json_object_set_new(more, "sets", json_integer(0));
	assert_int_equal(numbers_skip(numbers, more), -EINVAL);
	json_object_set_new(more, "sets", json_integer((json_int_t)SG_SET_SINGLE + 1));
	assert_int_equal(numbers_skip(numbers, more), -EINVAL);
}

/* Marks end where the numbers do, and exhaustion is no reason to write them again and again. */
static void marks_end_with_the_numbers(void **state)
{
	AUTO_NUMBERS struct numbers *numbers = numbers_new();
	AUTO_JSON json_t *marks = numbers_marks(numbers, 16);

	(void)state;
	json_object_set_new(marks, "policies", json_integer(UINT32_MAX));
	assert_int_equal(numbers_skip(numbers, marks), 0);
	assert_int_equal(numbers_next_policy(numbers), UINT32_MAX);
	assert_true(numbers_need_marks(numbers));
	json_decref(marks);
	marks = numbers_marks(numbers, 16);
	numbers_marks_written(numbers, marks);
	assert_int_equal(numbers_next_policy(numbers), 0);
	assert_false(numbers_need_marks(numbers));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_keeps_its_number),
		cmocka_unit_test(kinds_stay_in_their_ranges),
		cmocka_unit_test(any_is_built_in),
		cmocka_unit_test(slots_return_to_the_pool_and_go_round),
		cmocka_unit_test(a_slot_is_not_given_again_at_once),
		cmocka_unit_test(numbers_survive_a_restart_and_are_never_reused),
		cmocka_unit_test(the_last_number_is_given_once),
		cmocka_unit_test(a_damaged_registry_is_refused),
		cmocka_unit_test(news_bring_a_snapshot_up_to_date),
		cmocka_unit_test(news_that_contradict_are_refused),
		cmocka_unit_test(nothing_below_a_mark_is_given_again),
		cmocka_unit_test(marks_end_with_the_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
