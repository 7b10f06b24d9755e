/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_loop.c - a GSource around libmicrohttpd's epoll descriptor and its timeouts.
 */
#include "rulesd/http_loop.h"

#include <errno.h>
#include <glib-unix.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"

struct http_source {
	GSource base;
	struct MHD_Daemon *daemon;
	gpointer tag;
};

static int milliseconds_left(struct MHD_Daemon *daemon)
{
	MHD_UNSIGNED_LONG_LONG left = 0;

	if (MHD_get_timeout(daemon, &left) != MHD_YES)
		return -1;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static gboolean prepare(GSource *base, gint *timeout)
{
	struct http_source *source = (struct http_source *)base;

	*timeout = milliseconds_left(source->daemon);
	return *timeout == 0;
}

static gboolean check(GSource *base)
{
	struct http_source *source = (struct http_source *)base;

	return g_source_query_unix_fd(base, source->tag) || milliseconds_left(source->daemon) == 0;
}

static gboolean dispatch(GSource *base, GSourceFunc callback, gpointer arg)
{
	struct http_source *source = (struct http_source *)base;

	(void)callback;
	(void)arg;
	g_source_set_ready_time(base, -1); /* of http_wake */
	MHD_run(source->daemon);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_functions = {
	.prepare = prepare,
	.check = check,
	.dispatch = dispatch,
};

static void log_line(void *arg, const char *format, va_list arguments) G_GNUC_PRINTF(2, 0);

static void log_line(void *arg, const char *format, va_list arguments)
{
	g_autofree char *text = g_strdup_vprintf(format, arguments);

	(void)arg;
	log_debug("http: %s", g_strchomp(text));
}

int http_start(int fd, MHD_AccessHandlerCallback access, MHD_RequestCompletedCallback completed,
	       void *arg, struct MHD_Daemon **daemon, guint *source)
{
	struct MHD_Daemon *started;
	const union MHD_DaemonInfo *info;
	struct http_source *made;

	started = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
				   NULL, NULL, access, arg, MHD_OPTION_EXTERNAL_LOGGER, log_line,
				   NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				   (unsigned int)HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
				   (unsigned int)HTTP_TIMEOUT_SECS, MHD_OPTION_NOTIFY_COMPLETED,
				   completed, arg, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
				   MHD_OPTION_END);
	if (!started) {
		close(fd);
		return -ENOMEM;
	}
	info = MHD_get_daemon_info(started, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || info->epoll_fd < 0) {
		MHD_stop_daemon(started);
		return -ENOTSUP;
	}
	made = (struct http_source *)g_source_new(&source_functions, sizeof(*made));
	made->daemon = started;
	made->tag = g_source_add_unix_fd(&made->base, info->epoll_fd, G_IO_IN);
	*source = g_source_attach(&made->base, NULL);
	g_source_unref(&made->base);
	*daemon = started;
	return 0;
}

/* Not MHD_run itself: the one who resumes may be a handler that MHD_run called. */
void http_wake(guint source)
{
	GSource *found = g_main_context_find_source_by_id(NULL, source);

	if (found)
		g_source_set_ready_time(found, 0);
}

void http_stop(struct MHD_Daemon **daemon, guint *source)
{
	g_clear_handle_id(source, g_source_remove);
	if (*daemon)
		MHD_stop_daemon(*daemon);
	*daemon = NULL;
}
