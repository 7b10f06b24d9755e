/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_devices.c - taps that come late, go, come back under the same name, or are detached; and two
 * rulesd side by side.
 */
#include <glib.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define ATTACH_LIMIT_MS 250 /* INTERFACES.md, "Attachment" */

static const char policy[] =
	"{ \"version\": 1,"
	"  \"groups\": { \"sg-web\": { \"ingress\": [ { \"id\": \"https\", \"protocol\": \"tcp\","
	"    \"ports\": [443], \"from\": [\"any\"] } ], \"egress\": [] } },"
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] } } }";

static const char nothing[] = "{ \"version\": 1 }";

#define OPEN_SYN   "tcp 10.0.0.9:4000 > 10.0.0.5:443 S"
#define CLOSED_SYN "tcp 10.0.0.9:4000 > 10.0.0.5:444 S"

static void assert_filtering(const struct daemon *daemon, const char *id)
{
	int took = scene_wait_state(daemon, id, "filtering", GIVE_UP_MS);

	if (took < 0)
		fail_msg("%s is never filtering", id);
}

/*
 * The limit is a promise of the product, not a guess about this machine; but one of three may meet
 * the kernel's lock on devices while another namespace is taken down.
 */
static void a_device_that_appears_later_is_filtered_in_time(void **state)
{
	struct tap *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("late", NULL);
	struct tap *web = NULL;
	struct frame closed;
	int took[3];

	(void)state;
	daemon_apply(daemon, policy);
	frame_make_text(&closed, CLOSED_SYN);
	for (unsigned int i = 0; i < G_N_ELEMENTS(took); i++) {
		struct stopwatch watch;

		if (web)
			tap_delete(web);
		assert_true(scene_wait_state(daemon, "web", "waiting", GIVE_UP_MS) >= 0);
		watch = stopwatch_start(daemon->pid);
		web = scene_tap("tap0");
		while (scene_passes(outside, web, &closed))
			if (patience_over(watch.began_us, GIVE_UP_MS))
				fail_msg("tap0 is never filtered");
		took[i] = stopwatch_ms(&watch);
		assert_filtering(daemon, "web");
		assert_passes(outside, web, OPEN_SYN);
	}
	stopwatch_promised(stopwatch_quartile(took, G_N_ELEMENTS(took), 2), ATTACH_LIMIT_MS,
			   "from the device to its filter");
}

static void a_device_made_anew_is_filtered_again(void **state)
{
	struct tap *web = scene_tap("tap0");
	struct tap *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("anew", NULL);

	(void)state;
	daemon_apply(daemon, policy);
	assert_drops(outside, web, CLOSED_SYN);
	for (unsigned int round = 0; round < 3; round++) {
		tap_delete(web);
		assert_true(scene_wait_state(daemon, "web", "waiting", GIVE_UP_MS) >= 0);
		web = scene_tap("tap0");
		assert_filtering(daemon, "web");
		assert_drops(outside, web, CLOSED_SYN);
		assert_passes(outside, web, OPEN_SYN);
	}
}

static void a_device_that_gets_its_name_later_is_filtered(void **state)
{
	struct tap *web = scene_tap("tap9");
	struct tap *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("rename", NULL);

	(void)state;
	daemon_apply(daemon, policy);
	assert_passes(outside, web, CLOSED_SYN);
	command_check("ip", "link", "set", "tap9", "down", NULL);
	command_check("ip", "link", "set", "tap9", "name", "tap0", "up", NULL);
	assert_filtering(daemon, "web");
	assert_drops(outside, web, CLOSED_SYN);
}

static void leaving_the_policy_leaves_the_device_unfiltered(void **state)
{
	struct tap *web = scene_tap("tap0");
	struct tap *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("leave", NULL);

	(void)state;
	daemon_apply(daemon, policy);
	assert_drops(outside, web, CLOSED_SYN);
	daemon_apply(daemon, nothing);
	assert_passes(outside, web, CLOSED_SYN);
	assert_passes(web, outside, "udp 10.0.0.77:1 > 10.0.0.9:2");
	daemon_apply(daemon, policy);
	assert_drops(outside, web, CLOSED_SYN);
}

static void attach_filters_before_it_returns_and_detach_ends_it(void **state)
{
	struct tap *web = scene_tap("tap0");
	struct tap *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("hand", NULL);

	(void)state;
	assert_passes(outside, web, CLOSED_SYN);
	sgctl_check(daemon, "attach", "tap0", "--id", "web", "--address", "10.0.0.5", "--mac",
		    "52:54:00:00:00:05", NULL);
	assert_drops(outside, web, CLOSED_SYN);
	assert_passes(web, outside, "tcp 10.0.0.5:4000 > 10.0.0.9:80 S");
	assert_drops(web, outside, "tcp 10.0.0.77:4000 > 10.0.0.9:80 S smac=5");
	sgctl_check(daemon, "detach", "tap0", NULL);
	assert_passes(outside, web, CLOSED_SYN);
	assert_passes(web, outside, "tcp 10.0.0.77:4000 > 10.0.0.9:80 S smac=5");
}

