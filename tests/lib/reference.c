/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reference.c - loops over the model.
 */
#include "tests/lib/reference.h"

#include <string.h>

#include "rulesd/names.h"

static bool reaches(const struct model_network *network, const char *other)
{
	if (strcmp(network->name, other) == 0)
		return true;
	for (guint i = 0; i < network->peers->len; i++)
		if (strcmp(g_ptr_array_index(network->peers, i), other) == 0)
			return true;
	return false;
}

static bool is_member(const struct reference *ref, const struct model_peer *peer)
{
	const struct model_network *network = model_network(ref->model, peer->network);

	if (!reaches(ref->network, peer->network) ||
	    model_group(ref->model, peer->network, peer->id)->external)
		return false;
	for (guint i = 0; i < network->interfaces->len; i++) {
		const struct model_interface *iface = network->interfaces->pdata[i];

		if (!model_groups_have(iface->groups, peer->id))
			continue;
		for (uint32_t j = 0; j < iface->address_count; j++)
			if (addr_equal(&iface->addresses[j], &ref->remote))
				return true;
	}
	return false;
}

static bool in_list(const struct reference *ref, const struct model_peer *peer)
{
	const struct model_prefix_list *list =
		model_prefix_list(ref->model, ref->network->name, peer->id);

	for (guint i = 0; !list->external && i < list->entries->len; i++)
		if (cidr_contains(&g_array_index(list->entries, struct cidr, i), &ref->remote))
			return true;
	return false;
}

static bool peer_matches(const struct reference *ref, const struct model_peer *peer)
{
	switch (peer->kind) {
	case MODEL_PEER_ANY:
		return true;
	case MODEL_PEER_CIDR:
		return cidr_contains(&peer->cidr, &ref->remote);
	case MODEL_PEER_GROUP:
		return is_member(ref, peer);
	case MODEL_PEER_PREFIX_LIST:
		return in_list(ref, peer);
	}
	return false;
}

static bool port_matches(const GArray *ranges, unsigned int port)
{
	if (!ranges || !ranges->len)
		return true;
	for (guint i = 0; i < ranges->len; i++) {
		const struct model_ports *range = &g_array_index(ranges, struct model_ports, i);

		if (port >= range->first && port <= range->last)
			return true;
	}
	return false;
}

static bool match_matches(const struct model_match *match, const struct eval_packet *packet)
{
	if (match->protocol == SG_PROTO_ALL)
		return true;
	if (match->protocol != packet->protocol)
		return false;
	if (protocol_is_icmp(match->protocol))
		return (match->icmp_type < 0 || match->icmp_type == packet->icmp_type) &&
		       (match->icmp_type < 0 || match->icmp_code < 0 ||
			match->icmp_code == packet->icmp_code);
	return port_matches(match->ports, packet->dport);
}

static unsigned int peer_number(const struct reference *ref, const struct model_peer *peer)
{
	char text[CIDR_TEXT_SIZE];
	g_autofree char *name = NULL;

	if (peer->kind == MODEL_PEER_ANY)
		return SG_PEER_ANY;
	if (peer->kind == MODEL_PEER_CIDR)
		name = g_strdup_printf("%s:%s", ref->network->name, cidr_format(&peer->cidr, text));
	else
		name = g_strdup_printf("%s:%s",
				       peer->kind == MODEL_PEER_GROUP ? peer->network
								      : ref->network->name,
				       peer->id);
	return numbers_find(ref->numbers, NUMBER_PEER, name);
}

/* Keeps the first in precedence: class of the peer, its number, protocol before all, order of the
 * rules. */
static void consider(struct reference *ref, unsigned int class, unsigned int peer, bool all,
		     unsigned int order, const struct model_group *group,
		     const struct model_rule *rule)
{
	unsigned int mine[] = {class, peer, all, order};
	unsigned int best[] = {ref->class, ref->peer, ref->all, ref->order};

	for (int i = 0; ref->allowed && i < 4; i++) {
		if (mine[i] > best[i])
			return;
		if (mine[i] < best[i])
			break;
		if (i == 3)
			return;
	}
	ref->allowed = true;
	ref->class = class;
	ref->peer = peer;
	ref->all = all;
	ref->order = order;
	ref->group = group;
	ref->rule = rule;
}

static void consider_rule(struct reference *ref, const struct model_group *group,
			  const struct model_rule *rule, unsigned int order)
{
	for (guint i = 0; i < rule->peers->len; i++) {
		const struct model_peer *peer = g_ptr_array_index(rule->peers, i);
		unsigned int class = peer->kind == MODEL_PEER_ANY     ? 1
				     : peer->kind == MODEL_PEER_GROUP ? 2
								      : 3;

		if (!peer_matches(ref, peer))
			continue;
		for (guint j = 0; j < rule->matches->len; j++) {
			const struct model_match *match = g_ptr_array_index(rule->matches, j);

			if (match_matches(match, ref->packet))
				consider(ref, class, peer_number(ref, peer),
					 match->protocol == SG_PROTO_ALL, order, group, rule);
		}
	}
}

static void consider_exempt(struct reference *ref)
{
	for (guint i = 0; ref->packet->direction == SG_EGRESS && i < ref->network->exempt->len;
	     i++) {
		const struct model_exempt *exempt = g_ptr_array_index(ref->network->exempt, i);
		struct model_peer peer = {.kind = MODEL_PEER_CIDR, .cidr.addr = exempt->address};

		peer.cidr.bits = addr_is_v4(&exempt->address) ? 32 : 128;
		if (addr_equal(&exempt->address, &ref->remote) &&
		    (exempt->protocol == SG_PROTO_ALL ||
		     exempt->protocol == ref->packet->protocol) &&
		    port_matches(exempt->ports, ref->packet->dport))
			consider(ref, 0, peer_number(ref, &peer), exempt->protocol == SG_PROTO_ALL,
				 0, NULL, NULL);
	}
}

void refer(struct reference *ref, const struct model_interface *iface)
{
	unsigned int order = 1;

	ref->remote = ref->packet->direction == SG_EGRESS ? ref->packet->dst : ref->packet->src;
	consider_exempt(ref);
	for (uint32_t i = 0; i < iface->groups->count; i++) {
		const struct model_group *group =
			model_group(ref->model, iface->network, iface->groups->ids[i]);
		const GPtrArray *rules = group->rules[ref->packet->direction];

		for (guint j = 0; !group->external && j < rules->len; j++)
			consider_rule(ref, group, g_ptr_array_index(rules, j), order++);
	}
}
