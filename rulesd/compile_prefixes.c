/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_prefixes.c - prefixes that are named, each with the set of everything around it.
 *
 * Longest match finds one entry only, so each carries the peers of those around it: a change of one
 * is a change of what lies inside it, as far as that did not have those peers anyway.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

/* Among those that are dirty, once. */
static struct dirty_node *dirty_of(struct compile *compile, struct image_zone *zone,
				   struct prefix_node *node)
{
	struct dirty_node *dirty;

	if (node->change)
		return compile->dirty_nodes->pdata[node->change - 1];
	dirty = g_new(struct dirty_node, 1);
	*dirty = (struct dirty_node){.zone = zone, .node = node, .before = node->set};
	g_ptr_array_add(compile->dirty_nodes, dirty);
	node->change = compile->dirty_nodes->len;
	return dirty;
}

void compile_name_prefix(struct compile *compile, struct image_zone *zone, const struct cidr *cidr,
			 uint32_t peer, bool more)
{
	struct prefix_node *node = more ? prefix_tree_ensure(&zone->tree, cidr, compile->journal)
					: prefix_tree_find(&zone->tree, cidr);

	if (!node)
		return;
	dirty_of(compile, zone, node);
	if (more)
		prefix_node_add(node, peer, compile->journal);
	else
		prefix_node_remove(node, peer, compile->journal);
}

static const struct prefix_node *around(const struct prefix_node *node)
{
	const struct prefix_node *outer = node->parent;

	while (outer && !outer->peers)
		outer = outer->parent;
	return outer;
}

static struct place place_of(const struct compile *compile, const struct image_zone *zone,
			     const struct prefix_node *node)
{
	const char *name = numbers_name(compile->numbers, NUMBER_PEER, node->peers->at[0]);
	const struct zone_peer *peer = name ? image_peer_of(zone, name) : NULL;

	return peer ? peer->place : (struct place){0};
}

static uint32_t compute(struct compile *compile, const struct image_zone *zone,
			struct prefix_node *node, GArray *peers)
{
	const struct prefix_node *outer = around(node);
	struct cidr cidr = {.addr = node->addr};
	char text[CIDR_TEXT_SIZE];

	node->failed = outer && outer->failed;
	if (!node->peers || node->failed)
		return 0;
	g_array_set_size(peers, 0);
	compile_append_set(compile->image, outer ? outer->set : 0, peers);
	g_array_append_vals(peers, node->peers->at, node->peers->count);
	compile_sort_peers(peers);
	cidr.bits = (uint8_t)(addr_is_v4(&node->addr) ? node->bits - 96 : node->bits);
	node->failed = compile_too_many(compile, zone, "prefix", cidr_format(&cidr, text), peers,
					place_of(compile, zone, node));
	return node->failed ? 0 : compile_take_set(compile, peers);
}

/* The node, and what is inside it as far as that differs now. What is named is settled before, and
 * what is around it comes first: so once is enough. */
static void renew(struct compile *compile, struct image_zone *zone, struct prefix_node *node,
		  GArray *peers)
{
	struct dirty_node *dirty = node->peers || node->set ? dirty_of(compile, zone, node) : NULL;
	bool failed = node->failed;
	uint32_t set = compute(compile, zone, node, peers);
	bool same = set == node->set && failed == node->failed;

	if (dirty)
		dirty->done = true;
	compile_give_set(compile, node->set);
	if (set != node->set) {
		journal_u32(compile->journal, &node->set);
		node->set = set;
	}
	/* A fork has nothing of its own: what is around it is around what is inside it. */
	if (same && node->peers)
		return;
	for (int i = 0; i < 2; i++)
		if (node->child[i])
			renew(compile, zone, node->child[i], peers);
}

static int compare_dirty(gconstpointer a, gconstpointer b)
{
	const struct dirty_node *const *left = a, *const *right = b;
	const struct prefix_node *x = (*left)->node, *y = (*right)->node;

	if ((*left)->zone != (*right)->zone)
		return (*left)->zone->number < (*right)->zone->number ? -1 : 1;
	if (x->bits != y->bits)
		return x->bits < y->bits ? -1 : 1;
	return addr_compare(&x->addr, &y->addr);
}

/* ---------------------------------------------------------------- what a dataplane writes */

/* What an address in node had before this change. */
static uint32_t before_around(const struct compile *compile, const struct prefix_node *node)
{
	const struct prefix_node *outer = node->parent;
	uint32_t set = 0;

	for (; outer && !set; outer = outer->parent) {
		const struct dirty_node *dirty =
			outer->change ? compile->dirty_nodes->pdata[outer->change - 1] : NULL;

		set = dirty ? dirty->before : outer->set;
	}
	return set;
}

static void emit(struct compile *compile, const struct dirty_node *dirty)
{
	const struct prefix_node *node = dirty->node, *outer = around(node);
	struct image_prefix_change change = {
		.key.prefixlen = 32u + node->bits,
		.key.space = SG_SPACE(dirty->zone->number, !addr_is_v4(&node->addr)),
		.before = dirty->before,
		.after = node->set,
		.created = !dirty->before,
		.removed = !node->set,
	};

	if (change.before == change.after)
		return;
	memcpy(change.key.addr, node->addr.b, sizeof(change.key.addr));
	if (change.created)
		change.before = before_around(compile, node);
	if (change.removed)
		change.after = outer ? outer->set : 0;
	g_array_append_val(compile->delta->prefixes, change);
}

void compile_prefixes(struct compile *compile)
{
	g_autoptr(GArray) peers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();

	for (guint i = 0; i < compile->dirty_nodes->len; i++)
		g_ptr_array_add(sorted, compile->dirty_nodes->pdata[i]);
	g_ptr_array_sort(sorted, compare_dirty);
	for (guint i = 0; i < sorted->len; i++) {
		const struct dirty_node *dirty = sorted->pdata[i];

		if (!dirty->done)
			renew(compile, dirty->zone, dirty->node, peers);
	}
	if (!compile->delta)
		return;
	g_ptr_array_set_size(sorted, 0);
	for (guint i = 0; i < compile->dirty_nodes->len; i++)
		g_ptr_array_add(sorted, compile->dirty_nodes->pdata[i]);
	g_ptr_array_sort(sorted, compare_dirty);
	for (guint i = 0; i < sorted->len; i++)
		emit(compile, sorted->pdata[i]);
}

/* After everything is said about them: nodes that nothing names go. */
void compile_prune_prefixes(struct compile *compile)
{
	for (guint i = 0; i < compile->dirty_nodes->len; i++) {
		struct dirty_node *dirty = compile->dirty_nodes->pdata[i];

		prefix_tree_prune(&dirty->zone->tree, dirty->node, compile->journal);
	}
}
