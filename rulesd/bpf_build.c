/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_build.c - pinned programs, and whether they are those of this build: then a restart adopts
 * them and the verifier, who takes a second, has nothing to do.
 *
 * Beside the programs a map is pinned that holds the checksum of the objects that they came from.
 * It goes before the first pin of a program is touched and comes after the last, so what a killed
 * rulesd leaves is either whole or has no checksum. A bpffs does not outlive the kernel, so a
 * checksum is always of programs that this kernel has verified.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define BUILD_PIN   "build"
#define BUILD_BYTES 64 /* SHA-256, hexadecimal */

static int get_pin(const struct dataplane *dataplane, const char *folder, const char *name)
{
	g_autofree char *path = pin_path(dataplane, folder, name);
	int code = bpf_fault(CALL_OBJ_GET, path);

	return code ? code : bpf_obj_get(path);
}

bool build_is_pinned(const struct dataplane *dataplane, const char *build)
{
	AUTO_FD int fd = get_pin(dataplane, "progs", BUILD_PIN);
	struct bpf_table map = {.name = BUILD_PIN, .fd = fd};
	char pinned[BUILD_BYTES] = {};
	uint32_t zero = 0;

	return fd >= 0 && !table_describe(&map) && map.value_size == BUILD_BYTES &&
	       !bpf_map_lookup_elem(fd, &zero, pinned) && !memcmp(pinned, build, BUILD_BYTES);
}

static bool id_of_map(int fd, uint32_t *id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return false;
	*id = info.id;
	g_strlcpy(name, info.name, BPF_OBJ_NAME_LEN);
	return true;
}

int program_maps(int program, uint32_t ids[PROGRAM_MAPS])
{
	struct bpf_prog_info info = {.nr_map_ids = PROGRAM_MAPS, .map_ids = (uintptr_t)ids};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return -errno;
	return info.nr_map_ids <= PROGRAM_MAPS ? (int)info.nr_map_ids : -E2BIG;
}

/* Whether every map of our names that the program uses is the one that is pinned. */
static bool uses_pinned(const struct by_id *by_id, int program, GHashTable *pinned)
{
	uint32_t ids[PROGRAM_MAPS] = {};
	int count = program_maps(program, ids);

	if (count < 0)
		return false;
	for (int i = 0; i < count; i++) {
		char name[BPF_OBJ_NAME_LEN] = "";
		uint32_t id;

		if (g_hash_table_contains(pinned, GUINT_TO_POINTER(ids[i])))
			continue;
		/* One that is not pinned, as the scratch of a packet; not a pin's namesake. */
		int fd = by_id_map(by_id, ids[i]);

		if (!fd || !id_of_map(fd, &id, name))
			return false;
		for (unsigned int k = 0; k < TABLE_COUNT; k++)
			if (!strncmp(name, table_names[k], BPF_OBJ_NAME_LEN - 1))
				return false;
	}
	return true;
}

/* Opens all pins into descriptors; false when one is missing or they do not belong together. */
static bool open_pins(const struct dataplane *dataplane, int tables[TABLE_COUNT],
		      int programs[PROGRAM_COUNT])
{
	g_autoptr(GHashTable) pinned = g_hash_table_new(NULL, NULL);

	for (unsigned int i = 0; i < TABLE_COUNT; i++) {
		char name[BPF_OBJ_NAME_LEN];
		uint32_t id;

		tables[i] = get_pin(dataplane, dataplane->maps_folder, table_names[i]);
		if (tables[i] < 0 || !id_of_map(tables[i], &id, name))
			return false;
		g_hash_table_add(pinned, GUINT_TO_POINTER(id));
	}
	for (unsigned int i = 0; i < PROGRAM_COUNT; i++) {
		programs[i] = get_pin(dataplane, "progs", program_names[i]);
		if (programs[i] < 0 || !uses_pinned(dataplane->by_id, programs[i], pinned))
			return false;
	}
	return true;
}

bool build_adopt(struct dataplane *dataplane, const char *build)
{
	int fds[TABLE_COUNT + PROGRAM_COUNT];
	bool whole;

	memset(fds, -1, sizeof(fds));
	whole = build_is_pinned(dataplane, build) && open_pins(dataplane, fds, fds + TABLE_COUNT);
	for (unsigned int i = 0; i < G_N_ELEMENTS(fds); i++) {
		if (!whole)
			cleanup_fd(&fds[i]);
		else if (i < TABLE_COUNT)
			dataplane->table[i].fd = fds[i];
		else
			dataplane->program[i - TABLE_COUNT] = fds[i];
		if (whole)
			g_array_append_val(dataplane->adopted, fds[i]);
	}
	return whole;
}

static int unpin(const struct dataplane *dataplane, const char *name, char **error)
{
	g_autofree char *path = pin_path(dataplane, "progs", name);
	int code = bpf_fault(CALL_UNPIN, path);

	if (!code && unlink(path) && errno != ENOENT)
		code = -errno;
	return code ? bpf_fail(error, code, "%s: unlink", path) : 0;
}

static int pin(const struct dataplane *dataplane, int fd, const char *name, char **error)
{
	g_autofree char *path = pin_path(dataplane, "progs", name);
	int code = bpf_fault(CALL_OBJ_PIN, path);

	if (!code && bpf_obj_pin(fd, path))
		code = -errno;
	return code ? bpf_fail(error, code, "%s: bpf(OBJ_PIN)", path) : 0;
}

int build_pin(struct dataplane *dataplane, const char *build, char **error)
{
	int code = unpin(dataplane, BUILD_PIN, error);
	uint32_t zero = 0;

	for (unsigned int i = 0; !code && i < PROGRAM_COUNT; i++) {
		code = unpin(dataplane, program_names[i], error);
		if (!code)
			code = pin(dataplane, dataplane->program[i], program_names[i], error);
	}
	if (code)
		return code;
	code = bpf_fault(CALL_MAP_CREATE, "sg_build");
	AUTO_FD int fd = code ? code
			      : bpf_map_create(BPF_MAP_TYPE_ARRAY, "sg_build", sizeof(zero),
					       BUILD_BYTES, 1, NULL);

	if (fd < 0)
		return bpf_fail(error, fd, "map sg_build: bpf(MAP_CREATE)");
	code = bpf_fault(CALL_MAP_UPDATE, "sg_build");
	if (!code && bpf_map_update_elem(fd, &zero, build, BPF_ANY))
		code = -errno;
	if (code)
		return bpf_fail(error, code, "map sg_build: bpf(MAP_UPDATE_ELEM)");
	return pin(dataplane, fd, BUILD_PIN, error);
}
