/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate_references.c - what rules and networks refer to exists and may be referred to.
 */
#include "rulesd/validate_internal.h"

#include <stdarg.h>
#include <string.h>

#include "rulesd/names.h"
#include "rulesd/nearest.h"

char *validate_nearest(struct validation *v, GHashTable *table, const char *id,
		       const char *otherwise)
{
	struct nearest nearest = nearest_new(id);
	GHashTableIter iter;
	gpointer key;

	if (!diag_may_suggest(v->diag, g_hash_table_size(table)))
		return g_strdup(otherwise);
	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		nearest_offer(&nearest, key);
	return nearest_fix(&nearest, otherwise);
}

static bool network_lists_peer(const struct model_network *network, const char *name)
{
	for (guint i = 0; i < network->peers->len; i++)
		if (strcmp(network->peers->pdata[i], name) == 0)
			return true;
	return false;
}

char *validate_in_network(const char *network)
{
	/* The default network needs no mention. */
	return strcmp(network, MODEL_DEFAULT_NETWORK) == 0
		       ? g_strdup("")
		       : g_strdup_printf(" in network \"%s\"", network);
}

struct rule_position {
	const struct model_group *group;
	const struct model_rule *rule;
	guint rule_index, peer_index;
};

static void G_GNUC_PRINTF(5, 6)
	peer_error(struct validation *v, const struct rule_position *position, const char *code,
		   const char *fix, const char *format, ...)
{
	const struct model_peer *peer = position->rule->peers->pdata[position->peer_index];
	bool ingress = position->rule->direction == SG_INGRESS;
	g_autofree char *pointer = NULL;
	g_autofree char *message = NULL;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	pointer = g_strdup_printf("/groups/%s/%s/%u/%s/%u", position->group->id,
				  dir_name(position->rule->direction), position->rule_index,
				  ingress ? "from" : "to", position->peer_index);
	diag_add(v->diag, code, peer->place, pointer, fix, "%s", message);
}

static void unknown_group(struct validation *v, const struct rule_position *position,
			  const struct model_peer *peer)
{
	const struct model_network *network = model_network(v->model, peer->network);
	g_autofree char *fix =
		validate_nearest(v, network->groups, peer->id,
				 "define it under \"groups\", or declare it \"external\": true");
	g_autofree char *where = validate_in_network(peer->network);

	peer_error(v, position, "unknown-group", fix, "there is no group \"%s\"%s", peer->id,
		   where);
}

static void unknown_prefix_list(struct validation *v, const struct rule_position *position,
				const struct model_peer *peer)
{
	const struct model_network *network = model_network(v->model, peer->network);
	g_autofree char *fix = validate_nearest(
		v, network->prefix_lists, peer->id,
		"define it under \"prefix_lists\", or declare it \"external\": true");
	g_autofree char *where = validate_in_network(peer->network);

	peer_error(v, position, "unknown-prefix-list", fix, "there is no prefix list \"%s\"%s",
		   peer->id, where);
}

/* An error when rules of the group cannot name groups of the peer's network; false when it does not
 * even exist. */
static bool check_network_of_peer(struct validation *v, const struct rule_position *position,
				  const struct model_peer *peer)
{
	const struct model_network *own = model_network(v->model, position->group->network);
	g_autofree char *fix = NULL;

	if (strcmp(peer->network, own->name) == 0)
		return true;
	if (!model_network(v->model, peer->network)) {
		fix = validate_nearest(v, v->model->networks, peer->network,
				       "define it under \"networks\"");
		peer_error(v, position, "unknown-network", fix, "there is no network \"%s\"",
			   peer->network);
		return false;
	}
	if (network_lists_peer(own, peer->network))
		return true;
	fix = g_strdup_printf("add \"networks\": {\"%s\": {\"peers\": [\"%s\"]}}", own->name,
			      peer->network);
	peer_error(v, position, "network-peer", fix,
		   "network \"%s\" does not list \"%s\" as a peer", own->name, peer->network);
	return true;
}

