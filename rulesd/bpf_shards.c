/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_shards.c - where flows live: a small LRU of half-open flows for each slot, shards of
 * confirmed ones that several slots share (arrays of buckets: bpf/bucket.h), and the reservations
 * that keep every slot's allowance free. Long because each of these is counted in the others.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

/* Kernel 6.1: a small LRU evicts early, because every CPU keeps free entries of its own. */
#define HALF_PER_CPU 128u

/* At most, and a quarter of what is allowed: above the clients that the API takes. */
#define SPARE_DESCRIPTORS 2048u

/* ------------------------------------------------------------------ reservations */

uint32_t shards_reserved(const struct dataplane *dataplane)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < SG_MAX_SHARDS; i++)
		sum += dataplane->shards[i].reserved;
	return sum;
}

static int *held_of(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index)
{
	return outer == TABLE_HALF ? &dataplane->half_fds[index] : &dataplane->flows_fds[index];
}

static void let_go(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index)
{
	int *held = held_of(dataplane, outer, index);

	if (*held)
		close(*held - 1);
	*held = 0;
}

void shards_close(struct dataplane *dataplane)
{
	for (uint32_t slot = 0; slot <= SG_MAX_SLOTS; slot++)
		let_go(dataplane, TABLE_HALF, slot);
	for (uint32_t shard = 0; shard < SG_MAX_SHARDS; shard++)
		let_go(dataplane, TABLE_FLOWS, shard);
}

/* ------------------------------------------------------------------ inner maps, published */

/*
 * An outer map that inner ones are put into. kernel/bpf/syscall.c: such an update waits for a grace
 * period after the new map is there for everybody, once a call whatever the number of entries, so
 * all of them go in one call, from a thread that waits while others go on.
 */
struct publication {
	enum bpf_table_id outer;
	int outer_fd;
	GArray *indexes; /* of uint32_t */
	GArray *fds;	 /* of int, owned */
	int code;	 /* of the first that failed, when done */
	gint done;
	GThread *thread;
};

static struct publication *publication_of(struct dataplane *dataplane, enum bpf_table_id outer)
{
	struct publication **own = &dataplane->publications[outer == TABLE_FLOWS];

	if (*own)
		return *own;
	*own = g_new0(struct publication, 1);
	(*own)->outer = outer;
	(*own)->outer_fd = dataplane->table[outer].fd;
	(*own)->indexes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	(*own)->fds = g_array_new(FALSE, FALSE, sizeof(int));
	return *own;
}

static void publication_free(struct publication **publication)
{
	struct publication *own = TAKE_PTR(*publication);

	if (!own)
		return;
	for (guint i = 0; i < own->fds->len; i++)
		close(g_array_index(own->fds, int, i));
	g_array_unref(own->fds);
	g_array_unref(own->indexes);
	g_free(own);
}

/* Takes back a map that has not been published yet. */
static void unmake_inner(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index)
{
	struct publication *own = dataplane->publications[outer == TABLE_FLOWS];

	for (guint i = 0; own && !own->thread && i < own->indexes->len; i++) {
		if (g_array_index(own->indexes, uint32_t, i) != index)
			continue;
		close(g_array_index(own->fds, int, i));
		g_array_remove_index_fast(own->fds, i);
		g_array_remove_index_fast(own->indexes, i);
		if (!own->fds->len)
			publication_free(&dataplane->publications[outer == TABLE_FLOWS]);
		return;
	}
}

static gpointer publish(gpointer arg)
{
	struct publication *own = arg;
	uint32_t *indexes = (uint32_t *)(void *)own->indexes->data;
	int *fds = (int *)(void *)own->fds->data;
	uint32_t count = own->fds->len;

	/* Kernels before 5.19 have no batches for these maps. */
	if (count < 2 || bpf_map_update_batch(own->outer_fd, indexes, fds, &count, NULL))
		for (guint i = 0; !own->code && i < own->fds->len; i++)
			if (bpf_map_update_elem(own->outer_fd, &indexes[i], &fds[i], BPF_ANY))
				own->code = -errno;
	g_atomic_int_set(&own->done, 1);
	return NULL;
}

