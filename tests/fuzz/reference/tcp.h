/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp.h - a TCP connection as a filter in the path sees it: RFC 9293's states, the windows of both
 * sides (van Rooij, "Real Stateful TCP Packet Filtering in IP Filter"), resets after RFC 5961.
 */
#pragma once

#include "tests/fuzz/reference/packet.h"

enum { REF_FIN = 1, REF_SYN = 2, REF_RST = 4, REF_PSH = 8, REF_ACK = 16, REF_URG = 32 };

/* Whose segment: of the side that opened, or of the other one. */
enum ref_role { REF_OPENER, REF_RESPONDER, REF_ROLES };

enum ref_judgement {
	REF_TAKE,   /* passes and moves the state */
	REF_LEAVE,  /* passes and changes nothing */
	REF_REOPEN, /* opens the ended connection anew, if rules allow */
	REF_REFUSE, /* does not fit */
	REF_ENDED,  /* the connection was reset */
};

struct ref_tcp_side {
	bool spoke;	  /* has sent a SYN */
	uint32_t initial; /* sequence number of its SYN */
	uint32_t end;	  /* one behind the highest byte it sent */
	bool acked;	  /* has acknowledged: the next two hold */
	uint32_t ack;	  /* highest acknowledgement */
	uint32_t limit;	  /* how far it lets the other side send */
	uint32_t window;  /* largest it offered */
	int scale;	  /* of its SYN, -1: none */
	bool fin;
};

struct ref_tcp {
	enum sg_tcp_state state;
	struct ref_tcp_side side[REF_ROLES];
};

/* Whether any stack sends this combination of flags. */
bool ref_tcp_flags_exist(uint8_t flags);
void ref_tcp_open(struct ref_tcp *tcp, const struct ref_tcp_header *syn);
enum ref_judgement ref_tcp_segment(struct ref_tcp *tcp, enum ref_role from,
				   const struct ref_tcp_header *segment);
/* Whether the side can have a segment with this sequence number in flight (RFC 5927, 4.1). */
bool ref_tcp_in_flight(const struct ref_tcp *tcp, enum ref_role sender, uint32_t seq);
/* Whether the connection was answered and the answer acknowledged. */
bool ref_tcp_is_confirmed(const struct ref_tcp *tcp);
