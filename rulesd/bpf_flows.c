/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_flows.c - the flow table as user space sees it: visit, filter, remove.
 */
#include "rulesd/bpf_internal.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "bpf/timeout.h"
#include "rulesd/addr.h"
#include "rulesd/cleanup.h"

/* ------------------------------------------------------------------ time */

/* Jiffies since the last packet of either direction. A packet after `now` was read is idle 0. */
static uint32_t idle_of(const struct sg_flow *flow, uint64_t now)
{
	int32_t out = (int32_t)((uint32_t)now - flow->half[SG_EGRESS].seen);
	int32_t in = (int32_t)((uint32_t)now - flow->half[SG_INGRESS].seen);

	return (uint32_t)MAX(MIN(out, in), 0);
}

/* ------------------------------------------------------------------ visit */

struct visiting {
	struct dataplane *dataplane;
	struct flow_visit visit;
	uint32_t slot;
	flow_visit_fn each;
	void *arg;
	bool stopped;
};

static bool visit_entry(const void *key, const void *value, void *arg)
{
	struct visiting *visiting = arg;
	struct dataplane *dataplane = visiting->dataplane;
	struct flow_visit *visit = &visiting->visit;
	const struct sg_flow_key *flow_key = key;

	if (flow_key->slot > SG_MAX_SLOTS || (visiting->slot && flow_key->slot != visiting->slot))
		return true;
	visit->key = key;
	visit->flow = value;
	visit->conf = plan_current_conf(dataplane, flow_key->slot, NULL);
	visit->expired =
		!dataplane->ifaces[flow_key->slot].ifindex ||
		(SG_FLOW_FLAGS(visit->flow->state) & SG_FLOW_DEAD) ||
		idle_of(visit->flow, visit->jiffies) >
			visit->conf->timeout[sg_timeout_of(flow_key->proto, visit->flow->state)];
	visiting->stopped = !visiting->each(visit, visiting->arg);
	return !visiting->stopped;
}

static int fail_visit(const struct visiting *visiting, enum bpf_table_id outer, uint32_t index,
		      int code, char **error)
{
	return bpf_fail(error, code, "map %s[%u]: reading flows",
			visiting->dataplane->table[outer].name, index);
}

static int visit_half(struct visiting *visiting, uint32_t slot, char **error)
{
	struct bpf_table inner;
	int code = shards_open_inner(visiting->dataplane, TABLE_HALF, slot, &inner);

	if (code == -ENOENT)
		return 0;
	if (!code) {
		visiting->visit.cell = NULL;
		code = table_each(&inner, visit_entry, visiting);
		close(inner.fd);
	}
	return code ? fail_visit(visiting, TABLE_HALF, slot, code, error) : 0;
}

static bool visit_cell(const struct cell_copy *flow, void *arg)
{
	struct visiting *visiting = arg;

	visiting->visit.cell = flow;
	return visit_entry(&flow->cell.key, &flow->cell.flow, visiting);
}

static int visit_shard(struct visiting *visiting, uint32_t shard, char **error)
{
	struct bpf_table inner;
	int code = shards_open_inner(visiting->dataplane, TABLE_FLOWS, shard, &inner);

	if (code == -ENOENT)
		return 0;
	if (code)
		return fail_visit(visiting, TABLE_FLOWS, shard, code, error);
	code = cells_each(&inner, visit_cell, visiting);
	close(inner.fd);
	return code ? fail_visit(visiting, TABLE_FLOWS, shard, code, error) : 0;
}

static int visit_begin(struct visiting *visiting, char **error)
{
	struct sg_collect clock = {};
	int code = collect_pass(visiting->dataplane, PROGRAM_COLLECT_CLOCK, &clock, error);

	visiting->visit.jiffies = clock.jiffies;
	visiting->visit.began = g_get_monotonic_time();
	return code;
}

static int visit_shards(struct visiting *visiting, char **error)
{
	uint32_t only =
		visiting->slot ? plan_current_conf(visiting->dataplane, visiting->slot, NULL)->shard
			       : 0;
	int code = 0;

	for (uint32_t i = 0; !code && !visiting->stopped && i < SG_MAX_SHARDS; i++)
		if (visiting->dataplane->shards[i].capacity && (!visiting->slot || i == only))
			code = visit_shard(visiting, i, error);
	return code;
}

