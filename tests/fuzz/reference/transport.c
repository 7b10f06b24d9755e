/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transport.c - TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP (RFC 792, 4443) and the packet
 * inside an ICMP error.
 */
#include "tests/fuzz/reference/transport.h"

#include <string.h>

#define INNER_EXTENSIONS 2 /* headers that are followed inside an ICMP error */

/* RFC 7323, 2.2. A length that cannot be ends the search, as in Linux's tcp_parse_options(). */
static int window_scale(const uint8_t *options, size_t length)
{
	size_t at = 0;

	while (at < length && options[at] != 0) {
		if (options[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 >= length || options[at + 1] < 2)
			return -1;
		if (options[at] == 3 && options[at + 1] == 3 && at + 3 <= length)
			return options[at + 2];
		at += options[at + 1];
	}
	return -1;
}

static uint32_t read_tcp(const uint8_t *tcp, size_t length, uint32_t too_short,
			 struct ref_packet *packet)
{
	size_t header = (size_t)(tcp[12] >> 4) * 4;

	if (header < 20)
		return SG_DROP_L4_HEADER;
	if (header > length)
		return too_short;
	packet->tcp.seq = ref_get(tcp + 4, 4);
	packet->tcp.ack = ref_get(tcp + 8, 4);
	packet->tcp.flags = tcp[13] & 0x3f;
	packet->tcp.window = (uint16_t)ref_get(tcp + 14, 2);
	packet->tcp.length = (uint32_t)(length - header);
	if (packet->tcp.flags & 2)
		packet->tcp.scale = window_scale(tcp + 20, header - 20);
	return REF_PASS;
}

static uint32_t read_udp(const uint8_t *udp, size_t length, const struct ref_packet *packet)
{
	uint32_t claimed = ref_get(udp + 4, 2);

	/* A first fragment holds only the beginning of what its header counts. */
	if (claimed < 8 || (claimed > length && !packet->fragment))
		return SG_DROP_L4_HEADER;
	return REF_PASS;
}

static uint32_t read_sctp(const uint8_t *sctp, size_t length, uint32_t too_short,
			  struct ref_packet *packet)
{
	packet->sctp.tag = ref_get(sctp + 4, 4);
	packet->sctp.chunk = sctp[12];
	packet->sctp.flags = sctp[13];
	if (packet->sctp.chunk != 1 && packet->sctp.chunk != 2)
		return REF_PASS;
	if (length < 32)
		return too_short;
	packet->sctp.init_tag = ref_get(sctp + 16, 4);
	return REF_PASS;
}

/* The type of the query that an ICMP message asks or answers; -1: it does neither. */
static int icmp_query(int family, uint8_t type, bool *reply)
{
	static const struct {
		int family;
		uint8_t request, reply;
	} pairs[] = {{4, 8, 0}, {4, 13, 14}, {4, 15, 16}, {4, 17, 18}, {6, 128, 129}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		if (pairs[i].family != family ||
		    (pairs[i].request != type && pairs[i].reply != type))
			continue;
		*reply = pairs[i].reply == type;
		return pairs[i].request;
	}
	return -1;
}

/* Errors that may belong to a flow: not source quench (RFC 6633), not redirects. */
static bool is_error(int family, uint8_t type)
{
	return family == 6 ? type >= 1 && type <= 4 : type == 3 || type == 11 || type == 12;
}

static void read_query(const uint8_t *icmp, int request, bool reply, struct ref_tuple *tuple)
{
	tuple->icmp_request = (uint8_t)request;
	tuple->icmp_reply = reply;
	tuple->icmp_id = (uint16_t)ref_get(icmp + 4, 2);
}

static bool is_icmp(int family, uint8_t protocol)
{
	return protocol == (family == 4 ? 1 : 58);
}

/* The transport header inside: eight bytes of it are all that an error must quote (RFC 792). */
static uint32_t read_inner_transport(const uint8_t *bytes, size_t at, size_t end,
				     struct ref_packet *packet)
{
	struct ref_tuple *inner = &packet->inner;
	bool ports = inner->protocol == 6 || inner->protocol == 17 || inner->protocol == 132;
	bool icmp = is_icmp(packet->family, inner->protocol), reply = false;
	int request;

	if ((ports || icmp) && !ref_reaches(at, 8, end))
		return SG_DROP_TRUNCATED;
	if (ports) {
		inner->sport = (uint16_t)ref_get(bytes + at, 2);
		inner->dport = (uint16_t)ref_get(bytes + at + 2, 2);
		packet->inner_seq = ref_get(bytes + at + 4, 4);
	}
	if (icmp) {
		request = icmp_query(packet->family, bytes[at], &reply);
		if (request < 0) /* no errors about errors (RFC 1122, 3.2.2) */
			return REF_PASS;
		read_query(bytes + at, request, reply, inner);
	}
	packet->has_inner = true;
	return REF_PASS;
}

static bool inner_is_for(const struct ref_packet *packet)
{
	return memcmp(&packet->inner.src, &packet->tuple.dst, sizeof(struct sg_addr)) == 0;
}

static uint32_t read_inner_ipv4(const uint8_t *bytes, size_t at, size_t end,
				struct ref_packet *packet)
{
	const uint8_t *ip = bytes + at;

	if (!ref_reaches(at, 20, end))
		return SG_DROP_TRUNCATED;
	if (ip[0] >> 4 != 4 || (ip[0] & 15) < 5 || ref_get(ip + 6, 2) & 0x1fff)
		return REF_PASS;
	packet->inner.protocol = ip[9];
	packet->inner.src = ref_v4(ip + 12);
	packet->inner.dst = ref_v4(ip + 16);
	if (!inner_is_for(packet))
		return REF_PASS;
	return read_inner_transport(bytes, at + (size_t)(ip[0] & 15) * 4, end, packet);
}

static uint32_t read_inner_ipv6(const uint8_t *bytes, size_t at, size_t end,
				struct ref_packet *packet)
{
	const uint8_t *ip = bytes + at;
	uint8_t next;
	size_t length;

	if (!ref_reaches(at, 40, end))
		return SG_DROP_TRUNCATED;
	if (ip[0] >> 4 != 6)
		return REF_PASS;
	memcpy(packet->inner.src.b, ip + 8, 16);
	memcpy(packet->inner.dst.b, ip + 24, 16);
	next = ip[6];
	at += 40;
	for (unsigned int i = 0; i < INNER_EXTENSIONS && ref_is_extension(next); i++) {
		if (!ref_reaches(at, 8, end))
			return SG_DROP_TRUNCATED;
		if (next == 44 && ref_get(bytes + at + 2, 2) & 0xfff8)
			return REF_PASS; /* a later fragment names no flow */
		length = ref_extension_length(next, bytes + at);
		next = bytes[at];
		at += length;
	}
	packet->inner.protocol = next;
	if (ref_is_extension(next) || !inner_is_for(packet))
		return REF_PASS;
	return read_inner_transport(bytes, at, end, packet);
}

static uint32_t read_icmp(const uint8_t *bytes, size_t at, size_t end, struct ref_packet *packet)
{
	const uint8_t *icmp = bytes + at;
	bool reply = false;
	int request = icmp_query(packet->family, icmp[0], &reply);

	packet->icmp_type = icmp[0];
	packet->icmp_code = icmp[1];
	packet->icmp = REF_ICMP_OTHER;
	if (request >= 0) {
		packet->icmp = reply ? REF_ICMP_REPLY : REF_ICMP_QUERY;
		read_query(icmp, request, reply, &packet->tuple);
	} else if (is_error(packet->family, icmp[0])) {
		packet->icmp = REF_ICMP_ERROR;
		return packet->family == 4 ? read_inner_ipv4(bytes, at + 8, end, packet)
					   : read_inner_ipv6(bytes, at + 8, end, packet);
	}
	if (packet->family == 6 && (icmp[0] == 135 || icmp[0] == 136) && end - at >= 24) {
		if (!ref_reaches(at + 8, 16, end))
			return SG_DROP_TRUNCATED;
		memcpy(packet->target.b, icmp + 8, 16);
		packet->has_target = true;
	}
	return REF_PASS;
}

uint32_t ref_read_transport(const uint8_t *bytes, size_t at, size_t end, struct ref_packet *packet)
{
	uint32_t too_short = packet->fragment ? SG_DROP_FRAG_TINY : SG_DROP_L4_HEADER;
	uint8_t protocol = packet->tuple.protocol;
	const uint8_t *l4 = bytes + at;
	size_t length = end - at, smallest;

	switch (protocol) {
	case SG_IPPROTO_TCP:
		smallest = 20;
		break;
	case SG_IPPROTO_UDP:
		smallest = 8;
		break;
	case SG_IPPROTO_SCTP: /* one chunk header behind the common one */
		smallest = 16;
		break;
	default:
		if (!is_icmp(packet->family, protocol))
			return REF_PASS;
		smallest = 8;
	}
	if (length < smallest)
		return too_short;
	if (is_icmp(packet->family, protocol))
		return read_icmp(bytes, at, end, packet);
	packet->has_ports = true;
	packet->tuple.sport = (uint16_t)ref_get(l4, 2);
	packet->tuple.dport = (uint16_t)ref_get(l4 + 2, 2);
	if (protocol == SG_IPPROTO_TCP)
		return read_tcp(l4, length, too_short, packet);
	if (protocol == SG_IPPROTO_UDP)
		return read_udp(l4, length, packet);
	return read_sctp(l4, length, too_short, packet);
}
