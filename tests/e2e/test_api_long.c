/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_api_long.c - answers that take seconds: whoever may only read asks for them all the time, as
 * several users and several times at once, and root is answered, a change is made and a tap is
 * filtered as soon as otherwise; and what is in such an answer when the policy changes meanwhile.
 */
#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define READERS	 "daemon"
#define NOBODY	 65534
#define USERS	 2
#define AT_ONCE	 3	/* of each user */
#define MEMBERS	 150000 /* a list of some seconds */
#define FEWER	 20000	/* of some parts */
#define ROUNDS	 12
#define ROUND_MS 100
/* Without parts it was the whole of an answer: a second or more for each of these. */
#define LATENCY_MS 200
#define ATTACH_MS  250
#define FIRST_TAP  7
#define TAPS	   3
#define MORE_MIB   256 /* and more than a gigabyte */

static const char *const long_ones[] = {"/v1/interfaces", "/v1/members?group=sg-many",
					"/v1/policy"};

static const char *const with_readers[] = {"--read-group", READERS, NULL};

static char *large_policy(unsigned int members)
{
	GString *text = g_string_new(
		"{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[{\"protocol\":\"tcp\","
		"\"ports\":[443],\"from\":[\"sg-many\"]}]},\"sg-many\":{}},\"interfaces\":{"
		"\"web\":{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\"],\"groups\":[\"sg-web\"]}");

	for (unsigned int i = 0; i < TAPS; i++)
		g_string_append_printf(
			text,
			",\"late%u\":{\"device\":\"tap%u\",\"addresses\":[\"10.0.0.%u\"],"
			"\"groups\":[\"sg-web\"]}",
			i, FIRST_TAP + i, FIRST_TAP + i);
	for (unsigned int i = 0; i < members; i++)
		g_string_append_printf(
			text, ",\"m%u\":{\"addresses\":[\"10.%u.%u.%u\"],\"groups\":[\"sg-many\"]}",
			i, 1 + (i >> 16), i >> 8 & 255, i & 255);
	g_string_append(text, "}}");
	return g_string_free(text, FALSE);
}

/* As another user, until it is killed. */
static pid_t ask_for_ever(const char *socket, uid_t uid, unsigned int first)
{
	const gid_t gid = getgrnam(READERS)->gr_gid;
	pid_t pid = fork();

	if (pid)
		return pid;
	if (setgroups(1, &gid) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		_exit(255);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the change of user, which clears it */
	for (unsigned int i = first;; i++) {
		AUTO_HTTP struct http_answer answer = http_request(
			socket, "GET", long_ones[i % G_N_ELEMENTS(long_ones)], NULL, NULL);

		/* 0: on a slow machine it takes longer than a client waits. */
		if (answer.status != 200 && answer.status != 503 && answer.status != 0)
			_exit(1);
	}
}

static void stop(const pid_t *pids, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		int status = 0;

		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFSIGNALED(status)); /* it was asking until now */
	}
}

static long peak_mib(const struct daemon *daemon)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)daemon->pid);
	g_autofree char *text = NULL;
	const char *line;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	line = strstr(text, "VmHWM:");
	assert_non_null(line);
	return strtol(line + strlen("VmHWM:"), NULL, 10) / 1024;
}

static struct daemon *start_large(unsigned int members)
{
	struct daemon *daemon;
	g_autofree char *text = large_policy(members);

	chmod(netns_workdir(), 0755);
	daemon = daemon_start("long", with_readers);
	AUTO_HTTP struct http_answer applied =
		http_expect(daemon->socket, 200, "PUT", "/v1/policy", text, NULL);

	return daemon;
}

static int ask_once(const struct daemon *daemon, const char *method, const char *path,
		    const char *body)
{
	const struct stopwatch watch = stopwatch_start(daemon->pid);
	AUTO_HTTP struct http_answer answer =
		http_expect(daemon->socket, 200, method, path, body, NULL);

	return stopwatch_ms(&watch);
}

/* With one member more, another one each time. */
static int change_once(const struct daemon *daemon)
{
	static unsigned int last;
	g_autofree char *patch = g_strdup_printf(
		"{\"version\":1,\"interfaces\":{\"extra\":{\"addresses\":[\"10.99.0.%u\"],"
		"\"groups\":[\"sg-many\"]}}}",
		++last);

	return ask_once(daemon, "PATCH", "/v1/policy", patch);
}

/* Of a tap until it is filtered. */
static int attach_once(const struct daemon *daemon, unsigned int which)
{
	g_autofree char *name = g_strdup_printf("tap%u", FIRST_TAP + which);
	g_autofree char *path = g_strdup_printf("/v1/interfaces/late%u?wait=60", which);

	(void)scene_tap(name);
	return ask_once(daemon, "GET", path, NULL);
}

