/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conntrack.bpf.h - the flow table: confirmed flows in a shard, half-open ones beside them while
 * they are few, otherwise in a small LRU of their own interface.
 *
 * A flow is confirmed when the other side has answered (TCP: when the opener has acknowledged that
 * answer). Until then it is one of at most SG_HALF_IN_PLACE in the shard (SG_FLOW_HALF, counted
 * apart, with room of their own), which are confirmed in place: one insert a connection. What is
 * more, as in a flood, is opened into the LRU and moved when it is confirmed; a flood therefore
 * evicts only half-open flows of its own interface. Interfaces that may have few flows use the LRU
 * alone, so that the room of a shard has a bound.
 *
 * Races. Both directions of a flow may run on two CPUs at once:
 *   - each direction writes its own half only; two CPUs in the same direction may lose a maximum or
 * a count: worst outcome a segment that is judged by an older window (the sender retransmits) and a
 * packet not counted;
 *   - the state moves by compare-and-exchange; who loses leaves it to the next packet: worst
 * outcome a shorter timeout;
 *   - while an entry moves from LRU to shard, an update of the other half in the LRU entry may be
 * lost: same outcome;
 *   - an LRU entry may be evicted and used for another flow of the same interface while a CPU still
 * writes to it: worst outcome that other handshake is repeated. Before an entry is confirmed it is
 * looked up once more, so that no flow carries another one's witness;
 *   - an expired entry is revived in place by compare-and-exchange against the collector, which
 * first marks it dead the same way: either the packet wins and the entry lives, or the packet drops
 * (flow_busy) and is sent again. Nothing here opens a flow that the rules do not allow.
 */
#pragma once

#include "bpf/flowtable.bpf.h"
#include "bpf/guard.bpf.h"
#include "bpf/policy.bpf.h"
#include "bpf/related.bpf.h"

/* Deletes a flow that nothing allows any more. Whoever's delete succeeds counts it down. */
sg_noinline void sg_flow_delete(const struct sg_flow_key *key, const struct sg_hit *hit)
{
	struct sg_flow *flow = hit->flow;
	__u32 slot = key->slot, rule, word;
	__u64 packets, bytes;
	void *table;

	if (!flow)
		return;
	rule = flow->rule;
	packets = flow->half[0].packets + flow->half[1].packets;
	bytes = flow->half[0].bytes + flow->half[1].bytes;
	if (hit->confirmed) {
		/* From here on nobody confirms it, so it is known how it is counted. */
		if (!sg_flow_kill(flow, hit->use, &word) || !sg_hit_remove(hit))
			return;
		sg_flow_uncount(slot, word);
	} else {
		table = bpf_map_lookup_elem(&sg_half, &slot);
		if (!table || bpf_map_delete_elem(table, key))
			return;
	}
	sg_rule_fold(rule, packets, bytes);
}

/* The question that the packet which opened a flow would have asked. */
sg_inline void sg_question_init(struct sg_question *q, const struct sg_view *view,
				const struct sg_flow_key *key, __u8 opener, __u16 port)
{
	q->generation = view->generation;
	q->remote = key->remote;
	q->policy = view->conf->policy;
	q->zone = view->conf->zone;
	q->proto = key->proto;
	q->port = port;
	q->dir = opener;
	q->has = view->conf->has[opener & 1];
	q->is_v6 = !sg_addr_is_v4(&key->remote);
	q->pad = 0;
	q->outline = view->conf->outline;
}

sg_inline __u16 sg_opening_port(const struct sg_flow_key *key, __u8 opener)
{
	if (key->proto == SG_IPPROTO_ICMP || key->proto == SG_IPPROTO_ICMPV6)
		return key->rport & 0xff00; /* request type, code 0 */
	return bpf_ntohs(opener == SG_EGRESS ? key->rport : key->lport);
}

/*
 * A flow whose stamp is older than the last removal anywhere: is its witness gone, and if so, does
 * something else allow it? 1 when it may go on. A stamp above keep_until and not below both
 * removals is simply renewed.
 *
 * Order: the writer stores removed_at and sg_peergone before the generation. A packet between the
 * two evaluates under its own generation, stamps that, and is evaluated again later.
 */
