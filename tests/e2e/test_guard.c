/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_guard.c - rulesd --guard: of a tap that is not filtered no frame reaches anyone, whoever
 * makes it, however fast, and whether rulesd lives or not. Long because all of it needs the same
 * two topologies.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/state_seal.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define FRAMES	  1000
#define REPAIR_MS 1000 /* what is promised */
#define FLUSHES	  20
#define GROUP	  "29799" /* 0x7467 */

static const char *const guarded[] = {"--guard", "tap*", NULL};
static const char *const shared[] = {"--guard", "tap*", "--guard-shared", NULL};

static const char policy[] =
	"{ \"version\": 1,"
	"  \"groups\": { \"sg-web\": { \"ingress\": [ { \"id\": \"https\", \"protocol\": \"tcp\","
	"    \"ports\": [443], \"from\": [\"any\"] } ], \"egress\": [ { \"protocol\": \"all\","
	"    \"to\": [\"any\"] } ] } },"
	"  \"interfaces\": { \"web\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\"], \"groups\": [\"sg-web\"] } } }";

static const char nothing[] = "{ \"version\": 1 }";

#define OPEN_SYN   "tcp 10.0.0.9:4000 > 10.0.0.5:443 S"
#define CLOSED_SYN "tcp 10.0.0.9:4000 > 10.0.0.5:444 S"
#define SENT	   "udp 10.0.0.5:53 > 10.0.0.9:53 len=20"
#define ARP_SENT   "arp 10.0.0.5 > 10.0.0.9 op=1"
#define ARP_TO	   "arp 10.0.0.9 > 10.0.0.5 op=1"

/* ------------------------------------------------------------------ frames */

/* How many of so many frames arrive; for those that are expected it waits as long as it takes. */
static unsigned int arrived(const struct tap *from, const struct tap *to, const char *text,
			    unsigned int count, unsigned int expected)
{
	struct frame frame, got;
	unsigned int seen = 0;

	frame_make_text(&frame, text);
	tap_drain(to);
	for (unsigned int i = 0; i < count; i++) {
		assert_int_equal(tap_write(from, &frame), 0);
		while (tap_read(to, &got, 0))
			seen++;
	}
	while (tap_read(to, &got, seen < expected ? TAP_WAIT_MS : 20))
		seen++;
	return seen;
}

#define assert_none_arrives(from, to, text) \
	assert_int_equal(arrived((from), (to), (text), FRAMES, 0), 0)
#define assert_all_arrive(from, to, text) \
	assert_int_equal(arrived((from), (to), (text), 10, 10), 10)

/* One frame, without a wait. */
static unsigned int arrived_at_once(const struct tap *from, const struct tap *to, const char *text)
{
	struct frame frame, got;
	unsigned int seen = 0;

	frame_make_text(&frame, text);
	assert_int_equal(tap_write(from, &frame), 0);
	while (tap_read(to, &got, 0))
		seen++;
	return seen;
}

/* Nothing reaches anyone: the neighbour, or the tap itself. */
static void assert_shut(const struct tap *tap, const struct tap *neighbour)
{
	assert_none_arrives(tap, neighbour, SENT);
	assert_none_arrives(tap, neighbour, ARP_SENT);
	assert_none_arrives(neighbour, tap, OPEN_SYN);
	assert_none_arrives(neighbour, tap, ARP_TO);
}

static void assert_filtered(const struct tap *tap, const struct tap *neighbour)
{
	assert_all_arrive(tap, neighbour, SENT);
	assert_all_arrive(tap, neighbour, ARP_SENT);
	assert_all_arrive(neighbour, tap, ARP_TO);
	assert_all_arrive(neighbour, tap, OPEN_SYN);
	assert_int_equal(arrived(neighbour, tap, CLOSED_SYN, 10, 0), 0);
}

/* ------------------------------------------------------------------ devices */

/* As tap_new, with a number that the creator chooses. */
static struct tap *tap_at(const char *name, uint32_t ifindex)
{
	AUTO_FD int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	unsigned int number = ifindex;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int yes = 1;

