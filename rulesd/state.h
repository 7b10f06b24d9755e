/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state.h - the state directory: what rulesd knows again after a crash, a restart or a reboot.
 *
 *   lock                 held (flock) by the one rulesd that uses the directory
 *   numbers.json         the registry of numbers (numbers.h)
 *   current.json         generations kept, the last seen generation, which policy holds
 *   policies/N.json      the texts of a policy, as they were given; never changed once written
 *   attached/ID.json     an interface attached by hand, as it was given
 *
 * A change of the policy or of an interface is one rename, so a crash leaves the old or the new.
 * The order that the engine keeps, and what a crash in between does:
 *   1. numbers.json: numbers only ever grow, so numbers that nothing uses yet are harmless, while a
 *      number in the kernel that the registry forgot would be given out twice;
 *   2. prepare: everything that can fail for want of space. A crash leaves files that the next
 *      start removes;
 *   3. the kernel takes the change. A crash here: the next start applies the old state to the
 *      kernel again. Nobody was told that the change holds;
 *   4. commit: the rename. A crash after it: the next start finds the kernel right;
 *   5. only now the client is answered.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "rulesd/load.h"
#include "rulesd/numbers.h"

#define STATE_MAX_GENERATIONS 16

/* A policy that was in force from this generation on. */
struct state_generation {
	uint64_t generation;
	char *time; /* RFC 3339, UTC */
	char *sha256;
	char *source; /* "api" or "policy-dir:PATH" */
	char *file;   /* in policies/ */
};

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
	char *numbers_text;		  /* what numbers.json holds, NULL when unknown */
	struct state_generation *pending; /* between prepare and commit of a policy */
	uint64_t next_file;
};

/*
 * Makes the directory (0700) if there is none, locks it and reads it. 0, or -errno and *error (the
 * caller frees it): -EBUSY when another rulesd has it, -EPERM when others can write it, -EINVAL
 * when its content cannot be understood.
 */
int state_open(const char *path, struct state **state, char **error);
void state_close(struct state **state);
/* Whether a rulesd holds the directory now; false when there is none. */
bool state_in_use(const char *path);

/* The policy that holds, or NULL when none was ever applied. */
const struct state_generation *state_current(const struct state *state);
const struct state_generation *state_find(const struct state *state, uint64_t generation);

/* The registry as saved; an empty one when there is none. */
int state_load_numbers(struct state *state, struct numbers **numbers, char **error);
/* Writes it if it differs from what is there. 0 or -errno. */
int state_save_numbers(struct state *state, const struct numbers *numbers);

/* Appends struct load_source. */
int state_load_sources(const struct state *state, const struct state_generation *generation,
		       GPtrArray *sources, char **error);
/* The interfaces attached by hand: struct load_source, whose name is the id. */
int state_load_attached(const struct state *state, GPtrArray *interfaces, char **error);

/* A new policy. generation is the expected one; commit says which one it became. 0 or -errno. */
int state_policy_prepare(struct state *state, const GPtrArray *sources, const char *source,
			 const char *sha256, uint64_t generation);
int state_policy_commit(struct state *state, uint64_t generation, uint64_t offset);
void state_policy_abort(struct state *state);

/* An interface attached by hand: new or changed, or gone. 0 or -errno. */
int state_attached_prepare(struct state *state, const char *id, const char *text, size_t length);
int state_attached_commit(struct state *state, const char *id);
void state_attached_abort(struct state *state, const char *id);
int state_attached_remove(struct state *state, const char *id);

/* Remembers the generation that users saw, if it is higher than the one remembered. 0 or -errno. */
int state_note_generation(struct state *state, uint64_t generation, uint64_t offset);
