/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_baseline.c - see lint_baseline.h. */
#include "ctl/lint_baseline.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

#include "ctl/policy_files.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"

struct lint_baseline {
	json_t *document;
	GHashTable *entries; /* fingerprint -> json_t *, borrowed from the document */
};

void lint_baseline_free(struct lint_baseline **baseline)
{
	if (!*baseline)
		return;
	g_hash_table_unref((*baseline)->entries);
	json_decref((*baseline)->document);
	g_free(TAKE_PTR(*baseline));
}

static int refuse(struct diag *diag, const char *path, const char *pointer, const char *message)
{
	struct place place = {.file = g_intern_string(path)};

	diag_add(diag, "baseline", place, pointer, "sgctl lint --write-baseline writes one", "%s",
		 message);
	return -EINVAL;
}

static int read_entries(const json_t *document, GHashTable *entries, const char *path,
			struct diag *diag)
{
	const json_t *findings = json_object_get(document, "findings"), *entry;
	size_t i;

	if (json_integer_value(json_object_get(document, "version")) != 1)
		return refuse(diag, path, "/version", "no baseline of version 1");
	if (!json_is_array(findings))
		return refuse(diag, path, "/findings", "\"findings\" is no array");
	json_array_foreach (findings, i, entry) {
		const char *fingerprint = json_string_value(json_object_get(entry, "fingerprint"));
		g_autofree char *pointer = g_strdup_printf("/findings/%zu", i);

		if (!fingerprint || strlen(fingerprint) != LINT_FINGERPRINT_SIZE - 1)
			return refuse(diag, path, pointer,
				      "\"fingerprint\" is no text of 32 hexadecimal digits");
		g_hash_table_insert(entries, (gpointer)(uintptr_t)fingerprint,
				    (gpointer)(uintptr_t)entry);
	}
	return 0;
}

int lint_baseline_read(const char *path, struct lint_baseline **baseline, struct diag *diag)
{
	g_autoptr(GHashTable) entries = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GPtrArray) sources = NULL;
	const struct load_source *source;
	AUTO_JSON json_t *document = NULL;
	json_error_t error;
	int result;

	g_ptr_array_add(paths, (gpointer)(uintptr_t)path);
	result = json_files_read(paths, false, &sources, diag);
	if (result)
		return result;
	source = sources->pdata[0];
	document = json_loadb(source->text, source->length, JSON_REJECT_DUPLICATES, &error);
	if (!document) {
		struct place place = {.file = g_intern_string(path),
				      .line = (unsigned int)MAX(error.line, 0),
				      .column = (unsigned int)MAX(error.column, 0)};

		diag_add(diag, "syntax", place, NULL, NULL, "%s", error.text);
		return -EINVAL;
	}
	result = read_entries(document, entries, path, diag);
	if (result)
		return result;
	*baseline = g_new0(struct lint_baseline, 1);
	(*baseline)->document = TAKE_PTR(document);
	(*baseline)->entries = TAKE_PTR(entries);
	return 0;
}

/* Entries that were met. */
struct meeting {
	const struct lint_baseline *baseline;
	GHashTable *met;
};

static bool is_new(const struct lint_finding *finding, void *arg)
{
	const struct meeting *meeting = arg;
	gpointer entry = g_hash_table_lookup(meeting->baseline->entries, finding->fingerprint);

	if (entry)
		g_hash_table_add(meeting->met, entry);
	return !entry;
}

unsigned int lint_baseline_apply(const struct lint_baseline *baseline,
				 struct lint_findings *findings, unsigned int *gone)
{
	g_autoptr(GHashTable) met = g_hash_table_new(NULL, NULL);
	struct meeting meeting = {.baseline = baseline, .met = met};
	unsigned int accepted = lint_findings_filter(findings, is_new, &meeting);

	*gone = g_hash_table_size(baseline->entries) - g_hash_table_size(met);
	return accepted;
}

/* What people added to the entry of before, and what is found now. */
static json_t *new_entry(const struct lint_finding *finding, const struct lint_baseline *before)
{
	const json_t *old =
		before ? g_hash_table_lookup(before->entries, finding->fingerprint) : NULL;
	json_t *entry = json_pack("{ss ss ss ss}", "fingerprint", finding->fingerprint, "code",
				  finding->check->code, "subject", finding->subject, "message",
				  finding->message);

	if (old) {
		json_t *copy = json_copy((json_t *)(uintptr_t)old);

		json_object_update_missing(entry, copy);
		json_decref(copy);
	}
	return entry;
}

int lint_baseline_write(const char *path, const struct lint_findings *findings,
			const struct lint_baseline *before, struct diag *diag)
{
	json_t *entries = json_array();
	AUTO_JSON json_t *document = json_pack("{si so}", "version", 1, "findings", entries);
	g_autoptr(GError) failure = NULL;
	g_autofree char *text = NULL;
	g_autofree char *lines = NULL;

	for (guint i = 0; i < findings->all->len; i++)
		json_array_append_new(entries,
				      new_entry(g_ptr_array_index(findings->all, i), before));
	text = json_dumps(document, JSON_INDENT(2));
	lines = g_strconcat(text, "\n", NULL);
	if (g_file_set_contents(path, lines, -1, &failure))
		return 0;
	diag_add(diag, "io", (struct place){.file = g_intern_string(path)}, NULL, NULL,
		 "cannot write it: %s", failure->message);
	return -EIO;
}
