/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nearest.h - which of the known words somebody who mistyped one may have meant.
 */
#pragma once

/* Fed with candidates one after the other; best is the nearest so far, or NULL. */
struct nearest {
	const char *word; /* what was written */
	const char *best; /* borrowed from the candidates */
	unsigned int distance;
};

struct nearest nearest_new(const char *word);
void nearest_offer(struct nearest *nearest, const char *candidate);
/* "did you mean \"X\"?", or a copy of otherwise (may be NULL) when nothing is near. The caller
 * frees it. */
char *nearest_fix(const struct nearest *nearest, const char *otherwise);
