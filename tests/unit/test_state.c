/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_state.c - the state directory: what was committed comes back, what was not leaves no trace,
 * and what is damaged is refused by name.
 *
 * It is long because files, generations and journals are seen through one fixture: a directory that
 * is written, damaged and opened again.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"
#include "rulesd/state.h"
#include "rulesd/state_file.h"
#include "rulesd/state_seal.h"
#include "tests/lib/check.h"
#include "tests/lib/sources.h"

static int setup(void **state)
{
	*state = g_dir_make_tmp("tapguard-state-XXXXXX", NULL);
	return *state ? 0 : -1;
}

static void remove_tree(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *below = g_build_filename(path, name, NULL);

		if (g_file_test(below, G_FILE_TEST_IS_DIR) &&
		    !g_file_test(below, G_FILE_TEST_IS_SYMLINK))
			remove_tree(below);
		else
			g_unlink(below);
	}
	g_rmdir(path);
}

static int teardown(void **state)
{
	remove_tree(*state);
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

static void assert_refused(const char *path, int expected, const char *words)
{
	CLEANUP(state_close) struct state *opened = NULL;
	g_autofree char *error = NULL;

	assert_int_equal(state_open(path, &opened, &error), expected);
	assert_null(opened);
	if (!strstr(error, words))
		fail_msg("\"%s\" does not say \"%s\"", error, words);
}

static void write_file(const char *path, const char *name, const char *text)
{
	g_autofree char *file = g_build_filename(path, name, NULL);

	assert_true(g_file_set_contents(file, text, -1, NULL));
}

static bool exists(const char *path, const char *name)
{
	g_autofree char *file = g_build_filename(path, name, NULL);

	return g_access(file, F_OK) == 0;
}

static void commit_policy(struct state *opened, const char *text, uint64_t generation,
			  uint64_t offset)
{
	g_autoptr(GPtrArray) sources = sources_of(text);

	assert_int_equal(state_policy_prepare(opened, sources, NULL, "api", text, generation), 0);
	assert_int_equal(state_policy_commit(opened, generation, offset), 0);
}

static void assert_holds(const struct state *opened, const char *text, uint64_t generation)
{
	const struct state_generation *current = state_current(opened);
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autoptr(GPtrArray) patches = load_patches_new();
	g_autofree char *error = NULL;
	const struct load_source *source;

	assert_non_null(current);
	assert_int_equal(current->generation, generation);
	assert_int_equal(state_load_sources(opened, current, sources, patches, &error), 0);
	assert_int_equal(patches->len, 0);
	assert_int_equal(sources->len, 1);
	source = sources->pdata[0];
	assert_string_equal(source->name, "a.json");
	assert_string_equal(source->text, text);
}

static void attach(struct state *opened, uint64_t generation, const char *id, const char *text)
{
	struct state_record record = {.generation = generation};

	assert_int_equal(state_append_attached(opened, &record, id, text, text ? strlen(text) : 0),
			 0);
}

/* ---------------------------------------------------------------- files */

static void a_file_is_the_old_one_until_it_is_committed(void **state)
{
	AUTO_FD int dir = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autofree char *old = NULL;
	g_autofree char *new = NULL;
	size_t length = 0;
	char *none = NULL;

	assert_int_equal(state_file_write(dir, "f", "old", 3), 0);
	assert_int_equal(state_file_prepare(dir, "f", "newer", 5), 0);
	assert_int_equal(state_file_read(dir, "f", &old, &length), 0);
	assert_string_equal(old, "old");
	assert_int_equal(state_file_commit(dir, "f"), 0);
	assert_int_equal(state_file_read(dir, "f", &new, &length), 0);
	assert_string_equal(new, "newer");
	assert_int_equal(length, 5);
	assert_int_equal(state_file_remove(dir, "f"), 0);
	assert_int_equal(state_file_remove(dir, "f"), 0);
	assert_int_equal(state_file_read(dir, "f", &none, &length), -ENOENT);
}

static void an_aborted_file_leaves_nothing(void **state)
{
	AUTO_FD int dir = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(state_file_prepare(dir, "f", "x", 1), 0);
	assert_true(exists(*state, "f" STATE_FILE_TEMP));
	state_file_abort(dir, "f");
	assert_false(exists(*state, "f" STATE_FILE_TEMP));
	assert_false(exists(*state, "f"));
}

static void a_link_in_its_place_is_not_followed(void **state)
{
	AUTO_FD int dir = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autofree char *link = g_build_filename(*state, "f" STATE_FILE_TEMP, NULL);
	g_autofree char *target = g_build_filename(*state, "target", NULL);

	assert_int_equal(symlink(target, link), 0);
	assert_int_equal(state_file_prepare(dir, "f", "x", 1), -ELOOP);
	assert_false(exists(*state, "target"));
}

/* ---------------------------------------------------------------- the directory */

static void the_directory_is_made_private_and_locked(void **state)
{
	g_autofree char *path = g_build_filename(*state, "deep", "below", NULL);
	CLEANUP(state_close) struct state *opened = open_ok(path);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(state_in_use(path));
	assert_refused(path, -EBUSY, "in use by another rulesd");
	state_close(&opened);
	assert_false(state_in_use(path));
	chmod(path, 0755);
	opened = open_ok(path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_directory_that_others_can_write_is_refused(void **state)
{
	chmod(*state, 0770);
	assert_refused(*state, -EPERM, "others than its owner can write it");
	chmod(*state, 0700);
	if (geteuid() == 0) {
		assert_int_equal(chown(*state, 65534, 65534), 0);
		assert_refused(*state, -EPERM, "belongs to uid 65534");
	}
}

static void an_empty_directory_holds_nothing(void **state)
{
	bool whole = false;
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	CLEANUP(numbers_free) struct numbers *numbers = NULL;
	g_autoptr(GPtrArray) attached = load_sources_new();
	g_autofree char *error = NULL;

	assert_null(state_current(opened));
	assert_int_equal(opened->generation, 0);
	assert_int_equal(state_load_numbers(opened, &numbers, &whole, &error), 0);
	assert_int_equal(state_load_attached(opened, attached, &error), 0);
	assert_int_equal(attached->len, 0);
}

static void policies_come_back_and_the_last_one_holds(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);

	commit_policy(opened, "one", 3, 0);
	commit_policy(opened, "two", 7, 2);
	state_close(&opened);
	opened = open_ok(*state);
	assert_holds(opened, "two", 7);
	assert_int_equal(opened->generation, 7);
	assert_int_equal(opened->offset, 2);
	assert_non_null(state_find(opened, 3));
	assert_null(state_find(opened, 4));
}

/* As if the power went between prepare and commit. */
static void a_policy_that_was_not_committed_never_was(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	g_autoptr(GPtrArray) sources = sources_of("two");

	commit_policy(opened, "one", 1, 0);
	assert_int_equal(state_policy_prepare(opened, sources, NULL, "api", "sha", 2), 0);
	assert_true(exists(*state, "current.json" STATE_FILE_TEMP));
	assert_true(exists(*state, "policies/2.policy"));
	state_close(&opened);
	opened = open_ok(*state);
	assert_holds(opened, "one", 1);
	assert_false(exists(*state, "current.json" STATE_FILE_TEMP));
	assert_false(exists(*state, "policies/2.policy"));
}

static void an_aborted_policy_leaves_nothing_and_the_next_one_works(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	g_autoptr(GPtrArray) sources = sources_of("two");

	commit_policy(opened, "one", 1, 0);
	assert_int_equal(state_policy_prepare(opened, sources, NULL, "api", "sha", 2), 0);
	state_policy_abort(opened);
	assert_holds(opened, "one", 1);
	assert_false(exists(*state, "policies/2.policy"));
	commit_policy(opened, "three", 2, 0);
	assert_holds(opened, "three", 2);
}

static void only_so_many_generations_are_kept(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	g_autofree char *policies = g_build_filename(*state, "policies", NULL);
	g_autoptr(GDir) dir = NULL;
	unsigned int files = 0;

	for (uint64_t generation = 1; generation <= STATE_MAX_GENERATIONS + 5; generation++) {
		g_autofree char *text = g_strdup_printf("policy %u", (unsigned int)generation);

		commit_policy(opened, text, generation, 0);
	}
	state_close(&opened);
	opened = open_ok(*state);
	assert_int_equal(opened->generations->len, STATE_MAX_GENERATIONS);
	assert_null(state_find(opened, 5));
	assert_non_null(state_find(opened, 6));
	dir = g_dir_open(policies, 0, NULL);
	while (g_dir_read_name(dir))
		files++;
	assert_int_equal(files, 2 * STATE_MAX_GENERATIONS); /* each with its journal */
}

static void the_generation_that_users_saw_never_goes_back(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);

	assert_int_equal(state_note_generation(opened, 9, 4), 0);
	assert_int_equal(state_note_generation(opened, 8, 4), 0);
	state_close(&opened);
	opened = open_ok(*state);
	assert_int_equal(opened->generation, 9);
	assert_int_equal(opened->offset, 4);
}

static void attached_interfaces_come_back_as_they_were_given(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	g_autofree char *error = NULL;
	const struct load_source *source;

	attach(opened, 1, "kept", "{}");
	attach(opened, 2, "gone", "{}");
	attach(opened, 3, "kept", "{\"a\":1}");
	attach(opened, 4, "gone", NULL);
	attach(opened, 5, "never", NULL);
	/* With every policy, and after it. */
	for (unsigned int i = 0; i < 3; i++) {
		g_autoptr(GPtrArray) attached = load_sources_new();

		state_close(&opened);
		opened = open_ok(*state);
		assert_int_equal(opened->generation, 5 + i);
		assert_int_equal(state_load_attached(opened, attached, &error), 0);
		assert_int_equal(attached->len, 1);
		source = attached->pdata[0];
		assert_string_equal(source->name, "kept");
		assert_string_equal(source->text, "{\"a\":1}");
		commit_policy(opened, "a policy", 6 + i, 0);
	}
}

/* ---------------------------------------------------------------- journals */

static void patch(struct state *opened, const char *text, uint64_t generation)
{
	struct state_record record = {.generation = generation, .offset = 1};
	g_autoptr(GPtrArray) sources = sources_of(text);

	assert_int_equal(state_append_patch(opened, &record, sources, "api"), 0);
}

/* The texts of a generation, patches included, one after the other. */
static void assert_texts(const struct state *opened, uint64_t generation, const char *expected)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autoptr(GPtrArray) patches = load_patches_new();
	g_autoptr(GString) text = g_string_new(NULL);
	const struct state_generation *entry = state_find(opened, generation);
	g_autofree char *error = NULL;

	assert_non_null(entry);
	if (state_load_sources(opened, entry, sources, patches, &error) < 0)
		fail_msg("%s", error);
	for (guint i = 0; i < sources->len; i++)
		g_string_append(text, ((struct load_source *)sources->pdata[i])->text);
	for (guint i = 0; i < patches->len; i++) {
		const GPtrArray *one = patches->pdata[i];

		assert_int_equal(one->len, 1);
		g_string_append_printf(text, "+%s", ((struct load_source *)one->pdata[0])->text);
	}
	assert_string_equal(text->str, expected);
}

