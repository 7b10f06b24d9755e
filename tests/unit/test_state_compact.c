/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_state_compact.c - a journal that is compacted says what it said before, at every step of it,
 * whatever comes meanwhile; and the state directory never is larger than documented.
 *
 * "At every step" is a copy of the directory that is opened as a start would. The kill test
 * (tests/kill) has every system call. Long because what a directory says and how a crash is copied
 * is more than the tests themselves.
 */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/log.h"
#include "rulesd/state.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/sources.h"

#define POLICY "{\"version\": 1, \"groups\": {\"sg-a\": {}, \"sg-b\": {}}, \"interfaces\": {}}"

static int setup(void **state)
{
	*state = g_dir_make_tmp("tapguard-compact-XXXXXX", NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	netns_remove_tree(*state);
	g_free(*state);
	return 0;
}

static struct state *open_ok(const char *path)
{
	struct state *opened = NULL;
	g_autofree char *error = NULL;

	if (state_open(path, &opened, &error) < 0)
		fail_msg("state_open: %s", error);
	return opened;
}

static void commit_policy(struct state *opened, const char *text, uint64_t generation)
{
	g_autoptr(GPtrArray) sources = sources_of(text);

	assert_int_equal(state_policy_prepare(opened, sources, NULL, "api", NULL, generation), 0);
	assert_int_equal(state_policy_commit(opened, generation, 0), 0);
}

static void patch_text(struct state *opened, const char *text)
{
	struct state_record record = {.generation = opened->generation + 1};
	g_autoptr(GPtrArray) sources = sources_of(text);

	assert_int_equal(state_append_patch(opened, &record, sources, "api"), 0);
}

/* An interface comes, another one goes, and a list is another one each time. */
static void patch(struct state *opened, unsigned int i)
{
	g_autofree char *gone = i >= 3 ? g_strdup_printf(", \"vm-%u\": null", i - 3) : g_strdup("");
	g_autofree char *text = g_strdup_printf(
		"{\"version\": 1, \"prefix_lists\": {\"pl-a\": {\"entries\": [\"10.0.%u.0/24\"]}}, "
		"\"interfaces\": {\"vm-%u\": {\"addresses\": [\"10.1.0.%u\"], \"groups\": "
		"[\"sg-a\"]}%s}}",
		i % 256, i, i % 256, gone);

	patch_text(opened, text);
}

static void patch_times(struct state *opened, unsigned int from, unsigned int count)
{
	for (unsigned int i = from; i < from + count; i++)
		patch(opened, i);
}

static void attach(struct state *opened, const char *id, const char *text)
{
	struct state_record record = {.generation = opened->generation};

	assert_int_equal(state_append_attached(opened, &record, id, text, text ? strlen(text) : 0),
			 0);
}

/* ------------------------------------------------------------------ what a directory says */

static void add_texts(GString *all, const struct state *opened,
		      const struct state_generation *entry)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autoptr(GPtrArray) patches = load_patches_new();
	g_autoptr(GPtrArray) flat = g_ptr_array_new();
	g_autofree char *error = NULL;
	g_autofree char *text = NULL;

	if (state_load_sources(opened, entry, sources, patches, &error) < 0)
		fail_msg("generation %u: %s", (unsigned int)entry->generation, error);
	for (guint i = 0; i < patches->len; i++)
		g_ptr_array_extend(flat, patches->pdata[i], NULL, NULL);
	text = load_canonical_patched(sources, flat);
	g_string_append_printf(all, "%u of %s by %s: %s\n", (unsigned int)entry->generation,
			       entry->time, entry->source, text);
}

static int compare_sources(gconstpointer a, gconstpointer b)
{
	const struct load_source *x = *(const struct load_source *const *)a;
	const struct load_source *y = *(const struct load_source *const *)b;

	return strcmp(x->name, y->name);
}

