/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_peers.c - which peers an address stands for: group members and prefixes to numbered sets.
 *
 * Only what some rule of the network names becomes a peer, so that an address in sixteen groups
 * that nobody refers to costs nothing.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

/* An address of an interface in a zone; several interfaces may have the same one. */
struct member {
	struct sg_member_key key;
	GBytes *peers; /* sorted uint32_t, borrowed */
	const struct model_interface *iface;
};

/* A prefix that a rule, a prefix list or an exempt endpoint names. */
struct prefix {
	struct cidr cidr;
	uint32_t peer;
	struct place place;
};

/* A prefix around the one at hand, with everything that holds inside it. */
struct around {
	struct cidr cidr;
	GArray *peers; /* of uint32_t, sorted */
	bool failed;   /* over the limit and reported; so is everything inside */
};

struct zone {
	struct compile *compile;
	const struct model_network *network;
	uint32_t number;
	GHashTable *groups; /* struct model_group -> GUINT_TO_POINTER(peer): those that rules refer
			       to */
	GArray *members;    /* of struct member */
	GArray *prefixes;   /* of struct prefix */
	GHashTable *interned; /* GBytes -> itself: most interfaces share their list of peers */
};

static int compare_numbers(gconstpointer a, gconstpointer b)
{
	const uint32_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

static void sort_peers(GArray *peers)
{
	guint kept = 0;

	g_array_sort(peers, compare_numbers);
	for (guint i = 0; i < peers->len; i++)
		if (!i ||
		    g_array_index(peers, uint32_t, i) != g_array_index(peers, uint32_t, i - 1))
			g_array_index(peers, uint32_t, kept++) = g_array_index(peers, uint32_t, i);
	g_array_set_size(peers, kept);
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

/* The number of a set, made or found; 0 when numbers are exhausted (which is in diag). */
static uint32_t set_of(struct compile *compile, const GArray *peers)
{
	g_autoptr(GBytes) content = g_bytes_new_static(peers->data, peers->len * sizeof(uint32_t));
	const struct image_set *same = g_hash_table_lookup(compile->image->sets, content);
	const struct image_set *before =
		compile->previous ? g_hash_table_lookup(compile->previous->sets, content) : NULL;
	struct image_set *set;
	uint32_t number;

	if (peers->len == 1)
		return SG_SET_SINGLE | g_array_index(peers, uint32_t, 0);
	if (same)
		return same->number;
	number = before ? before->number : numbers_next_set(compile->numbers);
	if (!number) {
		compile_exhausted(compile, "set", "of peers");
		return 0;
	}
	set = g_new0(struct image_set, 1);
	set->number = number;
	set->peers = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), peers->len);
	g_array_append_vals(set->peers, peers->data, peers->len);
	image_add_set(compile->image, set);
	return number;
}

static bool too_many(const struct zone *zone, const char *what, const char *address,
		     const GArray *peers, struct place place)
{
	g_autofree char *names = NULL;

	if (peers->len <= SG_SET_PEERS)
		return false;
	names = peer_names(zone->compile, peers);
	diag_add(zone->compile->diag, "too-many-peers", place, NULL,
		 "refer to fewer of them in rules, or put them into one prefix list or group",
		 "%s %s of network %s stands for %u peers that rules refer to, the limit is %u: %s",
		 what, address, zone->network->name, peers->len, SG_SET_PEERS, names);
	return true;
}

/* ---------------------------------------------------------------- what the rules of a network name
 */

static void add_prefix(struct zone *zone, const struct cidr *cidr, uint32_t peer,
		       struct place place)
{
	struct prefix prefix = {.cidr = *cidr, .peer = peer, .place = place};

	if (peer)
		g_array_append_val(zone->prefixes, prefix);
}

static void add_named(struct zone *zone, const struct model_peer *named, GHashTable *lists)
{
	uint32_t peer = compile_peer(zone->compile, zone->network, named);
	const struct model_prefix_list *list;
	struct model_group *group;

	if (!peer)
		return;
	switch (named->kind) {
	case MODEL_PEER_ANY:
		break;
	case MODEL_PEER_CIDR:
		add_prefix(zone, &named->cidr, peer, named->place);
		break;
	case MODEL_PEER_GROUP:
		group = model_group(zone->compile->model, named->network, named->id);
		g_hash_table_insert(zone->groups, group, GUINT_TO_POINTER(peer));
		break;
	case MODEL_PEER_PREFIX_LIST:
		list = model_prefix_list(zone->compile->model, zone->network->name, named->id);
		if (!g_hash_table_add(lists, GUINT_TO_POINTER(peer)))
			break;
		for (guint i = 0; i < list->entries->len; i++)
			add_prefix(zone, &g_array_index(list->entries, struct cidr, i), peer,
				   list->place);
		break;
	}
}

