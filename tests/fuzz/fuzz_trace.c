/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_trace.c - any bytes as the question of a trace: it is refused with an entry, or answered as
 * the evaluator decides.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/eval.h"
#include "rulesd/load.h"
#include "tests/fuzz/fuzz.h"

static const char policy[] =
	"{\"version\": 1,"
	" \"networks\": {\"default\": {\"exempt\": [{\"address\": \"10.0.0.2\","
	"   \"protocol\": \"tcp\", \"ports\": [80]}]}},"
	" \"groups\": {\"sg-a\": {"
	"   \"ingress\": [{\"protocol\": \"tcp\", \"ports\": [443, \"8000-8080\"],"
	"      \"from\": [\"any\"]},"
	"     {\"protocol\": \"icmp\", \"icmp\": {\"type\": 8, \"code\": 0}, \"from\": [\"sg-a\"]},"
	"     {\"service\": \"dns\", \"from\": [\"10.0.0.0/8\", \"pl-x\"]}],"
	"   \"egress\": [{\"protocol\": \"all\", \"to\": [\"fd00::/16\"]}]}},"
	" \"prefix_lists\": {\"pl-x\": {\"entries\": [\"2001:db8::/32\"]}},"
	" \"interfaces\": {\"vm\": {\"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"   \"addresses\": [\"10.0.0.5\", \"fd00::5\"], \"groups\": [\"sg-a\"]}}}";

static struct {
	struct model *model;
	struct numbers *numbers;
	struct image *image;
} world;

static void make_world(void)
{
	struct load_source source = {.name = (char[]){"world"}, .length = strlen(policy)};
	g_autofree char *text = g_strdup(policy);
	g_autoptr(GPtrArray) sources = g_ptr_array_new();
	CLEANUP(diag_free) struct diag *diag = diag_new();

	source.text = text;
	g_ptr_array_add(sources, &source);
	world.numbers = numbers_new();
	FUZZ_EXPECT(load_policy(sources, &world.model, diag) == 0, "the world is refused");
	FUZZ_EXPECT(compile_image(world.model, world.numbers, NULL, "here", &world.image, diag) ==
			    0,
		    "the world does not compile");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON json_t *request =
		json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(trace_free) struct trace *trace = NULL;
	AUTO_JSON json_t *answer = NULL;
	g_autofree char *id = NULL;
	struct eval_packet packet;
	struct eval_verdict verdict;

	if (!world.model)
		make_world();
	if (!request)
		return 0;
	if (trace_packet_from_json(request, &id, &packet, diag) < 0) {
		FUZZ_EXPECT(diag->entries->len, "refused without a word");
		return 0;
	}
	if (strcmp(id, "vm") != 0)
		return 0;
	verdict = eval_packet(world.image, image_iface(world.image, "vm"), &packet);
	trace = trace_packet(world.model, world.image, world.numbers, "vm", &packet);
	FUZZ_EXPECT(trace->verdict.reason == verdict.reason && trace->verdict.rule == verdict.rule,
		    "the trace says %d, the evaluator %d", (int)trace->verdict.reason,
		    (int)verdict.reason);
	answer = trace_to_json(trace, "vm", packet.direction);
	FUZZ_EXPECT(answer, "no answer");
	return 0;
}
