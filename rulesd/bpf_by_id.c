/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_by_id.c - the maps that have no pin, opened once at the start: those inside of an outer one,
 * and those that only a program refers to.
 *
 * kernel/bpf/syscall.c: bpf_map_get_fd_by_id() asks for CAP_SYS_ADMIN (up to Linux 6.18 at least),
 * which rulesd does not keep. So they are opened before it goes, under the lock of the bpffs that
 * the dataplane then takes over: nobody puts others there meanwhile.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bpf/abi2.h"
#include "rulesd/cleanup.h"

#define MOST_DESCRIPTORS 65536u

/* Kernel 6.1: each lookup in an outer map waits for a grace period; together they wait for the same
 * ones. */
#define OPENERS 32u

struct by_id {
	char *bpffs;
	int lock;
	GPtrArray *repinned;
	GHashTable *maps; /* gint64: outer map's id << 32 | index, or a map's own id -> fd */
};

/* One that was opened before privileges went, until dataplane_open takes it. */
static struct by_id *prepared;

struct opening {
	int outer; /* fd; -1: id is known */
	uint32_t outer_id, index, id;
	int fd, code;
};

struct openings {
	GArray *all; /* of struct opening */
	gint next;
};

int inner_id(int fd, uint32_t *id)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	int code = bpf_fault(CALL_INFO, "map");

	if (!code && bpf_obj_get_info_by_fd(fd, &info, &length))
		code = -errno;
	if (!code)
		*id = info.id;
	return code;
}

/* ------------------------------------------------------------------ what there is */

struct used {
	const struct dataplane *instance;
	const char *folder;
	uint32_t abi;
	int half, flows;
	uint32_t half_id, flows_id;
	GHashTable *shards;
	GArray *all;
};

static void add(struct used *used, int outer, uint32_t outer_id, uint32_t index)
{
	struct opening opening = {.outer = outer, .outer_id = outer_id, .index = index, .fd = -1};

	g_array_append_val(used->all, opening);
}

static void add_shard(struct used *used, uint32_t shard)
{
	if (used->flows >= 0 && shard < SG_MAX_SHARDS &&
	    g_hash_table_add(used->shards, GUINT_TO_POINTER(shard)))
		add(used, used->flows, used->flows_id, shard);
}

/* Of the slots in use only: there may be thousands of others, and see OPENERS. */
static bool add_iface(const void *key, const void *value, void *arg)
{
	struct used *used = arg;
	struct sg_iface now;
	struct sg2_iface old;

	if (!*(const uint32_t *)value)
		return true;
	if (used->abi == SG_ABI_VERSION) {
		memcpy(&now, value, sizeof(now));
		if (used->half >= 0)
			add(used, used->half, used->half_id, *(const uint32_t *)key);
		for (unsigned int i = 0; i < G_N_ELEMENTS(now.conf); i++)
			add_shard(used, now.conf[i].shard);
	} else {
		memcpy(&old, value, sizeof(old));
		for (unsigned int i = 0; i < G_N_ELEMENTS(old.conf); i++)
			add_shard(used, old.conf[i].shard);
	}
	return true;
}

static int open_pin(const struct used *used, const char *name, GArray *fds)
{
	g_autofree char *path = pin_path(used->instance, used->folder, name);
	int code = bpf_fault(CALL_OBJ_GET, path), fd;

	if (code)
		return code;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	g_array_append_val(fds, fd);
	return fd;
}

/* The layout of the folder's maps; 0: none, or not yet. */
static int find_abi(struct used *used, GArray *fds)
{
	struct bpf_table control = {.name = SG_MAP_CONTROL};
	struct sg2_control value = {};
	uint32_t zero = 0;
	int code;

	control.fd = open_pin(used, SG_MAP_CONTROL, fds);
	if (control.fd < 0)
		return control.fd;
	code = table_describe(&control);
	/* As migrate_version has it. */
	if (!code && control.value_size == sizeof(value) &&
	    !bpf_map_lookup_elem(control.fd, &zero, &value))
		used->abi = value.abi;
	return code;
}

/* -1 when somebody has taken its pin away: the other one goes on. */
static int find_outer(const struct used *used, const char *name, GArray *fds, int *outer,
		      uint32_t *id)
{
	int fd = *outer = open_pin(used, name, fds);

	if (fd == -ENOENT)
		*outer = -1;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return inner_id(fd, id);
}

