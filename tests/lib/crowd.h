/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd.h - many established connections between a VM and a peer, both ends exchanging data at the
 * same time on two CPUs, every frame of it counted.
 *
 * Each end is a thread that writes to and reads from its own tap, so the two directions of a flow
 * run on different CPUs at once. A connection has a few tokens: whoever receives a segment sends
 * one back, so that frames in flight stay bounded and nothing but the filter may lose one.
 *
 * Even connections are IPv4, odd ones IPv6; of every four, the peer opened two and the VM two.
 * Checksums of data frames are those of the first one: nothing here judges them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/tap.h"

#define CROWD_QUEUE 32768 /* frames that a tap's queue must hold */

struct crowd_end {
	const struct tap *tap;
	const char *v4, *v6;
};

struct crowd_options {
	struct crowd_end vm, peer;
	unsigned int count;
	unsigned int udp;     /* that many of count are UDP: the first ones */
	uint16_t port;	      /* of whoever did not open; a rule of the VM must let the peer in */
	int cpu_vm, cpu_peer; /* -1: any */
	/* Called in the VM's thread for every frame that belongs to no connection. Or NULL. */
	void (*other)(const struct frame *frame, void *arg);
	void *arg;
};

struct crowd;

/* Opens all connections, one by one; fails the test when a segment does not arrive. */
struct crowd *crowd_new(const struct crowd_options *options);
void crowd_start(struct crowd *crowd);
/* Returns when both ends of every connection have sent after the call; fails the test when one does
 * not. */
void crowd_wait_round(const struct crowd *crowd);
/* No new segments; waits until what was sent has arrived, or is lost; ends the threads. */
void crowd_stop(struct crowd *crowd);
/* For teardowns, before the taps go. */
void crowd_delete_all(void);

/* What the ends have written and read so far, all connections together. */
struct crowd_count {
	uint64_t to_vm_sent, to_vm_seen;
	uint64_t from_vm_sent, from_vm_seen;
	uint64_t bytes_to_vm, bytes_from_vm;   /* of frames sent, handshakes included */
	uint64_t frames_to_vm, frames_from_vm; /* likewise */
	uint64_t gaps;			       /* segments that did not follow the one before */
	unsigned int idle; /* connections on which a direction has carried nothing */
};
struct crowd_count crowd_count(const struct crowd *crowd);

/* Gives a tap a queue of CROWD_QUEUE frames. */
void crowd_widen_queue(const struct tap *tap);
/* The CPU number index of those that this process may use, modulo their number. */
int crowd_cpu(unsigned int index);
void crowd_pin(int cpu); /* the calling thread; -1: nothing */
