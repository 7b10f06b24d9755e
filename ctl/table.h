/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h - lists for people: columns over an array of JSON objects, printed with libsmartcols.
 *
 * Every listing is an array that the API answers and a static list of columns; --json prints the
 * array itself.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum column_flags {
	COLUMN_RIGHT = 1u << 0, /* numbers */
	COLUMN_LIST = 1u << 1, /* items joined by ", ", or words: may continue on the next line of a
				  narrow terminal */
	COLUMN_EXTRA = 1u << 2, /* only when -o asks for it */
	COLUMN_AUTO = 1u << 3,	/* only when a row says something there: not "-", not "default" */
	COLUMN_RULE = 1u << 4,	/* "GROUP/RULE": may continue after the slash */
};

struct column {
	const char *title; /* upper case; what -o takes, in either case. NULL ends a list */
	const char *key;   /* member of the row */
	/* The text of a cell, which the caller frees; NULL stands for table_cell(). */
	char *(*cell)(const json_t *row, const json_t *value);
	unsigned int flags;
};

/*
 * Prints rows with the columns that are chosen ("ID,STATE"; "+MAC" adds to the usual ones; NULL:
 * the usual ones). The width of the terminal is respected; elsewhere nothing is cut or wrapped. 0,
 * or -EINVAL and *error, which names the unknown column and those that there are.
 */
int table_print(const struct column *columns, const json_t *rows, const char *chosen, char **error);
/* The usual columns on another stream: standard error, for what accompanies a document. */
void table_print_to(FILE *out, const struct column *columns, const json_t *rows);
/* Checks chosen alone, before anything is asked of the daemon. */
int table_check(const struct column *columns, const char *chosen, char **error);

/* A value as it is: null "-", true "yes", arrays joined by ", ". The caller frees. */
char *table_cell(const json_t *row, const json_t *value);
char *table_cell_bytes(const json_t *row, const json_t *value);
char *table_cell_age(const json_t *row, const json_t *value);
/* "in" and "out", seen from the VM. */
char *table_cell_direction(const json_t *row, const json_t *value);
