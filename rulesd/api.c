/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api.c - the server: connections, rights, routes, bodies; handlers answer in files of their own.
 *
 * A request that is refused from its head alone (rights, route, size) is still read to its end
 * before it is answered, unless the client waits to be told to go on: to close a Unix socket with
 * unread data resets it, and the client would see that instead of the answer.
 *
 * It is long because the way of a request from its head to its answer, with what it may hold and
 * when it has to wait, is one state that nothing else should see.
 */
#include "rulesd/api.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/api_events.h"
#include "rulesd/api_parts.h"
#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/http_loop.h"
#include "rulesd/log.h"

struct api {
	struct engine *engine;
	const struct options *options;
	struct api_groups groups;
	struct MHD_Daemon *daemon;
	guint source;
	struct stat socket;	/* to remove ours only */
	size_t body_bytes;	/* held by all requests */
	size_t body_bytes_read; /* by those of clients that may only read */
	size_t reply_bytes;	/* held for clients that have not taken them */
	size_t reply_bytes_read;
	struct api_events *events;
	GList *waiting; /* of struct api_request, suspended */

	/* Clients that may only read have at most half of the time: what one of them took, they
	 * pause. Else expensive questions would keep writers waiting. */
	GQueue turns; /* of struct api_request, suspended */
	guint turn_timer;
	int64_t readers_from; /* monotonic; earlier, none of them is answered */
	bool closing;	      /* everybody is answered, now */
	struct api_parts *parts;
	struct api_text *text;
};

/* ---------------------------------------------------------------- one request */

/* What requests hold is counted twice for those who may only read: so they leave something to those
 * who may write. */
static void count_body(struct api_request *request, ssize_t bytes)
{
	request->api->body_bytes += (size_t)bytes;
	if (request->right < API_WRITE)
		request->api->body_bytes_read += (size_t)bytes;
}

static void count_reply(struct api_request *request, ssize_t bytes)
{
	request->api->reply_bytes += (size_t)bytes;
	if (request->right < API_WRITE)
		request->api->reply_bytes_read += (size_t)bytes;
}

static void drop_body(struct api_request *request)
{
	if (!request->body)
		return;
	count_body(request, -(ssize_t)request->body->len);
	g_clear_pointer(&request->body, g_byte_array_unref);
}

static void request_free(struct api_request *request)
{
	drop_body(request);
	count_reply(request, -(ssize_t)request->held);
	if (request->response)
		MHD_destroy_response(request->response);
	g_free(request->id);
	g_free(request);
}

static const char *header(const struct api_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* Whether url is the route's; *id is what stands for "{id}". */
static bool route_matches(const struct api_route *route, const char *url, const char **id)
{
	const char *mark = strstr(route->path, "{id}");
	size_t fixed;

	if (!mark)
		return strcmp(route->path, url) == 0;
	fixed = (size_t)(mark - route->path);
	if (strncmp(route->path, url, fixed) != 0 || !url[fixed] || strchr(url + fixed, '/'))
		return false;
	*id = url + fixed;
	return true;
}

static const char *allowed_methods(const char *url)
{
	g_autoptr(GString) methods = g_string_new(NULL);
	const char *id = NULL;

	for (const struct api_route *route = api_routes; route->method; route++) {
		if (route_matches(route, url, &id))
			g_string_append_printf(methods, "%s%s", methods->len ? ", " : "",
					       route->method);
	}
	return g_intern_string(methods->str);
}

static void find_route(struct api_request *request, const char *method, const char *url)
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
	const char *allowed;
	const char *id = NULL;

	for (const struct api_route *route = api_routes; route->method; route++) {
		if (strcmp(route->method, wanted) != 0 || !route_matches(route, url, &id))
			continue;
		request->route = route;
		request->id = g_strdup(id);
		return;
	}
	allowed = allowed_methods(url);
	if (!*allowed) {
		api_fail(request, MHD_HTTP_NOT_FOUND, "not-found", NULL, "no resource %s", url);
		return;
	}
	api_fail(request, MHD_HTTP_METHOD_NOT_ALLOWED, "method", allowed, "%s is not for %s",
		 method, url);
	MHD_add_response_header(request->response, MHD_HTTP_HEADER_ALLOW, allowed);
}

static void check_rights(struct api_request *request)
{
	const struct api *api = request->api;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const bool write = request->route->right == API_WRITE;
	const char *group = api->options->socket_group;
	g_autofree char *fix = NULL;

	request->uid = (uid_t)-1;
	if (info)
		request->right = api_socket_right(info->connect_fd, &api->groups, &request->uid);
	if (request->right >= request->route->right)
		return;
	if (!write && api->options->read_group)
		group = api->options->read_group;
	fix = group ? g_strdup_printf("join the group %s (usermod -aG %s USER, then log in again), "
				      "or be root",
				      group, group)
		    : g_strdup("be root, or start rulesd with --socket-group or --read-group");
	api_fail(request, MHD_HTTP_FORBIDDEN, "forbidden", fix, "uid %u may not %s", request->uid,
		 write ? "change anything" : "read this");
}

