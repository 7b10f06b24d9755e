/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_meddling.c - what others do to a tap while it is filtered and guarded: they set it down,
 * rename it, move it to other bridges and put devices upon it. No frame that no rule allows ever
 * arrives.
 */
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/judge.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

static const char *const guarded[] = {"--guard", "tap*", NULL};

#define POLICY(more)                                                                              \
	"{ \"version\": 1, \"groups\": { \"sg-web\": { \"ingress\": [ { \"id\": \"https\","       \
	"  \"protocol\": \"udp\", \"ports\": [443], \"from\": [\"any\"] } ], \"egress\": [] } }," \
	" \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","     \
	"  \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] }" more " } }"

#define NOISE 20000u /* events: more than the socket of rulesd holds */

#define ALLOWED	  "udp 10.0.0.9:1 > 10.0.0.5:443 len=8"
#define FORBIDDEN "udp 10.0.0.9:1 > 10.0.0.5:444 len=8"
#define FROM_WEB  "udp 10.0.0.5:9 > 10.0.0.9:7 len=8"

static struct judge_question questions[] = {
	{.to = 0, .text = FORBIDDEN},
	{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.6:443 len=8"},
};

struct stage {
	struct daemon *daemon;
	struct judge judge;
};

static struct stage open_stage(const char *name, const char *policy)
{
	struct stage stage = {.judge = {.outside = scene_tap("vm1"),
					.vms = {scene_tap("tap0")},
					.questions = questions,
					.count = G_N_ELEMENTS(questions)}};

	stage.daemon = daemon_start(name, guarded);
	daemon_apply(stage.daemon, policy);
	assert_true(scene_wait_state(stage.daemon, "web", "filtering", GIVE_UP_MS) >= 0);
	return stage;
}

/* It filters, and lets through what it should. */
static void assert_works(const struct stage *stage)
{
	const struct tap *outside = stage->judge.outside, *web = stage->judge.vms[0];
	gint64 since = g_get_monotonic_time();
	struct frame frame;

	frame_make_text(&frame, ALLOWED);
	while (!scene_passes(outside, web, &frame)) {
		if (patience_over(since, GIVE_UP_MS)) {
			g_autofree char *log = daemon_log(stage->daemon);

			fail_msg("%s never arrives again; the log:\n%s", ALLOWED, log);
		}
		g_usleep(5000);
	}
	assert_drops(outside, web, FORBIDDEN);
	assert_drops(web, outside, FROM_WEB);
}

/* Whether ip can do it; some kernels lack a kind of device. */
static bool can(const char *words)
{
	g_autofree char *line = g_strdup_printf("ip link %s", words);
	const char *const argv[] = {"sh", "-c", line, NULL};
	AUTO_COMMAND struct command command = command_run(argv);

	if (command.status)
		print_message("%s: %s", line, command.err);
	return command.status == 0;
}

static void must(const char *words)
{
	if (!can(words))
		fail_msg("ip link %s failed", words);
}

static void whatever_is_set_on_a_tap_opens_nothing(void **state)
{
	/* Not the MAC of the VM: what has that is the host, for the bridge. */
	static const char *const settings[] = {
		"set tap0 down; ip link set tap0 up",
		"set tap0 mtu 576; ip link set tap0 mtu 9000; ip link set tap0 mtu 1500",
		"set tap0 address fe:54:00:00:00:77; ip link set tap0 address fe:54:00:00:00:78",
		"property add dev tap0 altname a-very-long-other-name-of-this-tap",
		"property del dev tap0 altname a-very-long-other-name-of-this-tap",
		"set tap0 txqueuelen 2000",
		"set tap0 promisc on; ip link set tap0 promisc off",
		"set tap0 multicast off; ip link set tap0 multicast on",
		"set tap0 nomaster; ip link set tap0 master br1; ip link set tap0 master br0",
		"set tap0 group 77",
		"set tap0 group default",
	};
	struct stage stage = open_stage("settings", POLICY(""));

	(void)state;
	bridge_new("br1");
	for (unsigned int i = 0; i < G_N_ELEMENTS(settings); i++) {
		judge_start(&stage.judge);
		must(settings[i]);
		judge_end(&stage.judge);
		assert_works(&stage);
	}
	sgctl_check(stage.daemon, "verify", NULL);
}

static void devices_upon_a_tap_get_nothing_that_it_may_not(void **state)
{
	static const char *const upon[][2] = {
		{"add link tap0 name tap0.5 type vlan id 5", "del tap0.5"},
		{"add link tap0 name mac0 type macvlan mode bridge", "del mac0"},
		{"add link tap0 name mvt0 type macvtap mode bridge", "del mvt0"},
		{"add link tap0 name ipv0 type ipvlan mode l2", "del ipv0"},
	};
	struct stage stage = open_stage("upon", POLICY(""));

	(void)state;
	/* Some do not go upon a port of a bridge. */
	for (unsigned int i = 0; i < G_N_ELEMENTS(upon); i++) {
		judge_start(&stage.judge);
		if (can(upon[i][0])) {
			assert_true(scene_wait_state(stage.daemon, "web", "filtering",
						     GIVE_UP_MS) >= 0);
			must(upon[i][1]);
		}
		judge_end(&stage.judge);
		assert_works(&stage);
	}
	sgctl_check(stage.daemon, "verify", NULL);
}

/* 255 bytes, lines, a quote, UTF-8, and bytes that are none. */
static void an_alias_may_be_anything(void **state)
{
	struct stage stage = open_stage("alias", POLICY(""));
	g_autofree char *full = g_strnfill(255, 'x');
	const char *const aliases[] = {
		full,		"two\nlines", "a \"quote\" \\ and \t a tab", "gr\xc3\xb6\303\237e",
		"\xff\xfe\x80", "\xc3"};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(aliases); i++) {
		judge_start(&stage.judge);
		command_check("ip", "link", "set", "tap0", "alias", aliases[i], NULL);
		judge_end(&stage.judge);
		assert_works(&stage);
		json_decref(sgctl_json(stage.daemon, "show", "interfaces", NULL));
	}
	sgctl_check(stage.daemon, "verify", NULL);
}

