/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floor.h - programs that do nothing, attached where a filter would be: what no filter can be
 * cheaper than (floor.bpf.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct floor;
struct path;

enum floor_kind {
	FLOOR_PASS,
	FLOOR_DROP,  /* what the VM sends; the rest passes */
	FLOOR_STATE, /* passes, after one line of memory of its connection is read and written */
};

/*
 * On both taps of the path: xdp, or else tcx, for what the VM sends, and tcx for what it is sent;
 * NULL where the kernel has no tcx (before 6.6). flows: of each tap that FLOOR_STATE has room for.
 * In the namespace of the path.
 */
struct floor *floor_new(const struct path *path, bool xdp, enum floor_kind kind, uint32_t flows);
void floor_free(struct floor **floor);
