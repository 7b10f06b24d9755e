/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_state_lost.c - the state directory is lost, damaged or full while taps are filtered: nothing
 * opens, no connection ends, and rulesd says what happened.
 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

#define GROUPS                                                                                        \
	"\"sg-web\": { \"ingress\": [ { \"id\": \"https\", \"protocol\": \"tcp\", \"ports\": [443], " \
	"\"from\": [\"sg-any\"] } ], \"egress\": [] }, "                                              \
	"\"sg-any\": {}, \"sg-shut\": { \"egress\": [] }"
#define WEB                                                                 \
	"\"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\", " \
	"\"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] }"
#define CLIENT "\"client\": { \"addresses\": [\"10.0.0.9\"], \"groups\": [\"sg-any\"] }"
#define SHUT \
	"\"shut\": { \"device\": \"tap2\", \"addresses\": [\"10.0.0.7\"], \"groups\": [\"sg-shut\"] }"
#define POLICY(interfaces) \
	"{ \"version\": 1, \"groups\": { " GROUPS " }, \"interfaces\": { " interfaces " } }"

static struct tap *third;

static struct scene_stage open_stage(const char *policy)
{
	third = scene_tap("tap2");
	return scene_stage_connected("lost", NULL, policy);
}

static void check_filtering(struct scene_stage *stage)
{
	assert_true(scene_exchange(&stage->connection));
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.8:4001 > 10.0.0.5:443 S");
	assert_drops(stage->web, stage->outside, "udp 10.0.0.5:4001 > 10.0.0.9:53");
}

/* A new connection of a member: the pinned members count, too. */
static void check_passes(struct scene_stage *stage, unsigned int port)
{
	assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:%u > 10.0.0.5:443 S", port);
}

static json_t *status_of(const struct scene_stage *stage)
{
	return sgctl_json(stage->daemon, "show", "status", NULL);
}

static void assert_state(const struct scene_stage *stage, const char *word, unsigned int kept)
{
	AUTO_JSON json_t *status = status_of(stage);
	const char *error = json_string_value(json_object_get(status, "state_error"));

	if (!word)
		assert_null(error);
	else if (!error || !strstr(error, word))
		fail_msg("state_error \"%s\" does not say \"%s\"", error ? error : "null", word);
	assert_int_equal(json_array_size(json_object_get(status, "kept")), kept);
}

static void lose_everything(struct scene_stage *stage)
{
	daemon_kill(stage->daemon);
	netns_remove_tree(stage->daemon->state_dir);
	daemon_restart(stage->daemon, NULL);
}

static void a_lost_directory_opens_nothing_and_the_policy_takes_over(void **state)
{
	struct scene_stage stage = open_stage(POLICY(WEB ", " CLIENT));

	(void)state;
	lose_everything(&stage);
	assert_state(&stage, "knows of nothing", 1);
	check_filtering(&stage);
	check_passes(&stage, 4100);
	/* And once more, without anything said in between. */
	daemon_kill(stage.daemon);
	check_filtering(&stage);
	daemon_restart(stage.daemon, NULL);
	assert_state(&stage, "knows of nothing", 1);
	check_filtering(&stage);
	check_passes(&stage, 4101);
	daemon_apply(stage.daemon, POLICY(WEB ", " CLIENT));
	assert_state(&stage, NULL, 0);
	check_filtering(&stage);
	check_passes(&stage, 4102);
	assert_true(scene_wait_state(stage.daemon, "web", "filtering", 0) >= 0);
	/* It obeys, and everything is as ever after a restart. */
	daemon_kill(stage.daemon);
	daemon_restart(stage.daemon, NULL);
	assert_state(&stage, NULL, 0);
	check_filtering(&stage);
	daemon_apply(stage.daemon, POLICY(CLIENT));
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
}

