/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.c - see command.h.
 */
#include "tests/lib/command.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"

/* A test that is killed takes its commands with it. */
static void die_with_parent(gpointer unused)
{
	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

struct command command_run(const char *const *argv)
{
	struct command command = {.status = -1};
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) words = g_strdupv((char **)(uintptr_t)argv);
	int status = 0;

	if (!g_spawn_sync(NULL, words, NULL, G_SPAWN_SEARCH_PATH, die_with_parent, NULL,
			  &command.out, &command.err, &status, &error))
		fail_msg("cannot run %s: %s", argv[0], error->message);
	command.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return command;
}

void command_check(const char *first, ...)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	AUTO_COMMAND struct command command = {0};
	va_list words;

	va_start(words, first);
	for (const char *word = first; word; word = va_arg(words, const char *))
		g_ptr_array_add(argv, (gpointer)(uintptr_t)word);
	va_end(words);
	g_ptr_array_add(argv, NULL);
	command = command_run((const char *const *)argv->pdata);
	if (command.status != 0) {
		g_autofree char *line = g_strjoinv(" ", (char **)argv->pdata);

		fail_msg("%s: exit %d: %s", line, command.status, command.err);
	}
}

void command_free(struct command *command)
{
	g_clear_pointer(&command->out, g_free);
	g_clear_pointer(&command->err, g_free);
}
