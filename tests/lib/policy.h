/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.h - policies for tests: texts to sources, findings to text, golden files.
 */
#pragma once

#include <glib.h>

#include "rulesd/diag.h"
#include "rulesd/load.h"

/* Sources named a.json, b.json ... for each text until NULL. */
GPtrArray *policy_sources(const char *first, ...) G_GNUC_NULL_TERMINATED;
void policy_add_source(GPtrArray *sources, const char *name, const char *text, size_t length);
/* What the loader says about the texts, as diag_print writes it; "" when it accepts them. */
char *policy_errors(const GPtrArray *sources);
/* The model of one valid text; the test fails when it is invalid. */
struct model *policy_model(const char *text);
char *policy_diag_text(const struct diag *diag);
/* Sorted names in a folder that end with suffix. */
GPtrArray *policy_list(const char *folder, const char *suffix);
