/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_links.c - taps that are renamed, moved to other namespaces, made anew under the same number
 * or in great number, and what becomes of their flows. Long because all of them share one stage and
 * one way of moving taps.
 */
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define RENAMES 20000 /* events of more bytes than rulesd's socket holds */
#define MANY	1000

static const char policy[] =
	"{ \"version\": 1,"
	"  \"groups\": { \"sg-web\": { \"ingress\": [ { \"id\": \"https\", \"protocol\": \"tcp\","
	"    \"ports\": [443], \"from\": [\"any\"] } ], \"egress\": [] } },"
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] } } }";

static const char closed_policy[] =
	"{ \"version\": 1,"
	"  \"groups\": { \"sg-web\": { \"egress\": [] } },"
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] } } }";

#define OPEN_SYN   "tcp 10.0.0.9:4000 > 10.0.0.5:443 S"
#define CLOSED_SYN "tcp 10.0.0.9:4000 > 10.0.0.5:444 S"

static void assert_state(const struct daemon *daemon, const char *id, const char *state)
{
	if (scene_wait_state(daemon, id, state, GIVE_UP_MS) < 0) {
		g_autofree char *log = daemon_log(daemon);

		fail_msg("%s is never %s; the log:\n%s", id, state, log);
	}
}

static size_t flows_of(const struct daemon *daemon)
{
	AUTO_JSON json_t *flows = sgctl_json(daemon, "flows", NULL);

	return json_array_size(flows);
}

static json_int_t status_number(const struct daemon *daemon, const char *key)
{
	AUTO_JSON json_t *status = sgctl_json(daemon, "show", "status", NULL);

	return json_integer_value(json_object_get(status, key));
}

static struct scene_connection connect_to(struct tap *outside, struct tap *web)
{
	struct scene_connection connection = {.client = outside,
					      .server = web,
					      .client_address = "10.0.0.9",
					      .server_address = "10.0.0.5",
					      .client_port = 4000,
					      .server_port = 443};

	scene_connect(&connection);
	assert_true(scene_exchange(&connection));
	return connection;
}

static void delete_tap(struct daemon *daemon, struct tap *tap)
{
	tap_delete(tap);
	assert_state(daemon, "web", "waiting");
}

static void wait_dropped(const struct tap *from, const struct tap *to, const char *text)
{
	const gint64 began = g_get_monotonic_time();
	struct frame frame;

	frame_make_text(&frame, text);
	while (scene_passes(from, to, &frame)) {
		if (patience_over(began, GIVE_UP_MS))
			fail_msg("%s arrives for ever", text);
		g_usleep(5000);
	}
}

/* ------------------------------------------------------------------ grace */

static const char *const graceful[] = {"--grace", "60", NULL};

static void flows_of_a_tap_that_comes_back_in_time_stay(void **state)
{
	struct tap *outside = scene_tap("tap1");
	struct tap *web = scene_tap("tap0");
	struct daemon *daemon = daemon_start("grace", graceful);
	struct scene_connection connection;

	(void)state;
	daemon_apply(daemon, policy);
	connection = connect_to(outside, web);
	for (unsigned int round = 0; round < 3; round++) {
		size_t flows = flows_of(daemon);

		delete_tap(daemon, web);
		assert_int_equal(flows_of(daemon), flows);
		assert_true(status_number(daemon, "reserved_flows") > 0);
		/* Neither a crash nor a restart ends it, whether the tap comes before or after. */
		if (round == 1) {
			daemon_kill(daemon);
			daemon_restart(daemon, graceful);
			assert_int_equal(flows_of(daemon), flows);
		}
		if (round == 2)
			daemon_kill(daemon);
		web = scene_tap("tap0");
		if (round == 2)
			daemon_restart(daemon, graceful);
		assert_state(daemon, "web", "filtering");
		connection.server = web;
		assert_true(scene_exchange(&connection));
		assert_drops(outside, web, CLOSED_SYN);
		assert_passes(outside, web, "tcp 10.0.0.9:4001 > 10.0.0.5:443 S");
		assert_drops(web, outside, "udp 10.0.0.5:1 > 10.0.0.9:2");
		sgctl_check(daemon, "verify", NULL);
	}
	/* While rulesd is dead, too. */
	daemon_kill(daemon);
	tap_delete(web);
	web = scene_tap("tap0");
	daemon_restart(daemon, graceful);
	assert_state(daemon, "web", "filtering");
	connection.server = web;
	assert_true(scene_exchange(&connection));
	sgctl_check(daemon, "verify", NULL);
}