static void patches_come_back_and_each_is_a_generation(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);

	commit_policy(opened, "one", 1, 0);
	patch(opened, "a\n\"\xc3\xa9", 2);
	patch(opened, "b", 4);
	for (unsigned int i = 0; i < 2; i++) {
		assert_texts(opened, 1, "one");
		assert_texts(opened, 2, "one+a\n\"\xc3\xa9");
		assert_texts(opened, 4, "one+a\n\"\xc3\xa9+b");
		assert_int_equal(state_current(opened)->generation, 4);
		assert_int_equal(opened->generation, 4);
		assert_int_equal(opened->offset, 1);
		state_close(&opened);
		opened = open_ok(*state);
	}
	/* Another policy begins another journal; the old one stays as long as its generations. */
	commit_policy(opened, "two", 5, 0);
	patch(opened, "c", 6);
	state_close(&opened);
	opened = open_ok(*state);
	assert_texts(opened, 6, "two+c");
	assert_texts(opened, 5, "two");
	assert_texts(opened, 4, "one+a\n\"\xc3\xa9+b");
}

static void a_policy_may_be_one_with_patches(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	g_autoptr(GPtrArray) sources = sources_of("one");
	g_autoptr(GPtrArray) patches = load_patches_new();

	g_ptr_array_add(patches, sources_of("a"));
	g_ptr_array_add(patches, sources_of("b"));
	assert_int_equal(state_policy_prepare(opened, sources, patches, "api", NULL, 1), 0);
	assert_int_equal(state_policy_commit(opened, 1, 0), 0);
	patch(opened, "c", 2);
	state_close(&opened);
	opened = open_ok(*state);
	assert_texts(opened, 1, "one+a+b");
	assert_texts(opened, 2, "one+a+b+c");
	assert_null(state_current(opened)->sha256);
}

