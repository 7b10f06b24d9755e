/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_covered.c - something is mounted over the bpffs that everything is pinned in: what is
 * filtered stays so, with its connections, and rulesd says what the matter is.
 *
 * In a mount namespace of the test's own, with a bpffs of its own.
 */
#include <errno.h>
#include <glib.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

#define POLICY(port)                                                                              \
	"{ \"version\": 1,"                                                                       \
	"  \"groups\": { \"sg-web\": { \"ingress\": [ { \"protocol\": \"tcp\", \"ports\": [" port \
	"    ], \"from\": [\"any\"] } ], \"egress\": [] } },"                                     \
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","    \
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] } } }"

static void mount_bpffs(void)
{
	if (mount("bpf", netns_bpffs(), "bpf", 0, "mode=0700"))
		fail_msg("mounting a bpffs at %s: %s", netns_bpffs(), strerror(errno));
}

static void unmount_bpffs(void)
{
	if (umount2(netns_bpffs(), 0))
		fail_msg("umount %s: %s", netns_bpffs(), strerror(errno));
}

static void check_filtering(struct scene_stage *stage, const char *when)
{
	if (!scene_exchange(&stage->connection))
		fail_msg("%s: a live flow is cut", when);
	assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:445 S");
	assert_drops(stage->web, stage->outside, "udp 10.0.0.5:4001 > 10.0.0.9:53");
}

static void check_attach_refused(const struct scene_stage *stage, const char *fix)
{
	AUTO_COMMAND struct command attach = {0};

	attach = sgctl_run(stage->daemon, "attach", "tap1", "--id", "late", "--address", "10.0.0.9",
			   "--group", "sg-web", NULL);
	assert_int_equal(attach.status, 1);
	assert_non_null(strstr(attach.err, fix));
}

static void a_rulesd_that_runs_waits_for_its_pins(void **state)
{
	struct scene_stage stage = scene_stage_connected("covered", NULL, POLICY("443"));

	(void)state;
	mount_bpffs();
	daemon_wait_log(stage.daemon, "something is mounted over the bpffs of ");
	check_filtering(&stage, "covered");
	{ /* Nothing that it cannot see is put on a second time. */
		AUTO_COMMAND struct command verify = {0};

		verify = sgctl_run(stage.daemon, "verify", "--repair", NULL);
		assert_int_equal(verify.status, 1);
		assert_non_null(strstr(verify.out, "another file system"));
		check_filtering(&stage, "verified");
	}
	/* What needs no pin is done. */
	daemon_apply(stage.daemon, POLICY("443, 444"));
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
	check_filtering(&stage, "changed");
	check_attach_refused(&stage, "unmount what covers it");
	unmount_bpffs();
	daemon_wait_log(stage.daemon, "can be seen again");
	check_filtering(&stage, "uncovered");
	sgctl_check(stage.daemon, "verify", NULL);
}

static void a_rulesd_that_starts_says_what_it_does_not_see(void **state)
{
	struct scene_stage stage = scene_stage_connected("covered", NULL, POLICY("443"));
	const struct daemon *daemon = stage.daemon;
	static const char *const options[] = {NULL, "--flush", "--check"};

	(void)state;
	daemon_kill(stage.daemon);
	mount_bpffs();
	for (unsigned int i = 0; i < G_N_ELEMENTS(options); i++) {
		const char *const argv[] = {".build/rulesd", "--socket",	daemon->socket,
					    "--state-dir",   daemon->state_dir, "--bpffs",
					    daemon->bpffs,   options[i],	NULL};
		AUTO_COMMAND struct command refused = command_run(argv);

		assert_int_equal(refused.status, 1);
		assert_non_null(
			strstr(i == 2 ? refused.out : refused.err, "unmount what covers it"));
		check_filtering(&stage, "refused");
	}
	unmount_bpffs();
	daemon_restart(stage.daemon, NULL);
	check_filtering(&stage, "adopted");
	sgctl_check(stage.daemon, "verify", NULL);
}

/* Then nothing but rulesd holds what filters, so the guard takes over. */
static void a_bpffs_that_is_unmounted_ends_with_rulesd(void **state)
{
	static const char *const guarded[] = {"--guard", "tap0", NULL};
	struct scene_stage stage = scene_stage_connected("covered", guarded, POLICY("443"));

	(void)state;
	if (umount2(netns_bpffs(), MNT_DETACH))
		fail_msg("umount -l %s: %s", netns_bpffs(), strerror(errno));
	daemon_wait_log(stage.daemon, "somebody has unmounted the bpffs of ");
	check_filtering(&stage, "unmounted");
	check_attach_refused(&stage, "mount one again, then restart rulesd");
	mount_bpffs();
	daemon_wait_log(stage.daemon, "it ends when rulesd ends");
	assert_int_equal(daemon_stop(stage.daemon), 0);
	daemon_wait_log(stage.daemon, "of 1 devices the guard shuts 1,");
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
	assert_drops(stage.web, stage.outside, "udp 10.0.0.5:4001 > 10.0.0.9:53");
	daemon_restart(stage.daemon, guarded);
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:445 S");
}

static int setup(void **state)
{
	int failed = netns_group_setup(state);

	if (failed)
		return failed;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	return mount("bpf", netns_bpffs(), "bpf", 0, "mode=0700");
}

static int teardown(void **state)
{
	(void)state;
	return umount2(netns_bpffs(), MNT_DETACH);
}

/* Also after a failure in between. */
static int end(void **state)
{
	unsigned int mounts = 0;
	g_autofree char *text = NULL;

	if (g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL))
		for (const char *at = text; (at = strstr(at, netns_bpffs())); at++)
			mounts++;
	if (mounts > 1)
		umount2(netns_bpffs(), MNT_DETACH);
	return scene_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scene_setup, end)
		T(a_rulesd_that_runs_waits_for_its_pins),
		T(a_rulesd_that_starts_says_what_it_does_not_see),
		T(a_bpffs_that_is_unmounted_ends_with_rulesd),
#undef T
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
