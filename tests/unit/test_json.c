/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_json.c - the JSON reader: it accepts what jansson accepts, reads the same values, and knows
 * the place of each.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/json_doc.h"
#include "tests/lib/check.h"
#include "tests/lib/policy.h"

static struct jdoc *parse(const char *text)
{
	struct diag *diag = diag_new();
	struct jdoc *doc = jdoc_parse("t.json", text, strlen(text), diag);

	diag_free(&diag);
	return doc;
}

/* Both readers' trees, compared node by node. */
static void assert_same(const struct jdoc *doc, uint32_t node, const json_t *json)
{
	uint32_t child = jdoc_first(doc, node);
	size_t count = 0;

	switch (jdoc_kind(doc, node)) {
	case JDOC_NULL:
		assert_true(json_is_null(json));
		break;
	case JDOC_BOOLEAN:
		assert_true(json_is_boolean(json));
		assert_int_equal(jdoc_boolean(doc, node), json_is_true(json));
		break;
	case JDOC_INTEGER:
		assert_true(json_is_integer(json));
		assert_int_equal(jdoc_integer(doc, node), json_integer_value(json));
		break;
	case JDOC_REAL:
		assert_true(json_is_real(json));
		break;
	case JDOC_STRING: {
		g_autofree char *text = jdoc_string(doc, node);

		assert_string_equal(text, json_string_value(json));
		break;
	}
	case JDOC_ARRAY:
		assert_true(json_is_array(json));
		for (; child; child = jdoc_next(doc, child))
			assert_same(doc, child, json_array_get(json, count++));
		assert_int_equal(count, json_array_size(json));
		break;
	case JDOC_OBJECT:
		assert_true(json_is_object(json));
		for (; child; child = jdoc_next(doc, child), count++) {
			g_autofree char *key = jdoc_key(doc, child);

			assert_same(doc, child, json_object_get(json, key));
		}
		assert_int_equal(count, json_object_size(json));
		break;
	}
}

/* Every pointer leads back to its node, and every place too. */
static void assert_found(const struct jdoc *doc, uint32_t node)
{
	g_autofree char *pointer = jdoc_pointer(doc, node);
	const struct place top = {.file = "t.json", .line = 0};

	if (node) {
		assert_int_equal(jdoc_find(doc, top, pointer), node);
		assert_int_equal(jdoc_find(doc, jdoc_key_place(doc, node), NULL), node);
		assert_int_equal(jdoc_find(doc, jdoc_place(doc, node), NULL), node);
		assert_int_equal(jdoc_find(doc, jdoc_key_place(doc, node), pointer), node);
	}
	for (uint32_t child = jdoc_first(doc, node); child; child = jdoc_next(doc, child))
		assert_found(doc, child);
}

/*
 * Where the two readers may differ: a duplicate key is an entry, but still a document; depth has
 * different limits; we take only integers and reals that fit.
 */
static void compare_with_jansson(const char *text, size_t length)
{
	struct diag *diag = diag_new();
	g_autofree char *copy = g_memdup2(text, length);
	struct jdoc *doc = jdoc_parse("t.json", copy, length, diag);
	AUTO_JSON json_t *json =
		json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	bool accepted = doc && !diag_any(diag);

	if (accepted != (json != NULL)) {
		diag_print(diag, stderr);
		fail_msg("ours %d, jansson %d: %.*s", accepted, json != NULL, (int)length, text);
	}
	if (accepted) {
		assert_same(doc, JDOC_ROOT, json);
		assert_found(doc, JDOC_ROOT);
	} else {
		assert_true(diag_any(diag));
	}
	jdoc_free(&doc);
	diag_free(&diag);
}

