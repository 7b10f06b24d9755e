/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_members.c - which addresses stand for another set after a change.
 *
 * An image has no table of members, so a change is put together from what an address was (its
 * interface and that one's list before) and what it is. Two sources: lists that stand for another
 * set now, whose interfaces stay as they are; and interfaces that the edit names. In a zone that
 * sees other networks an address may have several owners; it is worked out anew from all of them.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"
#include "rulesd/sorted.h"

/* An address whose owner changed, or that may have several. */
struct touched {
	struct image_zone *zone;
	struct sg_addr addr;
	uint32_t before, after; /* of the owners that changed, 0: of none */
};

struct members {
	struct compile *compile;
	bool one_way;	     /* interfaces only come, or only go */
	GHashTable *touched; /* struct touched, equal by zone and address */
	const struct dirty_set *dirty;
};

static guint touched_hash(gconstpointer data)
{
	const struct touched *touched = data;

	return (guint)hash_bytes(&touched->addr, sizeof(touched->addr)) ^
	       touched->zone->number * 0x9e3779b1u;
}

static gboolean touched_equal(gconstpointer a, gconstpointer b)
{
	const struct touched *left = a, *right = b;

	return left->zone == right->zone && addr_equal(&left->addr, &right->addr);
}

/* Or had, until this change. */
static bool has_other_networks(const struct image_zone *zone)
{
	return zone->regarded || g_hash_table_size(zone->foreign);
}

static void touch(struct members *members, struct image_zone *zone, const struct sg_addr *addr,
		  uint32_t before, uint32_t after)
{
	struct touched key = {.zone = zone, .addr = *addr}, *touched;

	touched = g_hash_table_lookup(members->touched, &key);
	if (!touched) {
		touched = g_new(struct touched, 1);
		*touched = key;
		g_hash_table_add(members->touched, touched);
	}
	touched->before = before ? before : touched->before;
	touched->after = after ? after : touched->after;
}

static void emit(struct compile *compile, const struct image_zone *zone, const struct sg_addr *addr,
		 uint32_t before, uint32_t after)
{
	struct image_member_change change = {
		.key = {.addr = *addr, .zone = zone->number}, .before = before, .after = after};

	if (compile->delta && before != after)
		g_array_append_val(compile->delta->members, change);
}

/* ---------------------------------------------------------------- addresses of several networks */

struct owners {
	GArray *peers;
	uint32_t set; /* the last one's */
	unsigned int count;
	struct place place;
};

/* What other networks than those that changed say about it now counts before, too. */
static bool is_touched(const struct compile *compile, const struct model_interface *iface,
		       const struct image_zone *zone, const struct image_zone *home)
{
	struct image_list *list = image_list_of(home, iface->groups);
	const struct list_set *set = list ? image_list_set(list, zone) : NULL;

	return g_hash_table_contains(compile->edited, iface) || (set && set->dirty);
}

static void add_owner(const struct compile *compile, const struct image_zone *zone,
		      const struct image_zone *home, const struct sg_addr *addr,
		      bool untouched_only, struct owners *owners)
{
	const struct model_network *network = model_network(compile->model, home->network);
	const struct model_interface *iface = network ? model_interface_at(network, addr) : NULL;
	uint32_t set = image_interface_set(zone, home, iface);

	if (!iface || !set || (untouched_only && is_touched(compile, iface, zone, home)))
		return;
	compile_append_set(compile->image, set, owners->peers);
	owners->set = set;
	owners->count++;
	owners->place = iface->place;
}

static void all_owners(const struct compile *compile, const struct image_zone *zone,
		       const struct sg_addr *addr, bool untouched_only, struct owners *owners)
{
	GHashTableIter iter;
	gpointer other;

	g_hash_table_iter_init(&iter, zone->foreign);
	while (g_hash_table_iter_next(&iter, &other, NULL))
		add_owner(compile, zone, other, addr, untouched_only, owners);
	add_owner(compile, zone, zone, addr, untouched_only, owners);
}

static void set_shared(struct compile *compile, struct image_zone *zone, const struct sg_addr *addr,
		       bool is_shared, uint32_t set)
{
	struct shared_address *before = image_shared(zone, addr), *shared;

	if (before) {
		compile_give_set(compile, before->set);
		if (!is_shared)
			journal_remove(compile->journal, zone->shared, before);
	}
	if (is_shared) {
		shared = g_new(struct shared_address, 1);
		*shared = (struct shared_address){.addr = *addr, .set = set};
		journal_made(compile->journal, shared, g_free);
		journal_insert(compile->journal, zone->shared, shared, shared);
	}
	if (before)
		journal_replaced(compile->journal, before, g_free);
}

/* Its set now, with all that it belongs to. */
static uint32_t work_out(struct compile *compile, struct image_zone *zone,
			 const struct sg_addr *addr)
{
	g_autoptr(GArray) peers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	struct owners owners = {.peers = peers};
	char text[ADDR_TEXT_SIZE];
	uint32_t set = 0;

	all_owners(compile, zone, addr, false, &owners);
	if (owners.count < 2) {
		set_shared(compile, zone, addr, false, 0);
		return owners.set;
	}
	compile_sort_peers(peers);
	if (!compile_too_many(compile, zone, "address", addr_format(addr, text), peers,
			      owners.place))
		set = compile_take_set(compile, peers);
	set_shared(compile, zone, addr, true, set);
	return set;
}

static void settle_touched(struct compile *compile, const struct touched *touched)
{
	const struct shared_address *shared = image_shared(touched->zone, &touched->addr);
	uint32_t before = touched->before;

	if (!has_other_networks(touched->zone)) {
		emit(compile, touched->zone, &touched->addr, before, touched->after);
		return;
	}
	if (shared) {
		before = shared->set;
	} else if (!before) {
		g_autoptr(GArray) peers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
		struct owners owners = {.peers = peers};

		all_owners(compile, touched->zone, &touched->addr, true, &owners);
		before = owners.set;
	}
	emit(compile, touched->zone, &touched->addr, before,
	     work_out(compile, touched->zone, &touched->addr));
}

/* ---------------------------------------------------------------- where changes come from */

static void interface_of_dirty_list(const struct model_interface *iface, void *arg)
{
	struct members *members = arg;
	const struct dirty_set *dirty = members->dirty;
	struct image_zone *zone = dirty->at->zone;

	if (g_hash_table_contains(members->compile->edited, iface))
		return;
	for (uint32_t i = 0; i < iface->address_count; i++) {
		if (has_other_networks(zone))
			touch(members, zone, &iface->addresses[i], dirty->before, dirty->at->set);
		else
			emit(members->compile, zone, &iface->addresses[i], dirty->before,
			     dirty->at->set);
	}
}

static void touch_interface(struct members *members, const struct model_interface *iface,
			    bool is_before)
{
	struct compile *compile = members->compile;
	const struct image_zone *home = image_zone_of(compile->image, iface->network);
	const struct image_list *list = image_list_of(home, iface->groups);

	for (const struct list_set *set = &list->own; set; set = set->next) {
		uint32_t before = set->dirty ? g_array_index(compile->dirty_sets, struct dirty_set,
							     set->dirty - 1)
						       .before
					     : set->set;

		for (uint32_t i = 0; i < iface->address_count; i++) {
			const struct sg_addr *addr = &iface->addresses[i];

			if (members->one_way && !has_other_networks(set->zone))
				emit(compile, set->zone, addr, is_before ? before : 0,
				     is_before ? 0 : set->set);
			else
				touch(members, set->zone, addr, is_before ? before : 0,
				      is_before ? 0 : set->set);
		}
	}
}

void compile_members(struct compile *compile, const GPtrArray *before, const GPtrArray *after)
{
	g_autoptr(GHashTable) touched =
		g_hash_table_new_full(touched_hash, touched_equal, g_free, NULL);
	struct members members = {
		.compile = compile, .touched = touched, .one_way = !before->len || !after->len};
	GHashTableIter iter;
	gpointer key;

	for (guint i = 0; i < compile->dirty_sets->len; i++) {
		members.dirty = &g_array_index(compile->dirty_sets, struct dirty_set, i);
		if (members.dirty->before != members.dirty->at->set)
			image_list_each(compile->image, members.dirty->list,
					interface_of_dirty_list, &members);
	}
	for (guint i = 0; i < before->len; i++)
		touch_interface(&members, before->pdata[i], true);
	for (guint i = 0; i < after->len; i++)
		touch_interface(&members, after->pdata[i], false);
	g_hash_table_iter_init(&iter, touched);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		settle_touched(compile, key);
}

/* ---------------------------------------------------------------- an image from nothing */

static void share_network(struct compile *compile, struct image_zone *zone,
			  const struct image_zone *home)
{
	const struct model_network *network = model_network(compile->model, home->network);

	for (guint i = 0; network && i < network->interfaces->len; i++) {
		const struct model_interface *iface = network->interfaces->pdata[i];

		if (!image_interface_set(zone, home, iface))
			continue;
		for (uint32_t j = 0; j < iface->address_count; j++)
			if (!image_shared(zone, &iface->addresses[j]))
				work_out(compile, zone, &iface->addresses[j]);
	}
}

void compile_shared(struct compile *compile)
{
	g_autoptr(GPtrArray) names = sorted_keys(compile->image->zones);
	GHashTableIter iter;
	gpointer other;

	for (guint i = 0; i < names->len; i++) {
		struct image_zone *zone =
			image_zone_of(compile->image, g_ptr_array_index(names, i));

		g_hash_table_iter_init(&iter, zone->foreign);
		while (g_hash_table_iter_next(&iter, &other, NULL))
			share_network(compile, zone, other);
	}
}
