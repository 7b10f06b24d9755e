/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_compact.c - a journal that has grown becomes a new policy and a short journal, while
 * changes are appended to the old one.
 *
 * What a crash leaves, in the order of the calls:
 *   1. N.policy: no generation names it, so the next start removes it; it has no journal, so a
 *      start that does not know which one holds passes it over;
 *   2. N.journal.tmp, with what came meanwhile, in as many rounds as it takes to have little left:
 *      the next start removes it;
 *   3. numbers.json, because the records that named numbers go: the registry only grows;
 *   4. N.journal: as 1, but now both say the same;
 *   5. current.json names them;
 *   6. the old files go when no generation needs them.
 * Between the first look at what is left and 5 nothing else can be appended: they are for one
 * thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/state.h"
#include "rulesd/state_file.h"
#include "rulesd/state_json.h"

#define CHUNK_BYTES (256u << 10)

struct state_compaction {
	struct state texts;		/* path, policies and offset are all that is looked at */
	struct state_generation of;	/* file and patches: what is compacted */
	struct state_generation become; /* the same, as it will be called */
	char *first;			/* record of the new journal */
	uint64_t from, until;		/* of the old journal: what comes next into the new one */
	struct state_journal journal;	/* the new one; without length: it is not there yet */
};

void state_compact_free(struct state_compaction **compaction)
{
	struct state_compaction *c = TAKE_PTR(*compaction);

	if (!c)
		return;
	cleanup_fd(&c->texts.policies);
	g_free(c->texts.path);
	g_free(c->of.file);
	g_free(c->become.file);
	g_free(c->become.time);
	g_free(c->become.source);
	g_free(c->first);
	g_free(c);
}

bool state_wants_compaction(const struct state *state)
{
	const struct state_generation *current = state_current(state);
	uint64_t grown = state->journal.length - MIN(state->journal.first, state->journal.length);
	uint64_t texts;

	if (state->unsound || state->pending)
		return false;
	if (state->patches >= STATE_COMPACT_PATCHES)
		return true;
	if (grown < STATE_COMPACT_BYTES)
		return false;
	texts = current ? state_policy_size(state,
					    &(const struct state_generation){.file = current->file})
			: 0;
	return grown >= texts / STATE_COMPACT_FRACTION;
}

int state_compact_bare(struct state *state, struct numbers *numbers)
{
	struct state_journal journal = {.fd = -1};
	g_autofree char *name = state_journal_name(NULL);
	g_autofree char *text = state_first_record(state);
	int err = text ? state_save_numbers(state, numbers) : -EINVAL;

	if (err == 0)
		err = state_journal_begin(state->policies, name, &journal, text, strlen(text));
	if (err < 0)
		return err;
	state_journal_close(&state->journal);
	state->journal = journal;
	return 0;
}

struct state_compaction *state_compact_begin(struct state *state)
{
	const struct state_generation *current = state_current(state);
	CLEANUP(state_compact_free) struct state_compaction *c = NULL;

	if (!current || !state->versioned || state->unsound || state->pending)
		return NULL;
	c = g_new0(struct state_compaction, 1);
	c->texts.path = g_strdup(state->path);
	c->texts.offset = state->offset;
	c->texts.policies = fcntl(state->policies, F_DUPFD_CLOEXEC, 0);
	c->of.generation = c->become.generation = current->generation;
	c->of.file = g_strdup(current->file);
	c->of.patches = state->patches;
	c->become.file = g_strdup_printf("%" G_GUINT64_FORMAT ".policy", state->next_file);
	c->become.time = g_strdup(current->time);
	c->become.source = g_strdup(current->source);
	c->first = state_first_record(state);
	c->from = c->until = state->journal.length;
	if (c->texts.policies < 0 || !c->first)
		return NULL;
	state->next_file++;
	return TAKE_PTR(c);
}

/* ------------------------------------------------------------------ in another thread */

static int write_policy(struct state_compaction *c)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autoptr(GPtrArray) patches = load_patches_new();
	g_autoptr(GPtrArray) reduced = NULL;
	g_autofree char *error = NULL;
	int err = state_load_sources(&c->texts, &c->of, sources, patches, &error);

	if (err < 0)
		return err;
	reduced = load_reduced(sources, patches);
	/* Too large for one patch: then a new policy has to come. */
	return reduced ? state_write_texts(&c->texts, &c->become, sources, reduced, true) : -EFBIG;
}

