/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash_index.c - open addressing with a byte of the hash beside each slot.
 */
#include "rulesd/hash_index.h"

#include <glib.h>
#include <string.h>

#define EMPTY	    0
#define REMOVED	    1
#define FIRST_TAG   2
#define SMALLEST    16u
#define MULTIPLIER  0x9e3779b97f4a7c15ull
#define MULTIPLIER2 0xd6e8feb86659fd93ull

static uint64_t mix(uint64_t value)
{
	value ^= value >> 32;
	value *= MULTIPLIER2;
	return value ^ value >> 29;
}

uint64_t hash_bytes(const void *bytes, size_t length)
{
	uint64_t hash = length * MULTIPLIER, word;
	const uint8_t *p = bytes;

	if (length < sizeof(word)) {
		word = 0;
		for (size_t i = 0; i < length; i++)
			word = word << 8 | p[i];
		return mix((hash ^ word) * MULTIPLIER);
	}
	/* The last word may overlap the one before it. */
	for (size_t i = 0; i + sizeof(word) < length; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		hash = mix((hash ^ word) * MULTIPLIER);
	}
	memcpy(&word, p + length - sizeof(word), sizeof(word));
	return mix((hash ^ word) * MULTIPLIER);
}

static uint8_t tag_of(uint64_t hash)
{
	return (uint8_t)(FIRST_TAG + (hash >> 56) % (256 - FIRST_TAG));
}

bool hash_index_is_full(const struct hash_index *index, uint32_t more)
{
	return (uint64_t)index->filled + more > (uint64_t)index->slots / 4 * 3;
}

void hash_index_clear(struct hash_index *index, uint32_t wanted)
{
	uint32_t slots = wanted ? SMALLEST : 0;

	while (slots && slots / 4 * 3 < wanted)
		slots *= 2;
	g_free(index->tags);
	g_free(index->items);
	*index = (struct hash_index){.slots = slots};
	if (!slots)
		return;
	index->tags = g_malloc0(slots);
	index->items = g_new(const void *, slots);
}

void hash_index_free(struct hash_index *index)
{
	hash_index_clear(index, 0);
}

void hash_index_add(struct hash_index *index, uint64_t hash, const void *item)
{
	uint32_t mask = index->slots - 1;
	uint32_t slot = (uint32_t)hash & mask;

	g_assert(index->filled < index->slots);
	while (index->tags[slot] > REMOVED)
		slot = (slot + 1) & mask;
	index->filled += index->tags[slot] == EMPTY;
	index->count++;
	index->tags[slot] = tag_of(hash);
	index->items[slot] = item;
}

bool hash_index_remove(struct hash_index *index, uint64_t hash, const void *item)
{
	uint32_t mask = index->slots - 1;
	uint32_t slot = (uint32_t)hash & mask;
	uint8_t tag = tag_of(hash);

	if (!index->slots)
		return false;
	for (; index->tags[slot] != EMPTY; slot = (slot + 1) & mask) {
		if (index->tags[slot] != tag || index->items[slot] != item)
			continue;
		/* What stands behind it may have come past it, unless nothing does. */
		index->tags[slot] = REMOVED;
		if (index->tags[(slot + 1) & mask] == EMPTY) {
			index->tags[slot] = EMPTY;
			index->filled--;
		}
		index->count--;
		return true;
	}
	return false;
}

const void *hash_index_find(const struct hash_index *index, uint64_t hash,
			    hash_index_matcher *matches, const void *key)
{
	uint32_t mask = index->slots - 1;
	uint32_t slot = (uint32_t)hash & mask;
	uint8_t tag = tag_of(hash);

	if (!index->slots)
		return NULL;
	for (; index->tags[slot] != EMPTY; slot = (slot + 1) & mask)
		if (index->tags[slot] == tag && matches(index->items[slot], key))
			return index->items[slot];
	return NULL;
}

uint32_t hash_index_count(const struct hash_index *index, uint64_t hash,
			  hash_index_matcher *matches, const void *key)
{
	uint32_t mask = index->slots - 1;
	uint32_t slot = (uint32_t)hash & mask;
	uint32_t count = 0;
	uint8_t tag = tag_of(hash);

	if (!index->slots)
		return 0;
	for (; index->tags[slot] != EMPTY; slot = (slot + 1) & mask)
		count += index->tags[slot] == tag && matches(index->items[slot], key);
	return count;
}
