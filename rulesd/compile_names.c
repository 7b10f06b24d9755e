/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_names.c - what peers, rules and exempt endpoints are called in the registry, and the
 * numbers of peers.
 */
#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

static uint32_t number_peer(struct compile *compile, const char *name)
{
	uint32_t number = numbers_get(compile->numbers, NUMBER_PEER, name);

	if (!number)
		compile_exhausted(compile, "peer", name);
	return number;
}

static char *cidr_name(const struct model_network *network, const struct cidr *cidr)
{
	char text[CIDR_TEXT_SIZE];

	return g_strdup_printf("%s:%s", network->name, cidr_format(cidr, text));
}

char *compile_peer_name(const struct model *model, const struct model_network *network,
			const struct model_peer *peer)
{
	const struct model_group *group;
	const struct model_prefix_list *list;

	switch (peer->kind) {
	case MODEL_PEER_ANY:
		return g_strdup("any");
	case MODEL_PEER_CIDR:
		return cidr_name(network, &peer->cidr);
	case MODEL_PEER_GROUP:
		group = model_group(model, peer->network, peer->id);
		return group && !group->external
			       ? g_strdup_printf("%s:%s", group->network, group->id)
			       : NULL;
	case MODEL_PEER_PREFIX_LIST:
		list = model_prefix_list(model, network->name, peer->id);
		return list && !list->external ? g_strdup_printf("%s:%s", list->network, list->id)
					       : NULL;
	}
	return NULL;
}

uint32_t compile_cidr_peer(struct compile *compile, const struct model_network *network,
			   const struct cidr *cidr)
{
	g_autofree char *name = cidr_name(network, cidr);

	return number_peer(compile, name);
}

uint32_t compile_peer(struct compile *compile, const struct model_network *network,
		      const struct model_peer *peer)
{
	g_autofree char *name = compile_peer_name(compile->model, network, peer);

	return name ? number_peer(compile, name) : 0;
}

char *compile_rule_name(const struct model_group *group, const struct model_rule *rule)
{
	return g_strdup_printf("%s:%s:%s/%s", group->network,
			       rule->direction == SG_INGRESS ? "ingress" : "egress", group->id,
			       rule->id);
}

char *compile_exempt_name(const struct model_network *network, const struct model_exempt *exempt)
{
	char address[ADDR_TEXT_SIZE];
	g_autoptr(GString) name = g_string_new(NULL);

	g_string_printf(name, "%s:%s/%u/", network->name, addr_format(&exempt->address, address),
			exempt->protocol);
	for (guint i = 0; exempt->ports && i < exempt->ports->len; i++) {
		const struct model_ports *range =
			&g_array_index(exempt->ports, struct model_ports, i);

		g_string_append_printf(name, "%s%u-%u", i ? "," : "", range->first, range->last);
	}
	return g_string_free(g_steal_pointer(&name), FALSE);
}
