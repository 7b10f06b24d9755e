/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test.c - sgctl test: assertions about what a policy allows.
 *
 *   {"name", "interface", "direction", "protocol", "src", "dst", "icmp", "expect": "allow"|"deny",
 * "rule", "reason"}
 *
 * The fields in the middle are those of POST /v1/trace, one packet, or stand for many
 * (assertion.h). name, rule and reason may be left out.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/assertion.h"
#include "ctl/client.h"
#include "ctl/held_policy.h"
#include "ctl/junit.h"
#include "ctl/offline.h"
#include "ctl/output.h"
#include "ctl/policy_files.h"
#include "rulesd/cleanup.h"
#include "rulesd/eval.h"
#include "rulesd/load.h"

/* What a test holds besides the trace. */
static const char *const own_fields[] = {"name", "expect", "rule", "reason"};

static void complain(struct diag *diag, const char *file, const char *pointer, const char *message)
{
	struct place place = {.file = g_intern_string(file)};

	diag_add(diag, "test", place, pointer, NULL, "%s", message);
}

static json_t *trace_request(const json_t *test)
{
	json_t *request = json_copy((json_t *)(uintptr_t)test);

	for (size_t i = 0; i < G_N_ELEMENTS(own_fields); i++)
		json_object_del(request, own_fields[i]);
	return request;
}

/* Whether the trace can be asked at all, and what is expected is a verdict. */
static void check_test(const char *file, size_t index, const json_t *test, struct diag *diag)
{
	CLEANUP(diag_free) struct diag *found = diag_new();
	AUTO_JSON json_t *request = NULL;
	const char *expect = json_string_value(json_object_get(test, "expect"));
	g_autofree char *id = NULL, *pointer = g_strdup_printf("/%zu", index);
	struct eval_packet packet;

	if (!json_is_object(test)) {
		complain(diag, file, pointer, "a test is an object");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(own_fields); i++) {
		const json_t *field = json_object_get(test, own_fields[i]);
		g_autofree char *at = g_strdup_printf("%s/%s", pointer, own_fields[i]);

		if (field && !json_is_string(field) && !json_is_null(field))
			complain(diag, file, at, "not a string");
	}
	if (!expect || (strcmp(expect, "allow") != 0 && strcmp(expect, "deny") != 0))
		complain(diag, file, pointer, "\"expect\" is neither \"allow\" nor \"deny\"");
	if (assertion_is_symbolic(test)) {
		assertion_check(test, file, pointer, diag);
		return;
	}
	request = trace_request(test);
	trace_packet_from_json(request, &id, &packet, found);
	for (guint i = 0; i < found->entries->len; i++) {
		const struct diag_entry *entry = g_ptr_array_index(found->entries, i);
		g_autofree char *at = g_strconcat(pointer, entry->pointer, NULL);
		struct place place = {.file = g_intern_string(file)};

		diag_add(diag, entry->code, place, at, entry->fix, "%s", entry->message);
	}
}

/* Appends the tests of a file to tests. */
static void read_file(const struct load_source *source, json_t *tests, struct diag *diag)
{
	json_error_t error;
	AUTO_JSON json_t *document =
		json_loadb(source->text, source->length, JSON_REJECT_DUPLICATES, &error);
	json_t *list = json_is_object(document) ? json_object_get(document, "tests") : document;
	json_t *test;
	size_t i;

	if (!document) {
		struct place place = {g_intern_string(source->name), (unsigned int)error.line,
				      (unsigned int)error.column};

		diag_add(diag, "syntax", place, NULL, NULL, "%s", error.text);
		return;
	}
	if (json_is_object(document) &&
	    json_integer_value(json_object_get(document, "version")) != 1)
		complain(diag, source->name, "/version", "tests have version 1");
	if (!json_is_array(list)) {
		complain(diag, source->name, "",
			 "tests are an array, or an object {\"version\": 1, \"tests\": [...]}");
		return;
	}
	json_array_foreach (list, i, test) {
		check_test(source->name, i, test, diag);
		json_array_append(tests, test);
	}
}

static char *title(const json_t *test)
{
	const char *name = json_string_value(json_object_get(test, "name"));
	const char *interface = NULL, *direction = NULL, *src = NULL, *dst = NULL;
	const json_t *dport = json_object_get(test, "dport");
	g_autofree char *port = NULL;

	if (name)
		return g_strdup(name);
	json_unpack((json_t *)(uintptr_t)test, "{s:s, s:s, s?s, s?s}", "interface", &interface,
		    "direction", &direction, "src", &src, "dst", &dst);
	if (json_is_integer(dport))
		port = g_strdup_printf(" port %" JSON_INTEGER_FORMAT, json_integer_value(dport));
	else if (json_is_string(dport))
		port = g_strdup_printf(" port %s", json_string_value(dport));
	return g_strdup_printf("%s %s %s > %s%s", interface, direction, src ? src : interface,
			       dst ? dst : interface, port ? port : "");
}

