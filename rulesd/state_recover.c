/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_recover.c - the state directory when not all of it can be believed: what is damaged is
 * named, and the newest policy that is whole holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"
#include "rulesd/state.h"
#include "rulesd/state_file.h"
#include "rulesd/state_json.h"
#include "rulesd/state_seal.h"

void state_report_damage(struct state *state, const char *name, const char *why)
{
	g_autofree char *text = g_strdup_printf("%s: %s", name, why);
	g_autofree char *before = TAKE_PTR(state->lost);

	log_error("state directory %s: %s", state->path, text);
	state->lost = before ? g_strdup_printf("%s; %s", before, text) : g_strdup(text);
	g_ptr_array_add(state->damage, TAKE_PTR(text));
}

/* ------------------------------------------------------------------ journals */

static int replay(const char *text, size_t length, bool behind, void *arg)
{
	return state_record_from_text(arg, text, length, behind);
}

/* How many patches of the file current.json knows. */
static uint32_t listed_patches(const struct state *state, const char *file)
{
	uint32_t listed = 0;

	for (guint i = 0; i < state->generations->len; i++) {
		const struct state_generation *entry = state->generations->pdata[i];

		if (strcmp(entry->file, file) == 0)
			listed = MAX(listed, entry->patches);
	}
	return listed;
}

/* Generations whose patches are not there any more. */
static void drop_patches(struct state *state, const char *file, uint32_t above)
{
	for (guint i = state->generations->len; i-- > 0;) {
		const struct state_generation *entry = state->generations->pdata[i];

		if (strcmp(entry->file, file) == 0 && entry->patches > above)
			g_ptr_array_remove_index(state->generations, i);
	}
}

int state_read_journal(struct state *state, char **error)
{
	const struct state_generation *current = state_current(state);
	g_autofree char *file = g_strdup(current ? current->file : NULL);
	g_autofree char *name = state_journal_name(file);
	g_autofree char *path = g_strconcat("policies/", name, NULL);
	int err;

	state->patches = 0;
	state->listed = file ? listed_patches(state, file) : 0;
	err = state_journal_read(state->policies, name, replay, state, &state->journal);
	if (err < 0 && err != -ENOENT)
		return state_fail(error, err, state->path, path);
	if (err == -ENOENT && state->has_journal)
		state_report_damage(state, path, "it is missing");
	if (err == 0 && state->journal.damaged)
		state_report_damage(state, path,
				    "a record is damaged; patches from it on are lost");
	else if (err == 0 && state->journal.torn)
		log_warning("state directory %s: %s ends in a change that nobody was told holds: "
			    "it is left out",
			    state->path, path);
	if (file && state->patches < state->listed) {
		if (err == 0 && !state->journal.damaged)
			state_report_damage(state, path, "it is cut");
		drop_patches(state, file, state->patches);
	}
	state_prune(state);
	return 0;
}

/* ------------------------------------------------------------------ current.json */

static int compare_files(gconstpointer a, gconstpointer b)
{
	guint64 x = g_ascii_strtoull(*(const char *const *)a, NULL, 10);
	guint64 y = g_ascii_strtoull(*(const char *const *)b, NULL, 10);

	return x < y ? -1 : x > y;
}

/* A journal that was being compacted says more than what it was to become, which has no journal
 * before it holds. */
static bool is_finished(const struct state *state, const char *name, const char *text,
			size_t length)
{
	g_autofree char *journal = state_journal_name(name);

	return !state_is_compacted(text, length) ||
	       faccessat(state->policies, journal, F_OK, 0) == 0;
}

/* A policy of the directory becomes a generation, with what its journal says. */
static int add_file(struct state *state, const char *name, char **error)
{
	g_autofree char *text = NULL;
	g_autofree char *path = g_strconcat("policies/", name, NULL);
	size_t length = 0;
	bool sealed = false;
	int err = state_seal_read(state->policies, name, false, &text, &length, &sealed);

	if (err < 0 && err != -EBADMSG)
		return state_fail(error, err, state->path, path);
	if (err == -EBADMSG) {
		state_report_damage(state, path, "its checksum is wrong");
		return 0;
	}
	if (!is_finished(state, name, text, length))
		return 0;
	g_ptr_array_add(state->generations, state_generation_from_head(state, name, text, length));
	/* The journal of a policy begins with all interfaces that were attached then. */
	g_hash_table_remove_all(state->attached_changes);
	state->has_journal = sealed;
	return state_read_journal(state, error);
}

int state_rebuild(struct state *state, GPtrArray *files, char **error)
{
	unsigned int policies = 0;
	int err = 0;

	g_ptr_array_sort(files, compare_files);
	for (guint i = 0; err == 0 && i < files->len; i++) {
		if (g_str_has_suffix(files->pdata[i], ".journal"))
			continue;
		policies++;
		err = add_file(state, files->pdata[i], error);
	}
	if (err < 0)
		return err;
	if (!policies)
		err = state_read_journal(state, error);
	if ((policies || state->journal.records) && !state->damage->len)
		state_report_damage(state, "current.json", "it is missing");
	return err;
}

