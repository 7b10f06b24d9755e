/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_ranges.c - the rules of a group, and the exempt endpoints of a network, as flat port
 * ranges with their numbers. They are kept, so that each group is looked at once, however many
 * policies contain it.
 */
#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

static struct range_list *ranges_new(void)
{
	struct range_list *list = g_new0(struct range_list, 1);

	list->ranges = g_array_new(FALSE, FALSE, sizeof(struct rule_range));
	return list;
}

static void add(struct range_list *list, struct rule_range range, unsigned int first,
		unsigned int last)
{
	range.first = (uint16_t)first;
	range.last = (uint16_t)last;
	g_array_append_val(list->ranges, range);
}

static void add_ports(struct range_list *list, struct rule_range range, const GArray *ports)
{
	if (!ports || !ports->len)
		add(list, range, 0, 65535);
	for (guint i = 0; ports && i < ports->len; i++) {
		const struct model_ports *at = &g_array_index(ports, struct model_ports, i);

		add(list, range, at->first, at->last);
	}
}

static void add_match(struct range_list *list, struct rule_range range,
		      const struct model_match *match)
{
	bool icmp = match->protocol == 1 || match->protocol == 58;

	range.proto = match->protocol;
	if (icmp && match->icmp_type >= 0) {
		unsigned int type = (unsigned int)match->icmp_type << 8;

		if (match->icmp_code >= 0)
			add(list, range, type | (unsigned int)match->icmp_code,
			    type | (unsigned int)match->icmp_code);
		else
			add(list, range, type, type | 0xff);
		return;
	}
	add_ports(list, range, icmp ? NULL : match->ports);
}

static void add_rule(struct compile *compile, struct range_list *list,
		     const struct image_zone *zone, const struct model_group *group,
		     const struct model_rule *rule)
{
	g_autofree char *name = compile_rule_name(group, rule);
	struct rule_range range = {
		.dir = (uint8_t)rule->direction,
		.rule = numbers_get(compile->numbers, NUMBER_RULE, name),
	};

	if (!range.rule) {
		compile_exhausted(compile, "rule", name);
		return;
	}
	if (!image_rule_name(compile->image, range.rule))
		g_hash_table_insert(compile->image->rule_names, GUINT_TO_POINTER(range.rule),
				    g_strconcat(group->id, "/", rule->id, NULL));
	for (guint i = 0; i < rule->peers->len; i++) {
		const struct model_peer *named = g_ptr_array_index(rule->peers, i);
		uint8_t bit = named->kind == MODEL_PEER_ANY	? SG_HAS_ANY
			      : named->kind == MODEL_PEER_GROUP ? SG_HAS_GROUP
								: SG_HAS_PREFIX;

		range.peer = compile_peer(zone, named);
		if (!range.peer)
			continue;
		list->has[rule->direction] |= bit;
		for (guint j = 0; j < rule->matches->len; j++) {
			const struct model_match *match = g_ptr_array_index(rule->matches, j);

			if (match->protocol == SG_PROTO_ALL)
				list->has[rule->direction] |= SG_HAS_ALL;
			add_match(list, range, match);
		}
	}
}

static void add_exempt(struct compile *compile, struct range_list *list,
		       const struct image_zone *zone, const struct model_network *network,
		       const struct model_exempt *exempt)
{
	struct cidr host = {.addr = exempt->address,
			    .bits = addr_is_v4(&exempt->address) ? 32 : 128};
	g_autofree char *name = compile_exempt_name(network, exempt);
	struct rule_range range = {
		.dir = SG_DIR_EXEMPT,
		.proto = exempt->protocol,
		.rule = numbers_get(compile->numbers, NUMBER_EXEMPT, name),
		.peer = compile_cidr_peer(zone, &host),
	};

	if (!range.rule)
		compile_exhausted(compile, "exempt endpoint", name);
	if (!range.rule || !range.peer)
		return;
	list->has[SG_EGRESS] |= SG_HAS_EXEMPT;
	if (exempt->protocol == SG_PROTO_ALL)
		list->has[SG_EGRESS] |= SG_HAS_ALL;
	add_ports(list, range, exempt->ports);
}

static void keep(struct compile *compile, struct range_list **at, struct range_list *list)
{
	journal_pointer(compile->journal, at);
	journal_made(compile->journal, list, range_list_free);
	*at = list;
}

const struct range_list *compile_group_ranges(struct compile *compile, struct image_group *group)
{
	const struct model_group *rules =
		model_group(compile->model, group->home->network, group->id);
	struct range_list *list;

	if (group->rules || !rules || rules->external)
		return group->rules;
	list = ranges_new();
	for (int dir = 0; dir < SG_DIRS; dir++)
		for (guint i = 0; i < rules->rules[dir]->len; i++)
			add_rule(compile, list, group->home, rules,
				 g_ptr_array_index(rules->rules[dir], i));
	keep(compile, &group->rules, list);
	return list;
}

const struct range_list *compile_exempt_ranges(struct compile *compile, struct image_zone *zone)
{
	const struct model_network *network = model_network(compile->model, zone->network);
	struct range_list *list;

	if (zone->exempt || !network)
		return zone->exempt;
	list = ranges_new();
	for (guint i = 0; i < network->exempt->len; i++)
		add_exempt(compile, list, zone, network, g_ptr_array_index(network->exempt, i));
	keep(compile, &zone->exempt, list);
	return list;
}

void compile_drop_ranges(struct compile *compile, struct range_list **ranges)
{
	if (!*ranges)
		return;
	journal_pointer(compile->journal, ranges);
	journal_replaced(compile->journal, *ranges, range_list_free);
	*ranges = NULL;
}
