/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_restart.c - rulesd may die: filtering goes on, and the next one adopts what is pinned
 * without any connection noticing.
 */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

static const char policy[] =
	"{ \"version\": 1,"
	"  \"groups\": { \"sg-web\": { \"ingress\": [ { \"id\": \"https\", \"protocol\": \"tcp\","
	"    \"ports\": [443], \"from\": [\"any\"] } ], \"egress\": [] }, \"sg-open\": {} },"
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] } } }";

static struct scene_stage open_stage(void)
{
	return scene_stage_connected("restart", NULL, policy);
}

static void check_filtering(struct scene_stage *stage)
{
	assert_true(scene_exchange(&stage->connection));
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 A");
	assert_drops(stage->web, stage->outside, "udp 10.0.0.5:4001 > 10.0.0.9:53");
}

static json_int_t status_number(const struct daemon *daemon, const char *name)
{
	AUTO_JSON json_t *status = sgctl_json(daemon, "show", "status", NULL);

	return json_integer_value(json_object_get(status, name));
}

static void killed_rulesd_leaves_filtering_and_the_next_one_adopts(void **state)
{
	struct scene_stage stage = open_stage();
	json_int_t generation = status_number(stage.daemon, "generation");

	(void)state;
	daemon_kill(stage.daemon);
	check_filtering(&stage);
	daemon_restart(stage.daemon, NULL);
	check_filtering(&stage);
	assert_int_equal(status_number(stage.daemon, "generation"), generation);
	assert_int_equal(status_number(stage.daemon, "flows"), 1);
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4002 > 10.0.0.5:443 S");
	/* It still obeys. */
	daemon_apply(stage.daemon,
		     "{ \"version\": 1, \"groups\": { \"sg-web\": {} },"
		     "  \"interfaces\": { \"web\": { \"device\": \"tap0\","
		     "    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] } } }");
	assert_true(scene_is_cut(&stage.connection));
}

static void stopped_rulesd_exits_0_and_leaves_filtering(void **state)
{
	struct scene_stage stage = open_stage();

	(void)state;
	assert_int_equal(daemon_stop(stage.daemon), 0);
	check_filtering(&stage);
	daemon_restart(stage.daemon, NULL);
	check_filtering(&stage);
}

static void nothing_passes_unfiltered_while_it_starts(void **state)
{
	struct scene_stage stage = open_stage();

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		daemon_kill(stage.daemon);
		daemon_restart(stage.daemon, NULL);
		check_filtering(&stage);
	}
}

static void attachments_by_hand_come_back(void **state)
{
	struct scene_stage stage = open_stage();
	AUTO_JSON json_t *interfaces = NULL;

	(void)state;
	sgctl_check(stage.daemon, "attach", "tap1", "--id", "hand", "--address", "10.0.0.9",
		    "--mac", "52:54:00:00:00:09", "--group", "sg-open", NULL);
	assert_drops(stage.outside, stage.web, "udp 10.0.0.77:1 > 10.0.0.5:2 smac=9");
	daemon_kill(stage.daemon);
	assert_drops(stage.outside, stage.web, "udp 10.0.0.77:1 > 10.0.0.5:2 smac=9");
	daemon_restart(stage.daemon, NULL);
	interfaces = sgctl_json(stage.daemon, "show", "interfaces", NULL);
	assert_int_equal(json_array_size(interfaces), 2);
	assert_true(scene_wait_state(stage.daemon, "hand", "filtering", 0) >= 0);
	assert_drops(stage.outside, stage.web, "arp 10.0.0.77 > 10.0.0.5 smac=9");
	assert_passes(stage.outside, stage.web, "arp 10.0.0.9 > 10.0.0.5");
}

/* The tap is deleted and made again while nobody looks: same name, another device. */
static void a_tap_made_anew_while_rulesd_is_down_is_filtered_at_start(void **state)
{
	struct scene_stage stage = open_stage();

	(void)state;
	daemon_kill(stage.daemon);
	tap_delete(stage.web);
	stage.web = scene_tap("tap0");
	daemon_restart(stage.daemon, NULL);
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
}

