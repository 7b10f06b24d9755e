/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.bpf.h - does a rule allow this? Asked only for packets that open a flow, and for flows
 * whose witness may be gone.
 *
 * Rules only allow, so the first hit decides:
 *   0. what the VM sends to an exempt endpoint of its network;
 *   1. the peer any, before the address is even classified;
 *   2. the peers of the address's member set, then those of its prefix set, each in ascending
 * order;
 *   3. within a peer the packet's protocol, then the rules for every protocol.
 * The cost is at most a few dozen lookups, whatever the number of rules and members; none where the
 * policy's outline excludes the protocol and port. The offline evaluator (rulesd/eval.c) keeps the
 * same order.
 */
#pragma once

#include "bpf/member.bpf.h"
#include "bpf/outline.bpf.h"
#include "bpf/state.bpf.h"

/* 2^23 intervals at most: one step each. */
#define SG_SEARCH_STEPS 23

/* Kernel 6.1 has 512 bytes of stack for eight frames of at least 32: the two map keys share theirs.
 */
union sg_policy_cursor {
	struct sg_policy_key key;
	__u32 index;
};

/* The rule of the interval that holds port, or 0. */
sg_inline __u32 sg_policy_interval(union sg_policy_cursor *at, __u32 start, __u32 count, __u32 port)
{
	__u32 i;

	for (i = 0; i < SG_SEARCH_STEPS; i++) {
		struct sg_interval *interval;

		if (!count)
			return 0;
		at->index = start + count / 2;
		interval = bpf_map_lookup_elem(&sg_intervals, &at->index);
		if (!interval)
			return 0;
		if (port < interval->first) {
			count /= 2;
		} else if (port > interval->last) {
			start = at->index + 1;
			count -= count / 2 + 1;
		} else {
			return interval->rule;
		}
	}
	return 0;
}

/* An entry's two words. */
#define SG_PORTS_WORD(ports) (*(__u64 *)(ports))
#define SG_PORTS_ONE(ports)  (*(__u64 *)&(ports)->one)
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "count and first are low");

sg_inline __u32 sg_policy_single(__u64 one, __u32 port)
{
	return port >= (__u16)one && port <= (__u16)(one >> 16) ? one >> 32 : 0;
}

/* Times that an entry may change while it is read. */
#define SG_READ_TRIES 3

/* One (peer, protocol): a global function, so that its search is verified once, not once a peer. */
__noinline __u32 sg_policy_peer(const struct sg_question *q, __u32 peer, __u32 proto)
{
	union sg_policy_cursor at = {.key = {.peer = peer, .proto = proto}};
	struct sg_policy_ports *ports;
	__u32 count, i;
	__u64 word, one;

	if (!q)
		return 0;
	at.key.policy = q->policy;
	at.key.dir = q->dir;
	ports = bpf_map_lookup_elem(&sg_policy, &at.key);
	if (!ports)
		return 0;
	for (i = 0; i < SG_READ_TRIES; i++) {
		word = READ_ONCE(SG_PORTS_WORD(ports));
		one = READ_ONCE(SG_PORTS_ONE(ports));
		count = word;
		if (count & SG_PORTS_SINCE && !SG_PORTS_HOLD(word >> 32, q->generation)) {
			at.key.pad = SG_PORTS_TAG(count);
			ports = bpf_map_lookup_elem(&sg_policy, &at.key);
			if (!ports)
				return 0;
			count = ports->count;
			word = SG_PORTS_WORD(ports);
			one = SG_PORTS_ONE(ports);
			break;
		}
		if (word == READ_ONCE(SG_PORTS_WORD(ports)))
			break;
	}
	if (i == SG_READ_TRIES)
		return 0;
	if (SG_PORTS_COUNT(count) == 1)
		return sg_policy_single(one, q->port);
	return sg_policy_interval(&at, (count & SG_PORTS_SINCE ? one : word) >> 32,
				  SG_PORTS_COUNT(count), q->port);
}

sg_inline __u32 sg_policy_protocols(struct sg_question *q, __u32 peer)
{
	__u32 rule = sg_policy_peer(q, peer, q->proto);

	if (!rule && q->has & SG_HAS_ALL)
		rule = sg_policy_peer(q, peer, SG_PROTO_ALL);
	if (rule) {
		q->rule = rule;
		q->peer = peer;
	}
	return rule;
}

__noinline __u32 sg_policy_set(struct sg_question *q, __u32 number)
{
	struct sg_set *set;
	__u32 i, count;

	if (!q || !number)
		return 0;
	if (number & SG_SET_SINGLE)
		return sg_policy_protocols(q, number & ~SG_SET_SINGLE);
	set = bpf_map_lookup_elem(&sg_sets, &number);
	if (!set)
		return 0;
	count = set->count;
	for (i = 0; i < SG_SET_PEERS; i++) {
		__u32 rule;

		if (i >= count)
			break;
		rule = sg_policy_protocols(q, set->peers[i]);
		if (rule)
			return rule;
	}
	return 0;
}

sg_inline __u32 sg_policy_prefixes(struct sg_question *q)
{
	struct sg_prefix_key key = {
		.prefixlen = 32 + 128,
		.space = SG_SPACE(q->zone, q->is_v6),
	};
	struct sg_version *found;

	__builtin_memcpy(key.addr, q->remote.b, 16);
	found = bpf_map_lookup_elem(&sg_prefixes, &key);
	return found ? sg_policy_set(q, sg_version_at(found, q->generation)) : 0;
}

/* Forgets those kinds of peers whose rules cannot allow it. */
sg_inline void sg_policy_outline(struct sg_question *q)
{
	const struct sg_outline *outline = sg_outline_of(q->outline, q->policy);

	if (!sg_outline_any(outline, q->dir, q->proto, q->port))
		q->has &= ~SG_HAS_ANY;
	if (!sg_outline_others(outline, q->dir, q->proto, q->port))
		q->has &= ~(SG_HAS_GROUP | SG_HAS_PREFIX | SG_HAS_EXEMPT);
}

/* Answers in q->rule and q->peer; returns the rule, 0 when nothing allows it. */
__noinline __u32 sg_policy_allows(struct sg_question *q)
{
	if (!q)
		return 0;
	q->rule = 0;
	q->peer = 0;
	if (!q->policy)
		return 0;
	sg_policy_outline(q);
	if (q->has & SG_HAS_EXEMPT) {
		q->dir = SG_DIR_EXEMPT;
		sg_policy_prefixes(q);
		q->dir = SG_EGRESS;
		if (q->rule)
			return q->rule;
	}
	if (q->has & SG_HAS_ANY && sg_policy_protocols(q, SG_PEER_ANY))
		return q->rule;
	if (q->has & SG_HAS_GROUP &&
	    sg_policy_set(q, sg_member_set(&q->remote, q->zone, q->generation)))
		return q->rule;
	return q->has & SG_HAS_PREFIX ? sg_policy_prefixes(q) : 0;
}
