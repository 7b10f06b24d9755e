/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_write.c - JSON as people like to read it in a policy.
 */
#include "rulesd/json_write.h"

#include <string.h>

#define LINE_LENGTH 100

static void new_line(struct json_writer *writer)
{
	g_string_append_c(writer->out, '\n');
	for (unsigned int i = 0; i < writer->depth; i++)
		g_string_append_len(writer->out, "  ", 2);
}

void json_open(struct json_writer *writer, char bracket)
{
	g_string_append_c(writer->out, bracket);
	writer->depth++;
	writer->first = true;
}

void json_close(struct json_writer *writer, char bracket)
{
	writer->depth--;
	if (!writer->first)
		new_line(writer);
	g_string_append_c(writer->out, bracket);
	writer->first = false;
}

void json_item(struct json_writer *writer)
{
	if (!writer->first)
		g_string_append_c(writer->out, ',');
	writer->first = false;
	new_line(writer);
}

void json_key(struct json_writer *writer, const char *key)
{
	json_item(writer);
	json_write_string(writer, key);
	g_string_append(writer->out, ": ");
}

static void append_quoted(GString *out, const char *text)
{
	static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";

	g_string_append_c(out, '"');
	for (const char *p = text; *p; p++) {
		const char *start = p, *found;

		while ((unsigned char)*p >= 0x20 && *p != '"' && *p != '\\' && *p != 0x7f)
			p++;
		g_string_append_len(out, start, p - start);
		if (!*p)
			break;
		found = strchr(escaped, *p);
		if (found)
			g_string_append_printf(out, "\\%c", letters[found - escaped]);
		else
			g_string_append_printf(out, "\\u%04x", (unsigned char)*p);
	}
	g_string_append_c(out, '"');
}

void json_write_string(struct json_writer *writer, const char *text)
{
	append_quoted(writer->out, text);
}

char *json_quote(const char *text)
{
	GString *out = g_string_new(NULL);

	append_quoted(out, text);
	return g_string_free(out, FALSE);
}

static size_t column(const struct json_writer *writer)
{
	const char *line = memrchr(writer->out->str, '\n', writer->out->len);

	return writer->out->len - (line ? (size_t)(line + 1 - writer->out->str) : 0);
}

void json_write_scalars(struct json_writer *writer, const GPtrArray *texts)
{
	size_t length = column(writer) + 2;

	for (guint i = 0; i < texts->len; i++)
		length += strlen(texts->pdata[i]) + 2;
	if (length > LINE_LENGTH) {
		json_open(writer, '[');
		for (guint i = 0; i < texts->len; i++) {
			json_item(writer);
			g_string_append(writer->out, texts->pdata[i]);
		}
		json_close(writer, ']');
		return;
	}
	g_string_append_c(writer->out, '[');
	for (guint i = 0; i < texts->len; i++) {
		if (i)
			g_string_append(writer->out, ", ");
		g_string_append(writer->out, texts->pdata[i]);
	}
	g_string_append_c(writer->out, ']');
}

/* JSON text of a value that is neither an array nor an object. */
static char *scalar_text(const struct jdoc *doc, uint32_t node)
{
	g_autofree char *string = NULL;
	const char *text;
	size_t length;

	if (jdoc_kind(doc, node) == JDOC_STRING) {
		string = jdoc_string(doc, node);
		return json_quote(string);
	}
	text = jdoc_text(doc, node, &length);
	return g_strndup(text, length);
}

static bool is_scalar(const struct jdoc *doc, uint32_t node)
{
	enum jdoc_kind kind = jdoc_kind(doc, node);

	return kind != JDOC_ARRAY && kind != JDOC_OBJECT;
}

static void write_array(struct json_writer *writer, const struct jdoc *doc, uint32_t node)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	uint32_t child = jdoc_first(doc, node);

	for (; child && is_scalar(doc, child); child = jdoc_next(doc, child))
		g_ptr_array_add(texts, scalar_text(doc, child));
	if (!child) {
		json_write_scalars(writer, texts);
		return;
	}
	json_open(writer, '[');
	for (child = jdoc_first(doc, node); child; child = jdoc_next(doc, child)) {
		json_item(writer);
		json_write_node(writer, doc, child);
	}
	json_close(writer, ']');
}

struct key_node {
	char *key;
	uint32_t node;
};

static void clear_key(gpointer data)
{
	g_free(((struct key_node *)data)->key);
}

static int compare_keys(gconstpointer a, gconstpointer b)
{
	return strcmp(((const struct key_node *)a)->key, ((const struct key_node *)b)->key);
}

void json_write_members(struct json_writer *writer, const struct jdoc *doc, uint32_t node,
			bool (*passes)(const char *key))
{
	g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(struct key_node));

	g_array_set_clear_func(members, clear_key);
	for (uint32_t child = jdoc_first(doc, node); child; child = jdoc_next(doc, child)) {
		struct key_node member = {.key = jdoc_key(doc, child), .node = child};

		if (!passes || passes(member.key))
			g_array_append_val(members, member);
		else
			g_free(member.key);
	}
	g_array_sort(members, compare_keys);
	for (guint i = 0; i < members->len; i++) {
		const struct key_node *member = &g_array_index(members, struct key_node, i);

		json_key(writer, member->key);
		json_write_node(writer, doc, member->node);
	}
}

void json_write_node(struct json_writer *writer, const struct jdoc *doc, uint32_t node)
{
	g_autofree char *text = NULL;

	if (jdoc_kind(doc, node) == JDOC_OBJECT) {
		json_open(writer, '{');
		json_write_members(writer, doc, node, NULL);
		json_close(writer, '}');
	} else if (jdoc_kind(doc, node) == JDOC_ARRAY) {
		write_array(writer, doc, node);
	} else {
		text = scalar_text(doc, node);
		g_string_append(writer->out, text);
	}
}
