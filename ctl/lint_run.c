/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_run.c - one run of all checks over a policy. See lint.h. */
#include "ctl/lint.h"

#include "ctl/lint_internal.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"

static void free_doc(gpointer data)
{
	struct jdoc *doc = data;

	jdoc_free(&doc);
}

/* The texts passed load_policy, so that they parse again. */
static GPtrArray *parse(const GPtrArray *sources)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	GPtrArray *docs = g_ptr_array_new_with_free_func(free_doc);

	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *source = g_ptr_array_index(sources, i);

		g_ptr_array_add(docs, jdoc_parse(source->name, source->text, source->length, diag));
	}
	g_assert(!diag_any(diag));
	return docs;
}

struct lint_at lint_at_interface(const struct lint *lint, const struct model_interface *iface,
				 const char *path)
{
	struct lint_at at = {.network = iface->network,
			     .kind = "interface",
			     .id = iface->id,
			     .place = iface->place};

	g_snprintf(at.pointer, sizeof(at.pointer), "/interfaces/%s%s", iface->id, path);
	for (guint i = 0; *path && i < lint->docs->len; i++) {
		const struct jdoc *doc = g_ptr_array_index(lint->docs, i);
		uint32_t node = jdoc_file(doc) == at.place.file
					? jdoc_find(doc, iface->place, at.pointer)
					: 0;

		if (node) {
			at.place = jdoc_key_place(doc, node);
			return at;
		}
	}
	/* What is missing is said of the object. */
	g_snprintf(at.pointer, sizeof(at.pointer), "/interfaces/%s", iface->id);
	return at;
}

void lint_run(const GPtrArray *sources, const struct model *model, const struct lint_live *live,
	      struct lint_result *result)
{
	g_autoptr(GPtrArray) docs = parse(sources);
	CLEANUP(cover_peers_free) struct cover_peers *peers = cover_peers_new(model);
	struct lint lint = {.model = model,
			    .sources = sources,
			    .live = live,
			    .findings = lint_findings_new(),
			    .peers = peers,
			    .docs = docs};

	lint_index_make(&lint);
	lint_check_redundancy(&lint);
	lint_check_rules(&lint);
	lint_check_exposure(&lint);
	lint_check_references(&lint);
	lint_check_definitions(&lint);
	lint_check_interfaces(&lint);
	lint_check_quotas(&lint);
	lint_check_descriptions(&lint);
	result->ignored = lint_apply_ignores(&lint);
	lint_index_clear(&lint);
	lint_findings_sort(lint.findings, sources);
	result->findings = lint.findings;
}

void lint_result_clear(struct lint_result *result)
{
	lint_findings_free(&result->findings);
}