/* Generations with what they hold, interfaces attached by hand, numbers. */
static char *all_of(struct state *opened)
{
	g_autoptr(GPtrArray) attached = load_sources_new();
	CLEANUP(numbers_free) struct numbers *numbers = NULL;
	GString *all = g_string_new(NULL);
	g_autofree char *error = NULL;
	bool whole = false;

	for (guint i = 0; i < opened->generations->len; i++)
		add_texts(all, opened, opened->generations->pdata[i]);
	assert_int_equal(state_load_attached(opened, attached, &error), 0);
	g_ptr_array_sort(attached, compare_sources);
	for (guint i = 0; i < attached->len; i++) {
		const struct load_source *source = attached->pdata[i];

		g_string_append_printf(all, "%s: %s\n", source->name, source->text);
	}
	assert_int_equal(state_load_numbers(opened, &numbers, &whole, &error), 0);
	g_string_append_printf(all, "%u %u; seen %u; %u damaged",
			       numbers_find(numbers, NUMBER_PEER, "default:sg-x"),
			       numbers_find(numbers, NUMBER_PEER, "default:sg-y"),
			       (unsigned int)opened->generation, opened->damage->len);
	return g_string_free(all, FALSE);
}

static char *all_in(const char *path)
{
	CLEANUP(state_close) struct state *opened = open_ok(path);

	return all_of(opened);
}

static void copy_files(const char *from, const char *to)
{
	g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
	const char *name;

	g_assert_nonnull(dir);
	g_mkdir(to, 0700);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *old = g_build_filename(from, name, NULL);
		g_autofree char *new = g_build_filename(to, name, NULL);
		g_autofree char *data = NULL;
		gsize length = 0;

		if (g_file_test(old, G_FILE_TEST_IS_DIR)) {
			copy_files(old, new);
			continue;
		}
		assert_true(g_file_get_contents(old, &data, &length, NULL));
		assert_true(g_file_set_contents(new, data, (gssize)length, NULL));
	}
}

/* What a start would find after a crash now. */
static char *after_crash(const char *path)
{
	g_autofree char *copy = g_strconcat(path, ".crash", NULL);
	char *all;

	copy_files(path, copy);
	all = all_in(copy);
	netns_remove_tree(copy);
	return all;
}

static void assert_after_crash(const char *path, const char *expected)
{
	g_autofree char *all = after_crash(path);

	assert_string_equal(all, expected);
}

/* The newest policy alone, when nothing says which one holds. */
static void assert_known_without_current(const char *path)
{
	CLEANUP(state_close) struct state *opened = NULL;
	g_autofree char *copy = g_strconcat(path, ".lost", NULL);
	g_autofree char *lost = g_build_filename(copy, "current.json", NULL);
	g_autoptr(GString) now = g_string_new(NULL);
	g_autoptr(GString) then = g_string_new(NULL);

	copy_files(path, copy);
	opened = open_ok(copy);
	add_texts(now, opened, state_current(opened));
	state_close(&opened);
	g_unlink(lost);
	opened = open_ok(copy);
	assert_int_equal(opened->damage->len, 1);
	add_texts(then, opened, state_current(opened));
	/* Times and numbers of generations are not all told. */
	assert_string_equal(strchr(then->str, '{'), strchr(now->str, '{'));
	netns_remove_tree(copy);
}

static unsigned int files_in(const char *path)
{
	g_autofree char *policies = g_build_filename(path, "policies", NULL);
	g_autoptr(GDir) dir = g_dir_open(policies, 0, NULL);
	unsigned int count = 0;

	while (g_dir_read_name(dir))
		count++;
	return count;
}

/* ------------------------------------------------------------------ the stage */

struct stage {
	struct state *opened;
	struct numbers *numbers;
	const char *path;
};

static void stage_clear(struct stage *stage)
{
	state_close(&stage->opened);
	numbers_free(&stage->numbers);
}

/* A record that says a number. */
static void name_number(struct stage *stage, const char *name)
{
	AUTO_JSON json_t *news = NULL;
	struct state_record record = {.generation = stage->opened->generation};
	const char *text = "{\"addresses\": []}";

	numbers_get(stage->numbers, NUMBER_PEER, name);
	news = numbers_news(stage->numbers);
	record.numbers = news;
	assert_int_equal(
		state_append_attached(stage->opened, &record, "hand-0", text, strlen(text)), 0);
	numbers_news_written(stage->numbers);
}

static struct stage stage_of(const char *path, unsigned int patches)
{
	struct stage stage = {.opened = open_ok(path), .path = path};

	stage.numbers = numbers_new();
	assert_int_equal(state_save_numbers(stage.opened, stage.numbers), 0);
	commit_policy(stage.opened, POLICY, 1);
	patch_times(stage.opened, 0, patches / 2);
	attach(stage.opened, "hand-1", "{\"addresses\": [\"10.2.0.1\"]}");
	attach(stage.opened, "hand-2", "{}");
	attach(stage.opened, "hand-2", NULL);
	name_number(&stage, "default:sg-x");
	patch_times(stage.opened, patches / 2, patches - patches / 2);
	return stage;
}