sg_noinline int sg_flow_still_allowed(const struct sg_view *view, struct sg_packet *p,
				      const struct sg_flow_key *key, const struct sg_hit *hit)
{
	struct sg_flow *flow = hit->flow;
	struct sg_question *q = &p->question;
	__u64 stamp, witness, *gone;
	__u32 peer;
	__u8 opener;

	if (!flow)
		return 0;
	stamp = READ_ONCE(flow->stamp);
	witness = *sg_flow_witness(flow);
	opener = flow->opener & 1;
	/* The caller looks once more. */
	if (!sg_hit_stands(hit) || stamp <= READ_ONCE(view->iface->keep_until))
		return 1;
	peer = witness >> 32;
	gone = bpf_map_lookup_elem(&sg_peergone, &peer);
	if (stamp < READ_ONCE(view->iface->removed_at) || (gone && stamp < *gone)) {
		if (view->conf->flags & SG_IF_SPOOF_GUARD && !sg_is_mine(view, p, &key->local) &&
		    !sg_is_multicast(&key->local) && !sg_is_broadcast(&key->local))
			return 0;
		sg_question_init(q, view, key, opener, sg_opening_port(key, opener));
		if (!sg_policy_allows(q))
			return 0;
		/* Who allows it first, and then since when, so that it is asked about once more
		 * should somebody come between the two. */
		if (!sg_hit_stands(hit) ||
		    __sync_val_compare_and_swap(sg_flow_witness(flow), witness,
						(__u64)q->peer << 32 | q->rule) != witness)
			return 1;
	}
	/* A flow that has the cell by now was opened after that stamp. */
	__sync_val_compare_and_swap(&flow->stamp, stamp, view->generation);
	return 1;
}

sg_inline int sg_flow_is_fresh(const struct sg_view *view, const struct sg_flow *flow)
{
	return READ_ONCE(flow->stamp) >= READ_ONCE(view->control->last_removal);
}

/* Whether the packet opens an ended flow anew: then the rules are asked about it, not about the old
 * flow. */
sg_inline int sg_flow_reopens(const struct sg_packet *p, __u32 state)
{
	if (p->flags & SG_PKT_TCP)
		return sg_tcp_reopens(state, p->tcp.flags);
	return p->flags & SG_PKT_SCTP && state == SG_SCTP_CLOSED && sg_sctp_opens(&p->sctp);
}

/* Moves a flow from the LRU into the shard: exact count first, undone when the insert fails. */
sg_noinline __u32 sg_flow_confirm(const struct sg_view *view, struct sg_packet *p,
				  const struct sg_flow *half_open, __u32 word)
{
	__u32 slot = p->key.slot;
	struct sg_slot *counters = bpf_map_lookup_elem(&sg_slots, &slot);
	void *half;
	long error;

	half = bpf_map_lookup_elem(&sg_half, &slot);
	if (!counters || !half)
		return SG_DROP_INTERNAL;
	if (half_open != &p->flow) { /* not adopted */
		__builtin_memcpy(&p->flow, half_open, sizeof(p->flow));
		/* The entry has gone: another CPU confirmed the flow at this moment, or the place
		 * was evicted and used again, and the copy may be another flow's, witness and all.
		 */
		if (bpf_map_lookup_elem(half, &p->key) != half_open)
			return sg_shard_has(view->control, view->conf, &p->key) ? SG_ALLOW_FLOW
										: SG_DROP_FLOW_BUSY;
	}
	if (__sync_fetch_and_add(&counters->flows, 1) >= view->conf->max_flows) {
		__sync_fetch_and_add(&counters->flows, -1);
		__sync_fetch_and_add(&counters->allowance_exceeded, 1);
		return SG_DROP_ALLOWANCE;
	}
	p->flow.state = word;
	error = sg_shard_insert(view->conf->shard, view->conf->buckets);
	if (error) {
		__sync_fetch_and_add(&counters->flows, -1);
		/* Otherwise another CPU confirmed it at this moment. */
		if (error != -SG_EEXIST)
			return SG_DROP_TABLE_FULL;
	}
	bpf_map_delete_elem(half, &p->key);
	return SG_ALLOW_FLOW;
}