static void the_grammar_is_janssons(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"{}",
		"[]",
		"[[]]",
		"{\"a\":{}}",
		"null",
		"true",
		"false",
		"nul",
		"truee",
		"\"\"",
		"\"a\"",
		"\"",
		"\"\\",
		"\"\\\"",
		"\"\\u00e9\"",
		"\"\\u00E9\"",
		"\"\\u00g0\"",
		"\"\\u0000\"",
		"\"\\ud83d\\ude00\"",
		"\"\\ud83d\"",
		"\"\\ude00\"",
		"\"\\ud83d\\u0041\"",
		"\"\\ud83dx\"",
		"\"\\x\"",
		"\"\\/\"",
		"\"\t\"",
		"\"\n\"",
		"\"\x7f\"",
		"0",
		"-0",
		"00",
		"01",
		"-",
		"-1",
		"+1",
		".5",
		"1.",
		"1.5",
		"1.5.5",
		"1e5",
		"1E+5",
		"1e-5",
		"1e",
		"1e+",
		"0e0",
		"0x10",
		"1e400",
		"-1e400",
		"1e-400",
		"9223372036854775807",
		"9223372036854775808",
		"-9223372036854775808",
		"-9223372036854775809",
		"[1,]",
		"[,1]",
		"[1 2]",
		"[1,,2]",
		"[",
		"]",
		"[1",
		"{",
		"}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{,}",
		"{\"a\":1 \"b\":2}",
		"{\"a\":1,\"a\":2}",
		"{\"a\":1,\"\\u0061\":2}",
		"{a:1}",
		"{'a':1}",
		"{1:1}",
		"{null:1}",
		"[] []",
		"[]x",
		"// c\n[]",
		"[/* */]",
		"NaN",
		"Infinity",
		"-Infinity",
		"[1]\n\n",
		"\r\n[]",
		"\v[]",
		"\f[]",
		"\xc2\xa0[]",
		"\xef\xbb\xbf[]",
		"\"\xc3\xbc\"",
		"\"\xc3\"",
		"\"\xed\xa0\x80\"",
		"\"\xf4\x90\x80\x80\"",
		"\"\xc0\x80\"",
		"\"\xf0\x9f\x98\x80\"",
		"[\"a\", {\"b/c~d\": [1, {\"\": null}]}]",
		"[1,\n 2,\n\t{\"k\"\n:\n\"v\"}]",
		"{\"\":1}",
		"tru",
		"[tru]",
		"[\"\\\\\"]",
		"[\"\\\\\\\"\"]",
		"-01",
		"1_000",
		"1,2",
		"{\"a\":1}}",
		"[\"\\u12\"]",
		"\"\\ud800\\udc0\"",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		compare_with_jansson(texts[i], strlen(texts[i]));
	compare_with_jansson("\0", 1);
	compare_with_jansson("[1]\0", 4);
	compare_with_jansson("\"a\0b\"", 5);
}

static void mutated_texts_are_read_as_jansson_reads_them(void **state)
{
	static const char seed[] =
		"{\"version\": 1, \"x-a\": [1.5, -2e3, true, null, \"gr\\u00fcn \xc3\xbc\"],\n"
		" \"groups\": {\"sg-a\": {\"ingress\": [{\"protocol\": \"tcp\", \"ports\": [1, "
		"\"2-3\"]}]}}}";
	static const char letters[] = "{}[]:,\"\\u0012e.+-tfn \n\t\xc3\xbc\xff";
	g_autoptr(GRand) rand = g_rand_new_with_seed(20240);

	(void)state;
	for (int round = 0; round < 60000; round++) {
		GString *text = g_string_new(seed);

		for (int changes = g_rand_int_range(rand, 1, 5); changes; changes--) {
			gssize at = g_rand_int_range(rand, 0, (gint32)text->len);
			int kind = g_rand_int_range(rand, 0, 3);
			char letter = letters[g_rand_int_range(rand, 0, sizeof(letters) - 1)];

			if (kind == 0)
				text->str[at] = letter;
			else if (kind == 1)
				g_string_erase(text, at, 1);
			else
				g_string_insert_c(text, at, letter);
		}
		compare_with_jansson(text->str, text->len);
		g_string_free(text, TRUE);
	}
}

