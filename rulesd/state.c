/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state.c - opening, locking and reading the state directory; see state.h for its layout.
 */
#include "rulesd/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"
#include "rulesd/state_file.h"
#include "rulesd/state_json.h"
#include "rulesd/state_seal.h"

int state_fail(char **error, int err, const char *path, const char *what)
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
	g_ptr_array_unref(s->damage);
	g_ptr_array_unref(s->news);
	g_free(s->lost);
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
		return state_fail(error, -errno, state->path, "stat");
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
		return state_fail(error, -errno, state->path, "chmod 0700");
	return 0;
}

static int take_lock(struct state *state, char **error)
{
	state->lock = openat(state->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* What it has is in force then, and nothing new can be. */
	if (state->lock < 0 && errno == EROFS)
		state->lock = openat(state->dir, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (state->lock < 0)
		return state_fail(error, -errno, state->path, "lock");
	if (flock(state->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return state_fail(error, -errno, state->path, "lock");
	*error = g_strdup_printf("state directory %s is in use by another rulesd: stop it, or give "
				 "this one its own --state-dir",
				 state->path);
	return -EBUSY;
}

bool state_in_use(const char *path)
{
	g_autofree char *name = g_build_filename(path, "lock", NULL);
	AUTO_FD int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int open_below(struct state *state, const char *name, int *fd, char **error)
{
	if (mkdirat(state->dir, name, 0700) < 0 && errno != EEXIST)
		return state_fail(error, -errno, state->path, name);
	*fd = openat(state->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *fd < 0 ? state_fail(error, -errno, state->path, name) : 0;
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
static void tidy_policies(struct state *state, const GPtrArray *names)
{
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		guint64 number = g_ascii_strtoull(name, NULL, 10);

		if (number >= state->next_file)
			state->next_file = number + 1;
		/* What is damaged may be of use to somebody who knows more than we do. */
		if (!used(state, name) && !state->damage->len)
			unlinkat(state->policies, name, 0);
	}
}

static int list_attached(struct state *state, char **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	int err = list_files(state->attached, names);

	if (err < 0)
		return state_fail(error, err, state->path, "attached");
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];

		g_hash_table_add(state->attached_files,
				 g_strndup(name, strlen(name) - strlen(".json")));
	}
	return 0;
}

/* *known: there is a current.json, and it says what holds. */
static int read_current(struct state *state, bool *known, char **error)
{
	g_autofree char *text = NULL;
	size_t length = 0;
	bool sealed = false;
	int err = state_seal_read(state->dir, "current.json", false, &text, &length, &sealed);

	*known = false;
	if (err == -ENOENT)
		return 0;
	if (err == 0)
		err = state_current_from_text(state, text, length, sealed, error);
	if (err == -EBADMSG) {
		g_ptr_array_set_size(state->generations, 0);
		state_report_damage(state, "current.json", "its checksum is wrong");
		return 0;
	}
	if (err < 0)
		return *error ? err : state_fail(error, err, state->path, "current.json");
	*known = true;
	return 0;
}

static int read_policies(struct state *state, char **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	bool known = false;
	int err = read_current(state, &known, error);

	if (err < 0)
		return err;
	err = list_files(state->policies, names);
	if (err < 0)
		return state_fail(error, err, state->path, "policies");
	err = known ? state_read_journal(state, error) : state_rebuild(state, names, error);
	if (err < 0)
		return err;
	tidy_policies(state, names);
	return 0;
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
	s->damage = g_ptr_array_new_with_free_func(g_free);
	s->news = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))json_decref_of);
	s->attached_changes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_bytes);
	s->attached_files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (g_mkdir_with_parents(path, 0700) < 0)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): state_close() runs on every return */
		return state_fail(error, -errno, path, "mkdir");
	s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return state_fail(error, -errno, path, "open");
	err = check_owner(s, error);
	if (err < 0)
		return err;
	err = take_lock(s, error);
	if (err < 0)
		return err;
	err = list_files(s->dir, leftovers);
	if (err < 0)
		return state_fail(error, err, path, "read");
	err = open_below(s, "policies", &s->policies, error);
	if (err < 0)
		return err;
	err = open_below(s, "attached", &s->attached, error);
	if (err < 0)
		return err;
	err = list_attached(s, error);
	if (err == 0)
		err = read_policies(s, error);
	if (err < 0)
		return err;
	/* What is damaged is written anew when it is known what holds. */
	err = s->damage->len ? 0 : state_take_over(s);
	if (err < 0)
		log_warning("state directory %s: cannot be written: %s; changes will be refused",
			    path, g_strerror(-err));
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

