/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd.c - see crowd.h.
 */
#include "tests/lib/crowd.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/command.h"
#include "tests/lib/patience.h"

#define FIRST_PORT 20000u
#define TOKENS	   2u /* segments in flight in each direction of a connection */
#define PAYLOAD	   16u
#define L4_V4	   34u
#define L4_V6	   54u
#define ROUND_MS   60000
#define SETTLE_MS  10000 /* of silence, after which what has not arrived is lost */

enum side { SIDE_VM, SIDE_PEER, SIDES };

/* One end's view of a connection; touched by that end's thread only. */
struct half {
	uint32_t next; /* sequence number of its next byte */
	uint32_t expected;
	uint64_t sent, seen;
};

struct connection {
	bool v6, udp, vm_opens;
	struct half half[SIDES];
	struct frame *data[SIDES]; /* what that end sends, but for the numbers */
};

struct end {
	struct crowd *crowd;
	enum side side;
	const struct tap *tap;
	int cpu;
	pthread_t thread;
	bool runs;
	_Atomic uint64_t sent, seen, gaps, errors;
	uint64_t frames, bytes;
};

struct crowd {
	struct crowd_options options;
	struct connection *connections;
	struct end ends[SIDES];
	_Atomic bool sending, ending;
};

static GPtrArray *crowds;

/* ------------------------------------------------------------------ CPUs and queues */

int crowd_cpu(unsigned int index)
{
	cpu_set_t allowed;
	unsigned int wanted;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0 || CPU_COUNT(&allowed) < 2)
		return -1;
	wanted = index % (unsigned int)CPU_COUNT(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && wanted-- == 0)
			return cpu;
	return -1;
}

