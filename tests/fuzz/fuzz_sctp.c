/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_sctp.c - bpf/sctp.h against the reference, packet by packet; only an accepted packet changes
 * anything.
 *
 * A packet is four bytes: who and the T bit, the chunk, both tags out of a few.
 */
#include <string.h>

#include "bpf/sctp.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/reference/sctp.h"

#define BYTES 4

struct association {
	struct sg_flow_half half[REF_ROLES];
	uint32_t state;
	struct ref_sctp reference;
};

static void open_association(struct association *a, uint32_t init_tag)
{
	struct sg_sctp_packet bpf = {.chunk = SG_SCTP_INIT, .init_tag = init_tag};
	struct ref_sctp_header init = {.chunk = SG_SCTP_INIT, .init_tag = init_tag};

	memset(a, 0, sizeof(*a));
	a->state = SG_SCTP_COOKIE_WAIT;
	sg_sctp_start(&a->half[REF_OPENER], &bpf);
	ref_sctp_open(&a->reference, &init);
}

static void step(struct association *a, enum ref_role role, const struct ref_sctp_header *packet)
{
	static const enum sg_sctp_result same[] = {
		[REF_TAKE] = SG_SCTP_ACCEPT,
		[REF_REOPEN] = SG_SCTP_REOPEN,
		[REF_REFUSE] = SG_SCTP_INVALID,
	};
	struct sg_sctp_packet bpf = {.tag = packet->tag,
				     .init_tag = packet->init_tag,
				     .chunk = packet->chunk,
				     .flags = packet->flags};
	struct sg_flow_half before[REF_ROLES];
	enum ref_judgement judgement;
	enum sg_sctp_result result;
	uint32_t next;

	memcpy(before, a->half, sizeof(before));
	result = sg_sctp_track(&a->half[role], &a->half[!role], a->state, &bpf, &next);
	judgement = ref_sctp_packet(&a->reference, role, packet);
	FUZZ_EXPECT(result == same[judgement], "chunk %u in state %u: %d, the reference %d",
		    packet->chunk, a->state, (int)result, (int)judgement);
	FUZZ_EXPECT(memcmp(&before[!role], &a->half[!role], sizeof(before[0])) == 0,
		    "the other half moved");
	FUZZ_EXPECT(result == SG_SCTP_ACCEPT ||
			    (memcmp(before, a->half, sizeof(before)) == 0 && next == a->state),
		    "result %d changes something", (int)result);
	if (result == SG_SCTP_REOPEN) {
		open_association(a, packet->init_tag);
		return;
	}
	a->state = next;
	FUZZ_EXPECT(next >= SG_SCTP_COOKIE_WAIT && next <= SG_SCTP_CLOSED &&
			    next == a->reference.state,
		    "state %u, the reference %u", next, a->reference.state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t chunks[] = {0, 1, 2, 3, 6, 7, 8, 10, 11, 14, 1, 2, 10, 11, 5, 255};
	struct association association;

	open_association(&association, 7);
	for (size_t at = 0; at + BYTES <= size; at += BYTES) {
		struct ref_sctp_header packet = {.chunk = chunks[data[at + 1] & 15],
						 .flags = data[at] >> 1,
						 .tag = data[at + 2] & 7,
						 .init_tag = data[at + 3] & 7};

		step(&association, data[at] & 1 ? REF_RESPONDER : REF_OPENER, &packet);
	}
	return 0;
}
