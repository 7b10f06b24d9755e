/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_addresses.c - what an address stands for: the model says whose it is, the image what that
 * one's groups stand for; and prefixes.
 */
#include <string.h>

#include "rulesd/image_parts.h"

uint32_t image_interface_set(const struct image_zone *zone, const struct image_zone *home,
			     const struct model_interface *iface)
{
	struct image_list *list = iface ? image_list_of(home, iface->groups) : NULL;
	const struct list_set *set = list ? image_list_set(list, zone) : NULL;

	return set ? set->set : 0;
}

static uint32_t set_at(const struct image *image, const struct image_zone *zone,
		       const struct image_zone *home, const struct sg_addr *addr)
{
	const struct model_network *network = model_network(image->model, home->network);

	return network ? image_interface_set(zone, home, model_interface_at(network, addr)) : 0;
}

uint32_t image_find_member(const struct image *image, uint32_t zone, const struct sg_addr *addr)
{
	const struct image_zone *own =
		g_hash_table_lookup(image->zones_by_number, GUINT_TO_POINTER(zone));
	const struct shared_address *shared;
	GHashTableIter iter;
	gpointer other;
	uint32_t set;

	if (!own)
		return 0;
	shared = image_shared(own, addr);
	if (shared)
		return shared->set;
	set = set_at(image, own, own, addr);
	g_hash_table_iter_init(&iter, own->foreign);
	while (!set && g_hash_table_iter_next(&iter, &other, NULL))
		set = set_at(image, own, other, addr);
	return set;
}

/* ---------------------------------------------------------------- all of them */

struct walk {
	const struct image_zone *zone;
	image_member_fn each;
	void *arg;
};

static void walk_network(const struct image *image, const struct image_zone *home,
			 const struct walk *walk)
{
	const struct model_network *network = model_network(image->model, home->network);
	struct sg_member_key key = {.zone = walk->zone->number};
	const struct model_groups *groups = NULL;
	uint32_t set = 0;

	for (guint i = 0; network && i < network->interfaces->len; i++) {
		const struct model_interface *iface = network->interfaces->pdata[i];

		if (iface->groups != groups)
			set = image_interface_set(walk->zone, home, iface);
		groups = iface->groups;
		for (uint32_t j = 0; set && j < iface->address_count; j++) {
			key.addr = iface->addresses[j];
			if (!image_shared(walk->zone, &key.addr))
				walk->each(&key, set, walk->arg);
		}
	}
}

static void walk_shared(const struct walk *walk)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, walk->zone->shared);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct shared_address *shared = value;
		struct sg_member_key key = {.addr = shared->addr, .zone = walk->zone->number};

		walk->each(&key, shared->set, walk->arg);
	}
}

void image_each_member(const struct image *image, image_member_fn each, void *arg)
{
	struct walk walk = {.each = each, .arg = arg};
	GHashTableIter iter, others;
	gpointer zone, other;

	g_hash_table_iter_init(&iter, image->zones);
	while (g_hash_table_iter_next(&iter, NULL, &zone)) {
		walk.zone = zone;
		walk_network(image, zone, &walk);
		g_hash_table_iter_init(&others, walk.zone->foreign);
		while (g_hash_table_iter_next(&others, &other, NULL))
			walk_network(image, other, &walk);
		walk_shared(&walk);
	}
}

/* ---------------------------------------------------------------- a part at a time */

/* One zone, and whose interfaces stand for something there; home NULL: the shared addresses. */
struct walk_part {
	uint32_t zone;
	char *home;
};

struct image_member_walk {
	GArray *parts; /* of struct walk_part, from the last to the first */
	guint left;    /* interfaces of the last one */
};

static void walk_part_clear(gpointer part)
{
	g_free(((struct walk_part *)part)->home);
}

static void add_part(struct image_member_walk *walk, const struct image_zone *zone,
		     const struct image_zone *home)
{
	struct walk_part part = {.zone = zone->number,
				 .home = home ? g_strdup(home->network) : NULL};

	g_array_append_val(walk->parts, part);
}

struct image_member_walk *image_member_walk_new(const struct image *image)
{
	struct image_member_walk *walk = g_new0(struct image_member_walk, 1);
	GHashTableIter iter, others;
	gpointer zone, other;

	walk->left = G_MAXUINT;
	walk->parts = g_array_new(FALSE, FALSE, sizeof(struct walk_part));
	g_array_set_clear_func(walk->parts, walk_part_clear);
	g_hash_table_iter_init(&iter, image->zones);
	while (g_hash_table_iter_next(&iter, NULL, &zone)) {
		add_part(walk, zone, NULL);
		add_part(walk, zone, zone);
		g_hash_table_iter_init(&others, ((const struct image_zone *)zone)->foreign);
		while (g_hash_table_iter_next(&others, &other, NULL))
			add_part(walk, zone, other);
	}
	return walk;
}

void image_member_walk_free(struct image_member_walk **walk)
{
	struct image_member_walk *freed = *walk;

	*walk = NULL;
	if (!freed)
		return;
	g_array_unref(freed->parts);
	g_free(freed);
}

