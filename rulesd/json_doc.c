/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_doc.c - reading the nodes of a JSON text: values, pointers.
 */
#include "rulesd/json_internal.h"

#include <stdlib.h>
#include <string.h>

void jdoc_free(struct jdoc **doc)
{
	if (!*doc)
		return;
	g_free((*doc)->children);
	if (!(*doc)->is_view) {
		g_free((*doc)->nodes);
		g_free((*doc)->blocks);
	}
	g_free(*doc);
	*doc = NULL;
}

struct jdoc *jdoc_view(const struct jdoc *doc)
{
	struct jdoc *view = g_memdup2(doc, sizeof(*doc));

	view->is_view = true;
	view->children = NULL;
	view->children_allocated = 0;
	view->count = view->unfolded;
	view->open = 0;
	view->last = (struct jdoc_place_cache){0};
	return view;
}

bool jdoc_hides_objects(const struct jdoc *doc)
{
	return doc->hides_objects;
}

enum jdoc_kind jdoc_kind(const struct jdoc *doc, uint32_t node)
{
	return jdoc_node(doc, node)->kind;
}

const char *jdoc_kind_name(const struct jdoc *doc, uint32_t node)
{
	static const char *const names[] = {
		[JDOC_NULL] = "null",	       [JDOC_BOOLEAN] = "a boolean",
		[JDOC_INTEGER] = "an integer", [JDOC_REAL] = "a number with a fraction or exponent",
		[JDOC_STRING] = "a string",    [JDOC_ARRAY] = "an array",
		[JDOC_OBJECT] = "an object",
	};

	return names[jdoc_kind(doc, node)];
}

/* The node itself or the first sibling behind it that is no duplicate. */
static uint32_t skip_duplicates(const struct jdoc *doc, uint32_t node)
{
	while (node && jdoc_node(doc, node)->duplicate)
		node = jdoc_node(doc, node)->next;
	return node;
}

void jdoc_unfold(const struct jdoc *doc, uint32_t node)
{
	/* What a document says does not change; which nodes it holds in memory does. */
	struct jdoc *own = (struct jdoc *)(uintptr_t)doc;

	if (doc->open == node)
		return;
	own->count = own->unfolded;
	own->open = node;
	jdoc_scan_children(own, node);
	if (jdoc_node(doc, node)->repeats)
		jdoc_check_duplicates(own, own->unfolded, NULL);
}

/* Duplicates, too. */
static uint32_t first_child(const struct jdoc *doc, uint32_t node)
{
	uint32_t child = node + 1;

	/* Parents stand before their children: a first child, if there is one, is the next node. */
	if (jdoc_node(doc, node)->folded) {
		jdoc_unfold(doc, node);
		child = doc->unfolded;
	}
	return child < doc->count && jdoc_node(doc, child)->parent == node ? child : 0;
}

uint32_t jdoc_first(const struct jdoc *doc, uint32_t node)
{
	return skip_duplicates(doc, first_child(doc, node));
}

uint32_t jdoc_next(const struct jdoc *doc, uint32_t node)
{
	return skip_duplicates(doc, jdoc_node(doc, node)->next);
}

uint32_t jdoc_count(const struct jdoc *doc, uint32_t node)
{
	uint32_t count = 0;

	for (uint32_t child = jdoc_first(doc, node); child; child = jdoc_next(doc, child))
		count++;
	return count;
}

uint32_t jdoc_member(const struct jdoc *doc, uint32_t node, const char *key)
{
	uint32_t child;

	if (jdoc_kind(doc, node) != JDOC_OBJECT)
		return 0;
	for (child = jdoc_first(doc, node); child; child = jdoc_next(doc, child))
		if (jdoc_key_is(doc, child, key))
			break;
	return child;
}

const char *jdoc_raw_string(const struct jdoc *doc, uint32_t offset, size_t *length)
{
	const char *start = doc->text + offset + 1;
	const char *end = start;

	while (*end != '"')
		end += *end == '\\' ? 2 : 1;
	*length = (size_t)(end - start);
	return start;
}

static gunichar decode_hex4(const char *digits)
{
	gunichar value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 4 | (gunichar)g_ascii_xdigit_value(digits[i]);
	return value;
}

