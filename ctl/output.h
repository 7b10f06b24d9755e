/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * output.h - what reaches the user: one JSON document or text on standard output, errors on
 * standard error.
 *
 * Strings of policies and of the daemon are escaped here: a description cannot drive the terminal.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "ctl/command.h"
#include "rulesd/diag.h"

struct args;

/* A copy in which control and invisible formatting characters and what is not UTF-8 are \uXXXX or
 * \xXX. */
char *output_escape(const char *text);

/* Standard output is a terminal and NO_COLOR (https://no-color.org) does not forbid. */
bool output_colors(void);
/* Columns of the terminal on standard output; 0 when it is none: nothing is cut or wrapped. */
unsigned int output_width(void);
unsigned int output_width_of(int fd); /* the same of another descriptor */

/* The document and a newline; on a terminal in ASCII, because JSON itself lets C1 controls through.
 */
void output_json(const json_t *document);
/* printf whose text is escaped, but for its line ends. */
void output_text(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* "sgctl: TEXT" and "Try 'sgctl help COMMAND'."; returns EXIT_USAGE. */
enum exit_status output_usage_error(const struct args *args, const char *format, ...)
	G_GNUC_PRINTF(2, 3);
/* Prints every entry; with --json also {"errors":[...]} on standard output. Returns EXIT_FAILED. */
enum exit_status output_failure(const struct args *args, const struct diag *diag);
/* The same for one failure that has no place. */
enum exit_status output_failure_text(const struct args *args, const char *code, const char *format,
				     ...) G_GNUC_PRINTF(3, 4);
/* The entries alone, on standard error. */
void output_diag(const struct diag *diag);
void output_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* At the end: EXIT_FAILED when standard output could not be written (a full disk), else status. */
enum exit_status output_finish(enum exit_status status);
