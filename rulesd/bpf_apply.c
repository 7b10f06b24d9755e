/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_apply.c - making an image the one that holds: everything is written beside what holds now,
 * and one store of the generation publishes it.
 *
 * Order, and why a failure at any step leaves the old policy:
 *   1. settle: wait for a grace period if what is written now meets what a flip before touched
 *      (bpf_settle.c)
 *   2. sets and policies under numbers that nothing refers to yet
 *   3. versioned entries {epoch = G + 1, before, after}: they read as before until the flip
 *   4. the same of rules that change where they are (bpf_edit.c)
 *   5. sg_peergone (its worst outcome without a flip: flows are evaluated once more)
 *   6. from here on only stores to mapped memory, which cannot fail: the version of each
 * interface's configuration that does not hold, removed_at, last_removal, and at last the
 * generation
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

/* ------------------------------------------------------------------ take back */

int apply_undo(struct dataplane *dataplane, char **error)
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
		settle_undone(dataplane, change->table, change->key);
		g_array_set_size(dataplane->undo, last);
	}
	if (dataplane->undo_members) {
		int code = image_take_back(dataplane, TABLE_MEMBERS, error);

		if (code)
			return code;
		dataplane->undo_members = false;
	}
	return edits_undo(dataplane, error);
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
	return code ? code
		    : table_read_back(dataplane, id, keys->data, (const void *)versions->data,
				      versions->len, error);
}

/* *everyone: some peer had no room, so every interface's flows are to be evaluated again. */
static int write_gone(struct dataplane *dataplane, const struct plan *plan, uint64_t epoch,
		      unsigned int *writes, bool *everyone, char **error)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, plan->gone);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		uint32_t peer = GPOINTER_TO_UINT(key);
		int code;

		/* Flows have no other witnesses than the peers that policies name. */
		if (!g_hash_table_contains(dataplane->peers, key)) {
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

/* Into the version that does not hold, which no packet reads any more; or one word of the other. */
static void store_conf(struct dataplane *dataplane, const struct iface_change *change,
		       uint64_t epoch)
{
	struct sg_iface *iface = &dataplane->ifaces[change->slot];
	unsigned int current, other;

	plan_current_conf(dataplane, change->slot, &current);
	if (change->in_place) {
		/* Two words, but an outline says whose it is. */
		__atomic_store_n(&iface->conf[current].policy, change->conf.policy,
				 __ATOMIC_RELEASE);
		__atomic_store_n(&iface->conf[current].outline, change->conf.outline,
				 __ATOMIC_RELEASE);
		return;
	}
	other = 1 - current;
	store(&iface->since[other], SG_NEVER);
	iface->conf[other] = change->conf;
	store(&iface->since[other], epoch);
}

static void revoke_flows(struct dataplane *dataplane, uint32_t slot, uint64_t epoch, bool keep)
{
	struct sg_iface *iface = &dataplane->ifaces[slot];

	outline_unclean(dataplane, slot);
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

		if (change->removes)
			revoke_flows(dataplane, change->slot, epoch, keep);
		else if (change->conf_differs)
			outline_unclean_older(dataplane, change);
		removes |= change->removes;
		remember_guards(dataplane, change);
	}
	for (uint32_t slot = 1; gone && (everyone || keep) && slot <= SG_MAX_SLOTS; slot++) {
		if (!dataplane->ifaces[slot].ifindex)
			continue;
		if (everyone)
			revoke_flows(dataplane, slot, epoch, keep);
		else if (keep)
			store(&dataplane->ifaces[slot].keep_until, epoch - 1);
		if (keep)
			outline_unclean(dataplane, slot);
	}
	if (removes)
		store(&dataplane->control->last_removal, epoch);
	/* Behind what revokes: a policy stored in place is read at once. */
	for (unsigned int i = 0; i < plan->ifaces->len; i++) {
		const struct iface_change *change =
			&g_array_index(plan->ifaces, struct iface_change, i);

		if (change->conf_differs)
			store_conf(dataplane, change, epoch);
	}
	store(&dataplane->control->generation, epoch);
	dataplane->flipped = epoch;

	g_array_set_size(dataplane->undo, 0);
	dataplane->undo_members = false;
	edits_keep(dataplane, plan, epoch);
	settle_flipped(dataplane, plan, epoch);
}

int apply_reevaluate(struct dataplane *dataplane, char **error)
{
	CLEANUP(plan_free) struct plan *plan = plan_new();
	uint64_t epoch = dataplane_generation(dataplane) + 1;
	/* What a failed change left would hold from the next generation on. */
	int code = apply_undo(dataplane, error);

	if (code)
		return code;
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
		if (dataplane->held[slot].ifindex)
			revoke_flows(dataplane, slot, epoch, false);
	store(&dataplane->control->last_removal, epoch);
	store(&dataplane->control->generation, epoch);
	dataplane->flipped = epoch;
	settle_flipped(dataplane, plan, epoch);
	return 0;
}

