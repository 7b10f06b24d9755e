/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_check.c - rulesd --check: what it foretells is what a start does, and it changes nothing.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"
#include "rulesd/state_seal.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

static const char policy[] =
	"{ \"version\": 1, \"groups\": { \"sg-web\": { \"ingress\": [ { \"protocol\": \"tcp\","
	"    \"ports\": [443], \"from\": [\"any\"] } ], \"egress\": [] } },"
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"addresses\": [\"10.0.0.5\"],"
	"    \"groups\": [\"sg-web\"] } } }";

static struct command check(const struct daemon *daemon)
{
	const char *const argv[] = {
		".build/rulesd", "--check",	"--state-dir", daemon->state_dir,
		"--bpffs",	 daemon->bpffs, NULL};

	return command_run(argv);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names and contents of everything, but of a bpffs only the names. */
static void list(const char *path, bool contents, GString *text)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, compare_names);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *below = g_build_filename(path, names->pdata[i], NULL);
		g_autofree char *data = NULL;
		gsize length = 0;

		if (g_file_test(below, G_FILE_TEST_IS_DIR)) {
			list(below, contents, text);
			continue;
		}
		if (contents)
			g_file_get_contents(below, &data, &length, NULL);
		g_string_append_printf(text, "%s %zu\n", below, length);
		g_string_append_len(text, data ? data : "", (gssize)length);
	}
}

static void assert_check(const struct daemon *daemon, int status, const char *words)
{
	AUTO_COMMAND struct command command = {0};
	g_autoptr(GString) before = g_string_new(NULL);
	g_autoptr(GString) after = g_string_new(NULL);

	list(daemon->state_dir, true, before);
	list(daemon->bpffs, false, before);
	command = check(daemon);
	list(daemon->state_dir, true, after);
	list(daemon->bpffs, false, after);
	if (command.status != status || !strstr(command.out, words))
		fail_msg("exit %d, not %d, or it does not say \"%s\":\n%s%s", command.status,
			 status, words, command.out, command.err);
	assert_true(g_string_equal(before, after));
}

