/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_shortcut.c - what the short way (bpf/shortcut.bpf.h) must leave to the long one: frames of
 * flows that have timed out, are not answered or may not be confirmed, and of devices that are not
 * the slot's; and that the segments with which connections begin and end do there what they must.
 * The flows are made by frames, and then changed in the table, as time or a race would.
 */
#include <glib.h>
#include <string.h>

#include "bpf/bucket.h"
#include "bpf/tcp.h"
#include "rulesd/bpf_internal.h"
#include "rulesd/names.h"
#include "tests/lib/cells.h"
#include "tests/lib/check.h"
#include "tests/lib/proggy.h"

static const char policy[] =
	"{ \"version\": 1, \"groups\": { \"sg-in\": { \"egress\": [], \"ingress\": ["
	"  { \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"] },"
	"  { \"protocol\": \"udp\", \"ports\": [443], \"from\": [\"any\"] } ] } },"
	"  \"interfaces\": { \"vm\": { \"device\": \"vm0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-in\"],"
	"    \"conntrack\": { \"max_flows\": 8192, \"udp\": 30, \"udp_stream\": 180,"
	"      \"tcp_established\": 3600 } } } }";

#define DATA_IN	   "tcp 10.0.0.9:4000 > 10.0.0.5:443 A seq=101 ack=901"
#define DATA_OUT   "tcp 10.0.0.5:443 > 10.0.0.9:4000 A seq=901 ack=101"
#define QUERY_IN   "udp 10.0.0.9:4000 > 10.0.0.5:443 len=20"
#define ANSWER_OUT "udp 10.0.0.5:443 > 10.0.0.9:4000 len=20"

static const char *told(const struct proggy_result *result)
{
	return result->reason < SG_REASONS ? reason_name(result->reason) : "no single counter";
}

/* The reason that each way out counts must be the same. */
static void expect(enum sg_dir dir, const char *text, uint32_t reason)
{
	static const enum proggy_program out[] = {PROGGY_XDP, PROGGY_TC_EGRESS};
	struct frame frame;

	frame_make_text(&frame, text);
	for (unsigned int i = 0; i < (dir == SG_EGRESS ? 2 : 1); i++) {
		enum proggy_program program = dir == SG_EGRESS ? out[i] : PROGGY_TC_INGRESS;
		struct proggy_result result = proggy_run(program, "vm", &frame);

		if (result.reason != reason)
			fail_msg("%s: %s: %s instead of %s", proggy_name(program), text,
				 told(&result), reason_name(reason));
	}
}

static void in(const char *text, uint32_t reason)
{
	expect(SG_INGRESS, text, reason);
}

static void out(const char *text, uint32_t reason)
{
	expect(SG_EGRESS, text, reason);
}

/* Flows that have timed out are the collector's, not the flush's. */
static void begin(void)
{
	bool more = true;

	proggy_policy(policy);
	while (more)
		assert_int_equal(dataplane_collect(proggy_dataplane(), &more), 0);
}

static void connect_tcp(void)
{
	begin();
	in("tcp 10.0.0.9:4000 > 10.0.0.5:443 S seq=100", SG_ALLOW_RULE);
	out("tcp 10.0.0.5:443 > 10.0.0.9:4000 SA seq=900 ack=101", SG_ALLOW_FLOW);
	in(DATA_IN, SG_ALLOW_FLOW);
	in(DATA_IN, SG_ALLOW_FLOW);
	out(DATA_OUT, SG_ALLOW_FLOW);
}

/* The only flow's last packets were so many seconds ago. */
static void let_idle(unsigned int seconds)
{
	uint32_t count, ago = (uint32_t)(seconds * proggy_dataplane()->hz);
	struct sg_bucket *buckets = cells_of("vm", &count);
	struct sg_flow *flow = &cells_only(buckets, count)->flow;

	flow->half[SG_EGRESS].seen -= ago;
	flow->half[SG_INGRESS].seen -= ago;
	cells_release(&buckets, count);
}

static void a_flow_that_has_timed_out_has_no_short_way(void **state)
{
	(void)state;
	connect_tcp();
	let_idle(3590);
	out(DATA_OUT, SG_ALLOW_FLOW);
	let_idle(3610);
	out(DATA_OUT, SG_DROP_NO_FLOW);
	in(DATA_IN, SG_DROP_NO_FLOW);
}

static void a_stream_that_has_timed_out_is_asked_about_again(void **state)
{
	(void)state;
	begin();
	in(QUERY_IN, SG_ALLOW_RULE);
	out(ANSWER_OUT, SG_ALLOW_FLOW);
	let_idle(170);
	out(ANSWER_OUT, SG_ALLOW_FLOW);
	let_idle(190);
	out(ANSWER_OUT, SG_DROP_NO_RULE);
	/* In the same place, confirmed as it was, but not answered: no stream yet. */
	in(QUERY_IN, SG_ALLOW_RULE);
	let_idle(40);
	in(QUERY_IN, SG_ALLOW_RULE);
}