static void collect_named(struct zone *zone)
{
	g_autoptr(GPtrArray) ids = compile_sorted_keys(zone->network->groups);
	GHashTable *lists = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < ids->len; i++) {
		const struct model_group *group =
			g_hash_table_lookup(zone->network->groups, g_ptr_array_index(ids, i));

		for (int dir = 0; !group->external && dir < SG_DIRS; dir++) {
			for (guint j = 0; j < group->rules[dir]->len; j++) {
				const struct model_rule *rule =
					g_ptr_array_index(group->rules[dir], j);

				for (guint k = 0; k < rule->peers->len; k++)
					add_named(zone, g_ptr_array_index(rule->peers, k), lists);
			}
		}
	}
	g_hash_table_destroy(lists);
	for (guint i = 0; i < zone->network->exempt->len; i++) {
		const struct model_exempt *exempt = g_ptr_array_index(zone->network->exempt, i);
		struct cidr host = {.addr = exempt->address,
				    .bits = addr_is_v4(&exempt->address) ? 32 : 128};

		add_prefix(zone, &host, compile_cidr_peer(zone->compile, zone->network, &host),
			   exempt->place);
	}
}

/* ---------------------------------------------------------------- members */

static void collect_members(struct zone *zone, const struct model_network *network)
{
	g_autoptr(GArray) peers = g_array_new(FALSE, FALSE, sizeof(uint32_t));

	/* Their order does not matter: members are sorted before they get numbers. */
	for (guint k = 0; k < network->interfaces->len; k++) {
		const struct model_interface *iface = network->interfaces->pdata[k];
		struct member member = {.key.zone = zone->number, .iface = iface};
		g_autoptr(GBytes) content = NULL;

		g_array_set_size(peers, 0);
		for (uint32_t i = 0; i < iface->groups->count; i++) {
			gpointer group =
				g_hash_table_lookup(network->groups, iface->groups->ids[i]);
			uint32_t peer = GPOINTER_TO_UINT(g_hash_table_lookup(zone->groups, group));

			if (group && peer)
				g_array_append_val(peers, peer);
		}
		if (!peers->len)
			continue;
		sort_peers(peers);
		content = g_bytes_new(peers->data, peers->len * sizeof(uint32_t));
		member.peers = g_hash_table_lookup(zone->interned, content);
		if (!member.peers) {
			member.peers = g_steal_pointer(&content);
			g_hash_table_add(zone->interned, member.peers);
		}
		for (uint32_t i = 0; i < iface->address_count; i++) {
			member.key.addr = iface->addresses[i];
			g_array_append_val(zone->members, member);
		}
	}
}

static int compare_members(gconstpointer a, gconstpointer b)
{
	const struct member *left = a, *right = b;
	int order = memcmp(left->key.addr.b, right->key.addr.b, sizeof(left->key.addr.b));

	return order ? order : strcmp(left->iface->id, right->iface->id);
}

static void number_members(struct zone *zone)
{
	g_autoptr(GArray) peers = g_array_new(FALSE, FALSE, sizeof(uint32_t));

	g_array_sort(zone->members, compare_members);
	for (guint i = 0, next; i < zone->members->len; i = next) {
		const struct member *member = &g_array_index(zone->members, struct member, i);
		char text[ADDR_TEXT_SIZE];
		uint32_t set;

		g_array_set_size(peers, 0);
		for (next = i; next < zone->members->len; next++) {
			const struct member *same =
				&g_array_index(zone->members, struct member, next);
			gsize length = 0;
			gconstpointer numbers;

			if (!addr_equal(&same->key.addr, &member->key.addr))
				break;
			numbers = g_bytes_get_data(same->peers, &length);
			g_array_append_vals(peers, numbers, (guint)(length / sizeof(uint32_t)));
		}
		if (next > i + 1)
			sort_peers(peers);
		if (too_many(zone, "address", addr_format(&member->key.addr, text), peers,
			     member->iface->place))
			continue;
		set = set_of(zone->compile, peers);
		if (set)
			image_add_member(zone->compile->image, zone->number, &member->key.addr,
					 set);
	}
}

