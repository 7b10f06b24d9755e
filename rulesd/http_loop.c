/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_loop.c - a GSource around libmicrohttpd's epoll descriptor and its timeouts, and what every
 * server of ours does with connections.
 *
 * Connections are accepted here. libmicrohttpd 0.9.75, driven from outside, does not listen any
 * more once accept(2) has failed for want of descriptors, until one of its connections has ended
 * and somebody runs it again, which nobody does.
 */
#include "rulesd/http_loop.h"

#include <errno.h>
#include <glib-unix.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"

#define ACCEPTED_A_TURN	 64u
#define NO_DESCRIPTOR_MS 50 /* then it is tried again */

struct http_source {
	GSource base;
	struct MHD_Daemon *daemon;
	gpointer tag;
	struct server *server;
	int listener;
	gpointer listener_tag;
	unsigned int most; /* connections */
	bool full;	   /* no descriptor is left for another one */
};

/* What the callbacks of libmicrohttpd are given. */
struct server {
	struct http_clients *clients;
	MHD_AccessHandlerCallback access;
	MHD_RequestCompletedCallback completed;
	void *arg;
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

	return g_source_query_unix_fd(base, source->tag) ||
	       g_source_query_unix_fd(base, source->listener_tag) ||
	       milliseconds_left(source->daemon) == 0;
}

/* Whether it is worth to go on. */
static bool accept_one(struct http_source *source)
{
	struct sockaddr_storage address = {};
	socklen_t length = sizeof(address);
	int fd = accept4(source->listener, (struct sockaddr *)&address, &length,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		source->full = false;
		/* It is closed there when that fails. */
		MHD_add_connection(source->daemon, fd, (struct sockaddr *)&address, length);
		return true;
	}
	if (errno == EINTR || errno == ECONNABORTED)
		return true;
	if (errno == EAGAIN)
		return false;
	if (!source->full)
		log_warning("http: a client has to wait: accept: %s", g_strerror(errno));
	source->full = true;
	return false;
}

static unsigned int connections_of(struct MHD_Daemon *daemon)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info ? info->num_connections : 0;
}

static void accept_some(struct http_source *source)
{
	unsigned int now = connections_of(source->daemon);
	unsigned int left = MIN(source->most - MIN(source->most, now), ACCEPTED_A_TURN);

	while (left && accept_one(source))
		left--;
}

/* Those that wait shall not keep the loop awake while they cannot be let in. */
static void listen_again(struct http_source *source)
{
	bool open = !source->full && connections_of(source->daemon) < source->most;

	g_source_modify_unix_fd(&source->base, source->listener_tag, open ? G_IO_IN : 0);
	if (source->full && g_source_get_ready_time(&source->base) < 0)
		g_source_set_ready_time(&source->base,
					g_get_monotonic_time() + NO_DESCRIPTOR_MS * 1000);
}

static gboolean dispatch(GSource *base, GSourceFunc callback, gpointer arg)
{
	struct http_source *source = (struct http_source *)base;

	(void)callback;
	(void)arg;
	g_source_set_ready_time(base, -1); /* of http_wake and listen_again */
	if (source->full || g_source_query_unix_fd(base, source->listener_tag))
		accept_some(source);
	MHD_run(source->daemon);
	listen_again(source);
	return G_SOURCE_CONTINUE;
}

static void finalize(GSource *base)
{
	close(((struct http_source *)base)->listener);
}

static GSourceFuncs source_functions = {
	.prepare = prepare,
	.check = check,
	.dispatch = dispatch,
	.finalize = finalize,
};

static void log_line(void *arg, const char *format, va_list arguments) G_GNUC_PRINTF(2, 0);

static void log_line(void *arg, const char *format, va_list arguments)
{
	g_autofree char *text = g_strdup_vprintf(format, arguments);

	(void)arg;
	log_debug("http: %s", g_strchomp(text));
}

static struct http_client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

void http_phase(struct MHD_Connection *connection, enum http_phase phase, uint64_t bytes)
{
	struct http_client *client = client_of(connection);

	if (client)
		http_client_phase(client, phase, bytes);
}

