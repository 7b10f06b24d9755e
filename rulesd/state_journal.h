/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_journal.h - records appended to a file, durable one by one.
 *
 * A record is a line: CRC-32 of the text as 8 hex digits, its length in bytes, the text. What a
 * crash or a full disk left of the last one is not a record: nobody was told that it holds.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_JOURNAL_BYTES (256ull << 20) /* an append beyond is -EDQUOT */

struct state_journal {
	int fd;		  /* -1: there is no file yet */
	uint64_t length;  /* of the records in it */
	uint64_t first;	  /* of the first one: what was there when it began */
	uint32_t records; /* number of them */
	bool torn;	  /* something else may stand behind them */
	bool damaged;	  /* a record that was whole once is not any more */
};

/*
 * behind: a record before this one is damaged. text is NUL-terminated. Whatever but 0 is returned
 * makes the record itself a damaged one.
 */
typedef int (*state_journal_fn)(const char *text, size_t length, bool behind, void *arg);

/*
 * Calls each for every record in order, past those that are damaged. What a crash cut of the last
 * one is not damage: it is shorter than its head says. 0, or -errno: -ENOENT when there is no such
 * file. *end (may be NULL): where the records end.
 */
int state_journal_read(int dir, const char *name, state_journal_fn each, void *arg,
		       struct state_journal *end);
/* Makes the file if there is none. When it fails the record is not there; if not even that can be
 * had, the next append tries again before it writes. 0 or -errno. */
int state_journal_append(int dir, const char *name, struct state_journal *journal, const char *text,
			 size_t length);
/* Takes away what a failed append may have left behind the records. 0 or -errno. */
int state_journal_mend(int dir, const char *name, struct state_journal *journal);
/* A new file, in place of any that is there, with this record alone. 0 or -errno. */
int state_journal_begin(int dir, const char *name, struct state_journal *journal, const char *text,
			size_t length);
/* The same, but as NAME.tmp, which the next start would remove (state_file_commit, or _abort). */
int state_journal_prepare(int dir, const char *name, struct state_journal *journal,
			  const char *text, size_t length);
void state_journal_close(struct state_journal *journal);
