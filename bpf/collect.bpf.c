// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect.bpf.c - removes flows that have timed out, and all flows of a slot that is given up.
 *
 * rulesd runs one pass at a time with BPF_PROG_RUN; argument and result are in sg_collect. A pass
 * is one RCU section, so one shard (at most 64k entries unless an interface asked for more) or one
 * LRU. Kernel 6.1: one program a map, or clang merges the calls and the verifier refuses.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/flowtable.bpf.h"
#include "bpf/fragments.bpf.h"
#include "bpf/maps.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct bpf_map;

struct sg_pass {
	struct sg_collect *job;
	__u64 now;
	__u64 generation;
};

/*
 * Takes ownership of a flow that may go: marks it dead by compare-and-exchange, so that a packet
 * which revives the entry at this moment wins or drops, and never lives in an entry that is
 * deleted. A flow in the LRU needs none of that: it is not revived in place, and deleting a fresh
 * one costs a handshake a retransmit.
 */
sg_inline int sg_pass_takes(const struct sg_pass *pass, const struct sg_flow_key *key,
			    struct sg_flow *flow, const struct sg_hit *hit)
{
	__u32 slot = key->slot, word = READ_ONCE(flow->state);
	const struct sg_iface_conf *conf;
	struct sg_iface *iface;

	/* By somebody who removes it at this moment, or who was killed there. */
	if (hit && SG_FLOW_FLAGS(word) & SG_FLOW_DEAD)
		return 1;
	if (pass->job->flags & SG_COLLECT_FLUSH) {
		if (pass->job->slot && slot != pass->job->slot)
			return 0;
	} else {
		iface = bpf_map_lookup_elem(&sg_ifaces, &slot);
		if (!iface)
			return 0;
		conf = sg_iface_conf_at(iface, pass->generation);
		/* Flows of a slot without a configuration belong to nobody. */
		if (conf && !sg_flow_expired(flow, conf, key->proto, word, pass->now))
			return 0;
	}
	return !hit || sg_flow_move(flow, hit->use, word, word | SG_FLOW_DEAD << 8);
}

static long sg_pass_half(struct bpf_map *map, struct sg_flow_key *key, struct sg_flow *flow,
			 struct sg_pass *pass)
{
	__u64 packets = flow->half[0].packets + flow->half[1].packets;
	__u64 bytes = flow->half[0].bytes + flow->half[1].bytes;
	__u32 rule = flow->rule;

	pass->job->scanned++;
	if (!sg_pass_takes(pass, key, flow, 0 /* in the LRU */) || bpf_map_delete_elem(map, key))
		return 0;
	pass->job->removed++;
	sg_rule_fold(rule, packets, bytes);
	return 0;
}

sg_noinline void sg_pass_cell(struct sg_pass *pass, const struct sg_flow_key *key,
			      const struct sg_hit *hit)
{
	struct sg_flow *flow = hit->flow;

	if (!flow)
		return;
	pass->job->scanned++;
	if (!sg_pass_takes(pass, key, flow, hit) || !sg_hit_remove(hit))
		return;
	pass->job->removed++;
	/* The cell rests: nobody else writes to it. */
	sg_flow_uncount(key->slot, READ_ONCE(flow->state));
	sg_rule_fold(flow->rule, flow->half[0].packets + flow->half[1].packets,
		     flow->half[0].bytes + flow->half[1].bytes);
}

static long sg_pass_bucket(struct bpf_map *map, __u32 *index, struct sg_bucket *bucket,
			   struct sg_pass *pass)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < SG_BUCKET_CELLS; i++) {
		struct sg_hit hit;

		if (sg_cell_live(bucket, i, &hit))
			sg_pass_cell(pass, &bucket->cells[i].key, &hit);
	}
	return 0;
}

/* 1 when the pass can begin. */
sg_inline int sg_pass_begin(struct sg_pass *pass)
{
	__u32 zero = 0;
	struct sg_control *control = bpf_map_lookup_elem(&sg_control, &zero);

	pass->job = bpf_map_lookup_elem(&sg_collect, &zero);
	if (!pass->job || !control)
		return 0;
	pass->now = bpf_jiffies64();
	pass->generation = READ_ONCE(control->generation);
	pass->job->jiffies = pass->now;
	pass->job->scanned = 0;
	pass->job->removed = 0;
	return 1;
}

SEC("syscall")
int sg_collect_flows(void *ctx)
{
	struct sg_pass pass = {};
	__u32 shard;
	void *table;

	if (!sg_pass_begin(&pass))
		return -1;
	shard = pass.job->shard;
	table = bpf_map_lookup_elem(&sg_flows, &shard);
	if (table)
		bpf_for_each_map_elem(table, sg_pass_bucket, &pass, 0);
	return 0;
}

/*
 * What it finds empty, packets need not ask until the next insert. Those count after they have
 * inserted, so one that comes while this runs changes the count, and it is left alone.
 */
SEC("syscall")
int sg_collect_half(void *ctx)
{
	struct sg_pass pass = {};
	struct sg_slot *counters;
	__u32 slot, inserts;
	void *table;

	if (!sg_pass_begin(&pass))
		return -1;
	slot = pass.job->shard;
	counters = bpf_map_lookup_elem(&sg_slots, &slot);
	table = bpf_map_lookup_elem(&sg_half, &slot);
	if (!table || !counters)
		return 0;
	inserts = READ_ONCE(counters->lru);
	bpf_for_each_map_elem(table, sg_pass_half, &pass, 0);
	if (pass.job->scanned == pass.job->removed)
		__sync_val_compare_and_swap(&counters->lru, inserts, 0);
	return 0;
}

/* Datagrams whose fragments will not come any more; with SG_COLLECT_FLUSH those of a slot. */
static long sg_pass_frag(struct bpf_map *map, struct sg_frag_key *key, struct sg_frag *frag,
			 struct sg_pass *pass)
{
	const struct sg_iface_conf *conf;
	__u32 slot = key->slot;
	struct sg_iface *iface = bpf_map_lookup_elem(&sg_ifaces, &slot);

	pass->job->scanned++;
	if (!iface)
		return 0;
	conf = sg_iface_conf_at(iface, pass->generation);
	if (pass->job->flags & SG_COLLECT_FLUSH) {
		if (pass->job->slot && slot != pass->job->slot)
			return 0;
	} else if (conf && !sg_frag_expired(frag, conf, pass->now)) {
		return 0;
	}
	sg_frag_forget(key);
	pass->job->removed++;
	return 0;
}

SEC("syscall")
int sg_collect_frags(void *ctx)
{
	struct sg_pass pass = {};

	if (!sg_pass_begin(&pass))
		return -1;
	bpf_for_each_map_elem(&sg_frags, sg_pass_frag, &pass, 0);
	return 0;
}

/* The clock alone, for ages. */
SEC("syscall")
int sg_collect_clock(void *ctx)
{
	struct sg_pass pass = {};

	return sg_pass_begin(&pass) ? 0 : -1;
}
