/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world.h - the stage of the kill test: a rulesd under ptrace, three taps, a connection between two
 * of them; and what holds there, as rulesd tells and as packets find it.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct tap;
struct tracer;
struct traffic;

#define RULESD ".build/rulesd"

struct world {
	struct tap *outside, *web, *third;
	char *socket, *state_dir, *bpffs, *log;
	char *policy_dir; /* a symbolic link to one of two */
	struct tracer *tracer;
	struct traffic *traffic;
	unsigned int passed, failed;
	const char *scenario; /* that runs */
	const char *rulesd, *older;
	const char *const *options; /* that rulesd has besides, NULL-terminated; or NULL */
	unsigned int part, parts;
};

/* Begins to run; armed: the tracer's target stays. */
void world_start(struct world *world, bool armed);
/* Whether it answers; false when it ended before. */
bool world_wait_ready(struct world *world);
void world_must_start(struct world *world);
/* Ends it and removes all that it filters with. */
void world_flush(struct world *world);
void world_forget_state(struct world *world);
/* A request, and its status; 0: no answer. */
long world_call(struct world *world, const char *method, const char *path, const char *body);
/* One that must be done. */
void world_must(struct world *world, const char *method, const char *path, const char *body);
/* An answer that must come; the caller's. */
json_t *world_get(struct world *world, const char *path);
/* Policy and interfaces as rulesd tells, and as packets find them: one line; the caller's. */
char *world_holds(struct world *world);
/* The connection is in the table, with its rule. */
bool world_has_connection(struct world *world);
/* Between rulesd and the kernel, or NULL; the caller's. */
char *world_differences(struct world *world);
