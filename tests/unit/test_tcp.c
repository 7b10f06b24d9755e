/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tcp.c - the TCP state machine of bpf/tcp.h, natively: scripts of segments, each with its
 * result and the state after.
 *
 * The behaviours are those that nf_conntrack's packetdrill tests and RFC 5961, 7323, 7413 and 9293
 * name. The opener's ISN is 1000, the other side's 5000, so that the numbers can be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/tcp.h"

#define F SG_TCP_FLAG_FIN
#define S SG_TCP_FLAG_SYN
#define R SG_TCP_FLAG_RST
#define A SG_TCP_FLAG_ACK

enum { OPENER, OTHER };

struct step {
	int from;
	__u8 flags;
	__u32 seq, ack, length;
	__u16 window;
	__u8 scale;
	enum sg_tcp_result result;
	enum sg_tcp_state state; /* afterwards */
};

/* A segment without options and with a window of 1000. */
#define SEG(from, flags, seq, ack, length, result, state)                              \
	{                                                                              \
		from, flags, seq, ack, length, 1000, SG_TCP_NO_SCALE, SG_TCP_##result, \
			SG_TCP_##state                                                 \
	}

#define HANDSHAKE                                                   \
	SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),               \
		SEG(OTHER, S | A, 5000, 1001, 0, ACCEPT, SYN_RECV), \
		SEG(OPENER, A, 1001, 5001, 0, ACCEPT, ESTABLISHED)

struct connection {
	struct sg_flow_half half[2];
	__u32 state;
};

/* The first segment opens the flow as conntrack.bpf.h does; the others are judged. */
static void run(const char *name, struct connection *c, const struct step *step, size_t count,
		int fresh)
{
	for (size_t i = 0; i < count; i++) {
		struct sg_tcp_segment seg = {.seq = step[i].seq,
					     .ack = step[i].ack,
					     .length = step[i].length,
					     .window = step[i].window,
					     .flags = step[i].flags,
					     .scale = step[i].scale};
		enum sg_tcp_result result = SG_TCP_ACCEPT;
		struct sg_flow_half before[2];
		__u32 next = SG_TCP_SYN_SENT;
		int from = step[i].from;

		memcpy(before, c->half, sizeof(before));
		if (i == 0 && fresh) {
			memset(c, 0, sizeof(*c));
			sg_tcp_start(&c->half[OPENER], &seg);
		} else {
			result = sg_tcp_track(&c->half[from], &c->half[!from], c->state,
					      from == OPENER, &seg, &next);
			/* Only an accepted segment may move the state, and only its sender's half.
			 */
			if (result != SG_TCP_ACCEPT) {
				assert_int_equal(next, c->state);
				assert_memory_equal(before, c->half, sizeof(before));
			}
			assert_memory_equal(&before[!from], &c->half[!from], sizeof(before[0]));
		}
		if (result != step[i].result || next != step[i].state)
			fail_msg("%s, step %zu: result %d (want %d), state %u (want %d)", name, i,
				 result, step[i].result, next, step[i].state);
		c->state = next;
	}
}

#define RUN(...)                                                                  \
	do {                                                                      \
		static const struct step script[] = {__VA_ARGS__};                \
		struct connection c = {0};                                        \
		run(__func__, &c, script, sizeof(script) / sizeof(script[0]), 1); \
	} while (0)

