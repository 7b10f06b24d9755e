/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_print.c - a plan for people. See plan.h. */
#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/plan.h"
#include "ctl/table.h"
#include "ctl/units.h"

#define SHOWN_DETAILS 8
#define SHOWN_MEMBERS 20
#define SHOWN_FLOWS   50

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static const struct mark {
	const char *action;
	const char *sign;
	int color; /* SGR */
} marks[] = {
	{"add", "+", 32},  {"remove", "-", 31}, {"change", "~", 33},
	{"move", ">", 36}, {"text", " ", 0},	{0},
};

static const struct mark *mark_of(const char *action)
{
	const struct mark *mark = marks;

	while (mark->action && strcmp(mark->action, action) != 0)
		mark++;
	return mark->action ? mark : &marks[2];
}

static void print_sign(const struct mark *mark)
{
	if (output_colors() && mark->color)
		printf("  \033[1;%dm%s\033[0m ", mark->color, mark->sign);
	else
		printf("  %s ", mark->sign);
}

static void print_details(const json_t *details)
{
	const json_t *one;
	size_t i;

	json_array_foreach (details, i, one) {
		if (i == SHOWN_DETAILS && json_array_size(details) > SHOWN_DETAILS + 1) {
			output_text("; and %zu more", json_array_size(details) - i);
			return;
		}
		output_text("%s%s", i ? "; " : ": ", json_string_value(one));
	}
}

static void print_change(const json_t *change)
{
	const char *kind = text_of(change, "kind"), *direction = text_of(change, "direction");
	bool rule = !strcmp(kind, "rule");

	print_sign(mark_of(text_of(change, "action")));
	output_text("%s %s%s%s",
		    rule			   ? "rule"
		    : !strcmp(kind, "prefix_list") ? "prefix list"
						   : kind,
		    text_of(change, "name"), rule ? " " : "", rule ? direction : "");
	print_details(json_object_get(change, "details"));
	putchar('\n');
}

static void print_changes(const json_t *changes)
{
	const json_t *change;
	size_t i;

	json_array_foreach (changes, i, change)
		print_change(change);
}

/* "10.0.0.0/8 gains tcp 22 on 14 interfaces (web-1, ...)": of ingress; of egress the interface is
 * who gains. */
static void print_meaning(const json_t *meaning)
{
	const json_t *line, *example;
	size_t i, k;

	if (json_array_size(meaning))
		printf("\nWhat it means:\n");
	json_array_foreach (meaning, i, line) {
		int count = (int)json_integer_value(json_object_get(line, "interfaces"));
		const json_t *examples = json_object_get(line, "examples");
		g_autofree char *interfaces = units_count((uint64_t)count, "interface");
		bool in = !strcmp(text_of(line, "direction"), "ingress");

		print_sign(mark_of(!strcmp(text_of(line, "effect"), "gains") ? "add" : "remove"));
		output_text(in ? "%s %s %s on %s (" : "to %s: %s %s from %s (",
			    text_of(line, "peer"), text_of(line, "effect"), text_of(line, "what"),
			    interfaces);
		json_array_foreach (examples, k, example)
			output_text("%s%s", k ? ", " : "", json_string_value(example));
		output_text("%s)\n", (size_t)count > json_array_size(examples) ? ", ..." : "");
	}
}

static void print_members(const json_t *members)
{
	const json_t *member;
	size_t i;

	if (json_array_size(members))
		printf("\nMembers:\n");
	json_array_foreach (members, i, member) {
		if (i == SHOWN_MEMBERS) {
			printf("  and %zu more; --json lists all\n", json_array_size(members) - i);
			return;
		}
		print_sign(mark_of(!strcmp(text_of(member, "effect"), "joins") ? "add" : "remove"));
		output_text("%s %s %s (%s)\n", text_of(member, "address"),
			    text_of(member, "effect"), text_of(member, "group"),
			    text_of(member, "interface"));
	}
}

static const struct column flow_columns[] = {
	{"INTERFACE", "interface", NULL, 0},	{"DIR", "direction", table_cell_direction, 0},
	{"PROTO", "protocol", NULL, 0},		{"SRC", "src", NULL, 0},
	{"SPORT", "sport", NULL, COLUMN_RIGHT}, {"DST", "dst", NULL, 0},
	{"DPORT", "dport", NULL, COLUMN_RIGHT}, {"STATE", "state", NULL, 0},
	{"LOSES", "rule", NULL, COLUMN_RULE},	{0},
};

static void print_flows(const json_t *flows)
{
	size_t all = json_array_size(flows);
	json_t *shown;

	if (!all)
		return;
	shown = json_copy((json_t *)(uintptr_t)flows);
	while (json_array_size(shown) > SHOWN_FLOWS)
		json_array_remove(shown, SHOWN_FLOWS);
	printf("\nLive flows that would be cut:\n");
	table_print(flow_columns, shown, NULL, NULL);
	if (all > SHOWN_FLOWS)
		printf("and %zu more; --json lists all\n", all - SHOWN_FLOWS);
	json_decref(shown);
}

static json_int_t count_of(const json_t *plan, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(plan, "summary"), key));
}

static void print_summary(const json_t *plan)
{
	static const char *const keys[][2] = {{"add", "to add"},
					      {"change", "to change"},
					      {"remove", "to remove"},
					      {"move", "moved"}};
	bool any = false;

	printf("%sPlan: ", json_array_size(json_object_get(plan, "changes")) ? "\n" : "");
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		if (count_of(plan, keys[i][0])) {
			printf("%s%" JSON_INTEGER_FORMAT " %s", any ? ", " : "",
			       count_of(plan, keys[i][0]), keys[i][1]);
			any = true;
		}
	if (!any)
		printf("%s", count_of(plan, "text") ? "only texts change" : "no change");
	if (count_of(plan, "flows")) {
		g_autofree char *flows =
			units_count((uint64_t)count_of(plan, "flows"), "live flow");

		printf("; %s would be cut", flows);
	}
	printf(".\n");
}

void plan_print(const json_t *plan)
{
	print_changes(json_object_get(plan, "changes"));
	print_meaning(json_object_get(plan, "meaning"));
	print_members(json_object_get(plan, "members"));
	print_flows(json_object_get(plan, "flows"));
	print_summary(plan);
}
