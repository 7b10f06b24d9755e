/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sctp.h - an SCTP association as a filter in the path sees it: its four-way handshake and the
 * verification tags (RFC 9260, 5.1 and 8.5).
 */
#pragma once

#include "tests/fuzz/reference/packet.h"
#include "tests/fuzz/reference/tcp.h"

struct ref_sctp {
	enum sg_sctp_state state;
	struct {
		uint32_t tag;	  /* that the other side's packets carry; 0: none yet */
		uint32_t offered; /* in its last INIT or INIT ACK */
	} side[REF_ROLES];
};

bool ref_sctp_opens(const struct ref_sctp_header *packet);
void ref_sctp_open(struct ref_sctp *sctp, const struct ref_sctp_header *init);
enum ref_judgement ref_sctp_packet(struct ref_sctp *sctp, enum ref_role from,
				   const struct ref_sctp_header *packet);
