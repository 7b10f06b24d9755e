/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_api_attack.c - clients that mean harm, or behave as if: slow ones, a thousand idle ones,
 * broken HTTP, answers that nobody takes. Root is served all the while, frames are filtered, and
 * the memory of rulesd stays in bounds.
 *
 * It is long because every attack needs the same stage.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/http_clients.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/scene.h"

#define READERS	   "daemon"
#define NOBODY	   65534
#define LATENCY_MS 2000 /* of a GET of root's; it is milliseconds on a machine that is not busy */
#define CHANGE	   "\r\nContent-Length: 13\r\n\r\n{\"version\":1}"

static const char policy[] =
	"{ \"version\": 1, \"groups\": { \"sg-web\": { \"ingress\": [ {"
	"  \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"] } ] } },"
	" \"interfaces\": { \"web\": { \"device\": \"tap0\", \"addresses\": [\"10.0.0.5\"],"
	"  \"groups\": [\"sg-web\"] } } }";

struct stage {
	struct tap *web, *outside;
	struct daemon *daemon;
	const char *socket;
};

static struct stage open_stage(const char *const *options)
{
	struct stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};

	chmod(netns_workdir(), 0755);
	stage.daemon = daemon_start("attack", options);
	stage.socket = stage.daemon->socket;
	daemon_apply(stage.daemon, policy);
	return stage;
}

static const char *const with_readers[] = {"--read-group", READERS, NULL};

/* Root has an answer soon, and the policy holds. */
static void assert_alive(const struct stage *stage)
{
	const int64_t started = g_get_monotonic_time();
	AUTO_HTTP struct http_answer answer =
		http_expect(stage->socket, 200, "GET", "/v1/status", NULL, NULL);
	const int64_t took_ms = (g_get_monotonic_time() - started) / 1000;

	if (took_ms > LATENCY_MS)
		fail_msg("root waited %d ms", (int)took_ms);
	assert_passes(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S");
	assert_drops(stage->outside, stage->web, "tcp 10.0.0.9:4000 > 10.0.0.5:444 S");
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool is_open(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return got > 0 || (got < 0 && errno == EAGAIN);
}

static unsigned int count_open(const int *fds, unsigned int count)
{
	unsigned int open = 0;

	for (unsigned int i = 0; i < count; i++)
		open += fds[i] >= 0 && is_open(fds[i]);
	return open;
}

static void close_all(const int *fds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static long __attribute__((unused)) rss_mib(const struct daemon *daemon, const char *which)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)daemon->pid);
	g_autofree char *text = NULL;
	const char *line;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	line = strstr(text, which);
	assert_non_null(line);
	return strtol(line + strlen(which), NULL, 10) / 1024;
}

