/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.h - a sequence of frames and changes, done to the kernel programs and to the reference at
 * once; and the smallest sequence that still tells them apart.
 *
 * It runs on the instance of proggy.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "bpf/abi.h"
#include "tests/lib/proggy.h"

enum replay_kind { REPLAY_FRAME, REPLAY_CHANGE, REPLAY_FLUSH, REPLAY_COUNT };

struct replay_step {
	enum replay_kind kind;
	size_t vm; /* of random_vms */
	enum proggy_program program;
	char *text; /* of the frame, or the policy */
	bool keep;
	uint32_t reason; /* that the kernel gave */
};

struct replay {
	char *policy;
	GPtrArray *steps; /* of struct replay_step */
};

struct replay *replay_new(const char *policy);
void replay_free(struct replay **replay);

/* Brings kernel and reference to the beginning: the policy, no flows, no fragments. */
void replay_begin(const struct replay *replay);
/* Does a step to both. NULL, or how they differ (the caller frees it). */
char *replay_do(struct replay_step *step);
/* Takes ownership of text; the step is appended, not done. */
struct replay_step *replay_add(struct replay *replay, enum replay_kind kind, size_t vm, char *text);
/* Drops steps as long as the rest still differs; *difference is that of the rest. */
void replay_shrink(struct replay *replay, char **difference);
/* As text of tests/prog/cases, with what the kernel says as the expectation. */
void replay_print(const struct replay *replay, const char *difference);
/* Frees what the reference holds. */
void replay_end(void);
