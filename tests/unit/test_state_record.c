/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_state_record.c - long texts of a journal's records, which no JSON parser reads, say what
 * they said.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/state_json.h"
#include "rulesd/state_record.h"
#include "tests/lib/check.h"

#define LONG 10000u

/* piece as often as it takes to be long; the caller frees it. */
static struct load_source *long_source(const char *name, const char *piece)
{
	struct load_source *source = g_new0(struct load_source, 1);
	GString *text = g_string_new("{\"version\":1,\"x-is\":\"");

	while (text->len < LONG)
		g_string_append(text, piece);
	g_string_append(text, "\"}");
	source->name = g_strdup(name);
	source->length = text->len;
	source->text = g_string_free(text, FALSE);
	return source;
}

static GPtrArray *patch_of(const char *const *pieces, bool with_short)
{
	GPtrArray *patch = load_sources_new();

	for (unsigned int i = 0; pieces[i]; i++) {
		g_autofree char *name = g_strdup_printf("file \"%u\"\\.json", i);

		g_ptr_array_add(patch, long_source(name, pieces[i]));
		if (with_short) {
			struct load_source *source = g_new0(struct load_source, 1);

			source->name = g_strdup("short");
			source->text = g_strdup("{\"version\": 1}\n");
			source->length = strlen(source->text);
			g_ptr_array_add(patch, source);
		}
	}
	return patch;
}

static char *record_of(const GPtrArray *patch)
{
	AUTO_JSON json_t *numbers = json_pack("{s{s[si]}}", "group", "names", "sg-\"x\"", 7);
	const struct state_record record = {.generation = 12, .offset = 3, .numbers = numbers};
	const struct state_generation entry = {.time = (char[]){"2026-01-02T03:04:05Z"},
					       .source = (char[]){"api"}};
	char *text = state_patch_to_text(&record, &entry, patch);

	assert_non_null(text);
	return text;
}

static void check_round_trip(const char *const *pieces, bool with_short)
{
	g_autoptr(GPtrArray) patch = patch_of(pieces, with_short);
	g_autoptr(GPtrArray) patches = load_patches_new();
	g_autofree char *text = record_of(patch);
	const GPtrArray *read;

	assert_int_equal(state_patch_from_text(text, strlen(text), patches), 0);
	assert_int_equal(patches->len, 1);
	read = patches->pdata[0];
	assert_int_equal(read->len, patch->len);
	for (guint i = 0; i < patch->len; i++) {
		const struct load_source *wrote = patch->pdata[i], *found = read->pdata[i];

		assert_string_equal(found->name, wrote->name);
		assert_int_equal(found->length, wrote->length);
		assert_memory_equal(found->text, wrote->text, wrote->length + 1);
	}
}

static void texts_say_what_they_said(void **state)
{
	static const char *const pieces[][3] = {
		{"plain"},
		{"\\\""},
		{"\\\\"},
		{"\\\\\\\""},
		{"\n\t\r\b\f/"},
		{"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"a\x01\x1f"},
		{"\x7f"},
		{"one", "two\\\""},
		{"\\\\", "b\x02"},
		{"\",\"numbers\":{"},
		{"\"}]}"},
	};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(pieces); i++) {
		check_round_trip(pieces[i], false);
		check_round_trip(pieces[i], true);
	}
}

static void only_long_texts_are_left_out(void **state)
{
	static const char *const pieces[] = {"\"],}{[", NULL};
	g_autoptr(GPtrArray) patch = patch_of(pieces, true);
	g_autoptr(GArray) texts = g_array_new(FALSE, FALSE, sizeof(struct state_text));
	g_autofree char *text = record_of(patch);
	AUTO_JSON json_t *whole = json_loads(text, 0, NULL);
	AUTO_JSON json_t *outline = state_record_json(text, strlen(text), texts);
	json_t *files, *file;

	(void)state;
	assert_non_null(outline);
	assert_int_equal(texts->len, 1);
	files = json_object_get(json_object_get(outline, "patch"), "files");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(files, 0), "text")), 0);
	file = json_array_get(json_object_get(json_object_get(whole, "patch"), "files"), 0);
	json_object_set(json_array_get(files, 0), "text", json_object_get(file, "text"));
	assert_true(json_equal(whole, outline));
}

/* Interfaces that were attached by hand are kept as they are. */
static void other_records_have_all_of_their_texts(void **state)
{
	g_autofree char *filler = g_strnfill(LONG, 'x');
	AUTO_JSON json_t *whole =
		json_pack("{si si s{ss}}", "generation", 1, "offset", 0, "attached", "web", filler);
	g_autofree char *text = json_dumps(whole, JSON_COMPACT);
	AUTO_JSON json_t *read = state_record_json(text, strlen(text), NULL);

	(void)state;
	assert_true(json_equal(whole, read));
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const pieces[] = {"a\\\"b", NULL};
	g_autoptr(GPtrArray) patch = patch_of(pieces, false);
	g_autoptr(GPtrArray) patches = load_patches_new();
	g_autofree char *text = record_of(patch);
	size_t length = strlen(text);

	(void)state;
	for (size_t cut = 1; cut < length; cut += cut < 200 || cut + 200 > length ? 1 : 97) {
		AUTO_JSON json_t *read = state_record_json(text, length - cut, NULL);

		assert_null(read);
		assert_true(state_patch_from_text(text, length - cut, patches) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_say_what_they_said),
		cmocka_unit_test(only_long_texts_are_left_out),
		cmocka_unit_test(other_records_have_all_of_their_texts),
		cmocka_unit_test(what_is_no_record_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
