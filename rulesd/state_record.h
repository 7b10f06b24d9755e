/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_record.h - a record of a journal as JSON whose long texts stay where they are.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stddef.h>

/* A string as it is written, between its quotation marks. */
struct state_text {
	const char *escaped;
	size_t length;
};

/*
 * The record of a patch, with each long string as an integer instead: its index in texts (of struct
 * state_text, into text), which may be NULL. A record of something else has all its strings. NULL:
 * it is no JSON. The caller frees it.
 */
json_t *state_record_json(const char *text, size_t length, GArray *texts);

/* What the string says, with a NUL behind it; NULL when it has what rulesd seldom writes: then
 * somebody else has to read the record. The caller frees it. */
char *state_text_decode(const struct state_text *text, size_t *length);
