/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * graph_collapse.c - a graph of hundreds of groups made readable. See graph.h.
 *
 * Both steps are partition refinement: nodes get a class, a class is split while its nodes differ
 * in the classes that they have edges to, and each class becomes one node. The first step starts
 * with every node apart and joins what has the very same edges, so nothing is lost. The second
 * starts with one class a kind and takes the finest partition that still fits.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/graph.h"

/* Classes by node, numbered from 0 in the order of the nodes. */
struct partition {
	guint *class_of;
	guint count;
};

static void partition_clear(struct partition *partition)
{
	g_free(partition->class_of);
}

/* signatures: a char * for each node. */
static struct partition partition_of(const GPtrArray *signatures)
{
	GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);
	struct partition partition = {.class_of = g_new0(guint, signatures->len + 1)};

	for (guint i = 0; i < signatures->len; i++) {
		gpointer found = g_hash_table_lookup(known, g_ptr_array_index(signatures, i));

		if (!found) {
			found = GUINT_TO_POINTER(++partition.count);
			g_hash_table_insert(known, g_ptr_array_index(signatures, i), found);
		}
		partition.class_of[i] = GPOINTER_TO_UINT(found) - 1;
	}
	g_hash_table_unref(known);
	return partition;
}

static char *kind_of(const struct graph_node *node)
{
	return g_strdup_printf("%d%d%d:%s", (int)node->kind, node->external, node->closed,
			       node->network ? node->network : "");
}

static char *labels_of(const struct graph_edge *edge)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < edge->labels->len; i++)
		g_string_append_printf(text, "%s|", (char *)g_ptr_array_index(edge->labels, i));
	return g_string_free(text, FALSE);
}

/* What tells nodes apart: their class, and their edges to classes. A node's edge to itself is like
 * any other node's to itself. */
static GPtrArray *signatures_of(const struct graph *graph, const guint *class_of, bool keep_class)
{
	GPtrArray *signatures = g_ptr_array_new_with_free_func(g_free);
	GPtrArray *edges = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);

	for (guint i = 0; i < graph->nodes->len; i++)
		g_ptr_array_add(edges, g_ptr_array_new_with_free_func(g_free));
	for (guint i = 0; i < graph->edges->len; i++) {
		const struct graph_edge *edge = g_ptr_array_index(graph->edges, i);
		g_autofree char *labels = labels_of(edge);
		g_autofree char *end = g_strdup_printf("%d%d%d%s", edge->egress, edge->blocked,
						       edge->some, labels);
		g_autofree char *to = g_strdup_printf("> %u %s", class_of[edge->to], end);
		g_autofree char *from = g_strdup_printf("< %u %s", class_of[edge->from], end);
		g_autofree char *self = g_strdup_printf("= %s", end);
		bool loop = edge->from == edge->to;

		graph_add_text(g_ptr_array_index(edges, edge->from), loop ? self : to);
		if (!loop)
			graph_add_text(g_ptr_array_index(edges, edge->to), from);
	}
	for (guint i = 0; i < graph->nodes->len; i++) {
		const GPtrArray *own = g_ptr_array_index(edges, i);
		g_autofree char *kind = kind_of(g_ptr_array_index(graph->nodes, i));
		GString *text = g_string_new(kind);

		if (keep_class)
			g_string_append_printf(text, " %u", class_of[i]);
		for (guint j = 0; j < own->len; j++)
			g_string_append_printf(text, "\n%s", (char *)g_ptr_array_index(own, j));
		g_ptr_array_add(signatures, g_string_free(text, FALSE));
	}
	g_ptr_array_unref(edges);
	return signatures;
}

/* ---------------------------------------------------------------- one node a class */

static void join_node(struct graph_node *into, const struct graph_node *node)
{
	for (guint i = 0; i < node->names->len; i++)
		graph_add_text(into->names, g_ptr_array_index(node->names, i));
	for (guint i = 0; i < node->guests->len; i++)
		graph_add_guests(into, g_ptr_array_index(node->guests, i), 0);
	into->guest_count += node->guest_count;
	into->external = node->external;
	into->closed = node->closed;
}

/* Edges between two classes while they are joined. */
struct bundle {
	struct graph_edge *edge;
	char *labels; /* of the first one */
	guint count;
	bool same; /* all have the same labels */
};

static void bundle_free(void *pointer)
{
	struct bundle *bundle = pointer;

	g_free(bundle->labels);
	g_free(bundle);
}

