/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_exposure.c - SG201 to SG213: what the whole internet reaches, and what may reach all of it.
 *
 * The world is every public address of a family. A rule is open to it when its peers together hold
 * it, however they write it: any, a /0, two halves, a prefix list.
 */
#include <netinet/in.h>
#include <string.h>

#include "ctl/lint_internal.h"
#include "ctl/lint_ports.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

#define MANY_PORTS 1000

#define V4(a, b, c, d) ((unsigned __int128)(((uint32_t)(a) << 24) | ((b) << 16) | ((c) << 8) | (d)))
/* What IANA's registries of special-purpose addresses (RFC 6890) leave in large blocks. */
static const struct cover_range world_v4[] = {
	{false, V4(1, 0, 0, 0), V4(9, 255, 255, 255)},
	{false, V4(11, 0, 0, 0), V4(100, 63, 255, 255)},
	{false, V4(100, 128, 0, 0), V4(126, 255, 255, 255)},
	{false, V4(128, 0, 0, 0), V4(169, 253, 255, 255)},
	{false, V4(169, 255, 0, 0), V4(172, 15, 255, 255)},
	{false, V4(172, 32, 0, 0), V4(192, 167, 255, 255)},
	{false, V4(192, 169, 0, 0), V4(223, 255, 255, 255)},
};
#define TOP(word) ((unsigned __int128)(word) << 112)
/* Global unicast: 2000::/3. */
static const struct cover_range world_v6[] = {
	{true, TOP(0x2000), TOP(0x4000) - 1},
};

struct exposed {
	struct lint *lint;
	const struct model_group *group;
	const struct model_rule *rule;
	struct lint_at at; /* of the peer, or of the rule when it takes several */
	char *peers;	   /* "any", "0.0.0.0/0", "0.0.0.0/1 and 128.0.0.0/1" */
};

/* ------------------------------------------------------------------ who */

static bool peer_is_world(struct lint *lint, const struct model_peer *peer, bool v6)
{
	const struct cover_range *world = v6 ? world_v6 : world_v4;
	guint count = v6 ? G_N_ELEMENTS(world_v6) : G_N_ELEMENTS(world_v4);

	if (peer->kind == MODEL_PEER_GROUP)
		return false;
	for (guint i = 0; i < count; i++)
		if (!cover_peer_holds(lint->peers, peer, &world[i]))
			return false;
	return true;
}

static bool rule_is_world(struct lint *lint, const struct model_rule *rule, bool v6)
{
	const struct cover_range *world = v6 ? world_v6 : world_v4;
	guint count = v6 ? G_N_ELEMENTS(world_v6) : G_N_ELEMENTS(world_v4);

	for (guint i = 0; i < count; i++)
		if (!cover_peers_hold(lint->peers, rule, &world[i]))
			return false;
	return true;
}

/* Appends the peers that make the family's world; the index of the first of them. */
static guint name_peers(struct exposed *exposed, bool v6, GPtrArray *names)
{
	const GPtrArray *peers = exposed->rule->peers;
	guint first = peers->len;

	for (guint i = 0; i < peers->len; i++)
		if (peer_is_world(exposed->lint, g_ptr_array_index(peers, i), v6)) {
			g_ptr_array_add(names, lint_peer_text(g_ptr_array_index(peers, i),
							      exposed->group->network));
			return i;
		}
	for (guint i = 0; i < peers->len; i++) {
		const struct model_peer *peer = g_ptr_array_index(peers, i);

		if (peer->kind == MODEL_PEER_GROUP ||
		    (peer->kind == MODEL_PEER_CIDR && addr_is_v4(&peer->cidr.addr) == v6))
			continue;
		g_ptr_array_add(names, lint_peer_text(peer, exposed->group->network));
		first = MIN(first, i);
	}
	return first;
}

/* True when the world reaches what the rule allows, with the peers that say so. */
static bool expose(struct exposed *exposed, guint index)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	guint first = exposed->rule->peers->len;

	for (int v6 = 0; v6 < 2; v6++) {
		g_autoptr(GPtrArray) of_family = g_ptr_array_new_with_free_func(g_free);

		if (!rule_is_world(exposed->lint, exposed->rule, v6))
			continue;
		first = MIN(first, name_peers(exposed, v6, of_family));
		for (guint i = 0; i < of_family->len; i++)
			if (!g_ptr_array_find_with_equal_func(names, of_family->pdata[i],
							      g_str_equal, NULL))
				g_ptr_array_add(names, g_strdup(of_family->pdata[i]));
	}
	if (!names->len)
		return false;
	exposed->at = names->len == 1 ? lint_at_peer(exposed->group, exposed->rule, index, first)
				      : lint_at_rule(exposed->group, exposed->rule, index);
	exposed->peers = lint_join(names);
	return true;
}

