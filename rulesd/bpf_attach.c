/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_attach.c - an interface as a whole: its maps first, then its programs; and all of it away
 * again.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

/* ------------------------------------------------------------------ device number -> slot */

static bool is_high(const struct dataplane *dataplane, uint32_t ifindex)
{
	return ifindex >= dataplane->table[TABLE_IFINDEX].max_entries;
}

static uint32_t slot_of_ifindex(struct dataplane *dataplane, uint32_t ifindex)
{
	enum bpf_table_id id = is_high(dataplane, ifindex) ? TABLE_IFHIGH : TABLE_IFINDEX;
	uint32_t slot = 0;

	return table_lookup(dataplane, id, &ifindex, &slot) ? 0 : slot;
}

static int set_slot_of_ifindex(struct dataplane *dataplane, uint32_t ifindex, uint32_t slot,
			       char **error)
{
	if (!is_high(dataplane, ifindex))
		return table_update(dataplane, TABLE_IFINDEX, &ifindex, &slot, BPF_ANY, error);
	if (!slot)
		return table_delete(dataplane, TABLE_IFHIGH, &ifindex, error);
	return table_update(dataplane, TABLE_IFHIGH, &ifindex, &slot, BPF_ANY, error);
}

/* ------------------------------------------------------------------ detach */

static int clear_guards(struct dataplane *dataplane, uint32_t slot, char **error)
{
	struct held_slot *held = &dataplane->held[slot];

	while (held->guards && held->guards->len) {
		guint last = held->guards->len - 1;
		int code = table_delete(dataplane, TABLE_GUARD,
					&g_array_index(held->guards, struct held_guard, last).key,
					error);

		if (code)
			return code;
		g_array_set_size(held->guards, last);
	}
	while (held->vlans && held->vlans->len) {
		guint last = held->vlans->len - 1;
		struct sg_vlan_key key = {.slot = (uint16_t)slot,
					  .vid = g_array_index(held->vlans, uint16_t, last)};
		int code = table_delete(dataplane, TABLE_VLANS, &key, error);

		if (code)
			return code;
		g_array_set_size(held->vlans, last);
	}
	g_clear_pointer(&held->guards, g_array_unref);
	g_clear_pointer(&held->vlans, g_array_unref);
	return 0;
}

static int flush_flows(struct dataplane *dataplane, uint32_t slot, uint32_t shard, char **error)
{
	struct sg_collect pass = {.shard = shard, .slot = slot, .flags = SG_COLLECT_FLUSH};
	/* Deleting it waits for every program that runs now: none of them can open a flow in a
	 * shard after the pass below. */
	int code = shards_drop_half(dataplane, slot, error);

	if (!code)
		code = collect_pass(dataplane, PROGRAM_COLLECT_FRAGS, &pass, error);
	if (code || shard >= SG_MAX_SHARDS || !dataplane->shards[shard].capacity)
		return code;
	return collect_pass(dataplane, PROGRAM_COLLECT_FLOWS, &pass, error);
}

static void clear_iface(struct dataplane *dataplane, uint32_t slot)
{
	struct sg_iface *iface = &dataplane->ifaces[slot];

	__atomic_store_n(&iface->since[0], SG_NEVER, __ATOMIC_RELEASE);
	__atomic_store_n(&iface->since[1], SG_NEVER, __ATOMIC_RELEASE);
	memset(iface->conf, 0, sizeof(iface->conf));
	iface->removed_at = 0;
	iface->keep_until = 0;
	iface->adopt_until = 0;
	memset(&dataplane->slots[slot], 0, sizeof(dataplane->slots[slot]));
	/* Last, because a slot with an ifindex is one that still has to be detached. */
	__atomic_store_n(&iface->ifindex, 0, __ATOMIC_RELEASE);
}

int dataplane_detach(struct dataplane *dataplane, uint32_t slot, char **error)
{
	struct sg_iface_conf conf;
	uint32_t ifindex;
	int code;

	if (!slot || slot > SG_MAX_SLOTS)
		return bpf_fail(error, -EINVAL, "slot %u", slot);
	ifindex = dataplane->ifaces[slot].ifindex;
	conf = *plan_current_conf(dataplane, slot, NULL);
	code = hooks_remove(dataplane, slot, ifindex, error);
	if (!code && ifindex && slot_of_ifindex(dataplane, ifindex) == slot)
		code = set_slot_of_ifindex(dataplane, ifindex, 0, error);
	if (!code)
		code = flush_flows(dataplane, slot, ifindex ? conf.shard : SG_MAX_SHARDS, error);
	if (!code)
		code = clear_guards(dataplane, slot, error);
	if (!code && ifindex && conf.shard < SG_MAX_SHARDS)
		code = shards_release(dataplane, conf.shard, conf.max_flows, error);
	if (code)
		return code;
	clear_iface(dataplane, slot);
	/* It may be nobody's now; and nobody reads it, since that half map went. */
	settle_retire(dataplane, false, conf.policy, dataplane_generation(dataplane));
	return 0;
}

