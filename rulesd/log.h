/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - one line an event on standard error, with a level; JSON with --log json. Used by rulesd
 * only.
 */
#pragma once

#include <glib.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

void log_setup(enum log_format format, enum log_level highest);
void log_event(enum log_level level, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define log_error(...)	 log_event(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_event(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_event(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_event(LOG_LEVEL_DEBUG, __VA_ARGS__)
