/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dir_stamp.c - see dir_stamp.h. The directory's own times are left out: files that mean nothing
 * come and go in it.
 */
#include "rulesd/dir_stamp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Without holes: it is compared as bytes. */
struct mark {
	uint64_t error; /* errno; the rest is 0 then */
	uint64_t device, inode, size;
	int64_t modified_s, modified_ns, changed_s, changed_ns;
	uint32_t mode, owner;
};

static struct mark mark_of(int result, const struct stat *st, bool times)
{
	struct mark mark = {0};

	if (result < 0) {
		mark.error = (uint64_t)errno;
		return mark;
	}
	mark.device = st->st_dev;
	mark.inode = st->st_ino;
	mark.mode = st->st_mode;
	mark.owner = st->st_uid;
	if (!times)
		return mark;
	mark.size = (uint64_t)st->st_size;
	mark.modified_s = st->st_mtim.tv_sec;
	mark.modified_ns = st->st_mtim.tv_nsec;
	mark.changed_s = st->st_ctim.tv_sec;
	mark.changed_ns = st->st_ctim.tv_nsec;
	return mark;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_files(GByteArray *stamp, DIR *dir)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const struct dirent *entry;

	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && g_str_has_suffix(entry->d_name, ".json"))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	g_ptr_array_sort(names, compare_names);
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		struct stat st;
		struct mark mark = mark_of(fstatat(dirfd(dir), name, &st, 0), &st, true);

		g_byte_array_append(stamp, (const guint8 *)name, (guint)strlen(name) + 1);
		g_byte_array_append(stamp, (const guint8 *)&mark, sizeof(mark));
	}
}

GBytes *dir_stamp(const char *path)
{
	GByteArray *stamp = g_byte_array_new();
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	struct mark mark = mark_of(fd < 0 ? -1 : fstat(fd, &st), &st, false);
	DIR *dir;

	g_byte_array_append(stamp, (const guint8 *)&mark, sizeof(mark));
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir) {
		add_files(stamp, dir);
		closedir(dir);
	} else if (fd >= 0) {
		close(fd);
	}
	return g_byte_array_free_to_bytes(stamp);
}