/* ------------------------------------------------------------------ attach */

static int write_guards(struct dataplane *dataplane, const struct image_iface *iface, char **error)
{
	struct held_slot *held = &dataplane->held[iface->slot];
	g_autoptr(GArray) guards = plan_guards(iface);
	g_autoptr(GArray) vlans = plan_vlans(iface);

	held->guards = g_array_new(FALSE, FALSE, sizeof(struct held_guard));
	held->vlans = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	for (unsigned int i = 0; i < guards->len; i++) {
		struct held_guard guard = g_array_index(guards, struct held_guard, i);
		struct sg_version version = {.before = guard.bits, .after = guard.bits};
		int code =
			table_update(dataplane, TABLE_GUARD, &guard.key, &version, BPF_ANY, error);

		if (code)
			return code;
		g_array_append_val(held->guards, guard);
	}
	for (unsigned int i = 0; i < vlans->len; i++) {
		uint16_t vid = g_array_index(vlans, uint16_t, i);
		struct sg_vlan_key key = {.slot = (uint16_t)iface->slot, .vid = vid};
		struct sg_version version = {.before = 1, .after = 1};
		int code = table_update(dataplane, TABLE_VLANS, &key, &version, BPF_ANY, error);

		if (code)
			return code;
		g_array_append_val(held->vlans, vid);
	}
	return 0;
}

/* A slot's number may have belonged to another interface before. */
static int reset_counters(struct dataplane *dataplane, uint32_t slot, char **error)
{
	size_t size = (sizeof(struct sg_stats) + 7) / 8 * 8 * dataplane->cpus;
	g_autofree char *zeros = g_malloc0(size);

	memset(&dataplane->slots[slot], 0, sizeof(dataplane->slots[slot]));
	return table_update(dataplane, TABLE_STATS, &slot, zeros, BPF_ANY, error);
}

/* How and for how long a slot begins. */
struct beginning {
	uint32_t ifindex;
	bool vnet_hdr;
	unsigned int adopt_seconds;
	uint32_t policy;
};

/* The end of the time in which flows that run already are adopted; 0: there is none. */
static int adopt_end(struct dataplane *dataplane, unsigned int seconds, uint64_t *until,
		     char **error)
{
	struct sg_collect clock = {};
	int code;

	*until = 0;
	if (!seconds)
		return 0;
	code = collect_pass(dataplane, PROGRAM_COLLECT_CLOCK, &clock, error);
	if (!code)
		*until = clock.jiffies + (uint64_t)seconds * dataplane->hz;
	return code;
}

/* No packet finds the slot before set_slot_of_ifindex, so nothing here needs an epoch. */
static int fill_maps(struct dataplane *dataplane, const struct image_iface *iface,
		     const struct beginning *begin, uint32_t shard, char **error)
{
	struct sg_iface *mapped = &dataplane->ifaces[iface->slot];
	uint64_t adopt_until = 0;
	int code = shards_make_half(dataplane, iface->slot, error);

	if (!code)
		code = reset_counters(dataplane, iface->slot, error);
	if (!code)
		code = write_guards(dataplane, iface, error);
	if (!code)
		code = adopt_end(dataplane, begin->adopt_seconds, &adopt_until, error);
	if (code)
		return code;
	mapped->slot = iface->slot;
	mapped->removed_at = 0;
	mapped->keep_until = 0;
	mapped->adopt_until = adopt_until;
	mapped->since[1] = SG_NEVER;
	mapped->conf[0] = plan_conf(dataplane, iface, begin->policy, shard);
	__atomic_store_n(&mapped->since[0], dataplane_generation(dataplane), __ATOMIC_RELEASE);
	__atomic_store_n(&mapped->ifindex, begin->ifindex, __ATOMIC_RELEASE);
	return set_slot_of_ifindex(dataplane, begin->ifindex, iface->slot, error);
}