/* What nobody has answered has the shorter time. */
static void a_query_without_an_answer_is_no_stream(void **state)
{
	(void)state;
	begin();
	in(QUERY_IN, SG_ALLOW_RULE);
	in(QUERY_IN, SG_ALLOW_FLOW);
	let_idle(40);
	in(QUERY_IN, SG_ALLOW_RULE);
}

/* The allowance is for confirmed flows: one that cannot be confirmed carries nothing. */
static void a_flow_that_is_not_confirmed_has_no_short_way(void **state)
{
	struct sg_slot *counters;
	uint32_t kept;

	(void)state;
	begin();
	in(QUERY_IN, SG_ALLOW_RULE);
	counters = &proggy_dataplane()->slots[proggy_slot("vm")];
	assert_int_equal(counters->half, 1);
	kept = counters->flows;
	counters->flows = 8192;
	out(ANSWER_OUT, SG_DROP_ALLOWANCE);
	out(ANSWER_OUT, SG_DROP_ALLOWANCE);
	counters->flows = kept;
	out(ANSWER_OUT, SG_ALLOW_FLOW);
	assert_int_equal(counters->flows, kept + 1);
	assert_int_equal(counters->half, 0);
}

#define SYN_IN	    "tcp 10.0.0.9:4000 > 10.0.0.5:443 S seq=100"
#define SYN_ACK_OUT "tcp 10.0.0.5:443 > 10.0.0.9:4000 SA seq=900 ack=101"

static uint32_t state_of_only_flow(void)
{
	uint32_t count, word;
	struct sg_bucket *buckets = cells_of("vm", &count);

	word = cells_only(buckets, count)->flow.state;
	cells_release(&buckets, count);
	return word;
}

/* What its allowance refuses to confirm is not counted, and may be confirmed later. */
static void a_connection_that_may_not_be_confirmed_stays_half_open(void **state)
{
	struct sg_slot *counters;
	uint32_t kept;

	(void)state;
	begin();
	in(SYN_IN, SG_ALLOW_RULE);
	out(SYN_ACK_OUT, SG_ALLOW_FLOW);
	counters = &proggy_dataplane()->slots[proggy_slot("vm")];
	kept = counters->flows;
	counters->flows = 8192;
	/* What does not confirm it passes. */
	out(SYN_ACK_OUT, SG_ALLOW_FLOW);
	in(DATA_IN, SG_DROP_ALLOWANCE);
	in(DATA_IN, SG_DROP_ALLOWANCE);
	assert_int_equal(counters->flows, 8192);
	assert_int_equal(counters->half, 1);
	counters->flows = kept;
	/* Nor does a segment that does not fit it. */
	in("tcp 10.0.0.9:4000 > 10.0.0.5:443 A seq=101 ack=5000", SG_DROP_TCP_INVALID);
	assert_int_equal(counters->flows, kept);
	assert_int_equal(counters->half, 1);
	in(DATA_IN, SG_ALLOW_FLOW);
	assert_int_equal(counters->flows, kept + 1);
	assert_int_equal(counters->half, 0);
	assert_int_equal(SG_FLOW_STATE(state_of_only_flow()), SG_TCP_ESTABLISHED);
}

static void a_connection_ends_step_by_step(void **state)
{
	(void)state;
	connect_tcp();
	in("tcp 10.0.0.9:4000 > 10.0.0.5:443 FA seq=101 ack=901", SG_ALLOW_FLOW);
	assert_int_equal(SG_FLOW_STATE(state_of_only_flow()), SG_TCP_FIN_WAIT);
	out("tcp 10.0.0.5:443 > 10.0.0.9:4000 A seq=901 ack=102", SG_ALLOW_FLOW);
	assert_int_equal(SG_FLOW_STATE(state_of_only_flow()), SG_TCP_CLOSE_WAIT);
	out("tcp 10.0.0.5:443 > 10.0.0.9:4000 FA seq=901 ack=102", SG_ALLOW_FLOW);
	assert_int_equal(SG_FLOW_STATE(state_of_only_flow()), SG_TCP_LAST_ACK);
	in("tcp 10.0.0.9:4000 > 10.0.0.5:443 A seq=102 ack=902", SG_ALLOW_FLOW);
	assert_int_equal(SG_FLOW_STATE(state_of_only_flow()), SG_TCP_TIME_WAIT);
	/* A late one belongs to nothing. */
	let_idle(7200);
	in("tcp 10.0.0.9:4000 > 10.0.0.5:443 A seq=102 ack=902", SG_DROP_NO_FLOW);
	/* In the same place: opened by the rules, in its own direction. */
	in("tcp 10.0.0.9:4000 > 10.0.0.5:443 S seq=7000", SG_ALLOW_RULE);
	assert_int_equal(SG_FLOW_STATE(state_of_only_flow()), SG_TCP_SYN_SENT);
}

