/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_file.h - files that are either the old or the new one after a crash, never half of one.
 *
 * A change has two halves: prepare writes and syncs NAME.tmp, commit renames it over NAME and syncs
 * the directory. Whatever may fail for want of space fails in prepare. Every call returns 0 or
 * -errno.
 */
#pragma once

#include <stddef.h>
#include <sys/uio.h>

#define STATE_FILE_TEMP ".tmp"
#define STATE_FILE_MOST (1l << 30) /* bytes that are read; twice the largest policy */

int state_file_write_all(int fd, const char *data, size_t length);
int state_file_prepare_parts(int dir, const char *name, const struct iovec *parts, size_t count);
int state_file_prepare(int dir, const char *name, const char *data, size_t length);
int state_file_commit(int dir, const char *name);
void state_file_abort(int dir, const char *name);
/* Both halves. */
int state_file_write_parts(int dir, const char *name, const struct iovec *parts, size_t count);
int state_file_write(int dir, const char *name, const char *data, size_t length);
/* Removes it for good; 0 also when there was none. */
int state_file_remove(int dir, const char *name);
/* The content, NUL-terminated, which the caller frees with g_free. What is no regular file is
 * -EINVAL or -EISDIR, a larger one -EFBIG. */
int state_file_read(int dir, const char *name, char **data, size_t *length);
