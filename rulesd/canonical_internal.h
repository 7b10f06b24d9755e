/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * canonical_internal.h - what canonical.c (documents, sections) and canonical_object.c share.
 */
#pragma once

#include <glib.h>

#include "rulesd/json_doc.h"
#include "rulesd/json_write.h"
#include "rulesd/model.h"

struct canonical_source {
	struct jdoc *doc;
	char *network;
};

/* An object of a section as a patch leaves it. */
struct canonical_patched {
	const struct canonical_source *source;
	uint32_t node; /* null when it is gone */
};

struct canonical {
	struct json_writer writer;
	GChecksum *digest;	  /* takes the text as it grows, when nobody wants it; or NULL */
	const GPtrArray *sources; /* of struct canonical_source */
	GHashTable *patched;	  /* canonical_key() -> struct canonical_patched: the last word */
	struct diag *diag;	  /* stays empty: the sources are valid */
};

typedef void canonical_object_writer(struct canonical *canonical,
				     const struct canonical_source *source, uint32_t node);
canonical_object_writer canonical_write_network;
canonical_object_writer canonical_write_service;
canonical_object_writer canonical_write_prefix_list;
canonical_object_writer canonical_write_group;
canonical_object_writer canonical_write_interface;
