/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * held_policy.h - the policy that the daemon holds, as a model: for commands that answer from files
 * or from the daemon alike.
 */
#pragma once

#include <glib.h>

#include "rulesd/diag.h"
#include "rulesd/model.h"

struct args;

/* The texts of the policy. 0 and *sources (of struct load_source, the caller's), or -errno and why
 * in diag. */
int held_policy_sources(const struct args *args, GPtrArray **sources, struct diag *diag);
/* Appends the interfaces that were attached by hand, as texts of policies. 0, or -errno and why. */
int held_policy_add_attached(const struct args *args, GPtrArray *sources, struct diag *diag);
/* With the interfaces that were attached by hand. 0 and *model (the caller's), or -errno and why.
 */
int held_policy_load(const struct args *args, struct model **model, struct diag *diag);
