/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sctp.c - see sctp.h.
 */
#include "tests/fuzz/reference/sctp.h"

enum { INIT = 1, INIT_ACK = 2, ABORT = 6, SHUTDOWN = 7, SHUTDOWN_ACK = 8, COOKIE_ECHO = 10 };
enum { COOKIE_ACK = 11, SHUTDOWN_COMPLETE = 14 };

/* RFC 9260, 8.5.1 A: its verification tag is 0; 3.3.2: its initiate tag is not. */
bool ref_sctp_opens(const struct ref_sctp_header *packet)
{
	return packet->chunk == INIT && packet->tag == 0 && packet->init_tag != 0;
}

void ref_sctp_open(struct ref_sctp *sctp, const struct ref_sctp_header *init)
{
	*sctp = (struct ref_sctp){.state = SG_SCTP_COOKIE_WAIT};
	sctp->side[REF_OPENER].offered = init->init_tag;
}

/* The tag that holds, or the one of a handshake (or restart, 5.2.2) under way. */
static bool chosen_by(const struct ref_sctp *sctp, enum ref_role role, uint32_t tag)
{
	return tag && (tag == sctp->side[role].tag || tag == sctp->side[role].offered);
}

enum ref_judgement ref_sctp_packet(struct ref_sctp *sctp, enum ref_role from,
				   const struct ref_sctp_header *packet)
{
	enum ref_role to = !from;
	bool to_offer = packet->tag && packet->tag == sctp->side[to].offered;

	if (packet->chunk == INIT && !ref_sctp_opens(packet))
		return REF_REFUSE;
	if (sctp->state == SG_SCTP_CLOSED)
		return packet->chunk == INIT ? REF_REOPEN : REF_REFUSE;
	switch (packet->chunk) {
	case INIT:
		sctp->side[from].offered = packet->init_tag;
		return REF_TAKE;
	case INIT_ACK:
		if (!to_offer || !packet->init_tag)
			return REF_REFUSE;
		sctp->side[from].offered = packet->init_tag;
		return REF_TAKE;
	case COOKIE_ECHO:
		if (!to_offer || !sctp->side[from].offered)
			return REF_REFUSE;
		sctp->side[from].tag = sctp->side[from].offered;
		if (sctp->state == SG_SCTP_COOKIE_WAIT)
			sctp->state = SG_SCTP_COOKIE_ECHOED;
		return REF_TAKE;
	case COOKIE_ACK:
		if (!packet->tag || packet->tag != sctp->side[to].tag || !sctp->side[from].offered)
			return REF_REFUSE;
		sctp->side[from].tag = sctp->side[from].offered;
		if (sctp->state == SG_SCTP_COOKIE_ECHOED)
			sctp->state = SG_SCTP_ESTABLISHED;
		return REF_TAKE;
	case ABORT:
	case SHUTDOWN_COMPLETE:
		/* 8.5.1: with the T bit the tag is reflected, that is the sender's own. */
		if (!chosen_by(sctp, packet->flags & 1 ? from : to, packet->tag))
			return REF_REFUSE;
		sctp->state = SG_SCTP_CLOSED;
		return REF_TAKE;
	default:
		if (sctp->state == SG_SCTP_COOKIE_WAIT || !chosen_by(sctp, to, packet->tag))
			return REF_REFUSE;
		if (sctp->state == SG_SCTP_ESTABLISHED &&
		    (packet->chunk == SHUTDOWN || packet->chunk == SHUTDOWN_ACK))
			sctp->state = SG_SCTP_SHUTDOWN_SENT;
		return REF_TAKE;
	}
}
