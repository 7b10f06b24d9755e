/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serve.c - the services of a guest: each says who it is, then echoes.
 */
#include "tests/vm/agent/agent.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

/* A connection or a datagram never carries more here; what does not fit into the socket is lost. */
#define ECHO_BYTES 2048

static gboolean echo_stream(gint fd, GIOCondition condition, gpointer data)
{
	char buffer[ECHO_BYTES];
	ssize_t length = read(fd, buffer, sizeof(buffer));

	(void)condition;
	(void)data;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (length <= 0 || write(fd, buffer, (size_t)length) < 0) {
		close(fd);
		return G_SOURCE_REMOVE;
	}
	return G_SOURCE_CONTINUE;
}

static gboolean accept_stream(gint fd, GIOCondition condition, gpointer data)
{
	AUTO_FD int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	g_autofree char *banner = g_strdup_printf("%s %u\n", agent_name(), GPOINTER_TO_UINT(data));

	(void)condition;
	if (client >= 0 && write(client, banner, strlen(banner)) > 0)
		g_unix_fd_add(TAKE_FD(client), G_IO_IN | G_IO_HUP, echo_stream, NULL);
	return G_SOURCE_CONTINUE;
}

static gboolean answer_datagram(gint fd, GIOCondition condition, gpointer data)
{
	struct endpoint from = {.length = sizeof(from.v6)};
	g_autofree char *banner = g_strdup_printf("%s %u\n", agent_name(), GPOINTER_TO_UINT(data));
	char buffer[ECHO_BYTES];

	(void)condition;
	if (recvfrom(fd, buffer, sizeof(buffer), MSG_DONTWAIT, &from.any, &from.length) >= 0)
		sendto(fd, banner, strlen(banner), MSG_DONTWAIT, &from.any, from.length);
	return G_SOURCE_CONTINUE;
}

/* Both families on one socket: RFC 3493, 3.7. */
static int serve(int type, uint16_t port)
{
	AUTO_FD int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int on = 1;
	int off = 0;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 64) < 0))
		return -errno;
	g_unix_fd_add(TAKE_FD(fd), G_IO_IN, type == SOCK_STREAM ? accept_stream : answer_datagram,
		      GUINT_TO_POINTER(port));
	return 0;
}

void serve_command(const char *id, char **words)
{
	int type = SOCK_STREAM;

	if (words[0] && strcmp(words[0], "udp") == 0)
		type = SOCK_DGRAM;
	else if (!words[0] || strcmp(words[0], "tcp") != 0 || !words[1])
		return agent_answer(id, "error usage: serve tcp|udp PORT...");
	for (char **word = words + 1; *word; word++) {
		guint64 port = 0;
		int error = -EINVAL;

		if (g_ascii_string_to_unsigned(*word, 10, 1, 65535, &port, NULL))
			error = serve(type, (uint16_t)port);
		if (error)
			return agent_answer(id, "error port %s: %s", *word, strerror(-error));
	}
	agent_answer(id, "ok");
}
