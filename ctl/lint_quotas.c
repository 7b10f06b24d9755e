/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_quotas.c - SG501 to SG503: what AWS would refuse ("Amazon VPC quotas", security groups).
 *
 * A rule there is one range of ports of one protocol and one peer; rules of both families are
 * counted apart, a group counts as one, and a prefix list with its entries.
 */
#include "ctl/lint_internal.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

#define AWS_RULES   60
#define AWS_GROUPS  5
#define AWS_PRODUCT 1000

/* By family: 0 IPv4, 1 IPv6. */
struct weight {
	guint64 of[2];
};

static struct weight peer_weight(const struct lint *lint, const struct model_peer *peer)
{
	const struct model_prefix_list *list;

	if (peer->kind == MODEL_PEER_CIDR)
		return addr_is_v4(&peer->cidr.addr) ? (struct weight){{1, 0}}
						    : (struct weight){{0, 1}};
	if (peer->kind != MODEL_PEER_PREFIX_LIST)
		return (struct weight){{1, 1}};
	list = model_prefix_list(lint->model, peer->network, peer->id);
	return (struct weight){{list->entries->len, list->entries->len}};
}

static struct weight rules_weight(const struct lint *lint, const GPtrArray *rules)
{
	struct weight sum = {{0, 0}};

	for (guint i = 0; i < rules->len; i++) {
		const struct model_rule *rule = g_ptr_array_index(rules, i);
		guint64 matches = 0;

		for (guint j = 0; j < rule->matches->len; j++) {
			const struct model_match *match = g_ptr_array_index(rule->matches, j);

			matches += match->ports && match->ports->len ? match->ports->len : 1;
		}
		for (guint j = 0; j < rule->peers->len; j++) {
			struct weight one = peer_weight(lint, g_ptr_array_index(rule->peers, j));

			sum.of[0] += matches * one.of[0];
			sum.of[1] += matches * one.of[1];
		}
	}
	return sum;
}

static void check_group(struct lint *lint, const struct model_group *group)
{
	for (int dir = 0; dir < SG_DIRS; dir++) {
		struct weight weight = rules_weight(lint, group->rules[dir]);
		guint64 most = MAX(weight.of[0], weight.of[1]);
		const char *direction = dir_name((enum sg_dir)dir);
		const struct lint_at at = lint_at_group(group);

		if (most > AWS_RULES)
			lint_add(lint->findings, LINT_QUOTA_RULES, &at, direction,
				 "split the group, or use a group as a peer",
				 "%" G_GUINT64_FORMAT " %s rules of one family as AWS counts them, "
				 "more than %d",
				 most, direction, AWS_RULES);
	}
}

static void check_product(struct lint *lint, const struct model_interface *iface, enum sg_dir dir)
{
	struct weight sum = {{0, 0}};
	guint64 most;
	struct lint_at at;

	for (uint32_t i = 0; i < iface->groups->count; i++) {
		const struct model_group *group =
			model_group(lint->model, iface->network, iface->groups->ids[i]);
		struct weight one = rules_weight(lint, group->rules[dir]);

		sum.of[0] += one.of[0];
		sum.of[1] += one.of[1];
	}
	most = MAX(sum.of[0], sum.of[1]);
	if (most <= AWS_PRODUCT)
		return;
	at = lint_at_interface(lint, iface, "");
	lint_add(lint->findings, LINT_QUOTA_PRODUCT, &at, dir_name(dir), "give it fewer groups",
		 "its groups have %" G_GUINT64_FORMAT
		 " %s rules of one family together as AWS counts them, more than %d",
		 most, dir_name(dir), AWS_PRODUCT);
}

void lint_check_quotas(struct lint *lint)
{
	for (guint i = 0; i < lint->in_order->len; i++)
		check_group(lint, ((const struct lint_group *)lint->in_order->pdata[i])->group);
	for (guint i = 0; i < lint->interfaces->len; i++) {
		const struct model_interface *iface = g_ptr_array_index(lint->interfaces, i);
		struct lint_at at;

		for (int dir = 0; dir < SG_DIRS; dir++)
			check_product(lint, iface, (enum sg_dir)dir);
		if (iface->groups->count <= AWS_GROUPS)
			continue;
		at = lint_at_interface(lint, iface, "/groups");
		lint_add(lint->findings, LINT_QUOTA_GROUPS, &at, NULL, "join some of them",
			 "carries %u groups, more than %d", iface->groups->count, AWS_GROUPS);
	}
}
