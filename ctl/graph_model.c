/* SPDX-License-Identifier: GPL-2.0-or-later */
/* graph_model.c - a policy as nodes and edges. See graph.h. */
#include <string.h>

#include "ctl/graph.h"
#include "ctl/rule_text.h"
#include "rulesd/addr.h"
#include "rulesd/names.h"
#include "rulesd/sorted.h"

#define SHOWN_GUESTS 4

struct builder {
	const struct model *model;
	const char *only; /* network, or NULL */
	bool several;	  /* networks: names say which */
	struct graph *graph;
	GHashTable *nodes; /* "kind:network:name" -> GUINT_TO_POINTER(index + 1) */
	GHashTable *edges; /* "from:to:egress" -> struct graph_edge */
};

struct graph_node *graph_node_new(enum graph_kind kind, const char *network)
{
	struct graph_node *node = g_new0(struct graph_node, 1);

	node->kind = kind;
	node->network = g_strdup(network);
	node->names = g_ptr_array_new_with_free_func(g_free);
	node->guests = g_ptr_array_new_with_free_func(g_free);
	return node;
}

void graph_node_free(void *pointer)
{
	struct graph_node *node = pointer;

	g_free(node->network);
	g_ptr_array_unref(node->names);
	g_ptr_array_unref(node->guests);
	g_free(node);
}

struct graph_edge *graph_edge_new(guint from, guint to, bool egress)
{
	struct graph_edge *edge = g_new0(struct graph_edge, 1);

	edge->from = from;
	edge->to = to;
	edge->egress = egress;
	edge->labels = g_ptr_array_new_with_free_func(g_free);
	edge->rules = g_ptr_array_new_with_free_func(g_free);
	return edge;
}

void graph_edge_free(void *pointer)
{
	struct graph_edge *edge = pointer;

	g_ptr_array_unref(edge->labels);
	g_ptr_array_unref(edge->rules);
	g_free(edge);
}

static struct graph *graph_new(void)
{
	struct graph *graph = g_new0(struct graph, 1);

	graph->nodes = g_ptr_array_new_with_free_func(graph_node_free);
	graph->edges = g_ptr_array_new_with_free_func(graph_edge_free);
	return graph;
}

void graph_free(struct graph **graph)
{
	struct graph *freed = *graph;

	*graph = NULL;
	if (!freed)
		return;
	g_ptr_array_unref(freed->nodes);
	g_ptr_array_unref(freed->edges);
	g_free(freed);
}

void graph_add_text(GPtrArray *list, const char *text)
{
	guint at = 0;

	while (at < list->len && strcmp(g_ptr_array_index(list, at), text) < 0)
		at++;
	if (at == list->len || strcmp(g_ptr_array_index(list, at), text) != 0)
		g_ptr_array_insert(list, (gint)at, g_strdup(text));
}

void graph_add_guests(struct graph_node *node, const char *guest, guint count)
{
	if (guest && node->guests->len < SHOWN_GUESTS)
		g_ptr_array_add(node->guests, g_strdup(guest));
	node->guest_count += count;
}

/* Short enough for a node: what every address of a family is called, and no network's name. */
static char *peer_name(const struct model_peer *peer)
{
	if (peer->kind == MODEL_PEER_CIDR && !peer->cidr.bits)
		return g_strdup(addr_is_v4(&peer->cidr.addr) ? "any IPv4" : "any IPv6");
	return rule_peer_text(peer, peer->network ? peer->network : "");
}

static guint node_of(struct builder *builder, enum graph_kind kind, const char *network,
		     const char *name)
{
	g_autofree char *key = g_strdup_printf("%d:%s:%s", (int)kind, network ? network : "", name);
	gpointer found = g_hash_table_lookup(builder->nodes, key);
	struct graph_node *node;

	if (found)
		return GPOINTER_TO_UINT(found) - 1;
	node = graph_node_new(kind, network);
	if (network && builder->several && kind != GRAPH_CIDR)
		g_ptr_array_add(node->names, g_strdup_printf("%s:%s", network, name));
	else
		g_ptr_array_add(node->names, g_strdup(name));
	g_ptr_array_add(builder->graph->nodes, node);
	g_hash_table_insert(builder->nodes, g_steal_pointer(&key),
			    GUINT_TO_POINTER(builder->graph->nodes->len));
	return builder->graph->nodes->len - 1;
}

static guint group_node(struct builder *builder, const char *network, const char *id)
{
	return node_of(builder, GRAPH_GROUP, network, id);
}