/*
 * Confirms a flow in place: counted first, undone when that is too many, or when the state is not
 * word any more: then another CPU confirms it, or has taken it away.
 */
sg_noinline __u32 sg_flow_promote(const struct sg_view *view, const struct sg_packet *p,
				  const struct sg_hit *hit, __u32 word)
{
	__u32 slot = p->key.slot;
	struct sg_slot *counters = bpf_map_lookup_elem(&sg_slots, &slot);
	struct sg_flow *flow = hit->flow;

	if (!counters || !flow)
		return SG_DROP_INTERNAL;
	if (__sync_fetch_and_add(&counters->flows, 1) >= view->conf->max_flows) {
		__sync_fetch_and_add(&counters->flows, -1);
		__sync_fetch_and_add(&counters->allowance_exceeded, 1);
		return SG_DROP_ALLOWANCE;
	}
	if (sg_flow_move(flow, hit->use, word, word & ~(SG_FLOW_HALF << 8)))
		__sync_fetch_and_add(&counters->half, -1);
	else
		__sync_fetch_and_add(&counters->flows, -1);
	return SG_ALLOW_FLOW;
}

/* Kernel 6.1: apart, or the stack of the packet path grows beyond its 512 bytes. The result << 8 |
 * the next state. */
sg_noinline __u32 sg_flow_sctp(const struct sg_packet *p, struct sg_flow *flow, __u32 state)
{
	__u32 next, dir = p->dir & 1;
	enum sg_sctp_result result =
		sg_sctp_track(&flow->half[dir], &flow->half[dir ^ 1], state, &p->sctp, &next);

	return (__u32)result << 8 | (next & 0xff);
}

/*
 * A packet whose flow is known and live. Returns the verdict, or SG_GO_ON when the flow is over and
 * the packet may open it again.
 */
sg_inline __u32 sg_flow_packet(const struct sg_view *view, struct sg_packet *p, struct sg_hit *hit)
{
	struct sg_flow *flow = hit->flow;
	__u32 dir = p->dir & 1, word = hit->state, next_word;
	struct sg_flow_half *mine = &flow->half[dir], *theirs = &flow->half[dir ^ 1];
	__u32 from_opener = (flow->opener & 1) == dir, confirm = 0, next;

	if (!sg_flow_is_fresh(view, flow) && !sg_flow_reopens(p, SG_FLOW_STATE(word)) &&
	    !sg_flow_still_allowed(view, p, &p->key, hit)) {
		sg_flow_delete(&p->key, hit);
		return SG_DROP_REVOKED;
	}
	next_word = word;
	/* We may have slept while the cell was given to another flow. */
	if (!sg_hit_stands(hit))
		return SG_DROP_FLOW_BUSY;
	if (p->flags & SG_PKT_TCP) {
		enum sg_tcp_result result = sg_tcp_track(mine, theirs, SG_FLOW_STATE(word),
							 from_opener, &p->tcp, &next);

		if (result == SG_TCP_REOPEN) {
			hit->over = 1;
			return SG_GO_ON;
		}
		if (result == SG_TCP_INVALID)
			return SG_DROP_TCP_INVALID;
		if (result == SG_TCP_OVER)
			return SG_DROP_TCP_CLOSED;
		next_word = (word & ~0xffu) | next;
		confirm = next >= SG_TCP_ESTABLISHED && next <= SG_TCP_TIME_WAIT;
	}
	if (p->flags & SG_PKT_SCTP) {
		__u32 judged = sg_flow_sctp(p, flow, SG_FLOW_STATE(word));

		if (judged >> 8 == SG_SCTP_REOPEN) {
			hit->over = 1;
			return SG_GO_ON;
		}
		if (judged >> 8 == SG_SCTP_INVALID)
			return SG_DROP_SCTP_INVALID;
		next_word = (word & ~0xffu) | (judged & 0xff);
		confirm = (judged & 0xff) == SG_SCTP_ESTABLISHED;
	}
	if (!from_opener) {
		next_word |= SG_FLOW_REPLIED << 8;
		if (!(p->flags & (SG_PKT_TCP | SG_PKT_SCTP)))
			confirm = 1;
	}
	if (next_word != word)
		sg_flow_move(flow, hit->use, word, next_word);
	if (mine->seen != (__u32)view->now)
		WRITE_ONCE(mine->seen, (__u32)view->now);
	mine->packets++;
	mine->bytes += p->bytes;
	if (confirm && !hit->confirmed)
		return sg_flow_confirm(view, p, flow, next_word);
	if (confirm && next_word & SG_FLOW_HALF << 8)
		return sg_flow_promote(view, p, hit, next_word);
	return SG_ALLOW_FLOW;
}

