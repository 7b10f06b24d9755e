/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_log.c - log lines: one an event, with a level, JSON that is JSON.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/log.h"
#include "tests/lib/check.h"

/* What write prints on standard error. */
static char *printed(void (*write)(void))
{
	g_autofree char *path = g_strdup("/tmp/tapguard-log-XXXXXX");
	AUTO_FD int file = mkstemp(path);
	AUTO_FD int saved = dup(STDERR_FILENO);
	char *text = NULL;

	assert_true(file >= 0 && saved >= 0);
	fflush(stderr);
	dup2(file, STDERR_FILENO);
	write();
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	g_file_get_contents(path, &text, NULL, NULL);
	unlink(path);
	return text;
}

static void every_level(void)
{
	log_error("device %s", "tap0");
	log_warning("two\nlines\x1b[31m");
	log_info("%d flows", 5);
	log_debug("detail");
}

static void text_is_one_line_an_event_down_to_the_level(void **state)
{
	g_autofree char *text = NULL;

	(void)state;
	log_setup(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	text = printed(every_level);
	assert_string_equal(text, "error: device tap0\nwarning: two lines [31m\ninfo: 5 flows\n");
}

static void invalid_utf_8(void)
{
	log_error("device \"caf\xe9\"");
}

static void json_is_json_whatever_the_message(void **state)
{
	g_autofree char *text = NULL;
	AUTO_JSON json_t *event = NULL;

	(void)state;
	log_setup(LOG_FORMAT_JSON, LOG_LEVEL_ERROR);
	text = printed(invalid_utf_8);
	event = json_loads(text, 0, NULL);
	assert_non_null(event);
	assert_string_equal(json_string_value(json_object_get(event, "level")), "error");
	assert_non_null(
		strstr(json_string_value(json_object_get(event, "message")), "device \"caf"));
	assert_int_equal(strlen(json_string_value(json_object_get(event, "time"))), 27);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_one_line_an_event_down_to_the_level),
		cmocka_unit_test(json_is_json_whatever_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
