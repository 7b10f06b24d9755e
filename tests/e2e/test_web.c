/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_web.c - what a user sees of one web server, at every hook: nothing comes in without a rule,
 * what a rule allows does, replies need no rule, and nothing else passes as a reply.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

/* web: 10.0.0.5 behind tap0; the other tap, tap1, is nobody's: 10.0.0.9. %s is the hook. */
static const char web_policy[] =
	"{ \"version\": 1,"
	"  \"groups\": { \"sg-web\": {"
	"    \"ingress\": [ { \"id\": \"https\", \"protocol\": \"tcp\", \"ports\": [443],"
	"                     \"from\": [\"any\"] } ], \"egress\": [] } },"
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\", \"fd00::5\"], \"groups\": [\"sg-web\"],"
	"    \"vlans\": [7], \"hook\": \"%s\" } } }";

struct stage {
	struct tap *web, *outside;
	struct daemon *daemon;
};

static struct stage open_stage(const char *hook)
{
	struct stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};
	g_autofree char *policy = g_strdup_printf(web_policy, hook);

	stage.daemon = daemon_start("web", NULL);
	daemon_apply(stage.daemon, policy);
	return stage;
}

static void check_hook(const struct stage *stage, const char *wanted)
{
	AUTO_JSON json_t *interfaces = sgctl_json(stage->daemon, "show", "interfaces", NULL);
	const json_t *web = json_array_get(interfaces, 0);

	assert_string_equal(json_string_value(json_object_get(web, "state")), "filtering");
	if (strcmp(wanted, "auto") != 0)
		assert_string_equal(json_string_value(json_object_get(web, "hook")), wanted);
}

/* How often the interface dropped for this reason. */
static json_int_t drops(const struct stage *stage, const char *reason)
{
	AUTO_JSON json_t *stats = sgctl_json(stage->daemon, "stats", NULL);
	const json_t *all = json_object_get(json_array_get(stats, 0), "drops");

	return json_integer_value(json_object_get(all, reason));
}

static void web_server(const char *hook)
{
	struct stage stage = open_stage(hook);

	check_hook(&stage, hook);
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4000 > 10.0.0.5:444 S");
	assert_drops(stage.outside, stage.web, "udp 10.0.0.9:4000 > 10.0.0.5:443");
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 A seq=1 ack=1");
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S seq=100");
	assert_passes(stage.web, stage.outside,
		      "tcp 10.0.0.5:443 > 10.0.0.9:4000 SA seq=500 ack=101");
	assert_passes(stage.outside, stage.web,
		      "tcp 10.0.0.9:4000 > 10.0.0.5:443 A seq=101 ack=501");
	assert_passes(stage.outside, stage.web, "tcp [fd00::9]:4000 > [fd00::5]:443 S seq=100");
	assert_passes(stage.web, stage.outside,
		      "tcp [fd00::5]:443 > [fd00::9]:4000 SA seq=500 ack=101");
	/* No egress rule: nothing of its own. */
	assert_drops(stage.web, stage.outside, "tcp 10.0.0.5:4000 > 10.0.0.9:443 S");
	assert_drops(stage.web, stage.outside, "udp 10.0.0.5:4000 > 10.0.0.9:53");
	/* What is always allowed, and its spoofs. */
	assert_passes(stage.web, stage.outside, "arp 10.0.0.5 > 10.0.0.9");
	assert_passes(stage.outside, stage.web, "arp 10.0.0.9 > 10.0.0.5");
	assert_drops(stage.web, stage.outside, "arp 10.0.0.77 > 10.0.0.9 smac=5");
	assert_passes(stage.web, stage.outside, "dhcp 0.0.0.0 > 255.255.255.255 type=1");
	assert_drops(stage.web, stage.outside, "dhcp 10.0.0.5 > 255.255.255.255 type=2");
	assert_passes(stage.web, stage.outside,
		      "ns fe80::5054:ff:fe00:5 > ff02::1:ff00:9 target=fd00::9 lla=5");
	assert_drops(stage.web, stage.outside, "ra fe80::5054:ff:fe00:5 > ff02::1");
	assert_drops(stage.web, stage.outside,
		     "tcp 10.0.0.5:443 > 10.0.0.9:4000 A seq=501 ack=101 smac=6");
	/* Counted by reason. */
	assert_int_equal(drops(&stage, "spoofed_arp"), 1);
	assert_int_equal(drops(&stage, "dhcp_server"), 1);
	assert_int_equal(drops(&stage, "router_advertisement"), 1);
	assert_int_equal(drops(&stage, "spoofed_mac"), 1);
	assert_int_equal(drops(&stage, "no_flow"), 1);
	assert_int_equal(drops(&stage, "no_rule"), 4);
}

