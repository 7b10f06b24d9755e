/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_rule.c - what rules have without being written: ids from their content, the implied rules.
 */
#include "rulesd/model.h"

#include <string.h>

#include "rulesd/names.h"

static int compare_ports(gconstpointer a, gconstpointer b)
{
	const struct model_ports *x = a, *y = b;

	return x->first != y->first ? (int)x->first - (int)y->first : (int)x->last - (int)y->last;
}

void model_ports_merge(GArray *ports)
{
	guint kept = 0;

	g_array_sort(ports, compare_ports);
	for (guint i = 0; i < ports->len; i++) {
		struct model_ports next = g_array_index(ports, struct model_ports, i);
		struct model_ports *last =
			kept ? &g_array_index(ports, struct model_ports, kept - 1) : NULL;

		if (last && next.first <= last->last + 1) {
			last->last = MAX(last->last, next.last);
			continue;
		}
		g_array_index(ports, struct model_ports, kept) = next;
		kept++;
	}
	g_array_set_size(ports, kept);
	if (kept == 1 && g_array_index(ports, struct model_ports, 0).first == 0 &&
	    g_array_index(ports, struct model_ports, 0).last == UINT16_MAX)
		g_array_set_size(ports, 0);
}

/* "tcp 22 80-90", "icmp 8/0", "all": one protocol of a rule. */
static char *match_content(const struct model_match *match)
{
	char protocol[8];
	GString *text = g_string_new(protocol_format(match->protocol, protocol));

	for (guint i = 0; match->ports && i < match->ports->len; i++) {
		const struct model_ports *range =
			&g_array_index(match->ports, struct model_ports, i);

		g_string_append_printf(text, " %u-%u", range->first, range->last);
	}
	if (match->icmp_type >= 0)
		g_string_append_printf(text, " %d", match->icmp_type);
	if (match->icmp_code >= 0)
		g_string_append_printf(text, "/%d", match->icmp_code);
	return g_string_free(text, FALSE);
}

static char *peer_content(const struct model_peer *peer, const char *network)
{
	char cidr[CIDR_TEXT_SIZE];

	if (peer->kind == MODEL_PEER_ANY)
		return g_strdup("any");
	if (peer->kind == MODEL_PEER_CIDR)
		return g_strdup(cidr_format(&peer->cidr, cidr));
	if (g_strcmp0(peer->network, network) == 0)
		return g_strdup(peer->id);
	return g_strconcat(peer->network, ":", peer->id, NULL);
}

static int compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, without repeats, one a line. */
static void append_sorted(GString *content, GPtrArray *texts)
{
	g_ptr_array_sort(texts, compare_texts);
	for (guint i = 0; i < texts->len; i++) {
		if (i && strcmp(texts->pdata[i - 1], texts->pdata[i]) == 0)
			continue;
		g_string_append_printf(content, "%s\n", (const char *)texts->pdata[i]);
	}
}

char *model_rule_content_id(const struct model_rule *rule, const char *network)
{
	g_autoptr(GPtrArray) matches = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) peers = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) content = g_string_new(dir_name(rule->direction));
	g_autofree char *digest = NULL;

	for (guint i = 0; i < rule->matches->len; i++)
		g_ptr_array_add(matches, match_content(rule->matches->pdata[i]));
	for (guint i = 0; i < rule->peers->len; i++)
		g_ptr_array_add(peers, peer_content(rule->peers->pdata[i], network));
	g_string_append_c(content, '\n');
	append_sorted(content, matches);
	append_sorted(content, peers);
	digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, content->str,
					       (gssize)content->len);
	return g_strdup_printf("sgr-%.8s", digest);
}

/* Every protocol, from or to one peer, which the rule then owns. */
static struct model_rule *implied_rule(enum sg_dir direction, struct model_peer *peer)
{
	struct model_rule *rule = model_rule_new(direction);

	rule->implied = true;
	g_ptr_array_add(rule->matches, model_match_new(SG_PROTO_ALL));
	g_ptr_array_add(rule->peers, peer);
	return rule;
}

struct model_rule *model_default_egress_new(void)
{
	struct model_rule *rule = implied_rule(SG_EGRESS, model_peer_new(MODEL_PEER_ANY));

	rule->id = g_strdup(MODEL_DEFAULT_EGRESS_RULE);
	return rule;
}

struct model_group *model_default_group_new(const char *network)
{
	struct model_group *group = model_group_new(network, MODEL_DEFAULT_GROUP);
	struct model_peer *self = model_peer_new(MODEL_PEER_GROUP);
	struct model_rule *ingress = implied_rule(SG_INGRESS, self);

	self->network = g_strdup(network);
	self->id = g_strdup(MODEL_DEFAULT_GROUP);
	ingress->id = model_rule_content_id(ingress, network);
	ingress->derived = true;
	group->implied = true;
	g_ptr_array_add(group->rules[SG_INGRESS], ingress);
	g_ptr_array_add(group->rules[SG_EGRESS], model_default_egress_new());
	return group;
}