static enum MHD_Result check_parameter(void *arg, enum MHD_ValueKind kind, const char *key,
				       const char *value)
{
	struct api_request *request = arg;
	g_autofree char *word = g_strconcat(key, " ", NULL);
	const char *found = strstr(request->route->query, word);

	if (found && (found == request->route->query || found[-1] == ' ')) {
		/* That finds the first. */
		if (MHD_lookup_connection_value(request->connection, kind, key) == value)
			return MHD_YES;
		api_fail(request, MHD_HTTP_BAD_REQUEST, "parameter", "give it once",
			 "%s is given twice", key);
		return MHD_NO;
	}
	api_fail(request, MHD_HTTP_BAD_REQUEST, "unknown-parameter",
		 *request->route->query ? request->route->query : NULL, "%s %s has no parameter %s",
		 request->route->method, request->route->path, key);
	return MHD_NO;
}

struct lengths {
	const char *first;
	bool differ;
};

static enum MHD_Result look_at_length(void *arg, enum MHD_ValueKind kind, const char *key,
				      const char *value)
{
	struct lengths *lengths = arg;

	(void)kind;
	if (g_ascii_strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) != 0 || !value)
		return MHD_YES;
	lengths->differ |= lengths->first && strcmp(lengths->first, value) != 0;
	lengths->first = value;
	return MHD_YES;
}

/* RFC 9112, 6.3: a message that says twice, and differently, where it ends is an attack or an
 * accident. */
static void check_framing(struct api_request *request)
{
	struct lengths lengths = {0};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, look_at_length, &lengths);
	if (!lengths.differ &&
	    !(lengths.first && header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING)))
		return;
	api_fail(request, MHD_HTTP_BAD_REQUEST, "http", "give one Content-Length, or chunks",
		 "where the body ends is said twice");
	MHD_add_response_header(request->response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static void check_length(struct api_request *request)
{
	const char *text = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	guint64 length = 0;

	if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &length, NULL))
		return;
	if (length > request->route->body)
		api_fail(request, MHD_HTTP_CONTENT_TOO_LARGE, "too-large", NULL,
			 "a body of %" G_GUINT64_FORMAT " bytes; at most %u are taken", length,
			 request->route->body);
}

/* From the head alone. What it refuses has a response afterwards. */
static void begin(struct api_request *request, const char *method, const char *url)
{
	find_route(request, method, url);
	if (!request->response)
		check_rights(request);
	if (!request->response)
		MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND,
					  check_parameter, request);
	if (!request->response)
		check_framing(request);
	if (!request->response)
		check_length(request);
}

/* Noise is refused when more of it comes than the parser, which judges better, should see. */
static void guard_body(struct api_request *request, const char *data, size_t size)
{
	if (!request->fault)
		request->fault = text_guard_feed(&request->guard, data, size, &request->fault_at);
	if (!request->fault || request->body->len <= API_BODY_OBJECT)
		return;
	drop_body(request);
	api_fail(request, MHD_HTTP_BAD_REQUEST, "syntax", text_fault_fix(request->fault),
		 "byte %" G_GUINT64_FORMAT " of the body: %s", request->fault_at,
		 text_fault_message(request->fault));
}

static void keep_body(struct api_request *request, const char *data, size_t size)
{
	const struct api *api = request->api;
	const size_t have = request->body ? request->body->len : 0;

	if (have + size > request->route->body) {
		drop_body(request);
		api_fail(request, MHD_HTTP_CONTENT_TOO_LARGE, "too-large", NULL,
			 "the body is larger than the %u bytes that are taken",
			 request->route->body);
		return;
	}
	if (api->body_bytes + size > API_BODIES ||
	    (request->right < API_WRITE && api->body_bytes_read + size > API_BODIES_READ)) {
		drop_body(request);
		api_fail(request, MHD_HTTP_SERVICE_UNAVAILABLE, "busy", "try again later",
			 "other requests hold too much memory");
		return;
	}
	if (!request->body)
		request->body = g_byte_array_new();
	g_byte_array_append(request->body, (const guint8 *)data, (guint)size);
	count_body(request, (ssize_t)size);
	guard_body(request, data, size);
}

static enum MHD_Result take_body(struct api_request *request, const char *data, size_t size)
{
	if (!request->response) {
		keep_body(request, data, size);
		return MHD_YES;
	}
	request->wasted += size;
	return request->wasted > API_WASTE ? MHD_NO : MHD_YES;
}