static void to_publish(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index, int fd)
{
	struct publication *publication = publication_of(dataplane, outer);

	g_array_append_val(publication->indexes, index);
	g_array_append_val(publication->fds, fd);
}

/* Creates an inner map, to be published. */
static int make_inner(struct dataplane *dataplane, enum bpf_table_id outer,
		      const struct bpf_table *prototype, const char *name, uint32_t index,
		      uint32_t entries, char **error)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = prototype->flags);
	int code = bpf_fault(CALL_MAP_CREATE, name);
	AUTO_FD int fd = code ? code
			      : bpf_map_create(prototype->type, name, prototype->key_size,
					       prototype->value_size, entries, &options);
	int kept;

	if (fd < 0)
		return bpf_fail(error, fd, "map %s[%u] of %u entries: bpf(MAP_CREATE)",
				prototype->name, index, entries);
	kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (kept < 0)
		return bpf_fail(error, -errno, "map %s[%u]: another descriptor", prototype->name,
				index);
	let_go(dataplane, outer, index);
	*held_of(dataplane, outer, index) = kept + 1;
	to_publish(dataplane, outer, index, TAKE_FD(fd));
	return 0;
}

/* One that somebody took out is still there, with all of its flows, because it is held. */
static int put_back(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index)
{
	int held = *held_of(dataplane, outer, index);
	int fd = held ? fcntl(held - 1, F_DUPFD_CLOEXEC, 3) : -1;

	if (fd < 0)
		return held ? -errno : -ENOENT;
	to_publish(dataplane, outer, index, fd);
	return 0;
}

/* Waits until programs find the last one, which is put in last. */
static void wait_visible(const struct dataplane *dataplane, const struct publication *own)
{
	uint32_t index = g_array_index(own->indexes, uint32_t, own->indexes->len - 1), id = 0;

	/* Kernel 6.1: this lookup itself waits for a grace period. */
	while (!g_atomic_int_get(&own->done) &&
	       bpf_map_lookup_elem(dataplane->table[own->outer].fd, &index, &id))
		g_thread_yield();
}

int shards_publish(struct dataplane *dataplane, char **error)
{
	int code = 0;

	for (unsigned int i = 0; !code && i < G_N_ELEMENTS(dataplane->publications); i++) {
		struct publication *own = dataplane->publications[i];

		if (!own || own->thread)
			continue;
		code = bpf_fault(CALL_MAP_UPDATE, dataplane->table[own->outer].name);
		if (code)
			bpf_fail(error, code, "map %s: bpf(MAP_UPDATE_BATCH)",
				 dataplane->table[own->outer].name);
		else
			own->thread = g_thread_new("publish", publish, own);
	}
	for (unsigned int i = 0; i < G_N_ELEMENTS(dataplane->publications); i++) {
		struct publication *own = dataplane->publications[i];

		if (!own || !own->thread)
			continue;
		wait_visible(dataplane, own);
		if (!code && g_atomic_int_get(&own->done) && own->code)
			code = bpf_fail(error, own->code, "map %s: bpf(MAP_UPDATE_BATCH)",
					dataplane->table[own->outer].name);
	}
	if (!code)
		return 0;
	shards_published(dataplane);
	for (unsigned int i = 0; i < G_N_ELEMENTS(dataplane->publications); i++)
		publication_free(&dataplane->publications[i]);
	return code;
}

void shards_published(struct dataplane *dataplane)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(dataplane->publications); i++) {
		struct publication *own = dataplane->publications[i];

		if (!own || !own->thread)
			continue;
		g_thread_join(TAKE_PTR(own->thread));
		publication_free(&dataplane->publications[i]);
	}
}

/*
 * Each inner map is held open, so that where few descriptors are allowed the interfaces would have
 * all of them, and clients, files and the next look at a device none. The lowest one that is free
 * tells how many are in use.
 */
