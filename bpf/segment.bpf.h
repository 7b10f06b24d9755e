/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segment.bpf.h - the short way of TCP segments that change more than windows and counts: the SYN
 * that opens a flow, the answer to it, the acknowledgement that confirms it, and what ends it.
 *
 * As everywhere on the short way, nothing is written before it is sure that the segment passes;
 * what is refused, or has to be reported, takes the long way, which judges with the same functions.
 * A SYN, or the answer to it, is in this CPU's scratch: tcp, dir and bytes; of a SYN also key,
 * flags and port.
 */
#pragma once

#include "bpf/conntrack.bpf.h"
#include "bpf/options.bpf.h"
#include "bpf/refuse.bpf.h"

enum sg_short_verdict {
	SG_SHORT_UNDECIDED, /* nothing was written; the long way decides */
	SG_SHORT_PASSES,    /* and is counted, as what drops is */
	SG_SHORT_DROPS,
};

sg_inline void sg_short_count(struct sg_stats *stats, __u32 bytes, __u8 dir,
			      enum sg_outcome outcome, __u32 reason)
{
	stats->packets[dir][outcome]++;
	stats->bytes[dir][outcome] += bytes;
	stats->reasons[reason & (SG_REASONS_ROOM - 1)]++;
}

/* ------------------------------------------------------------------ window scale */

/* Options until a window scale must be found, as good as all stacks do: Linux has it fifth. */
#define SG_SHORT_OPTIONS   8
#define SG_SHORT_NO_ANSWER 0x100u

/*
 * The window scale among so many bytes of options, which can be read; SG_TCP_NO_SCALE when there is
 * none, SG_SHORT_NO_ANSWER when that is not soon known. As sg_option_step().
 */
sg_noinline __u32 sg_short_scale(const __u8 *options, const void *end, __u32 bytes)
{
	__u32 at = 0, i;

	for (i = 0; i < SG_SHORT_OPTIONS; i++) {
		const __u8 *option;
		__u32 kind, size;

		asm volatile("" : "+r"(at));
		if (at > SG_OPTIONS_MAX - 3 || at + 3 > bytes)
			return SG_TCP_NO_SCALE;
		option = options + at;
		if ((const void *)(option + 3) > end)
			return SG_SHORT_NO_ANSWER;
		kind = option[0];
		size = option[1];
		if (kind == 3 && size == 3)
			return option[2];
		if (kind == 1)
			size = 1;
		else if (kind == 0 || size < 2)
			return SG_TCP_NO_SCALE;
		at += size;
	}
	return SG_SHORT_NO_ANSWER;
}

/* ------------------------------------------------------------------ a flow moves */

/* Whether it is a live TCP flow whose rule is not in doubt, of a state from first on. */
sg_inline int sg_short_is_live(const struct sg_flow *flow, __u32 word, __u32 first,
			       const struct sg_iface_conf *conf, const struct sg_control *control)
{
	return READ_ONCE(flow->stamp) >= READ_ONCE(control->last_removal) &&
	       !(SG_FLOW_FLAGS(word) & SG_FLOW_DEAD) && SG_FLOW_STATE(word) >= first &&
	       SG_FLOW_STATE(word) <= SG_TCP_TIME_WAIT &&
	       !sg_flow_expired(flow, conf, SG_IPPROTO_TCP, word, bpf_jiffies64());
}

/* The slot, and which use of its cell the flow was when it was found. */
#define SG_SHORT_WHICH(slot, use) ((__u32)(slot) | (__u32)(use) << 16)

/* The SYN/ACK that answers a SYN, as sg_flow_packet(); the segment is in this CPU's scratch. */
sg_noinline int sg_short_answer(struct sg_flow *flow, const struct sg_packet *p,
				const struct sg_iface_conf *conf, const struct sg_control *control,
				__u32 which)
{
	__u32 slot = which & 0xffff, use = which >> 16;
	struct sg_stats *stats = bpf_map_lookup_elem(&sg_stats, &slot);
	__u64 head = sg_flow_head(flow);
	__u32 dir = p->dir & 1, word = SG_HEAD_STATE(head), next;
	struct sg_flow_half *mine = &flow->half[dir], *theirs = &flow->half[dir ^ 1];
	struct sg_tcp_segment seg = {
		.seq = p->tcp.seq,
		.ack = p->tcp.ack,
		.length = p->tcp.length,
		.window = p->tcp.window,
		.flags = SG_TCP_FLAG_SYN | SG_TCP_FLAG_ACK,
		.scale = p->tcp.scale,
	};

	if (!stats || SG_HEAD_USE(head) != use || SG_FLOW_STATE(word) != SG_TCP_SYN_SENT ||
	    (flow->opener & 1) == dir ||
	    !sg_short_is_live(flow, word, SG_TCP_SYN_SENT, conf, control) ||
	    sg_tcp_track(mine, theirs, SG_TCP_SYN_SENT, 0, &seg, &next) != SG_TCP_ACCEPT)
		return SG_SHORT_UNDECIDED;
	sg_flow_move(flow, use, word, (word & ~0xffu) | next | SG_FLOW_REPLIED << 8);
	WRITE_ONCE(mine->seen, (__u32)bpf_jiffies64());
	mine->packets++;
	mine->bytes += p->bytes;
	sg_short_count(stats, p->bytes, dir, SG_ALLOWED, SG_ALLOW_FLOW);
	return SG_SHORT_PASSES;
}

