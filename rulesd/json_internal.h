/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_internal.h - what json_scan.c makes and json_doc.c reads.
 */
#pragma once

#include <glib.h>

#include "rulesd/json_doc.h"

/* Nodes stand in the order of the text, parents before children. Offsets are bytes of the text. */
struct jdoc_node {
	uint32_t offset; /* of the value */
	uint32_t end;	 /* first byte behind it */
	uint32_t key;	 /* of the key's opening quote; 0 when the node is not a member */
	uint32_t parent;
	uint32_t next;	/* sibling, or 0 */
	uint8_t kind;	/* enum jdoc_kind */
	bool duplicate; /* a member whose key the object has already */
	uint16_t pad;
};
_Static_assert(sizeof(struct jdoc_node) == 24, "there are millions of nodes");

struct jdoc {
	const char *file; /* interned */
	const char *text;
	size_t length;
	GArray *nodes; /* of struct jdoc_node */
	GArray *lines; /* of uint32_t: offset of the first byte of each line */
	bool hides_objects;
};

static inline struct jdoc_node *jdoc_node(const struct jdoc *doc, uint32_t node)
{
	return &g_array_index(doc->nodes, struct jdoc_node, node);
}

struct place jdoc_place_at(const struct jdoc *doc, size_t offset);
/* The bytes between the quotes of the string that starts at offset. */
const char *jdoc_raw_string(const struct jdoc *doc, uint32_t offset, size_t *length);
char *jdoc_decode_string(const struct jdoc *doc, uint32_t offset);
/* Marks and reports the duplicate keys of every object. */
void jdoc_check_duplicates(struct jdoc *doc, struct diag *diag);
