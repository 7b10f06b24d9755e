/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.h - the table of commands: dispatch, help, suggestions, completion and the manual's test
 * all read it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct args;

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,  /* also: a finding, a wrong expectation */
	EXIT_USAGE = 2,	  /* nothing was tried */
	EXIT_CHANGES = 3, /* plan only */
};

enum option_flags {
	OPTION_REQUIRED = 1u << 0,
	OPTION_LIST =
		1u << 1, /* repeatable, comma-separated, and more words may follow the first */
};

/* A name means the same everywhere: it takes an argument in every command or in none. */
struct option {
	const char *name;     /* without the dashes; NULL ends a list */
	const char *argument; /* what help calls it, "allow|deny" where it is one of a few words;
				 NULL: a flag */
	const char *help;
	unsigned int flags; /* enum option_flags */
	char letter;	    /* short form, or 0 */
};

struct command {
	const char *name; /* NULL ends the table */
	enum exit_status (*run)(const struct args *args);
	const char *usage;   /* after "sgctl "; a first operand in lower case is what it must be */
	const char *summary; /* one line, no full stop; NULL: left out of the overview */
	const char *help;    /* paragraphs, or NULL */
	const struct option *options;
	unsigned int operands_min;
	unsigned int operands_max; /* OPERANDS_ANY: no limit */
};
#define OPERANDS_ANY (~0u)

extern const struct command commands[];
extern const struct option global_options[];

const struct command *command_find(const char *name); /* NULL when there is none */
/* Of the command (may be NULL) or global; NULL when there is none. */
const struct option *option_find(const struct command *command, const char *name);
/* Of any command: a name has one arity, so that words before the command can be read. */
const struct option *option_find_anywhere(const char *name);
const struct option *option_find_letter_anywhere(char letter);

/* One file each. */
enum exit_status command_apply(const struct args *args);
enum exit_status command_patch(const struct args *args);
enum exit_status command_attach(const struct args *args);
enum exit_status command_completion(const struct args *args);
enum exit_status command_confirm(const struct args *args);
enum exit_status command_detach(const struct args *args);
enum exit_status command_flows(const struct args *args);
enum exit_status command_flush(const struct args *args);
enum exit_status command_events(const struct args *args);
enum exit_status command_export(const struct args *args);
enum exit_status command_fmt(const struct args *args);
enum exit_status command_graph(const struct args *args);
enum exit_status command_help(const struct args *args);
enum exit_status command_import(const struct args *args);
enum exit_status command_lint(const struct args *args);
enum exit_status command_plan(const struct args *args);
enum exit_status command_rollback(const struct args *args);
enum exit_status command_show(const struct args *args);
enum exit_status command_stats(const struct args *args);
enum exit_status command_test(const struct args *args);
enum exit_status command_top(const struct args *args);
enum exit_status command_trace(const struct args *args);
enum exit_status command_verify(const struct args *args);
enum exit_status command_validate(const struct args *args);
enum exit_status command_wait(const struct args *args);
