// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * settle.bpf.c - evaluates at once every flow that a removal before has made doubtful, as its next
 * packet would.
 *
 * `apply --existing keep` exempts the flows that are allowed at that moment. An idle flow whose
 * rule went before, and which no packet has asked about since, is not one of them: without this
 * pass it would be kept with the others.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/conntrack.bpf.h"
#include "bpf/maps.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct bpf_map;

struct sg_settling {
	struct sg_collect *job;
	struct sg_control *control;
	__u64 generation;
};

/*
 * What sg_flow_still_allowed() wants to know of a packet, for a flow without one: whose it is, and
 * the VM's MAC. Where the policy names none, a link-local address was the one of its frame's MAC
 * when the flow was opened (RFC 4291, appendix A), so that is put back together from it.
 */
sg_inline void sg_settle_packet(struct sg_packet *p, const struct sg_flow_key *key, __u8 opener)
{
	const __u8 *id = key->local.b + 8;
	__u8 mac[6] = {id[0] ^ 2, id[1], id[2], id[5], id[6], id[7]};

	sg_packet_reset(p, opener);
	p->key.slot = key->slot;
	__builtin_memcpy(p->eth_src, mac, sizeof(mac));
	__builtin_memcpy(p->eth_dst, mac, sizeof(mac));
}

sg_noinline void sg_settle_flow(struct sg_settling *settling, const struct sg_flow_key *key,
				const struct sg_hit *hit)
{
	struct sg_view view = {
		.generation = settling->generation,
		.control = settling->control,
	};
	__u32 zero = 0, slot = key->slot;
	struct sg_packet *p = bpf_map_lookup_elem(&sg_packet_scratch, &zero);
	struct sg_flow *flow = hit->flow;
	struct sg_flow_key copy;

	settling->job->scanned++;
	view.iface = bpf_map_lookup_elem(&sg_ifaces, &slot);
	if (!p || !flow || !view.iface || sg_flow_is_fresh(&view, flow))
		return;
	view.conf = sg_iface_conf_at(view.iface, view.generation);
	if (!view.conf)
		return;
	sg_settle_packet(p, key, flow->opener & 1);
	if (sg_flow_still_allowed(&view, p, key, hit))
		return;
	copy = *key;
	sg_flow_delete(&copy, hit);
	settling->job->removed++;
}

static long sg_settle_half_open(struct bpf_map *map, struct sg_flow_key *key, struct sg_flow *flow,
				struct sg_settling *settling)
{
	struct sg_hit hit = {.flow = flow};

	sg_settle_flow(settling, key, &hit);
	return 0;
}

static long sg_settle_bucket(struct bpf_map *map, __u32 *index, struct sg_bucket *bucket,
			     struct sg_settling *settling)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < SG_BUCKET_CELLS; i++) {
		struct sg_hit hit;

		if (sg_cell_live(bucket, i, &hit))
			sg_settle_flow(settling, &bucket->cells[i].key, &hit);
	}
	return 0;
}

sg_inline int sg_settle_begin(struct sg_settling *settling)
{
	__u32 zero = 0;

	settling->job = bpf_map_lookup_elem(&sg_collect, &zero);
	settling->control = bpf_map_lookup_elem(&sg_control, &zero);
	if (!settling->job || !settling->control)
		return 0;
	settling->generation = READ_ONCE(settling->control->generation);
	settling->job->jiffies = bpf_jiffies64();
	settling->job->scanned = 0;
	settling->job->removed = 0;
	return 1;
}

SEC("tc")
int sg_settle_flows(struct __sk_buff *skb)
{
	struct sg_settling settling = {};
	__u32 shard;
	void *table;

	if (!sg_settle_begin(&settling))
		return -1;
	shard = settling.job->shard;
	table = bpf_map_lookup_elem(&sg_flows, &shard);
	if (table)
		bpf_for_each_map_elem(table, sg_settle_bucket, &settling, 0);
	return 0;
}

SEC("tc")
int sg_settle_half(struct __sk_buff *skb)
{
	struct sg_settling settling = {};
	__u32 slot;
	void *table;

	if (!sg_settle_begin(&settling))
		return -1;
	slot = settling.job->shard;
	table = bpf_map_lookup_elem(&sg_half, &slot);
	if (table)
		bpf_for_each_map_elem(table, sg_settle_half_open, &settling, 0);
	return 0;
}