/* p is behind the backslash; returns what is behind the escape. */
static const char *decode_escape(const char *p, GString *out)
{
	static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *letter = strchr(letters, *p);
	gunichar c;

	if (*p != 'u') {
		g_string_append_c(out, letter ? values[letter - letters] : *p);
		return p + 1;
	}
	c = decode_hex4(p + 1);
	p += 5;
	if (c >= 0xd800 && c <= 0xdbff) {
		c = 0x10000 + ((c - 0xd800) << 10) + (decode_hex4(p + 2) - 0xdc00);
		p += 6;
	}
	g_string_append_unichar(out, c);
	return p;
}

static char *decode(const char *raw, size_t length)
{
	const char *end = raw + length;
	GString *out = g_string_sized_new(length);

	for (const char *p = raw; p < end;) {
		if (*p == '\\')
			p = decode_escape(p + 1, out);
		else
			g_string_append_c(out, *p++);
	}
	return g_string_free(out, FALSE);
}

char *jdoc_decode_string(const struct jdoc *doc, uint32_t offset)
{
	size_t length;
	const char *raw = jdoc_raw_string(doc, offset, &length);

	return memchr(raw, '\\', length) ? decode(raw, length) : g_strndup(raw, length);
}

static const char *read_text(const char *raw, size_t length, struct jdoc_text *text)
{
	text->large = NULL;
	if (length >= sizeof(text->small) || memchr(raw, '\\', length)) {
		text->large = decode(raw, length);
		return text->large;
	}
	memcpy(text->small, raw, length);
	text->small[length] = '\0';
	return text->small;
}

const char *jdoc_read_string(const struct jdoc *doc, uint32_t node, struct jdoc_text *text)
{
	const struct jdoc_node *n = jdoc_node(doc, node);

	return read_text(doc->text + n->offset + 1, n->end - n->offset - 2, text);
}

const char *jdoc_read_key(const struct jdoc *doc, uint32_t node, struct jdoc_text *text)
{
	size_t length;
	const char *raw = jdoc_raw_string(doc, jdoc_node(doc, node)->key, &length);

	return read_text(raw, length, text);
}

void jdoc_text_clear(struct jdoc_text *text)
{
	g_free(text->large);
}

const char *jdoc_plain_key(const struct jdoc *doc, uint32_t node, size_t *length)
{
	const char *raw = jdoc_raw_string(doc, jdoc_node(doc, node)->key, length);

	return memchr(raw, '\\', *length) ? NULL : raw;
}

char *jdoc_string(const struct jdoc *doc, uint32_t node)
{
	return jdoc_decode_string(doc, jdoc_node(doc, node)->offset);
}

char *jdoc_key(const struct jdoc *doc, uint32_t node)
{
	return jdoc_decode_string(doc, jdoc_node(doc, node)->key);
}

bool jdoc_key_is(const struct jdoc *doc, uint32_t node, const char *key)
{
	size_t length;
	const char *raw = jdoc_raw_string(doc, jdoc_node(doc, node)->key, &length);
	g_autofree char *decoded = NULL;

	if (!memchr(raw, '\\', length))
		return length == strlen(key) && memcmp(raw, key, length) == 0;
	decoded = jdoc_key(doc, node);
	return strcmp(decoded, key) == 0;
}

bool json_is_annotation(const char *key)
{
	return strcmp(key, "$schema") == 0 || g_str_has_prefix(key, "x-");
}

bool jdoc_boolean(const struct jdoc *doc, uint32_t node)
{
	return doc->text[jdoc_node(doc, node)->offset] == 't';
}

