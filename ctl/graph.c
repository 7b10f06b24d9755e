/* SPDX-License-Identifier: GPL-2.0-or-later */
/* graph.c - sgctl graph: who may open connections to whom, as a picture. */
#include "ctl/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/command.h"
#include "ctl/held_policy.h"
#include "ctl/output.h"
#include "ctl/policy_files.h"
#include "rulesd/cleanup.h"
#include "rulesd/nearest.h"

#define DEFAULT_NODES 40

enum format { FORMAT_DOT, FORMAT_MERMAID, FORMAT_SVG, FORMAT_HTML, FORMATS };

static const char *const format_names[FORMATS] = {
	[FORMAT_DOT] = "dot",
	[FORMAT_MERMAID] = "mermaid",
	[FORMAT_SVG] = "svg",
	[FORMAT_HTML] = "html",
};

static int read_format(const char *text, enum format *format)
{
	for (unsigned int i = 0; i < FORMATS; i++)
		if (!text || !strcmp(text, format_names[i])) {
			*format = (enum format)i;
			return 0;
		}
	return -EINVAL;
}

/* 0 and the number of nodes, -EINVAL when it is no number above 0. */
static int read_nodes(const char *text, guint *nodes)
{
	guint64 value = DEFAULT_NODES;

	if (text && !g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT, &value, NULL))
		return -EINVAL;
	*nodes = (guint)value;
	return 0;
}

static int write_graph(const struct graph *graph, const struct model *model, const char *network,
		       enum format format, char **text, struct diag *diag)
{
	switch (format) {
	case FORMAT_SVG:
		return graph_to_svg(graph, text, diag);
	case FORMAT_HTML:
		return graph_to_html(graph, model, network, text, diag);
	case FORMAT_MERMAID:
		*text = graph_to_mermaid(graph);
		return 0;
	case FORMAT_DOT:
	case FORMATS:
	default:
		*text = graph_to_dot(graph);
		return 0;
	}
}

static enum exit_status no_network(const struct args *args, const struct model *model,
				   const char *name)
{
	struct nearest nearest = nearest_new(name);
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		nearest_offer(&nearest, key);
	return output_failure_text(args, "unknown-network", "the policy has no network %s%s%s%s",
				   name, nearest.best ? "; did you mean " : "",
				   nearest.best ? nearest.best : "", nearest.best ? "?" : "");
}

enum exit_status command_graph(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *model = NULL;
	CLEANUP(graph_free) struct graph *graph = NULL;
	const char *network = args_value(args, "network");
	g_autofree char *text = NULL;
	enum format format;
	guint nodes;
	int error;

	if (args_flag(args, "json") && args_value(args, "format"))
		return output_usage_error(args, "--json and --format exclude each other");
	if (read_format(args_value(args, "format"), &format))
		return output_usage_error(args,
					  "unknown --format \"%s\"; there are dot, mermaid, svg, "
					  "html",
					  args_value(args, "format"));
	if (read_nodes(args_value(args, "nodes"), &nodes))
		return output_usage_error(args, "--nodes \"%s\" is not a number above 0",
					  args_value(args, "nodes"));
	error = args->operands->len ? policy_files_load(args->operands, &model, diag)
				    : held_policy_load(args, &model, diag);
	if (error)
		return output_failure(args, diag);
	if (network && !model_network(model, network))
		return no_network(args, model, network);
	graph = graph_of_model(model, network);
	graph_collapse(&graph, nodes);
	if (args_flag(args, "json")) {
		AUTO_JSON json_t *document = graph_to_json(graph);

		output_json(document);
		return EXIT_DONE;
	}
	if (write_graph(graph, model, network, format, &text, diag))
		return output_failure(args, diag);
	fputs(text, stdout);
	return EXIT_DONE;
}