/* What runs in a process of another user; its exit status is the answer. */
static int as_user(uid_t uid, int (*run)(const struct stage *stage, int ready),
		   const struct stage *stage, pid_t *pid, int *ready)
{
	const gid_t gid = getgrnam(READERS)->gr_gid;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	*pid = fork();
	if (*pid == 0) {
		close(pipes[0]);
		if (setgroups(1, &gid) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
			_exit(255);
		_exit(run(stage, pipes[1]));
	}
	close(pipes[1]);
	*ready = pipes[0];
	return 0;
}

static void wait_ready(int ready)
{
	char byte;

	assert_int_equal(read(ready, &byte, 1), 1);
	close(ready);
}

static int status_of(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* ---------------------------------------------------------------- idle connections */

#define IDLE  1000
#define HOARD 500

static void a_thousand_idle_connections_lock_nobody_out(void **state)
{
	struct stage stage = open_stage(NULL);
	int fds[IDLE];

	(void)state;
	for (unsigned int i = 0; i < IDLE; i++) {
		fds[i] = connect_to(stage.socket);
		assert_true(fds[i] >= 0);
		if (i % 100 == 99)
			assert_alive(&stage);
	}
	assert_in_range(count_open(fds, IDLE), 1, API_CONNECTIONS / 4 * 3);
	/* The oldest went, not the newest. */
	assert_false(is_open(fds[0]));
	assert_true(is_open(fds[IDLE - 1]));
	for (unsigned int i = 0; i < 10; i++)
		assert_alive(&stage);
	close_all(fds, IDLE);
}

/* Opens as many as it can, all the time, until root is done. */
static int hoard(const struct stage *stage, int ready)
{
	int fds[HOARD];
	struct http_answer answer;
	unsigned int open;

	for (unsigned int i = 0; i < HOARD; i++)
		fds[i] = connect_to(stage->socket);
	/* It is not shut out either. */
	answer = http_request(stage->socket, "GET", "/v1/status", NULL, NULL);
	open = count_open(fds, HOARD);
	if (write(ready, "", 1) != 1)
		return 1;
	g_usleep(2 * G_USEC_PER_SEC);
	if (answer.status != 200) {
		print_error("status %ld: %s\n", answer.status, answer.text);
		return 2;
	}
	return open && open <= API_CONNECTIONS_EACH ? 0 : 3;
}

static void a_user_has_its_share_of_connections_and_no_more(void **state)
{
	struct stage stage = open_stage(with_readers);
	const struct http_peer other = {
		.uid = NOBODY - 10, .gid = NOBODY, .group = getgrnam(READERS)->gr_gid};
	int ready[3];
	pid_t pids[3];

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		as_user(NOBODY - i, hoard, &stage, &pids[i], &ready[i]);
	for (unsigned int i = 0; i < 3; i++)
		wait_ready(ready[i]);
	assert_alive(&stage);
	assert_int_equal(http_status_as(&other, stage.socket, "GET", "/v1/status", NULL), 200);
	assert_int_equal(http_status_as(&other, stage.socket, "PUT", "/v1/policy", "{}"), 403);
	assert_alive(&stage);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(status_of(pids[i]), 0);
}

/* ---------------------------------------------------------------- slow clients */

/* A byte now and then; whether it was cut off, and when. */
static void nobody_takes_for_ever(void **state)
{
	static const char head[] = "GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Slow: "
				   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const char body[] =
		"PUT /v1/policy HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n";
	struct stage stage = open_stage(NULL);
	const int64_t started = g_get_monotonic_time();
	int fds[3], gone_ms[3] = {0};

	(void)state;
	fds[0] = connect_to(stage.socket);
	fds[1] = http_send_bytes(stage.socket, body, sizeof(body) - 1);
	fds[2] = http_send_bytes(stage.socket, head, 20);
	for (unsigned int i = 0; i < 40; i++) {
		send(fds[0], head + i, 1, MSG_NOSIGNAL);
		send(fds[1], " ", 1, MSG_NOSIGNAL);
		g_usleep(500 * 1000);
		for (unsigned int f = 0; f < 3; f++)
			if (!gone_ms[f] && !is_open(fds[f]))
				gone_ms[f] = (int)((g_get_monotonic_time() - started) / 1000);
		if (i % 4 == 0)
			assert_alive(&stage);
		if (gone_ms[0] && gone_ms[1] && gone_ms[2])
			break;
	}
	for (unsigned int f = 0; f < 3; f++)
		if (!gone_ms[f] || gone_ms[f] < HTTP_BODY_SECS * 1000)
			fail_msg("client %u was cut off after %d ms", f, gone_ms[f]);
	close_all(fds, 3);
}

/* ---------------------------------------------------------------- broken HTTP */

/* Everything that is answered until rulesd closes, or for half a second. */
static char *talk(const char *path, const char *bytes, size_t length)
{
	GString *text = g_string_new(NULL);
	struct pollfd poll_fd = {.fd = connect_to(path), .events = POLLIN};
	char block[4096];
	ssize_t got;

	assert_true(poll_fd.fd >= 0);
	(void)!send(poll_fd.fd, bytes, length, MSG_NOSIGNAL);
	while (poll(&poll_fd, 1, 500) == 1 && (got = recv(poll_fd.fd, block, sizeof(block), 0)) > 0)
		g_string_append_len(text, block, got);
	close(poll_fd.fd);
	return g_string_free(text, FALSE);
}

static long first_status(const char *text)
{
	return g_str_has_prefix(text, "HTTP/1.") ? strtol(text + 9, NULL, 10) : 0;
}

static void broken_requests_are_refused_or_cut_off(void **state)
{
#define RAW(text, status)                      \
	{                                      \
		text, sizeof(text) - 1, status \
	}
	static const struct {
		const char *bytes;
		size_t length;
		long status; /* 0: closed, or nothing within half a second */
	} cases[] = {
		RAW("GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 200),
		RAW("GET /v1/status HTTP/1.0\r\n\r\n", 200),
		RAW("GET /v1/status HTTP/1.1\r\n\r\n", 400), /* no Host */
		RAW("GET http://localhost/v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 200),
		RAW("GET HTTP://x:80/v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 200),
		RAW("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		RAW("GET ftp://x/v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		RAW("GET //v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		RAW("GET /v1/../v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		RAW("GET /v1/status%00 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		RAW("GET /v1/interfaces/web%00x HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		RAW("GET /v1/flows?interface=web%00x HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		RAW("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		RAW("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
		RAW("get /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", 405),
		RAW("GET /v1/status HTTP/9.9\r\nHost: x\r\n\r\n", 505),
		RAW("GET /v1/status\r\n\r\n", 400),
		RAW("PUT /v1/policy HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n"
		    "Content-Length: 14\r\n\r\n{\"version\":1} ",
		    400),
		RAW("PUT /v1/policy HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
		RAW("PUT /v1/policy HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n", 400),
		RAW("PUT /v1/policy HTTP/1.1\r\nHost: x\r\n"
		    "Content-Length: 99999999999999999999999\r\n\r\n",
		    413),
		RAW("PUT /v1/policy HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		    400),
		RAW("PUT /v1/policy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "zz\r\n{}\r\n0\r\n\r\n",
		    400),
		RAW("PUT /v1/policy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "ffffffffffffffffffff\r\n{}",
		    413),
		RAW("PUT /v1/policy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "2\r\n{}XX0\r\n\r\n",
		    400),
		RAW("PUT /v1/policy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "d;a=b\r\n{\"version\":2}\r\n0\r\nTrailer: x\r\n\r\n",
		    422),
		RAW("\r\n\r\n\r\n", 0),
		RAW("\0\0\0\0\0\0\0\0\r\n\r\n", 0),
		RAW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 0),
	};
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer before =
		http_expect(stage.socket, 200, "GET", "/v1/policy", NULL, NULL);
	AUTO_HTTP struct http_answer after = {0};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *answer = talk(stage.socket, cases[i].bytes, cases[i].length);
		long status = first_status(answer);

		if (status != cases[i].status)
			fail_msg("case %zu: %ld, not %ld: %.40s\n%s", i, status, cases[i].status,
				 cases[i].bytes, answer);
	}
	after = http_expect(stage.socket, 200, "GET", "/v1/policy", NULL, NULL);
	assert_string_equal(after.text, before.text);
	assert_string_equal(after.etag, before.etag);
	assert_alive(&stage);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_thousand_idle_connections_lock_nobody_out),
		TEST(a_user_has_its_share_of_connections_and_no_more),
		TEST(nobody_takes_for_ever),
		TEST(broken_requests_are_refused_or_cut_off),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