static void flows_go_when_the_grace_is_over(void **state)
{
	static const char *const brief[] = {"--grace", "1", NULL};
	struct tap *outside = scene_tap("tap1");
	struct tap *web = scene_tap("tap0");
	struct daemon *daemon = daemon_start("brief", brief);
	struct scene_connection connection;

	(void)state;
	daemon_apply(daemon, policy);
	connection = connect_to(outside, web);
	delete_tap(daemon, web);
	for (gint64 began = g_get_monotonic_time();
	     flows_of(daemon) || status_number(daemon, "reserved_flows");) {
		assert_false(patience_over(began, GIVE_UP_MS));
		g_usleep(50000);
	}
	sgctl_check(daemon, "verify", NULL);
	web = scene_tap("tap0");
	assert_state(daemon, "web", "filtering");
	connection.server = web;
	assert_true(scene_is_cut(&connection));
}

static void without_grace_flows_go_with_the_tap(void **state)
{
	struct tap *outside = scene_tap("tap1");
	struct tap *web = scene_tap("tap0");
	struct daemon *daemon = daemon_start("none", NULL);
	struct scene_connection connection;

	(void)state;
	daemon_apply(daemon, policy);
	connection = connect_to(outside, web);
	delete_tap(daemon, web);
	assert_int_equal(flows_of(daemon), 0);
	assert_int_equal(status_number(daemon, "reserved_flows"), 0);
	web = scene_tap("tap0");
	assert_state(daemon, "web", "filtering");
	connection.server = web;
	assert_true(scene_is_cut(&connection));
}

static void a_policy_holds_for_flows_that_wait(void **state)
{
	struct tap *outside = scene_tap("tap1");
	struct tap *web = scene_tap("tap0");
	struct daemon *daemon = daemon_start("change", graceful);
	struct scene_connection connection;

	(void)state;
	daemon_apply(daemon, policy);
	connection = connect_to(outside, web);
	delete_tap(daemon, web);
	daemon_apply(daemon, closed_policy);
	web = scene_tap("tap0");
	assert_state(daemon, "web", "filtering");
	connection.server = web;
	assert_true(scene_is_cut(&connection));
	/* And leaving the policy ends the waiting. */
	daemon_apply(daemon, policy);
	connection = connect_to(outside, web);
	delete_tap(daemon, web);
	daemon_apply(daemon, "{ \"version\": 1 }");
	assert_int_equal(flows_of(daemon), 0);
	assert_int_equal(status_number(daemon, "reserved_flows"), 0);
}

/* ------------------------------------------------------------------ names and numbers */

static void rename_tap(const char *from, const char *to)
{
	command_check("ip", "link", "set", from, "down", NULL);
	command_check("ip", "link", "set", from, "name", to, "up", NULL);
}

static void a_renamed_tap_stays_filtered_and_keeps_its_flows(void **state)
{
	struct tap *outside = scene_tap("tap1");
	struct tap *web = scene_tap("tap0");
	struct daemon *daemon = daemon_start("rename", NULL);
	struct scene_connection connection;
	struct tap *other;

	(void)state;
	daemon_apply(daemon, policy);
	connection = connect_to(outside, web);
	rename_tap("tap0", "away0");
	assert_true(scene_exchange(&connection));
	assert_drops(outside, web, CLOSED_SYN);
	rename_tap("away0", "tap0");
	assert_true(scene_exchange(&connection));
	assert_drops(outside, web, CLOSED_SYN);
	/* A restart in between changes nothing. */
	rename_tap("tap0", "away0");
	daemon_kill(daemon);
	daemon_restart(daemon, NULL);
	assert_true(scene_exchange(&connection));
	assert_drops(outside, web, CLOSED_SYN);
	/* A device that takes the name is the interface from then on. */
	other = scene_tap("tap0");
	command_check("ip", "link", "set", "br0", "type", "bridge", "fdb_flush", NULL);
	wait_dropped(outside, other, CLOSED_SYN);
	assert_state(daemon, "web", "filtering");
	assert_passes(outside, other, OPEN_SYN);
	connection.server = other;
	assert_true(scene_is_cut(&connection));
}

