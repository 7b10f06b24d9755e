/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * primitives.h - what primitives.bpf.c and bench_primitives.c share.
 */
#pragma once

#include <linux/types.h>

#define PRIM_STEPS   64	     /* of a primitive in one run of its program */
#define PRIM_CALLS   32	     /* tail calls in one run: the kernel ends them at 33 */
#define PRIM_ENTRIES 1048576 /* of the large maps */
#define PRIM_FEW     1024    /* of the small ones */
#define PRIM_RING    (1 << 25)

/* As large as the keys and entries of a flow table. */
struct prim_key {
	__u32 n;
	__u32 rest[9];
};
struct prim_value {
	__u64 word[8];
};

struct prim_prefix {
	__u32 length;
	__u8 address[4];
};

/* Written before a run, but for sum. */
struct prim_run {
	__u32 random; /* not 0 */
	__u32 count;  /* entries that keys are taken from: 0 .. count - 1, at random */
	__u64 sum;    /* of what was found */
};