static void only_so_many_patches_are_kept_as_generations(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	g_autoptr(GString) all = g_string_new("one");

	commit_policy(opened, "one", 1, 0);
	for (uint64_t generation = 2; generation <= STATE_MAX_GENERATIONS + 6; generation++) {
		patch(opened, "x", generation);
		g_string_append(all, "+x");
	}
	assert_int_equal(opened->generations->len, STATE_MAX_GENERATIONS);
	state_close(&opened);
	opened = open_ok(*state);
	assert_int_equal(opened->generations->len, STATE_MAX_GENERATIONS);
	assert_null(state_find(opened, 6));
	assert_texts(opened, STATE_MAX_GENERATIONS + 6, all->str);
}

static char *read_journal(const char *path, gsize *length)
{
	g_autofree char *file = g_build_filename(path, "policies", "1.journal", NULL);
	char *data = NULL;

	assert_true(g_file_get_contents(file, &data, length, NULL));
	return data;
}

static void write_journal(const char *path, const char *data, gsize length)
{
	g_autofree char *file = g_build_filename(path, "policies", "1.journal", NULL);

	assert_true(g_file_set_contents(file, data, (gssize)length, NULL));
}

static void begin_journal(const char *path)
{
	CLEANUP(state_close) struct state *opened = open_ok(path);

	commit_policy(opened, "one", 1, 0);
	patch(opened, "first", 2);
	attach(opened, 3, "kept", "{}");
	patch(opened, "second", 4);
}

