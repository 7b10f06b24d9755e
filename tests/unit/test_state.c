/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_state.c - the state directory: what was committed comes back, what was not leaves no trace,
 * and what is damaged is refused by name.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/state.h"
#include "rulesd/state_file.h"
#include "tests/lib/check.h"

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

static void free_source(gpointer source)
{
	load_source_free(source);
}

static GPtrArray *sources_of(const char *text)
{
	GPtrArray *sources = g_ptr_array_new_with_free_func(free_source);
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup("a.json");
	source->text = g_strdup(text);
	source->length = strlen(text);
	g_ptr_array_add(sources, source);
	return sources;
}

static void commit_policy(struct state *opened, const char *text, uint64_t generation,
			  uint64_t offset)
{
	g_autoptr(GPtrArray) sources = sources_of(text);

	assert_int_equal(state_policy_prepare(opened, sources, "api", text, generation), 0);
	assert_int_equal(state_policy_commit(opened, generation, offset), 0);
}

static void assert_holds(const struct state *opened, const char *text, uint64_t generation)
{
	const struct state_generation *current = state_current(opened);
	g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(free_source);
	g_autofree char *error = NULL;
	const struct load_source *source;

	assert_non_null(current);
	assert_int_equal(current->generation, generation);
	assert_int_equal(state_load_sources(opened, current, sources, &error), 0);
	assert_int_equal(sources->len, 1);
	source = sources->pdata[0];
	assert_string_equal(source->name, "a.json");
	assert_string_equal(source->text, text);
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
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	CLEANUP(numbers_free) struct numbers *numbers = NULL;
	g_autoptr(GPtrArray) attached = g_ptr_array_new_with_free_func(free_source);
	g_autofree char *error = NULL;

	assert_null(state_current(opened));
	assert_int_equal(opened->generation, 0);
	assert_int_equal(state_load_numbers(opened, &numbers, &error), 0);
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
	assert_int_equal(state_policy_prepare(opened, sources, "api", "sha", 2), 0);
	assert_true(exists(*state, "current.json" STATE_FILE_TEMP));
	assert_true(exists(*state, "policies/2.json"));
	state_close(&opened);
	opened = open_ok(*state);
	assert_holds(opened, "one", 1);
	assert_false(exists(*state, "current.json" STATE_FILE_TEMP));
	assert_false(exists(*state, "policies/2.json"));
}

static void an_aborted_policy_leaves_nothing_and_the_next_one_works(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	g_autoptr(GPtrArray) sources = sources_of("two");

	commit_policy(opened, "one", 1, 0);
	assert_int_equal(state_policy_prepare(opened, sources, "api", "sha", 2), 0);
	state_policy_abort(opened);
	assert_holds(opened, "one", 1);
	assert_false(exists(*state, "policies/2.json"));
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
	assert_int_equal(files, STATE_MAX_GENERATIONS);
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
	g_autoptr(GPtrArray) attached = g_ptr_array_new_with_free_func(free_source);
	g_autofree char *error = NULL;
	const struct load_source *source;

	assert_int_equal(state_attached_prepare(opened, "kept", "{\"a\":1}", 7), 0);
	assert_int_equal(state_attached_commit(opened, "kept"), 0);
	assert_int_equal(state_attached_prepare(opened, "lost", "{}", 2), 0);
	assert_int_equal(state_attached_prepare(opened, "gone", "{}", 2), 0);
	assert_int_equal(state_attached_commit(opened, "gone"), 0);
	assert_int_equal(state_attached_remove(opened, "gone"), 0);
	assert_int_equal(state_attached_remove(opened, "never"), 0);
	state_close(&opened);
	opened = open_ok(*state);
	assert_int_equal(state_load_attached(opened, attached, &error), 0);
	assert_int_equal(attached->len, 1);
	source = attached->pdata[0];
	assert_string_equal(source->name, "kept");
	assert_string_equal(source->text, "{\"a\":1}");
	assert_false(exists(*state, "attached/lost.json" STATE_FILE_TEMP));
}

static void numbers_are_written_only_when_they_differ(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	CLEANUP(numbers_free) struct numbers *numbers = NULL;
	g_autofree char *path = g_build_filename(*state, "numbers.json", NULL);
	g_autofree char *error = NULL;
	struct stat first, second;

	assert_int_equal(state_load_numbers(opened, &numbers, &error), 0);
	assert_int_equal(state_save_numbers(opened, numbers), 0);
	assert_int_equal(stat(path, &first), 0);
	assert_int_equal(state_save_numbers(opened, numbers), 0);
	assert_int_equal(stat(path, &second), 0);
	assert_int_equal(first.st_ino, second.st_ino); /* a write is a rename of another file */
}

/* ---------------------------------------------------------------- damage */

static void damaged_files_are_refused_by_name(void **state)
{
	static const char not_in_policies[] =
		"{\"version\":1,\"generation\":1,\"offset\":0,\"generations\":[{\"generation\":1,"
		"\"time\":\"\",\"sha256\":\"\",\"source\":\"\",\"file\":\"../../x\"}]}";
	static const char *const broken[] = {
		"",
		"{",
		"[]",
		"{\"version\":1}",
		"{\"version\":1,\"generation\":1,\"offset\":0,\"generations\":1}",
		"{\"version\":1,\"generation\":1,\"offset\":0,\"generations\":[{}]}",
		not_in_policies,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
		write_file(*state, "current.json", broken[i]);
		assert_refused(*state, -EINVAL, "current.json is damaged");
	}
	write_file(*state, "current.json",
		   "{\"version\":2,\"generation\":1,\"offset\":0,\"generations\":[]}");
	assert_refused(*state, -EINVAL, "version 2");
}

static void damaged_numbers_and_policies_are_refused_by_name(void **state)
{
	CLEANUP(state_close) struct state *opened = open_ok(*state);
	g_autoptr(GPtrArray) sources = g_ptr_array_new_with_free_func(free_source);
	struct numbers *numbers = NULL;
	g_autofree char *error = NULL;
	g_autofree char *other = NULL;
	g_autofree char *missing = NULL;

	commit_policy(opened, "one", 1, 0);
	write_file(*state, "numbers.json", "{\"slot\":");
	assert_int_equal(state_load_numbers(opened, &numbers, &error), -EINVAL);
	assert_null(numbers);
	assert_non_null(strstr(error, "numbers.json is damaged"));
	write_file(*state, "policies/1.json", "{\"files\":1}");
	assert_int_equal(state_load_sources(opened, state_current(opened), sources, &other),
			 -EINVAL);
	assert_non_null(strstr(other, "policies/1.json is damaged"));
	state_close(&opened);
	opened = open_ok(*state);
	unlinkat(opened->policies, "1.json", 0);
	assert_int_equal(state_load_sources(opened, state_current(opened), sources, &missing),
			 -ENOENT);
	assert_non_null(strstr(missing, "policies/1.json"));
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
		TEST(numbers_are_written_only_when_they_differ),
		TEST(damaged_files_are_refused_by_name),
		TEST(damaged_numbers_and_policies_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
