/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_node.h - a value of somebody else's JSON that knows the way to it, for reports.
 *
 * jansson keeps no places, so a node keeps its parent: nodes live on the stack of those who walk
 * down, and a child must not outlive its parent.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* No document that an importer knows is deeper; deeper ones are refused while they are walked. */
#define IMPORT_MAX_DEPTH 64u

struct import_node {
	const json_t *value; /* NULL: missing, or null */
	const struct import_node *parent;
	const char *key; /* in the parent; NULL: an element, or the root */
	size_t index;
	const char *file; /* of the root; interned */
	unsigned int depth;
};

struct import_node import_root(const char *file, const json_t *value);
/*
 * The member of an object; without a value when there is none. The first letter's case does not
 * matter: AWS Config and Java spell "groupId" what the CLI spells "GroupId".
 */
struct import_node import_get(const struct import_node *node, const char *key);
/* An element of an array. */
struct import_node import_at(const struct import_node *node, size_t index);
/* Another JSON text that stands inside this string. */
struct import_node import_inside(const struct import_node *node, const json_t *value);
/* Elements, 0 when it is no array. */
size_t import_length(const struct import_node *node);

/* NULL when the member is no string, or empty. Borrowed. */
const char *import_string(const struct import_node *node, const char *key);
/* The string itself. */
const char *import_text(const struct import_node *node);
bool import_true(const struct import_node *node, const char *key);
bool import_false(const struct import_node *node, const char *key);
bool import_has(const struct import_node *node, const char *key); /* present, even as null */
/* null, "", [] and {} say nothing. */
bool import_says_nothing(const json_t *value);
/* An integer, or a decimal number in a string, as some APIs take them. */
bool import_integer(const struct import_node *node, json_int_t *number);
/* Whether two keys are one but for the case of the first letter. */
bool import_same_key(const char *a, const char *b);

/* RFC 6901; the caller frees it. */
char *import_pointer(const struct import_node *node);
/* A scalar as it stands there, anything else by its kind, short; the caller frees it. */
char *import_shown(const struct import_node *node);
