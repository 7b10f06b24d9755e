/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_apply.c - making an image the one that holds: everything is written beside what holds now,
 * and one store of the generation publishes it.
 *
 * Order, and why a failure at any step leaves the old policy:
 *   1. settle: nobody reads what the flip before left behind, so entries may be written again
 *   2. sets and policies under numbers that nothing refers to yet
 *   3. versioned entries {epoch = G + 1, before, after}: they read as before until the flip
 *   4. sg_peergone (its worst outcome without a flip: flows are evaluated once more)
 *   5. from here on only stores to mapped memory, which cannot fail: the version of each
 * interface's configuration that does not hold, removed_at, last_removal, and at last the
 * generation
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

/* ------------------------------------------------------------------ settle */

/* Takes back what a failed apply wrote: entries read as before for every generation. */
static int undo_changes(struct dataplane *dataplane, char **error)
{
	while (dataplane->undo->len) {
		guint last = dataplane->undo->len - 1;
		const struct change *change = &g_array_index(dataplane->undo, struct change, last);
		struct sg_version settled = {.before = change->before, .after = change->before};
		int code;

		if (change->created)
			code = table_delete(dataplane, change->table, change->key, error);
		else
			code = table_update(dataplane, change->table, change->key, &settled,
					    BPF_ANY, error);
		if (code)
			return code;
		g_array_set_size(dataplane->undo, last);
	}
	return 0;
}

static int remove_dead(struct dataplane *dataplane, char **error)
{
	while (dataplane->dead->len) {
		guint last = dataplane->dead->len - 1;
		const struct change *change = &g_array_index(dataplane->dead, struct change, last);
		int code = table_delete(dataplane, change->table, change->key, error);

		if (code)
			return code;
		g_array_set_size(dataplane->dead, last);
	}
	return 0;
}

int apply_settle(struct dataplane *dataplane, char **error)
{
	int code = undo_changes(dataplane, error);

	if (code || !dataplane->unsettled)
		return code;
	code = grace_period(dataplane, error);
	if (!code)
		code = remove_dead(dataplane, error);
	if (!code && dataplane->wanted_known)
		code = held_sweep(dataplane, error);
	if (!code)
		dataplane->unsettled = false;
	return code;
}

/* ------------------------------------------------------------------ write */

/* All changes of one table, side by side. */
static int write_changes(struct dataplane *dataplane, const struct plan *plan, enum bpf_table_id id,
			 uint64_t epoch, unsigned int *writes, char **error)
{
	size_t key_size = dataplane->table[id].key_size;
	g_autoptr(GByteArray) keys = g_byte_array_new();
	g_autoptr(GArray) versions = g_array_new(FALSE, FALSE, sizeof(struct sg_version));
	uint32_t done;
	int code;

	for (unsigned int i = 0; i < plan->changes->len; i++) {
		const struct change *change = &g_array_index(plan->changes, struct change, i);
		struct sg_version version = {epoch, change->before, change->after};

		if (change->table != id)
			continue;
		g_byte_array_append(keys, change->key, (guint)key_size);
		g_array_append_val(versions, version);
		/* Before it is written: taking back what was not written does no harm. */
		g_array_append_val(dataplane->undo, *change);
	}
	if (!versions->len)
		return 0;
	code = table_update_many(dataplane, id, keys->data, versions->data, versions->len, &done,
				 error);
	*writes += done;
	return code;
}

/* Peers that some policy in the kernel names: flows have no other witnesses. */
static GHashTable *peers_in_policies(struct dataplane *dataplane)
{
	GHashTable *peers = g_hash_table_new(NULL, NULL);
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, dataplane->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		held_policy_peers(value, peers);
	return peers;
}