/* Cut at every byte: the records before are there, what was cut is not, and the next one is kept.
 */
static void a_record_that_a_crash_cut_is_left_out(void **state)
{
	g_autofree char *whole = NULL;
	gsize length = 0, first;

	begin_journal(*state);
	whole = read_journal(*state, &length);
	/* What it begins with, and the first patch. */
	first = (gsize)(strchr(strchr(whole, '\n') + 1, '\n') - whole) + 1;
	for (gsize cut = length - 1; cut > first; cut--) {
		CLEANUP(state_close) struct state *opened = NULL;

		write_journal(*state, whole, cut);
		opened = open_ok(*state);
		assert_texts(opened, 2, "one+first");
		assert_null(state_find(opened, 4));
		patch(opened, "third", 5);
		state_close(&opened);
		opened = open_ok(*state);
		assert_texts(opened, 5, "one+first+third");
	}
	/* Blocks that never reached the disk read as zeros. */
	g_autofree char *zeros = g_malloc0(length + 4096);
	CLEANUP(state_close) struct state *opened = NULL;

	memcpy(zeros, whole, length);
	write_journal(*state, zeros, length + 4096);
	opened = open_ok(*state);
	assert_texts(opened, 4, "one+first+second");
}

/* Opens it, as rulesd does, and says what holds; *lost: what was reported, or NULL. */
static char *open_and_mend(const char *path, char **lost)
{
	CLEANUP(state_close) struct state *opened = open_ok(path);
	CLEANUP(numbers_free) struct numbers *numbers = NULL;
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autoptr(GPtrArray) patches = load_patches_new();
	g_autofree char *error = NULL;
	GString *text = g_string_new(NULL);
	bool whole = false;

	if (state_load_numbers(opened, &numbers, &whole, &error) < 0 ||
	    state_load_current(opened, sources, patches, &error) < 0)
		fail_msg("%s", error);
	if (!whole)
		assert_int_equal(state_save_numbers(opened, numbers), 0);
	assert_false(opened->unsound);
	*lost = g_strdup(opened->lost);
	for (guint i = 0; i < sources->len; i++)
		g_string_append(text, ((struct load_source *)sources->pdata[i])->text);
	for (guint i = 0; i < patches->len; i++)
		g_string_append_printf(
			text, "+%s",
			((struct load_source *)((GPtrArray *)patches->pdata[i])->pdata[0])->text);
	return g_string_free(text, FALSE);
}

