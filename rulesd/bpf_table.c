/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_table.c - entries of BPF maps: one, many, all; and waiting until nobody reads an old one.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define ENOTSUPP 524 /* what the kernel answers for map operations that a type does not have */

int bpf_fail(char **error, int code, const char *format, ...)
{
	g_autofree char *sentence = NULL;
	va_list arguments;

	va_start(arguments, format);
	sentence = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (!error)
		return code;
	g_free(*error);
	*error = g_strdup_printf("%s: %s", sentence, g_strerror(-code));
	return code;
}

int table_describe(struct bpf_table *table)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	int code = bpf_fault(CALL_INFO, table->name);

	if (!code && bpf_obj_get_info_by_fd(table->fd, &info, &length))
		code = -errno;
	if (code)
		return code;
	table->type = info.type;
	table->key_size = info.key_size;
	table->value_size = info.value_size;
	table->max_entries = info.max_entries;
	table->flags = info.map_flags;
	return 0;
}

int table_fail_update(const struct bpf_table *table, int code, char **error)
{
	if (code == -E2BIG)
		return bpf_fail(error, code, "map %s is full (%u entries)", table->name,
				table->max_entries);
	return bpf_fail(error, code, "map %s: bpf(MAP_UPDATE_ELEM)", table->name);
}

int table_update(struct dataplane *dataplane, enum bpf_table_id id, const void *key,
		 const void *value, uint64_t flags, char **error)
{
	const struct bpf_table *table = &dataplane->table[id];
	int code = bpf_fault(CALL_MAP_UPDATE, table->name);

	if (id == TABLE_MEMBERS) {
		keyed_free(&dataplane->members);
		hints_forget(dataplane, key);
	}
	if (!code && bpf_map_update_elem(table->fd, key, value, flags))
		code = -errno;
	return code ? table_fail_update(table, code, error) : 0;
}

int table_delete(struct dataplane *dataplane, enum bpf_table_id id, const void *key, char **error)
{
	const struct bpf_table *table = &dataplane->table[id];
	int code = bpf_fault(CALL_MAP_DELETE, table->name);

	if (id == TABLE_MEMBERS) {
		keyed_free(&dataplane->members);
		hints_forget(dataplane, key);
	}
	if (!code && bpf_map_delete_elem(table->fd, key) && errno != ENOENT)
		code = -errno;
	if (code)
		return bpf_fail(error, code, "map %s: bpf(MAP_DELETE_ELEM)", table->name);
	return 0;
}

int table_lookup(struct dataplane *dataplane, enum bpf_table_id id, const void *key, void *value)
{
	const struct bpf_table *table = &dataplane->table[id];
	int code = bpf_fault(CALL_MAP_LOOKUP, table->name);

	if (!code && bpf_map_lookup_elem(table->fd, key, value))
		code = -errno;
	return code;
}

static bool not_supported(int code)
{
	return code == EINVAL || code == EOPNOTSUPP || code == ENOTSUPP;
}

/* ------------------------------------------------------------------ all of them */

#define WALK_ROOM 1024u /* entries that a part has at most, but for a bucket that is fuller */

struct table_walk *table_walk_new(const struct bpf_table *table, uint32_t room)
{
	struct table_walk *walk = g_new0(struct table_walk, 1);

	walk->table = *table;
	walk->room = MIN(table->max_entries, room ? room : WALK_ROOM);
	walk->keys = g_byte_array_new();
	walk->values = g_byte_array_new();
	walk->token = g_byte_array_new();
	g_byte_array_set_size(walk->token, MAX(table->key_size, 8u));
	return walk;
}

void table_walk_free(struct table_walk **walk)
{
	struct table_walk *freed = TAKE_PTR(*walk);

	if (!freed)
		return;
	g_byte_array_unref(freed->keys);
	g_byte_array_unref(freed->values);
	g_byte_array_unref(freed->token);
	g_free(freed);
}

