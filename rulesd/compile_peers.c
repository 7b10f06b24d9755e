/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_peers.c - what the rules of a network name: counted, and given to addresses while it is
 * named, exists and is not external.
 *
 * Only what some rule names becomes a peer, so that an address in sixteen groups that nobody refers
 * to costs nothing. Counts change first, more before less, and what they amount to is settled
 * afterwards: a rule that is written again does not touch the thousands of entries of its list.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

struct image_group *compile_group(struct compile *compile, struct image_zone *zone, const char *id)
{
	struct image_group *group = g_hash_table_lookup(zone->groups, id);

	if (group)
		return group;
	group = image_group_new(zone, id);
	journal_made(compile->journal, group, image_group_free);
	journal_insert(compile->journal, zone->groups, group->id, group);
	return group;
}

static void touch(struct compile *compile, struct zone_peer *peer)
{
	if (peer->touched)
		return;
	peer->touched = true;
	g_ptr_array_add(compile->peers, peer);
}

/* ---------------------------------------------------------------- counting */

static struct zone_peer *peer_new(struct compile *compile, struct image_zone *zone,
				  const char *name, const struct model_peer *named)
{
	struct zone_peer *peer = g_new0(struct zone_peer, 1);

	peer->name = g_strdup(name);
	peer->kind = (uint8_t)named->kind;
	peer->zone = zone;
	journal_made(compile->journal, peer, zone_peer_free);
	if (named->kind == MODEL_PEER_CIDR)
		peer->cidr = named->cidr;
	if (named->kind == MODEL_PEER_PREFIX_LIST)
		peer->list = g_strdup(named->id);
	if (named->kind == MODEL_PEER_GROUP) {
		struct image_zone *home = compile_zone(compile, named->network);

		if (!home) {
			if (!compile->journal)
				zone_peer_free(peer);
			return NULL;
		}
		peer->group = compile_group(compile, home, named->id);
		journal_append(compile->journal, &peer->group->refs, peer);
	}
	journal_insert(compile->journal, zone->peers, peer, peer);
	return peer;
}

static char *name_of(const struct image_zone *zone, const struct model_peer *named,
		     char text[COMPILE_NAME_SIZE])
{
	switch (named->kind) {
	case MODEL_PEER_ANY:
		return NULL;
	case MODEL_PEER_CIDR:
		return compile_name_of_cidr(zone->network, &named->cidr, text);
	case MODEL_PEER_GROUP:
		return compile_name_of_id(named->network, named->id, text);
	case MODEL_PEER_PREFIX_LIST:
		return compile_name_of_id(zone->network, named->id, text);
	}
	return NULL;
}

static void count_name(struct compile *compile, struct image_zone *zone,
		       const struct model_peer *named, bool more)
{
	char text[COMPILE_NAME_SIZE];
	const char *name = name_of(zone, named, text);
	struct zone_peer *peer = name ? image_peer_of(zone, name) : NULL;

	if (!name || (!peer && !more))
		return;
	if (!peer)
		peer = peer_new(compile, zone, name, named);
	if (!peer)
		return;
	journal_u32(compile->journal, &peer->count);
	peer->count += more ? 1u : -1u;
	if (more)
		peer->place = named->place;
	touch(compile, peer);
}

void compile_group_names(struct compile *compile, struct image_zone *zone,
			 const struct model_group *group, bool more)
{
	for (int dir = 0; !group->external && dir < SG_DIRS; dir++) {
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			const struct model_rule *rule = g_ptr_array_index(group->rules[dir], i);

			for (guint j = 0; j < rule->peers->len; j++)
				count_name(compile, zone, g_ptr_array_index(rule->peers, j), more);
		}
	}
}

void compile_exempt_names(struct compile *compile, struct image_zone *zone,
			  const struct model_network *network, bool more)
{
	for (guint i = 0; i < network->exempt->len; i++) {
		const struct model_exempt *exempt = g_ptr_array_index(network->exempt, i);
		struct model_peer host = {
			.kind = MODEL_PEER_CIDR,
			.cidr = {.addr = exempt->address,
				 .bits = addr_is_v4(&exempt->address) ? 32 : 128},
			.place = exempt->place,
		};

		count_name(compile, zone, &host, more);
	}
}

void compile_touch_group(struct compile *compile, struct image_zone *zone, const char *id)
{
	const struct image_group *group = g_hash_table_lookup(zone->groups, id);

	for (guint i = 0; group && i < group->refs.len; i++)
		touch(compile, group->refs.at[i]);
}

void compile_touch_prefix_list(struct compile *compile, struct image_zone *zone, const char *id)
{
	char name[COMPILE_NAME_SIZE];
	struct zone_peer *peer = image_peer_of(zone, compile_name_of_id(zone->network, id, name));

	if (peer)
		touch(compile, peer);
}

/* ---------------------------------------------------------------- settling */

