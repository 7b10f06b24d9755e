/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_repin.c - pins of maps that somebody removed while no rulesd ran, made again at its start.
 *
 * The programs that are pinned beside them still use the maps, and what is in those goes on
 * deciding about frames. Without this a new and empty map would take the place of one of them: its
 * flows would be cut, its members forgotten until everything was written again.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define FOLDER "maps"

/* By table: the map that programs use. */
struct used {
	const struct dataplane *instance;
	uint32_t id[TABLE_COUNT];
	int fd[TABLE_COUNT]; /* plus 1; 0: none */
	bool mixed;	     /* they use two of one name */
};

static void close_used(struct used *used)
{
	for (unsigned int i = 0; i < TABLE_COUNT; i++)
		if (used->fd[i])
			close(used->fd[i] - 1);
}

static bool misses_one(const struct dataplane *instance)
{
	for (unsigned int i = 0; i < TABLE_COUNT; i++)
		if (!has_pin(instance, FOLDER, table_names[i]))
			return true;
	return false;
}

static void add_map(struct used *used, uint32_t id)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	AUTO_FD int fd = bpf_map_get_fd_by_id(id);

	/* Whoever needs it says why it cannot be had (bpf_by_id.c). */
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		return;
	for (unsigned int i = 0; i < TABLE_COUNT; i++) {
		if (strncmp(info.name, table_names[i], BPF_OBJ_NAME_LEN - 1) != 0)
			continue;
		used->mixed |= used->fd[i] && used->id[i] != id;
		if (used->fd[i])
			continue;
		used->id[i] = id;
		used->fd[i] = TAKE_FD(fd) + 1;
		return;
	}
}

static void add_program(struct used *used, const char *name)
{
	g_autofree char *path = pin_path(used->instance, "progs", name);
	uint32_t ids[PROGRAM_MAPS] = {};
	AUTO_FD int fd = bpf_obj_get(path);
	int count = fd < 0 ? fd : program_maps(fd, ids);

	for (int i = 0; i < count; i++)
		add_map(used, ids[i]);
}

/*
 * Whether the maps that are pinned are those that the programs use, at least one of them: not so
 * when a predecessor died between the pins of two layouts (bpf_migrate.c).
 */
static bool belongs(const struct used *used)
{
	unsigned int same = 0;

	for (unsigned int i = 0; i < TABLE_COUNT; i++) {
		g_autofree char *path = pin_path(used->instance, FOLDER, table_names[i]);
		AUTO_FD int fd = bpf_obj_get(path);
		uint32_t id = 0;

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || inner_id(fd, &id) || (used->fd[i] && id != used->id[i]))
			return false;
		same += id == used->id[i];
	}
	return same > 0 && !used->mixed;
}

static int pin_missing(const struct used *used, GPtrArray *pinned, char **error)
{
	for (unsigned int i = 0; i < TABLE_COUNT; i++) {
		g_autofree char *path = NULL;
		int code;

		if (!used->fd[i] || has_pin(used->instance, FOLDER, table_names[i]))
			continue;
		path = pin_path(used->instance, FOLDER, table_names[i]);
		code = bpf_fault(CALL_OBJ_PIN, path);
		if (!code && bpf_obj_pin(used->fd[i] - 1, path))
			code = -errno;
		if (code)
			return bpf_fail(error, code, "%s: bpf(OBJ_PIN)", path);
		g_ptr_array_add(pinned, TAKE_PTR(path));
	}
	return 0;
}

int repin_maps(const char *bpffs, GPtrArray *pinned, char **error)
{
	g_autofree char *own = g_strdup(bpffs);
	const struct dataplane instance = {.bpffs = own};
	CLEANUP(close_used) struct used used = {.instance = &instance};

	if (has_pin(&instance, "maps-new", NULL) || !misses_one(&instance))
		return 0;
	for (unsigned int i = 0; i < PROGRAM_COUNT; i++)
		add_program(&used, program_names[i]);
	return belongs(&used) ? pin_missing(&used, pinned, error) : 0;
}
