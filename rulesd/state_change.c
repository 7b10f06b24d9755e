/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_change.c - writing the state directory: prepare, commit and abort of each kind of change.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"
#include "rulesd/state.h"
#include "rulesd/state_file.h"
#include "rulesd/state_json.h"
#include "rulesd/state_seal.h"

/* So many numbers of each kind may be given out before the disk is asked again. */
#define MARKS_AHEAD 4096u

static int write_json(struct state *state, const char *name, const json_t *json)
{
	g_autofree char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);

	return text ? state_seal_write_text(state->dir, name, text) : -ENOMEM;
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

	if (err == 0 && (!state->has_numbers || state->damage->len)) {
		AUTO_JSON json_t *marks = numbers_marks(numbers, MARKS_AHEAD);

		err = write_json(state, "marks.json", marks);
		if (err == 0)
			numbers_marks_written(numbers, marks);
	}
	if (err < 0)
		return err;
	numbers_news_written(numbers);
	state->has_numbers = true;
	return 0;
}

static int prepare_current(struct state *state, uint64_t generation, uint64_t offset)
{
	g_autofree char *text = state_current_to_text(state, state->pending, generation, offset);
	struct iovec part = {.iov_base = text, .iov_len = text ? strlen(text) : 0};

	return text ? state_seal_prepare(state->dir, "current.json", &part, 1) : -ENOMEM;
}

static int write_current(struct state *state, uint64_t generation, uint64_t offset)
{
	int err = prepare_current(state, generation, offset);

	return err < 0 ? err : state_file_commit(state->dir, "current.json");
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

int state_write_texts(const struct state *state, const struct state_generation *entry,
		      const GPtrArray *sources, const GPtrArray *patches, bool compacted)
{
	g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(struct iovec));
	g_autofree char *head = state_policy_head(state, entry, sources, patches, compacted);

	if (!head)
		return -EINVAL; /* a name that is not UTF-8: the API refuses that before */
	add_part(parts, head, strlen(head));
	add_part(parts, "\n", 1);
	add_texts(parts, sources);
	for (guint i = 0; patches && i < patches->len; i++)
		add_texts(parts, patches->pdata[i]);
	return state_seal_write(state->policies, entry->file,
				(const struct iovec *)(void *)parts->data, parts->len);
}

/* A journal begins with the interfaces that the one before attached, so that it never is empty and
 * is missed when it is gone. */
char *state_first_record(const struct state *state)
{
	const struct state_record record = {.generation = state->generation,
					    .offset = state->offset};

	return state_attached_to_text(&record, state->attached_changes);
}

static int begin_journal(struct state *state, const char *file, struct state_journal *journal)
{
	g_autofree char *name = state_journal_name(file);
	g_autofree char *text = state_first_record(state);

	*journal = (struct state_journal){.fd = -1};
	return text ? state_journal_begin(state->policies, name, journal, text, strlen(text))
		    : -EINVAL;
}

int state_rewrite_journal(struct state *state)
{
	const struct state_generation *current = state_current(state);

	state_journal_close(&state->journal);
	return begin_journal(state, current ? current->file : NULL, &state->journal);
}

static int reseal(struct state *state, const char *name)
{
	g_autofree char *text = NULL;
	size_t length = 0;
	bool sealed = false;
	int err = state_seal_read(state->dir, name, false, &text, &length, &sealed);

	/* What is damaged stays so until it is known what to write there. */
	if (err == -ENOENT || err == -EBADMSG)
		return 0;
	return err < 0 || sealed ? err : state_seal_write_text(state->dir, name, text);
}

static bool has_file(const struct state *state, const char *name)
{
	return faccessat(state->dir, name, F_OK, 0) == 0;
}

int state_take_over(struct state *state)
{
	bool numbers = has_file(state, "numbers.json") && has_file(state, "marks.json");
	int err = 0;

	if (state->versioned)
		return 0;
	err = reseal(state, "numbers.json");
	if (err == 0)
		err = reseal(state, "marks.json");
	if (err == 0 && (state->generations->len || state->journal.records)) {
		if (!state->journal.records)
			err = state_rewrite_journal(state);
		state->has_journal = err == 0;
	}
	if (err < 0)
		return err;
	state->has_numbers = numbers;
	err = write_current(state, state->generation, state->offset);
	state->versioned = state->sealed = err == 0;
	return err;
}

void state_remove_policy(struct state *state, const char *file)
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
	struct state_generation *pending;
	int err = state_check_place(state);

	if (err == 0)
		err = state_take_over(state);
	if (err < 0)
		return err;
	pending = g_new0(struct state_generation, 1);
	pending->generation = generation;
	pending->time = now_text();
	pending->sha256 = g_strdup(sha256);
	pending->source = g_strdup(source);
	pending->file = g_strdup_printf("%" G_GUINT64_FORMAT ".policy", state->next_file);
	state->pending = pending;
	err = state_write_texts(state, pending, sources, patches, false);
	if (err == 0)
		err = begin_journal(state, pending->file, &state->next_journal);
	if (err == 0)
		err = prepare_current(state, generation, state->offset);
	if (err < 0)
		state_policy_abort(state);
	return err;
}

/* Of a file that generations name, and of its journal. */
static uint64_t bytes_of(const struct state *state, const char *file)
{
	const struct state_generation generation = {.file = (char *)(uintptr_t)file, .patches = 1};

	return state_policy_size(state, &generation);
}

