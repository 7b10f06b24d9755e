/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prefix_tree.h - the prefixes of a zone as a binary trie: what is around one, what is inside one.
 *
 * Nodes with peers are prefixes that something names; the others only fork. IPv4 lives apart from
 * IPv6, so that ::/0 is not around it. Bits are those of struct sg_addr (IPv4: 96 and more).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rulesd/addr.h"
#include "rulesd/journal.h"

/* Immutable; a change makes another. */
struct prefix_peers {
	uint32_t count;
	uint32_t at[]; /* sorted */
};

struct prefix_node {
	struct sg_addr addr;
	struct prefix_node *parent;
	struct prefix_node *child[2];
	struct prefix_peers *peers; /* named with exactly this prefix; NULL: none */
	uint32_t set;		    /* of those and of all around; 0 without peers */
	uint32_t change;	    /* 1 + its index in the change at hand */
	uint32_t gone;		    /* taken out of the tree */
	uint8_t bits;
	bool failed; /* over the limit, or inside one that is: reported, and the change refused */
};

struct prefix_tree {
	struct prefix_node *root[2]; /* IPv4, IPv6 */
};

/* Frees the nodes. */
void prefix_tree_clear(struct prefix_tree *tree);
/* NULL when there is no node. */
struct prefix_node *prefix_tree_find(const struct prefix_tree *tree, const struct cidr *cidr);
struct prefix_node *prefix_tree_ensure(struct prefix_tree *tree, const struct cidr *cidr,
				       struct journal *journal);
/* Removes the node, and forks that are of no use any more, if nothing names it. */
void prefix_tree_prune(struct prefix_tree *tree, struct prefix_node *node, struct journal *journal);
/* The node with a set that has the most bits of those around the address. */
const struct prefix_node *prefix_tree_longest(const struct prefix_tree *tree,
					      const struct sg_addr *addr);
/* Names it with one more peer, or one less; false when it was, or was not. */
bool prefix_node_add(struct prefix_node *node, uint32_t peer, struct journal *journal);
bool prefix_node_remove(struct prefix_node *node, uint32_t peer, struct journal *journal);
