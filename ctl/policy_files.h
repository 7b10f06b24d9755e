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
/* The same of other documents in JSON, which are smaller: tests, exports of other systems. */
#define JSON_FILE_BYTES	 (64u << 20)
#define JSON_FILES_BYTES (256u << 20) /* together */
#define JSON_UTF16_BYTES (16u << 20)  /* of one in UTF-16, where that is taken */
int json_files_read(const GPtrArray *paths, bool utf16, GPtrArray **sources, struct diag *diag);
/* Reads and validates. 0 and *model (the caller's), or -errno and every error in diag. */
int policy_files_load(const GPtrArray *paths, struct model **model, struct diag *diag);