/* ------------------------------------------------------------------ ingress */

static void report(const struct exposed *exposed, enum lint_code code, const char *what,
		   const char *fix)
{
	g_autofree char *detail = g_strdup_printf("%s %s", what, exposed->peers);

	lint_add(exposed->lint->findings, code, &exposed->at, detail, fix, "%s open to %s", what,
		 exposed->peers);
}

/* The ports that a match opens, of those of the table; in order, each name once. */
static void collect_ports(const struct model_match *match, enum lint_code code, GPtrArray *names)
{
	char protocol[8];

	protocol_format(match->protocol, protocol);
	for (unsigned int i = 0; i < lint_ports_count; i++) {
		const struct lint_port *port = &lint_ports[i];

		if (port->code != code || port->protocol != match->protocol)
			continue;
		for (guint j = 0; j < match->ports->len; j++) {
			const struct model_ports *open =
				&g_array_index(match->ports, struct model_ports, j);
			unsigned int first = MAX(open->first, port->first);

			if (first > MIN(open->last, port->last))
				continue;
			g_ptr_array_add(names,
					g_strdup_printf("%u/%s (%s)", first, protocol, port->name));
			break;
		}
	}
}

static void check_ports(const struct exposed *exposed, const struct model_match *const *matches,
			guint count)
{
	static const enum lint_code codes[] = {LINT_WORLD_SSH,	 LINT_WORLD_RDP,
					       LINT_WORLD_ADMIN, LINT_WORLD_DATABASE,
					       LINT_WORLD_RISKY, LINT_WORLD_HTTP};

	for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
		g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
		g_autofree char *text = NULL;
		g_autofree char *what = NULL;

		for (guint j = 0; j < count; j++)
			collect_ports(matches[j], codes[i], names);
		if (!names->len)
			continue;
		text = lint_join(names);
		what = g_strdup_printf("%s %s", text, names->len > 1 ? "are" : "is");
		report(exposed, codes[i], what,
		       codes[i] == LINT_WORLD_HTTP ? "serve https, or accept it for a redirect"
						   : "name the networks or the group that need it");
	}
}

static guint ports_of(const struct model_match *match)
{
	guint count = 0;

	for (guint i = 0; i < match->ports->len; i++) {
		const struct model_ports *ports =
			&g_array_index(match->ports, struct model_ports, i);

		count += ports->last - ports->first + 1u;
	}
	return count;
}

/* Port 0 is no port that anything listens at. */
static bool every_port(const struct model_match *match)
{
	const struct model_ports *only;

	if (!match->ports->len)
		return true;
	only = &g_array_index(match->ports, struct model_ports, 0);
	return match->ports->len == 1 && only->first <= 1 && only->last == UINT16_MAX;
}

static void check_amount(const struct exposed *exposed, const struct model_match *match)
{
	char protocol[8];
	g_autofree char *what = NULL;

	protocol_format(match->protocol, protocol);
	if (every_port(match)) {
		what = g_strdup_printf("every port of %s is", protocol);
		report(exposed, LINT_WORLD_ALL_PORTS, what, "open the ports that are served");
	} else if (ports_of(match) > MANY_PORTS) {
		what = g_strdup_printf("%u ports of %s are", ports_of(match), protocol);
		report(exposed, LINT_WORLD_MANY_PORTS, what, "open the ports that are served");
	}
}