static guint peer_node(struct builder *builder, const char *network, const struct model_peer *peer,
		       bool egress)
{
	g_autofree char *name = peer_name(peer);

	switch (peer->kind) {
	case MODEL_PEER_GROUP:
		return group_node(builder, peer->network ? peer->network : network, name);
	case MODEL_PEER_PREFIX_LIST:
		return node_of(builder, GRAPH_PREFIX_LIST, network, name);
	case MODEL_PEER_CIDR:
		return node_of(builder, GRAPH_CIDR, network, name);
	case MODEL_PEER_ANY:
	default:
		/* Apart, or every graph would be a circle through the world. */
		return node_of(builder, GRAPH_ANY, NULL, egress ? "any destination" : "any source");
	}
}

static struct graph_edge *edge_of(struct builder *builder, guint from, guint to, bool egress)
{
	g_autofree char *key = g_strdup_printf("%u:%u:%d", from, to, egress);
	struct graph_edge *edge = g_hash_table_lookup(builder->edges, key);

	if (edge)
		return edge;
	edge = graph_edge_new(from, to, egress);
	g_ptr_array_add(builder->graph->edges, edge);
	g_hash_table_insert(builder->edges, g_steal_pointer(&key), edge);
	return edge;
}

/* ---------------------------------------------------------------- what may leave */

static bool ports_meet(const struct model_match *a, const struct model_match *b)
{
	if (!a->ports || !b->ports || !a->ports->len || !b->ports->len)
		return true;
	for (guint i = 0; i < a->ports->len; i++) {
		const struct model_ports *one = &g_array_index(a->ports, struct model_ports, i);

		for (guint j = 0; j < b->ports->len; j++) {
			const struct model_ports *other =
				&g_array_index(b->ports, struct model_ports, j);

			if (one->first <= other->last && other->first <= one->last)
				return true;
		}
	}
	return false;
}

static bool matches_meet(const struct model_rule *a, const struct model_rule *b)
{
	for (guint i = 0; i < a->matches->len; i++) {
		const struct model_match *one = g_ptr_array_index(a->matches, i);

		for (guint j = 0; j < b->matches->len; j++) {
			const struct model_match *other = g_ptr_array_index(b->matches, j);

			if (one->protocol == SG_PROTO_ALL || other->protocol == SG_PROTO_ALL ||
			    (one->protocol == other->protocol && ports_meet(one, other)))
				return true;
		}
	}
	return false;
}

/* Addresses are not looked at: a CIDR or a list may hold members of the group. */
static bool peer_may_be(const struct model_peer *peer, const struct model_group *group)
{
	return peer->kind != MODEL_PEER_GROUP ||
	       (strcmp(peer->id, group->id) == 0 && strcmp(peer->network, group->network) == 0);
}

/* Whether the egress of from can let out what rule, an ingress rule of to, lets in. */
static bool may_leave(const struct model_group *from, const struct model_group *to,
		      const struct model_rule *rule)
{
	const GPtrArray *rules = from->rules[SG_EGRESS];

	if (from->external)
		return true;
	for (guint i = 0; i < rules->len; i++) {
		const struct model_rule *out = g_ptr_array_index(rules, i);

		for (guint j = 0; j < out->peers->len; j++)
			if (peer_may_be(g_ptr_array_index(out->peers, j), to) &&
			    matches_meet(out, rule))
				return true;
	}
	return false;
}

/* Every protocol to any: as if nothing were said. */
static bool is_everything(const struct model_rule *rule)
{
	bool any = false, all = false;

	for (guint i = 0; i < rule->peers->len; i++)
		any |= ((struct model_peer *)g_ptr_array_index(rule->peers, i))->kind ==
		       MODEL_PEER_ANY;
	for (guint i = 0; i < rule->matches->len; i++)
		all |= ((struct model_match *)g_ptr_array_index(rule->matches, i))->protocol ==
		       SG_PROTO_ALL;
	return any && all;
}

/* ---------------------------------------------------------------- rules */

static void add_rule(struct builder *builder, const struct model_group *group,
		     const struct model_rule *rule, GHashTable *alone)
{
	guint self = group_node(builder, group->network, group->id);
	g_autofree char *name = g_strdup_printf("%s/%s", group->id, rule->id);
	bool egress = rule->direction == SG_EGRESS;

	for (guint i = 0; i < rule->peers->len; i++) {
		const struct model_peer *peer = g_ptr_array_index(rule->peers, i);
		guint other = peer_node(builder, group->network, peer, egress);
		struct graph_edge *edge =
			edge_of(builder, egress ? self : other, egress ? other : self, egress);
		bool first = !edge->labels->len;
		bool leaves = true;

		if (!egress && peer->kind == MODEL_PEER_GROUP) {
			const struct model_group *from =
				model_group(builder->model, peer->network, peer->id);

			leaves = !from || !g_hash_table_contains(alone, from) ||
				 may_leave(from, group, rule);
		}
		edge->blocked = first ? !leaves : edge->blocked && !leaves;
		if (rule->service)
			graph_add_text(edge->labels, rule->service);
		for (guint j = 0; !rule->service && j < rule->matches->len; j++) {
			g_autofree char *label =
				rule_match_text(g_ptr_array_index(rule->matches, j));

			graph_add_text(edge->labels, label);
		}
		graph_add_text(edge->rules, name);
	}
}

