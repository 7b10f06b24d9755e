/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show.c - sgctl show: the present state, a subject at a time. */
#include "ctl/show.h"

#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/known.h"
#include "ctl/output.h"
#include "ctl/units.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"
#include "rulesd/nearest.h"

static json_int_t of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key, const char *none)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : none;
}

static void print_guard(const json_t *guard)
{
	const char *error = text_of(guard, "error", NULL);
	const json_t *pattern;
	size_t i;

	if (!json_is_object(guard))
		return;
	output_text("guard       ");
	json_array_foreach (json_object_get(guard, "patterns"), i, pattern)
		output_text("%s%s", i ? ", " : "", json_string_value(pattern));
	output_text(": %s; %" JSON_INTEGER_FORMAT " frames dropped, %" JSON_INTEGER_FORMAT
		    " repairs\n",
		    text_of(guard, "state", "?"), of(guard, "dropped_packets"),
		    of(guard, "repairs") + of(guard, "group_repairs"));
	if (error)
		output_text("error       %s\n", error);
}

/* Nothing while nobody has taken anything away. */
static void print_repairs(const json_t *repairs)
{
	json_int_t all = of(repairs, "programs") + of(repairs, "pins") + of(repairs, "entries");
	const char *failed = text_of(repairs, "failed", NULL);

	if (all)
		output_text("repaired    %" JSON_INTEGER_FORMAT
			    " that somebody else had changed, last %s: %s\n",
			    all, text_of(repairs, "last_at", "?"), text_of(repairs, "last", "?"));
	if (failed)
		output_text("error       cannot be put back: %s\n", failed);
}

static void print_status(const json_t *status)
{
	g_autofree char *up = units_age(json_number_value(json_object_get(status, "uptime")));
	const char *error = text_of(status, "policy_error", NULL);
	const json_t *trial = json_object_get(status, "on_trial");
	const char *digest = text_of(status, "policy_sha256", NULL);
	const char *lost = text_of(status, "state_error", NULL);
	const json_t *kept;
	size_t i;

	output_text("rulesd      %s on %s, up %s\n", text_of(status, "version", "?"),
		    text_of(status, "host", "?"), up);
	output_text("dataplane   %s\n", text_of(status, "dataplane", "?"));
	output_text("generation  %" JSON_INTEGER_FORMAT "\n", of(status, "generation"));
	output_text("policy      from %s", text_of(status, "source", "?"));
	if (digest)
		output_text(", sha256 %.12s", digest);
	putchar('\n');
	output_text("groups      %" JSON_INTEGER_FORMAT "\n", of(status, "groups"));
	output_text("members     %" JSON_INTEGER_FORMAT "\n", of(status, "members"));
	output_text("interfaces  %" JSON_INTEGER_FORMAT ": %" JSON_INTEGER_FORMAT
		    " filtering, %" JSON_INTEGER_FORMAT " waiting, %" JSON_INTEGER_FORMAT
		    " failed, %" JSON_INTEGER_FORMAT " elsewhere\n",
		    of(status, "interfaces"), of(status, "attached"), of(status, "waiting"),
		    of(status, "failed"), of(status, "remote"));
	output_text("flows       %" JSON_INTEGER_FORMAT "; %" JSON_INTEGER_FORMAT
		    " of %" JSON_INTEGER_FORMAT " reserved\n",
		    of(status, "flows"), of(status, "reserved_flows"), of(status, "max_flows"));
	print_guard(json_object_get(status, "guard"));
	if (json_is_object(trial))
		output_text("on trial    for %" JSON_INTEGER_FORMAT
			    " more seconds; sgctl confirm keeps it\n",
			    of(trial, "seconds"));
	json_array_foreach (json_object_get(status, "kept"), i, kept)
		output_text("kept        %s, as it is pinned: nothing says any more whose it is\n",
			    text_of(kept, "device", "?"));
	if (lost)
		output_text("state       %s\n", lost);
	print_repairs(json_object_get(status, "repairs"));
	if (error)
		output_text("error       %s\n", error);
}

