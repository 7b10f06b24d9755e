/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state.c - opening, locking and reading the state directory; see state.h for its layout.
 */
#include "rulesd/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"
#include "rulesd/state_file.h"
#include "rulesd/state_json.h"

static int fail(char **error, int err, const char *path, const char *what)
{
	*error = g_strdup_printf("state directory %s: %s: %s", path, what, g_strerror(-err));
	return err;
}

void state_generation_free(struct state_generation *generation)
{
	if (!generation)
		return;
	g_free(generation->time);
	g_free(generation->sha256);
	g_free(generation->source);
	g_free(generation->file);
	g_free(generation);
}

void state_close(struct state **state)
{
	struct state *s = TAKE_PTR(*state);

	if (!s)
		return;
	cleanup_fd(&s->dir);
	cleanup_fd(&s->policies);
	cleanup_fd(&s->attached);
	cleanup_fd(&s->lock);
	state_journal_close(&s->journal);
	state_journal_close(&s->next_journal);
	g_ptr_array_unref(s->generations);
	g_ptr_array_unref(s->news);
	g_hash_table_unref(s->attached_changes);
	g_hash_table_unref(s->attached_files);
	state_generation_free(s->pending);
	g_free(s->path);
	g_free(s);
}

/* It holds what decides over traffic: nobody but its owner may get at it. */
static int check_owner(const struct state *state, char **error)
{
	struct stat st;

	if (fstat(state->dir, &st) < 0)
		return fail(error, -errno, state->path, "stat");
	if (st.st_uid != geteuid()) {
		*error = g_strdup_printf("state directory %s belongs to uid %u, not to rulesd's "
					 "%u: chown it",
					 state->path, st.st_uid, geteuid());
		return -EPERM;
	}
	if (st.st_mode & 022) {
		*error = g_strdup_printf("state directory %s: others than its owner can write it: "
					 "look at what is in it, then chmod 0700",
					 state->path);
		return -EPERM;
	}
	if (st.st_mode & 077 && fchmod(state->dir, 0700) < 0)
		return fail(error, -errno, state->path, "chmod 0700");
	return 0;
}

