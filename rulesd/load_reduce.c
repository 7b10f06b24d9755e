/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_reduce.c - thousands of patches to one that says the same: the last word on each object, as
 * it was written.
 *
 * Nothing is lost, because a patch writes whole objects, and whether the model is sound is asked
 * after the last one only. Two things depend on what was in between: what came and went again must
 * not be removed from a policy that never had it; and a network that was removed and then named
 * again has no settings, for which it is removed by a patch of its own, before the other.
 */
#include "rulesd/load.h"

#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/json_doc.h"
#include "rulesd/json_write.h"
#include "rulesd/model.h"

enum section { NETWORKS, SERVICES, PREFIX_LISTS, GROUPS, INTERFACES, SECTIONS };
static const char *const names[SECTIONS] = {"networks", "services", "prefix_lists", "groups",
					    "interfaces"};

/* The last word on an object. */
struct word {
	char *text; /* as it was written; NULL: removed */
	guint patch;
	bool in_base; /* the policy has it without any patch */
	/* Of a network: */
	bool gone;  /* a patch before this word removed it */
	bool again; /* removed, and named again since */
};

/* Networks and services belong to the whole policy: their words are those of the network "". */
struct words {
	GHashTable *networks; /* name -> its tables, SECTIONS of id -> struct word */
	GHashTable *named;    /* networks that have a document since they were last removed */
	guint patch;	      /* in hand */
	guint removals;
};

static void word_free(gpointer data)
{
	struct word *word = data;

	g_free(word->text);
	g_free(word);
}

static void tables_free(gpointer data)
{
	GHashTable **tables = data;

	for (unsigned int i = 0; i < SECTIONS; i++)
		g_hash_table_unref(tables[i]);
	g_free(tables);
}

static bool is_whole(unsigned int section)
{
	return section == NETWORKS || section == SERVICES;
}

static GHashTable **tables_of(const struct words *words, const char *network)
{
	GHashTable **tables = g_hash_table_lookup(words->networks, network);

	if (tables)
		return tables;
	tables = g_new(GHashTable *, SECTIONS);
	for (unsigned int i = 0; i < SECTIONS; i++)
		tables[i] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, word_free);
	g_hash_table_insert(words->networks, g_strdup(network), tables);
	return tables;
}

static char *network_of(const struct jdoc *doc)
{
	uint32_t node = jdoc_member(doc, JDOC_ROOT, "network");

	return node ? jdoc_string(doc, node) : g_strdup(MODEL_DEFAULT_NETWORK);
}

static void say(struct words *words, const char *network, unsigned int section, const char *id,
		char *text)
{
	GHashTable *table = tables_of(words, is_whole(section) ? "" : network)[section];
	const struct word *before = g_hash_table_lookup(table, id);
	struct word *word = g_new0(struct word, 1);

	word->text = text;
	word->patch = words->patch;
	word->gone = before && (before->gone || !before->text);
	g_hash_table_replace(table, g_strdup(id), word);
	if (section == NETWORKS && !text)
		g_hash_table_remove(words->named, id);
}

/* A network that an earlier patch took away comes back by being named, without its settings. */
static void name_network(struct words *words, const char *network)
{
	struct word *word = g_hash_table_lookup(tables_of(words, "")[NETWORKS], network);

	tables_of(words, network);
	g_hash_table_add(words->named, g_strdup(network));
	if (word && !word->text && word->patch < words->patch)
		word->again = true;
}

static void read_section(struct words *words, const struct jdoc *doc, const char *network,
			 unsigned int section)
{
	uint32_t object = jdoc_member(doc, JDOC_ROOT, names[section]);

	for (uint32_t node = object ? jdoc_first(doc, object) : 0; node;
	     node = jdoc_next(doc, node)) {
		g_autofree char *id = jdoc_key(doc, node);
		size_t length = 0;
		const char *text = jdoc_text(doc, node, &length);
		bool removed = jdoc_kind(doc, node) == JDOC_NULL;

		words->removals += removed;
		say(words, network, section, id, removed ? NULL : g_strndup(text, length));
	}
}

