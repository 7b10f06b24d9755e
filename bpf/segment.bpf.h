/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segment.bpf.h - the short way of TCP segments that change more than windows and counts: the SYN
 * that opens a flow, the answer to it, the acknowledgement that confirms it, and what ends it.
 *
 * Functions apart: their instructions lie in no cache line that a segment of an established flow
 * fetches. What is known by then is handed to them.
 *
 * As everywhere on the short way, nothing is written before it is sure that the segment passes;
 * what is refused, or has to be reported, takes the long way, which judges with the same functions.
 */
#pragma once

#include "bpf/conntrack.bpf.h"
#include "bpf/options.bpf.h"
#include "bpf/refuse.bpf.h"

enum sg_short_verdict {
	SG_SHORT_UNDECIDED, /* nothing was written; the long way decides */
	SG_SHORT_PASSES,    /* and is counted, as what drops is */
	SG_SHORT_DROPS,
	SG_SHORT_STRANGER, /* sg_short_stranger() decides */
};

/* What the short way knows of a frame, in memory: its functions apart are handed it as it is. */
struct sg_short {
	struct sg_flow_key key;
	const __u8 *l4;	 /* 8 bytes of it can be read, 20 of TCP */
	const void *end; /* of what can be read */
	struct sg_stats *stats;
	struct sg_view view;
	__u32 bytes; /* of the frame */
	__u32 l4_bytes;
	__u8 proto;
	__u8 flags; /* of TCP without PSH: SYN, SYN and ACK, ACK, FIN and ACK */
	__u8 dir;
};

sg_inline __u32 sg_short_tcp_header(const struct sg_short *s)
{
	return (s->l4[12] >> 4) * 4;
}

/* Verifier: it has forgotten by now that they can be read. */
sg_inline int sg_short_segment(const struct sg_short *s, const void *end,
			       struct sg_tcp_segment *seg)
{
	if ((const void *)(s->l4 + 20) > end)
		return 0;
	seg->seq = sg_be32(s->l4 + 4);
	seg->ack = sg_be32(s->l4 + 8);
	seg->length = s->l4_bytes - sg_short_tcp_header(s);
	seg->window = sg_be16(s->l4 + 14);
	return 1;
}

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

/* Of a SYN or the answer to it: 0 when the long way must read it. */
sg_inline int sg_short_opening(const struct sg_short *s, struct sg_tcp_segment *seg)
{
	__u32 scale = SG_TCP_NO_SCALE;

	if (!sg_short_segment(s, s->end, seg))
		return 0;
	if (sg_short_tcp_header(s) > 20) {
		scale = sg_short_scale(s->l4 + 20, s->end, sg_short_tcp_header(s) - 20);
		if (scale == SG_SHORT_NO_ANSWER)
			return 0;
	}
	seg->scale = scale;
	return 1;
}

/* ------------------------------------------------------------------ a flow moves */

/* Whether it is a live TCP flow whose rule is not in doubt, of a state from first on. */
sg_inline int sg_short_is_live(const struct sg_short *s, const struct sg_flow *flow, __u32 word,
			       __u32 first)
{
	if (READ_ONCE(flow->stamp) < READ_ONCE(s->view.control->last_removal) ||
	    SG_FLOW_FLAGS(word) & SG_FLOW_DEAD ||
	    SG_FLOW_STATE(word) - first > SG_TCP_TIME_WAIT - first)
		return 0;
	/* Most had a packet in this very jiffy. */
	return READ_ONCE(flow->half[s->dir & 1].seen) == (__u32)s->view.now ||
	       !sg_flow_expired(flow, s->view.conf, SG_IPPROTO_TCP, word, s->view.now);
}

sg_inline int sg_short_recorded(const struct sg_short *s, struct sg_flow_half *mine)
{
	WRITE_ONCE(mine->seen, (__u32)s->view.now);
	mine->packets++;
	mine->bytes += s->bytes;
	sg_short_count(s->stats, s->bytes, s->dir & 1, SG_ALLOWED, SG_ALLOW_FLOW);
	return SG_SHORT_PASSES;
}

/* The SYN/ACK that answers a SYN, as sg_flow_packet(). word and use are what was read of the flow.
 */
