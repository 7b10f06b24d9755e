/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - rulesd --check: what starting this rulesd would do with what another one left.
 */
#pragma once

#include "rulesd/options.h"

enum check_result {
	CHECK_SAME = 0,	   /* everything is taken as it is */
	CHECK_REFUSED = 1, /* it would not start; what is pinned goes on filtering */
	CHECK_CHANGES = 3, /* something would be replaced or migrated; nothing is lost by that */
};

/* Says it on standard output, a line a thing. Changes nothing, and may be asked while one runs. */
enum check_result check_start(const struct options *options);
