/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * show.h - what sgctl show can show: a subject, where the API answers it, and its columns.
 */
#pragma once

#include "ctl/table.h"

struct subject {
	const char *name; /* NULL ends the list */
	const char *path; /* of the API */
	const struct column *columns;
	const char *summary;
};

extern const struct subject show_subjects[];
