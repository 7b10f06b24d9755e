/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hostile_files.c - what is refused before it is parsed: noise, by the bytes of its beginning;
 * files that others could replace; and the limits of strings, keys and numbers.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/json_doc.h"
#include "rulesd/path_trust.h"
#include "rulesd/text_guard.h"
#include "tests/lib/check.h"

#define NOBODY 65534

/* ---------------------------------------------------------------- text_guard */

/* Feeds text in pieces of this size. */
static enum text_fault feed(const char *text, size_t length, size_t piece, uint64_t *at)
{
	struct text_guard guard = {0};
	enum text_fault fault = TEXT_FINE;

	for (size_t i = 0; !fault && i < length; i += piece)
		fault = text_guard_feed(&guard, text + i, MIN(piece, length - i), at);
	return fault;
}

static void assert_fault(const char *text, size_t length, enum text_fault wanted, uint64_t where)
{
	for (size_t piece = 1; piece <= length; piece++) {
		uint64_t at = 0;
		enum text_fault fault = feed(text, length, piece, &at);

		if (fault != wanted)
			fail_msg("pieces of %zu: %s", piece, text_fault_message(fault));
		/* A character that is cut is noticed where it is finished. */
		if (fault == TEXT_NUL)
			assert_int_equal(at, where);
		else if (fault)
			assert_in_range(at, where, where + 4);
	}
}

static void texts_pass_however_they_are_cut(void **state)
{
	static const char text[] = "{\"a\":\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa7 z\"}";

	(void)state;
	assert_fault(text, sizeof(text) - 1, TEXT_FINE, 0);
}

static void noise_is_found_however_it_is_cut(void **state)
{
	(void)state;
	assert_fault("{\"a\":\0 1}", 9, TEXT_NUL, 5);
	assert_fault("{\"a\":\xff 1}", 9, TEXT_NOT_UTF8, 5);
	assert_fault("{\"a\xc3\":1}", 8, TEXT_NOT_UTF8, 3);
	assert_fault("\"\xed\xa0\x80\"", 5, TEXT_NOT_UTF8, 1); /* half a surrogate pair */
	assert_fault("\"\xc0\xaf\"", 4, TEXT_NOT_UTF8, 1);     /* overlong */
	assert_fault("\"\xf5\x80\x80\x80\"", 6, TEXT_NOT_UTF8, 1);
}

static void a_gap_counts_from_the_last_quote(void **state)
{
	g_autofree char *spaces = g_strnfill(TEXT_GUARD_GAP, ' ');
	g_autofree char *just = g_strconcat("\"", spaces, "\"", spaces, NULL);
	g_autofree char *more = g_strconcat("\"", spaces, "\"", spaces, " ", NULL);
	uint64_t at = 0;

	(void)state;
	assert_int_equal(feed(just, strlen(just), 4096, &at), TEXT_FINE);
	assert_int_equal(feed(more, strlen(more), 4096, &at), TEXT_GAP);
	assert_int_equal(at, 2 + TEXT_GUARD_GAP);
}

/* ---------------------------------------------------------------- limits of JSON */

static char *first_error(const char *text)
{
	struct diag *diag = diag_new();
	struct jdoc *doc = jdoc_parse("t", text, strlen(text), diag);
	char *message = NULL;

	if (!doc)
		message = g_strdup(((struct diag_entry *)diag->entries->pdata[0])->message);
	jdoc_free(&doc);
	diag_free(&diag);
	return message;
}

static void assert_limit(const char *before, char fill, size_t most, const char *after,
			 const char *message)
{
	g_autofree char *fits = g_strnfill(most, fill), *larger = g_strnfill(most + 1, fill);
	g_autofree char *good = g_strconcat(before, fits, after, NULL);
	g_autofree char *bad = g_strconcat(before, larger, after, NULL);
	g_autofree char *none = first_error(good);
	g_autofree char *said = first_error(bad);

	assert_null(none);
	assert_non_null(said);
	assert_string_equal(said, message);
}

static void strings_keys_and_numbers_have_a_longest(void **state)
{
	(void)state;
	assert_limit("\"", 'a', JDOC_MAX_STRING, "\"",
		     "a string of 1048577 bytes; at most 1048576 are read");
	assert_limit("{\"", 'a', JDOC_MAX_KEY, "\":1}",
		     "a key of 1025 bytes; at most 1024 are read");
	assert_limit("0.", '1', JDOC_MAX_NUMBER - 2, "",
		     "a number of 1025 characters; at most 1024 are read");
}

