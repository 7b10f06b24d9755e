/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reference.h - what reference.bpf.c is told by the bench: how the frames of a run differ.
 */
#pragma once

#include <linux/types.h>

#define BENCH_PORT_BASE 16384 /* of index 0 */
#define BENCH_PORT_BITS 15    /* of an index go into the port, the rest is added to the address */

struct bench_vary {
	__u32 next;   /* sequential: the next index; otherwise the state of the generator */
	__u32 count;  /* indexes 0 .. count - 1 */
	__u32 random; /* not 0: each frame any index */
	__u32 base;   /* host order: the IPv4 address of index 0, or the last word of an IPv6 one */
	__u32 addr_at; /* where these four bytes are in the frame */
	__u32 port_at; /* 0: ports stay */
	__u32 hosts;   /* not 0: the index is the address, and ports count up from port */
	__u32 port;
	__u32 id_at; /* not 0: the index goes there as 16 bits, address and port stay */
};