/* As tap_new, with a number that the creator chooses. */
static struct tap *tap_at(const char *name, uint32_t ifindex)
{
	AUTO_FD int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	unsigned int number = ifindex;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	g_strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETIFINDEX, &number), 0);
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 1), 0);
	close(TAKE_FD(fd));
	return tap_new(name, false);
}

static void delete_persistent(struct tap *tap)
{
	command_check("ip", "link", "del", tap->name, NULL);
	tap_delete(tap);
}

/* More events than rulesd, which is stopped, has room for. */
static void lose_events(void)
{
	AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	command_check("ip", "tuntap", "add", "noise0", "mode", "tap", NULL);
	for (unsigned int i = 0; i < RENAMES; i++) {
		struct ifreq request = {0};

		g_snprintf(request.ifr_name, IFNAMSIZ, "noise%u", i % 2);
		g_snprintf(request.ifr_newname, IFNAMSIZ, "noise%u", (i + 1) % 2);
		assert_int_equal(ioctl(fd, SIOCSIFNAME, &request), 0);
	}
	command_check("ip", "link", "del", "noise0", NULL);
}

static void a_number_is_not_a_device(void **state)
{
	struct tap *outside = scene_tap("tap1");
	struct tap *web = tap_at("tap0", 777);
	struct daemon *daemon = daemon_start("number", graceful);
	struct scene_connection connection;
	struct tap *other;

	(void)state;
	bridge_add("br0", web);
	daemon_apply(daemon, policy);
	for (unsigned int round = 0; round < 2; round++) {
		assert_state(daemon, "web", "filtering");
		connection = connect_to(outside, web);
		if (round == 1)
			kill(daemon->pid, SIGSTOP);
		delete_persistent(web);
		other = tap_at("other0", 777);
		bridge_add("br0", other);
		if (round == 1) {
			lose_events();
			kill(daemon->pid, SIGCONT);
		}
		assert_state(daemon, "web", "waiting");
		assert_passes(outside, other, CLOSED_SYN);
		assert_passes(other, outside, "udp 10.0.0.5:1 > 10.0.0.9:2");
		delete_persistent(other);
		web = tap_at("tap0", 778 + round);
		bridge_add("br0", web);
		assert_state(daemon, "web", "filtering");
		connection.server = web;
		assert_true(scene_exchange(&connection));
		assert_drops(outside, web, CLOSED_SYN);
		sgctl_check(daemon, "flush", "flows", NULL);
		delete_persistent(web);
		web = tap_at("tap0", 777);
		bridge_add("br0", web);
	}
	/* The same name and number, and nobody heard. */
	assert_state(daemon, "web", "filtering");
	kill(daemon->pid, SIGSTOP);
	delete_persistent(web);
	web = tap_at("tap0", 777);
	bridge_add("br0", web);
	lose_events();
	kill(daemon->pid, SIGCONT);
	wait_dropped(outside, web, CLOSED_SYN);
	assert_state(daemon, "web", "filtering");
	assert_passes(outside, web, "tcp 10.0.0.9:4009 > 10.0.0.5:443 S");
}

static void a_tap_that_comes_back_from_another_namespace_is_filtered_again(void **state)
{
	static const char *const guarded[] = {"--guard", "tap*", NULL};
	struct tap *outside = scene_tap("vm1");
	struct tap *web = scene_tap("tap0");
	struct daemon *daemon = daemon_start("moved", guarded);
	AUTO_FD int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	g_autofree char *home_path = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), home);
	g_autofree char *away_path = NULL;
	int away;

	(void)state;
	daemon_apply(daemon, policy);
	assert_passes(outside, web, OPEN_SYN);
	away = netns_new();
	away_path = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), away);
	for (unsigned int round = 0; round < 3; round++) {
		netns_switch(home);
		command_check("ip", "link", "set", "tap0", "netns", away_path, NULL);
		assert_state(daemon, "web", "waiting");
		netns_switch(away);
		/* There it is nobody's: not filtered, and not ours to shut. */
		command_check("ip", "link", "set", "tap0", "up", NULL);
		command_check("ip", "link", "set", "tap0", "netns", home_path, NULL);
		netns_switch(home);
		command_check("ip", "link", "set", "tap0", "master", "br0", "up", NULL);
		assert_state(daemon, "web", "filtering");
		assert_drops(outside, web, CLOSED_SYN);
		assert_passes(outside, web, OPEN_SYN);
		sgctl_check(daemon, "verify", NULL);
	}
	sgctl_check(daemon, "apply", policy_file("empty.json", "{ \"version\": 1 }"), NULL);
	assert_drops(outside, web, OPEN_SYN);
}

