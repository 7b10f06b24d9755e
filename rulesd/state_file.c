/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_file.c - atomic and durable files: temporary, fsync, rename, fsync of the directory.
 */
#include "rulesd/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

static char *temp_name(const char *name)
{
	return g_strconcat(name, STATE_FILE_TEMP, NULL);
}

int state_file_write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		length -= (size_t)written;
	}
	return 0;
}

int state_file_prepare_parts(int dir, const char *name, const struct iovec *parts, size_t count)
{
	g_autofree char *temp = temp_name(name);
	AUTO_FD int fd = -1;
	int err = 0;

	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; err == 0 && i < count; i++)
		err = state_file_write_all(fd, parts[i].iov_base, parts[i].iov_len);
	if (err == 0 && fsync(fd) < 0)
		err = -errno;
	if (err < 0)
		unlinkat(dir, temp, 0);
	return err;
}

static struct iovec part_of(const char *data, size_t length)
{
	/* writev(2) has no const either. */
	return (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = length};
}

int state_file_prepare(int dir, const char *name, const char *data, size_t length)
{
	struct iovec part = part_of(data, length);

	return state_file_prepare_parts(dir, name, &part, 1);
}

int state_file_commit(int dir, const char *name)
{
	g_autofree char *temp = temp_name(name);

	if (renameat(dir, temp, dir, name) < 0)
		return -errno;
	return fsync(dir) < 0 ? -errno : 0;
}

void state_file_abort(int dir, const char *name)
{
	g_autofree char *temp = temp_name(name);

	unlinkat(dir, temp, 0);
}

int state_file_write(int dir, const char *name, const char *data, size_t length)
{
	struct iovec part = part_of(data, length);

	return state_file_write_parts(dir, name, &part, 1);
}

int state_file_write_parts(int dir, const char *name, const struct iovec *parts, size_t count)
{
	int err = state_file_prepare_parts(dir, name, parts, count);

	if (err < 0)
		return err;
	err = state_file_commit(dir, name);
	if (err < 0)
		state_file_abort(dir, name);
	return err;
}

int state_file_remove(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return fsync(dir) < 0 ? -errno : 0;
}

int state_file_read(int dir, const char *name, char **data, size_t *length)
{
	AUTO_FD int fd = -1;
	g_autofree char *text = NULL;
	struct stat st;
	size_t have = 0;

	/* O_NONBLOCK: a FIFO, which nobody of ours made, must not wait for a writer. */
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (st.st_size > STATE_FILE_MOST)
		return -EFBIG;
	text = g_try_malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (have < (size_t)st.st_size) {
		ssize_t got = read(fd, text + have, (size_t)st.st_size - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	text[have] = '\0';
	*data = TAKE_PTR(text);
	*length = have;
	return 0;
}
