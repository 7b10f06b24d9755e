/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * known.h - "did you mean web-1?": the nearest of the ids that the daemon knows to one that it does
 * not.
 */
#pragma once

#include "rulesd/diag.h"

struct args;

/* Asks for the array at path, looks for word among the members `key` of its objects, and when one
 * is near puts it into the last entry of diag as the fix. Best effort: without an answer diag stays
 * as it is. */
void known_suggest(const struct args *args, const char *path, const char *key, const char *word,
		   struct diag *diag);
