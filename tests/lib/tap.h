/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tap.h - tap devices as a hypervisor holds them: the test writes what the VM sends and reads what
 * it is sent.
 *
 * The kernel hands a written frame through the bridge into the other tap's queue before write()
 * returns, so what has not arrived then was dropped; timeouts only bound how long a failing test
 * takes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/frame.h"

struct tap {
	char name[16];
	uint32_t ifindex;
	int fd;
	bool vnet_hdr; /* frames carry a struct virtio_net_hdr_v1 before them */
};

#define TAP_WAIT_MS 10000 /* for what must arrive; only a test that fails waits that long */

/* Makes a tap, sets it up, waits until it is running. Fails the test when it cannot. Ends with
 * tap_delete or tap_delete_all.
 */
struct tap *tap_new(const char *name, bool vnet_hdr);
void tap_delete(struct tap *tap);
void tap_delete_all(void); /* for teardowns */

/* The VM sends: 0 or -errno (a frame that XDP drops is no error). */
int tap_write(const struct tap *tap, const struct frame *frame);
/* The same with a virtio header of the caller's making: only for vnet_hdr taps. */
struct virtio_net_hdr_v1;
int tap_write_vnet(const struct tap *tap, const struct virtio_net_hdr_v1 *header,
		   const struct frame *frame);
/* The next frame that the VM is sent, in at most timeout_ms; false when none came. */
bool tap_read(const struct tap *tap, struct frame *frame, int timeout_ms);
/* Reads until exactly this frame comes; others are dropped. */
bool tap_read_exactly(const struct tap *tap, const struct frame *frame, int timeout_ms);
/* Throws away whatever waits. */
void tap_drain(const struct tap *tap);

/* At once, where the kernel renames a device that is up (Linux 6.2), else it is down meanwhile. */
void tap_rename(const char *from, const char *to);

/* A bridge without spanning tree and multicast snooping, up; and a tap as its port. */
void bridge_new(const char *name);
void bridge_add(const char *name, const struct tap *tap);
