/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_api_clients.c - who may use the API, by the credentials of the process at the other end; and
 * clients that are slow, that vanish, or that send too much.
 */
#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/http_clients.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

/* Groups that every Debian has; nobody's own one is neither. */
#define WRITERS "games"
#define READERS "daemon"
#define NOBODY	65534

#define SLOW_CLIENTS 100

static gid_t gid_of(const char *name)
{
	const struct group *group = getgrnam(name);

	if (!group)
		fail_msg("this system has no group %s", name);
	return group->gr_gid;
}

static struct http_peer nobody_in(const char *group)
{
	return (struct http_peer){
		.uid = NOBODY, .gid = NOBODY, .group = group ? gid_of(group) : NOBODY};
}

static const char *start(const char *const *options)
{
	chmod(netns_workdir(), 0755); /* so that others reach the socket */
	return daemon_start("clients", options)->socket;
}

static void assert_may(const struct http_peer *peer, const char *socket, long reads, long writes)
{
	assert_int_equal(http_status_as(peer, socket, "GET", "/v1/status", NULL), reads);
	assert_int_equal(http_status_as(peer, socket, "GET", "/metrics", NULL), reads);
	/* 422: it was allowed to ask. */
	assert_int_equal(http_status_as(peer, socket, "POST", "/v1/trace", "{}"),
			 reads == 200 ? 422 : reads);
	assert_int_equal(http_status_as(peer, socket, "PUT", "/v1/policy", "{\"version\":1}"),
			 writes);
	assert_int_equal(http_status_as(peer, socket, "DELETE", "/v1/flows", NULL), writes);
}

static void without_groups_only_root_connects(void **state)
{
	const char *socket = start(NULL);
	const struct http_peer nobody = nobody_in(NULL);
	const struct http_peer root = {0};
	struct stat st;

	(void)state;
	assert_int_equal(stat(socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_may(&nobody, socket, 0, 0);
	assert_may(&root, socket, 200, 200);
}

static void the_socket_group_may_write(void **state)
{
	static const char *const options[] = {"--socket-group", WRITERS, NULL};
	const char *socket = start(options);
	const struct http_peer writer = nobody_in(WRITERS), reader = nobody_in(READERS);
	const struct http_peer primary = {
		.uid = NOBODY, .gid = gid_of(WRITERS), .group = gid_of(WRITERS)};

	(void)state;
	assert_may(&writer, socket, 200, 200);
	assert_may(&primary, socket, 200, 200);
	assert_may(&reader, socket, 0, 0);
}

static void the_read_group_may_read_and_trace(void **state)
{
	static const char *const options[] = {"--read-group", READERS, NULL};
	const char *socket = start(options);
	const struct http_peer writer = nobody_in(WRITERS), reader = nobody_in(READERS);

	(void)state;
	assert_may(&reader, socket, 200, 403);
	assert_may(&writer, socket, 0, 0);
}

static void both_groups_have_their_rights(void **state)
{
	static const char *const options[] = {"--socket-group", WRITERS, "--read-group", READERS,
					      NULL};
	const char *socket = start(options);
	const struct http_peer writer = nobody_in(WRITERS), reader = nobody_in(READERS);
	const struct http_peer stranger = nobody_in(NULL);

	(void)state;
	assert_may(&writer, socket, 200, 200);
	assert_may(&reader, socket, 200, 403);
	assert_may(&stranger, socket, 0, 0);
}

static void no_reader_may_use_a_route_that_changes_something(void **state)
{
	static const char *const options[] = {"--read-group", READERS, NULL};
	const char *socket = start(options);
	const struct http_peer reader = nobody_in(READERS);

	(void)state;
	for (const struct api_route *route = api_routes; route->method; route++) {
		const bool reads =
			strcmp(route->method, "GET") == 0 || strcmp(route->path, "/v1/trace") == 0;
		long status = http_status_as(&reader, socket, route->method, route->path, NULL);

		if ((status == 403) == reads)
			fail_msg("%s %s answers a reader %ld", route->method, route->path, status);
	}
}

/* ---------------------------------------------------------------- unpleasant clients */

static void slow_clients_do_not_keep_others_waiting(void **state)
{
	static const char head[] = "PUT /v1/policy HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n";
	const char *socket = start(NULL);
	int slow[SLOW_CLIENTS];

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(slow); i++) {
		g_autofree char *bytes =
			i % 2 ? g_strdup(head) : g_strconcat(head, "\r\n{\"version\"", NULL);

		slow[i] = http_send_bytes(socket, bytes, strlen(bytes));
	}
	for (unsigned int i = 0; i < 10; i++) {
		AUTO_HTTP struct http_answer answer =
			http_expect(socket, 200, "GET", "/v1/status", NULL, NULL);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(slow); i++)
		close(slow[i]);
	{
		AUTO_HTTP struct http_answer answer =
			http_expect(socket, 200, "GET", "/v1/status", NULL, NULL);

		assert_string_equal(json_string_value(json_object_get(answer.json, "source")),
				    "none");
	}
}

#define UPLOAD	 100000 /* several times what rulesd reads in one turn of its loop */
#define UPLOADED "{\"version\":1}"

/* What comes of a connection, at most length bytes; what was read before it ended. */
static size_t read_answer(int fd, char *answer, size_t length)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	size_t got = 0;
	ssize_t more = 1;

	while (got < length && more > 0 && poll(&poll_fd, 1, GIVE_UP_MS) == 1) {
		more = recv(fd, answer + got, length - got, 0);
		got += more > 0 ? (size_t)more : 0;
	}
	if (got < length && more > 0)
		fail_msg("neither an answer nor an end of the connection");
	return got;
}

