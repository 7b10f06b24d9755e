/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_wait.c - PUT and GET /v1/interfaces/{id}?wait=, sgctl wait: the answer comes when the device
 * does or the time is up, and not only when some other client happens to wake the server.
 */
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

/* As the requests below give up: far above what is asked for, so that the clock judges nothing. */
#define GIVE_UP_SECONDS "60"

static const char body[] = "{ \"device\": \"tap0\", \"addresses\": [\"10.0.0.5\"] }";

struct request {
	const struct daemon *daemon;
	const char *query;
	struct command command;
};

static void *put_interface(void *arg)
{
	struct request *request = arg;
	g_autofree char *url =
		g_strdup_printf("http://rulesd/v1/interfaces/web?%s", request->query);
	const char *const argv[] = {
		"curl",
		"-sS",
		"-m",
		GIVE_UP_SECONDS,
		"-w",
		"%{http_code}",
		"-X",
		"PUT",
		"-d",
		body,
		"--unix-socket",
		request->daemon->socket,
		url,
		NULL,
	};

	request->command = command_run(argv);
	return NULL;
}

static void assert_answer(const struct request *request, const char *status, const char *iface)
{
	const char *out = request->command.out;

	if (request->command.status != 0)
		fail_msg("no answer: %s", request->command.err);
	if (!g_str_has_suffix(out, status) || !strstr(out, iface))
		fail_msg("the answer is not %s with %s: %s", status, iface, out);
}

static void the_time_is_up_without_a_device(void **state)
{
	struct request request = {.daemon = daemon_start("late", NULL), .query = "wait=1"};

	(void)state;
	put_interface(&request);
	assert_answer(&request, "202", "\"state\":\"waiting\"");
	command_free(&request.command);
}

static void the_device_that_appears_ends_the_waiting(void **state)
{
	struct request request = {.daemon = daemon_start("soon", NULL), .query = "wait=300"};
	GThread *thread;

	(void)state;
	thread = g_thread_new("put", put_interface, &request);
	/* By the log: to ask the API would wake the server, which is what must not be needed. */
	daemon_wait_log(request.daemon, "interface web: attached by hand");
	scene_tap("tap0");
	g_thread_join(thread);
	assert_answer(&request, "201", "\"state\":\"filtering\"");
	command_free(&request.command);
}

/* ------------------------------------------------------------------ sgctl wait */

static const char policy[] =
	"{ \"version\": 1, \"interfaces\": {"
	"  \"web\": { \"device\": \"tap0\", \"addresses\": [\"10.0.0.5\"] },"
	"  \"db\": { \"device\": \"tap1\", \"addresses\": [\"10.0.0.6\"] },"
	"  \"far\": { \"device\": \"tap2\", \"host\": \"another\", \"addresses\": [\"10.0.0.7\"] } "
	"} }";

struct waiter {
	const struct daemon *daemon;
	const char *id, *timeout;
	struct command command;
	gint64 took_us;
};

static void *wait_with_sgctl(void *arg)
{
	struct waiter *waiter = arg;
	gint64 start = g_get_monotonic_time();

	waiter->command =
		sgctl_run(waiter->daemon, "wait", waiter->id, "--timeout", waiter->timeout, NULL);
	waiter->took_us = g_get_monotonic_time() - start;
	return NULL;
}

static void assert_waited(struct waiter *waiter, int status, const char *words)
{
	const struct command *command = &waiter->command;
	const char *said = status ? command->err : command->out;

	if (command->status != status || !strstr(said, words))
		fail_msg("sgctl wait %s: exit %d: %s%s", waiter->id, command->status, command->out,
			 command->err);
	command_free(&waiter->command);
}

static void sgctl_wait_ends_when_the_device_is_filtered(void **state)
{
	struct daemon *daemon = daemon_start("ends", NULL);
	struct waiter waiter = {.daemon = daemon, .id = "web", .timeout = GIVE_UP_SECONDS};
	GThread *thread;
	gint64 made;

	(void)state;
	daemon_apply(daemon, policy);
	thread = g_thread_new("wait", wait_with_sgctl, &waiter);
	g_usleep(300000);
	made = g_get_monotonic_time();
	scene_tap("tap0");
	g_thread_join(thread);
	print_message("from device to answer: %d ms\n",
		      (int)((g_get_monotonic_time() - made) / 1000));
	assert_waited(&waiter, 0, "web: filtering tap0");
	/* At once when it filters already. */
	waiter.timeout = "0";
	wait_with_sgctl(&waiter);
	assert_waited(&waiter, 0, "web: filtering tap0");
}

