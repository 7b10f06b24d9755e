/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state.h - the state directory: what rulesd knows again after a crash, a restart or a reboot.
 *
 *   lock                 held (flock) by the one rulesd that uses the directory
 *   numbers.json         the registry of numbers (numbers.h) as of the last policy
 *   marks.json           how far its counters may have gone since
 *   current.json         generations kept, the last seen generation, which policy holds
 *   policies/N.policy    the texts of a policy, as they were given; never changed once written
 *   policies/N.journal   what changed since: patches, interfaces attached by hand, new numbers
 *   confirm.json         the generation before a policy on trial, and until when (engine_confirm.c)
 *   policies/N.json      as N.policy, of an older rulesd
 *   attached/ID.json     an interface attached by hand, as an older rulesd kept it
 *
 * A new policy is one rename, a patch or an interface is one record of the journal: a crash leaves
 * the old or the new. The order that the engine keeps, and what a crash in between does:
 *   1. numbers: they only ever grow, so numbers that nothing uses yet are harmless, while a number
 *      in the kernel that the registry forgot would be given out twice;
 *   2. prepare (a policy): everything that can fail for want of space. A crash leaves files that
 *      the next start removes;
 *   3. the kernel takes the change. A crash here: the next start applies the old state to the
 *      kernel again. Nobody was told that the change holds;
 *   4. commit: the rename, or the record. When it fails the kernel is taken back;
 *   5. only now the client is answered.
 *
 * Every file carries a checksum (state_seal.h), every record of a journal too. What is damaged or
 * missing is reported by name and the newest policy that is whole holds; what may have been
 * attached and is not known any more stays as it is pinned (engine_kept.c), because a file that was
 * lost must open nothing.
 *
 * A journal that grows beyond STATE_COMPACT_PATCHES or _BYTES is compacted beside the changes that
 * go on (state_compact.c): a new N.policy has the texts and, as one patch, the last word on each
 * object; a new N.journal the interfaces attached by hand, and what came meanwhile. One rename of
 * current.json makes them hold, and they say what the others said. Generations from before keep the
 * old files until they are forgotten.
 *
 * Size: of the last STATE_MAX_GENERATIONS policies as many as fit, with their journals, into
 * STATE_MAX_BYTES, but always the last two; a journal of at most STATE_JOURNAL_BYTES (a change that
 * would exceed it is refused); one more policy while it is written; the registry.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "rulesd/load.h"
#include "rulesd/numbers.h"
#include "rulesd/state_journal.h"

#define STATE_MAX_GENERATIONS  16
#define STATE_MAX_BYTES	       (1ull << 30)
#define STATE_COMPACT_PATCHES  1024u
#define STATE_COMPACT_BYTES    (1ull << 20) /* of a journal, or */
#define STATE_COMPACT_FRACTION 8u	    /* one in so many of the texts, if that is more */

/* A policy that was in force from this generation on. */
struct state_generation {
	uint64_t generation;
	char *time;	  /* RFC 3339, UTC */
	char *sha256;	  /* NULL: not known yet */
	char *source;	  /* "api" or "policy-dir:PATH" */
	char *file;	  /* in policies/ */
	uint32_t patches; /* that many of the file's journal belong to it */
};

#define STATE_VERSION 3 /* what it was before: state_json.c */

struct state {
	char *path;
	GPtrArray *generations; /* of struct state_generation, oldest first; the last one holds */
	/*
	 * What users see as generation is the kernel's plus offset, so that it does not go back
	 * when the kernel's maps are made anew (reboot, --flush).
	 */
	uint64_t generation; /* highest that users saw */
	uint64_t offset;
	int dir;
	int policies;
	int attached;
	int lock;
	struct state_generation *pending; /* between prepare and commit of a policy */
	uint64_t next_file;

	struct state_journal journal,
		next_journal;	      /* of the policy that holds; of the pending one */
	uint32_t patches;	      /* in it */
	uint32_t listed;	      /* of them, those that current.json knows */
	GHashTable *attached_changes; /* id -> text (GBytes) of what the journal attaches, or NULL
					 of what it detaches */
	GHashTable *attached_files;   /* ids in attached/ */
	GPtrArray *news;	      /* of json_t: numbers of the journal, until they are loaded */
	bool versioned;		      /* current.json says the version that we write */
	bool sealed;		      /* it did when it was read: every file must have a seal */
	bool has_journal;	      /* the policy that holds has one */
	bool has_numbers;	      /* numbers.json and marks.json were written */

	bool unsound;	   /* the journal could not be mended: nothing is appended */
	bool unsettled;	   /* current.json may name others: it is written before anything else */
	GPtrArray *damage; /* of char *: what was found damaged or missing at this start */
	char *lost; /* what is not known any more, since the last policy; in current.json; NULL */
};

/*
 * Makes the directory (0700) if there is none, locks it and reads it. 0, or -errno and *error (the
 * caller frees it): -EBUSY when another rulesd has it, -EPERM when others can write it, -EINVAL
 * when its content cannot be understood.
 */