static int visit_all(struct visiting *visiting, char **error)
{
	int code = visit_begin(visiting, error);

	if (!code)
		code = visit_shards(visiting, error);
	for (uint32_t i = 1; !code && !visiting->stopped && i <= SG_MAX_SLOTS; i++)
		if (visiting->dataplane->ifaces[i].ifindex &&
		    (!visiting->slot || i == visiting->slot))
			code = visit_half(visiting, i, error);
	return code;
}

int flows_visit(struct dataplane *dataplane, uint32_t slot, flow_visit_fn each, void *arg,
		char **error)
{
	struct visiting visiting = {.dataplane = dataplane, .slot = slot, .each = each, .arg = arg};

	return visit_all(&visiting, error);
}

/* ------------------------------------------------------------------ filter */

static bool matches(const struct dataplane_flow_filter *filter, const struct dataplane_flow *flow)
{
	const struct sg_flow_key *key = &flow->key;
	bool out = flow->flow.opener == SG_EGRESS;
	const struct sg_addr *src = out ? &key->local : &key->remote;
	const struct sg_addr *dst = out ? &key->remote : &key->local;
	__be16 sport = out ? key->lport : key->rport, dport = out ? key->rport : key->lport;

	if (!filter)
		return true;
	if (filter->slot && filter->slot != key->slot)
		return false;
	if (filter->protocol >= 0 && filter->protocol != key->proto)
		return false;
	if (filter->src && !addr_equal(filter->src, src))
		return false;
	if (filter->dst && !addr_equal(filter->dst, dst))
		return false;
	if (key->proto == IPPROTO_ICMP || key->proto == IPPROTO_ICMPV6) {
		/* The identifier stands for the source port, the query's type for the other;
		 * SG_ICMP_FLOW() is in host order. */
		sport = key->lport;
		dport = htons(key->rport >> 8);
	}
	if (filter->sport >= 0 && filter->sport != ntohs(sport))
		return false;
	if (filter->dport >= 0 && filter->dport != ntohs(dport))
		return false;
	if (filter->rule && filter->rule != flow->flow.rule)
		return false;
	return !filter->also || filter->also(flow, filter->arg);
}

static struct dataplane_flow describe(const struct dataplane *dataplane,
				      const struct flow_visit *visit)
{
	double hz = dataplane->hz;
	uint32_t idle = idle_of(visit->flow, visit->jiffies);
	uint32_t timeout =
		visit->conf->timeout[sg_timeout_of(visit->key->proto, visit->flow->state)];
	uint64_t age = visit->jiffies - MIN(visit->flow->created, visit->jiffies);

	return (struct dataplane_flow){
		.key = *visit->key,
		.flow = *visit->flow,
		.age = (double)age / hz,
		.idle = idle / hz,
		.expires = (timeout - MIN(idle, timeout)) / hz,
		.half = !visit->cell || SG_FLOW_FLAGS(visit->flow->state) & SG_FLOW_HALF,
	};
}

/* ------------------------------------------------------------------ list */

struct listing {
	struct dataplane *dataplane;
	const struct dataplane_flow_filter *filter;
	bool (*each)(const struct dataplane_flow *flow, void *arg);
	void *arg;
};

static bool list_flow(const struct flow_visit *visit, void *arg)
{
	const struct listing *listing = arg;
	struct dataplane_flow flow;

	if (visit->expired)
		return true;
	flow = describe(listing->dataplane, visit);
	return !matches(listing->filter, &flow) || listing->each(&flow, listing->arg);
}

static int check_filter(const struct dataplane_flow_filter *filter, char **error)
{
	if (filter && filter->slot > SG_MAX_SLOTS)
		return bpf_fail(error, -EINVAL, "slot %u", filter->slot);
	return 0;
}

int dataplane_flows(struct dataplane *dataplane, const struct dataplane_flow_filter *filter,
		    bool (*each)(const struct dataplane_flow *flow, void *arg), void *arg,
		    char **error)
{
	struct listing listing = {dataplane, filter, each, arg};
	int code = check_filter(filter, error);

	if (code)
		return code;
	return flows_visit(dataplane, filter ? filter->slot : 0, list_flow, &listing, error);
}

