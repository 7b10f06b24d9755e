/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_report.h - what an import could not carry over as it was, each with its place.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "ctl/import_node.h"

/* Findings that are listed; more are counted. */
#define IMPORT_MAX_FINDINGS 10000

/* What became of it here. */
enum import_effect {
	IMPORT_SAME,	 /* written in another way, means the same */
	IMPORT_ASSUMED,	 /* the source leaves it open; read so */
	IMPORT_NARROWER, /* the policy allows less than the source */
	IMPORT_WIDER,	 /* the policy allows more than the source */
	IMPORT_LEFT_OUT, /* not in the policy */
};

struct import_report {
	json_t *findings; /* [{"effect","code","object","message","file","pointer"}] */
	unsigned int left_out;
};

struct import_report *import_report_new(void);
void import_report_free(struct import_report **report);

/*
 * code is for programs, static: "external-group", "host-bits", ... (schemas/sgctl.schema.json lists
 * them). object is what it is about ("sg-1", "sg-1/ingress"), NULL when it is none. node (may be
 * NULL) is where.
 */
void import_report_add(struct import_report *report, enum import_effect effect, const char *code,
		       const char *object, const struct import_node *node, const char *format, ...)
	G_GNUC_PRINTF(6, 7);
/* The same for a place that was kept as text: file and pointer (both may be NULL). */
void import_report_add_at(struct import_report *report, enum import_effect effect, const char *code,
			  const char *object, const char *file, const char *pointer,
			  const char *format, ...) G_GNUC_PRINTF(7, 8);
unsigned int import_report_count(const struct import_report *report);
