/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * icmp.bpf.h - what an ICMP or ICMPv6 message is to the filter: a query or reply of a flow, an
 * error about one, neighbour discovery, multicast listener discovery, or something that only rules
 * can allow.
 */
#pragma once

#include "bpf/packet.bpf.h"

enum sg_icmp_type {
	SG_ICMP_ECHO_REPLY = 0,
	SG_ICMP_UNREACHABLE = 3,
	SG_ICMP_ECHO = 8,
	SG_ICMP_TIME_EXCEEDED = 11,
	SG_ICMP_PARAMETER = 12,
	SG_ICMP_TIMESTAMP = 13,
	SG_ICMP_TIMESTAMP_REPLY = 14,
	SG_ICMP_INFO = 15,
	SG_ICMP_INFO_REPLY = 16,
	SG_ICMP_MASK = 17,
	SG_ICMP_MASK_REPLY = 18,
	SG_ICMPV6_UNREACHABLE = 1,
	SG_ICMPV6_PARAMETER = 4,
	SG_ICMPV6_ECHO = 128,
	SG_ICMPV6_ECHO_REPLY = 129,
	SG_ICMPV6_MLD_QUERY = 130,
	SG_ICMPV6_MLD_DONE = 132,
	SG_ICMPV6_RS = 133,
	SG_ICMPV6_RA = 134,
	SG_ICMPV6_NS = 135,
	SG_ICMPV6_NA = 136,
	SG_ICMPV6_REDIRECT = 137,
	SG_ICMPV6_MLD2_REPORT = 143,
};

sg_inline __u8 sg_icmp_type(const struct sg_packet *p)
{
	return p->port >> 8;
}

/* The request type that a query or reply of this type belongs to, or -1. */
sg_inline int sg_icmp_request(__u8 family, __u8 type, int *is_reply)
{
	*is_reply = 0;
	if (family == 6) {
		*is_reply = type == SG_ICMPV6_ECHO_REPLY;
		return type == SG_ICMPV6_ECHO || type == SG_ICMPV6_ECHO_REPLY ? SG_ICMPV6_ECHO : -1;
	}
	if (type == SG_ICMP_ECHO)
		return SG_ICMP_ECHO;
	if (type == SG_ICMP_ECHO_REPLY) {
		*is_reply = 1;
		return SG_ICMP_ECHO;
	}
	if (type >= SG_ICMP_TIMESTAMP && type <= SG_ICMP_MASK_REPLY) {
		*is_reply = !(type & 1);
		return type - *is_reply;
	}
	return -1;
}

/* Redirect and source quench are never related (RFC 6633; redirects change routes, whoever sends
 * them). */
sg_inline int sg_icmp_is_error(__u8 family, __u8 type)
{
	if (family == 6)
		return type >= SG_ICMPV6_UNREACHABLE && type <= SG_ICMPV6_PARAMETER;
	return type == SG_ICMP_UNREACHABLE || type == SG_ICMP_TIME_EXCEEDED ||
	       type == SG_ICMP_PARAMETER;
}

/* Fills in what makes the flow of a query or reply: see SG_ICMP_FLOW() in abi.h. */
sg_inline void sg_icmp_classify(struct sg_packet *p, __u8 type, __be16 identifier)
{
	int is_reply, request = sg_icmp_request(p->family, type, &is_reply);

	if (request >= 0) {
		__u8 opener = is_reply ? !p->dir : p->dir;

		p->key.lport = identifier;
		p->key.rport = SG_ICMP_FLOW(request, opener);
		p->flags |= is_reply ? SG_PKT_REPLY : SG_PKT_QUERY;
	} else {
		p->flags |= SG_PKT_UNTRACKED;
		if (sg_icmp_is_error(p->family, type))
			p->flags |= SG_PKT_ERROR;
	}
}

sg_inline int sg_icmp_is_error_packet(const struct sg_packet *p)
{
	if (p->proto != (p->family == 4 ? 1 : 58))
		return 0;
	return sg_icmp_is_error(p->family, sg_icmp_type(p));
}