/* All but state, use, and what the transport protocol keeps. */
sg_inline void sg_flow_begin(struct sg_flow *flow, const struct sg_view *view,
			     const struct sg_packet *p)
{
	__u32 dir = p->dir & 1;

	flow->stamp = view->generation;
	flow->created = view->now;
	flow->rule = p->question.rule;
	flow->peer = p->question.peer;
	flow->opener = dir;
	flow->half[0].seen = flow->half[1].seen = (__u32)view->now;
	flow->half[dir].packets = 1;
	flow->half[dir].bytes = p->bytes;
}

sg_inline void sg_flow_init(struct sg_flow *flow, const struct sg_view *view,
			    const struct sg_packet *p)
{
	__u32 dir = p->dir & 1;

	sg_flow_begin(flow, view, p);
	if (p->flags & SG_PKT_TCP)
		sg_tcp_start(&flow->half[dir], &p->tcp);
	if (p->flags & SG_PKT_SCTP)
		sg_sctp_start(&flow->half[dir], &p->sctp);
}

/* Places the flow in p->flow into the shard, to be confirmed there; 0 when it must go to the LRU.
 */
sg_inline int sg_flow_place(const struct sg_view *view, struct sg_packet *p,
			    struct sg_slot *counters)
{
	long error;

	if (view->conf->max_flows < SG_IN_PLACE_FLOWS ||
	    READ_ONCE(counters->half) >= SG_HALF_IN_PLACE)
		return 0;
	__sync_fetch_and_add(&counters->half, 1);
	p->flow.state |= SG_FLOW_HALF << 8;
	error = sg_shard_insert(view->conf->shard, view->conf->buckets);
	p->flow.state &= ~(SG_FLOW_HALF << 8);
	if (!error)
		return 1;
	__sync_fetch_and_add(&counters->half, -1);
	/* Another CPU opened it at this moment. */
	return error == -SG_EEXIST;
}

/*
 * Opens a flow that a rule allows. Where an entry that is over holds the place in the shard, it is
 * revived there; in the LRU it is simply replaced.
 */
