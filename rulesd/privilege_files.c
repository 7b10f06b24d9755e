/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privilege_files.c - where rulesd may change files (Landlock): its state directory, the bpffs, and
 * the folder of its socket. It may read what its user may: a policy directory may be made anew, and
 * links in it may lead anywhere, which no rule of Landlock survives.
 *
 * landlock(7): rights that a kernel does not know must not be asked for, so the version is asked
 * first. Version 1 (Linux 5.13 to 5.18) forbids every rename to another directory.
 */
#include "rulesd/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/options.h"

/* Later than the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

#define RIGHT(name) LANDLOCK_ACCESS_FS_##name
#define FILES	    (RIGHT(WRITE_FILE) | RIGHT(MAKE_REG) | RIGHT(REMOVE_FILE) | RIGHT(TRUNCATE))
#define FOLDERS	    (RIGHT(MAKE_DIR) | RIGHT(REMOVE_DIR) | RIGHT(REFER))
#define SOCKETS	    (RIGHT(MAKE_SOCK) | RIGHT(REMOVE_FILE))
#define OTHERS                                                                      \
	(RIGHT(EXECUTE) | RIGHT(MAKE_CHAR) | RIGHT(MAKE_BLOCK) | RIGHT(MAKE_FIFO) | \
	 RIGHT(MAKE_SYM) | RIGHT(IOCTL_DEV))

#ifdef __SANITIZE_ADDRESS__
/* make SAN=1: reports are written to a file at the end. */
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif

static uint64_t rights_of_version(long version)
{
	uint64_t rights = FILES | FOLDERS | OTHERS;

	rights |= SOCKETS; /* some are FILES', too */
	if (version < 5)
		rights &= ~RIGHT(IOCTL_DEV);
	if (version < 3)
		rights &= ~RIGHT(TRUNCATE);
	return rights;
}

/* What is not there, or no directory, is for whoever needs it to report. */
static int allow(int rules, const char *path, uint64_t rights)
{
	AUTO_FD int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct landlock_path_beneath_attr attr = {.allowed_access = rights, .parent_fd = fd};

	if (fd < 0)
		return 0;
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) < 0
		       ? -errno
		       : 0;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/* All of the bpffs that path is in: the instance's directory is made again when somebody removes
 * it. */
static char *bpffs_of(const char *path)
{
	char *top = g_strdup(path);

	for (;;) {
		g_autofree char *parent = g_path_get_dirname(top);

		if (strcmp(parent, top) == 0 || (is_bpffs(top) && !is_bpffs(parent)))
			return top;
		g_free(top);
		top = TAKE_PTR(parent);
	}
}

static int add_rules(int rules, const struct options *options, uint64_t known)
{
	g_autofree char *bpffs = bpffs_of(options->bpffs);
	g_autofree char *folder = g_path_get_dirname(options->socket);
	int err = allow(rules, options->state_dir, (FILES | FOLDERS) & known);

	if (err == 0)
		err = allow(rules, folder, SOCKETS & known);
	if (err == 0 && is_bpffs(bpffs))
		err = allow(rules, bpffs, (FILES | FOLDERS) & known);
	return err;
}

int files_restrict(const struct options *options)
{
	long version = is_sanitized ? -1
				    : syscall(SYS_landlock_create_ruleset, NULL, 0,
					      LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = {.handled_access_fs = rights_of_version(version)};
	AUTO_FD int rules = -1;
	int err;

	if (version < 2)
		return -EOPNOTSUPP;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (rules < 0)
		return -errno;
	err = add_rules(rules, options, attr.handled_access_fs);
	if (err == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		err = -errno;
	return err;
}
