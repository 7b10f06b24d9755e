/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_live.c - what the daemon counted, by rule, and what is attached by hand. */
#include <string.h>

#include "ctl/lint_internal.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

struct lint_live {
	GHashTable *hits;     /* "NETWORK DIRECTION GROUP/RULE" -> guint64 *, packets and flows */
	GHashTable *attached; /* "NETWORK GROUP" */
};

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static void count_rule(struct lint_live *live, const json_t *rule)
{
	json_int_t packets = json_integer_value(json_object_get(rule, "packets"));
	json_int_t flows = json_integer_value(json_object_get(rule, "flows"));
	guint64 *hits = g_new(guint64, 1);

	*hits = (guint64)packets + (guint64)flows;
	g_hash_table_insert(live->hits,
			    g_strdup_printf("%s %s %s", text(rule, "network"),
					    text(rule, "direction"), text(rule, "rule")),
			    hits);
}

static void note_attached(struct lint_live *live, const json_t *iface)
{
	const json_t *groups = json_object_get(iface, "groups"), *group;
	size_t i;

	if (strcmp(text(iface, "source"), "attached") != 0)
		return;
	json_array_foreach (groups, i, group)
		g_hash_table_add(live->attached, g_strdup_printf("%s %s", text(iface, "network"),
								 json_string_value(group)));
}

struct lint_live *lint_live_new(const json_t *rules, const json_t *interfaces)
{
	struct lint_live *live = g_new0(struct lint_live, 1);
	const json_t *item;
	size_t i;

	live->hits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	live->attached = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	json_array_foreach (rules, i, item)
		count_rule(live, item);
	json_array_foreach (interfaces, i, item)
		note_attached(live, item);
	return live;
}

void lint_live_free(struct lint_live **live)
{
	if (!*live)
		return;
	g_hash_table_unref((*live)->hits);
	g_hash_table_unref((*live)->attached);
	g_free(TAKE_PTR(*live));
}

bool lint_live_hits(const struct lint_live *live, const struct model_group *group,
		    const struct model_rule *rule, guint64 *hits)
{
	g_autofree char *key = g_strdup_printf("%s %s %s/%s", group->network,
					       dir_name(rule->direction), group->id, rule->id);
	const guint64 *found = g_hash_table_lookup(live->hits, key);

	if (found)
		*hits = *found;
	return found;
}

bool lint_live_attached(const struct lint_live *live, const char *network, const char *group)
{
	g_autofree char *key = g_strdup_printf("%s %s", network, group);

	return g_hash_table_contains(live->attached, key);
}

static unsigned int unknown_rules(const struct lint_live *live, const struct model_group *group)
{
	unsigned int unknown = 0;
	guint64 hits;

	for (int dir = 0; dir < SG_DIRS; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++)
			unknown += !lint_live_hits(live, group,
						   g_ptr_array_index(group->rules[dir], i), &hits);
	return unknown;
}

unsigned int lint_live_unknown(const struct lint_live *live, const struct model *model)
{
	GHashTableIter networks, groups;
	gpointer network, group;
	unsigned int unknown = 0;

	g_hash_table_iter_init(&networks, model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		g_hash_table_iter_init(&groups, ((struct model_network *)network)->groups);
		while (g_hash_table_iter_next(&groups, NULL, &group))
			unknown += ((struct model_group *)group)->implied
					   ? 0
					   : unknown_rules(live, group);
	}
	return unknown;
}
