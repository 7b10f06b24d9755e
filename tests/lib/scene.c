/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scene.c - see scene.h.
 */
#include "tests/lib/scene.h"

#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"

#define BRIDGE	"br0"
#define POLL_MS 2
/* For a question that is asked again and again: as good as at once, and enough for softirqs that a
 * busy machine leaves to ksoftirqd. */
#define PASSES_MS 50

/* What must not arrive, and where: watched for beyond its own assertion. */
struct forbidden {
	const struct tap *to;
	char *text; /* of the assertion */
	struct frame frame;
};

static GPtrArray *forbidden;

static void forbidden_free(gpointer one)
{
	g_free(((struct forbidden *)one)->text);
	g_free(one);
}

int scene_setup(void **state)
{
	(void)state;
	g_clear_pointer(&forbidden, g_ptr_array_unref);
	forbidden = g_ptr_array_new_with_free_func(forbidden_free);
	netns_new();
	bridge_new(BRIDGE);
	return 0;
}

int scene_teardown(void **state)
{
	(void)state;
	daemon_delete_all();
	tap_delete_all();
	netns_leave();
	return 0;
}

struct tap *scene_tap(const char *name)
{
	struct tap *tap = tap_new(name, false);

	bridge_add(BRIDGE, tap);
	return tap;
}

/* ------------------------------------------------------------------ frames */

