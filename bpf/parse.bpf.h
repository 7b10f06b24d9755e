/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse.bpf.h - bytes to struct sg_packet: Ethernet, one VLAN tag, ARP, IPv4 with options, IPv6
 * with a bounded walk over extension headers, fragments, TCP, UDP, SCTP, ICMP, ICMPv6, any other
 * protocol by number.
 *
 * Every byte is reached through sg_at(), which checks both ends. The parser judges shape only; who
 * may send what is the guard's business. It returns SG_PARSED or the reason to drop.
 */
#pragma once

#include "bpf/icmp.bpf.h"
#include "bpf/packet.bpf.h"

#define SG_ETH_IPV4  0x0800
#define SG_ETH_ARP   0x0806
#define SG_ETH_IPV6  0x86dd
#define SG_ETH_VLAN  0x8100
#define SG_ETH_QINQ  0x88a8
#define SG_EXT_DEPTH 6 /* extension headers; RFC 8200, 4.1 lists six before the upper layer */

/* The linear part of a frame, and what is known about the rest of it. */
struct sg_frame {
	void *data;
	void *data_end;
	__u32 bytes; /* of the whole frame, also of what lies beyond data_end */
	__u8 gso;    /* the IP length may be 0: the frame is longer than the field can say */
};

/*
 * The only way to a byte of a packet: size bytes at offset, or NULL. Kernel 6.1: clang compares
 * another register than it adds, and the bound is lost; the asm makes it one.
 */
sg_inline void *sg_at(const struct sg_frame *f, __u32 offset, __u32 size)
{
	__u64 distance = offset;
	void *at;

	if (!__builtin_constant_p(offset))
		asm volatile("" : "+r"(distance));
	if (distance > SG_HEADERS_MAX)
		return 0;
	at = f->data + distance;
	if (at + size > f->data_end)
		return 0;
	return at;
}

/* Packet memory may be read unaligned: the verifier knows where it may not. Network order to host
 * order: sg_be; as it is: sg_raw. */
sg_inline __be16 sg_raw16(const void *at)
{
	return *(const __be16 *)at;
}

sg_inline __be32 sg_raw32(const void *at)
{
	return *(const __be32 *)at;
}

sg_inline __u16 sg_be16(const void *at)
{
	return bpf_ntohs(sg_raw16(at));
}

sg_inline __u32 sg_be32(const void *at)
{
	return bpf_ntohl(sg_raw32(at));
}

sg_inline void sg_addr_copy(struct sg_addr *to, const __u8 *at)
{
	to->w[0] = sg_raw32(at);
	to->w[1] = sg_raw32(at + 4);
	to->w[2] = sg_raw32(at + 8);
	to->w[3] = sg_raw32(at + 12);
}

sg_inline void sg_mac_copy(__u8 *to, const __u8 *at)
{
	*(__be32 *)to = sg_raw32(at);
	*(__be16 *)(to + 4) = sg_raw16(at + 4);
}

