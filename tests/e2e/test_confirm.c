/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_confirm.c - policies on trial: confirmed in time, not confirmed, and rulesd killed
 * meanwhile.
 */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

#define POLICY(port)                                                                              \
	"{ \"version\": 1,"                                                                       \
	"  \"groups\": { \"sg-web\": { \"ingress\": [ {\"protocol\": \"tcp\", \"ports\": [" #port \
	"], \"from\": [\"any\"]} ] } },"                                                          \
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","    \
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] } } }"

struct stage {
	struct tap *web, *outside;
	struct daemon *daemon;
};

static struct stage open_stage(void)
{
	struct stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};

	stage.daemon = daemon_start("confirm", NULL);
	daemon_apply(stage.daemon, POLICY(22));
	return stage;
}

static void try_for(const struct stage *stage, const char *seconds)
{
	AUTO_COMMAND struct command said = sgctl_run(stage->daemon, "apply", "--confirm", seconds,
						     policy_file("trial.json", POLICY(80)), NULL);

	assert_int_equal(said.status, 0);
	assert_non_null(strstr(said.err, "sgctl confirm"));
}

static void assert_open(const struct stage *stage, bool old)
{
	if (old) {
		assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:22 S");
		assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:80 S");
	} else {
		assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:80 S");
		assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:22 S");
	}
}

static int run(const struct daemon *daemon, const char *command)
{
	AUTO_COMMAND struct command said = sgctl_run(daemon, command, NULL);

	return said.status;
}

static void without_a_word_it_goes_back(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	try_for(&stage, "2");
	assert_open(&stage, false);
	usleep(3200000);
	assert_open(&stage, true);
	assert_int_equal(run(stage.daemon, "confirm"), 1);
	daemon_apply(stage.daemon, POLICY(80)); /* changes are welcome again */
}

static void confirmed_it_stays(void **state)
{
	struct stage stage = open_stage();
	AUTO_COMMAND struct command said = {0};

	(void)state;
	try_for(&stage, "2");
	said = sgctl_run(stage.daemon, "apply", policy_file("other.json", POLICY(443)), NULL);
	assert_int_equal(said.status, 1);
	assert_non_null(strstr(said.err, "on trial"));
	sgctl_check(stage.daemon, "confirm", NULL);
	usleep(3200000);
	assert_open(&stage, false);
	assert_int_equal(daemon_stop(stage.daemon), 0);
	daemon_restart(stage.daemon, NULL);
	assert_open(&stage, false);
}

static void a_crash_does_not_make_it_stay(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	try_for(&stage, "3");
	daemon_kill(stage.daemon);
	assert_open(&stage, false); /* filtering goes on */
	daemon_restart(stage.daemon, NULL);
	usleep(4200000);
	assert_open(&stage, true);
	/* And when its time was over while rulesd was dead. */
	try_for(&stage, "1");
	daemon_kill(stage.daemon);
	usleep(1500000);
	daemon_restart(stage.daemon, NULL);
	usleep(700000);
	assert_open(&stage, true);
}

static void rollback_ends_the_trial(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	try_for(&stage, "2");
	sgctl_check(stage.daemon, "rollback", NULL);
	assert_open(&stage, true);
	daemon_apply(stage.daemon, POLICY(80));
	usleep(3200000);
	assert_open(&stage, false); /* the trial that was cancelled goes back to nothing */
}

static void the_first_policy_goes_back_to_none(void **state)
{
	struct stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};

	(void)state;
	stage.daemon = daemon_start("confirm", NULL);
	try_for(&stage, "1");
	assert_open(&stage, false);
	usleep(2200000);
	AUTO_JSON json_t *interfaces = sgctl_json(stage.daemon, "show", "interfaces", NULL);

	assert_int_equal(json_array_size(interfaces), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_word_it_goes_back),	  TEST(confirmed_it_stays),
		TEST(a_crash_does_not_make_it_stay),	  TEST(rollback_ends_the_trial),
		TEST(the_first_policy_goes_back_to_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