static void assert_mended(const char *path, const char *expected, const char *word)
{
	g_autofree char *lost = NULL;
	g_autofree char *later = NULL;
	g_autofree char *holds = open_and_mend(path, &lost);
	g_autofree char *again = open_and_mend(path, &later);

	assert_string_equal(holds, expected);
	assert_string_equal(again, expected);
	if (!lost || !strstr(lost, word))
		fail_msg("\"%s\" does not say \"%s\"", lost ? lost : "nothing", word);
	/* Once reported it is not found again, but not forgotten either. */
	if (later && strcmp(later, lost) != 0)
		fail_msg("first \"%s\", then \"%s\"", lost, later);
}

static void a_record_in_the_middle_that_is_damaged_is_reported(void **state)
{
	g_autofree char *whole = NULL;
	gsize length = 0, first, second;

	begin_journal(*state);
	whole = read_journal(*state, &length);
	first = (gsize)(strchr(whole, '\n') - whole) + 1;
	second = (gsize)(strchr(whole + first, '\n') - whole) + 1;
	for (gsize at = 0; at < second; at++) {
		g_autofree char *broken = g_memdup2(whole, length);

		remove_tree(*state);
		begin_journal(*state);
		/* Another case of a hexadecimal digit says the same. */
		broken[at] = (char)(broken[at] ^ 1);
		write_journal(*state, broken, length);
		/* Patches behind it are of what nobody knows; interfaces stand for themselves. */
		assert_mended(*state, "one", "policies/1.journal");
		{
			CLEANUP(state_close) struct state *opened = open_ok(*state);
			g_autoptr(GPtrArray) attached = load_sources_new();
			g_autofree char *error = NULL;

			assert_int_equal(state_load_attached(opened, attached, &error), 0);
			assert_int_equal(attached->len, 1);
			assert_true(opened->generation > 4);
		}
	}
}

