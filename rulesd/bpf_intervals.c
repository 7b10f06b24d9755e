/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_intervals.c - free extents of the array sg_intervals: sorted, none adjacent, first fit.
 */
#include "rulesd/bpf_internal.h"

#include <errno.h>

int intervals_take(GArray *free_extents, uint32_t count, uint32_t *start)
{
	for (unsigned int i = 0; i < free_extents->len; i++) {
		struct extent *extent = &g_array_index(free_extents, struct extent, i);

		if (extent->count < count)
			continue;
		*start = extent->start;
		extent->start += count;
		extent->count -= count;
		if (!extent->count)
			g_array_remove_index(free_extents, i);
		return 0;
	}
	return -ENOSPC;
}

void intervals_give(GArray *free_extents, uint32_t start, uint32_t count)
{
	struct extent given = {start, count};
	unsigned int low = 0, high = free_extents->len;
	struct extent *extents;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (g_array_index(free_extents, struct extent, middle).start < start)
			low = middle + 1;
		else
			high = middle;
	}
	g_array_insert_val(free_extents, low, given);
	extents = &g_array_index(free_extents, struct extent, 0);
	if (low + 1 < free_extents->len && start + count == extents[low + 1].start) {
		extents[low].count += extents[low + 1].count;
		g_array_remove_index(free_extents, low + 1);
	}
	if (low > 0 && extents[low - 1].start + extents[low - 1].count == start) {
		extents[low - 1].count += extents[low].count;
		g_array_remove_index(free_extents, low);
	}
}