static void hold(struct api_request *request, size_t bytes)
{
	count_reply(request, (ssize_t)bytes - (ssize_t)request->held);
	request->held = bytes;
}

/* A large reply when many are waiting to be taken would be memory for who never reads. */
static void check_replies(struct api_request *request, size_t bytes)
{
	const struct api *api = request->api;

	if (bytes <= API_REPLY_SMALL)
		return;
	if (api->reply_bytes - request->held + bytes <= API_REPLIES &&
	    (request->right == API_WRITE ||
	     api->reply_bytes_read - request->held + bytes <= API_REPLIES_READ))
		return;
	api_fail(request, MHD_HTTP_SERVICE_UNAVAILABLE, "busy", "try again later",
		 "other clients have not taken their answers yet");
}

bool api_may_hold(struct api_request *request, size_t bytes)
{
	check_replies(request, bytes);
	hold(request, request->response ? 0 : bytes);
	return !request->response;
}

char *api_take_body(struct api_request *request, size_t *length)
{
	GByteArray *body = TAKE_PTR(request->body);

	request->api->body_bytes -= body->len;
	*length = body->len;
	g_byte_array_append(body, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(body, FALSE);
}

static enum MHD_Result send_response(struct api_request *request)
{
	/* A stream of events has no size, and bounds of its own. */
	const bool stream = request->reply_bytes == 0;

	check_replies(request, request->reply_bytes);
	hold(request, request->reply_bytes);
	http_phase(request->connection, stream ? HTTP_WORK : HTTP_REPLY, request->held);
	return MHD_queue_response(request->connection, request->status, request->response);
}

static gboolean next_turn(gpointer arg)
{
	struct api *api = arg;
	struct api_request *request = g_queue_pop_head(&api->turns);

	api->turn_timer = 0;
	if (request) {
		request->queued = false;
		MHD_resume_connection(request->connection);
		http_wake(api->source);
	}
	return G_SOURCE_REMOVE;
}

static void plan_next_turn(struct api *api)
{
	const int64_t left_us = api->readers_from - g_get_monotonic_time();

	if (!api->turn_timer && api->turns.length)
		api->turn_timer = g_timeout_add((guint)MAX(left_us / 1000 + 1, 1), next_turn, api);
}

static bool must_wait_its_turn(struct api_request *request)
{
	struct api *api = request->api;

	if (request->right == API_WRITE || api->closing ||
	    (g_get_monotonic_time() >= api->readers_from && !api->turns.length))
		return false;
	if (request->had_turn && g_get_monotonic_time() >= api->readers_from)
		return false;
	request->queued = request->had_turn = true;
	http_phase(request->connection, HTTP_WORK, 0);
	MHD_suspend_connection(request->connection);
	g_queue_push_tail(&api->turns, request);
	plan_next_turn(api);
	return true;
}

static void handle(struct api_request *request)
{
	const int64_t started = g_get_monotonic_time();
	int64_t now;

	request->handled = true;
	if (request->api->closing)
		api_fail_stopping(request); /* nobody would resume it */
	if (!request->response)
		api_check_match(request);
	if (!request->response)
		request->route->handle(request);
	if (request->right == API_WRITE || request->api->closing)
		return;
	now = g_get_monotonic_time();
	request->api->readers_from = now + (now - started);
	plan_next_turn(request->api);
}

static enum MHD_Result access_handler(void *arg, struct MHD_Connection *connection, const char *url,
				      const char *method, const char *version, const char *data,
				      size_t *size, void **context)
{
	struct api *api = arg;
	struct api_request *request = *context;

	(void)version;
	if (!request) {
		request = g_new0(struct api_request, 1);
		request->api = api;
		request->engine = api->engine;
		request->connection = connection;
		*context = request;
		begin(request, method, url);
		if (request->response && header(request, MHD_HTTP_HEADER_EXPECT))
			return send_response(request);
		return MHD_YES;
	}
	if (*size) {
		enum MHD_Result result = take_body(request, data, *size);

		*size = 0;
		return result;
	}
	if (!request->response && !request->handled && !must_wait_its_turn(request))
		handle(request);
	return request->response ? send_response(request) : MHD_YES;
}

struct api_text **api_text_of(struct api_request *request)
{
	return &request->api->text;
}

struct api_events *api_events_of(struct api_request *request)
{
	return request->api->events;
}

void api_in_parts(struct api_request *request, api_part_fn part, void *work,
		  GDestroyNotify work_free)
{
	if (api_parts_turn(request, part, work)) {
		api_parts_add(request->api->parts, request, part, work, work_free);
		return;
	}
	work_free(work);
}

/* ---------------------------------------------------------------- waiting */

static void stop_waiting(struct api_request *request)
{
	g_clear_handle_id(&request->wait_timer, g_source_remove);
	request->api->waiting = g_list_remove(request->api->waiting, request);
}

void api_resume(struct api_request *request)
{
	stop_waiting(request);
	MHD_resume_connection(request->connection);
	http_wake(request->api->source);
}

static gboolean wait_is_over(gpointer arg)
{
	struct api_request *request = arg;

	request->wait_timer = 0;
	request->waited(request, true);
	api_resume(request);
	return G_SOURCE_REMOVE;
}

void api_wait(struct api_request *request, unsigned int seconds)
{
	api_wait_for(request, seconds, api_interface_waited);
}

void api_wait_for(struct api_request *request, unsigned int seconds, api_waited_fn waited)
{
	request->waited = waited;
	http_phase(request->connection, HTTP_WORK, 0);
	MHD_suspend_connection(request->connection);
	request->wait_timer = g_timeout_add_seconds(seconds, wait_is_over, request);
	request->api->waiting = g_list_prepend(request->api->waiting, request);
}

static void changed(void *arg)
{
	struct api *api = arg;
	GList *next;

	for (GList *item = api->waiting; item; item = next) {
		struct api_request *request = item->data;

		next = item->next;
		if (request->waited(request, false))
			api_resume(request);
	}
}

static void completed(void *arg, struct MHD_Connection *connection, void **context,
		      enum MHD_RequestTerminationCode code)
{
	struct api_request *request = *context;

	(void)arg;
	(void)connection;
	(void)code;
	if (!request)
		return;
	stop_waiting(request);
	if (request->queued)
		g_queue_remove(&request->api->turns, request);
	request_free(request);
	*context = NULL;
}

/* ---------------------------------------------------------------- the server */

static void owner_of(int fd, struct http_owner *owner)
{
	static const struct api_groups none = {.write = API_NO_GROUP, .read = API_NO_GROUP};
	uid_t uid = (uid_t)-1;

	/* Without groups: root and rulesd's own user. */
	owner->trusted = api_socket_right(fd, &none, &uid) == API_WRITE;
	owner->key = uid;
}

int api_check(const struct options *options, char **error)
{
	struct api_groups groups;
	int err = api_groups_find(options->socket_group, options->read_group, &groups, error);

	if (err == 0)
		err = api_socket_remove_stale(options->socket, error);
	if (err == 0)
		err = api_socket_make_folder(options->socket, error);
	if (err < 0)
		return err;
	err = api_groups_join(&groups);
	if (err < 0)
		*error = g_strdup_printf("joining the group of the socket: %s", g_strerror(-err));
	return err;
}

int api_open(struct engine *engine, const struct options *options, struct api **api, char **error)
{
	static const struct http_limits limits = {
		.connections = API_CONNECTIONS,
		.others = API_CONNECTIONS_OTHERS,
		.each = API_CONNECTIONS_EACH,
		.owner_of = owner_of,
	};
	g_autofree struct api *made = g_new0(struct api, 1);
	int fd = -1;
	int err;

	made->engine = engine;
	made->options = options;
	g_queue_init(&made->turns);
	err = api_groups_find(options->socket_group, options->read_group, &made->groups, error);
	if (err == 0)
		err = api_socket_listen(options->socket, &made->groups, &fd, error);
	if (err < 0)
		return err;
	if (stat(options->socket, &made->socket) < 0)
		made->socket = (struct stat){0};
	err = http_start(fd, &limits, access_handler, completed, made, &made->daemon,
			 &made->source);
	if (err < 0) {
		unlink(options->socket);
		*error = g_strdup_printf("socket %s: the HTTP server does not start: %s",
					 options->socket, g_strerror(-err));
		return err;
	}
	made->parts = api_parts_new(&made->readers_from, &made->source);
	made->events = api_events_new(engine, made->source);
	engine->changed = changed;
	engine->changed_arg = made;
	*api = TAKE_PTR(made);
	return 0;
}

void api_close(struct api **api)
{
	struct api *a = TAKE_PTR(*api);
	struct stat now;

	if (!a)
		return;
	a->engine->changed = NULL;
	while (a->waiting) {
		struct api_request *request = a->waiting->data;

		request->waited(request, true);
		api_resume(request);
	}
	a->closing = true;
	while (a->turns.length) {
		g_clear_handle_id(&a->turn_timer, g_source_remove);
		next_turn(a);
	}
	g_clear_handle_id(&a->turn_timer, g_source_remove);
	api_parts_close(a->parts);
	api_text_forget(&a->text);
	api_events_close(a->events);
	MHD_run(a->daemon); /* those answers */
	http_stop(&a->daemon, &a->source);
	api_parts_free(&a->parts);
	api_events_free(&a->events);
	if (stat(a->options->socket, &now) == 0 && now.st_dev == a->socket.st_dev &&
	    now.st_ino == a->socket.st_ino)
		unlink(a->options->socket);
	g_free(a);
}
