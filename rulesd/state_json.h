/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_json.h - the texts of the state directory's files; private to state*.c.
 */
#pragma once

#include "rulesd/state.h"

void state_generation_free(struct state_generation *generation);
/* Forgets the oldest generations above the limit, and their files. */
void state_prune(struct state *state);

/* current.json, as it would be with pending (may be NULL) as the last generation. */
char *state_current_to_text(const struct state *state, const struct state_generation *pending,
			    uint64_t generation, uint64_t offset);
/* 0, -EBADMSG when it is damaged, or -EINVAL and *error when a newer rulesd has written it. */
int state_current_from_text(struct state *state, const char *text, size_t length, bool sealed,
			    char **error);

/* policies/N.policy: one line of JSON that says how long the texts are, then the texts. */
char *state_policy_head(const struct state *state, const struct state_generation *entry,
			const GPtrArray *sources, const GPtrArray *patches, bool compacted);
/* Such a file; of state, the directory of the policies and the offset are looked at. 0 or -errno.
 */
int state_write_texts(const struct state *state, const struct state_generation *entry,
		      const GPtrArray *sources, const GPtrArray *patches, bool compacted);
/* Whether its head says that it only stands for another one and its journal (state_compact.c). */
bool state_is_compacted(const char *text, size_t length);
/* What the head of such a file says of its generation, which becomes the state's. */
struct state_generation *state_generation_from_head(struct state *state, const char *name,
						    const char *text, size_t length);
/* Of any form, with a NUL behind it; appends struct load_source. A large one takes *text, which is
 * NULL then: there are no two of it. 0 or -EINVAL. */
int state_policy_from_text(char **text, size_t length, bool sealed, GPtrArray *sources,
			   GPtrArray *patches);

/* One record of a journal: a patch, or interfaces attached by hand. */
char *state_patch_to_text(const struct state_record *record, const struct state_generation *entry,
			  const GPtrArray *sources);
/* changes: id -> GBytes or NULL. */
char *state_attached_to_text(const struct state_record *record, GHashTable *changes);
/* Adds what the record says to the state: the generation, the interfaces, the numbers; no patch
 * behind a damaged record. 0 or -EINVAL. */
int state_record_from_text(struct state *state, const char *text, size_t length, bool behind);
/* Takes text; NULL: the interface is gone. */
void state_note_attached(struct state *state, const char *id, GBytes *text);
/* Appends the sources of a record that is a patch. 0, 1 when it is none, -EINVAL. */
int state_patch_from_text(const char *text, size_t length, GPtrArray *patches);

/* policies/N.journal of the policy in this file (NULL: of none). */
char *state_journal_name(const char *file);

/* -------------------------------------------------- state_change.c */

/* Removes the texts and the journal. */
void state_remove_policy(struct state *state, const char *file);
/* Whether a generation needs it. */
bool state_uses_file(const struct state *state, const char *file);
/* Forgets generations that are beyond STATE_MAX_BYTES. */
void state_prune_bytes(struct state *state);
/* The interfaces that are attached by hand, as the first record of a journal; NULL: none can be
 * made. The caller frees it. */
char *state_first_record(const struct state *state);
/* Writes what the state says. When it fails what stands on the disk is unknown, and nothing is
 * appended until the state that was is written again. 0 or -errno. */
int state_switch_current(struct state *state, GPtrArray *generations);

/* -------------------------------------------------- state_recover.c */

/* Replays the journal of the policy that holds. 0, or -errno and *error. */
int state_read_journal(struct state *state, char **error);
/* The generations out of the policies that are there, when current.json does not tell. */
int state_rebuild(struct state *state, GPtrArray *files, char **error);
/* The journal anew: all interfaces that are attached by hand, and nothing else. 0 or -errno. */
int state_rewrite_journal(struct state *state);
/* Before anything is written: files of an older version become ours, and current.json is there. 0
 * or -errno. */
int state_take_over(struct state *state);

/*
 * -ESTALE when somebody has removed or replaced the state directory, or its policies/; or, of that
 * name, the journal that is appended to, or the policy that it belongs to. Else 0.
 */
int state_check_place(const struct state *state);
int state_check_journal(const struct state *state, const char *name);
int state_fail(char **error, int err, const char *path, const char *what);