static void handshake_data_and_close(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, SEG(OPENER, A, 1001, 5001, 500, ACCEPT, ESTABLISHED),
	    SEG(OTHER, A, 5001, 1501, 200, ACCEPT, ESTABLISHED),
	    SEG(OPENER, A, 1501, 5201, 0, ACCEPT, ESTABLISHED),
	    SEG(OPENER, F | A, 1501, 5201, 0, ACCEPT, FIN_WAIT),
	    SEG(OTHER, A, 5201, 1502, 0, ACCEPT, CLOSE_WAIT),
	    SEG(OTHER, A, 5201, 1502, 300, ACCEPT, CLOSE_WAIT),
	    SEG(OPENER, A, 1502, 5501, 0, ACCEPT, CLOSE_WAIT),
	    SEG(OTHER, F | A, 5501, 1502, 0, ACCEPT, LAST_ACK),
	    SEG(OPENER, A, 1502, 5502, 0, ACCEPT, TIME_WAIT),
	    SEG(OTHER, F | A, 5501, 1502, 0, ACCEPT, TIME_WAIT));
}

static void the_opening_direction_alone_never_establishes(void **unused)
{
	(void)unused;
	RUN(SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OPENER, A, 1001, 5001, 0, INVALID, SYN_SENT),
	    SEG(OPENER, A, 1001, 5001, 500, INVALID, SYN_SENT),
	    SEG(OPENER, S | A, 1001, 5001, 0, INVALID, SYN_SENT),
	    SEG(OPENER, F | A, 1001, 5001, 0, INVALID, SYN_SENT));
}

static void the_other_side_alone_never_establishes(void **unused)
{
	(void)unused;
	RUN(SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 1001, 0, ACCEPT, SYN_RECV),
	    SEG(OTHER, A, 5001, 1001, 0, ACCEPT, SYN_RECV),
	    SEG(OTHER, A, 5001, 1001, 100, ACCEPT, SYN_RECV));
}

static void a_syn_ack_must_acknowledge_this_syn(void **unused)
{
	(void)unused;
	RUN(SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 900, 0, INVALID, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 1000, 0, INVALID, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 1002, 0, INVALID, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 1001, 0, ACCEPT, SYN_RECV));
}

static void fast_open_data_in_the_syn_may_be_acknowledged_or_not(void **unused)
{
	(void)unused;
	RUN(SEG(OPENER, S, 1000, 0, 100, ACCEPT, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 1001, 0, ACCEPT, SYN_RECV),
	    SEG(OPENER, A, 1001, 5001, 100, ACCEPT, ESTABLISHED));
	RUN(SEG(OPENER, S, 1000, 0, 100, ACCEPT, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 1101, 0, ACCEPT, SYN_RECV),
	    SEG(OTHER, A, 5001, 1101, 50, ACCEPT, SYN_RECV),
	    SEG(OPENER, A, 1101, 5051, 0, ACCEPT, ESTABLISHED));
}

static void retransmits_of_the_handshake_pass(void **unused)
{
	(void)unused;
	RUN(SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 1001, 0, ACCEPT, SYN_RECV),
	    SEG(OTHER, S | A, 5000, 1001, 0, IGNORE, SYN_RECV),
	    SEG(OPENER, S, 1000, 0, 0, IGNORE, SYN_RECV),
	    SEG(OPENER, A, 1001, 5001, 0, ACCEPT, ESTABLISHED),
	    SEG(OTHER, S | A, 5000, 1001, 0, IGNORE, ESTABLISHED));
}

static void a_new_attempt_with_another_isn_takes_over_a_half_open_flow(void **unused)
{
	(void)unused;
	RUN(SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OPENER, S, 9000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 1001, 0, INVALID, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 9001, 0, ACCEPT, SYN_RECV));
}

static void simultaneous_open(void **unused)
{
	(void)unused;
	RUN(SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OTHER, S, 5000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OPENER, S | A, 1000, 5001, 0, ACCEPT, SYN_RECV),
	    SEG(OTHER, S | A, 5000, 1001, 0, ACCEPT, SYN_RECV),
	    SEG(OPENER, A, 1001, 5001, 10, ACCEPT, ESTABLISHED),
	    SEG(OTHER, A, 5001, 1011, 10, ACCEPT, ESTABLISHED));
}

