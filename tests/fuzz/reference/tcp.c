/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp.c - see tcp.h.
 */
#include "tests/fuzz/reference/tcp.h"

#define SMALLEST_LAG  66000u /* acknowledgements may be late by as much, whatever the window */
#define LARGEST_SCALE 14     /* RFC 7323, 2.3 */

/* Whether a comes after b in the circle of sequence numbers (RFC 9293, 3.4). Half a circle apart,
 * neither comes after the other (RFC 1982, 3.2). */
static bool after(uint32_t a, uint32_t b)
{
	return a != b && a - b < 0x80000000u;
}

static uint32_t end_of(const struct ref_tcp_header *segment)
{
	return segment->seq + segment->length + (segment->flags & REF_SYN ? 1 : 0) +
	       (segment->flags & REF_FIN ? 1 : 0);
}

static uint32_t at_least_one(uint32_t window)
{
	return window ? window : 1;
}

static uint32_t lag(const struct ref_tcp_side *side)
{
	return side->window > SMALLEST_LAG ? side->window : SMALLEST_LAG;
}

bool ref_tcp_flags_exist(uint8_t flags)
{
	bool syn = flags & REF_SYN, ack = flags & REF_ACK, fin = flags & REF_FIN;
	bool rst = flags & REF_RST, urg = flags & REF_URG;

	if (syn + fin + rst > 1)
		return false;
	if (syn)
		return !(ack && urg);
	if (rst)
		return !urg;
	return ack;
}

/* A SYN or SYN/ACK: whatever its sender said before does not count any more. */
static void start(struct ref_tcp_side *side, const struct ref_tcp_header *syn)
{
	*side = (struct ref_tcp_side){
		.spoke = true,
		.initial = syn->seq,
		.end = end_of(syn),
		.window = at_least_one(syn->window),
		.scale = syn->scale > LARGEST_SCALE ? LARGEST_SCALE : syn->scale,
	};
	if (syn->flags & REF_ACK) {
		side->acked = true;
		side->ack = syn->ack;
		side->limit = syn->ack + at_least_one(syn->window);
	}
}

void ref_tcp_open(struct ref_tcp *tcp, const struct ref_tcp_header *syn)
{
	*tcp = (struct ref_tcp){.state = SG_TCP_SYN_SENT};
	tcp->side[REF_RESPONDER].scale = -1;
	start(&tcp->side[REF_OPENER], syn);
}

/* ------------------------------------------------------------------ resets */

static enum ref_judgement end_connection(struct ref_tcp *tcp)
{
	tcp->state = SG_TCP_CLOSED;
	return REF_TAKE;
}

static enum ref_judgement take_reset(struct ref_tcp *tcp, enum ref_role from,
				     const struct ref_tcp_header *reset)
{
	const struct ref_tcp_side *mine = &tcp->side[from], *theirs = &tcp->side[!from];

	if (tcp->state == SG_TCP_SYN_SENT) {
		/* The opener answers a challenge ACK of an older incarnation; its SYN stands. */
		if (from == REF_OPENER)
			return REF_LEAVE;
		/* Refused: RFC 9293, 3.10.7.3 wants the acknowledgement of the SYN. */
		if (!(reset->flags & REF_ACK) || !after(reset->ack, theirs->initial) ||
		    after(reset->ack, theirs->end))
			return REF_REFUSE;
		return end_connection(tcp);
	}
	if (!theirs->acked)
		return reset->seq == mine->end ? end_connection(tcp) : REF_REFUSE;
	if (after(theirs->ack, reset->seq) || after(reset->seq, theirs->limit))
		return REF_REFUSE;
	/* RFC 5961, 3.2: inside the window, but not exact, it draws a challenge ACK. */
	if (tcp->state == SG_TCP_ESTABLISHED && reset->seq != theirs->ack &&
	    reset->seq != mine->end)
		return REF_LEAVE;
	return end_connection(tcp);
}

/* ------------------------------------------------------------------ handshakes */

static enum ref_judgement take_syn(struct ref_tcp *tcp, enum ref_role from,
				   const struct ref_tcp_header *syn)
{
	/* A retransmit, another attempt, or the other half of a simultaneous open. */
	if (tcp->state == SG_TCP_SYN_SENT) {
		start(&tcp->side[from], syn);
		return REF_TAKE;
	}
	/* RFC 5961, 4: on a live connection it draws a challenge ACK and changes nothing. */
	return from == REF_OPENER ? REF_LEAVE : REF_REFUSE;
}

static enum ref_judgement take_syn_ack(struct ref_tcp *tcp, enum ref_role from,
				       const struct ref_tcp_header *segment)
{
	struct ref_tcp_side *mine = &tcp->side[from];
	const struct ref_tcp_side *theirs = &tcp->side[!from];

	if (!theirs->spoke || after(segment->ack, theirs->end))
		return REF_REFUSE;
	if (tcp->state == SG_TCP_SYN_SENT) {
		/* It must acknowledge this SYN, not one of an older incarnation. */
		if (!after(segment->ack, theirs->initial))
			return REF_REFUSE;
		start(mine, segment);
		tcp->state = SG_TCP_SYN_RECV;
		return REF_TAKE;
	}
	/* The second SYN/ACK of a simultaneous open; otherwise a retransmit. */
	if (tcp->state == SG_TCP_SYN_RECV && !mine->acked) {
		start(mine, segment);
		return REF_TAKE;
	}
	return REF_LEAVE;
}