static struct jdoc *parse(const struct load_source *source)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct jdoc *doc = jdoc_parse(source->name, source->text, source->length, diag);

	if (doc && (diag_any(diag) || jdoc_kind(doc, JDOC_ROOT) != JDOC_OBJECT))
		jdoc_free(&doc);
	return doc;
}

static bool read_patch(struct words *words, const GPtrArray *patch)
{
	words->patch++;
	for (guint i = 0; i < patch->len; i++) {
		CLEANUP(jdoc_free) struct jdoc *doc = parse(patch->pdata[i]);
		g_autofree char *network = doc ? network_of(doc) : NULL;

		if (!doc)
			return false;
		name_network(words, network);
		for (unsigned int section = 0; section < SECTIONS; section++)
			read_section(words, doc, network, section);
	}
	return true;
}

/* ------------------------------------------------------------------ what the policy has */

static void mark(GHashTable *table, const char *id)
{
	struct word *word = g_hash_table_lookup(table, id);

	if (word)
		word->in_base = true;
}

static bool mark_source(struct words *words, const struct load_source *source)
{
	CLEANUP(jdoc_free) struct jdoc *doc = parse(source);
	g_autofree char *network = doc ? network_of(doc) : NULL;

	if (!doc)
		return false;
	mark(tables_of(words, "")[NETWORKS], network);
	for (unsigned int section = 0; section < SECTIONS; section++) {
		uint32_t object = jdoc_member(doc, JDOC_ROOT, names[section]);
		GHashTable **tables =
			g_hash_table_lookup(words->networks, is_whole(section) ? "" : network);
		GHashTable *table = tables ? tables[section] : NULL;

		if (!object || !table || !g_hash_table_size(table))
			continue;
		for (uint32_t node = jdoc_first(doc, object); node; node = jdoc_next(doc, node)) {
			CLEANUP(jdoc_text_clear) struct jdoc_text text;

			mark(table, jdoc_read_key(doc, node, &text));
		}
	}
	return true;
}

/* ------------------------------------------------------------------ the patch */

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *sorted_keys(GHashTable *table)
{
	GPtrArray *keys = g_ptr_array_new();
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(keys, key);
	g_ptr_array_sort(keys, compare_names);
	return keys;
}

/* Whether the policy's network has to go first. */
static bool begins_anew(const struct word *network)
{
	return network && network->in_base && (network->again || (network->text && network->gone));
}

typedef bool word_filter(const struct word *word);

static bool is_removal(const struct word *word)
{
	return !word->text && word->in_base;
}

static bool is_last(const struct word *word)
{
	return !word->again && (word->text || word->in_base);
}

static bool is_text(const struct word *word)
{
	return word->text;
}

static bool write_section(struct json_writer *writer, GHashTable *table, const char *name,
			  word_filter *filter)
{
	g_autoptr(GPtrArray) ids = sorted_keys(table);
	bool any = false;

	for (guint i = 0; i < ids->len; i++) {
		const struct word *word = g_hash_table_lookup(table, ids->pdata[i]);

		if (!filter(word))
			continue;
		if (!any) {
			json_key(writer, name);
			json_open(writer, '{');
			any = true;
		}
		json_key(writer, ids->pdata[i]);
		g_string_append(writer->out, word->text ? word->text : "null");
	}
	if (any)
		json_close(writer, '}');
	return any;
}

static void begin_document(struct json_writer *writer, const char *network)
{
	json_open(writer, '{');
	json_key(writer, "version");
	g_string_append_c(writer->out, '1');
	if (*network) {
		json_key(writer, "network");
		json_write_string(writer, network);
	}
}

