/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpffs.c - finds or mounts the bpffs, and judges whether it outlives rulesd.
 *
 * Pins are worth what their mount is worth. `ip netns exec` and systemd's PrivateMounts start a
 * program in a mount namespace of its own; a bpffs mounted there vanishes when the program exits,
 * and with it every filter: fail open at the next restart. A bpffs outlives rulesd when its device
 * number is mounted
 *   1. in init's mount namespace (/proc/1/mountinfo), whatever the path; or
 *   2. in the mount namespace of rulesd's parent (/proc/PPID/mountinfo), and rulesd found it there:
 *      somebody made that namespace and the mount, and holds both.
 * A mount that rulesd makes must pass 1: it does when rulesd shares init's namespace, or when the
 * mount propagates to it.
 */
#include "rulesd/bpffs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

static bool on_filesystem(const char *path, long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (long)fs.f_type == magic;
}

bool bpffs_exists(const char *path)
{
	return on_filesystem(path, BPF_FS_MAGIC);
}

/* The longest part of path that exists. */
static char *existing_part(const char *path)
{
	char *part = g_strdup(path);

	while (access(part, F_OK) < 0 && strcmp(part, "/") != 0) {
		char *parent = g_path_get_dirname(part);

		g_free(part);
		part = parent;
	}
	return part;
}

dev_t bpffs_device(const char *path)
{
	g_autofree char *part = existing_part(path);
	struct stat st;

	return stat(part, &st) < 0 ? 0 : st.st_dev;
}

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && (!path[length] || path[length] == '/');
}

char *bpffs_covered(const char *path)
{
	AUTO_FILE FILE *file = fopen("/proc/self/mountinfo", "re");
	const dev_t device = bpffs_device(path);
	char line[8192];

	while (device && file && fgets(line, sizeof(line), file)) {
		/* proc(5): ID PARENT MAJOR:MINOR ROOT PATH OPTIONS [TAG...] - TYPE ... */
		unsigned int high, low;
		char where[4096];
		char *plain;

		if (!strstr(line, " - bpf ") ||
		    sscanf(line, "%*u %*u %u:%u %*s %4095s", &high, &low, where) != 3)
			continue;
		plain = g_strcompress(where); /* a space is \\040 */
		if (is_below(path, plain) && makedev(high, low) != device)
			return plain;
		g_free(plain);
	}
	return NULL;
}

static bool is_mounted_in(const char *mountinfo, dev_t device)
{
	AUTO_FILE FILE *file = fopen(mountinfo, "re");
	g_autofree char *number = g_strdup_printf("%u:%u", major(device), minor(device));
	char line[8192];

	while (file && fgets(line, sizeof(line), file)) {
		/* proc(5): ID PARENT MAJOR:MINOR ROOT PATH OPTIONS [TAG...] - TYPE ... */
		char seen[32];

		if (sscanf(line, "%*u %*u %31s", seen) == 1 && strcmp(seen, number) == 0 &&
		    strstr(line, " - bpf "))
			return true;
	}
	return false;
}

/* In the mount namespace of the process. */
static bool mounted_for(pid_t pid, dev_t device)
{
	g_autofree char *name = g_strdup_printf("/proc/%d/mountinfo", (int)pid);

	return is_mounted_in(name, device);
}

bool bpffs_is_mounted(dev_t device)
{
	return is_mounted_in("/proc/self/mountinfo", device);
}

static int refuse(const char *path, char **error)
{
	*error = g_strdup_printf(
		"--bpffs %s: this bpffs is mounted only in rulesd's own mount namespace and would "
		"vanish with it, and every filter too; mount it on the host (mount -t bpf bpf "
		"/sys/fs/bpf) and start rulesd with 'nsenter --net=/run/netns/NAME rulesd' instead "
		"of 'ip netns exec', or without PrivateMounts",
		path);
	return -EPERM;
}

static int judge_found(const char *path, const char *part, char **error)
{
	struct stat st;

	if (stat(part, &st) < 0) {
		int saved = errno;

		*error = g_strdup_printf("--bpffs %s: stat: %s", path, g_strerror(saved));
		return -saved;
	}
	if (mounted_for(1, st.st_dev) || mounted_for(getppid(), st.st_dev))
		return 0;
	return refuse(path, error);
}

/* Two that begin at once would mount it twice, and what the first one pins would be covered: the
 * directory that is mounted upon is locked. */
static int mount_at(const char *path, const char *where, char **error)
{
	AUTO_FD int turn = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (turn >= 0 && flock(turn, LOCK_EX) == 0 && on_filesystem(where, BPF_FS_MAGIC))
		return 0;
	if (mount("bpf", where, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0) {
		int saved = errno;

		*error = g_strdup_printf("--bpffs %s: mounting a bpffs at %s: %s", path, where,
					 g_strerror(saved));
		return -saved;
	}
	if (stat(where, &st) == 0 && mounted_for(1, st.st_dev))
		return 0;
	umount2(where, MNT_DETACH);
	return refuse(path, error);
}

static int make_directory(const char *path, char **error)
{
	int saved;

	if (g_mkdir_with_parents(path, 0700) == 0)
		return 0;
	saved = errno;
	*error = g_strdup_printf("--bpffs %s: mkdir: %s", path, g_strerror(saved));
	return -saved;
}

int bpffs_mount(const char *path, char **error)
{
	g_autofree char *part = existing_part(path);
	int err;

	if (on_filesystem(part, BPF_FS_MAGIC))
		return 0;
	if (on_filesystem(part, SYSFS_MAGIC)) {
		/* Nothing can be made in sysfs: mount at its own place for it, then go below. */
		if (strcmp(part, "/sys/fs/bpf") != 0) {
			*error = g_strdup_printf("--bpffs %s: %s is sysfs, and no bpffs can be "
						 "mounted there; use a path below /sys/fs/bpf",
						 path, part);
			return -EINVAL;
		}
		return mount_at(path, part, error);
	}
	err = make_directory(path, error);
	return err < 0 ? err : mount_at(path, path, error);
}

int bpffs_prepare(const char *path, char **error)
{
	g_autofree char *part = NULL;
	int err = bpffs_mount(path, error);

	if (err < 0)
		return err;
	part = existing_part(path);
	err = judge_found(path, part, error);
	return err < 0 ? err : make_directory(path, error);
}
