/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_document.c - documents of a policy or of a patch: header, sections, places of what is found
 * in them later.
 */
#include "rulesd/load_internal.h"

#include <string.h>

#include "rulesd/load.h"

#define DOCUMENT_FIELD(field_name, field)                       \
	{                                                       \
		.name = (field_name), .read = load_keep,        \
		.offset = offsetof(struct load_document, field) \
	}

static const struct load_field document_fields[] = {
	DOCUMENT_FIELD("version", version),	      DOCUMENT_FIELD("network", network_name),
	DOCUMENT_FIELD("networks", networks),	      DOCUMENT_FIELD("groups", groups),
	DOCUMENT_FIELD("prefix_lists", prefix_lists), DOCUMENT_FIELD("interfaces", interfaces),
	DOCUMENT_FIELD("services", services),	      {0},
};

static void document_free(gpointer data)
{
	struct load_document *document = data;

	jdoc_free(&document->doc);
	g_free(document->network);
	g_free(document);
}

/* Nothing else of a document of another version means anything to us. */
static bool check_version(struct load *load, uint32_t node)
{
	int64_t version;

	if (!node) {
		load_error(load, JDOC_ROOT, "missing", "begin with \"version\": 1",
			   "\"version\" is missing");
		return true;
	}
	if (!load_expect(load, node, JDOC_INTEGER, "write \"version\": 1"))
		return false;
	version = jdoc_integer(load->doc, node);
	if (version == 1)
		return true;
	load_error(load, node, "version", version > 1 ? "use a newer one" : "write \"version\": 1",
		   "version %" G_GINT64_FORMAT "; this tapguard reads version 1", version);
	return false;
}

/* The version is looked at first: unknown fields of a newer one are no news. */
static bool is_known_version(struct load *load)
{
	uint32_t version;

	if (!load_expect(load, JDOC_ROOT, JDOC_OBJECT, "a policy begins with {\"version\": 1"))
		return false;
	version = jdoc_member(load->doc, JDOC_ROOT, "version");
	return check_version(load, version);
}

static void read_network_name(struct load *load, struct load_document *document)
{
	uint32_t node = document->network_name;
	g_autofree char *name = node ? load_string(load, node, "the name of a network") : NULL;

	document->network = g_strdup(MODEL_DEFAULT_NETWORK);
	if (!node)
		return;
	if (!name || !load_id(load, node, name, "network", "")) {
		load->incomplete = true;
		return;
	}
	g_free(document->network);
	document->network = g_steal_pointer(&name);
}

void load_header(struct load *load, struct load_document *document)
{
	if (!document->doc) {
		load->incomplete = true;
		return;
	}
	load->doc = document->doc;
	load->incomplete |= jdoc_hides_objects(document->doc);
	document->usable = is_known_version(load);
	if (!document->usable) {
		load->incomplete = true;
		return;
	}
	load_object(load, JDOC_ROOT, document_fields, document);
	read_network_name(load, document);
}

GPtrArray *load_documents(const GPtrArray *sources, struct diag *diag)
{
	GPtrArray *documents = g_ptr_array_new_with_free_func(document_free);

	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *source = sources->pdata[i];
		struct load_document *document = g_new0(struct load_document, 1);

		document->doc = jdoc_parse(source->name, source->text, source->length, diag);
		g_ptr_array_add(documents, document);
	}
	return documents;
}

void load_definitions(struct load *load, const struct load_document *document)
{
	load_map(load, document->services, &load_services);
	load_map(load, document->networks, &load_networks);
}

void load_objects(struct load *load, const struct load_document *document)
{
	load->into = model_network_ensure(load->model, load->network);
	load_map(load, document->groups, &load_groups);
	load_map(load, document->prefix_lists, &load_prefix_lists);
	/* Most have one address. */
	if (document->interfaces)
		model_reserve_interfaces(load->model, load->into,
					 jdoc_count(load->doc, document->interfaces));
	load_map(load, document->interfaces, &load_interfaces);
}

void load_each_document(struct load *load, const GPtrArray *documents, load_document_reader *read)
{
	for (guint i = 0; i < documents->len; i++) {
		const struct load_document *document = documents->pdata[i];

		if (!document->usable)
			continue;
		load->doc = document->doc;
		load->network = document->network;
		read(load, document);
	}
}

/* validate.c knows objects and pointers; the place of the value is in the document. */
static void locate(const GPtrArray *documents, struct diag_entry *entry)
{
	for (guint i = 0; i < documents->len; i++) {
		const struct load_document *document = documents->pdata[i];
		uint32_t node;

		if (!document->usable || jdoc_file(document->doc) != entry->place.file)
			continue;
		node = jdoc_find(document->doc, entry->place, entry->pointer);
		if (node)
			entry->place = jdoc_place(document->doc, node);
		return;
	}
}

void load_locate(const GPtrArray *documents, const struct diag *diag, guint first)
{
	for (guint i = first; i < diag->entries->len; i++) {
		struct diag_entry *entry = diag->entries->pdata[i];

		if (entry->pointer && entry->place.line)
			locate(documents, entry);
	}
}

static guint file_order(const GPtrArray *sources, const char *file)
{
	guint i = 0;

	while (i < sources->len &&
	       g_strcmp0(((const struct load_source *)sources->pdata[i])->name, file) != 0)
		i++;
	return i;
}

static gint compare_entries(gconstpointer a, gconstpointer b, gpointer order)
{
	const struct diag_entry *x = *(const struct diag_entry *const *)a;
	const struct diag_entry *y = *(const struct diag_entry *const *)b;

	if (x->place.file != y->place.file)
		return GPOINTER_TO_INT(g_hash_table_lookup(order, x->place.file)) -
		       GPOINTER_TO_INT(g_hash_table_lookup(order, y->place.file));
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	if (x->place.column != y->place.column)
		return x->place.column < y->place.column ? -1 : 1;
	return 0;
}

/* In the order of the files and of their text, whichever pass found them. */
void load_sort_errors(struct diag *diag, guint first, const GPtrArray *sources)
{
	g_autoptr(GHashTable) order = g_hash_table_new(NULL, NULL);
	guint count = diag->entries->len - first;

	for (guint i = first; i < diag->entries->len; i++) {
		const struct diag_entry *entry = diag->entries->pdata[i];
		gpointer file = (gpointer)(uintptr_t)entry->place.file;

		if (!g_hash_table_contains(order, file))
			g_hash_table_insert(order, file,
					    GUINT_TO_POINTER(file_order(sources, file)));
	}
	if (count)
		g_qsort_with_data(diag->entries->pdata + first, (gint)count, sizeof(gpointer),
				  compare_entries, order);
}
