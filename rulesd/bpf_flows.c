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

static int visit_inner(struct visiting *visiting, enum bpf_table_id outer, uint32_t index,
		       char **error)
{
	struct bpf_table inner;
	int code = shards_open_inner(visiting->dataplane, outer, index, &inner);

	if (code == -ENOENT)
		return 0;
	if (code)
		return bpf_fail(error, code, "map %s[%u]", visiting->dataplane->table[outer].name,
				index);
	visiting->visit.half = outer == TABLE_HALF;
	visiting->visit.table = &inner;
	code = table_each(&inner, visit_entry, visiting);
	close(inner.fd);
	return code ? bpf_fail(error, code, "map %s[%u]: reading flows", inner.name, index) : 0;
}

int flows_visit(struct dataplane *dataplane, uint32_t slot, flow_visit_fn each, void *arg,
		char **error)
{
	struct visiting visiting = {.dataplane = dataplane, .slot = slot, .each = each, .arg = arg};
	uint32_t only = slot ? plan_current_conf(dataplane, slot, NULL)->shard : 0;
	struct sg_collect clock = {};
	int code = collect_pass(dataplane, PROGRAM_COLLECT_CLOCK, &clock, error);

	visiting.visit.jiffies = clock.jiffies;
	for (uint32_t i = 0; !code && !visiting.stopped && i < SG_MAX_SHARDS; i++)
		if (dataplane->shards[i].capacity && (!slot || i == only))
			code = visit_inner(&visiting, TABLE_FLOWS, i, error);
	for (uint32_t i = 1; !code && !visiting.stopped && i <= SG_MAX_SLOTS; i++)
		if (dataplane->ifaces[i].ifindex && (!slot || i == slot))
			code = visit_inner(&visiting, TABLE_HALF, i, error);
	return code;
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
		.half = visit->half || SG_FLOW_FLAGS(visit->flow->state) & SG_FLOW_HALF,
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

/* ------------------------------------------------------------------ remove */

struct removal {
	struct dataplane *dataplane;
	const struct dataplane_flow_filter *filter;
	GArray *half, *confirmed; /* of struct dataplane_flow */
};

/* Collected first: a hash that is deleted from while it is walked shows some entries twice. */
static bool select_flow(const struct flow_visit *visit, void *arg)
{
	struct removal *removal = arg;
	struct dataplane_flow flow;

	if (visit->expired)
		return true; /* the collector's */
	flow = describe(removal->dataplane, visit);
	if (matches(removal->filter, &flow))
		g_array_append_val(visit->half ? removal->half : removal->confirmed, flow);
	return true;
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

static int remove_flow(struct dataplane *dataplane, const struct dataplane_flow *flow,
		       unsigned int *removed)
{
	uint32_t slot = flow->key.slot;
	bool in_lru = flow->half && !(SG_FLOW_FLAGS(flow->flow.state) & SG_FLOW_HALF);
	uint32_t index = in_lru ? slot : plan_current_conf(dataplane, slot, NULL)->shard;
	struct sg_flow last;
	struct bpf_table inner;
	int code = shards_open_inner(dataplane, in_lru ? TABLE_HALF : TABLE_FLOWS, index, &inner);

	if (code == -ENOENT)
		return 0;
	if (code)
		return code;
	code = bpf_fault(CALL_MAP_DELETE, inner.name);
	if (!code && bpf_map_lookup_and_delete_elem(inner.fd, &flow->key, &last))
		code = -errno;
	close(inner.fd);
	if (code)
		return code == -ENOENT ? 0 : code;
	/* Only whoever's delete succeeds counts the flow down, as what it was then. A packet that
	 * confirms it at this very moment counts a flow that is gone: worst outcome one less for
	 * the interface until it is attached again. */
	if (!in_lru)
		__atomic_fetch_sub(SG_FLOW_FLAGS(last.state) & SG_FLOW_HALF
					   ? &dataplane->slots[slot].half
					   : &dataplane->slots[slot].flows,
				   1, __ATOMIC_RELAXED);
	fold(dataplane, &last);
	++*removed;
	return 0;
}

int dataplane_flows_remove(struct dataplane *dataplane, const struct dataplane_flow_filter *filter,
			   unsigned int *removed, char **error)
{
	g_autoptr(GArray) half = g_array_new(FALSE, FALSE, sizeof(struct dataplane_flow));
	g_autoptr(GArray) confirmed = g_array_new(FALSE, FALSE, sizeof(struct dataplane_flow));
	struct removal removal = {dataplane, filter, half, confirmed};
	GArray *const order[] = {half, confirmed};
	unsigned int count = 0;
	int code = check_filter(filter, error);

	if (!code)
		code = flows_visit(dataplane, filter ? filter->slot : 0, select_flow, &removal,
				   error);
	for (unsigned int o = 0; !code && o < G_N_ELEMENTS(order); o++)
		for (unsigned int i = 0; !code && i < order[o]->len; i++) {
			code = remove_flow(dataplane,
					   &g_array_index(order[o], struct dataplane_flow, i),
					   &count);
			if (code)
				bpf_fail(error, code, "removing a flow: bpf(MAP_DELETE_ELEM)");
		}
	if (!code)
		*removed = count;
	return code;
}
