/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.h - run a program to its end and keep what it said.
 */
#pragma once

#include <glib.h>

struct command {
	int status; /* exit status, or 128 + the signal that ended it */
	char *out;
	char *err;
};

/* Runs argv (NULL-terminated, found through PATH) in the namespaces of the caller. */
struct command command_run(const char *const *argv);
/* The same from words; fails the test when the exit status is not 0, showing the error output. */
void command_check(const char *first, ...) G_GNUC_NULL_TERMINATED;
void command_free(struct command *command);
#define AUTO_COMMAND __attribute__((cleanup(command_free)))