/* ------------------------------------------------------------------ tests */

static void it_says_what_it_said_at_every_step(void **state)
{
	CLEANUP(stage_clear) struct stage stage = stage_of(*state, 40);
	struct state *opened = stage.opened;
	uint64_t length = opened->journal.length;
	g_autofree char *before = after_crash(*state);
	g_autofree char *meanwhile = NULL;
	g_autofree char *after = NULL;
	struct state_compaction *compaction = state_compact_begin(opened);

	assert_non_null(compaction);
	assert_after_crash(*state, before);
	assert_int_equal(state_compact_work(compaction), 0);
	assert_after_crash(*state, before);
	assert_known_without_current(*state);

	/* What comes meanwhile, in two rounds and at the end. */
	patch(opened, 40);
	attach(opened, "hand-3", "{}");
	assert_true(state_compact_refresh(opened, compaction) > 0);
	assert_int_equal(state_compact_work(compaction), 0);
	patch(opened, 41);
	attach(opened, "hand-1", NULL);
	name_number(&stage, "default:sg-y");
	meanwhile = after_crash(*state);
	assert_string_not_equal(meanwhile, before);
	assert_known_without_current(*state);
	assert_int_equal(state_compact_commit(opened, stage.numbers, &compaction), 0);
	assert_null(compaction);

	assert_after_crash(*state, meanwhile);
	assert_known_without_current(*state);
	assert_true(opened->journal.length < length / 4);
	assert_int_equal(opened->patches, 2);
	after = all_of(opened);
	assert_string_equal(after, meanwhile);

	/* And what comes then is appended to the new one. */
	patch(opened, 42);
	g_clear_pointer(&after, g_free);
	after = all_of(opened);
	assert_string_not_equal(after, meanwhile);
	assert_after_crash(*state, after);
}

static void nothing_is_lost_over_many_times(void **state)
{
	CLEANUP(stage_clear) struct stage stage = stage_of(*state, 10);
	uint64_t most = 0;

	for (unsigned int i = 0; i < 40; i++) {
		struct state_compaction *compaction = state_compact_begin(stage.opened);
		g_autofree char *before = NULL;

		patch_times(stage.opened, 10 + i * 7, 4);
		assert_int_equal(state_compact_work(compaction), 0);
		patch_times(stage.opened, 14 + i * 7, 3);
		before = after_crash(*state);
		assert_int_equal(state_compact_commit(stage.opened, stage.numbers, &compaction), 0);
		assert_after_crash(*state, before);
		most = MAX(most, stage.opened->journal.length);
	}
	/* Seven patches at most. Old generations keep at most three policies. */
	assert_true(most < 4096);
	assert_in_range(files_in(*state), 2, 8);
}

/* The old journal goes on to grow beside it. */
static void what_is_abandoned_leaves_nothing(void **state)
{
	CLEANUP(stage_clear) struct stage stage = stage_of(*state, 20);
	g_autofree char *before = after_crash(*state);
	unsigned int files = files_in(*state);
	struct state_compaction *compaction = state_compact_begin(stage.opened);

	assert_int_equal(state_compact_work(compaction), 0);
	assert_int_equal(files_in(*state), files + 2);
	state_compact_abandon(stage.opened, &compaction);
	assert_int_equal(files_in(*state), files);
	assert_after_crash(*state, before);
}

static void another_policy_meanwhile_stands(void **state)
{
	CLEANUP(stage_clear) struct stage stage = stage_of(*state, 20);
	struct state_compaction *compaction = state_compact_begin(stage.opened);
	g_autofree char *before = NULL;
	unsigned int files;

	assert_int_equal(state_compact_work(compaction), 0);
	commit_policy(stage.opened, "{\"version\": 1}", stage.opened->generation + 1);
	patch(stage.opened, 0);
	before = after_crash(*state);
	files = files_in(*state);
	assert_int_equal(state_compact_refresh(stage.opened, compaction), 0);
	assert_int_equal(state_compact_commit(stage.opened, stage.numbers, &compaction), -ESTALE);
	assert_null(compaction);
	assert_int_equal(files_in(*state), files - 2);
	assert_after_crash(*state, before);
}

