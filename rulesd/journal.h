/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal.h - what an in-place change overwrites, so that it can be taken back exactly.
 *
 * Every store of a change goes through here before it is made. Taking back runs the records from
 * the last to the first, so that each finds what it left; it cannot fail. A NULL journal records
 * nothing and frees what is replaced at once: that is how something is built that nobody sees yet.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

struct journal;

/*
 * Pointers in any order, 16 bytes when empty and little more than they need otherwise: there may be
 * a million of them in thousands of lists. Zeroed, it is empty.
 */
struct pointer_list {
	gpointer *at;
	uint32_t len;
	uint32_t room;
};
void pointer_list_clear(struct pointer_list *list);

struct journal *journal_new(void);
/* The change stands: frees what was replaced. */
void journal_commit(struct journal **journal);
/* Puts everything back and frees what the change made. */
void journal_undo(struct journal **journal);

/* Before *at is overwritten. */
void journal_u32(struct journal *journal, uint32_t *at);
void journal_pointer(struct journal *journal, void *at); /* at is the address of a pointer */

/*
 * The table, whose keys and values nobody but the journal may free (no destroy functions), has
 * value under key from now on; a key that is there already is replaced by this one, too.
 */
void journal_insert(struct journal *journal, GHashTable *table, gpointer key, gpointer value);
void journal_remove(struct journal *journal, GHashTable *table, gconstpointer key);
void journal_append(struct journal *journal, struct pointer_list *list, gpointer value);
/* Looks for it from the front; takes the last one into its place. */
void journal_drop(struct journal *journal, struct pointer_list *list, gconstpointer value);

/* made is freed if the change is taken back; replaced when it stands (without a journal: now). */
void journal_made(struct journal *journal, gpointer made, GDestroyNotify destroy);
void journal_replaced(struct journal *journal, gpointer replaced, GDestroyNotify destroy);
