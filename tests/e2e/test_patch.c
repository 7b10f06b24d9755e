/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_patch.c - single objects of the policy replaced, added and removed: what holds afterwards
 * for packets, as text and after a restart; what is refused, with its place; the way back.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

#define DB                                                                          \
	"\"db\":{\"device\":\"tap0\",\"mac\":\"52:54:00:00:00:05\",\"addresses\":[" \
	"\"10.0.0.5\"],\"groups\":[\"sg-db\"]}"
#define PG(port)                                                                       \
	"\"sg-db\":{\"ingress\":[{\"id\":\"pg\",\"protocol\":\"tcp\",\"ports\":[" port \
	"],\"from\":["                                                                 \
	"\"sg-app\"]}],\"egress\":[]}"

static const char policy[] = "{\"version\":1,\"description\":\"tiers\",\"groups\":{" PG(
	"5432") ",\"sg-app\":{}},\"interfaces\":{" DB
		",\"app-1\":{\"addresses\":[\"10.0.0.6\"],\"groups\":[\"sg-app\"]}}}";

struct stage {
	struct tap *db, *app;
	struct daemon *daemon;
};

static struct stage open_stage(void)
{
	struct stage stage = {.db = scene_tap("tap0"), .app = scene_tap("tap1")};

	stage.daemon = daemon_start("patch", NULL);
	daemon_apply(stage.daemon, policy);
	return stage;
}

#define SYN_1 "tcp 10.0.0.6:4001 > 10.0.0.5:5432 S"
#define SYN_2 "tcp 10.0.0.7:4001 > 10.0.0.5:5432 S"
#define SYN_3 "tcp 10.0.0.6:4001 > 10.0.0.5:5433 S"

static json_int_t patch(const struct stage *stage, const char *text)
{
	AUTO_HTTP struct http_answer answer =
		http_expect(stage->daemon->socket, 200, "PATCH", "/v1/policy", text, NULL);

	return json_integer_value(json_object_get(answer.json, "generation"));
}

static json_int_t writes_of(const struct stage *stage, const char *text)
{
	AUTO_HTTP struct http_answer answer =
		http_expect(stage->daemon->socket, 200, "PATCH", "/v1/policy", text, NULL);

	return json_integer_value(json_object_get(answer.json, "writes"));
}

#define APP_2 \
	"{\"version\":1,\"interfaces\":{\"app-2\":{\"addresses\":[\"10.0.0.7\"],\"groups\":[\"sg-app\"]}}}"
#define NO_APP "{\"version\":1,\"interfaces\":{\"app-2\":null}}"

static void a_member_joins_and_leaves(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	assert_drops(stage.app, stage.db, SYN_2);
	assert_int_equal(writes_of(&stage, APP_2), 1);
	assert_passes(stage.app, stage.db, SYN_2);
	/* Its entry, and from when on flows of the group are looked at again. */
	assert_int_equal(writes_of(&stage, NO_APP), 2);
	assert_drops(stage.app, stage.db, SYN_2);
	for (unsigned int i = 0; i < 20; i++) {
		patch(&stage, APP_2);
		assert_passes(stage.app, stage.db, SYN_2);
		patch(&stage, NO_APP);
		assert_drops(stage.app, stage.db, SYN_2);
	}
	assert_passes(stage.app, stage.db, SYN_1);
}

static void a_rule_changes(void **state)
{
	struct stage stage = open_stage();

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		patch(&stage, "{\"version\":1,\"groups\":{" PG("5433") "}}");
		assert_passes(stage.app, stage.db, SYN_3);
		assert_drops(stage.app, stage.db, SYN_1);
		patch(&stage, "{\"version\":1,\"groups\":{" PG("5432") "}}");
		assert_drops(stage.app, stage.db, SYN_3);
		assert_passes(stage.app, stage.db, SYN_1);
	}
}

