/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * offline.c - see offline.h.
 */
#include "tests/lib/offline.h"

#include <netinet/in.h>
#include <string.h>

#include "rulesd/addr.h"

bool offline_knows(uint32_t reason)
{
	switch (reason) {
	case SG_ALLOW_RULE:
	case SG_ALLOW_ND:
	case SG_ALLOW_MLD:
	case SG_ALLOW_DHCP:
	case SG_ALLOW_EXEMPT:
	case SG_DROP_NO_RULE:
	case SG_DROP_SPOOFED_SOURCE:
	case SG_DROP_LINK_LOCAL:
	case SG_DROP_MARTIAN:
	case SG_DROP_LAND:
	case SG_DROP_WRONG_DESTINATION:
	case SG_DROP_DHCP_SERVER:
	case SG_DROP_ROUTER_ADVERTISEMENT:
		return true;
	default:
		return false;
	}
}

/* Known by the frame's MAC alone. */
static bool is_subnet_broadcast(const struct frame_spec *spec)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return memcmp(spec->dmac, all, 6) == 0 && memcmp(spec->dst.b + 12, all, 4) != 0;
}

/* Headers as they should be: nothing that the evaluator's question cannot express. */
static bool is_plain(const struct frame_spec *spec)
{
	return !spec->fragment && !spec->cut && !spec->poke_count && !spec->inner && !*spec->ext &&
	       spec->ver < 0 && spec->ihl < 0 && spec->tot < 0 && spec->doff < 0 &&
	       spec->udplen < 0 && spec->ethertype < 0 &&
	       !(spec->v6 && (addr_is_v4(&spec->src) || addr_is_v4(&spec->dst))) &&
	       !is_subnet_broadcast(spec);
}

static bool is_expressible(const struct frame_spec *spec)
{
	switch (spec->body) {
	case FRAME_TCP:
		return strcmp(spec->tcp_flags, "S") == 0;
	case FRAME_SCTP:
		return spec->chunk == 1;
	case FRAME_UDP:
	case FRAME_DHCP:
	case FRAME_DHCP6:
	case FRAME_ICMP:
		return true;
	case FRAME_ND:
		return spec->ttl == 255;
	case FRAME_RAW: /* a protocol with a header that is not there, or extension headers */
		return spec->protocol != IPPROTO_TCP && spec->protocol != IPPROTO_UDP &&
		       spec->protocol != IPPROTO_SCTP && spec->protocol != IPPROTO_ICMP &&
		       spec->protocol != IPPROTO_ICMPV6 && !spec->v6;
	default:
		return false;
	}
}

bool offline_verdict(const struct image *image, const struct image_iface *iface, enum sg_dir dir,
		     const struct frame_spec *spec, struct eval_verdict *verdict)
{
	struct eval_packet packet = {
		.direction = dir,
		.protocol = spec->protocol,
		.src = spec->src,
		.dst = spec->dst,
		.sport = spec->sport,
		.dport = spec->dport,
		.icmp_type = spec->type,
		.icmp_code = spec->code,
	};

	if (!is_plain(spec) || !is_expressible(spec))
		return false;
	*verdict = eval_packet(image, iface, &packet);
	return true;
}
