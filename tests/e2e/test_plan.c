/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_plan.c - what sgctl plan foretells is what apply does, to live connections too. */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

/* %s: the rules of sg-web. */
#define POLICY(rules, more)                                                                    \
	"{ \"version\": 1,"                                                                    \
	"  \"groups\": { \"sg-web\": { \"ingress\": [ " rules " ], \"egress\": [] } },"        \
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\"," \
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] }" more " } }"
#define HTTPS "{ \"id\": \"https\", \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"] }"
#define SSH   "{ \"id\": \"ssh\", \"protocol\": \"tcp\", \"ports\": [22], \"from\": [\"10.0.0.9\"] }"
/* The same in other words. */
#define HTTPS_AGAIN \
	"{ \"id\": \"https\", \"protocol\": 6, \"ports\": [\"443-443\"], \"from\": [{\"cidr\": \"::/0\"}, \"any\"] }"

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

	stage.daemon = daemon_start("plan", NULL);
	daemon_apply(stage.daemon, POLICY(HTTPS ", " SSH, ""));
	stage.https = connection(&stage, 443);
	stage.ssh = connection(&stage, 22);
	scene_connect(&stage.https);
	scene_connect(&stage.ssh);
	return stage;
}

/* The plan of a policy, as JSON; the exit status must be that. */
static json_t *plan_of(const struct daemon *daemon, const char *policy, int status)
{
	AUTO_COMMAND struct command said =
		sgctl_run(daemon, "plan", "--json", policy_file("new.json", policy), NULL);
	json_t *plan = json_loads(said.out, 0, NULL);

	if (said.status != status || !plan)
		fail_msg("exit %d: %s%s", said.status, said.out, said.err);
	return plan;
}

