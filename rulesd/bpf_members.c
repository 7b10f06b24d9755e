/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_members.c - all members of an image against all members of the kernel: a million are compared
 * and written as the image names them, and are nowhere in between.
 */
#include "rulesd/bpf_internal.h"

#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/parallel.h"

#define BUFFERED 32768u /* for several threads */
#define AHEAD	 16u	/* members whose entries are on their way from memory */

struct member_writer {
	struct dataplane *dataplane;
	struct plan *plan;
	struct keyed *held; /* what the kernel has */
	uint64_t epoch;
	unsigned int *writes;
	int code;
	char **error;
	uint32_t count, written;
	struct {
		struct sg_member_key key;
		uint32_t set;
	} ahead[AHEAD];
	uint32_t seen; /* members of the image so far */
	struct sg_member_key keys[BUFFERED];
	struct sg_version versions[BUFFERED];
};

static void flush(struct member_writer *writer)
{
	uint32_t done = 0;

	if (writer->code || !writer->count)
		return;
	writer->dataplane->undo_members = true;
	writer->code = table_update_many(writer->dataplane, TABLE_MEMBERS, writer->keys,
					 writer->versions, writer->count, &done, writer->error);
	*writer->writes += done;
	writer->written += done;
	writer->count = 0;
}

static void write_member(struct member_writer *writer, const void *key, uint32_t before,
			 uint32_t after)
{
	if (writer->count == BUFFERED)
		flush(writer);
	memcpy(&writer->keys[writer->count], key, sizeof(writer->keys[0]));
	writer->versions[writer->count++] = (struct sg_version){writer->epoch, before, after};
	plan_gone(writer->dataplane, before, after, writer->plan);
}

static void compare_member(struct member_writer *writer, const struct sg_member_key *key,
			   uint32_t set)
{
	struct keyed_entry *entry = keyed_find(writer->held, key);
	uint32_t number = held_set_of(writer->dataplane, set);

	if (writer->code)
		return;
	if (!number) {
		writer->code = bpf_fail(writer->error, -ENOENT,
					"the image names a set that it does not have");
		return;
	}
	if (entry)
		entry->seen = true;
	if (!entry || entry->value != number)
		write_member(writer, key, entry ? entry->value : 0, number);
}

/* A million entries are in no cache: each is asked for some members before it is looked at. */
static void take_member(const struct sg_member_key *key, uint32_t set, void *arg)
{
	struct member_writer *writer = arg;
	uint32_t at = writer->seen++ % AHEAD;

	if (writer->seen > AHEAD)
		compare_member(writer, &writer->ahead[at].key, writer->ahead[at].set);
	writer->ahead[at].key = *key;
	writer->ahead[at].set = set;
	keyed_prefetch(writer->held, key);
}

static void take_last(struct member_writer *writer)
{
	uint32_t left = MIN(writer->seen, AHEAD);

	for (uint32_t i = writer->seen - left; i < writer->seen; i++)
		compare_member(writer, &writer->ahead[i % AHEAD].key, writer->ahead[i % AHEAD].set);
}

static void remove_unseen(struct member_writer *writer)
{
	struct keyed_entry *entry;
	uint32_t at = 0;

	while (!writer->code && (entry = keyed_next(writer->held, &at))) {
		struct change change = {
			.table = TABLE_MEMBERS, .before = entry->value, .removed = true};

		if (entry->seen)
			continue;
		write_member(writer, entry->key, entry->value, 0);
		memcpy(change.key, entry->key, sizeof(change.key));
		g_array_append_val(writer->plan->removed, change);
	}
}

/* ------------------------------------------------------------------ reading back */

#define PARTS	  16u	 /* of the map, for several threads */
#define PARTS_MIN 65536u /* fewer entries are one part */

struct member_count {
	uint64_t epoch;
	uint32_t count;
	const uint8_t *end; /* the key that the next part begins with; NULL for the last one */
	int code;
};

static bool count_epoch(const void *key, const void *value, void *arg)
{
	struct member_count *count = arg;

	if (count->end && memcmp(key, count->end, KEYED_SIZE) == 0)
		return false;
	count->count += ((const struct sg_version *)value)->epoch == count->epoch;
	return true;
}

