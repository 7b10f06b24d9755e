/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash_index.h - hash to pointer, in 9 bytes a slot: finds objects by something that they hold.
 *
 * A GHashTable needs 24 bytes a slot and a key of its own, and follows a pointer for every
 * comparison; with a million interfaces that is most of a model. Here a byte of the hash stands
 * beside each slot, so that only one lookup in 126 follows a pointer in vain. Open addressing with
 * linear probing. Equal items may stand in it more than once, and one item under several hashes
 * (an interface under each of its addresses); it owns nothing. It does not know the hashes of what
 * it holds, so its owner refills it when it must grow:
 *
 *	if (hash_index_is_full(&index, 1)) {
 *		hash_index_clear(&index, wanted);
 *		... hash_index_add(&index, hash, item) for all ...
 *	}
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_index {
	uint8_t *tags; /* of each slot: 0 empty, 1 removed, else bits of the hash */
	const void **items;
	uint32_t slots;	 /* a power of two, or 0 */
	uint32_t filled; /* slots that are not empty, the removed ones too */
	uint32_t count;	 /* items */
};

/* Whether key is what the item holds. */
typedef bool hash_index_matcher(const void *item, const void *key);

uint64_t hash_bytes(const void *bytes, size_t length);

/* Whether more items need hash_index_clear first. */
bool hash_index_is_full(const struct hash_index *index, uint32_t more);
/* Empties it, with room for wanted items. hash_index_free is hash_index_clear with 0. */
void hash_index_clear(struct hash_index *index, uint32_t wanted);
void hash_index_free(struct hash_index *index);

void hash_index_add(struct hash_index *index, uint64_t hash, const void *item);
/* Takes out one place of the item under that hash; false when there is none. */
bool hash_index_remove(struct hash_index *index, uint64_t hash, const void *item);
/* The item, or NULL; of several that match, any. */
const void *hash_index_find(const struct hash_index *index, uint64_t hash,
			    hash_index_matcher *matches, const void *key);
/* How many match. */
uint32_t hash_index_count(const struct hash_index *index, uint64_t hash,
			  hash_index_matcher *matches, const void *key);