sg_noinline int sg_short_answer(const struct sg_short *s, struct sg_flow *flow, __u32 word,
				__u32 use)
{
	struct sg_tcp_segment seg = {.flags = SG_TCP_FLAG_SYN | SG_TCP_FLAG_ACK};
	__u32 dir = s->dir & 1, next;
	struct sg_flow_half *mine;

	if (!flow || SG_FLOW_STATE(word) != SG_TCP_SYN_SENT || (flow->opener & 1) == dir ||
	    !sg_short_is_live(s, flow, word, SG_TCP_SYN_SENT) || !sg_short_opening(s, &seg))
		return SG_SHORT_UNDECIDED;
	mine = &flow->half[dir];
	if (READ_ONCE(flow->use) != use || sg_tcp_track(mine, &flow->half[dir ^ 1], SG_TCP_SYN_SENT,
							0, &seg, &next) != SG_TCP_ACCEPT)
		return SG_SHORT_UNDECIDED;
	sg_flow_move(flow, use, word, (word & ~0xffu) | next | SG_FLOW_REPLIED << 8);
	return sg_short_recorded(s, mine);
}

/*
 * A segment with ACK and without SYN and RST, of a flow in the shard that it may move: it confirms
 * it, or begins or goes on to end it. That the state moves is also what says that the cell is still
 * this flow's; only then its windows are written.
 */
sg_noinline int sg_short_moves(const struct sg_short *s, struct sg_flow *flow, __u32 word,
			       __u32 use)
{
	__u32 dir = s->dir & 1, slot = s->key.slot, from_opener, next, confirms;
	struct sg_tcp_segment seg = {.flags = SG_TCP_FLAG_ACK | (s->flags & SG_TCP_FLAG_FIN)};
	struct sg_flow_half *mine, *theirs;
	struct sg_slot *counters;

	if (!flow || !sg_short_is_live(s, flow, word, SG_TCP_SYN_RECV))
		return SG_SHORT_UNDECIDED;
	mine = &flow->half[dir];
	theirs = &flow->half[dir ^ 1];
	/* So that clang computes them once, not at each use. */
	asm volatile("" : "+r"(mine), "+r"(theirs));
	if (!sg_short_segment(s, s->end, &seg) ||
	    sg_tcp_window(mine, theirs, &seg) != SG_TCP_ACCEPT)
		return SG_SHORT_UNDECIDED;
	from_opener = (flow->opener & 1) == dir;
	next = sg_tcp_advance(mine, theirs, SG_FLOW_STATE(word), from_opener, seg.flags, seg.ack);
	confirms = next >= SG_TCP_ESTABLISHED && SG_FLOW_FLAGS(word) & SG_FLOW_HALF;
	next |= word & ~0xffu;
	if (!from_opener)
		next |= SG_FLOW_REPLIED << 8;
	if (!confirms) {
		if (next == word ? READ_ONCE(flow->use) != use
				 : !sg_flow_move(flow, use, word, next))
			return SG_SHORT_UNDECIDED;
	} else {
		counters = bpf_map_lookup_elem(&sg_slots, &slot);
		if (!counters)
			return SG_SHORT_UNDECIDED;
		/* Counted before it is confirmed; what exceeds the allowance the long way judges.
		 */
		if (__sync_fetch_and_add(&counters->flows, 1) >= s->view.conf->max_flows ||
		    !sg_flow_move(flow, use, word, next & ~(SG_FLOW_HALF << 8))) {
			__sync_fetch_and_add(&counters->flows, -1);
			return SG_SHORT_UNDECIDED;
		}
		__sync_fetch_and_add(&counters->half, -1);
	}
	sg_tcp_record(mine, theirs, &seg);
	return sg_short_recorded(s, mine);
}

/* ------------------------------------------------------------------ a flow opens */

/* Networks may have the same addresses. */
sg_inline __u32 sg_neighbour_sum(const struct sg_addr *address, __u32 zone)
{
	return address->w[0] + address->w[1] + address->w[2] + address->w[3] + zone * 0x85ebca6bu;
}

sg_inline struct sg_neighbour *sg_neighbour_of(__u32 sum)
{
	__u32 index = sg_neighbour_index(sum);

	return bpf_map_lookup_elem(&sg_neighbours, &index);
}

/* A SYN that passes: its local address is behind this slot. */
sg_inline void sg_neighbour_note(const struct sg_flow_key *key, __u32 zone)
{
	__u32 sum = sg_neighbour_sum(&key->local, zone);
	struct sg_neighbour *here = sg_neighbour_of(sum);

	if (here && (here->address != sum || here->slot != key->slot)) {
		here->address = sum;
		here->slot = key->slot;
	}
}

