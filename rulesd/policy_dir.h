/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_dir.h - the policy directory: read at start, when it changes, and on SIGHUP.
 *
 * A directory with mistakes changes nothing: the policy that held goes on holding, the mistakes go
 * to the log and to policy_error in the status.
 */
#pragma once

#include "rulesd/engine.h"

struct policy_dir;

/* Reads it once and watches it from the default GMainContext. A directory that does not exist is
 * such a mistake, and is watched for. 0 or -errno and *error (no inotify). */
int policy_dir_open(struct engine *engine, const char *path, struct policy_dir **dir, char **error);
void policy_dir_close(struct policy_dir **dir);
/* Reads it now. */
void policy_dir_reload(struct policy_dir *dir);
