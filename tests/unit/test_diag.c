/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_diag.c - lists of findings: what is printed, what travels as JSON, what does not grow.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/diag.h"
#include "tests/lib/check.h"
#include "tests/lib/policy.h"

static const struct place here = {.file = "a.json", .line = 3, .column = 7};
static const struct place nowhere;

static void a_line_has_only_the_parts_that_are_known(void **state)
{
	const struct place file_only = {.file = "a.json"};
	struct diag *diag = diag_new();
	g_autofree char *text = NULL;

	(void)state;
	assert_false(diag_any(diag));
	diag_add(diag, "type", here, "/groups/0", "an object", "%d is wrong", 5);
	diag_add(diag, "type", here, "", NULL, "the document is wrong");
	diag_add(diag, "io", file_only, NULL, NULL, "cannot open it");
	diag_add(diag, "limit", nowhere, NULL, "at most 1", "too many");
	assert_true(diag_any(diag));
	text = policy_diag_text(diag);
	assert_string_equal(text, "a.json:3:7: /groups/0: 5 is wrong; an object\n"
				  "a.json:3:7: the document is wrong\n"
				  "a.json: cannot open it\n"
				  "too many; at most 1\n");
	diag_free(&diag);
	assert_null(diag);
}

static void nothing_of_the_input_reaches_the_terminal_as_a_command(void **state)
{
	struct diag *diag = diag_new();
	g_autofree char *text = NULL;

	(void)state;
	diag_add(diag, "id", here, "/\x1b[2J", "\x7f",
		 "two\nlines \xc2\x9b"
		 "31m gr\xc3\xbcn");
	text = policy_diag_text(diag);
	assert_string_equal(text, "a.json:3:7: /\\x1b[2J: two\\x0alines \\u009b31m gr\xc3\xbcn; "
				  "\\x7f\n");
	diag_free(&diag);
}

static void the_list_is_bounded_and_says_so(void **state)
{
	struct diag *diag = diag_new();
	AUTO_JSON json_t *json = NULL;
	g_autofree char *text = NULL;

	(void)state;
	for (int i = 0; i < DIAG_MAX + 5; i++)
		diag_add(diag, "type", here, NULL, NULL, "%d", i);
	assert_int_equal(diag->entries->len, DIAG_MAX);
	assert_int_equal(diag->left_out, 5);
	assert_true(diag_full(diag));
	text = policy_diag_text(diag);
	assert_true(g_str_has_suffix(text, "a.json:3:7: 999\nand 5 more\n"));
	json = diag_to_json(diag);
	assert_int_equal(json_array_size(json), DIAG_MAX + 1);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(json, DIAG_MAX), "code")),
		"left-out");
	diag_free(&diag);
}

static void json_and_back_says_the_same(void **state)
{
	struct diag *diag = diag_new(), *back = diag_new();
	AUTO_JSON json_t *json = NULL;
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;

	(void)state;
	diag_add(diag, "type", here, "/a~1b", "fix", "message");
	diag_add(diag, "io", nowhere, NULL, NULL, "no place");
	json = diag_to_json(diag);
	assert_true(json_is_null(json_object_get(json_array_get(json, 1), "line")));
	assert_true(json_is_null(json_object_get(json_array_get(json, 1), "pointer")));
	assert_int_equal(diag_from_json(back, json), 0);
	before = policy_diag_text(diag);
	after = policy_diag_text(back);
	assert_string_equal(before, after);
	assert_string_equal(((struct diag_entry *)back->entries->pdata[0])->code, "type");
	diag_free(&diag);
	diag_free(&back);
}

static void a_file_name_that_is_not_utf_8_still_becomes_json(void **state)
{
	const struct place odd = {.file = "caf\xe9.json", .line = 1, .column = 1};
	struct diag *diag = diag_new();
	AUTO_JSON json_t *json = NULL;

	(void)state;
	diag_add(diag, "io", odd, NULL, NULL, "x");
	json = diag_to_json(diag);
	assert_true(json_is_string(json_object_get(json_array_get(json, 0), "file")));
	diag_free(&diag);
}

static void json_of_another_shape_is_refused_and_adds_nothing(void **state)
{
	static const char *const bad[] = {
		"{}",
		"[1]",
		"[{}]",
		"[{\"message\": 1}]",
		"[{\"message\": \"ok\"}, {\"message\": \"x\", \"line\": \"1\"}]",
		"[{\"message\": \"x\", \"line\": -1}]",
		"[{\"message\": \"x\", \"column\": 99999999999}]",
		"[{\"message\": \"x\", \"file\": {}}]",
	};
	struct diag *diag = diag_new();

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_JSON json_t *json = json_loads(bad[i], 0, NULL);

		assert_non_null(json);
		assert_int_equal(diag_from_json(diag, json), -EINVAL);
		assert_false(diag_any(diag));
	}
	diag_free(&diag);
}

static void quotes_are_cut_between_characters(void **state)
{
	g_autofree char *plain = diag_quote("a b");
	g_autofree char *text = g_strnfill(79, 'a');
	g_autofree char *with = g_strconcat(text, "\xc3\xbcx", NULL);
	g_autofree char *cut = diag_quote(with);
	g_autofree char *expected = g_strconcat("\"", text, "...\"", NULL);
	g_autofree char *invalid = diag_quote("\xff\xfe");

	(void)state;
	assert_string_equal(plain, "\"a b\"");
	assert_string_equal(cut, expected);
	assert_string_equal(invalid, "\"\xff\xfe\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_only_the_parts_that_are_known),
		cmocka_unit_test(nothing_of_the_input_reaches_the_terminal_as_a_command),
		cmocka_unit_test(the_list_is_bounded_and_says_so),
		cmocka_unit_test(json_and_back_says_the_same),
		cmocka_unit_test(a_file_name_that_is_not_utf_8_still_becomes_json),
		cmocka_unit_test(json_of_another_shape_is_refused_and_adds_nothing),
		cmocka_unit_test(quotes_are_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
