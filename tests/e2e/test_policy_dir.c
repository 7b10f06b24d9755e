/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_policy_dir.c - rulesd --policy-dir: the directory is the only source, what happens there
 * takes effect, what is wrong there changes nothing.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/policy_stage.h"

static void the_directory_holds_before_the_api_answers(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	AUTO_HTTP struct http_answer status =
		http_expect(stage.daemon->socket, 200, "GET", "/v1/status", NULL, NULL);
	g_autofree char *source = g_strconcat("policy-dir:", stage.dir, NULL);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(status.json, "source")), source);
	policy_stage_assert(&stage, true, false);
	g_free(stage.dir);
}

static void changes_of_files_take_effect(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	json_int_t before = policy_stage_generation(&stage);

	(void)state;
	policy_stage_write(&stage, "a.json", POLICY_STAGE("80"));
	policy_stage_wait_after(&stage, before);
	policy_stage_assert(&stage, false, true);
	before = policy_stage_generation(&stage);
	policy_stage_write(&stage, "b.json",
			   "{ \"version\": 1, \"groups\": { \"sg-more\": { \"ingress\": [] } } }");
	policy_stage_wait_after(&stage, before);
	before = policy_stage_generation(&stage);
	policy_stage_remove(&stage, "b.json");
	policy_stage_wait_after(&stage, before);
	policy_stage_assert(&stage, false, true);
	g_free(stage.dir);
}

static void editors_leave_files_that_mean_nothing(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	const json_int_t before = policy_stage_generation(&stage);

	(void)state;
	policy_stage_write(&stage, ".a.json.swp", "no policy");
	policy_stage_write(&stage, "a.json~", "no policy");
	policy_stage_write(&stage, ".#a.json", "no policy");
	policy_stage_write(&stage, "#a.json#", "no policy");
	policy_stage_write(&stage, "4913", "");
	g_usleep(POLICY_STAGE_QUIET_MS * 1000);
	kill(stage.daemon->pid, SIGHUP);
	g_usleep(POLICY_STAGE_QUIET_MS * 1000);
	policy_stage_wait_error(&stage, NULL);
	assert_int_equal(policy_stage_generation(&stage), before);
	policy_stage_assert(&stage, true, false);
	g_free(stage.dir);
}

static void mistakes_change_nothing_and_are_told(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	const json_int_t before = policy_stage_generation(&stage);
	g_autofree char *log = NULL;

	(void)state;
	policy_stage_write(&stage, "b.json", "{ \"version\": 1,\n  \"grops\": {} }");
	policy_stage_wait_error(&stage, "b.json:2:3");
	assert_int_equal(policy_stage_generation(&stage), before);
	policy_stage_assert(&stage, true, false);
	log = daemon_log(stage.daemon);
	assert_non_null(strstr(log, "b.json:2:3: /grops"));
	policy_stage_remove(&stage, "b.json");
	policy_stage_wait_error(&stage, NULL);
	policy_stage_remove(&stage, "a.json");
	policy_stage_wait_error(&stage, "no *.json");
	policy_stage_assert(&stage, true, false);
	g_free(stage.dir);
}

static void what_others_can_write_is_refused(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	g_autofree char *file = g_build_filename(stage.dir, "a.json", NULL);

	(void)state;
	chmod(stage.dir, 0775);
	policy_stage_wait_error(&stage, "can write it");
	policy_stage_write(&stage, "a.json", POLICY_STAGE("80"));
	g_usleep(POLICY_STAGE_QUIET_MS * 1000);
	policy_stage_assert(&stage, true, false);
	chmod(stage.dir, 0755);
	policy_stage_wait_error(&stage, NULL);
	policy_stage_assert(&stage, false, true);
	chmod(file, 0666);
	policy_stage_wait_error(&stage, "a.json");
	g_free(stage.dir);
}

static void the_directory_may_go_and_come(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	g_autofree char *aside = g_strconcat(stage.dir, ".aside", NULL);
	json_int_t before;

	(void)state;
	netns_remove_tree(aside);
	assert_int_equal(g_rename(stage.dir, aside), 0);
	policy_stage_wait_error(&stage, "No such file");
	policy_stage_assert(&stage, true, false);
	assert_int_equal(g_rename(aside, stage.dir), 0);
	policy_stage_wait_error(&stage, NULL);
	before = policy_stage_generation(&stage);
	policy_stage_write(&stage, "a.json", POLICY_STAGE("80"));
	policy_stage_wait_after(&stage, before);
	policy_stage_assert(&stage, false, true);
	g_free(stage.dir);
}

static void the_api_changes_no_policy(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	AUTO_HTTP struct http_answer answer = http_expect(stage.daemon->socket, 409, "PUT",
							  "/v1/policy", "{\"version\":1}", NULL);

	(void)state;
	assert_non_null(strstr(answer.text, stage.dir));
	http_refuses(stage.daemon->socket, 409, "policy-dir", "POST", "/v1/rollback", "{}");
	http_refuses(stage.daemon->socket, 409, "policy-dir", "PUT", "/v1/policy?dry_run=1",
		     "{\"version\":1}");
	/* Interfaces by hand are not its business. */
	sgctl_check(stage.daemon, "attach", "tap1", "--id", "hand", "--address", "10.0.0.9", NULL);
	g_free(stage.dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_directory_holds_before_the_api_answers),
		TEST(changes_of_files_take_effect),
		TEST(editors_leave_files_that_mean_nothing),
		TEST(mistakes_change_nothing_and_are_told),
		TEST(what_others_can_write_is_refused),
		TEST(the_directory_may_go_and_come),
		TEST(the_api_changes_no_policy),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
