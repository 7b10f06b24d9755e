/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.h - Ethernet frames for tests, built from one line of text or from the struct behind it.
 *
 * The text:  PROTOCOL SRC > DST [word | key=value]...
 *
 *   tcp 10.0.0.9:4000 > 10.0.0.5:443 S seq=100 ws=7
 *       flags are letters of SAFRPUEC, "-" is none
 *   udp [fd00::9]:4000 > [fd00::5]:53 len=20
 *       len: bytes of payload
 *   sctp A:P > A:P
 *       an INIT chunk, or chunk=TYPE cflags=BITS; tag=TAG in the header, itag=TAG in an INIT
 *   icmp A > A type=8 code=0 id=1 seq=1
 *       icmp6 likewise; type defaults to echo request
 *   icmp A > A type=3 code=4 mtu=1400 { tcp ... }
 *       an error with the packet that it is about
 *   ns A > A target=A lla=MAC
 *       neighbour discovery, hop limit 255; na, rs, ra, redirect likewise
 *   mld A > ff02::16 group=A type=143
 *       behind hop-by-hop with router alert
 *   ip/47 A > A len=20
 *       any protocol by number, both families
 *   dhcp A > A type=1
 *       the message type; ports follow from it; dhcp6 likewise
 *   arp A > A op=1 sha=MAC tha=MAC
 *   eth ethertype=0x88cc len=46
 *
 * Everywhere:
 *   smac= dmac=     a MAC, or N for 52:54:00:00:00:N
 *   vlan=N          repeatable, outermost first; N/ad for 802.1ad
 *   frag=OFFSET[+]  in bytes; + more follow; a later fragment carries len bytes, no transport
 *   opts=N          32-bit words of IPv4 options
 *   ext=LETTERS     IPv6 extension headers: h hop-by-hop, d destination, r routing, R routing of
 *                   type 0, f fragment,
 *                   a authentication, n no next header
 *   ethertype= ttl= ipid= df
 *   cut=N pad=N     keep the first N bytes; N bytes after the packet
 *   poke=AT:BYTE    repeatable: this byte of the frame, whatever it was
 * Lies: ver= ihl= tot= (IPv4 total, IPv6 payload length) doff= udplen= badsum.
 *
 * MACs follow from the addresses when they are not given: 52:54:00:00:00:XX of the last byte, the
 * group MAC for multicast and broadcast; the unspecified address speaks as :05, the VM of the
 * tests.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

#define FRAME_ROOM 16384

struct frame {
	size_t length;
	uint8_t bytes[FRAME_ROOM];
};

enum frame_body {
	FRAME_RAW, /* payload only */
	FRAME_ARP,
	FRAME_TCP,
	FRAME_UDP,
	FRAME_SCTP,
	FRAME_ICMP, /* either family, by spec.protocol */
	FRAME_ND,
	FRAME_MLD,
	FRAME_DHCP,
	FRAME_DHCP6,
	FRAME_ETH, /* no IP */
};

#define FRAME_MAX_TAGS	4
#define FRAME_MAX_EXT	16
#define FRAME_MAX_POKES 8

struct frame_spec {
	enum frame_body body;
	uint8_t smac[6], dmac[6];
	struct {
		uint16_t tpid, vid;
	} tags[FRAME_MAX_TAGS];
	unsigned int tag_count;
	int ethertype; /* -1: of the body */
	size_t cut;    /* 0: whole */
	size_t pad;
	struct {
		uint16_t at;
		uint8_t value;
	} pokes[FRAME_MAX_POKES];
	unsigned int poke_count;

	bool v6;
	struct sg_addr src, dst;
	uint8_t protocol; /* of the innermost IP payload */
	uint8_t ttl;
	uint16_t ipid;
	bool df, fragment, more;
	unsigned int fragment_offset; /* bytes, a multiple of 8 */
	unsigned int option_words;
	char ext[FRAME_MAX_EXT + 1];

	uint16_t sport, dport;
	char tcp_flags[12];
	uint32_t seq, ack;
	uint16_t win;
	uint8_t chunk, chunk_flags; /* SCTP */
	uint32_t tag, init_tag;
	int ws, mss; /* -1: option absent */
	uint8_t type, code;
	uint16_t id, icmp_seq, mtu;
	struct sg_addr target; /* ND target, MLD group */
	uint8_t sha[6], tha[6], lla[6];
	bool has_lla;
	uint16_t arp_op;
	size_t len;		  /* of the payload */
	struct frame_spec *inner; /* of ICMP errors; owned */

	int ver, ihl, tot, doff, udplen, htype, hlen, plen; /* -1: the truth */
	bool badsum;
};

/* Fills spec from text. 0, or -EINVAL with *error naming the bad word (the caller frees). */
int frame_spec_parse(const char *text, struct frame_spec **spec, char **error);
void frame_spec_free(struct frame_spec **spec);
/* Lays the frame out, with correct lengths and checksums but for the lies. */
void frame_build(const struct frame_spec *spec, struct frame *frame);

/* Both in one; fails the test when the text is wrong. printf-like. */
void frame_make(struct frame *frame, const char *format, ...) __attribute__((format(printf, 2, 3)));
void frame_make_text(struct frame *frame, const char *text);

/* One's complement sum of RFC 1071 over data and a sum so far; not yet inverted. */
uint32_t frame_sum(const void *data, size_t length, uint32_t sum);
uint32_t frame_crc32c(const void *data, size_t length);
