/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.bpf.h - the one exit: counts, reports, and returns the reason.
 */
#pragma once

#include "bpf/state.bpf.h"

/* Best effort: a full ring buffer loses the event, never the verdict. */
sg_noinline void sg_report(const struct sg_packet *p, __u32 reason, __u32 rule)
{
	struct sg_event *event = bpf_ringbuf_reserve(&sg_events, sizeof(*event), 0);

	if (!event)
		return;
	event->time_ns = bpf_ktime_get_ns();
	event->src = *sg_source(p);
	event->dst = *sg_destination(p);
	event->sport = p->dir == SG_EGRESS ? p->key.lport : p->key.rport;
	event->dport = bpf_htons(p->port);
	event->rule = rule;
	event->bytes = p->bytes;
	event->slot = p->key.slot;
	event->proto = p->proto;
	event->dir = p->dir;
	event->reason = reason;
	event->family = p->family;
	event->ethertype = p->ethertype;
	event->pad = 0;
	bpf_ringbuf_submit(event, 0);
}

/* rule is the one that opened a flow, if any. Frames of devices that are not ours count under slot
 * 0. */
sg_inline __u32 sg_verdict(const struct sg_view *view, const struct sg_packet *p, __u32 reason,
			   __u32 rule)
{
	__u32 slot = p->key.slot, outcome = reason >= SG_DROP_FIRST ? SG_DROPPED : SG_ALLOWED;
	struct sg_stats *stats = bpf_map_lookup_elem(&sg_stats, &slot);
	__u32 dir = p->dir & 1, flags = view->control ? READ_ONCE(view->control->flags) : 0;

	if (stats) {
		stats->packets[dir][outcome]++;
		stats->bytes[dir][outcome] += p->bytes;
		stats->reasons[reason & (SG_REASONS_ROOM - 1)]++;
	}
	if (flags &&
	    ((flags & SG_EVENT_DROPS && outcome == SG_DROPPED) ||
	     (flags & SG_EVENT_FLOWS && (reason == SG_ALLOW_RULE || reason == SG_ALLOW_EXEMPT))))
		sg_report(p, reason, rule);
	return reason;
}