/* The text that holds is that of the policy which says the same at once. */
static void the_policy_is_what_was_patched(void **state)
{
	struct stage stage = open_stage();
	AUTO_JSON json_t *patched = NULL;
	AUTO_JSON json_t *whole = NULL;
	AUTO_HTTP struct http_answer text = {0};
	AUTO_HTTP struct http_answer again = {0};

	(void)state;
	patch(&stage, APP_2);
	patch(&stage, "{\"version\":1,\"groups\":{" PG("5433") "}}");
	patched = sgctl_json(stage.daemon, "show", "status", NULL);
	text = http_expect(stage.daemon->socket, 200, "GET", "/v1/policy", NULL, NULL);
	again = http_expect(stage.daemon->socket, 200, "PUT", "/v1/policy", text.text, NULL);
	assert_false(json_is_true(json_object_get(again.json, "changed")));
	daemon_apply(stage.daemon,
		     "{\"version\":1,\"description\":\"tiers\",\"groups\":{" PG(
			     "5433") ",\"sg-app\":{}},\"interfaces\":{" DB
				     ",\"app-1\":{\"addresses\":[\"10.0.0.6\"],\"groups\":"
				     "[\"sg-app\"]},\"app-2\":{\"addresses\":[\"10.0.0.7\"],"
				     "\"groups\":[\"sg-app\"]}}}");
	whole = sgctl_json(stage.daemon, "show", "status", NULL);
	assert_string_equal(json_string_value(json_object_get(patched, "policy_sha256")),
			    json_string_value(json_object_get(whole, "policy_sha256")));
}

static void flush(const struct daemon *daemon)
{
	const char *const words[] = {".build/rulesd", "--flush",	 "--bpffs", daemon->bpffs,
				     "--state-dir",   daemon->state_dir, NULL};
	AUTO_COMMAND struct command command = command_run(words);

	assert_int_equal(command.status, 0);
}

static void patches_hold_after_a_restart(void **state)
{
	struct stage stage = open_stage();
	json_int_t generation;
	AUTO_JSON json_t *status = NULL;

	(void)state;
	patch(&stage, APP_2);
	sgctl_check(stage.daemon, "attach", "tap1", "--id", "hand", "--address", "10.0.0.9",
		    "--group", "sg-app", NULL);
	sgctl_check(stage.daemon, "detach", "hand", NULL);
	generation = patch(&stage, "{\"version\":1,\"groups\":{" PG("5433") "}}");
	daemon_kill(stage.daemon);
	daemon_restart(stage.daemon, NULL);
	status = sgctl_json(stage.daemon, "show", "status", NULL);
	assert_int_equal(json_integer_value(json_object_get(status, "generation")), generation);
	assert_passes(stage.app, stage.db, SYN_3);
	assert_passes(stage.app, stage.db, "tcp 10.0.0.7:4002 > 10.0.0.5:5433 S");
	assert_drops(stage.app, stage.db, SYN_1);
	/* And on an empty kernel. */
	assert_int_equal(daemon_stop(stage.daemon), 0);
	flush(stage.daemon);
	daemon_restart(stage.daemon, NULL);
	assert_passes(stage.app, stage.db, "tcp 10.0.0.7:4003 > 10.0.0.5:5433 S");
	assert_drops(stage.app, stage.db, SYN_1);
}

static void rollback_goes_over_patches(void **state)
{
	struct stage stage = open_stage();
	json_int_t with_two;
	g_autofree char *to_two = NULL;

	(void)state;
	with_two = patch(&stage, APP_2);
	patch(&stage, NO_APP);
	assert_drops(stage.app, stage.db, SYN_2);
	sgctl_check(stage.daemon, "rollback", NULL);
	assert_passes(stage.app, stage.db, SYN_2);
	patch(&stage, "{\"version\":1,\"groups\":{" PG("5433") "}}");
	assert_drops(stage.app, stage.db, SYN_2);
	to_two = g_strdup_printf("%" JSON_INTEGER_FORMAT, with_two);
	sgctl_check(stage.daemon, "rollback", to_two, NULL);
	assert_passes(stage.app, stage.db, SYN_2);
	patch(&stage, NO_APP);
	assert_drops(stage.app, stage.db, SYN_2);
	daemon_kill(stage.daemon);
	daemon_restart(stage.daemon, NULL);
	assert_drops(stage.app, stage.db, SYN_2);
	assert_passes(stage.app, stage.db, SYN_1);
}

