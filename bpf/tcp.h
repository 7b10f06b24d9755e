/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp.h - the TCP state machine with window tracking. Pure logic: no map, no helper; it also builds
 * natively and is tested there.
 *
 * The model is nf_conntrack (net/netfilter/nf_conntrack_proto_tcp.c, after Guido van Rooij, "Real
 * Stateful TCP Packet Filtering in IP Filter"), RFC 9293 and, for resets, RFC 5961. What differs:
 *   - each direction writes its own half only, so no lock is needed (see struct sg_flow_half);
 *   - SACK edges are not read: an acknowledgement never lags behind the data by more than the
 * largest window that its sender advertised, which is the bound used;
 *   - a SYN/ACK must acknowledge this very SYN.
 */
#pragma once

#include "bpf/abi.h"

enum sg_tcp_flag_bits {
	SG_TCP_FLAG_FIN = 0x01,
	SG_TCP_FLAG_SYN = 0x02,
	SG_TCP_FLAG_RST = 0x04,
	SG_TCP_FLAG_PSH = 0x08,
	SG_TCP_FLAG_ACK = 0x10,
	SG_TCP_FLAG_URG = 0x20,
};

#define SG_TCP_NO_SCALE	 0xff
#define SG_TCP_MAX_SCALE 14 /* RFC 7323, 2.3 */
#define SG_TCP_ACK_WINDOW \
	66000u /* an acknowledgement may lag by at least this, as in nf_conntrack */

/* A segment as parsed, host order. */
struct sg_tcp_segment {
	__u32 seq;
	__u32 ack;    /* meaningful with ACK */
	__u32 length; /* of the payload in bytes */
	__u16 window;
	__u8 flags; /* enum sg_tcp_flag_bits */
	__u8 scale; /* of the window scale option in a SYN, or SG_TCP_NO_SCALE */
};

enum sg_tcp_result {
	SG_TCP_ACCEPT,	/* passes; the half was updated; the state may move */
	SG_TCP_IGNORE,	/* passes and changes nothing */
	SG_TCP_REOPEN,	/* a SYN on a tuple that is over: open it as new, by policy, in this
			   direction */
	SG_TCP_INVALID, /* drops: tcp_invalid */
	SG_TCP_OVER,	/* drops: tcp_closed */
};

static __inline __attribute__((always_inline)) int sg_seq_after(__u32 a, __u32 b)
{
	return (__s32)(a - b) > 0;
}

/* Combinations that some stack sends, PSH, ECE and CWR aside; everything else is a probe (as
 * nf_conntrack's table). */
static __inline __attribute__((always_inline)) int sg_tcp_flags_valid(__u8 flags)
{
	switch (flags & 0x37) {
	case SG_TCP_FLAG_SYN:
	case SG_TCP_FLAG_SYN | SG_TCP_FLAG_URG:
	case SG_TCP_FLAG_SYN | SG_TCP_FLAG_ACK:
	case SG_TCP_FLAG_RST:
	case SG_TCP_FLAG_RST | SG_TCP_FLAG_ACK:
	case SG_TCP_FLAG_FIN | SG_TCP_FLAG_ACK:
	case SG_TCP_FLAG_FIN | SG_TCP_FLAG_ACK | SG_TCP_FLAG_URG:
	case SG_TCP_FLAG_ACK:
	case SG_TCP_FLAG_ACK | SG_TCP_FLAG_URG:
		return 1;
	default:
		return 0;
	}
}

/* A SYN on a tuple whose connection is over. */
static __inline __attribute__((always_inline)) int sg_tcp_reopens(__u32 state, __u8 flags)
{
	return (state == SG_TCP_CLOSED || state == SG_TCP_TIME_WAIT) &&
	       (flags & (SG_TCP_FLAG_SYN | SG_TCP_FLAG_ACK | SG_TCP_FLAG_RST)) == SG_TCP_FLAG_SYN;
}

static __inline __attribute__((always_inline)) __u32 sg_tcp_end(const struct sg_tcp_segment *seg)
{
	return seg->seq + seg->length + !!(seg->flags & SG_TCP_FLAG_SYN) +
	       !!(seg->flags & SG_TCP_FLAG_FIN);
}

/* Starts a half with a SYN or SYN/ACK; packets, bytes and seen are kept. */
static __inline __attribute__((always_inline)) void sg_tcp_start(struct sg_flow_half *mine,
								 const struct sg_tcp_segment *seg)
{
	__u32 window = seg->window ? seg->window : 1;
	__u8 flags = 0;

	mine->end = sg_tcp_end(seg);
	mine->maxwin = window;
	mine->maxack = seg->seq;
	mine->maxend = 0;
	mine->scale = 0;
	if (seg->scale != SG_TCP_NO_SCALE) {
		mine->scale = seg->scale > SG_TCP_MAX_SCALE ? SG_TCP_MAX_SCALE : seg->scale;
		flags |= SG_HALF_SCALES;
	}
	if (seg->flags & SG_TCP_FLAG_ACK) {
		mine->maxack = seg->ack;
		mine->maxend = seg->ack + window;
		flags |= SG_HALF_ACKED;
	}
	mine->flags = flags;
}

static __inline __attribute__((always_inline)) int sg_tcp_adoptable(
	const struct sg_tcp_segment *seg)
{
	return (seg->flags & (SG_TCP_FLAG_SYN | SG_TCP_FLAG_RST | SG_TCP_FLAG_FIN |
			      SG_TCP_FLAG_ACK)) == SG_TCP_FLAG_ACK;
}

/* Starts both halves in the middle of a connection whose handshake nobody saw (attach
 * --adopt-flows). */
static __inline __attribute__((always_inline)) void sg_tcp_adopt(struct sg_flow_half *mine,
								 struct sg_flow_half *theirs,
								 const struct sg_tcp_segment *seg)
{
	mine->end = sg_tcp_end(seg);
	mine->maxwin = seg->window ? seg->window : 1;
	mine->maxack = seg->ack;
	mine->maxend = seg->ack + mine->maxwin;
	mine->flags = SG_HALF_ADOPTED | SG_HALF_ACKED;
	theirs->end = seg->ack;
	theirs->flags = SG_HALF_ADOPTED;
}

/* Records an acceptable segment in the half of its sender. */
static __inline __attribute__((always_inline)) void sg_tcp_record(struct sg_flow_half *mine,
								  const struct sg_flow_half *theirs,
								  const struct sg_tcp_segment *seg)
{
	__u32 end = sg_tcp_end(seg);
	__u32 window = seg->window;
	__u8 flags = mine->flags;

	if (flags & theirs->flags & SG_HALF_SCALES)
		window <<= mine->scale & 0xf;
	if (!window)
		window = 1; /* a zero window may be probed with one byte */
	if (sg_seq_after(end, mine->end))
		mine->end = end;
	if (window > mine->maxwin)
		mine->maxwin = window;
	if (seg->flags & SG_TCP_FLAG_ACK) {
		if (!(flags & SG_HALF_ACKED) || sg_seq_after(seg->ack, mine->maxack))
			mine->maxack = seg->ack;
		if (!(flags & SG_HALF_ACKED) || sg_seq_after(seg->ack + window, mine->maxend))
			mine->maxend = seg->ack + window;
		flags |= SG_HALF_ACKED;
	}
	if (seg->flags & SG_TCP_FLAG_FIN)
		flags |= SG_HALF_FIN;
	if (flags != mine->flags)
		mine->flags = flags;
}

/* Sequence and acknowledgement against the windows of both sides; for segments without SYN and RST.
 */
static __inline __attribute__((always_inline)) enum sg_tcp_result sg_tcp_window(
	const struct sg_flow_half *mine, const struct sg_flow_half *theirs,
	const struct sg_tcp_segment *seg)
{
	__u32 lag = mine->maxwin > SG_TCP_ACK_WINDOW ? mine->maxwin : SG_TCP_ACK_WINDOW;

	if (mine->flags & SG_HALF_ADOPTED)
		return SG_TCP_ACCEPT;
	if (theirs->flags & SG_HALF_ACKED && sg_seq_after(seg->seq, theirs->maxend))
		return SG_TCP_INVALID; /* beyond the receiver's window */
	if (seg->flags & SG_TCP_FLAG_ACK && sg_seq_after(seg->ack, theirs->end))
		return SG_TCP_INVALID; /* acknowledges what was never sent */
	if (!sg_seq_after(sg_tcp_end(seg), mine->end - theirs->maxwin - 1))
		return SG_TCP_IGNORE; /* a retransmit of data acknowledged long ago */
	if (seg->flags & SG_TCP_FLAG_ACK && !sg_seq_after(seg->ack, theirs->end - lag - 1))
		return SG_TCP_IGNORE; /* an overly delayed acknowledgement */
	return SG_TCP_ACCEPT;
}

/*
 * RFC 5961, 3.2: only the exact sequence number closes a live connection; an inexact one inside the
 * window passes, so that the receiver can answer it with a challenge ACK, but changes nothing here.
 */
static __inline __attribute__((always_inline)) enum sg_tcp_result sg_tcp_reset(
	const struct sg_flow_half *mine, const struct sg_flow_half *theirs, __u32 state,
	int from_opener, const struct sg_tcp_segment *seg, __u32 *next)
{
	if (state == SG_TCP_SYN_SENT) {
		/* The opener's answer to a challenge ACK of an older incarnation: its next SYN must
		 * still work. */
		if (from_opener)
			return SG_TCP_IGNORE;
		/* Connection refused: must acknowledge the SYN. */
		if (!(seg->flags & SG_TCP_FLAG_ACK) || !sg_seq_after(seg->ack, theirs->maxack) ||
		    sg_seq_after(seg->ack, theirs->end))
			return SG_TCP_INVALID;
		*next = SG_TCP_CLOSED;
		return SG_TCP_ACCEPT;
	}
	if (theirs->flags & SG_HALF_ACKED) {
		if (sg_seq_after(theirs->maxack, seg->seq) ||
		    sg_seq_after(seg->seq, theirs->maxend))
			return SG_TCP_INVALID;
		/* end: a reset that follows data which is still in flight. */
		if (state == SG_TCP_ESTABLISHED && seg->seq != theirs->maxack &&
		    seg->seq != mine->end)
			return SG_TCP_IGNORE;
	} else if (seg->seq != mine->end) {
		return SG_TCP_INVALID;
	}
	*next = SG_TCP_CLOSED;
	return SG_TCP_ACCEPT;
}

/* The state after an acceptable segment with ACK and without SYN and RST, recorded or not yet, of a
 * flow whose SYN was answered. */
static __inline __attribute__((always_inline)) __u32 sg_tcp_advance(
	const struct sg_flow_half *mine, const struct sg_flow_half *theirs, __u32 state,
	int from_opener, __u32 flags, __u32 ack)
{
	__u32 next = state;

	if (state == SG_TCP_SYN_RECV && from_opener)
		next = SG_TCP_ESTABLISHED;
	if (flags & SG_TCP_FLAG_FIN) {
		if (state != SG_TCP_TIME_WAIT)
			next = theirs->flags & SG_HALF_FIN ? SG_TCP_LAST_ACK : SG_TCP_FIN_WAIT;
		return next;
	}
	/* An acknowledgement of everything the other side sent, its FIN included. */
	if (theirs->flags & SG_HALF_FIN && ack == theirs->end) {
		if (state == SG_TCP_FIN_WAIT)
			next = SG_TCP_CLOSE_WAIT;
		if (state == SG_TCP_LAST_ACK && mine->flags & SG_HALF_FIN)
			next = SG_TCP_TIME_WAIT;
	}
	return next;
}

/*
 * Judges a segment of a flow in `state`. mine is the half of its sender, theirs the other one; mine
 * is updated on SG_TCP_ACCEPT, *next is the state afterwards (unchanged unless SG_TCP_ACCEPT).
 */
static __inline __attribute__((always_inline)) enum sg_tcp_result sg_tcp_track(
	struct sg_flow_half *mine, const struct sg_flow_half *theirs, __u32 state, int from_opener,
	const struct sg_tcp_segment *seg, __u32 *next)
{
	enum sg_tcp_result result;

	*next = state;
	if (sg_tcp_reopens(state, seg->flags))
		return SG_TCP_REOPEN;
	if (state == SG_TCP_CLOSED)
		return SG_TCP_OVER;
	if (seg->flags & SG_TCP_FLAG_RST)
		return sg_tcp_reset(mine, theirs, state, from_opener, seg, next);

	if (seg->flags & SG_TCP_FLAG_SYN) {
		if (!(seg->flags & SG_TCP_FLAG_ACK)) {
			if (state == SG_TCP_SYN_SENT) {
				/* Retransmitted, or a new attempt; from the other side a
				 * simultaneous open. */
				sg_tcp_start(mine, seg);
				return SG_TCP_ACCEPT;
			}
			/* On a live tuple it draws a challenge ACK, whose RST then clears the
			 * connection. */
			return from_opener ? SG_TCP_IGNORE : SG_TCP_INVALID;
		}
		if (state == SG_TCP_SYN_SENT) {
			/* Only in a simultaneous open may the opener send one. */
			if (from_opener && !theirs->maxwin)
				return SG_TCP_INVALID;
			if (!theirs->maxwin ||
			    (!(theirs->flags & SG_HALF_ACKED) &&
			     !sg_seq_after(seg->ack, theirs->maxack)) ||
			    sg_seq_after(seg->ack, theirs->end))
				return SG_TCP_INVALID;
			sg_tcp_start(mine, seg);
			*next = SG_TCP_SYN_RECV;
			return SG_TCP_ACCEPT;
		}
		/* Retransmitted: the last ACK of the handshake was lost behind us. */
		if (sg_seq_after(seg->ack, theirs->end))
			return SG_TCP_INVALID;
		if (state == SG_TCP_SYN_RECV && !mine->maxwin) {
			sg_tcp_start(mine, seg);
			return SG_TCP_ACCEPT;
		}
		if (state == SG_TCP_SYN_RECV && !(mine->flags & SG_HALF_ACKED)) {
			/* The second SYN/ACK of a simultaneous open. */
			sg_tcp_start(mine, seg);
			return SG_TCP_ACCEPT;
		}
		return SG_TCP_IGNORE;
	}

	if (state == SG_TCP_SYN_SENT) {
		/* From the other side: the challenge ACK of an older incarnation, which the opener
		 * resets. */
		if (from_opener || seg->flags & SG_TCP_FLAG_FIN || seg->length)
			return SG_TCP_INVALID;
		return SG_TCP_IGNORE;
	}
	if (state == SG_TCP_SYN_RECV && from_opener && !(seg->flags & SG_TCP_FLAG_ACK))
		return SG_TCP_INVALID;

	result = sg_tcp_window(mine, theirs, seg);
	if (result != SG_TCP_ACCEPT)
		return result;
	sg_tcp_record(mine, theirs, seg);

	*next = sg_tcp_advance(mine, theirs, state, from_opener, seg->flags, seg->ack);
	return SG_TCP_ACCEPT;
}