static void a_refused_connection_closes(void **unused)
{
	(void)unused;
	RUN(SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OTHER, R | A, 0, 999, 0, INVALID, SYN_SENT),
	    SEG(OTHER, R, 0, 0, 0, INVALID, SYN_SENT),
	    SEG(OTHER, R | A, 0, 1001, 0, ACCEPT, CLOSED), SEG(OTHER, A, 0, 1001, 0, OVER, CLOSED),
	    SEG(OTHER, R | A, 0, 1001, 0, OVER, CLOSED),
	    SEG(OPENER, S, 2000, 0, 0, REOPEN, CLOSED));
}

/* RFC 5961, 3.2 and "an off-path RST does not close". */
static void only_the_exact_reset_closes_a_live_flow(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, SEG(OTHER, A, 5001, 1001, 100, ACCEPT, ESTABLISHED),
	    SEG(OPENER, A, 1001, 5101, 0, ACCEPT, ESTABLISHED),
	    SEG(OTHER, R, 5050, 0, 0, INVALID, ESTABLISHED),	    /* below the window */
	    SEG(OTHER, R, 5200, 0, 0, IGNORE, ESTABLISHED),	    /* inside, inexact */
	    SEG(OTHER, R, 5101 + 1001, 0, 0, INVALID, ESTABLISHED), /* above */
	    SEG(OTHER, A, 5101, 1001, 50, ACCEPT, ESTABLISHED),	    /* not poisoned */
	    SEG(OTHER, R, 5101, 0, 0, ACCEPT, CLOSED));
}

static void a_reset_behind_data_in_flight_closes(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, SEG(OTHER, A, 5001, 1001, 100, ACCEPT, ESTABLISHED),
	    SEG(OTHER, R | A, 5101, 1001, 0, ACCEPT, CLOSED));
}

static void an_inexact_reset_after_fin_closes(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, SEG(OTHER, F | A, 5001, 1001, 0, ACCEPT, FIN_WAIT),
	    SEG(OPENER, A, 1001, 5002, 0, ACCEPT, CLOSE_WAIT),
	    SEG(OTHER, R, 5003, 0, 0, ACCEPT, CLOSED));
}

/* The opener crashed and comes back with the same ports: challenge ACK, RST, SYN. */
static void challenge_ack_then_reset_then_a_new_syn_works(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, SEG(OPENER, S, 70000, 0, 0, IGNORE, ESTABLISHED),
	    SEG(OTHER, A, 5001, 1001, 0, ACCEPT, ESTABLISHED),
	    SEG(OPENER, R, 1001, 0, 0, ACCEPT, CLOSED),
	    SEG(OPENER, S, 70000, 0, 0, REOPEN, CLOSED));
	/* The filter has forgotten the old incarnation, the server has not. */
	RUN(SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OTHER, A, 90000, 800, 0, IGNORE, SYN_SENT),
	    SEG(OPENER, R, 800, 0, 0, IGNORE, SYN_SENT),
	    SEG(OPENER, S, 1000, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OTHER, S | A, 5000, 1001, 0, ACCEPT, SYN_RECV));
}

static void a_syn_from_the_other_side_on_a_live_tuple_is_invalid(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, SEG(OTHER, S, 9000, 0, 0, INVALID, ESTABLISHED));
}

static void sequence_and_acknowledgement_must_fit_the_windows(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE,
	    /* The opener advertised 1000 from 5001: the last byte may start at 6001 (a window
	       probe). */
	    SEG(OTHER, A, 6002, 1001, 1, INVALID, ESTABLISHED),
	    SEG(OTHER, A, 6001, 1001, 1, ACCEPT, ESTABLISHED),
	    /* Acknowledges what the other side never sent. */
	    SEG(OPENER, A, 1001, 6003, 0, INVALID, ESTABLISHED),
	    SEG(OPENER, A, 1001, 6002, 0, ACCEPT, ESTABLISHED));
}