static const struct subject *find(const char *name)
{
	for (const struct subject *s = show_subjects; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

static enum exit_status unknown_subject(const struct args *args, const char *name)
{
	g_autoptr(GString) all = g_string_new(NULL);
	struct nearest nearest;

	nearest = nearest_new(name);
	for (const struct subject *s = show_subjects; s->name; s++) {
		nearest_offer(&nearest, s->name);
		g_string_append_printf(all, "%s%s", all->len ? ", " : "", s->name);
	}
	if (nearest.best)
		return output_usage_error(args, "cannot show \"%s\"; did you mean %s?", name,
					  nearest.best);
	return output_usage_error(args, "cannot show \"%s\"; there are %s", name, all->str);
}

/* members SG, rules [SG]; the rest take nothing. */
static enum exit_status check(const struct args *args, const struct subject *subject)
{
	const char *group = args_operand(args, 1), *output = args_value(args, "output");
	g_autofree char *error = NULL;
	bool is_members = !strcmp(subject->name, "members"),
	     is_rules = !strcmp(subject->name, "rules");

	if (is_members && !group)
		return output_usage_error(args,
					  "show members needs a group: sgctl show members sg-web");
	if (group && !is_members && !is_rules)
		return output_usage_error(args, "show %s does not take \"%s\"", subject->name,
					  group);
	if (output && !subject->columns)
		return output_usage_error(args, "show %s has no columns", subject->name);
	if (subject->columns && table_check(subject->columns, output, &error))
		return output_usage_error(args, "%s", error);
	return EXIT_DONE;
}

/* The rules of one group, or every one. */
static json_t *only_group(const json_t *rules, const char *group, const char *network)
{
	json_t *selected = json_array();
	json_t *rule;
	size_t i;

	json_array_foreach (rules, i, rule) {
		const char *of_network = text_of(rule, "network", "");

		if (!strcmp(text_of(rule, "group", ""), group) &&
		    (!network || !strcmp(of_network, network)))
			json_array_append(selected, rule);
	}
	return selected;
}

/* 0 and the subject's document, or -errno and diag. */
static int get(const struct args *args, const struct subject *subject, json_t **document,
	       struct diag *diag)
{
	const char *group = args_operand(args, 1), *network = args_value(args, "network");
	g_autoptr(GString) path = g_string_new(subject->path);
	AUTO_JSON json_t *answer = NULL;
	int result;

	if (!subject->path) {
		*document = services_to_json();
		return 0;
	}
	if (!strcmp(subject->name, "members")) {
		client_add_query(path, "group", group);
		client_add_query(path, "network", network);
	}
	result = client_request(args, "GET", path->str, NULL, &answer, NULL, diag);
	if (result == -ENOENT && group)
		known_suggest(args, "/v1/groups", "id", group, diag);
	if (result)
		return result;
	if (!strcmp(subject->name, "rules") && group) {
		AUTO_JSON json_t *selected = only_group(answer, group, network);

		json_decref(answer);
		answer = TAKE_PTR(selected);
	}
	*document = TAKE_PTR(answer);
	return 0;
}

enum exit_status command_show(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	const struct subject *subject = find(args_operand(args, 0));
	AUTO_JSON json_t *document = NULL;
	g_autofree char *error = NULL;
	enum exit_status status;

	if (!subject)
		return unknown_subject(args, args_operand(args, 0));
	status = check(args, subject);
	if (status != EXIT_DONE)
		return status;
	if (get(args, subject, &document, diag))
		return output_failure(args, diag);
	if (args_flag(args, "json"))
		output_json(document);
	else if (!subject->columns)
		print_status(document);
	else
		table_print(subject->columns, document, args_value(args, "output"), &error);
	return EXIT_DONE;
}
