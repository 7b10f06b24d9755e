/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics_server.c - the TCP port of --metrics. Whoever can reach it may read it; it changes
 * nothing.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/http_loop.h"
#include "rulesd/metrics.h"

#define CONNECTIONS  64
#define EACH_ADDRESS 16
#define REPLIES	     (64u << 20) /* bytes that clients have not taken yet */

struct metrics {
	const struct engine *engine;
	struct MHD_Daemon *daemon;
	guint source;
	size_t reply_bytes;
};

/* Connections are counted by address; nobody is trusted. */
static void owner_of(int fd, struct http_owner *owner)
{
	struct sockaddr_in6 peer = {0};
	socklen_t length = sizeof(peer);
	const struct sockaddr_in *four = (const void *)&peer;

	*owner = (struct http_owner){0};
	if (getpeername(fd, (struct sockaddr *)&peer, &length) < 0)
		return;
	if (peer.sin6_family == AF_INET)
		owner->key = four->sin_addr.s_addr;
	else /* a /64 is one owner */
		memcpy(&owner->key, &peer.sin6_addr, sizeof(owner->key));
}

/* A reply that a client is taking. */
struct page {
	struct metrics *metrics;
	char *text;
	size_t length;
};

static void page_free(void *arg)
{
	struct page *page = arg;

	page->metrics->reply_bytes -= page->length;
	g_free(page->text);
	g_free(page);
}

static ssize_t page_read(void *arg, uint64_t position, char *to, size_t room)
{
	const struct page *page = arg;
	size_t length = MIN(room, page->length - (size_t)position);

	memcpy(to, page->text + position, length);
	return (ssize_t)length;
}

/* Takes text. */
static enum MHD_Result reply(struct metrics *metrics, struct MHD_Connection *connection,
			     unsigned int status, char *text)
{
	struct page *page = g_new0(struct page, 1);
	struct MHD_Response *response;
	enum MHD_Result result;

	page->metrics = metrics;
	page->text = text;
	page->length = strlen(text);
	metrics->reply_bytes += page->length;
	response =
		MHD_create_response_from_callback(page->length, 32768, page_read, page, page_free);
	if (!response) {
		page_free(page);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				status == MHD_HTTP_OK ? METRICS_TYPE : "text/plain");
	http_phase(connection, HTTP_REPLY, page->length);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result access_handler(void *arg, struct MHD_Connection *connection, const char *url,
				      const char *method, const char *version, const char *data,
				      size_t *size, void **context)
{
	struct metrics *metrics = arg;

	(void)version;
	(void)data;
	if (!*context) {
		*context = connection; /* anything: the head has been seen */
		return MHD_YES;
	}
	if (*size)
		return MHD_NO; /* nobody who asks for metrics has something to say */
	if (strcmp(url, "/metrics") != 0)
		return reply(metrics, connection, MHD_HTTP_NOT_FOUND,
			     g_strdup("only /metrics is here\n"));
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return reply(metrics, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			     g_strdup("only GET\n"));
	if (metrics->reply_bytes > REPLIES)
		return reply(metrics, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			     g_strdup("others have not taken their replies yet\n"));
	return reply(metrics, connection, MHD_HTTP_OK, metrics_text(metrics->engine));
}

/* "ADDR:PORT", "[v6]:PORT" or ":PORT" (every address) to what getaddrinfo wants. */
static int split_address(const char *address, char **host, char **port)
{
	const char *colon = strrchr(address, ':');
	g_autofree char *name = NULL;
	size_t length;

	if (!colon || !colon[1])
		return -EINVAL;
	name = g_strndup(address, (gsize)(colon - address));
	length = strlen(name);
	if (*name == '[') {
		if (length < 2 || name[length - 1] != ']')
			return -EINVAL;
		name[length - 1] = '\0';
		memmove(name, name + 1, length - 1);
	} else if (strchr(name, ':')) {
		return -EINVAL;
	}
	*port = g_strdup(colon + 1);
	*host = TAKE_PTR(name);
	return 0;
}

static int listen_at(const struct addrinfo *where)
{
	AUTO_FD int fd = -1;
	const int on = 1;

	fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, where->ai_addr, where->ai_addrlen) < 0 || listen(fd, 128) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int open_socket(const char *address, char **error)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;
	g_autofree char *host = NULL;
	g_autofree char *port = NULL;
	int fd;

	if (split_address(address, &host, &port) < 0 ||
	    getaddrinfo(*host ? host : NULL, port, &hints, &found) != 0) {
		*error = g_strdup_printf("--metrics %s: ADDR:PORT is wanted, as 127.0.0.1:9180 or "
					 "[::1]:9180",
					 address);
		return -EINVAL;
	}
	fd = listen_at(found);
	freeaddrinfo(found);
	if (fd < 0)
		*error = g_strdup_printf("--metrics %s: %s", address, g_strerror(-fd));
	return fd;
}

int metrics_open(const struct engine *engine, const char *address, struct metrics **metrics,
		 char **error)
{
	static const struct http_limits limits = {
		.connections = CONNECTIONS,
		.others = CONNECTIONS / 4 * 3,
		.each = EACH_ADDRESS,
		.owner_of = owner_of,
	};
	g_autofree struct metrics *made = g_new0(struct metrics, 1);
	int fd = open_socket(address, error);
	int err;

	if (fd < 0)
		return fd; /* NOLINT(clang-analyzer-unix.Malloc): g_autofree */
	made->engine = engine;
	err = http_start(fd, &limits, access_handler, NULL, made, &made->daemon, &made->source);
	if (err < 0) {
		*error = g_strdup_printf("--metrics %s: the HTTP server does not start: %s",
					 address, g_strerror(-err));
		return err;
	}
	*metrics = TAKE_PTR(made);
	return 0;
}

void metrics_close(struct metrics **metrics)
{
	struct metrics *m = TAKE_PTR(*metrics);

	if (!m)
		return;
	http_stop(&m->daemon, &m->source);
	g_free(m);
}
