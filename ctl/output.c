/* SPDX-License-Identifier: GPL-2.0-or-later */
/* output.c - see output.h. */
#include "ctl/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/args.h"
#include "rulesd/cleanup.h"

static bool is_hostile(gunichar c)
{
	GUnicodeType type = g_unichar_type(c);

	/* Cf holds what turns the direction of text around and what has no width. */
	return type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
	       type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR;
}

/* Copies text; characters of `kept` pass as they are. */
static char *escape(const char *text, const char *kept)
{
	GString *out = g_string_sized_new(strlen(text));

	for (const char *p = text; *p;) {
		gunichar c = g_utf8_get_char_validated(p, -1);

		if (c == (gunichar)-1 || c == (gunichar)-2) {
			g_string_append_printf(out, "\\x%02x", (unsigned char)*p++);
			continue;
		}
		if (is_hostile(c) && !(c < 0x80 && strchr(kept, (int)c)))
			g_string_append_printf(out, "\\u%04x", c);
		else
			g_string_append_unichar(out, c);
		p = g_utf8_next_char(p);
	}
	return g_string_free(out, FALSE);
}

char *output_escape(const char *text)
{
	return escape(text, "");
}

bool output_colors(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (!no_color || !*no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

unsigned int output_width(void)
{
	return output_width_of(STDOUT_FILENO);
}

unsigned int output_width_of(int fd)
{
	struct winsize size = {0};

	if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col ? size.ws_col : 80;
}

void output_json(const json_t *document)
{
	json_dumpf(document, stdout,
		   JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12) |
			   (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0));
	putchar('\n');
}

void output_text(const char *format, ...)
{
	va_list list;
	g_autofree char *text = NULL, *safe = NULL;

	va_start(list, format);
	text = g_strdup_vprintf(format, list);
	va_end(list);
	safe = escape(text, "\n");
	fputs(safe, stdout);
}

enum exit_status output_usage_error(const struct args *args, const char *format, ...)
{
	va_list list;
	g_autofree char *text = NULL, *safe = NULL;

	va_start(list, format);
	text = g_strdup_vprintf(format, list);
	va_end(list);
	safe = output_escape(text);
	fprintf(stderr, "sgctl: %s\n", safe);
	if (args && args->command)
		fprintf(stderr, "Try 'sgctl help %s'.\n", args->command->name);
	else
		fprintf(stderr, "Try 'sgctl help'.\n");
	return EXIT_USAGE;
}

void output_diag(const struct diag *diag)
{
	for (guint i = 0; i < diag->entries->len; i++) {
		struct diag_entry entry = *(struct diag_entry *)g_ptr_array_index(diag->entries, i);
		g_autoptr(GPtrArray) entries = g_ptr_array_new();
		const struct diag one = {.entries = entries};

		g_ptr_array_add(entries, &entry);
		if (!entry.place.file) {
			/* A pointer then goes into a request, which the user never saw. */
			entry.pointer = NULL;
			fputs("sgctl: ", stderr);
		}
		diag_print(&one, stderr); /* escapes what files hold */
	}
	if (diag->left_out)
		fprintf(stderr, "sgctl: %u more errors are not shown\n", diag->left_out);
}

enum exit_status output_failure(const struct args *args, const struct diag *diag)
{
	output_diag(diag);
	if (args_flag(args, "json")) {
		AUTO_JSON json_t *document = json_pack("{s:o}", "errors", diag_to_json(diag));

		output_json(document);
	}
	return EXIT_FAILED;
}

enum exit_status output_failure_text(const struct args *args, const char *code, const char *format,
				     ...)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autofree char *text = NULL;
	va_list list;

	va_start(list, format);
	text = g_strdup_vprintf(format, list);
	va_end(list);
	diag_add(diag, code, (struct place){0}, NULL, NULL, "%s", text);
	return output_failure(args, diag);
}

void output_warning(const char *format, ...)
{
	va_list list;
	g_autofree char *text = NULL, *safe = NULL;

	va_start(list, format);
	text = g_strdup_vprintf(format, list);
	va_end(list);
	safe = output_escape(text);
	fprintf(stderr, "sgctl: warning: %s\n", safe);
}

enum exit_status output_finish(enum exit_status status)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "sgctl: cannot write to standard output: %s\n", strerror(errno));
		return status == EXIT_DONE ? EXIT_FAILED : status;
	}
	return status;
}
