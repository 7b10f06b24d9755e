/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suggest.h - the nearest of some names to a word that was mistyped.
 */
#pragma once

struct suggest {
	const char *word;
	const char *best;      /* borrowed from the caller of suggest_offer */
	unsigned int distance; /* of best */
};

void suggest_start(struct suggest *suggest, const char *word);
/* name must outlive the last suggest_best(). The first of equally near ones stays. */
void suggest_offer(struct suggest *suggest, const char *name);
/* NULL when nothing is near enough to be what was meant: a third of the letters may differ, or name
 * starts with word. */
const char *suggest_best(const struct suggest *suggest);

/* Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), in
 * bytes. */
unsigned int suggest_distance(const char *a, const char *b);
