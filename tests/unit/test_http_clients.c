/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_clients.c - deadlines of connections in a main loop that has other things to do, too.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/http_clients.h"
#include "tests/lib/check.h"
#include "tests/lib/patience.h"

static void owner_of(int fd, struct http_owner *owner)
{
	(void)fd;
	*owner = (struct http_owner){.trusted = true};
}

static const struct http_limits limits = {
	.connections = 8, .others = 8, .each = 8, .owner_of = owner_of};

/* One that has sent the first of a body; what it sends is for nobody to read here. */
struct uploader {
	struct http_clients *clients;
	struct http_client *client;
	int ends[2]; /* the server's, its own */
};

static struct uploader uploader_new(void)
{
	struct uploader uploader = {.clients = http_clients_new(&limits)};

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, uploader.ends), 0);
	uploader.client = http_clients_add(uploader.clients, uploader.ends[0]);
	http_client_phase(uploader.client, HTTP_BODY, 1);
	return uploader;
}

static void uploader_free(struct uploader *uploader)
{
	http_clients_remove(uploader->clients, uploader->client);
	http_clients_free(&uploader->clients);
	close(uploader->ends[0]);
	close(uploader->ends[1]);
}

static bool is_open(const struct uploader *uploader)
{
	char byte;

	return recv(uploader->ends[1], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static gulong busy_us; /* in every turn of the loop */

static gboolean be_busy(gpointer arg)
{
	(void)arg;
	g_usleep(busy_us);
	return G_SOURCE_CONTINUE;
}

static int setup(void **state)
{
	(void)state;
	return g_idle_add_full(G_PRIORITY_DEFAULT, be_busy, NULL, NULL) ? 0 : -1;
}

static void a_busy_loop_makes_no_client_late(void **state)
{
	struct uploader uploader = uploader_new();

	(void)state;
	/* One long turn, and some short ones. */
	busy_us = (HTTP_BODY_SECS + 3) * G_USEC_PER_SEC;
	g_main_context_iteration(NULL, TRUE);
	for (busy_us = 1000; busy_us < 50000; busy_us += 1000)
		g_main_context_iteration(NULL, TRUE);
	assert_true(is_open(&uploader));
	uploader_free(&uploader);
}

/* It is asked for something all the time, and has yet read all that there was. */
static void a_loop_that_never_waits_closes_slow_clients(void **state)
{
	const gint64 started = g_get_monotonic_time();
	struct uploader uploader = uploader_new();

	(void)state;
	busy_us = 1000;
	while (is_open(&uploader) && !patience_over(started, GIVE_UP_MS))
		g_main_context_iteration(NULL, TRUE);
	assert_false(is_open(&uploader));
	assert_true(g_get_monotonic_time() - started >= HTTP_BODY_SECS * G_USEC_PER_SEC);
	uploader_free(&uploader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_busy_loop_makes_no_client_late),
		cmocka_unit_test(a_loop_that_never_waits_closes_slow_clients),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