#define BUCKETS_A_PART 64u /* 151,552 bytes of them are whole pages */

_Static_assert(BUCKETS_A_PART * sizeof(struct sg_bucket) % 4096 == 0, "whole pages");

static int part_of_shard(struct visiting *visiting, struct dataplane_flow_walk *walk, char **error)
{
	struct bpf_table inner;
	int code = shards_open_inner(visiting->dataplane, TABLE_FLOWS, walk->shard, &inner);

	if (code == -ENOENT)
		walk->bucket = UINT32_MAX;
	else if (!code) {
		code = cells_some(&inner, walk->bucket, BUCKETS_A_PART, visit_cell, visiting);
		walk->bucket = inner.max_entries > walk->bucket + BUCKETS_A_PART
				       ? walk->bucket + BUCKETS_A_PART
				       : UINT32_MAX;
		close(inner.fd);
	}
	if (walk->bucket == UINT32_MAX) {
		walk->bucket = 0;
		walk->shard++;
	}
	return code && code != -ENOENT ? fail_visit(visiting, TABLE_FLOWS, walk->shard, code, error)
				       : 0;
}

/* The next place where there may be some; false: there is none. */
static bool next_place(const struct visiting *visiting, struct dataplane_flow_walk *walk)
{
	const struct dataplane *dataplane = visiting->dataplane;
	uint32_t slot = visiting->slot;
	uint32_t only = slot ? plan_current_conf(dataplane, slot, NULL)->shard : 0;

	for (; walk->shard < SG_MAX_SHARDS; walk->shard++, walk->bucket = 0)
		if (dataplane->shards[walk->shard].capacity && (!slot || walk->shard == only))
			return true;
	for (walk->slot = MAX(walk->slot, 1); walk->slot <= SG_MAX_SLOTS; walk->slot++)
		if (dataplane->ifaces[walk->slot].ifindex && (!slot || walk->slot == slot))
			return true;
	return false;
}

int dataplane_flows_part(struct dataplane *dataplane, const struct dataplane_flow_filter *filter,
			 struct dataplane_flow_walk *walk,
			 bool (*each)(const struct dataplane_flow *flow, void *arg), void *arg,
			 bool *more, char **error)
{
	struct listing listing = {dataplane, filter, each, arg};
	struct visiting visiting = {.dataplane = dataplane,
				    .slot = filter ? filter->slot : 0,
				    .each = list_flow,
				    .arg = &listing};
	int code = check_filter(filter, error);

	if (code)
		return code;
	*more = next_place(&visiting, walk);
	if (!*more)
		return 0;
	code = visit_begin(&visiting, error);
	if (code)
		return code;
	if (walk->shard < SG_MAX_SHARDS)
		return part_of_shard(&visiting, walk, error);
	return visit_half(&visiting, walk->slot++, error);
}

/* ------------------------------------------------------------------ remove */

struct removal {
	struct dataplane *dataplane;
	const struct dataplane_flow_filter *filter;
	GHashTable *half; /* set of struct dataplane_flow by its key, owned: to be removed */
	unsigned int removed;
};

static guint key_hash(gconstpointer flow)
{
	const struct sg_flow_key *key = &((const struct dataplane_flow *)flow)->key;

	return key->remote.w[3] * 2654435761u ^ (guint)key->lport << 16 ^ key->rport ^
	       key->local.w[3] * 40503u;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	return !memcmp(&((const struct dataplane_flow *)a)->key,
		       &((const struct dataplane_flow *)b)->key, sizeof(struct sg_flow_key));
}

/* Adds what it carried to its rule's totals. User space has no atomic add on a map value: what a
 * program adds between the two calls may be lost, worst outcome a total that is too low. */
static void fold(struct dataplane *dataplane, const struct sg_flow *flow)
{
	struct sg_rule_stats stats;

	if (table_lookup(dataplane, TABLE_RULES, &flow->rule, &stats))
		return;
	for (unsigned int i = 0; i < SG_DIRS; i++) {
		stats.packets += flow->half[i].packets;
		stats.bytes += flow->half[i].bytes;
	}
	table_update(dataplane, TABLE_RULES, &flow->rule, &stats, BPF_EXIST, NULL);
}