/* While it stands still, or is busy, nobody reads what a client has sent: that is not late. A
 * client that has not sent it is, and is cut off when rulesd has had time to wait for it. */
static void an_upload_outlives_a_rulesd_that_stands_still(void **state)
{
	static const char begin[] =
		"PUT /v1/policy HTTP/1.1\r\nHost: x\r\nContent-Length: " G_STRINGIFY(
			UPLOAD) "\r\n\r\n" UPLOADED;
	g_autofree char *rest = g_strnfill(UPLOAD - strlen(UPLOADED), ' ');
	char answer[sizeof("HTTP/1.1 200") - 1];
	struct daemon *daemon;
	int quick, slow;

	(void)state;
	chmod(netns_workdir(), 0755);
	daemon = daemon_start("clients", NULL);
	quick = http_send_bytes(daemon->socket, begin, strlen(begin));
	slow = http_send_bytes(daemon->socket, begin, strlen(begin));
	{ /* It has read these. */
		AUTO_HTTP struct http_answer other =
			http_expect(daemon->socket, 200, "GET", "/v1/status", NULL, NULL);
	}
	assert_int_equal(kill(daemon->pid, SIGSTOP), 0);
	assert_int_equal(send(quick, rest, strlen(rest), MSG_NOSIGNAL), strlen(rest));
	g_usleep((HTTP_BODY_SECS + 3) * G_USEC_PER_SEC);
	assert_int_equal(kill(daemon->pid, SIGCONT), 0);
	assert_int_equal(read_answer(quick, answer, sizeof(answer)), sizeof(answer));
	assert_memory_equal(answer, "HTTP/1.1 200", sizeof(answer));
	assert_int_equal(read_answer(slow, answer, sizeof(answer)), 0);
	close(quick);
	close(slow);
}

static void what_is_no_http_is_no_harm(void **state)
{
	static const char junk[] = "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n\0\0\0";
	const char *socket = start(NULL);

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		close(http_send_bytes(socket, junk, sizeof(junk)));
	{
		AUTO_HTTP struct http_answer answer =
			http_expect(socket, 200, "GET", "/v1/status", NULL, NULL);
	}
}

/* A client that waits for a device, and leaves, or is there when rulesd ends. */
static void who_waits_and_leaves_is_forgotten(void **state)
{
	static const char wait[] =
		"PUT /v1/interfaces/late?wait=300 HTTP/1.1\r\nHost: x\r\nContent-Length: 45\r\n\r\n"
		"{\"device\":\"tap7\",\"addresses\":[\"10.0.0.7\"]}   ";
	struct daemon *daemon;
	int waiting;

	(void)state;
	chmod(netns_workdir(), 0755);
	daemon = daemon_start("clients", NULL);
	close(http_send_bytes(daemon->socket, wait, strlen(wait)));
	waiting = http_send_bytes(daemon->socket, wait, strlen(wait));
	assert_true(scene_wait_state(daemon, "late", "waiting", GIVE_UP_MS) >= 0);
	scene_tap("tap7");
	assert_true(scene_wait_state(daemon, "late", "filtering", GIVE_UP_MS) >= 0);
	close(waiting);
	assert_int_equal(daemon_stop(daemon), 0);
}

