/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_baseline.h - a file of findings that are accepted: {"version": 1, "findings":
 * [{"fingerprint", "code", "subject", "message", "reason"}]}.
 *
 * Only the fingerprint counts; the rest is for people, and "reason" (or any other key that they
 * add) is kept when the file is written anew.
 */
#pragma once

#include <glib.h>

#include "ctl/lint_finding.h"
#include "rulesd/diag.h"

struct lint_baseline;
/* 0 and *baseline (the caller's), or -errno and why in diag: -ENOENT when there is no such file. */
int lint_baseline_read(const char *path, struct lint_baseline **baseline, struct diag *diag);
void lint_baseline_free(struct lint_baseline **baseline);

/* Takes accepted findings out and returns how many. *gone: entries that no finding has any more. */
unsigned int lint_baseline_apply(const struct lint_baseline *baseline,
				 struct lint_findings *findings, unsigned int *gone);
/* before may be NULL. 0, or -errno and why in diag. */
int lint_baseline_write(const char *path, const struct lint_findings *findings,
			const struct lint_baseline *before, struct diag *diag);
