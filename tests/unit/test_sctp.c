/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_sctp.c - SCTP associations of bpf/sctp.h, natively: scripts of first chunks, each with its
 * result and the state after.
 *
 * The opener's tag is 0xa, the other side's 0xb; a packet carries the tag of whom it is sent to
 * (RFC 9260, 8.5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/sctp.h"

enum { OPENER, OTHER };
enum { DATA = 0, SACK = 3 };

struct step {
	int from;
	__u8 chunk;
	__u32 tag, init_tag;
	enum sg_sctp_result result;
	enum sg_sctp_state state;
	__u8 flags;
};

#define STEP(from, chunk, tag, init_tag, result, state)                          \
	{                                                                        \
		from, chunk, tag, init_tag, SG_SCTP_##result, SG_SCTP_##state, 0 \
	}

#define HANDSHAKE                                                                 \
	STEP(OPENER, SG_SCTP_INIT, 0, 0xa, ACCEPT, COOKIE_WAIT),                  \
		STEP(OTHER, SG_SCTP_INIT_ACK, 0xa, 0xb, ACCEPT, COOKIE_WAIT),     \
		STEP(OPENER, SG_SCTP_COOKIE_ECHO, 0xb, 0, ACCEPT, COOKIE_ECHOED), \
		STEP(OTHER, SG_SCTP_COOKIE_ACK, 0xa, 0, ACCEPT, ESTABLISHED)

static void run(const char *name, const struct step *step, size_t count)
{
	struct sg_flow_half half[2] = {0};
	__u32 state = SG_SCTP_COOKIE_WAIT;

	for (size_t i = 0; i < count; i++) {
		struct sg_sctp_packet packet = {.tag = step[i].tag,
						.init_tag = step[i].init_tag,
						.chunk = step[i].chunk,
						.flags = step[i].flags};
		enum sg_sctp_result result = SG_SCTP_ACCEPT;
		struct sg_flow_half before[2];
		__u32 next = state;
		int from = step[i].from;

		memcpy(before, half, sizeof(before));
		if (i == 0)
			sg_sctp_start(&half[from], &packet);
		else
			result = sg_sctp_track(&half[from], &half[!from], state, &packet, &next);
		if (result != SG_SCTP_ACCEPT)
			assert_memory_equal(before, half, sizeof(before));
		assert_memory_equal(&before[!from], &half[!from], sizeof(before[0]));
		if (result != step[i].result || next != step[i].state)
			fail_msg("%s, step %zu: result %d (want %d), state %u (want %d)", name, i,
				 result, step[i].result, next, step[i].state);
		state = next;
	}
}

#define RUN(...)                                                         \
	do {                                                             \
		static const struct step script[] = {__VA_ARGS__};       \
		run(__func__, script, sizeof(script) / sizeof(*script)); \
	} while (0)

static void handshake_data_and_shutdown(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, STEP(OPENER, DATA, 0xb, 0, ACCEPT, ESTABLISHED),
	    STEP(OTHER, SACK, 0xa, 0, ACCEPT, ESTABLISHED),
	    STEP(OPENER, SG_SCTP_SHUTDOWN, 0xb, 0, ACCEPT, SHUTDOWN_SENT),
	    STEP(OTHER, SG_SCTP_SHUTDOWN_ACK, 0xa, 0, ACCEPT, SHUTDOWN_SENT),
	    STEP(OPENER, SG_SCTP_SHUTDOWN_COMPLETE, 0xb, 0, ACCEPT, CLOSED),
	    STEP(OPENER, DATA, 0xb, 0, INVALID, CLOSED),
	    STEP(OPENER, SG_SCTP_INIT, 0, 0xc, REOPEN, CLOSED));
}

static void one_side_alone_never_establishes(void **unused)
{
	(void)unused;
	RUN(STEP(OPENER, SG_SCTP_INIT, 0, 0xa, ACCEPT, COOKIE_WAIT),
	    STEP(OPENER, SG_SCTP_COOKIE_ECHO, 0xb, 0, INVALID, COOKIE_WAIT),
	    STEP(OPENER, DATA, 0xb, 0, INVALID, COOKIE_WAIT),
	    STEP(OTHER, SG_SCTP_COOKIE_ACK, 0xa, 0, INVALID, COOKIE_WAIT),
	    STEP(OTHER, DATA, 0xa, 0, INVALID, COOKIE_WAIT));
}