static void a_record_that_is_none_of_ours_is_reported(void **state)
{
	static const char *const strange[] = {
		"{}",
		"[]",
		"{\"generation\":5,\"offset\":0}",
		"{\"generation\":5,\"offset\":0,\"attached\":{\"../x\":\"{}\"}}",
		"{\"generation\":5,\"offset\":0,\"attached\":{\"x\":1}}",
		"{\"generation\":5,\"offset\":0,\"patch\":{}}",
		"{\"generation\":-5,\"offset\":0,\"attached\":{}}",
	};
	g_autofree char *policies = g_build_filename(*state, "policies", NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(strange); i++) {
		struct state_journal journal = {.fd = -1};
		g_autofree char *whole = NULL;
		AUTO_FD int dir = -1;

		remove_tree(*state);
		begin_journal(*state);
		whole = read_journal(*state, &journal.length);
		assert_non_null(whole);
		dir = open(policies, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(state_journal_append(dir, "1.journal", &journal, strange[i],
						      strlen(strange[i])),
				 0);
		state_journal_close(&journal);
		assert_mended(*state, "one+first+second", "policies/1.journal");
	}
}

/* The limit on the size of a file stands for a disk that is full. */
static void a_record_for_which_there_is_no_room_leaves_nothing(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	struct state_record record = {.generation = 3};
	g_autofree char *large = g_strnfill(20000, 'x');
	g_autoptr(GPtrArray) sources = sources_of(large);
	struct rlimit before, small;
	gsize length = 0, later = 0;
	g_autofree char *whole = NULL;
	g_autofree char *after = NULL;

	commit_policy(opened, "one", 1, 0);
	patch(opened, "first", 2);
	whole = read_journal(*state, &length);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = length + 5000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(state_append_patch(opened, &record, sources, "api"), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	after = read_journal(*state, &later);
	assert_int_equal(later, length);
	assert_memory_equal(after, whole, length);
	assert_int_equal(opened->journal.length, length);
	assert_null(state_find(opened, 3));
	patch(opened, "second", 3);
	state_close(&opened);
	opened = open_ok(*state);
	assert_texts(opened, 3, "one+first+second");
}

/* What is written there no start would find. */
static void assert_takes_nothing(struct state *opened, bool policies)
{
	struct state_record record = {.generation = 3};
	g_autoptr(GPtrArray) sources = sources_of("lost");

	assert_int_equal(state_append_patch(opened, &record, sources, "api"), -ESTALE);
	assert_int_equal(state_append_attached(opened, &record, "x", "{}", 2), -ESTALE);
	if (!policies)
		assert_int_equal(state_policy_prepare(opened, sources, NULL, "api", "x", 3),
				 -ESTALE);
}

static void what_somebody_removes_or_replaces_takes_no_change(void **state)
{
	static const char *const names[] = {"", "policies", "policies/1.journal",
					    "policies/1.policy"};
	CLEANUP(state_close) struct state *opened = open_ok(*state);

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(*state, names[i], NULL);
		g_autofree char *aside = g_strdup_printf("%s.aside", (char *)*state);
		bool whole = !strstr(names[i], "1.");

		state_close(&opened);
		remove_tree(*state);
		opened = open_ok(*state);
		commit_policy(opened, "one", 1, 0);
		patch(opened, "first", 2);
		assert_int_equal(g_rename(path, aside), 0);
		assert_takes_nothing(opened, !whole);
		if (whole)
			assert_int_equal(g_mkdir(path, 0700), 0);
		else if (strstr(names[i], ".journal"))
			write_file(*state, names[i], "");
		if (!strstr(names[i], ".policy"))
			assert_takes_nothing(opened, !whole);
		remove_tree(path);
		g_unlink(path);
		/* As it was, it goes on. */
		assert_int_equal(g_rename(aside, path), 0);
		patch(opened, "second", 3);
		state_close(&opened);
		opened = open_ok(*state);
		assert_texts(opened, 3, "one+first+second");
	}
}

/* A whole policy does not need what was there. */
static void a_policy_mends_what_somebody_removed(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	g_autofree char *journal = g_build_filename(*state, "policies", "1.journal", NULL);

	commit_policy(opened, "one", 1, 0);
	patch(opened, "first", 2);
	assert_int_equal(g_unlink(journal), 0);
	assert_takes_nothing(opened, true);
	commit_policy(opened, "two", 3, 0);
	patch(opened, "third", 4);
	state_close(&opened);
	opened = open_ok(*state);
	assert_texts(opened, 4, "two+third");
}

/* As the rulesd before journals left it. */
static void a_directory_of_an_older_rulesd_is_taken_over(void **state)
{
	CLEANUP(state_close) struct state *opened = NULL;
	g_autoptr(GPtrArray) attached = load_sources_new();
	g_autoptr(GPtrArray) later = load_sources_new();
	g_autofree char *error = NULL;
	g_autofree char *current = g_build_filename(*state, "current.json", NULL);
	g_autofree char *text = NULL;

	state_close(&(struct state *){open_ok(*state)});
	write_file(*state, "policies/3.json",
		   "{\n \"files\": [\n  {\n   \"name\": \"a.json\",\n   \"text\": \"old\\n\"\n  "
		   "}\n ]\n}");
	write_file(*state, "attached/vm.json", "{\"x\":1}");
	write_file(*state, "attached/other.json", "{}");
	write_file(*state, "current.json",
		   "{\"version\":1,\"generation\":7,\"offset\":2,\"generations\":[{\"generation\":"
		   "6,\"time\":\"2026-01-01T00:00:00Z\",\"sha256\":\"ab\",\"source\":\"api\","
		   "\"file\":\"3.json\"}]}");
	opened = open_ok(*state);
	assert_texts(opened, 6, "old\n");
	assert_int_equal(opened->generation, 7);
	assert_int_equal(state_load_attached(opened, attached, &error), 0);
	assert_int_equal(attached->len, 2);
	patch(opened, "a", 8);
	attach(opened, 9, "vm", NULL);
	/* From here on the older one would miss something, so it must not start. */
	assert_true(g_file_get_contents(current, &text, NULL, NULL));
	assert_non_null(strstr(text, "\"version\": 3"));
	state_close(&opened);
	opened = open_ok(*state);
	assert_texts(opened, 6, "old\n");
	assert_texts(opened, 8, "old\n+a");
	commit_policy(opened, "new", 10, 0);
	state_close(&opened);
	opened = open_ok(*state);
	assert_int_equal(state_load_attached(opened, later, &error), 0);
	assert_int_equal(later->len, 1);
	assert_string_equal(((struct load_source *)later->pdata[0])->name, "other");
}

static void numbers_come_back_with_what_the_journal_added(void **state)
{
	bool whole = false;
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	CLEANUP(numbers_free) struct numbers *numbers = NULL;
	g_autofree char *error = NULL;
	uint32_t peer, policy;

	assert_int_equal(state_load_numbers(opened, &numbers, &whole, &error), 0);
	peer = numbers_get(numbers, NUMBER_PEER, "default:sg-a");
	assert_int_equal(state_save_numbers(opened, numbers), 0);
	assert_int_equal(state_save_marks(opened, numbers), 0);
	assert_null(numbers_news(numbers));
	assert_int_equal(numbers_get(numbers, NUMBER_PEER, "default:sg-b"), peer + 1);
	policy = numbers_next_policy(numbers);
	{
		AUTO_JSON json_t *news = numbers_news(numbers);
		struct state_record record = {.generation = 2, .numbers = news};

		assert_non_null(news);
		assert_int_equal(state_append_attached(opened, &record, "x", "{}", 2), 0);
	}
	/* Given out, and lost in a crash: nobody else may get it. */
	assert_int_equal(numbers_get(numbers, NUMBER_PEER, "default:sg-c"), peer + 2);
	state_close(&opened);
	numbers_free(&numbers);
	opened = open_ok(*state);
	assert_int_equal(state_load_numbers(opened, &numbers, &whole, &error), 0);
	assert_int_equal(numbers_find(numbers, NUMBER_PEER, "default:sg-a"), peer);
	assert_int_equal(numbers_find(numbers, NUMBER_PEER, "default:sg-b"), peer + 1);
	assert_int_equal(numbers_find(numbers, NUMBER_PEER, "default:sg-c"), 0);
	assert_true(numbers_get(numbers, NUMBER_PEER, "default:sg-d") > peer + 2);
	assert_true(numbers_next_policy(numbers) > policy);
}

/* ---------------------------------------------------------------- damage */

static void a_newer_rulesd_is_refused(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	static const char newer[] =
		"{\"version\":4,\"generation\":1,\"offset\":0,\"generations\":[]}";

	assert_int_equal(state_seal_write_text(opened->dir, "current.json", newer), 0);
	state_close(&opened);
	assert_refused(*state, -EINVAL, "version 4, this rulesd knows 1 to 3");
}

static void begin_directory(const char *path)
{
	CLEANUP(state_close) struct state *opened = open_ok(path);
	CLEANUP(numbers_free) struct numbers *numbers = numbers_new();

	numbers_get(numbers, NUMBER_PEER, "default:sg-a");
	assert_int_equal(state_save_numbers(opened, numbers), 0);
	commit_policy(opened, "one", 1, 0);
	patch(opened, "first", 2);
	assert_int_equal(state_save_numbers(opened, numbers), 0);
	commit_policy(opened, "two", 3, 0);
	attach(opened, 4, "vm", "{}");
	patch(opened, "second", 5);
}

static const struct {
	const char *name;
	const char *missing; /* what holds when it is not there */
	const char *damaged; /* or is not what it was; NULL: may be either of the last two */
	const char *other;
} files[] = {
	{"current.json", "two+second", "two+second", NULL},
	{"numbers.json", "two+second", "two+second", NULL},
	{"marks.json", "two+second", "two+second", NULL},
	{"policies/2.policy", "one+first", "one+first", NULL},
	{"policies/2.journal", "two", "two", "two+second"},
};

static char *read_file(const char *path, const char *name, gsize *length)
{
	g_autofree char *file = g_build_filename(path, name, NULL);
	char *data = NULL;

	assert_true(g_file_get_contents(file, &data, length, NULL));
	return data;
}

static void write_bytes(const char *path, const char *name, const char *data, gsize length)
{
	g_autofree char *file = g_build_filename(path, name, NULL);

	assert_true(g_file_set_contents(file, data, (gssize)length, NULL));
}

static void a_missing_file_is_reported_and_the_newest_good_policy_holds(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *file = g_build_filename(*state, files[i].name, NULL);

		remove_tree(*state);
		begin_directory(*state);
		assert_int_equal(unlink(file), 0);
		assert_mended(*state, files[i].missing, files[i].name);
	}
}