static void a_tap_that_goes_while_it_is_attached_is_waited_for(void **state)
{
	struct tap *outside = scene_tap("tap1");
	struct daemon *daemon = daemon_start("gone", NULL);
	g_autofree char *log = NULL;
	struct tap *web;

	(void)state;
	daemon_apply(daemon, policy);
	for (unsigned int round = 0; round < 200; round++) {
		web = tap_new("tap0", false);
		g_usleep(round * 50);
		tap_delete(web);
	}
	web = scene_tap("tap0");
	assert_state(daemon, "web", "filtering");
	wait_dropped(outside, web, CLOSED_SYN);
	assert_passes(outside, web, OPEN_SYN);
	sgctl_check(daemon, "verify", NULL);
	log = daemon_log(daemon);
	if (strstr(log, "error: "))
		fail_msg("to come and go is no error:\n%s", log);
}

static const char matching[] =
	"{ \"version\": 1,"
	"  \"groups\": { \"sg-web\": { \"ingress\": [ { \"id\": \"https\", \"protocol\": \"tcp\","
	"    \"ports\": [443], \"from\": [\"any\"] } ], \"egress\": [] } },"
	"  \"interfaces\": { \"web\": { \"match\": { \"alias\": \"web server\" },"
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] },"
	"  \"db\": { \"match\": { \"mac\": \"FE:54:00:00:00:06\" },"
	"    \"addresses\": [\"10.0.0.6\"], \"groups\": [\"sg-web\"] } } }";

static void assert_error(const struct daemon *daemon, const char *id, const char *words)
{
	AUTO_COMMAND struct command waited = {0};

	assert_state(daemon, id, "failed");
	waited = sgctl_run(daemon, "wait", id, "--timeout", "0", NULL);
	assert_int_equal(waited.status, 1);
	if (!strstr(waited.err, words))
		fail_msg("not \"%s\" but: %s", words, waited.err);
}

