/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint.h - the analysis behind sgctl lint: a valid policy to findings, without printing.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ctl/lint_finding.h"
#include "rulesd/diag.h"
#include "rulesd/model.h"

/* What the daemon counted; NULL: offline. */
struct lint_live;
/* rules and interfaces: the answers to GET /v1/rules and GET /v1/interfaces. The caller frees. */
struct lint_live *lint_live_new(const json_t *rules, const json_t *interfaces);
void lint_live_free(struct lint_live **live);
/* Rules of the model that the daemon does not have: their counters say nothing. */
unsigned int lint_live_unknown(const struct lint_live *live, const struct model *model);

struct lint_result {
	struct lint_findings *findings; /* that are not accepted, sorted */
	unsigned int ignored;		/* accepted by x-lint-ignore */
};

/* sources must be those that the model was made from. The caller frees the result's content with
 * lint_result_clear. */
void lint_run(const GPtrArray *sources, const struct model *model, const struct lint_live *live,
	      struct lint_result *result);
void lint_result_clear(struct lint_result *result);
