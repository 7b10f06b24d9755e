/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device_group.h - the group of network devices (ip link set DEV group N), set through rtnetlink.
 */
#pragma once

#include <stdint.h>

/*
 * Puts count devices into the group; the codes, one each, are 0 or -errno (-ENODEV: there is no
 * such device).
 */
void device_group_set(const uint32_t *ifindexes, unsigned int count, uint32_t group, int *codes);
/* The one that it is in now. 0 or -errno. */
int device_group_get(uint32_t ifindex, uint32_t *group);