	g_strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETIFINDEX, &number), 0);
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, yes), 0);
	close(TAKE_FD(fd));
	return tap_new(name, false);
}

static void delete_tap(struct tap *tap)
{
	g_autofree char *name = g_strdup(tap->name);
	const char *const argv[] = {"ip", "link", "del", name, NULL};
	AUTO_COMMAND struct command command = command_run(argv);

	tap_delete(tap);
}

static char *group_of(const char *device)
{
	const char *const argv[] = {"ip", "-o", "link", "show", device, NULL};
	AUTO_COMMAND struct command command = command_run(argv);
	const char *group = strstr(command.out, " group ");

	assert_non_null(group);
	return g_strndup(group + strlen(" group "), strcspn(group + strlen(" group "), " "));
}

static void assert_group(const char *device, const char *wanted)
{
	g_autofree char *group = group_of(device);

	assert_string_equal(group, wanted);
}

/* Of the daemon's own, by its name in the status. */
static char *table_of(const struct daemon *daemon)
{
	AUTO_JSON json_t *status = sgctl_json(daemon, "show", "status", NULL);
	const json_t *guard = json_object_get(status, "guard");

	return g_strdup(json_string_value(json_object_get(guard, "table")));
}

static json_int_t guard_number(const struct daemon *daemon, const char *key)
{
	AUTO_JSON json_t *status = sgctl_json(daemon, "show", "status", NULL);

	return json_integer_value(json_object_get(json_object_get(status, "guard"), key));
}

/* The ruleset without its counters. */
static char *ruleset(void)
{
	const char *const argv[] = {"nft", "-s", "list", "ruleset", NULL};
	AUTO_COMMAND struct command command = command_run(argv);

	assert_int_equal(command.status, 0);
	return TAKE_PTR(command.out);
}

static void assert_back_in_time(const struct daemon *daemon, const char *before)
{
	struct stopwatch watch = stopwatch_start(daemon->pid);

	for (;;) {
		g_autofree char *now = ruleset();

		if (strcmp(now, before) == 0)
			break;
		if (patience_over(watch.began_us, GIVE_UP_MS))
			fail_msg("the table is never put back:\n%s\n-- wanted:\n%s", now, before);
		g_usleep(2000);
	}
	stopwatch_assert(&watch, REPAIR_MS, "the table");
}

static void assert_filtering(const struct daemon *daemon, const char *id)
{
	if (scene_wait_state(daemon, id, "filtering", GIVE_UP_MS) < 0)
		fail_msg("%s is never filtering", id);
}

/* ------------------------------------------------------------------ tests */

static void a_tap_passes_nothing_until_it_is_filtered(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("shut", guarded);
	struct tap *tap = scene_tap("tap0");
	struct tap *other = scene_tap("vm2");

	(void)state;
	assert_shut(tap, outside);
	assert_all_arrive(other, outside, SENT);
	assert_true(guard_number(daemon, "dropped_packets") >= 4 * FRAMES);
	daemon_apply(daemon, policy);
	assert_group("tap0", GROUP);
	assert_filtered(tap, outside);
	daemon_apply(daemon, nothing);
	assert_group("tap0", "default");
	assert_shut(tap, outside);
	sgctl_check(daemon, "attach", "tap0", "--id", "web", "--address", "10.0.0.5", NULL);
	assert_all_arrive(tap, outside, SENT);
	sgctl_check(daemon, "detach", "web", NULL);
	assert_shut(tap, outside);
}

static void a_tap_made_anew_passes_nothing_while_rulesd_is_dead(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("dead", guarded);
	struct tap *tap = tap_at("tap0", 777);

	(void)state;
	bridge_add("br0", tap);
	daemon_apply(daemon, policy);
	assert_filtered(tap, outside);
	daemon_kill(daemon);
	assert_filtered(tap, outside);
	for (unsigned int round = 0; round < 3; round++) {
		delete_tap(tap);
		tap = tap_at("tap0", 777);
		assert_int_equal(tap->ifindex, 777);
		bridge_add("br0", tap);
		assert_shut(tap, outside);
	}
	daemon_restart(daemon, guarded);
	assert_filtering(daemon, "web");
	assert_filtered(tap, outside);
}