/* *json: NULL when there is no such file, or none that can be believed: then *whole is false. */
static int read_json(struct state *state, const char *name, json_t **json, bool *whole,
		     char **error)
{
	g_autofree char *text = NULL;
	size_t length = 0;
	int err = state_seal_read(state->dir, name, state->sealed, &text, &length, NULL);

	*json = err == 0 ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (err == 0 && !*json)
		err = -EBADMSG;
	if (err == -EBADMSG) {
		*whole = false;
		state_report_damage(state, name, "its checksum is wrong");
	} else if (err == -ENOENT && state->has_numbers) {
		*whole = false;
		state_report_damage(state, name, "it is missing");
	} else if (err < 0 && err != -ENOENT) {
		return state_fail(error, err, state->path, name);
	}
	return 0;
}

int state_load_numbers(struct state *state, struct numbers **numbers, bool *whole, char **error)
{
	CLEANUP(numbers_free) struct numbers *made = NULL;
	AUTO_JSON json_t *snapshot = NULL;
	AUTO_JSON json_t *marks = NULL;
	int err;

	*whole = !state->damage->len;
	err = read_json(state, "numbers.json", &snapshot, whole, error);
	if (err == 0)
		err = read_json(state, "marks.json", &marks, whole, error);
	if (err < 0)
		return err;
	if (snapshot && numbers_from_json(&made, snapshot) < 0) {
		*whole = false;
		state_report_damage(state, "numbers.json", "its content is not what rulesd writes");
	}
	if (!made)
		made = numbers_new();
	for (guint i = 0; i < state->news->len; i++)
		if (numbers_add_news(made, state->news->pdata[i]) < 0) {
			*whole = false;
			state_report_damage(state, "policies",
					    "numbers of a journal contradict numbers.json");
		}
	g_ptr_array_set_size(state->news, 0);
	if (marks && numbers_skip(made, marks) < 0) {
		*whole = false;
		state_report_damage(state, "marks.json", "its content is not what rulesd writes");
	}
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

static int read_patch(const char *text, size_t length, bool behind, void *arg)
{
	struct patch_reader *reader = arg;
	int err;

	if (!reader->left || behind)
		return 0;
	err = state_patch_from_text(text, length, reader->patches);
	reader->left -= err == 0;
	return MIN(err, 0);
}

int state_load_patches(const struct state *state, const struct state_generation *generation,
		       GPtrArray *patches, char **error)
{
	struct patch_reader reader = {.patches = patches, .left = generation->patches};
	g_autofree char *name = state_journal_name(generation->file);
	g_autofree char *path = g_strconcat("policies/", name, NULL);
	int err = 0;

	if (generation->patches)
		err = state_journal_read(state->policies, name, read_patch, &reader, NULL);
	if (err < 0)
		return state_fail(error, err, state->path, path);
	if (reader.left) {
		*error = g_strdup_printf("state directory %s: %s: patches of generation %" PRIu64
					 " are damaged or missing",
					 state->path, path, generation->generation);
		return -EBADMSG;
	}
	return 0;
}

int state_load_policy(const struct state *state, const struct state_generation *generation,
		      GPtrArray *sources, GPtrArray *patches, char **error)
{
	g_autofree char *text = NULL;
	size_t length = 0;
	bool sealed = false;
	g_autofree char *name = g_strconcat("policies/", generation->file, NULL);
	int err =
		state_seal_read(state->policies, generation->file, false, &text, &length, &sealed);

	if (err == 0 && state_policy_from_text(&text, length, sealed, sources, patches) < 0)
		err = -EBADMSG;
	if (err == -EBADMSG) {
		*error = g_strdup_printf("state directory %s: %s is damaged: its checksum is wrong",
					 state->path, name);
		return err;
	}
	if (err < 0)
		return state_fail(error, err, state->path, name);
	return 0;
}

int state_load_sources(const struct state *state, const struct state_generation *generation,
		       GPtrArray *sources, GPtrArray *patches, char **error)
{
	int err = state_load_policy(state, generation, sources, patches, error);

	return err < 0 ? err : state_load_patches(state, generation, patches, error);
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
			return state_fail(error, err, state->path, name);
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
