/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text_guard.c - see text_guard.h.
 */
#include "rulesd/text_guard.h"

#include <glib.h>
#include <string.h>

/* How long the character that starts with this byte is; 0: none does. */
static size_t length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Ends the character that the last bytes began. *used of the new ones belong to it. */
static bool finish_tail(struct text_guard *guard, const char *bytes, size_t length, size_t *used)
{
	const size_t wanted = length_of((unsigned char)guard->tail[0]);

	*used = 0;
	while (guard->tail_length < wanted && *used < length)
		guard->tail[guard->tail_length++] = bytes[(*used)++];
	if (guard->tail_length < wanted)
		return true;
	guard->tail_length = 0;
	return g_utf8_validate_len(guard->tail, wanted, NULL);
}

/* Whether the text may be UTF-8 so far; *bad is the offset in bytes of what is not. */
static bool is_utf8(struct text_guard *guard, const char *bytes, size_t length, size_t *bad)
{
	const char *end;
	size_t used = 0, rest;

	*bad = 0;
	if (guard->tail_length && !finish_tail(guard, bytes, length, &used))
		return false;
	if (guard->tail_length || g_utf8_validate_len(bytes + used, length - used, &end))
		return true;
	rest = (size_t)(bytes + length - end);
	*bad = (size_t)(end - bytes);
	/* A character that the block cuts, or none. */
	if (rest >= length_of((unsigned char)*end) ||
	    g_utf8_get_char_validated(end, (gssize)rest) != (gunichar)-2)
		return false;
	memcpy(guard->tail, end, rest);
	guard->tail_length = (uint8_t)rest;
	return true;
}

static uint64_t new_gap(uint64_t gap, const char *bytes, size_t length)
{
	const char *quote = memrchr(bytes, '"', length);

	return quote ? (uint64_t)(bytes + length - quote - 1) : gap + length;
}

enum text_fault text_guard_feed(struct text_guard *guard, const void *bytes, size_t length,
				uint64_t *at)
{
	const char *nul = memchr(bytes, '\0', length);
	size_t bad;

	if (nul) {
		*at = guard->seen + (uint64_t)(nul - (const char *)bytes);
		return TEXT_NUL;
	}
	if (guard->seen < TEXT_GUARD_HEAD && !is_utf8(guard, bytes, length, &bad)) {
		*at = guard->seen + bad;
		return TEXT_NOT_UTF8;
	}
	if (guard->seen >= TEXT_GUARD_HEAD)
		guard->tail_length = 0;
	guard->gap = new_gap(guard->gap, bytes, length);
	guard->seen += length;
	if (guard->gap <= TEXT_GUARD_GAP)
		return TEXT_FINE;
	*at = guard->seen - guard->gap;
	return TEXT_GAP;
}

const char *text_fault_message(enum text_fault fault)
{
	switch (fault) {
	case TEXT_NUL:
		return "a NUL byte";
	case TEXT_NOT_UTF8:
		return "a byte that is not UTF-8";
	case TEXT_GAP:
		return "more than 1 MiB without a double quote: no JSON looks so";
	case TEXT_FINE:
		break;
	}
	return "nothing is wrong";
}

const char *text_fault_fix(enum text_fault fault)
{
	return fault == TEXT_NOT_UTF8 ? "save it as UTF-8" : NULL;
}