/* Transport header at p->l4; l4_bytes counts from there to the end that the IP header gives. */
sg_inline __u32 sg_parse_l4(const struct sg_frame *f, struct sg_packet *p, __u32 l4_bytes)
{
	__u32 short_reason = p->flags & SG_PKT_FRAGMENT ? SG_DROP_FRAG_TINY : SG_DROP_L4_HEADER;
	__be16 sport, dport;
	const __u8 *h;

	p->key.proto = p->proto;
	if (p->proto == SG_IPPROTO_TCP) {
		__u32 header;

		if (l4_bytes < 20)
			return short_reason;
		h = sg_at(f, p->l4, 20);
		if (!h)
			return SG_DROP_TRUNCATED;
		header = (h[12] >> 4) * 4;
		if (header < 20)
			return SG_DROP_L4_HEADER;
		if (header > l4_bytes)
			return short_reason;
		p->tcp.seq = sg_be32(h + 4);
		p->tcp.ack = sg_be32(h + 8);
		p->tcp.flags = h[13] & 0x3f;
		p->tcp.window = sg_be16(h + 14);
		p->tcp.length = l4_bytes - header;
		p->tcp.scale = SG_TCP_NO_SCALE;
		p->flags |= SG_PKT_TCP;
		sport = sg_raw16(h);
		dport = sg_raw16(h + 2);
		if (p->tcp.flags & SG_TCP_FLAG_SYN)
			p->tcp_options =
				header - 20; /* the entry program reads them: options.bpf.h */
	} else if (p->proto == SG_IPPROTO_UDP) {
		__u32 length;

		if (l4_bytes < 8)
			return short_reason;
		h = sg_at(f, p->l4, 8);
		if (!h)
			return SG_DROP_TRUNCATED;
		length = sg_be16(h + 4);
		/* A first fragment holds only part of the datagram; length 0 is a jumbogram (RFC
		 * 2675). */
		if (length < 8 ? length || !f->gso
			       : length > l4_bytes && !(p->flags & SG_PKT_FRAGMENT))
			return SG_DROP_L4_HEADER;
		sport = sg_raw16(h);
		dport = sg_raw16(h + 2);
	} else if (p->proto == SG_IPPROTO_SCTP) {
		/* The common header and one chunk header (RFC 9260, 3). */
		if (l4_bytes < 16)
			return short_reason;
		h = sg_at(f, p->l4, 16);
		if (!h)
			return SG_DROP_TRUNCATED;
		sport = sg_raw16(h);
		dport = sg_raw16(h + 2);
		p->sctp.tag = sg_be32(h + 4);
		p->sctp.chunk = h[12];
		p->sctp.flags = h[13];
		p->sctp.init_tag = 0;
		p->flags |= SG_PKT_SCTP;
		if (p->sctp.chunk == SG_SCTP_INIT || p->sctp.chunk == SG_SCTP_INIT_ACK) {
			if (l4_bytes < 32)
				return short_reason;
			h = sg_at(f, p->l4, 32);
			if (!h)
				return SG_DROP_TRUNCATED;
			p->sctp.init_tag = sg_be32(h + 16);
		}
	} else if ((p->proto == SG_IPPROTO_ICMP && p->family == 4) ||
		   (p->proto == SG_IPPROTO_ICMPV6 && p->family == 6)) {
		if (l4_bytes < 8)
			return short_reason;
		h = sg_at(f, p->l4, 8);
		if (!h)
			return SG_DROP_TRUNCATED;
		p->port = sg_be16(h);
		sg_icmp_classify(p, h[0], sg_raw16(h + 4));
		if (p->family == 6 && (h[0] == SG_ICMPV6_NS || h[0] == SG_ICMPV6_NA) &&
		    l4_bytes >= 24) {
			h = sg_at(f, p->l4 + 8, 16);
			if (!h)
				return SG_DROP_TRUNCATED;
			sg_addr_copy(&p->nd_target, h);
			p->flags |= SG_PKT_ND_TARGET;
		}
		return SG_PARSED;
	} else {
		return SG_PARSED;
	}
	p->port = bpf_ntohs(dport);
	if (p->dir == SG_EGRESS) {
		p->key.lport = sport;
		p->key.rport = dport;
	} else {
		p->key.lport = dport;
		p->key.rport = sport;
	}
	return SG_PARSED;
}