/* Writes while the daemon attaches: what arrives before is what the policy allows. */
static void a_tap_made_anew_leaks_nothing_while_rulesd_lives(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("anew", guarded);
	struct frame open_syn, closed_syn, got;

	(void)state;
	daemon_apply(daemon, policy);
	frame_make_text(&open_syn, OPEN_SYN);
	frame_make_text(&closed_syn, CLOSED_SYN);
	for (unsigned int round = 0; round < 10; round++) {
		struct tap *tap = tap_at("tap0", 777);
		unsigned int wrong = 0;
		bool passes = false;
		gint64 start = g_get_monotonic_time();

		bridge_add("br0", tap);
		for (unsigned int i = 0; i < FRAMES || !passes; i++) {
			assert_int_equal(tap_write(outside, &closed_syn), 0);
			assert_int_equal(tap_write(outside, &open_syn), 0);
			while (tap_read(tap, &got, 0)) {
				passes |= memcmp(got.bytes, open_syn.bytes, got.length) == 0;
				wrong += memcmp(got.bytes, closed_syn.bytes, got.length) == 0;
			}
			if (patience_over(start, GIVE_UP_MS))
				fail_msg("tap0 is never filtered");
		}
		assert_int_equal(wrong, 0);
		delete_tap(tap);
	}
}

/* The host routes between the tap and another device. */
static void a_routed_tap_passes_nothing_until_it_is_filtered(void **state)
{
	static const char routed[] =
		"{ \"version\": 1, \"groups\": { \"sg-all\": { \"ingress\": [ { \"protocol\": "
		"\"all\", \"from\": [\"any\"] } ] } }, \"interfaces\": { \"web\": { \"device\": "
		"\"tap0\", \"mac\": \"52:54:00:00:00:05\", \"addresses\": [\"10.1.0.5\"], "
		"\"groups\": [\"sg-all\"] } } }";
	struct daemon *daemon = daemon_start("routed", guarded);
	struct tap *tap = tap_at("tap0", 555);
	struct tap *outside = tap_new("vm1", false);
	g_autofree char *in = NULL;
	g_autofree char *out = NULL;

	(void)state;
	netns_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
	command_check("ip", "link", "set", "tap0", "address", "52:54:00:00:00:a1", NULL);
	command_check("ip", "link", "set", "vm1", "address", "52:54:00:00:00:a2", NULL);
	command_check("ip", "address", "add", "10.1.0.1/24", "dev", "tap0", NULL);
	command_check("ip", "address", "add", "10.2.0.1/24", "dev", "vm1", NULL);
	command_check("ip", "neighbour", "add", "10.1.0.5", "lladdr", "52:54:00:00:00:05", "dev",
		      "tap0", NULL);
	command_check("ip", "neighbour", "add", "10.2.0.9", "lladdr", "52:54:00:00:00:09", "dev",
		      "vm1", NULL);
	out = g_strdup("udp 10.1.0.5:53 > 10.2.0.9:53 len=20 smac=5 dmac=52:54:00:00:00:a1");
	in = g_strdup("udp 10.2.0.9:53 > 10.1.0.5:53 len=20 smac=9 dmac=52:54:00:00:00:a2");
	assert_none_arrives(tap, outside, out);
	assert_none_arrives(outside, tap, in);
	/* The host itself: it neither answers the VM nor asks it. */
	assert_none_arrives(tap, tap, "arp 10.1.0.5 > 10.1.0.1 op=1");
	assert_none_arrives(tap, tap, "icmp 10.1.0.5 > 10.1.0.1 smac=5 dmac=52:54:00:00:00:a1");
	daemon_apply(daemon, routed);
	assert_all_arrive(tap, outside, out);
	assert_all_arrive(outside, tap, in);
	assert_all_arrive(tap, tap, "arp 10.1.0.5 > 10.1.0.1 op=1 dmac=ff:ff:ff:ff:ff:ff");
	daemon_kill(daemon);
	assert_all_arrive(tap, outside, out);
	delete_tap(tap);
	tap = tap_at("tap0", 555);
	command_check("ip", "link", "set", "tap0", "address", "52:54:00:00:00:a1", NULL);
	command_check("ip", "address", "add", "10.1.0.1/24", "dev", "tap0", NULL);
	command_check("ip", "neighbour", "add", "10.1.0.5", "lladdr", "52:54:00:00:00:05", "dev",
		      "tap0", NULL);
	assert_none_arrives(tap, outside, out);
	assert_none_arrives(outside, tap, in);
	assert_none_arrives(tap, tap, "arp 10.1.0.5 > 10.1.0.1 op=1");
}