static void nobody_waits_for_long_answers_of_others(void **state)
{
	struct daemon *daemon = start_large(MEMBERS);
	int get[ROUNDS], change[ROUNDS], quiet[ROUNDS], attach[TAPS];
	int usual_get, usual_change, usual_attach, quiet_change;
	pid_t pids[USERS * AT_ONCE];
	long before;

	(void)state;
	(void)scene_tap("tap0");
	before = peak_mib(daemon);
	for (unsigned int i = 0; i < ROUNDS; i++)
		quiet[i] = change_once(daemon);
	for (unsigned int i = 0; i < G_N_ELEMENTS(pids); i++)
		pids[i] = ask_for_ever(daemon->socket, NOBODY - i % USERS, i);
	g_usleep(G_USEC_PER_SEC);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		get[i] = ask_once(daemon, "GET", "/v1/generations", NULL);
		change[i] = change_once(daemon);
		g_usleep(ROUND_MS * 1000);
	}
	for (unsigned int i = 0; i < TAPS; i++)
		attach[i] = attach_once(daemon, i);
	stop(pids, G_N_ELEMENTS(pids));
	/*
	 * Who waits for answers of others waits nearly every time; who meets a disk, or the
	 * kernel's lock on devices, when they are slow, now and then.
	 */
	usual_get = stopwatch_quartile(get, ROUNDS, 3);
	usual_change = stopwatch_quartile(change, ROUNDS, 3);
	quiet_change = stopwatch_quartile(quiet, ROUNDS, 3);
	usual_attach = stopwatch_quartile(attach, TAPS, 2);
	print_message("  %d ms (at most %d) for a GET, %d (%d) for a change, which take %d (%d) "
		      "otherwise, %d for a tap; %ld MiB more\n",
		      usual_get, get[ROUNDS - 1], usual_change, change[ROUNDS - 1], quiet_change,
		      quiet[ROUNDS - 1], usual_attach, peak_mib(daemon) - before);
	stopwatch_promised(usual_get, LATENCY_MS, "an answer for root");
	stopwatch_promised(usual_change, LATENCY_MS + quiet_change, "a change of one member");
	stopwatch_promised(usual_attach, ATTACH_MS, "a tap that has come");
	assert_true(!MEMORY_COUNTS || peak_mib(daemon) < before + MORE_MIB);
}

struct counts {
	unsigned int members, extras;
};

/* In the order of their ids, none twice. */
static struct counts check_list(const json_t *list, const char *id_of)
{
	struct counts counts = {0};
	const char *last = "";
	size_t index;
	json_t *one;

	assert_true(json_is_array(list));
	json_array_foreach (list, index, one) {
		const char *id = json_string_value(json_object_get(one, id_of));

		assert_non_null(id);
		if (strcmp(last, id) >= 0)
			fail_msg("%s stands behind %s", id, last);
		counts.members += id[0] == 'm';
		counts.extras += id[0] == 'x';
		last = id;
	}
	return counts;
}

static void a_list_goes_on_when_the_policy_changes(void **state)
{
	struct daemon *daemon = start_large(FEWER);
	unsigned int changes = 0;
	int status = 0;
	pid_t changer;

	(void)state;
	changer = fork();
	if (!changer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned int i = 0;; i++) {
			g_autofree char *patch = g_strdup_printf(
				"{\"version\":1,\"interfaces\":{\"x%u\":{\"addresses\":[\"10.98.%u.%u\"]"
				",\"groups\":[\"sg-many\"]}}}",
				i, i >> 8 & 255, i & 255);
			AUTO_HTTP struct http_answer answer =
				http_request(daemon->socket, "PATCH", "/v1/policy", patch, NULL);

			/* 0: on a slow machine it takes longer than a client waits. */
			if (answer.status != 200)
				_exit(1);
			g_usleep(20000);
		}
	}
	for (unsigned int i = 0; i < 3; i++) {
		AUTO_HTTP struct http_answer first =
			http_expect(daemon->socket, 200, "GET", "/v1/generations", NULL, NULL);
		AUTO_HTTP struct http_answer interfaces =
			http_expect(daemon->socket, 200, "GET", "/v1/interfaces", NULL, NULL);
		AUTO_HTTP struct http_answer members = http_expect(
			daemon->socket, 200, "GET", "/v1/members?group=sg-many", NULL, NULL);
		AUTO_HTTP struct http_answer last =
			http_expect(daemon->socket, 200, "GET", "/v1/generations", NULL, NULL);

		assert_int_equal(check_list(interfaces.json, "id").members, FEWER);
		assert_int_equal(check_list(members.json, "interface").members, FEWER);
		assert_non_null(interfaces.etag);
		/* Of the beginning: who relies on it is refused. */
		assert_true(strtoull(first.etag + 1, NULL, 10) <=
			    strtoull(interfaces.etag + 1, NULL, 10));
		assert_true(strtoull(interfaces.etag + 1, NULL, 10) <
			    strtoull(last.etag + 1, NULL, 10));
		changes = check_list(members.json, "interface").extras;
	}
	assert_true(changes > 0);
	kill(changer, SIGKILL);
	assert_int_equal(waitpid(changer, &status, 0), changer);
	assert_true(WIFSIGNALED(status));
}

/* One that is stopped while it works on such answers. */
static void a_long_answer_does_not_keep_rulesd_from_stopping(void **state)
{
	struct daemon *daemon = start_large(FEWER);
	pid_t pids[G_N_ELEMENTS(long_ones)];

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(pids); i++)
		pids[i] = ask_for_ever(daemon->socket, NOBODY - i, i);
	g_usleep(G_USEC_PER_SEC / 2);
	/* It waits a while for that, and then fails. */
	assert_int_equal(daemon_stop(daemon), 0);
	for (unsigned int i = 0; i < G_N_ELEMENTS(pids); i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
		T(nobody_waits_for_long_answers_of_others),
		T(a_list_goes_on_when_the_policy_changes),
		T(a_long_answer_does_not_keep_rulesd_from_stopping),
#undef T
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
