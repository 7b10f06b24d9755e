/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cells.c - see cells.h.
 */
#include "tests/lib/cells.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/bucket.h"
#include "rulesd/bpf_internal.h"
#include "tests/lib/check.h"
#include "tests/lib/proggy.h"

struct sg_bucket *cells_of(const char *interface_id, uint32_t *count)
{
	struct dataplane *dataplane = proggy_dataplane();
	const struct sg_iface_conf *conf =
		plan_current_conf(dataplane, proggy_slot(interface_id), NULL);
	struct bpf_table shard;
	void *buckets;

	assert_int_equal(shards_open_inner(dataplane, TABLE_FLOWS, conf->shard, &shard), 0);
	assert_int_equal(shard.max_entries, conf->buckets);
	buckets = mmap(NULL, shard.max_entries * sizeof(struct sg_bucket), PROT_READ | PROT_WRITE,
		       MAP_SHARED, shard.fd, 0);
	assert_ptr_not_equal(buckets, MAP_FAILED);
	close(shard.fd);
	*count = shard.max_entries;
	return buckets;
}

void cells_release(struct sg_bucket **buckets, uint32_t count)
{
	munmap(*buckets, count * sizeof(struct sg_bucket));
	*buckets = NULL;
}

struct sg_cell *cells_only(struct sg_bucket *buckets, uint32_t count)
{
	struct sg_cell *only = NULL;

	for (uint32_t b = 0; b < count; b++)
		for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++) {
			if (SG_TAG_STATUS(buckets[b].tags[i]) != SG_TAG_LIVE)
				continue;
			assert_null(only);
			only = &buckets[b].cells[i];
		}
	assert_non_null(only);
	return only;
}
