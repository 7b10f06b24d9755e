/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_import.c - any bytes as a file of another system: it is refused with an entry, or becomes a
 * policy that the loader takes, unless it is larger than a policy may be. What came from AWS can go
 * back and come again.
 *
 * The first byte chooses the format and whether VPCs stay apart.
 */
#include <string.h>

#include "ctl/export_aws.h"
#include "ctl/import_read.h"
#include "rulesd/cleanup.h"
#include "tests/fuzz/fuzz.h"

static GPtrArray *sources_of(const char *text, size_t length)
{
	GPtrArray *sources = load_sources_new();
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup("fuzz");
	source->text = g_malloc(length + 1);
	memcpy(source->text, text, length);
	source->text[length] = '\0';
	source->length = length;
	g_ptr_array_add(sources, source);
	return sources;
}

/* Limits of a policy are the only thing that an import may find out late. */
static void only_limits(const struct diag *diag)
{
	FUZZ_EXPECT(diag->entries->len, "refused without a word");
	for (guint i = 0; i < diag->entries->len; i++) {
		const struct diag_entry *entry = g_ptr_array_index(diag->entries, i);

		FUZZ_EXPECT(!strcmp(entry->code, "limit"), "%s: %s", entry->code, entry->message);
	}
}

/* NULL when the file or the policy is refused. */
static GPtrArray *policy_of(const char *format, const char *text, size_t length, bool apart)
{
	g_autoptr(GPtrArray) sources = sources_of(text, length);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(import_free) struct import *import = NULL;
	const struct import_options options = {.device = apart ? NULL : "tap%.11I"};
	GPtrArray *policy;

	if (import_sources(format, sources, &options, apart, &import, diag)) {
		FUZZ_EXPECT(diag_any(diag), "refused without a word");
		return NULL;
	}
	FUZZ_EXPECT(!diag_any(diag), "imported with an error");
	policy = import_policy_sources(import, apart, diag);
	if (!policy)
		only_limits(diag);
	return policy;
}

static void there_and_back(const GPtrArray *policy)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *model = NULL;
	CLEANUP(import_report_free) struct import_report *report = import_report_new();
	AUTO_JSON json_t *document = NULL;
	GPtrArray *again;
	char *text;

	FUZZ_EXPECT(load_policy(policy, &model, diag) == 0, "the canonical form is refused");
	document = export_aws(policy, model, report);
	text = json_dumps(document, JSON_COMPACT);
	FUZZ_EXPECT(text, "the export is no JSON");
	again = policy_of("aws", text, strlen(text), false);
	FUZZ_EXPECT(!again || again->len == 1, "%u policies came back", again->len);
	free(text);
	if (again)
		g_ptr_array_unref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = {"aws", "terraform", "neutron"};
	g_autoptr(GPtrArray) policy = NULL;
	unsigned int format;

	if (!size)
		return 0;
	format = data[0] % 3;
	policy = policy_of(formats[format], (const char *)data + 1, size - 1, data[0] & 0x80);
	if (policy && format == 0)
		there_and_back(policy);
	return 0;
}
