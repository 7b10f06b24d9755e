/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_rules.c - SG106 to SG108: rules that match nothing, or matched nothing so far. */
#include <netinet/in.h>

#include "ctl/lint_internal.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

/* A rule at its place. */
struct subject {
	struct lint *lint;
	const struct lint_group *entry;
	const struct model_rule *rule;
	guint index;
};

/* Then SG301 and SG302 say all there is to say. */
static bool all_peers_external(const struct subject *subject)
{
	const struct model *model = subject->lint->model;

	for (guint i = 0; i < subject->rule->peers->len; i++) {
		const struct model_peer *peer = g_ptr_array_index(subject->rule->peers, i);

		if (peer->kind == MODEL_PEER_GROUP
			    ? !model_group(model, peer->network, peer->id)->external
			    : peer->kind != MODEL_PEER_PREFIX_LIST ||
				      !model_prefix_list(model, peer->network, peer->id)->external)
			return false;
	}
	return true;
}

static bool all_peers_empty(const struct subject *subject)
{
	for (guint i = 0; i < subject->rule->peers->len; i++)
		if (!lint_peer_is_empty(subject->lint, g_ptr_array_index(subject->rule->peers, i)))
			return false;
	return true;
}

static void check_empty(const struct subject *subject)
{
	const struct model_group *group = subject->entry->group;
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = NULL;
	struct lint_at at;

	if (!all_peers_empty(subject) || all_peers_external(subject))
		return;
	for (guint i = 0; i < subject->rule->peers->len; i++)
		g_ptr_array_add(names, lint_peer_text(g_ptr_array_index(subject->rule->peers, i),
						      group->network));
	text = lint_join(names);
	at = lint_at_rule(group, subject->rule, subject->index);
	lint_add(subject->lint->findings, LINT_EMPTY_RULE, &at, NULL,
		 "give interfaces the group, fill the prefix list, or remove the rule",
		 "matches nothing: %s %s no address now", text, names->len > 1 ? "have" : "has");
}

/* The version of IP whose ICMP it is: 4 or 6; 0 for other protocols. */
static int icmp_family(const struct model_match *match)
{
	if (match->protocol == IPPROTO_ICMP)
		return 4;
	return match->protocol == IPPROTO_ICMPV6 ? 6 : 0;
}

/* 0 when the rule also has other protocols, or ICMP of both families. */
static int rule_icmp_family(const struct model_rule *rule)
{
	int family = icmp_family(g_ptr_array_index(rule->matches, 0));

	for (guint i = 1; i < rule->matches->len; i++)
		if (icmp_family(g_ptr_array_index(rule->matches, i)) != family)
			return 0;
	return family;
}

/* Whether all the addresses of a peer are of a family. */
static bool peer_is_of_family(const struct lint *lint, const struct model_peer *peer, int family)
{
	const struct model_prefix_list *list;

	if (peer->kind == MODEL_PEER_CIDR)
		return addr_is_v4(&peer->cidr.addr) == (family == 4);
	if (peer->kind != MODEL_PEER_PREFIX_LIST)
		return false;
	list = model_prefix_list(lint->model, peer->network, peer->id);
	for (guint i = 0; i < list->entries->len; i++)
		if (addr_is_v4(&g_array_index(list->entries, struct cidr, i).addr) != (family == 4))
			return false;
	return list->entries->len > 0;
}

static void check_family(const struct subject *subject)
{
	int family = rule_icmp_family(subject->rule);
	const char *network = subject->entry->group->network;

	for (guint i = 0; family && i < subject->rule->peers->len; i++) {
		const struct model_peer *peer = g_ptr_array_index(subject->rule->peers, i);
		g_autofree char *text = NULL;
		struct lint_at at;

		if (!peer_is_of_family(subject->lint, peer, family == 4 ? 6 : 4))
			continue;
		text = lint_peer_text(peer, network);
		at = lint_at_peer(subject->entry->group, subject->rule, subject->index, i);
		lint_add(subject->lint->findings, LINT_WRONG_FAMILY, &at, text,
			 family == 4 ? "write a rule with protocol icmpv6 for it"
				     : "write a rule with protocol icmp for it",
			 "%s is IPv%d, and %s is IPv%d's", text, family == 4 ? 6 : 4,
			 family == 4 ? "icmp" : "icmpv6", family);
	}
}

static void check_hits(const struct subject *subject)
{
	guint64 hits = 0;
	struct lint_at at;

	if (!subject->lint->live || !subject->entry->carriers || all_peers_empty(subject) ||
	    !lint_live_hits(subject->lint->live, subject->entry->group, subject->rule, &hits) ||
	    hits)
		return;
	at = lint_at_rule(subject->entry->group, subject->rule, subject->index);
	lint_add(subject->lint->findings, LINT_NEVER_HIT, &at, NULL,
		 "remove it when nobody needs it", "the daemon has counted no packet by it");
}

void lint_check_rules(struct lint *lint)
{
	for (guint i = 0; i < lint->in_order->len; i++) {
		const struct lint_group *entry = g_ptr_array_index(lint->in_order, i);

		for (int dir = 0; dir < SG_DIRS; dir++)
			for (guint j = 0; j < entry->group->rules[dir]->len; j++) {
				const struct subject subject = {
					.lint = lint,
					.entry = entry,
					.rule = g_ptr_array_index(entry->group->rules[dir], j),
					.index = j};

				if (subject.rule->implied)
					continue;
				check_empty(&subject);
				check_family(&subject);
				check_hits(&subject);
			}
	}
}
