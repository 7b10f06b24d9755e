/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_members.c - all members of an image against all members of the kernel: a million are compared
 * and written as the image names them, and are nowhere in between.
 */
#include "rulesd/bpf_internal.h"

#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

#define BUFFERED 4096u
#define AHEAD	 16u /* members whose entries are on their way from memory */

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

struct member_count {
	uint64_t epoch;
	uint32_t count;
};

static bool count_epoch(const void *key, const void *value, void *arg)
{
	struct member_count *count = arg;

	(void)key;
	count->count += ((const struct sg_version *)value)->epoch == count->epoch;
	return true;
}

/* As many as were written are there. */
static int read_back(const struct member_writer *writer)
{
	struct member_count count = {.epoch = writer->epoch};
	const struct bpf_table *table = &writer->dataplane->table[TABLE_MEMBERS];
	int code = writer->written ? table_each(table, count_epoch, &count) : 0;

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
