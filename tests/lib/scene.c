/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scene.c - see scene.h.
 */
#include "tests/lib/scene.h"

#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"

#define BRIDGE	"br0"
#define POLL_MS 2

int scene_setup(void **state)
{
	(void)state;
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

#define ARRIVES_MS 100 /* on a busy machine softirqs may be left to ksoftirqd */

static bool arrives(const struct tap *from, const struct tap *to, const struct frame *frame,
		    int wait_ms)
{
	int result;

	tap_drain(to);
	result = tap_write(from, frame);
	if (result < 0)
		fail_msg("cannot write to %s: %s", from->name, strerror(-result));
	return tap_read_exactly(to, frame, wait_ms);
}

bool scene_arrives(const struct tap *from, const struct tap *to, const struct frame *frame,
		   bool expected)
{
	return arrives(from, to, frame, expected ? ARRIVES_MS : 0);
}

bool scene_passes(const struct tap *from, const struct tap *to, const struct frame *frame)
{
	return arrives(from, to, frame, 0);
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
	if (arrives(from, to, &frame, passes ? ARRIVES_MS : 0) != passes)
		fail_msg("%s:%d: %s from %s %s %s", file, line, text, from->name,
			 passes ? "does not arrive at" : "arrives at", to->name);
}

/* One segment; from is the client's side when to_server. */
static bool segment(const struct scene_connection *c, bool to_server, const char *flags,
		    unsigned int length)
{
	struct frame frame;

	if (to_server)
		frame_make(&frame, "tcp %s:%u > %s:%u %s seq=%u ack=%u len=%u", c->client_address,
			   c->client_port, c->server_address, c->server_port, flags, c->client_seq,
			   c->server_seq, length);
	else
		frame_make(&frame, "tcp %s:%u > %s:%u %s seq=%u ack=%u len=%u", c->server_address,
			   c->server_port, c->client_address, c->client_port, flags, c->server_seq,
			   c->client_seq, length);
	return to_server ? arrives(c->client, c->server, &frame, ARRIVES_MS)
			 : arrives(c->server, c->client, &frame, ARRIVES_MS);
}

void scene_connect(struct scene_connection *c)
{
	c->client_seq = 1000;
	c->server_seq = 0;
	if (!segment(c, true, "S", 0))
		fail_msg("the SYN of port %u does not arrive", c->client_port);
	c->client_seq++;
	c->server_seq = 5000;
	if (!segment(c, false, "SA", 0))
		fail_msg("the SYN/ACK to port %u does not arrive", c->client_port);
	c->server_seq++;
	if (!segment(c, true, "A", 0))
		fail_msg("the last ACK of the handshake from port %u does not arrive",
			 c->client_port);
}

bool scene_exchange(struct scene_connection *c)
{
	if (!segment(c, true, "PA", 10))
		return false;
	c->client_seq += 10;
	if (!segment(c, false, "A", 0) || !segment(c, false, "PA", 10))
		return false;
	c->server_seq += 10;
	return segment(c, true, "A", 0);
}

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
