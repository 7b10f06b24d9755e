/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * totals.h - what is true of the whole: counted for the status and for the metrics.
 */
#pragma once

#include <stdint.h>

#include "rulesd/engine.h"

struct totals {
	uint64_t interfaces; /* of the policy and attached by hand */
	uint64_t groups;     /* written ones: an implied sg-default does not count */
	uint64_t members;    /* distinct (network, address) */
	uint64_t flows;	     /* confirmed ones in the table */
	uint64_t reserved_flows;
	struct engine_counts states;
};

struct totals totals_of(const struct engine *engine);
/* Those of the policy alone: interfaces, groups, members. */
struct totals totals_of_model(const struct model *model);