static void a_tap_is_found_by_its_alias_or_its_mac(void **state)
{
	struct tap *outside = scene_tap("tap1");
	struct tap *web = scene_tap("vnet7");
	struct daemon *daemon = daemon_start("match", NULL);
	struct tap *other, *db;

	(void)state;
	daemon_apply(daemon, matching);
	assert_state(daemon, "web", "waiting");
	assert_passes(outside, web, CLOSED_SYN);
	command_check("ip", "link", "set", "vnet7", "alias", "web server", NULL);
	assert_state(daemon, "web", "filtering");
	assert_drops(outside, web, CLOSED_SYN);
	assert_passes(outside, web, OPEN_SYN);
	sgctl_check(daemon, "wait", "web", NULL);
	/* The bridge has the MAC of its port. */
	db = tap_new("vnet8", false);
	command_check("ip", "link", "set", "br0", "address", "fe:54:00:00:00:06", NULL);
	assert_state(daemon, "db", "filtering"); /* for want of a tap */
	command_check("ip", "link", "set", "vnet8", "address", "fe:54:00:00:00:06", NULL);
	bridge_add("br0", db);
	for (unsigned int i = 0; i < 2; i++) {
		AUTO_JSON json_t *interfaces = sgctl_json(daemon, "show", "interfaces", NULL);

		assert_string_equal(
			json_string_value(json_object_get(json_array_get(interfaces, 1), "device")),
			"vnet7");
		/* What it was called before, or an alias taken away, changes nothing. */
		rename_tap("vnet7", "vnet9");
		rename_tap("vnet9", "vnet7");
		daemon_kill(daemon);
		daemon_restart(daemon, NULL);
		assert_state(daemon, "web", "filtering");
		assert_drops(outside, web, CLOSED_SYN);
	}
	/* A second one that looks like it: what it has it keeps. */
	other = scene_tap("vnet6");
	command_check("ip", "link", "set", "vnet6", "alias", "web server", NULL);
	g_usleep(300000);
	assert_state(daemon, "web", "filtering");
	assert_drops(outside, web, CLOSED_SYN);
	tap_delete(web);
	assert_state(daemon, "web", "filtering");
	wait_dropped(outside, other, CLOSED_SYN);
	assert_passes(outside, other, OPEN_SYN);
	/* Two, and none of them is it already. */
	web = scene_tap("vnet7");
	daemon_kill(daemon);
	tap_delete(other);
	other = scene_tap("vnet6");
	command_check("ip", "link", "set", "vnet6", "alias", "web server", NULL);
	command_check("ip", "link", "set", "vnet7", "alias", "web server", NULL);
	daemon_restart(daemon, NULL);
	assert_error(daemon, "web", "2 devices match alias:web server");
	tap_delete(other);
	assert_state(daemon, "web", "filtering");
	assert_drops(outside, web, CLOSED_SYN);
	/* A name and a match that mean the same device. */
	sgctl_check(daemon, "attach", "tap1", "--id", "named", "--address", "10.0.0.9", NULL);
	command_check("ip", "link", "set", "vnet7", "alias", "", NULL);
	command_check("ip", "link", "set", "tap1", "alias", "web server", NULL);
	g_usleep(300000);
	assert_state(daemon, "web", "filtering");
	tap_delete(web);
	assert_error(daemon, "web", "tap1 is interface named already");
	sgctl_check(daemon, "detach", "named", NULL);
	assert_state(daemon, "web", "filtering");
}

static char *policy_of_many(void)
{
	GString *text = g_string_new("{ \"version\": 1, \"interfaces\": {");

	for (unsigned int i = 0; i < MANY; i++)
		g_string_append_printf(
			text,
			"%s \"vm%u\": { \"device\": \"tap%u\", \"addresses\": [\"10.9.%u.%u\"],"
			" \"conntrack\": { \"max_flows\": 64 } }",
			i ? "," : "", i, i, i / 250, 1 + i % 250);
	g_string_append(text, "} }");
	return g_string_free(text, FALSE);
}

static void a_thousand_taps_at_once_are_all_filtered(void **state)
{
	struct daemon *daemon = daemon_start("many", NULL);
	g_autofree char *text = policy_of_many();
	struct rlimit limit = {4096, 4096};
	gint64 start, made;

	(void)state;
	setrlimit(RLIMIT_NOFILE, &limit);
	daemon_apply(daemon, text);
	start = g_get_monotonic_time();
	/* From the last to the first: any order. */
	for (unsigned int i = MANY; i-- > 0;) {
		g_autofree char *name = g_strdup_printf("tap%u", i);

		tap_new(name, false);
	}
	made = g_get_monotonic_time();
	while (status_number(daemon, "attached") < MANY) {
		assert_false(patience_over(made, 5 * GIVE_UP_MS));
		g_usleep(10000);
	}
	print_message("%d taps made in %d ms, all filtered %d ms later\n", MANY,
		      (int)((made - start) / 1000), (int)((g_get_monotonic_time() - made) / 1000));
	tap_delete_all();
	start = g_get_monotonic_time();
	while (status_number(daemon, "waiting") < MANY || status_number(daemon, "reserved_flows")) {
		assert_false(patience_over(start, 5 * GIVE_UP_MS));
		g_usleep(10000);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flows_of_a_tap_that_comes_back_in_time_stay),
		TEST(flows_go_when_the_grace_is_over),
		TEST(without_grace_flows_go_with_the_tap),
		TEST(a_policy_holds_for_flows_that_wait),
		TEST(a_renamed_tap_stays_filtered_and_keeps_its_flows),
		TEST(a_number_is_not_a_device),
		TEST(a_tap_that_comes_back_from_another_namespace_is_filtered_again),
		TEST(a_tap_that_goes_while_it_is_attached_is_waited_for),
		TEST(a_tap_is_found_by_its_alias_or_its_mac),
		TEST(a_thousand_taps_at_once_are_all_filtered),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
