/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_tests.c - any bytes as a file of tests: each one is refused with an entry, or has an answer
 * whose counterexample, if it fails, is one.
 */
#include <string.h>

#include "ctl/assertion.h"
#include "ctl/offline.h"
#include "rulesd/cleanup.h"
#include "rulesd/eval.h"
#include "rulesd/load.h"
#include "tests/fuzz/fuzz.h"

static const char policy[] =
	"{\"version\": 1, \"networks\": {\"blue\": {\"peers\": [\"default\"]}},"
	" \"groups\": {\"sg-a\": {\"ingress\": [{\"protocol\": \"tcp\","
	"   \"ports\": [443, \"8000-8080\"], \"from\": [\"any\"]},"
	"  {\"protocol\": \"icmp\", \"icmp\": {\"type\": 8, \"code\": 0}, \"from\": [\"sg-a\"]},"
	"  {\"service\": \"dns\", \"from\": [\"10.0.0.0/8\", \"pl-x\"]}],"
	"  \"egress\": [{\"protocol\": \"all\", \"to\": [\"fd00::/16\"]}]}},"
	" \"prefix_lists\": {\"pl-x\": {\"entries\": [\"2001:db8::/32\", \"10.9.0.0/16\"]}},"
	" \"interfaces\": {\"vm\": {\"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"   \"addresses\": [\"10.0.0.5\", \"fd00::5\"], \"groups\": [\"sg-a\"]},"
	"  \"db\": {\"addresses\": [\"10.0.0.6\"], \"groups\": [\"sg-a\"]}}}";

static struct offline *offline;

static void make_world(void)
{
	struct load_source source = {.name = (char[]){"world"}, .length = strlen(policy)};
	g_autofree char *text = g_strdup(policy);
	g_autoptr(GPtrArray) sources = g_ptr_array_new();
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct model *model = NULL;

	source.text = text;
	g_ptr_array_add(sources, &source);
	FUZZ_EXPECT(load_policy(sources, &model, diag) == 0, "the world is refused");
	offline = offline_of_model(model);
}

/* For every packet that it stands for. */
static void ask_symbolic(const json_t *test)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autofree char *problem = NULL;
	AUTO_JSON json_t *trace = NULL;
	int result;

	assertion_check(test, "fuzz", "/0", diag);
	if (diag->entries->len)
		return;
	result = assertion_ask(offline, test, &problem, &trace, diag);
	FUZZ_EXPECT((result < 0) == diag_any(diag), "%d with %u entries", result,
		    diag->entries->len);
	FUZZ_EXPECT(!trace || problem, "a packet that shows no problem");
}

static void ask(const json_t *test)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	AUTO_JSON json_t *request = json_copy((json_t *)(uintptr_t)test);
	AUTO_JSON json_t *trace = NULL;
	g_autofree char *id = NULL;
	struct eval_packet packet;
	int result;

	json_object_del(request, "expect");
	json_object_del(request, "name");
	result = trace_packet_from_json(request, &id, &packet, diag);
	FUZZ_EXPECT((result < 0) == diag_any(diag), "%d with %u entries", result,
		    diag->entries->len);
	if (result < 0)
		return;
	result = offline_trace(offline, NULL, request, &trace, diag);
	FUZZ_EXPECT((result < 0) == diag_any(diag) && (result == 0) == (trace != NULL),
		    "%d with %u entries", result, diag->entries->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON json_t *document =
		json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	const json_t *list =
		json_is_object(document) ? json_object_get(document, "tests") : document;
	const json_t *test;
	size_t i;

	if (!offline)
		make_world();
	json_array_foreach (list, i, test) {
		if (!json_is_object(test) || i > 8)
			continue;
		if (assertion_is_symbolic(test))
			ask_symbolic(test);
		else
			ask(test);
	}
	return 0;
}
