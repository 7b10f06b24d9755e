/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic.c - see traffic.h.
 */
#include "tests/kill/traffic.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"

#define LOST_MS TAP_WAIT_MS /* what has not arrived by then is lost */

/* Neither of these may ever arrive; every one has a length of its own to be known by. */
static const char *const forbidden[] = {
	"tcp 10.0.0.9:4001 > 10.0.0.5:444 S len=301",  /* no rule */
	"tcp 10.0.0.9:4002 > 10.0.0.5:443 A len=302",  /* no flow */
	"udp 10.0.0.9:4001 > 10.0.0.5:53 len=303",     /* no rule */
	"udp 10.0.0.5:4001 > 10.0.0.9:53 len=304",     /* the VM's own, no rule */
	"tcp 10.0.0.66:443 > 10.0.0.9:4000 A len=305", /* not its address */
};

struct traffic {
	const struct tap *client, *server;
	uint32_t client_seq, server_seq;
	GThread *thread;
	GMutex turn; /* held for a round */
	gint stop, rounds;
	bool paused; /* under turn */
	GMutex lock;
	char *fault, *told;
	unsigned long frames;
	struct frame bad[G_N_ELEMENTS(forbidden)];
};

static void report(struct traffic *own, const char *format, const char *word)
{
	g_mutex_lock(&own->lock);
	if (!own->fault)
		own->fault = g_strdup_printf("%s: %s", format, word);
	g_mutex_unlock(&own->lock);
}

/* Whether it is one of those that must not arrive. */
static void judge(struct traffic *own, const struct frame *got)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(forbidden); i++)
		if (got->length == own->bad[i].length &&
		    memcmp(got->bytes, own->bad[i].bytes, got->length) == 0)
			report(own, "a forbidden frame arrives", forbidden[i]);
}

static bool arrives(struct traffic *own, const struct tap *at, const struct frame *frame)
{
	gint64 end = g_get_monotonic_time() + LOST_MS * 1000;
	struct frame got;

	for (;;) {
		gint64 left = (end - g_get_monotonic_time()) / 1000;

		if (left <= 0 || !tap_read(at, &got, (int)left))
			return false;
		if (got.length == frame->length &&
		    memcmp(got.bytes, frame->bytes, frame->length) == 0)
			return true;
		judge(own, &got);
	}
}

static void look(struct traffic *own, const struct tap *at)
{
	struct frame got;

	while (tap_read(at, &got, 0))
		judge(own, &got);
}

static bool segment(struct traffic *own, bool to_server, const char *flags, unsigned int length)
{
	const struct tap *from = to_server ? own->client : own->server;
	const struct tap *to = to_server ? own->server : own->client;
	struct frame frame;

	if (to_server)
		frame_make(&frame, "tcp 10.0.0.9:4000 > 10.0.0.5:443 %s seq=%u ack=%u len=%u",
			   flags, own->client_seq, own->server_seq, length);
	else
		frame_make(&frame, "tcp 10.0.0.5:443 > 10.0.0.9:4000 %s seq=%u ack=%u len=%u",
			   flags, own->server_seq, own->client_seq, length);
	own->frames++;
	tap_write(from, &frame);
	if (arrives(own, to, &frame))
		return true;
	report(own, "a frame of the connection is lost", to_server ? "to the VM" : "from the VM");
	return false;
}

static void exchange(struct traffic *own)
{
	segment(own, true, "PA", 10);
	own->client_seq += 10;
	segment(own, false, "A", 0);
	segment(own, false, "PA", 10);
	own->server_seq += 10;
	segment(own, true, "A", 0);
}

static void try_forbidden(struct traffic *own)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(forbidden); i++) {
		/* The last two are what the VM sends. */
		const struct tap *from = i < 3 ? own->client : own->server;

		tap_write(from, &own->bad[i]);
		own->frames++;
		look(own, i < 3 ? own->server : own->client);
	}
}

static gpointer run(gpointer arg)
{
	struct traffic *own = arg;

	while (!g_atomic_int_get(&own->stop)) {
		g_mutex_lock(&own->turn);
		if (!own->paused) {
			exchange(own);
			try_forbidden(own);
		}
		g_mutex_unlock(&own->turn);
		g_atomic_int_inc(&own->rounds);
		g_usleep(100);
	}
	return NULL;
}

static void handshake(struct traffic *own)
{
	own->client_seq += 100000;
	segment(own, true, "S", 0);
	own->client_seq++;
	own->server_seq += 100000;
	segment(own, false, "SA", 0);
	own->server_seq++;
	segment(own, true, "A", 0);
}

void traffic_pause(struct traffic *own)
{
	g_mutex_lock(&own->turn);
	own->paused = true;
	g_mutex_unlock(&own->turn);
}

void traffic_reconnect(struct traffic *own)
{
	g_mutex_lock(&own->turn);
	own->paused = false;
	handshake(own);
	g_mutex_unlock(&own->turn);
}

struct traffic *traffic_start(const struct tap *client, const struct tap *server)
{
	struct traffic *own = g_new0(struct traffic, 1);

	own->client = client;
	own->server = server;
	g_mutex_init(&own->turn);
	g_mutex_init(&own->lock);
	for (unsigned int i = 0; i < G_N_ELEMENTS(forbidden); i++)
		frame_make_text(&own->bad[i], forbidden[i]);
	handshake(own);
	if (own->fault)
		fail_msg("no connection: %s", own->fault);
	own->thread = g_thread_new("traffic", run, own);
	return own;
}

void traffic_stop(struct traffic **traffic)
{
	struct traffic *own = TAKE_PTR(*traffic);

	if (!own)
		return;
	g_atomic_int_set(&own->stop, 1);
	g_thread_join(own->thread);
	g_free(own->fault);
	g_free(own->told);
	g_free(own);
}

void traffic_rounds(struct traffic *own, unsigned int rounds)
{
	gint end = g_atomic_int_get(&own->rounds) + (gint)rounds + 1;

	while (g_atomic_int_get(&own->rounds) < end)
		g_usleep(200);
}

const char *traffic_fault(struct traffic *own)
{
	g_mutex_lock(&own->lock);
	g_free(own->told);
	own->told = TAKE_PTR(own->fault);
	g_mutex_unlock(&own->lock);
	return own->told;
}

unsigned long traffic_frames(const struct traffic *own)
{
	return own->frames;
}

bool traffic_asks(struct traffic *own, const struct tap *from, const struct tap *to,
		  const char *text, bool expected)
{
	struct frame frame, got;
	bool arrived = false;

	frame_make_text(&frame, text);
	g_mutex_lock(&own->turn);
	tap_write(from, &frame);
	if (expected)
		arrived = arrives(own, to, &frame);
	else
		while (tap_read(to, &got, 0)) {
			arrived |= got.length == frame.length &&
				   memcmp(got.bytes, frame.bytes, frame.length) == 0;
			judge(own, &got);
		}
	g_mutex_unlock(&own->turn);
	return arrived;
}
