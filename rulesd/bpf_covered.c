/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_covered.c - a bpffs that something else is mounted over: what is pinned in it filters on, and
 * nobody finds it. Or that was unmounted (umount -l): then it is there as long as rulesd holds it,
 * and links with it.
 *
 * A rulesd that runs waits until its bpffs can be seen again, and puts nothing back meanwhile: what
 * it would put there is not missing. One that starts would attach programs a second time, without
 * the connections, and could not take the first ones off any more; so it does not start.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/bpffs.h"
#include "rulesd/cleanup.h"

#define PROGRAMS 64u

static const int tcx_types[] = {ATTACH_TCX_INGRESS, ATTACH_TCX_EGRESS};

bool dataplane_is_covered(const struct dataplane *dataplane)
{
	struct stat held;
	dev_t seen = bpffs_device(dataplane->bpffs);

	/* The lock is a descriptor of the directory itself. */
	return seen && !fstat(dataplane->lock, &held) && held.st_dev != seen;
}

bool dataplane_is_unmounted(const struct dataplane *dataplane)
{
	struct stat held;

	return dataplane_is_covered(dataplane) && !fstat(dataplane->lock, &held) &&
	       !bpffs_is_mounted(held.st_dev);
}

int covered_fail(const struct dataplane *dataplane, char **error)
{
	if (!error)
		return -EBUSY;
	g_free(*error);
	*error = g_strdup_printf(
		dataplane_is_unmounted(dataplane)
			? "the bpffs of %s was unmounted: mount one again, then restart rulesd"
			: "something is mounted over the bpffs of %s: unmount what covers it",
		dataplane->bpffs);
	return -EBUSY;
}

static bool is_ours(uint32_t id)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);
	AUTO_FD int fd = id ? bpf_prog_get_fd_by_id(id) : -1;

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) &&
	       (g_str_has_prefix(info.name, "sg_xdp") || g_str_has_prefix(info.name, "sg_tc_"));
}

/* tc filters do not count: a start takes the place of those that are there, and those whose bpffs
 * was unmounted stay. */
static bool runs_ours(uint32_t ifindex, const struct device_view *view)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(view->xdp); i++)
		if (is_ours(view->xdp[i]))
			return true;
	for (unsigned int i = 0; i < G_N_ELEMENTS(tcx_types); i++) {
		uint32_t ids[PROGRAMS] = {};
		LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = ids, .prog_cnt = PROGRAMS);

		if (bpf_prog_query_opts((int)ifindex, tcx_types[i], &query))
			continue;
		for (uint32_t k = 0; k < MIN(query.prog_cnt, PROGRAMS); k++)
			if (is_ours(ids[k]))
				return true;
	}
	return false;
}

static bool is_any_filtered(void)
{
	g_autoptr(GHashTable) views = NULL;
	GHashTableIter iter;
	gpointer ifindex, view;

	if (device_look_all(&views))
		return false;
	g_hash_table_iter_init(&iter, views);
	while (g_hash_table_iter_next(&iter, &ifindex, &view))
		if (runs_ours(GPOINTER_TO_UINT(ifindex), view))
			return true;
	return false;
}

int dataplane_check_covered(const char *bpffs, char **error)
{
	g_autofree char *pin = g_build_filename(bpffs, "maps", SG_MAP_CONTROL, NULL);
	g_autofree char *where = NULL;

	if (access(pin, F_OK) == 0)
		return 0;
	where = bpffs_covered(bpffs);
	if (!where || !is_any_filtered())
		return 0;
	*error = g_strdup_printf("--bpffs %s: something is mounted over the bpffs at %s; devices "
				 "are filtered by what is pinned below it, and go on so, but this "
				 "rulesd would not find it: unmount what covers it (umount %s), "
				 "then try again",
				 bpffs, where, where);
	return -EBUSY;
}
