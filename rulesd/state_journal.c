/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_journal.c - see state_journal.h.
 */
#include "rulesd/state_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "rulesd/cleanup.h"
#include "rulesd/state_file.h"

#define HEAD_FORMAT "%08lx %zu "
#define HEAD_MAX    64

static unsigned long checksum(const char *text, size_t length)
{
	return crc32_z(crc32_z(0, NULL, 0), (const Bytef *)text, length);
}

/* The record that begins at data: how long it is in the file, 0 when there is none; *text and *size
 * are what it says. */
static size_t record_at(const char *data, size_t left, const char **text, size_t *size)
{
	char head[HEAD_MAX + 1] = "";
	unsigned long long length;
	unsigned long sum;
	char *at;

	memcpy(head, data, MIN(left, HEAD_MAX));
	if (!g_ascii_isxdigit(head[0]))
		return 0;
	sum = strtoul(head, &at, 16);
	if (at != head + 8 || *at != ' ' || !g_ascii_isdigit(at[1]))
		return 0;
	length = strtoull(at + 1, &at, 10);
	if (*at != ' ')
		return 0;
	at++;
	if (length >= left || left - (size_t)length < (size_t)(at - head) + 1)
		return 0;
	*text = data + (at - head);
	*size = (size_t)length;
	if ((*text)[length] != '\n' || checksum(*text, *size) != sum)
		return 0;
	return (size_t)(at - head) + *size + 1;
}

/* Whether any record begins at a line behind this point: then this is no end, but damage. */
static bool more_records(const char *data, size_t left)
{
	const char *line = data, *end = data + left, *text;
	size_t size;

	while (line < end && (line = memchr(line, '\n', (size_t)(end - line)))) {
		line++;
		if (line < end && record_at(line, (size_t)(end - line), &text, &size))
			return true;
	}
	return false;
}

int state_journal_read(int dir, const char *name, state_journal_fn each, void *arg,
		       struct state_journal *end)
{
	struct state_journal found = {.fd = -1};
	g_autofree char *data = NULL;
	size_t length = 0, at = 0, size, bytes;
	int err = state_file_read(dir, name, &data, &length);
	const char *text;

	if (err < 0 && err != -ENOENT)
		return err;
	while (at < length && (bytes = record_at(data + at, length - at, &text, &size))) {
		data[text + size - data] = '\0'; /* the end of its line */
		err = each ? each(text, size, arg) : 0;
		if (err < 0)
			return err;
		at += bytes;
		found.records++;
	}
	if (at < length && more_records(data + at, length - at))
		return -EBADMSG;
	found.length = at;
	found.torn = at < length;
	if (end)
		*end = found;
	return 0;
}

static int open_for_append(int dir, const char *name, struct state_journal *journal)
{
	if (journal->fd >= 0)
		return 0;
	journal->fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (journal->fd < 0)
		return -errno;
	return journal->length || fsync(dir) == 0 ? 0 : -errno;
}

static int cut(struct state_journal *journal)
{
	if (!journal->torn)
		return 0;
	if (ftruncate(journal->fd, (off_t)journal->length) < 0)
		return -errno;
	journal->torn = false;
	return 0;
}

int state_journal_append(int dir, const char *name, struct state_journal *journal, const char *text,
			 size_t length)
{
	g_autoptr(GString) line = g_string_sized_new(HEAD_MAX + length + 1);
	int err = open_for_append(dir, name, journal);

	g_string_printf(line, HEAD_FORMAT, checksum(text, length), length);
	g_string_append_len(line, text, (gssize)length);
	g_string_append_c(line, '\n');
	if (err == 0)
		err = cut(journal);
	if (err < 0)
		return err;
	journal->torn = true;
	err = state_file_write_all(journal->fd, line->str, line->len);
	if (err == 0 && fdatasync(journal->fd) < 0)
		err = -errno;
	if (err < 0) {
		cut(journal);
		return err;
	}
	journal->torn = false;
	journal->length += line->len;
	journal->records++;
	return 0;
}

void state_journal_close(struct state_journal *journal)
{
	cleanup_fd(&journal->fd);
	*journal = (struct state_journal){.fd = -1};
}
