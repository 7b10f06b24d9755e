/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_members.c - a database lets an application in because of the group it carries: access comes
 * the moment a VM is attached with the group and goes the moment it is detached or moved.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

static const char tiers[] =
	"{ \"version\": 1,"
	"  \"groups\": {"
	"    \"sg-db\": { \"ingress\": [ { \"id\": \"pg\", \"protocol\": \"tcp\","
	"                  \"ports\": [5432], \"from\": [\"sg-app\"] } ], \"egress\": [] },"
	"    \"sg-app\": {}, \"sg-other\": {} },"
	"  \"interfaces\": { \"db\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-db\"] } } }";

struct stage {
	struct tap *db, *app;
	struct daemon *daemon;
	struct scene_connection connection;
};

static struct stage open_stage(void)
{
	struct stage stage = {.db = scene_tap("tap0"), .app = scene_tap("tap1")};

	stage.daemon = daemon_start("tiers", NULL);
	daemon_apply(stage.daemon, tiers);
	stage.connection = (struct scene_connection){
		.client = stage.app,
		.server = stage.db,
		.client_address = "10.0.0.6",
		.server_address = "10.0.0.5",
		.client_port = 4000,
		.server_port = 5432,
	};
	return stage;
}

static void attach_app(const struct stage *stage, const char *group)
{
	sgctl_check(stage->daemon, "attach", "tap1", "--id", "app-1", "--address", "10.0.0.6",
		    "--mac", "52:54:00:00:00:06", "--group", group, NULL);
}

#define SYN "tcp 10.0.0.6:4001 > 10.0.0.5:5432 S"

static void access_comes_with_attach_and_goes_with_detach(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	assert_drops(stage.app, stage.db, SYN);
	attach_app(&stage, "sg-app");
	scene_connect(&stage.connection);
	assert_true(scene_exchange(&stage.connection));
	sgctl_check(stage.daemon, "detach", "app-1", NULL);
	/* app is unfiltered now; the database lets its address in no longer. */
	assert_true(scene_is_cut(&stage.connection));
	assert_drops(stage.app, stage.db, SYN);
}

static void access_goes_when_the_vm_moves_to_another_group(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	attach_app(&stage, "sg-app");
	scene_connect(&stage.connection);
	assert_true(scene_exchange(&stage.connection));
	attach_app(&stage, "sg-other");
	assert_true(scene_is_cut(&stage.connection));
	assert_drops(stage.app, stage.db, SYN);
	attach_app(&stage, "sg-app");
	assert_passes(stage.app, stage.db, SYN);
}

static void a_group_that_an_attached_vm_carries_cannot_be_taken_away(void **state)
{
	static const char without_app[] =
		"{ \"version\": 1, \"groups\": { \"sg-db\": {} },"
		"  \"interfaces\": { \"db\": { \"device\": \"tap0\","
		"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-db\"] } } }";
	struct stage stage = open_stage();
	AUTO_COMMAND struct command refused = {0};

	(void)state;
	attach_app(&stage, "sg-app");
	refused = sgctl_run(stage.daemon, "apply", policy_file("without.json", without_app), NULL);
	assert_int_equal(refused.status, 1);
	assert_non_null(strstr(refused.err, "app-1"));
	assert_non_null(strstr(refused.err, "sg-app"));
	assert_passes(stage.app, stage.db, SYN);
}

static void members_are_shown(void **state)
{
	struct stage stage = open_stage();
	AUTO_JSON json_t *before = NULL;
	AUTO_JSON json_t *after = NULL;

	(void)state;
	before = sgctl_json(stage.daemon, "show", "members", "sg-app", NULL);
	assert_int_equal(json_array_size(before), 0);
	attach_app(&stage, "sg-app");
	after = sgctl_json(stage.daemon, "show", "members", "sg-app", NULL);
	assert_int_equal(json_array_size(after), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(after, 0), "address")),
			    "10.0.0.6");
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(after, 0), "interface")), "app-1");
}

/* An id is in the policy or attached by hand, never both. */
static void an_id_of_the_policy_cannot_be_attached_by_hand(void **state)
{
	struct stage stage = open_stage();
	AUTO_COMMAND struct command refused = {0};

	(void)state;
	refused = sgctl_run(stage.daemon, "attach", "tap1", "--id", "db", "--address", "10.0.0.6",
			    NULL);
	assert_int_equal(refused.status, 1);
	assert_non_null(strstr(refused.err, "db"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(access_comes_with_attach_and_goes_with_detach,
						scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(access_goes_when_the_vm_moves_to_another_group,
						scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			a_group_that_an_attached_vm_carries_cannot_be_taken_away, scene_setup,
			scene_teardown),
		cmocka_unit_test_setup_teardown(members_are_shown, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(an_id_of_the_policy_cannot_be_attached_by_hand,
						scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
