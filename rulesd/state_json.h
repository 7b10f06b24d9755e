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

/* current.json, as it would be with pending (may be NULL) as the last generation. */
char *state_current_to_text(const struct state *state, const struct state_generation *pending,
			    uint64_t generation, uint64_t offset);
int state_current_from_text(struct state *state, const char *text, size_t length, char **error);

char *state_sources_to_text(const GPtrArray *sources);
int state_sources_from_text(const char *text, size_t length, GPtrArray *sources); /* 0 or -EINVAL */
