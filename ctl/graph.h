/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * graph.h - who may open connections to whom, as nodes and edges.
 *
 *   graph_model.c     from a policy         graph_collapse.c  smaller, without saying more than is
 * so graph_write.c     as DOT and Mermaid    graph_page.c      as SVG and HTML, graph_json.c as
 * JSON
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "rulesd/diag.h"
#include "rulesd/model.h"

enum graph_kind {
	GRAPH_ANY,	   /* every address */
	GRAPH_GROUP,	   /* names are "sg-web", "blue:sg-web" where there are several networks */
	GRAPH_PREFIX_LIST, /* likewise */
	GRAPH_CIDR,
	GRAPH_EXEMPT, /* an endpoint that no group filters; it has no edges */
};

/* One object, or several that have the same edges. */
struct graph_node {
	enum graph_kind kind;
	char *network;	   /* NULL where it belongs to none */
	GPtrArray *names;  /* of char *, sorted, at least one */
	GPtrArray *guests; /* of char *: the first few interfaces that carry the groups */
	guint guest_count; /* and how many there are */
	bool external;	   /* known by name only */
	bool closed;	   /* its members may open nothing */
};

/* from may open connections to to. */
struct graph_edge {
	guint from, to;	   /* in nodes */
	bool egress;	   /* what a group lets out; otherwise what it lets in */
	bool blocked;	   /* let in, but no egress rule of from lets it out */
	bool some;	   /* between some of the collapsed objects, not between all */
	GPtrArray *labels; /* of char *: "https", "tcp 8080"; sorted, no duplicates */
	GPtrArray *rules;  /* of char *: "sg-web/https"; sorted, no duplicates */
};

struct graph {
	GPtrArray *nodes; /* of struct graph_node */
	GPtrArray *edges; /* of struct graph_edge, at most one for each from, to and egress */
};

/* network: only what its groups refer to (NULL: all). */
struct graph *graph_of_model(const struct model *model, const char *network);
void graph_free(struct graph **graph);

struct graph_node *graph_node_new(enum graph_kind kind, const char *network);
void graph_node_free(void *node);
struct graph_edge *graph_edge_new(guint from, guint to, bool egress);
void graph_edge_free(void *edge);
/* Into a sorted list without duplicates. */
void graph_add_text(GPtrArray *list, const char *text);
void graph_add_guests(struct graph_node *node, const char *guest, guint count);

/*
 * Joins nodes until at most limit are left, or nothing more can be joined: first those with the
 * very same edges; then groups that play the same part (the same kinds of edges to nodes that play
 * the same part), whose edges then say that they hold for some.
 */
void graph_collapse(struct graph **graph, guint limit);

/* The lines of a node's label: its names and guests, shortened where they are many. */
GPtrArray *graph_node_lines(const struct graph_node *node);
/* The label of an edge in one line of text, shortened where it is long. The caller frees. */
char *graph_edge_text(const struct graph_edge *edge);

/* {"nodes":[...],"edges":[...]} of schemas/sgctl.schema.json. The caller owns it. */
json_t *graph_to_json(const struct graph *graph);
char *graph_to_dot(const struct graph *graph);
char *graph_to_mermaid(const struct graph *graph);
/* Through graphviz's dot. 0 and *svg (the caller's), or -errno and why in diag. */
int graph_to_svg(const struct graph *graph, char **svg, struct diag *diag);
/* A page that needs nothing else: the picture, and the rules as a table. */
int graph_to_html(const struct graph *graph, const struct model *model, const char *network,
		  char **html, struct diag *diag);
