/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_flush.c - rulesd --flush on a bpffs that is mounted at --bpffs itself: nothing of the
 * instance is left, and the mount stays.
 */
#include <dirent.h>
#include <glib.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

static char *mounted; /* NULL: nothing */

static int teardown(void **state)
{
	int code = scene_teardown(state);

	if (mounted)
		umount2(mounted, MNT_DETACH);
	g_clear_pointer(&mounted, g_free);
	return code;
}

/* Folders of a bpffs; the kernel's own "maps.debug" and "progs.debug" are files. */
static unsigned int count_folders(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int count = 0;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += entry->d_type == DT_DIR && entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void a_mount_of_its_own_is_emptied_and_stays(void **state)
{
	const char *extra[] = {"--bpffs", NULL, NULL};
	AUTO_COMMAND struct command flush = {0};
	struct daemon *daemon;
	struct statfs fs;

	(void)state;
	mounted = g_build_filename(netns_workdir(), "own-bpffs", NULL);
	extra[1] = mounted;
	daemon = daemon_start("own", extra);
	scene_tap("tap0");
	sgctl_check(daemon, "attach", "tap0", "--id", "web", "--address", "10.0.0.5", NULL);
	assert_int_equal(statfs(mounted, &fs), 0);
	assert_int_equal(fs.f_type, BPF_FS_MAGIC);
	assert_true(count_folders(mounted) > 0);
	assert_int_equal(daemon_stop(daemon), 0);
	flush = command_run((const char *const[]){".build/rulesd", "--state-dir", daemon->state_dir,
						  "--bpffs", mounted, "--flush", NULL});
	if (flush.status != 0)
		fail_msg("--flush: exit %d: %s", flush.status, flush.err);
	assert_int_equal(count_folders(mounted), 0);
	assert_int_equal(statfs(mounted, &fs), 0);
	assert_int_equal(fs.f_type, BPF_FS_MAGIC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mount_of_its_own_is_emptied_and_stays,
						scene_setup, teardown),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
