/* SPDX-License-Identifier: GPL-2.0-or-later */
/* help.c - sgctl help. See help.h. */
#include "ctl/help.h"

#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/lint_report.h"
#include "ctl/output.h"
#include "ctl/show.h"
#include "rulesd/cleanup.h"
#include "rulesd/nearest.h"

#define INDENT 24
#define WIDTH  80

static void print_options(const char *title, const struct option *options)
{
	printf("\n%s:\n", title);
	for (const struct option *o = options; o->name; o++) {
		g_autofree char *letter =
			o->letter ? g_strdup_printf("-%c, ", o->letter) : g_strdup("");
		g_autofree char *left = g_strdup_printf(
			"%s--%s%s%s%s", letter, o->name, o->argument ? " " : "",
			o->argument ? o->argument : "", o->flags & OPTION_LIST ? "..." : "");

		printf("  %-*s%s%s%s\n", INDENT - 2, left, strlen(left) < INDENT - 2 ? "" : "  ",
		       o->help, o->flags & OPTION_REQUIRED ? " (required)" : "");
	}
}

void help_print_overview(void)
{
	printf("usage: sgctl [OPTION...] COMMAND [ARGUMENT...]\n\n"
	       "Security groups for the taps of virtual machines: asks and instructs rulesd.\n\n"
	       "Commands:\n");
	for (const struct command *c = commands; c->name; c++)
		if (c->summary)
			printf("  %-12s%s\n", c->name, c->summary);
	print_options("Options, before or after the command", global_options);
	printf("\nExit status: 0 done, 1 failed, 2 wrong usage.\n"
	       "sgctl help COMMAND tells more; so does sgctl(1).\n");
}

static void print_columns(const struct column *columns)
{
	int at = printf("  %-*s-o", INDENT - 2, "");

	for (const struct column *c = columns; c->title; c++) {
		if (at + 1 + (int)strlen(c->title) + 1 > WIDTH)
			at = printf("\n  %-*s", INDENT, "") - 1;
		at += printf(" %s%s", c->title, c[1].title ? "," : "");
	}
	putchar('\n');
}

static void print_subjects(void)
{
	printf("\nSubjects:\n");
	for (const struct subject *s = show_subjects; s->name; s++) {
		printf("  %-*s%s\n", INDENT - 2, s->name, s->summary);
		if (!s->columns)
			continue;
		print_columns(s->columns);
	}
}

void help_print_command(const struct command *command)
{
	printf("usage: sgctl %s\n", command->usage);
	if (command->summary)
		printf("\n%c%s.\n", g_ascii_toupper(*command->summary), command->summary + 1);
	if (command->help)
		printf("\n%s\n", command->help);
	if (command->run == command_show)
		print_subjects();
	if (command->options)
		print_options("Options", command->options);
	print_options("Global options", global_options);
	if (command->run == command_lint)
		lint_print_checks();
}

enum exit_status command_help(const struct args *args)
{
	const char *name = args_operand(args, 0);
	const struct command *command = name ? command_find(name) : NULL;
	struct nearest nearest;

	if (!name) {
		help_print_overview();
		return EXIT_DONE;
	}
	if (command) {
		help_print_command(command);
		return EXIT_DONE;
	}
	nearest = nearest_new(name);
	for (const struct command *c = commands; c->name; c++)
		nearest_offer(&nearest, c->name);
	if (nearest.best)
		return output_usage_error(NULL, "unknown command %s; did you mean %s?", name,
					  nearest.best);
	return output_usage_error(NULL, "unknown command %s", name);
}
