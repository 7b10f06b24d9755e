/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * related.bpf.h - the packet inside an ICMP error: which flow it belonged to, and whether the
 * numbers fit.
 *
 * RFC 5927 and CVE-2019-5598: an error is related only if it goes to the sender of the packet
 * inside, that packet belongs to a live flow, and, for TCP, its sequence number was really in
 * flight.
 */
#pragma once

#include "bpf/parse.bpf.h"

/* What lies behind the packet's own end is padding, whatever it looks like. */
sg_inline void *sg_inner_at(const struct sg_frame *f, const struct sg_packet *p, __u32 offset,
			    __u32 size)
{
	return offset + size > p->end ? 0 : sg_at(f, offset, size);
}

/*
 * Fills p->inner and p->inner_seq. The packet inside travelled against p->dir. What does not fit
 * clears SG_PKT_ERROR: then only a rule can allow the message. SG_DROP_TRUNCATED: more bytes are
 * needed than are reachable.
 */
sg_noinline __u32 sg_parse_inner(const struct sg_frame *f, struct sg_packet *p)
{
	struct sg_addr src = {}, dst = {};
	__u8 inner_dir = !p->dir, proto;
	__be16 sport, dport;
	const __u8 *h;
	__u32 l4;

	p->flags &= ~SG_PKT_ERROR;
	__builtin_memset(&p->inner, 0, sizeof(p->inner));
	if (p->family == 4) {
		h = sg_inner_at(f, p, p->l4 + 8, 20);
		if (!h)
			return SG_DROP_TRUNCATED;
		/* The inner header's own length and offset: no options beyond 60, no later
		 * fragment. */
		if (h[0] >> 4 != 4 || (h[0] & 0xf) < 5 || sg_be16(h + 6) & 0x1fff)
			return SG_PARSED;
		proto = h[9];
		sg_addr_set_v4(&src, sg_raw32(h + 12));
		sg_addr_set_v4(&dst, sg_raw32(h + 16));
		l4 = p->l4 + 8 + (h[0] & 0xf) * 4;
	} else {
		__u32 i;

		h = sg_inner_at(f, p, p->l4 + 8, 40);
		if (!h)
			return SG_DROP_TRUNCATED;
		if (h[0] >> 4 != 6)
			return SG_PARSED;
		proto = h[6];
		sg_addr_copy(&src, h + 8);
		sg_addr_copy(&dst, h + 24);
		l4 = p->l4 + 48;
#pragma unroll
		for (i = 0; i < 2; i++) {
			if (!sg_is_extension(proto))
				break;
			h = sg_inner_at(f, p, l4, 8);
			if (!h)
				return SG_DROP_TRUNCATED;
			if (proto == SG_IPPROTO_FRAGMENT && sg_be16(h + 2) & 0xfff8)
				return SG_PARSED;
			l4 += proto == SG_IPPROTO_FRAGMENT ? 8
			      : proto == SG_IPPROTO_AH	   ? (h[1] + 2) * 4
							   : (h[1] + 1) * 8;
			proto = h[0];
		}
		if (sg_is_extension(proto))
			return SG_PARSED;
	}
	if (!sg_addr_equal(&src, sg_destination(p)))
		return SG_PARSED;

	p->inner.local = inner_dir == SG_EGRESS ? src : dst;
	p->inner.remote = inner_dir == SG_EGRESS ? dst : src;
	p->inner.proto = proto;
	if (proto == SG_IPPROTO_TCP || proto == SG_IPPROTO_UDP || proto == SG_IPPROTO_SCTP) {
		h = sg_inner_at(f, p, l4, 8);
		if (!h)
			return SG_DROP_TRUNCATED;
		sport = sg_raw16(h);
		dport = sg_raw16(h + 2);
		p->inner.lport = inner_dir == SG_EGRESS ? sport : dport;
		p->inner.rport = inner_dir == SG_EGRESS ? dport : sport;
		p->inner_seq = sg_be32(h + 4);
	} else if ((proto == SG_IPPROTO_ICMP && p->family == 4) ||
		   (proto == SG_IPPROTO_ICMPV6 && p->family == 6)) {
		int is_reply, request;

		h = sg_inner_at(f, p, l4, 8);
		if (!h)
			return SG_DROP_TRUNCATED;
		request = sg_icmp_request(p->family, h[0], &is_reply);
		if (request < 0) /* an error about an error is never sent (RFC 1122, 3.2.2) */
			return SG_PARSED;
		p->inner.lport = sg_raw16(h + 4);
		p->inner.rport = SG_ICMP_FLOW(request, is_reply ? !inner_dir : inner_dir);
	}
	p->flags |= SG_PKT_ERROR;
	return SG_PARSED;
}

/* Whether a segment with this sequence number can be in flight in the direction that the half
 * belongs to. */
sg_inline int sg_inner_sequence_fits(const struct sg_flow_half *sender,
				     const struct sg_flow_half *receiver, __u32 seq)
{
	__u32 lag = receiver->maxwin > SG_TCP_ACK_WINDOW ? receiver->maxwin : SG_TCP_ACK_WINDOW;

	return !sg_seq_after(seq, sender->end) && sg_seq_after(seq, sender->end - lag - 1);
}
