/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prefix_tree.c - a path-compressed binary trie whose every store can be taken back.
 */
#include "rulesd/prefix_tree.h"

#include <endian.h>
#include <string.h>

static unsigned int bit_at(const struct sg_addr *addr, unsigned int bit)
{
	return addr->b[bit / 8] >> (7 - bit % 8) & 1;
}

/* Leading bits that two addresses share. */
static unsigned int common_bits(const struct sg_addr *a, const struct sg_addr *b)
{
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t differ = be64toh(a->q[i] ^ b->q[i]);

		if (differ)
			return i * 64 + (unsigned int)__builtin_clzll(differ);
	}
	return 128;
}

static struct prefix_node **root_of(struct prefix_tree *tree, const struct sg_addr *addr)
{
	return &tree->root[!addr_is_v4(addr)];
}

static void free_nodes(struct prefix_node *node)
{
	if (!node)
		return;
	free_nodes(node->child[0]);
	free_nodes(node->child[1]);
	g_free(node->peers);
	g_free(node);
}

void prefix_tree_clear(struct prefix_tree *tree)
{
	free_nodes(tree->root[0]);
	free_nodes(tree->root[1]);
	*tree = (struct prefix_tree){0};
}

struct prefix_node *prefix_tree_find(const struct prefix_tree *tree, const struct cidr *cidr)
{
	struct prefix_node *node = tree->root[!addr_is_v4(&cidr->addr)];
	unsigned int bits = cidr_mapped_bits(cidr);

	while (node && node->bits < bits)
		node = node->child[bit_at(&cidr->addr, node->bits)];
	return node && node->bits == bits && addr_equal(&node->addr, &cidr->addr) ? node : NULL;
}

static struct prefix_node *node_new(const struct sg_addr *addr, unsigned int bits,
				    struct prefix_node *parent, struct journal *journal)
{
	struct prefix_node *node = g_new0(struct prefix_node, 1);
	unsigned int whole = bits / 8;

	memcpy(node->addr.b, addr->b, (bits + 7) / 8);
	if (bits % 8)
		node->addr.b[whole] &= (uint8_t)(0xff00 >> bits % 8);
	node->bits = (uint8_t)bits;
	node->parent = parent;
	journal_made(journal, node, g_free);
	return node;
}

static void set_link(struct prefix_node **link, struct prefix_node *node, struct journal *journal)
{
	journal_pointer(journal, link);
	*link = node;
}

static void put_under(struct prefix_node *node, struct prefix_node *parent, struct journal *journal)
{
	journal_pointer(journal, &node->parent);
	node->parent = parent;
	parent->child[bit_at(&node->addr, parent->bits)] = node;
}

struct prefix_node *prefix_tree_ensure(struct prefix_tree *tree, const struct cidr *cidr,
				       struct journal *journal)
{
	struct prefix_node **link = root_of(tree, &cidr->addr), *parent = NULL, *node, *made;
	unsigned int bits = cidr_mapped_bits(cidr), common = 0;

	while ((node = *link)) {
		common = MIN(common_bits(&node->addr, &cidr->addr), MIN(node->bits, bits));
		if (common < node->bits)
			break;
		if (node->bits == bits)
			return node;
		parent = node;
		link = &node->child[bit_at(&cidr->addr, node->bits)];
	}
	if (!node || common == bits) {
		made = node_new(&cidr->addr, bits, parent, journal);
		if (node)
			put_under(node, made, journal);
		set_link(link, made, journal);
		return made;
	}
	parent = node_new(&cidr->addr, common, parent, journal);
	made = node_new(&cidr->addr, bits, parent, journal);
	put_under(node, parent, journal);
	parent->child[bit_at(&cidr->addr, common)] = made;
	set_link(link, parent, journal);
	return made;
}

void prefix_tree_prune(struct prefix_tree *tree, struct prefix_node *node, struct journal *journal)
{
	while (node && !node->gone && !node->peers && !(node->child[0] && node->child[1])) {
		struct prefix_node *parent = node->parent;
		struct prefix_node *only = node->child[0] ? node->child[0] : node->child[1];
		struct prefix_node **link =
			parent ? &parent->child[bit_at(&node->addr, parent->bits)]
			       : root_of(tree, &node->addr);

		if (only) {
			journal_pointer(journal, &only->parent);
			only->parent = parent;
		}
		set_link(link, only, journal);
		journal_u32(journal, &node->gone);
		node->gone = true;
		journal_replaced(journal, node, g_free);
		node = parent;
	}
}

const struct prefix_node *prefix_tree_longest(const struct prefix_tree *tree,
					      const struct sg_addr *addr)
{
	const struct prefix_node *node = tree->root[!addr_is_v4(addr)], *longest = NULL;

	while (node && common_bits(&node->addr, addr) >= node->bits) {
		if (node->set)
			longest = node;
		if (node->bits == 128)
			break;
		node = node->child[bit_at(addr, node->bits)];
	}
	return longest;
}

static uint32_t position(const struct prefix_peers *peers, uint32_t peer)
{
	uint32_t at = 0;

	while (peers && at < peers->count && peers->at[at] < peer)
		at++;
	return at;
}

static bool is_at(const struct prefix_peers *peers, uint32_t at, uint32_t peer)
{
	return peers && at < peers->count && peers->at[at] == peer;
}

static struct prefix_peers *peers_new(uint32_t count)
{
	struct prefix_peers *peers = g_malloc(sizeof(*peers) + count * sizeof(peers->at[0]));

	peers->count = count;
	return peers;
}

static void set_peers(struct prefix_node *node, struct prefix_peers *peers, struct journal *journal)
{
	journal_pointer(journal, &node->peers);
	if (peers)
		journal_made(journal, peers, g_free);
	journal_replaced(journal, node->peers, g_free);
	node->peers = peers;
}

bool prefix_node_add(struct prefix_node *node, uint32_t peer, struct journal *journal)
{
	uint32_t at = position(node->peers, peer), count = node->peers ? node->peers->count : 0;
	struct prefix_peers *peers;

	if (is_at(node->peers, at, peer))
		return false;
	peers = peers_new(count + 1);
	for (uint32_t i = 0; i < count; i++)
		peers->at[i + (i >= at)] = node->peers->at[i];
	peers->at[at] = peer;
	set_peers(node, peers, journal);
	return true;
}

bool prefix_node_remove(struct prefix_node *node, uint32_t peer, struct journal *journal)
{
	uint32_t at = position(node->peers, peer);
	struct prefix_peers *peers = NULL;

	if (!is_at(node->peers, at, peer))
		return false;
	if (node->peers->count > 1)
		peers = peers_new(node->peers->count - 1);
	for (uint32_t i = 0; peers && i < peers->count; i++)
		peers->at[i] = node->peers->at[i + (i >= at)];
	set_peers(node, peers, journal);
	return true;
}