static void what_is_as_this_build_left_it_is_taken_as_it_is(void **state)
{
	struct tap *web = scene_tap("tap0"), *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("check", NULL);

	(void)state;
	daemon_apply(daemon, policy);
	/* Also while it runs. */
	assert_check(daemon, 0, "on 1 taps with 0 flows: taken as they are");
	daemon_kill(daemon);
	assert_check(daemon, 0, "version 3, generation ");
	assert_check(daemon, 0, "ABI version 3: taken as they are");
	assert_drops(outside, web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
}

static void what_is_missing_is_no_news(void **state)
{
	const char *const argv[] = {
		".build/rulesd",	   "--check", "--state-dir", "/nonexistent", "--bpffs",
		"/sys/fs/bpf/nonexistent", NULL};
	AUTO_COMMAND struct command command = command_run(argv);

	(void)state;
	assert_int_equal(command.status, 0);
	assert_non_null(strstr(command.out, "begins empty"));
}

static void another_build_is_replaced(void **state)
{
	struct tap *web = scene_tap("tap0"), *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("check", NULL);
	g_autofree char *build = g_strdup_printf("%s/progs/build", daemon->bpffs);

	(void)state;
	daemon_apply(daemon, policy);
	daemon_kill(daemon);
	assert_int_equal(unlink(build), 0);
	assert_check(daemon, 3, "of another build, on 1 taps with 0 flows: replaced");
	daemon_restart(daemon, NULL);
	assert_check(daemon, 0, "of this build");
	assert_drops(outside, web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
}

/* Which program the driver has, as ip says: "prog/xdp id 12 ...". */
static char *xdp_of(const char *device)
{
	const char *const argv[] = {"ip", "link", "show", device, NULL};
	AUTO_COMMAND struct command command = command_run(argv);
	const char *id = strstr(command.out, "prog/xdp id ");

	assert_non_null(id);
	id += strlen("prog/xdp id ");
	return g_strndup(id, strspn(id, "0123456789"));
}

/* No name of the policy leads to it. */
static void another_build_is_replaced_on_a_renamed_tap(void **state)
{
	struct tap *web = scene_tap("tap0"), *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("check", NULL);
	g_autofree char *build = g_strdup_printf("%s/progs/build", daemon->bpffs);
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;

	(void)state;
	daemon_apply(daemon, policy);
	daemon_kill(daemon);
	tap_rename("tap0", "tap7");
	before = xdp_of("tap7");
	assert_int_equal(unlink(build), 0);
	daemon_restart(daemon, NULL);
	after = xdp_of("tap7");
	assert_string_not_equal(before, after);
	assert_drops(outside, web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
	assert_passes(outside, web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
}

static void pin_version(const struct daemon *daemon, uint32_t abi)
{
	g_autofree char *path = g_strdup_printf("%s/maps/" SG_MAP_CONTROL, daemon->bpffs);
	const struct sg_control control = {.generation = 5, .abi = abi};
	AUTO_FD int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sg_control", sizeof(uint32_t),
					sizeof(control), 1, NULL);
	uint32_t zero = 0;

	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(fd, &zero, &control, BPF_ANY), 0);
	unlink(path);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
}

static void assert_refuses_to_start(const struct daemon *daemon, const char *words)
{
	const char *const argv[] = {".build/rulesd",   "--socket", daemon->socket, "--state-dir",
				    daemon->state_dir, "--bpffs",  daemon->bpffs,  NULL};
	AUTO_COMMAND struct command command = command_run(argv);

	assert_int_equal(command.status, 1);
	if (!strstr(command.err, words))
		fail_msg("\"%s\" does not say \"%s\"", command.err, words);
}

static void a_newer_layout_is_refused_and_goes_on_filtering(void **state)
{
	struct tap *web = scene_tap("tap0"), *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("check", NULL);

	(void)state;
	daemon_apply(daemon, policy);
	daemon_kill(daemon);
	pin_version(daemon, SG_ABI_VERSION + 1);
	assert_check(daemon, 1, "ABI version 4, this rulesd knows 2 to 3: it refuses to start");
	assert_refuses_to_start(daemon, "run the rulesd that made them");
	assert_drops(outside, web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
	assert_passes(outside, web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
}

static void a_newer_state_is_refused_and_goes_on_filtering(void **state)
{
	struct tap *web = scene_tap("tap0"), *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("check", NULL);
	AUTO_FD int dir = -1;

	(void)state;
	daemon_apply(daemon, policy);
	daemon_kill(daemon);
	dir = open(daemon->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(state_seal_write_text(dir, "current.json",
					       "{\"version\":4,\"generation\":9,\"offset\":0,"
					       "\"generations\":[]}"),
			 0);
	assert_check(daemon, 1, "version 4, this rulesd knows 1 to 3: it refuses to start");
	assert_refuses_to_start(daemon, "start the rulesd that wrote it");
	assert_drops(outside, web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
}

static void damage_is_named(void **state)
{
	struct tap *web = scene_tap("tap0");
	struct daemon *daemon = daemon_start("check", NULL);
	g_autofree char *file = g_strdup_printf("%s/policies/1.policy", daemon->state_dir);
	g_autofree char *data = NULL;
	gsize length = 0;

	(void)state;
	(void)web;
	daemon_apply(daemon, policy);
	daemon_kill(daemon);
	assert_true(g_file_get_contents(file, &data, &length, NULL));
	data[length / 2] ^= 1;
	assert_true(g_file_set_contents(file, data, (gssize)length, NULL));
	assert_check(daemon, 3, "policies/1.policy is damaged or missing");
	netns_remove_tree(daemon->state_dir);
	assert_check(daemon, 0, "nothing says whose these taps are");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_as_this_build_left_it_is_taken_as_it_is),
		TEST(what_is_missing_is_no_news),
		TEST(another_build_is_replaced),
		TEST(another_build_is_replaced_on_a_renamed_tap),
		TEST(a_newer_layout_is_refused_and_goes_on_filtering),
		TEST(a_newer_state_is_refused_and_goes_on_filtering),
		TEST(damage_is_named),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