static void only_an_init_without_a_tag_opens(void **unused)
{
	const struct sg_sctp_packet good = {.chunk = SG_SCTP_INIT, .init_tag = 1};
	const struct sg_sctp_packet tagged = {.chunk = SG_SCTP_INIT, .init_tag = 1, .tag = 1};
	const struct sg_sctp_packet zero = {.chunk = SG_SCTP_INIT};
	const struct sg_sctp_packet data = {.chunk = DATA, .tag = 1};

	(void)unused;
	assert_true(sg_sctp_opens(&good));
	assert_false(sg_sctp_opens(&tagged));
	assert_false(sg_sctp_opens(&zero));
	assert_false(sg_sctp_opens(&data));
}

static void a_wrong_tag_neither_passes_nor_closes(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, STEP(OTHER, DATA, 0xb, 0, INVALID, ESTABLISHED),
	    STEP(OTHER, DATA, 0, 0, INVALID, ESTABLISHED),
	    STEP(OTHER, SG_SCTP_ABORT, 0x99, 0, INVALID, ESTABLISHED),
	    STEP(OTHER, SG_SCTP_ABORT, 0, 0, INVALID, ESTABLISHED),
	    STEP(OTHER, SG_SCTP_ABORT, 0xa, 0, ACCEPT, CLOSED));
}

static void an_abort_with_t_carries_the_senders_own_tag(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, {OTHER, SG_SCTP_ABORT, 0xa, 0, SG_SCTP_INVALID, SG_SCTP_ESTABLISHED, 1},
	    {OTHER, SG_SCTP_ABORT, 0xb, 0, SG_SCTP_ACCEPT, SG_SCTP_CLOSED, 1});
}

static void a_restart_takes_new_tags_when_its_cookie_is_echoed(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, STEP(OPENER, SG_SCTP_INIT, 0, 0xc, ACCEPT, ESTABLISHED),
	    STEP(OTHER, DATA, 0xa, 0, ACCEPT, ESTABLISHED),
	    STEP(OTHER, SG_SCTP_INIT_ACK, 0xc, 0xd, ACCEPT, ESTABLISHED),
	    STEP(OPENER, SG_SCTP_COOKIE_ECHO, 0xd, 0, ACCEPT, ESTABLISHED),
	    STEP(OTHER, SG_SCTP_COOKIE_ACK, 0xc, 0, ACCEPT, ESTABLISHED),
	    STEP(OPENER, DATA, 0xd, 0, ACCEPT, ESTABLISHED),
	    STEP(OPENER, DATA, 0xb, 0, INVALID, ESTABLISHED),
	    STEP(OTHER, DATA, 0xa, 0, INVALID, ESTABLISHED));
}

static void an_init_ack_must_answer_this_init(void **unused)
{
	(void)unused;
	RUN(STEP(OPENER, SG_SCTP_INIT, 0, 0xa, ACCEPT, COOKIE_WAIT),
	    STEP(OTHER, SG_SCTP_INIT_ACK, 0x99, 0xb, INVALID, COOKIE_WAIT),
	    STEP(OTHER, SG_SCTP_INIT_ACK, 0xa, 0, INVALID, COOKIE_WAIT),
	    STEP(OTHER, SG_SCTP_INIT_ACK, 0xa, 0xb, ACCEPT, COOKIE_WAIT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake_data_and_shutdown),
		cmocka_unit_test(one_side_alone_never_establishes),
		cmocka_unit_test(only_an_init_without_a_tag_opens),
		cmocka_unit_test(a_wrong_tag_neither_passes_nor_closes),
		cmocka_unit_test(an_abort_with_t_carries_the_senders_own_tag),
		cmocka_unit_test(a_restart_takes_new_tags_when_its_cookie_is_echoed),
		cmocka_unit_test(an_init_ack_must_answer_this_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