static const char *first(const json_t *plan, const char *list, const char *key)
{
	const json_t *object = json_array_get(json_object_get(plan, list), 0);
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static size_t count(const json_t *plan, const char *list)
{
	return json_array_size(json_object_get(plan, list));
}

static void a_plan_names_the_connections_that_apply_cuts(void **state)
{
	struct stage stage = open_stage();
	AUTO_JSON json_t *plan = plan_of(stage.daemon, POLICY(HTTPS, ""), 3);

	(void)state;
	assert_int_equal(count(plan, "changes"), 1);
	assert_string_equal(first(plan, "changes", "name"), "sg-web/ssh");
	assert_string_equal(first(plan, "changes", "action"), "remove");
	assert_int_equal(count(plan, "meaning"), 1);
	assert_string_equal(first(plan, "meaning", "peer"), "10.0.0.9");
	assert_string_equal(first(plan, "meaning", "effect"), "loses");
	assert_string_equal(first(plan, "meaning", "what"), "tcp 22");
	assert_int_equal(count(plan, "flows"), 1);
	assert_string_equal(first(plan, "flows", "rule"), "sg-web/ssh");
	assert_true(scene_exchange(&stage.ssh)); /* nothing has happened yet */
	daemon_apply(stage.daemon, POLICY(HTTPS, ""));
	assert_true(scene_is_cut(&stage.ssh));
	assert_true(scene_exchange(&stage.https));
}

static void with_keep_none_is_cut(void **state)
{
	struct stage stage = open_stage();
	AUTO_COMMAND struct command said = {0};

	(void)state;
	said = sgctl_run(stage.daemon, "apply", "--dry-run", "--existing", "keep",
			 policy_file("new.json", POLICY(HTTPS, "")), NULL);
	assert_int_equal(said.status, 3);
	assert_null(strstr(said.out, "cut"));
	command_free(&said);
	said = sgctl_run(stage.daemon, "apply", "--dry-run",
			 policy_file("new.json", POLICY(HTTPS, "")), NULL);
	assert_int_equal(said.status, 3);
	assert_non_null(strstr(said.out, "1 live flow would be cut"));
	assert_true(scene_exchange(&stage.ssh));
}

static void the_same_in_other_words_is_no_change(void **state)
{
	struct stage stage = open_stage();
	AUTO_JSON json_t *plan = plan_of(stage.daemon, POLICY(SSH ", " HTTPS, ""), 0);

	(void)state;
	assert_int_equal(count(plan, "changes"), 0);
	assert_int_equal(count(plan, "flows"), 0);
}

/* ::/0 beside any is another peer, but nobody gains by it. */
static void a_change_without_meaning_has_none(void **state)
{
	struct stage stage = open_stage();
	AUTO_JSON json_t *plan = plan_of(stage.daemon, POLICY(HTTPS_AGAIN ", " SSH, ""), 3);

	(void)state;
	assert_string_equal(first(plan, "changes", "action"), "change");
	assert_int_equal(count(plan, "meaning"), 0);
	assert_int_equal(count(plan, "flows"), 0);
}

/* Interfaces attached by hand stay: their flows count, and a policy that they do not fit is
 * refused as apply would. */
static void interfaces_attached_by_hand_are_in_the_plan(void **state)
{
	struct stage stage = open_stage();
	AUTO_COMMAND struct command said = {0};

	(void)state;
	sgctl_check(stage.daemon, "attach", "tap1", "--id", "hand", "--address", "10.0.0.9",
		    "--group", "sg-web", NULL);
	said = sgctl_run(stage.daemon, "plan", policy_file("new.json", "{\"version\":1}"), NULL);
	assert_int_equal(said.status, 1);
	assert_non_null(strstr(said.err, "sg-web"));
	AUTO_JSON json_t *plan =
		plan_of(stage.daemon,
			POLICY(HTTPS ", " SSH, ", \"new\": {\"addresses\": [\"10.0.0.7\"]}"), 3);

	assert_int_equal(count(plan, "changes"), 1);
	assert_string_equal(first(plan, "changes", "name"), "new");
}

static void a_patch_can_be_planned_too(void **state)
{
	struct stage stage = open_stage();
	AUTO_COMMAND struct command said = {0};

	(void)state;
	said = sgctl_run(stage.daemon, "patch", "--dry-run",
			 policy_file("patch.json",
				     "{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[" HTTPS
				     "],\"egress\":[]}}}"),
			 NULL);
	assert_int_equal(said.status, 3);
	assert_non_null(strstr(said.out, "- rule sg-web/ssh"));
	assert_non_null(strstr(said.out, "1 live flow would be cut"));
	assert_true(scene_exchange(&stage.ssh));
	command_free(&said);
	said = sgctl_run(stage.daemon, "patch", "--dry-run",
			 policy_file("patch.json", "{\"version\":1,\"groups\":{\"sg-web\":null}}"),
			 NULL);
	assert_int_equal(said.status, 1);
	assert_non_null(strstr(said.err, "sg-web"));
}

/* A packet of a live flow passes by the flow, whatever the rules say of a new one. */
static void a_trace_names_the_live_flow(void **state)
{
	struct stage stage = open_stage();
	AUTO_JSON json_t *live = sgctl_json(stage.daemon, "trace", "--interface", "web",
					    "--direction", "in", "--protocol", "tcp", "--src",
					    "10.0.0.9:4022", "--dst", "10.0.0.5:22", NULL);
	AUTO_JSON json_t *reply = sgctl_json(stage.daemon, "trace", "--interface", "web",
					     "--direction", "out", "--protocol", "tcp", "--src",
					     "10.0.0.5:22", "--dst", "10.0.0.9:4022", NULL);
	AUTO_JSON json_t *other = sgctl_json(stage.daemon, "trace", "--interface", "web",
					     "--direction", "in", "--protocol", "tcp", "--src",
					     "10.0.0.9:4023", "--dst", "10.0.0.5:22", NULL);
	const char *rule =
		json_string_value(json_object_get(json_object_get(live, "flow"), "rule"));

	(void)state;
	assert_string_equal(rule ? rule : "", "sg-web/ssh");
	assert_true(json_is_object(json_object_get(reply, "flow")));
	assert_string_equal(json_string_value(json_object_get(reply, "verdict")), "deny");
	assert_null(json_object_get(other, "flow"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_plan_names_the_connections_that_apply_cuts),
		TEST(with_keep_none_is_cut),
		TEST(the_same_in_other_words_is_no_change),
		TEST(a_change_without_meaning_has_none),
		TEST(interfaces_attached_by_hand_are_in_the_plan),
		TEST(a_patch_can_be_planned_too),
		TEST(a_trace_names_the_live_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
