/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top.h - sgctl top: what happens now, by the second.
 *
 *   top_rows.c  two looks at the daemon's counters become rates      top.c  the screen, and the
 * keys
 */
#pragma once

#include <jansson.h>

#include "ctl/table.h"
#include "rulesd/diag.h"

struct args;

enum top_view { TOP_INTERFACES, TOP_DROPS, TOP_FLOWS, TOP_VIEWS };

struct top_subject {
	const char *title;
	const struct column *columns; /* the keys of number columns sort */
	const char *sort;	      /* key, the largest first */
};
extern const struct top_subject top_subjects[TOP_VIEWS];

/* A look at the daemon. */
struct top_look;
/* 0 and *look (the caller's), or -errno and why in diag. */
int top_look(const struct args *args, enum top_view view, struct top_look **look,
	     struct diag *diag);
void top_look_free(struct top_look **look);
/* Rows of what happened between two looks (before may be NULL: totals without rates), sorted by a
 * key, the largest first. The caller owns them. */
json_t *top_rows(const struct top_look *before, const struct top_look *now, const char *sort);
