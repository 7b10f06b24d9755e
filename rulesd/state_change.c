/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_change.c - writing the state directory: prepare, commit and abort of each kind of change.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/state.h"
#include "rulesd/state_file.h"
#include "rulesd/state_json.h"

/* So many numbers of each kind may be given out before the disk is asked again. */
#define MARKS_AHEAD 4096u

static int write_json(struct state *state, const char *name, const json_t *json)
{
	g_autofree char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);

	return text ? state_file_write(state->dir, name, text, strlen(text)) : -ENOMEM;
}

int state_save_marks(struct state *state, struct numbers *numbers)
{
	AUTO_JSON json_t *marks = NULL;
	int err;

	if (!numbers_need_marks(numbers))
		return 0;
	marks = numbers_marks(numbers, MARKS_AHEAD);
	err = write_json(state, "marks.json", marks);
	if (err == 0)
		numbers_marks_written(numbers, marks);
	return err;
}

int state_save_numbers(struct state *state, struct numbers *numbers)
{
	AUTO_JSON json_t *json = numbers_to_json(numbers);
	int err = write_json(state, "numbers.json", json);

	if (err == 0)
		numbers_news_written(numbers);
	return err;
}

static int prepare_current(struct state *state, uint64_t generation, uint64_t offset)
{
	g_autofree char *text = state_current_to_text(state, state->pending, generation, offset);

	if (!text)
		return -ENOMEM;
	return state_file_prepare(state->dir, "current.json", text, strlen(text));
}

static void add_part(GArray *parts, const char *data, size_t length)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = length};

	g_array_append_val(parts, part);
}

static void add_texts(GArray *parts, const GPtrArray *sources)
{
	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *source = sources->pdata[i];

		add_part(parts, source->text, source->length);
	}
}

static int write_texts(struct state *state, const char *file, const GPtrArray *sources,
		       const GPtrArray *patches)
{
	g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(struct iovec));
	g_autofree char *head = state_policy_head(sources, patches);

	if (!head)
		return -EINVAL; /* a name that is not UTF-8: the API refuses that before */
	add_part(parts, head, strlen(head));
	add_part(parts, "\n", 1);
	add_texts(parts, sources);
	for (guint i = 0; patches && i < patches->len; i++)
		add_texts(parts, patches->pdata[i]);
	return state_file_write_parts(state->policies, file, (const struct iovec *)parts->data,
				      parts->len);
}

/* The new policy's journal begins with the interfaces that the old one's attached. */
static int begin_journal(struct state *state, const char *file, struct state_journal *journal)
{
	const struct state_record record = {.generation = state->generation,
					    .offset = state->offset};
	g_autofree char *name = state_journal_name(file);
	g_autofree char *text = NULL;

	*journal = (struct state_journal){.fd = -1};
	if (!g_hash_table_size(state->attached_changes))
		return 0;
	text = state_attached_to_text(&record, state->attached_changes);
	return text ? state_journal_append(state->policies, name, journal, text, strlen(text))
		    : -EINVAL;
}

static void remove_policy(struct state *state, const char *file)
{
	g_autofree char *journal = state_journal_name(file);

	unlinkat(state->policies, file, 0);
	unlinkat(state->policies, journal, 0);
}

static char *now_text(void)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();

	return g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
}

int state_policy_prepare(struct state *state, const GPtrArray *sources, const GPtrArray *patches,
			 const char *source, const char *sha256, uint64_t generation)
{
	struct state_generation *pending = g_new0(struct state_generation, 1);
	int err;

	pending->generation = generation;
	pending->time = now_text();
	pending->sha256 = g_strdup(sha256);
	pending->source = g_strdup(source);
	pending->file = g_strdup_printf("%" G_GUINT64_FORMAT ".policy", state->next_file);
	state->pending = pending;
	err = write_texts(state, pending->file, sources, patches);
	if (err == 0)
		err = begin_journal(state, pending->file, &state->next_journal);
	if (err == 0)
		err = prepare_current(state, generation, state->offset);
	if (err < 0)
		state_policy_abort(state);
	return err;
}