static void a_table_that_somebody_touches_is_put_back(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("touch", shared);
	struct tap *tap = scene_tap("tap0");
	g_autofree char *table = table_of(daemon);
	g_autofree char *before = ruleset();
	json_int_t repairs = 0;
	AUTO_COMMAND struct command listed = {0};
	const char *const list[] = {"nft", "-a", "list", "table", "bridge", table, NULL};
	g_autofree char *handle = NULL;
	AUTO_JSON json_t *status = NULL;
	const char *shown;

	(void)state;
	command_check("nft", "delete", "table", "bridge", table, NULL);
	assert_back_in_time(daemon, before);
	command_check("nft", "flush", "ruleset", NULL);
	assert_back_in_time(daemon, before);
	command_check("nft", "flush", "chain", "inet", table, "output", NULL);
	assert_back_in_time(daemon, before);
	command_check("nft", "insert", "rule", "bridge", table, "prerouting", "accept", NULL);
	assert_back_in_time(daemon, before);
	command_check("nft", "add", "chain", "arp", table, "more", NULL);
	assert_back_in_time(daemon, before);
	command_check("nft", "add", "table", "bridge", table, "{ flags dormant; }", NULL);
	assert_back_in_time(daemon, before);
	listed = command_run(list);
	shown = strstr(listed.out, "drop # handle ");
	assert_non_null(shown);
	shown += strlen("drop # handle ");
	handle = g_strndup(shown, strspn(shown, "0123456789"));
	command_check("nft", "delete", "rule", "bridge", table, "prerouting", "handle", handle,
		      NULL);
	assert_back_in_time(daemon, before);
	assert_shut(tap, outside);
	repairs = guard_number(daemon, "repairs");
	assert_true(repairs >= 7);
	/* Tables of others are theirs. */
	command_check("nft", "add", "table", "inet", "theirs", NULL);
	g_usleep(REPAIR_MS * 1000);
	assert_int_equal(guard_number(daemon, "repairs"), repairs);
	command_check("nft", "delete", "table", "inet", "theirs", NULL);
	/* Whatever they are called. */
	command_check("nft", "add", "table", "ip", table, NULL);
	command_check("nft", "add", "chain", "ip", table, "more", NULL);
	g_usleep(REPAIR_MS * 1000);
	assert_int_equal(guard_number(daemon, "repairs"), repairs);
	status = sgctl_json(daemon, "show", "status", NULL);
	assert_true(json_is_null(json_object_get(json_object_get(status, "guard"), "error")));
	command_check("nft", "delete", "table", "ip", table, NULL);
}

static bool is_owned(const struct daemon *daemon)
{
	AUTO_JSON json_t *status = sgctl_json(daemon, "show", "status", NULL);

	return json_boolean_value(json_object_get(json_object_get(status, "guard"), "owned"));
}

static void *flush_often(void *arg)
{
	for (unsigned int i = 0; i < FLUSHES; i++) {
		command_check("nft", "flush", "ruleset", NULL);
		g_usleep(100 * 1000);
	}
	g_atomic_int_set((int *)arg, 1);
	return NULL;
}

