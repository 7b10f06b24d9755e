/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_keys.c - duplicate keys: found in every object, all of them, in n log n.
 */
#include "rulesd/json_internal.h"

#include <string.h>

/* A member's key for sorting: its decoded bytes, and where it stands. */
struct member_key {
	const char *text;
	size_t length;
	uint32_t node;
};

static int compare_member_keys(const void *a, const void *b)
{
	const struct member_key *x = a, *y = b;
	int order = memcmp(x->text, y->text, MIN(x->length, y->length));

	if (order == 0 && x->length != y->length)
		order = x->length < y->length ? -1 : 1;
	return order ? order : x->node < y->node ? -1 : 1;
}

static bool same_key(const struct member_key *a, const struct member_key *b)
{
	return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static void report_duplicate(struct jdoc *doc, uint32_t first, uint32_t second, struct diag *diag)
{
	struct place place = jdoc_key_place(doc, first);
	uint32_t parent = jdoc_node(doc, second)->parent;
	g_autofree char *pointer = NULL;
	g_autofree char *key = NULL;
	g_autofree char *quoted = NULL;

	jdoc_node(doc, second)->duplicate = true;
	if (parent == JDOC_ROOT || jdoc_node(doc, parent)->parent == JDOC_ROOT)
		doc->hides_objects = true;
	if (diag_full(diag)) {
		diag->left_out++;
		return;
	}
	pointer = jdoc_pointer(doc, second);
	key = jdoc_key(doc, second);
	quoted = diag_quote(key);
	diag_add(diag, "duplicate-key", jdoc_key_place(doc, second), pointer, "keep one of them",
		 "duplicate key %s, first at line %u, column %u", quoted, place.line, place.column);
}

/* The keys of one object, sorted; the texts of those that had escapes go to decoded. */
static void collect_keys(const struct jdoc *doc, uint32_t object, GArray *keys, GPtrArray *decoded)
{
	g_array_set_size(keys, 0);
	g_ptr_array_set_size(decoded, 0);
	for (uint32_t child = jdoc_first(doc, object); child; child = jdoc_next(doc, child)) {
		struct member_key key = {.node = child};

		key.text = jdoc_raw_string(doc, jdoc_node(doc, child)->key, &key.length);
		if (memchr(key.text, '\\', key.length)) {
			char *text = jdoc_key(doc, child);

			g_ptr_array_add(decoded, text);
			key.text = text;
			key.length = strlen(text);
		}
		g_array_append_val(keys, key);
	}
	g_array_sort(keys, compare_member_keys);
}

void jdoc_check_duplicates(struct jdoc *doc, struct diag *diag)
{
	g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(struct member_key));
	g_autoptr(GPtrArray) decoded = g_ptr_array_new_with_free_func(g_free);

	for (uint32_t node = 0; node < doc->nodes->len; node++) {
		const struct member_key *all;

		if (jdoc_kind(doc, node) != JDOC_OBJECT)
			continue;
		collect_keys(doc, node, keys, decoded);
		all = (const struct member_key *)(const void *)keys->data;
		for (guint i = 1, first = 0; i < keys->len; i++) {
			if (same_key(&all[first], &all[i]))
				report_duplicate(doc, all[first].node, all[i].node, diag);
			else
				first = i;
		}
	}
}