static bool take_first(const void *key, const void *value, void *arg)
{
	(void)value;
	memcpy(arg, key, KEYED_SIZE);
	return false;
}

/* What a batch ends with, and the next one begins with, is the number of a bucket: __u32 in
 * __htab_map_lookup_and_delete_batch() of kernel/bpf/hashtab.c. */
static struct table_walk *walk_from(const struct bpf_table *table, uint32_t part, uint32_t room)
{
	struct table_walk *walk = table_walk_new(table, room);
	uint64_t buckets = 1;
	uint32_t bucket;

	while (buckets < table->max_entries)
		buckets *= 2;
	bucket = (uint32_t)(buckets * part / PARTS);
	memcpy(walk->token->data, &bucket, sizeof(bucket));
	walk->begun = part > 0;
	return walk;
}

struct member_parts {
	const struct bpf_table *table;
	uint8_t first[PARTS][KEYED_SIZE]; /* but of the first one */
	struct member_count counts[PARTS];
};

static void count_part(uint32_t part, uint32_t worker, void *context)
{
	struct member_parts *parts = context;
	struct member_count *count = &parts->counts[part];
	CLEANUP(table_walk_free) struct table_walk *walk = walk_from(parts->table, part, 4096);

	(void)worker;
	while (!count->code && !walk->ended)
		count->code = table_walk_next(walk, count_epoch, count);
}

/* By several threads, or false: then one has to look. No kernel promises what a batch may begin
 * with, so this only says that all are there, never that some are not. */
static bool are_all_there(const struct member_writer *writer, const struct bpf_table *table)
{
	g_autofree struct member_parts *parts = g_new0(struct member_parts, 1);
	uint32_t sum = 0;
	int code = 0;

	if (writer->written < PARTS_MIN || parallel_threads() < 2)
		return false;
	parts->table = table;
	for (uint32_t i = 0; !code && i < PARTS; i++) {
		CLEANUP(table_walk_free) struct table_walk *walk = walk_from(table, i, 256);

		parts->counts[i].epoch = writer->epoch;
		parts->counts[i].end = i + 1 < PARTS ? parts->first[i + 1] : NULL;
		code = table_walk_next(walk, take_first, parts->first[i]);
	}
	if (code)
		return false;
	parallel_run(PARTS, count_part, parts);
	for (uint32_t i = 0; i < PARTS; i++) {
		if (parts->counts[i].code)
			return false;
		sum += parts->counts[i].count;
	}
	return sum == writer->written;
}

/* As many as were written are there. */
static int read_back(const struct member_writer *writer)
{
	struct member_count count = {.epoch = writer->epoch};
	const struct bpf_table *table = &writer->dataplane->table[TABLE_MEMBERS];
	int code;

	if (!writer->written || are_all_there(writer, table))
		return 0;
	code = table_each(table, count_epoch, &count);
	if (code)
		return bpf_fail(writer->error, code, "map %s: reading back what was written",
				table->name);
	if (count.count == writer->written)
		return 0;
	return bpf_fail(writer->error, -EIO, "map %s has %u of %u entries that were written",
			table->name, count.count, writer->written);
}

int members_write(struct dataplane *dataplane, struct plan *plan, uint64_t epoch,
		  unsigned int *writes, char **error)
{
	CLEANUP(keyed_free) struct keyed *held = TAKE_PTR(dataplane->members);
	g_autofree struct member_writer *writer = NULL;
	int code = 0;

	if (!held) {
		held = keyed_new();
		code = image_read_values(dataplane, TABLE_MEMBERS, held, error);
	}
	if (code)
		return code;
	writer = g_new0(struct member_writer, 1);
	writer->dataplane = dataplane;
	writer->plan = plan;
	writer->held = held;
	writer->epoch = epoch;
	writer->writes = writes;
	writer->error = error;
	image_each_member(plan->members_of, take_member, writer);
	take_last(writer);
	remove_unseen(writer);
	flush(writer);
	return writer->code ? writer->code : read_back(writer);
}
