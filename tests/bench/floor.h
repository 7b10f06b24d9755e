/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floor.h - programs that do nothing, attached where a filter would be: what no filter can be
 * cheaper than (floor.bpf.c).
 */
#pragma once

#include <stdbool.h>

struct floor;
struct path;

/*
 * On both taps of the path: xdp, or else tcx, for what the VM sends, and tcx for what it is sent;
 * they pass everything, or what the VM sends is dropped. NULL where the kernel has no tcx (before
 * 6.6). In the namespace of the path.
 */
struct floor *floor_new(const struct path *path, bool xdp, bool drop);
void floor_free(struct floor **floor);
