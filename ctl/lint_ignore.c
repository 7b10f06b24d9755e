/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_ignore.c - SG901, SG902 and x-lint-ignore: findings that a policy accepts where they are.
 *
 * "x-lint-ignore": "SG201", ["SG201", "SG602"] or {"SG201": "the bastion, ticket 4711"} in any
 * object holds for it and all within.
 */
#include <string.h>

#include "ctl/lint_internal.h"
#include "rulesd/cleanup.h"

#define KEY "x-lint-ignore"

struct ignore {
	const struct lint_check *check;
	struct place place; /* of the code */
	char *pointer;	    /* of the code */
	bool used;
};

struct ignores {
	struct lint *lint;
	const struct jdoc *doc;
	GPtrArray *all;	   /* of struct ignore */
	GHashTable *index; /* "FILE\nPOINTER of the object" -> GPtrArray of struct ignore */
};

static void free_ignore(gpointer data)
{
	struct ignore *ignore = data;

	g_free(ignore->pointer);
	g_free(ignore);
}

static void free_list(gpointer list)
{
	g_ptr_array_unref(list);
}

/* About a key of the document, not about an object of the model: named by its pointer. */
static void report(struct lint *lint, enum lint_code code, struct place place, const char *pointer,
		   const char *fix, const char *message)
{
	struct lint_at at = {.network = "", .kind = "ignore", .id = pointer, .place = place};

	struct lint_finding *finding;

	lint_add(lint->findings, code, &at, message, fix, "%s", message);
	finding = g_ptr_array_index(lint->findings->all, lint->findings->all->len - 1);
	finding->pointer = g_strdup(pointer);
}

static char *index_key(const char *file, const char *pointer, size_t length)
{
	return g_strdup_printf("%s\n%.*s", file, (int)length, pointer);
}

/* ------------------------------------------------------------------ collecting */

/* node: a string that is a code, or a member whose key is one. */
static void add_code(struct ignores *ignores, uint32_t object, uint32_t node, const char *name)
{
	const struct lint_check *check = lint_check_find(name);
	g_autofree char *pointer = jdoc_pointer(ignores->doc, node);
	g_autofree char *of = jdoc_pointer(ignores->doc, object);
	g_autofree char *key = index_key(jdoc_file(ignores->doc), of, strlen(of));
	struct ignore *ignore;
	GPtrArray *list;

	if (!check) {
		g_autofree char *quoted = diag_quote(name);
		g_autofree char *message = g_strdup_printf("there is no check %s", quoted);

		report(ignores->lint, LINT_IGNORE_WRONG, jdoc_key_place(ignores->doc, node),
		       pointer, "sgctl help lint lists them", message);
		return;
	}
	ignore = g_new0(struct ignore, 1);
	ignore->check = check;
	ignore->place = jdoc_key_place(ignores->doc, node);
	ignore->pointer = TAKE_PTR(pointer);
	g_ptr_array_add(ignores->all, ignore);
	list = g_hash_table_lookup(ignores->index, key);
	if (!list) {
		list = g_ptr_array_new();
		g_hash_table_insert(ignores->index, TAKE_PTR(key), list);
	}
	g_ptr_array_add(list, ignore);
}

static void add_string(struct ignores *ignores, uint32_t object, uint32_t node)
{
	g_autofree char *pointer = NULL;
	g_autofree char *name = NULL;

	if (jdoc_kind(ignores->doc, node) == JDOC_STRING) {
		name = jdoc_string(ignores->doc, node);
		add_code(ignores, object, node, name);
		return;
	}
	pointer = jdoc_pointer(ignores->doc, node);
	report(ignores->lint, LINT_IGNORE_WRONG, jdoc_place(ignores->doc, node), pointer,
	       "as \"SG201\", [\"SG201\"] or {\"SG201\": \"the reason\"}", "this is no code");
}

static void read_value(struct ignores *ignores, uint32_t object, uint32_t value)
{
	const struct jdoc *doc = ignores->doc;
	enum jdoc_kind kind = jdoc_kind(doc, value);

	if (kind != JDOC_ARRAY && kind != JDOC_OBJECT) {
		add_string(ignores, object, value);
		return;
	}
	for (uint32_t node = jdoc_first(doc, value); node; node = jdoc_next(doc, node)) {
		g_autofree char *name = kind == JDOC_OBJECT ? jdoc_key(doc, node) : NULL;

		if (name)
			add_code(ignores, object, node, name);
		else
			add_string(ignores, object, node);
	}
}

/* Not deeper than JDOC_MAX_DEPTH. */
static void walk(struct ignores *ignores, uint32_t node)
{
	const struct jdoc *doc = ignores->doc;
	enum jdoc_kind kind = jdoc_kind(doc, node);

	if (kind != JDOC_OBJECT && kind != JDOC_ARRAY)
		return;
	for (uint32_t child = jdoc_first(doc, node); child; child = jdoc_next(doc, child)) {
		g_autofree char *key = kind == JDOC_OBJECT ? jdoc_key(doc, child) : NULL;

		if (key && strcmp(key, KEY) == 0)
			read_value(ignores, node, child);
		else if (!key || !json_is_annotation(key))
			walk(ignores, child);
	}
}

/* ------------------------------------------------------------------ applying */

static bool accepted_at(const struct ignores *ignores, const struct lint_finding *finding,
			size_t length)
{
	g_autofree char *key = index_key(finding->place.file, finding->pointer, length);
	const GPtrArray *list = g_hash_table_lookup(ignores->index, key);

	for (guint i = 0; list && i < list->len; i++) {
		struct ignore *ignore = g_ptr_array_index(list, i);

		if (ignore->check == finding->check) {
			ignore->used = true;
			return true;
		}
	}
	return false;
}

/* Not by the object itself or one around it. */
static bool is_not_accepted(const struct lint_finding *finding, void *ignores)
{
	if (!finding->place.file || !finding->pointer)
		return true;
	for (size_t length = strlen(finding->pointer);; length--) {
		if ((finding->pointer[length] == '\0' || finding->pointer[length] == '/') &&
		    accepted_at(ignores, finding, length))
			return false;
		if (!length)
			return true;
	}
}

unsigned int lint_apply_ignores(struct lint *lint)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(free_ignore);
	g_autoptr(GHashTable) index =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_list);
	struct ignores ignores = {.lint = lint, .all = all, .index = index};
	unsigned int taken;

	for (guint i = 0; i < lint->docs->len; i++) {
		ignores.doc = g_ptr_array_index(lint->docs, i);
		walk(&ignores, JDOC_ROOT);
	}
	taken = all->len ? lint_findings_filter(lint->findings, is_not_accepted, &ignores) : 0;
	for (guint i = 0; i < all->len; i++) {
		const struct ignore *ignore = g_ptr_array_index(all, i);
		g_autofree char *message =
			g_strdup_printf("%s accepts no finding", ignore->check->code);

		/* Without the daemon nothing is found that it could accept. */
		if (ignore->used || (!lint->live && ignore->check == &lint_checks[LINT_NEVER_HIT]))
			continue;
		report(lint, LINT_IGNORE_UNUSED, ignore->place, ignore->pointer, "remove it",
		       message);
	}
	return taken;
}