enum sg_short_move {
	SG_SHORT_STAYS,	  /* the long way decides */
	SG_SHORT_MOVES,	  /* sg_short_moved() follows */
	SG_SHORT_RESERVED /* likewise; the flow has its place among the confirmed ones already */
};

/*
 * Whether a segment with ACK and without SYN and RST may move a flow in the shard, once its numbers
 * are found to fit. Where it may confirm the flow, that is counted before anything else, so that
 * what exceeds the allowance is left to the long way.
 */
sg_noinline __u32 sg_short_may_move(const struct sg_flow *flow, __u32 word,
				    const struct sg_iface_conf *conf,
				    const struct sg_control *control, __u32 slot)
{
	struct sg_slot *counters;

	if (!sg_short_is_live(flow, word, SG_TCP_SYN_RECV, conf, control))
		return SG_SHORT_STAYS;
	if (!(SG_FLOW_FLAGS(word) & SG_FLOW_HALF))
		return SG_SHORT_MOVES;
	counters = bpf_map_lookup_elem(&sg_slots, &slot);
	if (!counters)
		return SG_SHORT_STAYS;
	if (__sync_fetch_and_add(&counters->flows, 1) < conf->max_flows)
		return SG_SHORT_RESERVED;
	__sync_fetch_and_add(&counters->flows, -1);
	return SG_SHORT_STAYS;
}

/* The segment fits and was recorded, or it does not and the flow is NULL. */
#define SG_SHORT_MOVED(move, dir, flags) ((__u32)(move) | (__u32)(dir) << 8 | (__u32)(flags) << 16)
sg_noinline int sg_short_moved(struct sg_flow *flow, __u32 word, __u32 how, __u32 ack, __u32 which)
{
	__u32 dir = how >> 8 & 1, slot = which & 0xffff, next_word = word, next;
	struct sg_slot *counters;

	if (flow) {
		__u32 from_opener = (flow->opener & 1) == dir;

		next = sg_tcp_advance(&flow->half[dir], &flow->half[dir ^ 1], SG_FLOW_STATE(word),
				      from_opener, how >> 16, ack);
		next_word = (word & ~0xffu) | next;
		if (!from_opener)
			next_word |= SG_FLOW_REPLIED << 8;
		if (next >= SG_TCP_ESTABLISHED)
			next_word &= ~(SG_FLOW_HALF << 8);
		/* A flow whose state is not word any more another CPU confirms, or has taken away.
		 */
		if (next_word != word && !sg_flow_move(flow, which >> 16, word, next_word))
			next_word = word;
	}
	if ((how & 0xff) != SG_SHORT_RESERVED)
		return 0;
	counters = bpf_map_lookup_elem(&sg_slots, &slot);
	if (!counters)
		return 0;
	if (next_word & SG_FLOW_HALF << 8)
		__sync_fetch_and_add(&counters->flows, -1);
	else
		__sync_fetch_and_add(&counters->half, -1);
	return 0;
}

/* ------------------------------------------------------------------ a flow opens */

sg_inline __u32 sg_neighbour_sum(const struct sg_addr *address)
{
	return address->w[0] + address->w[1] + address->w[2] + address->w[3];
}

sg_inline struct sg_neighbour *sg_neighbour_of(__u32 sum)
{
	__u32 index = (sum * 0x9e3779b1u >> 16) & (SG_NEIGHBOURS - 1);

	return bpf_map_lookup_elem(&sg_neighbours, &index);
}

/* A SYN that arrives: its address is behind this slot. */
sg_inline void sg_neighbour_note(const struct sg_flow_key *key)
{
	__u32 sum = sg_neighbour_sum(&key->local);
	struct sg_neighbour *here = sg_neighbour_of(sum);

	if (here && (here->address != sum || here->slot != key->slot)) {
		here->address = sum;
		here->slot = key->slot;
	}
}

/*
 * A SYN that leaves: where its address was last behind a tap of this host, begins to fetch the cell
 * that the flow is going to have there, too, so that it is waited for once and not at each tap.
 * Only a guess, and only fetched: that it is wrong costs the time that it would have saved.
 */
