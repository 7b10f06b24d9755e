/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_addresses.c - peers as sets of addresses, and unions of them. See lint_addresses.h. */
#include "ctl/lint_addresses.h"

#include <string.h>

#include "rulesd/cleanup.h"

#define LAST_V4 ((unsigned __int128)UINT32_MAX)
#define LAST_V6 (~(unsigned __int128)0)

static const struct cover_range everything[] = {
	{.v6 = false, .first = 0, .last = LAST_V4},
	{.v6 = true, .first = 0, .last = LAST_V6},
};
static const struct cover_set any = {.ranges = everything, .count = 2};

struct cover_peers {
	const struct model *model;
	GHashTable *by_list;  /* struct model_prefix_list -> struct cover_set, owned */
	GHashTable *by_group; /* struct model_group -> struct cover_set, owned */
	GHashTable *by_cidr;  /* struct model_peer -> struct cover_set, owned */
	GArray *scratch;      /* of struct cover_range */
};

static void free_list_set(gpointer data)
{
	struct cover_set *set = data;

	g_free((gpointer)(uintptr_t)set->ranges);
	g_free(set);
}

struct cover_peers *cover_peers_new(const struct model *model)
{
	struct cover_peers *peers = g_new0(struct cover_peers, 1);

	peers->model = model;
	peers->by_list = g_hash_table_new_full(NULL, NULL, NULL, free_list_set);
	peers->by_group = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	peers->by_cidr = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	peers->scratch = g_array_new(FALSE, FALSE, sizeof(struct cover_range));
	return peers;
}

void cover_peers_free(struct cover_peers **peers)
{
	if (!*peers)
		return;
	g_hash_table_unref((*peers)->by_list);
	g_hash_table_unref((*peers)->by_group);
	g_hash_table_unref((*peers)->by_cidr);
	g_array_unref((*peers)->scratch);
	g_free(TAKE_PTR(*peers));
}

/* ------------------------------------------------------------------ ranges */

static unsigned __int128 number_of(const struct sg_addr *addr)
{
	unsigned __int128 number = 0;
	uint8_t bytes[16];

	memcpy(bytes, addr, sizeof(bytes));
	for (int i = addr_is_v4(addr) ? 12 : 0; i < 16; i++)
		number = number << 8 | bytes[i];
	return number;
}

struct cover_range cover_range_of_cidr(const struct cidr *cidr)
{
	bool v6 = !addr_is_v4(&cidr->addr);
	unsigned int host_bits = (v6 ? 128u : 32u) - cidr->bits;
	unsigned __int128 first = number_of(&cidr->addr);
	/* A shift by 128 is undefined. */
	unsigned __int128 hosts =
		host_bits == 128 ? LAST_V6 : ((unsigned __int128)1 << host_bits) - 1;

	return (struct cover_range){.v6 = v6, .first = first, .last = first | hosts};
}

static int compare_ranges(gconstpointer a, gconstpointer b)
{
	const struct cover_range *x = a, *y = b;

	if (x->v6 != y->v6)
		return x->v6 ? 1 : -1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->last > y->last) - (x->last < y->last);
}

/* Ranges of one family that overlap or touch become one. */
static void merge(GArray *ranges)
{
	guint kept = 0;

	g_array_sort(ranges, compare_ranges);
	for (guint i = 0; i < ranges->len; i++) {
		const struct cover_range *next = &g_array_index(ranges, struct cover_range, i);
		struct cover_range *last =
			kept ? &g_array_index(ranges, struct cover_range, kept - 1) : NULL;

		/* last->last + 1 may wrap: then nothing follows in this family. */
		if (last && last->v6 == next->v6 &&
		    (next->first <= last->last || next->first - last->last == 1)) {
			last->last = MAX(last->last, next->last);
			continue;
		}
		g_array_index(ranges, struct cover_range, kept++) = *next;
	}
	g_array_set_size(ranges, kept);
}

static bool contains(const struct cover_range *outer, const struct cover_range *inner)
{
	return outer->v6 == inner->v6 && outer->first <= inner->first && outer->last >= inner->last;
}

/* ------------------------------------------------------------------ sets of peers */

static const struct cover_set *set_of_list(struct cover_peers *peers,
					   const struct model_prefix_list *list)
{
	struct cover_set *set = g_hash_table_lookup(peers->by_list, list);
	GArray *ranges;

	if (set)
		return set;
	ranges = g_array_new(FALSE, FALSE, sizeof(struct cover_range));
	for (guint i = 0; i < list->entries->len; i++) {
		struct cover_range range =
			cover_range_of_cidr(&g_array_index(list->entries, struct cidr, i));

		g_array_append_val(ranges, range);
	}
	merge(ranges);
	set = g_new0(struct cover_set, 1);
	set->count = ranges->len;
	set->ranges = (struct cover_range *)(void *)g_array_free(ranges, FALSE);
	g_hash_table_insert(peers->by_list, (gpointer)(uintptr_t)list, set);
	return set;
}

