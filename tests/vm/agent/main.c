/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - the guest agent: reads commands from a serial port or standard input, see agent.h.
 */
#include "tests/vm/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

static const char *name;
static int output = STDOUT_FILENO;

static const struct {
	const char *verb;
	void (*run)(const char *id, char **words);
} commands[] = {
	{"serve", serve_command}, {"probe", probe_command}, {"hold", hold_command},
	{"held", held_command},	  {"drop", drop_command},
};

const char *agent_name(void)
{
	return name;
}

static void write_line(const char *line)
{
	size_t left = strlen(line);

	while (left > 0) {
		ssize_t written = write(output, line, left);

		if (written < 0 && errno != EINTR)
			exit(1); /* the host is gone, and nobody else listens */
		if (written > 0) {
			line += written;
			left -= (size_t)written;
		}
	}
}

void agent_answer(const char *id, const char *format, ...)
{
	g_autofree char *text = NULL;
	g_autofree char *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	line = g_strdup_printf("%s %s\n", id, text);
	write_line(line);
}

static void run_command(const char *line)
{
	g_auto(GStrv) words = g_strsplit_set(line, " ", -1);

	if (g_strv_length(words) < 2) {
		agent_answer(words[0] ? words[0] : "-", "error a command is: ID VERB ARGUMENT...");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(commands[i].verb, words[1]) == 0) {
			commands[i].run(words[0], words + 2);
			return;
		}
	}
	agent_answer(words[0], "error no such verb: %s", words[1]);
}

static gboolean read_commands(gint fd, GIOCondition condition, gpointer data)
{
	static GString *pending;
	char buffer[4096];
	ssize_t length = read(fd, buffer, sizeof(buffer));
	char *end;

	(void)condition;
	if (length < 0 && errno == EINTR)
		return G_SOURCE_CONTINUE;
	if (length <= 0) {
		g_main_loop_quit(data);
		return G_SOURCE_REMOVE;
	}
	if (!pending)
		pending = g_string_new(NULL);
	g_string_append_len(pending, buffer, length);
	while ((end = strchr(pending->str, '\n'))) {
		g_autofree char *line = g_strndup(pending->str, (gsize)(end - pending->str));

		g_string_erase(pending, 0, end + 1 - pending->str);
		if (*line)
			run_command(line);
	}
	return G_SOURCE_CONTINUE;
}

/* A serial port as a plain byte stream: no echo, no signals, no translation of line ends. */
static int open_serial(const char *path)
{
	AUTO_FD int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios modes;

	if (fd < 0 || tcgetattr(fd, &modes) < 0)
		return -errno;
	cfmakeraw(&modes);
	cfsetspeed(&modes, B115200);
	if (tcsetattr(fd, TCSANOW, &modes) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int main(int argc, char **argv)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	int input = STDIN_FILENO;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: %s NAME [SERIAL-PORT]\n", argv[0]);
		return 2;
	}
	name = argv[1];
	if (argc == 3) {
		input = open_serial(argv[2]);
		output = input;
	}
	if (input < 0) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], argv[2], strerror(-input));
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	g_unix_fd_add(input, G_IO_IN | G_IO_HUP, read_commands, loop);
	agent_answer("agent", "ready %s", name);
	g_main_loop_run(loop);
	g_main_loop_unref(loop);
	return 0;
}