static void a_cut_file_is_reported_and_the_newest_good_policy_holds(void **state)
{
	for (size_t i = 0; i + 1 < G_N_ELEMENTS(files); i++) {
		gsize length = 0;

		for (gsize cut = 0; !length || cut < length; cut += 7) {
			g_autofree char *data = NULL;

			remove_tree(*state);
			begin_directory(*state);
			data = read_file(*state, files[i].name, &length);
			write_bytes(*state, files[i].name, data, cut);
			assert_mended(*state, files[i].damaged, files[i].name);
		}
	}
}

/* One bit of every byte of every file. */
static void a_flipped_bit_is_reported_and_the_newest_good_policy_holds(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		gsize length = 0;

		for (gsize at = 0; !length || at < length; at++) {
			g_autofree char *data = NULL;
			g_autofree char *lost = NULL;
			g_autofree char *holds = NULL;

			remove_tree(*state);
			begin_directory(*state);
			data = read_file(*state, files[i].name, &length);
			data[at] = (char)(data[at] ^ (1 << at % 8));
			write_bytes(*state, files[i].name, data, length);
			holds = open_and_mend(*state, &lost);
			if (strcmp(holds, files[i].damaged) != 0 &&
			    g_strcmp0(holds, files[i].other) != 0)
				fail_msg("byte %zu of %s: \"%s\" holds", at, files[i].name, holds);
			/* Another case of a hexadecimal digit says the same. */
			if (!lost && !(files[i].other && g_ascii_isxdigit(data[at])))
				fail_msg("byte %zu of %s: nothing is reported", at, files[i].name);
		}
	}
}

