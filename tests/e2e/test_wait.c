/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_wait.c - PUT /v1/interfaces/{id}?wait=: the answer comes when the device does or the time is
 * up, and not only when some other client happens to wake the server.
 */
#include <glib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

/* As the requests below give up: far above what is asked for, so that the clock judges nothing. */
#define GIVE_UP_SECONDS "20"

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

/* By the log: to ask the API would wake the server, which is what must not be needed. */
static void wait_logged(const struct daemon *daemon, const char *line)
{
	for (int waited = 0; waited < 10000; waited += 5) {
		g_autofree char *log = daemon_log(daemon);

		if (strstr(log, line))
			return;
		g_usleep(5000);
	}
	fail_msg("rulesd never logs: %s", line);
}

static void the_device_that_appears_ends_the_waiting(void **state)
{
	struct request request = {.daemon = daemon_start("soon", NULL), .query = "wait=300"};
	GThread *thread;

	(void)state;
	thread = g_thread_new("put", put_interface, &request);
	wait_logged(request.daemon, "interface web: attached by hand");
	scene_tap("tap0");
	g_thread_join(thread);
	assert_answer(&request, "201", "\"state\":\"filtering\"");
	command_free(&request.command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_time_is_up_without_a_device),
		TEST(the_device_that_appears_ends_the_waiting),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