/* Interfaces attached by hand come and go, and no policy was ever there. */
static void a_journal_without_a_policy_is_compacted_too(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	CLEANUP(numbers_free) struct numbers *numbers = numbers_new();
	g_autofree char *text = g_strnfill(100000, ' ');
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;

	text[0] = '{';
	text[1] = '}';
	attach(opened, "stays", "{}");
	for (unsigned int i = 0; i < 6; i++) {
		assert_false(state_wants_compaction(opened));
		attach(opened, "hand", text);
		attach(opened, "hand", NULL);
		attach(opened, "other", text);
	}
	assert_true(state_wants_compaction(opened));
	before = after_crash(*state);
	assert_int_equal(state_compact_bare(opened, numbers), 0);
	assert_false(state_wants_compaction(opened));
	assert_true(opened->journal.length < 110000);
	assert_after_crash(*state, before);
	attach(opened, "other", NULL);
	after = after_crash(*state);
	assert_string_not_equal(after, before);
}

static void it_is_wanted_when_patches_are_many(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);

	commit_policy(opened, POLICY, 1);
	for (unsigned int i = 0; i < STATE_COMPACT_PATCHES; i++) {
		assert_false(state_wants_compaction(opened));
		patch(opened, i);
	}
	assert_true(state_wants_compaction(opened));
}

/* As a disk leaves it that failed for good between a record and its sync. */
static void what_could_not_be_taken_back_is_later(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	g_autofree char *file = g_build_filename(*state, "policies", "1.journal", NULL);
	g_autofree char *copy = NULL;
	gsize length = 0, longer = 0;

	commit_policy(opened, POLICY, 1);
	patch(opened, 0);
	assert_true(g_file_get_contents(file, &copy, &length, NULL));
	patch(opened, 1);
	opened->journal.length = length;
	opened->journal.torn = true;
	opened->unsettled = true;
	assert_int_equal(state_settle(opened), 0);
	assert_false(opened->journal.torn || opened->unsettled);
	g_clear_pointer(&copy, g_free);
	assert_true(g_file_get_contents(file, &copy, &longer, NULL));
	assert_int_equal(longer, length);
}

static uint64_t bytes_in(const char *path)
{
	g_autofree char *policies = g_build_filename(path, "policies", NULL);
	g_autoptr(GDir) dir = g_dir_open(policies, 0, NULL);
	uint64_t sum = 0;
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(policies, name, NULL);
		GStatBuf st;

		if (g_stat(file, &st) == 0)
			sum += (uint64_t)st.st_size;
	}
	return sum;
}

/* Files grow as if they were full of blanks: what counts is their size, and the disk need not be
 * there for it. */
static void grow(const char *path, const char *file, uint64_t bytes)
{
	g_autofree char *name = g_build_filename(path, "policies", file, NULL);

	assert_int_equal(truncate(name, (off_t)bytes), 0);
}

static void old_journals_count_for_the_size_of_all(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	const uint64_t texts = 40ull << 20, journal = STATE_JOURNAL_BYTES;

	for (unsigned int i = 1; i <= STATE_MAX_GENERATIONS; i++) {
		g_autofree char *policy = g_strdup_printf("%u.policy", i);
		g_autofree char *patches = g_strdup_printf("%u.journal", i);

		commit_policy(opened, POLICY, opened->generation + 1);
		/* The pending one, beside all that may be kept. */
		assert_true(bytes_in(*state) <= STATE_MAX_BYTES + 2 * sizeof(POLICY) + 4096);
		patch(opened, i);
		grow(*state, policy, texts);
		grow(*state, patches, journal);
		assert_true(bytes_in(*state) <= STATE_MAX_BYTES + texts + journal);
		assert_true(opened->generations->len >= 2);
	}
	/* 1 GiB holds three of them, and each has two generations. */
	assert_in_range(opened->generations->len, 6, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_says_what_it_said_at_every_step, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_is_lost_over_many_times, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_abandoned_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(another_policy_meanwhile_stands, setup, teardown),
		cmocka_unit_test_setup_teardown(a_journal_without_a_policy_is_compacted_too, setup,
						teardown),
		cmocka_unit_test_setup_teardown(it_is_wanted_when_patches_are_many, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_taken_back_is_later, setup,
						teardown),
		cmocka_unit_test_setup_teardown(old_journals_count_for_the_size_of_all, setup,
						teardown),
	};

	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("state_compact", tests, NULL, NULL);
}