static void every_truncation_is_an_error(void **state)
{
	static const char text[] =
		"{\"a\": [1.5e3, \"\\u00fc\\ud83d\\ude00\", {\"b\": null}], \"c\": true}";

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		g_autofree char *cut = g_memdup2(text, length);
		struct diag *diag = diag_new();
		struct jdoc *doc = jdoc_parse("t.json", cut, length, diag);

		assert_null(doc);
		assert_int_equal(diag->entries->len, 1);
		diag_free(&diag);
	}
}

static void random_bytes_are_never_accepted_and_never_read_beyond(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)g_rand_int_range(rand, 1, 64);
		g_autofree char *bytes = g_malloc(length);

		for (size_t i = 0; i < length; i++)
			bytes[i] = (char)g_rand_int_range(rand, 0, 256);
		compare_with_jansson(bytes, length);
	}
}

static void depth_is_limited_without_a_stack(void **state)
{
	g_autofree char *deep = g_strnfill(100000, '[');
	g_autofree char *open = g_strnfill(JDOC_MAX_DEPTH, '[');
	g_autofree char *close = g_strnfill(JDOC_MAX_DEPTH, ']');
	g_autofree char *just = g_strconcat(open, close, NULL);
	g_autofree char *more = g_strconcat("[", open, close, "]", NULL);
	struct jdoc *doc = parse(just);

	(void)state;
	assert_null(parse(deep));
	assert_null(parse(more));
	assert_non_null(doc);
	jdoc_free(&doc);
}

static void places_count_lines_and_bytes_from_one(void **state)
{
	struct jdoc *doc = parse("{\n  \"\xc3\xbc\": 1,\r\n\t\"b\" : [\n10,\n 20]\n}");
	uint32_t b = jdoc_member(doc, JDOC_ROOT, "b");
	uint32_t second = jdoc_next(doc, jdoc_first(doc, b));
	struct place place = jdoc_place(doc, second), key = jdoc_key_place(doc, b);

	(void)state;
	assert_int_equal(place.line, 5);
	assert_int_equal(place.column, 2);
	assert_int_equal(key.line, 3);
	assert_int_equal(key.column, 2);
	place = jdoc_place(doc, b);
	assert_int_equal(place.column, 8);
	place = jdoc_place(doc, jdoc_first(doc, JDOC_ROOT));
	assert_int_equal(place.line, 2);
	assert_int_equal(place.column, 9);
	jdoc_free(&doc);
}

static void all_duplicates_of_a_large_object_are_found(void **state)
{
	GString *text = g_string_new("{");
	struct diag *diag = diag_new();
	struct jdoc *doc;

	(void)state;
	for (int i = 0; i < 100000; i++)
		g_string_append_printf(text, "\"k%d\": %d, ", i % 99990, i);
	g_string_append(text, "\"last\": 1}");
	doc = jdoc_parse("t.json", text->str, text->len, diag);
	assert_int_equal(diag->entries->len, 10);
	assert_true(jdoc_hides_objects(doc));
	assert_int_equal(jdoc_count(doc, JDOC_ROOT), 99991);
	/* The first one counts. */
	assert_int_equal(jdoc_integer(doc, jdoc_member(doc, JDOC_ROOT, "k3")), 3);
	jdoc_free(&doc);
	diag_free(&diag);
	g_string_free(text, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_grammar_is_janssons),
		cmocka_unit_test(mutated_texts_are_read_as_jansson_reads_them),
		cmocka_unit_test(every_truncation_is_an_error),
		cmocka_unit_test(random_bytes_are_never_accepted_and_never_read_beyond),
		cmocka_unit_test(depth_is_limited_without_a_stack),
		cmocka_unit_test(places_count_lines_and_bytes_from_one),
		cmocka_unit_test(all_duplicates_of_a_large_object_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
