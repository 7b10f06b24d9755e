/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_parts.h - answers that take long, made in parts between everything else that the daemon does;
 * private to api*.c.
 *
 * Users take turns, and of one user one answer is made at a time, so that whoever asks a hundred
 * times at once waits for himself. Those who may only read have at most half of the time, as with
 * everything that they ask: readers_from of api.c.
 */
#pragma once

#include "rulesd/api_request.h"

#define API_PART_US \
	5000 /* of one turn: what everybody else waits for at most, but for one object */

struct api_parts;

/* readers_from: no user who may only read has a turn before it (monotonic, microseconds); borrowed,
 * as is source, the server's. */
struct api_parts *api_parts_new(int64_t *readers_from, const guint *source);
/* Adds a request, which is suspended until part has answered; takes work. */
void api_parts_add(struct api_parts *parts, struct api_request *request, api_part_fn part,
		   void *work, GDestroyNotify work_free);
/* Makes parts of an answer for at most API_PART_US; true: it is not at its end. */
bool api_parts_turn(struct api_request *request, api_part_fn part, void *work);
/* Answers and resumes all that wait, so that the server can be stopped. */
void api_parts_close(struct api_parts *parts);
void api_parts_free(struct api_parts **parts);
