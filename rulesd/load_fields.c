/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_fields.c - objects by tables of fields: types, ids, unknown fields, errors with their place.
 */
#include "rulesd/load_internal.h"

#include <stdarg.h>
#include <string.h>

#include "rulesd/json_write.h"
#include "rulesd/nearest.h"

static void add_error(struct load *load, uint32_t node, bool at_key, const char *code,
		      const char *fix, const char *format, va_list args)
{
	g_autofree char *message = NULL;
	g_autofree char *pointer = NULL;

	if (diag_full(load->diag)) {
		load->diag->left_out++;
		return;
	}
	message = g_strdup_vprintf(format, args);
	pointer = jdoc_pointer(load->doc, node);
	diag_add(load->diag, code,
		 at_key ? jdoc_key_place(load->doc, node) : jdoc_place(load->doc, node), pointer,
		 fix, "%s", message);
}

void load_error(struct load *load, uint32_t node, const char *code, const char *fix,
		const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(load, node, false, code, fix, format, args);
	va_end(args);
}

void load_error_at_key(struct load *load, uint32_t node, const char *code, const char *fix,
		       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(load, node, true, code, fix, format, args);
	va_end(args);
}

static const char *kind_name(enum jdoc_kind kind)
{
	switch (kind) {
	case JDOC_BOOLEAN:
		return "true or false";
	case JDOC_INTEGER:
		return "an integer";
	case JDOC_STRING:
		return "a string";
	case JDOC_ARRAY:
		return "an array";
	case JDOC_OBJECT:
		return "an object";
	default:
		return "null";
	}
}

/* What was written, short enough for a message: scalars as they are, containers by their kind. */
static char *written(const struct load *load, uint32_t node)
{
	size_t length;
	const char *text = jdoc_text(load->doc, node, &length);
	enum jdoc_kind kind = jdoc_kind(load->doc, node);

	if (kind == JDOC_ARRAY || kind == JDOC_OBJECT || length > 40)
		return g_strdup(jdoc_kind_name(load->doc, node));
	return g_strndup(text, length);
}

bool load_expect(struct load *load, uint32_t node, enum jdoc_kind kind, const char *fix)
{
	g_autofree char *what = NULL;

	if (jdoc_kind(load->doc, node) == kind)
		return true;
	what = written(load, node);
	load_error(load, node, "type", fix, "%s is not %s", what, kind_name(kind));
	return false;
}

void load_wrong_kind(struct load *load, uint32_t node, const char *what, const char *fix)
{
	g_autofree char *token = written(load, node);

	load_error(load, node, "type", fix, "%s is no %s", token, what);
}

char *load_string(struct load *load, uint32_t node, const char *fix)
{
	if (!load_expect(load, node, JDOC_STRING, fix))
		return NULL;
	return jdoc_string(load->doc, node);
}

const char *load_short_string(struct load *load, uint32_t node, const char *fix,
			      struct jdoc_text *text)
{
	text->large = NULL;
	if (!load_expect(load, node, JDOC_STRING, fix))
		return NULL;
	return jdoc_read_string(load->doc, node, text);
}

