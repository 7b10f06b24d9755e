/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_delta_log.h - what takes a delta back; only the compiler and image_delta.c include it.
 */
#pragma once

#include "rulesd/image_delta.h"
#include "rulesd/journal.h"
#include "rulesd/numbers.h"

struct image_delta_undo_log {
	struct journal *journal;
	struct numbers *numbers;
	GPtrArray *slots; /* of char *: interfaces that got a slot */
};

/* Empty, with a journal. */
struct image_delta *image_delta_new(struct numbers *numbers);