void crowd_pin(int cpu)
{
	cpu_set_t one;

	if (cpu < 0)
		return;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

void crowd_widen_queue(const struct tap *tap)
{
	command_check("ip", "link", "set", tap->name, "txqueuelen", G_STRINGIFY(CROWD_QUEUE), NULL);
}

/* ------------------------------------------------------------------ frames */

static void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return ntohl(value);
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static const struct crowd_end *end_options(const struct crowd *crowd, enum side side)
{
	return side == SIDE_VM ? &crowd->options.vm : &crowd->options.peer;
}

/* A frame of a connection in one direction; words: what follows the addresses. */
static void make(const struct crowd *crowd, unsigned int index, enum side from, struct frame *frame,
		 const char *words)
{
	const struct connection *c = &crowd->connections[index];
	const struct crowd_end *src = end_options(crowd, from);
	const struct crowd_end *dst = end_options(crowd, from == SIDE_VM ? SIDE_PEER : SIDE_VM);
	bool opener = (from == SIDE_VM) == c->vm_opens;
	unsigned int own = FIRST_PORT + index, service = crowd->options.port;

	if (c->v6)
		frame_make(frame, "%s [%s]:%u > [%s]:%u %s", c->udp ? "udp" : "tcp", src->v6,
			   opener ? own : service, dst->v6, opener ? service : own, words);
	else
		frame_make(frame, "%s %s:%u > %s:%u %s", c->udp ? "udp" : "tcp", src->v4,
			   opener ? own : service, dst->v4, opener ? service : own, words);
}

static int transmit(struct end *end, const struct frame *frame)
{
	end->frames++;
	end->bytes += frame->length;
	return tap_write(end->tap, frame);
}

/* The connection that a frame belongs to, or -1; *l4 is where its transport header is. */
static int connection_of(const struct crowd *crowd, enum side to, const struct frame *frame,
			 size_t *l4)
{
	const uint8_t *bytes = frame->bytes;
	const uint8_t *from_mac = bytes + 6;
	const struct connection *c;
	bool v6 = get16(bytes + 12) == 0x86dd;
	unsigned int port;

	*l4 = v6 ? L4_V6 : L4_V4;
	if (frame->length < *l4 + 8 + PAYLOAD)
		return -1;
	port = get16(bytes + *l4);
	if (port == crowd->options.port)
		port = get16(bytes + *l4 + 2);
	if (port < FIRST_PORT || port >= FIRST_PORT + crowd->options.count)
		return -1;
	c = &crowd->connections[port - FIRST_PORT];
	if (c->v6 != v6 || bytes[v6 ? 20 : 23] != (c->udp ? IPPROTO_UDP : IPPROTO_TCP))
		return -1;
	/* What the other end sends begins as its template does: addresses and ports. */
	if (memcmp(from_mac, c->data[to == SIDE_VM ? SIDE_PEER : SIDE_VM]->bytes + 6, 6) != 0)
		return -1;
	return (int)(port - FIRST_PORT);
}

static void send_data(struct end *end, unsigned int index)
{
	struct connection *c = &end->crowd->connections[index];
	struct half *mine = &c->half[end->side];
	struct frame *frame = c->data[end->side];
	uint8_t *l4 = frame->bytes + (c->v6 ? L4_V6 : L4_V4);

	if (c->udp) {
		put32(l4 + 8, mine->next);
	} else {
		put32(l4 + 4, mine->next);
		put32(l4 + 8, mine->expected);
	}
	if (transmit(end, frame) < 0) {
		end->errors++;
		return;
	}
	mine->next += PAYLOAD;
	mine->sent++;
	end->sent++;
}

/* ------------------------------------------------------------------ threads */

static void take(struct end *end, const struct frame *frame)
{
	struct crowd *crowd = end->crowd;
	const struct crowd_options *options = &crowd->options;
	size_t l4 = 0;
	int index = connection_of(crowd, end->side, frame, &l4);
	struct half *mine;
	uint32_t number;

	if (index < 0) {
		if (end->side == SIDE_VM && options->other)
			options->other(frame, options->arg);
		return;
	}
	mine = &crowd->connections[index].half[end->side];
	number = get32(frame->bytes + l4 + (crowd->connections[index].udp ? 8 : 4));
	if (number != mine->expected)
		end->gaps++;
	mine->expected = number + PAYLOAD;
	mine->seen++;
	end->seen++;
	if (crowd->sending)
		send_data(end, (unsigned int)index);
}

static void *run_end(void *arg)
{
	struct end *end = arg;
	struct frame frame;

	crowd_pin(end->cpu);
	for (unsigned int round = 0; round < TOKENS; round++)
		for (unsigned int i = 0; i < end->crowd->options.count; i++)
			send_data(end, i);
	while (!end->crowd->ending)
		if (tap_read(end->tap, &frame, 1))
			take(end, &frame);
	return NULL;
}

void crowd_start(struct crowd *crowd)
{
	crowd->sending = true;
	crowd->ending = false;
	for (unsigned int side = 0; side < SIDES; side++) {
		struct end *end = &crowd->ends[side];

		if (pthread_create(&end->thread, NULL, run_end, end) != 0)
			fail_msg("cannot make a thread");
		end->runs = true;
	}
}

static uint64_t sent_of(const struct crowd *crowd, unsigned int index, enum side side)
{
	return __atomic_load_n(&crowd->connections[index].half[side].sent, __ATOMIC_RELAXED);
}

void crowd_wait_round(const struct crowd *crowd)
{
	unsigned int count = crowd->options.count;
	g_autofree uint64_t *before = g_new(uint64_t, (gsize)count * SIDES);
	gint64 since = g_get_monotonic_time();

	for (unsigned int i = 0; i < count * SIDES; i++)
		before[i] = sent_of(crowd, i / SIDES, i % SIDES);
	for (unsigned int i = 0; i < count * SIDES;) {
		/* Two: the first may have been on its way already. */
		if (sent_of(crowd, i / SIDES, i % SIDES) >= before[i] + 2) {
			i++;
			continue;
		}
		if (patience_over(since, ROUND_MS))
			fail_msg("connection %u of the crowd stands still", i / SIDES);
		g_usleep(1000);
	}
}

static uint64_t seen_by_both(const struct crowd *crowd)
{
	return crowd->ends[SIDE_VM].seen + crowd->ends[SIDE_PEER].seen;
}

static uint64_t sent_by_both(const struct crowd *crowd)
{
	return crowd->ends[SIDE_VM].sent + crowd->ends[SIDE_PEER].sent;
}

void crowd_stop(struct crowd *crowd)
{
	gint64 quiet_since = g_get_monotonic_time();
	uint64_t before, now = 0;

	crowd->sending = false;
	do { /* at least once: a thread may just be about to send */
		g_usleep(20000);
		before = now;
		now = seen_by_both(crowd);
		if (now != before)
			quiet_since = g_get_monotonic_time();
	} while (now < sent_by_both(crowd) && !patience_over(quiet_since, SETTLE_MS));
	crowd->ending = true;
	for (unsigned int side = 0; side < SIDES; side++) {
		if (crowd->ends[side].runs)
			pthread_join(crowd->ends[side].thread, NULL);
		crowd->ends[side].runs = false;
	}
}

/* ------------------------------------------------------------------ opening */

static void handshake_step(struct crowd *crowd, unsigned int index, enum side from,
			   const char *words)
{
	const struct tap *to = crowd->ends[from == SIDE_VM ? SIDE_PEER : SIDE_VM].tap;
	struct frame frame;

	make(crowd, index, from, &frame, words);
	if (transmit(&crowd->ends[from], &frame) < 0 || !tap_read_exactly(to, &frame, TAP_WAIT_MS))
		fail_msg("connection %u: %s from %s does not arrive", index, words,
			 from == SIDE_VM ? "the VM" : "the peer");
}

static void open_connection(struct crowd *crowd, unsigned int index)
{
	struct connection *c = &crowd->connections[index];
	enum side opener, other;

	c->v6 = index & 1;
	c->vm_opens = index & 2;
	c->udp = index < crowd->options.udp;
	opener = c->vm_opens ? SIDE_VM : SIDE_PEER;
	other = c->vm_opens ? SIDE_PEER : SIDE_VM;
	if (c->udp) {
		handshake_step(crowd, index, opener, "len=8");
		handshake_step(crowd, index, other, "len=8");
	} else {
		handshake_step(crowd, index, opener, "S seq=999 win=8192");
		handshake_step(crowd, index, other, "SA seq=4999 ack=1000 win=8192");
		handshake_step(crowd, index, opener, "A seq=1000 ack=5000 win=8192");
	}
	c->half[opener] = (struct half){.next = 1000, .expected = 5000};
	c->half[other] = (struct half){.next = 5000, .expected = 1000};
	for (unsigned int side = 0; side < SIDES; side++) {
		c->data[side] = g_new0(struct frame, 1);
		make(crowd, index, side, c->data[side],
		     c->udp ? "len=" G_STRINGIFY(16) : "PA win=8192 len=" G_STRINGIFY(16));
	}
}

struct crowd *crowd_new(const struct crowd_options *options)
{
	struct crowd *crowd = g_new0(struct crowd, 1);

	crowd->options = *options;
	crowd->connections = g_new0(struct connection, options->count);
	crowd->ends[SIDE_VM] = (struct end){
		.crowd = crowd, .side = SIDE_VM, .tap = options->vm.tap, .cpu = options->cpu_vm};
	crowd->ends[SIDE_PEER] = (struct end){.crowd = crowd,
					      .side = SIDE_PEER,
					      .tap = options->peer.tap,
					      .cpu = options->cpu_peer};
	if (!crowds)
		crowds = g_ptr_array_new();
	g_ptr_array_add(crowds, crowd);
	for (unsigned int i = 0; i < options->count; i++)
		open_connection(crowd, i);
	return crowd;
}

static void free_crowd(struct crowd *crowd)
{
	crowd_stop(crowd);
	for (unsigned int i = 0; i < crowd->options.count; i++)
		for (unsigned int side = 0; side < SIDES; side++)
			g_free(crowd->connections[i].data[side]);
	g_free(crowd->connections);
	g_free(crowd);
}

void crowd_delete_all(void)
{
	while (crowds && crowds->len > 0)
		free_crowd(g_ptr_array_remove_index(crowds, crowds->len - 1));
}

struct crowd_count crowd_count(const struct crowd *crowd)
{
	const struct end *vm = &crowd->ends[SIDE_VM], *peer = &crowd->ends[SIDE_PEER];
	struct crowd_count count = {
		.to_vm_sent = peer->sent,
		.to_vm_seen = vm->seen,
		.from_vm_sent = vm->sent,
		.from_vm_seen = peer->seen,
		.bytes_to_vm = peer->bytes,
		.bytes_from_vm = vm->bytes,
		.frames_to_vm = peer->frames,
		.frames_from_vm = vm->frames,
		.gaps = vm->gaps + peer->gaps,
	};

	for (unsigned int i = 0; i < crowd->options.count; i++) {
		const struct half *half = crowd->connections[i].half;

		if (half[SIDE_VM].seen <= TOKENS || half[SIDE_PEER].seen <= TOKENS)
			count.idle++;
	}
	return count;
}
