/* SPDX-License-Identifier: GPL-2.0-or-later */
/* graph_page.c - a graph as a picture (through graphviz) and as a page of its own. See graph.h. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "ctl/graph.h"
#include "ctl/rule_text.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

static int no_picture(struct diag *diag, const char *fix, const char *why)
{
	diag_add(diag, "graphviz", (struct place){0}, NULL, fix,
		 "graphviz's dot did not draw the graph: %s", why);
	return -EIO;
}

/* A file in memory for dot's standard input: a pipe could block both sides. */
static int input_of(const char *text)
{
	AUTO_FD int fd = memfd_create("sgctl-graph", MFD_CLOEXEC);
	size_t length = strlen(text), done = 0;

	while (fd >= 0 && done < length) {
		ssize_t written = write(fd, text + done, length - done);

		if (written <= 0)
			return -1;
		done += (size_t)written;
	}
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return TAKE_FD(fd);
}

static char *read_all(int fd)
{
	GString *text = g_string_new(NULL);
	char buffer[65536];
	ssize_t got;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		g_string_append_len(text, buffer, got);
	return g_string_free(text, FALSE);
}

int graph_to_svg(const struct graph *graph, char **svg, struct diag *diag)
{
	g_autofree char *dot = graph_to_dot(graph);
	g_autofree char *made = NULL;
	g_autoptr(GError) error = NULL;
	char *argv[] = {(char[]){"dot"}, (char[]){"-Tsvg"}, NULL};
	AUTO_FD int in = input_of(dot);
	AUTO_FD int out = -1;
	GPid pid = 0;
	int status = 0;

	if (in < 0)
		return no_picture(diag, NULL, g_strerror(errno));
	if (!g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)argv, NULL,
					      G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL,
					      NULL, in, -1, -1, NULL, NULL, 0, &pid, NULL, &out,
					      NULL, &error))
		return no_picture(diag,
				  "install graphviz, or take --format dot and draw it elsewhere",
				  error->message);
	made = read_all(out);
	if (waitpid(pid, &status, 0) < 0 || status || !*made)
		return no_picture(diag, NULL, "it failed");
	*svg = TAKE_PTR(made);
	return 0;
}

/* ---------------------------------------------------------------- the page */

static void add_escaped(GString *out, const char *text)
{
	g_autofree char *escaped = g_markup_escape_text(text ? text : "", -1);

	g_string_append(out, escaped);
}

static void add_cell(GString *out, const char *text)
{
	g_string_append(out, "<td>");
	add_escaped(out, text);
	g_string_append(out, "</td>");
}

static void add_rule(GString *out, const struct model_group *group, const struct model_rule *rule)
{
	g_autoptr(GString) peers = g_string_new(NULL);
	g_autofree char *what = rule_what_text(rule);
	g_autofree char *name = g_strdup_printf("%s/%s", group->id, rule->id);

	for (guint i = 0; i < rule->peers->len; i++) {
		g_autofree char *text =
			rule_peer_text(g_ptr_array_index(rule->peers, i), group->network);

		g_string_append_printf(peers, "%s%s", i ? ", " : "", text);
	}
	g_string_append(out, "<tr>");
	add_cell(out, group->network);
	add_cell(out, name);
	add_cell(out, dir_name(rule->direction));
	add_cell(out, what);
	add_cell(out, peers->str);
	add_cell(out, rule->description);
	g_string_append(out, "</tr>\n");
}

static gint compare_groups(gconstpointer a, gconstpointer b)
{
	const struct model_group *one = *(const struct model_group *const *)a;
	const struct model_group *other = *(const struct model_group *const *)b;
	int order = strcmp(one->network, other->network);

	return order ? order : strcmp(one->id, other->id);
}

static GPtrArray *groups_of(const struct model *model, const char *only)
{
	GPtrArray *groups = g_ptr_array_new();
	GHashTableIter networks, iter;
	gpointer network, group;

	g_hash_table_iter_init(&networks, model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		if (only && strcmp(only, ((struct model_network *)network)->name) != 0)
			continue;
		g_hash_table_iter_init(&iter, ((struct model_network *)network)->groups);
		while (g_hash_table_iter_next(&iter, NULL, &group))
			if (!((struct model_group *)group)->implied)
				g_ptr_array_add(groups, group);
	}
	g_ptr_array_sort(groups, compare_groups);
	return groups;
}

/* Everything is in the page itself; the policy of the browser forbids the rest. */
static const char page_head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	"'unsafe-inline'; script-src 'unsafe-inline'\">\n"
	"<title>tapguard: who may reach whom</title>\n<style>\n"
	"body{font-family:sans-serif;margin:1.5em;color:#222}\n"
	"figure{margin:0;overflow-x:auto}svg{max-width:100%;height:auto}\n"
	"table{border-collapse:collapse;margin-top:1em;font-size:90%}\n"
	"td,th{border:1px solid #ccc;padding:.25em .6em;text-align:left;vertical-align:top}\n"
	"th{background:#eef3f9}.dim{opacity:.12}p.key span{margin-right:1.5em}\n"
	"</style></head><body>\n<h1>Who may reach whom</h1>\n"
	"<p class=\"key\"><span>&#8594; what a group lets in</span><span "
	"style=\"color:#3a7a3a\">&#8669; what a group lets out, where its egress is "
	"limited</span><span style=\"color:#b03030\">dotted: let in there, not let out "
	"here</span></p>\n<p>Point at a group to see its edges alone.</p>\n<figure>\n";
static const char page_script[] =
	"<script>\n"
	"const edges=[...document.querySelectorAll('g.edge')],nodes=[...document.querySelectorAll("
	"'g.node')];\n"
	"const name=g=>g.querySelector('title').textContent;\n"
	"for(const node of nodes){\n"
	" node.addEventListener('mouseenter',()=>{const near=new Set([name(node)]);\n"
	"  for(const edge of edges){const ends=name(edge).split('->');\n"
	"   const own=ends.includes(name(node));edge.classList.toggle('dim',!own);\n"
	"   if(own)ends.forEach(end=>near.add(end))}\n"
	"  for(const other of nodes)other.classList.toggle('dim',!near.has(name(other)))});\n"
	" node.addEventListener('mouseleave',()=>[...edges,...nodes].forEach(g=>g.classList.remove("
	"'dim')))}\n"
	"</script>\n";

int graph_to_html(const struct graph *graph, const struct model *model, const char *network,
		  char **html, struct diag *diag)
{
	g_autoptr(GPtrArray) groups = groups_of(model, network);
	g_autofree char *svg = NULL;
	const char *picture;
	GString *out;
	int error = graph_to_svg(graph, &svg, diag);

	if (error)
		return error;
	picture = strstr(svg, "<svg");
	out = g_string_new(page_head);
	g_string_append(out, picture ? picture : svg);
	g_string_append(out, "</figure>\n<h2>Rules</h2>\n<table><tr><th>network</th><th>rule</th>"
			     "<th>direction</th><th>what</th><th>peers</th><th>description</th>"
			     "</tr>\n");
	for (guint i = 0; i < groups->len; i++) {
		const struct model_group *group = g_ptr_array_index(groups, i);

		for (int dir = SG_DIRS - 1; dir >= 0; dir--)
			for (guint j = 0; j < group->rules[dir]->len; j++)
				add_rule(out, group, g_ptr_array_index(group->rules[dir], j));
	}
	g_string_append_printf(out, "</table>\n%s</body></html>\n", page_script);
	*html = g_string_free(out, FALSE);
	return 0;
}
