/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_confirm.c - policies on trial: confirmed in time, not confirmed, and rulesd killed
 * meanwhile.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define POLICY(port)                                                                              \
	"{ \"version\": 1,"                                                                       \
	"  \"groups\": { \"sg-web\": { \"ingress\": [ {\"protocol\": \"tcp\", \"ports\": [" #port \
	"], \"from\": [\"any\"]} ] } },"                                                          \
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","    \
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] } } }"

/* Seconds: of a trial that is to end before it is over, and of one that is to be over soon. */
#define LONG  "3600"
#define SHORT "1"

static struct scene_stage open_stage(void)
{
	return scene_stage_open("confirm", NULL, POLICY(22));
}

static void try_for(const struct scene_stage *stage, const char *seconds)
{
	AUTO_COMMAND struct command said = sgctl_run(stage->daemon, "apply", "--confirm", seconds,
						     policy_file("trial.json", POLICY(80)), NULL);

	assert_int_equal(said.status, 0);
	assert_non_null(strstr(said.err, "sgctl confirm"));
}

static void assert_open(const struct scene_stage *stage, bool old)
{
	if (old) {
		assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:22 S");
		assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:80 S");
	} else {
		assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:80 S");
		assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:22 S");
	}
}

static bool on_trial(const struct scene_stage *stage)
{
	AUTO_JSON json_t *status = sgctl_json(stage->daemon, "show", "status", NULL);

	return json_is_object(json_object_get(status, "on_trial"));
}

static void wait_over(const struct scene_stage *stage)
{
	const gint64 began = g_get_monotonic_time();

	while (on_trial(stage)) {
		if (patience_over(began, GIVE_UP_MS))
			fail_msg("the trial is never over");
		g_usleep(20000);
	}
}

static int run(const struct daemon *daemon, const char *command)
{
	AUTO_COMMAND struct command said = sgctl_run(daemon, command, NULL);

	return said.status;
}

static void without_a_word_it_goes_back(void **state)
{
	struct scene_stage stage = open_stage();

	(void)state;
	try_for(&stage, SHORT);
	wait_over(&stage);
	assert_open(&stage, true);
	assert_int_equal(run(stage.daemon, "confirm"), 1);
	daemon_apply(stage.daemon, POLICY(80)); /* changes are welcome again */
	assert_open(&stage, false);
}

static void confirmed_it_stays(void **state)
{
	struct scene_stage stage = open_stage();
	AUTO_COMMAND struct command said = {0};

	(void)state;
	try_for(&stage, LONG);
	assert_true(on_trial(&stage));
	assert_open(&stage, false);
	said = sgctl_run(stage.daemon, "apply", policy_file("other.json", POLICY(443)), NULL);
	assert_int_equal(said.status, 1);
	assert_non_null(strstr(said.err, "on trial"));
	sgctl_check(stage.daemon, "confirm", NULL);
	assert_false(on_trial(&stage));
	assert_open(&stage, false);
	assert_int_equal(daemon_stop(stage.daemon), 0);
	daemon_restart(stage.daemon, NULL);
	assert_open(&stage, false);
}

/* Whoever confirms in time: the clock that was set must not go off later. */
static void what_is_decided_outlives_the_time_of_the_trial(void **state)
{
	struct scene_stage stage = open_stage();

	(void)state;
	for (unsigned int turn = 0; turn < 2; turn++) {
		const bool confirms = turn == 0;
		const char *const words = confirms ? "confirm" : "rollback";

		for (;;) {
			daemon_apply(stage.daemon, POLICY(22));
			try_for(&stage, "2");
			if (run(stage.daemon, words) == 0)
				break;
			wait_over(&stage); /* a busy machine took longer: once more */
		}
		g_usleep(2500 * 1000);
		assert_open(&stage, !confirms);
	}
}

static void a_crash_does_not_make_it_stay(void **state)
{
	struct scene_stage stage = open_stage();

	(void)state;
	try_for(&stage, LONG);
	daemon_kill(stage.daemon);
	assert_open(&stage, false); /* filtering goes on */
	daemon_restart(stage.daemon, NULL);
	assert_true(on_trial(&stage));
	assert_open(&stage, false);
	sgctl_check(stage.daemon, "rollback", NULL);
	assert_open(&stage, true);
	/* When its time is over after the restart, or was while rulesd was dead. */
	for (unsigned int ms = 0; ms <= 1500; ms += 1500) {
		try_for(&stage, SHORT);
		daemon_kill(stage.daemon);
		g_usleep(ms * 1000);
		daemon_restart(stage.daemon, NULL);
		wait_over(&stage);
		assert_open(&stage, true);
	}
}

static void rollback_ends_the_trial(void **state)
{
	struct scene_stage stage = open_stage();

	(void)state;
	try_for(&stage, LONG);
	sgctl_check(stage.daemon, "rollback", NULL);
	assert_false(on_trial(&stage));
	assert_open(&stage, true);
	daemon_apply(stage.daemon, POLICY(80));
	assert_open(&stage, false);
}

static void the_first_policy_goes_back_to_none(void **state)
{
	struct scene_stage stage = scene_stage_open("confirm", NULL, NULL);

	(void)state;
	try_for(&stage, SHORT);
	wait_over(&stage);
	AUTO_JSON json_t *interfaces = sgctl_json(stage.daemon, "show", "interfaces", NULL);

	assert_int_equal(json_array_size(interfaces), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_word_it_goes_back),
		TEST(confirmed_it_stays),
		TEST(what_is_decided_outlives_the_time_of_the_trial),
		TEST(a_crash_does_not_make_it_stay),
		TEST(rollback_ends_the_trial),
		TEST(the_first_policy_goes_back_to_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