/* Where this CPU notes that it has met the flow of a place, and what it notes. */
sg_inline __u32 *sg_recent_at(const struct sg_place *place, __u32 *flow)
{
	__u32 zero = 0;
	struct sg_recent *recent = bpf_map_lookup_elem(&sg_recent, &zero);

	*flow = place->tag ^ place->first;
	return recent ? &recent->flows[*flow & (SG_RECENT - 1)] : 0;
}

sg_inline void sg_recent_note(const struct sg_place *place)
{
	__u32 flow, *known = sg_recent_at(place, &flow);

	if (known)
		*known = flow;
}

/* Whether it has met it of late; from now on it has. */
sg_inline int sg_recently(const struct sg_place *place)
{
	__u32 flow, *known = sg_recent_at(place, &flow);

	if (!known || *known == flow)
		return 1;
	*known = flow;
	return 0;
}

/*
 * Something that leaves: where the address that it is for was last behind a tap of this host,
 * begins to fetch the cell that the flow has there, or is going to have, so that memory is waited
 * for once and not at each tap. Only a guess, and only fetched: that it is wrong costs the time
 * that it would have saved. Verifier: global, so that it is verified by itself; always 0.
 */
__noinline int sg_short_neighbour(const struct sg_flow_key *key, __u32 zone, __u64 generation)
{
	__u32 zero = 0, sum, slot, shard;
	const struct sg_control *control = bpf_map_lookup_elem(&sg_control, &zero);
	const struct sg_neighbour *there;
	const struct sg_iface_conf *conf;
	const struct sg_iface *iface;
	struct sg_bucket *bucket;
	struct sg_flow_key its;
	struct sg_place place;
	void *table;

	if (!key || !control)
		return 0;
	sum = sg_neighbour_sum(&key->remote, zone);
	there = sg_neighbour_of(sum);
	if (!there || there->address != sum)
		return 0;
	slot = there->slot;
	iface = bpf_map_lookup_elem(&sg_ifaces, &slot);
	conf = iface && slot ? sg_iface_conf_at(iface, generation) : 0;
	if (!conf)
		return 0;
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
	return 0;
}

/* Puts the flow into the cell that it is looked for first, or where there is room: as
 * sg_flow_place(). 0: the long way. */
sg_inline int sg_short_put(const struct sg_view *view, struct sg_packet *p,
			   const struct sg_tcp_segment *seg, struct sg_bucket *bucket,
			   const struct sg_place *place, __u32 state)
{
	__u32 i = sg_cell_number(place->cell), word = READ_ONCE(bucket->tags[i]);

	if (!sg_tag_used(word, view->now) &&
	    sg_cell_win(bucket, i, word, place->tag, &p->key) == word) {
		struct sg_flow *flow = &bucket->cells[i].flow;

		flow->pad = 0;
		__builtin_memset(flow->half, 0, sizeof(flow->half));
		sg_flow_begin(flow, view, p);
		sg_tcp_start(&flow->half[p->dir & 1], seg);
		sg_cell_publish(bucket, i, word, place->tag, state);
		return 1;
	}
	__builtin_memset(&p->flow, 0, sizeof(p->flow));
	p->flow.state = state;
	sg_flow_begin(&p->flow, view, p);
	sg_tcp_start(&p->flow.half[p->dir & 1], seg);
	return !sg_shard_insert(view->conf->shard, view->conf->buckets);
}

/*
 * A SYN that no outline excludes. It passes here when its flow is nowhere, the guard has nothing to
 * ask, a rule allows it, and there is a place for it in the shard. Of it, this CPU's scratch has
 * key, dir, bytes and port.
 *
 * Where its flow is going to be is in no cache: the processor fetches that while it does the rest,
 * as long as no atomic instruction makes it wait. So those come last.
 */
