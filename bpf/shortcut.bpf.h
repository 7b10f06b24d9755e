/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shortcut.bpf.h - the short way through the filter, for what most frames are: a TCP segment (ACK,
 * with or without PSH) or a UDP datagram of a live, confirmed flow, behind plain IPv4 or IPv6
 * headers; for the segments with which connections begin and end (segment.bpf.h); and out of it,
 * for what floods are made of (refuse.bpf.h).
 *
 * It judges as the long way (filter.bpf.h) does, with the same functions, but keeps the packet in
 * registers. A frame that is anything else takes the long way from the beginning: until a frame is
 * sure to pass or to drop, nothing is written.
 *
 * What a segment of an established flow meets comes first in the source, because clang lays out the
 * branches of BPF programs in that order: between two frames the kernel's code takes the
 * processor's nearest caches, and each line of instructions that has to come back costs more than
 * they do.
 *
 * A flow that this CPU has not met of late is in no near cache, here and at the tap of this host
 * that the segment may be for. Both are fetched at once: the other one's is asked for before this
 * one's is waited for.
 *
 * A function apart, because its stack and that of the long way must not add up (kernel 6.1).
 */
#pragma once

#include "bpf/flowtable.bpf.h"
#include "bpf/parse.bpf.h"
#include "bpf/refuse.bpf.h"
#include "bpf/segment.bpf.h"

/*
 * The key is written in the units that the kernel's hash and comparison read it in, words and
 * double words: a load that spans several younger stores waits until they have left the store
 * buffer. Ports are word 0, slot and protocol word 1.
 */
sg_inline __u32 *sg_short_word(struct sg_flow_key *key, __u32 word)
{
	return (__u32 *)&key->lport + word;
}

sg_inline void sg_short_v4(struct sg_addr *to, __be32 v4)
{
	to->q[0] = 0;
	to->q[1] = (__u64)v4 << 32 | bpf_htonl(0xffff);
}

sg_inline int sg_short_l4(const struct sg_frame *f, struct sg_short *s, __u8 dir)
{
	__be16 sport = sg_raw16(s->l4);
	__u32 length, flags;

	if (s->proto == SG_IPPROTO_TCP) {
		if ((void *)(s->l4 + 20) > f->data_end || sg_short_tcp_header(s) < 20 ||
		    sg_short_tcp_header(s) > s->l4_bytes)
			return 0;
		flags = s->l4[13] & 0x3f;
		s->flags = flags & ~SG_TCP_FLAG_PSH;
		if (s->flags == SG_TCP_FLAG_ACK)
			return 1;
		if (flags & SG_TCP_FLAG_SYN)
			return !(flags & ~(SG_TCP_FLAG_SYN | SG_TCP_FLAG_ACK));
		return (s->flags & ~SG_TCP_FLAG_FIN) == SG_TCP_FLAG_ACK;
	}
	s->flags = 0;
	if (s->proto != SG_IPPROTO_UDP)
		return 0;
	length = sg_be16(s->l4 + 4);
	/* What a DHCP server says is the guard's business. */
	return length >= 8 && length <= s->l4_bytes &&
	       (dir == SG_INGRESS || (sport != bpf_htons(67) && sport != bpf_htons(547)));
}

