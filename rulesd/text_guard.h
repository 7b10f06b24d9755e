/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text_guard.h - tells what is no text of ours while it is being read, from its first bytes on:
 * devices, sparse files and noise are refused before they fill the memory.
 *
 * It is not a parser: what passes may be wrong, and is found to be so by who parses it. It costs a
 * search for two bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every JSON text that says something has double quotes in it; strings, numbers and white space
 * that are longer than this mean nothing here. */
#define TEXT_GUARD_GAP (1u << 20)
/* So much of the beginning is looked at for UTF-8, too. */
#define TEXT_GUARD_HEAD (1u << 16)

/* Zeroed at the start of a text. */
struct text_guard {
	uint64_t seen; /* bytes */
	uint64_t gap;  /* of them without a double quote, at the end */
	char tail[4];  /* the beginning of a character that the next bytes end */
	uint8_t tail_length;
};

enum text_fault {
	TEXT_FINE,
	TEXT_NUL,
	TEXT_NOT_UTF8,
	TEXT_GAP,
};

/*
 * The next bytes of the text. When something is wrong with them, *at is how many of all bytes so
 * far are before the place; nothing is to be fed after that.
 */
enum text_fault text_guard_feed(struct text_guard *guard, const void *bytes, size_t length,
				uint64_t *at);
/* For people: "a NUL byte"; and what to do, or NULL. */
const char *text_fault_message(enum text_fault fault);
const char *text_fault_fix(enum text_fault fault);