static void a_retransmit_of_data_acknowledged_long_ago_passes_and_changes_nothing(void **unused)
{
	static const struct step more = SEG(OPENER, A, 1001, 5001, 500, IGNORE, ESTABLISHED);
	static const struct step open[] = {HANDSHAKE};
	struct connection c = {0};

	(void)unused;
	run(__func__, &c, open, 3, 1);
	for (__u32 sent = 0; sent < 100; sent++) {
		struct step pair[] = {
			SEG(OPENER, A, 1001 + sent * 500, 5001, 500, ACCEPT, ESTABLISHED),
			SEG(OTHER, A, 5001, 1501 + sent * 500, 0, ACCEPT, ESTABLISHED)};

		run(__func__, &c, pair, 2, 0);
	}
	run(__func__, &c, &more, 1, 0);
}

static void sequence_numbers_wrap(void **unused)
{
	(void)unused;
	RUN(SEG(OPENER, S, 0xfffffff0u, 0, 0, ACCEPT, SYN_SENT),
	    SEG(OTHER, S | A, 0xffffff00u, 0xfffffff1u, 0, ACCEPT, SYN_RECV),
	    SEG(OPENER, A, 0xfffffff1u, 0xffffff01u, 500, ACCEPT, ESTABLISHED),
	    SEG(OTHER, A, 0xffffff01u, 0xfffffff1u + 500, 600, ACCEPT, ESTABLISHED),
	    SEG(OPENER, A, 0xfffffff1u + 500, 0xffffff01u + 600, 100, ACCEPT, ESTABLISHED),
	    SEG(OTHER, R, 0xffffff01u + 600, 0, 0, ACCEPT, CLOSED));
}

static void window_scaling_counts_only_when_both_offer_it(void **unused)
{
	struct step scaled[] = {
		{OPENER, S, 1000, 0, 0, 1000, 7, SG_TCP_ACCEPT, SG_TCP_SYN_SENT},
		{OTHER, S | A, 5000, 1001, 0, 1000, 7, SG_TCP_ACCEPT, SG_TCP_SYN_RECV},
		SEG(OPENER, A, 1001, 5001, 0, ACCEPT, ESTABLISHED),
		/* 1000 << 7 from 5001 */
		SEG(OTHER, A, 5001 + 128001, 1001, 100, INVALID, ESTABLISHED),
		SEG(OTHER, A, 5001 + 100000, 1001, 100, ACCEPT, ESTABLISHED),
	};
	struct step one_side[] = {
		{OPENER, S, 1000, 0, 0, 1000, 7, SG_TCP_ACCEPT, SG_TCP_SYN_SENT},
		SEG(OTHER, S | A, 5000, 1001, 0, ACCEPT, SYN_RECV),
		SEG(OPENER, A, 1001, 5001, 0, ACCEPT, ESTABLISHED),
		SEG(OTHER, A, 5001 + 1001, 1001, 100, INVALID, ESTABLISHED),
	};
	struct step absurd[] = {
		{OPENER, S, 1000, 0, 0, 65535, 255 - 1, SG_TCP_ACCEPT, SG_TCP_SYN_SENT},
		{OTHER, S | A, 5000, 1001, 0, 65535, 200, SG_TCP_ACCEPT, SG_TCP_SYN_RECV},
		SEG(OPENER, A, 1001, 5001, 0, ACCEPT, ESTABLISHED),
		/* as RFC 7323 says: 14, so 1000 << 14 */
		SEG(OTHER, A, 5001 + (1000 << 14) + 1, 1001, 1, INVALID, ESTABLISHED),
	};
	struct connection c = {0};

	(void)unused;
	run("scaled", &c, scaled, 5, 1);
	run("one side", &c, one_side, 4, 1);
	run("absurd", &c, absurd, 4, 1);
}