/* Those that the file has: the implied egress rule is not counted. */
static guint written_rules(const GPtrArray *rules)
{
	guint count = 0;

	for (guint i = 0; i < rules->len; i++)
		count += !((const struct model_rule *)rules->pdata[i])->implied;
	return count;
}

static bool may_refer(const struct model_network *from, const char *to)
{
	return strcmp(from->name, to) == 0 || network_lists_peer(from, to);
}

static bool is_known(const struct validation *v, const struct model_peer *peer)
{
	if (peer->kind == MODEL_PEER_GROUP)
		return model_group(v->model, peer->network, peer->id);
	return model_prefix_list(v->model, peer->network, peer->id);
}

static bool is_fine_peer(const struct validation *v, const struct model_network *network,
			 const struct model_peer *peer)
{
	if (peer->kind == MODEL_PEER_ANY || peer->kind == MODEL_PEER_CIDR)
		return true;
	return may_refer(network, peer->network) && is_known(v, peer);
}

bool validate_group_is_fine(const struct validation *v, const struct model_group *group)
{
	const struct model_network *network = model_network(v->model, group->network);

	if (written_rules(group->rules[SG_INGRESS]) + written_rules(group->rules[SG_EGRESS]) >
	    MODEL_MAX_RULES_OF_GROUP)
		return false;
	for (int dir = 0; dir < SG_DIRS; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			const struct model_rule *rule = group->rules[dir]->pdata[i];

			for (guint j = 0; j < rule->peers->len; j++)
				if (!is_fine_peer(v, network, rule->peers->pdata[j]))
					return false;
		}
	return true;
}

static void check_peer(struct validation *v, const struct rule_position *position)
{
	const struct model_peer *peer = position->rule->peers->pdata[position->peer_index];
	bool own;

	if (peer->kind == MODEL_PEER_ANY || peer->kind == MODEL_PEER_CIDR)
		return;
	own = strcmp(peer->network, position->group->network) == 0;
	if (own && is_known(v, peer))
		return;
	/* Looking for the nearest name is dear, and nobody would see it. */
	if (diag_full(v->diag))
		v->diag->left_out += !own && is_known(v, peer) ? 0 : 1;
	else if (!check_network_of_peer(v, position, peer) || is_known(v, peer))
		return;
	else if (peer->kind == MODEL_PEER_GROUP)
		unknown_group(v, position, peer);
	else
		unknown_prefix_list(v, position, peer);
}

static void check_rule(struct validation *v, struct rule_position *position)
{
	for (guint i = 0; i < position->rule->peers->len; i++) {
		position->peer_index = i;
		check_peer(v, position);
	}
}

void validate_group(struct validation *v, const struct model_group *group)
{
	guint rules =
		written_rules(group->rules[SG_INGRESS]) + written_rules(group->rules[SG_EGRESS]);

	if (rules > MODEL_MAX_RULES_OF_GROUP) {
		g_autofree char *pointer = g_strdup_printf("/groups/%s", group->id);
		g_autofree char *fix =
			g_strdup_printf("at most %u; split it", MODEL_MAX_RULES_OF_GROUP);

		diag_add(v->diag, "limit", group->place, pointer, fix, "group \"%s\" has %u rules",
			 group->id, rules);
	}
	for (int dir = 0; v->references && dir < SG_DIRS; dir++) {
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			struct rule_position position = {
				.group = group,
				.rule = group->rules[dir]->pdata[i],
				.rule_index = i,
			};

			check_rule(v, &position);
		}
	}
}

void validate_network_peers(struct validation *v, const struct model_network *network)
{
	for (guint i = 0; v->references && i < network->peers->len; i++) {
		const char *name = network->peers->pdata[i];
		g_autofree char *pointer =
			g_strdup_printf("/networks/%s/peers/%u", network->name, i);
		g_autofree char *fix = NULL;

		if (!name[0] || model_network(v->model, name))
			continue;
		fix = validate_nearest(v, v->model->networks, name, "define it under \"networks\"");
		diag_add(v->diag, "unknown-network", network->place, pointer, fix,
			 "there is no network \"%s\"", name);
	}
}
