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

/* Reads the head of a record: its checksum, the length of its text; how long the head is, 0 when it
 * is none. */
static size_t read_head(const char *data, size_t left, unsigned long *sum,
			unsigned long long *length)
{
	char head[HEAD_MAX + 1] = "";
	char *at;

	memcpy(head, data, MIN(left, HEAD_MAX));
	if (!g_ascii_isxdigit(head[0]))
		return 0;
	*sum = strtoul(head, &at, 16);
	if (at != head + 8 || *at != ' ' || !g_ascii_isdigit(at[1]))
		return 0;
	*length = strtoull(at + 1, &at, 10);
	return *at == ' ' ? (size_t)(at - head) + 1 : 0;
}

/* The record that begins at data: how long it is in the file, 0 when there is none; *text and *size
 * are what it says. */
static size_t record_at(const char *data, size_t left, const char **text, size_t *size)
{
	unsigned long long length;
	unsigned long sum;
	size_t head = read_head(data, left, &sum, &length);

	if (!head || length >= left || left - (size_t)length < head + 1)
		return 0;
	*text = data + head;
	*size = (size_t)length;
	if ((*text)[length] != '\n' || checksum(*text, *size) != sum)
		return 0;
	return head + *size + 1;
}

/* The next place behind this point at which a record begins; length when there is none. Any byte
 * may be damaged, so it need not be at the beginning of a line. */
static size_t next_record(const char *data, size_t at, size_t length)
{
	const char *text;
	size_t size;

	while (++at < length)
		if (record_at(data + at, length - at, &text, &size))
			return at;
	return length;
}

/*
 * A record is one line, so what a crash left of the last one has no end of line and is shorter than
 * its head says.
 */
static bool is_cut(const char *data, size_t left)
{
	unsigned long long length;
	unsigned long sum;
	size_t head = read_head(data, left, &sum, &length);

	return !memchr(data, '\n', left) && (!head || left - head <= length);
}

int state_journal_read(int dir, const char *name, state_journal_fn each, void *arg,
		       struct state_journal *end)
{
	struct state_journal found = {.fd = -1};
	g_autofree char *data = NULL;
	size_t length = 0, at = 0, size, bytes;
	int err = state_file_read(dir, name, &data, &length);
	const char *text;

	if (err < 0)
		return err;
	while (at < length) {
		bytes = record_at(data + at, length - at, &text, &size);
		if (!bytes) {
			size_t next = next_record(data, at, length);

			if (next == length && is_cut(data + at, length - at))
				break;
			found.damaged = true;
			at = next;
			continue;
		}
		data[text + size - data] = '\0'; /* the end of its line */
		if (each && each(text, size, found.damaged, arg) != 0)
			found.damaged = true;
		at += bytes;
		if (!found.records++)
			found.first = at;
	}
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

int state_journal_mend(int dir, const char *name, struct state_journal *journal)
{
	int err = journal->torn ? open_for_append(dir, name, journal) : 0;

	return err < 0 ? err : cut(journal);
}

static GString *line_of(const char *text, size_t length)
{
	GString *line = g_string_sized_new(HEAD_MAX + length + 1);

	g_string_printf(line, HEAD_FORMAT, checksum(text, length), length);
	g_string_append_len(line, text, (gssize)length);
	g_string_append_c(line, '\n');
	return line;
}

static int begin(int dir, const char *name, struct state_journal *journal, const char *text,
		 size_t length,
		 int (*write)(int dir, const char *name, const char *data, size_t size))
{
	g_autoptr(GString) line = line_of(text, length);
	int err = write(dir, name, line->str, line->len);

	if (err < 0)
		return err;
	*journal = (struct state_journal){
		.fd = -1, .length = line->len, .first = line->len, .records = 1};
	return 0;
}

int state_journal_begin(int dir, const char *name, struct state_journal *journal, const char *text,
			size_t length)
{
	return begin(dir, name, journal, text, length, state_file_write);
}

int state_journal_prepare(int dir, const char *name, struct state_journal *journal,
			  const char *text, size_t length)
{
	return begin(dir, name, journal, text, length, state_file_prepare);
}

int state_journal_append(int dir, const char *name, struct state_journal *journal, const char *text,
			 size_t length)
{
	g_autoptr(GString) line = line_of(text, length);
	int err;

	if (journal->length + line->len > STATE_JOURNAL_BYTES)
		return -EDQUOT;
	err = open_for_append(dir, name, journal);
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
