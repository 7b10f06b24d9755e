/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.c - one line an event on standard error, with a level; JSON with --log json.
 */
#include "rulesd/log.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static enum log_format log_format = LOG_FORMAT_TEXT;
static enum log_level log_highest = LOG_LEVEL_INFO;

void log_setup(enum log_format format, enum log_level highest)
{
	log_format = format;
	log_highest = highest;
}

/* Names of devices and ids come from outside: an event stays one line. */
static void make_one_line(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
}

static void write_json(const char *level, const char *message)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
	g_autofree char *valid = g_utf8_make_valid(message, -1);
	json_t *event =
		json_pack("{s:s, s:s, s:s}", "time", time, "level", level, "message", valid);
	char *line = json_dumps(event, JSON_COMPACT);

	if (line)
		fprintf(stderr, "%s\n", line);
	free(line);
	json_decref(event);
}

void log_event(enum log_level level, const char *format, ...)
{
	g_autofree char *message = NULL;
	va_list args;

	if ((int)level > (int)log_highest)
		return;
	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	make_one_line(message);
	/* One call an event: lines of two processes on one journal do not mix. */
	if (log_format == LOG_FORMAT_JSON)
		write_json(level_names[level], message);
	else
		fprintf(stderr, "%s: %s\n", level_names[level], message);
}
