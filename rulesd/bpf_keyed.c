/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_keyed.c - tables of 24-byte keys, those of members and prefixes: there may be a million, so
 * they stand in one piece of memory.
 */
#include "rulesd/bpf_internal.h"

#include <string.h>
#include <sys/mman.h>

#include "rulesd/cleanup.h"

#define FIRST_CAPACITY 64u
#define HUGE_BYTES     ((size_t)2 << 20)

struct keyed *keyed_new(void)
{
	_Static_assert(sizeof(struct sg_member_key) == KEYED_SIZE, "key of another size");
	_Static_assert(sizeof(struct sg_prefix_key) == KEYED_SIZE, "key of another size");
	return g_new0(struct keyed, 1);
}

void keyed_free(struct keyed **keyed)
{
	struct keyed *freed = TAKE_PTR(*keyed);

	if (!freed)
		return;
	g_aligned_free(freed->entries);
	g_free(freed);
}

static uint32_t hash(const void *key)
{
	uint64_t words[3], mixed;

	memcpy(words, key, sizeof(words));
	mixed = words[0] * 0x9e3779b97f4a7c15ULL;
	mixed = (mixed ^ mixed >> 29 ^ words[1]) * 0xbf58476d1ce4e5b9ULL;
	mixed = (mixed ^ mixed >> 32 ^ words[2]) * 0x94d049bb133111ebULL;
	/* An IPv4 address is in the upper half of the last word, which a product does not bring
	 * into the lower bits of the half that is returned. */
	mixed = (mixed ^ mixed >> 32) * 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(mixed >> 32);
}

/* Where the key is, or would be. */
static struct keyed_entry *place_of(const struct keyed *keyed, const void *key)
{
	uint32_t at = hash(key) & (keyed->capacity - 1);

	while (keyed->entries[at].used && memcmp(keyed->entries[at].key, key, KEYED_SIZE) != 0)
		at = (at + 1) & (keyed->capacity - 1);
	return &keyed->entries[at];
}

void keyed_prefetch(const struct keyed *keyed, const void *key)
{
	if (keyed->count)
		__builtin_prefetch(&keyed->entries[hash(key) & (keyed->capacity - 1)]);
}

struct keyed_entry *keyed_find(const struct keyed *keyed, const void *key)
{
	struct keyed_entry *entry = keyed->count ? place_of(keyed, key) : NULL;

	return entry && entry->used ? entry : NULL;
}

/* Entries are looked at in any order: in small pages each is a miss of its own. */
static struct keyed_entry *new_entries(uint32_t capacity)
{
	const size_t bytes = capacity * sizeof(struct keyed_entry);
	struct keyed_entry *entries =
		g_aligned_alloc(capacity, sizeof(*entries), MIN(bytes, HUGE_BYTES));

	if (bytes >= HUGE_BYTES)
		madvise(entries, bytes, MADV_HUGEPAGE); /* where there are any */
	memset(entries, 0, bytes);
	return entries;
}

static void grow(struct keyed *keyed)
{
	struct keyed larger = {.capacity = MAX(keyed->capacity * 2, FIRST_CAPACITY),
			       .count = keyed->count};

	larger.entries = new_entries(larger.capacity);
	for (uint32_t i = 0; i < keyed->capacity; i++)
		if (keyed->entries[i].used)
			*place_of(&larger, keyed->entries[i].key) = keyed->entries[i];
	g_aligned_free(keyed->entries);
	*keyed = larger;
}

void keyed_insert(struct keyed *keyed, const void *key, uint32_t value)
{
	struct keyed_entry *entry;

	if (keyed->count >= keyed->capacity / 4 * 3)
		grow(keyed);
	entry = place_of(keyed, key);
	keyed->count += !entry->used;
	memcpy(entry->key, key, KEYED_SIZE);
	entry->value = value;
	entry->used = true;
}

struct keyed_entry *keyed_next(const struct keyed *keyed, uint32_t *at)
{
	while (*at < keyed->capacity) {
		struct keyed_entry *entry = &keyed->entries[(*at)++];

		if (entry->used)
			return entry;
	}
	return NULL;
}
