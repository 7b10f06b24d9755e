/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_offline.h - traces of policy files: the daemon's compiler and evaluator, without a daemon.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "rulesd/diag.h"

/*
 * request and *trace are those of POST /v1/trace. The interface need not have a device: what it
 * would be filtered by is the question. host (NULL: whichever the interface belongs to) refuses the
 * interfaces of other hosts. 0 and *trace (the caller's), or -errno and why in diag: -ENOENT when
 * the policy has no such interface.
 */
int trace_offline(const GPtrArray *paths, const char *host, const json_t *request, json_t **trace,
		  struct diag *diag);