static const struct cover_set *set_of_group(struct cover_peers *peers,
					    const struct model_group *group)
{
	struct cover_set *set = g_hash_table_lookup(peers->by_group, group);

	if (!set) {
		set = g_new0(struct cover_set, 1);
		set->group = group;
		g_hash_table_insert(peers->by_group, (gpointer)(uintptr_t)group, set);
	}
	return set;
}

static const struct cover_set *set_of_cidr(struct cover_peers *peers, const struct model_peer *peer)
{
	struct cover_set *set = g_hash_table_lookup(peers->by_cidr, peer);

	if (!set) {
		set = g_new0(struct cover_set, 1);
		set->own = cover_range_of_cidr(&peer->cidr);
		set->ranges = &set->own;
		set->count = 1;
		g_hash_table_insert(peers->by_cidr, (gpointer)(uintptr_t)peer, set);
	}
	return set;
}

const struct cover_set *cover_set_of(struct cover_peers *peers, const struct model_peer *peer)
{
	switch (peer->kind) {
	case MODEL_PEER_CIDR:
		return set_of_cidr(peers, peer);
	case MODEL_PEER_GROUP:
		return set_of_group(peers, model_group(peers->model, peer->network, peer->id));
	case MODEL_PEER_PREFIX_LIST:
		return set_of_list(peers, model_prefix_list(peers->model, peer->network, peer->id));
	case MODEL_PEER_ANY:
		break;
	}
	return &any;
}

unsigned __int128 cover_peer_size(struct cover_peers *peers, const struct model_peer *peer)
{
	const struct cover_set *set = cover_set_of(peers, peer);
	unsigned __int128 size = 0;

	for (guint i = 0; i < set->count; i++)
		size = MAX(size, set->ranges[i].last - set->ranges[i].first);
	return size;
}

/* ------------------------------------------------------------------ unions */

/* The first range of the set that ends at or after the start of range; count when there is none. */
static guint first_reaching(const struct cover_set *set, const struct cover_range *range)
{
	guint low = 0, high = set->count;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		const struct cover_range *at = &set->ranges[middle];

		if (at->v6 != range->v6 ? !at->v6 : at->last < range->first)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool cover_set_holds(const struct cover_set *outer, const struct cover_set *inner)
{
	if (outer == inner || outer == &any)
		return true;
	if (outer->group || inner->group || !outer->count)
		return false;
	for (guint i = 0; i < inner->count; i++) {
		guint at = outer->count == 1 ? 0 : first_reaching(outer, &inner->ranges[i]);

		/* Ranges of a set are apart, so that a single one must do. */
		if (at == outer->count || !contains(&outer->ranges[at], &inner->ranges[i]))
			return false;
	}
	return true;
}

/* Whether some set holds the whole range (*whole), or its first address. */
static bool holds_first(const struct cover_set *const *sets, guint count,
			const struct cover_range *range, bool *whole)
{
	bool first = false;

	for (guint i = 0; i < count; i++) {
		guint at = first_reaching(sets[i], range);
		const struct cover_range *found = &sets[i]->ranges[at];

		if (at == sets[i]->count || found->v6 != range->v6 || found->first > range->first)
			continue;
		first = true;
		if (found->last >= range->last) {
			*whole = true;
			return true;
		}
	}
	return first;
}

bool cover_union_holds_range(const struct cover_set *const *sets, guint count,
			     const struct cover_range *range, GArray *scratch)
{
	bool whole = false;

	/* Most questions end here, before any set is walked through. */
	if (!holds_first(sets, count, range, &whole) || whole)
		return whole;
	g_array_set_size(scratch, 0);
	for (guint i = 0; i < count; i++) {
		const struct cover_set *set = sets[i];

		for (guint j = first_reaching(set, range);
		     j < set->count && set->ranges[j].v6 == range->v6 &&
		     set->ranges[j].first <= range->last;
		     j++)
			g_array_append_val(scratch, set->ranges[j]);
	}
	merge(scratch);
	return contains(&g_array_index(scratch, struct cover_range, 0), range);
}

bool cover_union_holds(const struct cover_set *const *sets, guint count,
		       const struct cover_set *set, GArray *scratch)
{
	const struct cover_set *wanted = set->group ? &any : set;

	for (guint i = 0; i < count; i++)
		if (sets[i] == set || sets[i] == &any)
			return true;
	for (guint i = 0; i < wanted->count; i++)
		if (!cover_union_holds_range(sets, count, &wanted->ranges[i], scratch))
			return false;
	return true;
}

bool cover_peer_holds(struct cover_peers *peers, const struct model_peer *peer,
		      const struct cover_range *range)
{
	const struct cover_set *set = cover_set_of(peers, peer);

	return cover_union_holds_range(&set, 1, range, peers->scratch);
}

bool cover_peers_hold(struct cover_peers *peers, const struct model_rule *rule,
		      const struct cover_range *range)
{
	g_autoptr(GPtrArray) sets = g_ptr_array_sized_new(rule->peers->len);

	for (guint i = 0; i < rule->peers->len; i++)
		g_ptr_array_add(sets, (gpointer)(uintptr_t)cover_set_of(
					      peers, g_ptr_array_index(rule->peers, i)));
	return cover_union_holds_range((const struct cover_set *const *)(void *)sets->pdata,
				       sets->len, range, peers->scratch);
}
