/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpffs.h - the directory that programs and maps are pinned in: there, and sure to outlive rulesd.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Mounts a bpffs for path where there is none: at /sys/fs/bpf for a path below it, else at path
 * itself. Needs CAP_SYS_ADMIN only then. 0, or -errno and *error (the caller frees it).
 */
int bpffs_mount(const char *path, char **error);
/*
 * The same, and makes path a directory (0700) on it. Refuses a bpffs that dies with rulesd's mount
 * namespace (see bpffs.c for how that is judged). 0, or -errno and *error with the fix.
 */
int bpffs_prepare(const char *path, char **error);
/* The device number of the file system that path is on, or would be made on; 0: nobody knows. */
dev_t bpffs_device(const char *path);
/* Where a bpffs is mounted, on the way to path, that path is not on, because something else was
 * mounted over it; NULL: there is none. The caller frees. */
char *bpffs_covered(const char *path);
/* Whether a bpffs with this device number is mounted in rulesd's own mount namespace. */
bool bpffs_is_mounted(dev_t device);
/* Whether path exists on a bpffs. */
bool bpffs_exists(const char *path);
