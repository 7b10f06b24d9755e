/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_lists.c - lists of groups that interfaces carry: who carries them, and which set they
 * stand for in their own network and in those whose rules name their groups.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

/* ---------------------------------------------------------------- who carries a list */

static struct image_list *list_new(struct compile *compile, struct image_zone *zone,
				   const struct model_groups *groups)
{
	struct image_list *list = image_list_new(zone, groups);
	union {
		const struct model_groups *given;
		gpointer key; /* which the table does not change */
	} key = {groups};

	journal_made(compile->journal, list, image_list_free);
	journal_insert(compile->journal, zone->lists, key.key, list);
	compile_dirty_set(compile, list, zone);
	for (uint32_t i = 0; i < groups->count; i++) {
		struct image_group *group = compile_group(compile, zone, groups->ids[i]);

		list->group[i] = group;
		journal_append(compile->journal, &group->lists, list);
		for (guint j = 0; j < group->refs.len; j++) {
			const struct zone_peer *peer = group->refs.at[j];

			if (peer->active)
				compile_dirty_set(compile, list, peer->zone);
		}
	}
	return list;
}

static uint32_t carriers(const struct image_list *list)
{
	return list->crowd ? list->crowd - 1 : list->ifaces.len;
}

void compile_carry(struct compile *compile, struct image_zone *zone,
		   const struct model_interface *iface)
{
	struct image_list *list = image_list_of(zone, iface->groups);
	union {
		const struct model_interface *given;
		gpointer kept;
	} value = {iface};

	if (!list)
		list = list_new(compile, zone, iface->groups);
	if (!list->crowd && list->ifaces.len < LIST_MAX_INTERFACES) {
		journal_append(compile->journal, &list->ifaces, value.kept);
		return;
	}
	journal_u32(compile->journal, &list->crowd);
	if (!list->crowd) {
		list->crowd = 1 + list->ifaces.len;
		journal_u32(compile->journal, &list->ifaces.len);
		list->ifaces.len = 0;
	}
	list->crowd++;
}

void compile_uncarry(struct compile *compile, struct image_zone *zone,
		     const struct model_interface *iface)
{
	struct image_list *list = image_list_of(zone, iface->groups);

	if (list->crowd) {
		journal_u32(compile->journal, &list->crowd);
		list->crowd--;
	} else {
		journal_drop(compile->journal, &list->ifaces, iface);
	}
	if (!carriers(list))
		g_ptr_array_add(compile->idle_lists, list);
}

void compile_sweep_lists(struct compile *compile)
{
	for (guint i = 0; i < compile->idle_lists->len; i++) {
		struct image_list *list = compile->idle_lists->pdata[i];

		if (carriers(list) || image_list_of(list->home, list->groups) != list)
			continue;
		journal_remove(compile->journal, list->home->lists, list->groups);
		for (uint32_t j = 0; j < list->groups->count; j++)
			journal_drop(compile->journal, &list->group[j]->lists, list);
		for (const struct list_set *set = &list->own; set; set = set->next)
			compile_give_set(compile, set->set);
		journal_replaced(compile->journal, list, image_list_free);
	}
}

/* ---------------------------------------------------------------- what a list stands for */

void compile_dirty_set(struct compile *compile, struct image_list *list, struct image_zone *zone)
{
	struct list_set *set = image_list_set(list, zone);
	struct dirty_set dirty = {.list = list};

	if (!set) {
		set = g_new0(struct list_set, 1);
		set->zone = zone;
		set->next = list->own.next;
		journal_made(compile->journal, set, g_free);
		journal_pointer(compile->journal, &list->own.next);
		list->own.next = set;
	}
	if (set->dirty)
		return;
	dirty.at = set;
	dirty.before = set->set;
	g_array_append_val(compile->dirty_sets, dirty);
	set->dirty = compile->dirty_sets->len;
}

static void peers_of(const struct dirty_set *dirty, GArray *peers)
{
	g_array_set_size(peers, 0);
	for (uint32_t i = 0; i < dirty->list->groups->count; i++) {
		const struct pointer_list *refs = &dirty->list->group[i]->refs;

		for (uint32_t j = 0; j < refs->len; j++) {
			const struct zone_peer *peer = refs->at[j];

			if (peer->active && peer->zone == dirty->at->zone)
				g_array_append_val(peers, peer->number);
		}
	}
	compile_sort_peers(peers);
}

static int compare_groups(const struct model_groups *a, const struct model_groups *b)
{
	int order = 0;

	for (uint32_t i = 0; !order && i < a->count && i < b->count; i++)
		order = strcmp(a->ids[i], b->ids[i]);
	return order ? order : (a->count > b->count) - (a->count < b->count);
}

/* Numbers are given in an order that only the content decides. */
static int compare_dirty(gconstpointer a, gconstpointer b)
{
	const struct dirty_set *left = a, *right = b;
	int order = left->at->zone->number < right->at->zone->number   ? -1
		    : left->at->zone->number > right->at->zone->number ? 1
								       : 0;

	if (!order)
		order = strcmp(left->list->home->network, right->list->home->network);
	return order ? order : compare_groups(left->list->groups, right->list->groups);
}

void compile_dirty_sets(struct compile *compile)
{
	g_autoptr(GArray) peers = g_array_new(FALSE, FALSE, sizeof(uint32_t));

	g_array_sort(compile->dirty_sets, compare_dirty);
	for (guint i = 0; i < compile->dirty_sets->len; i++) {
		const struct dirty_set *dirty =
			&g_array_index(compile->dirty_sets, struct dirty_set, i);
		uint32_t set;

		dirty->at->dirty = i + 1; /* they were sorted */
		peers_of(dirty, peers);
		set = compile_take_set(compile, peers);
		compile_give_set(compile, dirty->before);
		if (set == dirty->before)
			continue;
		journal_u32(compile->journal, &dirty->at->set);
		dirty->at->set = set;
	}
}