static void what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
	static const struct {
		long status;
		const char *code;
		const char *text;
	} refused[] = {
		{400, "syntax", "{\"version\":1,"},
		{422, "unknown-group",
		 "{\"version\":1,\"interfaces\":{\"app-2\":{\"addresses\":[\"10.0.0.7\"],"
		 "\"groups\":[\"sg-nobody\"]}}}"},
		/* Its rule is used by another group's rule. */
		{422, "unknown-group", "{\"version\":1,\"groups\":{\"sg-app\":null}}"},
		{422, "attached",
		 "{\"version\":1,\"interfaces\":{\"hand\":{\"addresses\":[\"10.0.0.8\"],"
		 "\"groups\":[\"sg-app\"]}}}"},
	};
	struct stage stage = open_stage();
	AUTO_JSON json_t *before = NULL;
	AUTO_JSON json_t *after = NULL;

	(void)state;
	sgctl_check(stage.daemon, "attach", "tap1", "--id", "hand", "--address", "10.0.0.9", NULL);
	before = sgctl_json(stage.daemon, "show", "status", NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
		http_refuses(stage.daemon->socket, refused[i].status, refused[i].code, "PATCH",
			     "/v1/policy", refused[i].text);
	http_expect(stage.daemon->socket, 422, "PATCH", "/v1/policy",
		    "{\"version\":1,\"interfaces\":{\"app-9\":null}}", NULL);
	http_expect(stage.daemon->socket, 422, "PATCH", "/v1/policy",
		    "{\"version\":1,\"interfaces\":{\"app-2\":{\"addresses\":[\"10.0.0.6\"],"
		    "\"groups\":[\"sg-app\"]}}}",
		    NULL);
	http_expect(stage.daemon->socket, 412, "PATCH", "/v1/policy", NO_APP, "If-Match: \"1\"");
	http_expect(stage.daemon->socket, 200, "PATCH", "/v1/policy?dry_run=1", APP_2, NULL);
	after = sgctl_json(stage.daemon, "show", "status", NULL);
	json_object_del(before, "uptime");
	json_object_del(after, "uptime");
	json_object_del(before, "flows");
	json_object_del(after, "flows");
	assert_true(json_equal(before, after));
	assert_drops(stage.app, stage.db, SYN_2);
}

static void errors_say_where_in_the_patch(void **state)
{
	struct stage stage = open_stage();
	AUTO_COMMAND struct command refused = {0};

	(void)state;
	refused = sgctl_run(
		stage.daemon, "patch",
		policy_file("bad.json",
			    "{\"version\":1,\n\"interfaces\":{\n\"app-2\":{\"addresses\":["
			    "\"10.0.0.7\"],\n\"groups\":[\"sg-ap\"]}}}"),
		NULL);
	assert_int_equal(refused.status, 1);
	assert_non_null(strstr(refused.err, "bad.json:4:11: /interfaces/app-2/groups/0"));
	assert_non_null(strstr(refused.err, "sg-app"));
}

/* Without a policy before: beside the empty one. */
static void a_patch_may_come_first(void **state)
{
	struct stage stage = {.db = scene_tap("tap0"), .app = scene_tap("tap1")};

	(void)state;
	stage.daemon = daemon_start("patch", NULL);
	patch(&stage, policy);
	assert_passes(stage.app, stage.db, SYN_1);
	daemon_kill(stage.daemon);
	daemon_restart(stage.daemon, NULL);
	assert_passes(stage.app, stage.db, SYN_1);
	assert_drops(stage.app, stage.db, SYN_2);
}

static void with_a_policy_directory_there_is_nothing_to_patch(void **state)
{
	const char *path = policy_file("only.json", "{\"version\":1}");
	g_autofree char *folder = g_path_get_dirname(path);
	const char *const extra[] = {"--policy-dir", folder, NULL};
	struct daemon *daemon = daemon_start("patch", extra);

	(void)state;
	http_refuses(daemon->socket, 409, "policy-dir", "PATCH", "/v1/policy", NO_APP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_member_joins_and_leaves),
		TEST(a_rule_changes),
		TEST(the_policy_is_what_was_patched),
		TEST(patches_hold_after_a_restart),
		TEST(rollback_goes_over_patches),
		TEST(what_does_not_fit_is_refused_and_changes_nothing),
		TEST(errors_say_where_in_the_patch),
		TEST(a_patch_may_come_first),
		TEST(with_a_policy_directory_there_is_nothing_to_patch),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
