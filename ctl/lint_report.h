/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_report.h - findings for people and programs: table, JSON, lines as compilers write them,
 * SARIF.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "ctl/lint_finding.h"

/* Of what sgctl lint --json prints; the caller owns it. */
json_t *lint_findings_to_json(const struct lint_findings *findings);
/*
 * SARIF 2.1.0 (OASIS) with what code hosts read: rules with help, a level each, places relative to
 * the working directory, fingerprints. sources: of struct load_source, for columns in characters.
 * The caller owns it.
 */
json_t *lint_findings_to_sarif(const struct lint_findings *findings, const GPtrArray *sources);
/* 0, or -EINVAL and *error about columns. */
int lint_print_table(const struct lint_findings *findings, const char *columns, char **error);
int lint_check_columns(const char *columns, char **error);
/* "FILE:LINE:COLUMN: warning: sg-web/ssh: what is wrong; the fix [SG102]" */
void lint_print_lines(const struct lint_findings *findings);
/* The whole table of checks, a line each; and one of them with its explanation. */
void lint_print_checks(void);
void lint_print_check(const struct lint_check *check);