/* How many frames of a tap that is not filtered pass meanwhile, and for how long at a time. */
static unsigned int leaked(const struct tap *tap, const struct tap *outside, gint64 *longest_us)
{
	int done = 0;
	gint64 shut = g_get_monotonic_time();
	unsigned int count = 0;
	pthread_t flusher;

	*longest_us = 0;
	assert_int_equal(pthread_create(&flusher, NULL, flush_often, &done), 0);
	while (!g_atomic_int_get(&done)) {
		unsigned int now = arrived_at_once(tap, outside, SENT);

		count += now;
		if (!now)
			shut = g_get_monotonic_time();
		*longest_us = MAX(*longest_us, g_get_monotonic_time() - shut);
	}
	pthread_join(flusher, NULL);
	return count;
}

static void nobody_else_empties_a_table_that_has_an_owner(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("owned", guarded);
	struct tap *tap = scene_tap("tap0");
	g_autofree char *table = table_of(daemon);
	const char *const take[] = {"nft", "delete", "table", "bridge", table, NULL};
	AUTO_COMMAND struct command taken = {0};
	gint64 longest_us = 0;

	(void)state;
	if (!is_owned(daemon)) {
		print_message("skip: Linux before 6.9: tables with an owner go with it\n");
		skip();
	}
	taken = command_run(take);
	assert_int_not_equal(taken.status, 0);
	assert_int_equal(leaked(tap, outside, &longest_us), 0);
	assert_int_equal(guard_number(daemon, "repairs"), 0);
	/* It stays when its owner is killed, and can be taken over. */
	daemon_kill(daemon);
	assert_shut(tap, outside);
	daemon_restart(daemon, guarded);
	assert_true(is_owned(daemon));
	assert_int_equal(leaked(tap, outside, &longest_us), 0);
	assert_int_equal(daemon_stop(daemon), 0);
	/* And to be left to everybody. */
	daemon_restart(daemon, shared);
	assert_false(is_owned(daemon));
	assert_shut(tap, outside);
	command_check("nft", "flush", "ruleset", NULL);
	daemon_kill(daemon);
	daemon_restart(daemon, guarded);
	assert_true(is_owned(daemon));
	assert_shut(tap, outside);
}

static void a_table_of_everybody_is_back_soon(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("gap", shared);
	struct tap *tap = scene_tap("tap0");
	gint64 longest_us = 0;
	unsigned int count = leaked(tap, outside, &longest_us);

	(void)state;
	print_message("%u frames passed, for %.1f ms at most\n", count, (double)longest_us / 1000);
	assert_true(guard_number(daemon, "repairs") > 0);
	assert_shut(tap, outside);
}

static void a_restart_takes_the_table_as_it_is_or_writes_it_anew(void **state)
{
	static const char *const others[] = {"--guard",	      "tap*",	"--guard", "web0",
					     "--guard-group", "0x1234", NULL};
	struct tap *outside = scene_tap("vm1");
	struct tap *tap = scene_tap("tap0");
	struct daemon *daemon = daemon_start("again", NULL);
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	g_autofree char *last = NULL;
	const char *const handles[] = {"nft", "-a", "-s", "list", "ruleset", NULL};
	AUTO_COMMAND struct command before = {0};
	AUTO_COMMAND struct command after = {0};

	(void)state;
	daemon_apply(daemon, policy);
	assert_group("tap0", "default");
	daemon_kill(daemon);
	/* The guard comes to taps that are filtered already: they go on. */
	daemon_restart(daemon, guarded);
	assert_group("tap0", GROUP);
	assert_filtered(tap, outside);
	before = command_run(handles);
	daemon_kill(daemon);
	daemon_restart(daemon, guarded);
	after = command_run(handles);
	assert_string_equal(before.out, after.out); /* handles and all */
	daemon_kill(daemon);
	first = ruleset();
	daemon_restart(daemon, others);
	second = ruleset();
	assert_string_not_equal(first, second);
	assert_non_null(strstr(second, "web0"));
	assert_group("tap0", "4660");
	assert_filtered(tap, outside);
	daemon_kill(daemon);
	command_check("nft", "flush", "ruleset", NULL);
	daemon_restart(daemon, others);
	last = ruleset();
	assert_string_equal(second, last);
	assert_filtered(tap, outside);
	daemon_kill(daemon);
	daemon_restart(daemon, NULL);
	g_clear_pointer(&last, g_free);
	last = ruleset();
	assert_string_equal(last, "");
	assert_filtered(tap, outside);
}

