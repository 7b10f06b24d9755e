/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_json.c - the texts of the state directory's files, both ways.
 *
 * STATE_VERSION 1: no journals, texts in policies/N.json; 2: no seals, a journal only where it has
 * records; 3: both. Long because what is written of each file and what is read of it stand beside
 * each other.
 */
#include "rulesd/state_json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/state_record.h"

/* jansson allocates with malloc; what leaves here is freed with g_free, which is the same in GLib
 * since 2.46. */
static char *dump(const json_t *json)
{
	return json_dumps(json, JSON_INDENT(1) | JSON_SORT_KEYS);
}

static json_t *generation_to_json(const struct state_generation *entry)
{
	return json_pack("{sI ss ss? ss ss si}", "generation", (json_int_t)entry->generation,
			 "time", entry->time, "sha256", entry->sha256, "source", entry->source,
			 "file", entry->file, "patches", (int)entry->patches);
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
	json = json_pack("{si sI sI so sb ss? sb}", "version", STATE_VERSION, "generation",
			 (json_int_t)generation, "offset", (json_int_t)offset, "generations",
			 entries, "numbers", (int)state->has_numbers, "lost", state->lost,
			 "journal", pending || state->has_journal);
	return dump(json);
}

static int read_generation(struct state *state, json_t *json)
{
	struct state_generation *entry;
	json_int_t generation = 0;
	const char *time = NULL;
	json_t *sha256 = NULL;
	const char *source = NULL;
	const char *file = NULL;
	int patches = 0;

	if (json_unpack(json, "{sI ss s?o ss ss s?i}", "generation", &generation, "time", &time,
			"sha256", &sha256, "source", &source, "file", &file, "patches",
			&patches) < 0)
		return -EINVAL;
	if (generation < 0 || strchr(file, '/') || patches < 0 ||
	    !(json_is_string(sha256) || json_is_null(sha256)))
		return -EINVAL;
	entry = g_new0(struct state_generation, 1);
	entry->generation = (uint64_t)generation;
	entry->time = g_strdup(time);
	entry->sha256 = g_strdup(json_string_value(sha256));
	entry->source = g_strdup(source);
	entry->file = g_strdup(file);
	entry->patches = (uint32_t)patches;
	g_ptr_array_add(state->generations, entry);
	return 0;
}

int state_current_from_text(struct state *state, const char *text, size_t length, bool sealed,
			    char **error)
{
	AUTO_JSON json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	json_t *entries = NULL;
	json_t *entry;
	json_t *lost = NULL;
	json_int_t generation = 0;
	json_int_t offset = 0;
	size_t index;
	int version = 0;
	int has_numbers = 0, has_journal = 0;

	if (!json ||
	    json_unpack(json, "{si sI sI so s?b s?b s?o}", "version", &version, "generation",
			&generation, "offset", &offset, "generations", &entries, "numbers",
			&has_numbers, "journal", &has_journal, "lost", &lost) < 0)
		return -EBADMSG;
	if (version > STATE_VERSION) {
		*error = g_strdup_printf("state directory %s: current.json has version %d, this "
					 "rulesd knows 1 to %d: start the rulesd that wrote it",
					 state->path, version, STATE_VERSION);
		return -EINVAL;
	}
	if (version < 1 || !json_is_array(entries) || (version == STATE_VERSION && !sealed))
		return -EBADMSG;
	json_array_foreach (entries, index, entry) {
		if (read_generation(state, entry) < 0)
			return -EBADMSG;
	}
	state->generation = (uint64_t)generation;
	state->offset = (uint64_t)offset;
	state->versioned = state->sealed = version == STATE_VERSION;
	state->has_numbers = has_numbers;
	state->has_journal = has_journal;
	state->lost = g_strdup(json_string_value(lost));
	return 0;
}

static json_t *lengths_of(const GPtrArray *sources)
{
	json_t *list = json_array();

	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *source = sources->pdata[i];

		json_array_append_new(list, json_pack("{ss sI}", "name", source->name, "length",
						      (json_int_t)source->length));
	}
	return list;
}

