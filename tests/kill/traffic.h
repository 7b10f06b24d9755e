/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic.h - what VMs do while rulesd dies: one connection that the policy allows goes on and on,
 * and frames that it forbids are tried again and again, by a thread that reads everything that
 * arrives.
 */
#pragma once

#include <stdbool.h>

#include "tests/lib/tap.h"

struct traffic;

/* Opens the connection client 10.0.0.9:4000 > server 10.0.0.5:443 and begins. */
struct traffic *traffic_start(const struct tap *client, const struct tap *server);
/* No frame of anybody until it is reconnected: for a time in which there is no connection. */
void traffic_pause(struct traffic *traffic);
/* A new connection of the same ports, once the old one is out of the table. */
void traffic_reconnect(struct traffic *traffic);
/* Ends it. */
void traffic_stop(struct traffic **traffic);
/* Waits until so many more rounds are over, each with every kind of frame. */
void traffic_rounds(struct traffic *traffic, unsigned int rounds);
/* What went wrong so far, or NULL; borrowed. Forgotten when it was asked for. */
const char *traffic_fault(struct traffic *traffic);
unsigned long traffic_frames(const struct traffic *traffic);
/* While the thread stands still: whether this frame (frame.h) arrives at the server, 1 or 0. */
bool traffic_asks(struct traffic *traffic, const struct tap *from, const struct tap *to,
		  const char *text, bool expected);
