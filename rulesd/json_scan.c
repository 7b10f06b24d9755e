/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_scan.c - JSON text to nodes: the grammar of RFC 8259, and what people get wrong in it.
 *
 * It is long because the grammar is one set of functions that call each other, whether they make
 * nodes or only check.
 */
#include "rulesd/json_internal.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct scan {
	struct jdoc *doc;
	struct diag *diag; /* or NULL: whether it is JSON is all that is asked */
	size_t at;	   /* offset of the next byte */
	unsigned int depth;
	bool skims;	       /* inside of a folded node: no nodes are made */
	bool repeats;	       /* there is a duplicate key in what was skimmed */
	struct jdoc_key *keys; /* of the objects that are being skimmed */
	guint key_count, key_room;
	struct jdoc_parts parts; /* scanned ahead... */
	guint passed;		 /* ...and those that begin before the cursor */
};

static bool scan_value(struct scan *scan, uint32_t parent, uint32_t key, uint32_t *node);

static bool G_GNUC_PRINTF(4, 5)
	fail(struct scan *scan, size_t offset, const char *fix, const char *format, ...)
{
	g_autofree char *message = NULL;
	va_list args;

	if (!scan->diag)
		return false;
	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	diag_add(scan->diag, "syntax", jdoc_place_at(scan->doc, offset), NULL, fix, "%s", message);
	return false;
}

/* The byte at the cursor; NUL, which valid text does not contain, at the end. */
static char peek(const struct scan *scan)
{
	return scan->at < scan->doc->length ? scan->doc->text[scan->at] : '\0';
}

