/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_lint_live.c - sgctl lint --live against a real rulesd: its counters, its interfaces that are
 * attached by hand, a policy that it does not have. */
#include <jansson.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/daemon.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

#define GROUPS                                                   \
	"\"groups\":{\"sg-web\":{\"egress\":["                   \
	"{\"id\":\"dns\",\"service\":\"dns\",\"to\":[\"any\"]}," \
	"{\"id\":\"ntp\",\"service\":\"ntp\",\"to\":[\"any\"]}]},\"sg-hand\":{\"egress\":[]}}"
#define IFACE                                                                          \
	"\"interfaces\":{\"web-1\":{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\"]," \
	"\"groups\":[\"sg-web\"]}}"
#define POLICY "{\"version\":1," GROUPS "," IFACE "}"
#define OTHER                                                               \
	"{\"version\":1,\"groups\":{\"sg-new\":{\"egress\":[{\"id\":\"x\"," \
	"\"protocol\":\"tcp\",\"to\":[\"any\"]}]}}}"

static struct daemon *rulesd;
static struct tap *tap0;

static int setup(void **state)
{
	(void)state;
	netns_new();
	tap0 = tap_new("tap0", false);
	tap_new("tap1", false);
	rulesd = daemon_start("lint", NULL);
	daemon_apply(rulesd, POLICY);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_delete_all();
	tap_delete_all();
	netns_leave();
	return 0;
}

/* "sg-web/dns sg-web/ntp ": the subjects of the findings of a check. */
static char *found(const char *path, const char *code)
{
	AUTO_JSON json_t *findings =
		sgctl_json(rulesd, "lint", path, "--live", "--only", code, NULL);
	GString *subjects = g_string_new(NULL);
	const json_t *finding;
	size_t i;

	json_array_foreach (findings, i, finding)
		g_string_append_printf(subjects, "%s ",
				       json_string_value(json_object_get(finding, "subject")));
	return g_string_free(subjects, FALSE);
}

static void rules_that_traffic_hit_are_not_named(void **state)
{
	const char *path = policy_file("policy.json", POLICY);
	g_autofree char *before = found(path, "SG108");
	g_autofree char *after = NULL;
	struct frame frame;

	(void)state;
	assert_string_equal(before, "sg-web/dns sg-web/ntp ");
	frame_make_text(&frame, "udp 10.0.0.5:5353 > 192.0.2.53:53");
	assert_int_equal(tap_write(tap0, &frame), 0);
	after = found(path, "SG108");
	assert_string_equal(after, "sg-web/ntp ");
}

static void groups_of_interfaces_attached_by_hand_are_used(void **state)
{
	const char *path = policy_file("policy.json", POLICY);
	g_autofree char *before = found(path, "SG303");
	g_autofree char *after = NULL;

	(void)state;
	assert_string_equal(before, "sg-hand ");
	sgctl_check(rulesd, "attach", "tap1", "--id", "by-hand", "--address", "10.0.0.6", "--group",
		    "sg-hand", NULL);
	after = found(path, "SG303");
	assert_string_equal(after, "");
}

static void a_policy_that_the_daemon_does_not_have_is_said(void **state)
{
	const char *path = policy_file("other.json", OTHER);
	AUTO_COMMAND struct command command =
		sgctl_run(rulesd, "lint", path, "--live", "--only", "SG108", NULL);

	(void)state;
	assert_int_equal(command.status, 0);
	assert_non_null(strstr(command.err, "the daemon has another policy: 1 rule of this one"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rules_that_traffic_hit_are_not_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(groups_of_interfaces_attached_by_hand_are_used,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_policy_that_the_daemon_does_not_have_is_said,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