static void a_web_server_at_the_automatic_hook(void **state)
{
	(void)state;
	web_server("auto");
}

static void a_web_server_at_xdp(void **state)
{
	(void)state;
	web_server("xdp");
}

static void a_web_server_at_tcx(void **state)
{
	(void)state;
	web_server("tcx");
}

static void a_web_server_at_tc(void **state)
{
	(void)state;
	web_server("tc");
}

/* At tc the kernel has taken the tag out of the frame; at XDP it has not. */
static void tags_at(const char *hook)
{
	struct stage stage = open_stage(hook);

	assert_passes(stage.outside, stage.web, "arp 10.0.0.9 > 10.0.0.5 vlan=7");
	assert_passes(stage.web, stage.outside, "arp 10.0.0.5 > 10.0.0.9 vlan=7");
	assert_drops(stage.outside, stage.web, "arp 10.0.0.9 > 10.0.0.5 vlan=8");
	assert_drops(stage.web, stage.outside, "arp 10.0.0.5 > 10.0.0.9 vlan=8");
	assert_drops(stage.web, stage.outside, "arp 10.0.0.5 > 10.0.0.9 vlan=7 vlan=7");
	assert_drops(stage.outside, stage.web, "arp 10.0.0.9 > 10.0.0.5 vlan=7 vlan=7");
	assert_passes(stage.outside, stage.web,
		      "tcp 10.0.0.9:4000 > 10.0.0.5:443 S seq=100 vlan=7");
	assert_passes(stage.web, stage.outside,
		      "tcp 10.0.0.5:443 > 10.0.0.9:4000 SA seq=500 ack=101 vlan=7");
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S vlan=8");
}

static void tags_have_the_same_verdict_at_every_hook(void **state)
{
	static const char *const hooks[] = {"xdp", "tcx", "tc"};

	for (size_t i = 0; i < G_N_ELEMENTS(hooks); i++) {
		if (i > 0)
			scene_setup(state);
		tags_at(hooks[i]);
		scene_teardown(state);
	}
	scene_setup(state);
}

/* The kernel runs no tests at tc on frames this short, so real ones are needed. */
static void truncated_at(const char *hook)
{
	static const char *const texts[] = {
		"udp 10.0.0.5:4000 > 10.0.0.9:53 smac=5",
		"udp [fd00::5]:4000 > [fd00::9]:53 smac=5",
		"arp 10.0.0.5 > 10.0.0.9",
	};
	struct stage stage = open_stage(hook);
	json_int_t written = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct frame frame;
		size_t length;

		frame_make_text(&frame, texts[i]);
		length = frame.length;
		for (frame.length = 14; frame.length < length; frame.length++, written++)
			if (scene_arrives(stage.web, stage.outside, &frame, false))
				fail_msg("%s: %s passes at %zu bytes", hook, texts[i],
					 frame.length);
	}
	assert_true(drops(&stage, "truncated") > 0);
	assert_int_equal(drops(&stage, "truncated") + drops(&stage, "ip_length") +
				 drops(&stage, "l4_header"),
			 written);
}

static void truncated_frames_drop_at_every_hook(void **state)
{
	static const char *const hooks[] = {"xdp", "tcx", "tc"};

	for (size_t i = 0; i < G_N_ELEMENTS(hooks); i++) {
		if (i > 0)
			scene_setup(state);
		truncated_at(hooks[i]);
		scene_teardown(state);
	}
	scene_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_web_server_at_the_automatic_hook, scene_setup,
						scene_teardown),
		cmocka_unit_test_setup_teardown(a_web_server_at_xdp, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(a_web_server_at_tcx, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(a_web_server_at_tc, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(tags_have_the_same_verdict_at_every_hook,
						scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(truncated_frames_drop_at_every_hook, scene_setup,
						scene_teardown),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