sg_inline __u32 sg_parse_ipv4(const struct sg_frame *f, struct sg_packet *p, __u32 l3)
{
	const __u8 *h = sg_at(f, l3, 20);
	__u32 header, total, room = f->bytes - l3;
	__u16 frag;

	if (!h)
		return SG_DROP_TRUNCATED;
	header = (h[0] & 0xf) * 4;
	/* Kernel 6.1: clang mixes the two halves of the byte, and the range of header becomes an
	 * empty one. */
	asm volatile("" : "+r"(header));
	if (h[0] >> 4 != 4 || header < 20)
		return SG_DROP_IP_HEADER;
	total = sg_be16(h + 2);
	if (!total && f->gso)
		total = room; /* BIG TCP: include/linux/ip.h, iph_totlen() */
	if (total < header)
		return SG_DROP_IP_HEADER;
	if (total > room)
		return SG_DROP_IP_LENGTH;
	p->family = 4;
	p->proto = h[9];
	p->key.proto = h[9];
	sg_addr_set_v4(p->dir == SG_EGRESS ? &p->key.local : &p->key.remote, sg_raw32(h + 12));
	sg_addr_set_v4(p->dir == SG_EGRESS ? &p->key.remote : &p->key.local, sg_raw32(h + 16));
	p->l4 = l3 + header;
	p->end = l3 + total;
	frag = sg_be16(h + 6);
	if (frag & 0x3fff) {
		__u32 offset = (frag & 0x1fff) * 8;

		p->flags |= SG_PKT_FRAGMENT;
		if (frag & 0x2000)
			p->flags |= SG_PKT_MORE_FRAGMENTS;
		p->frag_id = sg_be16(h + 4);
		p->frag_proto = p->proto;
		p->frag_unit = frag & 0x1fff;
		p->frag_bytes = total - header;
		if (offset) {
			p->flags |= SG_PKT_LATER_FRAGMENT;
			/* RFC 3128: it would overwrite the first one's transport header. RFC 791:
			 * no datagram is that long. */
			if (offset < 60 && p->proto == SG_IPPROTO_TCP)
				return SG_DROP_FRAG_TINY;
			if (offset + total - header > 65535 - header)
				return SG_DROP_IP_LENGTH;
			return SG_PARSED;
		}
	}
	return sg_parse_l4(f, p, total - header);
}

sg_inline int sg_is_extension(__u8 next)
{
	return next == SG_IPPROTO_HOPOPTS || next == SG_IPPROTO_ROUTING ||
	       next == SG_IPPROTO_FRAGMENT || next == SG_IPPROTO_AH || next == SG_IPPROTO_DSTOPTS ||
	       next == SG_IPPROTO_HIP || next == SG_IPPROTO_SHIM6;
}

sg_inline __u32 sg_parse_ipv6(const struct sg_frame *f, struct sg_packet *p, __u32 l3)
{
	const __u8 *h = sg_at(f, l3, 40);
	__u32 room = f->bytes - l3, total, at, i;
	__u8 next;

	if (!h)
		return SG_DROP_TRUNCATED;
	if (h[0] >> 4 != 6)
		return SG_DROP_IP_HEADER;
	total = 40 + sg_be16(h + 4);
	if (total == 40 && f->gso)
		total = room;
	if (total > room)
		return SG_DROP_IP_LENGTH;
	p->family = 6;
	p->end = l3 + total;
	if (h[7] == 255)
		p->flags |= SG_PKT_HOP_LIMIT_255;
	sg_addr_copy(p->dir == SG_EGRESS ? &p->key.local : &p->key.remote, h + 8);
	sg_addr_copy(p->dir == SG_EGRESS ? &p->key.remote : &p->key.local, h + 24);
	next = h[6];
	at = 40;

#pragma unroll
	for (i = 0; i < SG_EXT_DEPTH; i++) {
		__u32 length;

		if (!sg_is_extension(next))
			break;
		if (at + 8 > total)
			return SG_DROP_IPV6_EXTENSION;
		h = sg_at(f, l3 + at, 8);
		if (!h)
			return SG_DROP_TRUNCATED;
		if (next == SG_IPPROTO_FRAGMENT) {
			__u16 frag = sg_be16(h + 2);

			if (p->flags & SG_PKT_FRAGMENT) /* a second one: CVE-2023-4809 */
				return SG_DROP_IPV6_EXTENSION;
			length = 8;
			p->frag_id = sg_be32(h + 4);
			/* Not the transport, which later fragments cannot know: headers may stand
			 * between them. */
			p->frag_proto = h[0];
			p->frag_unit = frag >> 3;
			p->frag_bytes = total - at - 8;
			/* Atomic fragments (RFC 6946) are whole packets, but have the header. */
			p->flags |= SG_PKT_FRAGMENT;
			if (frag & 1)
				p->flags |= SG_PKT_MORE_FRAGMENTS;
			if (frag & 0xfff8) {
				p->flags |= SG_PKT_LATER_FRAGMENT;
				p->proto = h[0];
				p->key.proto = h[0];
				p->l4 = l3 + at + 8;
				if ((frag & 0xfff8) < 60 && p->proto == SG_IPPROTO_TCP)
					return SG_DROP_FRAG_TINY;
				if ((frag & 0xfff8) + total - at - 8 > 65535)
					return SG_DROP_IP_LENGTH;
				return SG_PARSED;
			}
		} else if (next == SG_IPPROTO_AH) {
			length = (h[1] + 2) * 4;
		} else {
			/* Only the first header may be hop-by-hop (RFC 8200, 4.3); type 0 routing
			 * is forbidden (RFC 5095). */
			if (next == SG_IPPROTO_HOPOPTS && i)
				return SG_DROP_IPV6_EXTENSION;
			if (next == SG_IPPROTO_ROUTING && h[2] == 0)
				return SG_DROP_IPV6_EXTENSION;
			length = (h[1] + 1) * 8;
		}
		if (at + length > total)
			return p->flags & SG_PKT_FRAGMENT ? SG_DROP_FRAG_TINY
							  : SG_DROP_IPV6_EXTENSION;
		next = h[0];
		at += length;
	}
	if (sg_is_extension(next))
		return SG_DROP_IPV6_EXTENSION;
	p->proto = next;
	p->key.proto = next;
	p->l4 = l3 + at;
	if (l3 + at > SG_HEADERS_MAX)
		return SG_DROP_IPV6_EXTENSION;
	return sg_parse_l4(f, p, total - at);
}

