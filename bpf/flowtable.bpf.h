/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flowtable.bpf.h - finding a flow, whether it has timed out, and the totals of its rule. The
 * packet path and the collector share it.
 */
#pragma once

#include "bpf/shard.bpf.h"
#include "bpf/state.bpf.h"
#include "bpf/timeout.h"

/* Jiffies since its last packet. */
sg_inline __u32 sg_flow_idle(const struct sg_flow *flow, __u64 now)
{
	__u32 out = (__u32)now - READ_ONCE(flow->half[SG_EGRESS].seen);
	__u32 in = (__u32)now - READ_ONCE(flow->half[SG_INGRESS].seen);

	/* Another CPU may have stamped a later jiffy than ours: that is idle 0, not 2^32 - 1. */
	if ((__s32)out < 0 || (__s32)in < 0)
		return 0;
	return out < in ? out : in;
}

sg_inline int sg_flow_expired(const struct sg_flow *flow, const struct sg_iface_conf *conf,
			      __u8 proto, __u32 word, __u64 now)
{
	return sg_flow_idle(flow, now) > conf->timeout[sg_timeout_of(proto, word)];
}

/*
 * Finds the flow of a key: 1. in the shard, 2. in the LRU of half-open ones unless that is known to
 * be empty, 3. in the shard again. A flow that another CPU moves between 1 and 2 is inserted into
 * the shard before it leaves the LRU, so it is nowhere at 2 and there at 3; without it a segment of
 * the other side would drop (no_flow). Only packets of no flow, while the LRU is in use, pay for
 * the third lookup. A function apart for its stack (kernel 6.1).
 */
sg_noinline void sg_flow_find(const struct sg_view *view, const struct sg_flow_key *key,
			      struct sg_hit *hit)
{
	__u32 slot = key->slot;

	hit->flow = 0;
	hit->tag = 0;
	hit->use = 0;
	hit->confirmed = 1;
	hit->over = 0;
	if (!sg_shard_find(view->control, view->conf, key, hit)) {
		struct sg_slot *counters = bpf_map_lookup_elem(&sg_slots, &slot);
		void *half;

		if (!counters || !READ_ONCE(counters->lru))
			return;
		half = bpf_map_lookup_elem(&sg_half, &slot);
		hit->flow = half ? bpf_map_lookup_elem(half, key) : 0;
		if (hit->flow)
			hit->confirmed = 0;
		else if (!sg_shard_find(view->control, view->conf, key, hit))
			return;
	}
	hit->state = READ_ONCE(hit->flow->state);
	hit->over = SG_FLOW_FLAGS(hit->state) & SG_FLOW_DEAD ||
		    sg_flow_expired(hit->flow, view->conf, key->proto, hit->state, view->now);
}

/* Counts down a flow that was deleted from a shard. word is its state after it was marked dead, or
 * of an entry that nobody else has. */
sg_inline void sg_flow_uncount(__u32 slot, __u32 word)
{
	struct sg_slot *counters = bpf_map_lookup_elem(&sg_slots, &slot);

	if (!counters)
		return;
	if (SG_FLOW_FLAGS(word) & SG_FLOW_HALF)
		__sync_fetch_and_add(&counters->half, -1);
	else
		__sync_fetch_and_add(&counters->flows, -1);
}

/* Adds what a flow that ends has carried to the totals of its rule. */
sg_inline void sg_rule_fold(__u32 rule, __u64 packets, __u64 bytes)
{
	struct sg_rule_stats *stats = bpf_map_lookup_elem(&sg_rules, &rule);

	if (!stats)
		return;
	__sync_fetch_and_add(&stats->packets, packets);
	__sync_fetch_and_add(&stats->bytes, bytes);
}
