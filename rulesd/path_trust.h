/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * path_trust.h - whether only root and the user that runs this can change what a path leads to.
 */
#pragma once

#include <stdbool.h>

/*
 * Follows the path as the kernel does, through every directory and symbolic link. NULL when each
 * belongs to root or to the effective user, and no directory can be written by others (one with the
 * sticky bit may, as /tmp, because others cannot replace what is in it). Else why not, and in *fix
 * what would help (NULL: nothing simple); the caller frees both. What the path leads to in the end
 * is judged likewise when it is a directory; a file is for the caller to judge once it is open. A
 * path that leads nowhere is trusted: nothing will be read.
 */
char *path_distrust(const char *path, char **fix);
