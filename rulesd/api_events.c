/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_events.c - see api_events.h. The answer never ends: one JSON object a line
 * (application/x-ndjson), and an empty line now and then, by which rulesd learns that nobody reads
 * any more. Who reads too slowly loses events, and is told how many.
 */
#include "rulesd/api_events.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/http_loop.h"
#include "rulesd/log.h"
#include "rulesd/names.h"

#define READ_EVERY_MS	50
#define EVENTS_A_READ	2000 /* 40,000 a second; more are counted and left out */
#define BUFFER_BYTES	(512u << 10)
#define HEARTBEAT_READS (5000 / READ_EVERY_MS)

struct subscriber {
	struct api_events *events;
	struct MHD_Connection *connection;
	GString *text;	/* not sent yet */
	uint32_t flags; /* enum sg_control_flags */
	uint32_t slot;	/* 0: of every interface */
	uint64_t lost;
	bool suspended;
};

struct api_events {
	struct engine *engine;
	guint source;
	guint timer;
	GList *subscribers;
	unsigned int reads;
	bool closing;
};

/* ---------------------------------------------------------------- an event as JSON */

/* Of CLOCK_MONOTONIC: RFC 3339, UTC, milliseconds. */
static char *time_text(uint64_t monotonic_ns)
{
	int64_t age_us = g_get_monotonic_time() - (int64_t)(monotonic_ns / 1000);
	int64_t at_us = g_get_real_time() - age_us;
	g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(at_us / G_USEC_PER_SEC);
	g_autofree char *seconds = g_date_time_format(at, "%Y-%m-%dT%H:%M:%S");

	return g_strdup_printf("%s.%03dZ", seconds, (int)(at_us % G_USEC_PER_SEC / 1000));
}

static void set_addresses(json_t *json, const struct sg_event *event)
{
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE], name[8];
	uint16_t type;

	json_object_set_new(json, "protocol", json_string(protocol_format(event->proto, name)));
	json_object_set_new(json, "src", json_string(addr_format(&event->src, src)));
	json_object_set_new(json, "dst", json_string(addr_format(&event->dst, dst)));
	if (protocol_has_ports(event->proto)) {
		json_object_set_new(json, "sport", json_integer(ntohs(event->sport)));
		json_object_set_new(json, "dport", json_integer(ntohs(event->dport)));
	} else if (protocol_is_icmp(event->proto)) {
		type = ntohs(event->dport);
		json_object_set_new(json, "icmp",
				    json_pack("{si si}", "type", type >> 8, "code", type & 0xff));
	}
}

static json_t *event_json(const struct engine *engine, const struct sg_event *event)
{
	bool drop = sg_reason_is_drop(event->reason);
	const char *id = event->slot ? engine_slot_id(engine, event->slot) : NULL;
	g_autofree char *time = time_text(event->time_ns);
	json_t *json = json_pack("{ss ss? ss ss ss ss? si}", "time", time, "interface", id,
				 "direction", dir_name(event->dir & 1), "verdict",
				 drop ? "deny" : "allow", "reason", reason_name(event->reason),
				 "rule", drop ? NULL : engine_rule_name(engine, event->rule),
				 "bytes", (int)event->bytes);

	if (event->family)
		set_addresses(json, event);
	else
		json_object_set_new(json, "ethertype", json_integer(ntohs(event->ethertype)));
	return json;
}

/* ---------------------------------------------------------------- streams */

static void wake(struct subscriber *subscriber)
{
	if (!subscriber->suspended)
		return;
	subscriber->suspended = false;
	MHD_resume_connection(subscriber->connection);
	http_wake(subscriber->events->source);
}

static void append(struct subscriber *subscriber, const char *line)
{
	if (subscriber->text->len + strlen(line) > BUFFER_BYTES) {
		subscriber->lost++;
		return;
	}
	g_string_append(subscriber->text, line);
	g_string_append_c(subscriber->text, '\n');
}

static void tell_lost(struct subscriber *subscriber)
{
	if (!subscriber->lost || subscriber->text->len > BUFFER_BYTES / 2)
		return;
	g_string_append_printf(subscriber->text, "{\"lost\":%" PRIu64 "}\n", subscriber->lost);
	subscriber->lost = 0;
}

static void deliver(const struct sg_event *event, void *arg)
{
	struct api_events *events = arg;
	uint32_t kind = sg_reason_is_drop(event->reason) ? SG_EVENT_DROPS : SG_EVENT_FLOWS;
	AUTO_JSON json_t *json = event_json(events->engine, event);
	g_autofree char *line = json_dumps(json, JSON_COMPACT);

	for (GList *item = events->subscribers; line && item; item = item->next) {
		struct subscriber *subscriber = item->data;

		if (subscriber->flags & kind &&
		    (!subscriber->slot || subscriber->slot == event->slot))
			append(subscriber, line);
	}
}

/* To everybody who listens to all interfaces. */
static void deliver_repair(const char *what, void *arg)
{
	struct api_events *events = arg;
	g_autofree char *time = time_text((uint64_t)g_get_monotonic_time() * 1000);
	AUTO_JSON json_t *json = json_pack("{ss ss}", "time", time, "repaired", what);
	g_autofree char *line = json_dumps(json, JSON_COMPACT);

	for (GList *item = events->subscribers; line && item; item = item->next)
		if (!((struct subscriber *)item->data)->slot)
			append(item->data, line);
}

