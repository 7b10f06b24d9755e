/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_doc.h - a strict JSON text (RFC 8259) as a tree that knows the place of every key and value.
 *
 * jansson, which writes all our JSON and reads what programs say to each other, keeps no positions
 * and stops at the first duplicate key; policy files are written by people, who need both. A node
 * is 24 bytes and refers to the text, and objects of sections are one node each until somebody
 * looks into them, so that a million interfaces cost a fraction of a jansson tree. The unit tests
 * compare what is accepted with jansson byte for byte.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rulesd/diag.h"

#define JDOC_MAX_DEPTH 32u
#define JDOC_MAX_BYTES (256u * 1024 * 1024)
/* As they are written, in bytes. Longer ones have no meaning in a policy, and much cost. */
#define JDOC_MAX_STRING (1u << 20)
#define JDOC_MAX_KEY	1024u
#define JDOC_MAX_NUMBER 1024u

enum jdoc_kind {
	JDOC_NULL,
	JDOC_BOOLEAN,
	JDOC_INTEGER, /* fits int64_t */
	JDOC_REAL,    /* written with a fraction or an exponent */
	JDOC_STRING,
	JDOC_ARRAY,
	JDOC_OBJECT,
};

struct jdoc;

/*
 * Nodes are numbers. 0 is the root; as a child or sibling, 0 says that there is none. What stands
 * two levels below the root (an object of a section) keeps its number; what stands deeper keeps it
 * until a function is asked about the children of another one of those.
 */
#define JDOC_ROOT 0u

/*
 * The text is borrowed and must outlive the document. NULL when it is not JSON, with an entry in
 * diag. Duplicate keys are entries too, but the document is returned: the first of them counts.
 */
struct jdoc *jdoc_parse(const char *file, const char *text, size_t length, struct diag *diag);
void jdoc_free(struct jdoc **doc);
/* The same document for another thread, which looks into other objects at the same time; freed
 * before it. What was found to be wrong with it is known to both. */
struct jdoc *jdoc_view(const struct jdoc *doc);

/* True when a duplicate key hides a section of the document or an object of a section. */
bool jdoc_hides_objects(const struct jdoc *doc);

enum jdoc_kind jdoc_kind(const struct jdoc *doc, uint32_t node);
const char *jdoc_kind_name(const struct jdoc *doc, uint32_t node); /* "a string", "an object" */
uint32_t jdoc_first(const struct jdoc *doc, uint32_t node);	   /* first child, in file order */
uint32_t jdoc_next(const struct jdoc *doc, uint32_t node);	   /* next sibling */
uint32_t jdoc_count(const struct jdoc *doc, uint32_t node);	   /* children */
/* The member of an object, or 0. */
uint32_t jdoc_member(const struct jdoc *doc, uint32_t node, const char *key);

/* Keys that every object of ours may have and that mean nothing: "$schema" and "x-…". */
bool json_is_annotation(const char *key);

/* Decoded; the caller frees them. The node must be a string, or a member. */
char *jdoc_string(const struct jdoc *doc, uint32_t node);
char *jdoc_key(const struct jdoc *doc, uint32_t node);
/* The same for a short while: in the struct when it is short enough. */
struct jdoc_text {
	char *large; /* or NULL */
	char small[104];
};
const char *jdoc_read_string(const struct jdoc *doc, uint32_t node, struct jdoc_text *text);
const char *jdoc_read_key(const struct jdoc *doc, uint32_t node, struct jdoc_text *text);
void jdoc_text_clear(struct jdoc_text *text);
/* As it is written between its quotes; not NUL-terminated. NULL when it has escapes. */
const char *jdoc_plain_key(const struct jdoc *doc, uint32_t node, size_t *length);
bool jdoc_key_is(const struct jdoc *doc, uint32_t node, const char *key);
bool jdoc_boolean(const struct jdoc *doc, uint32_t node);
int64_t jdoc_integer(const struct jdoc *doc, uint32_t node);
/* The text of a value as it was written; not NUL-terminated. */
const char *jdoc_text(const struct jdoc *doc, uint32_t node, size_t *length);

const char *jdoc_file(const struct jdoc *doc);
struct place jdoc_place(const struct jdoc *doc, uint32_t node); /* of the value */
struct place jdoc_key_place(const struct jdoc *doc,
			    uint32_t node);		   /* of its key; values: the value */
char *jdoc_pointer(const struct jdoc *doc, uint32_t node); /* RFC 6901; the caller frees it */
/*
 * The value that pointer names, starting from the object whose key or value stands at place (as
 * jdoc_place and jdoc_key_place gave it), because a walk from the root is long in a large document.
 * 0 when there is none. Without a pointer: the node at place.
 */
uint32_t jdoc_find(const struct jdoc *doc, struct place place, const char *pointer);
