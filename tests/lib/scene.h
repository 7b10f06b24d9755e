/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scene.h - the stage of an end-to-end test: a namespace with a bridge, VMs on its taps, a rulesd
 * of its own; and what a VM that sends sees arrive at another.
 */
#pragma once

#include "tests/lib/daemon.h"
#include "tests/lib/tap.h"

/* Setup and teardown of one cmocka test. Teardown ends daemons and taps, also after a failure. */
int scene_setup(void **state);
int scene_teardown(void **state);

/* A tap on the bridge. */
struct tap *scene_tap(const char *name);

/*
 * One VM sends the frame (text of frame.h, printf-like), and the other must receive exactly it, or
 * must not. The test fails naming the frame. What must arrive has TAP_WAIT_MS. What must not is
 * looked for at once (tap.h), and watched for until the test ends or the same frame is sent again:
 * should it come later, the next question about that tap fails the test.
 */
#define assert_passes(from, to, ...) \
	scene_assert_frame((from), (to), true, __FILE__, __LINE__, __VA_ARGS__)
#define assert_drops(from, to, ...) \
	scene_assert_frame((from), (to), false, __FILE__, __LINE__, __VA_ARGS__)
void scene_assert_frame(const struct tap *from, const struct tap *to, bool passes, const char *file,
			int line, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* The same question without an assertion. It waits for a frame that is expected. */
bool scene_arrives(const struct tap *from, const struct tap *to, const struct frame *frame,
		   bool expected);
/* For loops that ask until something changes: it gives up soon. */
bool scene_passes(const struct tap *from, const struct tap *to, const struct frame *frame);

/* A TCP handshake between two VMs, every segment of which must arrive; and one exchange on it. */
struct scene_connection {
	const struct tap *client, *server;
	const char *client_address, *server_address; /* IPv4 */
	uint16_t client_port, server_port;
	uint32_t client_seq, server_seq; /* of the next byte */
};
void scene_connect(struct scene_connection *connection);
/* Whether ten bytes and their acknowledgement go through, each way. */
bool scene_exchange(struct scene_connection *connection);
/* Whether data of neither side arrives any more. */
bool scene_is_cut(const struct scene_connection *connection);

/*
 * What most tests begin with: the VM 10.0.0.5 on tap0, another on tap1, a rulesd of this name with
 * these options (or NULL), and this policy (or NULL) applied. Its connection is that of 10.0.0.9,
 * port 4000, to port 443 of 10.0.0.5, not opened.
 */
struct scene_stage {
	struct tap *web, *outside;
	struct daemon *daemon;
	struct scene_connection connection;
};
struct scene_stage scene_stage_open(const char *name, const char *const *options,
				    const char *policy);
/* The same, and the connection is opened. */
struct scene_stage scene_stage_connected(const char *name, const char *const *options,
					 const char *policy);

/* Waits until the interface is in this state ("filtering"), at most limit_ms (GIVE_UP_MS, unless it
 * must be so now); how long it took, -1 when it never was. */
int scene_wait_state(const struct daemon *daemon, const char *id, const char *wanted, int limit_ms);