sg_inline __u32 sg_parse_arp(const struct sg_frame *f, struct sg_packet *p, __u32 l3)
{
	const __u8 *h = sg_at(f, l3, 28);

	if (!h)
		return SG_DROP_TRUNCATED;
	/* Ethernet, IPv4, 6 and 4 bytes (RFC 826). */
	if (sg_be32(h) != 0x00010800 || sg_be16(h + 4) != 0x0604)
		return SG_DROP_ARP_HEADER;
	sg_mac_copy(p->arp_sha, h + 8);
	p->arp_spa = sg_raw32(h + 14);
	return SG_PARSED;
}

/* vlan_tci is the tag that the kernel took out of the frame (tc), or -1. */
sg_inline __u32 sg_parse(const struct sg_frame *f, struct sg_packet *p, __s32 vlan_tci)
{
	const __u8 *h = sg_at(f, 0, 14);
	__u32 l3 = 14;
	__u16 type;

	p->bytes = f->bytes;
	if (!h)
		return SG_DROP_TRUNCATED;
	sg_mac_copy(p->eth_dst, h);
	sg_mac_copy(p->eth_src, h + 6);
	type = sg_be16(h + 12);
	if (vlan_tci >= 0) {
		p->bytes += 4; /* counted as it was on the wire, and as XDP sees it */
		p->flags |= SG_PKT_VLAN;
		p->vid = vlan_tci & 0xfff;
	}
	if (type == SG_ETH_VLAN || type == SG_ETH_QINQ) {
		h = sg_at(f, 14, 4);
		if (!h)
			return SG_DROP_TRUNCATED;
		if (p->flags & SG_PKT_VLAN)
			return SG_DROP_VLAN; /* two tags */
		p->flags |= SG_PKT_VLAN;
		p->vid = sg_be16(h) & 0xfff;
		type = sg_be16(h + 2);
		l3 = 18;
		if (type == SG_ETH_VLAN || type == SG_ETH_QINQ)
			return SG_DROP_VLAN;
	}
	p->ethertype = bpf_htons(type);
	switch (type) {
	case SG_ETH_IPV4:
		return sg_parse_ipv4(f, p, l3);
	case SG_ETH_IPV6:
		return sg_parse_ipv6(f, p, l3);
	case SG_ETH_ARP:
		return sg_parse_arp(f, p, l3);
	default:
		return SG_DROP_ETHERTYPE;
	}
}
