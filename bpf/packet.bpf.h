/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.bpf.h - a frame as the programs see it: what the parser fills in and everybody else reads.
 */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/sctp.h"
#include "bpf/tcp.h"

#define sg_inline static __always_inline
/* A function apart, that not every object calls. */
#define sg_noinline	 static __noinline __attribute__((unused))
#define READ_ONCE(x)	 (*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

/* Not a reason: the stage before found nothing against the packet. */
#define SG_PARSED SG_REASONS

/* Farthest byte that headers may reach; what goes on beyond is dropped (truncated). */
#define SG_HEADERS_MAX 512u
/* What must be linear for that: a header may begin there. No read is longer than 40 bytes. */
#define SG_LINEAR_MAX (SG_HEADERS_MAX + 64u)

enum sg_packet_flags {
	SG_PKT_FRAGMENT = 1u << 0,	 /* any fragment */
	SG_PKT_LATER_FRAGMENT = 1u << 1, /* no transport header inside */
	SG_PKT_TCP = 1u << 2,
	SG_PKT_QUERY = 1u << 3,	    /* ICMP request: may open a flow */
	SG_PKT_REPLY = 1u << 4,	    /* ICMP reply: belongs to a flow */
	SG_PKT_ERROR = 1u << 5,	    /* ICMP error that may be related; inner is filled in */
	SG_PKT_UNTRACKED = 1u << 6, /* ICMP without a flow of its own */
	SG_PKT_VLAN = 1u << 7,	    /* had a tag: vid */
	SG_PKT_ND_TARGET = 1u << 8, /* nd_target is filled in */
	SG_PKT_HOP_LIMIT_255 = 1u << 9,
	SG_PKT_MORE_FRAGMENTS = 1u << 10,
	SG_PKT_SCTP = 1u << 11,
};

/* What the rules are asked: policy.bpf.h. */
struct sg_question {
	__u64 generation;
	struct sg_addr remote;
	__u32 policy;
	__u32 zone;
	__u16 proto;
	__u16 port; /* see struct sg_interval */
	__u8 dir;
	__u8 has; /* enum sg_has_bits */
	__u8 is_v6;
	__u8 pad;
	/* The answer: 0 when nothing allows it. */
	__u32 rule;
	__u32 peer;
	__u32 outline; /* of the policy: struct sg_iface_conf */
};

/*
 * Too large for the stack beside everything else: it lives in a per-CPU scratch
 * (sg_packet_scratch). That is safe because the programs run with bottom halves off and never nest:
 * a frame leaves the XDP or tc ingress program before it can reach a tc egress one.
 */
struct sg_packet {
	struct sg_flow_key key;	  /* of its flow; slot is set by the entry */
	struct sg_flow_key inner; /* of the flow that an ICMP error is about */
	struct sg_addr nd_target; /* of a neighbour solicitation or advertisement */
	struct sg_tcp_segment tcp;
	struct sg_sctp_packet sctp;
	__u32 inner_seq;  /* TCP sequence number inside an ICMP error */
	__u32 frag_id;	  /* host order */
	__u16 frag_unit;  /* offset of a fragment, in units of 8 bytes */
	__u16 frag_bytes; /* what it brings */
	__u8 frag_proto;  /* what the whole datagram begins with */
	__u32 bytes;	  /* of the whole frame */
	__u32 end;	  /* offset of the end that the IP header gives */
	__u32 flags;	  /* enum sg_packet_flags */
	__be16 ethertype; /* of the payload, the tag aside */
	__u16 vid;
	__u16 port;  /* what rules match: destination port, ICMP type << 8 | code, 0; host order */
	__u16 l4;    /* offset of the transport header */
	__u8 dir;    /* enum sg_dir */
	__u8 family; /* 4, 6, or 0: not IP */
	__u8 proto;
	__u8 tcp_options; /* bytes of options of a SYN, at l4 + 20 */
	__be32 arp_spa;
	__u8 eth_src[8]; /* six bytes each; words can be written */
	__u8 eth_dst[8];
	__u8 arp_sha[8];
	struct sg_question question; /* work areas of the stages below */
	struct sg_flow flow;
};

/* Forgets the packet before; what flags do not announce is not read. */
sg_inline void sg_packet_reset(struct sg_packet *p, __u8 dir)
{
	__builtin_memset(&p->key, 0, sizeof(p->key));
	p->flags = 0;
	p->bytes = 0;
	p->ethertype = 0;
	p->vid = 0;
	p->port = 0;
	p->l4 = 0;
	p->dir = dir;
	p->family = 0;
	p->proto = 0;
	p->tcp_options = 0;
}

/* The remote and local address of the packet as source and destination. */
sg_inline const struct sg_addr *sg_source(const struct sg_packet *p)
{
	return p->dir == SG_EGRESS ? &p->key.local : &p->key.remote;
}

sg_inline const struct sg_addr *sg_destination(const struct sg_packet *p)
{
	return p->dir == SG_EGRESS ? &p->key.remote : &p->key.local;
}

sg_inline int sg_addr_equal(const struct sg_addr *a, const struct sg_addr *b)
{
	return a->q[0] == b->q[0] && a->q[1] == b->q[1];
}

sg_inline int sg_addr_is_v4(const struct sg_addr *a)
{
	return a->q[0] == 0 && a->w[2] == bpf_htonl(0xffff);
}

sg_inline int sg_addr_is_zero(const struct sg_addr *a)
{
	return (a->q[0] | a->q[1]) == 0;
}

sg_inline void sg_addr_set_v4(struct sg_addr *to, __be32 v4)
{
	to->q[0] = 0;
	to->w[2] = bpf_htonl(0xffff);
	to->w[3] = v4;
}

/* Both must be aligned to 2. */
sg_inline int sg_mac_equal(const __u8 *a, const __u8 *b)
{
	return *(const __be32 *)a == *(const __be32 *)b &&
	       *(const __be16 *)(a + 4) == *(const __be16 *)(b + 4);
}
