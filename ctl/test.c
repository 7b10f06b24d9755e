/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test.c - sgctl test: assertions about what a policy allows, each a trace with the expected
 * answer.
 *
 *   {"name", "interface", "direction", "protocol", "src", "dst", "icmp", "expect": "allow"|"deny",
 * "rule", "reason"}
 *
 * The fields in the middle are those of POST /v1/trace. name, rule and reason may be left out.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/client.h"
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

	if (name)
		return g_strdup(name);
	json_unpack((json_t *)(uintptr_t)test, "{s:s, s:s, s:s, s:s}", "interface", &interface,
		    "direction", &direction, "src", &src, "dst", &dst);
	return g_strdup_printf("%s %s %s > %s", interface, direction, src, dst);
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

/* Runs one test; appends its result, and returns whether it passed. */
static bool run_test(const struct args *args, struct offline *offline, const json_t *test,
		     json_t *results)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	AUTO_JSON json_t *request = trace_request(test);
	AUTO_JSON json_t *trace = NULL;
	g_autofree char *name = title(test), *problem = NULL;
	int error =
		offline ? offline_trace(offline, NULL, request, &trace, diag)
			: client_request(args, "POST", "/v1/trace", request, &trace, NULL, diag);

	if (error)
		problem = g_strdup(
			((struct diag_entry *)g_ptr_array_index(diag->entries, 0))->message);
	else
		problem = difference(test, trace);
	json_array_append_new(results, json_pack("{s:s, s:b, s:s?, s:O?}", "name", name, "passed",
						 !problem, "problem", problem, "trace", trace));
	if (args_flag(args, "json"))
		return !problem;
	if (problem)
		output_text("FAILED  %s: %s\n", name, problem);
	else
		output_text("ok      %s\n", name);
	return !problem;
}

static enum exit_status run_all(const struct args *args, struct offline *offline,
				const json_t *tests)
{
	AUTO_JSON json_t *results = json_array();
	unsigned int passed = 0;
	const json_t *test;
	size_t i;

	json_array_foreach (tests, i, test)
		passed += run_test(args, offline, test, results);
	if (args_flag(args, "json"))
		output_json(results);
	else
		printf("%u passed, %u failed\n", passed,
		       (unsigned int)json_array_size(tests) - passed);
	return passed == json_array_size(tests) ? EXIT_DONE : EXIT_FAILED;
}

enum exit_status command_test(const struct args *args)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(offline_close) struct offline *offline = NULL;
	const GPtrArray *policy = args_list(args, "policy");
	g_autoptr(GPtrArray) sources = NULL;
	AUTO_JSON json_t *tests = json_array();

	policy_files_read(args->operands, &sources, diag);
	for (guint i = 0; sources && i < sources->len; i++)
		read_file(g_ptr_array_index(sources, i), tests, diag);
	if (policy)
		offline_open(policy, &offline, diag);
	if (diag_any(diag)) {
		output_failure(args, diag);
		return EXIT_USAGE;
	}
	return run_all(args, offline, tests);
}
