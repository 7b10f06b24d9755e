/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_read.c - files, directories and standard input to texts.
 */
#include "rulesd/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/json_doc.h"

struct reading {
	bool owner_check;
	GPtrArray *sources;
	struct diag *diag;
	int first_error; /* 0 or -errno */
};

static void fail(struct reading *reading, const char *path, int error, const char *code,
		 const char *fix, const char *message)
{
	const struct place place = {.file = g_intern_string(path)};

	diag_add(reading->diag, code, place, NULL, fix, "%s", message);
	if (!reading->first_error)
		reading->first_error = error;
}

static void fail_errno(struct reading *reading, const char *path, const char *what)
{
	int error = errno;
	g_autofree char *message = g_strdup_printf("cannot %s: %s", what, g_strerror(error));

	fail(reading, path, -error, "io", NULL, message);
}

/* Whoever can write a policy is root on every tap: only root and the owner may. */
static bool check_owner(struct reading *reading, const char *path, const struct stat *st)
{
	g_autofree char *fix = NULL;

	if (!reading->owner_check)
		return true;
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		fix = g_strdup_printf("chown root %s", path);
		fail(reading, path, -EPERM, "permissions", fix,
		     "it belongs to neither root nor the user that rulesd runs as");
		return false;
	}
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		fix = g_strdup_printf("chmod go-w %s", path);
		fail(reading, path, -EPERM, "permissions", fix,
		     "others than root and its owner can write it");
		return false;
	}
	return true;
}

static void too_large(struct reading *reading, const char *path)
{
	fail(reading, path, -EFBIG, "too-large", "split it into several files",
	     "larger than 256 MiB");
}

/* Until the end of the file, which may grow meanwhile, or the limit. */
static void read_text(struct reading *reading, int fd, const char *name)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 block[1 << 14];
	struct load_source *source;
	ssize_t got = 1;

	while (got > 0 && bytes->len <= JDOC_MAX_BYTES) {
		got = read(fd, block, sizeof(block));
		if (got < 0 && errno == EINTR) {
			got = 1;
			continue;
		}
		if (got > 0)
			g_byte_array_append(bytes, block, (guint)got);
	}
	if (got < 0) {
		fail_errno(reading, name, "read it");
		return;
	}
	if (bytes->len > JDOC_MAX_BYTES) {
		too_large(reading, name);
		return;
	}
	source = g_new0(struct load_source, 1);
	source->name = g_strdup(name);
	source->length = bytes->len;
	g_byte_array_append(bytes, (const guint8 *)"", 1); /* never NULL, and easy to look at */
	source->text = (char *)g_byte_array_free(TAKE_PTR(bytes), FALSE);
	g_ptr_array_add(reading->sources, source);
}

static void read_file(struct reading *reading, int directory, const char *name, const char *path)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	AUTO_FD int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		fail_errno(reading, path, "open it");
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		fail(reading, path, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, "file-type",
		     "a policy is a regular file",
		     S_ISDIR(st.st_mode) ? "a directory inside a directory"
					 : "neither a regular file nor a directory");
		return;
	}
	if (st.st_size > JDOC_MAX_BYTES)
		too_large(reading, path);
	else if (check_owner(reading, path, &st))
		read_text(reading, fd, path);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Names of *.json, sorted; hidden files (editors leave them) are none. */
static GPtrArray *list_directory(DIR *dir)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const struct dirent *entry;

	errno = 0;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && g_str_has_suffix(entry->d_name, ".json"))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	g_ptr_array_sort(names, compare_names);
	return names;
}

static void read_directory(struct reading *reading, int fd, const char *path)
{
	CLEANUP(close_dir) DIR *dir = fdopendir(fd);
	g_autoptr(GPtrArray) names = NULL;

	if (!dir) {
		fail_errno(reading, path, "list it");
		close(fd);
		return;
	}
	names = list_directory(dir);
	if (errno) {
		fail_errno(reading, path, "list it");
		return;
	}
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *file = g_build_filename(path, name, NULL);

		read_file(reading, dirfd(dir), name, file);
	}
}

static void read_path(struct reading *reading, const char *path)
{
	AUTO_FD int fd = -1;
	struct stat st;

	if (strcmp(path, "-") == 0) {
		read_text(reading, STDIN_FILENO, path);
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (fd < 0 && errno == ENOTDIR) {
		read_file(reading, AT_FDCWD, path, path);
		return;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		fail_errno(reading, path, "open it");
		return;
	}
	if (check_owner(reading, path, &st))
		read_directory(reading, TAKE_FD(fd), path);
}

int load_read_paths(char *const *paths, size_t count, bool owner_check, GPtrArray *sources,
		    struct diag *diag)
{
	struct reading reading = {
		.owner_check = owner_check,
		.sources = sources,
		.diag = diag,
	};

	for (size_t i = 0; i < count; i++)
		read_path(&reading, paths[i]);
	return reading.first_error;
}
