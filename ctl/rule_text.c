/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rule_text.c - see rule_text.h. */
#include "ctl/rule_text.h"

#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/names.h"

char *rule_match_text(const struct model_match *match)
{
	GString *text = g_string_new(NULL);
	char name[8];

	g_string_append(text, protocol_format(match->protocol, name));
	for (guint i = 0; match->ports && i < match->ports->len; i++) {
		const struct model_ports *ports =
			&g_array_index(match->ports, struct model_ports, i);

		g_string_append_printf(text, i ? ", %u" : " %u", ports->first);
		if (ports->last != ports->first)
			g_string_append_printf(text, "-%u", ports->last);
	}
	if (protocol_is_icmp(match->protocol) && match->icmp_type >= 0) {
		const char *type = icmp_type_name(match->protocol, match->icmp_type);

		if (type)
			g_string_append_printf(text, " %s", type);
		else
			g_string_append_printf(text, " type %d", match->icmp_type);
		if (match->icmp_code >= 0)
			g_string_append_printf(text, " code %d", match->icmp_code);
	}
	return g_string_free(text, FALSE);
}

char *rule_what_text(const struct model_rule *rule)
{
	GString *text = g_string_new(rule->service);

	for (guint i = 0; !rule->service && i < rule->matches->len; i++) {
		g_autofree char *match = rule_match_text(g_ptr_array_index(rule->matches, i));

		g_string_append_printf(text, "%s%s", i ? "; " : "", match);
	}
	return g_string_free(text, FALSE);
}

char *rule_peer_text(const struct model_peer *peer, const char *network)
{
	char text[CIDR_TEXT_SIZE];
	bool host;

	switch (peer->kind) {
	case MODEL_PEER_CIDR:
		host = peer->cidr.bits == (addr_is_v4(&peer->cidr.addr) ? 32 : 128);
		return g_strdup(host ? addr_format(&peer->cidr.addr, text)
				     : cidr_format(&peer->cidr, text));
	case MODEL_PEER_GROUP:
		if (peer->network && strcmp(peer->network, network) != 0)
			return g_strdup_printf("%s:%s", peer->network, peer->id);
		return g_strdup(peer->id);
	case MODEL_PEER_PREFIX_LIST:
		return g_strdup(peer->id);
	case MODEL_PEER_ANY:
	default:
		return g_strdup("any");
	}
}
