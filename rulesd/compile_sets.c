/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_sets.c - lists of peers and their numbers: one number a content, as long as something
 * stands for it.
 */
#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

static int compare_numbers(gconstpointer a, gconstpointer b)
{
	const uint32_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

void compile_sort_peers(GArray *peers)
{
	guint kept = 0;

	g_array_sort(peers, compare_numbers);
	for (guint i = 0; i < peers->len; i++)
		if (!i ||
		    g_array_index(peers, uint32_t, i) != g_array_index(peers, uint32_t, i - 1))
			g_array_index(peers, uint32_t, kept++) = g_array_index(peers, uint32_t, i);
	g_array_set_size(peers, kept);
}

void compile_append_set(const struct image *image, uint32_t set, GArray *peers)
{
	const struct image_set *several;
	uint32_t single = set & ~SG_SET_SINGLE;

	if (!set)
		return;
	if (set & SG_SET_SINGLE) {
		g_array_append_val(peers, single);
		return;
	}
	several = image_set_by_number(image, set);
	if (several)
		g_array_append_vals(peers, several->peers->data, several->peers->len);
}

static struct image_set *set_new(struct compile *compile, const GArray *peers)
{
	const struct image_set *before =
		compile->previous ? image_find_set(compile->previous, peers) : NULL;
	uint32_t number = before ? before->number : numbers_next_set(compile->numbers);
	struct image_set *set;

	if (!number) {
		compile_exhausted(compile, "set", "of peers");
		return NULL;
	}
	set = g_new0(struct image_set, 1);
	set->number = number;
	set->fresh = true;
	set->peers = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), peers->len);
	g_array_append_vals(set->peers, peers->data, peers->len);
	journal_made(compile->journal, set, image_set_free);
	journal_insert(compile->journal, compile->image->sets, set, set);
	journal_insert(compile->journal, compile->image->sets_by_number, GUINT_TO_POINTER(number),
		       set);
	g_ptr_array_add(compile->fresh_sets, set);
	return set;
}

/* 0 for no peers, and when numbers are exhausted (which is in diag). */
uint32_t compile_take_set(struct compile *compile, const GArray *peers)
{
	struct image_set *set;

	if (peers->len < 2)
		return peers->len ? SG_SET_SINGLE | g_array_index(peers, uint32_t, 0) : 0;
	set = image_find_set(compile->image, peers);
	if (!set)
		set = set_new(compile, peers);
	if (!set)
		return 0;
	journal_u32(compile->journal, &set->users);
	set->users++;
	return set->number;
}

void compile_give_set(struct compile *compile, uint32_t number)
{
	struct image_set *set;

	if (!number || number & SG_SET_SINGLE)
		return;
	set = g_hash_table_lookup(compile->image->sets_by_number, GUINT_TO_POINTER(number));
	journal_u32(compile->journal, &set->users);
	if (!--set->users)
		g_ptr_array_add(compile->idle_sets, set);
}

static char *peer_names(const struct compile *compile, const GArray *peers)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < peers->len; i++)
		g_string_append_printf(names, "%s%s", i ? ", " : "",
				       numbers_name(compile->numbers, NUMBER_PEER,
						    g_array_index(peers, uint32_t, i)));
	return g_string_free(g_steal_pointer(&names), FALSE);
}

bool compile_too_many(struct compile *compile, const struct image_zone *zone, const char *what,
		      const char *address, const GArray *peers, struct place place)
{
	g_autofree char *names = NULL;

	if (peers->len <= SG_SET_PEERS)
		return false;
	names = peer_names(compile, peers);
	diag_add(compile->diag, "too-many-peers", place, NULL,
		 "refer to fewer of them in rules, or put them into one prefix list or group",
		 "%s %s of network %s stands for %u peers that rules refer to, the limit is %u: %s",
		 what, address, zone->network, peers->len, SG_SET_PEERS, names);
	return true;
}
