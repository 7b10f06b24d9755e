/* SPDX-License-Identifier: GPL-2.0-or-later */
/* completion.c - sgctl completion bash: a script made from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/output.h"
#include "ctl/show.h"

static void print_names(const struct option *options)
{
	for (const struct option *o = options; o && o->name; o++)
		printf(" --%s", o->name);
}

/* The words that may follow a command that are neither options nor files. */
static void print_operands(const struct command *command)
{
	if (command->run == command_show)
		for (const struct subject *s = show_subjects; s->name; s++)
			printf(" %s", s->name);
	else if (command->run == command_flush)
		printf(" flows");
	else if (command->run == command_completion)
		printf(" bash");
	else if (command->run == command_help)
		for (const struct command *c = commands; c->name; c++)
			printf("%s%s", c->summary ? " " : "", c->summary ? c->name : "");
}

enum exit_status command_completion(const struct args *args)
{
	if (strcmp(args_operand(args, 0), "bash") != 0)
		return output_usage_error(args, "completion knows bash, not \"%s\"",
					  args_operand(args, 0));
	printf("_sgctl()\n{\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} command= words= i\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n"
	       "\t\t--socket) ((i++)) ;;\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) command=${COMP_WORDS[i]}; break ;;\n"
	       "\t\tesac\n"
	       "\tdone\n"
	       "\tcase $command in\n"
	       "\t'') words='");
	for (const struct command *c = commands; c->name; c++)
		if (c->summary)
			printf("%s ", c->name);
	printf("' ;;\n");
	for (const struct command *c = commands; c->name; c++) {
		if (!c->summary)
			continue;
		printf("\t%s) words='", c->name);
		print_operands(c);
		print_names(c->options);
		printf("' ;;\n");
	}
	printf("\tesac\n"
	       "\tCOMPREPLY=($(compgen -W \"$words");
	print_names(global_options);
	printf("\" -- \"$word\"))\n"
	       "}\n"
	       "complete -o default -F _sgctl sgctl\n");
	return EXIT_DONE;
}
