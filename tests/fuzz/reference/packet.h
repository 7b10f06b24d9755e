/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.h - a frame as the reference sees it, and the reader that fills it in.
 *
 * The reference is a second implementation of the dataplane in plain C, written from the documents
 * and RFCs, for nothing but comparison. It includes nothing of bpf/ but abi.h, whose names of
 * reasons and directions both share, and prefers being obvious to being fast.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/* No reason: nothing was found against the frame. */
#define REF_PASS SG_REASONS

/* A header must start within so many bytes of the frame, or it drops: extension headers make a
 * longer way possible. */
#define REF_REACH 512

enum ref_icmp {
	REF_ICMP_NONE,	/* not ICMP */
	REF_ICMP_QUERY, /* may open a flow */
	REF_ICMP_REPLY, /* answers one */
	REF_ICMP_ERROR, /* about another packet */
	REF_ICMP_OTHER,
};

struct ref_tcp_header {
	uint32_t seq, ack, length;
	uint16_t window;
	uint8_t flags; /* FIN SYN RST PSH ACK URG from bit 0 on */
	int scale;     /* window scale option of a SYN, -1: none */
};

struct ref_sctp_header {
	uint32_t tag, init_tag; /* init_tag of INIT and INIT ACK */
	uint8_t chunk, flags;
};

/* The ends of a flow as a packet names them. */
struct ref_tuple {
	struct sg_addr src, dst;
	uint8_t protocol;
	uint16_t sport, dport; /* host order, 0 where there are none */
	uint8_t icmp_request;  /* type of the query that it is, or that it answers */
	uint16_t icmp_id;
	bool icmp_reply;
};

struct ref_packet {
	size_t bytes; /* of the frame */
	uint8_t smac[6], dmac[6];
	bool tagged;
	uint16_t vid;
	int family; /* 4, 6; 0: ARP */
	struct ref_tuple tuple;
	uint8_t hop_limit;
	bool has_ports;

	bool fragment; /* has a fragment header, or is a fragment of IPv4 */
	bool more;
	uint32_t fragment_id;
	uint8_t fragment_protocol;   /* what the fragment header says comes first */
	unsigned int fragment_start; /* bytes */
	unsigned int fragment_bytes;

	struct ref_tcp_header tcp;
	struct ref_sctp_header sctp;
	enum ref_icmp icmp;
	uint8_t icmp_type, icmp_code;
	bool has_target;
	struct sg_addr target; /* of a neighbour solicitation or advertisement */
	/* The packet inside an ICMP error, when it is one that a flow can have sent. */
	bool has_inner;
	struct ref_tuple inner;
	uint32_t inner_seq;

	uint8_t arp_mac[6];
	struct sg_addr arp_ip; /* sender; zero: none */
};

/* REF_PASS, or the reason why no interface lets the frame through. */
uint32_t ref_read(const uint8_t *bytes, size_t length, struct ref_packet *packet);
/* Whether a flow goes by the ports or identifiers of later packets; not so for ARP, later fragments
 * and ICMP that asks nothing. */
bool ref_is_later_fragment(const struct ref_packet *packet);