static void a_device_group_says_the_truth(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("group", guarded);
	struct tap *tap = scene_tap("tap0");
	struct tap *bare = scene_tap("tap1");
	struct stopwatch watch;

	(void)state;
	command_check("ip", "link", "set", "tap0", "group", "77", NULL);
	daemon_apply(daemon, policy);
	assert_group("tap0", GROUP);
	assert_filtered(tap, outside);
	command_check("ip", "link", "set", "tap0", "group", "78", NULL);
	watch = stopwatch_start(daemon->pid);
	while (arrived(tap, outside, SENT, 1, 0) != 1)
		assert_false(patience_over(watch.began_us, GIVE_UP_MS));
	stopwatch_assert(&watch, REPAIR_MS, "the group of a filtered tap");
	/* One that is not filtered is not let in by whoever gives it the group. */
	command_check("ip", "link", "set", "tap1", "group", GROUP, NULL);
	watch = stopwatch_start(daemon->pid);
	while (arrived(bare, outside, SENT, 1, 0) != 0)
		assert_false(patience_over(watch.began_us, GIVE_UP_MS));
	stopwatch_assert(&watch, REPAIR_MS, "the group of a tap that is not filtered");
	assert_shut(bare, outside);
	assert_int_equal(guard_number(daemon, "group_repairs"), 2);
	daemon_kill(daemon);
	command_check("ip", "link", "set", "tap1", "group", GROUP, NULL);
	daemon_restart(daemon, guarded);
	assert_group("tap1", "default");
	assert_shut(bare, outside);
	assert_filtered(tap, outside);
}

static void a_tap_renamed_into_the_pattern_is_guarded_from_then_on(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("rename", guarded);
	struct tap *tap = scene_tap("vm7");

	(void)state;
	assert_all_arrive(tap, outside, SENT);
	command_check("ip", "link", "set", "vm7", "down", NULL);
	command_check("ip", "link", "set", "vm7", "name", "tap7", "up", NULL);
	assert_shut(tap, outside);
	/* Filtered under a name that is not guarded, it goes on under one that is. */
	command_check("ip", "link", "set", "tap7", "down", NULL);
	command_check("ip", "link", "set", "tap7", "name", "vm7", "up", NULL);
	sgctl_check(daemon, "attach", "vm7", "--id", "web", "--address", "10.0.0.5", NULL);
	assert_all_arrive(tap, outside, SENT);
	command_check("ip", "link", "set", "vm7", "down", NULL);
	command_check("ip", "link", "set", "vm7", "name", "tap7", "up", NULL);
	assert_all_arrive(tap, outside, SENT);
}

static void flush_removes_the_table_and_the_groups(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct tap *tap = scene_tap("tap0");
	struct daemon *daemon = daemon_start("flush", guarded);
	const char *const flush[] = {".build/rulesd", "--flush",	 "--bpffs", daemon->bpffs,
				     "--state-dir",   daemon->state_dir, NULL};
	AUTO_COMMAND struct command command = {0};
	g_autofree char *left = NULL;

	(void)state;
	daemon_apply(daemon, policy);
	command_check("nft", "add", "table", "inet", "theirs", NULL);
	daemon_kill(daemon);
	command = command_run(flush);
	assert_int_equal(command.status, 0);
	left = ruleset();
	assert_string_equal(left, "table inet theirs {\n}\n");
	assert_group("tap0", "default");
	assert_all_arrive(tap, outside, SENT);
	assert_all_arrive(outside, tap, CLOSED_SYN);
}