static void a_zero_window_may_be_probed(void **unused)
{
	struct step script[] = {
		HANDSHAKE,
		SEG(OTHER, A, 5001, 1001, 1000, ACCEPT, ESTABLISHED),
		{OPENER, A, 1001, 6001, 0, 0, SG_TCP_NO_SCALE, SG_TCP_ACCEPT, SG_TCP_ESTABLISHED},
		SEG(OTHER, A, 6001, 1001, 1, ACCEPT, ESTABLISHED),
		SEG(OTHER, A, 6000, 1001, 0, ACCEPT, ESTABLISHED), /* keepalive */
	};
	struct connection c = {0};

	(void)unused;
	run(__func__, &c, script, sizeof(script) / sizeof(script[0]), 1);
}

static void simultaneous_close(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, SEG(OPENER, F | A, 1001, 5001, 0, ACCEPT, FIN_WAIT),
	    SEG(OTHER, F | A, 5001, 1001, 0, ACCEPT, LAST_ACK),
	    SEG(OPENER, A, 1002, 5002, 0, ACCEPT, TIME_WAIT),
	    SEG(OTHER, A, 5002, 1002, 0, ACCEPT, TIME_WAIT),
	    SEG(OPENER, S, 90000, 0, 0, REOPEN, TIME_WAIT));
}

static void a_tuple_in_time_wait_is_reopened_by_either_side(void **unused)
{
	(void)unused;
	RUN(HANDSHAKE, SEG(OPENER, F | A, 1001, 5001, 0, ACCEPT, FIN_WAIT),
	    SEG(OTHER, F | A, 5001, 1002, 0, ACCEPT, LAST_ACK),
	    SEG(OPENER, A, 1002, 5002, 0, ACCEPT, TIME_WAIT),
	    SEG(OTHER, S, 90000, 0, 0, REOPEN, TIME_WAIT));
}

static void only_combinations_that_stacks_send_are_valid(void **unused)
{
	unsigned int valid = 0;

	(void)unused;
	for (unsigned int flags = 0; flags < 64; flags++) {
		if (sg_tcp_flags_valid(flags))
			valid++;
		if ((flags & (S | F)) == (S | F) || (flags & (S | R)) == (S | R) ||
		    !(flags & ~8u) || (flags & (F | A)) == F)
			assert_false(sg_tcp_flags_valid(flags));
	}
	/* nine combinations, with and without PSH */
	assert_int_equal(valid, 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake_data_and_close),
		cmocka_unit_test(the_opening_direction_alone_never_establishes),
		cmocka_unit_test(the_other_side_alone_never_establishes),
		cmocka_unit_test(a_syn_ack_must_acknowledge_this_syn),
		cmocka_unit_test(fast_open_data_in_the_syn_may_be_acknowledged_or_not),
		cmocka_unit_test(retransmits_of_the_handshake_pass),
		cmocka_unit_test(a_new_attempt_with_another_isn_takes_over_a_half_open_flow),
		cmocka_unit_test(simultaneous_open),
		cmocka_unit_test(a_refused_connection_closes),
		cmocka_unit_test(only_the_exact_reset_closes_a_live_flow),
		cmocka_unit_test(a_reset_behind_data_in_flight_closes),
		cmocka_unit_test(an_inexact_reset_after_fin_closes),
		cmocka_unit_test(challenge_ack_then_reset_then_a_new_syn_works),
		cmocka_unit_test(a_syn_from_the_other_side_on_a_live_tuple_is_invalid),
		cmocka_unit_test(sequence_and_acknowledgement_must_fit_the_windows),
		cmocka_unit_test(
			a_retransmit_of_data_acknowledged_long_ago_passes_and_changes_nothing),
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(window_scaling_counts_only_when_both_offer_it),
		cmocka_unit_test(a_zero_window_may_be_probed),
		cmocka_unit_test(simultaneous_close),
		cmocka_unit_test(a_tuple_in_time_wait_is_reopened_by_either_side),
		cmocka_unit_test(only_combinations_that_stacks_send_are_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
