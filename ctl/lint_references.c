/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_references.c - SG301 to SG307: groups and prefix lists that nothing uses, or that are not
 * there. */
#include <string.h>

#include "ctl/lint_internal.h"
#include "rulesd/cleanup.h"

static void check_peer(struct lint *lint, const struct model_peer *peer, const struct lint_at *at,
		       const char *network)
{
	g_autofree char *text = lint_peer_text(peer, network);
	const struct model_prefix_list *list;

	if (peer->kind == MODEL_PEER_GROUP &&
	    model_group(lint->model, peer->network, peer->id)->external)
		lint_add(lint->findings, LINT_EXTERNAL_GROUP, at, text,
			 "define the group, or remove the peer",
			 "%s is external: it has no members here", text);
	if (peer->kind != MODEL_PEER_PREFIX_LIST)
		return;
	list = model_prefix_list(lint->model, peer->network, peer->id);
	if (list->external)
		lint_add(lint->findings, LINT_EXTERNAL_LIST, at, text,
			 "define the prefix list, or remove the peer",
			 "%s is external: it has no entries here", text);
}

static void check_peers(struct lint *lint, const struct model_group *group)
{
	for (int dir = 0; dir < SG_DIRS; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			const struct model_rule *rule = g_ptr_array_index(group->rules[dir], i);

			for (guint j = 0; j < rule->peers->len; j++) {
				const struct lint_at at = lint_at_peer(group, rule, i, j);

				check_peer(lint, g_ptr_array_index(rule->peers, j), &at,
					   group->network);
			}
		}
}

static void check_use(struct lint *lint, const struct lint_group *entry)
{
	const struct model_group *group = entry->group;
	const struct lint_at at = lint_at_group(group);

	/* An sg-default that nobody carries is how it should be. */
	if (entry->carriers || strcmp(group->id, MODEL_DEFAULT_GROUP) == 0)
		return;
	if (!entry->referenced)
		lint_add(lint->findings, LINT_UNUSED_GROUP, &at, NULL, "remove it",
			 "no interface carries it and no other group's rule names it");
	else if (!group->external)
		lint_add(lint->findings, LINT_UNATTACHED_GROUP, &at, NULL,
			 "give it to an interface, or remove it and the rules that name it",
			 "no interface carries it, so that rules with this peer match nothing");
}

static void check_content(struct lint *lint, const struct model_group *group)
{
	const struct lint_at at = lint_at_group(group);

	if (group->external || strcmp(group->id, MODEL_DEFAULT_GROUP) == 0 ||
	    group->rules[SG_INGRESS]->len || group->rules[SG_EGRESS]->len)
		return;
	lint_add(lint->findings, LINT_EMPTY_GROUP, &at, NULL,
		 "add rules, or accept it for a quarantine", "allows nothing in either direction");
}

static void check_list(struct lint *lint, struct model_prefix_list *list)
{
	const struct lint_at at = lint_at_list(list);

	if (!g_hash_table_contains(lint->lists, list))
		lint_add(lint->findings, LINT_UNUSED_LIST, &at, NULL, "remove it",
			 "no rule has it as a peer");
	if (!list->external && !list->entries->len)
		lint_add(lint->findings, LINT_EMPTY_LIST, &at, NULL, "add entries, or remove it",
			 "it has no entries and matches nothing");
}

void lint_check_references(struct lint *lint)
{
	GHashTableIter networks, lists;
	gpointer network, list;

	for (guint i = 0; i < lint->in_order->len; i++) {
		const struct lint_group *entry = g_ptr_array_index(lint->in_order, i);

		check_peers(lint, entry->group);
		check_use(lint, entry);
		check_content(lint, entry->group);
	}
	g_hash_table_iter_init(&networks, lint->model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		g_hash_table_iter_init(&lists, ((struct model_network *)network)->prefix_lists);
		while (g_hash_table_iter_next(&lists, NULL, &list))
			check_list(lint, list);
	}
}