static void check_ingress(struct exposed *exposed, guint index)
{
	const GPtrArray *matches = exposed->rule->matches;
	g_autoptr(GPtrArray) with_ports = g_ptr_array_new();

	if (!expose(exposed, index))
		return;
	for (guint i = 0; i < matches->len; i++) {
		const struct model_match *match = g_ptr_array_index(matches, i);

		if (match->protocol == SG_PROTO_ALL) {
			report(exposed, LINT_WORLD_EVERYTHING, "every protocol is",
			       "open the ports that are served");
		} else if (protocol_has_ports(match->protocol)) {
			check_amount(exposed, match);
			if (!every_port(match))
				g_ptr_array_add(with_ports, g_ptr_array_index(matches, i));
		} else if (protocol_is_icmp(match->protocol) && match->icmp_type < 0) {
			report(exposed, LINT_WORLD_ICMP,
			       match->protocol == IPPROTO_ICMP ? "every type of icmp is"
							       : "every type of icmpv6 is",
			       "allow echo-request: service ping");
		}
	}
	check_ports(exposed, (const struct model_match *const *)(void *)with_ports->pdata,
		    with_ports->len);
}

/* ------------------------------------------------------------------ egress */

static bool is_for_everything(const struct model_rule *rule)
{
	for (guint i = 0; i < rule->matches->len; i++)
		if (((const struct model_match *)rule->matches->pdata[i])->protocol == SG_PROTO_ALL)
			return true;
	return false;
}

static void check_egress(struct exposed *exposed, guint index)
{
	if (!is_for_everything(exposed->rule) || !expose(exposed, index))
		return;
	if (exposed->rule->implied)
		lint_add(exposed->lint->findings, LINT_OPEN_EGRESS, &exposed->at, "implied",
			 "write \"egress\" with what the members need, or [] for nothing",
			 "everything may go out, because \"egress\" is missing");
	else
		lint_add(exposed->lint->findings, LINT_OPEN_EGRESS, &exposed->at, exposed->peers,
			 "list what the members need", "everything may go out, to %s",
			 exposed->peers);
}

/* ------------------------------------------------------------------ prefixes */

static bool is_short(const struct cidr *cidr)
{
	struct cidr unique_local;

	/* fc00::/7, RFC 4193 */
	if (cidr_parse("fc00::/7", &unique_local) == 0 && cidr_compare(cidr, &unique_local) == 0)
		return false;
	return cidr->bits >= 1 && cidr->bits <= 7;
}

static void check_prefix(struct lint *lint, const struct lint_at *at, const struct cidr *cidr)
{
	char text[CIDR_TEXT_SIZE];

	if (!is_short(cidr))
		return;
	cidr_format(cidr, text);
	lint_add(lint->findings, LINT_SHORT_PREFIX, at, text,
		 "write the prefix that is meant, or any", "%s is a prefix of %u bits", text,
		 cidr->bits);
}

static void check_lists(struct lint *lint)
{
	GHashTableIter networks, lists;
	gpointer network, value;

	g_hash_table_iter_init(&networks, lint->model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		g_hash_table_iter_init(&lists, ((struct model_network *)network)->prefix_lists);
		while (g_hash_table_iter_next(&lists, NULL, &value)) {
			const struct model_prefix_list *list = value;
			const struct lint_at at = lint_at_list(list);

			for (guint i = 0; i < list->entries->len; i++)
				check_prefix(lint, &at,
					     &g_array_index(list->entries, struct cidr, i));
		}
	}
}

static void check_rule(struct exposed *exposed, guint index)
{
	for (guint i = 0; i < exposed->rule->peers->len; i++) {
		const struct model_peer *peer = g_ptr_array_index(exposed->rule->peers, i);
		struct lint_at at;

		if (peer->kind != MODEL_PEER_CIDR)
			continue;
		at = lint_at_peer(exposed->group, exposed->rule, index, i);
		check_prefix(exposed->lint, &at, &peer->cidr);
	}
	if (exposed->rule->direction == SG_INGRESS)
		check_ingress(exposed, index);
	else
		check_egress(exposed, index);
}

/* sg-default that nobody wrote and nobody carries is not worth a word. */
static bool is_of_interest(const struct lint_group *entry)
{
	return !entry->group->implied || entry->carriers;
}

void lint_check_exposure(struct lint *lint)
{
	for (guint i = 0; i < lint->in_order->len; i++) {
		const struct lint_group *entry = g_ptr_array_index(lint->in_order, i);

		for (int dir = 0; is_of_interest(entry) && dir < SG_DIRS; dir++)
			for (guint j = 0; j < entry->group->rules[dir]->len; j++) {
				struct exposed exposed = {
					.lint = lint,
					.group = entry->group,
					.rule = g_ptr_array_index(entry->group->rules[dir], j)};

				check_rule(&exposed, j);
				g_free(exposed.peers);
			}
	}
	check_lists(lint);
}
