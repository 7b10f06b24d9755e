/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.c - tries one service once: it counts as open when the service has said who it is, so that
 * both directions were passed.
 */
#include "tests/vm/agent/agent.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

struct probe {
	char *id;
	int fd;
	int type; /* SOCK_STREAM or SOCK_DGRAM */
	gboolean connected;
	gint64 start_us;
	guint watch;
	guint timer;
};

static void probe_free(struct probe *probe)
{
	g_clear_handle_id(&probe->watch, g_source_remove);
	g_clear_handle_id(&probe->timer, g_source_remove);
	if (probe->fd >= 0)
		close(probe->fd);
	g_free(probe->id);
	g_free(probe);
}

static void probe_failed(struct probe *probe, int error)
{
	if (error == ECONNREFUSED || error == ECONNRESET)
		agent_answer(probe->id, "refused");
	else
		agent_answer(probe->id, "error %s", strerror(error));
	probe_free(probe);
}

static gboolean probe_timeout(gpointer data)
{
	struct probe *probe = data;

	probe->timer = 0;
	agent_answer(probe->id, probe->connected ? "silent" : "timeout");
	probe_free(probe);
	return G_SOURCE_REMOVE;
}

static gboolean probe_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct probe *probe = data;
	char banner[128] = "";
	ssize_t length = read(fd, banner, sizeof(banner) - 1);

	(void)condition;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	probe->watch = 0;
	if (length <= 0) {
		probe_failed(probe, length < 0 ? errno : ECONNRESET);
		return G_SOURCE_REMOVE;
	}
	agent_answer(probe->id, "open %" G_GINT64_FORMAT " %s",
		     (g_get_monotonic_time() - probe->start_us) / 1000, g_strchomp(banner));
	probe_free(probe);
	return G_SOURCE_REMOVE;
}

static gboolean probe_connected(gint fd, GIOCondition condition, gpointer data)
{
	struct probe *probe = data;
	int error = 0;
	socklen_t length = sizeof(error);

	(void)condition;
	probe->watch = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	if (!error && probe->type == SOCK_DGRAM && send(fd, "?\n", 2, 0) < 0)
		error = errno;
	if (error) {
		probe_failed(probe, error);
		return G_SOURCE_REMOVE;
	}
	probe->connected = probe->type == SOCK_STREAM;
	probe->watch = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, probe_readable, probe);
	return G_SOURCE_REMOVE;
}

void probe_command(const char *id, char **words)
{
	struct endpoint endpoint;
	guint64 timeout_ms = 0;
	struct probe *probe;

	if (g_strv_length(words) != 4 || endpoint_parse(words[1], words[2], &endpoint) ||
	    !g_ascii_string_to_unsigned(words[3], 10, 1, 60000, &timeout_ms, NULL))
		return agent_answer(id, "error usage: probe tcp|udp|ping ADDRESS PORT|- TIMEOUT");
	if (strcmp(words[0], "ping") == 0)
		return ping_start(id, &endpoint, (guint)timeout_ms);
	probe = g_new0(struct probe, 1);
	probe->id = g_strdup(id);
	probe->type = strcmp(words[0], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	probe->start_us = g_get_monotonic_time();
	probe->fd = endpoint_connect(&endpoint, probe->type, 0);
	if (probe->fd < 0)
		return probe_failed(probe, -probe->fd);
	probe->watch = g_unix_fd_add(probe->fd, G_IO_OUT | G_IO_ERR, probe_connected, probe);
	probe->timer = g_timeout_add((guint)timeout_ms, probe_timeout, probe);
}