void state_prune(struct state *state)
{
	while (state->generations->len > STATE_MAX_GENERATIONS) {
		g_autofree char *file = NULL;
		bool used = false;

		file = g_strdup(((struct state_generation *)state->generations->pdata[0])->file);
		g_ptr_array_remove_index(state->generations, 0);
		for (guint i = 0; i < state->generations->len && !used; i++)
			used = strcmp(((struct state_generation *)state->generations->pdata[i])
					      ->file,
				      file) == 0;
		if (!used)
			remove_policy(state, file);
	}
}

int state_policy_commit(struct state *state, uint64_t generation, uint64_t offset)
{
	int err;

	if (state->pending->generation != generation || state->offset != offset) {
		state->pending->generation = generation;
		err = prepare_current(state, generation, offset);
		if (err < 0) {
			state_policy_abort(state);
			return err;
		}
	}
	err = state_file_commit(state->dir, "current.json");
	if (err < 0) {
		/* Whether the rename reached the disk is unknown: keep the file that it may name
		 * until the next start tidies up. */
		g_clear_pointer(&state->pending, state_generation_free);
		state_journal_close(&state->next_journal);
		state->next_file++;
		return err;
	}
	g_ptr_array_add(state->generations, TAKE_PTR(state->pending));
	state->generation = generation;
	state->offset = offset;
	state->versioned = true;
	state->next_file++;
	state_journal_close(&state->journal);
	state->journal = state->next_journal;
	state->next_journal = (struct state_journal){.fd = -1};
	state->patches = 0;
	state_prune(state);
	return 0;
}

void state_policy_abort(struct state *state)
{
	if (!state->pending)
		return;
	state_file_abort(state->dir, "current.json");
	state_journal_close(&state->next_journal);
	remove_policy(state, state->pending->file);
	g_clear_pointer(&state->pending, state_generation_free);
}

/* An older rulesd would not know of the journal: let it refuse. */
static int say_version(struct state *state)
{
	int err;

	if (state->versioned)
		return 0;
	err = prepare_current(state, state->generation, state->offset);
	if (err == 0)
		err = state_file_commit(state->dir, "current.json");
	if (err == 0)
		state->versioned = true;
	return err;
}

static int append(struct state *state, const struct state_record *record, const char *text)
{
	const struct state_generation *current = state_current(state);
	g_autofree char *name = state_journal_name(current ? current->file : NULL);
	int err = text ? say_version(state) : -EINVAL;

	if (err == 0)
		err = state_journal_append(state->policies, name, &state->journal, text,
					   strlen(text));
	if (err < 0)
		return err;
	state->generation = MAX(state->generation, record->generation);
	state->offset = record->offset;
	return 0;
}

int state_append_patch(struct state *state, const struct state_record *record,
		       const GPtrArray *sources, const char *source)
{
	const struct state_generation *current = state_current(state);
	struct state_generation *entry;
	g_autofree char *text = NULL;
	int err;

	if (!current)
		return -EINVAL;
	entry = g_new0(struct state_generation, 1);
	entry->generation = record->generation;
	entry->time = now_text();
	entry->source = g_strdup(source);
	entry->file = g_strdup(current->file);
	entry->patches = state->patches + 1;
	text = state_patch_to_text(record, entry, sources);
	err = append(state, record, text);
	if (err < 0) {
		state_generation_free(entry);
		return err;
	}
	state->patches++;
	g_ptr_array_add(state->generations, entry);
	state_prune(state);
	return 0;
}

int state_append_attached(struct state *state, const struct state_record *record, const char *id,
			  const char *text, size_t length)
{
	g_autoptr(GHashTable) changes = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GBytes) bytes = text ? g_bytes_new(text, length) : NULL;
	g_autofree char *line = NULL;
	int err;

	g_hash_table_insert(changes, (gpointer)(uintptr_t)id, bytes);
	line = state_attached_to_text(record, changes);
	err = append(state, record, line);
	if (err == 0)
		state_note_attached(state, id, TAKE_PTR(bytes));
	return err;
}

int state_note_generation(struct state *state, uint64_t generation, uint64_t offset)
{
	int err;

	if (generation <= state->generation && offset == state->offset)
		return 0;
	err = prepare_current(state, generation, offset);
	if (err == 0)
		err = state_file_commit(state->dir, "current.json");
	if (err < 0)
		return err;
	state->generation = generation;
	state->offset = offset;
	return 0;
}
