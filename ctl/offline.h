/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * offline.h - policy files to ask, without a daemon: its compiler and evaluator.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "rulesd/diag.h"

struct offline;

/* Reads and validates the policy. 0 and *offline (the caller's), or -errno and every error in diag.
 */
int offline_open(const GPtrArray *paths, struct offline **offline, struct diag *diag);
void offline_close(struct offline **offline);

/*
 * request and *trace are those of POST /v1/trace. The interface need not have a device: what it
 * would be filtered by is the question. host (NULL: whichever the interface belongs to) refuses the
 * interfaces of other hosts. 0 and *trace (the caller's), or -errno and why in diag: -ENOENT when
 * the policy has no such interface.
 */
int offline_trace(struct offline *offline, const char *host, const json_t *request, json_t **trace,
		  struct diag *diag);
