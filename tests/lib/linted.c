/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linted.c - see linted.h.
 */
#include "tests/lib/linted.h"

#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "tests/lib/check.h"
#include "tests/lib/policy.h"

static struct model *load(const GPtrArray *sources, const char *text)
{
	struct diag *diag = diag_new();
	struct model *model = NULL;

	if (load_policy(sources, &model, diag))
		fail_msg("%s\n%s", policy_diag_text(diag), text);
	diag_free(&diag);
	return model;
}

struct linted *linted_new(const char *text, const struct lint_live *live)
{
	struct linted *linted = g_new0(struct linted, 1);
	g_auto(GStrv) parts = g_strsplit(text, "\n---\n", -1);
	char name[] = "a.json";

	linted->sources = load_sources_new();
	for (char **part = parts; *part; part++, name[0]++)
		policy_add_source(linted->sources, name, *part, strlen(*part));
	linted->model = load(linted->sources, text);
	lint_run(linted->sources, linted->model, live, &linted->result);
	return linted;
}

void linted_free(struct linted **linted)
{
	if (!*linted)
		return;
	lint_result_clear(&(*linted)->result);
	model_free(&(*linted)->model);
	g_ptr_array_unref((*linted)->sources);
	g_free(TAKE_PTR(*linted));
}

char *linted_text(const struct linted *linted, const char *only)
{
	const GPtrArray *all = linted->result.findings->all;
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < all->len; i++) {
		const struct lint_finding *finding = g_ptr_array_index(all, i);

		if (!only || strstr(only, finding->check->code))
			g_string_append_printf(text, "%s %s\n", finding->check->code,
					       finding->subject);
	}
	return g_string_free(text, FALSE);
}

const struct lint_finding *linted_find(const struct linted *linted, const char *code)
{
	const GPtrArray *all = linted->result.findings->all;

	for (guint i = 0; i < all->len; i++) {
		const struct lint_finding *finding = g_ptr_array_index(all, i);

		if (strcmp(finding->check->code, code) == 0)
			return finding;
	}
	return NULL;
}
