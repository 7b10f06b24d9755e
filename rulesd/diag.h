/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diag.h - a list of findings about input: every error of every file, each with its place and its
 * fix.
 *
 * Modules that read input append to a struct diag and go on; only main, the API and commands print.
 * One failure, one entry. A list holds at most DIAG_MAX entries; one more says how many were left
 * out.
 *
 * Codes, which programs may rely on:
 *   reading    io permissions file-type too-large
 *   JSON       syntax duplicate-key
 *   fields     unknown-field type range missing empty conflict version
 *   values     id reserved protocol ports icmp address host-bits peer device host mac hook
 *   the whole  duplicate-id duplicate duplicate-address duplicate-device unknown-service
 *              unknown-group unknown-prefix-list unknown-network network-peer external-group limit
 *   patches    not-empty not-found
 *   the list   left-out
 * Others (compile.c, the API) have their own, documented there.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define DIAG_MAX 1000

/* A place in a text. line and column count from 1, columns in bytes; 0 when unknown. */
struct place {
	const char
		*file; /* interned (g_intern_string); "-" for standard input, NULL when unknown */
	unsigned int line;
	unsigned int column;
};

struct diag_entry {
	const char *code; /* static, machine-readable: "syntax", "unknown-field", "duplicate-key",
			     "type", "range", ... */
	struct place place;
	char *pointer; /* RFC 6901, "" is the whole document; NULL when no document is meant */
	char *message; /* what is wrong: names the object and the bad token */
	char *fix;     /* what would be right, or NULL */
};

struct diag {
	GPtrArray *entries; /* of struct diag_entry, owned */
	unsigned int left_out;
	size_t compared; /* names, to suggest one: diag_may_suggest */
};

struct diag *diag_new(void);
void diag_free(struct diag **diag);

/* message and fix are formatted by the caller and copied; fix and pointer may be NULL. */
void diag_add(struct diag *diag, const char *code, struct place place, const char *pointer,
	      const char *fix, const char *message_format, ...) G_GNUC_PRINTF(6, 7);
bool diag_any(const struct diag *diag);
/* True when the list takes no more: what is added is only counted, so its place need not be found.
 */
bool diag_full(const struct diag *diag);
/* Whether that many names may be compared with one that is unknown, to suggest the nearest: false
 * when nobody would see it, or when so many have been that it would take long. */
bool diag_may_suggest(struct diag *diag, size_t names);
/* text in double quotes, shortened when long, for a message; the caller frees it. */
char *diag_quote(const char *text);

/* "FILE:LINE:COLUMN: /json/pointer: what is wrong; what would be right", a line an entry; absent
 * parts are left out. */
void diag_print(const struct diag *diag, FILE *out);
/* The array of INTERFACES.md: [{"code","file","line","column","pointer","message","fix"}]; unknown
 * ones are null. */
json_t *diag_to_json(const struct diag *diag);
/* The other way round, for sgctl, which prints what the daemon answered. 0 or -EINVAL. */
int diag_from_json(struct diag *diag, const json_t *errors);
