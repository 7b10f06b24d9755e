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
#include "tests/lib/scene.h"

#define LIMIT_MS 10000
#define POLL_MS	 10
#define QUIET_MS 400 /* much longer than rulesd waits for a writer's next file */

#define POLICY(port)                                                                         \
	"{ \"version\": 1, \"groups\": { \"sg-web\": { \"ingress\": [ {"                     \
	"  \"protocol\": \"tcp\", \"ports\": [" port "], \"from\": [\"any\"] } ] } },"       \
	" \"interfaces\": { \"web\": { \"device\": \"tap0\", \"addresses\": [\"10.0.0.5\"]," \
	"  \"groups\": [\"sg-web\"] } } }"

struct stage {
	struct tap *web, *outside;
	struct daemon *daemon;
	char *dir;
};

static void write_file(const struct stage *stage, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(stage->dir, name, NULL);

	assert_true(g_file_set_contents(path, text, -1, NULL));
	assert_int_equal(chmod(path, 0644), 0);
}

static void remove_file(const struct stage *stage, const char *name)
{
	g_autofree char *path = g_build_filename(stage->dir, name, NULL);

	assert_int_equal(g_unlink(path), 0);
}

static struct stage open_stage(void)
{
	struct stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};
	const char *options[] = {"--policy-dir", NULL, NULL};

	stage.dir = g_strdup_printf("%s/policy.d", netns_workdir());
	netns_remove_tree(stage.dir);
	assert_int_equal(g_mkdir(stage.dir, 0755), 0);
	write_file(&stage, "a.json", POLICY("443"));
	options[1] = stage.dir;
	stage.daemon = daemon_start("policydir", options);
	return stage;
}

static json_t *status_of(const struct stage *stage)
{
	AUTO_HTTP struct http_answer answer =
		http_expect(stage->daemon->socket, 200, "GET", "/v1/status", NULL, NULL);

	return json_incref(answer.json);
}

static json_int_t generation_of(const struct stage *stage)
{
	AUTO_JSON json_t *status = status_of(stage);

	return json_integer_value(json_object_get(status, "generation"));
}

/* Whether policy_error says this within the limit; NULL: there is none. */
static void wait_for_error(const struct stage *stage, const char *words)
{
	for (int waited = 0; waited < LIMIT_MS; waited += POLL_MS) {
		AUTO_JSON json_t *status = status_of(stage);
		const char *error = json_string_value(json_object_get(status, "policy_error"));

		if (words ? error && strstr(error, words) : !error)
			return;
		g_usleep(POLL_MS * 1000);
	}
	fail_msg("policy_error never says %s", words ? words : "that all is well");
}

static void wait_for_generation_after(const struct stage *stage, json_int_t before)
{
	for (int waited = 0; waited < LIMIT_MS; waited += POLL_MS) {
		if (generation_of(stage) > before)
			return;
		g_usleep(POLL_MS * 1000);
	}
	fail_msg("the change of the directory never took effect");
}

static void assert_open(const struct stage *stage, bool https, bool http)
{
	if (https)
		assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
	else
		assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
	if (http)
		assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:80 S");
	else
		assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:80 S");
}

static void the_directory_holds_before_the_api_answers(void **state)
{
	struct stage stage = open_stage();
	AUTO_JSON json_t *status = status_of(&stage);
	g_autofree char *source = g_strconcat("policy-dir:", stage.dir, NULL);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(status, "source")), source);
	assert_open(&stage, true, false);
	g_free(stage.dir);
}

static void changes_of_files_take_effect(void **state)
{
	struct stage stage = open_stage();
	json_int_t before = generation_of(&stage);

	(void)state;
	write_file(&stage, "a.json", POLICY("80"));
	wait_for_generation_after(&stage, before);
	assert_open(&stage, false, true);
	before = generation_of(&stage);
	write_file(&stage, "b.json",
		   "{ \"version\": 1, \"groups\": { \"sg-more\": { \"ingress\": [] } } }");
	wait_for_generation_after(&stage, before);
	before = generation_of(&stage);
	remove_file(&stage, "b.json");
	wait_for_generation_after(&stage, before);
	assert_open(&stage, false, true);
	g_free(stage.dir);
}

static void editors_leave_files_that_mean_nothing(void **state)
{
	struct stage stage = open_stage();
	const json_int_t before = generation_of(&stage);

	(void)state;
	write_file(&stage, ".a.json.swp", "no policy");
	write_file(&stage, "a.json~", "no policy");
	write_file(&stage, ".#a.json", "no policy");
	write_file(&stage, "#a.json#", "no policy");
	write_file(&stage, "4913", "");
	g_usleep(QUIET_MS * 1000);
	kill(stage.daemon->pid, SIGHUP);
	g_usleep(QUIET_MS * 1000);
	wait_for_error(&stage, NULL);
	assert_int_equal(generation_of(&stage), before);
	assert_open(&stage, true, false);
	g_free(stage.dir);
}

static void mistakes_change_nothing_and_are_told(void **state)
{
	struct stage stage = open_stage();
	const json_int_t before = generation_of(&stage);
	g_autofree char *log = NULL;

	(void)state;
	write_file(&stage, "b.json", "{ \"version\": 1,\n  \"grops\": {} }");
	wait_for_error(&stage, "b.json:2:3");
	assert_int_equal(generation_of(&stage), before);
	assert_open(&stage, true, false);
	log = daemon_log(stage.daemon);
	assert_non_null(strstr(log, "b.json:2:3: /grops"));
	remove_file(&stage, "b.json");
	wait_for_error(&stage, NULL);
	remove_file(&stage, "a.json");
	wait_for_error(&stage, "no *.json");
	assert_open(&stage, true, false);
	g_free(stage.dir);
}

static void what_others_can_write_is_refused(void **state)
{
	struct stage stage = open_stage();
	g_autofree char *file = g_build_filename(stage.dir, "a.json", NULL);

	(void)state;
	chmod(stage.dir, 0775);
	wait_for_error(&stage, "can write it");
	write_file(&stage, "a.json", POLICY("80"));
	g_usleep(QUIET_MS * 1000);
	assert_open(&stage, true, false);
	chmod(stage.dir, 0755);
	wait_for_error(&stage, NULL);
	assert_open(&stage, false, true);
	chmod(file, 0666);
	wait_for_error(&stage, "a.json");
	g_free(stage.dir);
}

static void the_directory_may_go_and_come(void **state)
{
	struct stage stage = open_stage();
	g_autofree char *aside = g_strconcat(stage.dir, ".aside", NULL);
	json_int_t before;

	(void)state;
	netns_remove_tree(aside);
	assert_int_equal(g_rename(stage.dir, aside), 0);
	wait_for_error(&stage, "No such file");
	assert_open(&stage, true, false);
	assert_int_equal(g_rename(aside, stage.dir), 0);
	wait_for_error(&stage, NULL);
	before = generation_of(&stage);
	write_file(&stage, "a.json", POLICY("80"));
	wait_for_generation_after(&stage, before);
	assert_open(&stage, false, true);
	g_free(stage.dir);
}

static void the_api_changes_no_policy(void **state)
{
	struct stage stage = open_stage();
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
