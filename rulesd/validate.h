/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate.h - what only the whole model can tell: references, uniqueness, limits.
 */
#pragma once

#include "rulesd/diag.h"
#include "rulesd/model.h"

/* Appends every error to diag. 0 when there was none, -EINVAL otherwise. */
int model_validate(const struct model *model, struct diag *diag);
/* The same without dangling references, which say nothing when a file could not be read. */
int model_validate_incomplete(const struct model *model, struct diag *diag);