static uint64_t jiffies_now(const struct dataplane *dataplane, const struct flow_visit *visit)
{
	double seconds = (double)(g_get_monotonic_time() - visit->began) / G_USEC_PER_SEC;

	return visit->jiffies + (uint64_t)(seconds * dataplane->hz);
}

static void remove_cell(struct removal *removal, const struct flow_visit *visit)
{
	struct sg_slot *counters = &removal->dataplane->slots[visit->key->slot];
	struct sg_flow last;

	if (!cells_remove(visit->cell, jiffies_now(removal->dataplane, visit), &last))
		return;
	__atomic_fetch_sub(SG_FLOW_FLAGS(last.state) & SG_FLOW_HALF ? &counters->half
								    : &counters->flows,
			   1, __ATOMIC_RELAXED);
	fold(removal->dataplane, &last);
	removal->removed++;
}

/* Those of an LRU are collected first: a hash that is deleted from while it is walked shows some
 * entries twice. */
static bool select_flow(const struct flow_visit *visit, void *arg)
{
	struct removal *removal = arg;
	struct dataplane_flow flow;

	if (visit->expired)
		return true; /* the collector's */
	flow = describe(removal->dataplane, visit);
	if (!matches(removal->filter, &flow))
		return true;
	if (visit->cell)
		remove_cell(removal, visit);
	else
		g_hash_table_add(removal->half, g_memdup2(&flow, sizeof(flow)));
	return true;
}

/* A flow that was confirmed after the visit to its shard, and before it could be removed. */
static bool select_moved(const struct flow_visit *visit, void *arg)
{
	struct removal *removal = arg;
	struct dataplane_flow flow = {.key = *visit->key};

	if (g_hash_table_contains(removal->half, &flow))
		remove_cell(removal, visit);
	return true;
}

/* *moved: it was not in its LRU any more. */
static int remove_half(struct removal *removal, const struct dataplane_flow *flow, bool *moved)
{
	struct sg_flow last;
	struct bpf_table inner;
	int code = shards_open_inner(removal->dataplane, TABLE_HALF, flow->key.slot, &inner);

	*moved = false;
	if (code == -ENOENT)
		return 0;
	if (code)
		return code;
	code = bpf_fault(CALL_MAP_DELETE, inner.name);
	if (!code && bpf_map_lookup_and_delete_elem(inner.fd, &flow->key, &last))
		code = -errno;
	close(inner.fd);
	*moved = code == -ENOENT;
	if (code)
		return *moved ? 0 : code;
	fold(removal->dataplane, &last);
	removal->removed++;
	return 0;
}

/* What is left in removal->half afterwards has been confirmed, or was evicted. */
static int remove_halves(struct removal *removal)
{
	GHashTableIter iter;
	gpointer flow;
	int code = 0;

	g_hash_table_iter_init(&iter, removal->half);
	while (!code && g_hash_table_iter_next(&iter, &flow, NULL)) {
		bool moved;

		code = remove_half(removal, flow, &moved);
		if (!code && !moved)
			g_hash_table_iter_remove(&iter);
	}
	return code;
}

int dataplane_flows_remove(struct dataplane *dataplane, const struct dataplane_flow_filter *filter,
			   unsigned int *removed, char **error)
{
	g_autoptr(GHashTable) half = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
	struct removal removal = {dataplane, filter, half, 0};
	struct visiting visiting = {.dataplane = dataplane,
				    .slot = filter ? filter->slot : 0,
				    .each = select_flow,
				    .arg = &removal};
	int code = check_filter(filter, error);

	if (!code)
		code = visit_all(&visiting, error);
	if (code)
		return code;
	code = remove_halves(&removal);
	if (code)
		return bpf_fail(error, code, "removing a flow: bpf(MAP_DELETE_ELEM)");
	visiting.each = select_moved;
	if (g_hash_table_size(half))
		code = visit_shards(&visiting, error);
	if (!code)
		*removed = removal.removed;
	return code;
}
