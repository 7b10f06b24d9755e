/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse.c - reads Ethernet, 802.1Q, ARP, IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200),
 * and the transports above them.
 */
#include <string.h>

#include "tests/fuzz/reference/packet.h"
#include "tests/fuzz/reference/transport.h"

#define EXTENSIONS 6 /* RFC 8200, 4.1 names as many */

uint32_t ref_get(const uint8_t *at, unsigned int bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | *at++;
	return value;
}

bool ref_reaches(size_t at, size_t size, size_t end)
{
	return at <= REF_REACH && at + size <= end;
}

struct sg_addr ref_v4(const uint8_t *at)
{
	struct sg_addr addr = {.b = {[10] = 0xff, [11] = 0xff}};

	memcpy(addr.b + 12, at, 4);
	return addr;
}

bool ref_is_later_fragment(const struct ref_packet *packet)
{
	return packet->fragment && packet->fragment_start > 0;
}

/* What is true of later fragments of both families. */
static uint32_t judge_later(const struct ref_packet *packet, size_t header)
{
	/* RFC 3128: it would be laid over the transport header of the first one. */
	if (packet->fragment_protocol == SG_IPPROTO_TCP && packet->fragment_start < 60)
		return SG_DROP_FRAG_TINY;
	if (packet->fragment_start + packet->fragment_bytes + header > 65535)
		return SG_DROP_IP_LENGTH;
	return REF_PASS;
}

static uint32_t read_ipv4(const uint8_t *bytes, size_t length, size_t at, struct ref_packet *packet)
{
	const uint8_t *ip = bytes + at;
	size_t header, total;

	if (!ref_reaches(at, 20, length))
		return SG_DROP_TRUNCATED;
	header = (size_t)(ip[0] & 15) * 4;
	total = ref_get(ip + 2, 2);
	if (ip[0] >> 4 != 4 || header < 20 || total < header)
		return SG_DROP_IP_HEADER;
	if (at + total > length)
		return SG_DROP_IP_LENGTH;
	packet->family = 4;
	packet->hop_limit = ip[8];
	packet->tuple.protocol = ip[9];
	packet->tuple.src = ref_v4(ip + 12);
	packet->tuple.dst = ref_v4(ip + 16);
	packet->more = ip[6] & 0x20;
	packet->fragment_start = (ref_get(ip + 6, 2) & 0x1fff) * 8;
	packet->fragment = packet->more || packet->fragment_start;
	packet->fragment_id = ref_get(ip + 4, 2);
	packet->fragment_protocol = ip[9];
	packet->fragment_bytes = (unsigned int)(total - header);
	if (packet->fragment_start)
		return judge_later(packet, header);
	return ref_read_transport(bytes, at + header, at + total, packet);
}

/* A header before the upper layer: its length in bytes, 0 when the number stands for none. */
static size_t extension_length(uint8_t number, const uint8_t *header)
{
	switch (number) {
	case 0:	  /* hop-by-hop */
	case 43:  /* routing */
	case 60:  /* destination */
	case 139: /* host identity */
	case 140: /* shim6 */
		return ((size_t)header[1] + 1) * 8;
	case 44: /* fragment */
		return 8;
	case 51: /* authentication: RFC 4302, 2.2 */
		return ((size_t)header[1] + 2) * 4;
	default:
		return 0;
	}
}

bool ref_is_extension(uint8_t number)
{
	static const uint8_t any[2] = {0};

	return extension_length(number, any) != 0;
}

size_t ref_extension_length(uint8_t number, const uint8_t *header)
{
	return extension_length(number, header);
}

static uint32_t read_fragment_header(const uint8_t *header, size_t left, struct ref_packet *packet)
{
	if (packet->fragment) /* one in another: CVE-2023-4809 */
		return SG_DROP_IPV6_EXTENSION;
	packet->fragment = true; /* also the atomic ones of RFC 6946 */
	packet->fragment_protocol = header[0];
	packet->fragment_start = ref_get(header + 2, 2) & 0xfff8;
	packet->more = header[3] & 1;
	packet->fragment_id = ref_get(header + 4, 4);
	packet->fragment_bytes = (unsigned int)(left - 8);
	return packet->fragment_start ? judge_later(packet, 0) : REF_PASS;
}

