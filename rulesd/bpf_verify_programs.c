/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_verify_programs.c - programs on devices, and what is pinned: by that a restart finds it, and
 * a link whose last pin goes is gone itself.
 */
#include "rulesd/bpf_verify.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define SLOTS_A_STEP 16u

/* ------------------------------------------------------------------ on devices */

struct place_check {
	struct verification *v;
	uint32_t slot;
};

static char *program_text(uint32_t program)
{
	return program ? g_strdup_printf("program %u", program) : g_strdup("nothing");
}

static void place_differs(const char *place, uint32_t expected, uint32_t found, void *arg)
{
	const struct place_check *check = arg;
	struct verification *v = check->v;
	const GArray *again = v->result.attach_again;
	g_autofree char *of = verify_slot_text(v, check->slot);

	/* Whoever attaches says whether it is repaired. */
	verify_differs(v, VERIFY_PROGRAM, check->slot, g_strdup_printf("%s: %s", of, place),
		       program_text(expected), program_text(found));
	if (!again->len || g_array_index(again, uint32_t, again->len - 1) != check->slot)
		g_array_append_val(v->result.attach_again, check->slot);
}

bool verify_programs(struct verification *v, int *code, char **error)
{
	struct dataplane *dataplane = v->dataplane;
	uint32_t done = 0;

	/* verify_pins says so. */
	if (dataplane_is_covered(dataplane))
		return false;
	if (!v->views) {
		*code = device_look_all(&v->views);
		if (*code) {
			bpf_fail(error, *code, "asking for the programs on all devices");
			return false;
		}
	}
	for (; v->next <= SG_MAX_SLOTS && done < SLOTS_A_STEP; v->next++) {
		struct place_check check = {.v = v, .slot = v->next};

		if (!dataplane->held[v->next].ifindex ||
		    dataplane->held[v->next].ifindex == DATAPLANE_PARKED)
			continue;
		*code = hooks_compare(dataplane, v->next, v->views, place_differs, &check, error);
		if (*code)
			return false;
		v->result.checked[VERIFY_PROGRAM]++;
		done++;
	}
	return v->next <= SG_MAX_SLOTS;
}

/* ------------------------------------------------------------------ pins */

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) ? 0 : info.id;
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) ? 0 : info.id;
}

static char *id_text(uint32_t id)
{
	return id ? g_strdup_printf("%u", id) : g_strdup("nothing");
}

static int pin_again(const struct verification *v, const char *folder, const char *name, int fd,
		     char **error)
{
	g_autofree char *directory = pin_path(v->dataplane, folder, NULL);
	g_autofree char *path = pin_path(v->dataplane, folder, name);
	int code = bpf_fault(CALL_OBJ_PIN, path);

	if (dataplane_is_covered(v->dataplane))
		return covered_fail(v->dataplane, error);
	if (!code && g_mkdir_with_parents(directory, 0700))
		code = -errno;
	if (!code && unlink(path) && errno != ENOENT)
		code = -errno;
	if (!code && bpf_obj_pin(fd, path))
		code = -errno;
	return code ? bpf_fail(error, code, "%s: pinning it again", path) : 0;
}

static void check_map_pin(struct verification *v, enum bpf_table_id id)
{
	const struct bpf_table *table = &v->dataplane->table[id];
	g_autofree char *path = pin_path(v->dataplane, v->dataplane->maps_folder, table->name);
	AUTO_FD int fd = bpf_obj_get(path);
	uint32_t expected = map_id(table->fd), found = fd < 0 ? 0 : map_id(fd);
	char *error = NULL;

	v->result.checked[VERIFY_PIN]++;
	if (found != expected &&
	    verify_differs(v, VERIFY_PIN, 0, g_strdup(path), g_strdup_printf("map %u", expected),
			   id_text(found)))
		verify_repaired(
			v, pin_again(v, v->dataplane->maps_folder, table->name, table->fd, &error),
			error);
}

/* Without its checksum the pins of programs are worth nothing, so they are made anew together. */
static void check_program_pins(struct verification *v)
{
	bool wrong = false;

	for (unsigned int i = 0; i <= PROGRAM_COUNT; i++) {
		const char *name = i < PROGRAM_COUNT ? program_names[i] : "build";
		g_autofree char *path = pin_path(v->dataplane, "progs", name);
		AUTO_FD int fd = bpf_obj_get(path);
		uint32_t expected = i < PROGRAM_COUNT ? v->dataplane->program_id[i] : 0;
		uint32_t found = fd < 0 ? 0 : i < PROGRAM_COUNT ? program_id(fd) : map_id(fd);
		char *error = NULL;
		int code;

		v->result.checked[VERIFY_PIN]++;
		if (i < PROGRAM_COUNT ? found == expected : found != 0)
			continue;
		if (!verify_differs(v, VERIFY_PIN, 0, g_strdup(path),
				    i < PROGRAM_COUNT ? g_strdup_printf("program %u", expected)
						      : g_strdup("the checksum of this build"),
				    id_text(found)))
			continue;
		if (!wrong) {
			g_autofree char *directory = pin_path(v->dataplane, "progs", NULL);

			g_mkdir_with_parents(directory, 0700);
		}
		wrong = true;
		code = build_pin(v->dataplane, v->dataplane->build, &error);
		verify_repaired(v, code, error);
	}
}

/* ------------------------------------------------------------------ what programs use */

static void add_used(int program, GHashTable *used)
{
	uint32_t ids[PROGRAM_MAPS] = {};
	int count = program_maps(program, ids);

	for (int i = 0; i < count; i++)
		g_hash_table_add(used, GUINT_TO_POINTER(ids[i]));
}

static void check_used_maps(struct verification *v)
{
	g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);

	for (unsigned int i = 0; i < PROGRAM_COUNT; i++)
		add_used(v->dataplane->program[i], used);
	for (unsigned int i = 0; i < TABLE_COUNT; i++) {
		uint32_t id = map_id(v->dataplane->table[i].fd);

		if (g_hash_table_contains(used, GUINT_TO_POINTER(id)))
			continue;
		if (verify_differs(v, VERIFY_PIN, 0, g_strdup_printf("map %s", table_names[i]),
				   g_strdup("used by the programs"),
				   g_strdup_printf("map %u, which none of them uses", id)))
			verify_repaired(v, -EOPNOTSUPP,
					g_strdup("restart rulesd: it loads the programs anew"));
	}
}

bool verify_pins(struct verification *v, int *code, char **error)
{
	char *why = NULL;
	int covered;

	(void)code;
	(void)error;
	if (dataplane_is_covered(v->dataplane)) {
		covered = covered_fail(v->dataplane, &why);
		if (verify_differs(v, VERIFY_PIN, 0, g_strdup(v->dataplane->bpffs),
				   g_strdup("its bpffs"), g_strdup("another file system")))
			verify_repaired(v, covered, TAKE_PTR(why));
		g_free(why);
		return false;
	}
	for (unsigned int i = 0; i < TABLE_COUNT; i++)
		check_map_pin(v, i);
	check_program_pins(v);
	check_used_maps(v);
	return false;
}
