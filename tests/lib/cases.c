/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cases.c - see cases.h.
 */
#include "tests/lib/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/names.h"
#include "tests/lib/check.h"
#include "tests/lib/frame.h"
#include "tests/lib/offline.h"
#include "tests/lib/proggy.h"

/* ------------------------------------------------------------------ reading */

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

/* ------------------------------------------------------------------ running */

struct runner {
	const struct case_list *list;
	const struct case_line *line;
	const char *interface;
	bool xdp;
};

#define FAIL_LINE(runner, format, ...)                                                   \
	fail_msg("%s:%u: %s\n    " format, (runner)->list->file, (runner)->line->number, \
		 (runner)->line->text, __VA_ARGS__)

static const char *find_policy(const struct runner *runner, const char *name)
{
	for (unsigned int i = 0; i < runner->list->policies->len; i++) {
		const struct case_policy *policy = g_ptr_array_index(runner->list->policies, i);

		if (strcmp(policy->name, name) == 0)
			return policy->json;
	}
	FAIL_LINE(runner, "there is no policy \"%s\"", name);
	return NULL;
}

static struct frame_spec *read_frame(const struct runner *runner, const char *text, bool sends)
{
	const uint8_t *mac = sends ? proggy_mac(runner->interface) : NULL;
	g_autofree char *full = g_strdup(text);
	g_autofree char *error = NULL;
	struct frame_spec *spec = NULL;

	if (mac && !strstr(text, "smac=")) {
		char mac_text[MAC_TEXT_SIZE];

		g_free(full);
		full = g_strdup_printf("%s smac=%s", text, mac_format(mac, mac_text));
	}
	if (frame_spec_parse(full, &spec, &error) < 0)
		FAIL_LINE(runner, "%s", error);
	return spec;
}

/* Whether the verdict, the counter and the bytes are what they must be. */
static void judge(const struct runner *runner, enum proggy_program program,
		  const struct proggy_result *result, const char *expected)
{
	uint32_t reason = 0;

	if (reason_parse(expected, &reason) < 0)
		FAIL_LINE(runner, "\"%s\" is no reason", expected);
	if (result->error < 0)
		FAIL_LINE(runner, "%s: BPF_PROG_TEST_RUN: %s", proggy_name(program),
			  strerror(-result->error));
	if (result->reason != reason)
		FAIL_LINE(runner, "%s: %s by %s", proggy_name(program),
			  result->allowed ? "allowed" : "dropped",
			  result->reason < SG_REASONS ? reason_name(result->reason)
						      : "no single counter");
	if (result->allowed == !!sg_reason_is_drop(reason))
		FAIL_LINE(runner, "%s: the counter says %s, the verdict %s", proggy_name(program),
			  expected, result->allowed ? "pass" : "drop");
	if (!result->counted)
		FAIL_LINE(runner, "%s: packets and bytes were not counted as one frame",
			  proggy_name(program));
	if (!result->unchanged)
		FAIL_LINE(runner, "%s: the frame came out changed", proggy_name(program));
}

/* The evaluator must say the same, where it can be asked. */
static void judge_offline(const struct runner *runner, enum proggy_program program,
			  const struct frame_spec *spec, uint32_t reason, const char *rule)
{
	const struct image_iface *iface = image_iface(proggy_image(), runner->interface);
	struct eval_verdict verdict;
	const char *name;

	if (!offline_knows(reason) ||
	    !offline_verdict(proggy_image(), iface, proggy_dir(program), spec, &verdict))
		return;
	if (verdict.reason != reason)
		FAIL_LINE(runner, "the offline evaluator says %s", reason_name(verdict.reason));
	name = image_rule_name(proggy_image(), verdict.rule);
	if (rule && g_strcmp0(name, rule) != 0)
		FAIL_LINE(runner, "the offline evaluator names the rule %s",
			  name ? name : "(none)");
}

static void run_packet(const struct runner *runner, const char *text, bool sends)
{
	enum proggy_program program = !sends	    ? PROGGY_TC_INGRESS
				      : runner->xdp ? PROGGY_XDP
						    : PROGGY_TC_EGRESS;
	const char *equals = g_strrstr(text, " = ");
	__attribute__((cleanup(frame_spec_free))) struct frame_spec *spec = NULL;
	g_autofree char *frame_text = NULL;
	g_auto(GStrv) expected = NULL;
	struct proggy_result result;
	struct frame frame;

	if (!equals)
		FAIL_LINE(runner, "%s", "no \" = REASON\"");
	frame_text = g_strndup(text, (gsize)(equals - text));
	expected = g_strsplit(equals + 3, " ", 2);
	spec = read_frame(runner, frame_text, sends);
	frame_build(spec, &frame);
	result = proggy_run(program, runner->interface, &frame);
	judge(runner, program, &result, expected[0]);
	if (expected[1]) {
		const char *rule = proggy_flow_rule(runner->interface);

		if (g_strcmp0(rule, expected[1]) != 0)
			FAIL_LINE(runner, "the flow names the rule %s", rule ? rule : "(none)");
	}
	judge_offline(runner, program, spec, result.reason,
		      result.reason == SG_ALLOW_RULE ? expected[1] : NULL);
}

static void run_line(struct runner *runner)
{
	const char *text = runner->line->text;

	if (g_str_has_prefix(text, "out ")) {
		run_packet(runner, text + 4, true);
	} else if (g_str_has_prefix(text, "in ")) {
		run_packet(runner, text + 3, false);
	} else if (g_str_has_prefix(text, "with ")) {
		proggy_policy(find_policy(runner, text + 5));
	} else if (g_str_has_prefix(text, "on ")) {
		runner->interface = text + 3;
	} else if (g_str_has_prefix(text, "change ")) {
		g_auto(GStrv) words = g_strsplit(text + 7, " ", 2);

		proggy_change(find_policy(runner, words[0]), g_strcmp0(words[1], "keep") == 0);
	} else if (strcmp(text, "flush") == 0) {
		proggy_flush_flows();
	} else if (g_str_has_prefix(text, "flows ")) {
		unsigned int flows = proggy_count_flows(runner->interface);

		if (flows != (unsigned int)atoi(text + 6))
			FAIL_LINE(runner, "there are %u flows", flows);
	} else {
		FAIL_LINE(runner, "%s", "no line of a case");
	}
}

void case_run(const struct case_list *list, const struct prog_case *test, bool xdp)
{
	struct runner runner = {.list = list, .interface = "vm", .xdp = xdp};

	for (unsigned int i = 0; i < test->lines->len; i++) {
		runner.line = g_ptr_array_index(test->lines, i);
		run_line(&runner);
	}
}
