/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic.h - what the two VMs of a path say to each other, and what it costs: TCP connections that
 * open, exchange segments and end, and frames that must not arrive.
 *
 * Every segment is in its connection's window with right sequence numbers and checksums, so filters
 * that track windows do it. A frame that should arrive and does not, or the reverse, is counted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tests/bench/path.h"

#define TRAFFIC_PORT_LOW  5000u /* of the service: connection i goes to one of these */
#define TRAFFIC_PORT_HIGH 5019u
#define TRAFFIC_DENIED	  9999u	   /* a port that no rule allows, either way */
#define TRAFFIC_MOST	  1200000u /* connections that differ */

struct traffic;

/* The frames of a connection that opens and ends; SYN/ACK and FIN/ACK are b's. */
enum traffic_step {
	TRAFFIC_SYN,
	TRAFFIC_SYN_ACK,
	TRAFFIC_ACK,
	TRAFFIC_FIN,
	TRAFFIC_FIN_ACK,
	TRAFFIC_LAST_ACK,
	TRAFFIC_STEPS,
};

struct traffic *traffic_new(const struct path *path);
void traffic_free(struct traffic **traffic);

/* Opens so many connections, which stay, on top of those already open. */
void traffic_open(struct traffic *traffic, unsigned int count);
unsigned int traffic_opened(const struct traffic *traffic);
/*
 * Size of the segments with data from now on: of the frame with its Ethernet header, without the
 * virtio header, at least 64. Above 1,514 the taps must have a virtio header, and they are TSO
 * frames.
 */
void traffic_size(struct traffic *traffic, size_t frame_bytes);
/*
 * Each does its work and returns ns a frame, or ns a connection: CPU time of the thread, which does
 * all of it, the kernel's part included: write() returns when the frame is delivered.
 *
 * exchange: this many segments with data in each direction, over all connections that are open, in
 * an order that caches cannot foresee.
 * connect: new connections of six frames, from SYN to the last ACK, on ports never used before.
 * deny: SYNs to a port that no rule allows, sent by b (its own egress rules decide) or sent by a to
 * b (b's ingress rules do). Each differs from the last.
 */
double traffic_exchange(struct traffic *traffic, unsigned int pairs);
double traffic_connect(struct traffic *traffic, unsigned int count);
double traffic_deny(struct traffic *traffic, bool outbound, unsigned int count);

/* As connect, but what each of the six frames takes: ns of wall-clock time, so only ones that
 * nobody interrupted say something. */
void traffic_connect_steps(struct traffic *traffic, unsigned int count, double ns[TRAFFIC_STEPS]);
/* Frames since the beginning that arrived where they must not, and the reverse. */
uint64_t traffic_leaked(const struct traffic *traffic);
uint64_t traffic_lost(const struct traffic *traffic);