int shards_check_descriptors(const struct dataplane *dataplane, char **error)
{
	struct rlimit limit = {};
	rlim_t spare;
	int free_fd = fcntl(dataplane->table[TABLE_HALF].fd, F_DUPFD_CLOEXEC, 3);

	if (free_fd < 0 && errno != EMFILE)
		return bpf_fail(error, -errno, "another descriptor");
	if (free_fd >= 0)
		close(free_fd);
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return bpf_fail(error, -errno, "getrlimit");
	spare = MIN(limit.rlim_cur / 4, SPARE_DESCRIPTORS);
	if (free_fd >= 0 && (rlim_t)free_fd < limit.rlim_cur - spare)
		return 0;
	if (!error)
		return -EMFILE;
	*error = g_strdup_printf("rulesd may have %lu files open, of which it keeps %lu for "
				 "clients and files, and each interface needs one: raise that "
				 "limit (LimitNOFILE=, ulimit -Hn)",
				 (unsigned long)limit.rlim_cur, (unsigned long)spare);
	return -EMFILE;
}

int shards_make_half(struct dataplane *dataplane, uint32_t slot, char **error)
{
	uint32_t entries = MAX(SG_HALF_FLOWS, HALF_PER_CPU * dataplane->cpus);

	return make_inner(dataplane, TABLE_HALF, &dataplane->half_prototype, "sg_half_slot", slot,
			  entries, error);
}

/* Buckets for so many confirmed flows, and for the half-open ones beside them. */
static uint32_t buckets_for(uint32_t flows)
{
	return (uint32_t)(((uint64_t)flows + SG_SHARD_HALF + SG_BUCKET_FLOWS - 1) /
			  SG_BUCKET_FLOWS);
}

static uint32_t capacity_of(uint32_t buckets)
{
	return buckets * SG_BUCKET_FLOWS - MIN(SG_SHARD_HALF, buckets * SG_BUCKET_FLOWS);
}

static int make_shard(struct dataplane *dataplane, uint32_t shard, uint32_t buckets, char **error)
{
	int code = make_inner(dataplane, TABLE_FLOWS, &dataplane->flows_prototype, "sg_flows_shard",
			      shard, buckets, error);

	if (!code)
		dataplane->shards[shard] =
			(struct shard){.buckets = buckets, .capacity = capacity_of(buckets)};
	return code;
}

int shards_make_again(struct dataplane *dataplane, uint32_t shard, char **error)
{
	struct shard before = dataplane->shards[shard];
	int code = put_back(dataplane, TABLE_FLOWS, shard);

	if (code == -ENOENT)
		code = make_shard(dataplane, shard, before.buckets, error);
	dataplane->shards[shard] = before;
	return code;
}

int shards_make_half_again(struct dataplane *dataplane, uint32_t slot, char **error)
{
	int code = put_back(dataplane, TABLE_HALF, slot);

	return code == -ENOENT ? shards_make_half(dataplane, slot, error) : code;
}

/* ------------------------------------------------------------------ and taken away */

#define DROPPERS 16u /* threads, each in a grace period: together they wait for the same ones */

struct drops {
	const struct bpf_table *outer;
	const uint32_t *slots;
	uint32_t count;
	gint next;
	int *codes;
};

static gpointer drop_halves(gpointer arg)
{
	struct drops *drops = arg;

	for (;;) {
		uint32_t i = (uint32_t)g_atomic_int_add(&drops->next, 1);

		if (i >= drops->count)
			return NULL;
		if (drops->codes[i])
			continue;
		if (bpf_map_delete_elem(drops->outer->fd, &drops->slots[i]) && errno != ENOENT)
			drops->codes[i] = -errno;
	}
}

void shards_drop_halves(struct dataplane *dataplane, const uint32_t *slots, uint32_t count,
			int *codes)
{
	struct drops drops = {.outer = &dataplane->table[TABLE_HALF],
			      .slots = slots,
			      .count = count,
			      .codes = codes};
	GThread *threads[DROPPERS] = {NULL};

	for (uint32_t i = 0; i < count; i++) {
		unmake_inner(dataplane, TABLE_HALF, slots[i]);
		let_go(dataplane, TABLE_HALF, slots[i]);
		if (!codes[i])
			codes[i] = bpf_fault(CALL_MAP_DELETE, drops.outer->name);
	}
	for (uint32_t i = 1; i < MIN(count, DROPPERS); i++)
		threads[i] = g_thread_new("drop", drop_halves, &drops);
	drop_halves(&drops);
	for (uint32_t i = 1; i < MIN(count, DROPPERS); i++)
		g_thread_join(threads[i]);
}