/* Under another name that is guarded, too: it is the same VM. Its own name for a new tap then: the
 * new one is filtered, and the old one is nobody's, so the guard shuts it. */
static void a_rename_within_the_guard_opens_neither(void **state)
{
	struct stage stage = open_stage("rename", POLICY(""));
	struct tap *second;

	(void)state;
	judge_start(&stage.judge);
	tap_rename("tap0", "tap7");
	judge_end(&stage.judge);
	assert_works(&stage);
	judge_start(&stage.judge);
	second = scene_tap("tap0");
	for (gint64 since = g_get_monotonic_time(); !patience_over(since, GIVE_UP_MS);) {
		AUTO_JSON json_t *all = sgctl_json(stage.daemon, "show", "interfaces", NULL);
		const json_t *web = json_array_get(all, 0);

		if (json_integer_value(json_object_get(web, "ifindex")) == second->ifindex)
			break;
		g_usleep(5000);
	}
	judge_end(&stage.judge);
	assert_drops(stage.judge.outside, stage.judge.vms[0], ALLOWED);
	assert_drops(stage.judge.vms[0], stage.judge.outside, "arp 10.0.0.5 > 10.0.0.9 op=1");
	stage.judge.vms[0] = second;
	assert_works(&stage);
}

/* One by its name, the other by its alias: whoever has it keeps it. */
static void a_tap_that_two_interfaces_match_is_filtered_by_one(void **state)
{
	struct stage stage = open_stage(
		"both", POLICY(", \"other\": { \"match\": { \"alias\": \"mine\" }, \"addresses\": "
			       "[\"10.0.0.6\"], \"groups\": [\"sg-web\"] }"));

	(void)state;
	judge_start(&stage.judge);
	command_check("ip", "link", "set", "tap0", "alias", "mine", NULL);
	assert_true(scene_wait_state(stage.daemon, "other", "failed", GIVE_UP_MS) >= 0);
	judge_end(&stage.judge);
	assert_works(&stage);
	judge_start(&stage.judge);
	command_check("ip", "link", "set", "tap0", "alias", "", NULL);
	assert_true(scene_wait_state(stage.daemon, "other", "waiting", GIVE_UP_MS) >= 0);
	judge_end(&stage.judge);
	assert_works(&stage);
	sgctl_check(stage.daemon, "verify", NULL);
}