/* Judges one extension header; `next` is its number and becomes that of what follows. */
static uint32_t read_extension(const uint8_t *bytes, size_t *at, size_t end, unsigned int depth,
			       uint8_t *next, struct ref_packet *packet)
{
	const uint8_t *header = bytes + *at;
	size_t length;

	if (*at + 8 > end || depth == EXTENSIONS)
		return SG_DROP_IPV6_EXTENSION;
	if (!ref_reaches(*at, 8, end))
		return SG_DROP_TRUNCATED;
	/* RFC 8200, 4.3: hop-by-hop only directly behind the IPv6 header. RFC 5095: no routing of
	 * type 0. */
	if ((*next == 0 && depth > 0) || (*next == 43 && header[2] == 0))
		return SG_DROP_IPV6_EXTENSION;
	if (*next == 44) {
		uint32_t reason = read_fragment_header(header, end - *at, packet);

		if (reason != REF_PASS)
			return reason;
	}
	length = extension_length(*next, header);
	/* RFC 7112: a first fragment holds the whole chain of headers. */
	if (*at + length > end)
		return packet->fragment ? SG_DROP_FRAG_TINY : SG_DROP_IPV6_EXTENSION;
	*at += length;
	*next = header[0];
	return REF_PASS;
}

static uint32_t read_ipv6(const uint8_t *bytes, size_t length, size_t at, struct ref_packet *packet)
{
	const uint8_t *ip = bytes + at;
	uint32_t reason = REF_PASS;
	unsigned int depth = 0;
	uint8_t next;
	size_t end;

	if (!ref_reaches(at, 40, length))
		return SG_DROP_TRUNCATED;
	if (ip[0] >> 4 != 6)
		return SG_DROP_IP_HEADER;
	end = at + 40 + ref_get(ip + 4, 2);
	if (end > length)
		return SG_DROP_IP_LENGTH;
	packet->family = 6;
	packet->hop_limit = ip[7];
	memcpy(packet->tuple.src.b, ip + 8, 16);
	memcpy(packet->tuple.dst.b, ip + 24, 16);
	next = ip[6];
	at += 40;
	while (reason == REF_PASS && ref_is_extension(next) && !ref_is_later_fragment(packet))
		reason = read_extension(bytes, &at, end, depth++, &next, packet);
	packet->tuple.protocol = next;
	if (reason != REF_PASS || ref_is_later_fragment(packet))
		return reason;
	if (at > REF_REACH)
		return SG_DROP_IPV6_EXTENSION;
	return ref_read_transport(bytes, at, end, packet);
}

/* RFC 826: Ethernet addresses for IPv4 addresses. */
static uint32_t read_arp(const uint8_t *bytes, size_t length, size_t at, struct ref_packet *packet)
{
	static const uint8_t kind[] = {0, 1, 8, 0, 6, 4};

	if (!ref_reaches(at, 28, length))
		return SG_DROP_TRUNCATED;
	if (memcmp(bytes + at, kind, sizeof(kind)) != 0)
		return SG_DROP_ARP_HEADER;
	memcpy(packet->arp_mac, bytes + at + 8, 6);
	packet->arp_ip = ref_v4(bytes + at + 14);
	return REF_PASS;
}

uint32_t ref_read(const uint8_t *bytes, size_t length, struct ref_packet *packet)
{
	uint32_t type;
	size_t at = 14;

	*packet = (struct ref_packet){.bytes = length, .tcp.scale = -1};
	if (length < 14)
		return SG_DROP_TRUNCATED;
	memcpy(packet->dmac, bytes, 6);
	memcpy(packet->smac, bytes + 6, 6);
	type = ref_get(bytes + 12, 2);
	if (type == 0x8100 || type == 0x88a8) {
		if (length < 18)
			return SG_DROP_TRUNCATED;
		packet->tagged = true;
		packet->vid = ref_get(bytes + 14, 2) & 0xfff;
		type = ref_get(bytes + 16, 2);
		at = 18;
		if (type == 0x8100 || type == 0x88a8) /* one tag is all that vlans can list */
			return SG_DROP_VLAN;
	}
	switch (type) {
	case 0x0800:
		return read_ipv4(bytes, length, at, packet);
	case 0x86dd:
		return read_ipv6(bytes, length, at, packet);
	case 0x0806:
		return read_arp(bytes, length, at, packet);
	default:
		return SG_DROP_ETHERTYPE;
	}
}
