/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_map.c - ids, and the sections of a document, which are maps of them.
 */
#include "rulesd/load_internal.h"

#include <string.h>

#include "rulesd/cleanup.h"

static bool is_id_letter(char c)
{
	return g_ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
}

bool load_is_id(const char *id, const char *prefix)
{
	size_t length = 0, start = strlen(prefix);

	while (is_id_letter(id[length]))
		length++;
	return id[length] == '\0' && length > start && length <= MODEL_MAX_ID &&
	       strncmp(id, prefix, start) == 0 && (start || strncmp(id, "x-", 2) != 0);
}

static void id_error(struct load *load, uint32_t node, bool at_key, const char *id,
		     const char *what, const char *prefix)
{
	g_autofree char *quoted = diag_quote(id);
	g_autofree char *fix = NULL;

	fix = g_strdup_printf("letters, digits, '.', '_' and '-', at most %d%s%s%s", MODEL_MAX_ID,
			      prefix[0] ? ", starting with \"" : "", prefix, prefix[0] ? "\"" : "");
	if (at_key)
		load_error_at_key(load, node, "id", fix, "%s is no %s id", quoted, what);
	else
		load_error(load, node, "id", fix, "%s is no %s id", quoted, what);
}

bool load_id(struct load *load, uint32_t node, const char *id, const char *what, const char *prefix)
{
	if (load_is_id(id, prefix))
		return true;
	id_error(load, node, false, id, what, prefix);
	return false;
}

/*
 * "x-" keys may stand anywhere, ids of interfaces, networks and services may begin with anything.
 * So that nothing which looks like an interface is ever passed over, an object under such a key is
 * an error there.
 */
static bool is_annotation_in_map(struct load *load, uint32_t node, const char *key,
				 const struct load_section *section)
{
	const char *what = section->what, *prefix = section->prefix;

	if (!json_is_annotation(key))
		return false;
	if (load->removals)
		load_error_at_key(load, node, "unknown-field",
				  "a patch changes objects; put remarks into them",
				  "a remark in a section of a patch");
	else if (prefix[0] == '\0' && jdoc_kind(load->doc, node) == JDOC_OBJECT)
		load_error_at_key(load, node, "id",
				  "use another id, or a value that is not an object",
				  "keys that start with \"x-\" are remarks, not ids of %ss", what);
	return true;
}

/* In a patch null takes the object away. */
static void note_removal(struct load *load, uint32_t node, const char *id, enum model_kind kind)
{
	const struct load_removal removal = {
		.kind = kind,
		.doc = load->doc,
		.node = node,
		.id = g_strdup(id),
		.network = g_strdup(load->network),
		.place = jdoc_key_place(load->doc, node),
	};

	g_array_append_val(load->removals, removal);
}

void load_map(struct load *load, uint32_t node, const struct load_section *section)
{
	uint32_t member;

	if (!node)
		return;
	if (!load_expect(load, node, JDOC_OBJECT, NULL)) {
		load->incomplete = true;
		return;
	}
	if (load_map_parallel(load, node, section))
		return;
	for (member = jdoc_first(load->doc, node); member; member = jdoc_next(load->doc, member)) {
		CLEANUP(jdoc_text_clear) struct jdoc_text text;
		const char *id = jdoc_read_key(load->doc, member, &text);

		if (is_annotation_in_map(load, member, id, section))
			continue;
		if (!load_is_id(id, section->prefix))
			id_error(load, member, true, id, section->what, section->prefix);
		else if (load->removals && jdoc_kind(load->doc, member) == JDOC_NULL)
			note_removal(load, member, id, section->kind);
		else
			section->read(load, member, id);
	}
}

void load_defined_twice(struct load *load, uint32_t node, const char *what, const char *id,
			struct place first)
{
	load_error_at_key(load, node, "duplicate-id", "keep one of them",
			  "%s \"%s\" is defined at %s:%u:%u already", what, id, first.file,
			  first.line, first.column);
}