/* 1 when the frame has the shape; fills in everything but the slot. */
sg_inline int sg_short_parse(const struct sg_frame *f, struct sg_short *s, __u8 dir)
{
	struct sg_addr *src = dir == SG_EGRESS ? &s->key.local : &s->key.remote;
	struct sg_addr *dst = dir == SG_EGRESS ? &s->key.remote : &s->key.local;
	const __u8 *eth = f->data, *h = eth + 14;
	__u32 ports, room = f->bytes - 14;
	__be16 type;

	if ((void *)(h + 28) > f->data_end)
		return 0;
	type = sg_raw16(eth + 12);
	if (type == bpf_htons(SG_ETH_IPV4)) {
		__u32 total = sg_be16(h + 2);

		if (h[0] != 0x45 || sg_raw16(h + 6) & bpf_htons(0x3fff) || total < 28 ||
		    total > room)
			return 0;
		sg_short_v4(src, sg_raw32(h + 12));
		sg_short_v4(dst, sg_raw32(h + 16));
		s->proto = h[9];
		s->l4 = h + 20;
		s->l4_bytes = total - 20;
	} else if (type == bpf_htons(SG_ETH_IPV6)) {
		if ((void *)(h + 48) > f->data_end)
			return 0;
		s->l4_bytes = sg_be16(h + 4);
		if (h[0] >> 4 != 6 || s->l4_bytes < 8 || 40 + s->l4_bytes > room)
			return 0;
		src->q[0] = *(const __u64 *)(h + 8);
		src->q[1] = *(const __u64 *)(h + 16);
		dst->q[0] = *(const __u64 *)(h + 24);
		dst->q[1] = *(const __u64 *)(h + 32);
		if (sg_addr_is_v4(src) || sg_addr_is_v4(dst))
			return 0;
		s->proto = h[6];
		s->l4 = h + 40;
	} else {
		return 0;
	}
	ports = sg_raw32(s->l4);
	*sg_short_word(&s->key, 0) = dir == SG_EGRESS ? ports : ports << 16 | ports >> 16;
	return sg_short_l4(f, s, dir);
}

sg_inline int sg_short_guard(const struct sg_frame *f, const struct sg_iface_conf *conf, __u8 dir)
{
	const __u32 checks = SG_IF_SPOOF_GUARD | SG_IF_CHECK_MAC;
	const __u8 *source = f->data + 6;

	if (dir == SG_INGRESS || (conf->flags & checks) != checks)
		return 1;
	return sg_raw32(source) == *(const __be32 *)conf->mac &&
	       sg_raw16(source + 4) == *(const __be16 *)(conf->mac + 4);
}

/* Whether the flow is confirmed, allowed, has been answered, and nothing ends it. */
sg_inline int sg_short_steady(const struct sg_control *control, const struct sg_hit *hit,
			      __u32 state)
{
	return (hit->state & ~(SG_FLOW_EXEMPT << 8)) == (SG_FLOW_REPLIED << 8 | state) &&
	       READ_ONCE(hit->flow->stamp) >= READ_ONCE(control->last_removal);
}

/* The last word about a flow, behind what was read of it: it has not timed out, and the cell is
 * still its own. Most have had a packet in this very jiffy. */
sg_inline int sg_short_lives(const struct sg_hit *hit, struct sg_flow_half *mine, __u32 now,
			     __u32 timeout)
{
	if (!sg_hit_stands(hit))
		return 0;
	if (READ_ONCE(mine->seen) != now) {
		if (sg_flow_idle(hit->flow, now) > timeout)
			return 0;
		WRITE_ONCE(mine->seen, now);
	}
	return 1;
}

/* A packet of a flow that is steady, when this says that it passes. */
sg_inline int sg_short_passes(struct sg_short *s, struct sg_flow_half *mine, __u8 dir)
{
	struct sg_stats *stats = s->stats;
	__u32 bytes = s->bytes;

	mine->packets++;
	mine->bytes += bytes;
	sg_short_count(stats, bytes, dir, SG_ALLOWED, SG_ALLOW_FLOW);
	return SG_SHORT_PASSES;
}

sg_inline int sg_short_tcp(struct sg_short *s, const struct sg_hit *hit, __u8 dir)
{
	struct sg_flow_half *mine = &hit->flow->half[dir], *theirs = &hit->flow->half[dir ^ 1];
	struct sg_tcp_segment seg = {.flags = SG_TCP_FLAG_ACK};

	if (!sg_short_segment(s, s->end, &seg) ||
	    sg_tcp_window(mine, theirs, &seg) != SG_TCP_ACCEPT ||
	    !sg_short_lives(hit, mine, s->view.now,
			    s->view.conf->timeout[SG_TIMEOUT_TCP_ESTABLISHED]))
		return SG_SHORT_UNDECIDED;
	sg_tcp_record(mine, theirs, &seg);
	return sg_short_passes(s, mine, dir);
}

