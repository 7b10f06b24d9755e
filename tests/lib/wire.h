/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - both ends of a VM's tap: the VM's, which is the tap's descriptor, and the host's, where
 * every frame reaches the hooks, however malformed it is.
 *
 * What the VM sends goes through the tap into a bridge that learns nothing and out of a second tap.
 * What the VM is sent is transmitted on the tap's device by a packet socket, so it meets the egress
 * hook without a bridge that could refuse it.
 */
#pragma once

#include <stdbool.h>

#include "tests/lib/frame.h"
#include "tests/lib/tap.h"

struct wire;

/* Around a tap of tap_new; its MTU grows to that of the largest test frame. Fails the test when it
 * cannot. */
struct wire *wire_new(struct tap *tap);
void wire_free(struct wire **wire);

/*
 * The VM sends the frame, or is sent it. On taps with a virtio header, TCP segments with data go as
 * GSO frames of two segments, with the checksum left to the device. 0 or -errno.
 */
int wire_send(struct wire *wire, bool from_vm, const struct frame_spec *spec,
	      const struct frame *frame);
/*
 * Whether exactly this frame came out at the other end; waits for it only when it is expected.
 * *other says that something else came out.
 */
bool wire_arrived(struct wire *wire, bool from_vm, const struct frame *frame, bool expected,
		  bool *other);
