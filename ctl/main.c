/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - sgctl: reads the command line and runs one command. */
#include <curl/curl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/complete.h"
#include "ctl/help.h"
#include "ctl/output.h"
#include "rulesd/cleanup.h"

/* Policies are UTF-8 whatever the locale; without one (cron, sudo) widths would be counted in
 * bytes. */
static void set_locale(void)
{
	setlocale(LC_ALL, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

static enum exit_status run(const struct args *args)
{
	if (args_flag(args, "version")) {
		printf("sgctl %s\n", TAPGUARD_VERSION);
		return EXIT_DONE;
	}
	if (args_flag(args, "help")) {
		if (args->command)
			help_print_command(args->command);
		else
			help_print_overview();
		return EXIT_DONE;
	}
	if (!args->command)
		return output_usage_error(args, "no command given");
	return args->command->run(args);
}

int main(int argc, char **argv)
{
	CLEANUP(args_free) struct args *args = NULL;
	g_autofree char *error = NULL;
	enum exit_status status;

	set_locale();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (argc > 1 && !strcmp(argv[1], COMPLETE_WORD)) {
		complete_print(argc - 2, argv + 2);
		return EXIT_DONE;
	}
	if (args_parse(argc, argv, &args, &error))
		status = output_usage_error(args, "%s", error);
	else
		status = run(args);
	return (int)output_finish(status);
}