sg_inline int sg_short_open(const struct sg_short *s, struct sg_packet *p)
{
	struct sg_tcp_segment seg = {.flags = SG_TCP_FLAG_SYN};
	const struct sg_view *view = &s->view;
	struct sg_place place = sg_place_of(&p->key, view->control->hash, view->conf->buckets);
	__u32 slot = p->key.slot, shard = view->conf->shard, rule;
	void *table = bpf_map_lookup_elem(&sg_flows, &shard);
	struct sg_bucket *bucket = table ? bpf_map_lookup_elem(table, &place.first) : 0;
	struct sg_slot *counters = bpf_map_lookup_elem(&sg_slots, &slot);
	struct sg_rule_stats *totals;

	if (!bucket || !counters)
		return SG_SHORT_UNDECIDED;
	sg_cell_fetch(bucket, place.cell);
	if (p->dir == SG_EGRESS)
		sg_short_neighbour(&p->key, view->conf->zone, view->generation);
	if (READ_ONCE(view->control->flags) || READ_ONCE(counters->lru) ||
	    READ_ONCE(counters->flows) >= view->conf->max_flows ||
	    view->conf->max_flows < SG_IN_PLACE_FLOWS ||
	    READ_ONCE(counters->half) >= SG_HALF_IN_PLACE)
		return SG_SHORT_UNDECIDED;
	if (sg_refuse_guard(view, &p->key, p->dir) != SG_GO_ON)
		return SG_SHORT_UNDECIDED;
	sg_question_init(&p->question, view, &p->key, p->dir, p->port);
	if (!sg_policy_allows(&p->question))
		return SG_SHORT_UNDECIDED;
	rule = p->question.rule;
	totals = bpf_map_lookup_elem(&sg_rules, &rule);
	if (!totals || !sg_short_opening(s, &seg) || sg_bucket_may_have(bucket, place.tag))
		return SG_SHORT_UNDECIDED;
	/* Each of these waits for all stores before it; those of the new cell come after them. */
	__sync_fetch_and_add(&counters->half, 1);
	__sync_fetch_and_add(&totals->flows, 1);
	if (!sg_short_put(view, p, &seg, bucket, &place,
			  SG_TCP_SYN_SENT | SG_FLOW_HALF << 8 |
				  (rule & SG_RULE_EXEMPT ? SG_FLOW_EXEMPT << 8 : 0))) {
		__sync_fetch_and_add(&counters->half, -1);
		__sync_fetch_and_add(&totals->flows, -1);
		return SG_SHORT_UNDECIDED;
	}
	sg_neighbour_note(&p->key, view->conf->zone);
	sg_recent_note(&place);
	sg_short_count(s->stats, p->bytes, p->dir & 1, SG_ALLOWED,
		       rule & SG_RULE_EXEMPT ? SG_ALLOW_EXEMPT : SG_ALLOW_RULE);
	return SG_SHORT_PASSES;
}

/* ------------------------------------------------------------------ no flow */

/*
 * A packet that has no flow in the shard; or a SYN that no rule can allow, of which that is not
 * known.
 */
sg_noinline int sg_short_stranger(const struct sg_short *s)
{
	struct sg_stranger stranger = {.key = &s->key,
				       .dir = s->dir & 1,
				       .syn = s->flags == SG_TCP_FLAG_SYN,
				       .proto = s->proto};
	const struct sg_view *view = &s->view;
	const struct sg_outline *outline = sg_outline_of(view->conf->outline, view->conf->policy);
	__u32 slot = s->key.slot, reason;
	struct sg_slot *counters = bpf_map_lookup_elem(&sg_slots, &slot);

	if (!counters)
		return SG_SHORT_UNDECIDED;
	if ((!stranger.syn || !sg_refuse_has_no_flow(view, counters, outline, &stranger)) &&
	    (READ_ONCE(counters->lru) ||
	     (stranger.syn && sg_shard_has(view->control, view->conf, &s->key))))
		return SG_SHORT_UNDECIDED;
	reason = sg_refuse(view, outline, &stranger);
	if (reason == SG_UNDECIDED)
		return SG_SHORT_UNDECIDED;
	sg_short_count(s->stats, s->bytes, stranger.dir, SG_DROPPED, reason);
	return SG_SHORT_DROPS;
}

/* Whether its outline lets a SYN ask the rules. */
sg_inline int sg_short_may_open(const struct sg_short *s)
{
	struct sg_stranger stranger = {.key = &s->key, .dir = s->dir, .proto = SG_IPPROTO_TCP};

	return sg_refuse_may_open(sg_outline_of(s->view.conf->outline, s->view.conf->policy),
				  &stranger, s->dir & 1);
}

sg_noinline int sg_short_syn(const struct sg_short *s)
{
	struct sg_packet *p;
	__u32 zero = 0;

	if (!sg_short_may_open(s))
		return SG_SHORT_STRANGER;
	p = bpf_map_lookup_elem(&sg_packet_scratch, &zero);
	if (!p)
		return SG_SHORT_UNDECIDED;
	p->key = s->key;
	p->bytes = s->bytes;
	p->dir = s->dir & 1;
	p->port = bpf_ntohs(s->dir == SG_EGRESS ? s->key.rport : s->key.lport);
	return sg_short_open(s, p);
}