static void attaching_what_is_not_there_fails_or_waits(void **state)
{
	struct daemon *daemon = daemon_start("missing", NULL);
	AUTO_COMMAND struct command refused = {0};

	(void)state;
	refused = sgctl_run(daemon, "attach", "tap0", "--id", "web", "--address", "10.0.0.5", NULL);
	assert_int_equal(refused.status, 1);
	assert_non_null(strstr(refused.err, "tap0"));
	sgctl_check(daemon, "attach", "tap0", "--id", "web", "--address", "10.0.0.5", "--wait",
		    NULL);
	assert_true(scene_wait_state(daemon, "web", "waiting", 0) >= 0);
	scene_tap("tap0");
	assert_filtering(daemon, "web");
}

static void a_macvtap_is_refused(void **state)
{
	static const char *const add[] = {"ip",	  "link", "add",  "link",    "below",
					  "name", "tap9", "type", "macvtap", NULL};
	struct daemon *daemon = daemon_start("macvtap", NULL);
	AUTO_COMMAND struct command made = {0};
	AUTO_COMMAND struct command attach = {0};

	(void)state;
	command_check("ip", "link", "add", "below", "type", "veth", "peer", "name", "wire", NULL);
	made = command_run(add);
	if (made.status) {
		command_check("ip", "link", "delete", "below", NULL);
		print_message("skip: no macvtap in this kernel\n");
		skip();
	}
	attach = sgctl_run(daemon, "attach", "tap9", "--id", "web", "--address", "10.0.0.5", NULL);
	assert_int_equal(attach.status, 1);
	assert_non_null(strstr(attach.err, "tap9 is a macvtap, whose frames go the other way"));
	daemon_apply(daemon, policy);
	command_check("ip", "link", "set", "tap9", "name", "tap0", NULL);
	assert_true(scene_wait_state(daemon, "web", "failed", GIVE_UP_MS) >= 0);
	/* One that is right takes its place. */
	command_check("ip", "link", "delete", "below", NULL);
	scene_tap("tap0");
	assert_filtering(daemon, "web");
}

static void two_rulesd_in_two_namespaces_do_not_meet(void **state)
{
	static const char open_policy[] =
		"{ \"version\": 1,"
		"  \"groups\": { \"sg-open\": { \"ingress\": [ { \"protocol\": \"all\","
		"    \"from\": [\"any\"] } ] } },"
		"  \"interfaces\": { \"web\": { \"device\": \"tap0\","
		"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-open\"] } } }";
	struct tap *web1 = scene_tap("tap0");
	struct tap *outside1 = scene_tap("tap1");
	struct daemon *first = daemon_start("first", NULL);
	struct tap *web2, *outside2;
	struct daemon *second;

	(void)state;
	daemon_apply(first, policy);
	netns_new();
	bridge_new("br0");
	web2 = scene_tap("tap0");
	outside2 = scene_tap("tap1");
	second = daemon_start("second", NULL);
	assert_passes(outside2, web2, CLOSED_SYN);
	daemon_apply(second, open_policy);
	assert_passes(outside2, web2, CLOSED_SYN);
	assert_drops(outside1, web1, CLOSED_SYN);
	assert_passes(outside1, web1, OPEN_SYN);
	daemon_apply(second, policy);
	daemon_apply(first, nothing);
	assert_drops(outside2, web2, CLOSED_SYN);
	assert_passes(outside1, web1, CLOSED_SYN);
	daemon_kill(first);
	assert_drops(outside2, web2, CLOSED_SYN);
}

/* The VM chooses hdr_len: its frame reaches the other tap's program with 14 linear bytes. */
static void a_frame_with_14_linear_bytes_is_judged_like_any_other(void **state)
{
	struct tap *web = tap_new("tap0", true);
	struct tap *outside = tap_new("tap1", true);
	struct virtio_net_hdr_v1 header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = 14,
		.gso_size = 1400,
		.csum_start = 34,
		.csum_offset = 16,
	};
	struct daemon *daemon;
	struct frame frame, got;

	(void)state;
	bridge_add("br0", web);
	bridge_add("br0", outside);
	daemon = daemon_start("vnet", NULL);
	daemon_apply(daemon, policy);
	assert_passes(outside, web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S seq=100");
	assert_passes(web, outside, "tcp 10.0.0.5:443 > 10.0.0.9:4000 SA seq=500 ack=101");
	assert_passes(outside, web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 A seq=101 ack=501");
	frame_make_text(&frame, "tcp 10.0.0.9:4000 > 10.0.0.5:443 PA seq=101 ack=501 len=6000");
	tap_drain(web);
	assert_int_equal(tap_write_vnet(outside, &header, &frame), 0);
	assert_true(tap_read(web, &got, 0));
	assert_int_equal(got.length, frame.length);
	frame_make_text(&frame, "tcp 10.0.0.9:4000 > 10.0.0.5:444 PA seq=101 ack=501 len=6000");
	assert_int_equal(tap_write_vnet(outside, &header, &frame), 0);
	assert_false(tap_read(web, &got, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_that_appears_later_is_filtered_in_time),
		TEST(a_device_made_anew_is_filtered_again),
		TEST(a_device_that_gets_its_name_later_is_filtered),
		TEST(leaving_the_policy_leaves_the_device_unfiltered),
		TEST(attach_filters_before_it_returns_and_detach_ends_it),
		TEST(attaching_what_is_not_there_fails_or_waits),
		TEST(a_macvtap_is_refused),
		TEST(two_rulesd_in_two_namespaces_do_not_meet),
		TEST(a_frame_with_14_linear_bytes_is_judged_like_any_other),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