static int attach_fresh(struct dataplane *dataplane, const struct image_iface *iface,
			const struct beginning *begin, enum model_hook *used, char **error)
{
	uint32_t slot = iface->slot, shard = SG_MAX_SHARDS;
	int code = clear_guards(dataplane, slot, error);

	if (!code)
		code = shards_reserve(dataplane, iface->id, iface->conntrack.max_flows, &shard,
				      error);
	if (code)
		return code;
	code = fill_maps(dataplane, iface, begin, shard, error);
	if (code && !dataplane->ifaces[slot].ifindex) {
		/* Not far enough for dataplane_detach to know the reservation. */
		shards_release(dataplane, shard, iface->conntrack.max_flows, NULL);
		clear_guards(dataplane, slot, NULL);
		shards_drop_half(dataplane, slot, NULL);
		return code;
	}
	if (!code)
		code = hooks_install(dataplane, iface->device, slot, begin->ifindex, iface->hook,
				     begin->vnet_hdr, used, error);
	if (code)
		dataplane_detach(dataplane, slot, NULL);
	return code;
}

/* The slot filters this very device already: its configuration is changed as any live one's. */
static int attach_again(struct dataplane *dataplane, const struct image_iface *iface,
			uint32_t ifindex, bool vnet_hdr, enum model_hook *used, char **error)
{
	CLEANUP(plan_free) struct plan *plan = plan_new();
	unsigned int writes = 0;
	int code = plan_iface(dataplane, iface, plan, error);

	if (!code && !plan_empty(plan))
		code = apply_plan(dataplane, plan, false, &writes, error);
	if (!code && slot_of_ifindex(dataplane, ifindex) != iface->slot)
		code = set_slot_of_ifindex(dataplane, ifindex, iface->slot, error);
	if (code)
		return code;
	return hooks_install(dataplane, iface->device, iface->slot, ifindex, iface->hook, vnet_hdr,
			     used, error);
}

/* Another slot that filters the same device would lose it silently. */
static int check_device(struct dataplane *dataplane, const struct image_iface *iface,
			uint32_t ifindex, char **error)
{
	uint32_t other = slot_of_ifindex(dataplane, ifindex);
	enum model_hook used;

	if (!other || other == iface->slot || other > SG_MAX_SLOTS ||
	    dataplane->ifaces[other].ifindex != ifindex ||
	    !hooks_verify(dataplane, other, ifindex, &used))
		return 0;
	return bpf_fail(error, -EEXIST,
			"interface %s: device %s (ifindex %u) is filtered as slot %u; detach that "
			"first",
			iface->id, iface->device, ifindex, other);
}

int dataplane_attach(struct dataplane *dataplane, const struct image *image,
		     const struct image_iface *iface, uint32_t ifindex, bool vnet_hdr,
		     unsigned int adopt_seconds, struct dataplane_attachment *attachment,
		     char **error)
{
	struct beginning begin = {
		.ifindex = ifindex, .vnet_hdr = vnet_hdr, .adopt_seconds = adopt_seconds};
	uint32_t slot = iface->slot;
	enum model_hook used = iface->hook;
	unsigned int writes = 0;
	int code;

	(void)image; /* its members and sets are the business of dataplane_apply */
	if (!slot || slot > SG_MAX_SLOTS || !ifindex)
		return bpf_fail(error, -EINVAL, "interface %s: slot %u, ifindex %u", iface->id,
				slot, ifindex);
	code = check_device(dataplane, iface, ifindex, error);
	if (!code)
		code = settle_entries(dataplane, error);
	if (!code && iface->policy)
		code = held_policy_ensure(dataplane, iface->policy, &begin.policy, &writes, error);
	if (code)
		return code;
	/* The same number may be another device by now: then nothing of ours runs on it. */
	if (dataplane->ifaces[slot].ifindex == ifindex && hooks_any(dataplane, slot, ifindex)) {
		code = attach_again(dataplane, iface, ifindex, vnet_hdr, &used, error);
	} else {
		if (dataplane->ifaces[slot].ifindex)
			code = dataplane_detach(dataplane, slot, error);
		if (!code)
			code = attach_fresh(dataplane, iface, &begin, &used, error);
	}
	if (code)
		return code;
	*attachment = (struct dataplane_attachment){
		.slot = slot, .ifindex = ifindex, .hook = used, .live = true};
	return 0;
}

int dataplane_attachments(struct dataplane *dataplane, GArray *attachments, char **error)
{
	(void)error;
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		struct dataplane_attachment attachment = {
			.slot = slot, .ifindex = dataplane->ifaces[slot].ifindex};

		if (!attachment.ifindex)
			continue;
		attachment.live =
			hooks_verify(dataplane, slot, attachment.ifindex, &attachment.hook) &&
			slot_of_ifindex(dataplane, attachment.ifindex) == slot;
		g_array_append_val(attachments, attachment);
	}
	return 0;
}
