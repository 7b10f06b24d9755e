/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_early.c - the XDP program that drops, before the kernel makes packets of them, frames that
 * the tc program behind it would drop (bpf/early.bpf.h). It filters nothing by itself, so it comes
 * and goes while the tc programs stay, and to lose it is to lose speed.
 *
 * Pinned as links/SLOT-early: a rulesd that returns takes off what its predecessor has left, which
 * may be of another build.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define SUFFIX "early"

static char *pin_of(const struct dataplane *dataplane, uint32_t slot)
{
	g_autofree char *name = g_strdup_printf("%u-" SUFFIX, slot);

	return pin_path(dataplane, "links", name);
}

static int take_off(const char *path, char **error)
{
	int code = bpf_fault(CALL_OBJ_GET, path);
	AUTO_FD int fd = code ? -1 : bpf_obj_get(path);

	if (!code && fd < 0)
		code = -errno;
	if (code == -ENOENT)
		return 0;
	if (!code)
		code = bpf_fault(CALL_LINK_DETACH, path);
	/* ENOLINK: its device is gone, and it with it. */
	if (!code && bpf_link_detach(fd) && errno != ENOLINK)
		code = -errno;
	if (!code)
		code = bpf_fault(CALL_UNPIN, path);
	if (!code && unlink(path) && errno != ENOENT)
		code = -errno;
	return code ? bpf_fail(error, code, "%s: taking off the XDP program of a flood", path) : 0;
}

int early_remove(struct dataplane *dataplane, uint32_t slot, char **error)
{
	g_autofree char *path = pin_of(dataplane, slot);

	return access(path, F_OK) && errno == ENOENT ? 0 : take_off(path, error);
}

int dataplane_early(struct dataplane *dataplane, uint32_t slot, bool on, char **error)
{
	g_autofree char *path = NULL;
	uint32_t ifindex;
	int code;

	if (!slot || slot > SG_MAX_SLOTS)
		return bpf_fail(error, -EINVAL, "slot %u", slot);
	path = pin_of(dataplane, slot);
	ifindex = dataplane->ifaces[slot].ifindex;
	g_rec_mutex_lock(&dataplane->hooks_turn);
	code = early_remove(dataplane, slot, error);
	/* The driver's XDP only: the generic one comes after the packet was made, so it saves
	 * nothing. */
	if (!code && on)
		code = hooks_create_link(dataplane->program[PROGRAM_XDP_EARLY], ifindex, PLACE_XDP,
					 XDP_FLAGS_DRV_MODE, path, error);
	g_rec_mutex_unlock(&dataplane->hooks_turn);
	return code;
}

void early_remove_all(struct dataplane *dataplane)
{
	g_autofree char *folder = pin_path(dataplane, "links", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = pin_path(dataplane, "links", name);

		if (g_str_has_suffix(name, "-" SUFFIX))
			take_off(path, NULL);
	}
}
