/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_shards.c - where flows live: a small LRU of half-open flows for each slot, shards of
 * confirmed ones that several slots share, and the reservations that keep every slot's allowance
 * free.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

/* Kernel 6.1: a small LRU evicts early, because every CPU keeps free entries of its own. */
#define HALF_PER_CPU 128u

uint32_t shards_reserved(const struct dataplane *dataplane)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < SG_MAX_SHARDS; i++)
		sum += dataplane->shards[i].reserved;
	return sum;
}

static uint32_t *id_of(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index)
{
	return outer == TABLE_HALF ? &dataplane->half_ids[index] : &dataplane->flows_ids[index];
}

/* Creates an inner map and puts it in its place; the outer map holds the only reference. */
static int make_inner(struct dataplane *dataplane, enum bpf_table_id outer,
		      const struct bpf_table *prototype, const char *name, uint32_t index,
		      uint32_t entries, char **error)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = prototype->flags);
	int code = bpf_fault(CALL_MAP_CREATE, name);
	AUTO_FD int fd = code ? code
			      : bpf_map_create(prototype->type, name, prototype->key_size,
					       prototype->value_size, entries, &options);

	if (fd < 0)
		return bpf_fail(error, fd, "map %s[%u] of %u entries: bpf(MAP_CREATE)",
				prototype->name, index, entries);
	*id_of(dataplane, outer, index) = 0;
	return table_update(dataplane, outer, &index, &fd, BPF_ANY, error);
}

int shards_make_half(struct dataplane *dataplane, uint32_t slot, char **error)
{
	uint32_t entries = MAX(SG_HALF_FLOWS, HALF_PER_CPU * dataplane->cpus);

	return make_inner(dataplane, TABLE_HALF, &dataplane->half_prototype, "sg_half_slot", slot,
			  entries, error);
}

static int make_shard(struct dataplane *dataplane, uint32_t shard, uint32_t capacity, char **error)
{
	int code = make_inner(dataplane, TABLE_FLOWS, &dataplane->flows_prototype, "sg_flows_shard",
			      shard, capacity, error);

	if (!code)
		dataplane->shards[shard] = (struct shard){.capacity = capacity};
	return code;
}

int shards_drop_half(struct dataplane *dataplane, uint32_t slot, char **error)
{
	dataplane->half_ids[slot] = 0;
	return table_delete(dataplane, TABLE_HALF, &slot, error);
}

/* The map that an outer one has at index; -ENOENT when it has none. */
static int open_inner(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index)
{
	uint32_t *id = id_of(dataplane, outer, index);
	const char *name = dataplane->table[outer].name;
	int fd = *id && !bpf_fault(CALL_FD_BY_ID, name) ? bpf_map_get_fd_by_id(*id) : -1;
	int code;

	if (fd >= 0)
		return fd;
	*id = 0;
	code = table_lookup(dataplane, outer, &index, id);
	if (code || !*id)
		return code ? code : -ENOENT;
	code = bpf_fault(CALL_FD_BY_ID, name);
	fd = code ? code : bpf_map_get_fd_by_id(*id);
	return fd < 0 && !code ? -errno : fd;
}

int shards_open_inner(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index,
		      struct bpf_table *inner)
{
	struct bpf_table opened = {.name = dataplane->table[outer].name,
				   .fd = open_inner(dataplane, outer, index)};
	int code;

	if (opened.fd < 0)
		return opened.fd;
	code = table_describe(&opened);
	if (code) {
		close(opened.fd);
		return code;
	}
	*inner = opened;
	return 0;
}

static int host_has_room(const struct dataplane *dataplane, const char *id, uint32_t max_flows,
			 uint32_t more, char **error)
{
	uint32_t reserved = shards_reserved(dataplane);

	if (more <= dataplane->max_flows && reserved <= dataplane->max_flows - more)
		return 0;
	return bpf_fail(error, -ENOSPC,
			"interface %s: its reservation of %u flows does not fit: %u of %u are "
			"reserved; lower conntrack.max_flows or raise rulesd --max-flows",
			id, max_flows, reserved, dataplane->max_flows);
}