/* The SYN with so many bytes of options instead of none. */
static void frame_with_options(struct frame *frame, const char *options, size_t length)
{
	const size_t at = 14 + 20 + 20;

	frame_make_text(frame, SYN_IN);
	assert_int_equal(length % 4, 0);
	memmove(frame->bytes + at + length, frame->bytes + at, frame->length - at);
	memcpy(frame->bytes + at, options, length);
	frame->length += length;
	frame->bytes[14 + 20 + 12] = (uint8_t)((20 + length) / 4 << 4);
	frame->bytes[14 + 3] = (uint8_t)(frame->bytes[14 + 3] + length);
}

/* Wherever a stack puts it, and whatever is wrong with the others. */
static void a_window_scale_is_found_among_options(void **state)
{
#define OPTIONS(bytes) bytes, sizeof(bytes) - 1
	static const struct {
		const char *options;
		size_t length;
		int scale; /* -1: none */
	} cases[] = {
		{OPTIONS("\1\3\3\7"), 7},
		{OPTIONS("\3\3\7\0"), 7},
		{OPTIONS("\3\3\17\0"), SG_TCP_MAX_SCALE},
		{OPTIONS("\2\4\5\264\4\2\10\12\0\0\0\1\0\0\0\0\1\3\3\12"), 10}, /* Linux */
		{OPTIONS("\1\1\1\1\1\1\1\1\1\1\1\1\1\3\3\5"), 5},		/* late */
		{OPTIONS("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"), -1},
		{OPTIONS("\2\4\5\264\0\3\3\7"), -1},   /* behind the end */
		{OPTIONS("\2\1\3\3\7\1\1\1"), -1},     /* a length that is none */
		{OPTIONS("\376\0\3\3\7\1\1\1"), -1},   /* nor this */
		{OPTIONS("\376\377\3\3\7\1\1\1"), -1}, /* beyond the header */
		{OPTIONS("\1\1\3\3"), -1},	       /* cut off */
		{OPTIONS("\1\1\1\3"), -1},	       /* likewise */
		{OPTIONS("\3\4\7\0\1\1\1\1"), -1},     /* too long for one */
		{OPTIONS("\3\4\7\0\1\3\3\6"), 6},      /* and another one behind it */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sg_flow_half *half;
		struct sg_bucket *buckets;
		struct frame frame;
		uint32_t count;

		begin();
		frame_with_options(&frame, cases[i].options, cases[i].length);
		assert_int_equal(proggy_run(PROGGY_TC_INGRESS, "vm", &frame).reason, SG_ALLOW_RULE);
		buckets = cells_of("vm", &count);
		half = &cells_only(buckets, count)->flow.half[SG_INGRESS];
		if ((half->flags & SG_HALF_SCALES ? half->scale : -1) != cases[i].scale)
			fail_msg("options %zu: scale %d%s instead of %d", i, half->scale,
				 half->flags & SG_HALF_SCALES ? "" : " (none)", cases[i].scale);
		cells_release(&buckets, count);
	}
}

/* The slot is another device's by now: ifindexes repeat. */
static void frames_of_another_device_have_no_short_way(void **state)
{
	struct sg_iface *iface;
	uint32_t kept;

	(void)state;
	connect_tcp();
	iface = &proggy_dataplane()->ifaces[proggy_slot("vm")];
	kept = iface->ifindex;
	iface->ifindex = kept + 1000;
	for (enum proggy_program program = 0; program < PROGGY_PROGRAMS; program++) {
		struct frame frame;

		frame_make_text(&frame, proggy_dir(program) == SG_EGRESS ? DATA_OUT : DATA_IN);
		assert_false(proggy_run(program, "vm", &frame).allowed);
	}
	iface->ifindex = kept;
	out(DATA_OUT, SG_ALLOW_FLOW);
}

#define CLIENT                                                                 \
	", \"client\": { \"device\": \"vm1\", \"mac\": \"52:54:00:00:00:09\"," \
	" \"addresses\": [\"10.0.0.9\"], \"groups\": [\"sg-out\"] }"
