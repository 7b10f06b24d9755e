/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_json.c - the texts of the state directory's files, both ways.
 */
#include "rulesd/state_json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "rulesd/cleanup.h"

#define STATE_VERSION 1

/* jansson allocates with malloc; what leaves here is freed with g_free, which is the same in GLib
 * since 2.46. */
static char *dump(const json_t *json)
{
	return json_dumps(json, JSON_INDENT(1) | JSON_SORT_KEYS);
}

int state_damaged(char **error, const char *path, const char *name, const char *why)
{
	*error = g_strdup_printf("state directory %s: %s is damaged: %s; what is pinned goes on "
				 "filtering: put the file back from a backup, or run rulesd "
				 "--flush, remove the directory and begin anew",
				 path, name, why);
	return -EINVAL;
}

static json_t *generation_to_json(const struct state_generation *entry)
{
	return json_pack("{sI ss ss ss ss}", "generation", (json_int_t)entry->generation, "time",
			 entry->time, "sha256", entry->sha256, "source", entry->source, "file",
			 entry->file);
}

char *state_current_to_text(const struct state *state, const struct state_generation *pending,
			    uint64_t generation, uint64_t offset)
{
	AUTO_JSON json_t *json = NULL;
	json_t *entries = json_array();
	guint first = 0;

	if (pending && state->generations->len >= STATE_MAX_GENERATIONS)
		first = state->generations->len - STATE_MAX_GENERATIONS + 1;
	for (guint i = first; i < state->generations->len; i++)
		json_array_append_new(entries, generation_to_json(state->generations->pdata[i]));
	if (pending)
		json_array_append_new(entries, generation_to_json(pending));
	json = json_pack("{si sI sI so}", "version", STATE_VERSION, "generation",
			 (json_int_t)generation, "offset", (json_int_t)offset, "generations",
			 entries);
	return dump(json);
}

static int read_generation(struct state *state, json_t *json)
{
	struct state_generation *entry;
	json_int_t generation = 0;
	const char *time = NULL;
	const char *sha256 = NULL;
	const char *source = NULL;
	const char *file = NULL;

	if (json_unpack(json, "{sI ss ss ss ss}", "generation", &generation, "time", &time,
			"sha256", &sha256, "source", &source, "file", &file) < 0)
		return -EINVAL;
	if (generation < 0 || strchr(file, '/'))
		return -EINVAL;
	entry = g_new0(struct state_generation, 1);
	entry->generation = (uint64_t)generation;
	entry->time = g_strdup(time);
	entry->sha256 = g_strdup(sha256);
	entry->source = g_strdup(source);
	entry->file = g_strdup(file);
	g_ptr_array_add(state->generations, entry);
	return 0;
}

int state_current_from_text(struct state *state, const char *text, size_t length, char **error)
{
	AUTO_JSON json_t *json = NULL;
	json_error_t where = {0};
	json_t *entries = NULL;
	json_t *entry;
	json_int_t generation = 0;
	json_int_t offset = 0;
	size_t index;
	int version = 0;

	json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
	if (!json || json_unpack(json, "{si sI sI so}", "version", &version, "generation",
				 &generation, "offset", &offset, "generations", &entries) < 0)
		return state_damaged(error, state->path, "current.json",
				     json ? "a field is missing" : where.text);
	if (!json_is_array(entries))
		return state_damaged(error, state->path, "current.json", "generations is no array");
	if (version != STATE_VERSION) {
		*error = g_strdup_printf("state directory %s: current.json has version %d, this "
					 "rulesd knows %d: start the rulesd that wrote it",
					 state->path, version, STATE_VERSION);
		return -EINVAL;
	}
	json_array_foreach (entries, index, entry) {
		if (read_generation(state, entry) < 0)
			return state_damaged(error, state->path, "current.json",
					     "an entry of generations is incomplete");
	}
	state->generation = (uint64_t)generation;
	state->offset = (uint64_t)offset;
	return 0;
}

char *state_sources_to_text(const GPtrArray *sources)
{
	AUTO_JSON json_t *json = json_object();
	json_t *files = json_array();

	json_object_set_new(json, "files", files);
	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *source = sources->pdata[i];

		json_array_append_new(files, json_pack("{ss ss%}", "name", source->name, "text",
						       source->text, source->length));
	}
	return dump(json);
}

int state_sources_from_text(const char *text, size_t length, GPtrArray *sources)
{
	AUTO_JSON json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	json_t *file;
	size_t index;

	if (!json || !json_is_array(json_object_get(json, "files")))
		return -EINVAL;
	json_array_foreach (json_object_get(json, "files"), index, file) {
		const char *name = NULL;
		const char *content = NULL;
		size_t size = 0;
		struct load_source *source;

		if (json_unpack(file, "{ss ss%}", "name", &name, "text", &content, &size) < 0)
			return -EINVAL;
		source = g_new0(struct load_source, 1);
		source->name = g_strdup(name);
		source->text = g_strndup(content, size);
		source->length = size;
		g_ptr_array_add(sources, source);
	}
	return 0;
}
