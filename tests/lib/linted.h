/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linted.h - a policy and what lint finds in it.
 */
#pragma once

#include <glib.h>

#include "ctl/lint.h"

struct linted {
	GPtrArray *sources; /* a.json, b.json ... */
	struct model *model;
	struct lint_result result;
};

/* One text, or several apart by lines of "---". The test fails when the policy is invalid. */
struct linted *linted_new(const char *text, const struct lint_live *live);
void linted_free(struct linted **linted);
/* "SG101 sg-a/x\nSG303 sg-b\n": what is found, in order. only: codes that count, or NULL. */
char *linted_text(const struct linted *linted, const char *only);
/* The first finding of that code, or NULL. */
const struct lint_finding *linted_find(const struct linted *linted, const char *code);
