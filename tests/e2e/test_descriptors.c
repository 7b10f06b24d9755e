/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_descriptors.c - more interfaces than rulesd may have files open: some are not filtered and
 * told why, never open where they are guarded; clients are answered, and a restart adopts the rest.
 */
#include <glib.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define ALLOWED 256 /* descriptors */
#define TAPS	220u

static const char *const guarded[] = {"--guard", "tap*", "--max-flows", "8000000", NULL};

static void make_taps(void)
{
	g_autoptr(GString) lines = g_string_new(NULL);
	g_autofree char *path = g_build_filename(netns_workdir(), "taps", NULL);

	for (unsigned int i = 0; i < TAPS; i++)
		g_string_append_printf(lines, "tuntap add dev many%u mode tap\n", i);
	assert_true(g_file_set_contents(path, lines->str, -1, NULL));
	command_check("ip", "-batch", path, NULL);
}

static char *policy_of_taps(void)
{
	GString *text = g_string_new("{ \"version\": 1, \"groups\": { \"sg-web\": { \"egress\": [] "
				     "} }, \"interfaces\": {");

	for (unsigned int i = 0; i < TAPS; i++)
		g_string_append_printf(text,
				       "%s \"i%u\": { \"device\": \"many%u\", \"addresses\": "
				       "[\"10.1.0.%u\"], \"groups\": [\"sg-web\"] }",
				       i ? "," : "", i, i, i + 1);
	g_string_append(text, " } }");
	return g_string_free(text, FALSE);
}

struct states {
	unsigned int filtering, failed;
};

/* Of one moment: one that failed may be filtered at the next event of its device. */
static struct states states_of(const struct daemon *daemon)
{
	AUTO_JSON json_t *interfaces = sgctl_json(daemon, "show", "interfaces", NULL);
	struct states states = {0};
	json_t *one;
	size_t i;

	json_array_foreach (interfaces, i, one) {
		const char *state = json_string_value(json_object_get(one, "state"));

		states.filtering += !strcmp(state, "filtering");
		states.failed += !strcmp(state, "failed");
	}
	return states;
}

static void wait_for(const struct daemon *daemon, unsigned int filtering)
{
	gint64 since = g_get_monotonic_time();

	for (;;) {
		const unsigned int now = states_of(daemon).filtering;

		if (now >= filtering)
			return;
		if (patience_over(since, GIVE_UP_MS))
			fail_msg("%u of %u are filtered", now, filtering);
		g_usleep(50000);
	}
}

/* Making many at once needed more of them than they keep: those that failed take what is left. */
static void assert_refused_by_hand(const struct daemon *daemon)
{
	gint64 since = g_get_monotonic_time();

	for (;;) {
		AUTO_COMMAND struct command attach = sgctl_run(
			daemon, "attach", "tap0", "--id", "hand", "--address", "10.0.0.5", NULL);

		if (attach.status && strstr(attach.err, "may have 256 files open"))
			return;
		if (attach.status || patience_over(since, GIVE_UP_MS))
			fail_msg("exit %d, it says \"%s\"", attach.status, attach.err);
		sgctl_check(daemon, "detach", "hand", NULL);
		g_usleep(500000);
	}
}

static void interfaces_that_are_too_many_for_it_are_refused(void **state)
{
	struct tap *outside = scene_tap("vm1"), *web = scene_tap("tap0");
	AUTO_COMMAND struct command apply = {0};
	g_autofree char *policy = policy_of_taps();
	struct daemon *daemon;
	struct states states;

	(void)state;
	make_taps();
	daemon = daemon_start("few", guarded);
	apply = sgctl_run(daemon, "apply", policy_file("many.json", policy), NULL);
	assert_int_equal(apply.status, 1);
	states = states_of(daemon);
	assert_in_range(states.filtering, 10, TAPS - 20);
	assert_int_equal(states.filtering + states.failed, TAPS);
	assert_refused_by_hand(daemon);
	assert_drops(outside, web, "udp 10.0.0.9:1 > 10.0.0.5:2");

	daemon_kill(daemon);
	daemon_restart(daemon, guarded);
	wait_for(daemon, states.filtering);
	assert_drops(outside, web, "udp 10.0.0.9:1 > 10.0.0.5:2");
}

int main(void)
{
	const struct rlimit few = {ALLOWED, ALLOWED};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(interfaces_that_are_too_many_for_it_are_refused,
						scene_setup, scene_teardown),
	};

	/* rulesd is to have no more than this, and without CAP_SYS_RESOURCE cannot change that. */
	if (geteuid() == 0 &&
	    (setrlimit(RLIMIT_NOFILE, &few) || prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0))) {
		perror("setrlimit, prctl");
		return 1;
	}
	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
