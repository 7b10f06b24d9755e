/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_prefix_tree.c - the trie of a zone against a list that is searched one by one, through
 * random additions and removals, kept and taken back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/prefix_tree.h"

#define ROUNDS	 400
#define PREFIXES 300

struct entry {
	struct cidr cidr;
	uint32_t peer;
};

struct both {
	struct prefix_tree tree;
	GArray *list; /* of struct entry */
};

/* Few distinct bits, so that prefixes nest and meet at forks; both families. */
static struct cidr random_cidr(void)
{
	bool v4 = g_random_boolean();
	struct cidr cidr = {.bits = (uint8_t)g_random_int_range(0, v4 ? 33 : 129)};
	struct sg_addr addr = {.b = {0x20}};
	char text[CIDR_TEXT_SIZE + 4], at[ADDR_TEXT_SIZE];

	if (v4)
		addr = (struct sg_addr){.b = {[10] = 0xff, [11] = 0xff}};
	for (int i = v4 ? 12 : 0; i < 16; i++)
		if (g_random_int_range(0, 4) == 0)
			addr.b[i] = (uint8_t)(1u << g_random_int_range(0, 8));
	g_snprintf(text, sizeof(text), "%s/%u", addr_format(&addr, at), cidr.bits);
	cidr_parse(text, &cidr); /* -ERANGE gives the canonical one */
	return cidr;
}

static bool same_cidr(const struct cidr *a, const struct cidr *b)
{
	return a->bits == b->bits && addr_equal(&a->addr, &b->addr);
}

static uint32_t search(const GArray *list, const struct sg_addr *addr)
{
	const struct entry *best = NULL;

	for (guint i = 0; i < list->len; i++) {
		const struct entry *entry = &g_array_index(list, struct entry, i);

		if (cidr_contains(&entry->cidr, addr) &&
		    addr_is_v4(&entry->cidr.addr) == addr_is_v4(addr) &&
		    (!best || entry->cidr.bits > best->cidr.bits))
			best = entry;
	}
	return best ? best->peer : 0;
}

/* Every child is inside its parent; what nothing names forks. */
static unsigned int check_nodes(const struct prefix_node *node, const struct prefix_node *parent)
{
	if (!node)
		return 0;
	assert_ptr_equal(node->parent, parent);
	assert_false(node->gone);
	assert_true(node->peers || (node->child[0] && node->child[1]));
	if (parent)
		assert_true(node->bits > parent->bits);
	return (node->peers ? 1 : 0) + check_nodes(node->child[0], node) +
	       check_nodes(node->child[1], node);
}

static void compare(const struct both *both)
{
	unsigned int named =
		check_nodes(both->tree.root[0], NULL) + check_nodes(both->tree.root[1], NULL);

	assert_int_equal(named, both->list->len);
	for (guint i = 0; i < both->list->len; i++) {
		const struct entry *entry = &g_array_index(both->list, struct entry, i);
		const struct prefix_node *node = prefix_tree_find(&both->tree, &entry->cidr);

		assert_non_null(node);
		assert_int_equal(node->peers->at[0], entry->peer);
	}
	for (int i = 0; i < 60; i++) {
		struct cidr cidr = random_cidr();
		const struct prefix_node *node = prefix_tree_longest(&both->tree, &cidr.addr);

		assert_int_equal(node ? node->set : 0, search(both->list, &cidr.addr));
	}
}

static void change_one(struct both *both, struct journal *journal)
{
	struct entry entry = {.cidr = random_cidr(), .peer = (uint32_t)g_random_int_range(2, 1000)};
	struct prefix_node *node;

	for (guint i = 0; i < both->list->len; i++) {
		struct entry *at = &g_array_index(both->list, struct entry, i);
		bool found = same_cidr(&at->cidr, &entry.cidr);

		if (!found && (both->list->len < PREFIXES || i + 1 < both->list->len))
			continue;
		node = prefix_tree_find(&both->tree, &at->cidr);
		assert_true(prefix_node_remove(node, at->peer, journal));
		assert_false(prefix_node_remove(node, at->peer, journal));
		journal_u32(journal, &node->set);
		node->set = 0;
		prefix_tree_prune(&both->tree, node, journal);
		g_array_remove_index_fast(both->list, i);
		if (found)
			return;
	}
	node = prefix_tree_ensure(&both->tree, &entry.cidr, journal);
	assert_true(prefix_node_add(node, entry.peer, journal));
	assert_false(prefix_node_add(node, entry.peer, journal));
	journal_u32(journal, &node->set);
	node->set = entry.peer;
	g_array_append_val(both->list, entry);
}

static void the_tree_is_what_a_list_says(void **state)
{
	const char *given = getenv("SEED");
	guint32 seed = given ? (guint32)strtoul(given, NULL, 0) : 20261121;
	struct both both = {.list = g_array_new(FALSE, FALSE, sizeof(struct entry))};

	(void)state;
	print_message("SEED=%u\n", seed);
	g_random_set_seed(seed);
	for (int i = 0; i < ROUNDS; i++) {
		GArray *before = g_array_copy(both.list);
		struct journal *journal = journal_new();

		for (int j = g_random_int_range(0, 40); j > 0; j--)
			change_one(&both, journal);
		compare(&both);
		if (g_random_int_range(0, 3) == 0) {
			journal_undo(&journal);
			g_array_unref(both.list);
			both.list = before;
			compare(&both);
		} else {
			journal_commit(&journal);
			g_array_unref(before);
		}
	}
	assert_true(both.list->len > PREFIXES / 2);
	g_array_unref(both.list);
	prefix_tree_clear(&both.tree);
	assert_null(both.tree.root[0]);
}

/* ::/0 is around every IPv6 prefix and around no IPv4 one. */
static void families_are_apart(void **state)
{
	struct prefix_tree tree = {0};
	struct cidr all = {0}, v4;
	struct prefix_node *node = prefix_tree_ensure(&tree, &all, NULL);

	(void)state;
	prefix_node_add(node, 7, NULL);
	node->set = 7;
	assert_int_equal(cidr_parse("10.0.0.0/8", &v4), 0);
	assert_null(prefix_tree_longest(&tree, &v4.addr));
	node = prefix_tree_ensure(&tree, &v4, NULL);
	assert_null(node->parent);
	prefix_node_add(node, 9, NULL);
	prefix_node_add(node, 8, NULL);
	assert_int_equal(node->peers->count, 2);
	assert_int_equal(node->peers->at[0], 8);
	assert_int_equal(node->peers->at[1], 9);
	prefix_tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tree_is_what_a_list_says),
		cmocka_unit_test(families_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
