/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * offline.h - policy files to ask, without a daemon: its compiler and evaluator.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "rulesd/diag.h"
#include "rulesd/image.h"
#include "rulesd/model.h"
#include "rulesd/numbers.h"

struct offline;

/* Reads and validates the policy. 0 and *offline (the caller's), or -errno and every error in diag.
 */
int offline_open(const GPtrArray *paths, struct offline **offline, struct diag *diag);
/* The same for a model that is there already, which it takes. */
struct offline *offline_of_model(struct model *model);
void offline_close(struct offline **offline);

/*
 * request and *trace are those of POST /v1/trace. The interface need not have a device: what it
 * would be filtered by is the question. host (NULL: whichever the interface belongs to) refuses the
 * interfaces of other hosts. 0 and *trace (the caller's), or -errno and why in diag: -ENOENT when
 * the policy has no such interface.
 */
int offline_trace(struct offline *offline, const char *host, const json_t *request, json_t **trace,
		  struct diag *diag);

/* What one interface is filtered by; borrowed until the next question. */
struct offline_compiled {
	const struct model *model;
	const struct image *image;
	const struct numbers *numbers;
	const struct model_interface *iface;
};

/* 0, or -errno and why in diag: -ENOENT when the policy has no such interface. */
int offline_compile(struct offline *offline, const char *interface,
		    struct offline_compiled *compiled, struct diag *diag);
