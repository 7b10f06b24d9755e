/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cases.c - reads the case files; see cases.h. case_run.c runs what is in them.
 */
#include "tests/lib/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_line(gpointer data)
{
	struct case_line *line = data;

	g_free(line->text);
	g_free(line);
}

static void free_case(gpointer data)
{
	struct prog_case *test = data;

	g_free(test->name);
	g_ptr_array_unref(test->lines);
	g_free(test);
}

static void free_policy(gpointer data)
{
	struct case_policy *policy = data;

	g_free(policy->name);
	g_free(policy->json);
	g_free(policy);
}

void cases_free(struct case_list **list)
{
	if (!*list)
		return;
	g_ptr_array_unref((*list)->policies);
	g_ptr_array_unref((*list)->cases);
	g_free((*list)->file);
	g_clear_pointer(list, g_free);
}

static void refuse(const struct case_list *list, unsigned int number, const char *why)
{
	fprintf(stderr, "%s:%u: %s\n", list->file, number, why);
	exit(2);
}

/* Takes the lines of a policy; returns the index of its "end". */
static unsigned int read_policy(struct case_list *list, char **lines, unsigned int at)
{
	struct case_policy *policy = g_new0(struct case_policy, 1);
	g_autoptr(GString) json = g_string_new(NULL);
	unsigned int first = at;

	policy->name = g_strdup(g_strstrip(lines[at] + strlen("policy ")));
	for (at++; lines[at] && strcmp(lines[at], "end") != 0; at++)
		g_string_append_printf(json, "%s\n", lines[at]);
	policy->json = g_strdup(json->str);
	g_ptr_array_add(list->policies, policy);
	if (!lines[at])
		refuse(list, first + 1, "the policy has no line \"end\"");
	return at;
}

static void read_line(struct case_list *list, char *text, unsigned int number)
{
	struct prog_case *test =
		list->cases->len ? g_ptr_array_index(list->cases, list->cases->len - 1) : NULL;
	struct case_line *line;

	if (g_str_has_prefix(text, "case ")) {
		test = g_new0(struct prog_case, 1);
		test->name = g_strdup(text + strlen("case "));
		test->file = list->file;
		test->lines = g_ptr_array_new_with_free_func(free_line);
		g_ptr_array_add(list->cases, test);
		return;
	}
	if (!test)
		refuse(list, number, "a line before the first \"case\"");
	if (test->lines->len == 0 && !g_str_has_prefix(text, "with "))
		refuse(list, number, "a case starts with \"with POLICY\"");
	test->sends |= g_str_has_prefix(text, "out ");
	line = g_new0(struct case_line, 1);
	line->number = number;
	line->text = g_strdup(text);
	g_ptr_array_add(test->lines, line);
}

struct case_list *cases_read(const char *path)
{
	struct case_list *list = g_new0(struct case_list, 1);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(path, &text, NULL, &error)) {
		fprintf(stderr, "%s\n", error->message);
		exit(2);
	}
	list->file = g_strdup(path);
	list->policies = g_ptr_array_new_with_free_func(free_policy);
	list->cases = g_ptr_array_new_with_free_func(free_case);
	lines = g_strsplit(text, "\n", -1);
	for (unsigned int i = 0; lines[i]; i++) {
		char *line = g_strstrip(lines[i]);

		if (g_str_has_prefix(line, "policy "))
			i = read_policy(list, lines, i);
		else if (*line && *line != '#')
			read_line(list, line, i + 1);
	}
	return list;
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void free_list(gpointer data)
{
	struct case_list *list = data;

	cases_free(&list);
}

GPtrArray *cases_read_all(void)
{
	GPtrArray *lists = g_ptr_array_new_with_free_func(free_list);
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(CASES_DIR, 0, &error);
	const char *name;

	if (!dir) {
		fprintf(stderr, "%s\n", error->message);
		exit(2);
	}
	while ((name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".cases"))
			g_ptr_array_add(files, g_build_filename(CASES_DIR, name, NULL));
	g_ptr_array_sort(files, by_text);
	for (unsigned int i = 0; i < files->len; i++)
		g_ptr_array_add(lists, cases_read(g_ptr_array_index(files, i)));
	return lists;
}

const char *case_policy_find(const struct case_list *list, const char *name)
{
	for (unsigned int i = 0; i < list->policies->len; i++) {
		const struct case_policy *policy = g_ptr_array_index(list->policies, i);

		if (strcmp(policy->name, name) == 0)
			return policy->json;
	}
	return NULL;
}

bool case_packet_read(const char *text, struct case_packet *packet)
{
	const char *equals = g_strrstr(text, " = ");
	g_auto(GStrv) words = NULL;

	memset(packet, 0, sizeof(*packet));
	if (!equals)
		return false;
	words = g_strsplit(equals + 3, " ", -1);
	packet->frame = g_strndup(text, (gsize)(equals - text));
	packet->reason = g_strdup(words[0]);
	for (unsigned int i = 1; words[i]; i++) {
		char **at = g_str_has_prefix(words[i], "state=") ? &packet->state : &packet->rule;

		if (*at) {
			case_packet_clear(packet);
			return false;
		}
		*at = g_strdup(at == &packet->state ? words[i] + strlen("state=") : words[i]);
	}
	return true;
}

void case_packet_clear(struct case_packet *packet)
{
	g_clear_pointer(&packet->frame, g_free);
	g_clear_pointer(&packet->reason, g_free);
	g_clear_pointer(&packet->rule, g_free);
	g_clear_pointer(&packet->state, g_free);
}