/* ------------------------------------------------------------------ the policy that holds */

/*
 * What holds is written as a new policy, because the journal that it had is damaged, or of its own
 * time.
 */
static void write_anew(struct state *state, const GPtrArray *sources, const GPtrArray *patches)
{
	const struct state_generation *current = state_current(state);
	g_autofree char *source = g_strdup(current ? current->source : NULL);
	uint64_t generation = state->generation + 1;
	int err;

	if (!current) {
		err = state_rewrite_journal(state);
	} else {
		log_error("state directory %s: generation %" PRIu64 " of %s holds, the newest one "
			  "that is whole",
			  state->path, current->generation, current->time);
		err = state_policy_prepare(state, sources, patches, source, NULL, generation);
		if (err == 0)
			err = state_policy_commit(state, generation, state->offset);
	}
	state->unsound = err < 0;
	if (err < 0)
		log_error("state directory %s: what holds now cannot be written: %s; the next "
			  "start looks for it again",
			  state->path, g_strerror(-err));
}

int state_load_current(struct state *state, GPtrArray *sources, GPtrArray *patches, char **error)
{
	g_autofree char *reported = NULL;

	for (;;) {
		const struct state_generation *current = state_current(state);
		g_autofree char *why = NULL;
		g_autofree char *path = NULL;
		int err = 0;

		if (current)
			err = state_load_sources(state, current, sources, patches, &why);
		if (err == 0 && state->damage->len)
			write_anew(state, sources, patches);
		if (err == 0)
			return 0;
		if (err != -EBADMSG && err != -ENOENT) {
			*error = TAKE_PTR(why);
			return err;
		}
		g_ptr_array_set_size(sources, 0);
		g_ptr_array_set_size(patches, 0);
		path = g_strconcat("policies/", current->file, NULL);
		if (g_strcmp0(path, reported) != 0)
			state_report_damage(state, path,
					    err == -ENOENT ? "it is missing"
							   : "it, or its journal, is damaged");
		g_free(reported);
		reported = TAKE_PTR(path);
		g_ptr_array_set_size(state->generations, (gint)state->generations->len - 1);
	}
}

/* ------------------------------------------------------------------ rulesd --check */

static bool is_record(const char *text)
{
	AUTO_JSON json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	return json_is_object(json);
}

static int check_record(const char *text, size_t length, bool behind, void *arg)
{
	(void)length;
	(void)behind;
	(void)arg;
	return is_record(text) ? 0 : -EINVAL;
}

/* The texts and the journal of the policy that holds. */
static void check_policy(int dir, const char *file, bool journaled, struct state_check *found)
{
	g_autofree char *name = g_strconcat("policies/", file, NULL);
	g_autofree char *number = state_journal_name(file);
	g_autofree char *journal = g_strconcat("policies/", number, NULL);
	struct state_journal end = {.fd = -1};
	g_autofree char *text = NULL;
	size_t length = 0;
	int err = state_seal_read(dir, name, false, &text, &length, NULL);

	if (err == -EBADMSG || err == -ENOENT)
		found->damaged = g_strdup(name);
	else if (err < 0)
		found->error = err;
	if (found->damaged || found->error)
		return;
	err = state_journal_read(dir, journal, check_record, NULL, &end);
	if ((err == -ENOENT && journaled) || (err == 0 && end.damaged))
		found->damaged = g_strdup(journal);
	else if (err < 0 && err != -ENOENT)
		found->error = err;
}

static void check_current(int dir, struct state_check *found)
{
	g_autofree char *text = NULL;
	AUTO_JSON json_t *json = NULL;
	const json_t *entries, *last;
	size_t length = 0, count;
	int err = state_seal_read(dir, "current.json", false, &text, &length, NULL);

	if (err == 0)
		json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	if (err == -ENOENT)
		return;
	if (err == -EBADMSG || (err == 0 && !json))
		found->damaged = g_strdup("current.json");
	else if (err < 0)
		found->error = err;
	if (!json)
		return;
	found->version = (int)json_integer_value(json_object_get(json, "version"));
	found->generation = (uint64_t)json_integer_value(json_object_get(json, "generation"));
	entries = json_object_get(json, "generations");
	count = json_array_size(entries);
	last = count ? json_array_get(entries, count - 1) : NULL;
	if (last && json_string_value(json_object_get(last, "file")) &&
	    found->version <= STATE_VERSION)
		check_policy(dir, json_string_value(json_object_get(last, "file")),
			     json_is_true(json_object_get(json, "journal")), found);
}

void state_check(const char *path, struct state_check *found)
{
	AUTO_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*found = (struct state_check){0};
	if (dir >= 0)
		check_current(dir, found);
	else if (errno != ENOENT)
		found->error = -errno;
}