/* The inner maps of a folder's outer ones. Pins that are missing are for others to report. */
static int find_inner(const struct dataplane *instance, const char *folder, GArray *fds,
		      GArray *all)
{
	g_autoptr(GHashTable) shards = g_hash_table_new(NULL, NULL);
	struct used used = {.instance = instance, .folder = folder, .shards = shards, .all = all};
	struct bpf_table ifaces = {.name = SG_MAP_IFACES};
	int code = find_abi(&used, fds);
	size_t size;

	if (code && code != -ENOENT)
		return code;
	/* Without a control map, or with one that has no version yet, what is there is adopted. */
	if (!used.abi)
		used.abi = SG_ABI_VERSION;
	if (used.abi != SG_ABI_VERSION && used.abi != SG2_ABI_VERSION)
		return 0;
	size = used.abi == SG_ABI_VERSION ? sizeof(struct sg_iface) : sizeof(struct sg2_iface);
	code = find_outer(&used, SG_MAP_HALF, fds, &used.half, &used.half_id);
	if (!code)
		code = find_outer(&used, SG_MAP_FLOWS, fds, &used.flows, &used.flows_id);
	if (!code)
		code = ifaces.fd = open_pin(&used, SG_MAP_IFACES, fds);
	if (code >= 0)
		code = table_describe(&ifaces);
	if (!code && ifaces.value_size == size)
		code = table_each(&ifaces, add_iface, &used);
	return code == -ENOENT ? 0 : code;
}

/* The maps of the pinned programs: bpf_build.c asks for their names. */
static int find_used(const struct dataplane *instance, GArray *all)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

	for (unsigned int i = 0; i < PROGRAM_COUNT; i++) {
		g_autofree char *path = pin_path(instance, "progs", program_names[i]);
		uint32_t ids[PROGRAM_MAPS] = {};
		AUTO_FD int fd = bpf_obj_get(path);
		/* Where it cannot be asked it is not adopted. */
		int count = fd < 0 ? fd : program_maps(fd, ids);

		for (int k = 0; k < count; k++) {
			struct opening opening = {.outer = -1, .id = ids[k], .fd = -1};

			if (g_hash_table_add(seen, GUINT_TO_POINTER(ids[k])))
				g_array_append_val(all, opening);
		}
	}
	return 0;
}

/* ------------------------------------------------------------------ opened */

static void open_one(struct opening *opening)
{
	if (!opening->code && opening->outer >= 0 &&
	    bpf_map_lookup_elem(opening->outer, &opening->index, &opening->id))
		opening->code = -errno;
	if (opening->code)
		return;
	opening->fd = bpf_map_get_fd_by_id(opening->id);
	if (opening->fd < 0)
		opening->code = -errno;
}

static gpointer open_some(gpointer arg)
{
	struct openings *openings = arg;

	for (;;) {
		guint i = (guint)g_atomic_int_add(&openings->next, 1);

		if (i >= openings->all->len)
			return NULL;
		open_one(&g_array_index(openings->all, struct opening, i));
	}
}

/* A kernel that has tcx does not wait: one thread opens a thousand in 2 ms. */
static void open_them(struct openings *openings)
{
	guint count = hooks_have_tcx() ? 1 : MIN(openings->all->len, OPENERS);
	GThread *threads[OPENERS] = {NULL};

	for (guint i = 0; i < openings->all->len; i++) {
		struct opening *opening = &g_array_index(openings->all, struct opening, i);

		opening->code = bpf_fault(CALL_FD_BY_ID, "inner");
	}
	for (guint i = 1; i < count; i++)
		threads[i] = g_thread_new("open", open_some, openings);
	open_some(openings);
	for (guint i = 1; i < count; i++)
		g_thread_join(threads[i]);
}

static gint64 *place_of(uint32_t outer, uint32_t index)
{
	gint64 *place = g_new(gint64, 1);

	*place = (gint64)((guint64)outer << 32 | index);
	return place;
}

static int keep(struct by_id *own, struct opening *opening, char **error)
{
	if (opening->code == -ENOENT) /* an empty place, or gone with its last user */
		return 0;
	if (opening->code == -EPERM || opening->code == -ENOSYS)
		return bpf_fail(error, opening->code,
				"map %u: bpf(MAP_GET_FD_BY_ID), which needs CAP_SYS_ADMIN while "
				"rulesd starts: start it again, with that capability",
				opening->id);
	if (opening->code)
		return bpf_fail(error, opening->code, "map %u: bpf(MAP_GET_FD_BY_ID)", opening->id);
	g_hash_table_insert(own->maps,
			    opening->outer < 0 ? place_of(0, opening->id)
					       : place_of(opening->outer_id, opening->index),
			    GINT_TO_POINTER(TAKE_FD(opening->fd)));
	return 0;
}

