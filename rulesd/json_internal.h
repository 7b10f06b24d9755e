/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_internal.h - what json_scan.c makes, and json_fold.c, json_keys.c and json_doc.c read.
 *
 * Values at JDOC_FOLD_DEPTH (the objects of the sections of a policy) are folded: they are checked
 * when the text is parsed, but their children become nodes only while somebody looks at them, in an
 * array of their own and of one folded node at a time. So a million of them cost a node each, and
 * several threads can look at one document: each through a view, which borrows all but the children
 * of its open node.
 */
#pragma once

#include <glib.h>

#include "rulesd/json_doc.h"

#define JDOC_FOLD_DEPTH 2u
#define JDOC_NO_NODE	UINT32_MAX

/* Nodes stand in the order of the text, parents before children; those of the open folded node are
 * behind all others. Offsets are bytes of the text. */
struct jdoc_node {
	uint32_t offset; /* of the value */
	uint32_t end;	 /* first byte behind it */
	uint32_t key;	 /* of the key's opening quote; 0 when the node is not a member */
	uint32_t parent;
	uint32_t next;	/* sibling, or 0 */
	uint8_t kind;	/* enum jdoc_kind */
	bool duplicate; /* a member whose key the object has already */
	bool folded;
	bool repeats; /* folded: there are duplicate keys in it */
};
_Static_assert(sizeof(struct jdoc_node) == 24, "there are millions of nodes");

/* Lines are counted once a block of that many bytes; the rest is counted when a place is asked for.
 */
#define JDOC_BLOCK 512u
struct jdoc_block {
	uint32_t line;	/* lines that end before the block */
	uint32_t start; /* of the line that the block begins in */
};

struct jdoc {
	const char *file; /* interned */
	const char *text;
	size_t length;
	struct jdoc_node *nodes;
	struct jdoc_node *children; /* of the open node: those from unfolded on */
	uint32_t count;		    /* nodes, the children too */
	uint32_t allocated;	    /* nodes */
	uint32_t children_allocated;
	uint32_t
		unfolded; /* count without children of the open node; none are before it is known */
	uint32_t open;	  /* the folded node that is open, or 0 */
	struct jdoc_block *blocks;
	struct jdoc_place_cache {
		size_t offset, start;
		uint32_t line;
	} last; /* the place that was asked for last: the next one is often near behind it */
	bool hides_objects;
	bool is_view; /* nodes and blocks are another document's */
};

static inline struct jdoc_node *jdoc_node(const struct jdoc *doc, uint32_t node)
{
	return node < doc->unfolded ? &doc->nodes[node] : &doc->children[node - doc->unfolded];
}

struct place jdoc_place_at(const struct jdoc *doc, size_t offset);
/* Fills doc->blocks[first .. end - 1] as if the text began with the first of them; what the block
 * behind them would say is returned. */
struct jdoc_block jdoc_index_lines(struct jdoc *doc, size_t first, size_t end);
/* The same of the whole text; jdoc_shift_lines brings blocks that were counted by themselves in
 * line with what stands before them. */
void jdoc_shift_lines(struct jdoc *doc, size_t first, size_t end, struct jdoc_block before);
/* The offset of that line and column, or SIZE_MAX. */
size_t jdoc_offset_of(const struct jdoc *doc, struct place place);
/* The bytes between the quotes of the string that starts at offset. */
const char *jdoc_raw_string(const struct jdoc *doc, uint32_t offset, size_t *length);
char *jdoc_decode_string(const struct jdoc *doc, uint32_t offset);

/*
 * json_parts.c: members of sections that were scanned ahead, by several threads. A part begins at
 * the key of a member of some object at JDOC_FOLD_DEPTH, as far as one can guess from the middle of
 * a text, and is what scanning from there gives: whoever scans the document from its beginning and
 * comes to the same place in an object of that depth may take it, and then it was no guess.
 */
struct jdoc_part {
	size_t start, end;	 /* at a key; at a key or the closing bracket */
	struct jdoc_node *nodes; /* of the members, parent and next not yet known */
	uint32_t count;
};
struct jdoc_parts {
	struct jdoc_part *parts; /* by start */
	guint count;
	bool bad_bytes; /* json_scan.c is to say which */
};
/* Lines are indexed, bytes checked and sections scanned ahead. */
struct jdoc_parts jdoc_scan_ahead(struct jdoc *doc);
void jdoc_parts_clear(struct jdoc_parts *parts);
/* Scans members of an object of that depth into own, from a key at *at to the first key at stop or
 * behind it, or to the closing bracket; moves *at there. False when that is no JSON. */
bool jdoc_scan_members(struct jdoc *own, size_t *at, size_t stop);
/* Whether there is a byte that no JSON text holds anywhere; first and end are not inside of a
 * UTF-8 character. */
bool jdoc_has_bad_byte(const struct jdoc *doc, size_t first, size_t end);

/* Scans a folded node again, this time making nodes of its children. */
void jdoc_scan_children(struct jdoc *doc, uint32_t node);
/* Opens a folded node, which closes the one that was open. */
void jdoc_unfold(const struct jdoc *doc, uint32_t node);

/* Marks the duplicate keys of every object among the nodes from first on, and reports them unless
 * diag is NULL. */
void jdoc_check_duplicates(struct jdoc *doc, uint32_t first, struct diag *diag);
/* A key between its quotes, as it was written. */
struct jdoc_key {
	uint32_t offset; /* of the quote */
	uint32_t length;
};
/* Whether two of them are the same. */
bool jdoc_keys_repeat(const struct jdoc *doc, const struct jdoc_key *keys, guint count);