/*
 * A flow that this CPU has not met of late: the other tap's cell is asked for before this one's is
 * waited for. A function apart, though the place of the flow is worked out twice. Verifier: with it
 * inline, Linux 6.1 takes 125 instructions for dead that are not, and drops what the policy allows
 * (prog/test_cases there).
 */
sg_noinline void sg_short_ahead(const struct sg_short *s)
{
	struct sg_place place = sg_place_of(&s->key, s->view.control->hash, s->view.conf->buckets);

	if (!sg_recently(&place))
		sg_short_neighbour(&s->key, s->view.conf->zone, s->view.generation);
}

/* drops_only: what may pass is left to the next program; it is neither counted nor tracked. */
sg_inline int sg_shortcut(const struct sg_frame *f, __u32 ifindex, __u8 dir, int drops_only)
{
	__u32 zero = 0, slot;
	struct sg_hit hit;
	struct sg_short s;
	int decided = SG_SHORT_STRANGER;

	if (!sg_short_parse(f, &s, dir))
		return SG_SHORT_UNDECIDED;
	slot = sg_slot_of(ifindex);
	s.view.control = bpf_map_lookup_elem(&sg_control, &zero);
	s.view.iface = bpf_map_lookup_elem(&sg_ifaces, &slot);
	s.stats = bpf_map_lookup_elem(&sg_stats, &slot);
	if (!slot || !s.view.control || !s.stats || !s.view.iface ||
	    s.view.iface->ifindex != ifindex)
		return SG_SHORT_UNDECIDED;
	s.view.generation = READ_ONCE(s.view.control->generation);
	s.view.conf = sg_iface_conf_at(s.view.iface, s.view.generation);
	if (!s.view.conf || !sg_short_guard(f, s.view.conf, dir))
		return SG_SHORT_UNDECIDED;
	*sg_short_word(&s.key, 1) = slot | (__u32)s.proto << 16;
	s.end = f->data_end;
	s.bytes = f->bytes;
	s.dir = dir;
	s.view.now = bpf_jiffies64();
	if (s.flags != SG_TCP_FLAG_SYN) {
		/* What answers or ends a connection mostly comes soon after its other segments. */
		if (dir == SG_EGRESS && !drops_only && !(s.flags & ~SG_TCP_FLAG_ACK))
			sg_short_ahead(&s);
		if (sg_shard_find(s.view.control, s.view.conf, &s.key, &hit)) {
			/* From here on it is read from where it is, so that it is there once. */
			asm volatile("" ::: "memory");
			if (s.proto == SG_IPPROTO_TCP) {
				if (s.flags == SG_TCP_FLAG_ACK &&
				    sg_short_steady(s.view.control, &hit, SG_TCP_ESTABLISHED))
					return drops_only ? SG_SHORT_PASSES
							  : sg_short_tcp(&s, &hit, dir);
				if (drops_only)
					return SG_SHORT_UNDECIDED;
				return s.flags & SG_TCP_FLAG_SYN
					       ? sg_short_answer(&s, hit.flow, hit.state, hit.use)
					       : sg_short_moves(&s, hit.flow, hit.state, hit.use);
			}
			if (!sg_short_steady(s.view.control, &hit, SG_TCP_NONE))
				return SG_SHORT_UNDECIDED;
			if (drops_only)
				return SG_SHORT_PASSES;
			if (!sg_short_lives(&hit, &hit.flow->half[dir], s.view.now,
					    s.view.conf->timeout[SG_TIMEOUT_UDP_STREAM]))
				return SG_SHORT_UNDECIDED;
			return sg_short_passes(&s, &hit.flow->half[dir], dir);
		}
	} else if (!drops_only) {
		decided = sg_short_syn(&s);
	} else if (sg_short_may_open(&s)) {
		return SG_SHORT_UNDECIDED;
	}
	return decided == SG_SHORT_STRANGER ? sg_short_stranger(&s) : decided;
}