static int take_lock(struct state *state, char **error)
{
	state->lock = openat(state->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (state->lock < 0)
		return fail(error, -errno, state->path, "lock");
	if (flock(state->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return fail(error, -errno, state->path, "lock");
	*error = g_strdup_printf("state directory %s is in use by another rulesd: stop it, or give "
				 "this one its own --state-dir",
				 state->path);
	return -EBUSY;
}

bool state_in_use(const char *path)
{
	g_autofree char *name = g_build_filename(path, "lock", NULL);
	AUTO_FD int fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int open_below(struct state *state, const char *name, int *fd, char **error)
{
	if (mkdirat(state->dir, name, 0700) < 0 && errno != EEXIST)
		return fail(error, -errno, state->path, name);
	*fd = openat(state->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *fd < 0 ? fail(error, -errno, state->path, name) : 0;
}

/* Names of the files in a directory, but no temporary ones: those were of a change that never was.
 */
static int list_files(int dir, GPtrArray *names)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream;
	struct dirent *entry;

	if (copy < 0)
		return -errno;
	stream = fdopendir(copy);
	if (!stream) {
		int saved = errno;

		close(copy);
		return -saved;
	}
	while ((entry = readdir(stream))) {
		if (g_str_has_suffix(entry->d_name, STATE_FILE_TEMP))
			unlinkat(dir, entry->d_name, 0);
		else if (g_str_has_suffix(entry->d_name, ".json") ||
			 g_str_has_suffix(entry->d_name, ".policy") ||
			 g_str_has_suffix(entry->d_name, ".journal"))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	closedir(stream);
	return 0;
}

static bool used(const struct state *state, const char *name)
{
	const struct state_generation *current = state_current(state);
	g_autofree char *journal = state_journal_name(current ? current->file : NULL);

	if (strcmp(journal, name) == 0)
		return true;
	for (guint i = 0; i < state->generations->len; i++) {
		const struct state_generation *known = state->generations->pdata[i];
		g_autofree char *patches = state_journal_name(known->file);

		if (strcmp(known->file, name) == 0 || strcmp(patches, name) == 0)
			return true;
	}
	return false;
}

/* Removes policies that no generation names: too old, or of a change that never was. */
static int tidy_policies(struct state *state, char **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	int err = list_files(state->policies, names);

	if (err < 0)
		return fail(error, err, state->path, "policies");
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		guint64 number = g_ascii_strtoull(name, NULL, 10);

		if (!used(state, name))
			unlinkat(state->policies, name, 0);
		else if (number >= state->next_file)
			state->next_file = number + 1;
	}
	return 0;
}

static int list_attached(struct state *state, char **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	int err = list_files(state->attached, names);

	if (err < 0)
		return fail(error, err, state->path, "attached");
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];

		g_hash_table_add(state->attached_files,
				 g_strndup(name, strlen(name) - strlen(".json")));
	}
	return 0;
}

static int replay(const char *text, size_t length, void *arg)
{
	return state_record_from_text(arg, text, length);
}

static int read_journal(struct state *state, char **error)
{
	const struct state_generation *current = state_current(state);
	g_autofree char *name = state_journal_name(current ? current->file : NULL);
	g_autofree char *path = g_strconcat("policies/", name, NULL);
	int err;

	state->patches = 0;
	err = state_journal_read(state->policies, name, replay, state, &state->journal);
	if (err == -EBADMSG)
		return state_damaged(error, state->path, path,
				     "a record in the middle is not what rulesd wrote");
	if (err == -EINVAL)
		return state_damaged(error, state->path, path,
				     "a record is not what rulesd writes");
	if (err < 0)
		return fail(error, err, state->path, path);
	if (state->journal.torn)
		log_warning("state directory %s: %s ends in a change that nobody was told holds: "
			    "it is left out",
			    state->path, path);
	state_prune(state);
	return 0;
}

static int read_current(struct state *state, char **error)
{
	g_autofree char *text = NULL;
	size_t length = 0;
	int err = state_file_read(state->dir, "current.json", &text, &length);

	if (err == -ENOENT)
		return 0;
	if (err < 0)
		return fail(error, err, state->path, "current.json");
	return state_current_from_text(state, text, length, error);
}

static void json_decref_of(json_t *json)
{
	json_decref(json);
}

static void unref_bytes(gpointer bytes)
{
	if (bytes)
		g_bytes_unref(bytes);
}

int state_open(const char *path, struct state **state, char **error)
{
	CLEANUP(state_close) struct state *s = g_new0(struct state, 1);
	g_autoptr(GPtrArray) leftovers = g_ptr_array_new_with_free_func(g_free);
	int err;

	s->path = g_strdup(path);
	s->dir = s->policies = s->attached = s->lock = -1;
	s->next_file = 1;
	s->journal.fd = s->next_journal.fd = -1;
	s->generations = g_ptr_array_new_with_free_func(
		(GDestroyNotify)(void (*)(void))state_generation_free);
	s->news = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))json_decref_of);
	s->attached_changes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_bytes);
	s->attached_files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (g_mkdir_with_parents(path, 0700) < 0)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): state_close() runs on every return */
		return fail(error, -errno, path, "mkdir");
	s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return fail(error, -errno, path, "open");
	err = check_owner(s, error);
	if (err < 0)
		return err;
	err = take_lock(s, error);
	if (err < 0)
		return err;
	err = list_files(s->dir, leftovers);
	if (err < 0)
		return fail(error, err, path, "read");
	err = open_below(s, "policies", &s->policies, error);
	if (err < 0)
		return err;
	err = open_below(s, "attached", &s->attached, error);
	if (err < 0)
		return err;
	err = read_current(s, error);
	if (err == 0)
		err = list_attached(s, error);
	if (err == 0)
		err = read_journal(s, error);
	if (err < 0)
		return err;
	err = tidy_policies(s, error);
	if (err < 0)
		return err;
	*state = TAKE_PTR(s);
	return 0;
}

struct state_generation *state_current(const struct state *state)
{
	if (state->generations->len == 0)
		return NULL;
	return state->generations->pdata[state->generations->len - 1];
}

const struct state_generation *state_find(const struct state *state, uint64_t generation)
{
	for (guint i = 0; i < state->generations->len; i++) {
		const struct state_generation *entry = state->generations->pdata[i];

		if (entry->generation == generation)
			return entry;
	}
	return NULL;
}

/* *json: NULL when there is no such file. */
static int read_json(struct state *state, const char *name, json_t **json, char **error)
{
	g_autofree char *text = NULL;
	size_t length = 0;
	int err = state_file_read(state->dir, name, &text, &length);

	if (err == -ENOENT)
		return 0;
	if (err < 0)
		return fail(error, err, state->path, name);
	*json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	return *json ? 0
		     : state_damaged(error, state->path, name,
				     "its content is not what rulesd writes");
}