/* The names in a folder of the daemon's bpffs. */
static GPtrArray *pins_in(const struct daemon *daemon, const char *folder)
{
	g_autofree char *path = g_build_filename(daemon->bpffs, folder, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	GPtrArray *pins = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	assert_non_null(dir);
	while ((name = g_dir_read_name(dir)))
		g_ptr_array_add(pins, g_build_filename(path, name, NULL));
	/* Before kernel 6.6 an interface has one link. */
	assert_true(pins->len > 0);
	return pins;
}

static void start_without(struct scene_stage *stage, const char *pin)
{
	daemon_kill(stage->daemon);
	assert_int_equal(unlink(pin), 0);
	daemon_restart(stage->daemon, NULL);
	assert_true(scene_wait_state(stage->daemon, "web", "filtering", 0) >= 0);
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
}

/* A flush that was cut short, or a hand: the pin is gone, what it was of is in use. */
static void a_map_without_its_pin_is_pinned_again_at_start(void **state)
{
	struct scene_stage stage = open_stage();
	g_autoptr(GPtrArray) pins = pins_in(stage.daemon, "maps");

	(void)state;
	/* A generation that to an empty table is one to come. */
	for (unsigned int i = 0; i < 3; i++) {
		sgctl_check(stage.daemon, "attach", "tap1", "--id", "hand", "--address", "10.0.0.9",
			    NULL);
		sgctl_check(stage.daemon, "detach", "hand", NULL);
	}
	for (guint i = 0; i < pins->len; i++) {
		g_autofree char *words =
			g_strdup_printf("%s was removed by somebody else while rulesd did not run: "
					"pinned again",
					(const char *)pins->pdata[i]);
		g_autofree char *log = NULL;

		start_without(&stage, pins->pdata[i]);
		check_filtering(&stage);
		assert_int_equal(access(pins->pdata[i], F_OK), 0);
		log = daemon_log(stage.daemon);
		if (!strstr(log, words))
			fail_msg("no \"%s\" in the log:\n%s", words, log);
	}
}

static void remove_all(const struct daemon *daemon, const char *folder)
{
	g_autoptr(GPtrArray) pins = pins_in(daemon, folder);

	for (guint i = 0; i < pins->len; i++)
		assert_int_equal(unlink(pins->pdata[i]), 0);
}

/* A flush that was cut short after the first maps: nothing held the flows, the counters stayed. */
static void flows_that_went_with_their_table_are_not_counted(void **state)
{
	struct scene_stage stage = open_stage();
	g_autofree char *flows = g_build_filename(stage.daemon->bpffs, "maps", "sg_flows", NULL);

	(void)state;
	daemon_kill(stage.daemon);
	remove_all(stage.daemon, "links");
	remove_all(stage.daemon, "progs");
	assert_int_equal(unlink(flows), 0);
	daemon_restart(stage.daemon, NULL);
	sgctl_check(stage.daemon, "verify", NULL);
	stage.connection.client_port += 100;
	scene_connect(&stage.connection);
	check_filtering(&stage);
	sgctl_check(stage.daemon, "verify", NULL);
}

/* A program is loaded anew; with a link filtering ends, which nothing but the guard can help. */
static void a_program_or_link_without_its_pin_is_made_again_at_start(void **state)
{
	struct scene_stage stage = open_stage();
	g_autoptr(GPtrArray) links = pins_in(stage.daemon, "links");
	g_autoptr(GPtrArray) programs = pins_in(stage.daemon, "progs");

	(void)state;
	for (guint i = 0; i < programs->len; i += 4) {
		start_without(&stage, programs->pdata[i]);
		check_filtering(&stage);
	}
	for (guint i = 0; i < links->len; i++) {
		start_without(&stage, links->pdata[i]);
		stage.connection.client_port += 100;
		scene_connect(&stage.connection);
		check_filtering(&stage);
	}
}

static void flush_removes_everything_of_the_instance(void **state)
{
	struct scene_stage stage = open_stage();
	const char *const flush[] = {".build/rulesd",
				     "--flush",
				     "--bpffs",
				     stage.daemon->bpffs,
				     "--state-dir",
				     stage.daemon->state_dir,
				     "--socket",
				     stage.daemon->socket,
				     NULL};
	AUTO_COMMAND struct command command = {0};

	(void)state;
	daemon_stop(stage.daemon);
	command = command_run(flush);
	assert_int_equal(command.status, 0);
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
	assert_passes(stage.web, stage.outside, "udp 10.0.0.77:4001 > 10.0.0.9:53");
}

static void a_live_socket_is_an_error_a_stale_one_is_replaced(void **state)
{
	struct scene_stage stage = open_stage();
	const char *const second[] = {
		".build/rulesd",	 "--socket", stage.daemon->socket, "--state-dir",
		"/nonexistent/tapguard", "--bpffs",  stage.daemon->bpffs,  NULL};
	AUTO_COMMAND struct command command = command_run(second);

	(void)state;
	assert_int_not_equal(command.status, 0);
	assert_true(command.err[0] != '\0');
	check_filtering(&stage);
	daemon_kill(stage.daemon);
	assert_int_equal(access(stage.daemon->socket, F_OK), 0);
	daemon_restart(stage.daemon, NULL);
	check_filtering(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			killed_rulesd_leaves_filtering_and_the_next_one_adopts, scene_setup,
			scene_teardown),
		cmocka_unit_test_setup_teardown(stopped_rulesd_exits_0_and_leaves_filtering,
						scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(nothing_passes_unfiltered_while_it_starts,
						scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(attachments_by_hand_come_back, scene_setup,
						scene_teardown),
		cmocka_unit_test_setup_teardown(
			a_tap_made_anew_while_rulesd_is_down_is_filtered_at_start, scene_setup,
			scene_teardown),
		cmocka_unit_test_setup_teardown(a_map_without_its_pin_is_pinned_again_at_start,
						scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(flows_that_went_with_their_table_are_not_counted,
						scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			a_program_or_link_without_its_pin_is_made_again_at_start, scene_setup,
			scene_teardown),
		cmocka_unit_test_setup_teardown(flush_removes_everything_of_the_instance,
						scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(a_live_socket_is_an_error_a_stale_one_is_replaced,
						scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
