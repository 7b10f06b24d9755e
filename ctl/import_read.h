/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_read.h - files of other systems to the policy that they are here. Pure but for reading.
 */
#pragma once

#include <glib.h>

#include "ctl/import_policy.h"
#include "rulesd/load.h"

/* "aws", "terraform" or "neutron"; NULL ends. */
extern const char *const import_formats[];

/*
 * Sources are struct load_source. 0 and *import (the caller's), settled, with its report; -EINVAL
 * with entries in diag. apart: VPCs become networks of their own.
 */
int import_sources(const char *format, const GPtrArray *sources,
		   const struct import_options *options, bool apart, struct import **import,
		   struct diag *diag);

/* A JSON text; NULL with an entry in diag. The caller's. */
json_t *import_parse(const struct load_source *source, struct diag *diag);

/*
 * Documents as sources of the policy, canonical and checked: what load_policy takes. Its own
 * limits (rules a group, entries a list) may refuse: NULL with entries in diag. Of struct
 * load_source, named by network; the caller's.
 */
GPtrArray *import_policy_sources(const struct import *import, bool apart, struct diag *diag);