sg_noinline void sg_short_neighbour(const struct sg_flow_key *key, const struct sg_control *control,
				    __u64 generation)
{
	__u32 sum = sg_neighbour_sum(&key->remote), slot, shard;
	const struct sg_neighbour *there = sg_neighbour_of(sum);
	const struct sg_iface_conf *conf;
	const struct sg_iface *iface;
	struct sg_bucket *bucket;
	struct sg_flow_key its;
	struct sg_place place;
	void *table;

	if (!there || there->address != sum)
		return;
	slot = there->slot;
	iface = bpf_map_lookup_elem(&sg_ifaces, &slot);
	conf = iface && slot ? sg_iface_conf_at(iface, generation) : 0;
	if (!conf)
		return;
	its.local = key->remote;
	its.remote = key->local;
	its.lport = key->rport;
	its.rport = key->lport;
	its.slot = slot;
	its.proto = key->proto;
	its.pad = 0;
	place = sg_place_of(&its, control->hash, conf->buckets);
	shard = conf->shard;
	table = bpf_map_lookup_elem(&sg_flows, &shard);
	bucket = table ? bpf_map_lookup_elem(table, &place.first) : 0;
	if (bucket)
		sg_cell_fetch(bucket, place.cell);
}

/* Puts the flow into the cell that it is looked for first, or where there is room: as
 * sg_flow_place(). 0: the long way. */
sg_inline int sg_short_put(const struct sg_view *view, struct sg_packet *p,
			   struct sg_bucket *bucket, const struct sg_place *place)
{
	__u32 i = sg_cell_number(place->cell), word = READ_ONCE(bucket->tags[i]);

	if (!sg_tag_used(word, view->now) &&
	    sg_cell_take(bucket, i, word, place->tag, &p->key, &p->flow) == word)
		return 1;
	return !sg_shard_insert(view->conf->shard, view->conf->buckets);
}

/*
 * A SYN that no outline excludes. It passes here when its flow is nowhere, the guard has nothing to
 * ask, a rule allows it, and there is a place for it in the shard.
 *
 * Where its flow is going to be is in no cache: the processor fetches that while it does the rest,
 * as long as no atomic instruction makes it wait. So those come last.
 */
sg_noinline int sg_short_open(struct sg_packet *p, const struct sg_iface_conf *conf,
			      struct sg_control *control, __u64 generation)
{
	struct sg_view view = {
		.generation = generation,
		.now = bpf_jiffies64(),
		.control = control,
		.conf = conf,
	};
	struct sg_place place = sg_place_of(&p->key, control->hash, conf->buckets);
	__u32 slot = p->key.slot, shard = conf->shard, rule;
	void *table = bpf_map_lookup_elem(&sg_flows, &shard);
	struct sg_bucket *bucket = table ? bpf_map_lookup_elem(table, &place.first) : 0;
	struct sg_slot *counters = bpf_map_lookup_elem(&sg_slots, &slot);
	struct sg_stats *stats = bpf_map_lookup_elem(&sg_stats, &slot);
	struct sg_rule_stats *totals;

	if (!bucket || !counters || !stats)
		return SG_SHORT_UNDECIDED;
	sg_cell_fetch(bucket, place.cell);
	if (p->dir == SG_EGRESS)
		sg_short_neighbour(&p->key, control, generation);
	if (READ_ONCE(control->flags) || READ_ONCE(counters->lru) ||
	    READ_ONCE(counters->flows) >= conf->max_flows || conf->max_flows < SG_IN_PLACE_FLOWS ||
	    READ_ONCE(counters->half) >= SG_HALF_IN_PLACE)
		return SG_SHORT_UNDECIDED;
	if (sg_refuse_guard(&view, &p->key, p->dir) != SG_GO_ON)
		return SG_SHORT_UNDECIDED;
	sg_question_init(&p->question, &view, &p->key, p->dir, p->port);
	if (!sg_policy_allows(&p->question))
		return SG_SHORT_UNDECIDED;
	rule = p->question.rule;
	__builtin_memset(&p->flow, 0, sizeof(p->flow));
	p->flow.state = SG_TCP_SYN_SENT | SG_FLOW_HALF << 8 |
			(rule & SG_RULE_EXEMPT ? SG_FLOW_EXEMPT << 8 : 0);
	sg_flow_init(&p->flow, &view, p);
	if (sg_bucket_may_have(bucket, place.tag))
		return SG_SHORT_UNDECIDED;
	__sync_fetch_and_add(&counters->half, 1);
	if (!sg_short_put(&view, p, bucket, &place)) {
		__sync_fetch_and_add(&counters->half, -1);
		return SG_SHORT_UNDECIDED;
	}
	if (p->dir == SG_INGRESS)
		sg_neighbour_note(&p->key);
	totals = bpf_map_lookup_elem(&sg_rules, &rule);
	if (totals)
		__sync_fetch_and_add(&totals->flows, 1);
	sg_short_count(stats, p->bytes, p->dir & 1, SG_ALLOWED,
		       rule & SG_RULE_EXEMPT ? SG_ALLOW_EXEMPT : SG_ALLOW_RULE);
	return SG_SHORT_PASSES;
}
