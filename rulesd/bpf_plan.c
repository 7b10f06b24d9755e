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
	plan->removed = g_array_new(FALSE, FALSE, sizeof(struct change));
	plan->edits = edits_new();
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
	g_array_unref(freed->removed);
	g_ptr_array_unref(freed->edits);
	g_free(freed);
}

bool plan_empty(const struct plan *plan)
{
	return !plan->changes->len && !plan->ifaces->len && !plan->edits->len;
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

static void lengths_of(const struct keyed *prefixes, struct lengths *lengths)
{
	const struct keyed_entry *entry;
	uint32_t at = 0;

	while ((entry = keyed_next(prefixes, &at))) {
		const struct sg_prefix_key *prefix = (const void *)entry->key;

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
static uint32_t around(const struct keyed *prefixes, const struct lengths *lengths,
		       const struct sg_prefix_key *key)
{
	struct sg_prefix_key outer = *key;

	for (unsigned int length = key->prefixlen; length-- > 32;) {
		const struct keyed_entry *entry;

		if (!lengths->used[length])
			continue;
		cut_prefix(&outer, length);
		entry = keyed_find(prefixes, &outer);
		if (entry)
			return entry->value;
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

void plan_gone(struct dataplane *dataplane, uint32_t before, uint32_t after, struct plan *plan)
{
	struct peers old, new;

	if (!before)
		return;
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

/* The prefixes of an image in the kernel's numbers. */
struct translation {
	struct dataplane *dataplane;
	struct keyed *values;
	bool unknown; /* a set that the kernel does not have */
};

static void translate(const struct sg_prefix_key *key, uint32_t set, void *arg)
{
	struct translation *translation = arg;
	uint32_t number = held_set_of(translation->dataplane, set);

	translation->unknown |= !number;
	keyed_insert(translation->values, key, number);
}

static int unknown_set(char **error)
{
	return bpf_fail(error, -ENOENT, "the image names a set that it does not have");
}

static void compare_prefixes(struct dataplane *dataplane, const struct keyed *old,
			     const struct keyed *new, struct plan *plan)
{
	struct lengths old_lengths = {}, new_lengths = {};
	const struct keyed_entry *entry;
	uint32_t at = 0;

	lengths_of(old, &old_lengths);
	lengths_of(new, &new_lengths);
	while ((entry = keyed_next(new, &at))) {
		const struct keyed_entry *before = keyed_find(old, entry->key);
		struct change change = {.table = TABLE_PREFIXES, .after = entry->value};

		change.created = !before;
		change.before = before ? before->value
				       : around(old, &old_lengths, (const void *)entry->key);
		if (before && change.before == change.after)
			continue;
		plan_add(plan, dataplane, change, entry->key);
		plan_gone(dataplane, change.before, change.after, plan);
	}
	at = 0;
	while ((entry = keyed_next(old, &at))) {
		struct change change = {
			.table = TABLE_PREFIXES, .before = entry->value, .removed = true};

		if (keyed_find(new, entry->key))
			continue;
		change.after = around(new, &new_lengths, (const void *)entry->key);
		plan_add(plan, dataplane, change, entry->key);
		plan_gone(dataplane, change.before, change.after, plan);
	}
}

static int plan_prefixes(struct dataplane *dataplane, const struct image *image, struct plan *plan,
			 char **error)
{
	CLEANUP(keyed_free) struct keyed *old = keyed_new();
	CLEANUP(keyed_free) struct keyed *new = keyed_new();
	struct translation translation = {.dataplane = dataplane, .values = new};
	int code;

	image_each_prefix(image, translate, &translation);
	if (translation.unknown)
		return unknown_set(error);
	code = image_read_values(dataplane, TABLE_PREFIXES, old, error);
	if (!code)
		compare_prefixes(dataplane, old, new, plan);
	return code;
}

static int plan_attached(struct dataplane *dataplane, const struct image_iface *iface,
			 struct plan *plan, char **error)
{
	if (!iface->slot || iface->slot > SG_MAX_SLOTS || !dataplane->ifaces[iface->slot].ifindex)
		return 0;
	return plan_iface(dataplane, iface, plan, error);
}

int plan_image(struct dataplane *dataplane, const struct image *image, struct plan *plan,
	       char **error)
{
	int code = plan_prefixes(dataplane, image, plan, error);
	GHashTableIter iter;
	gpointer value;

	plan->members_of = image;
	g_hash_table_iter_init(&iter, image->ifaces);
	while (!code && g_hash_table_iter_next(&iter, NULL, &value))
		code = plan_attached(dataplane, value, plan, error);
	return code;
}

/* ------------------------------------------------------------------ a delta */

/* Adds the change of an entry whose sets are those of an image. */
static int plan_entry(struct dataplane *dataplane, struct change change, const void *key,
		      struct plan *plan, char **error)
{
	uint32_t before = held_set_of(dataplane, change.before),
		 after = held_set_of(dataplane, change.after);

	if ((change.before && !before) || (change.after && !after))
		return unknown_set(error);
	change.before = before;
	change.after = after;
	plan_add(plan, dataplane, change, key);
	plan_gone(dataplane, before, after, plan);
	return 0;
}

int plan_delta(struct dataplane *dataplane, const struct image_delta *delta, struct plan *plan,
	       char **error)
{
	int code = 0;

	for (guint i = 0; !code && i < delta->members->len; i++) {
		const struct image_member_change *member =
			&g_array_index(delta->members, struct image_member_change, i);
		struct change change = {.table = TABLE_MEMBERS,
					.before = member->before,
					.after = member->after,
					.created = !member->before,
					.removed = !member->after};

		code = plan_entry(dataplane, change, &member->key, plan, error);
	}
	for (guint i = 0; !code && i < delta->prefixes->len; i++) {
		const struct image_prefix_change *prefix =
			&g_array_index(delta->prefixes, struct image_prefix_change, i);
		struct change change = {.table = TABLE_PREFIXES,
					.before = prefix->before,
					.after = prefix->after,
					.created = prefix->created,
					.removed = prefix->removed};

		code = plan_entry(dataplane, change, &prefix->key, plan, error);
	}
	for (guint i = 0; !code && i < delta->ifaces->len; i++) {
		const struct image_iface_change *iface =
			&g_array_index(delta->ifaces, struct image_iface_change, i);

		/* Those that go are detached, those that come attached: not changed; but for one
		 * that comes in the slot of one that goes. */
		if (iface->after)
			code = plan_attached(dataplane, iface->after, plan, error);
	}
	return code;
}