int state_open(const char *path, struct state **state, char **error);
void state_close(struct state **state);
/* What a start would find, asked without changing anything. */
struct state_check {
	int version; /* 0: there is none */
	uint64_t generation;
	char *damaged; /* a file of the policy that holds, or NULL; the caller frees it */
	int error;     /* -errno: it cannot be read */
};
void state_check(const char *path, struct state_check *found);
/* Whether a rulesd holds the directory now; false when there is none. */
bool state_in_use(const char *path);

/* The policy that holds, or NULL when none was ever applied. */
struct state_generation *state_current(const struct state *state);
const struct state_generation *state_find(const struct state *state, uint64_t generation);

/*
 * The registry as saved, with the news of the journal; an empty one when there is none. *whole:
 * nothing of it is missing; else the kernel may know higher numbers.
 */
int state_load_numbers(struct state *state, struct numbers **numbers, bool *whole, char **error);
/* Writes all of it, or only its marks if it needs them. 0 or -errno. */
int state_save_numbers(struct state *state, struct numbers *numbers);
int state_save_marks(struct state *state, struct numbers *numbers);

/*
 * Appends the texts of a policy (struct load_source) and the patches that were applied to them
 * (GPtrArray of struct load_source, one each).
 */
int state_load_sources(const struct state *state, const struct state_generation *generation,
		       GPtrArray *sources, GPtrArray *patches, char **error);
/* The same in two parts: what stands in its file, and what its journal has behind that. They may be
 * read at the same time, into patches of their own. */
int state_load_policy(const struct state *state, const struct state_generation *generation,
		      GPtrArray *sources, GPtrArray *patches, char **error);
int state_load_patches(const struct state *state, const struct state_generation *generation,
		       GPtrArray *patches, char **error);
/*
 * The same of the policy that holds. When it is damaged, the newest one that is not holds from now
 * on, written anew; both empty when there is none.
 */
int state_load_current(struct state *state, GPtrArray *sources, GPtrArray *patches, char **error);
/* Adds to damage and lost, and to the log. */
void state_report_damage(struct state *state, const char *name, const char *why);
/* Writes lost (may be NULL), if it is another one than before. 0 or -errno. */
int state_set_lost(struct state *state, const char *lost);
/* Bytes of its texts and of the journal that its patches are in; 0 when it cannot be read. */
size_t state_policy_size(const struct state *state, const struct state_generation *generation);
/* The interfaces attached by hand: struct load_source, whose name is the id. */
int state_load_attached(const struct state *state, GPtrArray *interfaces, char **error);

/* A new policy; patches may be NULL. generation is the expected one; commit says which one it
 * became. sha256 may be NULL. 0 or -errno. */
int state_policy_prepare(struct state *state, const GPtrArray *sources, const GPtrArray *patches,
			 const char *source, const char *sha256, uint64_t generation);
int state_policy_commit(struct state *state, uint64_t generation, uint64_t offset);
void state_policy_abort(struct state *state);

/* A change that is one record; generation is what users see after it. */
struct state_record {
	uint64_t generation;
	uint64_t offset;
	const json_t *numbers; /* names that have got a number (numbers_news), or NULL */
};
/* A patch of the policy that holds: struct load_source. 0 or -errno. */
int state_append_patch(struct state *state, const struct state_record *record,
		       const GPtrArray *sources, const char *source);
/* An interface attached by hand: new or changed; text NULL: gone. 0 or -errno. */
int state_append_attached(struct state *state, const struct state_record *record, const char *id,
			  const char *text, size_t length);

/*
 * The journal into a new policy. begin and commit are for the thread of the state, work for any: it
 * looks at nothing but its own.
 */
struct state_compaction;
bool state_wants_compaction(const struct state *state);
/* Where there is no policy, all at once: a journal of interfaces attached by hand is short then. A
 * rename, so it is the old or the new one. 0 or -errno. */
int state_compact_bare(struct state *state, struct numbers *numbers);
/* NULL: it cannot be now. */
struct state_compaction *state_compact_begin(struct state *state);
/* Writes what was there at begin, or at the last refresh. 0 or -errno. */
int state_compact_work(struct state_compaction *compaction);
/* How many bytes have come since, which the next work writes. */
uint64_t state_compact_refresh(const struct state *state, struct state_compaction *compaction);
/*
 * The new files hold, with what has come since. 0, -ESTALE when there is another policy meanwhile,
 * or -errno: then all is as it was. Frees it, as abandon does, which may be done without commit.
 */
int state_compact_commit(struct state *state, struct numbers *numbers,
			 struct state_compaction **compaction);
void state_compact_abandon(struct state *state, struct state_compaction **compaction);
/* Without a look at the disk: the state is closed already. */
void state_compact_free(struct state_compaction **compaction);

/*
 * A disk that failed in the middle of a change, and failed to take it back, may say what was
 * refused. Nothing is appended to that; once the disk can be written again this mends it, before a
 * restart would believe it. 0 or -errno.
 */
int state_settle(struct state *state);

/* Remembers the generation that users saw, if it is higher than the one remembered. 0 or -errno. */
int state_note_generation(struct state *state, uint64_t generation, uint64_t offset);
