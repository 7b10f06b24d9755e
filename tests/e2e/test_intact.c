/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_intact.c - programs, filters, links, pins and entries that somebody else removes: noticed
 * within a second, reported, and put back; what need not open for it does not.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define NOTICED_MS 1000
#define FEW_FILES  400 /* it has more than a quarter of them open at once */

static const char policy[] =
	"{ \"version\": 1,"
	"  \"prefix_lists\": { \"pl-far\": { \"entries\": [\"203.0.113.0/24\"] } },"
	"  \"groups\": { \"sg-web\": { \"ingress\": ["
	"      { \"id\": \"https\", \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"sg-app\"] },"
	"      { \"id\": \"far\", \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"pl-far\"] },"
	"      { \"id\": \"ops\", \"protocol\": \"tcp\", \"ports\": [22], \"from\": [\"sg-ops\"] } ],"
	"    \"egress\": [] }, \"sg-app\": {}, \"sg-ops\": {} },"
	"  \"interfaces\": {"
	"    \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\", \"hook\": \"%s\","
	"      \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] },"
	"    \"app\": { \"addresses\": [\"10.0.0.9\"], \"groups\": [\"sg-app\"] },"
	"    \"ops\": { \"addresses\": [\"10.0.0.8\"], \"groups\": [\"sg-app\", \"sg-ops\"] } } }";

static struct scene_stage open_stage(const char *hook)
{
	g_autofree char *text = g_strdup_printf(policy, hook);
	struct scene_stage stage = scene_stage_connected("intact", NULL, text);

	/* It has looked at everything once, and holds the links. */
	g_usleep(NOTICED_MS * 1000);
	return stage;
}

/* ------------------------------------------------------------------ what is told */

static json_int_t repairs(const struct scene_stage *stage, const char *kind)
{
	AUTO_JSON json_t *status = sgctl_json(stage->daemon, "show", "status", NULL);

	return json_integer_value(json_object_get(json_object_get(status, "repairs"), kind));
}

static void wait_repaired(const struct scene_stage *stage, const char *what, const char *kind,
			  json_int_t before)
{
	struct stopwatch watch = stopwatch_start(stage->daemon->pid);

	while (repairs(stage, kind) == before) {
		if (patience_over(watch.began_us, GIVE_UP_MS)) {
			g_autofree char *log = daemon_log(stage->daemon);

			fail_msg("%s: never repaired:\n%s", what, log);
		}
		g_usleep(5000);
	}
	stopwatch_assert(&watch, NOTICED_MS, what);
}

static void check_filtering(struct scene_stage *stage, const char *what)
{
	if (!scene_exchange(&stage->connection))
		fail_msg("%s: repaired, and a live flow is cut", what);
	assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
	assert_passes(stage->outside, stage->web, "tcp 203.0.113.9:4001 > 10.0.0.5:443 S");
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.66:4001 > 10.0.0.5:443 S");
	assert_drops(stage->web, stage->outside, "udp 10.0.0.5:4001 > 10.0.0.9:53");
}

/* Nothing that no rule allows passes for a while. */
static void check_closed(struct scene_stage *stage, unsigned int ms)
{
	gint64 end = g_get_monotonic_time() + ms * 1000;

	while (g_get_monotonic_time() < end) {
		assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
		assert_drops(stage->web, stage->outside, "udp 10.0.0.5:4001 > 10.0.0.9:53");
		g_usleep(2000);
	}
}

