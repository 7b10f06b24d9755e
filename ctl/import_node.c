/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_node.c - see import_node.h. */
#include "ctl/import_node.h"

#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/diag.h"

struct import_node import_root(const char *file, const json_t *value)
{
	return (struct import_node){.value = value, .file = file};
}

static struct import_node child(const struct import_node *node, const json_t *value)
{
	return (struct import_node){
		.value = json_is_null(value) ? NULL : value,
		.parent = node,
		.file = node->file,
		.depth = node->depth + 1,
	};
}

bool import_same_key(const char *a, const char *b)
{
	return *a && g_ascii_tolower(*a) == g_ascii_tolower(*b) && !strcmp(a + 1, b + 1);
}

struct import_node import_get(const struct import_node *node, const char *key)
{
	const json_t *value = json_object_get(node->value, key);
	struct import_node found;

	if (!value && json_is_object(node->value) && *key) {
		g_autofree char *other = g_strdup(key);

		*other = (char)(*key ^ 0x20);
		if (g_ascii_isalpha(*key))
			value = json_object_get(node->value, other);
	}
	found = child(node, value);
	found.key = key;
	return found;
}

struct import_node import_at(const struct import_node *node, size_t index)
{
	struct import_node found = child(node, json_array_get(node->value, index));

	found.index = index;
	return found;
}

struct import_node import_inside(const struct import_node *node, const json_t *value)
{
	struct import_node inside = *node;

	inside.value = value;
	return inside;
}

size_t import_length(const struct import_node *node)
{
	return json_array_size(node->value);
}

const char *import_text(const struct import_node *node)
{
	const char *text = json_string_value(node->value);

	return text && *text ? text : NULL;
}

const char *import_string(const struct import_node *node, const char *key)
{
	struct import_node member = import_get(node, key);

	return import_text(&member);
}

bool import_true(const struct import_node *node, const char *key)
{
	struct import_node member = import_get(node, key);

	return json_is_true(member.value);
}

bool import_false(const struct import_node *node, const char *key)
{
	struct import_node member = import_get(node, key);

	return json_is_false(member.value);
}

bool import_has(const struct import_node *node, const char *key)
{
	const char *name;
	json_t *value;
	void *object = (void *)(uintptr_t)node->value; /* jansson's iterator is not const */

	if (!json_is_object(node->value))
		return false;
	json_object_foreach (object, name, value)
		if (import_same_key(name, key))
			return true;
	return false;
}

bool import_says_nothing(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_string(value) && !json_string_length(value)) ||
	       (json_is_array(value) && !json_array_size(value)) ||
	       (json_is_object(value) && !json_object_size(value));
}

bool import_integer(const struct import_node *node, json_int_t *number)
{
	const char *text = json_string_value(node->value);
	gint64 parsed;

	if (json_is_integer(node->value)) {
		*number = json_integer_value(node->value);
		return true;
	}
	/* Terraform's numbers are floating ones. */
	if (json_is_real(node->value)) {
		double real = json_real_value(node->value);

		if (real < -1e9 || real > 1e9 || real != (double)(json_int_t)real)
			return false;
		*number = (json_int_t)real;
		return true;
	}
	if (!text || !g_ascii_string_to_signed(text, 10, -1000000000, 1000000000, &parsed, NULL))
		return false;
	*number = parsed;
	return true;
}

static void append_token(GString *out, const char *key)
{
	for (const char *c = key; *c; c++) {
		if (*c == '~')
			g_string_append(out, "~0");
		else if (*c == '/')
			g_string_append(out, "~1");
		else
			g_string_append_c(out, *c);
	}
}

/* The key as the document spells it. */
static const char *spelled(const struct import_node *node)
{
	const char *name;
	json_t *value;
	void *object = (void *)(uintptr_t)node->parent->value;

	if (json_is_object(node->parent->value) && !json_object_get(object, node->key))
		json_object_foreach (object, name, value)
			if (import_same_key(name, node->key))
				return name;
	return node->key;
}

static void append_way(GString *out, const struct import_node *node)
{
	if (!node->parent)
		return;
	append_way(out, node->parent);
	g_string_append_c(out, '/');
	if (node->key)
		append_token(out, spelled(node));
	else
		g_string_append_printf(out, "%zu", node->index);
}

char *import_pointer(const struct import_node *node)
{
	GString *out = g_string_new(NULL);

	append_way(out, node);
	return g_string_free(out, FALSE);
}

char *import_shown(const struct import_node *node)
{
	g_autofree char *text = NULL;
	char *shown, *dumped;

	if (!node->value)
		return g_strdup("null");
	if (json_is_string(node->value))
		return diag_quote(json_string_value(node->value));
	if (json_is_array(node->value))
		return g_strdup_printf("a list of %zu", json_array_size(node->value));
	if (json_is_object(node->value))
		return g_strdup("an object");
	dumped = json_dumps(node->value, JSON_ENCODE_ANY);
	shown = g_strdup(dumped ? dumped : "?");
	free(dumped);
	return shown;
}