static bool is_live(const struct compile *compile, const struct zone_peer *peer)
{
	const struct model_group *group;
	const struct model_prefix_list *list;

	if (!peer->count)
		return false;
	switch ((enum model_peer_kind)peer->kind) {
	case MODEL_PEER_ANY:
	case MODEL_PEER_CIDR:
		return true;
	case MODEL_PEER_GROUP:
		group = model_group(compile->model, peer->group->home->network, peer->group->id);
		return group && !group->external;
	case MODEL_PEER_PREFIX_LIST:
		list = model_prefix_list(compile->model, peer->zone->network, peer->list);
		return list && !list->external;
	}
	return false;
}

static void count_foreign(struct compile *compile, struct image_zone *zone,
			  struct image_zone *other, bool more)
{
	guint count = GPOINTER_TO_UINT(g_hash_table_lookup(zone->foreign, other));

	if (zone == other)
		return;
	if (!zone->regarded)
		g_ptr_array_add(compile->regarded, zone);
	zone->regarded = true;
	count += more ? 1u : -1u;
	if (count)
		journal_insert(compile->journal, zone->foreign, other, GUINT_TO_POINTER(count));
	else
		journal_remove(compile->journal, zone->foreign, other);
}

static void settle_group(struct compile *compile, struct zone_peer *peer, bool live)
{
	struct image_group *group = peer->group;

	if (live == !!peer->active)
		return;
	count_foreign(compile, peer->zone, group->home, live);
	for (guint i = 0; i < group->lists.len; i++)
		compile_dirty_set(compile, group->lists.at[i], peer->zone);
}

/* Both sorted: what only the one has goes, what only the other has comes. */
static void settle_entries(struct compile *compile, struct zone_peer *peer, const GArray *old,
			   const GArray *new)
{
	guint o = 0, n = 0;

	while ((old && o < old->len) || (new &&n < new->len)) {
		const struct cidr *left =
			old && o < old->len ? &g_array_index(old, struct cidr, o) : NULL;
		const struct cidr *right =
			new &&n < new->len ? &g_array_index(new, struct cidr, n) : NULL;
		int order = !left ? 1 : !right ? -1 : cidr_compare(left, right);

		if (order < 0)
			compile_name_prefix(compile, peer->zone, left, peer->number, false);
		if (order > 0)
			compile_name_prefix(compile, peer->zone, right, peer->number, true);
		o += order <= 0;
		n += order >= 0;
	}
}

static void settle_list(struct compile *compile, struct zone_peer *peer, bool live)
{
	const struct model_prefix_list *new =
		model_prefix_list(compile->model, peer->zone->network, peer->list);
	const struct model_prefix_list *old = new;
	gpointer replaced;

	if (g_hash_table_lookup_extended(compile->old_lists, peer->name, NULL, &replaced))
		old = replaced;
	settle_entries(compile, peer, peer->active && old ? old->entries : NULL,
		       live && new ? new->entries : NULL);
	if (new)
		peer->place = new->place;
}

static void settle(struct compile *compile, struct zone_peer *peer)
{
	bool live = is_live(compile, peer);

	peer->touched = false;
	if (live && !peer->number)
		peer->number = numbers_get(compile->numbers, NUMBER_PEER, peer->name);
	if (live && !peer->number) {
		compile_exhausted(compile, "peer", peer->name);
		return;
	}
	if (peer->kind == MODEL_PEER_GROUP)
		settle_group(compile, peer, live);
	else if (peer->kind == MODEL_PEER_PREFIX_LIST)
		settle_list(compile, peer, live);
	else if (live != !!peer->active)
		compile_name_prefix(compile, peer->zone, &peer->cidr, peer->number, live);
	journal_u32(compile->journal, &peer->active);
	peer->active = live;
}

/* Nothing names it any more. */
static void forget(struct compile *compile, struct zone_peer *peer)
{
	journal_remove(compile->journal, peer->zone->peers, peer);
	if (peer->kind == MODEL_PEER_GROUP)
		journal_drop(compile->journal, &peer->group->refs, peer);
	journal_replaced(compile->journal, peer, zone_peer_free);
}

void compile_settle_peers(struct compile *compile)
{
	for (guint i = 0; i < compile->peers->len; i++)
		settle(compile, compile->peers->pdata[i]);
	for (guint i = 0; i < compile->peers->len; i++) {
		struct zone_peer *peer = compile->peers->pdata[i];

		if (!peer->count)
			forget(compile, peer);
	}
	g_ptr_array_set_size(compile->peers, 0);
}

/* ---------------------------------------------------------------- finding */

static uint32_t number_of(const struct image_zone *zone, const char *name)
{
	const struct zone_peer *peer = image_peer_of(zone, name);

	return peer && peer->active ? peer->number : 0;
}

uint32_t compile_peer(const struct image_zone *zone, const struct model_peer *named)
{
	char text[COMPILE_NAME_SIZE];

	if (named->kind == MODEL_PEER_ANY)
		return SG_PEER_ANY;
	return number_of(zone, name_of(zone, named, text));
}

uint32_t compile_cidr_peer(const struct image_zone *zone, const struct cidr *cidr)
{
	char text[COMPILE_NAME_SIZE];

	return number_of(zone, compile_name_of_cidr(zone->network, cidr, text));
}
