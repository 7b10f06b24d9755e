/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_swap.c - interfaces that change their devices with each other, by a policy or because
 * somebody renames devices, while frames run: none is ever decided by nobody, or by the rules of
 * another VM. Long because each way needs its own policies and the same judge.
 */
#include <glib.h>
#include <signal.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/judge.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define ROUNDS 20

#define GROUPS                                                                           \
	"\"groups\": {"                                                                  \
	" \"sg-a\": { \"ingress\": [ { \"id\": \"a\", \"protocol\": \"udp\", \"ports\":" \
	"  [443], \"from\": [\"any\"] } ], \"egress\": [] },"                            \
	" \"sg-b\": { \"ingress\": [ { \"id\": \"b\", \"protocol\": \"udp\", \"ports\":" \
	"  [80], \"from\": [\"any\"] } ], \"egress\": [] } }"
#define POLICY(interfaces) "{ \"version\": 1, " GROUPS ", \"interfaces\": { " interfaces " } }"
#define INTERFACE(id, what, n, group)                                                             \
	"\"" id "\": { " what ", \"mac\": \"52:54:00:00:00:0" n "\", \"addresses\": [\"10.0.0." n \
	"\"], \"groups\": [\"" group "\"] }"
#define ON(name) "\"device\": \"" name "\""

static void assert_state(const struct daemon *daemon, const char *id, const char *state)
{
	if (scene_wait_state(daemon, id, state, GIVE_UP_MS) < 0) {
		g_autofree char *log = daemon_log(daemon);

		fail_msg("%s is never %s; the log:\n%s", id, state, log);
	}
}

/* Of an interface. */
static char *device_of(const struct daemon *daemon, const char *id)
{
	AUTO_JSON json_t *all = sgctl_json(daemon, "show", "interfaces", NULL);
	const json_t *one;
	size_t i;

	json_array_foreach (all, i, one)
		if (!g_strcmp0(json_string_value(json_object_get(one, "id")), id))
			return g_strdup_printf("%" JSON_INTEGER_FORMAT,
					       json_integer_value(json_object_get(one, "ifindex")));
	fail_msg("%s is not shown", id);
	return NULL;
}

static void assert_on(const struct daemon *daemon, const char *id, const struct tap *tap)
{
	g_autofree char *ifindex = device_of(daemon, id);
	g_autofree char *wanted = g_strdup_printf("%u", tap->ifindex);

	assert_string_equal(ifindex, wanted);
}

/* rulesd believes what is true. */
static void assert_verified(const struct daemon *daemon)
{
	AUTO_COMMAND struct command command = sgctl_run(daemon, "verify", NULL);

	if (command.status)
		fail_msg("verify: %s%s", command.out, command.err);
}

static void set_alias(const struct tap *tap, const char *alias)
{
	command_check("ip", "link", "set", tap->name, "alias", alias, NULL);
}

/* ------------------------------------------------------------------ by a policy */

static const char before[] = POLICY(
	INTERFACE("a", ON("tap0"), "5", "sg-a") ", " INTERFACE("b", ON("tap2"), "6", "sg-b"));
static const char names_exchanged[] = POLICY(
	INTERFACE("b", ON("tap0"), "5", "sg-a") ", " INTERFACE("a", ON("tap2"), "6", "sg-b"));
static const char devices_exchanged[] = POLICY(
	INTERFACE("a", ON("tap2"), "5", "sg-a") ", " INTERFACE("b", ON("tap0"), "6", "sg-b"));