static int open_pin(const struct scene_stage *stage, const char *folder, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/%s/%s", stage->daemon->bpffs, folder, name);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static bool has_links(const struct scene_stage *stage)
{
	g_autofree char *path = g_strdup_printf("%s/links/1-ingress", stage->daemon->bpffs);

	return access(path, F_OK) == 0;
}

static void check_metrics(const struct scene_stage *stage)
{
	AUTO_HTTP struct http_answer metrics =
		http_expect(stage->daemon->socket, 200, "GET", "/metrics", NULL, NULL);

	assert_non_null(strstr(metrics.text, "tapguard_repairs_total{kind=\"program\"} 1"));
}

static void check_log(const struct scene_stage *stage, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void check_log(const struct scene_stage *stage, const char *format, ...)
{
	g_autofree char *log = daemon_log(stage->daemon), *wanted = NULL;
	va_list arguments;

	va_start(arguments, format);
	wanted = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (!strstr(log, wanted))
		fail_msg("the log does not say \"%s\":\n%s", wanted, log);
}

/* ------------------------------------------------------------------ programs */

static void detach_link(struct scene_stage *stage, const char *name)
{
	json_int_t before = repairs(stage, "programs");
	AUTO_FD int fd = open_pin(stage, "links", name);

	assert_int_equal(bpf_link_detach(fd), 0);
	wait_repaired(stage, name, "programs", before);
	check_filtering(stage, name);
}

static void a_detached_link_is_put_back(void **state)
{
	struct scene_stage stage = open_stage("xdp");
	g_autofree char *log = NULL;

	(void)state;
	if (!has_links(&stage))
		return; /* tested with filters */
	detach_link(&stage, "1-ingress");
	check_metrics(&stage);
	detach_link(&stage, "1-xdp");
	log = daemon_log(stage.daemon);
	assert_non_null(strstr(log, "its programs on tap0 were removed by somebody else"));
}

static void a_tcx_link_is_put_back(void **state)
{
	struct scene_stage stage = open_stage("auto");

	(void)state;
	daemon_apply(stage.daemon, "{ \"version\": 1 }");
	if (has_links(&stage))
		return;
	{
		g_autofree char *text = g_strdup_printf(policy, "tcx");
		AUTO_COMMAND struct command applied = {0};

		applied = sgctl_run(stage.daemon, "apply", policy_file("tcx.json", text), NULL);
		if (applied.status != 0) /* Linux before 6.6 */
			return;
	}
	if (!has_links(&stage))
		return;
	stage.connection.client_port++;
	scene_connect(&stage.connection);
	g_usleep(NOTICED_MS * 1000);
	detach_link(&stage, "1-egress");
	detach_link(&stage, "1-ingress");
}

static void another_program_in_the_link_is_replaced(void **state)
{
	struct scene_stage stage = open_stage("xdp");

	(void)state;
	if (!has_links(&stage))
		return;
	AUTO_FD int link = open_pin(&stage, "links", "1-ingress");
	AUTO_FD int other = open_pin(&stage, "progs", "sg_tc_egress");

	assert_int_equal(bpf_link_update(link, other, NULL), 0);
	wait_repaired(&stage, "the program", "programs", 0);
	check_filtering(&stage, "the program");
}

static void removed_filters_are_put_back(void **state)
{
	struct scene_stage stage = open_stage("tc");

	(void)state;
	command_check("tc", "filter", "del", "dev", "tap0", "ingress", NULL);
	wait_repaired(&stage, "the filter", "programs", 0);
	check_filtering(&stage, "the filter");
	command_check("tc", "filter", "del", "dev", "tap0", "egress", NULL);
	wait_repaired(&stage, "the other filter", "programs", 1);
	check_filtering(&stage, "the other filter");
	command_check("tc", "qdisc", "del", "dev", "tap0", "clsact", NULL);
	wait_repaired(&stage, "the qdisc", "programs", 2);
	check_filtering(&stage, "the qdisc");
}

/* ------------------------------------------------------------------ pins */

static void links_whose_pins_go_filter_on(void **state)
{
	struct scene_stage stage = open_stage("xdp");
	g_autofree char *links = g_strdup_printf("%s/links", stage.daemon->bpffs);

	(void)state;
	if (!has_links(&stage))
		return;
	netns_remove_tree(links);
	check_closed(&stage, 200);
	wait_repaired(&stage, "the links", "pins", 0);
	assert_true(has_links(&stage));
	check_filtering(&stage, "the links");
	check_log(&stage, "removed by somebody else: pinned again; filtering went on");
}

/* It holds them from the moment that they are there. */
static void links_whose_pins_go_at_once_filter_on(void **state)
{
	g_autofree char *text = g_strdup_printf(policy, "xdp");
	struct scene_stage stage = scene_stage_connected("intact", NULL, text);
	g_autofree char *links = g_strdup_printf("%s/links", stage.daemon->bpffs);

	(void)state;
	if (!has_links(&stage))
		return;
	daemon_kill(stage.daemon);
	daemon_restart_until(stage.daemon, "interfaces");
	netns_remove_tree(links);
	check_closed(&stage, 200);
	wait_repaired(&stage, "the links", "pins", 0);
	check_filtering(&stage, "the links");
	assert_int_equal(repairs(&stage, "programs"), 0);
}

static void remove_link_pin(const struct scene_stage *stage, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/links/%s", stage->daemon->bpffs, name);

	if (unlink(path))
		fail_msg("%s: %s", path, strerror(errno));
}

/* A link ends with its last pin when nobody holds it. */
static void links_whose_pins_go_while_rulesd_is_dead_are_put_back(void **state)
{
	static const char *const names[][2] = {
		{"1-ingress", NULL}, {"1-xdp", NULL}, {"1-ingress", "1-xdp"}};
	struct scene_stage stage = open_stage("xdp");

	(void)state;
	if (!has_links(&stage))
		return;
	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++) {
		daemon_kill(stage.daemon);
		for (unsigned int k = 0; k < 2 && names[i][k]; k++)
			remove_link_pin(&stage, names[i][k]);
		daemon_restart(stage.daemon, NULL);
		check_filtering(&stage, names[i][0]);
		assert_int_equal(repairs(&stage, "programs"), 1);
		check_log(&stage,
			  "interface web: its programs on tap0 were removed by somebody "
			  "else while rulesd did not run, with the pin %s/links/%s",
			  stage.daemon->bpffs, names[i][0]);
	}
	sgctl_check(stage.daemon, "verify", NULL);
}

static void pins_that_all_go_while_rulesd_is_dead_are_reported(void **state)
{
	struct scene_stage stage = open_stage("xdp");

	(void)state;
	if (!has_links(&stage))
		return;
	daemon_kill(stage.daemon);
	netns_remove_tree(stage.daemon->bpffs);
	daemon_restart(stage.daemon, NULL);
	check_log(&stage,
		  "nothing was pinned in %s, so until now frames of 1 interface passed "
		  "unfiltered",
		  stage.daemon->bpffs);
	assert_passes(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
	assert_drops(stage.outside, stage.web, "tcp 10.0.0.9:4001 > 10.0.0.5:444 S");
}

/* Descriptors are for other things then (bpf_intact.c), so a link does end with its pin. */
static void a_link_that_is_not_held_is_put_back(void **state)
{
	g_autofree char *text = g_strdup_printf(policy, "xdp");
	struct scene_stage stage = scene_stage_open("intact", NULL, "{ \"version\": 1 }");
	struct rlimit limit = {.rlim_max = RLIM_INFINITY};

	(void)state;
	assert_int_equal(prlimit(stage.daemon->pid, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = FEW_FILES;
	assert_int_equal(prlimit(stage.daemon->pid, RLIMIT_NOFILE, &limit, NULL), 0);
	daemon_apply(stage.daemon, text);
	scene_connect(&stage.connection);
	if (!has_links(&stage))
		return;
	remove_link_pin(&stage, "1-ingress");
	wait_repaired(&stage, "the link", "programs", 0);
	check_filtering(&stage, "the link");
	check_log(&stage,
		  "interface web: its programs on tap0 were removed by somebody else, with "
		  "the pin %s/links/1-ingress: putting them back; until then frames pass "
		  "unfiltered",
		  stage.daemon->bpffs);
}

static void everything_that_was_pinned_is_pinned_again(void **state)
{
	struct scene_stage stage = open_stage("xdp");

	(void)state;
	netns_remove_tree(stage.daemon->bpffs);
	check_closed(&stage, 200);
	wait_repaired(&stage, "all pins", "pins", 0);
	check_filtering(&stage, "all pins");
	sgctl_check(stage.daemon, "verify", NULL);
	/* The next one adopts all of it, flows included. */
	daemon_kill(stage.daemon);
	check_filtering(&stage, "all pins");
	daemon_restart(stage.daemon, NULL);
	check_filtering(&stage, "all pins, adopted");
	sgctl_check(stage.daemon, "verify", NULL);
}

/* ------------------------------------------------------------------ entries */

static void wipe(const struct scene_stage *stage, const char *map)
{
	AUTO_FD int fd = open_pin(stage, "maps", map);
	uint8_t key[64];

	while (!bpf_map_get_next_key(fd, NULL, key))
		assert_int_equal(bpf_map_delete_elem(fd, key), 0);
}

static void zero(const struct scene_stage *stage, const char *map, uint32_t index, size_t size)
{
	AUTO_FD int fd = open_pin(stage, "maps", map);
	g_autofree char *nothing = g_malloc0(size);

	assert_int_equal(bpf_map_update_elem(fd, &index, nothing, BPF_ANY), 0);
}

static void wiped_maps_are_filled_again(void **state)
{
	static const char *const maps[] = {SG_MAP_MEMBERS, SG_MAP_PREFIXES, SG_MAP_SETS,
					   SG_MAP_RULES};
	struct scene_stage stage = open_stage("auto");

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(maps); i++) {
		json_int_t before = repairs(&stage, "entries");

		wipe(&stage, maps[i]);
		wait_repaired(&stage, maps[i], "entries", before);
		check_filtering(&stage, maps[i]);
		sgctl_check(stage.daemon, "verify", NULL);
	}
}

static void a_wiped_interface_is_filled_again(void **state)
{
	struct scene_stage stage = open_stage("auto");
	json_int_t before = repairs(&stage, "entries");

	(void)state;
	zero(&stage, SG_MAP_IFACES, 1, sizeof(struct sg_iface));
	wait_repaired(&stage, "the interface", "entries", before);
	check_filtering(&stage, "the interface");
	before = repairs(&stage, "entries");
	zero(&stage, SG_MAP_IFINDEX, stage.web->ifindex, sizeof(uint32_t));
	wait_repaired(&stage, "the ifindex", "entries", before);
	check_filtering(&stage, "the ifindex");
}

static void who_listens_is_told(void **state)
{
	struct scene_stage stage = open_stage("auto");
	g_autofree char *links = g_strdup_printf("%s/maps/sg_sets", stage.daemon->bpffs);
	bool told = false;

	(void)state;
	/* Whoever comes too late to hear of one repair hears of the next. */
	for (gint64 began = g_get_monotonic_time(); !told;) {
		AUTO_COMMAND struct command events = {0};

		assert_false(patience_over(began, GIVE_UP_MS));
		if (unlink(links))
			assert_int_equal(errno, ENOENT); /* not put back yet */
		events = sgctl_run(stage.daemon, "events", "--seconds", "2", NULL);
		assert_int_equal(events.status, 0);
		told = strstr(events.out, "repaired: ") && strstr(events.out, "maps/sg_sets");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
		T(a_detached_link_is_put_back),
		T(a_tcx_link_is_put_back),
		T(another_program_in_the_link_is_replaced),
		T(removed_filters_are_put_back),
		T(links_whose_pins_go_filter_on),
		T(links_whose_pins_go_at_once_filter_on),
		T(links_whose_pins_go_while_rulesd_is_dead_are_put_back),
		T(pins_that_all_go_while_rulesd_is_dead_are_reported),
		T(a_link_that_is_not_held_is_put_back),
		T(everything_that_was_pinned_is_pinned_again),
		T(wiped_maps_are_filled_again),
		T(a_wiped_interface_is_filled_again),
		T(who_listens_is_told),
#undef T
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