static bool same_frame(const struct frame *a, const struct frame *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* A frame that came to a tap, but not in the time of its assertion, which said that it must not. */
static void check_late(const struct tap *to, const struct frame *got)
{
	for (guint i = 0; i < forbidden->len; i++) {
		const struct forbidden *one = g_ptr_array_index(forbidden, i);

		if (one->to == to && same_frame(&one->frame, got))
			fail_msg("%s arrives at %s, late", one->text, to->name);
	}
}

/* It is sent again: from now on it says nothing about the time before, wherever the bridge floods
 * it. */
static void forgive(const struct frame *frame)
{
	for (guint i = forbidden->len; i-- > 0;) {
		const struct forbidden *one = g_ptr_array_index(forbidden, i);

		if (same_frame(&one->frame, frame))
			g_ptr_array_remove_index_fast(forbidden, i);
	}
}

static void forbid(const struct tap *to, const struct frame *frame, const char *text)
{
	struct forbidden *one = g_new0(struct forbidden, 1);

	one->to = to;
	one->text = g_strdup(text);
	one->frame = *frame;
	g_ptr_array_add(forbidden, one);
}

/* Whether it arrives within wait_ms; whatever else comes is looked at on the way. */
static bool arrives(const struct tap *from, const struct tap *to, const struct frame *frame,
		    int wait_ms)
{
	gint64 began = g_get_monotonic_time();
	struct frame got;
	int result;

	forgive(frame);
	while (tap_read(to, &got, 0))
		check_late(to, &got);
	result = tap_write(from, frame);
	if (result < 0)
		fail_msg("cannot write to %s: %s", from->name, strerror(-result));
	for (;;) {
		if (tap_read(to, &got, wait_ms)) {
			if (same_frame(&got, frame))
				return true;
			check_late(to, &got);
		} else if (patience_over(began, wait_ms)) {
			return false;
		}
	}
}

bool scene_arrives(const struct tap *from, const struct tap *to, const struct frame *frame,
		   bool expected)
{
	return arrives(from, to, frame, expected ? TAP_WAIT_MS : 0);
}

bool scene_passes(const struct tap *from, const struct tap *to, const struct frame *frame)
{
	return arrives(from, to, frame, PASSES_MS);
}

void scene_assert_frame(const struct tap *from, const struct tap *to, bool passes, const char *file,
			int line, const char *format, ...)
{
	g_autofree char *text = NULL;
	struct frame frame;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	frame_make_text(&frame, text);
	if (arrives(from, to, &frame, passes ? TAP_WAIT_MS : 0) != passes)
		fail_msg("%s:%d: %s from %s %s %s", file, line, text, from->name,
			 passes ? "does not arrive at" : "arrives at", to->name);
	if (!passes)
		forbid(to, &frame, text);
}

/* ------------------------------------------------------------------ connections */

/* One segment, and whether it arrives; from is the client's side when to_server. */
static bool segment(const struct scene_connection *c, bool to_server, const char *flags,
		    unsigned int length, bool expected)
{
	const struct tap *from = to_server ? c->client : c->server;
	const struct tap *to = to_server ? c->server : c->client;
	struct frame frame;

	if (to_server)
		frame_make(&frame, "tcp %s:%u > %s:%u %s seq=%u ack=%u len=%u", c->client_address,
			   c->client_port, c->server_address, c->server_port, flags, c->client_seq,
			   c->server_seq, length);
	else
		frame_make(&frame, "tcp %s:%u > %s:%u %s seq=%u ack=%u len=%u", c->server_address,
			   c->server_port, c->client_address, c->client_port, flags, c->server_seq,
			   c->client_seq, length);
	if (arrives(from, to, &frame, expected ? TAP_WAIT_MS : 0))
		return true;
	if (!expected)
		forbid(to, &frame, "a segment of a connection that is cut");
	return false;
}

void scene_connect(struct scene_connection *c)
{
	c->client_seq = 1000;
	c->server_seq = 0;
	if (!segment(c, true, "S", 0, true))
		fail_msg("the SYN of port %u does not arrive", c->client_port);
	c->client_seq++;
	c->server_seq = 5000;
	if (!segment(c, false, "SA", 0, true))
		fail_msg("the SYN/ACK to port %u does not arrive", c->client_port);
	c->server_seq++;
	if (!segment(c, true, "A", 0, true))
		fail_msg("the last ACK of the handshake from port %u does not arrive",
			 c->client_port);
}

bool scene_exchange(struct scene_connection *c)
{
	if (!segment(c, true, "PA", 10, true))
		return false;
	c->client_seq += 10;
	if (!segment(c, false, "A", 0, true) || !segment(c, false, "PA", 10, true))
		return false;
	c->server_seq += 10;
	return segment(c, true, "A", 0, true);
}

bool scene_is_cut(const struct scene_connection *c)
{
	return !segment(c, true, "PA", 10, false) && !segment(c, false, "PA", 10, false);
}

/* ------------------------------------------------------------------ stages */

struct scene_stage scene_stage_open(const char *name, const char *const *options,
				    const char *policy)
{
	struct scene_stage stage = {.web = scene_tap("tap0"), .outside = scene_tap("tap1")};

	stage.daemon = daemon_start(name, options);
	if (policy)
		daemon_apply(stage.daemon, policy);
	stage.connection = (struct scene_connection){
		.client = stage.outside,
		.server = stage.web,
		.client_address = "10.0.0.9",
		.server_address = "10.0.0.5",
		.client_port = 4000,
		.server_port = 443,
	};
	return stage;
}

struct scene_stage scene_stage_connected(const char *name, const char *const *options,
					 const char *policy)
{
	struct scene_stage stage = scene_stage_open(name, options, policy);

	scene_connect(&stage.connection);
	return stage;
}

/* ------------------------------------------------------------------ states */

int scene_wait_state(const struct daemon *daemon, const char *id, const char *wanted, int limit_ms)
{
	gint64 start = g_get_monotonic_time();

	for (;;) {
		AUTO_JSON json_t *interfaces = sgctl_json(daemon, "show", "interfaces", NULL);
		gint64 elapsed = (g_get_monotonic_time() - start) / 1000;
		size_t index;
		json_t *each;

		json_array_foreach (interfaces, index, each) {
			if (g_strcmp0(json_string_value(json_object_get(each, "id")), id) == 0 &&
			    g_strcmp0(json_string_value(json_object_get(each, "state")), wanted) ==
				    0)
				return (int)elapsed;
		}
		if (elapsed > limit_ms)
			return -1;
		g_usleep(POLL_MS * 1000);
	}
}
