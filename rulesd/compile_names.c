/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_names.c - what peers, rules and exempt endpoints are called in the registry.
 */
#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"

char *compile_name_of_cidr(const char *network, const struct cidr *cidr,
			   char text[COMPILE_NAME_SIZE])
{
	char written[CIDR_TEXT_SIZE];

	return compile_name_of_id(network, cidr_format(cidr, written), text);
}

/* Networks and ids have at most MODEL_MAX_ID characters each. */
char *compile_name_of_id(const char *network, const char *id, char text[COMPILE_NAME_SIZE])
{
	char *end = g_stpcpy(text, network);

	*end = ':';
	g_stpcpy(end + 1, id);
	return text;
}

char *compile_peer_name(const struct model *model, const struct model_network *network,
			const struct model_peer *peer)
{
	const struct model_group *group;
	const struct model_prefix_list *list;
	char text[COMPILE_NAME_SIZE];

	switch (peer->kind) {
	case MODEL_PEER_ANY:
		return g_strdup("any");
	case MODEL_PEER_CIDR:
		return g_strdup(compile_name_of_cidr(network->name, &peer->cidr, text));
	case MODEL_PEER_GROUP:
		group = model_group(model, peer->network, peer->id);
		return group && !group->external
			       ? g_strdup(compile_name_of_id(group->network, group->id, text))
			       : NULL;
	case MODEL_PEER_PREFIX_LIST:
		list = model_prefix_list(model, network->name, peer->id);
		return list && !list->external
			       ? g_strdup(compile_name_of_id(list->network, list->id, text))
			       : NULL;
	}
	return NULL;
}

char *compile_rule_name(const struct model_group *group, const struct model_rule *rule)
{
	return g_strconcat(group->network,
			   rule->direction == SG_INGRESS ? ":ingress:" : ":egress:", group->id, "/",
			   rule->id, NULL);
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