/* ---------------------------------------------------------------- path_trust */

static char *folder;

static int make_folder(void **state)
{
	(void)state;
	folder = g_dir_make_tmp("tapguard-trust-XXXXXX", NULL);
	return folder && g_chmod(folder, 0755) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	const char *argv[] = {"rm", "-rf", folder, NULL};

	(void)state;
	return g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
			    NULL, NULL, NULL, NULL)
		       ? 0
		       : -1;
}

static char *in_folder(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static void make_dir(const char *name, mode_t mode, uid_t owner)
{
	g_autofree char *path = in_folder(name);

	assert_int_equal(g_mkdir(path, 0755), 0);
	assert_int_equal(g_chmod(path, (int)mode), 0);
	if (owner)
		assert_int_equal(lchown(path, owner, owner), 0);
}

static void make_link(const char *name, const char *target, uid_t owner)
{
	g_autofree char *path = in_folder(name);

	assert_int_equal(symlink(target, path), 0);
	if (owner)
		assert_int_equal(lchown(path, owner, owner), 0);
}

/* words NULL: it is trusted. */
static void assert_trust(const char *name, const char *words)
{
	g_autofree char *path = in_folder(name), *fix = NULL;
	g_autofree char *why = path_distrust(path, &fix);

	if (words ? !why || !strstr(why, words) : why != NULL)
		fail_msg("%s: %s", name, why ? why : "is trusted");
}

static void what_others_could_replace_on_the_way_is_not_trusted(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		puts("skip: only root can give files away");
		skip();
	}
	make_dir("good", 0755, 0);
	make_dir("good/deep", 0700, 0);
	make_dir("open", 0777, 0);
	make_dir("open/in", 0755, 0);
	make_dir("group", 0775, 0);
	make_dir("sticky", 01777, 0);
	make_dir("sticky/ours", 0755, 0);
	make_dir("sticky/theirs", 0755, NOBODY);
	make_dir("theirs", 0755, NOBODY);
	make_dir("theirs/ours", 0755, 0);
	make_link("to-good", "good/deep", 0);
	make_link("to-open", "open/in", 0);
	make_link("by-other", "good", NOBODY);
	make_link("chain", "to-open", 0);
	make_link("around", "open/../good", 0);
	make_link("loop", "loop", 0);
	make_link("absolute", "/etc/../etc/passwd", 0);
	make_link("dangling", "nowhere/x", 0);
	make_link("theirs/link", "../good", 0);

	assert_trust("good/deep/a.json", NULL);
	assert_trust("good/deep", NULL);
	assert_trust("to-good/a.json", NULL);
	assert_trust("sticky/ours/a.json", NULL);
	assert_trust("absolute", NULL);
	assert_trust("dangling", NULL);
	assert_trust("loop", NULL); /* nothing can be read there */
	assert_trust("good//./deep/../deep/a.json", NULL);
	assert_trust("open/in/a.json", "can write the directory");
	assert_trust("group/a.json", "can write the directory");
	assert_trust("to-open/a.json", "can write the directory");
	assert_trust("chain", "can write the directory");
	assert_trust("around/a.json", "can write the directory");
	assert_trust("by-other/deep", "symbolic link");
	assert_trust("sticky/theirs/a.json", "belongs to neither");
	assert_trust("theirs/ours/a.json", "belongs to neither");
	assert_trust("theirs/link", "belongs to neither");
}

static void paths_may_be_relative(void **state)
{
	g_autofree char *fix = NULL;
	g_autofree char *before = g_get_current_dir();
	g_autofree char *why = NULL;

	(void)state;
	assert_int_equal(chdir(folder), 0);
	why = path_distrust("open/in", &fix);
	assert_int_equal(chdir(before), 0);
	if (geteuid() == 0) {
		assert_non_null(why);
		assert_non_null(fix);
		assert_non_null(strstr(fix, "chmod go-w /"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_pass_however_they_are_cut),
		cmocka_unit_test(noise_is_found_however_it_is_cut),
		cmocka_unit_test(a_gap_counts_from_the_last_quote),
		cmocka_unit_test(strings_keys_and_numbers_have_a_longest),
		cmocka_unit_test(what_others_could_replace_on_the_way_is_not_trusted),
		cmocka_unit_test(paths_may_be_relative),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
