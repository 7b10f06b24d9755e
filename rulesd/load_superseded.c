/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_superseded.c - patches of a restart that need not be read, because a later one writes all
 * that they write.
 *
 * A prefix list of 10,000 entries that was changed a thousand times is read once, not a thousand
 * times. Only patches of nothing but groups and prefix lists are looked at: those of interfaces
 * cost little, and what is in between must not find an address twice.
 */
#include "rulesd/load.h"

#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/json_doc.h"
#include "rulesd/model.h"

static const char *const replaced_whole[] = {"groups", "prefix_lists"};

/* "section network id" of objects that a later patch writes, without one between that takes them
 * away. */
struct later {
	GHashTable *written;
	GPtrArray *keys;  /* of the patch in hand... */
	GPtrArray *taken; /* ...and of what it takes away */
	bool superseded;  /* all of keys are written later, and it says nothing else */
};

static void look_at_objects(struct later *later, const struct jdoc *doc, const char *section,
			    uint32_t node)
{
	uint32_t network = jdoc_member(doc, JDOC_ROOT, "network");
	g_autofree char *name = network && jdoc_kind(doc, network) == JDOC_STRING
					? jdoc_string(doc, network)
					: g_strdup(MODEL_DEFAULT_NETWORK);

	for (uint32_t object = jdoc_first(doc, node); object; object = jdoc_next(doc, object)) {
		g_autofree char *id = jdoc_key(doc, object);
		char *key = g_strdup_printf("%s %s %s", section, name, id);
		bool is_written = jdoc_kind(doc, object) == JDOC_OBJECT;

		later->superseded &= is_written && g_hash_table_contains(later->written, key);
		g_ptr_array_add(is_written ? later->keys : later->taken, key);
	}
}

/* False when nothing that was seen so far (later ones) may stand for what comes (earlier ones). */
static bool look_at_section(struct later *later, const struct jdoc *doc, uint32_t node)
{
	g_autofree char *name = jdoc_key(doc, node);

	if (jdoc_kind(doc, node) != JDOC_OBJECT || strcmp(name, "labels") == 0)
		return true;
	for (unsigned int i = 0; i < G_N_ELEMENTS(replaced_whole); i++) {
		if (strcmp(name, replaced_whole[i]) != 0)
			continue;
		look_at_objects(later, doc, name, node);
		return true;
	}
	later->superseded = false;
	return strcmp(name, "interfaces") == 0;
}

static bool look_at_document(struct later *later, const struct load_source *source)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(jdoc_free)
	struct jdoc *doc = jdoc_parse(source->name, source->text, source->length, diag);
	bool stands = doc && !diag_any(diag) && jdoc_kind(doc, JDOC_ROOT) == JDOC_OBJECT;

	for (uint32_t node = stands ? jdoc_first(doc, JDOC_ROOT) : 0; node;
	     node = jdoc_next(doc, node))
		stands &= look_at_section(later, doc, node);
	return stands;
}

/* From the last patch to the first. */
static bool is_superseded(struct later *later, const GPtrArray *patch)
{
	bool stands = true;

	later->superseded = patch->len > 0;
	g_ptr_array_set_size(later->keys, 0);
	g_ptr_array_set_size(later->taken, 0);
	for (guint i = 0; i < patch->len; i++)
		stands &= look_at_document(later, patch->pdata[i]);
	if (!stands) {
		g_hash_table_remove_all(later->written);
		return false;
	}
	for (guint i = 0; i < later->keys->len; i++)
		g_hash_table_add(later->written, g_strdup(later->keys->pdata[i]));
	for (guint i = 0; i < later->taken->len; i++)
		g_hash_table_remove(later->written, later->taken->pdata[i]);
	return later->superseded;
}

bool *load_superseded(const GPtrArray *patches)
{
	g_autoptr(GHashTable) written =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) taken = g_ptr_array_new_with_free_func(g_free);
	struct later later = {.written = written, .keys = keys, .taken = taken};
	bool *superseded = g_new0(bool, patches->len + 1);

	for (guint i = patches->len; i > 0; i--)
		superseded[i - 1] = is_superseded(&later, patches->pdata[i - 1]);
	return superseded;
}