bool state_uses_file(const struct state *state, const char *file)
{
	for (guint i = 0; i < state->generations->len; i++)
		if (strcmp(((struct state_generation *)state->generations->pdata[i])->file, file) ==
		    0)
			return true;
	return false;
}

static uint64_t all_bytes(const struct state *state)
{
	const char *last = "";
	uint64_t sum = 0;

	/* Generations of one file are beside each other. */
	for (guint i = 0; i < state->generations->len; i++) {
		const struct state_generation *entry = state->generations->pdata[i];

		if (strcmp(entry->file, last) != 0)
			sum += bytes_of(state, entry->file);
		last = entry->file;
	}
	return sum;
}

static void forget_oldest(struct state *state)
{
	const struct state_generation *oldest = state->generations->pdata[0];
	g_autofree char *file = g_strdup(oldest->file);

	g_ptr_array_remove_index(state->generations, 0);
	if (!state_uses_file(state, file))
		state_remove_policy(state, file);
}

void state_prune(struct state *state)
{
	while (state->generations->len > STATE_MAX_GENERATIONS)
		forget_oldest(state);
}

void state_prune_bytes(struct state *state)
{
	while (state->generations->len > 2 && all_bytes(state) > STATE_MAX_BYTES)
		forget_oldest(state);
}

/*
 * Whether the rename reached the disk is unknown. What held before is written once more, so that a
 * restart does not take what nobody was told holds.
 */
static void commit_failed(struct state *state)
{
	int err;

	g_clear_pointer(&state->pending, state_generation_free);
	state_journal_close(&state->next_journal);
	state->next_file++;
	err = write_current(state, state->generation, state->offset);
	state->unsettled = err < 0;
	if (err < 0)
		log_error("state directory %s: current.json cannot be written: %s; it may name a "
			  "policy that was refused",
			  state->path, g_strerror(-err));
}

/* Once current.json may name other files than those that are appended to. */
static int settle_current(struct state *state)
{
	int err = state->unsettled ? write_current(state, state->generation, state->offset) : 0;

	if (err == 0)
		state->unsettled = false;
	return err;
}

int state_switch_current(struct state *state, GPtrArray *generations)
{
	GPtrArray *before = state->generations;
	int err;

	state->generations = generations;
	err = prepare_current(state, state->generation, state->offset);
	if (err == 0) {
		err = state_file_commit(state->dir, "current.json");
		state->unsettled = err < 0;
	}
	if (err == 0) {
		g_ptr_array_unref(before);
		return 0;
	}
	state->generations = before;
	g_ptr_array_unref(generations);
	settle_current(state);
	return err;
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
		commit_failed(state);
		return err;
	}
	g_ptr_array_add(state->generations, TAKE_PTR(state->pending));
	state->generation = generation;
	state->offset = offset;
	state->has_journal = true;
	state->unsound = state->unsettled = false;
	state->next_file++;
	state_journal_close(&state->journal);
	state->journal = state->next_journal;
	state->next_journal = (struct state_journal){.fd = -1};
	state->patches = 0;
	state_prune(state);
	state_prune_bytes(state);
	return 0;
}

void state_policy_abort(struct state *state)
{
	if (!state->pending)
		return;
	state_file_abort(state->dir, "current.json");
	state_journal_close(&state->next_journal);
	state_remove_policy(state, state->pending->file);
	g_clear_pointer(&state->pending, state_generation_free);
}

int state_settle(struct state *state)
{
	const struct state_generation *current = state_current(state);
	g_autofree char *name = state_journal_name(current ? current->file : NULL);
	int err = settle_current(state);

	if (err == 0 && !state->unsound)
		err = state_journal_mend(state->policies, name, &state->journal);
	return err;
}

/* current.json says that there is a journal, which therefore is there before. */
static int say_journal(struct state *state)
{
	int err = state_take_over(state);

	if (err < 0 || state->has_journal)
		return err;
	err = state_rewrite_journal(state);
	if (err < 0)
		return err;
	state->has_journal = true;
	err = write_current(state, state->generation, state->offset);
	if (err < 0)
		state->has_journal = false;
	return err;
}

static int append(struct state *state, const struct state_record *record, const char *text)
{
	const struct state_generation *current = state_current(state);
	g_autofree char *name = state_journal_name(current ? current->file : NULL);
	int err = text ? 0 : -EINVAL;

	if (err == 0 && state->unsound)
		err = -EUCLEAN;
	if (err == 0)
		err = state_check_journal(state, name);
	if (err == 0)
		err = settle_current(state);
	if (err == 0)
		err = say_journal(state);
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
	err = state_take_over(state);
	if (err < 0)
		return err;
	err = write_current(state, generation, offset);
	if (err < 0)
		return err;
	state->generation = generation;
	state->offset = offset;
	return 0;
}

int state_set_lost(struct state *state, const char *lost)
{
	g_autofree char *before = state->lost;
	int err;

	state->lost = g_strdup(lost);
	if (g_strcmp0(before, lost) == 0)
		return 0;
	err = state_take_over(state);
	if (err == 0)
		err = write_current(state, state->generation, state->offset);
	if (err < 0) {
		g_free(state->lost);
		state->lost = TAKE_PTR(before);
	}
	return err;
}
