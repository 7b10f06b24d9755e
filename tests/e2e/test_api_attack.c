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
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define READERS	   "daemon"
#define NOBODY	   65534
#define LATENCY_MS 1000 /* of a GET of root's; it is milliseconds when nobody attacks */

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
	const struct stopwatch watch = stopwatch_start(stage->daemon->pid);
	AUTO_HTTP struct http_answer answer =
		http_expect(stage->socket, 200, "GET", "/v1/status", NULL, NULL);

	stopwatch_assert(&watch, LATENCY_MS, "an answer for root");
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

static long rss_mib(const struct daemon *daemon, const char *which)
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
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the change of user, which clears it */
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

#define IDLE  1200
#define HOARD 500

static void a_thousand_idle_connections_lock_nobody_out(void **state)
{
	struct rlimit limit = {4096, 4096};
	struct stage stage = open_stage(NULL);
	int fds[IDLE];

	(void)state;
	setrlimit(RLIMIT_NOFILE, &limit);
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
	for (unsigned int i = 0; i < sizeof(head) - 1; i++) {
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

#define SILENCE_MS 500 /* after which nothing will be answered */

/* What is answered: all of it, until rulesd closes (whole), or the first of it; at most until
 * limit_ms of silence. */
static char *talk(const char *path, const char *bytes, size_t length, bool whole, int limit_ms)
{
	GString *text = g_string_new(NULL);
	struct pollfd poll_fd = {.fd = connect_to(path), .events = POLLIN};
	char block[4096];
	ssize_t got;

	assert_true(poll_fd.fd >= 0);
	(void)!send(poll_fd.fd, bytes, length, MSG_NOSIGNAL);
	while ((whole || text->len == 0) && poll(&poll_fd, 1, limit_ms) == 1 &&
	       (got = recv(poll_fd.fd, block, sizeof(block), 0)) > 0)
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
		g_autofree char *answer = talk(stage.socket, cases[i].bytes, cases[i].length, false,
					       cases[i].status ? GIVE_UP_MS : SILENCE_MS);
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

/* Several requests in one go are answered in their order. */
static void requests_may_be_sent_ahead(void **state)
{
	struct stage stage = open_stage(NULL);
	g_autoptr(GString) many = g_string_new(NULL);
	g_autofree char *answer = NULL;
	const char *at;
	unsigned int count = 0;

	(void)state;
	for (unsigned int i = 0; i < 50; i++)
		g_string_append_printf(many, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
				       i % 2 ? "/v1/nothing" : "/v1/generations");
	g_string_append(many, "GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	answer = talk(stage.socket, many->str, many->len, true, GIVE_UP_MS);
	for (at = answer; (at = strstr(at, "HTTP/1.1 ")); at += 9, count++)
		assert_int_equal(first_status(at), count % 2 ? 404 : 200);
	assert_int_equal(count, 51);
	assert_alive(&stage);
}

static void what_is_large_is_refused_and_not_kept(void **state)
{
	struct stage stage = open_stage(NULL);
	const long before = rss_mib(stage.daemon, "VmRSS:");
	g_autofree char *header = g_strnfill(200000, 'a');
	g_autofree char *head =
		g_strdup_printf("GET /v1/status HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", header);
	g_autofree char *line = g_strdup_printf("GET /%s HTTP/1.1\r\nHost: x\r\n\r\n", header);
	g_autoptr(GString) many = g_string_new("GET /v1/status HTTP/1.1\r\nHost: x\r\n");

	(void)state;
	for (unsigned int i = 0; i < 20000; i++)
		g_string_append_printf(many, "X-%u: %u\r\n", i, i);
	g_string_append(many, "\r\n");
	for (unsigned int i = 0; i < 20; i++) {
		g_autofree char *one = talk(stage.socket, head, strlen(head), true, GIVE_UP_MS);
		g_autofree char *two = talk(stage.socket, line, strlen(line), true, GIVE_UP_MS);
		g_autofree char *three = talk(stage.socket, many->str, many->len, true, GIVE_UP_MS);

		/* A reset may overtake the answer. */
		assert_true(!*one || first_status(one) == 431);
		assert_true(!*two || first_status(two) == 414 || first_status(two) == 431);
		assert_true(!*three || first_status(three) == 431);
	}
	assert_alive(&stage);
	assert_true(!MEMORY_COUNTS || rss_mib(stage.daemon, "VmHWM:") < before + 16);
}

/* ---------------------------------------------------------------- replies */

#define MEMBERS	  60000 /* a policy of some megabytes */
#define TAKERS	  60
#define ASK(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static char *large_policy(void)
{
	GString *text = g_string_new("{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[{"
				     "\"protocol\":\"tcp\",\"ports\":[443],\"from\":[\"any\"]}]}},"
				     "\"interfaces\":{\"web\":{\"device\":\"tap0\","
				     "\"addresses\":[\"10.0.0.5\"],\"groups\":[\"sg-web\"]}");

	for (unsigned int i = 0; i < MEMBERS; i++)
		g_string_append_printf(text,
				       ",\"m%u\":{\"addresses\":[\"10.1.%u.%u\"],\"groups\":"
				       "[\"sg-web\"],\"description\":\"a member of the group\"}",
				       i, i / 250, i % 250);
	g_string_append(text, "}}");
	return g_string_free(text, FALSE);
}

/* Asks for the policy again and again and reads nothing. Stays until it is killed. */
static int take_nothing(const struct stage *stage, int ready)
{
	for (unsigned int i = 0; i < TAKERS; i++)
		(void)http_send_bytes(stage->socket, ASK("/v1/policy"),
				      sizeof(ASK("/v1/policy")) - 1);
	g_usleep(G_USEC_PER_SEC);
	if (write(ready, "", 1) != 1)
		return 1;
	pause();
	return 0;
}

static void answers_that_nobody_takes_have_a_bound(void **state)
{
	struct stage stage = open_stage(with_readers);
	g_autofree char *text = large_policy();
	AUTO_HTTP struct http_answer applied =
		http_expect(stage.socket, 200, "PUT", "/v1/policy", text, NULL);
	AUTO_HTTP struct http_answer whole =
		http_expect(stage.socket, 200, "GET", "/v1/policy", NULL, NULL);
	/* The first one of a large policy waits for its digest, which is no attacker's doing. */
	AUTO_HTTP struct http_answer status =
		http_expect(stage.socket, 200, "GET", "/v1/status", NULL, NULL);
	const long before = rss_mib(stage.daemon, "VmRSS:");
	const long size_mib = (long)(strlen(whole.text) >> 20);
	pid_t pids[3];
	int ready[3];

	(void)state;
	/* Else there is nothing to be bounded. */
	assert_true(size_mib * TAKERS * 3 > 2 * (long)(API_REPLIES_READ >> 20));
	for (unsigned int i = 0; i < 3; i++)
		as_user(NOBODY - i, take_nothing, &stage, &pids[i], &ready[i]);
	for (unsigned int i = 0; i < 3; i++)
		wait_ready(ready[i]);
	for (unsigned int i = 0; i < 20; i++) {
		assert_alive(&stage);
		g_usleep(G_USEC_PER_SEC / 4);
	}
	{
		AUTO_HTTP struct http_answer mine =
			http_expect(stage.socket, 200, "GET", "/v1/policy", NULL, NULL);

		assert_string_equal(mine.text, whole.text);
	}
	assert_true(!MEMORY_COUNTS ||
		    rss_mib(stage.daemon, "VmRSS:") <
			    before + (long)(API_REPLIES_READ >> 20) + 8 * size_mib);
	for (unsigned int i = 0; i < 3; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	assert_alive(&stage);
}

/* Opens streams and never reads; 0 when it got its share and then refusals. */
static int listen_and_sleep(const struct stage *stage, int ready)
{
	unsigned int served = 0;
	int fds[API_STREAMS_READ + 10];

	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++)
		fds[i] = http_send_bytes(stage->socket, ASK("/v1/events"),
					 sizeof(ASK("/v1/events")) - 1);
	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++) {
		struct pollfd poll_fd = {.fd = fds[i], .events = POLLIN};
		char head[64] = "";

		/* Each is answered or closed. */
		if (poll(&poll_fd, 1, GIVE_UP_MS) != 1 ||
		    recv(fds[i], head, sizeof(head) - 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
			continue;
		served += first_status(head) == 200;
	}
	if (write(ready, "", 1) != 1)
		return 1;
	g_usleep(3 * G_USEC_PER_SEC);
	return served && served <= API_STREAMS_READ ? 0 : 2;
}

static void streams_that_nobody_reads_have_a_bound(void **state)
{
	struct stage stage = open_stage(with_readers);
	const long before = rss_mib(stage.daemon, "VmRSS:");
	const int64_t until = g_get_monotonic_time() + 2 * G_USEC_PER_SEC;
	struct frame frame;
	int ready, mine;
	char head[64] = "";
	pid_t pid;

	(void)state;
	as_user(NOBODY, listen_and_sleep, &stage, &pid, &ready);
	wait_ready(ready);
	mine = http_send_bytes(stage.socket, ASK("/v1/events?drops=1"),
			       sizeof(ASK("/v1/events?drops=1")) - 1);
	frame_make(&frame, "tcp 10.0.0.9:4000 > 10.0.0.5:444 S");
	while (g_get_monotonic_time() < until) {
		for (unsigned int i = 0; i < 500; i++)
			tap_write(stage.outside, &frame);
		tap_drain(stage.web);
		g_usleep(10000);
	}
	assert_alive(&stage);
	assert_true(recv(mine, head, sizeof(head) - 1, 0) > 0);
	assert_int_equal(first_status(head), 200);
	assert_true(!MEMORY_COUNTS || rss_mib(stage.daemon, "VmHWM:") < before + 64);
	close(mine);
	assert_int_equal(status_of(pid), 0);
	assert_alive(&stage);
}

/* A body without end behind a request that is refused. */
static int pour(const struct stage *stage, int ready)
{
	static const char head[] = "PUT /v1/policy HTTP/1.1\r\nHost: x\r\nContent-Length: "
				   "99999999999\r\n\r\n";
	static char block[1 << 16];
	int fd = http_send_bytes(stage->socket, head, sizeof(head) - 1);
	uint64_t sent = 0;
	ssize_t took;

	if (write(ready, "", 1) != 1)
		return 1;
	while ((took = send(fd, block, sizeof(block), MSG_NOSIGNAL)) > 0 && sent < 1ull << 31)
		sent += (uint64_t)took;
	return sent < (uint64_t)API_WASTE * 2 ? 0 : 2;
}

static void a_refused_body_is_not_read_for_ever(void **state)
{
	struct stage stage = open_stage(with_readers);
	pid_t pid;
	int ready;

	(void)state;
	as_user(NOBODY, pour, &stage, &pid, &ready);
	wait_ready(ready);
	assert_alive(&stage);
	assert_int_equal(status_of(pid), 0);
}

/* ---------------------------------------------------------------- writers */

static void preconditions_are_those_of_the_rfc(void **state)
{
#define HAND "{\"device\":\"tap1\",\"addresses\":[\"10.0.0.9\"]}"
	static const struct {
		const char *header; /* % is the generation */
		const char *path, *body;
		long status;
	} cases[] = {
		{"If-Match: \"%\"", "/v1/policy", policy, 200},
		{"If-Match: \"999\", \"%\"", "/v1/policy", policy, 200},
		{"If-Match: \"999\" ,, \t\"%\" ,", "/v1/policy", policy, 200},
		{"If-Match: *", "/v1/policy", policy, 200},
		{"If-Match: \"a,b\", \"%\"", "/v1/policy", policy, 200},
		{"If-Match: W/\"%\"", "/v1/policy", policy, 412},
		{"If-Match: W/\"%\", \"999\"", "/v1/policy", policy, 412},
		{"If-Match: \"999\"", "/v1/policy", policy, 412},
		{"If-Match: \"x%\"", "/v1/policy", policy, 412},
		{"If-Match: \"999,%\"", "/v1/policy", policy, 412},
		{"If-Match: %", "/v1/policy", policy, 400},
		{"If-Match: \"%", "/v1/policy", policy, 400},
		{"If-Match: \"%\" \"%\"", "/v1/policy", policy, 400},
		{"If-Match: *, \"%\"", "/v1/policy", policy, 400},
		{"If-Match: w/\"%\"", "/v1/policy", policy, 400},
		{"If-None-Match: \"%\"", "/v1/policy", policy, 412},
		{"If-None-Match: W/\"%\"", "/v1/policy", policy, 412},
		{"If-None-Match: *", "/v1/policy", policy, 412},
		{"If-None-Match: \"999\"", "/v1/policy", policy, 200},
		{"If-Match: *", "/v1/interfaces/hand", HAND, 412},
		{"If-None-Match: *", "/v1/interfaces/hand", HAND, 201},
		{"If-None-Match: *", "/v1/interfaces/hand", HAND, 412},
		{"If-Match: *", "/v1/interfaces/hand", HAND, 200},
	};
	struct stage stage = open_stage(NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		AUTO_HTTP struct http_answer now =
			http_expect(stage.socket, 200, "GET", "/v1/status", NULL, NULL);
		AUTO_HTTP struct http_answer answer = {0};
		g_autofree char *generation = g_strndup(now.etag + 1, strlen(now.etag) - 2);
		GString *header = g_string_new(cases[i].header);

		g_string_replace(header, "%", generation, 0);
		answer = http_request(stage.socket, "PUT", cases[i].path, cases[i].body,
				      header->str);
		g_string_free(header, TRUE);
		if (answer.status != cases[i].status)
			fail_msg("%s: %ld, not %ld: %s", cases[i].header, answer.status,
				 cases[i].status, answer.text);
	}
}

#define WRITERS 8
#define ROUNDS	20

/* Reads the generation and writes if it still holds; how often that went well. */
static int write_often(const struct stage *stage, unsigned int number)
{
	int won = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		AUTO_HTTP struct http_answer now =
			http_request(stage->socket, "GET", "/v1/status", NULL, NULL);
		g_autofree char *header = g_strconcat("If-Match: ", now.etag, NULL);
		g_autofree char *body = g_strdup_printf(
			"{\"version\":1,\"groups\":{\"sg-%u\":{\"description\":\"%u\"}}}", number,
			i);
		AUTO_HTTP struct http_answer answer =
			http_request(stage->socket, "PATCH", "/v1/policy", body, header);

		if (answer.status != 200 && answer.status != 412)
			return 255;
		won += answer.status == 200;
	}
	return won;
}

/* No change is lost: each that was accepted is a generation of its own, and is in the policy. */
static void of_parallel_writers_none_overwrites_another(void **state)
{
	struct stage stage = open_stage(NULL);
	AUTO_HTTP struct http_answer before =
		http_expect(stage.socket, 200, "GET", "/v1/status", NULL, NULL);
	AUTO_HTTP struct http_answer after = {0};
	pid_t pids[WRITERS];
	json_int_t first, last;
	int won = 0;

	(void)state;
	for (unsigned int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(write_often(&stage, i));
	}
	for (unsigned int i = 0; i < WRITERS; i++) {
		int one = status_of(pids[i]);

		assert_int_not_equal(one, 255);
		won += one;
	}
	after = http_expect(stage.socket, 200, "GET", "/v1/status", NULL, NULL);
	first = json_integer_value(json_object_get(before.json, "generation"));
	last = json_integer_value(json_object_get(after.json, "generation"));
	assert_true(won >= ROUNDS);
	assert_int_equal(last - first, won);
	assert_alive(&stage);
}

/* ---------------------------------------------------------------- the port of metrics */

#define PORT 9180

static int connect_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* wanted: an answer is sure to come. */
static long ask_port(const char *bytes, size_t length, bool wanted)
{
	struct pollfd poll_fd = {.fd = connect_port(), .events = POLLIN};
	char head[64] = "";

	(void)!send(poll_fd.fd, bytes, length, MSG_NOSIGNAL);
	if (poll(&poll_fd, 1, wanted ? GIVE_UP_MS : SILENCE_MS) == 1 &&
	    recv(poll_fd.fd, head, sizeof(head) - 1, 0) < 0)
		*head = '\0';
	close(poll_fd.fd);
	return first_status(head);
}

static void the_metrics_port_is_no_softer(void **state)
{
#define METRICS ASK("/metrics")
	static const char *const options[] = {"--metrics", "127.0.0.1:9180", NULL};
	static const char junk[] = "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n\0\0";
	static const char body[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
	struct stage stage = open_stage(options);
	int idle[100];

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(idle); i++) {
		idle[i] = connect_port();
		if (i % 3 == 0)
			(void)!send(idle[i], METRICS, 20, MSG_NOSIGNAL);
		if (i % 3 == 1)
			(void)!send(idle[i], METRICS, sizeof(METRICS) - 1, MSG_NOSIGNAL);
	}
	assert_int_equal(ask_port(METRICS, sizeof(METRICS) - 1, true), 200);
	assert_in_range(count_open(idle, G_N_ELEMENTS(idle)), 1, G_N_ELEMENTS(idle) - 1);
	assert_int_equal(ask_port(ASK("/v1/status"), sizeof(ASK("/v1/status")) - 1, true), 404);
	assert_int_equal(ask_port("PUT /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 34, true), 405);
	assert_int_equal(ask_port("GET /metrics HTTP/1.1\r\n\r\n", 25, true), 400);
	assert_int_equal(ask_port(junk, sizeof(junk), false), 0);
	close_all(idle, G_N_ELEMENTS(idle));
	{
		int fd = connect_port();
		char answer[16];

		assert_true(send(fd, body, sizeof(body) - 1, MSG_NOSIGNAL) > 0);
		assert_true(send(fd, "aaaaa", 5, MSG_NOSIGNAL) > 0);
		assert_true(recv(fd, answer, sizeof(answer), 0) <= 0); /* cut off */
		close(fd);
	}
	assert_int_equal(ask_port(METRICS, sizeof(METRICS) - 1, true), 200);
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
		TEST(requests_may_be_sent_ahead),
		TEST(what_is_large_is_refused_and_not_kept),
		TEST(answers_that_nobody_takes_have_a_bound),
		TEST(streams_that_nobody_reads_have_a_bound),
		TEST(a_refused_body_is_not_read_for_ever),
		TEST(preconditions_are_those_of_the_rfc),
		TEST(of_parallel_writers_none_overwrites_another),
		TEST(the_metrics_port_is_no_softer),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