static void refuse(const char *const *words, const char *said)
{
	AUTO_COMMAND struct command command = command_run(words);

	assert_int_equal(command.status, 2);
	if (!strstr(command.err, said))
		fail_msg("not \"%s\" but: %s", said, command.err);
}

static void patterns_that_cannot_be_meant_are_refused(void **state)
{
	static const struct {
		const char *pattern, *said;
	} cases[] = {
		{"*", "every device"}, {"l*", "lo"},	 {"lo", "lo"},
		{"t*p", "at the end"}, {"tap?", "'?'"},	 {"a/b", "'/'"},
		{"", "empty"},	       {"tap 0", "' '"}, {"0123456789abcdef", "longer"},
		{"tap[0-9]", "'['"},
	};
	const char *const alone[] = {".build/rulesd", "--guard-group", "7", NULL};
	const char *const zero[] = {".build/rulesd", "--guard", "tap*", "--guard-group", "0", NULL};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *const words[] = {".build/rulesd", "--guard", cases[i].pattern, NULL};

		refuse(words, cases[i].said);
	}
	refuse(alone, "without --guard");
	refuse(zero, "from 1");
}

static void two_instances_in_one_namespace_have_tables_of_their_own(void **state)
{
	static const char *const second_guard[] = {"--guard", "vnet*", "--guard-group", "99", NULL};
	struct tap *outside = scene_tap("vm1");
	struct daemon *first = daemon_start("first", guarded);
	struct daemon *second = daemon_start("second", second_guard);
	struct tap *tap = scene_tap("tap0");
	struct tap *vnet = scene_tap("vnet0");

	(void)state;
	assert_shut(tap, outside);
	assert_shut(vnet, outside);
	sgctl_check(first, "attach", "tap0", "--id", "a", "--address", "10.0.0.5", NULL);
	assert_all_arrive(tap, outside, SENT);
	assert_shut(vnet, outside);
	sgctl_check(second, "attach", "vnet0", "--id", "b", "--address", "10.0.0.5", NULL);
	assert_all_arrive(vnet, outside, SENT);
	daemon_delete(second);
	assert_all_arrive(vnet, outside, SENT);
	assert_all_arrive(tap, outside, SENT);
	sgctl_check(first, "detach", "a", NULL);
	assert_shut(tap, outside);
}

/* What filters is taken off by somebody with the right to: until it is back, the guard shuts. */
static void programs_that_are_removed_come_back_behind_the_guard(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("removed", guarded);
	struct tap *tap = scene_tap("tap0");
	g_autofree char *links = NULL;
	g_autoptr(GDir) dir = NULL;
	const char *name;
	gint64 start;

	(void)state;
	daemon_apply(daemon, policy);
	assert_filtered(tap, outside);
	links = g_build_filename(daemon->bpffs, "links", NULL);
	dir = g_dir_open(links, 0, NULL);
	assert_non_null(dir);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *pin = g_build_filename(links, name, NULL);

		command_check("bpftool", "link", "detach", "pinned", pin, NULL);
	}
	start = g_get_monotonic_time();
	while (arrived(outside, tap, CLOSED_SYN, 1, 0) != 0 ||
	       arrived(outside, tap, OPEN_SYN, 1, 0) != 1)
		if (patience_over(start, GIVE_UP_MS))
			fail_msg("the programs are never put back");
	assert_group("tap0", GROUP);
	assert_filtered(tap, outside);
}

/* While rulesd does not look, somebody sets the group of a tap, which is then made anew: that it
 * was filtered is said of another device with its name and its number. */
