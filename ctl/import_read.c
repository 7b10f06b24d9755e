/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_read.c - see import_read.h. */
#include "ctl/import_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/import_formats.h"
#include "rulesd/cleanup.h"

static const struct {
	const char *name;
	const char *remark; /* "x-…" */
	void (*read)(struct import *import, const struct import_node *root);
} formats[] = {
	{"aws", "aws", import_aws},
	{"terraform", "aws", import_terraform},
	{"neutron", "neutron", import_neutron},
};

const char *const import_formats[] = {"aws", "terraform", "neutron", NULL};

/* A message holds UTF-8 only, a name of a file any bytes. */
static const char *shown_name(const char *name)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);

	return g_intern_string(valid);
}

/* PowerShell begins the files that it writes with a mark, in UTF-8 or in UTF-16. */
static char *without_mark(const char *text, size_t length, size_t *shorter)
{
	gsize written = 0;
	char *converted;

	if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		*shorter = length - 3;
		return g_strndup(text + 3, length - 3);
	}
	if (length < 2 || (memcmp(text, "\xff\xfe", 2) != 0 && memcmp(text, "\xfe\xff", 2) != 0))
		return NULL;
	converted = g_convert(text, (gssize)length, "UTF-8", "UTF-16", NULL, &written, NULL);
	*shorter = written;
	return converted;
}

json_t *import_parse(const struct load_source *source, struct diag *diag)
{
	struct place place = {.file = shown_name(source->name)};
	size_t length = source->length;
	g_autofree char *plain = NULL;
	json_error_t error;
	json_t *document;

	plain = without_mark(source->text, length, &length);
	document = json_loadb(plain ? plain : source->text, length,
			      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (json_is_object(document) || json_is_array(document))
		return document;
	if (document) {
		json_decref(document);
		diag_add(diag, "type", place, "", NULL, "this is neither an object nor a list");
		return NULL;
	}
	place.line = error.line > 0 ? (unsigned int)error.line : 0;
	place.column = error.column > 0 ? (unsigned int)error.column : 0;
	diag_add(diag, "syntax", place, NULL, NULL, "this is not JSON: %s", error.text);
	return NULL;
}

static void read_source(struct import *import, guint format, const struct load_source *source)
{
	json_t *document = import_parse(source, import->diag);
	unsigned int found = import->found, reported = import_report_count(import->report);
	struct import_node root;

	if (!document)
		return;
	g_ptr_array_add(import->documents, document);
	root = import_root(shown_name(source->name), document);
	formats[format].read(import, &root);
	if (import->found == found && import_report_count(import->report) == reported)
		import_report_add(import->report, IMPORT_ASSUMED, "nothing", NULL, &root,
				  "there is no group, rule, interface or prefix list in it");
}

static bool grew(const struct diag *diag, guint before)
{
	return diag->entries->len + diag->left_out > before;
}

int import_sources(const char *format, const GPtrArray *sources,
		   const struct import_options *options, bool apart, struct import **import,
		   struct diag *diag)
{
	CLEANUP(import_free) struct import *made = NULL;
	guint before = diag->entries->len + diag->left_out, f = 0;

	while (f + 1 < G_N_ELEMENTS(formats) && strcmp(formats[f].name, format) != 0)
		f++;
	made = import_new(formats[f].remark, options, diag);
	for (guint i = 0; i < sources->len; i++)
		read_source(made, f, sources->pdata[i]);
	if (grew(diag, before) || import_settle(made, apart) || import_devices(made))
		return -EINVAL;
	*import = TAKE_PTR(made);
	return 0;
}

static void add_source(GPtrArray *sources, const char *name, char *text)
{
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup(name);
	source->text = text;
	source->length = strlen(text);
	g_ptr_array_add(sources, source);
}

static void add_document(GPtrArray *sources, const char *name, const json_t *document)
{
	char *text = json_dumps(document, JSON_COMPACT);

	add_source(sources, name, g_strdup(text));
	free(text);
}

/* Each of them in its canonical form. */
static GPtrArray *canonical(const GPtrArray *sources)
{
	GPtrArray *out = load_sources_new();

	for (guint i = 0; i < sources->len; i++) {
		struct load_source *source = sources->pdata[i];
		g_autoptr(GPtrArray) one = g_ptr_array_new();

		g_ptr_array_add(one, source);
		add_source(out, source->name, load_canonical(one));
	}
	return out;
}

/* Nobody can look at the lines of a text that was never written. */
static void forget_lines(struct diag *diag, guint from)
{
	for (guint i = from; i < diag->entries->len; i++) {
		struct diag_entry *entry = diag->entries->pdata[i];

		entry->place.line = entry->place.column = 0;
	}
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *import_policy_sources(const struct import *import, bool apart, struct diag *diag)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	AUTO_JSON json_t *documents =
		apart ? import_documents(import)
		      : json_pack("{s:o}", "imported-policy", import_document(import));
	CLEANUP(model_free) struct model *model = NULL;
	guint before = diag->entries->len;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *name;
	json_t *document;

	json_object_foreach (documents, name, document)
		g_ptr_array_add(names, (void *)(uintptr_t)name);
	g_ptr_array_sort(names, by_name);
	for (guint i = 0; i < names->len; i++)
		add_document(sources, names->pdata[i], json_object_get(documents, names->pdata[i]));
	if (!load_policy(sources, &model, diag))
		return canonical(sources);
	forget_lines(diag, before);
	return NULL;
}
