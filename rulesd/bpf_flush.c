/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_flush.c - removing everything of an instance: programs off every device, pins, directories.
 *
 * It works on whatever is there, also on what a newer or older rulesd made or a killed one left
 * half done, so it does not open the dataplane.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

/* A clsact qdisc without filters is what is left of ours: who made it is not known any more. */
static bool remove_filters(const void *key, const void *value, void *arg)
{
	/* The device's number is the first field in every version of the ABI. */
	uint32_t ifindex = *(const uint32_t *)value;
	struct dataplane_flushed *flushed = arg;

	(void)key;
	if (!ifindex || ifindex == DATAPLANE_PARKED)
		return true;
	flushed->filters += hooks_remove_filters(ifindex);
	flushed->qdiscs += filter_remove_qdisc(ifindex);
	return true;
}

/* tc filters have no pins: the interfaces' table knows their devices. */
static void flush_filters(const struct dataplane *dataplane, struct dataplane_flushed *flushed)
{
	g_autofree char *path = pin_path(dataplane, "maps", SG_MAP_IFACES);
	AUTO_FD int fd = bpf_obj_get(path);
	struct bpf_table ifaces = {.name = SG_MAP_IFACES, .fd = fd};

	if (fd >= 0 && !table_describe(&ifaces) && ifaces.value_size >= sizeof(uint32_t))
		table_each(&ifaces, remove_filters, flushed);
}

/* Of one that is cut short no table of flows may stay whose interfaces are not known any more. */
static int unpin_flows(const struct dataplane *dataplane, const char *folder, unsigned int *count,
		       char **error)
{
	g_autofree char *flows = pin_path(dataplane, folder, SG_MAP_FLOWS);

	if (!unlink(flows))
		++*count;
	else if (errno != ENOENT)
		return bpf_fail(error, -errno, "%s: unlink", flows);
	return 0;
}

static int flush_folder(const struct dataplane *dataplane, const char *folder, unsigned int *count,
			char **error)
{
	g_autofree char *path = pin_path(dataplane, folder, NULL);
	int code = unpin_flows(dataplane, folder, count, error);
	g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
	const char *name;

	if (code)
		return code;
	while (directory && (name = g_dir_read_name(directory))) {
		g_autofree char *pin = pin_path(dataplane, folder, name);

		if (g_str_equal(folder, "links")) {
			AUTO_FD int fd = bpf_obj_get(pin);

			/* At once, also when somebody else holds the link. */
			if (fd >= 0)
				bpf_link_detach(fd);
		}
		if (!unlink(pin))
			++*count;
		else if (errno != ENOENT)
			return bpf_fail(error, -errno, "%s: unlink", pin);
	}
	if (rmdir(path) && errno != ENOENT)
		return bpf_fail(error, -errno, "%s: rmdir", path);
	return 0;
}

int dataplane_flush_all(const struct dataplane_options *options, struct dataplane_flushed *flushed,
			char **error)
{
	struct dataplane_flushed count = {0};
	const struct {
		const char *name;
		unsigned int *count;
	} folders[] = {{"links", &count.links},
		       {"progs", &count.programs},
		       {"maps-new", &count.maps},
		       {"maps", &count.maps}};
	g_autofree char *bpffs = g_strdup(options->bpffs);
	const struct dataplane instance = {.bpffs = bpffs};
	AUTO_FD int lock = -1;
	int code;

	if (access(bpffs, F_OK) && errno == ENOENT)
		return 0;
	code = instance_lock(bpffs, &lock, error);
	if (code)
		return code;
	/* What is not there is no news here: a device that went took its filters along. */
	libbpf_set_print(NULL);
	flush_filters(&instance, &count);
	for (unsigned int i = 0; i < G_N_ELEMENTS(folders); i++) {
		code = flush_folder(&instance, folders[i].name, folders[i].count, error);
		if (code)
			return code;
	}
	/* EBUSY, or EACCES for what is above it is not rulesd's: the bpffs is mounted right here;
	 * the mount is not the instance's to take away. */
	if (rmdir(bpffs) && errno != ENOENT && errno != EBUSY && errno != EACCES)
		return bpf_fail(error, -errno, "%s: rmdir", bpffs);
	if (flushed)
		*flushed = count;
	return 0;
}