static void an_earlier_policy_that_is_damaged_is_refused_when_it_is_asked_for(void **state)
{
	CLEANUP(state_close) struct state *opened = NULL;
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autoptr(GPtrArray) patches = load_patches_new();
	g_autofree char *data = NULL;
	g_autofree char *error = NULL;
	gsize length = 0;

	begin_directory(*state);
	data = read_file(*state, "policies/1.policy", &length);
	data[length - 1] ^= 4;
	write_bytes(*state, "policies/1.policy", data, length);
	opened = open_ok(*state);
	assert_null(opened->lost);
	assert_int_equal(
		state_load_sources(opened, state_find(opened, 1), sources, patches, &error),
		-EBADMSG);
	assert_non_null(strstr(error, "policies/1.policy is damaged"));
}

/* What is lost stays known until somebody says otherwise. */
static void what_was_lost_is_remembered(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);

	commit_policy(opened, "one", 1, 0);
	assert_int_equal(state_set_lost(opened, "numbers.json: it is missing"), 0);
	state_close(&opened);
	opened = open_ok(*state);
	assert_string_equal(opened->lost, "numbers.json: it is missing");
	assert_int_equal(opened->damage->len, 0);
	commit_policy(opened, "two", 2, 0);
	state_close(&opened);
	opened = open_ok(*state);
	assert_non_null(opened->lost);
	assert_int_equal(state_set_lost(opened, NULL), 0);
	state_close(&opened);
	opened = open_ok(*state);
	assert_null(opened->lost);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_the_old_one_until_it_is_committed),
		TEST(an_aborted_file_leaves_nothing),
		TEST(a_link_in_its_place_is_not_followed),
		TEST(the_directory_is_made_private_and_locked),
		TEST(a_directory_that_others_can_write_is_refused),
		TEST(an_empty_directory_holds_nothing),
		TEST(policies_come_back_and_the_last_one_holds),
		TEST(a_policy_that_was_not_committed_never_was),
		TEST(an_aborted_policy_leaves_nothing_and_the_next_one_works),
		TEST(only_so_many_generations_are_kept),
		TEST(the_generation_that_users_saw_never_goes_back),
		TEST(attached_interfaces_come_back_as_they_were_given),
		TEST(patches_come_back_and_each_is_a_generation),
		TEST(a_policy_may_be_one_with_patches),
		TEST(only_so_many_patches_are_kept_as_generations),
		TEST(a_record_that_a_crash_cut_is_left_out),
		TEST(a_record_in_the_middle_that_is_damaged_is_reported),
		TEST(a_record_that_is_none_of_ours_is_reported),
		TEST(a_record_for_which_there_is_no_room_leaves_nothing),
		TEST(what_somebody_removes_or_replaces_takes_no_change),
		TEST(a_policy_mends_what_somebody_removed),
		TEST(a_directory_of_an_older_rulesd_is_taken_over),
		TEST(numbers_come_back_with_what_the_journal_added),
		TEST(a_newer_rulesd_is_refused),
		TEST(a_missing_file_is_reported_and_the_newest_good_policy_holds),
		TEST(a_cut_file_is_reported_and_the_newest_good_policy_holds),
		TEST(a_flipped_bit_is_reported_and_the_newest_good_policy_holds),
		TEST(an_earlier_policy_that_is_damaged_is_refused_when_it_is_asked_for),
		TEST(what_was_lost_is_remembered),
	};

	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
