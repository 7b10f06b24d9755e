/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sctp.h - SCTP associations by their four-way handshake and their verification tags (RFC 9260).
 * Pure logic, as tcp.h.
 *
 * The model is nf_conntrack_proto_sctp.c. What differs: each direction writes its own half only, so
 * a side's initiate tag, which the other side's packets must carry, is kept in the half of the side
 * that chose it; only the first chunk of a packet is read; only INIT opens, so secondary paths of
 * multi-homed associations need a handshake of their own.
 *
 * In struct sg_flow_half: end is the tag that holds (0: none yet), maxack the one of a handshake
 * under way. A restart of a live association (RFC 9260, 5.2.2) therefore changes nothing until its
 * cookie is echoed.
 */
#pragma once

#include "bpf/abi.h"

enum sg_sctp_chunk {
	SG_SCTP_INIT = 1,
	SG_SCTP_INIT_ACK = 2,
	SG_SCTP_ABORT = 6,
	SG_SCTP_SHUTDOWN = 7,
	SG_SCTP_SHUTDOWN_ACK = 8,
	SG_SCTP_COOKIE_ECHO = 10,
	SG_SCTP_COOKIE_ACK = 11,
	SG_SCTP_SHUTDOWN_COMPLETE = 14,
};

/* The common header and the first chunk, host order. */
struct sg_sctp_packet {
	__u32 tag;	/* verification tag */
	__u32 init_tag; /* of an INIT or INIT ACK */
	__u8 chunk;	/* enum sg_sctp_chunk, or any other type */
	__u8 flags;	/* of the chunk; 1 is T: the tag is the sender's own (RFC 9260, 8.5.1) */
};

enum sg_sctp_result {
	SG_SCTP_ACCEPT,
	SG_SCTP_REOPEN,	 /* an INIT on a tuple that is over */
	SG_SCTP_INVALID, /* drops: sctp_invalid */
};

static __inline __attribute__((always_inline)) int sg_sctp_opens(
	const struct sg_sctp_packet *packet)
{
	return packet->chunk == SG_SCTP_INIT && !packet->tag && packet->init_tag;
}

/* Starts the half of whoever sends an INIT. */
static __inline __attribute__((always_inline)) void sg_sctp_start(
	struct sg_flow_half *mine, const struct sg_sctp_packet *packet)
{
	mine->end = 0;
	mine->maxack = packet->init_tag;
}

/* Whether a packet's tag is one that the receiving side chose. */
static __inline __attribute__((always_inline)) int sg_sctp_tag_fits(
	const struct sg_flow_half *theirs, __u32 tag)
{
	return tag && (tag == theirs->end || tag == theirs->maxack);
}

/* As sg_tcp_track(): mine is updated and *next set on SG_SCTP_ACCEPT only. */
static __inline __attribute__((always_inline)) enum sg_sctp_result sg_sctp_track(
	struct sg_flow_half *mine, const struct sg_flow_half *theirs, __u32 state,
	const struct sg_sctp_packet *packet, __u32 *next)
{
	*next = state;
	if (packet->chunk == SG_SCTP_INIT) {
		if (!sg_sctp_opens(packet))
			return SG_SCTP_INVALID;
		if (state == SG_SCTP_CLOSED)
			return SG_SCTP_REOPEN;
		mine->maxack = packet->init_tag;
		return SG_SCTP_ACCEPT;
	}
	if (state == SG_SCTP_CLOSED)
		return SG_SCTP_INVALID;
	switch (packet->chunk) {
	case SG_SCTP_INIT_ACK:
		if (!packet->tag || packet->tag != theirs->maxack || !packet->init_tag)
			return SG_SCTP_INVALID;
		mine->maxack = packet->init_tag;
		return SG_SCTP_ACCEPT;
	case SG_SCTP_COOKIE_ECHO:
		if (!packet->tag || packet->tag != theirs->maxack || !mine->maxack)
			return SG_SCTP_INVALID;
		mine->end = mine->maxack;
		if (state == SG_SCTP_COOKIE_WAIT)
			*next = SG_SCTP_COOKIE_ECHOED;
		return SG_SCTP_ACCEPT;
	case SG_SCTP_COOKIE_ACK:
		if (!packet->tag || packet->tag != theirs->end || !mine->maxack)
			return SG_SCTP_INVALID;
		mine->end = mine->maxack;
		if (state == SG_SCTP_COOKIE_ECHOED)
			*next = SG_SCTP_ESTABLISHED;
		return SG_SCTP_ACCEPT;
	case SG_SCTP_ABORT:
	case SG_SCTP_SHUTDOWN_COMPLETE:
		/* Reflected tags are for the peer of an association that the sender does not know.
		 */
		if (packet->flags & 1 ? !sg_sctp_tag_fits(mine, packet->tag)
				      : !sg_sctp_tag_fits(theirs, packet->tag))
			return SG_SCTP_INVALID;
		*next = SG_SCTP_CLOSED;
		return SG_SCTP_ACCEPT;
	default:
		/* Nothing else before the cookie has come back. */
		if (state == SG_SCTP_COOKIE_WAIT || !sg_sctp_tag_fits(theirs, packet->tag))
			return SG_SCTP_INVALID;
		if (state == SG_SCTP_ESTABLISHED &&
		    (packet->chunk == SG_SCTP_SHUTDOWN || packet->chunk == SG_SCTP_SHUTDOWN_ACK))
			*next = SG_SCTP_SHUTDOWN_SENT;
		return SG_SCTP_ACCEPT;
	}
}
