/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * early.bpf.h - dropping by XDP, before the kernel makes a packet of a frame, what the tc program
 * behind it would drop: while a VM floods (rulesd/engine_flood.c).
 *
 * It decides drops only. What it lets go on it neither counts nor enters into any table: the tc
 * program does, as always, and decides. So it may come and go at any moment: a frame that it has
 * not seen, or has let go on in doubt, is filtered no less.
 */
#pragma once

#include "bpf/filter.bpf.h"

/* The reason to drop a packet that belongs to no flow, or SG_GO_ON. */
sg_noinline __u32 sg_early_open(const struct sg_view *view, struct sg_packet *p,
				const struct sg_hit *hit)
{
	int adopt;

	return sg_may_open(view, p, hit, &adopt);
}

sg_inline __u32 sg_early_filter(const struct sg_view *view, struct sg_packet *p)
{
	__u32 verdict = sg_guard_frame(view, p);
	struct sg_hit hit = {};

	if (verdict != SG_GO_ON || p->flags & SG_PKT_LATER_FRAGMENT)
		return verdict;
	if (p->flags & SG_PKT_TCP && !sg_tcp_flags_valid(p->tcp.flags))
		return SG_DROP_TCP_FLAGS;
	if (!(p->flags & SG_PKT_UNTRACKED)) {
		sg_flow_find(view, &p->key, &hit);
		/* Live, over or to be revoked: to be judged where that has its effect. */
		if (hit.flow)
			return SG_GO_ON;
	}
	return sg_early_open(view, p, &hit);
}

/*
 * For the packet in this CPU's scratch, as sg_judge: whether it drops, which then is counted and
 * reported.
 */
__noinline int sg_early(__u32 parsed, __u32 ifindex)
{
	__u32 zero = 0, verdict;
	struct sg_packet *p = bpf_map_lookup_elem(&sg_packet_scratch, &zero);
	struct sg_view view = {};

	/* A device that is not ours any more, or bytes that only tc can reach. */
	if (!p || parsed == SG_DROP_TRUNCATED || sg_view_open(&view, p, ifindex) != SG_PARSED)
		return 0;
	verdict = parsed == SG_PARSED ? sg_early_filter(&view, p) : parsed;
	if (verdict == SG_GO_ON || !sg_reason_is_drop(verdict))
		return 0;
	sg_verdict(&view, p, verdict, 0);
	return 1;
}