static void out_of_range(struct load *load, uint32_t node, bool is_integer, int64_t low,
			 int64_t high)
{
	g_autofree char *fix = g_strdup_printf(
		"an integer from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, low, high);
	g_autofree char *what = NULL;

	if (!is_integer) {
		load_expect(load, node, JDOC_INTEGER, fix);
		return;
	}
	what = written(load, node);
	load_error(load, node, "range", fix, "%s is out of range", what);
}

bool load_integer(struct load *load, uint32_t node, int64_t low, int64_t high, int64_t *value)
{
	bool is_integer = jdoc_kind(load->doc, node) == JDOC_INTEGER;
	int64_t number = is_integer ? jdoc_integer(load->doc, node) : 0;

	if (!is_integer || number < low || number > high) {
		out_of_range(load, node, is_integer, low, high);
		return false;
	}
	*value = number;
	return true;
}

static void check_labels(struct load *load, uint32_t node)
{
	if (!load_expect(load, node, JDOC_OBJECT, "labels look like {\"owner\": \"team-a\"}"))
		return;
	for (uint32_t label = jdoc_first(load->doc, node); label;
	     label = jdoc_next(load->doc, label))
		load_expect(load, label, JDOC_STRING, "labels look like {\"owner\": \"team-a\"}");
}

static void unknown_field(struct load *load, uint32_t node, const char *key,
			  const struct load_field *fields)
{
	struct nearest nearest = nearest_new(key);
	g_autoptr(GString) known = g_string_new("known here:");
	g_autofree char *quoted = diag_quote(key);
	g_autofree char *fix = NULL;

	if (diag_full(load->diag)) {
		load->diag->left_out++;
		return;
	}
	for (const struct load_field *field = fields; field->name; field++) {
		nearest_offer(&nearest, field->name);
		if (strcmp(field->name, "description") != 0)
			g_string_append_printf(known, " %s,", field->name);
	}
	nearest_offer(&nearest, "description");
	nearest_offer(&nearest, "labels");
	g_string_append(known, " description, labels");
	fix = nearest_fix(&nearest, known->str);
	load_error_at_key(load, node, "unknown-field", fix, "unknown field %s", quoted);
}

/* A sum, because the order of members does not matter. */
static void add_remark(struct load *load, uint32_t node, const char *key)
{
	struct json_writer writer = {.out = g_string_new(key)};
	uint64_t hash;

	json_write_node(&writer, load->doc, node);
	hash = hash_bytes(writer.out->str, writer.out->len);
	load->remarks += (uint32_t)(hash ^ hash >> 32) | 1;
	g_string_free(writer.out, TRUE);
}

static void read_remark(struct load *load, uint32_t member, const struct load_field *fields)
{
	g_autofree char *key = jdoc_key(load->doc, member);

	if (strcmp(key, "description") == 0)
		load_expect(load, member, JDOC_STRING, NULL);
	else if (strcmp(key, "labels") == 0)
		check_labels(load, member);
	else if (!json_is_annotation(key))
		unknown_field(load, member, key, fields);
	add_remark(load, member, key);
}

static const struct load_field *find_field(const struct jdoc *doc, uint32_t member,
					   const struct load_field *fields)
{
	size_t length;
	const char *plain = jdoc_plain_key(doc, member, &length);

	for (; fields->name; fields++)
		if (plain ? length && fields->name[0] == plain[0] &&
				    strncmp(fields->name, plain, length) == 0 &&
				    fields->name[length] == '\0'
			  : jdoc_key_is(doc, member, fields->name))
			return fields;
	return NULL;
}

void load_object(struct load *load, uint32_t node, const struct load_field *fields, void *object)
{
	uint32_t member;

	if (!load_expect(load, node, JDOC_OBJECT, NULL))
		return;
	for (member = jdoc_first(load->doc, node); member; member = jdoc_next(load->doc, member)) {
		const struct load_field *field = find_field(load->doc, member, fields);

		if (field)
			field->read(load, field, member, (char *)object + field->offset);
		else
			read_remark(load, member, fields);
	}
}

void load_text(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	char **text = out;

	(void)field;
	g_free(*text);
	*text = load_string(load, node, NULL);
}

void load_flag(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	(void)field;
	if (load_expect(load, node, JDOC_BOOLEAN, NULL))
		*(bool *)out = jdoc_boolean(load->doc, node);
}

void load_number(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	int64_t value;

	if (load_integer(load, node, field->low, field->high, &value))
		*(uint32_t *)out = (uint32_t)value;
}

void load_keep(struct load *load, const struct load_field *field, uint32_t node, void *out)
{
	(void)load;
	(void)field;
	*(uint32_t *)out = node;
}
