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

#define BATCH	 1024u
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

static int fail_update(const struct bpf_table *table, int code, char **error)
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

	if (!code && bpf_map_update_elem(table->fd, key, value, flags))
		code = -errno;
	return code ? fail_update(table, code, error) : 0;
}

int table_delete(struct dataplane *dataplane, enum bpf_table_id id, const void *key, char **error)
{
	const struct bpf_table *table = &dataplane->table[id];
	int code = bpf_fault(CALL_MAP_DELETE, table->name);

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

int table_update_many(struct dataplane *dataplane, enum bpf_table_id id, const void *keys,
		      const void *values, uint32_t count, uint32_t *done, char **error)
{
	const struct bpf_table *table = &dataplane->table[id];
	const char *key = keys, *value = values;

	*done = 0;
	while (*done < count) {
		uint32_t batch = MIN(count - *done, BATCH);
		int code = bpf_fault(CALL_MAP_UPDATE, table->name);

		if (code)
			return fail_update(table, code, error);
		if (batch < 2 || bpf_map_update_batch(table->fd, key, value, &batch, NULL)) {
			/* Written one by one where there are no batches, and to learn which entry
			 * failed: the kernel wrote those before it. */
			batch = 1;
			if (bpf_map_update_elem(table->fd, key, value, BPF_ANY))
				return fail_update(table, -errno, error);
		}
		*done += batch;
		key += (size_t)batch * table->key_size;
		value += (size_t)batch * table->value_size;
	}
	return 0;
}

static int each_by_key(const struct bpf_table *table, table_each_fn each, void *arg)
{
	g_autoptr(GByteArray) key = g_byte_array_new();
	g_autoptr(GByteArray) value = g_byte_array_new();
	bool first = true;

	g_byte_array_set_size(key, table->key_size);
	g_byte_array_set_size(value, table->value_size);
	while (!bpf_map_get_next_key(table->fd, first ? NULL : key->data, key->data)) {
		first = false;
		if (bpf_map_lookup_elem(table->fd, key->data, value->data))
			continue; /* removed meanwhile */
		if (!each(key->data, value->data, arg))
			return 0;
	}
	return errno == ENOENT ? 0 : -errno;
}

int table_each(const struct bpf_table *table, table_each_fn each, void *arg)
{
	/* A bucket of a hash is returned whole or not at all (ENOSPC): ask for more then. */
	uint32_t room = MIN(table->max_entries, 4096u);
	g_autoptr(GByteArray) keys = g_byte_array_new();
	g_autoptr(GByteArray) values = g_byte_array_new();
	g_autoptr(GByteArray) token = g_byte_array_new();
	bool first = true;

	g_byte_array_set_size(token, MAX(table->key_size, 8u));
	for (;;) {
		uint32_t count = room;
		int code = bpf_fault(CALL_MAP_NEXT, table->name);

		if (code)
			return code;
		g_byte_array_set_size(keys, room * table->key_size);
		g_byte_array_set_size(values, room * table->value_size);
		if (bpf_map_lookup_batch(table->fd, first ? NULL : token->data, token->data,
					 keys->data, values->data, &count, NULL))
			code = errno;
		if (first && not_supported(code))
			return each_by_key(table, each, arg);
		if (code == ENOSPC && room < table->max_entries) {
			room = MIN(room * 2, table->max_entries);
			continue;
		}
		if (code && code != ENOENT)
			return -code;
		for (uint32_t i = 0; i < count; i++)
			if (!each(keys->data + (size_t)i * table->key_size,
				  values->data + (size_t)i * table->value_size, arg))
				return 0;
		if (code == ENOENT)
			return 0;
		first = false;
	}
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
