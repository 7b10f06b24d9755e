/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shortcut.bpf.h - the short way through the filter, for what most frames are: a TCP segment (ACK,
 * with or without PSH) or a UDP datagram of a live, confirmed flow, behind plain IPv4 or IPv6
 * headers.
 *
 * It judges as the long way (filter.bpf.h) does, with the same functions, but keeps the packet in
 * registers. A frame that is anything else, or that has to change more than its own half of the
 * flow, takes the long way from the beginning: until a frame is sure to pass, nothing is written.
 * So every verdict but "allowed, flow" is made in one place.
 *
 * A function apart, because its stack and that of the long way must not add up (kernel 6.1).
 */
#pragma once

#include "bpf/flowtable.bpf.h"
#include "bpf/parse.bpf.h"

/* What the shortcut knows of a frame. */
struct sg_short {
	struct sg_flow_key key;
	const __u8 *l4; /* 8 bytes of it can be read, 20 of TCP */
	__u32 l4_bytes;
	__u8 proto;
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

sg_inline int sg_short_l4(const struct sg_frame *f, const struct sg_short *s, __u8 dir)
{
	__be16 sport = sg_raw16(s->l4);
	__u32 length;

	if (s->proto == SG_IPPROTO_TCP)
		return (void *)(s->l4 + 20) <= f->data_end && sg_short_tcp_header(s) >= 20 &&
		       sg_short_tcp_header(s) <= s->l4_bytes &&
		       (s->l4[13] & 0x3f & ~SG_TCP_FLAG_PSH) == SG_TCP_FLAG_ACK;
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

/* Whether it is a segment that the long way would accept; records it. From ESTABLISHED it moves
 * nothing. */
sg_inline int sg_short_track(struct sg_flow_half *mine, const struct sg_flow_half *theirs,
			     const struct sg_frame *f, const struct sg_short *s)
{
	struct sg_tcp_segment seg = {
		.flags = SG_TCP_FLAG_ACK, /* PSH tells the tracking nothing */
	};

	/* Verifier: it has forgotten by now. */
	if ((void *)(s->l4 + 20) > f->data_end)
		return 0;
	seg.seq = sg_be32(s->l4 + 4);
	seg.ack = sg_be32(s->l4 + 8);
	seg.length = s->l4_bytes - sg_short_tcp_header(s);
	seg.window = sg_be16(s->l4 + 14);
	if (sg_tcp_window(mine, theirs, &seg) != SG_TCP_ACCEPT)
		return 0;
	sg_tcp_record(mine, theirs, &seg);
	return 1;
}

/* The flow, when it is confirmed, allowed, alive, and has been answered. */
sg_inline struct sg_flow *sg_short_flow(const struct sg_iface_conf *conf,
					const struct sg_control *control,
					const struct sg_flow_key *key, __u8 proto, __u64 now)
{
	__u32 shard = conf->shard, wanted = SG_FLOW_REPLIED << 8, timeout;
	void *table = bpf_map_lookup_elem(&sg_flows, &shard);
	struct sg_flow *flow;

	if (!table)
		return 0;
	flow = bpf_map_lookup_elem(table, key);
	if (!flow || READ_ONCE(flow->stamp) < READ_ONCE(control->last_removal))
		return 0;
	if (proto == SG_IPPROTO_TCP) {
		wanted |= SG_TCP_ESTABLISHED;
		timeout = conf->timeout[SG_TIMEOUT_TCP_ESTABLISHED];
	} else {
		timeout = conf->timeout[SG_TIMEOUT_UDP_STREAM];
	}
	if ((READ_ONCE(flow->state) & ~(SG_FLOW_EXEMPT << 8)) != wanted ||
	    sg_flow_idle(flow, now) > timeout)
		return 0;
	return flow;
}

/* 1: the frame passes and is counted. 0: nothing was decided or written. */
sg_inline int sg_shortcut(const struct sg_frame *f, __u32 ifindex, __u8 dir)
{
	const struct sg_iface_conf *conf;
	__u64 now = bpf_jiffies64();
	struct sg_control *control;
	struct sg_flow_half *mine;
	struct sg_iface *iface;
	struct sg_stats *stats;
	struct sg_flow *flow;
	__u32 zero = 0, slot;
	struct sg_short s;

	if (!sg_short_parse(f, &s, dir))
		return 0;
	slot = sg_slot_of(ifindex);
	control = bpf_map_lookup_elem(&sg_control, &zero);
	iface = bpf_map_lookup_elem(&sg_ifaces, &slot);
	stats = bpf_map_lookup_elem(&sg_stats, &slot);
	if (!slot || !control || !stats || !iface || iface->ifindex != ifindex)
		return 0;
	conf = sg_iface_conf_at(iface, READ_ONCE(control->generation));
	if (!conf || !sg_short_guard(f, conf, dir))
		return 0;
	*sg_short_word(&s.key, 1) = slot | (__u32)s.proto << 16;
	flow = sg_short_flow(conf, control, &s.key, s.proto, now);
	if (!flow)
		return 0;
	mine = &flow->half[dir];
	if (s.proto == SG_IPPROTO_TCP && !sg_short_track(mine, &flow->half[dir ^ 1], f, &s))
		return 0;
	if (mine->seen != (__u32)now)
		WRITE_ONCE(mine->seen, (__u32)now);
	mine->packets++;
	mine->bytes += f->bytes;
	stats->packets[dir][SG_ALLOWED]++;
	stats->bytes[dir][SG_ALLOWED] += f->bytes;
	stats->reasons[SG_ALLOW_FLOW]++;
	return 1;
}
