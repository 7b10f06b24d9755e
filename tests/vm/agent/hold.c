/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold.c - connections that stay open: a byte every 200 ms, and how many came back.
 */
#include "tests/vm/agent/agent.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define BEAT_MS 200

struct hold {
	char *id; /* of the command, until it is answered */
	int fd;
	gboolean greeted; /* the service has said its first line */
	gboolean closed;
	guint64 sent;
	guint64 echoed;
	gint64 last_us; /* when a byte last came back */
	guint watch;
	guint timer;
};

static GHashTable *holds; /* key -> struct hold */

static void hold_free(gpointer data)
{
	struct hold *hold = data;

	g_clear_handle_id(&hold->watch, g_source_remove);
	g_clear_handle_id(&hold->timer, g_source_remove);
	if (hold->fd >= 0)
		close(hold->fd);
	g_free(hold->id);
	g_free(hold);
}

static void hold_answer(struct hold *hold, const char *answer)
{
	if (hold->id)
		agent_answer(hold->id, "%s", answer);
	g_clear_pointer(&hold->id, g_free);
}

static gboolean hold_beat(gpointer data)
{
	struct hold *hold = data;

	if (!hold->closed && send(hold->fd, "x", 1, MSG_NOSIGNAL) == 1)
		hold->sent++;
	return G_SOURCE_CONTINUE;
}

static gboolean hold_timeout(gpointer data)
{
	struct hold *hold = data;

	hold->timer = 0;
	hold_answer(hold, "timeout");
	return G_SOURCE_REMOVE;
}

static gboolean hold_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct hold *hold = data;
	char buffer[256];
	ssize_t length = read(fd, buffer, sizeof(buffer));

	(void)condition;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (length <= 0) {
		hold->watch = 0;
		hold->closed = TRUE;
		hold_answer(hold, "refused");
		return G_SOURCE_REMOVE;
	}
	hold->last_us = g_get_monotonic_time();
	if (hold->greeted) {
		hold->echoed += (guint64)length;
		return G_SOURCE_CONTINUE;
	}
	/* The greeting is one segment; nothing was sent yet that could be echoed behind it. */
	hold->greeted = TRUE;
	g_clear_handle_id(&hold->timer, g_source_remove);
	hold->timer = g_timeout_add(BEAT_MS, hold_beat, hold);
	hold_answer(hold, "ok");
	return G_SOURCE_CONTINUE;
}

void hold_command(const char *id, char **words)
{
	struct endpoint endpoint;
	guint64 timeout_ms = 0;
	struct hold *hold;

	if (g_strv_length(words) != 4 || endpoint_parse(words[1], words[2], &endpoint) ||
	    !g_ascii_string_to_unsigned(words[3], 10, 1, 60000, &timeout_ms, NULL))
		return agent_answer(id, "error usage: hold KEY ADDRESS PORT TIMEOUT");
	if (!holds)
		holds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, hold_free);
	hold = g_new0(struct hold, 1);
	hold->id = g_strdup(id);
	hold->fd = endpoint_connect(&endpoint, SOCK_STREAM, 0);
	if (hold->fd < 0) {
		agent_answer(id, "error %s", strerror(-hold->fd));
		return hold_free(hold);
	}
	hold->watch = g_unix_fd_add(hold->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, hold_readable, hold);
	hold->timer = g_timeout_add((guint)timeout_ms, hold_timeout, hold);
	g_hash_table_replace(holds, g_strdup(words[0]), hold);
}

static struct hold *hold_find(const char *id, char **words)
{
	struct hold *hold = holds && words[0] ? g_hash_table_lookup(holds, words[0]) : NULL;

	if (!hold)
		agent_answer(id, "error no connection is held as %s", words[0] ? words[0] : "");
	return hold;
}

void held_command(const char *id, char **words)
{
	const struct hold *hold = hold_find(id, words);

	if (hold)
		agent_answer(id,
			     "sent %" G_GUINT64_FORMAT " echoed %" G_GUINT64_FORMAT
			     " idle %" G_GINT64_FORMAT " %s",
			     hold->sent, hold->echoed,
			     (g_get_monotonic_time() - hold->last_us) / 1000,
			     hold->closed ? "closed" : "open");
}

void drop_command(const char *id, char **words)
{
	if (!hold_find(id, words))
		return;
	g_hash_table_remove(holds, words[0]);
	agent_answer(id, "ok");
}
