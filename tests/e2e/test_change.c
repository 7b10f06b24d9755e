/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_change.c - policy changes under live connections, and policies that are refused.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

/* %s: the rules of sg-web. */
#define POLICY(rules)                                                                          \
	"{ \"version\": 1,"                                                                    \
	"  \"groups\": { \"sg-web\": { \"ingress\": [ " rules " ], \"egress\": [] } },"        \
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\"," \
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] } } }"
#define HTTPS "{ \"id\": \"https\", \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"] }"
#define SSH   "{ \"id\": \"ssh\", \"protocol\": \"tcp\", \"ports\": [22], \"from\": [\"10.0.0.9\"] }"

struct stage {
	struct tap *web, *outside;
	struct daemon *daemon;
	struct scene_connection https, ssh;
};

static struct scene_connection connection(const struct stage *stage, uint16_t port)
{
	return (struct scene_connection){
		.client = stage->outside,
		.server = stage->web,
		.client_address = "10.0.0.9",
		.server_address = "10.0.0.5",
		.client_port = (uint16_t)(4000 + port),
		.server_port = port,
	};
}

static struct stage open_stage(void)
{
	struct stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};

	stage.daemon = daemon_start("change", NULL);
	daemon_apply(stage.daemon, POLICY(HTTPS ", " SSH));
	stage.https = connection(&stage, 443);
	stage.ssh = connection(&stage, 22);
	scene_connect(&stage.https);
	scene_connect(&stage.ssh);
	return stage;
}

static json_int_t status_number(const struct daemon *daemon, const char *name)
{
	AUTO_JSON json_t *status = sgctl_json(daemon, "show", "status", NULL);

	return json_integer_value(json_object_get(status, name));
}

static void removing_a_rule_cuts_its_connections_and_no_others(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	daemon_apply(stage.daemon, POLICY(HTTPS));
	assert_true(scene_is_cut(&stage.ssh));
	assert_true(scene_exchange(&stage.https));
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:22 S");
}

static void keep_lets_live_connections_end_by_themselves(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	sgctl_check(stage.daemon, "apply", "--existing", "keep",
		    policy_file("keep.json", POLICY(HTTPS)), NULL);
	assert_true(scene_exchange(&stage.ssh));
	assert_true(scene_exchange(&stage.https));
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:22 S");
}

static void adding_a_rule_opens_at_once_and_touches_nothing(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	daemon_apply(stage.daemon, POLICY(HTTPS));
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:22 S");
	daemon_apply(stage.daemon, POLICY(HTTPS ", " SSH));
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:22 S");
	assert_true(scene_exchange(&stage.https));
}

static void the_same_policy_again_changes_nothing(void **state)
{
	struct stage stage = open_stage();
	json_int_t generation = status_number(stage.daemon, "generation");

	(void)state;
	daemon_apply(stage.daemon, POLICY(HTTPS ", " SSH));
	assert_int_equal(status_number(stage.daemon, "generation"), generation);
	assert_true(scene_exchange(&stage.https));
	assert_true(scene_exchange(&stage.ssh));
}

/* Every mistake with its place; exit 1; traffic goes on under the old policy. */
static void a_broken_policy_changes_nothing(void **state)
{
	static const char broken[] = "{ \"version\": 1,\n"
				     "  \"groups\": { \"sg-web\": {\n"
				     "    \"ingress\": [ { \"protocol\": \"tpc\",\n"
				     "      \"from\": [\"sg-missing\"] } ],\n"
				     "    \"colour\": 1 } } }\n";
	struct stage stage = open_stage();
	json_int_t generation = status_number(stage.daemon, "generation");
	AUTO_COMMAND struct command command = {0};
	g_autofree char *path = g_strdup(policy_file("broken.json", broken));
	g_autofree char *place = g_strdup_printf("%s:3:", path);

	(void)state;
	command = sgctl_run(stage.daemon, "apply", path, NULL);
	assert_int_equal(command.status, 1);
	assert_non_null(strstr(command.err, place));
	assert_non_null(strstr(command.err, "tpc"));
	assert_non_null(strstr(command.err, "colour"));
	assert_int_equal(status_number(stage.daemon, "generation"), generation);
	assert_true(scene_exchange(&stage.https));
	assert_true(scene_exchange(&stage.ssh));
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:80 S");
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
}