#define NEIGHBOURS(client)                                                                   \
	"{ \"version\": 1, \"groups\": { \"sg-in\": { \"egress\": [], \"ingress\": ["        \
	"  { \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"] } ] },"            \
	"  \"sg-out\": { \"ingress\": [], \"egress\": ["                                     \
	"  { \"protocol\": \"tcp\", \"ports\": [443], \"to\": [\"any\"] } ] } },"            \
	"  \"interfaces\": { \"vm\": { \"device\": \"vm0\", \"mac\": \"52:54:00:00:00:05\"," \
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-in\"] }" client " } }"
#define OTHERS 8192 /* so many that the flow is none of the recent ones */

static void passes(enum proggy_program program, const char *interface_id, const char *text,
		   uint32_t reason)
{
	struct proggy_result result;
	struct frame frame;

	frame_make_text(&frame, text);
	result = proggy_run(program, interface_id, &frame);
	if (result.reason != reason)
		fail_msg("%s of %s: %s: %s instead of %s", proggy_name(program), interface_id, text,
			 told(&result), reason_name(reason));
}

/* The only flow of a slot. */
static struct sg_flow flow_of(uint32_t slot)
{
	struct sg_flow flow = {0};
	uint32_t count, flows = 0;
	struct sg_bucket *buckets = cells_of("vm", &count);

	for (uint32_t b = 0; b < count; b++)
		for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++) {
			if (SG_TAG_STATUS(buckets[b].tags[i]) != SG_TAG_LIVE ||
			    buckets[b].cells[i].key.slot != slot)
				continue;
			flow = buckets[b].cells[i].flow;
			flows++;
		}
	cells_release(&buckets, count);
	assert_int_equal(flows, 1);
	return flow;
}

/* The VM sends segments of no flow, each of which asks for what the client's tap would have of it,
 * and then one of its flow. */
static void send_among_others(enum proggy_program program)
{
	for (unsigned int i = 0; i < OTHERS; i++) {
		g_autofree char *other =
			g_strdup_printf("tcp 10.0.0.5:443 > 10.0.0.9:%u A seq=901", 10000 + i);

		passes(program, "vm", other, SG_DROP_NO_FLOW);
	}
	passes(program, "vm", DATA_OUT, SG_ALLOW_FLOW);
}

/* What leaves for another tap of the host begins to fetch what that one needs, where it last was:
 * that changes nothing, whether it is still so or not. */
static void what_a_neighbour_needs_is_only_fetched(void **state)
{
	static const enum proggy_program out[] = {PROGGY_XDP, PROGGY_TC_EGRESS};
	struct sg_flow before, after;
	uint32_t client;

	(void)state;
	proggy_policy(NEIGHBOURS(CLIENT));
	client = proggy_slot("client");
	for (unsigned int i = 0; i < 2; i++) {
		passes(out[i], "client", SYN_IN, i ? SG_ALLOW_FLOW : SG_ALLOW_RULE);
		passes(PROGGY_TC_INGRESS, "vm", SYN_IN, i ? SG_ALLOW_FLOW : SG_ALLOW_RULE);
	}
	passes(PROGGY_XDP, "vm", SYN_ACK_OUT, SG_ALLOW_FLOW);
	passes(PROGGY_TC_INGRESS, "client", SYN_ACK_OUT, SG_ALLOW_FLOW);
	passes(PROGGY_XDP, "client", DATA_IN, SG_ALLOW_FLOW);
	passes(PROGGY_TC_INGRESS, "vm", DATA_IN, SG_ALLOW_FLOW);
	before = flow_of(client);
	for (unsigned int i = 0; i < 2; i++)
		send_among_others(out[i]);
	after = flow_of(client);
	assert_memory_equal(&before, &after, sizeof(before));
	passes(PROGGY_TC_INGRESS, "client", DATA_OUT, SG_ALLOW_FLOW);
	after = flow_of(client);
	assert_int_equal(after.half[SG_INGRESS].packets, before.half[SG_INGRESS].packets + 1);
	proggy_change(NEIGHBOURS(""), false);
	for (unsigned int i = 0; i < 2; i++)
		send_among_others(out[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_that_has_timed_out_has_no_short_way),
		cmocka_unit_test(a_stream_that_has_timed_out_is_asked_about_again),
		cmocka_unit_test(a_query_without_an_answer_is_no_stream),
		cmocka_unit_test(a_flow_that_is_not_confirmed_has_no_short_way),
		cmocka_unit_test(a_connection_that_may_not_be_confirmed_stays_half_open),
		cmocka_unit_test(a_connection_ends_step_by_step),
		cmocka_unit_test(a_window_scale_is_found_among_options),
		cmocka_unit_test(frames_of_another_device_have_no_short_way),
		cmocka_unit_test(what_a_neighbour_needs_is_only_fetched),
	};

	return cmocka_run_group_tests(tests, proggy_setup, proggy_teardown);
}
