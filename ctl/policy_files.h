/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_files.h - policies from files, for the commands that need no daemon.
 */
#pragma once

#include <glib.h>

#include "rulesd/diag.h"
#include "rulesd/model.h"

/* paths: of char *. 0 and *sources (of struct load_source, the caller's), or -errno and why in
 * diag. */
int policy_files_read(const GPtrArray *paths, GPtrArray **sources, struct diag *diag);
/* Reads and validates. 0 and *model (the caller's), or -errno and every error in diag. */
int policy_files_load(const GPtrArray *paths, struct model **model, struct diag *diag);