static void what_no_policy_names_stays_closed_until_it_is_detached(void **state)
{
	struct scene_stage stage = open_stage(POLICY(WEB ", " CLIENT));

	(void)state;
	sgctl_check(stage.daemon, "attach", "tap2", "--id", "hand", "--address", "10.0.0.7",
		    "--group", "sg-shut", NULL);
	assert_drops(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
	lose_everything(&stage);
	assert_state(&stage, "knows of nothing", 2);
	assert_drops(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
	daemon_apply(stage.daemon, POLICY(WEB ", " CLIENT));
	assert_state(&stage, "knows of nothing", 1);
	assert_drops(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
	check_filtering(&stage);
	daemon_kill(stage.daemon);
	daemon_restart(stage.daemon, NULL);
	assert_state(&stage, "knows of nothing", 1);
	assert_drops(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
	sgctl_check(stage.daemon, "detach", "tap2", NULL);
	assert_state(&stage, NULL, 0);
	assert_passes(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
	check_filtering(&stage);
}

static void what_is_kept_can_be_attached_by_hand_again(void **state)
{
	struct scene_stage stage = open_stage(POLICY(WEB ", " CLIENT ", " SHUT));

	(void)state;
	lose_everything(&stage);
	assert_state(&stage, "knows of nothing", 2);
	sgctl_check(stage.daemon, "attach", "tap2", "--id", "hand", "--address", "10.0.0.7", NULL);
	assert_state(&stage, "knows of nothing", 1);
	assert_passes(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
	assert_drops(third, stage.outside, "udp 10.0.0.77:1 > 10.0.0.9:2");
	check_filtering(&stage);
}

static void what_is_kept_ends_with_its_device(void **state)
{
	struct scene_stage stage = open_stage(POLICY(WEB ", " CLIENT));

	(void)state;
	lose_everything(&stage);
	tap_delete(stage.web);
	daemon_kill(stage.daemon);
	daemon_restart(stage.daemon, NULL);
	{
		AUTO_JSON json_t *status = status_of(&stage);

		assert_int_equal(json_array_size(json_object_get(status, "kept")), 0);
	}
}

static char *path_of(const struct scene_stage *stage, const char *name)
{
	return g_build_filename(stage->daemon->state_dir, name, NULL);
}

static void flip(const struct scene_stage *stage, const char *name)
{
	g_autofree char *path = path_of(stage, name);
	g_autofree char *data = NULL;
	gsize length = 0;

	assert_true(g_file_get_contents(path, &data, &length, NULL));
	data[length / 2] ^= 16;
	assert_true(g_file_set_contents(path, data, (gssize)length, NULL));
}

static void a_damaged_policy_gives_way_to_the_one_before_and_opens_nothing(void **state)
{
	struct scene_stage stage = open_stage(POLICY(WEB ", " CLIENT));
	g_autofree char *log = NULL;

	(void)state;
	daemon_apply(stage.daemon, POLICY(WEB ", " CLIENT ", " SHUT));
	assert_drops(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
	daemon_kill(stage.daemon);
	flip(&stage, "policies/2.policy");
	daemon_restart(stage.daemon, NULL);
	assert_state(&stage, "policies/2.policy", 1);
	log = daemon_log(stage.daemon);
	assert_non_null(strstr(log, "policies/2.policy"));
	check_filtering(&stage);
	check_passes(&stage, 4100);
	/* tap2 is of the policy that is lost. */
	assert_drops(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
	daemon_apply(stage.daemon, POLICY(WEB ", " CLIENT ", " SHUT));
	assert_state(&stage, NULL, 0);
	assert_drops(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
	check_filtering(&stage);
}

static void damaged_files_end_no_connection(void **state)
{
	static const char *const files[] = {"numbers.json", "marks.json", "current.json"};
	struct scene_stage stage = open_stage(POLICY(WEB ", " CLIENT ", " SHUT));

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = path_of(&stage, files[i]);

		for (unsigned int turn = 0; turn < 2; turn++) {
			daemon_kill(stage.daemon);
			if (turn)
				assert_int_equal(unlink(path), 0);
			else
				flip(&stage, files[i]);
			daemon_restart(stage.daemon, NULL);
			assert_state(&stage, files[i], 0);
			check_filtering(&stage);
			check_passes(&stage, 4100 + 2 * i + turn);
			assert_drops(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
			daemon_apply(stage.daemon, turn ? POLICY(WEB ", " CLIENT ", " SHUT)
							: POLICY(WEB ", " SHUT ", " CLIENT));
			assert_state(&stage, NULL, 0);
			check_filtering(&stage);
		}
	}
}

/* ------------------------------------------------------------------ a full disk */

static char *mounted;

static int setup_full(void **state)
{
	int result = scene_setup(state);

	/* Where daemon_start has its directory. */
	mounted = g_build_filename(netns_workdir(), "lost.state", NULL);
	if (result < 0 || g_mkdir_with_parents(mounted, 0700) < 0)
		return -1;
	return mount("tmpfs", mounted, "tmpfs", 0, "size=128k,mode=0700");
}

static int teardown_full(void **state)
{
	umount2(mounted, MNT_DETACH);
	g_clear_pointer(&mounted, g_free);
	return scene_teardown(state);
}

static void fill(const char *path)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	static const char block[4096];

	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	assert_int_equal(errno, ENOSPC);
}

static void assert_no_room(struct command command)
{
	AUTO_COMMAND struct command own = command;

	assert_int_equal(own.status, 1);
	if (!strstr(own.err, "cannot be written: No space left on device"))
		fail_msg("\"%s\" does not say that the disk is full", own.err);
}

/* A record may fit into the last block of the journal: until none does. */
static void attach_until_full(const struct daemon *daemon)
{
	static unsigned int next = 1;

	for (unsigned int i = 0; i < 200; i++) {
		g_autofree char *id = g_strdup_printf("hand%u", next);
		g_autofree char *address = g_strdup_printf("10.0.1.%u", next++);
		AUTO_COMMAND struct command command =
			sgctl_run(daemon, "attach", id, "--wait", "--id", id, "--address", address,
				  "--group", "sg-shut", NULL);

		if (command.status) {
			if (!strstr(command.err, "cannot be written: No space left on device"))
				fail_msg("\"%s\" does not say that the disk is full", command.err);
			return;
		}
	}
	fail_msg("the disk is never full");
}

static void a_full_disk_refuses_changes_and_goes_on_filtering(void **state)
{
	struct scene_stage stage = open_stage(POLICY(WEB ", " CLIENT));
	g_autofree char *filler = path_of(&stage, "filler");
	g_autofree char *words = g_strnfill(5000, 'x');
	g_autofree char *patch = g_strdup_printf("{ \"version\": 1, \"description\": \"%s\", "
						 "\"interfaces\": { \"client\": null } }",
						 words);
	json_int_t generation;

	(void)state;
	fill(filler);
	for (unsigned int round = 0; round < 3; round++) {
		assert_no_room(sgctl_run(stage.daemon, "apply",
					 policy_file("new.json", POLICY(WEB ", " SHUT)), NULL));
		attach_until_full(stage.daemon);
		assert_no_room(
			sgctl_run(stage.daemon, "patch", policy_file("patch.json", patch), NULL));
		check_filtering(&stage);
		check_passes(&stage, 4100 + round);
		assert_passes(third, stage.outside, "udp 10.0.0.77:1 > 10.0.0.9:2");
	}
	/* It also starts, and has what held. */
	daemon_kill(stage.daemon);
	check_filtering(&stage);
	daemon_restart(stage.daemon, NULL);
	check_filtering(&stage);
	check_passes(&stage, 4200);
	assert_int_equal(unlink(filler), 0);
	assert_state(&stage, NULL, 0);
	daemon_apply(stage.daemon, POLICY(WEB ", " CLIENT ", " SHUT));
	{
		AUTO_JSON json_t *status = status_of(&stage);

		generation = json_integer_value(json_object_get(status, "generation"));
	}
	daemon_kill(stage.daemon);
	daemon_restart(stage.daemon, NULL);
	{
		AUTO_JSON json_t *status = status_of(&stage);

		assert_true(json_integer_value(json_object_get(status, "generation")) >=
			    generation);
	}
	assert_drops(third, stage.outside, "udp 10.0.0.7:1 > 10.0.0.9:2");
	check_filtering(&stage);
}

/* ------------------------------------------------------------------ other disks */

static void assert_no_change(const struct scene_stage *stage, const char *words)
{
	const char *const file = policy_file(
		"patch.json", "{ \"version\": 1, \"interfaces\": { \"client\": null } }");
	AUTO_COMMAND struct command command = sgctl_run(stage->daemon, "patch", file, NULL);

	assert_int_equal(command.status, 1);
	if (!strstr(command.err, words))
		fail_msg("\"%s\" does not say \"%s\"", command.err, words);
}

static void a_disk_that_cannot_be_written_is_started_from(void **state)
{
	struct scene_stage stage = open_stage(POLICY(WEB ", " CLIENT));

	(void)state;
	daemon_kill(stage.daemon);
	assert_int_equal(mount(NULL, mounted, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	tap_delete(stage.web);
	stage.web = scene_tap("tap0");
	daemon_restart(stage.daemon, NULL);
	assert_true(scene_wait_state(stage.daemon, "web", "filtering", 0) >= 0);
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
	check_passes(&stage, 4100);
	assert_no_change(&stage, "cannot be written: Read-only file system");
	check_passes(&stage, 4101);
	assert_int_equal(mount(NULL, mounted, NULL, MS_REMOUNT, NULL), 0);
	daemon_apply(stage.daemon, POLICY(WEB));
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4102 > 10.0.0.5:443 S");
}

static void a_limit_of_file_sizes_refuses_changes(void **state)
{
	struct scene_stage stage = open_stage(POLICY(WEB ", " CLIENT));
	const struct rlimit limit = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};

	(void)state;
	assert_int_equal(prlimit(stage.daemon->pid, RLIMIT_FSIZE, &limit, NULL), 0);
	assert_no_change(&stage, "cannot be written: File too large");
	check_filtering(&stage);
	check_passes(&stage, 4100);
}

static void a_directory_that_somebody_removes_takes_no_change(void **state)
{
	struct scene_stage stage = open_stage(POLICY(WEB ", " CLIENT));

	(void)state;
	/* So that the journal is open. */
	sgctl_check(stage.daemon, "attach", "tap2", "--id", "hand", "--address", "10.0.0.7",
		    "--group", "sg-shut", NULL);
	netns_remove_tree(stage.daemon->state_dir);
	assert_no_change(&stage, "was removed or replaced by somebody else");
	check_filtering(&stage);
	check_passes(&stage, 4100);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_lost_directory_opens_nothing_and_the_policy_takes_over),
		TEST(what_no_policy_names_stays_closed_until_it_is_detached),
		TEST(what_is_kept_can_be_attached_by_hand_again),
		TEST(what_is_kept_ends_with_its_device),
		TEST(a_damaged_policy_gives_way_to_the_one_before_and_opens_nothing),
		TEST(damaged_files_end_no_connection),
		cmocka_unit_test_setup_teardown(a_full_disk_refuses_changes_and_goes_on_filtering,
						setup_full, teardown_full),
		cmocka_unit_test_setup_teardown(a_disk_that_cannot_be_written_is_started_from,
						setup_full, teardown_full),
		TEST(a_limit_of_file_sizes_refuses_changes),
		TEST(a_directory_that_somebody_removes_takes_no_change),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
