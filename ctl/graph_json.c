/* SPDX-License-Identifier: GPL-2.0-or-later */
/* graph_json.c - a graph for programs. See graph.h. */
#include "ctl/graph.h"
#include "rulesd/names.h"

static json_t *texts_json(const GPtrArray *texts)
{
	json_t *list = json_array();

	for (guint i = 0; i < texts->len; i++)
		json_array_append_new(list, json_string(g_ptr_array_index(texts, i)));
	return list;
}

static json_t *node_json(const struct graph_node *node, guint index)
{
	static const char *const kinds[] = {
		[GRAPH_ANY] = "any",
		[GRAPH_GROUP] = "group",
		[GRAPH_PREFIX_LIST] = "prefix_list",
		[GRAPH_CIDR] = "cidr",
		[GRAPH_EXEMPT] = "exempt",
	};

	return json_pack("{si ss ss? so si sb sb}", "id", (int)index, "kind", kinds[node->kind],
			 "network", node->network, "names", texts_json(node->names), "interfaces",
			 (int)node->guest_count, "external", node->external, "opens_nothing",
			 node->closed);
}

static json_t *edge_json(const struct graph_edge *edge)
{
	return json_pack("{si si ss so so sb sb}", "from", (int)edge->from, "to", (int)edge->to,
			 "direction", dir_name(edge->egress ? SG_EGRESS : SG_INGRESS), "what",
			 texts_json(edge->labels), "rules", texts_json(edge->rules), "blocked",
			 edge->blocked, "some", edge->some);
}

json_t *graph_to_json(const struct graph *graph)
{
	json_t *nodes = json_array(), *edges = json_array();

	for (guint i = 0; i < graph->nodes->len; i++)
		json_array_append_new(nodes, node_json(g_ptr_array_index(graph->nodes, i), i));
	for (guint i = 0; i < graph->edges->len; i++)
		json_array_append_new(edges, edge_json(g_ptr_array_index(graph->edges, i)));
	return json_pack("{so so}", "nodes", nodes, "edges", edges);
}
