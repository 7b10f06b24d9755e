/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_attach.c - an interface as a whole: its maps first, then its programs; and all of it away
 * again. Long because attaching is one sequence, whose every step has its way back here.
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

/* *slot: 0 when it has none. */
static int slot_of_ifindex(struct dataplane *dataplane, uint32_t ifindex, uint32_t *slot,
			   char **error)
{
	enum bpf_table_id id = is_high(dataplane, ifindex) ? TABLE_IFHIGH : TABLE_IFINDEX;
	uint32_t found = 0;
	int code = table_lookup(dataplane, id, &ifindex, &found);

	if (code && code != -ENOENT)
		return bpf_fail(error, code, "map %s", dataplane->table[id].name);
	*slot = code ? 0 : found;
	return 0;
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

/* After shards_drop_halves: no program can open a flow of the slot any more. */
static int flush_flows(struct dataplane *dataplane, uint32_t slot, const struct sg_iface_conf *conf,
		       char **error)
{
	struct sg_collect pass = {.shard = conf->shard, .slot = slot, .flags = SG_COLLECT_FLUSH};
	int code = collect_pass(dataplane, PROGRAM_COLLECT_FRAGS, &pass, error);

	if (code || conf->shard >= SG_MAX_SHARDS || !dataplane->shards[conf->shard].capacity)
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
	dataplane->held[slot].ifindex = 0;
}

/* No program of ours on the device, and none finds the slot. */
static int unhook(struct dataplane *dataplane, uint32_t slot, char **error)
{
	uint32_t ifindex, found = 0;
	int code;

	if (!slot || slot > SG_MAX_SLOTS)
		return bpf_fail(error, -EINVAL, "slot %u", slot);
	if (dataplane_is_covered(dataplane))
		return covered_fail(dataplane, error);
	ifindex = dataplane->ifaces[slot].ifindex;
	intact_forget(dataplane, slot);
	code = hooks_remove(dataplane, slot, ifindex, error);
	if (!code && ifindex)
		code = slot_of_ifindex(dataplane, ifindex, &found, error);
	if (!code && ifindex && found == slot)
		code = set_slot_of_ifindex(dataplane, ifindex, 0, error);
	return code;
}

static void set_ifindex(struct dataplane *dataplane, uint32_t slot, uint32_t ifindex)
{
	__atomic_store_n(&dataplane->ifaces[slot].ifindex, ifindex, __ATOMIC_RELEASE);
	dataplane->held[slot].ifindex = ifindex;
}

/* The device is gone, and its number may be another one's already: links know that by themselves,
 * filters went with it. */
static int park(struct dataplane *dataplane, uint32_t slot, char **error)
{
	uint32_t ifindex = dataplane->ifaces[slot].ifindex, found = 0;
	int code = hooks_remove(dataplane, slot, 0, error);

	if (!code)
		code = slot_of_ifindex(dataplane, ifindex, &found, error);
	if (!code && found == slot)
		code = set_slot_of_ifindex(dataplane, ifindex, 0, error);
	if (!code)
		set_ifindex(dataplane, slot, DATAPLANE_PARKED);
	return code;
}

int dataplane_park(struct dataplane *dataplane, uint32_t slot, char **error)
{
	uint32_t ifindex = slot && slot <= SG_MAX_SLOTS ? dataplane->ifaces[slot].ifindex : 0;
	int code;

	if (!ifindex)
		return bpf_fail(error, -EINVAL, "slot %u is not attached", slot);
	if (ifindex == DATAPLANE_PARKED)
		return 0;
	g_rec_mutex_lock(&dataplane->hooks_turn);
	code = park(dataplane, slot, error);
	g_rec_mutex_unlock(&dataplane->hooks_turn);
	return code;
}

/* What is left of a slot that no packet can reach. */
static int clear(struct dataplane *dataplane, uint32_t slot, char **error)
{
	struct sg_iface_conf conf = *plan_current_conf(dataplane, slot, NULL);
	bool attached = dataplane->ifaces[slot].ifindex;
	int code;

	if (!attached)
		conf.shard = SG_MAX_SHARDS;
	code = flush_flows(dataplane, slot, &conf, error);
	if (!code)
		code = clear_guards(dataplane, slot, error);
	if (!code && attached && conf.shard < SG_MAX_SHARDS)
		code = shards_release(dataplane, conf.shard, conf.max_flows, error);
	if (code)
		return code;
	clear_iface(dataplane, slot);
	/* It may be nobody's now; and nobody reads it, since that half map went. */
	settle_retire(dataplane, false, conf.policy, dataplane_generation(dataplane));
	return 0;
}

int dataplane_detach_many(struct dataplane *dataplane, const uint32_t *slots, unsigned int count,
			  int *codes, char **error)
{
	g_autofree int *own = g_new0(int, count);
	int first = 0;

	g_rec_mutex_lock(&dataplane->hooks_turn);
	shards_published(dataplane);
	for (unsigned int i = 0; i < count; i++) {
		own[i] = unhook(dataplane, slots[i], first ? NULL : error);
		first = first ? first : own[i];
	}
	/* Between the two: waits until no program of them runs. */
	shards_drop_halves(dataplane, slots, count, own);
	for (unsigned int i = 0; i < count; i++) {
		if (!first && own[i])
			bpf_fail(error, own[i], "map %s[%u]: bpf(MAP_DELETE_ELEM)", SG_MAP_HALF,
				 slots[i]);
		if (!own[i])
			own[i] = clear(dataplane, slots[i], first ? NULL : error);
		first = first ? first : own[i];
		if (codes)
			codes[i] = own[i];
	}
	g_rec_mutex_unlock(&dataplane->hooks_turn);
	return first;
}

int dataplane_detach(struct dataplane *dataplane, uint32_t slot, char **error)
{
	return dataplane_detach_many(dataplane, &slot, 1, NULL, error);
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
	g_autoptr(GBytes) zeros = g_bytes_new_take(g_malloc0(size), size);

	memset(&dataplane->slots[slot], 0, sizeof(dataplane->slots[slot]));
	return table_update(dataplane, TABLE_STATS, &slot, g_bytes_get_data(zeros, NULL), BPF_ANY,
			    error);
}

/* One interface on its way. */
struct beginning {
	struct dataplane_request *request;
	uint32_t policy, shard;
	bool fresh;    /* nothing of ours is on the device yet */
	bool replaces; /* its slot is still on another one */
	bool moves;    /* and comes along with all that it has */
	bool reserved;
	struct hooks_wish wish;
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
static int fill_maps(struct dataplane *dataplane, const struct beginning *begin, char **error)
{
	const struct image_iface *iface = begin->request->iface;
	struct sg_iface *mapped = &dataplane->ifaces[iface->slot];
	uint64_t adopt_until = 0;
	int code = reset_counters(dataplane, iface->slot, error);

	if (!code)
		code = write_guards(dataplane, iface, error);
	if (!code)
		code = adopt_end(dataplane, begin->request->adopt_seconds, &adopt_until, error);
	if (code)
		return code;
	mapped->slot = iface->slot;
	mapped->removed_at = 0;
	mapped->keep_until = 0;
	mapped->adopt_until = adopt_until;
	mapped->since[1] = SG_NEVER;
	mapped->conf[0] = plan_conf(dataplane, iface, begin->policy, begin->shard);
	__atomic_store_n(&mapped->since[0], dataplane_generation(dataplane), __ATOMIC_RELEASE);
	__atomic_store_n(&mapped->ifindex, begin->request->ifindex, __ATOMIC_RELEASE);
	dataplane->held[iface->slot].ifindex = begin->request->ifindex;
	dataplane->held[iface->slot].shard = begin->shard;
	return set_slot_of_ifindex(dataplane, begin->request->ifindex, iface->slot, error);
}

/* Its flow tables are made; they are published for all together. */
static int reserve(struct dataplane *dataplane, struct beginning *begin, char **error)
{
	const struct image_iface *iface = begin->request->iface;
	int code = clear_guards(dataplane, iface->slot, error);

	if (!code)
		code = shards_reserve(dataplane, iface->id, iface->conntrack.max_flows,
				      &begin->shard, error);
	if (code)
		return code;
	begin->reserved = true;
	return shards_make_half(dataplane, iface->slot, error);
}

/* Away with what a fresh one that failed has done. */
static void give_up(struct dataplane *dataplane, struct beginning *begin)
{
	const struct image_iface *iface = begin->request->iface;
	int code = 0;

	/* Far enough for its configuration to know the reservation. */
	if (dataplane->ifaces[iface->slot].ifindex) {
		dataplane_detach(dataplane, iface->slot, NULL);
		return;
	}
	shards_published(dataplane);
	if (begin->reserved)
		shards_release(dataplane, begin->shard, iface->conntrack.max_flows, NULL);
	clear_guards(dataplane, iface->slot, NULL);
	/* That waits for a grace period, for each of hundreds that are refused. */
	if (dataplane->half_fds[iface->slot])
		shards_drop_halves(dataplane, &iface->slot, 1, &code);
}

static int attach_fresh(struct dataplane *dataplane, struct beginning *begin, bool *quick,
			enum model_hook *used, char **error)
{
	int code = fill_maps(dataplane, begin, error);

	return code ? code : hooks_install(dataplane, &begin->wish, quick, used, error);
}

/* The slot filters this very device already: its configuration is changed as any live one's. */
static int attach_again(struct dataplane *dataplane, struct beginning *begin, bool *quick,
			enum model_hook *used, char **error)
{
	const struct image_iface *iface = begin->request->iface;
	CLEANUP(plan_free) struct plan *plan = plan_new();
	unsigned int writes = 0;
	uint32_t slot = 0;
	int code = plan_iface(dataplane, iface, plan, error);

	if (!code && !plan_empty(plan))
		code = apply_plan(dataplane, plan, false, &writes, error);
	if (!code)
		code = slot_of_ifindex(dataplane, begin->request->ifindex, &slot, error);
	if (!code && slot != iface->slot)
		code = set_slot_of_ifindex(dataplane, begin->request->ifindex, iface->slot, error);
	if (!code)
		code = migrate_flows(dataplane, iface->slot, error);
	if (!code)
		code = hooks_install(dataplane, &begin->wish, quick, used, error);
	return code ? code : migrate_flows(dataplane, iface->slot, error);
}

/* No program of the slot runs until its hooks are installed. */
static int attach_moved(struct dataplane *dataplane, struct beginning *begin, bool *quick,
			enum model_hook *used, char **error)
{
	uint32_t slot = begin->wish.slot;
	int code = dataplane->ifaces[slot].ifindex == DATAPLANE_PARKED
			   ? 0
			   : park(dataplane, slot, error);

	if (code)
		return code;
	set_ifindex(dataplane, slot, begin->wish.ifindex);
	code = attach_again(dataplane, begin, quick, used, error);
	if (code && !park(dataplane, slot, NULL))
		hooks_remove_filters(begin->wish.ifindex);
	return code;
}

/* Another slot that filters the same device would lose it silently. */
static int check_device(struct dataplane *dataplane, const struct beginning *begin, char **error)
{
	const struct image_iface *iface = begin->request->iface;
	uint32_t ifindex = begin->request->ifindex, other = 0;
	struct hooks_seen seen = {};
	int code = slot_of_ifindex(dataplane, ifindex, &other, error);

	if (code || !other || other == iface->slot || other > SG_MAX_SLOTS ||
	    dataplane->ifaces[other].ifindex != ifindex)
		return code;
	code = hooks_look(dataplane, other, ifindex, begin->wish.views, &seen, error);
	if (code || !seen.live)
		return code;
	return bpf_fail(error, -EEXIST,
			"interface %s: device %s (ifindex %u) is filtered as slot %u; detach that "
			"first",
			iface->id, iface->device, ifindex, other);
}

/* Entries of the slot that a flip before this has left to be deleted would go with what is written
 * for it now. */
static bool has_dead(const struct dataplane *dataplane, uint32_t slot)
{
	const GArray *dead = dataplane->settling.dead;

	for (guint i = 0; i < dead->len; i++) {
		const struct change *change = &g_array_index(dead, struct dead, i).change;
		struct sg_guard_key guard;
		struct sg_vlan_key vlan;

		memcpy(&guard, change->key, sizeof(guard));
		memcpy(&vlan, change->key, sizeof(vlan));
		if ((change->table == TABLE_GUARD && guard.slot == slot) ||
		    (change->table == TABLE_VLANS && vlan.slot == slot))
			return true;
	}
	return false;
}

/* Finds out what there is to do, and touches nothing but its policy. */
static int begin_one(struct dataplane *dataplane, struct beginning *begin, char **error)
{
	const struct image_iface *iface = begin->request->iface;
	uint32_t slot = iface->slot, ifindex = begin->request->ifindex;
	struct hooks_seen seen = {};
	unsigned int writes = 0;
	int code;

	if (!slot || slot > SG_MAX_SLOTS || !ifindex)
		return bpf_fail(error, -EINVAL, "interface %s: slot %u, ifindex %u", iface->id,
				slot, ifindex);
	if (dataplane_is_covered(dataplane))
		return covered_fail(dataplane, error);
	begin->wish.device = iface->device;
	begin->wish.slot = slot;
	begin->wish.ifindex = ifindex;
	begin->wish.hook = iface->hook;
	begin->wish.vnet_hdr = begin->request->vnet_hdr;
	code = check_device(dataplane, begin, error);
	if (!code)
		code = settle_entries(dataplane, error);
	if (!code && has_dead(dataplane, slot))
		code = settle_wait(dataplane, error);
	if (!code && iface->policy)
		code = held_policy_ensure(dataplane, iface->policy, &begin->policy, &writes, error);
	/* The same number may be another device by now: then nothing of ours runs on it. */
	if (!code && dataplane->ifaces[slot].ifindex == ifindex)
		code = hooks_look(dataplane, slot, ifindex, begin->wish.views, &seen, error);
	if (code)
		return code;
	begin->moves = !seen.any && dataplane->ifaces[slot].ifindex == DATAPLANE_PARKED;
	begin->fresh = !seen.any && !begin->moves &&
		       !(begin->request->same && dataplane->held[slot].ifindex == ifindex);
	begin->replaces = begin->fresh && dataplane->ifaces[slot].ifindex;
	return 0;
}

/* Slots that are still on devices that they lose, all at once. */
static void detach_replaced(struct dataplane *dataplane, struct beginning *begins,
			    unsigned int count)
{
	g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autoptr(GArray) codes = g_array_new(FALSE, TRUE, sizeof(int));

	for (unsigned int i = 0; i < count; i++)
		if (!begins[i].request->code && begins[i].replaces)
			g_array_append_val(slots, begins[i].wish.slot);
	if (!slots->len)
		return;
	g_array_set_size(codes, slots->len);
	dataplane_detach_many(dataplane, (const uint32_t *)(void *)slots->data, slots->len,
			      (int *)(void *)codes->data, NULL);
	for (unsigned int i = 0, k = 0; i < count; i++) {
		struct dataplane_request *request = begins[i].request;

		if (request->code || !begins[i].replaces)
			continue;
		request->code = g_array_index(codes, int, k++);
		if (request->code)
			bpf_fail(&request->error, request->code,
				 "interface %s: taking it off the device before",
				 request->iface->id);
	}
}

static void make_tables(struct dataplane *dataplane, struct beginning *begins, unsigned int count)
{
	g_autofree char *error = NULL;
	int code;

	for (unsigned int i = 0; i < count; i++) {
		struct dataplane_request *request = begins[i].request;

		if (request->code || !begins[i].fresh)
			continue;
		/* Before anything is made that would have to go again. */
		request->code = shards_check_descriptors(dataplane, &request->error);
		if (request->code)
			continue;
		request->code = reserve(dataplane, &begins[i], &request->error);
		if (request->code)
			give_up(dataplane, &begins[i]);
	}
	code = shards_publish(dataplane, &error);
	for (unsigned int i = 0; code && i < count; i++) {
		struct dataplane_request *request = begins[i].request;

		if (request->code || !begins[i].fresh)
			continue;
		request->code = code;
		request->error = g_strdup(error);
		give_up(dataplane, &begins[i]);
	}
}

static void finish_one(struct dataplane *dataplane, struct beginning *begin)
{
	struct dataplane_request *request = begin->request;
	enum model_hook used = request->iface->hook;
	bool quick = false;

	intact_forget(dataplane, request->iface->slot);
	if (begin->fresh)
		request->code = attach_fresh(dataplane, begin, &quick, &used, &request->error);
	else if (begin->moves)
		request->code = attach_moved(dataplane, begin, &quick, &used, &request->error);
	else
		request->code = attach_again(dataplane, begin, &quick, &used, &request->error);
	if (request->code && begin->fresh)
		give_up(dataplane, begin);
	if (request->code)
		return;
	g_clear_pointer(&request->error, g_free);
	dataplane->held[request->iface->slot].hook = used;
	dataplane->held[request->iface->slot].quick = quick;
	intact_keep(dataplane, request->iface->slot);
	request->attachment = (struct dataplane_attachment){.slot = request->iface->slot,
							    .ifindex = request->ifindex,
							    .hook = used,
							    .live = true,
							    .quick = quick};
}

#define FEW 4u /* that many are attached with their links at once, and asked about one by one */

void dataplane_attach_many(struct dataplane *dataplane, const struct image *image,
			   struct dataplane_request *requests, unsigned int count)
{
	g_autoptr(GArray) beginnings = g_array_new(FALSE, TRUE, sizeof(struct beginning));
	g_autoptr(GHashTable) views = NULL;
	struct beginning *begins;

	(void)image; /* its members and sets are the business of dataplane_apply */
	g_array_set_size(beginnings, count);
	begins = (void *)beginnings->data;
	g_rec_mutex_lock(&dataplane->hooks_turn);
	/* If that fails, each device is asked. */
	if (count > FEW)
		device_look_all(&views);
	for (unsigned int i = 0; i < count; i++) {
		begins[i].request = &requests[i];
		begins[i].wish.views = views;
		/* Behind links that are being made, a link would wait for theirs, too. */
		begins[i].wish.quick =
			!requests[i].patient && (count > FEW || dataplane->upgrading);
		requests[i].error = NULL;
		requests[i].code = begin_one(dataplane, &begins[i], &requests[i].error);
	}
	detach_replaced(dataplane, begins, count);
	make_tables(dataplane, begins, count);
	for (unsigned int i = 0; i < count; i++)
		if (!requests[i].code)
			finish_one(dataplane, &begins[i]);
	g_rec_mutex_unlock(&dataplane->hooks_turn);
	shards_published(dataplane);
}

int dataplane_attach(struct dataplane *dataplane, const struct image *image,
		     const struct image_iface *iface, uint32_t ifindex, bool vnet_hdr,
		     unsigned int adopt_seconds, struct dataplane_attachment *attachment,
		     char **error)
{
	struct dataplane_request request = {.iface = iface,
					    .ifindex = ifindex,
					    .vnet_hdr = vnet_hdr,
					    .adopt_seconds = adopt_seconds,
					    .patient = true};

	dataplane_attach_many(dataplane, image, &request, 1);
	if (!request.code) {
		*attachment = request.attachment;
		return 0;
	}
	if (error) {
		g_free(*error);
		*error = request.error;
	} else {
		g_free(request.error);
	}
	return request.code;
}

/* ------------------------------------------------------------------ what is there */

#define LOOKED_AT 32u /* slots in use a step: who changes a policy waits for it */

static int look_at(struct dataplane *dataplane, uint32_t slot, GHashTable *views,
		   struct dataplane_attachment *attachment, char **error)
{
	struct hooks_seen seen = {};
	uint32_t found = 0;
	int code = hooks_look(dataplane, slot, attachment->ifindex, views, &seen, error);

	/* Pins that cannot be seen say nothing against what is known. */
	if (!code && !seen.live && attachment->ifindex == dataplane->held[slot].ifindex &&
	    dataplane_is_covered(dataplane)) {
		attachment->live = true;
		attachment->hook = dataplane->held[slot].hook;
		return 0;
	}
	if (!code)
		code = slot_of_ifindex(dataplane, attachment->ifindex, &found, error);
	attachment->live = seen.live && found == slot;
	attachment->any = seen.any;
	attachment->pinned = seen.pinned;
	attachment->hook = seen.used;
	return code;
}

int dataplane_attachments_from(struct dataplane *dataplane, uint32_t *next, GArray *attachments,
			       char **error)
{
	uint32_t slot = *next, looked_at = 0;
	int code = 0;

	if (!dataplane->views)
		code = device_look_all(&dataplane->views);
	if (code)
		return bpf_fail(error, code, "asking for the programs on all devices");
	for (; slot <= SG_MAX_SLOTS && looked_at < LOOKED_AT; slot++) {
		struct dataplane_attachment attachment = {
			.slot = slot, .ifindex = dataplane->ifaces[slot].ifindex};

		if (!attachment.ifindex)
			continue;
		code = look_at(dataplane, slot, dataplane->views, &attachment, error);
		/* What was told a while ago may be old by now. */
		if (!code && !attachment.live)
			code = look_at(dataplane, slot, NULL, &attachment, error);
		if (code)
			return code;
		g_array_append_val(attachments, attachment);
		looked_at++;
	}
	*next = slot <= SG_MAX_SLOTS ? slot : 0;
	if (!*next)
		g_clear_pointer(&dataplane->views, g_hash_table_unref);
	return 0;
}

int dataplane_attachments(struct dataplane *dataplane, GArray *attachments, char **error)
{
	uint32_t next = 1;
	int code = 0;

	g_clear_pointer(&dataplane->views, g_hash_table_unref);
	while (!code && next)
		code = dataplane_attachments_from(dataplane, &next, attachments, error);
	return code;
}

int dataplane_look(struct dataplane *dataplane, struct dataplane_attachment *attachment,
		   char **error)
{
	int code;

	g_rec_mutex_lock(&dataplane->hooks_turn);
	code = look_at(dataplane, attachment->slot, NULL, attachment, error);
	g_rec_mutex_unlock(&dataplane->hooks_turn);
	return code;
}