static void add_group(struct builder *builder, const struct model_group *group, GHashTable *alone)
{
	guint index = group_node(builder, group->network, group->id);
	struct graph_node *node = g_ptr_array_index(builder->graph->nodes, index);
	const GPtrArray *in = group->rules[SG_INGRESS], *out = group->rules[SG_EGRESS];
	bool everything = false;

	node->external = group->external;
	node->closed = !group->external && !out->len;
	for (guint i = 0; i < in->len; i++)
		add_rule(builder, group, g_ptr_array_index(in, i), alone);
	for (guint i = 0; i < out->len; i++)
		everything |= is_everything(g_ptr_array_index(out, i));
	for (guint i = 0; !everything && i < out->len; i++)
		add_rule(builder, group, g_ptr_array_index(out, i), alone);
}

static void add_guests(struct builder *builder, const struct model_network *network,
		       GHashTable *alone)
{
	g_autoptr(GPtrArray) ifaces = model_sorted_interfaces(network);

	for (guint i = 0; i < ifaces->len; i++) {
		const struct model_interface *iface = g_ptr_array_index(ifaces, i);
		uint32_t groups = iface->groups->count;

		for (uint32_t j = 0; j < groups; j++) {
			const char *id = iface->groups->ids[j];
			guint index = group_node(builder, network->name, id);
			struct graph_node *node = g_ptr_array_index(builder->graph->nodes, index);

			graph_add_guests(node, iface->id, 1);
			if (groups > 1)
				g_hash_table_remove(alone,
						    g_hash_table_lookup(network->groups, id));
		}
	}
}

static void add_exempt(struct builder *builder, const struct model_network *network)
{
	for (guint i = 0; i < network->exempt->len; i++) {
		const struct model_exempt *exempt = g_ptr_array_index(network->exempt, i);
		const struct model_match match = {.protocol = exempt->protocol,
						  .ports = exempt->ports,
						  .icmp_type = -1,
						  .icmp_code = -1};
		g_autofree char *what = rule_match_text(&match);
		char address[ADDR_TEXT_SIZE];
		g_autofree char *name =
			g_strdup_printf("%s %s", addr_format(&exempt->address, address), what);

		node_of(builder, GRAPH_EXEMPT, network->name, name);
	}
}

static bool wanted(const struct builder *builder, const struct model_network *network)
{
	return !builder->only || strcmp(builder->only, network->name) == 0;
}

/* sg-default exists in every network; who neither carries nor names it does not want to see it. */
static void add_implied(struct builder *builder, const struct model_network *network,
			GHashTable *alone)
{
	const struct model_group *group = g_hash_table_lookup(network->groups, MODEL_DEFAULT_GROUP);
	g_autofree char *key =
		g_strdup_printf("%d:%s:%s", (int)GRAPH_GROUP, network->name, MODEL_DEFAULT_GROUP);

	if (group && group->implied && g_hash_table_contains(builder->nodes, key))
		add_group(builder, group, alone);
}

static void add_network(struct builder *builder, const struct model_network *network)
{
	g_autoptr(GPtrArray) ids = sorted_keys(network->groups);
	/* Groups whose carriers carry nothing else: their egress alone decides what leaves. */
	g_autoptr(GHashTable) alone = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < ids->len; i++)
		g_hash_table_add(alone,
				 g_hash_table_lookup(network->groups, g_ptr_array_index(ids, i)));
	add_guests(builder, network, alone);
	for (guint i = 0; i < ids->len; i++) {
		const struct model_group *group =
			g_hash_table_lookup(network->groups, g_ptr_array_index(ids, i));

		if (!group->implied)
			add_group(builder, group, alone);
	}
	add_implied(builder, network, alone);
	add_exempt(builder, network);
}

struct graph *graph_of_model(const struct model *model, const char *network)
{
	g_autoptr(GPtrArray) names = sorted_keys(model->networks);
	struct builder builder = {
		.model = model,
		.only = network,
		.graph = graph_new(),
		.nodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.edges = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
	};
	guint used = 0;

	for (guint i = 0; i < names->len; i++) {
		const struct model_network *one = model_network(model, names->pdata[i]);

		used += one->interfaces->len || g_hash_table_size(one->groups) > 1;
	}
	builder.several = used > 1;
	for (guint i = 0; i < names->len; i++) {
		const struct model_network *one = model_network(model, names->pdata[i]);

		if (wanted(&builder, one))
			add_network(&builder, one);
	}
	g_hash_table_unref(builder.nodes);
	g_hash_table_unref(builder.edges);
	return builder.graph;
}