int64_t jdoc_integer(const struct jdoc *doc, uint32_t node)
{
	size_t length;
	const char *text = jdoc_text(doc, node, &length);
	bool negative = text[0] == '-';
	uint64_t value = 0;

	/* The scanner saw to it that it fits. */
	for (size_t i = negative; i < length; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	return (int64_t)(negative ? -value : value);
}

const char *jdoc_text(const struct jdoc *doc, uint32_t node, size_t *length)
{
	const struct jdoc_node *n = jdoc_node(doc, node);

	*length = n->end - n->offset;
	return doc->text + n->offset;
}

const char *jdoc_file(const struct jdoc *doc)
{
	return doc->file;
}

struct place jdoc_place(const struct jdoc *doc, uint32_t node)
{
	return jdoc_place_at(doc, jdoc_node(doc, node)->offset);
}

struct place jdoc_key_place(const struct jdoc *doc, uint32_t node)
{
	const struct jdoc_node *n = jdoc_node(doc, node);

	return jdoc_place_at(doc, n->key ? n->key : n->offset);
}

static unsigned int index_in_array(const struct jdoc *doc, uint32_t node)
{
	uint32_t sibling = first_child(doc, jdoc_node(doc, node)->parent);
	unsigned int index = 0;

	for (; sibling != node; sibling = jdoc_node(doc, sibling)->next)
		index++;
	return index;
}

char *jdoc_pointer(const struct jdoc *doc, uint32_t node)
{
	const struct jdoc_node *n = jdoc_node(doc, node);
	g_autofree char *parent = NULL;
	g_autofree char *key = NULL;
	g_autoptr(GString) escaped = NULL;

	if (node == JDOC_ROOT)
		return g_strdup("");
	parent = jdoc_pointer(doc, n->parent);
	if (!n->key)
		return g_strdup_printf("%s/%u", parent, index_in_array(doc, node));
	key = jdoc_key(doc, node);
	escaped = g_string_new(key);
	g_string_replace(escaped, "~", "~0", 0);
	g_string_replace(escaped, "/", "~1", 0);
	return g_strdup_printf("%s/%s", parent, escaped->str);
}

static uint32_t start_of(const struct jdoc_node *n)
{
	return n->key ? n->key : n->offset;
}

/* Among low to high, which are sorted: the last node that starts at offset or before it. */
static uint32_t last_before(const struct jdoc *doc, uint32_t low, uint32_t high, size_t offset)
{
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (start_of(jdoc_node(doc, middle)) <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static bool stands_at(const struct jdoc *doc, uint32_t node, size_t offset)
{
	return start_of(jdoc_node(doc, node)) == offset || jdoc_node(doc, node)->offset == offset;
}

/* The node whose key or value stands at place; the root when there is none. */
static uint32_t node_at(const struct jdoc *doc, struct place place)
{
	size_t offset = jdoc_offset_of(doc, place);
	uint32_t node;

	if (offset == SIZE_MAX)
		return JDOC_ROOT;
	node = last_before(doc, 0, doc->unfolded, offset);
	if (stands_at(doc, node, offset))
		return node;
	if (!jdoc_node(doc, node)->folded || offset >= jdoc_node(doc, node)->end)
		return JDOC_ROOT;
	jdoc_unfold(doc, node);
	if (doc->count == doc->unfolded)
		return JDOC_ROOT;
	node = last_before(doc, doc->unfolded, doc->count, offset);
	return stands_at(doc, node, offset) ? node : JDOC_ROOT;
}

static uint32_t child_by_token(const struct jdoc *doc, uint32_t node, const char *token)
{
	uint32_t child = 0;

	if (jdoc_kind(doc, node) == JDOC_OBJECT)
		return jdoc_member(doc, node, token);
	if (jdoc_kind(doc, node) == JDOC_ARRAY) {
		uint64_t index = g_ascii_strtoull(token, NULL, 10);

		for (child = jdoc_first(doc, node); child && index; index--)
			child = jdoc_next(doc, child);
	}
	return child;
}

uint32_t jdoc_find(const struct jdoc *doc, struct place place, const char *pointer)
{
	g_auto(GStrv) tokens = pointer ? g_strsplit(pointer, "/", -1) : NULL;
	uint32_t node = node_at(doc, place);
	unsigned int depth = 0;

	if (!pointer)
		return node;
	for (uint32_t n = node; n != JDOC_ROOT; n = jdoc_node(doc, n)->parent)
		depth++;
	if (g_strv_length(tokens) <= depth)
		return 0;
	/* The text before the first '/' is empty. */
	for (char **token = tokens + depth + 1; *token; token++) {
		g_autoptr(GString) plain = g_string_new(*token);

		g_string_replace(plain, "~1", "/", 0);
		g_string_replace(plain, "~0", "~", 0);
		node = child_by_token(doc, node, plain->str);
		if (!node)
			return 0;
	}
	return node;
}
