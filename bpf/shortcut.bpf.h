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
 * A function apart, because its stack and that of the long way must not add up (kernel 6.1).
 */
#pragma once

#include "bpf/flowtable.bpf.h"
#include "bpf/parse.bpf.h"
#include "bpf/refuse.bpf.h"
#include "bpf/segment.bpf.h"

/* What the shortcut knows of a frame. */
struct sg_short {
	struct sg_flow_key key;
	const __u8 *l4; /* 8 bytes of it can be read, 20 of TCP */
	__u32 l4_bytes;
	__u8 proto;
	__u8 flags; /* of TCP without PSH: SYN, SYN and ACK, ACK, FIN and ACK */
};

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

sg_inline __u32 sg_short_tcp_header(const struct sg_short *s)
{
	return (s->l4[12] >> 4) * 4;
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

/* Verifier: it has forgotten by now that they can be read. */
sg_inline int sg_short_segment(const struct sg_frame *f, const struct sg_short *s,
			       struct sg_tcp_segment *seg)
{
	if ((void *)(s->l4 + 20) > f->data_end)
		return 0;
	seg->seq = sg_be32(s->l4 + 4);
	seg->ack = sg_be32(s->l4 + 8);
	seg->length = s->l4_bytes - sg_short_tcp_header(s);
	seg->window = sg_be16(s->l4 + 14);
	return 1;
}

/* Whether it is a segment that the long way would accept; records it. */
sg_inline int sg_short_track(struct sg_flow_half *mine, const struct sg_flow_half *theirs,
			     const struct sg_frame *f, const struct sg_short *s,
			     const struct sg_hit *hit)
{
	struct sg_tcp_segment seg = {
		.flags = s->flags, /* PSH tells the tracking nothing */
	};

	if (!sg_short_segment(f, s, &seg) || sg_tcp_window(mine, theirs, &seg) != SG_TCP_ACCEPT ||
	    !sg_hit_stands(hit))
		return 0;
	sg_tcp_record(mine, theirs, &seg);
	return 1;
}

sg_inline __u32 sg_short_ack(const struct sg_frame *f, const struct sg_short *s)
{
	return (void *)(s->l4 + 20) > f->data_end ? 0 : sg_be32(s->l4 + 8);
}

/* The segment for segment.bpf.h, in this CPU's scratch; NULL when the long way must read it. */
sg_inline struct sg_packet *sg_short_packet(const struct sg_frame *f, const struct sg_short *s,
					    __u8 dir)
{
	__u32 zero = 0, scale = SG_TCP_NO_SCALE;
	struct sg_packet *p = bpf_map_lookup_elem(&sg_packet_scratch, &zero);

	if (!p || !sg_short_segment(f, s, &p->tcp))
		return 0;
	if (s->flags & SG_TCP_FLAG_SYN && sg_short_tcp_header(s) > 20) {
		scale = sg_short_scale(s->l4 + 20, f->data_end, sg_short_tcp_header(s) - 20);
		if (scale == SG_SHORT_NO_ANSWER)
			return 0;
	}
	p->tcp.flags = s->flags;
	p->tcp.scale = scale;
	p->bytes = f->bytes;
	p->dir = dir;
	return p;
}

/* Whether the flow is confirmed, allowed, alive, and has been answered. */
sg_inline int sg_short_live(const struct sg_iface_conf *conf, const struct sg_control *control,
			    const struct sg_flow *flow, __u32 word, __u8 proto, __u64 now)
{
	__u32 state = SG_FLOW_STATE(word), timeout = conf->timeout[SG_TIMEOUT_UDP_STREAM];

	if (READ_ONCE(flow->stamp) < READ_ONCE(control->last_removal) ||
	    (SG_FLOW_FLAGS(word) & ~SG_FLOW_EXEMPT) != SG_FLOW_REPLIED)
		return 0;
	if (proto == SG_IPPROTO_TCP) {
		if (state < SG_TCP_ESTABLISHED || state > SG_TCP_TIME_WAIT)
			return 0;
		timeout = conf->timeout[state == SG_TCP_ESTABLISHED ? SG_TIMEOUT_TCP_ESTABLISHED
								    : SG_TIMEOUT_TCP_CLOSING];
	} else if (state != SG_TCP_NONE) {
		return 0;
	}
	return sg_flow_idle(flow, now) <= timeout;
}

#define SG_SHORT_HOW(dir, syn, proto) ((__u32)(dir) | (__u32)(syn) << 1 | (__u32)(proto) << 8)

/*
 * A packet that has no flow in the shard; or a SYN that no rule can allow, of which that is not
 * known. A function apart, which looks for all it needs itself: so it costs the packets of flows
 * nothing. The guard has judged the frame as of the generation.
 */
sg_noinline int sg_short_stranger(const struct sg_flow_key *key, __u32 bytes, __u32 ifindex,
				  __u64 generation, __u32 how)
{
	struct sg_stranger stranger = {
		.key = key, .dir = how & 1, .syn = how >> 1 & 1, .proto = how >> 8};
	struct sg_view view = {.generation = generation, .now = bpf_jiffies64()};
	__u32 zero = 0, slot = key->slot, reason;
	const struct sg_outline *outline;
	struct sg_slot *counters;
	struct sg_stats *stats;

	view.control = bpf_map_lookup_elem(&sg_control, &zero);
	view.iface = bpf_map_lookup_elem(&sg_ifaces, &slot);
	stats = bpf_map_lookup_elem(&sg_stats, &slot);
	counters = bpf_map_lookup_elem(&sg_slots, &slot);
	if (!view.control || !stats || !counters || !view.iface || view.iface->ifindex != ifindex)
		return SG_SHORT_UNDECIDED;
	view.conf = sg_iface_conf_at(view.iface, generation);
	if (!view.conf)
		return SG_SHORT_UNDECIDED;
	outline = sg_outline_of(view.conf->outline, view.conf->policy);
	if ((!stranger.syn || !sg_refuse_has_no_flow(&view, counters, outline, &stranger)) &&
	    (READ_ONCE(counters->lru) ||
	     (stranger.syn && sg_shard_has(view.control, view.conf, key))))
		return SG_SHORT_UNDECIDED;
	reason = sg_refuse(&view, outline, &stranger);
	if (reason == SG_UNDECIDED)
		return SG_SHORT_UNDECIDED;
	sg_short_count(stats, bytes, stranger.dir, SG_DROPPED, reason);
	return SG_SHORT_DROPS;
}

/* A SYN: whether its outline lets it ask the rules. */
sg_inline int sg_short_may_open(const struct sg_iface_conf *conf, const struct sg_flow_key *key,
				__u8 dir)
{
	struct sg_stranger stranger = {.key = key, .dir = dir, .proto = SG_IPPROTO_TCP};

	return sg_refuse_may_open(sg_outline_of(conf->outline, conf->policy), &stranger, dir);
}

/* As sg_short_open(). */
sg_inline int sg_short_syn(const struct sg_frame *f, const struct sg_short *s, __u8 dir,
			   const struct sg_iface_conf *conf, struct sg_control *control,
			   __u64 generation)
{
	struct sg_packet *p = sg_short_packet(f, s, dir);

	if (!p)
		return SG_SHORT_UNDECIDED;
	p->key = s->key;
	p->flags = SG_PKT_TCP;
	p->port = bpf_ntohs(dir == SG_EGRESS ? s->key.rport : s->key.lport);
	return sg_short_open(p, conf, control, generation);
}

/* drops_only: what may pass is left to the next program; it is neither counted nor tracked. */
sg_inline int sg_shortcut(const struct sg_frame *f, __u32 ifindex, __u8 dir, int drops_only)
{
	const struct sg_iface_conf *conf;
	__u64 now = bpf_jiffies64(), generation;
	struct sg_control *control;
	struct sg_flow_half *mine;
	struct sg_iface *iface;
	struct sg_packet *p;
	struct sg_stats *stats;
	struct sg_flow *flow;
	__u32 zero = 0, slot, word, move = SG_SHORT_STAYS;
	struct sg_hit hit;
	struct sg_short s;

	if (!sg_short_parse(f, &s, dir))
		return SG_SHORT_UNDECIDED;
	slot = sg_slot_of(ifindex);
	control = bpf_map_lookup_elem(&sg_control, &zero);
	iface = bpf_map_lookup_elem(&sg_ifaces, &slot);
	stats = bpf_map_lookup_elem(&sg_stats, &slot);
	if (!slot || !control || !stats || !iface || iface->ifindex != ifindex)
		return SG_SHORT_UNDECIDED;
	generation = READ_ONCE(control->generation);
	conf = sg_iface_conf_at(iface, generation);
	if (!conf || !sg_short_guard(f, conf, dir))
		return SG_SHORT_UNDECIDED;
	*sg_short_word(&s.key, 1) = slot | (__u32)s.proto << 16;
	if (s.flags == SG_TCP_FLAG_SYN && sg_short_may_open(conf, &s.key, dir))
		return drops_only ? SG_SHORT_UNDECIDED
				  : sg_short_syn(f, &s, dir, conf, control, generation);
	if (s.flags == SG_TCP_FLAG_SYN || !sg_shard_find(control, conf, &s.key, &hit))
		return sg_short_stranger(&s.key, f->bytes, ifindex, generation,
					 SG_SHORT_HOW(dir, s.flags == SG_TCP_FLAG_SYN, s.proto));
	flow = hit.flow;
	word = READ_ONCE(flow->state);
	if (s.flags & SG_TCP_FLAG_SYN || !sg_short_live(conf, control, flow, word, s.proto, now)) {
		if (drops_only || s.proto != SG_IPPROTO_TCP)
			return SG_SHORT_UNDECIDED;
		if (s.flags & SG_TCP_FLAG_SYN) {
			p = sg_short_packet(f, &s, dir);
			return p ? sg_short_answer(flow, p, conf, control,
						   SG_SHORT_WHICH(slot, hit.use))
				 : SG_SHORT_UNDECIDED;
		}
		move = sg_short_may_move(flow, word, conf, control, slot);
		if (move == SG_SHORT_STAYS)
			return SG_SHORT_UNDECIDED;
	} else if (s.flags & SG_TCP_FLAG_FIN || SG_FLOW_STATE(word) > SG_TCP_ESTABLISHED) {
		move = SG_SHORT_MOVES;
	}
	if (drops_only)
		return SG_SHORT_PASSES;
	mine = &flow->half[dir];
	if (s.proto == SG_IPPROTO_TCP ? !sg_short_track(mine, &flow->half[dir ^ 1], f, &s, &hit)
				      : !sg_hit_stands(&hit)) {
		if (move == SG_SHORT_RESERVED)
			sg_short_moved(0, word, move, 0, slot);
		return SG_SHORT_UNDECIDED;
	}
	if (move != SG_SHORT_STAYS)
		sg_short_moved(flow, word, SG_SHORT_MOVED(move, dir, s.flags), sg_short_ack(f, &s),
			       SG_SHORT_WHICH(slot, hit.use));
	if (mine->seen != (__u32)now)
		WRITE_ONCE(mine->seen, (__u32)now);
	mine->packets++;
	mine->bytes += f->bytes;
	sg_short_count(stats, f->bytes, dir, SG_ALLOWED, SG_ALLOW_FLOW);
	return SG_SHORT_PASSES;
}
