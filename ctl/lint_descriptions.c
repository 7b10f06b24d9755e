/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_descriptions.c - SG601 to SG603: what nobody will understand in a year. */
#include "ctl/lint_internal.h"

static bool is_missing(const char *description)
{
	return !description || !*description;
}

static bool all_peers_described(const struct model_rule *rule)
{
	for (guint i = 0; i < rule->peers->len; i++)
		if (is_missing(((const struct model_peer *)rule->peers->pdata[i])->description))
			return false;
	return true;
}

static void check_rules(struct lint *lint, const struct model_group *group)
{
	for (int dir = 0; dir < SG_DIRS; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			const struct model_rule *rule = g_ptr_array_index(group->rules[dir], i);
			struct lint_at at;

			if (rule->implied || !is_missing(rule->description) ||
			    all_peers_described(rule))
				continue;
			at = lint_at_rule(group, rule, i);
			lint_add(lint->findings, LINT_RULE_DESCRIPTION, &at, NULL,
				 "add \"description\": who needs it", "no description");
		}
}

static void check_group(struct lint *lint, const struct model_group *group)
{
	const struct lint_at at = lint_at_group(group);

	if (group->implied)
		return;
	if (is_missing(group->description))
		lint_add(lint->findings, LINT_GROUP_DESCRIPTION, &at, NULL,
			 "add \"description\": what its members are", "no description");
	check_rules(lint, group);
}

static void check_lists(struct lint *lint, const struct model_network *network)
{
	GHashTableIter lists;
	gpointer value;

	g_hash_table_iter_init(&lists, network->prefix_lists);
	while (g_hash_table_iter_next(&lists, NULL, &value)) {
		const struct model_prefix_list *list = value;
		const struct lint_at at = lint_at_list(list);

		if (is_missing(list->description))
			lint_add(lint->findings, LINT_LIST_DESCRIPTION, &at, NULL,
				 "add \"description\": whose addresses they are", "no description");
	}
}

void lint_check_descriptions(struct lint *lint)
{
	GHashTableIter networks;
	gpointer network;

	for (guint i = 0; i < lint->in_order->len; i++)
		check_group(lint, ((const struct lint_group *)lint->in_order->pdata[i])->group);
	g_hash_table_iter_init(&networks, lint->model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network))
		check_lists(lint, network);
}