int apply_plan(struct dataplane *dataplane, struct plan *plan, bool keep, unsigned int *writes,
	       char **error)
{
	static const enum bpf_table_id versioned[] = {TABLE_GUARD, TABLE_VLANS, TABLE_MEMBERS,
						      TABLE_PREFIXES};
	uint64_t epoch = dataplane_generation(dataplane) + 1;
	bool everyone = false;
	int code = settle_entries(dataplane, error);

	if (!code && settle_conflicts(dataplane, plan)) {
		dataplane->settling.waits++;
		code = settle_wait(dataplane, error);
	}
	if (!code)
		code = resize_shards(dataplane, plan, error);
	if (code)
		return code;
	for (unsigned int i = 0; !code && i < G_N_ELEMENTS(versioned); i++)
		code = write_changes(dataplane, plan, versioned[i], epoch, writes, error);
	if (!code && plan->members_of)
		code = members_write(dataplane, plan, epoch, writes, error);
	if (!code)
		code = edits_write(dataplane, plan, epoch, writes, error);
	if (!code)
		code = write_gone(dataplane, plan, epoch, writes, &everyone, error);
	if (code) {
		resize_back(dataplane, plan);
		apply_undo(dataplane, NULL); /* what is left is tried again before the next write */
		return code;
	}
	*writes += plan->ifaces->len;
	if (*writes || !plan_empty(plan))
		flip(dataplane, plan, keep, everyone, epoch);
	return 0;
}

/* ------------------------------------------------------------------ apply */

/* keep is about flows that are allowed now: not about those that nobody has asked about, nor about
 * one that a packet opens whose policy went long ago. */
static int before_keep(struct dataplane *dataplane, bool keep, char **error)
{
	int code = keep ? settle_wait(dataplane, error) : 0;

	return keep && !code ? collect_settle(dataplane, error) : code;
}

static int ensure_objects(struct dataplane *dataplane, const struct image *image,
			  unsigned int *writes, char **error)
{
	GHashTableIter iter;
	gpointer value;
	uint32_t number;
	int code = 0;

	g_hash_table_iter_init(&iter, image->sets);
	while (!code && g_hash_table_iter_next(&iter, NULL, &value))
		code = held_set_ensure(dataplane, value, writes, error);
	g_hash_table_iter_init(&iter, image->policies);
	while (!code && g_hash_table_iter_next(&iter, NULL, &value))
		code = held_policy_ensure(dataplane, value, &number, writes, error);
	return code;
}

int dataplane_apply(struct dataplane *dataplane, const struct image *image, bool keep,
		    uint64_t *generation, unsigned int *writes, char **error)
{
	CLEANUP(plan_free) struct plan *plan = plan_new();
	unsigned int written = 0;
	/* What is read back must be what holds, without what is about to go. */
	int code = settle_wait(dataplane, error);

	if (!code)
		code = before_keep(dataplane, keep, error);
	if (!code)
		code = ensure_objects(dataplane, image, &written, error);
	if (!code)
		code = plan_image(dataplane, image, plan, error);
	if (!code)
		code = apply_plan(dataplane, plan, keep, &written, error);
	if (code) {
		held_forget_fresh(dataplane);
		return code;
	}
	held_want(dataplane, image);
	*generation = dataplane_generation(dataplane);
	if (writes)
		*writes = written;
	return 0;
}

static int ensure_new(struct dataplane *dataplane, const struct image_delta *delta,
		      unsigned int *writes, char **error)
{
	uint32_t number;
	int code = 0;

	for (guint i = 0; !code && i < delta->sets_new->len; i++)
		code = held_set_ensure(dataplane, delta->sets_new->pdata[i], writes, error);
	for (guint i = 0; !code && i < delta->policies_new->len; i++)
		code = held_policy_ensure(dataplane, delta->policies_new->pdata[i], &number, writes,
					  error);
	return code;
}

int dataplane_apply_delta(struct dataplane *dataplane, const struct image *image,
			  const struct image_delta *delta, bool keep, uint64_t *generation,
			  unsigned int *writes, char **error)
{
	CLEANUP(plan_free) struct plan *plan = plan_new();
	unsigned int written = 0;
	int code = before_keep(dataplane, keep, error);

	(void)image; /* all that is wanted of it is in the delta */
	/* What an older failure left to undo is of entries as they were. */
	if (!code)
		code = settle_entries(dataplane, error);
	if (!code && !keep)
		edits_plan(dataplane, delta, plan);
	if (!code)
		code = ensure_new(dataplane, delta, &written, error);
	if (!code)
		code = plan_delta(dataplane, delta, plan, error);
	if (!code)
		code = apply_plan(dataplane, plan, keep, &written, error);
	if (code) {
		edits_abandon(dataplane, plan);
		held_forget_fresh(dataplane);
		return code;
	}
	held_want_delta(dataplane, delta);
	*generation = dataplane_generation(dataplane);
	if (writes)
		*writes = written;
	return 0;
}