static void close_value(gpointer value)
{
	if (GPOINTER_TO_INT(value) > 0)
		close(GPOINTER_TO_INT(value));
}

static void close_fds(GArray **fds)
{
	for (guint i = 0; i < (*fds)->len; i++)
		close(g_array_index(*fds, int, i));
	g_array_unref(*fds);
}

static int collect(struct by_id *own, char **error)
{
	const struct dataplane instance = {.bpffs = own->bpffs};
	CLEANUP(close_fds) GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct opening));
	struct openings openings = {.all = all};
	int code = find_inner(&instance, "maps", fds, all);

	if (!code)
		code = find_inner(&instance, "maps-new", fds, all);
	if (!code)
		code = find_used(&instance, all);
	if (code)
		return bpf_fail(error, code, "%s: looking for maps", own->bpffs);
	open_them(&openings);
	for (guint i = 0; i < all->len; i++) {
		struct opening *opening = &g_array_index(all, struct opening, i);

		if (!code)
			code = keep(own, opening, error);
		cleanup_fd(&opening->fd);
	}
	return code;
}

/* One for each inner map, two links an interface, and connections. Afterwards nothing can raise the
 * hard limit. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= MOST_DESCRIPTORS)
		return;
	limit.rlim_cur = MIN(limit.rlim_max, MOST_DESCRIPTORS);
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max >= MOST_DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max = MOST_DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit); /* CAP_SYS_RESOURCE */
}

static int by_id_new(const char *bpffs, struct by_id **by_id, char **error)
{
	struct by_id *own = g_new0(struct by_id, 1);
	int code;

	own->bpffs = g_strdup(bpffs);
	own->lock = -1;
	own->repinned = g_ptr_array_new_with_free_func(g_free);
	own->maps = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, close_value);
	code = instance_lock(bpffs, &own->lock, error);
	/* First: inner maps are found through the pins of others. */
	if (!code)
		code = repin_maps(bpffs, own->repinned, error);
	if (!code)
		code = collect(own, error);
	if (code)
		by_id_free(own);
	else
		*by_id = own;
	return code;
}

void by_id_free(struct by_id *own)
{
	if (!own)
		return;
	cleanup_fd(&own->lock);
	g_hash_table_unref(own->maps);
	g_clear_pointer(&own->repinned, g_ptr_array_unref);
	g_free(own->bpffs);
	g_free(own);
}

/* ------------------------------------------------------------------ for others */

int dataplane_prepare(const char *bpffs, char **error)
{
	g_autofree char *busy = NULL;
	int code;

	raise_descriptors();
	if (access(bpffs, F_OK) && errno == ENOENT)
		return 0;
	code = by_id_new(bpffs, &prepared, &busy);
	/* Another rulesd: whoever opens the state directory says it better. */
	if (code && code != -EBUSY)
		*error = TAKE_PTR(busy);
	return code == -EBUSY ? 0 : code;
}

int by_id_take(const char *bpffs, struct by_id **by_id, int *lock, char **error)
{
	int code = 0;

	if (prepared && !strcmp(prepared->bpffs, bpffs))
		*by_id = TAKE_PTR(prepared);
	else
		code = by_id_new(bpffs, by_id, error);
	if (!code)
		*lock = TAKE_FD((*by_id)->lock);
	return code;
}

GPtrArray *by_id_take_repinned(struct by_id *own)
{
	return TAKE_PTR(own->repinned);
}

int by_id_inner(const struct by_id *own, uint32_t outer, uint32_t index)
{
	gint64 place = (gint64)((guint64)outer << 32 | index);
	int fd = GPOINTER_TO_INT(g_hash_table_lookup(own->maps, &place));

	if (!fd)
		return -ENOENT;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

int by_id_take_inner(struct by_id *own, uint32_t outer, uint32_t index)
{
	gint64 place = (gint64)((guint64)outer << 32 | index);
	gpointer key, fd;

	if (!g_hash_table_steal_extended(own->maps, &place, &key, &fd))
		return -ENOENT;
	g_free(key);
	return GPOINTER_TO_INT(fd);
}

int by_id_map(const struct by_id *own, uint32_t id)
{
	gint64 place = id;

	return GPOINTER_TO_INT(g_hash_table_lookup(own->maps, &place));
}
