/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_json.h - the texts of the state directory's files; private to state*.c.
 */
#pragma once

#include "rulesd/state.h"

/* -EINVAL and *error: the file, why, and what to do. Nothing is guessed: what it said may be what
 * keeps a tap closed. */
int state_damaged(char **error, const char *path, const char *name, const char *why);

void state_generation_free(struct state_generation *generation);
/* Forgets the oldest generations above the limit, and their files. */
void state_prune(struct state *state);

/* current.json, as it would be with pending (may be NULL) as the last generation. */
char *state_current_to_text(const struct state *state, const struct state_generation *pending,
			    uint64_t generation, uint64_t offset);
int state_current_from_text(struct state *state, const char *text, size_t length, char **error);

/* policies/N.policy: one line of JSON that says how long the texts are, then the texts. */
char *state_policy_head(const GPtrArray *sources, const GPtrArray *patches);
/* Of either form; appends struct load_source. 0 or -EINVAL. */
int state_policy_from_text(const char *text, size_t length, GPtrArray *sources, GPtrArray *patches);

/* One record of a journal: a patch, or interfaces attached by hand. */
char *state_patch_to_text(const struct state_record *record, const struct state_generation *entry,
			  const GPtrArray *sources);
/* changes: id -> GBytes or NULL. */
char *state_attached_to_text(const struct state_record *record, GHashTable *changes);
/* Adds what the record says to the state: the generation, the interfaces, the numbers. 0 or
 * -EINVAL. */
int state_record_from_text(struct state *state, const char *text, size_t length);
/* Takes text; NULL: the interface is gone. */
void state_note_attached(struct state *state, const char *id, GBytes *text);
/* Appends the sources of a record that is a patch. 0, 1 when it is none, -EINVAL. */
int state_patch_from_text(const char *text, size_t length, GPtrArray *patches);

/* policies/N.journal of the policy in this file (NULL: of none). */
char *state_journal_name(const char *file);
