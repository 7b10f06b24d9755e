/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h - taps that pass nothing until they are filtered (rulesd --guard): an nftables table that
 * drops every frame of a device whose name matches and whose device group is not ours.
 *
 * This keeps the table as it shall be. That a device gets the group when its programs are in place,
 * and loses it before they go, is engine_guard.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rulesd/options.h"

struct guard;

struct guard_status {
	bool in_place;
	const char *error;	 /* why it is not, or NULL; borrowed */
	bool owned;		 /* nobody else can change it while rulesd runs */
	uint64_t repairs;	 /* since rulesd started */
	uint64_t packets, bytes; /* that it dropped, since the table was written */
};

/*
 * "tap*" or a whole name. 0, or -EINVAL and *error, one sentence (the caller frees it): also for
 * one that matches lo, without which a host does not work.
 */
int guard_check_pattern(const char *pattern, char **error);
/* Whether the kernel would take it for that device. */
bool guard_pattern_matches(const char *pattern, const char *device);

/*
 * Finds out what is there; nothing is written yet. Without --guard in options: removes a table that
 * an earlier start has left, and *guard becomes NULL. 0, or -errno and *error.
 */
int guard_open(const struct options *options, struct guard **guard, char **error);
/*
 * Writes the table if it is not as it shall be, and watches it from then on, in the default
 * GMainContext: whatever somebody changes is put back. Before it devices that are filtered must
 * have the group. Again it does nothing.
 */
int guard_enforce(struct guard *guard, char **error);
/* The table stays. */
void guard_close(struct guard **guard);
/* Removes the table of the instance; *group: the one that it let pass, 0 when there was no table.
 * 0, or -errno and *error. */
int guard_flush(const struct options *options, uint32_t *group, char **error);

bool guard_matches(const struct guard *guard, const char *device);
uint32_t guard_group(const struct guard *guard);
const char *guard_table_name(const struct guard *guard);
struct guard_status guard_status(const struct guard *guard);
