/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_plan.c - what differs between what the kernel holds and an image: entries, interfaces, and
 * the peers that lost somebody. Reads only.
 */
#include "rulesd/bpf_internal.h"

#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

static void iface_change_clear(gpointer pointer)
{
	struct iface_change *change = pointer;

	g_clear_pointer(&change->guards, g_array_unref);
	g_clear_pointer(&change->vlans, g_array_unref);
}

struct plan *plan_new(void)
{
	struct plan *plan = g_new0(struct plan, 1);

	plan->changes = g_array_new(FALSE, TRUE, sizeof(struct change));
	plan->ifaces = g_array_new(FALSE, TRUE, sizeof(struct iface_change));
	g_array_set_clear_func(plan->ifaces, iface_change_clear);
	plan->gone = g_hash_table_new(NULL, NULL);
	plan->members = keyed_new();
	plan->prefixes = keyed_new();
	return plan;
}

void plan_free(struct plan **plan)
{
	struct plan *freed = TAKE_PTR(*plan);

	if (!freed)
		return;
	g_array_unref(freed->changes);
	g_array_unref(freed->ifaces);
	g_hash_table_unref(freed->gone);
	g_hash_table_unref(freed->members);
	g_hash_table_unref(freed->prefixes);
	g_free(freed);
}

bool plan_empty(const struct plan *plan)
{
	return !plan->changes->len && !plan->ifaces->len;
}

void plan_add(struct plan *plan, const struct dataplane *dataplane, struct change change,
	      const void *key)
{
	memcpy(change.key, key, dataplane->table[change.table].key_size);
	g_array_append_val(plan->changes, change);
}

/* ------------------------------------------------------------------ tries */

/* Lengths that occur in a trie, so that looking for what is around a prefix tries only those. */
struct lengths {
	bool used[161];
};

static void lengths_of(GHashTable *prefixes, struct lengths *lengths)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, prefixes);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		const struct sg_prefix_key *prefix = key;

		if (prefix->prefixlen < G_N_ELEMENTS(lengths->used))
			lengths->used[prefix->prefixlen] = true;
	}
}

static void cut_prefix(struct sg_prefix_key *key, unsigned int prefixlen)
{
	unsigned int bits = prefixlen - 32;

	key->prefixlen = prefixlen;
	if (bits % 8)
		key->addr[bits / 8] &= (uint8_t)(0xff << (8 - bits % 8));
	for (unsigned int i = (bits + 7) / 8; i < sizeof(key->addr); i++)
		key->addr[i] = 0;
}

/* What an address in key matches when key itself is not there. */
static uint32_t around(GHashTable *prefixes, const struct lengths *lengths,
		       const struct sg_prefix_key *key)
{
	struct sg_prefix_key outer = *key;

	for (unsigned int length = key->prefixlen; length-- > 32;) {
		gpointer value;

		if (!lengths->used[length])
			continue;
		cut_prefix(&outer, length);
		if (g_hash_table_lookup_extended(prefixes, &outer, NULL, &value))
			return GPOINTER_TO_UINT(value);
	}
	return 0;
}

/* ------------------------------------------------------------------ members and prefixes */

struct peers {
	const uint32_t *at;
	uint32_t count;
	uint32_t single;
};

static void peers_of(struct dataplane *dataplane, uint32_t set, struct peers *peers)
{
	struct held_set *held;
	gsize size = 0;

	*peers = (struct peers){};
	if (!set)
		return;
	if (set & SG_SET_SINGLE) {
		peers->single = set & ~SG_SET_SINGLE;
		peers->at = &peers->single;
		peers->count = 1;
		return;
	}
	held = g_hash_table_lookup(dataplane->sets, GUINT_TO_POINTER(set));
	if (!held)
		return;
	peers->at = g_bytes_get_data(held->content, &size);
	peers->count = (uint32_t)(size / sizeof(uint32_t));
}

