/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_place.c - offsets of a text to lines and columns, and back.
 */
#include "rulesd/json_internal.h"

#include <string.h>

static uint32_t count_lines(const char *text, size_t length)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7full, ones = 0x0101010101010101ull;
	uint32_t count = 0;
	uint64_t word;

	/* Eight bytes at once: those that are equal leave 0 of the exclusive or. */
	for (; length >= sizeof(word); text += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		word ^= '\n' * ones;
		word = ~(((word & low) + low) | word | low);
		count += (uint32_t)((word >> 7) * ones >> 56);
	}
	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	return count;
}

struct jdoc_block jdoc_index_lines(struct jdoc *doc, size_t first, size_t end)
{
	struct jdoc_block block = {.start = (uint32_t)(first * JDOC_BLOCK)};

	for (size_t i = first; i < end; i++) {
		const char *text = doc->text + i * JDOC_BLOCK;
		size_t length = MIN(JDOC_BLOCK, doc->length - i * JDOC_BLOCK);
		const char *last = memrchr(text, '\n', length);

		doc->blocks[i] = block;
		block.line += count_lines(text, length);
		if (last)
			block.start = (uint32_t)(last + 1 - doc->text);
	}
	return block;
}

void jdoc_shift_lines(struct jdoc *doc, size_t first, size_t end, struct jdoc_block before)
{
	for (size_t i = first; i < end; i++) {
		struct jdoc_block *block = &doc->blocks[i];

		/* No line ended between first and here. */
		if (!block->line)
			block->start = before.start;
		block->line += before.line;
	}
}

struct place jdoc_place_at(const struct jdoc *doc, size_t offset)
{
	struct jdoc_place_cache *last = &((struct jdoc *)(uintptr_t)doc)->last;
	const struct jdoc_block *block = &doc->blocks[offset / JDOC_BLOCK];
	const char *end;
	uint32_t lines;

	if (offset < last->offset || offset - last->offset > JDOC_BLOCK)
		*last = (struct jdoc_place_cache){
			.offset = offset / JDOC_BLOCK * JDOC_BLOCK,
			.start = block->start,
			.line = block->line,
		};
	lines = count_lines(doc->text + last->offset, offset - last->offset);
	if (lines) {
		end = memrchr(doc->text + last->offset, '\n', offset - last->offset);
		last->start = (size_t)(end + 1 - doc->text);
		last->line += lines;
	}
	last->offset = offset;
	return (struct place){
		.file = doc->file,
		.line = last->line + 1,
		.column = (unsigned int)(offset - last->start) + 1,
	};
}

size_t jdoc_offset_of(const struct jdoc *doc, struct place place)
{
	size_t low = 0, high = doc->length / JDOC_BLOCK + 1, at;

	if (place.line == 0 || place.column == 0)
		return SIZE_MAX;
	/* The last block that begins in an earlier line, or is the first. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (doc->blocks[middle].line + 1 < place.line)
			low = middle;
		else
			high = middle;
	}
	at = low * JDOC_BLOCK;
	for (uint32_t line = doc->blocks[low].line + 1; line < place.line; line++) {
		const char *end = memchr(doc->text + at, '\n', doc->length - at);

		if (!end)
			return SIZE_MAX;
		at = (size_t)(end + 1 - doc->text);
	}
	/* In the first line of the first block, where there was no line to skip. */
	return at + place.column - 1;
}