static void end_document(struct json_writer *writer, bool says, GPtrArray *documents)
{
	struct load_source *source;

	json_close(writer, '}');
	if (!says) {
		g_string_free(writer->out, TRUE);
		return;
	}
	source = g_new0(struct load_source, 1);
	source->name = g_strdup("patches");
	source->length = writer->out->len;
	source->text = g_string_free(writer->out, FALSE);
	g_ptr_array_add(documents, source);
}

/* What the policy has in a network that goes, and the network. */
static void write_removal(const struct words *words, const char *network, GPtrArray *documents)
{
	GHashTable **tables = g_hash_table_lookup(words->networks, network);
	struct json_writer writer = {.out = g_string_new(NULL)};

	begin_document(&writer, network);
	json_key(&writer, names[NETWORKS]);
	json_open(&writer, '{');
	json_key(&writer, network);
	g_string_append(writer.out, "null");
	json_close(&writer, '}');
	for (unsigned int section = 0; section < SECTIONS; section++)
		write_section(&writer, tables[section], names[section], is_removal);
	end_document(&writer, true, documents);
}

static void write_document(const struct words *words, const char *network, GPtrArray *documents)
{
	GHashTable **tables = g_hash_table_lookup(words->networks, network);
	const struct word *word = g_hash_table_lookup(tables_of(words, "")[NETWORKS], network);
	struct json_writer writer = {.out = g_string_new(NULL)};
	/* To be named is enough for a network to be there. */
	bool says = strcmp(network, MODEL_DEFAULT_NETWORK) != 0 &&
		    g_hash_table_contains(words->named, network) &&
		    (!word || word->text || word->again);

	begin_document(&writer, network);
	for (unsigned int section = 0; section < SECTIONS; section++)
		says |= write_section(&writer, tables[section], names[section],
				      begins_anew(word) ? is_text : is_last);
	end_document(&writer, says, documents);
}

static bool is_too_large(const GPtrArray *documents)
{
	for (guint i = 0; i < documents->len; i++)
		if (((const struct load_source *)documents->pdata[i])->length > JDOC_MAX_BYTES)
			return true;
	return false;
}

static bool add_patch(GPtrArray *patches, GPtrArray *documents)
{
	bool fits = !is_too_large(documents);

	if (fits && documents->len)
		g_ptr_array_add(patches, documents);
	else
		g_ptr_array_unref(documents);
	return fits;
}

/* NULL: a document is too large. */
static GPtrArray *write_patches(const struct words *words)
{
	g_autoptr(GPtrArray) networks = sorted_keys(words->networks);
	g_autoptr(GPtrArray) patches = load_patches_new();
	GPtrArray *removals = load_sources_new();
	GPtrArray *documents = load_sources_new();
	bool removals_fit, documents_fit;

	for (guint i = 0; i < networks->len; i++) {
		const char *network = networks->pdata[i];

		if (begins_anew(g_hash_table_lookup(tables_of(words, "")[NETWORKS], network)))
			write_removal(words, network, removals);
		write_document(words, network, documents);
	}
	/* Both are taken. */
	removals_fit = add_patch(patches, removals);
	documents_fit = add_patch(patches, documents);
	return removals_fit && documents_fit ? TAKE_PTR(patches) : NULL;
}

static bool read_all(struct words *words, const GPtrArray *sources, const GPtrArray *patches)
{
	bool good = true;

	tables_of(words, "");
	for (guint i = 0; good && i < patches->len; i++)
		good = read_patch(words, patches->pdata[i]);
	for (guint i = 0; good && words->removals && i < sources->len; i++)
		good = mark_source(words, sources->pdata[i]);
	return good;
}

GPtrArray *load_reduced(const GPtrArray *sources, const GPtrArray *patches)
{
	g_autoptr(GHashTable) networks =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, tables_free);
	g_autoptr(GHashTable) named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct words words = {.networks = networks, .named = named};

	return read_all(&words, sources, patches) ? write_patches(&words) : NULL;
}
