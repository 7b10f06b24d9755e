/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.h - Ethernet frames, in hexadecimal or out of a capture, read by the very parser of the BPF
 * programs (bpf/parse.bpf.h, built natively).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rulesd/eval.h"

struct frame {
	enum sg_reason problem; /* why it cannot be read; SG_REASONS: it can */
	uint8_t source_mac[6], destination_mac[6];
	uint32_t bytes; /* on the wire */
	uint16_t vid;
	bool tagged;
	bool arp;
	uint8_t arp_mac[6];
	struct sg_addr arp_sender; /* zero: a probe (RFC 5227) */
	bool fragment, later_fragment;
	uint32_t fragment_id;
	bool tcp;
	uint8_t tcp_flags;	/* enum sg_tcp_flag_bits of bpf/tcp.h */
	bool error;		/* an ICMP error about a packet of the flow `inner` */
	bool reply;		/* an ICMP reply */
	bool tracked;		/* it can belong to a flow */
	struct sg_flow_key key; /* of its flow, from the interface's point of view; slot 0 */
	struct sg_flow_key inner;
	struct eval_packet packet; /* what rules are asked */
};

/* captured bytes of a frame of length bytes; dir is the interface's. */
void frame_parse(const void *bytes, size_t captured, size_t length, enum sg_dir dir,
		 struct frame *frame);
/* "52 54 00..", "525400...", "0x5254…": digits in pairs, spaces and colons between. 0 and *bytes
 * (the caller frees it), or -EINVAL. */
int frame_parse_hex(const char *text, uint8_t **bytes, size_t *length);