/* NULL when the trace is what the test expects; else what is different. The caller frees it. */
static char *difference(const json_t *test, const json_t *trace)
{
	static const char *const keys[][2] = {
		{"expect", "verdict"}, {"rule", "rule"}, {"reason", "reason"}};

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		const char *expected = json_string_value(json_object_get(test, keys[i][0]));
		const char *got = json_string_value(json_object_get(trace, keys[i][1]));

		if (expected && (!got || strcmp(expected, got) != 0))
			return g_strdup_printf("expected %s %s, got %s", keys[i][1], expected,
					       got ? got : "none");
	}
	return NULL;
}

struct run {
	const struct args *args;
	struct offline *offline; /* NULL: the daemon is asked */
	struct offline *held;	 /* what the daemon holds, for symbolic tests; fetched once */
	const char *format;
	json_t *results;
	unsigned int passed;
};

/* The policy that symbolic tests are about. 0 and *policy, or -errno and why in diag. */
static int policy_of(struct run *run, struct offline **policy, struct diag *diag)
{
	struct model *model = NULL;
	int error;

	if (!run->offline && !run->held) {
		error = held_policy_load(run->args, &model, diag);
		if (error)
			return error;
		run->held = offline_of_model(model);
	}
	*policy = run->offline ? run->offline : run->held;
	return 0;
}

/* 0, *problem (NULL: it passed) and *trace (may be NULL), or -errno and why in diag. */
static int ask(struct run *run, const json_t *test, char **problem, json_t **trace,
	       struct diag *diag)
{
	AUTO_JSON json_t *request = NULL;
	struct offline *policy = NULL;
	int error;

	if (assertion_is_symbolic(test)) {
		error = policy_of(run, &policy, diag);
		return error ? error : assertion_ask(policy, test, problem, trace, diag);
	}
	request = trace_request(test);
	error = run->offline ? offline_trace(run->offline, NULL, request, trace, diag)
			     : client_request(run->args, "POST", "/v1/trace", request, trace, NULL,
					      diag);
	if (!error)
		*problem = difference(test, *trace);
	return error;
}

/* Appends the result of one test. */
static void run_test(struct run *run, const json_t *test)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	AUTO_JSON json_t *trace = NULL;
	g_autofree char *name = title(test), *problem = NULL;

	if (ask(run, test, &problem, &trace, diag))
		problem = g_strdup(
			((struct diag_entry *)g_ptr_array_index(diag->entries, 0))->message);
	run->passed += !problem;
	json_array_append_new(run->results,
			      json_pack("{s:s, s:b, s:s?, s:O?}", "name", name, "passed", !problem,
					"problem", problem, "trace", trace));
	if (strcmp(run->format, "table") != 0)
		return;
	if (problem)
		output_text("FAILED  %s: %s\n", name, problem);
	else
		output_text("ok      %s\n", name);
}

static enum exit_status run_all(struct run *run, const json_t *tests)
{
	const json_t *test;
	size_t i;

	json_array_foreach (tests, i, test)
		run_test(run, test);
	if (!strcmp(run->format, "json"))
		output_json(run->results);
	else if (!strcmp(run->format, "junit"))
		junit_print(run->results);
	else
		printf("%u passed, %u failed\n", run->passed,
		       (unsigned int)json_array_size(tests) - run->passed);
	return run->passed == json_array_size(tests) ? EXIT_DONE : EXIT_FAILED;
}

enum exit_status command_test(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(offline_close) struct offline *offline = NULL;
	const GPtrArray *policy = args_list(args, "policy");
	const char *format = args_value(args, "format");
	AUTO_JSON json_t *tests = json_array();
	AUTO_JSON json_t *results = json_array();
	g_autoptr(GPtrArray) sources = NULL;
	struct run run = {.args = args, .results = results};
	enum exit_status status;

	run.format = args_flag(args, "json") ? "json" : format ? format : "table";
	if (format && strcmp(format, "table") != 0 && strcmp(format, "json") != 0 &&
	    strcmp(format, "junit") != 0)
		return output_usage_error(
			args, "unknown --format \"%s\"; there are table, json, junit", format);
	json_files_read(args->operands, false, &sources, diag);
	for (guint i = 0; sources && i < sources->len; i++)
		read_file(g_ptr_array_index(sources, i), tests, diag);
	if (policy)
		offline_open(policy, &offline, diag);
	if (diag_any(diag)) {
		output_failure(args, diag);
		return EXIT_USAGE;
	}
	run.offline = offline;
	status = run_all(&run, tests);
	offline_close(&run.held);
	return status;
}
