/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_flush.c - rulesd --flush, also on a bpffs that is mounted at --bpffs itself, and purging the
 * package: nothing of the instance is left, and what is somebody else's stays.
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

/* How often it is in what tc tells of a device. */
static unsigned int count_filters(const char *device, const char *side, const char *text)
{
	const char *const argv[] = {"tc", "filter", "show", "dev", device, side, NULL};
	AUTO_COMMAND struct command command = command_run(argv);
	unsigned int count = 0;

	for (const char *at = command.out; (at = strstr(at, text)); at++)
		count++;
	return count;
}

static bool has_clsact(const char *device)
{
	const char *const argv[] = {"tc", "qdisc", "show", "dev", device, NULL};
	AUTO_COMMAND struct command command = command_run(argv);

	return strstr(command.out, "clsact");
}

static void assert_nothing_but_theirs(void)
{
	const char *const tables[] = {"nft", "list", "tables", NULL};
	AUTO_COMMAND struct command listed = command_run(tables);
	const char *const group[] = {"ip", "-o", "link", "show", "group", "29799", NULL};
	AUTO_COMMAND struct command grouped = command_run(group);

	assert_int_equal(count_filters("tap0", "ingress", "sg_tc_"), 0);
	assert_int_equal(count_filters("tap0", "egress", "sg_tc_"), 0);
	assert_false(has_clsact("tap0"));
	assert_int_equal(count_filters("tap1", "egress", "sg_tc_"), 0);
	assert_int_equal(count_filters("tap1", "ingress", "pref 7") > 0, true);
	assert_string_equal(listed.out, "table inet theirs\n");
	assert_string_equal(grouped.out, "");
}

/* Two taps that tc filters guard; on the second somebody else has one, too. */
static struct daemon *start_with_filters(const char *name)
{
	static const char *const guarded[] = {"--guard", "tap*", NULL};
	struct daemon *daemon = daemon_start(name, guarded);

	scene_tap("tap0");
	scene_tap("tap1");
	sgctl_check(daemon, "attach", "tap0", "--id", "a", "--address", "10.0.0.5", "--hook", "tc",
		    NULL);
	sgctl_check(daemon, "attach", "tap1", "--id", "b", "--address", "10.0.0.6", "--hook", "tc",
		    NULL);
	command_check("tc", "filter", "add", "dev", "tap1", "ingress", "pref", "7", "bpf",
		      "bytecode", "1,6 0 0 4294967295", "classid", "1:1", NULL);
	command_check("nft", "add", "table", "inet", "theirs", NULL);
	assert_true(count_filters("tap0", "ingress", "sg_tc_") &&
		    count_filters("tap0", "egress", "sg_tc_"));
	return daemon;
}

static void a_flush_removes_filters_and_tables_and_says_so(void **state)
{
	struct daemon *daemon = start_with_filters("all");
	const char *const flush[] = {
		".build/rulesd", "--state-dir", daemon->state_dir, "--bpffs", daemon->bpffs,
		"--flush",	 NULL};
	AUTO_COMMAND struct command command = {0};

	(void)state;
	daemon_kill(daemon);
	command = command_run(flush);
	assert_int_equal(command.status, 0);
	if (!strstr(command.err, " 4 tc filters, 1 qdiscs, ") ||
	    !strstr(command.err, "; the guard's table, and 2 devices out of its group;"))
		fail_msg("--flush says: %s", command.err);
	assert_nothing_but_theirs();
}

/* What purging the package would remove of the machine is hidden behind other mounts. */
#define PURGE                                                                                   \
	"mount --make-rprivate / && mount -t tmpfs t /var/lib && mount -t tmpfs t /sys/fs/bpf " \
	"&& mount -t tmpfs t /etc && sh .debian/tapguard.postrm purge"

/* As that of a rulesd that somebody has started by hand. */
static void purging_the_package_does_not_say_that_it_removed_what_is_anothers(void **state)
{
	static const char script[] =
		"exec 3> >(nft -i) && echo 'add table inet tapguard { flags owner; }' >&3; "
		"until nft list table inet tapguard >/dev/null 2>&1; do sleep 0.1; done; " PURGE
		"; status=$?; exec 3>&-; exit $status";
	const char *const purge[] = {"unshare", "--mount", "bash", "-c", script, NULL};
	AUTO_COMMAND struct command command = command_run(purge);

	(void)state;
	if (command.status)
		fail_msg("postrm purge: %s%s", command.out, command.err);
	assert_null(strstr(command.out, "removed the nftables table"));
}

static void purging_the_package_removes_them_without_rulesd(void **state)
{
	struct daemon *daemon = start_with_filters("purge");
	static const char script[] = PURGE;
	const char *const purge[] = {"unshare", "--mount", "sh", "-c", script, NULL};
	AUTO_COMMAND struct command command = {0};
	static const char *const families[] = {"bridge", "inet", "arp"};

	(void)state;
	daemon_kill(daemon);
	/* That of the default instance; this one's is called otherwise. */
	for (unsigned int i = 0; i < G_N_ELEMENTS(families); i++) {
		const char *const list[] = {"nft", "list", "tables", families[i], NULL};
		AUTO_COMMAND struct command listed = command_run(list);
		const char *name = strstr(listed.out, "tapguard-");
		g_autofree char *own = NULL;

		assert_non_null(name);
		own = g_strndup(name, strcspn(name, "\n"));
		command_check("nft", "delete", "table", families[i], own, NULL);
		command_check("nft", "add", "table", families[i], "tapguard", NULL);
	}
	command = command_run(purge);
	if (command.status)
		fail_msg("postrm purge: %s%s", command.out, command.err);
	assert_non_null(strstr(command.out, "removed the tc filter of tap0 (egress)"));
	assert_non_null(strstr(command.out, "removed the nftables table arp tapguard"));
	assert_non_null(strstr(command.out, "tap1 is in no device group any more"));
	assert_nothing_but_theirs();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_mount_of_its_own_is_emptied_and_stays,
						scene_setup, teardown),
		cmocka_unit_test_setup_teardown(a_flush_removes_filters_and_tables_and_says_so,
						scene_setup, teardown),
		cmocka_unit_test_setup_teardown(purging_the_package_removes_them_without_rulesd,
						scene_setup, teardown),
		cmocka_unit_test_setup_teardown(
			purging_the_package_does_not_say_that_it_removed_what_is_anothers,
			scene_setup, teardown),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
