/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_finding.c - making, naming and ordering findings. See lint_finding.h. */
#include "ctl/lint_finding.h"

#include <stdarg.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/names.h"

static void free_finding(gpointer data)
{
	struct lint_finding *finding = data;

	g_free(finding->network);
	g_free(finding->subject);
	g_free(finding->rule);
	g_free(finding->pointer);
	g_free(finding->message);
	g_free(finding->fix);
	g_free(finding);
}

struct lint_findings *lint_findings_new(void)
{
	struct lint_findings *findings = g_new0(struct lint_findings, 1);

	findings->all = g_ptr_array_new_with_free_func(free_finding);
	return findings;
}

void lint_findings_free(struct lint_findings **findings)
{
	if (!*findings)
		return;
	g_ptr_array_unref((*findings)->all);
	g_free(TAKE_PTR(*findings));
}

/* ------------------------------------------------------------------ places */

/* Ids have no character that a pointer would escape. */
struct lint_at lint_at_group(const struct model_group *group)
{
	struct lint_at at = {
		.network = group->network, .kind = "group", .id = group->id, .place = group->place};

	g_snprintf(at.pointer, sizeof(at.pointer), "/groups/%s", group->id);
	return at;
}

struct lint_at lint_at_rule(const struct model_group *group, const struct model_rule *rule,
			    guint index)
{
	struct lint_at at = lint_at_group(group);

	at.kind = dir_name(rule->direction);
	at.rule_id = rule->id;
	/* An implied rule stands nowhere: its group does. */
	if (rule->implied)
		return at;
	at.place = rule->place;
	g_snprintf(at.pointer, sizeof(at.pointer), "/groups/%s/%s/%u", group->id, at.kind, index);
	return at;
}

struct lint_at lint_at_peer(const struct model_group *group, const struct model_rule *rule,
			    guint index, guint peer)
{
	const struct model_peer *found = g_ptr_array_index(rule->peers, peer);
	struct lint_at at = lint_at_rule(group, rule, index);
	size_t length = strlen(at.pointer);

	if (rule->implied)
		return at;
	at.place = found->place;
	g_snprintf(at.pointer + length, sizeof(at.pointer) - length, "/%s/%u",
		   rule->direction == SG_INGRESS ? "from" : "to", peer);
	return at;
}

struct lint_at lint_at_list(const struct model_prefix_list *list)
{
	struct lint_at at = {.network = list->network,
			     .kind = "prefix_list",
			     .id = list->id,
			     .place = list->place};

	g_snprintf(at.pointer, sizeof(at.pointer), "/prefix_lists/%s", list->id);
	return at;
}

/* ------------------------------------------------------------------ findings */

static void checksum_part(GChecksum *sum, const char *part)
{
	/* With its NUL, so that parts cannot run into each other. */
	g_checksum_update(sum, (const guchar *)(part ? part : ""),
			  (gssize)strlen(part ? part : "") + 1);
}

static void set_fingerprint(struct lint_finding *finding, const struct lint_at *at,
			    const char *detail)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);

	checksum_part(sum, finding->check->code);
	checksum_part(sum, at->network);
	checksum_part(sum, at->kind);
	checksum_part(sum, at->id);
	checksum_part(sum, at->rule_id);
	checksum_part(sum, detail);
	g_strlcpy(finding->fingerprint, g_checksum_get_string(sum), LINT_FINGERPRINT_SIZE);
	g_checksum_free(sum);
}

void lint_add(struct lint_findings *findings, enum lint_code code, const struct lint_at *at,
	      const char *detail, const char *fix, const char *format, ...)
{
	struct lint_finding *finding = g_new0(struct lint_finding, 1);
	va_list list;

	va_start(list, format);
	finding->message = g_strdup_vprintf(format, list);
	va_end(list);
	finding->check = &lint_checks[code];
	finding->network = g_strdup(at->network);
	finding->rule = at->rule_id ? g_strdup_printf("%s/%s", at->id, at->rule_id) : NULL;
	finding->subject = g_strdup(finding->rule ? finding->rule : at->id);
	finding->place = at->place;
	finding->pointer = at->place.file && at->pointer[0] ? g_strdup(at->pointer) : NULL;
	finding->fix = g_strdup(fix);
	set_fingerprint(finding, at, detail);
	g_ptr_array_add(findings->all, finding);
}

unsigned int lint_findings_filter(struct lint_findings *findings, lint_keep *keep, void *arg)
{
	GPtrArray *all = findings->all;
	guint kept = 0, before = all->len;

	for (guint i = 0; i < before; i++) {
		gpointer finding = all->pdata[i];

		if (!keep(finding, arg))
			continue;
		all->pdata[i] = all->pdata[kept];
		all->pdata[kept++] = finding;
	}
	g_ptr_array_set_size(all, (gint)kept);
	return before - kept;
}

/* ------------------------------------------------------------------ order */

static int compare_numbers(guint a, guint b)
{
	return (a > b) - (a < b);
}

static int compare_findings(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct lint_finding *x = *(const struct lint_finding *const *)a;
	const struct lint_finding *y = *(const struct lint_finding *const *)b;
	GHashTable *order = data;
	int result = compare_numbers(GPOINTER_TO_UINT(g_hash_table_lookup(order, x->place.file)),
				     GPOINTER_TO_UINT(g_hash_table_lookup(order, y->place.file)));

	if (!result)
		result = compare_numbers(x->place.line, y->place.line);
	if (!result)
		result = compare_numbers(x->place.column, y->place.column);
	if (!result)
		result = strcmp(x->check->code, y->check->code);
	if (!result)
		result = strcmp(x->subject, y->subject);
	return result ? result : strcmp(x->message, y->message);
}

void lint_findings_sort(struct lint_findings *findings, const GPtrArray *sources)
{
	g_autoptr(GHashTable) order = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *source = g_ptr_array_index(sources, i);
		gpointer name = (gpointer)(uintptr_t)g_intern_string(source->name);

		g_hash_table_insert(order, name, GUINT_TO_POINTER(i + 1));
	}
	g_ptr_array_sort_with_data(findings->all, compare_findings, order);
}
