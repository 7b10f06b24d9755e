/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diag.c - a list of findings about input: collect, print, to JSON and back.
 */
#include "rulesd/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "rulesd/cleanup.h"

#define MOST_COMPARED 200000u /* some 50 ms */

static void entry_free(struct diag_entry *entry)
{
	g_free(entry->pointer);
	g_free(entry->message);
	g_free(entry->fix);
	g_free(entry);
}

static void entry_free_func(gpointer entry)
{
	entry_free(entry);
}

struct diag *diag_new(void)
{
	struct diag *diag = g_new0(struct diag, 1);

	diag->entries = g_ptr_array_new_with_free_func(entry_free_func);
	return diag;
}

void diag_free(struct diag **diag)
{
	if (!*diag)
		return;
	g_ptr_array_unref((*diag)->entries);
	g_free(*diag);
	*diag = NULL;
}

bool diag_full(const struct diag *diag)
{
	return diag->entries->len >= DIAG_MAX;
}

void diag_add(struct diag *diag, const char *code, struct place place, const char *pointer,
	      const char *fix, const char *message_format, ...)
{
	struct diag_entry *entry;
	va_list args;

	if (diag_full(diag)) {
		diag->left_out++;
		return;
	}
	entry = g_new0(struct diag_entry, 1);
	entry->code = code;
	entry->place = place;
	entry->pointer = g_strdup(pointer);
	entry->fix = g_strdup(fix);
	va_start(args, message_format);
	entry->message = g_strdup_vprintf(message_format, args);
	va_end(args);
	g_ptr_array_add(diag->entries, entry);
}

bool diag_any(const struct diag *diag)
{
	return diag->entries->len > 0;
}

bool diag_may_suggest(struct diag *diag, size_t names)
{
	if (diag_full(diag) || names > MOST_COMPARED - diag->compared)
		return false;
	diag->compared += names;
	return true;
}

char *diag_quote(const char *text)
{
	const size_t longest = 80;
	GString *quoted = g_string_new("\"");
	size_t length = strnlen(text, longest + 1);
	bool cut = length > longest;

	length = MIN(length, longest);
	/* Not in the middle of a character: UTF-8 continuation bytes are 10xxxxxx. */
	while (cut && length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	g_string_append_len(quoted, text, (gssize)length);
	g_string_append(quoted, cut ? "...\"" : "\"");
	return g_string_free(quoted, FALSE);
}

/* One line an entry whatever the input holds, and no escape sequence reaches the terminal. */
static void print_line_safe(const char *text, FILE *out)
{
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else if (c == 0xc2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0)
			fprintf(out, "\\u%04x", (unsigned char)*++p);
		else
			fputc(c, out);
	}
}

static void print_entry(const struct diag_entry *entry, FILE *out)
{
	if (entry->place.file) {
		print_line_safe(entry->place.file, out);
		if (entry->place.line)
			fprintf(out, ":%u:%u", entry->place.line, entry->place.column);
		fputs(": ", out);
	}
	if (entry->pointer && entry->pointer[0]) {
		print_line_safe(entry->pointer, out);
		fputs(": ", out);
	}
	print_line_safe(entry->message, out);
	if (entry->fix) {
		fputs("; ", out);
		print_line_safe(entry->fix, out);
	}
	fputc('\n', out);
}

void diag_print(const struct diag *diag, FILE *out)
{
	for (guint i = 0; i < diag->entries->len; i++)
		print_entry(diag->entries->pdata[i], out);
	if (diag->left_out)
		fprintf(out, "and %u more\n", diag->left_out);
}

/* Names of files and what a client asked for need not be UTF-8. */
static json_t *string_or_null(const char *text)
{
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

	return valid ? json_string(valid) : json_null();
}

static json_t *number_or_null(unsigned int number)
{
	return number ? json_integer(number) : json_null();
}

static json_t *entry_to_json(const struct diag_entry *entry)
{
	json_t *object = json_object();

	json_object_set_new(object, "code", string_or_null(entry->code));
	json_object_set_new(object, "file", string_or_null(entry->place.file));
	json_object_set_new(object, "line", number_or_null(entry->place.line));
	json_object_set_new(object, "column", number_or_null(entry->place.column));
	json_object_set_new(object, "pointer", string_or_null(entry->pointer));
	json_object_set_new(object, "message", string_or_null(entry->message));
	json_object_set_new(object, "fix", string_or_null(entry->fix));
	return object;
}

json_t *diag_to_json(const struct diag *diag)
{
	json_t *array = json_array();

	for (guint i = 0; i < diag->entries->len; i++)
		json_array_append_new(array, entry_to_json(diag->entries->pdata[i]));
	if (diag->left_out) {
		g_autofree char *message =
			g_strdup_printf("%u more are not listed", diag->left_out);
		const struct diag_entry last = {.code = "left-out", .message = message};

		json_array_append_new(array, entry_to_json(&last));
	}
	return array;
}

/* A line or column: an integer, or null. */
static int number_from_json(const json_t *value, unsigned int *number)
{
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > UINT32_MAX)
		return -EINVAL;
	*number = (unsigned int)json_integer_value(value);
	return 0;
}

static int entry_from_json(const json_t *object, struct diag_entry *entry)
{
	static const char *const texts[] = {"code", "file", "pointer", "message", "fix"};

	if (!json_is_string(json_object_get(object, "message")))
		return -EINVAL;
	for (unsigned int i = 0; i < G_N_ELEMENTS(texts); i++) {
		const json_t *value = json_object_get(object, texts[i]);

		if (value && !json_is_string(value) && !json_is_null(value))
			return -EINVAL;
	}
	if (number_from_json(json_object_get(object, "line"), &entry->place.line) < 0 ||
	    number_from_json(json_object_get(object, "column"), &entry->place.column) < 0)
		return -EINVAL;
	/* Interned: codes and file names are few, and the struct does not own them. */
	entry->code = g_intern_string(json_string_value(json_object_get(object, "code")));
	entry->place.file = g_intern_string(json_string_value(json_object_get(object, "file")));
	entry->pointer = g_strdup(json_string_value(json_object_get(object, "pointer")));
	entry->message = g_strdup(json_string_value(json_object_get(object, "message")));
	entry->fix = g_strdup(json_string_value(json_object_get(object, "fix")));
	return 0;
}

int diag_from_json(struct diag *diag, const json_t *errors)
{
	g_autoptr(GPtrArray) read = g_ptr_array_new_with_free_func(entry_free_func);

	if (!json_is_array(errors) || json_array_size(errors) > DIAG_MAX + 1)
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(errors); i++) {
		struct diag_entry *entry = g_new0(struct diag_entry, 1);

		g_ptr_array_add(read, entry);
		if (entry_from_json(json_array_get(errors, i), entry) < 0)
			return -EINVAL;
	}
	g_ptr_array_extend_and_steal(diag->entries, TAKE_PTR(read));
	return 0;
}