static void a_tap_with_many_queues_is_filtered_on_each(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("queues", guarded);
	struct ifreq request = {.ifr_name = "tap0",
				.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE};
	struct tap queues[4];
	struct frame frame;

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(queues); i++) {
		queues[i] =
			(struct tap){.fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)};
		g_strlcpy(queues[i].name, "tap0", sizeof(queues[i].name));
		assert_true(queues[i].fd >= 0);
		assert_int_equal(ioctl(queues[i].fd, TUNSETIFF, &request), 0);
	}
	must("set tap0 master br0 up");
	daemon_apply(daemon, POLICY(""));
	assert_true(scene_wait_state(daemon, "web", "filtering", GIVE_UP_MS) >= 0);
	/* Any of them may get what is sent to the tap; from each the VM may send. */
	for (unsigned int port = 1; port <= 64; port++) {
		frame_make(&frame, "udp 10.0.0.9:%u > 10.0.0.5:444 len=8", port);
		assert_int_equal(tap_write(outside, &frame), 0);
		for (unsigned int i = 0; i < G_N_ELEMENTS(queues); i++)
			assert_false(scene_passes(outside, &queues[i], &frame));
	}
	for (unsigned int i = 0; i < G_N_ELEMENTS(queues); i++)
		assert_drops(&queues[i], outside, FROM_WEB);
	for (unsigned int i = 0; i < G_N_ELEMENTS(queues); i++)
		close(queues[i].fd);
}

/* Of this namespace's rtnetlink sockets: what did not fit. proc(5): sk Eth Pid Groups Rmem Wmem
 * Dump Locks Drops Inode. */
static unsigned int lost_events(void)
{
	g_autofree char *text = NULL;
	unsigned int sum = 0;

	assert_true(g_file_get_contents("/proc/thread-self/net/netlink", &text, NULL, NULL));
	for (const char *line = text; line; line = strchr(line + 1, '\n')) {
		unsigned int protocol = 1, drops = 0;

		if (sscanf(line, " %*s %u %*u %*s %*d %*d %*d %*d %u", &protocol, &drops) == 2 &&
		    protocol == NETLINK_ROUTE)
			sum += drops;
	}
	return sum;
}

/* Renames of another device, until rulesd's socket has overflowed: with the tap moved meanwhile. */
static void events_that_are_lost_lose_nothing(void **state)
{
	AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct stage stage = open_stage("lost", POLICY(""));

	(void)state;
	must("add noise0 type dummy || ip tuntap add noise0 mode tap");
	judge_start(&stage.judge);
	assert_int_equal(kill(stage.daemon->pid, SIGSTOP), 0);
	tap_rename("tap0", "tap7");
	for (unsigned int i = 0; i < NOISE; i++) {
		struct ifreq request = {0};

		g_snprintf(request.ifr_name, IFNAMSIZ, "noise%u", i % 2);
		g_snprintf(request.ifr_newname, IFNAMSIZ, "noise%u", (i + 1) % 2);
		assert_int_equal(ioctl(fd, SIOCSIFNAME, &request), 0);
	}
	tap_rename("tap7", "tap0");
	assert_true(lost_events() > 0);
	assert_int_equal(kill(stage.daemon->pid, SIGCONT), 0);
	sgctl_check(stage.daemon, "show", "status", NULL);
	judge_end(&stage.judge);
	assert_works(&stage);
	must("del noise0");
}

/* Moved away and back: while rulesd does not run its links go along and come back. Filters, which
 * kernels before 6.6 have instead, do not (rulesd.8): only afterwards is it as it was. */
static void a_journey_through_another_namespace_opens_nothing_while_rulesd_is_dead(void **state)
{
	AUTO_FD int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	g_autofree char *home_path = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), home);
	g_autofree char *away_path = NULL;
	struct stage stage = open_stage("journey", POLICY(""));
	bool judged = daemon_has_tcx(stage.daemon);
	int away;

	(void)state;
	daemon_kill(stage.daemon);
	away = netns_new();
	away_path = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), away);
	netns_switch(home);
	if (judged)
		judge_start(&stage.judge);
	for (unsigned int i = 0; i < 10; i++) {
		command_check("ip", "link", "set", "tap0", "netns", away_path, NULL);
		netns_switch(away);
		command_check("ip", "link", "set", "tap0", "netns", home_path, NULL);
		netns_switch(home);
		must("set tap0 master br0 up");
		g_usleep(20000);
	}
	if (judged)
		judge_end(&stage.judge);
	daemon_restart(stage.daemon, guarded);
	assert_works(&stage);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whatever_is_set_on_a_tap_opens_nothing),
		TEST(devices_upon_a_tap_get_nothing_that_it_may_not),
		TEST(an_alias_may_be_anything),
		TEST(a_rename_within_the_guard_opens_neither),
		TEST(a_tap_that_two_interfaces_match_is_filtered_by_one),
		TEST(a_tap_with_many_queues_is_filtered_on_each),
		TEST(events_that_are_lost_lose_nothing),
		TEST(a_journey_through_another_namespace_opens_nothing_while_rulesd_is_dead),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
