/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.bpf.h - what happens to a parsed packet, the same for every hook: guard -> conntrack ->
 * policy.
 */
#pragma once

#include "bpf/conntrack.bpf.h"
#include "bpf/fragments.bpf.h"
#include "bpf/guard.bpf.h"
#include "bpf/policy.bpf.h"
#include "bpf/verdict.bpf.h"

/*
 * A packet of no live flow: guard its addresses, then ask the rules. SG_GO_ON when one allows it,
 * which the question names; *adopt: it opens no flow, but belongs to one that runs already. Nothing
 * is written but this CPU's scratch.
 */
sg_inline __u32 sg_may_open(const struct sg_view *view, struct sg_packet *p,
			    const struct sg_hit *hit, int *adopt)
{
	__u32 verdict = sg_guard_open(view, p);
	struct sg_question *q = &p->question;

	*adopt = 0;
	if (verdict != SG_GO_ON)
		return verdict;
	if (p->flags & SG_PKT_ERROR && sg_flow_related(view, p))
		return SG_ALLOW_RELATED;
	/* Only a SYN opens a TCP flow; but for a while after a tap was first attached, on request,
	 * flows that already run are adopted. */
	if (p->flags & SG_PKT_TCP &&
	    (p->tcp.flags & (SG_TCP_FLAG_SYN | SG_TCP_FLAG_ACK)) != SG_TCP_FLAG_SYN) {
		if (!sg_tcp_adoptable(&p->tcp) || hit->flow ||
		    view->now >= READ_ONCE(view->iface->adopt_until))
			return SG_DROP_NO_FLOW;
		*adopt = 1;
	}
	/* Only an INIT opens an association. */
	if (p->flags & SG_PKT_SCTP && !sg_sctp_opens(&p->sctp))
		return SG_DROP_NO_FLOW;
	sg_question_init(q, view, &p->key, p->dir, p->port);
	if (!sg_policy_allows(q))
		return sg_icmp_is_error_packet(p) ? SG_DROP_ICMP_UNRELATED : SG_DROP_NO_RULE;
	return SG_GO_ON;
}

/* The same, and what it opens. *rule names the one that allows it. */
sg_noinline __u32 sg_open(const struct sg_view *view, struct sg_packet *p, const struct sg_hit *hit,
			  __u32 *rule)
{
	int adopt;
	__u32 verdict = sg_may_open(view, p, hit, &adopt);

	if (verdict != SG_GO_ON)
		return verdict;
	*rule = p->question.rule;
	/* ICMP without a flow of its own, and replies that nobody asked for: each is allowed by
	 * itself. */
	if (p->flags & (SG_PKT_UNTRACKED | SG_PKT_REPLY))
		return *rule & SG_RULE_EXEMPT ? SG_ALLOW_EXEMPT : SG_ALLOW_RULE;
	return adopt ? sg_flow_adopt(view, p) : sg_flow_open(view, p, hit);
}

/* Rare, so not inlined. verdict is that of a first fragment. */
sg_noinline __u32 sg_fragment(const struct sg_view *view, const struct sg_packet *p, __u32 verdict)
{
	if (p->flags & SG_PKT_LATER_FRAGMENT)
		return sg_frag_later(view, p);
	return sg_frag_first(view, p, verdict);
}

sg_inline __u32 sg_filter(const struct sg_view *view, struct sg_packet *p, __u32 *rule)
{
	__u32 verdict = sg_guard_frame(view, p);
	struct sg_hit hit = {};

	if (verdict != SG_GO_ON)
		return verdict;
	if (p->flags & SG_PKT_LATER_FRAGMENT)
		return sg_fragment(view, p, verdict);
	if (p->flags & SG_PKT_TCP && !sg_tcp_flags_valid(p->tcp.flags))
		return SG_DROP_TCP_FLAGS;
	if (!(p->flags & SG_PKT_UNTRACKED)) {
		sg_flow_find(view, &p->key, &hit);
		if (hit.flow && !hit.over)
			verdict = sg_flow_packet(view, p, &hit);
	}
	if (verdict == SG_GO_ON)
		verdict = sg_open(view, p, &hit, rule);
	if (p->flags & SG_PKT_MORE_FRAGMENTS && !sg_reason_is_drop(verdict))
		return sg_fragment(view, p, verdict);
	return verdict;
}

/*
 * Everything after the parser, for the packet in this CPU's scratch. Verifier: a global function is
 * verified once and by itself; inlined, its states would multiply with the parser's. parsed is
 * SG_PARSED or the parser's reason to drop.
 */
__noinline __u32 sg_judge(__u32 parsed, __u32 ifindex)
{
	__u32 zero = 0, rule = 0, verdict;
	struct sg_packet *p = bpf_map_lookup_elem(&sg_packet_scratch, &zero);
	struct sg_view view = {};

	if (!p)
		return SG_DROP_INTERNAL;
	verdict = sg_view_open(&view, p, ifindex);
	if (verdict == SG_PARSED)
		verdict = parsed;
	if (verdict == SG_PARSED)
		verdict = sg_filter(&view, p, &rule);
	return sg_verdict(&view, p, verdict, rule);
}
