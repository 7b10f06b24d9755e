/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_policy_dir.c - rulesd --policy-dir: the directory is the only source, what happens there
 * takes effect, what is wrong there changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/policy_stage.h"

#define AGAIN_MS 5000 /* rulesd waits so long before it reads again what could not be taken */

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

/* ------------------------------------------------------------------ nothing here changes when it
 * is over */

static unsigned int count_in_log(const struct daemon *daemon, const char *words)
{
	g_autofree char *log = daemon_log(daemon);
	unsigned int count = 0;

	for (const char *at = log; (at = strstr(at, words)); at++)
		count++;
	return count;
}

static void a_directory_above_is_shut_again(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	g_autofree char *open = g_strconcat(stage.dir, ".open", NULL);
	g_autofree char *target = g_build_filename(open, "a.json", NULL);
	g_autofree char *file = g_build_filename(stage.dir, "a.json", NULL);

	(void)state;
	netns_remove_tree(open);
	assert_int_equal(g_mkdir(open, 0755), 0);
	assert_int_equal(chmod(open, 0777), 0);
	policy_stage_write(&stage, "../policy.d.open/a.json", POLICY_STAGE("80"));
	assert_int_equal(g_unlink(file), 0);
	assert_int_equal(symlink(target, file), 0);
	policy_stage_wait_error(&stage, "others than root and its owner can write the directory");
	policy_stage_assert(&stage, true, false);
	assert_int_equal(chmod(open, 0755), 0);
	policy_stage_wait_open(&stage, false, true);
	netns_remove_tree(open);
	g_free(stage.dir);
}

static void an_interface_by_hand_is_detached(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);

	(void)state;
	sgctl_check(stage.daemon, "attach", "tap1", "--id", "hand", "--address", "10.0.0.9", NULL);
	policy_stage_write(&stage, "b.json",
			   "{ \"version\": 1, \"interfaces\": { \"hand\": { \"device\": \"tap9\","
			   "  \"addresses\": [\"10.0.0.9\"], \"groups\": [\"sg-web\"] } } }");
	policy_stage_wait_error(&stage, "interface hand is attached by hand");
	sgctl_check(stage.daemon, "detach", "hand", NULL);
	policy_stage_wait_error(&stage, NULL);
	policy_stage_assert(&stage, true, false);
	g_free(stage.dir);
}

static char *mounted;

static int setup_small(void **state)
{
	int result = scene_setup(state);

	/* Where daemon_start has its directory. */
	mounted = g_build_filename(netns_workdir(), "policydir.state", NULL);
	if (result < 0 || g_mkdir_with_parents(mounted, 0700) < 0)
		return -1;
	return mount("tmpfs", mounted, "tmpfs", 0, "size=128k,mode=0700");
}

static int teardown_small(void **state)
{
	umount2(mounted, MNT_DETACH);
	g_clear_pointer(&mounted, g_free);
	return scene_teardown(state);
}

/* It is tried again all the time, and said once. */
static void a_full_disk_has_room_again(void **state)
{
	struct policy_stage stage = policy_stage_open(NULL);
	g_autofree char *filler = g_build_filename(mounted, "filler", NULL);
	static const char block[4096];
	AUTO_FD int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	assert_int_equal(errno, ENOSPC);
	policy_stage_write(&stage, "a.json", POLICY_STAGE("80"));
	policy_stage_wait_error(&stage, "No space left on device");
	g_usleep(2 * AGAIN_MS * 1000);
	policy_stage_assert(&stage, true, false);
	assert_int_equal(count_in_log(stage.daemon, "was refused"), 1);
	assert_int_equal(g_unlink(filler), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	policy_stage_wait_open(&stage, false, true);
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
		TEST(a_directory_above_is_shut_again),
		TEST(an_interface_by_hand_is_detached),
		cmocka_unit_test_setup_teardown(a_full_disk_has_room_again, setup_small,
						teardown_small),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