int shards_reserve(struct dataplane *dataplane, const char *id, uint32_t max_flows, uint32_t *shard,
		   char **error)
{
	uint32_t empty = SG_MAX_SHARDS, found = SG_MAX_SHARDS;
	int code = host_has_room(dataplane, id, max_flows, max_flows, error);

	if (code)
		return code;
	for (uint32_t i = 0; i < SG_MAX_SHARDS && found == SG_MAX_SHARDS; i++) {
		const struct shard *candidate = &dataplane->shards[i];

		if (!candidate->capacity)
			empty = MIN(empty, i);
		else if (candidate->capacity == SG_SHARD_FLOWS &&
			 max_flows <= candidate->capacity - candidate->reserved)
			found = i;
	}
	if (found == SG_MAX_SHARDS) {
		if (empty == SG_MAX_SHARDS)
			return bpf_fail(error, -ENOSPC, "interface %s: all %u shards are in use",
					id, SG_MAX_SHARDS);
		code = make_shard(dataplane, empty, MAX(max_flows, SG_SHARD_FLOWS), error);
		if (code)
			return code;
		found = empty;
	}
	dataplane->shards[found].reserved += max_flows;
	*shard = found;
	return 0;
}

int shards_resize(struct dataplane *dataplane, const char *id, uint32_t shard, uint32_t from,
		  uint32_t to, char **error)
{
	struct shard *own = &dataplane->shards[shard];
	uint32_t others = own->reserved - MIN(from, own->reserved);
	int code = to > from ? host_has_room(dataplane, id, to, to - from, error) : 0;

	if (code)
		return code;
	if (to > own->capacity - MIN(others, own->capacity))
		return bpf_fail(error, -ENOSPC,
				"interface %s: conntrack.max_flows cannot grow from %u to %u while "
				"its flows are live (its shard has room for %u more); detach it "
				"and attach it again",
				id, from, to, own->capacity - MIN(own->reserved, own->capacity));
	own->reserved = others + to;
	return 0;
}

int shards_release(struct dataplane *dataplane, uint32_t shard, uint32_t max_flows, char **error)
{
	struct shard *own = &dataplane->shards[shard];
	int code;

	own->reserved -= MIN(max_flows, own->reserved);
	if (own->reserved || !own->capacity)
		return 0;
	dataplane->flows_ids[shard] = 0;
	code = table_delete(dataplane, TABLE_FLOWS, &shard, error);
	if (!code)
		own->capacity = 0;
	return code;
}

int shards_adopt(struct dataplane *dataplane, char **error)
{
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		const struct sg_iface_conf *conf;

		if (!dataplane->ifaces[slot].ifindex)
			continue;
		conf = plan_current_conf(dataplane, slot, NULL);
		if (conf->shard < SG_MAX_SHARDS)
			dataplane->shards[conf->shard].reserved += conf->max_flows;
	}
	for (uint32_t i = 0; i < SG_MAX_SHARDS; i++) {
		struct shard *shard = &dataplane->shards[i];
		uint32_t reserved = shard->reserved;
		struct bpf_table inner;
		int code;

		/*
		 * Kernel 6.1: every lookup in an array of maps waits for an RCU grace period, so
		 * only those in use are looked up. One that a crash left without a user is
		 * overwritten when its place is the first free one.
		 */
		if (!reserved)
			continue;
		code = shards_open_inner(dataplane, TABLE_FLOWS, i, &inner);
		if (code == -ENOENT) {
			/* Somebody took it away: its interfaces drop every new flow until then. */
			code = make_shard(dataplane, i, MAX(reserved, SG_SHARD_FLOWS), error);
			if (code)
				return code;
		} else if (code) {
			return bpf_fail(error, code, "map %s[%u]", SG_MAP_FLOWS, i);
		} else {
			shard->capacity = inner.max_entries;
			close(inner.fd);
		}
		shard->reserved = reserved;
	}
	return 0;
}
