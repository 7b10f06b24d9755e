/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_adopt.c - attach --adopt-flows: connections that run when a tap is first attached go on, for
 * a while, if the rules allow them; no restart and no new tap opens that window again.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

static const char policy[] =
	"{ \"version\": 1, \"groups\": { \"sg-web\": { \"ingress\": ["
	"  { \"id\": \"https\", \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"] } ],"
	"  \"egress\": [] } } }";

#define SEGMENT(port) "tcp 10.0.0.9:" port " > 10.0.0.5:443 A seq=100 ack=200 len=10"
#define LONG	      "3600"
#define SHORT	      "1"

struct stage {
	struct tap *web, *outside;
	struct daemon *daemon;
};

static struct stage open_stage(const char *seconds)
{
	struct stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};

	stage.daemon = daemon_start("adopt", NULL);
	daemon_apply(stage.daemon, policy);
	sgctl_check(stage.daemon, "attach", "tap0", "--id", "web", "--address", "10.0.0.5",
		    "--group", "sg-web", seconds ? "--adopt-flows" : NULL, seconds, NULL);
	return stage;
}

static void a_running_connection_goes_on_if_rules_allow_it(void **state)
{
	struct stage stage = open_stage(LONG);

	(void)state;
	assert_passes(stage.outside, stage.web, SEGMENT("4000"));
	assert_passes(stage.web, stage.outside,
		      "tcp 10.0.0.5:443 > 10.0.0.9:4000 A seq=200 ack=110 len=5");
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 A seq=1 ack=1");
	assert_drops(stage.web, stage.outside, "tcp 10.0.0.5:4002 > 10.0.0.9:25 A seq=1 ack=1");
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4003 > 10.0.0.5:443 SA seq=1 ack=1");
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4003 > 10.0.0.5:443 R seq=1");
}

static void without_the_option_nothing_is_adopted(void **state)
{
	struct stage stage = open_stage(NULL);

	(void)state;
	assert_drops(stage.outside, stage.web, SEGMENT("4000"));
}

static void the_window_closes_for_each_tap_by_itself(void **state)
{
	struct stage stage = open_stage(LONG);
	struct tap *late = scene_tap("tap2");

	(void)state;
	sgctl_check(stage.daemon, "attach", "tap2", "--id", "late", "--address", "10.0.0.6",
		    "--group", "sg-web", "--adopt-flows", SHORT, NULL);
	g_usleep(1200 * 1000);
	assert_drops(stage.outside, late, "tcp 10.0.0.9:4000 > 10.0.0.6:443 A seq=1 ack=1 len=1");
	assert_passes(stage.outside, stage.web, SEGMENT("4000"));
	sgctl_check(stage.daemon, "detach", "late", NULL);
}

static void a_restart_never_opens_the_window(void **state)
{
	struct stage stage = open_stage(SHORT);

	(void)state;
	g_usleep(1200 * 1000);
	daemon_kill(stage.daemon);
	daemon_restart(stage.daemon, NULL);
	assert_drops(stage.outside, stage.web, SEGMENT("4000"));
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
}

static void a_tap_made_anew_has_no_window(void **state)
{
	struct stage stage = open_stage(LONG);

	(void)state;
	tap_delete(stage.web);
	assert_true(scene_wait_state(stage.daemon, "web", "waiting", GIVE_UP_MS) >= 0);
	stage.web = scene_tap("tap0");
	assert_true(scene_wait_state(stage.daemon, "web", "filtering", GIVE_UP_MS) >= 0);
	assert_drops(stage.outside, stage.web, SEGMENT("4000"));
	daemon_kill(stage.daemon);
	tap_delete(stage.web);
	stage.web = scene_tap("tap0");
	daemon_restart(stage.daemon, NULL);
	assert_drops(stage.outside, stage.web, SEGMENT("4000"));
}

/* Recorded while there is no device: the window opens when it comes, once. */
static void a_tap_that_is_waited_for_has_its_window_when_it_comes(void **state)
{
	struct stage stage = open_stage(NULL);
	struct tap *late;

	(void)state;
	sgctl_check(stage.daemon, "attach", "tap2", "--id", "late", "--address", "10.0.0.6",
		    "--group", "sg-web", "--wait", "--adopt-flows", LONG, NULL);
	late = scene_tap("tap2");
	assert_true(scene_wait_state(stage.daemon, "late", "filtering", GIVE_UP_MS) >= 0);
	assert_passes(stage.outside, late, "tcp 10.0.0.9:4000 > 10.0.0.6:443 A seq=1 ack=1 len=1");
	tap_delete(late);
	assert_true(scene_wait_state(stage.daemon, "late", "waiting", GIVE_UP_MS) >= 0);
	late = scene_tap("tap2");
	assert_true(scene_wait_state(stage.daemon, "late", "filtering", GIVE_UP_MS) >= 0);
	assert_drops(stage.outside, late, "tcp 10.0.0.9:4000 > 10.0.0.6:443 A seq=1 ack=1 len=1");
}

static void only_a_new_interface_may_ask_for_it(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_COMMAND struct command again =
		sgctl_run(stage.daemon, "attach", "tap0", "--id", "web", "--address", "10.0.0.5",
			  "--group", "sg-web", "--adopt-flows", LONG, NULL);
	AUTO_COMMAND struct command wrong =
		sgctl_run(stage.daemon, "attach", "tap0", "--id", "web", "--address", "10.0.0.5",
			  "--adopt-flows", "3601", NULL);

	(void)state;
	assert_int_equal(again.status, 1);
	assert_non_null(strstr(again.err, "first attached"));
	assert_int_equal(wrong.status, 2);
	assert_drops(stage.outside, stage.web, SEGMENT("4000"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_running_connection_goes_on_if_rules_allow_it),
		TEST(without_the_option_nothing_is_adopted),
		TEST(the_window_closes_for_each_tap_by_itself),
		TEST(a_restart_never_opens_the_window),
		TEST(a_tap_made_anew_has_no_window),
		TEST(a_tap_that_is_waited_for_has_its_window_when_it_comes),
		TEST(only_a_new_interface_may_ask_for_it),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
