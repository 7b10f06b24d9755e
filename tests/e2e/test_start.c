/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_start.c - starts that are refused: wrong options, a second instance, a flush under a live
 * one; each with one message, a status of its own, and without a trace.
 */
#include <bpf/bpf.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

#define RULESD ".build/rulesd"

/* Runs rulesd to its end with the directories of a second instance, but for the options given. */
static struct command run_second(const char *const *options)
{
	g_autofree char *socket = g_strdup_printf("%s/second.sock", netns_workdir());
	g_autofree char *state_dir = g_strdup_printf("%s/second.state", netns_workdir());
	g_autofree char *bpffs = g_strdup_printf("%s/second", netns_bpffs());
	const char *const own[] = {RULESD,    "--socket", socket, "--state-dir",
				   state_dir, "--bpffs",  bpffs};
	g_autoptr(GPtrArray) argv = g_ptr_array_new();

	for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
		g_ptr_array_add(argv, (gpointer)(uintptr_t)own[i]);
	for (; *options; options++)
		g_ptr_array_add(argv, (gpointer)(uintptr_t)*options);
	g_ptr_array_add(argv, NULL);
	return command_run((const char *const *)argv->pdata);
}

static void assert_refused(int status, const char *words, const char *const *options)
{
	AUTO_COMMAND struct command command = run_second(options);
	g_autofree char *bpffs = g_strdup_printf("%s/second", netns_bpffs());

	if (command.status != status || !strstr(command.err, words))
		fail_msg("rulesd %s: exit %d: %s", options[0], command.status, command.err);
	assert_int_equal(access(bpffs, F_OK), -1);
}

static void wrong_options_are_wrong_usage(void **state)
{
	static const char *const wrong[][4] = {
		{"--guard", "t*p", NULL, "at the end"},
		{"--guard-group", "7", NULL, "without --guard"},
		{"--grace", "4000", NULL, "from 0 to 3600"},
		{"--nothing", NULL, NULL, "no such option"},
		{"file.json", NULL, NULL, "only options"},
		{"--max-flows", "0", NULL, "--max-flows 0"},
		{"--max-flows", "many", NULL, "--max-flows many"},
		{"--log", "xml", NULL, "text or json"},
		{"--log-level", "loud", NULL, "debug is wanted"},
		{"--host", "", NULL, "its argument is empty"},
		{"--bpffs", "relative", NULL, "absolute"},
		{"--metrics", NULL, NULL, "argument is missing"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
		assert_refused(2, wrong[i][3], wrong[i]);
}

static void groups_that_do_not_exist_are_found_before_anything_is_pinned(void **state)
{
	const char *const write[] = {"--socket-group", "no-such-group", NULL};
	const char *const read[] = {"--read-group", "no-such-group", NULL};

	(void)state;
	assert_refused(1, "--socket-group no-such-group", write);
	assert_refused(1, "--read-group no-such-group", read);
}

static void what_another_instance_uses_is_refused(void **state)
{
	struct daemon *daemon = daemon_start("first", NULL);
	const char *const socket[] = {"--socket", daemon->socket, NULL};
	const char *const state_dir[] = {"--state-dir", daemon->state_dir, NULL};
	const char *const bpffs[] = {"--bpffs", daemon->bpffs, NULL};
	AUTO_COMMAND struct command status = {0};

	(void)state;
	assert_refused(1, "another rulesd answers there", socket);
	assert_refused(1, "in use by another rulesd", state_dir);
	assert_refused(1, "another rulesd uses it", bpffs);
	status = sgctl_run(daemon, "show", "status", NULL);
	assert_int_equal(status.status, 0);
}

/* Whether its state directory is named or not. */
static void a_live_instance_is_not_flushed(void **state)
{
	struct tap *tap = scene_tap("tap0"), *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("first", NULL);
	const char *const named[] = {"--flush", "--state-dir", daemon->state_dir,
				     "--bpffs", daemon->bpffs, NULL};
	const char *const unnamed[] = {"--flush", "--bpffs", daemon->bpffs, NULL};

	(void)state;
	sgctl_check(daemon, "attach", "tap0", "--id", "a", "--address", "10.0.0.5", NULL);
	assert_refused(1, "stop it before --flush", named);
	assert_refused(1, "another rulesd uses it", unnamed);
	assert_drops(outside, tap, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
}

/* tc filters of devices that are gone, and of such that never had any. */
static void a_flush_says_one_thing(void **state)
{
	struct tap *tap = scene_tap("tap0");
	struct daemon *daemon = daemon_start("first", NULL);
	const char *const flush[] = {"--flush", "--state-dir", daemon->state_dir,
				     "--bpffs", daemon->bpffs, NULL};
	AUTO_COMMAND struct command command = {0};
	const char *found, *said;

	(void)state;
	scene_tap("tap1");
	sgctl_check(daemon, "attach", "tap1", "--id", "b", "--address", "10.0.0.6", NULL);
	sgctl_check(daemon, "attach", "tap0", "--id", "a", "--address", "10.0.0.5", "--hook", "tc",
		    NULL);
	assert_int_equal(daemon_stop(daemon), 0);
	/* The qdisc of the device that is gone went with it. */
	found = daemon_has_tcx(daemon) ? " 2 links, 0 tc filters, 0 qdiscs, "
				       : " 1 links, 1 tc filters, 1 qdiscs, ";
	tap_delete(tap);
	command = run_second(flush);
	assert_int_equal(command.status, 0);
	assert_non_null(strstr(command.err, "removed every program"));
	assert_non_null(strstr(command.err, found));
	said = command.err;
	if (g_str_has_prefix(said, "warning: where files are changed is not restricted"))
		said = strchr(said, '\n') + 1; /* a kernel, or a build, without Landlock */
	assert_string_equal(strchr(said, '\n'), "\n");
}

/* libbpf asks the kernel once whether it knows names; where that fails, its maps have none. */
static void maps_without_names_do_not_stop_the_next_start(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	g_autofree char *folder = g_build_filename(netns_bpffs(), "nameless", "maps", NULL);
	g_autofree char *path = g_build_filename(folder, SG_MAP_CONTROL, NULL);
	AUTO_FD int nameless = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(uint32_t),
					      sizeof(struct sg_control), 1, &options);
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	const struct daemon *daemon;

	(void)state;
	assert_true(nameless >= 0);
	assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
	assert_int_equal(bpf_obj_pin(nameless, path), 0);
	daemon = daemon_start("nameless", NULL);
	sgctl_check(daemon, "verify", NULL);
	{
		AUTO_FD int fd = bpf_obj_get(path);

		assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
	}
	assert_string_equal(info.name, SG_MAP_CONTROL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(wrong_options_are_wrong_usage),
		TEST(maps_without_names_do_not_stop_the_next_start),
		TEST(groups_that_do_not_exist_are_found_before_anything_is_pinned),
		TEST(what_another_instance_uses_is_refused),
		TEST(a_live_instance_is_not_flushed),
		TEST(a_flush_says_one_thing),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