static void join_edge(struct bundle *bundle, const struct graph_edge *edge)
{
	char *labels = labels_of(edge);
	bool first = !bundle->count++;

	for (guint i = 0; i < edge->labels->len; i++)
		graph_add_text(bundle->edge->labels, g_ptr_array_index(edge->labels, i));
	for (guint i = 0; i < edge->rules->len; i++)
		graph_add_text(bundle->edge->rules, g_ptr_array_index(edge->rules, i));
	bundle->edge->blocked = edge->blocked && (first || bundle->edge->blocked);
	bundle->edge->some |= edge->some;
	if (first)
		bundle->labels = g_steal_pointer(&labels);
	else
		bundle->same = bundle->same && strcmp(labels, bundle->labels) == 0;
	g_free(labels);
}

static struct graph *quotient(const struct graph *graph, const struct partition *partition)
{
	struct graph *made = g_new0(struct graph, 1);
	GHashTable *bundles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bundle_free);
	g_autoptr(GArray) size = g_array_new(FALSE, TRUE, sizeof(guint));
	GHashTableIter iter;
	gpointer value;

	g_array_set_size(size, partition->count);
	made->nodes = g_ptr_array_new_with_free_func(graph_node_free);
	made->edges = g_ptr_array_new_with_free_func(graph_edge_free);
	for (guint i = 0; i < graph->nodes->len; i++) {
		const struct graph_node *node = g_ptr_array_index(graph->nodes, i);
		guint class = partition->class_of[i];

		if (class == made->nodes->len)
			g_ptr_array_add(made->nodes, graph_node_new(node->kind, node->network));
		join_node(g_ptr_array_index(made->nodes, class), node);
		g_array_index(size, guint, class)++;
	}
	for (guint i = 0; i < graph->edges->len; i++) {
		const struct graph_edge *edge = g_ptr_array_index(graph->edges, i);
		guint from = partition->class_of[edge->from], to = partition->class_of[edge->to];
		g_autofree char *key = g_strdup_printf("%u:%u:%d", from, to, edge->egress);
		struct bundle *bundle = g_hash_table_lookup(bundles, key);

		if (!bundle) {
			bundle = g_new0(struct bundle, 1);
			bundle->edge = graph_edge_new(from, to, edge->egress);
			bundle->same = true;
			g_ptr_array_add(made->edges, bundle->edge);
			g_hash_table_insert(bundles, g_steal_pointer(&key), bundle);
		}
		join_edge(bundle, edge);
	}
	g_hash_table_iter_init(&iter, bundles);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct bundle *bundle = value;
		guint pairs;

		pairs = g_array_index(size, guint, bundle->edge->from) *
			g_array_index(size, guint, bundle->edge->to);
		bundle->edge->some |= !bundle->same || bundle->count != pairs;
	}
	g_hash_table_unref(bundles);
	return made;
}

static void replace(struct graph **graph, const struct partition *partition)
{
	struct graph *made = quotient(*graph, partition);

	graph_free(graph);
	*graph = made;
}

/* ---------------------------------------------------------------- the two steps */

/* Whether anything was joined. Groups stay apart from each other's guests' point of view: joined
 * are those that nobody could tell apart but by name. */
static bool join_equal(struct graph **graph)
{
	g_autoptr(GArray) each = g_array_new(FALSE, FALSE, sizeof(guint));
	g_autoptr(GPtrArray) signatures = NULL;
	struct partition partition;
	bool joined;

	for (guint i = 0; i < (*graph)->nodes->len; i++)
		g_array_append_val(each, i);
	signatures = signatures_of(*graph, (const guint *)(void *)each->data, false);
	partition = partition_of(signatures);
	joined = partition.count < (*graph)->nodes->len;
	if (joined)
		replace(graph, &partition);
	partition_clear(&partition);
	return joined;
}

static struct partition by_kind(const struct graph *graph)
{
	g_autoptr(GPtrArray) kinds = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < graph->nodes->len; i++)
		g_ptr_array_add(kinds, kind_of(g_ptr_array_index(graph->nodes, i)));
	return partition_of(kinds);
}

static void join_parts(struct graph **graph, guint limit)
{
	struct partition held = by_kind(*graph);

	for (;;) {
		g_autoptr(GPtrArray) signatures = signatures_of(*graph, held.class_of, true);
		struct partition finer = partition_of(signatures);

		if (finer.count == held.count || finer.count > limit) {
			partition_clear(&finer);
			break;
		}
		partition_clear(&held);
		held = finer;
	}
	replace(graph, &held);
	partition_clear(&held);
}

void graph_collapse(struct graph **graph, guint limit)
{
	while ((*graph)->nodes->len > limit && join_equal(graph))
		;
	if ((*graph)->nodes->len > limit)
		join_parts(graph, limit);
}
