/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_many.c - many entries of one BPF map, written and read back: in batches, and by several
 * threads when there are thousands.
 *
 * The kernel takes the lock of a bucket for each entry, so that threads with other keys do not wait
 * for each other; most of the time is spent on waiting for memory. Tests have calls fail in the
 * order of the entries: they are asked before the threads begin.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/parallel.h"

#define BATCH	1024u
#define BATCHES 8u /* so many are worth the threads */

struct many {
	const struct bpf_table *table;
	const char *keys, *values;
	uint32_t count;
	uint32_t failed; /* atomic: the first entry that somebody failed at, or count */
	uint32_t done;	 /* atomic */
	int code;	 /* of the entry failed; under the lock */
	GMutex lock;
};

static const char *key_at(const struct many *many, uint32_t i)
{
	return many->keys + (size_t)i * many->table->key_size;
}

static const char *value_at(const struct many *many, uint32_t i)
{
	return many->values + (size_t)i * many->table->value_size;
}

static void fail_at(struct many *many, uint32_t i, int code)
{
	g_mutex_lock(&many->lock);
	if (i < many->failed) {
		__atomic_store_n(&many->failed, i, __ATOMIC_RELAXED);
		many->code = code;
	}
	g_mutex_unlock(&many->lock);
}

/* Nothing behind a failure is begun. */
static bool is_beyond(const struct many *many, uint32_t i)
{
	return i >= __atomic_load_n(&many->failed, __ATOMIC_RELAXED);
}

/* A batch that fails is written one by one, as where there are no batches, to learn which entry it
 * is: the kernel wrote those before it. */
static void write_batch(uint32_t piece, uint32_t worker, void *context)
{
	struct many *many = context;
	uint32_t at = piece * BATCH, end = MIN(at + BATCH, many->count);

	(void)worker;
	while (at < end && !is_beyond(many, at)) {
		uint32_t batch = end - at;

		if (batch < 2 || bpf_map_update_batch(many->table->fd, key_at(many, at),
						      value_at(many, at), &batch, NULL)) {
			batch = 1;
			if (bpf_map_update_elem(many->table->fd, key_at(many, at),
						value_at(many, at), BPF_ANY)) {
				fail_at(many, at, -errno);
				return;
			}
		}
		at += batch;
		__atomic_fetch_add(&many->done, batch, __ATOMIC_RELAXED);
	}
}

/* Another value is no error of the kernel: code 0. */
static void read_batch(uint32_t piece, uint32_t worker, void *context)
{
	struct many *many = context;
	uint32_t at = piece * BATCH, end = MIN(at + BATCH, many->count);
	struct sg_version found;

	(void)worker;
	for (; at < end && !is_beyond(many, at); at++) {
		int code = bpf_map_lookup_elem(many->table->fd, key_at(many, at), &found);

		if (code || memcmp(&found, value_at(many, at), sizeof(found)) != 0) {
			fail_at(many, at, code ? -errno : 0);
			return;
		}
	}
}

static void run(struct many *many, parallel_work *work)
{
	uint32_t batches = (many->count + BATCH - 1) / BATCH;

	g_mutex_init(&many->lock);
	many->failed = many->count;
	if (batches >= BATCHES)
		parallel_run(batches, work, many);
	else
		for (uint32_t i = 0; i < batches; i++)
			work(i, 0, many);
	g_mutex_clear(&many->lock);
}

static bool has_failed(const struct many *many)
{
	return many->failed < many->count;
}

int table_update_many(struct dataplane *dataplane, enum bpf_table_id id, const void *keys,
		      const void *values, uint32_t count, uint32_t *done, char **error)
{
	struct many many = {.table = &dataplane->table[id], .keys = keys, .values = values};
	int code = 0;

	if (id == TABLE_MEMBERS)
		keyed_free(&dataplane->members);
	for (uint32_t i = 0; id == TABLE_MEMBERS && i < count; i++)
		hints_forget(dataplane, (const char *)keys + i * sizeof(struct sg_member_key));
	while (!code && many.count < count) {
		code = bpf_fault(CALL_MAP_UPDATE, many.table->name);
		if (!code)
			many.count = MIN(many.count + BATCH, count);
	}
	run(&many, write_batch);
	*done = many.done;
	if (has_failed(&many))
		code = many.code;
	return code ? table_fail_update(many.table, code, error) : 0;
}

int table_read_back(struct dataplane *dataplane, enum bpf_table_id id, const void *keys,
		    const struct sg_version *versions, uint32_t count, char **error)
{
	struct many many = {
		.table = &dataplane->table[id], .keys = keys, .values = (const char *)versions};
	int code = 0;

	while (!code && many.count < count) {
		code = bpf_fault(CALL_MAP_LOOKUP, many.table->name);
		many.count += !code;
	}
	run(&many, read_batch);
	if (has_failed(&many) && !many.code)
		return bpf_fail(error, -EIO, "map %s has something else than was written",
				many.table->name);
	if (has_failed(&many))
		code = many.code;
	return code ? bpf_fail(error, code, "map %s: reading back what was written",
			       many.table->name)
		    : 0;
}
