/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * path.h - the way of a frame in a benchmark: from one tap through a namespace to another, written
 * and read by one thread, as a VMM does. Two VMs: a, the client, and b, the server. A namespace may
 * have several such pairs, by number: those of pair 0 are 10.0.0.5 on tapa0 and 10.0.0.9 on tapb0.
 *
 * The namespace routes (PATH_ROUTED) or bridges. Kernels without CONFIG_NF_CONNTRACK_BRIDGE have no
 * stateful nftables rules for bridged frames, so comparisons with nftables are on routed paths.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/tap.h"

/* Of pair i, for printf: */
#define PATH_A	    "10.0.%u.5"
#define PATH_B	    "10.0.%u.9"
#define PATH_A_MAC  "52:54:00:00:%02x:05"
#define PATH_B_MAC  "52:54:00:00:%02x:09"
#define PATH_A_TAP  "tapa%u"
#define PATH_B_TAP  "tapb%u"
#define PATH_BEHIND "192.0.2.%u" /* routed to a: for what b sends to others */
#define PATH_PAIRS  4
#define PATH_FRAME  70000 /* bytes, of the largest frame with its virtio header */

struct path {
	int netns;	   /* the same for all pairs; closed with pair 0 */
	unsigned int pair; /* its number */
	struct tap *a, *b;
	bool routed;
	char a_address[16], b_address[16], behind[16];
	uint8_t a_mac[6], b_mac[6];
	uint8_t gateway_a[6], gateway_b[6]; /* whom a and b send to: the other VM on a bridge */
};

/* Makes pair 0 in a new namespace, and leaves the process in it. */
struct path *path_new(bool routed, bool vnet_hdr);
/* Makes another pair in the namespace of the first, and leaves the process in it. Free those before
 * the first. */
struct path *path_new_pair(const struct path *first, unsigned int pair);
/* The process enters the namespace of the path, for commands. */
void path_enter(const struct path *path);
void path_free(struct path **path);

/* What is neither routed nor bridged by the path arrives at nobody; bytes with the virtio header if
 * the taps have one. The kernel has delivered the frame when path_send returns. */
void path_send(const struct tap *from, const void *bytes, size_t length);
/* Length of the next frame, into room of PATH_FRAME bytes; -1: there is none. */
long path_receive(const struct tap *to, void *bytes);
