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

int state_save_numbers(struct state *state, const struct numbers *numbers)
{
	AUTO_JSON json_t *json = numbers_to_json(numbers);
	g_autofree char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
	int err;

	if (!text)
		return -ENOMEM;
	if (state->numbers_text && strcmp(state->numbers_text, text) == 0)
		return 0;
	err = state_file_write(state->dir, "numbers.json", text, strlen(text));
	if (err < 0)
		return err;
	g_free(state->numbers_text);
	state->numbers_text = TAKE_PTR(text);
	return 0;
}

static int prepare_current(struct state *state, uint64_t generation, uint64_t offset)
{
	g_autofree char *text = state_current_to_text(state, state->pending, generation, offset);

	if (!text)
		return -ENOMEM;
	return state_file_prepare(state->dir, "current.json", text, strlen(text));
}

int state_policy_prepare(struct state *state, const GPtrArray *sources, const char *source,
			 const char *sha256, uint64_t generation)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *text = state_sources_to_text(sources);
	struct state_generation *pending;
	int err;

	if (!text)
		return -EINVAL; /* not UTF-8: the loader refuses that before */
	pending = g_new0(struct state_generation, 1);
	pending->generation = generation;
	pending->time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	pending->sha256 = g_strdup(sha256);
	pending->source = g_strdup(source);
	pending->file = g_strdup_printf("%" G_GUINT64_FORMAT ".json", state->next_file);
	err = state_file_write(state->policies, pending->file, text, strlen(text));
	if (err < 0) {
		state_generation_free(pending);
		return err;
	}
	state->pending = pending;
	err = prepare_current(state, generation, state->offset);
	if (err < 0)
		state_policy_abort(state);
	return err;
}

/* Forgets the oldest generations above the limit, and their files. */
static void prune(struct state *state)
{
	while (state->generations->len > STATE_MAX_GENERATIONS) {
		const struct state_generation *oldest = state->generations->pdata[0];

		unlinkat(state->policies, oldest->file, 0);
		g_ptr_array_remove_index(state->generations, 0);
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
		state->next_file++;
		return err;
	}
	g_ptr_array_add(state->generations, TAKE_PTR(state->pending));
	state->generation = generation;
	state->offset = offset;
	state->next_file++;
	prune(state);
	return 0;
}

void state_policy_abort(struct state *state)
{
	if (!state->pending)
		return;
	state_file_abort(state->dir, "current.json");
	unlinkat(state->policies, state->pending->file, 0);
	g_clear_pointer(&state->pending, state_generation_free);
}

static char *attached_name(const char *id)
{
	return g_strconcat(id, ".json", NULL);
}

int state_attached_prepare(struct state *state, const char *id, const char *text, size_t length)
{
	g_autofree char *name = attached_name(id);

	return state_file_prepare(state->attached, name, text, length);
}

int state_attached_commit(struct state *state, const char *id)
{
	g_autofree char *name = attached_name(id);

	return state_file_commit(state->attached, name);
}

void state_attached_abort(struct state *state, const char *id)
{
	g_autofree char *name = attached_name(id);

	state_file_abort(state->attached, name);
}

int state_attached_remove(struct state *state, const char *id)
{
	g_autofree char *name = attached_name(id);

	return state_file_remove(state->attached, name);
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
