/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privilege.h - what rulesd gives up once it has started: capabilities, system calls, and every way
 * to get them back. See rulesd(8), PRIVILEGES.
 */
#pragma once

#include <stdbool.h>

struct options;

/*
 * Keeps only the capabilities that these options need, in every set, forbids new ones
 * (PR_SET_NO_NEW_PRIVS), lets files be changed where they are rulesd's
 * own, and installs the filter of system calls. For threads that start later it
 * holds as well, so it is called before there is a second one; after whatever needs more, as
 * mounting the bpffs and joining groups, and after the directories that files are changed in
 * were made. 0, or -errno and *error: then rulesd must not run on.
 */
int privilege_drop(const struct options *options, char **error);

/* For this thread and those that it starts: files are changed below these options' directories
 * only. 0, or -errno: -EOPNOTSUPP where the kernel has no Landlock of version 2. */
int files_restrict(const struct options *options);

/* The filter alone; 0, or -errno: -EOPNOTSUPP where there is no seccomp(2) with TSYNC. */
int syscall_filter_install(void);