/* *everyone: some peer had no room, so every interface's flows are to be evaluated again. */
static int write_gone(struct dataplane *dataplane, const struct plan *plan, uint64_t epoch,
		      unsigned int *writes, bool *everyone, char **error)
{
	g_autoptr(GHashTable) named = NULL;
	GHashTableIter iter;
	gpointer key;

	if (!g_hash_table_size(plan->gone))
		return 0;
	named = peers_in_policies(dataplane);
	g_hash_table_iter_init(&iter, plan->gone);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		uint32_t peer = GPOINTER_TO_UINT(key);
		int code;

		if (!g_hash_table_contains(named, key)) {
			g_hash_table_iter_remove(&iter);
			continue;
		}
		code = table_update(dataplane, TABLE_PEERGONE, &peer, &epoch, BPF_ANY, error);
		if (code == -E2BIG)
			*everyone = true;
		else if (code)
			return code;
		++*writes;
	}
	return 0;
}

static int resize_shards(struct dataplane *dataplane, const struct plan *plan, char **error)
{
	for (unsigned int i = 0; i < plan->ifaces->len; i++) {
		const struct iface_change *change =
			&g_array_index(plan->ifaces, struct iface_change, i);
		int code;

		if (change->conf.max_flows == change->flows_before)
			continue;
		code = shards_resize(dataplane, change->id, change->conf.shard,
				     change->flows_before, change->conf.max_flows, error);
		if (!code)
			continue;
		while (i-- > 0) {
			change = &g_array_index(plan->ifaces, struct iface_change, i);
			dataplane->shards[change->conf.shard].reserved +=
				change->flows_before - change->conf.max_flows;
		}
		return code;
	}
	return 0;
}

static void resize_back(struct dataplane *dataplane, const struct plan *plan)
{
	for (unsigned int i = 0; i < plan->ifaces->len; i++) {
		const struct iface_change *change =
			&g_array_index(plan->ifaces, struct iface_change, i);

		dataplane->shards[change->conf.shard].reserved +=
			change->flows_before - change->conf.max_flows;
	}
}

/* ------------------------------------------------------------------ flip */

