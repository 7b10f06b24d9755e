/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_events.c - drops and new flows as the programs report them, while somebody listens.
 *
 * Nothing is reported while nobody does: an event costs the packet path some 30 ns. The ring is
 * read by the clock and not when the kernel wakes us up, so that a flood costs a bounded amount.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/libbpf.h>
#include <errno.h>

struct reading {
	unsigned int left;
	dataplane_event_fn each;
	void *arg;
	uint64_t lost;
};

static int take(void *arg, void *data, size_t size)
{
	struct reading *reading = arg;

	if (size < sizeof(struct sg_event))
		return 0;
	if (!reading->each)
		return 0;
	if (!reading->left) {
		reading->lost++;
		return 0;
	}
	reading->left--;
	reading->each(data, reading->arg);
	return 0;
}

static struct reading *reading_of(struct dataplane *dataplane)
{
	if (!dataplane->reading)
		dataplane->reading = g_new0(struct reading, 1);
	return dataplane->reading;
}

int dataplane_events_listen(struct dataplane *dataplane, uint32_t flags, char **error)
{
	uint32_t before = __atomic_load_n(&dataplane->control->flags, __ATOMIC_RELAXED);

	if (flags && !dataplane->ring) {
		dataplane->ring = ring_buffer__new(dataplane->table[TABLE_EVENTS].fd, take,
						   reading_of(dataplane), NULL);
		if (!dataplane->ring)
			return bpf_fail(error, -errno, "map %s: mapping it", SG_MAP_EVENTS);
	}
	/* What is left of who listened before is nobody's. */
	if (flags && !before)
		dataplane_events_read(dataplane, 0, NULL, NULL);
	__atomic_store_n(&dataplane->control->flags, flags, __ATOMIC_RELAXED);
	return 0;
}

uint64_t dataplane_events_read(struct dataplane *dataplane, unsigned int most,
			       dataplane_event_fn each, void *arg)
{
	struct reading *reading = reading_of(dataplane);

	if (!dataplane->ring)
		return 0;
	*reading = (struct reading){.left = most, .each = each, .arg = arg};
	ring_buffer__consume(dataplane->ring);
	return reading->lost;
}

void events_close(struct dataplane *dataplane)
{
	if (dataplane->ring)
		ring_buffer__free(dataplane->ring);
	dataplane->ring = NULL;
	g_clear_pointer(&dataplane->reading, g_free);
}
