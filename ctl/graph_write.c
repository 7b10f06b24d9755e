/* SPDX-License-Identifier: GPL-2.0-or-later */
/* graph_write.c - a graph as text for graphviz and for Mermaid. See graph.h. */
#include <string.h>

#include "ctl/graph.h"
#include "ctl/units.h"

#define SHOWN_NAMES  6
#define SHOWN_LABELS 6

/* "a, b, c and 4 more", at most shown of them. */
static char *list_text(const GPtrArray *texts, guint shown, guint count)
{
	GString *text = g_string_new(NULL);
	guint end = MIN(shown, texts->len);

	for (guint i = 0; i < end; i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "",
				       (char *)g_ptr_array_index(texts, i));
	if (count > end)
		g_string_append_printf(text, " and %u more", count - end);
	return g_string_free(text, FALSE);
}

static const char *kind_text(enum graph_kind kind)
{
	switch (kind) {
	case GRAPH_PREFIX_LIST:
		return "prefix list";
	case GRAPH_EXEMPT:
		return "exempt endpoint: no group filters it";
	case GRAPH_ANY:
	case GRAPH_GROUP:
	case GRAPH_CIDR:
	default:
		return NULL;
	}
}

GPtrArray *graph_node_lines(const struct graph_node *node)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	const char *kind = kind_text(node->kind);
	guint names = node->names->len;

	if (node->kind == GRAPH_ANY)
		g_ptr_array_add(lines, g_strdup("anywhere"));
	else if (names > SHOWN_NAMES)
		g_ptr_array_add(lines,
				g_strdup_printf("%u %s", names,
						node->kind == GRAPH_GROUP ? "groups" : "prefixes"));
	for (guint i = 0; node->kind != GRAPH_ANY && i < MIN(names, SHOWN_NAMES); i++)
		g_ptr_array_add(lines, g_strdup(g_ptr_array_index(node->names, i)));
	if (names > SHOWN_NAMES)
		g_ptr_array_add(lines, g_strdup("…"));
	if (kind)
		g_ptr_array_add(lines, g_strdup(kind));
	if (node->external)
		g_ptr_array_add(lines, g_strdup("external: known by name only"));
	if (node->kind == GRAPH_GROUP && !node->external) {
		g_autofree char *count = units_count(node->guest_count, "interface");
		g_autofree char *guests =
			list_text(node->guests, node->guests->len, node->guest_count);

		g_ptr_array_add(lines, node->guest_count ? g_strdup(guests) : g_strdup(count));
	}
	if (node->closed)
		g_ptr_array_add(lines, g_strdup("opens nothing"));
	return lines;
}

char *graph_edge_text(const struct graph_edge *edge)
{
	g_autofree char *labels = list_text(edge->labels, SHOWN_LABELS, edge->labels->len);

	return g_strdup_printf("%s%s%s", edge->some ? "some: " : "", labels,
			       edge->blocked ? " (its egress does not let it out)" : "");
}

/* ---------------------------------------------------------------- DOT */

/* https://graphviz.org/doc/info/lang.html: a quoted string; a backslash would start an escape of a
 * label, and & an HTML entity. */
static void dot_string(GString *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			g_string_append_c(out, '\\');
		if (*text == '&')
			g_string_append(out, "&amp;");
		else
			g_string_append_c(out, *text);
	}
}

static const char *dot_style(const struct graph_node *node)
{
	switch (node->kind) {
	case GRAPH_ANY:
		return "shape=ellipse, fillcolor=\"#fde8d0\"";
	case GRAPH_GROUP:
		return node->external ? "style=\"rounded,filled,dashed\", fillcolor=\"#ffffff\""
				      : "fillcolor=\"#d7e8fa\"";
	case GRAPH_PREFIX_LIST:
		return "shape=note, style=filled, fillcolor=\"#f4f0dc\"";
	case GRAPH_EXEMPT:
		return "style=\"filled,dashed\", fillcolor=\"#ffffff\"";
	case GRAPH_CIDR:
	default:
		return "style=filled, fillcolor=\"#f0f0f0\"";
	}
}

static void dot_node(GString *out, const struct graph_node *node, guint index, const char *indent)
{
	g_autoptr(GPtrArray) lines = graph_node_lines(node);

	g_string_append_printf(out, "%sn%u [label=\"", indent, index);
	for (guint i = 0; i < lines->len; i++) {
		if (i)
			g_string_append(out, "\\n");
		dot_string(out, g_ptr_array_index(lines, i));
	}
	g_string_append_printf(out, "\", %s];\n", dot_style(node));
}

static void dot_label(GString *out, const struct graph_edge *edge)
{
	guint shown = MIN(edge->labels->len, SHOWN_LABELS);

	if (edge->some)
		g_string_append(out, "some:\\n");
	for (guint i = 0; i < shown; i++) {
		if (i)
			g_string_append(out, "\\n");
		dot_string(out, g_ptr_array_index(edge->labels, i));
	}
	if (edge->labels->len > shown)
		g_string_append_printf(out, "\\nand %u more", edge->labels->len - shown);
	if (edge->blocked)
		g_string_append(out, "\\n(its egress does\\nnot let it out)");
}

