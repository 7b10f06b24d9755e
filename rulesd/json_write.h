/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_write.h - JSON as people like to read it in a policy: two spaces an indent, short lists on
 * one line.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "rulesd/json_doc.h"

struct json_writer {
	GString *out;
	unsigned int depth;
	bool first; /* nothing stands yet in the innermost container */
};

/* What stands in a container: open, then items, each with its key in objects, then close. */
void json_open(struct json_writer *writer, char bracket);
void json_close(struct json_writer *writer, char bracket);
void json_item(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key); /* json_item is part of it */

/* Values. */
void json_write_string(struct json_writer *writer, const char *text);
/* Takes the JSON texts of scalars: one line when they fit. */
void json_write_scalars(struct json_writer *writer, const GPtrArray *texts);
/* As it is, members sorted by key; numbers keep their spelling. */
void json_write_node(struct json_writer *writer, const struct jdoc *doc, uint32_t node);
/* The members whose key passes (NULL: all), sorted by key, into an object that is open. */
void json_write_members(struct json_writer *writer, const struct jdoc *doc, uint32_t node,
			bool (*passes)(const char *key));
/* JSON text of a string; the caller frees it. */
char *json_quote(const char *text);
