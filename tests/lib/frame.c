/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.c - lays a frame out from its description; the text form is read by frame_text.c.
 */
#include "tests/lib/frame.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/lib/check.h"

#define ICMP6_PROTO 58
#define DHCP_LENGTH 300 /* BOOTP's fixed part, the magic cookie, the options used here, padding */

/* ------------------------------------------------------------------ writing */

static uint8_t *room(struct frame *frame, size_t length)
{
	uint8_t *at = frame->bytes + frame->length;

	if (frame->length + length > sizeof(frame->bytes))
		fail_msg("a test frame of more than %zu bytes", sizeof(frame->bytes));
	memset(at, 0, length);
	frame->length += length;
	return at;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static void put_filler(struct frame *frame, size_t length)
{
	uint8_t *at = room(frame, length);

	for (size_t i = 0; i < length; i++)
		at[i] = (uint8_t)(i + 1);
}

/* ------------------------------------------------------------------ checksums */

uint32_t frame_sum(const void *data, size_t length, uint32_t sum)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (length & 1)
		sum += (uint32_t)bytes[length - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint32_t frame_crc32c(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint32_t crc = ~0u;

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void put_checksum(uint8_t *at, const void *data, size_t length, uint32_t sum, bool bad)
{
	uint16_t value = (uint16_t)~frame_sum(data, length, sum);

	put16(at, bad ? (uint16_t)(value + 1) : value);
}

/* The sum of the pseudo header (RFC 9293, 3.1; RFC 8200, 8.1). */
static uint32_t pseudo_sum(const struct frame_spec *spec, size_t length)
{
	uint8_t tail[8] = {0};
	unsigned int skip = spec->v6 ? 0 : 12;
	uint32_t sum = frame_sum(spec->src.b + skip, 16 - skip, 0);

	sum = frame_sum(spec->dst.b + skip, 16 - skip, sum);
	put32(tail, (uint32_t)length);
	tail[7] = spec->protocol;
	return frame_sum(tail, sizeof(tail), sum);
}

/* ------------------------------------------------------------------ transport */

static void build_ip(const struct frame_spec *spec, struct frame *frame);

static void build_tcp(const struct frame_spec *spec, struct frame *frame)
{
	static const char letters[] = "FSRPAUEC";
	size_t start = frame->length;
	size_t options = (spec->mss >= 0 ? 4 : 0) + (spec->ws >= 0 ? 4 : 0);
	uint8_t *tcp = room(frame, 20 + options);
	uint8_t *option = tcp + 20;
	unsigned int flags = 0;

	for (const char *letter = spec->tcp_flags; *letter; letter++)
		if (strchr(letters, *letter))
			flags |= 1u << (strchr(letters, *letter) - letters);
	put16(tcp, spec->sport);
	put16(tcp + 2, spec->dport);
	put32(tcp + 4, spec->seq);
	put32(tcp + 8, spec->ack);
	tcp[12] = (uint8_t)((spec->doff >= 0 ? (size_t)spec->doff : (20 + options) / 4) << 4);
	tcp[13] = (uint8_t)flags;
	put16(tcp + 14, spec->win);
	if (spec->mss >= 0) {
		option[0] = 2;
		option[1] = 4;
		put16(option + 2, (uint32_t)spec->mss);
		option += 4;
	}
	if (spec->ws >= 0) {
		option[0] = 1; /* NOP */
		option[1] = 3;
		option[2] = 3;
		option[3] = (uint8_t)spec->ws;
	}
	put_filler(frame, spec->len);
	put_checksum(tcp + 16, tcp, frame->length - start, pseudo_sum(spec, frame->length - start),
		     spec->badsum);
}

static void finish_udp(const struct frame_spec *spec, struct frame *frame, size_t start)
{
	uint8_t *udp = frame->bytes + start;
	size_t length = frame->length - start;

	put16(udp, spec->sport);
	put16(udp + 2, spec->dport);
	put16(udp + 4, spec->udplen >= 0 ? (uint32_t)spec->udplen : (uint32_t)length);
	put_checksum(udp + 6, udp, length, pseudo_sum(spec, length), spec->badsum);
}

static void build_udp(const struct frame_spec *spec, struct frame *frame)
{
	size_t start = frame->length;

	room(frame, 8);
	put_filler(frame, spec->len);
	finish_udp(spec, frame, start);
}

/* One chunk (RFC 9260, 3): INIT and INIT ACK with their fixed part, DATA with one, others bare. */
static void build_sctp(const struct frame_spec *spec, struct frame *frame)
{
	bool init = spec->chunk == 1 || spec->chunk == 2;
	size_t length = init ? 20 : spec->chunk == 0 ? 16 : 4;
	uint8_t *sctp = room(frame, 12 + length);
	uint32_t crc;

	put16(sctp, spec->sport);
	put16(sctp + 2, spec->dport);
	put32(sctp + 4, spec->tag);
	sctp[12] = spec->chunk;
	sctp[13] = spec->chunk_flags;
	put16(sctp + 14, (uint32_t)length);
	if (init) {
		put32(sctp + 16, spec->init_tag);
		put32(sctp + 20, 65536);
		put16(sctp + 24, 10);
		put16(sctp + 26, 10);
		put32(sctp + 28, 1);
	}
	crc = frame_crc32c(sctp, 12 + length);
	for (unsigned int i = 0; i < 4; i++) /* least significant byte first (RFC 9260, app. A) */
		sctp[8 + i] = (uint8_t)(crc >> (8 * i));
}

static void finish_icmp(const struct frame_spec *spec, struct frame *frame, size_t start)
{
	uint8_t *icmp = frame->bytes + start;
	size_t length = frame->length - start;
	uint32_t sum = spec->protocol == ICMP6_PROTO ? pseudo_sum(spec, length) : 0;

	icmp[2] = icmp[3] = 0;
	put_checksum(icmp + 2, icmp, length, sum, spec->badsum);
}

static void build_icmp(const struct frame_spec *spec, struct frame *frame)
{
	size_t start = frame->length;
	uint8_t *icmp = room(frame, 8);

	icmp[0] = spec->type;
	icmp[1] = spec->code;
	put16(icmp + 4, spec->inner ? 0 : spec->id);
	put16(icmp + 6, spec->inner ? spec->mtu : spec->icmp_seq);
	if (spec->inner)
		build_ip(spec->inner, frame);
	else
		put_filler(frame, spec->len);
	finish_icmp(spec, frame, start);
}

static void build_nd(const struct frame_spec *spec, struct frame *frame)
{
	size_t start = frame->length;
	uint8_t *nd = room(frame, 8);

	nd[0] = spec->type;
	nd[1] = spec->code;
	switch (spec->type) {
	case 134: /* router advertisement: hop limit, lifetime; reachable and retransmission timers
		   */
		nd[4] = 64;
		put16(nd + 6, 1800);
		room(frame, 8);
		break;
	case 135:
	case 136:
		if (spec->type == 136)
			nd[4] = 0x60; /* solicited, override */
		memcpy(room(frame, 16), &spec->target, 16);
		break;
	case 137: /* redirect: target, destination */
		memcpy(room(frame, 16), &spec->target, 16);
		memcpy(room(frame, 16), &spec->dst, 16);
		break;
	default:
		break;
	}
	if (spec->has_lla) {
		uint8_t *option = room(frame, 8);

		option[0] = spec->type == 136 || spec->type == 137 ? 2 : 1;
		option[1] = 1;
		memcpy(option + 2, spec->lla, 6);
	}
	finish_icmp(spec, frame, start);
}

static void build_mld(const struct frame_spec *spec, struct frame *frame)
{
	size_t start = frame->length;
	uint8_t *mld = room(frame, 8);

	mld[0] = spec->type;
	if (spec->type == 143) { /* RFC 3810, 5.2: one record, exclude nothing */
		uint8_t *record = room(frame, 20);

		put16(mld + 6, 1);
		record[0] = 4;
		memcpy(record + 4, &spec->target, 16);
	} else {
		memcpy(room(frame, 16), &spec->target, 16);
	}
	finish_icmp(spec, frame, start);
}

/* RFC 2131; the client's MAC is sha. */
static void build_dhcp(const struct frame_spec *spec, struct frame *frame)
{
	static const uint8_t cookie[] = {0x63, 0x82, 0x53, 0x63, 53, 1};
	size_t start = frame->length;
	uint8_t *udp = room(frame, 8 + DHCP_LENGTH);
	uint8_t *dhcp = udp + 8;
	bool reply = spec->type == 2 || spec->type == 5 || spec->type == 6;

	dhcp[0] = reply ? 2 : 1;
	dhcp[1] = 1;
	dhcp[2] = 6;
	put32(dhcp + 4, 0x12345678);
	memcpy(dhcp + 28, spec->sha, 6);
	memcpy(dhcp + 236, cookie, sizeof(cookie));
	dhcp[242] = spec->type;
	dhcp[243] = 255;
	finish_udp(spec, frame, start);
}

/* RFC 8415, 8. */
static void build_dhcp6(const struct frame_spec *spec, struct frame *frame)
{
	size_t start = frame->length;
	uint8_t *udp = room(frame, 8 + 4);

	udp[8] = spec->type;
	udp[11] = 7;
	put_filler(frame, spec->len);
	finish_udp(spec, frame, start);
}

static void build_body(const struct frame_spec *spec, struct frame *frame)
{
	if (spec->fragment && spec->fragment_offset > 0) {
		put_filler(frame, spec->len);
		return;
	}
	switch (spec->body) {
	case FRAME_TCP:
		build_tcp(spec, frame);
		break;
	case FRAME_UDP:
		build_udp(spec, frame);
		break;
	case FRAME_SCTP:
		build_sctp(spec, frame);
		break;
	case FRAME_ICMP:
		build_icmp(spec, frame);
		break;
	case FRAME_ND:
		build_nd(spec, frame);
		break;
	case FRAME_MLD:
		build_mld(spec, frame);
		break;
	case FRAME_DHCP:
		build_dhcp(spec, frame);
		break;
	case FRAME_DHCP6:
		build_dhcp6(spec, frame);
		break;
	default:
		put_filler(frame, spec->len);
		break;
	}
}

/* ------------------------------------------------------------------ network */

static void build_ipv4(const struct frame_spec *spec, struct frame *frame)
{
	size_t start = frame->length;
	size_t header = 20 + 4 * (size_t)spec->option_words;
	uint8_t *ip = room(frame, header);

	ip[0] = (uint8_t)((spec->ver >= 0 ? spec->ver : 4) << 4 |
			  (spec->ihl >= 0 ? spec->ihl : (int)(header / 4)));
	put16(ip + 4, spec->ipid);
	put16(ip + 6,
	      (spec->df ? 0x4000u : 0) | (spec->more ? 0x2000u : 0) | spec->fragment_offset / 8);
	ip[8] = spec->ttl;
	ip[9] = spec->protocol;
	memcpy(ip + 12, spec->src.b + 12, 4);
	memcpy(ip + 16, spec->dst.b + 12, 4);
	memset(ip + 20, 1, header - 20); /* no-operation options */
	build_body(spec, frame);
	put16(ip + 2, spec->tot >= 0 ? (uint32_t)spec->tot : (uint32_t)(frame->length - start));
	put_checksum(ip + 10, ip, header, 0, spec->badsum);
}

static uint8_t ext_protocol(char letter)
{
	switch (letter) {
	case 'h':
		return 0;
	case 'd':
		return 60;
	case 'r':
	case 'R':
		return 43;
	case 'f':
		return 44;
	case 'a':
		return 51;
	default:
		return 59;
	}
}

static void build_ext(const struct frame_spec *spec, struct frame *frame, char letter, uint8_t next)
{
	uint8_t *ext = room(frame, letter == 'a' ? 24 : 8);

	ext[0] = next;
	switch (letter) {
	case 'h': /* router alert for MLD, padding otherwise (RFC 2711) */
		ext[2] = spec->body == FRAME_MLD ? 5 : 1;
		ext[3] = spec->body == FRAME_MLD ? 2 : 4;
		break;
	case 'd':
		ext[2] = 1; /* PadN */
		ext[3] = 4;
		break;
	case 'r':
		ext[2] = 253; /* experimental, no segments left */
		break;
	case 'f':
		put16(ext + 2, spec->fragment_offset | (spec->more ? 1u : 0));
		put32(ext + 4, spec->ipid);
		break;
	case 'a':
		ext[1] = 4; /* in 4 bytes, minus 2 (RFC 4302, 2.2) */
		break;
	default:
		break;
	}
}

static void build_ipv6(const struct frame_spec *spec, struct frame *frame)
{
	uint8_t *ip = room(frame, 40);
	size_t start = frame->length;
	size_t count = strlen(spec->ext);

	ip[0] = (uint8_t)((spec->ver >= 0 ? spec->ver : 6) << 4);
	ip[6] = count > 0 ? ext_protocol(spec->ext[0]) : spec->protocol;
	ip[7] = spec->ttl;
	memcpy(ip + 8, &spec->src, 16);
	memcpy(ip + 24, &spec->dst, 16);
	for (size_t i = 0; i < count; i++)
		if (spec->ext[i] != 'n')
			build_ext(spec, frame, spec->ext[i],
				  i + 1 < count ? ext_protocol(spec->ext[i + 1]) : spec->protocol);
	build_body(spec, frame);
	put16(ip + 4, spec->tot >= 0 ? (uint32_t)spec->tot : (uint32_t)(frame->length - start));
}

static void build_ip(const struct frame_spec *spec, struct frame *frame)
{
	if (spec->v6)
		build_ipv6(spec, frame);
	else
		build_ipv4(spec, frame);
}

static void build_arp(const struct frame_spec *spec, struct frame *frame)
{
	uint8_t *arp = room(frame, 28);

	put16(arp, spec->htype >= 0 ? (uint32_t)spec->htype : 1);
	put16(arp + 2, 0x0800);
	arp[4] = (uint8_t)(spec->hlen >= 0 ? spec->hlen : 6);
	arp[5] = (uint8_t)(spec->plen >= 0 ? spec->plen : 4);
	put16(arp + 6, spec->arp_op);
	memcpy(arp + 8, spec->sha, 6);
	memcpy(arp + 14, spec->src.b + 12, 4);
	memcpy(arp + 18, spec->tha, 6);
	memcpy(arp + 24, spec->dst.b + 12, 4);
}

static uint16_t ethertype_of(const struct frame_spec *spec)
{
	if (spec->ethertype >= 0)
		return (uint16_t)spec->ethertype;
	if (spec->body == FRAME_ARP)
		return 0x0806;
	return spec->v6 ? 0x86dd : 0x0800;
}

void frame_build(const struct frame_spec *spec, struct frame *frame)
{
	uint8_t *ethernet;

	frame->length = 0;
	ethernet = room(frame, 12);
	memcpy(ethernet, spec->dmac, 6);
	memcpy(ethernet + 6, spec->smac, 6);
	for (unsigned int i = 0; i < spec->tag_count; i++) {
		uint8_t *tag = room(frame, 4);

		put16(tag, spec->tags[i].tpid);
		put16(tag + 2, spec->tags[i].vid);
	}
	put16(room(frame, 2), ethertype_of(spec));
	if (spec->body == FRAME_ARP)
		build_arp(spec, frame);
	else if (spec->body == FRAME_ETH)
		put_filler(frame, spec->len);
	else
		build_ip(spec, frame);
	room(frame, spec->pad);
	if (spec->cut > 0 && spec->cut < frame->length)
		frame->length = spec->cut;
	for (unsigned int i = 0; i < spec->poke_count; i++)
		if (spec->pokes[i].at < frame->length)
			frame->bytes[spec->pokes[i].at] = spec->pokes[i].value;
}