sg_noinline __u32 sg_flow_open(const struct sg_view *view, struct sg_packet *p,
			       const struct sg_hit *hit)
{
	__u32 slot = p->key.slot, rule = p->question.rule, word;
	struct sg_rule_stats *stats;
	struct sg_slot *counters = bpf_map_lookup_elem(&sg_slots, &slot);

	if (!counters)
		return SG_DROP_INTERNAL;
	word = p->flags & SG_PKT_TCP	? SG_TCP_SYN_SENT
	       : p->flags & SG_PKT_SCTP ? SG_SCTP_COOKIE_WAIT
					: SG_TCP_NONE;
	if (rule & SG_RULE_EXEMPT)
		word |= SG_FLOW_EXEMPT << 8;
	if (hit->flow && hit->confirmed) {
		struct sg_flow *flow = hit->flow;

		/* Counted as it was. */
		word |= hit->state & SG_FLOW_HALF << 8;
		if (SG_FLOW_FLAGS(hit->state) & SG_FLOW_DEAD ||
		    !sg_flow_move(flow, hit->use, hit->state, word))
			return SG_DROP_FLOW_BUSY;
		sg_rule_fold(flow->rule, flow->half[0].packets + flow->half[1].packets,
			     flow->half[0].bytes + flow->half[1].bytes);
		__builtin_memset(flow->half, 0, sizeof(flow->half));
		sg_flow_init(flow, view, p);
	} else {
		/* Refused here already: a connection that cannot be confirmed is better not begun.
		 */
		if (READ_ONCE(counters->flows) >= view->conf->max_flows) {
			__sync_fetch_and_add(&counters->allowance_exceeded, 1);
			return SG_DROP_ALLOWANCE;
		}
		__builtin_memset(&p->flow, 0, sizeof(p->flow));
		p->flow.state = word;
		sg_flow_init(&p->flow, view, p);
		if (hit->flow || !sg_flow_place(view, p, counters)) {
			void *table = bpf_map_lookup_elem(&sg_half, &slot);

			if (!table || bpf_map_update_elem(table, &p->key, &p->flow, BPF_ANY))
				return SG_DROP_TABLE_FULL;
			/* After the insert: see sg_collect_half(). */
			__sync_fetch_and_add(&counters->lru, 1);
		}
	}
	stats = bpf_map_lookup_elem(&sg_rules, &rule);
	if (stats)
		__sync_fetch_and_add(&stats->flows, 1);
	return rule & SG_RULE_EXEMPT ? SG_ALLOW_EXEMPT : SG_ALLOW_RULE;
}

/* A flow whose handshake nobody saw goes to the shard at once, so that a flood of ACKs cannot evict
 * half-open ones. */
sg_noinline __u32 sg_flow_adopt(const struct sg_view *view, struct sg_packet *p)
{
	struct sg_rule_stats *stats;
	__u32 verdict, rule = p->question.rule, dir = p->dir & 1;

	__builtin_memset(&p->flow, 0, sizeof(p->flow));
	sg_flow_init(&p->flow, view, p);
	sg_tcp_adopt(&p->flow.half[dir], &p->flow.half[dir ^ 1], &p->tcp);
	verdict = sg_flow_confirm(view, p, &p->flow, SG_TCP_ESTABLISHED | SG_FLOW_REPLIED << 8);
	if (sg_reason_is_drop(verdict))
		return verdict;
	stats = bpf_map_lookup_elem(&sg_rules, &rule);
	if (stats)
		__sync_fetch_and_add(&stats->flows, 1);
	return rule & SG_RULE_EXEMPT ? SG_ALLOW_EXEMPT : SG_ALLOW_RULE;
}

/* An ICMP error whose inner packet belongs to a live flow. It neither keeps the flow alive nor
 * changes it. */
sg_noinline int sg_flow_related(const struct sg_view *view, struct sg_packet *p)
{
	__u32 inner_dir = !(p->dir & 1);
	struct sg_hit hit;

	p->inner.slot = p->key.slot;
	sg_flow_find(view, &p->inner, &hit);
	if (!hit.flow || hit.over || SG_FLOW_STATE(hit.state) == SG_TCP_CLOSED ||
	    SG_FLOW_STATE(hit.state) == SG_SCTP_CLOSED)
		return 0;
	/* Whose rule may be gone is not asked here (kernel 6.1: the stack); the flow's next packet
	 * settles it. */
	if (!sg_flow_is_fresh(view, hit.flow) &&
	    hit.flow->stamp > READ_ONCE(view->iface->keep_until))
		return 0;
	/* Errors go to the sender of a packet: that side must have sent one. */
	if (!hit.flow->half[inner_dir & 1].packets)
		return 0;
	if (p->inner.proto != SG_IPPROTO_TCP)
		return 1;
	return sg_inner_sequence_fits(&hit.flow->half[inner_dir & 1],
				      &hit.flow->half[(inner_dir ^ 1) & 1], p->inner_seq);
}