char *state_policy_head(const struct state *state, const struct state_generation *entry,
			const GPtrArray *sources, const GPtrArray *patches, bool compacted)
{
	json_t *lists = json_array();
	AUTO_JSON json_t *json = NULL;

	for (guint i = 0; patches && i < patches->len; i++)
		json_array_append_new(lists, lengths_of(patches->pdata[i]));
	json = json_pack("{si so so sI sI ss ss}", "version", STATE_VERSION, "files",
			 lengths_of(sources), "patches", lists, "generation",
			 (json_int_t)entry->generation, "offset", (json_int_t)state->offset, "time",
			 entry->time, "source", entry->source);
	if (json && compacted)
		json_object_set_new(json, "compacted", json_true());
	return json ? json_dumps(json, JSON_COMPACT) : NULL;
}

/* The line of JSON that the texts stand behind; NULL when it is none. */
static json_t *read_head(const char *text, size_t length, const char **texts)
{
	const char *line = memchr(text, '\n', length);
	json_t *json =
		line ? json_loadb(text, (size_t)(line - text), JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (json_object_get(json, "version")) {
		*texts = line + 1;
		return json;
	}
	json_decref(json);
	return NULL;
}

struct state_generation *state_generation_from_head(struct state *state, const char *name,
						    const char *text, size_t length)
{
	struct state_generation *entry = g_new0(struct state_generation, 1);
	const char *texts, *time = "", *source = "api";
	AUTO_JSON json_t *json = read_head(text, length, &texts);
	json_int_t generation = 0, offset = 0;

	json_unpack(json, "{s?I s?I s?s s?s}", "generation", &generation, "offset", &offset, "time",
		    &time, "source", &source);
	entry->generation = MAX((uint64_t)generation, state->generation + 1);
	entry->time = g_strdup(time);
	entry->source = g_strdup(source);
	entry->file = g_strdup(name);
	state->generation = entry->generation;
	state->offset = (uint64_t)offset;
	return entry;
}

bool state_is_compacted(const char *text, size_t length)
{
	const char *texts;
	AUTO_JSON json_t *json = read_head(text, length, &texts);

	return json_is_true(json_object_get(json, "compacted"));
}

static GPtrArray *add_patch_to(GPtrArray *patches)
{
	GPtrArray *patch = load_sources_new();

	g_ptr_array_add(patches, patch);
	return patch;
}

/* text becomes the source's. */
static struct load_source *take_source(GPtrArray *sources, const char *name, char *text,
				       size_t length)
{
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup(name);
	source->text = text;
	source->length = length;
	g_ptr_array_add(sources, source);
	return source;
}

static char *copy_text(const char *text, size_t length)
{
	/* Not g_strndup, which would stop at a NUL. */
	char *copy = g_malloc(length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

#define LARGE_BYTES (1u << 20)

/* Texts that stand behind each other. */
struct cut {
	const char *at, *end;
	struct load_source *large; /* its text is not copied: it takes the place of all of them */
	const char *large_text;
};

/* The texts that the list names, from cut->at on. */
static int cut_texts(const json_t *list, struct cut *cut, GPtrArray *sources)
{
	json_t *file;
	size_t index;

	if (!json_is_array(list))
		return -EINVAL;
	json_array_foreach (list, index, file) {
		const char *name = NULL;
		json_int_t length = 0;
		struct load_source *source;

		if (json_unpack(file, "{ss sI}", "name", &name, "length", &length) < 0 ||
		    length < 0 || length > cut->end - cut->at)
			return -EINVAL;
		source = take_source(sources, name, NULL, (size_t)length);
		if (!cut->large && source->length >= LARGE_BYTES) {
			cut->large = source;
			cut->large_text = cut->at;
		} else {
			source->text = copy_text(cut->at, source->length);
		}
		cut->at += length;
	}
	return 0;
}

/* text: of which large_text is a part. */
static void keep_large(const struct cut *cut, char **text)
{
	char *kept;

	if (!cut->large)
		return;
	kept = TAKE_PTR(*text);
	memmove(kept, cut->large_text, cut->large->length);
	kept[cut->large->length] = '\0';
	cut->large->text = kept;
}

static int sources_from_json(const json_t *files, GPtrArray *sources)
{
	json_t *file;
	size_t index;

	if (!json_is_array(files))
		return -EINVAL;
	json_array_foreach (files, index, file) {
		const char *name = NULL;
		const char *content = NULL;
		size_t size = 0;

		if (json_unpack(file, "{ss ss%}", "name", &name, "text", &content, &size) < 0)
			return -EINVAL;
		take_source(sources, name, copy_text(content, size), size);
	}
	return 0;
}

int state_policy_from_text(char **text, size_t length, bool sealed, GPtrArray *sources,
			   GPtrArray *patches)
{
	struct cut cut = {.at = *text, .end = *text + length};
	AUTO_JSON json_t *json = read_head(*text, length, &cut.at);
	const json_t *lists;
	json_t *list;
	size_t index;
	int err;

	if (!json) {
		json = json_loadb(*text, length, JSON_REJECT_DUPLICATES, NULL);
		return sealed ? -EINVAL
			      : sources_from_json(json_object_get(json, "files"), sources);
	}
	/* Without a seal it is of an older rulesd, or its seal is damaged. */
	if (!sealed && json_integer_value(json_object_get(json, "version")) >= STATE_VERSION)
		return -EINVAL;
	err = cut_texts(json_object_get(json, "files"), &cut, sources);
	lists = json_object_get(json, "patches");
	if (err == 0 && !json_is_array(lists))
		err = -EINVAL;
	json_array_foreach (lists, index, list) {
		if (err == 0)
			err = cut_texts(list, &cut, add_patch_to(patches));
	}
	if (err == 0 && cut.at != cut.end)
		err = -EINVAL;
	keep_large(&cut, text);
	return err;
}

/* ---------------------------------------------------------------- journals */

char *state_journal_name(const char *file)
{
	guint64 number = file ? g_ascii_strtoull(file, NULL, 10) : 0;

	return g_strdup_printf("%" G_GUINT64_FORMAT ".journal", number);
}

static char *record_text(const struct state_record *record, const char *kind, json_t *what)
{
	AUTO_JSON json_t *json =
		json_pack("{sI sI so}", "generation", (json_int_t)record->generation, "offset",
			  (json_int_t)record->offset, kind, what);

	if (!json)
		return NULL;
	if (record->numbers)
		json_object_set_new(json, "numbers", json_deep_copy(record->numbers));
	return json_dumps(json, JSON_COMPACT);
}

char *state_patch_to_text(const struct state_record *record, const struct state_generation *entry,
			  const GPtrArray *sources)
{
	json_t *files = json_array();

	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *source = sources->pdata[i];

		json_array_append_new(files, json_pack("{ss ss%}", "name", source->name, "text",
						       source->text, source->length));
	}
	return record_text(record, "patch",
			   json_pack("{ss ss so}", "time", entry->time, "source", entry->source,
				     "files", files));
}

char *state_attached_to_text(const struct state_record *record, GHashTable *changes)
{
	json_t *attached = json_object();
	GHashTableIter iter;
	gpointer id, bytes;

	g_hash_table_iter_init(&iter, changes);
	while (g_hash_table_iter_next(&iter, &id, &bytes)) {
		gsize length = 0;
		const char *text = bytes ? g_bytes_get_data(bytes, &length) : NULL;

		json_object_set_new(attached, id, text ? json_stringn(text, length) : json_null());
	}
	return record_text(record, "attached", attached);
}

static int add_patch(struct state *state, uint64_t number, json_t *patch)
{
	const struct state_generation *current = state_current(state);
	struct state_generation *entry;
	const char *time = NULL;
	const char *source = NULL;

	if (!current || json_unpack(patch, "{ss ss}", "time", &time, "source", &source) < 0)
		return -EINVAL;
	state->patches++;
	if (state->patches <= state->listed)
		return 0;
	entry = g_new0(struct state_generation, 1);
	entry->generation = number;
	entry->time = g_strdup(time);
	entry->source = g_strdup(source);
	entry->file = g_strdup(current->file);
	entry->patches = state->patches;
	g_ptr_array_add(state->generations, entry);
	state_prune(state);
	return 0;
}

void state_note_attached(struct state *state, const char *id, GBytes *text)
{
	/* Of what was never anywhere else nothing need be remembered. */
	if (text || g_hash_table_contains(state->attached_files, id))
		g_hash_table_replace(state->attached_changes, g_strdup(id), text);
	else
		g_hash_table_remove(state->attached_changes, id);
}

static int add_attached(struct state *state, json_t *attached)
{
	const char *id;
	json_t *text;

	json_object_foreach (attached, id, text) {
		GBytes *bytes = NULL;

		if (!*id || strchr(id, '/') || !(json_is_string(text) || json_is_null(text)))
			return -EINVAL;
		if (json_is_string(text))
			bytes = g_bytes_new(json_string_value(text), json_string_length(text));
		state_note_attached(state, id, bytes);
	}
	return 0;
}

int state_record_from_text(struct state *state, const char *text, size_t length, bool behind)
{
	AUTO_JSON json_t *json = state_record_json(text, length, NULL);
	json_t *patch = json_object_get(json, "patch");
	json_t *attached = json_object_get(json, "attached");
	json_t *numbers = json_object_get(json, "numbers");
	json_int_t generation = 0;
	json_int_t offset = 0;
	int err = 0;

	if (!json ||
	    json_unpack(json, "{sI sI}", "generation", &generation, "offset", &offset) < 0 ||
	    generation < 0 || !patch == !attached)
		return -EINVAL;
	/* A patch is one of what was there before it; an interface stands for itself. */
	if (attached)
		err = add_attached(state, attached);
	else if (!behind)
		err = add_patch(state, (uint64_t)generation, patch);
	if (err < 0)
		return err;
	if (numbers)
		g_ptr_array_add(state->news, json_incref(numbers));
	/* What a journal begins with is older than the policy that it stands beside. */
	if ((uint64_t)generation >= state->generation) {
		state->generation = (uint64_t)generation;
		state->offset = (uint64_t)offset;
	}
	return 0;
}

/* -EINVAL: a text has to be read with the rest of the record. */
static int patch_from_outline(const json_t *files, const GArray *texts, GPtrArray *patch)
{
	json_t *file;
	size_t index;

	if (!json_is_array(files))
		return -EINVAL;
	json_array_foreach (files, index, file) {
		const json_t *content = json_object_get(file, "text");
		const char *name = json_string_value(json_object_get(file, "name"));
		json_int_t number = json_integer_value(content);
		size_t length = 0;
		char *text;

		if (name && json_is_string(content)) {
			length = json_string_length(content);
			text = copy_text(json_string_value(content), length);
			take_source(patch, name, text, length);
			continue;
		}
		if (!name || !json_is_integer(content) || number < 0 || number >= texts->len)
			return -EINVAL;
		text = state_text_decode(&g_array_index(texts, struct state_text, number), &length);
		if (!text)
			return -EINVAL;
		take_source(patch, name, text, length);
	}
	return 0;
}

int state_patch_from_text(const char *text, size_t length, GPtrArray *patches)
{
	g_autoptr(GArray) texts = g_array_new(FALSE, FALSE, sizeof(struct state_text));
	AUTO_JSON json_t *json = state_record_json(text, length, texts);
	const json_t *patch = json_object_get(json, "patch");
	GPtrArray *made;

	if (!json)
		return -EINVAL;
	if (!patch)
		return 1;
	made = add_patch_to(patches);
	if (texts->len && patch_from_outline(json_object_get(patch, "files"), texts, made) == 0)
		return 0;
	g_ptr_array_set_size(made, 0);
	if (texts->len) {
		json_decref(json);
		json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
		patch = json_object_get(json, "patch");
	}
	return sources_from_json(json_object_get(patch, "files"), made);
}