static void assert_answered(int fd)
{
	const struct timeval limit = {.tv_sec = GIVE_UP_MS / 1000};
	char status[13] = "";

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(recv(fd, status, sizeof(status) - 1, MSG_WAITALL), sizeof(status) - 1);
	assert_string_equal(status, "HTTP/1.1 200");
	close(fd);
}

/* libmicrohttpd itself would not listen any more until another client came and went. */
static void without_a_descriptor_a_client_waits_and_is_answered(void **state)
{
	static const char ask[] = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char wait[] = "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n";
	struct rlimit before, none;

	(void)state;
	chmod(netns_workdir(), 0755);
	for (unsigned int others = 0; others < 2; others++) {
		g_autofree char *name = g_strdup_printf("clients%u", others);
		const struct daemon *daemon = daemon_start(name, NULL);
		int other = others ? http_send_bytes(daemon->socket, wait, strlen(wait)) : -1;
		int client;

		if (others)
			sgctl_check(daemon, "show", "status", NULL); /* it was let in before */
		assert_int_equal(prlimit(daemon->pid, RLIMIT_NOFILE, NULL, &before), 0);
		none = (struct rlimit){.rlim_cur = 1, .rlim_max = before.rlim_max};
		assert_int_equal(prlimit(daemon->pid, RLIMIT_NOFILE, &none, NULL), 0);
		client = http_send_bytes(daemon->socket, ask, strlen(ask));
		daemon_wait_log(daemon, "a client has to wait: accept: Too many open files");
		assert_int_equal(prlimit(daemon->pid, RLIMIT_NOFILE, &before, NULL), 0);
		assert_answered(client);
		if (others)
			close(other);
	}
}

/* Those who left are in it until rulesd lets them in. */
static void fill_backlog(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	for (;;) {
		AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		assert_true(fd >= 0);
		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
			assert_int_equal(errno, EAGAIN);
			return;
		}
	}
}

static gpointer ask_status(gpointer daemon)
{
	struct command *answer = g_new(struct command, 1);

	*answer = sgctl_run(daemon, "show", "status", NULL);
	return answer;
}

/* As when somebody connects all the time, or rulesd is busy for long. */
static void sgctl_waits_where_too_many_wait(void **state)
{
	struct daemon *daemon;
	struct command *answer;
	GThread *asking;

	(void)state;
	daemon = daemon_start("clients", NULL);
	assert_int_equal(kill(daemon->pid, SIGSTOP), 0);
	fill_backlog(daemon->socket);
	asking = g_thread_new("asking", ask_status, daemon);
	g_usleep(G_USEC_PER_SEC);
	assert_int_equal(kill(daemon->pid, SIGCONT), 0);
	answer = g_thread_join(asking);
	if (answer->status)
		fail_msg("sgctl says \"%s\"", answer->err);
	command_free(answer);
	g_free(answer);
}

static void bodies_that_are_too_large_are_refused(void **state)
{
	const char *socket = start(NULL);
	g_autofree char *large = g_strnfill(API_BODY_OBJECT + 1, ' ');

	(void)state;
	http_refuses(socket, 413, "too-large", "PUT", "/v1/interfaces/x", large);
	http_refuses(socket, 413, "too-large", "POST", "/v1/trace", large);
	http_refuses(socket, 413, "too-large", "GET", "/v1/status", "{}");
	/* One that does not say how long it is. */
	{
		AUTO_HTTP struct http_answer answer =
			http_expect(socket, 413, "PUT", "/v1/interfaces/x", large,
				    "Transfer-Encoding: chunked");
	}
	/* And it still answers. */
	{
		AUTO_HTTP struct http_answer answer =
			http_expect(socket, 200, "GET", "/v1/status", NULL, NULL);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_groups_only_root_connects),
		TEST(the_socket_group_may_write),
		TEST(the_read_group_may_read_and_trace),
		TEST(both_groups_have_their_rights),
		TEST(no_reader_may_use_a_route_that_changes_something),
		TEST(slow_clients_do_not_keep_others_waiting),
		TEST(an_upload_outlives_a_rulesd_that_stands_still),
		TEST(what_is_no_http_is_no_harm),
		TEST(who_waits_and_leaves_is_forgotten),
		TEST(without_a_descriptor_a_client_waits_and_is_answered),
		TEST(sgctl_waits_where_too_many_wait),
		TEST(bodies_that_are_too_large_are_refused),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