int state_load_numbers(struct state *state, struct numbers **numbers, char **error)
{
	CLEANUP(numbers_free) struct numbers *made = NULL;
	AUTO_JSON json_t *snapshot = NULL;
	AUTO_JSON json_t *marks = NULL;
	int err = read_json(state, "numbers.json", &snapshot, error);

	if (err == 0)
		err = read_json(state, "marks.json", &marks, error);
	if (err < 0)
		return err;
	if (!snapshot)
		made = numbers_new();
	else if (numbers_from_json(&made, snapshot) < 0)
		return state_damaged(error, state->path, "numbers.json",
				     "its content is not what rulesd writes");
	for (guint i = 0; i < state->news->len; i++)
		if (numbers_add_news(made, state->news->pdata[i]) < 0)
			return state_damaged(error, state->path, "policies",
					     "the numbers in a journal are not what rulesd writes");
	g_ptr_array_set_size(state->news, 0);
	if (marks && numbers_skip(made, marks) < 0)
		return state_damaged(error, state->path, "marks.json",
				     "its content is not what rulesd writes");
	numbers_news_written(made);
	*numbers = TAKE_PTR(made);
	return 0;
}

static size_t size_of(const struct state *state, const char *name)
{
	struct stat st;

	return fstatat(state->policies, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0
									    : (size_t)st.st_size;
}

size_t state_policy_size(const struct state *state, const struct state_generation *generation)
{
	g_autofree char *journal = state_journal_name(generation->file);

	return size_of(state, generation->file) +
	       (generation->patches ? size_of(state, journal) : 0);
}

struct patch_reader {
	GPtrArray *patches;
	uint32_t left;
};

static int read_patch(const char *text, size_t length, void *arg)
{
	struct patch_reader *reader = arg;
	int err;

	if (!reader->left)
		return 0;
	err = state_patch_from_text(text, length, reader->patches);
	reader->left -= err == 0;
	return MIN(err, 0);
}

static int load_patches(const struct state *state, const struct state_generation *generation,
			GPtrArray *patches, char **error)
{
	struct patch_reader reader = {.patches = patches, .left = generation->patches};
	g_autofree char *name = state_journal_name(generation->file);
	g_autofree char *path = g_strconcat("policies/", name, NULL);
	int err = 0;

	if (generation->patches)
		err = state_journal_read(state->policies, name, read_patch, &reader, NULL);
	if (err < 0 && err != -EBADMSG && err != -EINVAL)
		return fail(error, err, state->path, path);
	if (err < 0 || reader.left)
		return state_damaged(error, state->path, path, "patches of a policy are missing");
	return 0;
}

int state_load_sources(const struct state *state, const struct state_generation *generation,
		       GPtrArray *sources, GPtrArray *patches, char **error)
{
	g_autofree char *text = NULL;
	size_t length = 0;
	g_autofree char *name = g_strconcat("policies/", generation->file, NULL);
	int err = state_file_read(state->policies, generation->file, &text, &length);

	if (err < 0)
		return fail(error, err, state->path, name);
	if (state_policy_from_text(text, length, sources, patches) < 0)
		return state_damaged(error, state->path, name,
				     "its content is not what rulesd writes");
	return load_patches(state, generation, patches, error);
}

static void add_attached(GPtrArray *interfaces, const char *id, char *text, size_t length)
{
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup(id);
	source->text = text;
	source->length = length;
	g_ptr_array_add(interfaces, source);
}

int state_load_attached(const struct state *state, GPtrArray *interfaces, char **error)
{
	GHashTableIter iter;
	gpointer id, bytes;

	g_hash_table_iter_init(&iter, state->attached_files);
	while (g_hash_table_iter_next(&iter, &id, NULL)) {
		g_autofree char *name = g_strconcat(id, ".json", NULL);
		char *text = NULL;
		size_t length = 0;
		int err;

		if (g_hash_table_contains(state->attached_changes, id))
			continue;
		err = state_file_read(state->attached, name, &text, &length);
		if (err < 0)
			return fail(error, err, state->path, name);
		add_attached(interfaces, id, text, length);
	}
	g_hash_table_iter_init(&iter, state->attached_changes);
	while (g_hash_table_iter_next(&iter, &id, &bytes)) {
		gsize length = 0;
		const char *text = bytes ? g_bytes_get_data(bytes, &length) : NULL;

		if (text)
			add_attached(interfaces, id, g_strndup(text, length), length);
	}
	return 0;
}