/* Where the kernel has no batches: token is the key that came last. */
static int next_by_key(struct table_walk *walk, table_each_fn each, void *arg)
{
	int fd = walk->table.fd;

	g_byte_array_set_size(walk->keys, walk->table.key_size);
	g_byte_array_set_size(walk->values, walk->table.value_size);
	for (uint32_t i = 0; i < walk->room; i++) {
		if (bpf_map_get_next_key(fd, walk->begun ? walk->token->data : NULL,
					 walk->keys->data)) {
			walk->ended = true;
			return errno == ENOENT ? 0 : -errno;
		}
		walk->begun = true;
		memcpy(walk->token->data, walk->keys->data, walk->table.key_size);
		if (bpf_map_lookup_elem(fd, walk->keys->data, walk->values->data))
			continue; /* removed meanwhile */
		if (!each(walk->keys->data, walk->values->data, arg)) {
			walk->ended = true;
			return 0;
		}
	}
	return 0;
}

/* One batch; a bucket of a hash is returned whole or not at all (ENOSPC): more is asked for then.
 */
static int next_batch(struct table_walk *walk, uint32_t *count)
{
	const struct bpf_table *table = &walk->table;

	for (;;) {
		*count = walk->room;
		g_byte_array_set_size(walk->keys, walk->room * table->key_size);
		g_byte_array_set_size(walk->values, walk->room * table->value_size);
		if (!bpf_map_lookup_batch(table->fd, walk->begun ? walk->token->data : NULL,
					  walk->token->data, walk->keys->data, walk->values->data,
					  count, NULL))
			return 0;
		if (errno != ENOSPC || walk->room >= table->max_entries)
			return errno;
		walk->room = MIN(walk->room * 2, table->max_entries);
	}
}

int table_walk_next(struct table_walk *walk, table_each_fn each, void *arg)
{
	const struct bpf_table *table = &walk->table;
	uint32_t count = 0;
	int code = bpf_fault(CALL_MAP_NEXT, table->name);

	if (code)
		return code;
	if (walk->by_key)
		return next_by_key(walk, each, arg);
	code = next_batch(walk, &count);
	if (!walk->begun && not_supported(code)) {
		walk->by_key = true;
		return next_by_key(walk, each, arg);
	}
	if (code && code != ENOENT)
		return -code;
	walk->begun = true;
	walk->ended = code == ENOENT;
	for (uint32_t i = 0; i < count; i++)
		if (!each(walk->keys->data + (size_t)i * table->key_size,
			  walk->values->data + (size_t)i * table->value_size, arg)) {
			walk->ended = true;
			return 0;
		}
	return 0;
}

int table_each(const struct bpf_table *table, table_each_fn each, void *arg)
{
	CLEANUP(table_walk_free) struct table_walk *walk = table_walk_new(table, 4096);
	int code = 0;

	while (!code && !walk->ended)
		code = table_walk_next(walk, each, arg);
	return code;
}

/* An update of an array of maps waits for a grace period inside the kernel. Slot 0 is never used.
 */
static int grace_by_update(struct dataplane *dataplane, char **error)
{
	const struct bpf_table *half = &dataplane->half_prototype;
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = half->flags);
	AUTO_FD int fd = bpf_map_create(half->type, "sg_grace", half->key_size, half->value_size,
					half->max_entries, &options);
	uint32_t zero = 0;

	if (fd < 0)
		return bpf_fail(error, -errno, "map sg_grace: bpf(MAP_CREATE)");
	if (bpf_map_update_elem(dataplane->table[TABLE_HALF].fd, &zero, &fd, BPF_ANY) ||
	    bpf_map_delete_elem(dataplane->table[TABLE_HALF].fd, &zero))
		return bpf_fail(error, -errno, "map %s: waiting for a grace period", SG_MAP_HALF);
	return 0;
}

int grace_wait(struct dataplane *dataplane, char **error)
{
	/* kernel/sched/membarrier.c: MEMBARRIER_CMD_GLOBAL is synchronize_rcu(); refused where
	 * nohz_full is on. */
	if (!syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return 0;
	return grace_by_update(dataplane, error);
}

int grace_period(struct dataplane *dataplane, char **error)
{
	int code = bpf_fault(CALL_GRACE, "membarrier");

	if (code)
		return bpf_fail(error, code, "waiting for a grace period");
	return grace_wait(dataplane, error);
}
