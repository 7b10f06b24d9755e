/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.c - see memory.h.
 */
#include "tests/bench/memory.h"

#include <bpf/bpf.h>
#include <glib.h>
#include <string.h>

#include "bpf/abi.h"
#include "rulesd/cleanup.h"

/* The number behind a field of a file of /proc, 0 when there is none. */
static double field_of(const char *path, const char *field)
{
	g_autofree char *text = NULL;
	const char *at = NULL;

	if (g_file_get_contents(path, &text, NULL, NULL))
		at = strstr(text, field);
	return at ? g_ascii_strtod(at + strlen(field), NULL) : 0;
}

static double memlock_of(int fd)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fdinfo/%d", fd);

	return field_of(path, "memlock:");
}

double memory_of_process(pid_t pid, const char *field)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);

	return field_of(path, field);
}

/* Of the inner maps of an array of maps. */
static double inner_bytes(int outer, unsigned int entries)
{
	double sum = 0;

	for (uint32_t i = 0; i < entries; i++) {
		uint32_t id = 0;

		if (bpf_map_lookup_elem(outer, &i, &id))
			continue;
		AUTO_FD int fd = bpf_map_get_fd_by_id(id);

		sum += fd >= 0 ? memlock_of(fd) : 0;
	}
	return sum;
}

double memory_of_maps(const char *bpffs,
		      void (*seen)(const char *name, double bytes, void *context), void *context)
{
	g_autofree char *folder = g_strdup_printf("%s/maps", bpffs);
	g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
	const char *name;
	double sum = 0;

	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *path = g_strdup_printf("%s/%s", folder, name);
		AUTO_FD int fd = bpf_obj_get(path);
		double bytes = memlock_of(fd);

		if (g_str_equal(name, SG_MAP_HALF))
			bytes += inner_bytes(fd, SG_MAX_SLOTS + 1);
		if (g_str_equal(name, SG_MAP_FLOWS))
			bytes += inner_bytes(fd, SG_MAX_SHARDS);
		if (seen)
			seen(name, bytes, context);
		sum += bytes;
	}
	return sum;
}