static const char *dot_edge_style(const struct graph_edge *edge)
{
	if (edge->blocked)
		return "style=dotted, color=\"#b03030\", fontcolor=\"#b03030\"";
	if (edge->egress)
		return "style=dashed, color=\"#3a7a3a\", fontcolor=\"#3a7a3a\"";
	return "color=\"#2c4a6e\", fontcolor=\"#2c4a6e\"";
}

static void dot_edge(GString *out, const struct graph_edge *edge)
{
	g_string_append_printf(out, "  n%u -> n%u [label=\"", edge->from, edge->to);
	dot_label(out, edge);
	g_string_append(out, "\", edgetooltip=\"");
	for (guint i = 0; i < MIN(edge->rules->len, 20); i++) {
		if (i)
			g_string_append(out, ", ");
		dot_string(out, g_ptr_array_index(edge->rules, i));
	}
	g_string_append_printf(out, "\", %s];\n", dot_edge_style(edge));
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Networks of groups, sorted; each is drawn as a frame where there are several. */
static GPtrArray *networks_of(const struct graph *graph)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < graph->nodes->len; i++) {
		const struct graph_node *node = g_ptr_array_index(graph->nodes, i);

		if (node->network &&
		    !g_ptr_array_find_with_equal_func(names, node->network, g_str_equal, NULL))
			g_ptr_array_add(names, node->network);
	}
	g_ptr_array_sort(names, compare_names);
	return names;
}

char *graph_to_dot(const struct graph *graph)
{
	g_autoptr(GPtrArray) networks = networks_of(graph);
	GString *out =
		g_string_new("digraph tapguard {\n"
			     "  rankdir=LR;\n"
			     "  graph [fontname=\"sans-serif\", fontsize=11, ranksep=0.9];\n"
			     "  node [shape=box, style=\"rounded,filled\", color=\"#555555\", "
			     "fontname=\"sans-serif\", fontsize=11];\n"
			     "  edge [fontname=\"sans-serif\", fontsize=9];\n");

	for (guint i = 0; networks->len > 1 && i < networks->len; i++) {
		const char *name = g_ptr_array_index(networks, i);

		g_string_append_printf(out, "  subgraph cluster_%u {\n    label=\"network ", i);
		dot_string(out, name);
		g_string_append(out, "\";\n    color=\"#999999\";\n");
		for (guint j = 0; j < graph->nodes->len; j++) {
			const struct graph_node *node = g_ptr_array_index(graph->nodes, j);

			if (node->network && strcmp(node->network, name) == 0)
				dot_node(out, node, j, "    ");
		}
		g_string_append(out, "  }\n");
	}
	for (guint i = 0; i < graph->nodes->len; i++) {
		const struct graph_node *node = g_ptr_array_index(graph->nodes, i);

		if (networks->len <= 1 || !node->network)
			dot_node(out, node, i, "  ");
	}
	for (guint i = 0; i < graph->edges->len; i++)
		dot_edge(out, g_ptr_array_index(graph->edges, i));
	g_string_append(out, "}\n");
	return g_string_free(out, FALSE);
}

/* ---------------------------------------------------------------- Mermaid */

/* https://mermaid.js.org/syntax/flowchart.html: entities by number or name after '#'. */
static void mermaid_string(GString *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\"#<>&|[]{}()`\\", *text))
			g_string_append_printf(out, "#%d;", (unsigned char)*text);
		else
			g_string_append_c(out, *text);
	}
}

static void mermaid_node(GString *out, const struct graph_node *node, guint index)
{
	static const char *const shapes[][2] = {
		[GRAPH_ANY] = {"([\"", "\"])"},		[GRAPH_GROUP] = {"(\"", "\")"},
		[GRAPH_PREFIX_LIST] = {"[/\"", "\"/]"}, [GRAPH_CIDR] = {"[\"", "\"]"},
		[GRAPH_EXEMPT] = {"[\"", "\"]"},
	};
	g_autoptr(GPtrArray) lines = graph_node_lines(node);

	g_string_append_printf(out, "  n%u%s", index, shapes[node->kind][0]);
	for (guint i = 0; i < lines->len; i++) {
		if (i)
			g_string_append(out, "<br/>");
		mermaid_string(out, g_ptr_array_index(lines, i));
	}
	g_string_append_printf(out, "%s\n", shapes[node->kind][1]);
}

char *graph_to_mermaid(const struct graph *graph)
{
	GString *out = g_string_new("flowchart LR\n");

	for (guint i = 0; i < graph->nodes->len; i++)
		mermaid_node(out, g_ptr_array_index(graph->nodes, i), i);
	for (guint i = 0; i < graph->edges->len; i++) {
		const struct graph_edge *edge = g_ptr_array_index(graph->edges, i);
		g_autofree char *text = graph_edge_text(edge);

		g_string_append_printf(out, "  n%u %s|\"", edge->from,
				       edge->egress || edge->blocked ? "-.->" : "-->");
		mermaid_string(out, text);
		g_string_append_printf(out, "\"| n%u\n", edge->to);
	}
	return g_string_free(out, FALSE);
}
