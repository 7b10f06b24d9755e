/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * completion.c - sgctl completion: scripts for shells. They know nothing themselves; they ask the
 * sgctl on the command line (complete.c).
 */
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/complete.h"
#include "ctl/output.h"

static const char bash[] =
	"_sgctl()\n{\n"
	"\tlocal line\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r line; do\n"
	"\t\tif [[ $line == :files ]]; then\n"
	"\t\t\tcompopt -o default 2>/dev/null\n"
	"\t\telse\n"
	"\t\t\tCOMPREPLY+=(\"${line%%$'\\t'*}\")\n"
	"\t\tfi\n"
	"\tdone < <(\"${COMP_WORDS[0]}\" " COMPLETE_WORD " \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
	"2>/dev/null)\n"
	"}\n"
	"complete -F _sgctl sgctl\n";

/* zshcompsys(1): _describe wants WORD:DESCRIPTION, colons of words escaped. */
static const char zsh[] =
	"#compdef sgctl\n"
	"_sgctl()\n{\n"
	"\tlocal line word files=0\n"
	"\tlocal -a found\n"
	"\tfor line in \"${(@f)$(\"${words[1]}\" " COMPLETE_WORD
	" \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
	"\t\t[[ $line == :files ]] && files=1 && continue\n"
	"\t\t[[ -n $line ]] || continue\n"
	"\t\tword=${${line%%$'\\t'*}//:/\\\\:}\n"
	"\t\t[[ $line == *$'\\t'* ]] && word+=:${line#*$'\\t'}\n"
	"\t\tfound+=(\"$word\")\n"
	"\tdone\n"
	"\t(( ${#found} )) && _describe -V sgctl found\n"
	"\t(( files )) && _files\n"
	"\treturn 0\n"
	"}\n"
	"if [[ $funcstack[1] == _sgctl ]]; then _sgctl \"$@\"; else compdef _sgctl "
	"sgctl; fi\n";

enum exit_status command_completion(const struct args *args)
{
	const char *shell = args_operand(args, 0);

	if (!strcmp(shell, "bash"))
		fputs(bash, stdout);
	else if (!strcmp(shell, "zsh"))
		fputs(zsh, stdout);
	else
		return output_usage_error(args, "completion knows bash and zsh, not \"%s\"", shell);
	return EXIT_DONE;
}