static void a_dangling_reference_changes_nothing(void **state)
{
	static const char dangling[] = POLICY(
		"{ \"id\": \"x\", \"protocol\": \"tcp\", \"ports\": [22], \"from\": [\"sg-none\"] }");
	struct stage stage = open_stage();
	AUTO_COMMAND struct command command = {0};

	(void)state;
	command = sgctl_run(stage.daemon, "apply", policy_file("dangling.json", dangling), NULL);
	assert_int_equal(command.status, 1);
	assert_non_null(strstr(command.err, "sg-none"));
	assert_true(scene_exchange(&stage.ssh));
}

static void flushing_flows_cuts_what_was_asked_for(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	assert_int_equal(status_number(stage.daemon, "flows"), 2);
	sgctl_check(stage.daemon, "flush", "flows", "--dport", "22", NULL);
	assert_int_equal(status_number(stage.daemon, "flows"), 1);
	assert_true(scene_is_cut(&stage.ssh));
	assert_true(scene_exchange(&stage.https));
}

static void flows_are_shown_as_their_opener_sent_them(void **state)
{
	struct stage stage = open_stage();
	AUTO_JSON json_t *flows = sgctl_json(stage.daemon, "flows", "--dport", "443", NULL);
	const json_t *flow = json_array_get(flows, 0);

	(void)state;
	assert_int_equal(json_array_size(flows), 1);
	assert_string_equal(json_string_value(json_object_get(flow, "interface")), "web");
	assert_string_equal(json_string_value(json_object_get(flow, "direction")), "ingress");
	assert_string_equal(json_string_value(json_object_get(flow, "protocol")), "tcp");
	assert_string_equal(json_string_value(json_object_get(flow, "src")), "10.0.0.9");
	assert_string_equal(json_string_value(json_object_get(flow, "dst")), "10.0.0.5");
	assert_int_equal(json_integer_value(json_object_get(flow, "sport")), 4443);
	assert_int_equal(json_integer_value(json_object_get(flow, "dport")), 443);
	assert_string_equal(json_string_value(json_object_get(flow, "state")), "established");
	assert_string_equal(json_string_value(json_object_get(flow, "rule")), "sg-web/https");
	assert_int_equal(json_integer_value(json_object_get(flow, "packets")), 3);
}

static void rules_count_what_they_allowed(void **state)
{
	struct stage stage = open_stage();
	AUTO_JSON json_t *rules = sgctl_json(stage.daemon, "show", "rules", NULL);
	bool seen = false;
	size_t index;
	json_t *rule;

	(void)state;
	json_array_foreach (rules, index, rule) {
		if (g_strcmp0(json_string_value(json_object_get(rule, "rule")), "sg-web/https") !=
		    0)
			continue;
		seen = true;
		assert_int_equal(json_integer_value(json_object_get(rule, "flows")), 1);
		assert_int_equal(json_integer_value(json_object_get(rule, "packets")), 3);
		assert_true(json_integer_value(json_object_get(rule, "bytes")) > 0);
	}
	assert_true(seen);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(removing_a_rule_cuts_its_connections_and_no_others),
		TEST(keep_lets_live_connections_end_by_themselves),
		TEST(adding_a_rule_opens_at_once_and_touches_nothing),
		TEST(the_same_policy_again_changes_nothing),
		TEST(a_broken_policy_changes_nothing),
		TEST(a_dangling_reference_changes_nothing),
		TEST(flushing_flows_cuts_what_was_asked_for),
		TEST(flows_are_shown_as_their_opener_sent_them),
		TEST(rules_count_what_they_allowed),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
