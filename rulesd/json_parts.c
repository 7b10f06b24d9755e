/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_parts.c - what several threads can do for a large text before it is scanned from its
 * beginning: count its lines, check its bytes, scan members of its sections.
 */
#include "rulesd/json_internal.h"

#include <string.h>

#include "rulesd/parallel.h"

/* Of a text that is cut into pieces. A multiple of JDOC_BLOCK. */
#define PIECE_BYTES (1024u * 1024)
/* Less is not worth a part: it is scanned as fast as it is taken over. */
#define PART_BYTES 4096u
/* What begins in a piece and is no member that deep, but a whole section, is not followed to its
 * end by one thread: no more than so far into the next piece. */
#define OVER_BYTES (PIECE_BYTES / 4)
_Static_assert(PIECE_BYTES % JDOC_BLOCK == 0, "a block is in one piece");

struct piece {
	size_t first, end; /* bytes */
	struct jdoc_block behind;
	GArray *parts; /* of struct jdoc_part, or NULL */
	bool bad_bytes;
};

struct ahead {
	struct jdoc *doc;
	struct piece *pieces;
};

static size_t skip_space(const struct jdoc *doc, size_t at)
{
	while (at < doc->length && strchr(" \n\t\r", doc->text[at]) && doc->text[at])
		at++;
	return at;
}

/* The key of a member behind an object that ends at first or behind it: the place of the first '"'
 * that follows on "},"; SIZE_MAX when there is none before end. */
static size_t guess_member(const struct jdoc *doc, size_t first, size_t end)
{
	while (first < end) {
		const char *brace = memchr(doc->text + first, '}', end - first);
		size_t at;

		if (!brace)
			break;
		first = (size_t)(brace + 1 - doc->text);
		at = skip_space(doc, first);
		if (at == doc->length || doc->text[at] != ',')
			continue;
		at = skip_space(doc, at + 1);
		if (at < doc->length && doc->text[at] == '"')
			return at;
	}
	return SIZE_MAX;
}

/* A guess may be a member deeper inside: then its object ends soon, and one level higher the next
 * guess is made. */
static void scan_piece(const struct jdoc *doc, struct piece *piece)
{
	size_t at = guess_member(doc, piece->first, piece->end);

	while (at < piece->end) {
		struct jdoc own = {.file = doc->file,
				   .text = doc->text,
				   .length = MIN(doc->length, piece->end + OVER_BYTES),
				   .unfolded = UINT32_MAX};
		struct jdoc_part part = {.start = at};
		bool valid = jdoc_scan_members(&own, &at, piece->end);

		part.end = at;
		part.nodes = own.nodes;
		part.count = own.count;
		if (valid && part.end - part.start >= PART_BYTES)
			g_array_append_val(piece->parts, part);
		else
			g_free(own.nodes);
		if (!valid)
			break;
		if (at < piece->end)
			at = guess_member(doc, at, piece->end);
	}
}

/* Where no UTF-8 character is cut: their bytes but the first are 10xxxxxx. */
static size_t character_at(const struct jdoc *doc, size_t at)
{
	for (unsigned int i = 0; i < 3 && at < doc->length; i++)
		at += ((unsigned char)doc->text[at] & 0xc0) == 0x80;
	return at;
}

static void look_at_piece(uint32_t number, uint32_t worker, void *context)
{
	const struct ahead *ahead = context;
	struct jdoc *doc = ahead->doc;
	struct piece *piece = &ahead->pieces[number];
	bool is_last = piece->end == doc->length;

	(void)worker;
	piece->behind =
		jdoc_index_lines(doc, piece->first / JDOC_BLOCK,
				 is_last ? doc->length / JDOC_BLOCK + 1 : piece->end / JDOC_BLOCK);
	piece->bad_bytes = jdoc_has_bad_byte(doc, number ? character_at(doc, piece->first) : 0,
					     is_last ? doc->length : character_at(doc, piece->end));
	if (piece->parts)
		scan_piece(doc, piece);
}

static void join_lines(struct ahead *ahead, uint32_t count)
{
	struct jdoc_block before = {0};

	for (uint32_t i = 0; i < count; i++) {
		const struct piece *piece = &ahead->pieces[i];
		size_t blocks = ahead->doc->length / JDOC_BLOCK + 1;

		jdoc_shift_lines(ahead->doc, piece->first / JDOC_BLOCK,
				 i + 1 == count ? blocks : piece->end / JDOC_BLOCK, before);
		if (piece->behind.line)
			before.start = piece->behind.start;
		before.line += piece->behind.line;
	}
}

static void join_parts(struct jdoc_parts *parts, struct piece *piece)
{
	parts->bad_bytes |= piece->bad_bytes;
	if (!piece->parts)
		return;
	for (guint i = 0; i < piece->parts->len; i++)
		parts->parts[parts->count++] = g_array_index(piece->parts, struct jdoc_part, i);
	g_array_unref(piece->parts);
}

struct jdoc_parts jdoc_scan_ahead(struct jdoc *doc)
{
	uint32_t count = (uint32_t)MAX(doc->length / PIECE_BYTES, 1u);
	bool scans = count > 2 && parallel_threads() > 1;
	g_autofree struct piece *pieces = g_new0(struct piece, count);
	struct ahead ahead = {.doc = doc, .pieces = pieces};
	struct jdoc_parts parts = {0};
	guint made = 0;

	doc->blocks = g_new0(struct jdoc_block, doc->length / JDOC_BLOCK + 1);
	for (uint32_t i = 0; i < count; i++) {
		pieces[i].first = (size_t)i * PIECE_BYTES;
		pieces[i].end = i + 1 == count ? doc->length : pieces[i].first + PIECE_BYTES;
		if (scans)
			pieces[i].parts = g_array_new(FALSE, FALSE, sizeof(struct jdoc_part));
	}
	parallel_run(count, look_at_piece, &ahead);
	join_lines(&ahead, count);
	for (uint32_t i = 0; i < count; i++)
		made += pieces[i].parts ? pieces[i].parts->len : 0;
	parts.parts = g_new(struct jdoc_part, made + 1);
	for (uint32_t i = 0; i < count; i++)
		join_parts(&parts, &pieces[i]);
	return parts;
}

void jdoc_parts_clear(struct jdoc_parts *parts)
{
	for (guint i = 0; i < parts->count; i++)
		g_free(parts->parts[i].nodes);
	g_clear_pointer(&parts->parts, g_free);
	parts->count = 0;
}
