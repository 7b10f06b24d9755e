/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_record.c - see state_record.h.
 *
 * A list of 10,000 entries is 200 KB in a record, and a restart may have hundreds of them to read,
 * twice: for what they are called, and for what they say. A checksum says already that they are
 * what was written.
 */
#include "rulesd/state_record.h"

#include <stdbool.h>
#include <string.h>

#include "rulesd/cleanup.h"

#define LONG_BYTES 4096u

/* An odd number of backslashes stands before it. */
static bool is_escaped(const char *begin, const char *at)
{
	const char *first = at;

	while (first > begin && first[-1] == '\\')
		first--;
	return (at - first) % 2;
}

/* Behind the quotation mark that ends the string which begins at begin; NULL when none does. */
static const char *string_end(const char *begin, const char *end)
{
	const char *at = begin;

	while ((at = memchr(at, '"', (size_t)(end - at)))) {
		if (!is_escaped(begin, at))
			return at + 1;
		at++;
	}
	return NULL;
}

/* What stands before the texts of a patch, in the order that rulesd writes. */
static bool is_patch(const char *text, size_t length)
{
	static const char patch[] = ",\"patch\":{";

	return memmem(text, MIN(length, 128u), patch, sizeof(patch) - 1) != NULL;
}

/* NULL: a string has no end. */
static GString *outline(const char *text, size_t length, GArray *texts)
{
	g_autoptr(GString) out = g_string_sized_new(256);
	const char *at = text, *end = text + length;
	unsigned int count = 0;

	while (at < end) {
		const char *begin = memchr(at, '"', (size_t)(end - at));
		const char *behind = begin ? string_end(begin + 1, end) : end;
		struct state_text found;

		if (!behind)
			return NULL;
		if (!begin || behind - begin < (ptrdiff_t)LONG_BYTES) {
			g_string_append_len(out, at, behind - at);
		} else {
			found = (struct state_text){begin + 1, (size_t)(behind - begin) - 2};
			g_string_append_len(out, at, begin - at);
			g_string_append_printf(out, "%u", count++);
			if (texts)
				g_array_append_val(texts, found);
		}
		at = behind;
	}
	return TAKE_PTR(out);
}

json_t *state_record_json(const char *text, size_t length, GArray *texts)
{
	g_autoptr(GString) short_text = NULL;
	json_t *json = NULL;

	if (length >= LONG_BYTES && is_patch(text, length))
		short_text = outline(text, length, texts);
	if (short_text)
		json = json_loadb(short_text->str, short_text->len, JSON_REJECT_DUPLICATES, NULL);
	if (json)
		return json;
	if (texts)
		g_array_set_size(texts, 0);
	return json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
}

char *state_text_decode(const struct state_text *text, size_t *length)
{
	static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *at = text->escaped, *end = at + text->length;
	g_autofree char *decoded = g_malloc(text->length + 1);
	char *out = decoded;

	while (at < end) {
		const char *letter;

		if (*at != '\\') {
			*out++ = *at++;
			continue;
		}
		letter = at + 1 < end && at[1] ? strchr(letters, at[1]) : NULL;
		if (!letter)
			return NULL;
		*out++ = values[letter - letters];
		at += 2;
	}
	*out = '\0';
	*length = (size_t)(out - decoded);
	return TAKE_PTR(decoded);
}