static void sgctl_wait_says_why_it_failed(void **state)
{
	static const char *const few[] = {"--max-flows", "20000", NULL};
	struct daemon *daemon = daemon_start("why", few);
	struct waiter waiter = {.daemon = daemon, .id = "web", .timeout = "0"};
	GThread *thread;

	(void)state;
	daemon_apply(daemon, policy);
	wait_with_sgctl(&waiter);
	assert_waited(&waiter, 1, "tap0 has not appeared");
	waiter.timeout = "1";
	wait_with_sgctl(&waiter);
	assert_true(waiter.took_us >= G_USEC_PER_SEC);
	assert_waited(&waiter, 1, "tap0 has not appeared in 1 s");
	waiter.id = "far";
	waiter.timeout = GIVE_UP_SECONDS;
	wait_with_sgctl(&waiter);
	assert_waited(&waiter, 1, "this host does not attach it");
	waiter.id = "nobody";
	waiter.timeout = "0";
	wait_with_sgctl(&waiter);
	assert_waited(&waiter, 1, "no interface nobody");
	waiter.timeout = "soon";
	wait_with_sgctl(&waiter);
	assert_waited(&waiter, 2, "--timeout");
	/* Its flows do not fit beside those of the first. */
	scene_tap("tap0");
	assert_true(scene_wait_state(daemon, "web", "filtering", GIVE_UP_MS) >= 0);
	waiter.id = "db";
	waiter.timeout = GIVE_UP_SECONDS;
	thread = g_thread_new("wait", wait_with_sgctl, &waiter);
	scene_tap("tap1");
	g_thread_join(thread);
	assert_waited(&waiter, 1, "tap1 is not filtered: ");
}

static void sgctl_wait_waits_for_the_definition_and_for_the_daemon(void **state)
{
	struct daemon *daemon = daemon_start("later", NULL);
	struct waiter waiter = {.daemon = daemon, .id = "web", .timeout = GIVE_UP_SECONDS};
	GThread *thread;

	(void)state;
	scene_tap("tap0");
	thread = g_thread_new("wait", wait_with_sgctl, &waiter);
	g_usleep(300000);
	daemon_apply(daemon, policy);
	g_thread_join(thread);
	assert_waited(&waiter, 0, "web: filtering tap0");
	daemon_kill(daemon);
	waiter.id = "db";
	thread = g_thread_new("wait", wait_with_sgctl, &waiter);
	g_usleep(300000);
	daemon_restart(daemon, NULL);
	g_usleep(300000);
	daemon_kill(daemon);
	daemon_restart(daemon, NULL);
	scene_tap("tap1");
	g_thread_join(thread);
	assert_waited(&waiter, 0, "db: filtering tap1");
}

/* ------------------------------------------------------------------ many */

#define WAITERS 1000

static int ask_and_wait(const struct daemon *daemon)
{
	static const char request[] = "GET /v1/interfaces/web?wait=120 HTTP/1.1\r\nHost: x\r\n"
				      "Connection: close\r\n\r\n";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, daemon->socket, sizeof(address.sun_path));
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
	return TAKE_FD(fd);
}

/* The rest of what it says is not read. */
static bool is_answered(int fd)
{
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	char text[1024] = "";

	return poll(&waiting, 1, GIVE_UP_MS) == 1 && recv(fd, text, sizeof(text) - 1, 0) > 0 &&
	       g_str_has_prefix(text, "HTTP/1.1 200 ");
}

static void a_thousand_may_wait_and_nobody_else_does(void **state)
{
	struct daemon *daemon = daemon_start("many", NULL);
	int *waiting = g_new0(int, WAITERS);
	unsigned int answered = 0;
	struct rlimit limit = {4096, 4096};
	struct stopwatch watch;
	gint64 start;

	(void)state;
	setrlimit(RLIMIT_NOFILE, &limit);
	daemon_apply(daemon, policy);
	for (unsigned int i = 0; i < WAITERS; i++)
		waiting[i] = ask_and_wait(daemon);
	watch = stopwatch_start(daemon->pid);
	for (unsigned int i = 0; i < 10; i++)
		sgctl_check(daemon, "show", "status", NULL);
	stopwatch_assert(&watch, 2000, "ten answers beside those who wait");
	start = g_get_monotonic_time();
	scene_tap("tap0");
	for (unsigned int i = 0; i < WAITERS; i++) {
		answered += is_answered(waiting[i]);
		close(waiting[i]);
	}
	print_message("%u of %u answered %d ms after the device\n", answered, WAITERS,
		      (int)((g_get_monotonic_time() - start) / 1000));
	g_free(waiting);
	assert_int_equal(answered, WAITERS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_time_is_up_without_a_device),
		TEST(the_device_that_appears_ends_the_waiting),
		TEST(sgctl_wait_ends_when_the_device_is_filtered),
		TEST(sgctl_wait_says_why_it_failed),
		TEST(sgctl_wait_waits_for_the_definition_and_for_the_daemon),
		TEST(a_thousand_may_wait_and_nobody_else_does),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
