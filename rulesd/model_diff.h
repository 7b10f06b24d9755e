/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_diff.h - what makes one model of another.
 */
#pragma once

#include "rulesd/model_edit.h"

/*
 * The objects that differ, in meaning or in texts; what is the same keeps its object and its place
 * in old. *new is taken and NULL afterwards: what differs moves into the edit, the rest is freed.
 * Both must be valid. Never NULL; an edit without changes when they say the same.
 */
struct model_edit *model_diff(const struct model *old, struct model **new);