static int copy_bytes(int from, int to, uint64_t at, uint64_t until)
{
	g_autofree char *chunk = g_malloc(CHUNK_BYTES);
	int err = 0;

	while (err == 0 && at < until) {
		ssize_t got = pread(from, chunk, MIN(CHUNK_BYTES, until - at), (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		err = state_file_write_all(to, chunk, (size_t)got);
		at += (uint64_t)got;
	}
	return err == 0 && fdatasync(to) < 0 ? -errno : err;
}

/* What was appended to the old journal goes behind what the new one has. */
static int copy_news(struct state_compaction *c)
{
	g_autofree char *old = state_journal_name(c->of.file);
	g_autofree char *name = state_journal_name(c->become.file);
	g_autofree char *temp = g_strconcat(name, STATE_FILE_TEMP, NULL);
	AUTO_FD int from = -1;
	AUTO_FD int to = -1;
	int err;

	if (c->from == c->until)
		return 0;
	from = openat(c->texts.policies, old, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (from < 0)
		return -errno;
	to = openat(c->texts.policies, temp, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (to < 0)
		return -errno;
	err = copy_bytes(from, to, c->from, c->until);
	if (err < 0)
		return err;
	c->journal.length += c->until - c->from;
	c->from = c->until;
	return 0;
}

int state_compact_work(struct state_compaction *c)
{
	g_autofree char *name = state_journal_name(c->become.file);
	int err = 0;

	if (!c->journal.length) {
		err = write_policy(c);
		if (err == 0)
			err = state_journal_prepare(c->texts.policies, name, &c->journal, c->first,
						    strlen(c->first));
	}
	return err == 0 ? copy_news(c) : err;
}

/* ------------------------------------------------------------------ in the thread of the state */

uint64_t state_compact_refresh(const struct state *state, struct state_compaction *c)
{
	const struct state_generation *current = state_current(state);

	if (current && strcmp(current->file, c->of.file) == 0)
		c->until = state->journal.length;
	return c->until - c->from;
}

void state_compact_abandon(struct state *state, struct state_compaction **compaction)
{
	struct state_compaction *c = *compaction;
	g_autofree char *name = c ? state_journal_name(c->become.file) : NULL;

	/* When it is unknown which files current.json names all of them stay for a start to see. */
	if (c && !state->unsettled) {
		state_file_abort(state->policies, name);
		state_remove_policy(state, c->become.file);
	}
	state_compact_free(compaction);
}

static struct state_generation *copy_of(const struct state_generation *entry)
{
	struct state_generation *copy = g_new(struct state_generation, 1);

	*copy = (struct state_generation){
		.generation = entry->generation,
		.time = g_strdup(entry->time),
		.sha256 = g_strdup(entry->sha256),
		.source = g_strdup(entry->source),
		.file = g_strdup(entry->file),
		.patches = entry->patches,
	};
	return copy;
}

static void free_generation(gpointer generation)
{
	state_generation_free(generation);
}

/* The generations, those that the new files tell of with these. */
static GPtrArray *moved(const struct state *state, const struct state_compaction *c)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(free_generation);

	for (guint i = 0; i < state->generations->len; i++) {
		struct state_generation *entry = copy_of(state->generations->pdata[i]);

		g_ptr_array_add(all, entry);
		if (strcmp(entry->file, c->of.file) != 0 || entry->patches < c->of.patches)
			continue;
		g_free(entry->file);
		entry->file = g_strdup(c->become.file);
		entry->patches -= c->of.patches;
	}
	return all;
}

static bool is_stale(const struct state *state, const struct state_compaction *c)
{
	const struct state_generation *current = state_current(state);

	return !current || strcmp(current->file, c->of.file) != 0 ||
	       state->patches < c->of.patches || !c->journal.length;
}

static int switch_over(struct state *state, struct numbers *numbers, struct state_compaction *c)
{
	g_autofree char *name = state_journal_name(c->become.file);
	uint32_t records = state->journal.records;
	int err;

	if (is_stale(state, c))
		return -ESTALE;
	if (state->unsound || state->pending)
		return -EBUSY;
	state_compact_refresh(state, c);
	err = copy_news(c);
	if (err == 0)
		err = state_save_numbers(state, numbers);
	if (err == 0)
		err = state_file_commit(state->policies, name);
	if (err == 0)
		err = state_switch_current(state, moved(state, c));
	if (err < 0)
		return err;
	state_journal_close(&state->journal);
	state->journal = c->journal;
	state->journal.fd = -1;
	state->journal.records = records; /* at most: it says only whether there are any */
	state->patches -= c->of.patches;
	if (!state_uses_file(state, c->of.file))
		state_remove_policy(state, c->of.file);
	state_prune_bytes(state);
	return 0;
}

int state_compact_commit(struct state *state, struct numbers *numbers,
			 struct state_compaction **compaction)
{
	int err = switch_over(state, numbers, *compaction);

	if (err < 0)
		state_compact_abandon(state, compaction);
	else
		state_compact_free(compaction);
	return err;
}