/* ---------------------------------------------------------------- prefixes */

/* By family and address, the shorter first, so that what lies around a prefix comes before it. */
static int compare_prefixes(gconstpointer a, gconstpointer b)
{
	const struct prefix *left = a, *right = b;
	bool left_v4 = addr_is_v4(&left->cidr.addr), right_v4 = addr_is_v4(&right->cidr.addr);
	int order = memcmp(left->cidr.addr.b, right->cidr.addr.b, sizeof(left->cidr.addr.b));

	if (left_v4 != right_v4)
		return left_v4 ? -1 : 1;
	if (order)
		return order;
	if (left->cidr.bits != right->cidr.bits)
		return left->cidr.bits < right->cidr.bits ? -1 : 1;
	return left->peer < right->peer ? -1 : left->peer > right->peer;
}

static void free_around(gpointer data)
{
	struct around *around = data;

	g_array_unref(around->peers);
	g_free(around);
}

static bool same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a->cidr.bits == b->cidr.bits && addr_equal(&a->cidr.addr, &b->cidr.addr);
}

/* Longest match finds one entry only, so each carries the peers of those around it. */
static void number_prefixes(struct zone *zone)
{
	g_autoptr(GPtrArray) stack = g_ptr_array_new_with_free_func(free_around);

	g_array_sort(zone->prefixes, compare_prefixes);
	for (guint i = 0, next; i < zone->prefixes->len; i = next) {
		const struct prefix *prefix = &g_array_index(zone->prefixes, struct prefix, i);
		const struct around *outer = NULL;
		struct around *around = g_new0(struct around, 1);
		char text[CIDR_TEXT_SIZE];
		uint32_t set;

		while (stack->len && !outer) {
			outer = g_ptr_array_index(stack, stack->len - 1);
			if (!cidr_covers(&outer->cidr, &prefix->cidr)) {
				g_ptr_array_remove_index(stack, stack->len - 1);
				outer = NULL;
			}
		}
		around->cidr = prefix->cidr;
		around->peers = outer ? g_array_copy(outer->peers)
				      : g_array_new(FALSE, FALSE, sizeof(uint32_t));
		for (next = i; next < zone->prefixes->len; next++) {
			const struct prefix *same =
				&g_array_index(zone->prefixes, struct prefix, next);

			if (!same_prefix(same, prefix))
				break;
			g_array_append_val(around->peers, same->peer);
		}
		g_ptr_array_add(stack, around);
		sort_peers(around->peers);
		around->failed = outer && outer->failed;
		if (!around->failed)
			around->failed = too_many(zone, "prefix", cidr_format(&prefix->cidr, text),
						  around->peers, prefix->place);
		if (around->failed)
			continue;
		set = set_of(zone->compile, around->peers);
		if (set)
			image_add_prefix(zone->compile->image, zone->number, &prefix->cidr, set);
	}
}

static void unref_bytes(gpointer bytes)
{
	g_bytes_unref(bytes);
}

static void compile_zone_peers(struct compile *compile, const struct model_network *network)
{
	struct zone zone = {
		.compile = compile,
		.network = network,
		.number = compile_zone(compile, network->name),
		.groups = g_hash_table_new(NULL, NULL),
		.members = g_array_new(FALSE, FALSE, sizeof(struct member)),
		.prefixes = g_array_new(FALSE, FALSE, sizeof(struct prefix)),
		.interned = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, unref_bytes, NULL),
	};

	collect_named(&zone);
	collect_members(&zone, network);
	for (guint i = 0; i < network->peers->len; i++) {
		const struct model_network *peer =
			model_network(compile->model, g_ptr_array_index(network->peers, i));

		if (peer && peer != network)
			collect_members(&zone, peer);
	}
	number_members(&zone);
	number_prefixes(&zone);
	g_hash_table_destroy(zone.groups);
	g_array_unref(zone.members);
	g_array_unref(zone.prefixes);
	g_hash_table_destroy(zone.interned);
}

void compile_peers(struct compile *compile)
{
	g_autoptr(GPtrArray) names = compile_sorted_keys(compile->model->networks);

	for (guint i = 0; i < names->len; i++)
		compile_zone_peers(compile,
				   model_network(compile->model, g_ptr_array_index(names, i)));
}
