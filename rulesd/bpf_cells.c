/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_cells.c - the flows of a shard in mapped memory: read, inserted and given up by the same
 * atomic steps as the programs' (bpf/shard.bpf.h), while they run.
 */
#include "rulesd/bpf_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/bucket.h"
#include "rulesd/cleanup.h"

_Static_assert(CELLS_WINDOW * sizeof(struct sg_bucket) % 65536 == 0, "whole pages");

int cells_map(const struct bpf_table *shard, uint32_t first, uint32_t count,
	      struct cells_window *window)
{
	struct cells_window mapped = {.first = first, .count = count};
	int code = bpf_fault(CALL_MAP_NEXT, shard->name);

	if (code)
		return code;
	mapped.buckets =
		mmap(NULL, count * sizeof(struct sg_bucket), PROT_READ | PROT_WRITE, MAP_SHARED,
		     shard->fd, (off_t)((size_t)first * sizeof(struct sg_bucket)));
	if (mapped.buckets == MAP_FAILED)
		return -errno;
	*window = mapped;
	return 0;
}

void cells_unmap(struct cells_window *window)
{
	if (window->buckets)
		munmap(window->buckets, window->count * sizeof(struct sg_bucket));
	*window = (struct cells_window){0};
}

/* False when the cell holds no flow, or is given up at this moment. */
static bool read_cell(struct sg_bucket *bucket, unsigned int i, struct cell_copy *copy)
{
	uint32_t word = __atomic_load_n(&bucket->tags[i], __ATOMIC_ACQUIRE);

	if (SG_TAG_STATUS(word) != SG_TAG_LIVE)
		return false;
	copy->cell = bucket->cells[i];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	copy->at = &bucket->cells[i];
	copy->tag = &bucket->tags[i];
	copy->tagged = word;
	return __atomic_load_n(copy->tag, __ATOMIC_RELAXED) == word;
}

/* False: enough. */
static bool each_of_bucket(struct sg_bucket *bucket, cells_fn each, void *arg)
{
	for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++) {
		struct cell_copy copy;

		if (read_cell(bucket, i, &copy) && !each(&copy, arg))
			return false;
	}
	return true;
}

int cells_each(const struct bpf_table *shard, cells_fn each, void *arg)
{
	bool more = true;

	for (uint32_t first = 0; more && first < shard->max_entries; first += CELLS_WINDOW) {
		struct cells_window window = {0};
		int code = cells_map(shard, first, MIN(CELLS_WINDOW, shard->max_entries - first),
				     &window);

		if (code)
			return code;
		for (uint32_t i = 0; more && i < window.count; i++)
			more = each_of_bucket(&window.buckets[i], each, arg);
		cells_unmap(&window);
	}
	return 0;
}

int cells_some(const struct bpf_table *shard, uint32_t first, uint32_t count, cells_fn each,
	       void *arg)
{
	struct cells_window window = {0};
	bool more = true;
	int code;

	if (first >= shard->max_entries)
		return 0;
	code = cells_map(shard, first, MIN(count, shard->max_entries - first), &window);
	for (uint32_t i = 0; !code && more && i < window.count; i++)
		more = each_of_bucket(&window.buckets[i], each, arg);
	cells_unmap(&window);
	return code;
}

bool cells_remove(const struct cell_copy *copy, uint64_t jiffies, struct sg_flow *last)
{
	struct sg_flow *flow = &copy->at->flow;
	uint32_t found = copy->tagged, word;

	/* Dead first, so that no packet confirms it, and how it is counted is known. Should we have
	 * slept so long that it is another flow's by now, nothing is changed. */
	if (!sg_flow_kill(flow, copy->cell.flow.use, &word) ||
	    !__atomic_compare_exchange_n(copy->tag, &found, sg_tag_gone(found, jiffies), false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	*last = *flow;
	last->state = word & ~(uint32_t)(SG_FLOW_DEAD << 8);
	return true;
}

static uint32_t used_of(const struct sg_bucket *bucket, uint64_t jiffies)
{
	uint32_t used = 0;

	for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++)
		used += sg_tag_used(__atomic_load_n(&bucket->tags[i], __ATOMIC_RELAXED), jiffies);
	return used;
}

/* All but the state, which publishes it. */
static void fill_flow(struct sg_flow *to, const struct sg_flow *from, uint16_t use)
{
	struct sg_flow flow = *from;

	flow.state = SG_FLOW_DEAD << 8;
	flow.use = use;
	*to = flow;
}

int cells_insert(const struct cells_window *window, const __u64 secret[4], uint64_t jiffies,
		 const struct sg_flow_key *key, const struct sg_flow *flow)
{
	struct sg_place place = sg_place_of(key, secret, window->count);
	struct sg_bucket *bucket = &window->buckets[place.first];

	for (unsigned int b = 0; b < 2; b++) {
		struct sg_bucket *either = &window->buckets[b ? place.second : place.first];

		for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++)
			if (sg_tag_matches(__atomic_load_n(&either->tags[i], __ATOMIC_ACQUIRE),
					   place.tag) &&
			    !memcmp(&either->cells[i].key, key, sizeof(*key)))
				return -EEXIST;
	}
	if (used_of(bucket, jiffies) >= SG_BUCKET_FULL &&
	    used_of(&window->buckets[place.second], jiffies) < used_of(bucket, jiffies)) {
		__atomic_store_n(&bucket->overflowed, 1, __ATOMIC_RELAXED);
		bucket = &window->buckets[place.second];
	}
	for (unsigned int n = 0; n < SG_BUCKET_CELLS; n++) {
		unsigned int i = (place.cell + n) % SG_BUCKET_CELLS;
		uint32_t word = __atomic_load_n(&bucket->tags[i], __ATOMIC_RELAXED);
		uint32_t use = SG_TAG_NEXT_USE(word);

		if (sg_tag_used(word, jiffies) ||
		    !__atomic_compare_exchange_n(&bucket->tags[i], &word,
						 SG_TAG(SG_TAG_BUSY, place.tag >> 16) | use, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			continue;
		sg_cell_close(&bucket->cells[i], use);
		bucket->cells[i].key = *key;
		fill_flow(&bucket->cells[i].flow, flow, (uint16_t)use);
		sg_cell_open(&bucket->cells[i], flow->state);
		__atomic_store_n(&bucket->tags[i], place.tag | use, __ATOMIC_RELEASE);
		return 0;
	}
	return -ENOSPC;
}