static void store(__u64 *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* Into the version that does not hold; after settling no packet reads it. */
static void store_conf(struct dataplane *dataplane, const struct iface_change *change,
		       uint64_t epoch)
{
	struct sg_iface *iface = &dataplane->ifaces[change->slot];
	unsigned int current, other;

	plan_current_conf(dataplane, change->slot, &current);
	other = 1 - current;
	store(&iface->since[other], SG_NEVER);
	iface->conf[other] = change->conf;
	store(&iface->since[other], epoch);
}

static void revoke_flows(struct dataplane *dataplane, uint32_t slot, uint64_t epoch, bool keep)
{
	struct sg_iface *iface = &dataplane->ifaces[slot];

	if (keep)
		store(&iface->keep_until, epoch - 1);
	store(&iface->removed_at, epoch);
}

static void remember_guards(struct dataplane *dataplane, struct iface_change *change)
{
	struct held_slot *held = &dataplane->held[change->slot];

	if (change->guards) {
		g_clear_pointer(&held->guards, g_array_unref);
		held->guards = TAKE_PTR(change->guards);
	}
	if (change->vlans) {
		g_clear_pointer(&held->vlans, g_array_unref);
		held->vlans = TAKE_PTR(change->vlans);
	}
}

static void flip(struct dataplane *dataplane, struct plan *plan, bool keep, bool everyone,
		 uint64_t epoch)
{
	bool gone = g_hash_table_size(plan->gone) > 0, removes = gone;

	for (unsigned int i = 0; i < plan->ifaces->len; i++) {
		struct iface_change *change = &g_array_index(plan->ifaces, struct iface_change, i);

		if (change->conf_differs)
			store_conf(dataplane, change, epoch);
		if (change->removes)
			revoke_flows(dataplane, change->slot, epoch, keep);
		removes |= change->removes;
		remember_guards(dataplane, change);
	}
	for (uint32_t slot = 1; gone && slot <= SG_MAX_SLOTS; slot++) {
		if (!dataplane->ifaces[slot].ifindex)
			continue;
		if (everyone)
			revoke_flows(dataplane, slot, epoch, keep);
		else if (keep)
			store(&dataplane->ifaces[slot].keep_until, epoch - 1);
	}
	if (removes)
		store(&dataplane->control->last_removal, epoch);
	store(&dataplane->control->generation, epoch);

	g_array_set_size(dataplane->undo, 0);
	for (unsigned int i = 0; i < plan->changes->len; i++) {
		const struct change *change = &g_array_index(plan->changes, struct change, i);

		if (change->removed)
			g_array_append_val(dataplane->dead, *change);
	}
	dataplane->unsettled = true;
}

int apply_plan(struct dataplane *dataplane, struct plan *plan, bool keep, unsigned int *writes,
	       char **error)
{
	static const enum bpf_table_id versioned[] = {TABLE_GUARD, TABLE_VLANS, TABLE_MEMBERS,
						      TABLE_PREFIXES};
	uint64_t epoch = dataplane_generation(dataplane) + 1;
	bool everyone = false;
	int code = resize_shards(dataplane, plan, error);

	if (code)
		return code;
	for (unsigned int i = 0; !code && i < G_N_ELEMENTS(versioned); i++)
		code = write_changes(dataplane, plan, versioned[i], epoch, writes, error);
	if (!code)
		code = write_gone(dataplane, plan, epoch, writes, &everyone, error);
	if (code) {
		resize_back(dataplane, plan);
		undo_changes(dataplane,
			     NULL); /* what is left is tried again before the next write */
		return code;
	}
	*writes += plan->ifaces->len;
	flip(dataplane, plan, keep, everyone, epoch);
	return 0;
}

/* ------------------------------------------------------------------ apply */

static int ensure_objects(struct dataplane *dataplane, const struct image *image,
			  unsigned int *writes, char **error)
{
	GHashTableIter iter;
	gpointer value;
	uint32_t number;
	int code;

	g_hash_table_iter_init(&iter, image->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		code = held_set_ensure(dataplane, value, writes, error);
		if (code)
			return code;
	}
	g_hash_table_iter_init(&iter, image->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		code = held_policy_ensure(dataplane, value, &number, writes, error);
		if (code)
			return code;
	}
	return 0;
}

static int make_plan(struct dataplane *dataplane, const struct image *from, const struct image *to,
		     struct plan *plan, char **error)
{
	int code = plan_tables(dataplane, from, to, plan, error);
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, to->ifaces);
	while (!code && g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_iface *iface = value;

		if (iface->slot && iface->slot <= SG_MAX_SLOTS &&
		    dataplane->ifaces[iface->slot].ifindex)
			code = plan_iface(dataplane, iface, plan, error);
	}
	return code;
}

int dataplane_apply(struct dataplane *dataplane, const struct image *from, const struct image *to,
		    bool keep, uint64_t *generation, unsigned int *writes, char **error)
{
	CLEANUP(plan_free) struct plan *plan = plan_new();
	unsigned int written = 0;
	int code = apply_settle(dataplane, error);

	if (code)
		return code;
	/* keep is about flows that are allowed now, not about those that nobody has asked about. */
	if (keep)
		code = collect_settle(dataplane, error);
	if (code)
		return code;
	code = ensure_objects(dataplane, to, &written, error);
	if (!code)
		code = make_plan(dataplane, from, to, plan, error);
	if (!code && (written || !plan_empty(plan)))
		code = apply_plan(dataplane, plan, keep, &written, error);
	if (code) {
		/* Nothing refers to the sets and policies that were written for it. */
		if (dataplane->wanted_known && held_sweep(dataplane, NULL))
			dataplane->unsettled = true;
		return code;
	}
	held_want(dataplane, to);
	if (!dataplane->wanted_known)
		dataplane->unsettled = true;
	dataplane->wanted_known = true;
	g_clear_pointer(&dataplane->read_members, g_hash_table_unref);
	g_clear_pointer(&dataplane->read_prefixes, g_hash_table_unref);
	*generation = dataplane_generation(dataplane);
	if (writes)
		*writes = written;
	return 0;
}
