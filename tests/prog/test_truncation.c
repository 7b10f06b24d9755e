/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_truncation.c - every length of every kind of frame, and frames with random bytes changed:
 * no crash, one verdict and one counter each, and never an allow that the whole frame would not
 * get.
 *
 * 14 bytes is the shortest: the kernel takes no shorter frame from a tap, nor for a test run. At tc
 * it runs no test on frames that end before the IP header does, unless a tag hides that: therefore
 * the tagged ones.
 */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/names.h"
#include "tests/lib/check.h"
#include "tests/lib/proggy.h"

static const char open_policy[] =
	"{ \"version\": 1, \"groups\": { \"sg-open\": {"
	"  \"ingress\": [ { \"protocol\": \"all\", \"from\": [\"any\"] } ] } },"
	"  \"interfaces\": { \"vm\": { \"device\": \"vm0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"vlans\": [7], \"addresses\": [\"10.0.0.5\", \"fd00::5\"],"
	"    \"groups\": [\"sg-open\"] } } }";

static const char closed_policy[] =
	"{ \"version\": 1, \"groups\": { \"sg-none\": { \"egress\": [] } },"
	"  \"interfaces\": { \"vm\": { \"device\": \"vm0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"vlans\": [7], \"addresses\": [\"10.0.0.5\", \"fd00::5\"],"
	"    \"groups\": [\"sg-none\"] } } }";