/* From the last one down: those that move when another leaves move to where it has not been. */
static guint walk_some(const struct image *image, struct image_member_walk *walk,
		       const struct walk *one, const struct image_zone *home, guint most)
{
	const struct model_network *network = model_network(image->model, home->network);
	struct sg_member_key key = {.zone = one->zone->number};
	guint done = 0;

	walk->left = MIN(walk->left, network ? network->interfaces->len : 0);
	for (; walk->left && done < most; done++) {
		const struct model_interface *iface = network->interfaces->pdata[--walk->left];
		uint32_t set = image_interface_set(one->zone, home, iface);

		for (uint32_t j = 0; set && j < iface->address_count; j++) {
			key.addr = iface->addresses[j];
			if (!image_shared(one->zone, &key.addr))
				one->each(&key, set, one->arg);
		}
	}
	return done;
}

bool image_member_walk_next(const struct image *image, struct image_member_walk *walk,
			    unsigned int most, image_member_fn each, void *arg)
{
	guint done = 0;

	while (walk->parts->len && done < most) {
		const struct walk_part *part =
			&g_array_index(walk->parts, struct walk_part, walk->parts->len - 1);
		const struct image_zone *home =
			part->home ? image_zone_of(image, part->home) : NULL;
		struct walk one = {.each = each, .arg = arg};

		one.zone =
			g_hash_table_lookup(image->zones_by_number, GUINT_TO_POINTER(part->zone));
		if (one.zone && home)
			done += walk_some(image, walk, &one, home, most - done);
		else if (one.zone && !part->home)
			walk_shared(&one);
		if (!one.zone || !home || !walk->left) {
			g_array_set_size(walk->parts, walk->parts->len - 1);
			walk->left = G_MAXUINT;
		}
	}
	return walk->parts->len > 0;
}

const char *image_zone_name(const struct image *image, uint32_t zone)
{
	const struct image_zone *own =
		g_hash_table_lookup(image->zones_by_number, GUINT_TO_POINTER(zone));

	return own ? own->network : NULL;
}

static void each_interface_of_network(const struct model_network *network,
				      const struct model_groups *groups,
				      void (*each)(const struct model_interface *, void *),
				      void *arg)
{
	for (guint i = 0; network && i < network->interfaces->len; i++) {
		const struct model_interface *iface = network->interfaces->pdata[i];

		if (iface->groups == groups)
			each(iface, arg);
	}
}

void image_list_each(const struct image *image, const struct image_list *list,
		     void (*each)(const struct model_interface *iface, void *arg), void *arg)
{
	if (list->crowd)
		each_interface_of_network(model_network(image->model, list->home->network),
					  list->groups, each, arg);
	for (uint32_t i = 0; i < list->ifaces.len; i++)
		each(list->ifaces.at[i], arg);
}

/* ---------------------------------------------------------------- prefixes */

uint32_t image_find_prefix(const struct image *image, uint32_t zone, const struct sg_addr *addr)
{
	const struct image_zone *own =
		g_hash_table_lookup(image->zones_by_number, GUINT_TO_POINTER(zone));
	const struct prefix_node *node = own ? prefix_tree_longest(&own->tree, addr) : NULL;

	return node ? node->set : 0;
}

uint32_t image_prefix_set(const struct image *image, const struct sg_prefix_key *key)
{
	const struct image_zone *zone =
		g_hash_table_lookup(image->zones_by_number, GUINT_TO_POINTER(key->space >> 1));
	unsigned int bits = key->prefixlen - 32;
	const struct prefix_node *node;
	struct cidr cidr;

	memcpy(cidr.addr.b, key->addr, sizeof(key->addr));
	cidr.bits = (uint8_t)(key->space & 1 ? bits : bits - 96);
	node = zone ? prefix_tree_find(&zone->tree, &cidr) : NULL;
	return node ? node->set : 0;
}

bool image_has_prefix(const struct image *image)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, image->zones);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_zone *zone = value;

		if (zone->tree.root[0] || zone->tree.root[1])
			return true;
	}
	return false;
}

static void walk_prefixes(const struct image_zone *zone, const struct prefix_node *node,
			  image_prefix_fn each, void *arg)
{
	if (!node)
		return;
	if (node->set) {
		struct sg_prefix_key key = {
			.prefixlen = 32u + node->bits,
			.space = SG_SPACE(zone->number, !addr_is_v4(&node->addr)),
		};

		memcpy(key.addr, node->addr.b, sizeof(key.addr));
		each(&key, node->set, arg);
	}
	walk_prefixes(zone, node->child[0], each, arg);
	walk_prefixes(zone, node->child[1], each, arg);
}

void image_each_prefix(const struct image *image, image_prefix_fn each, void *arg)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, image->zones);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_zone *zone = value;

		walk_prefixes(zone, zone->tree.root[0], each, arg);
		walk_prefixes(zone, zone->tree.root[1], each, arg);
	}
}
