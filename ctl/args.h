/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * args.h - the command line read against the table of commands: options before or after the
 * command.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct command;

struct args {
	const struct command *command; /* NULL: none was named */
	GPtrArray *operands; /* of char *: the words after the command that are not options */
	GHashTable *values;  /* option name -> GPtrArray of char *; a flag has an empty one */
};

/*
 * "--name VALUE", "--name=VALUE", "-o VALUE", "-oVALUE"; "--" ends options, "-" is an operand.
 * A word right after the value of a list option belongs to that list once the command has the
 * operands it needs: "trace --policy a.json b.json", "attach tap0 --address 10.0.0.5 fd00::5". The
 * last of a repeated option that is no list holds. 0, or -EINVAL and *error, one line that the
 * caller frees; *args is made in both cases, so that the caller knows which command was meant. The
 * caller frees it.
 */
int args_parse(int count, char *const *words, struct args **args, char **error);
void args_free(struct args **args);

bool args_flag(const struct args *args, const char *option);
const char *args_value(const struct args *args, const char *option);	 /* NULL when not given */
const GPtrArray *args_list(const struct args *args, const char *option); /* NULL when not given */
const char *args_operand(const struct args *args, unsigned int index);	 /* NULL when not given */