/* One of each kind, each way. */
static const struct {
	enum sg_dir dir;
	const char *text;
} frames[] = {
	{SG_INGRESS, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S"},
	{SG_INGRESS, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S mss=1460 ws=7 len=8"},
	{SG_INGRESS, "tcp 10.0.0.9:4002 > 10.0.0.5:443 S opts=10"},
	{SG_INGRESS, "tcp [fd00::9]:4000 > [fd00::5]:443 S ws=7"},
	{SG_INGRESS, "tcp [fd00::9]:4001 > [fd00::5]:443 S ext=hdrd"},
	{SG_INGRESS, "tcp 10.0.0.9:4003 > 10.0.0.5:443 S vlan=7"},
	{SG_INGRESS, "udp 10.0.0.9:4000 > 10.0.0.5:53 len=30"},
	{SG_INGRESS, "udp [fd00::9]:4000 > [fd00::5]:53 len=30 ext=a"},
	{SG_INGRESS, "udp 10.0.0.9:4000 > 10.0.0.5:53 len=40 udplen=100 frag=0+ ipid=9"},
	{SG_INGRESS, "udp 10.0.0.9:4000 > 10.0.0.5:53 len=40 frag=48 ipid=9"},
	{SG_INGRESS, "udp [fd00::9]:4000 > [fd00::5]:53 len=40 udplen=100 frag=0+ ipid=9"},
	{SG_INGRESS, "udp [fd00::9]:4000 > [fd00::5]:53 len=40 frag=48 ipid=9"},
	{SG_INGRESS, "sctp 10.0.0.9:4000 > 10.0.0.5:2905"},
	{SG_INGRESS, "icmp 10.0.0.9 > 10.0.0.5 id=7 len=20"},
	{SG_INGRESS, "icmp6 fd00::9 > fd00::5 id=7 len=20"},
	{SG_INGRESS, "ip/47 10.0.0.9 > 10.0.0.5 len=20"},
	{SG_INGRESS, "ip/112 fd00::9 > fd00::5 len=20"},
	{SG_INGRESS, "arp 10.0.0.9 > 10.0.0.5"},
	{SG_INGRESS, "na fd00::9 > fd00::5 target=fd00::9 lla=9"},
	{SG_INGRESS, "ra fe80::9 > ff02::1 lla=9"},
	{SG_INGRESS, "mld fe80::9 > ff02::1 type=130 group=::"},
	{SG_INGRESS, "dhcp 10.0.0.1 > 10.0.0.5 type=5"},
	{SG_INGRESS, "dhcp6 fe80::1 > fe80::5054:ff:fe00:5 type=2"},
	{SG_INGRESS, "icmp 10.0.0.9 > 10.0.0.5 type=3 code=3 { udp 10.0.0.5:7 > 10.0.0.9:8 }"},
	{SG_INGRESS, "icmp6 fd00::9 > fd00::5 type=1 { udp [fd00::5]:7 > [fd00::9]:8 ext=hd }"},
	{SG_EGRESS, "tcp 10.0.0.5:4000 > 10.0.0.9:443 S ws=7"},
	{SG_EGRESS, "tcp [fd00::5]:4000 > [fd00::9]:443 S ext=hdra"},
	{SG_EGRESS, "udp 10.0.0.5:4000 > 10.0.0.9:53 len=30 opts=4 vlan=7"},
	{SG_EGRESS, "icmp 10.0.0.5 > 10.0.0.9 id=8 len=20"},
	{SG_EGRESS, "sctp [fd00::5]:4000 > [fd00::9]:2905"},
	{SG_EGRESS, "arp 10.0.0.5 > 10.0.0.9"},
	{SG_EGRESS, "na fd00::5 > fd00::9 target=fd00::5 lla=5"},
	{SG_EGRESS, "ns fe80::5054:ff:fe00:5 > ff02::1:ff00:9 target=fd00::9 lla=5"},
	{SG_EGRESS, "mld fe80::5054:ff:fe00:5 > ff02::16 group=ff02::1:ff00:5"},
	{SG_EGRESS, "dhcp 0.0.0.0 > 255.255.255.255 type=1"},
	{SG_EGRESS, "dhcp6 fe80::5054:ff:fe00:5 > ff02::1:2 type=1"},
	{SG_EGRESS, "icmp 10.0.0.5 > 10.0.0.9 type=3 code=3 { udp 10.0.0.9:7 > 10.0.0.5:8 }"},
};

/* The hooks that see a direction. */
static unsigned int programs_of(enum sg_dir dir, enum proggy_program programs[2])
{
	programs[0] = dir == SG_INGRESS ? PROGGY_TC_INGRESS : PROGGY_XDP;
	programs[1] = PROGGY_TC_EGRESS;
	return dir == SG_INGRESS ? 1 : 2;
}

static const char *outcome(const struct proggy_result *result)
{
	return result->reason < SG_REASONS ? reason_name(result->reason) : "no single counter";
}

/* A frame has one verdict, one reason of that kind, one count, and comes out as it went in. */
static void check_shape(enum proggy_program program, const char *what, size_t length,
			const struct proggy_result *result)
{
	if (result->reason >= SG_REASONS ||
	    result->allowed == !!sg_reason_is_drop(result->reason) || !result->counted ||
	    !result->unchanged)
		fail_msg("%s: %s at %zu bytes: %s, %s%s%s", proggy_name(program), what, length,
			 result->allowed ? "allowed" : "dropped", outcome(result),
			 result->counted ? "" : ", not counted once",
			 result->unchanged ? "" : ", changed");
}

/* Kernel 6.18, net/bpf/test_run.c: bpf_prog_test_run_skb() refuses these. */
static bool may_be_refused(enum proggy_program program, const struct frame *frame)
{
	unsigned int ethertype = (unsigned int)frame->bytes[12] << 8 | frame->bytes[13];

	return program != PROGGY_XDP &&
	       (frame->length == 14 || (ethertype == 0x0800 && frame->length < 34) ||
		(ethertype == 0x86dd && frame->length < 54));
}

static void truncate_one(enum proggy_program program, const char *text)
{
	struct proggy_result whole, part;
	struct frame frame;
	size_t length;

	frame_make_text(&frame, text);
	length = frame.length;
	proggy_flush_flows();
	whole = proggy_run(program, "vm", &frame);
	assert_int_equal(whole.error, 0);
	check_shape(program, text, length, &whole);
	for (frame.length = 14; frame.length < length; frame.length++) {
		proggy_flush_flows();
		part = proggy_run(program, "vm", &frame);
		if (part.error == -EINVAL && may_be_refused(program, &frame))
			continue;
		if (part.error < 0)
			fail_msg("%s: %s at %zu bytes: %s", proggy_name(program), text,
				 frame.length, strerror(-part.error));
		check_shape(program, text, frame.length, &part);
		/* All of these frames fill their headers' lengths exactly. */
		if (part.allowed)
			fail_msg("%s: %s passes at %zu of %zu bytes by %s", proggy_name(program),
				 text, frame.length, length, outcome(&part));
	}
}

static void truncate_all(const char *policy)
{
	enum proggy_program programs[2];

	proggy_policy(policy);
	for (size_t i = 0; i < G_N_ELEMENTS(frames); i++)
		for (unsigned int j = 0; j < programs_of(frames[i].dir, programs); j++)
			truncate_one(programs[j], frames[i].text);
}

static void no_part_of_a_frame_passes_where_everything_may(void **state)
{
	(void)state;
	truncate_all(open_policy);
}

static void no_part_of_a_frame_passes_where_nothing_may(void **state)
{
	(void)state;
	truncate_all(closed_policy);
}

static bool always_passes(uint32_t reason)
{
	return reason == SG_ALLOW_ARP || reason == SG_ALLOW_ND || reason == SG_ALLOW_MLD ||
	       reason == SG_ALLOW_DHCP;
}

/* The same frames on every run: the seed is fixed. */
static void changed_bytes_never_open_what_is_closed(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(20250101);
	enum proggy_program programs[2];
	unsigned int passed = 0;

	(void)state;
	proggy_policy(closed_policy);
	for (unsigned int round = 0; round < 4000; round++) {
		size_t i = (size_t)g_rand_int_range(random, 0, G_N_ELEMENTS(frames));
		unsigned int changes = (unsigned int)g_rand_int_range(random, 1, 6);
		unsigned int count = programs_of(frames[i].dir, programs);
		struct frame frame;

		frame_make_text(&frame, frames[i].text);
		for (unsigned int change = 0; change < changes; change++) {
			/* Headers, not addresses of the link. */
			int end = frame.length < 120 ? (int)frame.length : 120;

			frame.bytes[g_rand_int_range(random, 12, end)] =
				(uint8_t)g_rand_int_range(random, 0, 256);
		}
		for (unsigned int j = 0; j < count; j++) {
			struct proggy_result result = proggy_run(programs[j], "vm", &frame);

			assert_int_equal(result.error, 0);
			check_shape(programs[j], frames[i].text, frame.length, &result);
			if (result.allowed && !always_passes(result.reason))
				fail_msg("%s, changed in round %u, passes %s by %s", frames[i].text,
					 round, proggy_name(programs[j]), outcome(&result));
			passed += result.allowed;
		}
	}
	assert_true(passed > 0); /* some changes hit nothing that matters */
}

/* Both hooks run the same code on what the VM sends. */
static void xdp_and_tc_say_the_same(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(20250102);

	(void)state;
	proggy_policy(open_policy);
	for (unsigned int round = 0; round < 4000; round++) {
		size_t i = (size_t)g_rand_int_range(random, 0, G_N_ELEMENTS(frames));
		struct proggy_result xdp, tc;
		struct frame frame;

		if (frames[i].dir != SG_EGRESS)
			continue;
		frame_make_text(&frame, frames[i].text);
		frame.bytes[g_rand_int_range(random, 14, (int)frame.length)] =
			(uint8_t)g_rand_int_range(random, 0, 256);
		proggy_flush_flows();
		xdp = proggy_run(PROGGY_XDP, "vm", &frame);
		proggy_flush_flows();
		tc = proggy_run(PROGGY_TC_EGRESS, "vm", &frame);
		if (xdp.reason != tc.reason)
			fail_msg("%s, changed in round %u: XDP says %s, tc %s", frames[i].text,
				 round, outcome(&xdp), outcome(&tc));
	}
}

int main(void)
{
	/* Closed first: remembered first fragments of the open policy outlive it for a while. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changed_bytes_never_open_what_is_closed),
		cmocka_unit_test(no_part_of_a_frame_passes_where_nothing_may),
		cmocka_unit_test(no_part_of_a_frame_passes_where_everything_may),
		cmocka_unit_test(xdp_and_tc_say_the_same),
	};

	return cmocka_run_group_tests(tests, proggy_setup, proggy_teardown);
}