static void a_tap_that_takes_a_number_does_not_take_the_group(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct daemon *daemon = daemon_start("number", guarded);
	struct frame closed_syn, got;

	(void)state;
	daemon_apply(daemon, policy);
	frame_make_text(&closed_syn, CLOSED_SYN);
	for (unsigned int round = 0; round < 10; round++) {
		struct tap *tap = tap_at("tap0", 777);
		unsigned int wrong = 0;

		bridge_add("br0", tap);
		assert_filtering(daemon, "web");
		assert_int_equal(kill(daemon->pid, SIGSTOP), 0);
		command_check("ip", "link", "set", "tap0", "group", "5", NULL);
		delete_tap(tap);
		tap = tap_at("tap0", 777);
		bridge_add("br0", tap);
		assert_int_equal(kill(daemon->pid, SIGCONT), 0);
		for (unsigned int i = 0; i < 20 * FRAMES; i++) {
			assert_int_equal(tap_write(outside, &closed_syn), 0);
			while (tap_read(tap, &got, 0))
				wrong += memcmp(got.bytes, closed_syn.bytes, got.length) == 0;
		}
		assert_int_equal(wrong, 0);
		delete_tap(tap);
	}
}

/* After a boot: what is on disk is of a newer rulesd. */
static void a_start_that_is_refused_leaves_taps_shut(void **state)
{
	struct tap *outside = scene_tap("vm1");
	struct tap *tap = scene_tap("tap0");
	struct daemon *daemon = daemon_start("refused", guarded);
	const char *const flush[] = {
		".build/rulesd", "--flush",	"--state-dir", daemon->state_dir,
		"--bpffs",	 daemon->bpffs, NULL};
	const char *const start[] = {"timeout",
				     "-s",
				     "KILL",
				     "600",
				     ".build/rulesd",
				     "--socket",
				     daemon->socket,
				     "--state-dir",
				     daemon->state_dir,
				     "--bpffs",
				     daemon->bpffs,
				     "--guard",
				     "tap*",
				     NULL};
	AUTO_COMMAND struct command refused = {0};
	AUTO_COMMAND struct command flushed = {0};
	AUTO_FD int dir = -1;

	(void)state;
	assert_int_equal(daemon_stop(daemon), 0);
	flushed = command_run(flush);
	assert_int_equal(flushed.status, 0);
	netns_remove_tree(daemon->bpffs);
	assert_all_arrive(tap, outside, SENT);
	dir = open(daemon->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(state_seal_write_text(dir, "current.json",
					       "{\"version\":99,\"generation\":9,\"offset\":0,"
					       "\"generations\":[]}"),
			 0);
	refused = command_run(start);
	assert_int_equal(refused.status, 1);
	assert_non_null(strstr(refused.err, "start the rulesd that wrote it"));
	assert_non_null(strstr(refused.err, "passes nothing, though rulesd does not start"));
	assert_shut(tap, outside);
	command_free(&flushed);
	flushed = command_run(flush);
	assert_int_equal(flushed.status, 0);
	assert_all_arrive(tap, outside, SENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tap_passes_nothing_until_it_is_filtered),
		TEST(a_tap_made_anew_passes_nothing_while_rulesd_is_dead),
		TEST(a_tap_made_anew_leaks_nothing_while_rulesd_lives),
		TEST(a_routed_tap_passes_nothing_until_it_is_filtered),
		TEST(a_table_that_somebody_touches_is_put_back),
		TEST(nobody_else_empties_a_table_that_has_an_owner),
		TEST(a_table_of_everybody_is_back_soon),
		TEST(a_restart_takes_the_table_as_it_is_or_writes_it_anew),
		TEST(a_device_group_says_the_truth),
		TEST(a_tap_renamed_into_the_pattern_is_guarded_from_then_on),
		TEST(flush_removes_the_table_and_the_groups),
		TEST(patterns_that_cannot_be_meant_are_refused),
		TEST(two_instances_in_one_namespace_have_tables_of_their_own),
		TEST(programs_that_are_removed_come_back_behind_the_guard),
		TEST(a_tap_that_takes_a_number_does_not_take_the_group),
		TEST(a_start_that_is_refused_leaves_taps_shut),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
