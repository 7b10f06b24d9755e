/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate.h - what only the whole model can tell: references, uniqueness, limits.
 */
#pragma once

#include "rulesd/diag.h"
#include "rulesd/model_edit.h"

/* Appends every error to diag. 0 when there was none, -EINVAL otherwise. */
int model_validate(const struct model *model, struct diag *diag);
/* The same without dangling references, which say nothing when a file could not be read. */
int model_validate_incomplete(const struct model *model, struct diag *diag);

/*
 * Whether the model, which was valid before the edit was applied to it, still is: looks at what the
 * edit changes, and at rules and lists of groups when something goes that they may refer to. On an
 * error it says what model_validate says, where an object of the edit is to blame rather than
 * another one that wants the same. 0 or -EINVAL.
 */
int model_validate_edit(const struct model *model, const struct model_edit *edit,
			struct diag *diag);