/* ------------------------------------------------------------------ opened */

static int take_inner(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t count,
		      char **error)
{
	uint32_t id = 0;
	int code = inner_id(dataplane->table[outer].fd, &id);

	for (uint32_t index = 0; !code && index < count; index++) {
		int fd = by_id_take_inner(dataplane->by_id, id, index);

		if (fd >= 0)
			*held_of(dataplane, outer, index) = fd + 1;
		else if (fd != -ENOENT)
			code = fd;
	}
	return code ? bpf_fail(error, code, "map %s: its tables", dataplane->table[outer].name) : 0;
}

int shards_take(struct dataplane *dataplane, char **error)
{
	int code = take_inner(dataplane, TABLE_HALF, SG_MAX_SLOTS + 1, error);

	return code ? code : take_inner(dataplane, TABLE_FLOWS, SG_MAX_SHARDS, error);
}

bool shards_has_inner(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index)
{
	const int *held = held_of(dataplane, outer, index);
	uint32_t there = 0, own = 0;
	int code = table_lookup(dataplane, outer, &index, &there);

	if (code)
		return code != -ENOENT;
	return *held ? inner_id(*held - 1, &own) || there == own : false;
}

/* The map that an outer one has at index. */
static int open_inner(struct dataplane *dataplane, enum bpf_table_id outer, uint32_t index)
{
	const int *held = held_of(dataplane, outer, index);
	int code = bpf_fault(CALL_FD_BY_ID, dataplane->table[outer].name), fd;
	uint32_t id = 0;

	if (code)
		return code;
	if (!*held) {
		code = table_lookup(dataplane, outer, &index, &id);
		return code ? code : -EPERM;
	}
	fd = fcntl(*held - 1, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
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
		code = make_shard(dataplane, empty, buckets_for(MAX(max_flows, SG_SHARD_FLOWS)),
				  error);
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
	unmake_inner(dataplane, TABLE_FLOWS, shard);
	let_go(dataplane, TABLE_FLOWS, shard);
	code = table_delete(dataplane, TABLE_FLOWS, &shard, error);
	if (!code)
		*own = (struct shard){0};
	return code;
}

/* Its flows went with the table that they were in. */
static void count_none(struct dataplane *dataplane, uint32_t shard)
{
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		struct sg_slot *counters = &dataplane->slots[slot];

		if (!dataplane->held[slot].ifindex || dataplane->held[slot].shard != shard)
			continue;
		__atomic_store_n(&counters->flows, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&counters->half, 0, __ATOMIC_RELAXED);
	}
}

int shards_adopt(struct dataplane *dataplane, char **error)
{
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		const struct sg_iface_conf *conf;

		if (!dataplane->ifaces[slot].ifindex)
			continue;
		conf = plan_current_conf(dataplane, slot, NULL);
		dataplane->held[slot].ifindex = dataplane->ifaces[slot].ifindex;
		dataplane->held[slot].shard = conf->shard;
		if (conf->shard >= SG_MAX_SHARDS)
			continue;
		dataplane->shards[conf->shard].reserved += conf->max_flows;
		dataplane->shards[conf->shard].buckets = conf->buckets;
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
			/* Somebody took it away: its interfaces drop every new flow until then. As
			 * large as they know it, unless they are of an older layout. */
			code = make_shard(dataplane, i,
					  shard->buckets
						  ? shard->buckets
						  : buckets_for(MAX(reserved, SG_SHARD_FLOWS)),
					  error);
			if (!code) {
				count_none(dataplane, i);
				code = shards_publish(dataplane, error);
			}
			shards_published(dataplane);
			if (code)
				return code;
		} else if (code) {
			return bpf_fail(error, code, "map %s[%u]", SG_MAP_FLOWS, i);
		} else {
			shard->buckets = inner.max_entries;
			shard->capacity = capacity_of(inner.max_entries);
			close(inner.fd);
		}
		shard->reserved = reserved;
	}
	return 0;
}