/* Peers that an address stood for and does not any more. */
static void add_gone(struct dataplane *dataplane, uint32_t before, uint32_t after,
		     struct plan *plan)
{
	struct peers old, new;

	peers_of(dataplane, before, &old);
	peers_of(dataplane, after, &new);
	for (uint32_t i = 0; i < old.count; i++) {
		bool stays = false;

		for (uint32_t k = 0; k < new.count && !stays; k++)
			stays = new.at[k] == old.at[i];
		if (!stays)
			g_hash_table_add(plan->gone, GUINT_TO_POINTER(old.at[i]));
	}
}

/* The values of an image in the kernel's numbers. */
struct translation {
	struct dataplane *dataplane;
	GHashTable *values;
	bool unknown; /* a set that the kernel does not have */
};

static void translate(struct translation *translation, const void *key, uint32_t set)
{
	uint32_t number = held_set_of(translation->dataplane, set);

	translation->unknown |= !number;
	keyed_insert(translation->values, key, number);
}

static void translate_member(const struct sg_member_key *key, uint32_t set, void *arg)
{
	translate(arg, key, set);
}

static void translate_prefix(const struct sg_prefix_key *key, uint32_t set, void *arg)
{
	translate(arg, key, set);
}

static int plan_table(struct dataplane *dataplane, enum bpf_table_id id, GHashTable *old,
		      GHashTable *new, struct plan *plan)
{
	bool trie = id == TABLE_PREFIXES;
	struct lengths old_lengths = {}, new_lengths = {};
	GHashTableIter iter;
	gpointer key, value;

	if (trie) {
		lengths_of(old, &old_lengths);
		lengths_of(new, &new_lengths);
	}
	g_hash_table_iter_init(&iter, new);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		struct change change = {.table = id, .after = GPOINTER_TO_UINT(value)};
		gpointer before = NULL;

		change.created = !g_hash_table_lookup_extended(old, key, NULL, &before);
		change.before = GPOINTER_TO_UINT(before);
		if (change.created && trie)
			change.before = around(old, &old_lengths, key);
		if (!change.created && change.before == change.after)
			continue;
		plan_add(plan, dataplane, change, key);
		add_gone(dataplane, change.before, change.after, plan);
	}
	g_hash_table_iter_init(&iter, old);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		struct change change = {
			.table = id, .before = GPOINTER_TO_UINT(value), .removed = true};

		if (g_hash_table_contains(new, key))
			continue;
		if (trie)
			change.after = around(new, &new_lengths, key);
		plan_add(plan, dataplane, change, key);
		add_gone(dataplane, change.before, change.after, plan);
	}
	return 0;
}

static int plan_values(struct dataplane *dataplane, enum bpf_table_id id, GHashTable **held,
		       GHashTable *new, struct plan *plan, char **error)
{
	int code = *held ? 0 : image_read_versions(dataplane, id, held, error);

	return code ? code : plan_table(dataplane, id, *held, new, plan);
}

int plan_tables(struct dataplane *dataplane, const struct image *from, const struct image *to,
		struct plan *plan, char **error)
{
	struct translation members = {.dataplane = dataplane, .values = plan->members};
	struct translation prefixes = {.dataplane = dataplane, .values = plan->prefixes};
	int code;

	/* Not what was written last, but what is there. */
	if (!from && dataplane->held_applied) {
		g_clear_pointer(&dataplane->held_members, g_hash_table_unref);
		g_clear_pointer(&dataplane->held_prefixes, g_hash_table_unref);
	}
	image_each_member(to, translate_member, &members);
	image_each_prefix(to, translate_prefix, &prefixes);
	if (members.unknown || prefixes.unknown)
		return bpf_fail(error, -ENOENT, "the image names a set that it does not have");
	code = plan_values(dataplane, TABLE_MEMBERS, &dataplane->held_members, plan->members, plan,
			   error);
	return code ? code
		    : plan_values(dataplane, TABLE_PREFIXES, &dataplane->held_prefixes,
				  plan->prefixes, plan, error);
}
