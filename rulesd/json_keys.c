/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_keys.c - duplicate keys: found in every object, all of them, in linear time.
 */
#include "rulesd/json_internal.h"

#include <string.h>

#include "rulesd/hash_index.h"
#include "rulesd/parallel.h"

/* A key as it is meant; escaped is what to free, or NULL. */
struct decoded {
	const char *text;
	size_t length;
	char *escaped;
};

static struct decoded decode(const struct jdoc *doc, uint32_t offset, size_t length)
{
	struct decoded key = {.text = doc->text + offset + 1, .length = length};

	if (memchr(key.text, '\\', length)) {
		key.escaped = jdoc_decode_string(doc, offset);
		key.text = key.escaped;
		key.length = strlen(key.escaped);
	}
	return key;
}

static bool is_same(const struct decoded *a, const struct decoded *b)
{
	return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static bool same_keys(const struct jdoc *doc, const struct jdoc_key *a, const struct jdoc_key *b)
{
	struct decoded x = decode(doc, a->offset, a->length);
	struct decoded y = decode(doc, b->offset, b->length);
	bool same = is_same(&x, &y);

	g_free(x.escaped);
	g_free(y.escaped);
	return same;
}

/* ------------------------------------------------------------------ many keys */

struct key_match {
	const struct jdoc *doc;
	struct jdoc_key key;
};

static struct jdoc_key key_of(const struct jdoc *doc, uint32_t node)
{
	struct jdoc_key key = {.offset = jdoc_node(doc, node)->key};
	size_t length;

	jdoc_raw_string(doc, key.offset, &length);
	key.length = (uint32_t)length;
	return key;
}

static uint64_t key_hash(const struct jdoc *doc, const struct jdoc_key *key)
{
	struct decoded decoded = decode(doc, key->offset, key->length);
	uint64_t hash = hash_bytes(decoded.text, decoded.length);

	g_free(decoded.escaped);
	return hash;
}

/* Items are nodes as pointers; node 0 is no member. */
static bool is_node_of_key(const void *item, const void *key)
{
	const struct key_match *match = key;
	const struct jdoc_key own = key_of(match->doc, GPOINTER_TO_UINT(item));

	return same_keys(match->doc, &own, &match->key);
}

static void report_duplicate(struct jdoc *doc, uint32_t first, uint32_t second, struct diag *diag)
{
	struct place place;
	uint32_t parent = jdoc_node(doc, second)->parent;
	g_autofree char *pointer = NULL;
	g_autofree char *key = NULL;
	g_autofree char *quoted = NULL;

	jdoc_node(doc, second)->duplicate = true;
	if (parent == JDOC_ROOT || jdoc_node(doc, parent)->parent == JDOC_ROOT)
		doc->hides_objects = true;
	if (!diag)
		return;
	if (diag_full(diag)) {
		diag->left_out++;
		return;
	}
	place = jdoc_key_place(doc, first);
	pointer = jdoc_pointer(doc, second);
	key = jdoc_key(doc, second);
	quoted = diag_quote(key);
	diag_add(diag, "duplicate-key", jdoc_key_place(doc, second), pointer, "keep one of them",
		 "duplicate key %s, first at line %u, column %u", quoted, place.line, place.column);
}

/* ------------------------------------------------------------------ a million keys */

/* Objects with more members are looked at by several threads, for hashes that are equal. */
#define MANY  16384u
#define PIECE 4096u

struct key_hashes {
	const struct jdoc *doc;
	uint32_t *members; /* nodes */
	uint64_t *hashes;  /* of their keys, never 0 */
	uint32_t count;
	uint32_t shares; /* a power of two: each is what the low bits of a hash say */
	bool repeat;	 /* atomic: two are equal */
};

static void hash_piece(uint32_t piece, uint32_t worker, void *context)
{
	struct key_hashes *keys = context;
	uint32_t end = MIN((piece + 1) * PIECE, keys->count);

	(void)worker;
	for (uint32_t i = piece * PIECE; i < end; i++) {
		const struct jdoc_key key = key_of(keys->doc, keys->members[i]);

		keys->hashes[i] = MAX(key_hash(keys->doc, &key), 1u);
	}
}

/* Those of one share, in a table of their own. */
static void compare_share(uint32_t share, uint32_t worker, void *context)
{
	struct key_hashes *keys = context;
	uint32_t slots = 16;
	uint64_t *seen;

	(void)worker;
	while (slots / 2 < keys->count / keys->shares)
		slots *= 2;
	seen = g_new0(uint64_t, slots);
	for (uint32_t i = 0, filled = 0; i < keys->count; i++) {
		uint64_t hash = keys->hashes[i];
		uint32_t slot = (uint32_t)(hash >> 32) & (slots - 1);

		if ((hash & (keys->shares - 1)) != share)
			continue;
		while (seen[slot] && seen[slot] != hash)
			slot = (slot + 1) & (slots - 1);
		/* Hashes that fall into one share, as nobody's by chance do, are not for here. */
		if (seen[slot] || ++filled == slots) {
			__atomic_store_n(&keys->repeat, true, __ATOMIC_RELAXED);
			break;
		}
		seen[slot] = hash;
	}
	g_free(seen);
}

/* False only when no key of the object is there twice. */
static bool may_repeat(const struct jdoc *doc, uint32_t object, uint32_t members)
{
	struct key_hashes keys = {.doc = doc, .count = 0, .shares = PARALLEL_MAX};

	if (members < MANY)
		return true;
	keys.members = g_new(uint32_t, members);
	keys.hashes = g_new(uint64_t, members);
	for (uint32_t child = jdoc_first(doc, object); child; child = jdoc_node(doc, child)->next)
		keys.members[keys.count++] = child;
	parallel_run((members + PIECE - 1) / PIECE, hash_piece, &keys);
	parallel_run(keys.shares, compare_share, &keys);
	g_free(keys.members);
	g_free(keys.hashes);
	return keys.repeat;
}

static void check_object(struct jdoc *doc, uint32_t object, struct diag *diag)
{
	struct hash_index seen = {0};
	uint32_t members = 0;

	for (uint32_t child = jdoc_first(doc, object); child; child = jdoc_node(doc, child)->next)
		members++;
	if (!may_repeat(doc, object, members))
		return;
	hash_index_clear(&seen, members);
	for (uint32_t child = jdoc_first(doc, object); child; child = jdoc_node(doc, child)->next) {
		const struct key_match match = {doc, key_of(doc, child)};
		uint64_t hash = key_hash(doc, &match.key);
		const void *first = hash_index_find(&seen, hash, is_node_of_key, &match);

		if (first)
			report_duplicate(doc, GPOINTER_TO_UINT(first), child, diag);
		else
			hash_index_add(&seen, hash, GUINT_TO_POINTER(child));
	}
	hash_index_free(&seen);
}

void jdoc_check_duplicates(struct jdoc *doc, uint32_t first, struct diag *diag)
{
	for (uint32_t node = first; node < doc->count; node++)
		if (jdoc_kind(doc, node) == JDOC_OBJECT && !jdoc_node(doc, node)->folded)
			check_object(doc, node, diag);
	/* The open node itself is not among its children. */
	if (first && doc->open && jdoc_kind(doc, doc->open) == JDOC_OBJECT)
		check_object(doc, doc->open, diag);
}

/* ------------------------------------------------------------------ few keys */

#define FEW 12

static bool many_repeat(const struct jdoc *doc, const struct jdoc_key *keys, guint count)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < count; i++)
		if (!g_hash_table_add(seen, jdoc_decode_string(doc, keys[i].offset)))
			return true;
	return false;
}

bool jdoc_keys_repeat(const struct jdoc *doc, const struct jdoc_key *keys, guint count)
{
	bool escapes = false;

	for (guint i = 0; i < count && count > 1; i++)
		escapes |= memchr(doc->text + keys[i].offset, '\\', keys[i].length) != NULL;
	if (count > FEW || escapes)
		return many_repeat(doc, keys, count);
	for (guint i = 1; i < count; i++)
		for (guint j = 0; j < i; j++)
			if (keys[i].length == keys[j].length &&
			    memcmp(doc->text + keys[i].offset, doc->text + keys[j].offset,
				   keys[i].length + 1) == 0)
				return true;
	return false;
}