/* ------------------------------------------------------------------ data */

static enum ref_judgement judge_window(const struct ref_tcp_side *mine,
				       const struct ref_tcp_side *theirs,
				       const struct ref_tcp_header *segment)
{
	/* Beyond what the receiver's window takes; acknowledging what was never sent. */
	if (theirs->acked && after(segment->seq, theirs->limit))
		return REF_REFUSE;
	if (after(segment->ack, theirs->end))
		return REF_REFUSE;
	/* Old data, which is acknowledged again; an acknowledgement too old to say anything. */
	if (!after(end_of(segment), mine->end - theirs->window - 1) ||
	    !after(segment->ack, theirs->end - lag(mine) - 1))
		return REF_LEAVE;
	return REF_TAKE;
}

static void note(struct ref_tcp_side *mine, const struct ref_tcp_side *theirs,
		 const struct ref_tcp_header *segment)
{
	uint32_t window = segment->window;

	if (mine->scale >= 0 && theirs->scale >= 0)
		window <<= mine->scale;
	window = at_least_one(window);
	if (after(end_of(segment), mine->end))
		mine->end = end_of(segment);
	if (window > mine->window)
		mine->window = window;
	if (!mine->acked || after(segment->ack, mine->ack))
		mine->ack = segment->ack;
	if (!mine->acked || after(segment->ack + window, mine->limit))
		mine->limit = segment->ack + window;
	mine->acked = true;
	mine->fin |= segment->flags & REF_FIN;
}

static enum sg_tcp_state state_after(const struct ref_tcp *tcp, enum ref_role from,
				     const struct ref_tcp_header *segment)
{
	const struct ref_tcp_side *mine = &tcp->side[from], *theirs = &tcp->side[!from];

	if (tcp->state == SG_TCP_TIME_WAIT)
		return SG_TCP_TIME_WAIT;
	if (segment->flags & REF_FIN)
		return theirs->fin ? SG_TCP_LAST_ACK : SG_TCP_FIN_WAIT;
	if (theirs->fin && segment->ack == theirs->end) {
		if (tcp->state == SG_TCP_FIN_WAIT)
			return SG_TCP_CLOSE_WAIT;
		if (tcp->state == SG_TCP_LAST_ACK && mine->fin)
			return SG_TCP_TIME_WAIT;
	}
	if (tcp->state == SG_TCP_SYN_RECV && from == REF_OPENER)
		return SG_TCP_ESTABLISHED;
	return tcp->state;
}

static enum ref_judgement take_data(struct ref_tcp *tcp, enum ref_role from,
				    const struct ref_tcp_header *segment)
{
	enum ref_judgement judgement;

	/* Before the SYN is answered, nothing but the challenge ACK of an older incarnation. */
	if (tcp->state == SG_TCP_SYN_SENT)
		return from == REF_OPENER || segment->length || segment->flags & REF_FIN
			       ? REF_REFUSE
			       : REF_LEAVE;
	judgement = judge_window(&tcp->side[from], &tcp->side[!from], segment);
	if (judgement == REF_TAKE) {
		note(&tcp->side[from], &tcp->side[!from], segment);
		tcp->state = state_after(tcp, from, segment);
	}
	return judgement;
}

enum ref_judgement ref_tcp_segment(struct ref_tcp *tcp, enum ref_role from,
				   const struct ref_tcp_header *segment)
{
	bool syn = segment->flags & REF_SYN, ack = segment->flags & REF_ACK;

	if (syn && !ack && (tcp->state == SG_TCP_CLOSED || tcp->state == SG_TCP_TIME_WAIT))
		return REF_REOPEN;
	if (tcp->state == SG_TCP_CLOSED)
		return REF_ENDED;
	if (segment->flags & REF_RST)
		return take_reset(tcp, from, segment);
	if (syn)
		return ack ? take_syn_ack(tcp, from, segment) : take_syn(tcp, from, segment);
	return take_data(tcp, from, segment);
}

bool ref_tcp_in_flight(const struct ref_tcp *tcp, enum ref_role sender, uint32_t seq)
{
	const struct ref_tcp_side *mine = &tcp->side[sender];

	return !after(seq, mine->end) && after(seq, mine->end - lag(&tcp->side[!sender]) - 1);
}

bool ref_tcp_is_confirmed(const struct ref_tcp *tcp)
{
	switch (tcp->state) {
	case SG_TCP_ESTABLISHED:
	case SG_TCP_FIN_WAIT:
	case SG_TCP_CLOSE_WAIT:
	case SG_TCP_LAST_ACK:
	case SG_TCP_TIME_WAIT:
		return true;
	default:
		return false;
	}
}