static gboolean read_events(gpointer arg)
{
	struct api_events *events = arg;
	bool beat = ++events->reads % HEARTBEAT_READS == 0;
	uint64_t lost =
		dataplane_events_read(events->engine->dataplane, EVENTS_A_READ, deliver, events);

	for (GList *item = events->subscribers; item; item = item->next) {
		struct subscriber *subscriber = item->data;

		subscriber->lost += lost;
		tell_lost(subscriber);
		if (beat && !subscriber->text->len)
			g_string_append_c(subscriber->text, '\n');
		if (subscriber->text->len)
			wake(subscriber);
	}
	return G_SOURCE_CONTINUE;
}

/* The kernel reports what somebody wants to hear, and nothing without anybody. */
static int listen_for_all(struct api_events *events, char **error)
{
	uint32_t flags = 0;

	for (GList *item = events->subscribers; item; item = item->next)
		flags |= ((struct subscriber *)item->data)->flags;
	if (flags && !events->timer)
		events->timer = g_timeout_add(READ_EVERY_MS, read_events, events);
	if (!flags)
		g_clear_handle_id(&events->timer, g_source_remove);
	return dataplane_events_listen(events->engine->dataplane, flags, error);
}

/* MHD asks for more: 0 while suspended. */
static ssize_t give(void *arg, uint64_t position, char *to, size_t room)
{
	struct subscriber *subscriber = arg;
	size_t length = MIN(room, subscriber->text->len);

	(void)position;
	if (length) {
		memcpy(to, subscriber->text->str, length);
		g_string_erase(subscriber->text, 0, (gssize)length);
		return (ssize_t)length;
	}
	if (subscriber->events->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	subscriber->suspended = true;
	MHD_suspend_connection(subscriber->connection);
	return 0;
}

static void leave(void *arg)
{
	struct subscriber *subscriber = arg;
	g_autofree char *error = NULL;

	subscriber->events->subscribers =
		g_list_remove(subscriber->events->subscribers, subscriber);
	if (listen_for_all(subscriber->events, &error) < 0)
		log_warning("events: %s", error);
	g_string_free(subscriber->text, TRUE);
	g_free(subscriber);
}

/* 0 and *slot (0 without ?interface=), or -ENOENT: has been answered. */
static int read_slot(struct api_request *request, uint32_t *slot)
{
	const char *id = api_query(request, "interface");
	const struct engine_iface *runtime;

	*slot = 0;
	if (!id)
		return 0;
	runtime = g_hash_table_lookup(request->engine->ifaces, id);
	if (!runtime) {
		api_fail(request, MHD_HTTP_NOT_FOUND, "not-found", NULL,
			 "no interface %s that this host filters", id);
		return -ENOENT;
	}
	*slot = runtime->slot;
	return 0;
}

void api_get_events(struct api_request *request)
{
	struct api_events *events = api_events_of(request);
	struct subscriber *subscriber;
	g_autofree char *error = NULL;
	bool drops = false;
	uint32_t slot = 0;

	if (api_query_bool(request, "drops", &drops) < 0 || read_slot(request, &slot) < 0)
		return;
	if (g_list_length(events->subscribers) >=
	    (request->right < API_WRITE ? API_STREAMS_READ : API_STREAMS)) {
		api_fail(request, MHD_HTTP_SERVICE_UNAVAILABLE, "busy", "try again later",
			 "others read events already, as many as may at once");
		return;
	}
	subscriber = g_new0(struct subscriber, 1);
	subscriber->events = events;
	subscriber->connection = request->connection;
	subscriber->text = g_string_new("\n"); /* so that the answer's head leaves at once */
	subscriber->flags = SG_EVENT_DROPS | (drops ? 0 : SG_EVENT_FLOWS);
	subscriber->slot = slot;
	events->subscribers = g_list_prepend(events->subscribers, subscriber);
	if (listen_for_all(events, &error) < 0) {
		leave(subscriber);
		api_fail(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "dataplane", NULL, "%s", error);
		return;
	}
	request->status = MHD_HTTP_OK;
	request->response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, give, subscriber, leave);
	if (!request->response) {
		leave(subscriber);
		api_fail(request, MHD_HTTP_SERVICE_UNAVAILABLE, "no-memory", NULL,
			 "the stream does not start");
		return;
	}
	MHD_add_response_header(request->response, MHD_HTTP_HEADER_CONTENT_TYPE,
				"application/x-ndjson");
}

/* ---------------------------------------------------------------- from start to end */

struct api_events *api_events_new(struct engine *engine, guint source)
{
	struct api_events *events = g_new0(struct api_events, 1);

	events->engine = engine;
	events->source = source;
	engine->told_repair = deliver_repair;
	engine->told_repair_arg = events;
	/* A rulesd that was killed may have left the kernel reporting. */
	dataplane_events_listen(engine->dataplane, 0, NULL);
	return events;
}

void api_events_close(struct api_events *events)
{
	events->closing = true;
	for (GList *item = events->subscribers; item; item = item->next)
		wake(item->data);
}

void api_events_free(struct api_events **events)
{
	struct api_events *freed = TAKE_PTR(*events);

	if (!freed)
		return;
	freed->engine->told_repair = NULL;
	g_clear_handle_id(&freed->timer, g_source_remove);
	g_free(freed);
}