static void two_that_exchange_their_names_change_nothing(void **state)
{
	struct judge_question questions[] = {
		{.to = 0, .allowed = true, .text = "udp 10.0.0.9:1 > 10.0.0.5:443 len=8"},
		{.to = 1, .allowed = true, .text = "udp 10.0.0.9:1 > 10.0.0.6:80 len=8"},
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.5:80 len=8"},
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.5:444 len=8"},
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.6:80 len=8"},
		{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.6:443 len=8"},
		{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.5:443 len=8"},
	};
	struct judge judge = {.outside = scene_tap("tap1"),
			      .vms = {scene_tap("tap0"), scene_tap("tap2")},
			      .questions = questions,
			      .count = G_N_ELEMENTS(questions)};
	struct daemon *daemon = daemon_start("names", NULL);

	(void)state;
	daemon_apply(daemon, before);
	judge_start(&judge);
	for (unsigned int i = 0; i < ROUNDS; i++)
		daemon_apply(daemon, i % 2 ? before : names_exchanged);
	judge_end(&judge);
	assert_on(daemon, "a", judge.vms[0]);
	assert_verified(daemon);
}

static void two_that_exchange_their_devices_are_never_open(void **state)
{
	struct judge_question questions[] = {
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.5:80 len=8"},
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.5:444 len=8"},
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.6:443 len=8"},
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.7:443 len=8"},
		{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.6:443 len=8"},
		{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.6:444 len=8"},
		{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.5:80 len=8"},
	};
	struct judge judge = {.outside = scene_tap("tap1"),
			      .vms = {scene_tap("tap0"), scene_tap("tap2")},
			      .questions = questions,
			      .count = G_N_ELEMENTS(questions)};
	struct daemon *daemon = daemon_start("devices", NULL);

	(void)state;
	daemon_apply(daemon, before);
	judge_start(&judge);
	for (unsigned int i = 0; i < ROUNDS; i++)
		daemon_apply(daemon, i % 2 ? before : devices_exchanged);
	judge_end(&judge);
	daemon_apply(daemon, devices_exchanged);
	assert_on(daemon, "a", judge.vms[1]);
	assert_on(daemon, "b", judge.vms[0]);
	assert_passes(judge.outside, judge.vms[1], "udp 10.0.0.9:1 > 10.0.0.5:443 len=8");
	assert_passes(judge.outside, judge.vms[0], "udp 10.0.0.9:1 > 10.0.0.6:80 len=8");
	assert_verified(daemon);
	/* The numbers of the slots are on disk. */
	daemon_kill(daemon);
	daemon_restart(daemon, NULL);
	assert_on(daemon, "a", judge.vms[1]);
	assert_on(daemon, "b", judge.vms[0]);
	assert_verified(daemon);
}

/* a, b and c go round; then one goes where nobody was, one comes, one leaves. */
static void a_round_of_three_with_one_that_comes_and_one_that_leaves(void **state)
{
	static const char *const rounds[] = {
		POLICY(INTERFACE("a", ON("tap0"), "5", "sg-a") ", " INTERFACE(
			"b", ON("tap2"), "6", "sg-b") ", " INTERFACE("c", ON("tap3"), "7", "sg-a")),
		POLICY(INTERFACE("c", ON("tap0"), "5", "sg-a") ", " INTERFACE(
			"a", ON("tap2"), "6", "sg-b") ", " INTERFACE("b", ON("tap3"), "7", "sg-a")),
		POLICY(INTERFACE("b", ON("tap0"), "5", "sg-a") ", " INTERFACE(
			"d", ON("tap2"), "6",
			"sg-b") ", " INTERFACE("c", ON("tap3"), "7",
					       "sg-a") ", " INTERFACE("a", ON("nowhere"), "8",
								      "sg-b")),
		POLICY(INTERFACE("e", ON("tap0"), "5", "sg-a") ", " INTERFACE(
			"a", ON("tap2"), "6",
			"sg-b") ", " INTERFACE("b", ON("tap3"), "7",
					       "sg-a") ", " INTERFACE("c", ON("nowhere"), "8",
								      "sg-b")),
	};
	struct judge_question questions[] = {
		{.to = 0, .allowed = true, .text = "udp 10.0.0.9:1 > 10.0.0.5:443 len=8"},
		{.to = 1, .allowed = true, .text = "udp 10.0.0.9:1 > 10.0.0.6:80 len=8"},
		{.to = 2, .allowed = true, .text = "udp 10.0.0.9:1 > 10.0.0.7:443 len=8"},
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.5:80 len=8"},
		{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.6:443 len=8"},
		{.to = 2, .text = "udp 10.0.0.9:1 > 10.0.0.7:80 len=8"},
		{.to = 2, .text = "udp 10.0.0.9:1 > 10.0.0.5:443 len=8"},
	};
	struct judge judge = {.outside = scene_tap("tap1"),
			      .vms = {scene_tap("tap0"), scene_tap("tap2"), scene_tap("tap3")},
			      .questions = questions,
			      .count = G_N_ELEMENTS(questions)};
	struct daemon *daemon = daemon_start("round", NULL);

	(void)state;
	daemon_apply(daemon, rounds[0]);
	judge_start(&judge);
	for (unsigned int i = 1; i < ROUNDS; i++)
		daemon_apply(daemon, rounds[i % G_N_ELEMENTS(rounds)]);
	judge_end(&judge);
	assert_verified(daemon);
}

/* With the guard what is left behind passes nothing, and nothing of others' rules before. */
static void one_that_moves_on_leaves_nothing_open_behind_the_guard(void **state)
{
	static const char *const guarded[] = {"--guard", "tap*", NULL};
	static const char moved[] = POLICY(INTERFACE("a", ON("tap2"), "6", "sg-a") ", " INTERFACE(
		"b", ON("nowhere"), "5", "sg-b"));
	struct judge_question questions[] = {
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.5:80 len=8"},
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.6:443 len=8"},
		{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.5:444 len=8"},
		{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.5:443 len=8"},
		{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.6:444 len=8"},
	};
	struct judge judge = {.outside = scene_tap("vm1"),
			      .vms = {scene_tap("tap0"), scene_tap("tap2")},
			      .questions = questions,
			      .count = G_N_ELEMENTS(questions)};
	struct daemon *daemon = daemon_start("behind", guarded);

	(void)state;
	daemon_apply(daemon, before);
	judge_start(&judge);
	for (unsigned int i = 0; i < ROUNDS; i++)
		daemon_apply(daemon, i % 2 ? before : moved);
	judge_end(&judge);
	assert_verified(daemon);
}

/* ------------------------------------------------------------------ by renaming */

static const char by_alias[] =
	POLICY(INTERFACE("a", "\"match\": { \"alias\": \"one\" }", "5", "sg-a") ", " INTERFACE(
		"b", "\"match\": { \"alias\": \"two\" }", "6", "sg-b"));

/* Until the interface is on that device, by the kernel's number. */
static void wait_on(const struct daemon *daemon, const char *id, const struct tap *tap)
{
	g_autofree char *wanted = g_strdup_printf("%u", tap->ifindex);
	gint64 end = g_get_monotonic_time() + GIVE_UP_MS * G_GINT64_CONSTANT(1000);

	for (;;) {
		g_autofree char *ifindex = device_of(daemon, id);

		if (!strcmp(ifindex, wanted))
			return;
		if (g_get_monotonic_time() > end)
			fail_msg("%s is never on %s", id, tap->name);
		g_usleep(2000);
	}
}

static struct judge_question strangers[] = {
	{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.5:444 len=8"},
	{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.5:80 len=8"},
	{.to = 0, .text = "udp 10.0.0.9:1 > 10.0.0.6:443 len=8"},
	{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.6:444 len=8"},
	{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.6:443 len=8"},
	{.to = 1, .text = "udp 10.0.0.9:1 > 10.0.0.5:80 len=8"},
};

static void devices_that_exchange_their_aliases_are_never_open(void **state)
{
	struct judge judge = {.outside = scene_tap("tap1"),
			      .vms = {scene_tap("tap0"), scene_tap("tap2")},
			      .questions = strangers,
			      .count = G_N_ELEMENTS(strangers)};
	struct daemon *daemon = daemon_start("alias", NULL);

	(void)state;
	set_alias(judge.vms[0], "one");
	set_alias(judge.vms[1], "two");
	daemon_apply(daemon, by_alias);
	assert_state(daemon, "a", "filtering");
	assert_state(daemon, "b", "filtering");
	judge_start(&judge);
	for (unsigned int i = 0; i < ROUNDS / 2; i++) {
		bool there = i % 2;

		/* Meanwhile both have the same one. */
		set_alias(judge.vms[0], there ? "one" : "two");
		set_alias(judge.vms[1], there ? "two" : "one");
		wait_on(daemon, "a", judge.vms[there ? 0 : 1]);
		wait_on(daemon, "b", judge.vms[there ? 1 : 0]);
	}
	judge_end(&judge);
	assert_verified(daemon);
	/* And while nobody watches. */
	daemon_kill(daemon);
	set_alias(judge.vms[0], "two");
	set_alias(judge.vms[1], "one");
	judge_start(&judge);
	daemon_restart(daemon, NULL);
	wait_on(daemon, "a", judge.vms[1]);
	wait_on(daemon, "b", judge.vms[0]);
	judge_end(&judge);
	assert_passes(judge.outside, judge.vms[1], "udp 10.0.0.9:1 > 10.0.0.5:443 len=8");
	assert_passes(judge.outside, judge.vms[0], "udp 10.0.0.9:1 > 10.0.0.6:80 len=8");
	assert_verified(daemon);
}

/* Before rulesd hears of it all: in between one has a name that no policy knows, so nothing filters
 * it from the moment that its own name is another one's. */
static void devices_that_exchange_their_names_at_once_are_never_open(void **state)
{
	struct judge judge = {.outside = scene_tap("tap1"),
			      .vms = {scene_tap("tap0"), scene_tap("tap2")},
			      .questions = strangers,
			      .count = G_N_ELEMENTS(strangers)};
	struct daemon *daemon = daemon_start("rename", NULL);

	(void)state;
	daemon_apply(daemon, before);
	judge_start(&judge);
	for (unsigned int i = 0; i < ROUNDS / 2; i++) {
		assert_int_equal(kill(daemon->pid, SIGSTOP), 0);
		tap_rename("tap0", "between");
		tap_rename("tap2", "tap0");
		tap_rename("between", "tap2");
		assert_int_equal(kill(daemon->pid, SIGCONT), 0);
		wait_on(daemon, "a", judge.vms[i % 2 ? 0 : 1]);
		wait_on(daemon, "b", judge.vms[i % 2 ? 1 : 0]);
	}
	judge_end(&judge);
	assert_verified(daemon);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_that_exchange_their_names_change_nothing),
		TEST(two_that_exchange_their_devices_are_never_open),
		TEST(a_round_of_three_with_one_that_comes_and_one_that_leaves),
		TEST(one_that_moves_on_leaves_nothing_open_behind_the_guard),
		TEST(devices_that_exchange_their_aliases_are_never_open),
		TEST(devices_that_exchange_their_names_at_once_are_never_open),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