static void skip_space(struct scan *scan)
{
	const char *text = scan->doc->text;
	size_t at = scan->at, length = scan->doc->length;

	/* Nothing that is not white space is below it. */
	if (at < length && text[at] > ' ')
		return;
	while (at < length &&
	       (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r'))
		at++;
	scan->at = at;
}

static bool is_word(char c)
{
	return g_ascii_isalnum(c) || c == '_' || c == '-' || c == '+' || c == '.' || c == '$';
}

/* What stands at the cursor, for a message; the caller frees it. */
static char *found(const struct scan *scan)
{
	const char *start = scan->doc->text + scan->at;
	const char *end = scan->doc->text + scan->doc->length;
	const char *stop = start;
	g_autofree char *token = NULL;
	g_autofree char *quoted = NULL;

	if (start == end)
		return g_strdup("nothing");
	if (is_word(*start)) {
		while (stop < end && is_word(*stop))
			stop++;
	} else {
		stop = MIN(g_utf8_next_char(start), end);
	}
	token = g_strndup(start, (gsize)(stop - start));
	quoted = diag_quote(token);
	if (*start == '"')
		return g_strdup("a string");
	return g_steal_pointer(&quoted);
}

static bool unexpected(struct scan *scan, const char *expected)
{
	g_autofree char *what = found(scan);
	char c = peek(scan);

	if (c == '/' || c == '#')
		return fail(scan, scan->at, "use \"description\" or a key that starts with \"x-\"",
			    "JSON has no comments");
	if (c == '\'')
		return fail(scan, scan->at, "use double quotes", "JSON has no single quotes");
	if (scan->at >= scan->doc->length)
		return fail(scan, scan->at, NULL, "the file ends where %s is expected", expected);
	return fail(scan, scan->at, NULL, "%s where %s is expected", what, expected);
}

static void make_room(struct jdoc_node **nodes, uint32_t *allocated, uint32_t count)
{
	if (count < *allocated)
		return;
	*allocated = MAX(*allocated + MAX(*allocated / 2, 64u), count + 1);
	*nodes = g_renew(struct jdoc_node, *nodes, *allocated);
}

static uint32_t add_node(struct scan *scan, uint32_t parent, uint32_t key)
{
	struct jdoc *doc = scan->doc;

	if (doc->count < doc->unfolded)
		make_room(&doc->nodes, &doc->allocated, doc->count);
	else
		make_room(&doc->children, &doc->children_allocated, doc->count - doc->unfolded);
	*jdoc_node(doc, doc->count) = (struct jdoc_node){
		.offset = (uint32_t)scan->at,
		.key = key,
		.parent = parent,
	};
	return doc->count++;
}

/* The four digits behind "\u"; -1 when they are not. */
static int hex4(const struct scan *scan, size_t offset)
{
	int value = 0;

	for (size_t i = offset; i < offset + 4; i++) {
		int digit = i < scan->doc->length ? g_ascii_xdigit_value(scan->doc->text[i]) : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* The cursor is on the backslash; moves behind the escape. */
static bool scan_escape(struct scan *scan)
{
	size_t start = scan->at++;
	int high, low;

	if (peek(scan) && strchr("\"\\/bfnrt", peek(scan))) {
		scan->at++;
		return true;
	}
	if (peek(scan) != 'u')
		return fail(scan, start, "write \"\\\\\" for a backslash",
			    "a backslash that starts no escape of JSON");
	high = hex4(scan, scan->at + 1);
	if (high < 0)
		return fail(scan, start, NULL, "\\u needs four hexadecimal digits");
	if (high == 0)
		return fail(scan, start, NULL, "NUL characters (\\u0000) are not allowed");
	scan->at += 5;
	if (high < 0xd800 || high > 0xdfff)
		return true;
	low = peek(scan) == '\\' && hex4(scan, scan->at + 2) >= 0 &&
			      scan->doc->text[scan->at + 1] == 'u'
		      ? hex4(scan, scan->at + 2)
		      : -1;
	if (high > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return fail(scan, start, NULL, "half of a surrogate pair is no character");
	scan->at += 6;
	return true;
}

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* The high bit of the first of eight bytes that is less than limit (at most 0x80), or that is the
 * byte; bits of later ones may be wrong. 0 when there is none. */
static inline uint64_t below(uint64_t word, uint8_t limit)
{
	return (word - ONES * limit) & ~word & HIGHS;
}

static inline uint64_t equal(uint64_t word, uint8_t byte)
{
	return below(word ^ ONES * byte, 1);
}

/* Bytes that stand in a string for themselves: all but '"', '\\' and control characters. */
static void skip_plain(struct scan *scan)
{
	const unsigned char *text = (const unsigned char *)scan->doc->text;
	size_t at = scan->at, length = scan->doc->length;
	uint64_t word;

	for (; at + sizeof(word) <= length; at += sizeof(word)) {
		uint64_t found;

		memcpy(&word, text + at, sizeof(word));
		word = GUINT64_FROM_LE(word);
		found = below(word, 0x20) | equal(word, '"') | equal(word, '\\');
		if (found) {
			scan->at = at + (size_t)__builtin_ctzll(found) / 8;
			return;
		}
	}
	while (at < length && text[at] >= 0x20 && text[at] != '"' && text[at] != '\\')
		at++;
	scan->at = at;
}

/* The cursor is on the opening quote; moves behind the closing one. */
static bool scan_string(struct scan *scan)
{
	size_t start = scan->at++;

	for (;;) {
		char c;

		skip_plain(scan);
		c = peek(scan);
		if (c == '"')
			break;

		if (scan->at >= scan->doc->length || c == '\n')
			return fail(scan, start, "close it with '\"' on the same line",
				    "the string that begins here does not end");
		if ((unsigned char)c < 0x20)
			return fail(scan, scan->at, "escape it, as \"\\t\" or \"\\u001b\"",
				    "control character 0x%02x in a string", (unsigned char)c);
		if (!scan_escape(scan))
			return false;
	}
	scan->at++;
	if (scan->at - start - 2 > JDOC_MAX_STRING)
		return fail(scan, start, NULL, "a string of %zu bytes; at most %u are read",
			    scan->at - start - 2, JDOC_MAX_STRING);
	return true;
}

static size_t skip_digits(struct scan *scan)
{
	size_t start = scan->at;

	while (g_ascii_isdigit(peek(scan)))
		scan->at++;
	return scan->at - start;
}

/* Numbers that no double and no int64_t can hold have no meaning anywhere. */
static bool check_magnitude(struct scan *scan, enum jdoc_kind kind, size_t start)
{
	g_autofree char *text = NULL;
	g_autofree char *quoted = NULL;

	/* 10^18 - 1, and the minus of its like, fit. */
	if (kind == JDOC_INTEGER && scan->at - start <= 18)
		return true;
	text = g_strndup(scan->doc->text + start, scan->at - start);
	quoted = diag_quote(text);
	errno = 0;
	if (kind == JDOC_INTEGER)
		(void)g_ascii_strtoll(text, NULL, 10);
	else if (!isinf(g_ascii_strtod(text, NULL)))
		errno = 0;
	if (errno == ERANGE)
		return fail(scan, start, NULL, "the number %s is too large", quoted);
	return true;
}

static bool scan_number(struct scan *scan, enum jdoc_kind *kind)
{
	size_t start = scan->at;
	bool valid;

	*kind = JDOC_INTEGER;
	if (peek(scan) == '-')
		scan->at++;
	valid = peek(scan) == '0' ? scan->at++ < scan->doc->length : skip_digits(scan) > 0;
	if (valid && peek(scan) == '.') {
		*kind = JDOC_REAL;
		scan->at++;
		valid = skip_digits(scan) > 0;
	}
	if (valid && (peek(scan) | 0x20) == 'e') {
		*kind = JDOC_REAL;
		scan->at++;
		if (peek(scan) == '+' || peek(scan) == '-')
			scan->at++;
		valid = skip_digits(scan) > 0;
	}
	if (!valid || is_word(peek(scan))) {
		g_autofree char *what = NULL;

		scan->at = start;
		what = found(scan);
		return fail(scan, start, "JSON numbers look like 0, 22, -1 or 2.5e3",
			    "%s where a number is expected", what);
	}
	if (scan->at - start > JDOC_MAX_NUMBER)
		return fail(scan, start, NULL, "a number of %zu characters; at most %u are read",
			    scan->at - start, JDOC_MAX_NUMBER);
	return check_magnitude(scan, *kind, start);
}

static bool scan_word(struct scan *scan, enum jdoc_kind *kind)
{
	static const struct {
		const char *word;
		enum jdoc_kind kind;
	} words[] = {{"true", JDOC_BOOLEAN}, {"false", JDOC_BOOLEAN}, {"null", JDOC_NULL}};
	const char *start = scan->doc->text + scan->at;
	size_t length = 0;

	while (scan->at + length < scan->doc->length && is_word(start[length]))
		length++;
	for (unsigned int i = 0; length && i < G_N_ELEMENTS(words); i++) {
		g_autofree char *fix = NULL;

		if (length != strlen(words[i].word) ||
		    g_ascii_strncasecmp(start, words[i].word, length) != 0)
			continue;
		if (memcmp(start, words[i].word, length) != 0) {
			fix = g_strdup_printf("write \"%s\" in lower case", words[i].word);
			return fail(scan, scan->at, fix, "\"%.*s\" is not JSON", (int)length,
				    start);
		}
		*kind = words[i].kind;
		scan->at += length;
		return true;
	}
	return unexpected(scan, "a value");
}

/* The cursor is behind a child: true on ',' with another one to come, or on the closing bracket. */
static bool scan_separator(struct scan *scan, char closing, size_t opened)
{
	size_t comma;

	skip_space(scan);
	if (peek(scan) == closing)
		return true;
	if (scan->at >= scan->doc->length)
		return fail(scan, scan->at, NULL,
			    "the file ends, but '%c' of line %u is still open",
			    closing == '}' ? '{' : '[',
			    scan->diag ? jdoc_place_at(scan->doc, opened).line : 0);
	if (peek(scan) != ',')
		return unexpected(scan, closing == '}' ? "',' or '}'" : "',' or ']'");
	comma = scan->at++;
	skip_space(scan);
	if (peek(scan) == closing)
		return fail(scan, comma, "remove the comma", "a comma before '%c'", closing);
	return true;
}

static bool scan_key(struct scan *scan, struct jdoc_key *key)
{
	key->offset = (uint32_t)scan->at;
	if (peek(scan) != '"')
		return unexpected(scan, "a key in double quotes");
	if (!scan_string(scan))
		return false;
	key->length = (uint32_t)(scan->at - key->offset - 2);
	if (key->length > JDOC_MAX_KEY)
		return fail(scan, key->offset, NULL, "a key of %u bytes; at most %u are read",
			    key->length, JDOC_MAX_KEY);
	skip_space(scan);
	if (peek(scan) != ':')
		return unexpected(scan, "':' behind the key");
	scan->at++;
	skip_space(scan);
	return true;
}

static inline void push_key(struct scan *scan, struct jdoc_key key)
{
	if (scan->key_count == scan->key_room) {
		scan->key_room = MAX(2 * scan->key_room, 64u);
		scan->keys = g_renew(struct jdoc_key, scan->keys, scan->key_room);
	}
	scan->keys[scan->key_count++] = key;
}

/* One child of an object or array; the node that it became, when it became one. */
static bool scan_child(struct scan *scan, uint32_t parent, char closing, uint32_t *child)
{
	struct jdoc_key key = {0};

	if (closing == '}' && !scan_key(scan, &key))
		return false;
	if (closing == '}' && scan->skims)
		push_key(scan, key);
	return scan_value(scan, parent, key.offset, child);
}

/* Takes over what was scanned ahead from here on; the last of its nodes, or 0 when there is none.
 * last: the child before it, or 0. */
static uint32_t take_part(struct scan *scan, uint32_t parent, uint32_t last)
{
	struct jdoc *doc = scan->doc;
	const struct jdoc_part *part;
	uint32_t first = doc->count;

	while (scan->passed < scan->parts.count && scan->parts.parts[scan->passed].start < scan->at)
		scan->passed++;
	part = &scan->parts.parts[scan->passed];
	if (scan->passed == scan->parts.count || part->start != scan->at)
		return 0;
	make_room(&doc->nodes, &doc->allocated, first + part->count - 1);
	memcpy(&doc->nodes[first], part->nodes, part->count * sizeof(*part->nodes));
	for (uint32_t node = first; node < first + part->count; node++) {
		doc->nodes[node].parent = parent;
		doc->nodes[node].next = node + 1;
	}
	doc->count += part->count;
	doc->nodes[doc->count - 1].next = 0;
	if (last)
		doc->nodes[last].next = first;
	scan->at = part->end;
	return doc->count - 1;
}

/* Objects and arrays: the cursor is on the opening bracket. */
static bool scan_children(struct scan *scan, uint32_t node, char closing)
{
	size_t opened = scan->at++;
	uint32_t last = 0;

	skip_space(scan);
	while (peek(scan) != closing) {
		uint32_t child = 0;

		if (scan->at >= scan->doc->length)
			return scan_separator(scan, closing, opened);
		if (scan->parts.count && scan->depth == JDOC_FOLD_DEPTH && closing == '}' &&
		    !scan->skims)
			child = take_part(scan, node, last);
		if (child) {
			last = child;
			continue;
		}
		if (!scan_child(scan, node, closing, &child))
			return false;
		if (last && !scan->skims)
			jdoc_node(scan->doc, last)->next = child;
		last = child;
		if (!scan_separator(scan, closing, opened))
			return false;
	}
	scan->at++;
	return true;
}

static bool skim_children(struct scan *scan, char closing)
{
	guint mark = scan->key_count;
	bool valid = scan_children(scan, JDOC_NO_NODE, closing);

	if (scan->key_count > mark + 1 && !scan->repeats)
		scan->repeats =
			jdoc_keys_repeat(scan->doc, scan->keys + mark, scan->key_count - mark);
	scan->key_count = mark;
	return valid;
}

/* A container whose children become nodes later, when somebody looks. */
static bool fold_children(struct scan *scan, uint32_t node, char closing)
{
	bool valid;

	scan->skims = true;
	scan->repeats = false;
	valid = skim_children(scan, closing);
	scan->skims = false;
	jdoc_node(scan->doc, node)->folded = true;
	jdoc_node(scan->doc, node)->repeats = scan->repeats;
	return valid;
}

static bool scan_container(struct scan *scan, uint32_t node)
{
	char closing = peek(scan) == '{' ? '}' : ']';
	bool valid;

	if (scan->depth == JDOC_MAX_DEPTH)
		return fail(scan, scan->at, NULL, "nested deeper than %u levels", JDOC_MAX_DEPTH);
	scan->depth++;
	if (scan->skims)
		valid = skim_children(scan, closing);
	else if (scan->depth == JDOC_FOLD_DEPTH + 1)
		valid = fold_children(scan, node, closing);
	else
		valid = scan_children(scan, node, closing);
	scan->depth--;
	return valid;
}

static bool scan_value(struct scan *scan, uint32_t parent, uint32_t key, uint32_t *node)
{
	enum jdoc_kind kind = JDOC_NULL;
	char c = peek(scan);
	bool valid;

	*node = scan->skims ? JDOC_NO_NODE : add_node(scan, parent, key);
	if (c == '"') {
		kind = JDOC_STRING;
		valid = scan_string(scan);
	} else if (c == '{' || c == '[') {
		kind = c == '{' ? JDOC_OBJECT : JDOC_ARRAY;
		valid = scan_container(scan, *node);
	} else if (c == '-' || g_ascii_isdigit(c)) {
		valid = scan_number(scan, &kind);
	} else {
		valid = scan_word(scan, &kind);
	}
	if (valid && !scan->skims) {
		jdoc_node(scan->doc, *node)->kind = (uint8_t)kind;
		jdoc_node(scan->doc, *node)->end = (uint32_t)scan->at;
	}
	return valid;
}

void jdoc_scan_children(struct jdoc *doc, uint32_t node)
{
	const struct jdoc_node *n = jdoc_node(doc, node);
	struct scan scan = {.doc = doc, .at = n->offset, .depth = JDOC_FOLD_DEPTH + 1};
	bool valid = scan_children(&scan, node, n->kind == JDOC_OBJECT ? '}' : ']');

	g_assert(valid); /* it was when the document was parsed */
}

bool jdoc_scan_members(struct jdoc *own, size_t *at, size_t stop)
{
	struct scan scan = {.doc = own, .at = *at, .depth = JDOC_FOLD_DEPTH};
	bool valid = true;
	uint32_t child;

	do {
		valid = scan_child(&scan, 0, '}', &child) && scan_separator(&scan, '}', *at);
	} while (valid && scan.at < stop && peek(&scan) != '}');
	g_free(scan.keys);
	*at = scan.at;
	return valid;
}

/* The first byte that is neither ASCII nor part of a valid UTF-8 character; NULL when there is
 * none. A NUL is one. */
static const char *find_bad_byte(const char *text, size_t length)
{
	const char *p = text, *end = text + length;

	while (p < end) {
		uint64_t word;
		gunichar c;

		/* Eight bytes of ASCII without NUL at once. */
		for (; (size_t)(end - p) >= sizeof(word); p += sizeof(word)) {
			memcpy(&word, p, sizeof(word));
			if (word & HIGHS || below(word, 1))
				break;
		}
		if (p == end)
			break;
		if ((unsigned char)*p - 1u < 0x7f) {
			p++;
			continue;
		}
		c = *p ? g_utf8_get_char_validated(p, end - p) : (gunichar)-1;
		if (c >= (gunichar)-2)
			return p;
		p = g_utf8_next_char(p);
	}
	return NULL;
}

bool jdoc_has_bad_byte(const struct jdoc *doc, size_t first, size_t end)
{
	return find_bad_byte(doc->text + first, end - first) != NULL;
}

/* Bytes that no JSON text holds anywhere. */
static bool check_bytes(struct scan *scan)
{
	const char *text = scan->doc->text, *bad;
	size_t length = scan->doc->length;

	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return fail(scan, 0, "save it as UTF-8 without one",
			    "the file starts with a byte order mark");
	bad = scan->parts.bad_bytes ? find_bad_byte(text, length) : NULL;
	if (!bad)
		return true;
	if (*bad == '\0')
		return fail(scan, (size_t)(bad - text), NULL, "a NUL byte");
	return fail(scan, (size_t)(bad - text), "save it as UTF-8", "byte 0x%02x is not UTF-8",
		    (unsigned char)*bad);
}

/* Inside of folded nodes that have some, and then outside. */
static void check_duplicates(struct jdoc *doc, struct diag *diag)
{
	jdoc_check_duplicates(doc, 0, diag);
	for (uint32_t node = 0; node < doc->unfolded; node++) {
		if (!jdoc_node(doc, node)->repeats)
			continue;
		jdoc_unfold(doc, node);
		jdoc_check_duplicates(doc, doc->unfolded, diag);
	}
}

static bool scan_document(struct scan *scan)
{
	uint32_t root;

	if (!check_bytes(scan))
		return false;
	skip_space(scan);
	if (scan->at >= scan->doc->length)
		return fail(scan, 0, "the smallest policy is {\"version\": 1}",
			    "the file is empty");
	if (!scan_value(scan, 0, 0, &root))
		return false;
	skip_space(scan);
	if (scan->at < scan->doc->length)
		return unexpected(scan, "the end of the document");
	scan->doc->unfolded = scan->doc->count;
	check_duplicates(scan->doc, scan->diag);
	return true;
}

struct jdoc *jdoc_parse(const char *file, const char *text, size_t length, struct diag *diag)
{
	struct jdoc *doc = g_new0(struct jdoc, 1);
	struct scan scan = {.doc = doc, .diag = diag};

	doc->unfolded = UINT32_MAX;
	doc->file = g_intern_string(file);
	doc->text = length ? text : "";
	doc->length = length;
	if (length > JDOC_MAX_BYTES) {
		diag_add(diag, "too-large", (struct place){.file = doc->file}, NULL,
			 "split it into several files", "%zu bytes; at most %u are read", length,
			 JDOC_MAX_BYTES);
		jdoc_free(&doc);
		return NULL;
	}
	scan.parts = jdoc_scan_ahead(doc);
	if (!scan_document(&scan))
		jdoc_free(&doc);
	jdoc_parts_clear(&scan.parts);
	g_free(scan.keys);
	return doc;
}
