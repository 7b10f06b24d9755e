/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_tcp.c - bpf/tcp.h against the reference's state machine, segment by segment; and what must
 * hold whatever comes: only an accepted segment changes anything, and states stay states.
 *
 * A segment is eight bytes: who and which flags, window scale, how far from what would be right the
 * sequence number and the acknowledgement are, window, length.
 */
#include <string.h>

#include "bpf/tcp.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/reference/tcp.h"

#define BYTES 8

struct connection {
	struct sg_flow_half half[REF_ROLES];
	uint32_t state;
	struct ref_tcp reference;
};

/* Near, and at the edges of everything that is compared. */
static uint32_t distance(uint8_t byte)
{
	static const uint32_t far[] = {66000,	   66001,      65535,	   65536,
				       0x7fffffff, 0x80000000, 0x40000000, 100000};

	if (byte < 0x40)
		return byte;
	if (byte < 0x80)
		return (uint32_t)(byte - 0x80);
	if (byte < 0xc0)
		return (byte - 0x80u) << 10;
	return byte & 8 ? (uint32_t)-far[byte & 7] : far[byte & 7];
}

static void read_segment(const struct connection *c, enum ref_role role, const uint8_t *data,
			 struct ref_tcp_header *segment)
{
	static const uint8_t flags[] = {REF_SYN,	   REF_SYN | REF_ACK, REF_ACK,
					REF_ACK | REF_PSH, REF_FIN | REF_ACK, REF_RST,
					REF_ACK,	   REF_RST | REF_ACK};

	segment->flags = flags[data[0] >> 1 & 7];
	segment->scale = data[0] & 16 && segment->flags & REF_SYN ? data[1] & 15 : -1;
	segment->seq = (data[0] & 32 ? c->reference.side[!role].ack : c->half[role].end) +
		       distance(data[2]);
	segment->ack = c->half[!role].end + distance(data[3]);
	segment->window = (uint16_t)(data[4] << 8 | data[5]);
	segment->length = segment->flags & REF_RST ? 0 : data[6] * (data[7] & 7u);
}

static struct sg_tcp_segment as_bpf(const struct ref_tcp_header *segment)
{
	return (struct sg_tcp_segment){
		.seq = segment->seq,
		.ack = segment->ack,
		.length = segment->length,
		.window = segment->window,
		.flags = segment->flags,
		.scale = segment->scale < 0 ? SG_TCP_NO_SCALE : (uint8_t)segment->scale,
	};
}

static void open_connection(struct connection *c, enum ref_role role,
			    const struct ref_tcp_header *syn)
{
	struct sg_tcp_segment segment = as_bpf(syn);

	(void)role;
	memset(c, 0, sizeof(*c));
	c->state = SG_TCP_SYN_SENT;
	sg_tcp_start(&c->half[REF_OPENER], &segment);
	ref_tcp_open(&c->reference, syn);
}

static void compare_half(const struct sg_flow_half *half, const struct ref_tcp_side *side)
{
	FUZZ_EXPECT((half->maxwin != 0) == side->spoke, "window %u", half->maxwin);
	if (!side->spoke)
		return;
	FUZZ_EXPECT(half->end == side->end && half->maxwin == side->window, "end %u, %u", half->end,
		    side->end);
	FUZZ_EXPECT(!!(half->flags & SG_HALF_ACKED) == side->acked, "flags %u", half->flags);
	FUZZ_EXPECT(!side->acked || (half->maxack == side->ack && half->maxend == side->limit),
		    "acknowledged %u, %u", half->maxack, side->ack);
	FUZZ_EXPECT(!!(half->flags & SG_HALF_FIN) == side->fin, "flags %u", half->flags);
}

static void step(struct connection *c, enum ref_role role, const struct ref_tcp_header *segment)
{
	static const enum sg_tcp_result same[] = {
		[REF_TAKE] = SG_TCP_ACCEPT,   [REF_LEAVE] = SG_TCP_IGNORE,
		[REF_REOPEN] = SG_TCP_REOPEN, [REF_REFUSE] = SG_TCP_INVALID,
		[REF_ENDED] = SG_TCP_OVER,
	};
	struct sg_flow_half before[REF_ROLES];
	struct sg_tcp_segment bpf = as_bpf(segment);
	enum sg_tcp_result result;
	enum ref_judgement judgement;
	uint32_t next;

	memcpy(before, c->half, sizeof(before));
	result = sg_tcp_track(&c->half[role], &c->half[!role], c->state, role == REF_OPENER, &bpf,
			      &next);
	judgement = ref_tcp_segment(&c->reference, role, segment);
	FUZZ_EXPECT(result == same[judgement],
		    "flags %#x seq %u ack %u in state %u: %d, the reference %d; "
		    "mine: end %u; theirs: end %u, acknowledged %u, up to %u",
		    segment->flags, segment->seq, segment->ack, c->state, (int)result,
		    (int)judgement, before[role].end, before[!role].end, before[!role].maxack,
		    before[!role].maxend);
	FUZZ_EXPECT(memcmp(&before[!role], &c->half[!role], sizeof(before[0])) == 0,
		    "the other half moved");
	FUZZ_EXPECT(result == SG_TCP_ACCEPT ||
			    (memcmp(before, c->half, sizeof(before)) == 0 && next == c->state),
		    "result %d changes something", (int)result);
	if (result == SG_TCP_REOPEN) {
		open_connection(c, role, segment);
		return;
	}
	c->state = next;
	FUZZ_EXPECT(next > SG_TCP_NONE && next < SG_TCP_STATES && next == c->reference.state,
		    "state %u, the reference %u", next, c->reference.state);
	compare_half(&c->half[REF_OPENER], &c->reference.side[REF_OPENER]);
	compare_half(&c->half[REF_RESPONDER], &c->reference.side[REF_RESPONDER]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ref_tcp_header syn = {.flags = REF_SYN, .scale = -1};
	struct connection connection = {0};

	/* Every combination of flags is judged alike. */
	for (unsigned int flags = 0; flags < 64; flags++)
		FUZZ_EXPECT(!!sg_tcp_flags_valid((uint8_t)flags) ==
				    ref_tcp_flags_exist((uint8_t)flags),
			    "flags %#x", flags);
	if (size < BYTES)
		return 0;
	syn.seq = distance(data[0]) << 8;
	syn.window = (uint16_t)(data[1] << 8 | data[2]);
	syn.scale = data[3] & 1 ? data[4] & 15 : -1;
	syn.length = data[5] & 1 ? data[6] : 0;
	open_connection(&connection, REF_OPENER, &syn);
	for (size_t at = BYTES; at + BYTES <= size; at += BYTES) {
		enum ref_role role = data[at] & 1 ? REF_RESPONDER : REF_OPENER;
		struct ref_tcp_header segment = {0};

		read_segment(&connection, role, data + at, &segment);
		step(&connection, role, &segment);
	}
	return 0;
}
