/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refuse.bpf.h - the short way to drop, for what floods are made of: SYNs and UDP datagrams that no
 * rule can allow, ACKs of no connection, foreign source addresses; behind plain headers.
 *
 * It drops what the long way (filter.bpf.h) would drop, for the same reason. Whatever is not
 * ordinary, or has to be reported, takes the long way.
 */
#pragma once

#include "bpf/guard.bpf.h"
#include "bpf/outline.bpf.h"

/* No verdict: the long way decides. */
#define SG_UNDECIDED (SG_REASONS + 1)

/* A packet that belongs to no flow, or perhaps to none. */
struct sg_stranger {
	const struct sg_flow_key *key;
	__u8 dir;
	__u8 proto; /* TCP or UDP */
	__u8 syn;   /* TCP: a SYN and nothing else; otherwise an ACK */
};

/* Whether the rules of that direction may allow what opens a flow of this key, whoever is there. */
sg_inline int sg_refuse_may_open(const struct sg_outline *outline, const struct sg_stranger *s,
				 __u8 opener)
{
	__u32 port = bpf_ntohs(opener == SG_EGRESS ? s->key->rport : s->key->lport);

	return sg_outline_any(outline, opener, s->proto, port) ||
	       sg_outline_others(outline, opener, s->proto, port);
}

/*
 * Whether it is known without a look that a SYN which no rule allows has no flow: the interface has
 * none at all (they are counted before they are in a table and until they have left it), or its
 * flows are all ones that the policy may allow, and it allows none of this key from the other side
 * either.
 */
sg_inline int sg_refuse_has_no_flow(const struct sg_view *view, const struct sg_slot *counters,
				    const struct sg_outline *outline, const struct sg_stranger *s)
{
	if (!(READ_ONCE(counters->flows) | READ_ONCE(counters->half) | READ_ONCE(counters->lru)))
		return 1;
	return view->now >= READ_ONCE(counters->clean_from) &&
	       !sg_refuse_may_open(outline, s, s->dir ^ 1);
}

/* As sg_guard_open(), for addresses that need no second look: SG_GO_ON or a reason to drop. */
sg_noinline __u32 sg_refuse_guard(const struct sg_view *view, const struct sg_flow_key *key,
				  __u8 dir)
{
	const struct sg_addr *local = &key->local, *remote = &key->remote;
	const struct sg_addr *source = dir == SG_EGRESS ? local : remote;
	int is_v4 = sg_addr_is_v4(local);

	if (sg_is_martian(is_v4, source))
		return SG_UNDECIDED;
	if (!(view->conf->flags & SG_IF_SPOOF_GUARD))
		return SG_GO_ON;
	if (!is_v4 && (sg_is_link_local(local) || sg_is_link_local(remote)))
		return SG_UNDECIDED;
	if (dir == SG_EGRESS)
		return sg_guard_bits(view, key->slot, local) ? SG_GO_ON : SG_DROP_SPOOFED_SOURCE;
	if (!sg_guard_bits(view, key->slot, local) ||
	    sg_guard_bits(view, key->slot, remote) & SG_GUARD_OWN)
		return SG_UNDECIDED;
	return SG_GO_ON;
}

/*
 * Why it drops, or SG_UNDECIDED. It is known that it has no flow, and, of a SYN, that no rule can
 * allow it.
 */
sg_inline __u32 sg_refuse(const struct sg_view *view, const struct sg_outline *outline,
			  const struct sg_stranger *s)
{
	__u32 verdict;

	if (READ_ONCE(view->control->flags) & SG_EVENT_DROPS)
		return SG_UNDECIDED;
	/* What a DHCP client sends and is sent. */
	if (s->proto == SG_IPPROTO_UDP &&
	    (s->key->lport == bpf_htons(68) || s->key->lport == bpf_htons(546)))
		return SG_UNDECIDED;
	verdict = sg_refuse_guard(view, s->key, s->dir);
	if (verdict != SG_GO_ON)
		return verdict;
	if (s->proto == SG_IPPROTO_TCP && !s->syn)
		return view->now < READ_ONCE(view->iface->adopt_until) ? SG_UNDECIDED
								       : SG_DROP_NO_FLOW;
	if (s->syn)
		return SG_DROP_NO_RULE;
	return sg_refuse_may_open(outline, s, s->dir) ? SG_UNDECIDED : SG_DROP_NO_RULE;
}