const char *http_path(const char *url)
{
	const char *path;

	if (g_ascii_strncasecmp(url, "http://", 7) != 0)
		return url;
	path = strchr(url + 7, '/');
	return path ? path : "/";
}

static void connection_changed(void *arg, struct MHD_Connection *connection, void **context,
			       enum MHD_ConnectionNotificationCode code)
{
	struct server *server = arg;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (code == MHD_CONNECTION_NOTIFY_STARTED && info)
		*context = http_clients_add(server->clients, info->connect_fd);
	if (code == MHD_CONNECTION_NOTIFY_CLOSED && *context)
		http_clients_remove(server->clients, TAKE_PTR(*context));
}

static enum MHD_Result access_any(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **context)
{
	const struct server *server = arg;

	http_phase(connection, HTTP_BODY, *size);
	return server->access(server->arg, connection, http_path(url), method, version, data, size,
			      context);
}

static void completed_any(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_RequestTerminationCode code)
{
	const struct server *server = arg;

	if (server->completed)
		server->completed(server->arg, connection, context, code);
	http_phase(connection, HTTP_HEAD, 0);
}

/* MHD_http_unescape cuts a text at "%00": what was meant then is not what was asked. */
static size_t unescape(void *arg, struct MHD_Connection *connection, char *text)
{
	size_t length = MHD_http_unescape(text);

	(void)arg;
	(void)connection;
	for (size_t i = 0; i < length; i++)
		if (!text[i])
			text[i] = '\x01'; /* is in no path, and no value means anything with it */
	return length;
}

/* The usual soft limit (1024) is for programs that use select(2); connections shall not be what the
 * files of policies and the kernel's maps are short of. */
static void raise_open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max)
		return;
	limit.rlim_cur = MIN(limit.rlim_max, 65536);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_debug("http: the limit of open files stays as it is");
}

static struct MHD_Daemon *start_daemon(struct server *server, unsigned int connections)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			MHD_USE_NO_LISTEN_SOCKET,
		0, NULL, NULL, access_any, server, MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL,
		MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)HTTP_TIMEOUT_SECS, MHD_OPTION_NOTIFY_COMPLETED, completed_any, server,
		MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

static void server_free(struct server **server)
{
	if (!*server)
		return;
	http_clients_free(&(*server)->clients);
	g_free(TAKE_PTR(*server));
}

int http_start(int fd, const struct http_limits *limits, MHD_AccessHandlerCallback access,
	       MHD_RequestCompletedCallback completed, void *arg, struct MHD_Daemon **daemon,
	       guint *source)
{
	CLEANUP(server_free) struct server *server = g_new0(struct server, 1);
	struct MHD_Daemon *started;
	const union MHD_DaemonInfo *info;
	struct http_source *made;

	raise_open_files();
	server->clients = http_clients_new(limits);
	server->access = access;
	server->completed = completed;
	server->arg = arg;
	started = start_daemon(server, limits->connections);
	if (!started) {
		close(fd);
		return -ENOMEM;
	}
	info = MHD_get_daemon_info(started, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || info->epoll_fd < 0) {
		MHD_stop_daemon(started);
		close(fd);
		return -ENOTSUP;
	}
	made = (struct http_source *)g_source_new(&source_functions, sizeof(*made));
	made->daemon = started;
	made->server = TAKE_PTR(server);
	made->tag = g_source_add_unix_fd(&made->base, info->epoll_fd, G_IO_IN);
	made->listener = fd;
	made->listener_tag = g_source_add_unix_fd(&made->base, fd, G_IO_IN);
	made->most = limits->connections;
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
	GSource *found = *source ? g_main_context_find_source_by_id(NULL, *source) : NULL;
	struct server *server = found ? ((struct http_source *)found)->server : NULL;

	g_clear_handle_id(source, g_source_remove);
	if (*daemon)
		MHD_stop_daemon(*daemon);
	*daemon = NULL;
	server_free(&server);
}
