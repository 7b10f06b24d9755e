/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_read.c - files, directories and standard input to texts. What is too large or no text is
 * refused before it is in memory.
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
#include "rulesd/path_trust.h"
#include "rulesd/text_guard.h"

#define BLOCK_BYTES 16384
/* What is not longer is read whatever it holds: the parser says best what is wrong with it. */
#define SHORT_BYTES (1u << 20)

struct reading {
	struct load_limits limits;
	bool owner_check;
	GPtrArray *sources;
	size_t bytes; /* of the sources so far */
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

/* Nor may they be able to put another file in its place. */
static bool check_way(struct reading *reading, const char *path)
{
	g_autofree char *fix = NULL;
	g_autofree char *why = reading->owner_check ? path_distrust(path, &fix) : NULL;

	if (why)
		fail(reading, path, -EPERM, "permissions", fix, why);
	return !why;
}

static void too_large(struct reading *reading, const char *path)
{
	g_autofree char *message =
		g_strdup_printf("larger than %zu MiB", reading->limits.file_bytes >> 20);

	fail(reading, path, -EFBIG, "too-large", "split it into several files", message);
}

/* text ends soon behind the place. */
static void refuse_text(struct reading *reading, const char *path, enum text_fault fault,
			const char *text, size_t offset)
{
	struct place place = {.file = g_intern_string(path), .line = 1};
	const char *line = text, *end;

	while ((end = memchr(line, '\n', (size_t)(text + offset - line)))) {
		line = end + 1;
		place.line++;
	}
	place.column = (unsigned int)(text + offset - line) + 1;
	diag_add(reading->diag, "syntax", place, NULL, text_fault_fix(fault), "%s",
		 text_fault_message(fault));
	if (!reading->first_error)
		reading->first_error = -EBADMSG;
}

/* UTF-16, which PowerShell writes and some readers take: no guard knows it. */
static bool has_utf16_mark(const GByteArray *bytes)
{
	return bytes->len >= 2 &&
	       (memcmp(bytes->data, "\xff\xfe", 2) == 0 || memcmp(bytes->data, "\xfe\xff", 2) == 0);
}

/* What may still be read of a file that begins like this. */
static size_t room_of(const struct reading *reading, const GByteArray *bytes)
{
	if (reading->limits.utf16_bytes && has_utf16_mark(bytes))
		return MIN(reading->limits.utf16_bytes, reading->limits.file_bytes);
	return reading->limits.file_bytes;
}

/* Until the end of the file, which may grow meanwhile, or until it is refused. */
static int read_bytes(struct reading *reading, int fd, const char *name, GByteArray *bytes)
{
	enum text_fault fault = TEXT_FINE;
	struct text_guard guard = {0};
	guint8 block[BLOCK_BYTES];
	uint64_t bad = 0;

	for (;;) {
		ssize_t got = read(fd, block, sizeof(block));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fail_errno(reading, name, "read it");
			return -EIO;
		}
		if (got == 0)
			return 0;
		g_byte_array_append(bytes, block, (guint)got);
		if (bytes->len > room_of(reading, bytes)) {
			too_large(reading, name);
			return -EFBIG;
		}
		if (reading->limits.utf16_bytes && has_utf16_mark(bytes))
			continue;
		if (!fault)
			fault = text_guard_feed(&guard, block, (size_t)got, &bad);
		if (fault && bytes->len > SHORT_BYTES) {
			refuse_text(reading, name, fault, (const char *)bytes->data, bad);
			return -EBADMSG;
		}
	}
}

static void read_text(struct reading *reading, int fd, const char *name)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	struct load_source *source;

	if (read_bytes(reading, fd, name, bytes) < 0)
		return;
	reading->bytes += bytes->len;
	if (reading->bytes > reading->limits.all_bytes) {
		g_autofree char *message =
			g_strdup_printf("with it the files are larger than %zu MiB together",
					reading->limits.all_bytes >> 20);

		fail(reading, name, -EFBIG, "too-large", NULL, message);
		return;
	}
	source = g_new0(struct load_source, 1);
	source->name = g_strdup(name);
	source->length = bytes->len;
	g_byte_array_append(bytes, (const guint8 *)"", 1); /* never NULL, and easy to look at */
	source->text = (char *)g_byte_array_free(TAKE_PTR(bytes), FALSE);
	g_ptr_array_add(reading->sources, source);
}

static bool check_type(struct reading *reading, const char *path, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return true;
	if (S_ISDIR(st->st_mode))
		fail(reading, path, -EISDIR, "file-type", "a policy is a regular file",
		     "a directory inside a directory");
	else
		fail(reading, path, -EINVAL, "file-type",
		     S_ISFIFO(st->st_mode) ? "to read from a pipe, name \"-\" and redirect it"
					   : "a policy is a regular file",
		     "neither a regular file nor a directory");
	return false;
}

static void read_open_file(struct reading *reading, int fd, const char *path)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail_errno(reading, path, "open it");
	else if (!check_type(reading, path, &st))
		return;
	else if ((uint64_t)st.st_size > reading->limits.file_bytes)
		too_large(reading, path);
	else if (check_owner(reading, path, &st))
		read_text(reading, fd, path);
}

/* way: whether what it leads over has to be judged, too. */
static void read_file(struct reading *reading, int directory, const char *name, const char *path,
		      bool way)
{
	struct stat st;

	/* To open some devices does something; O_NONBLOCK: and a FIFO must not wait. */
	if (fstatat(directory, name, &st, 0) == 0 && !check_type(reading, path, &st))
		return;
	if (way && !check_way(reading, path))
		return;
	AUTO_FD int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	read_open_file(reading, fd, path);
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
	if (names->len > reading->limits.files) {
		g_autofree char *message = g_strdup_printf("%u files; at most %u are read",
							   names->len, reading->limits.files);

		fail(reading, path, -EFBIG, "too-large", "put more into each", message);
		return;
	}
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *file = g_build_filename(path, name, NULL);
		struct stat st;

		/* The way to the directory has been judged. */
		read_file(reading, dirfd(dir), name, file,
			  fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
				  S_ISLNK(st.st_mode));
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
		read_file(reading, AT_FDCWD, path, path, true);
		return;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		fail_errno(reading, path, "open it");
		return;
	}
	if (check_owner(reading, path, &st) && check_way(reading, path))
		read_directory(reading, TAKE_FD(fd), path);
}

static int read_paths(struct reading *reading, char *const *paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		read_path(reading, paths[i]);
	return reading->first_error;
}

int load_read_paths(char *const *paths, size_t count, bool owner_check, GPtrArray *sources,
		    struct diag *diag)
{
	struct reading reading = {
		.limits = {.file_bytes = JDOC_MAX_BYTES,
			   .all_bytes = LOAD_MAX_BYTES,
			   .files = LOAD_MAX_FILES},
		.owner_check = owner_check,
		.sources = sources,
		.diag = diag,
	};

	return read_paths(&reading, paths, count);
}

int load_read_limited(char *const *paths, size_t count, const struct load_limits *limits,
		      GPtrArray *sources, struct diag *diag)
{
	struct reading reading = {.limits = *limits, .sources = sources, .diag = diag};

	return read_paths(&reading, paths, count);
}
