/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_conformance.c - the states of a public conformance suite, probe by probe, in the offline
 * evaluator: what the source's groups let out, what the destination's let in, and trace the same.
 */
#include "rulesd/addr.h"
#include "rulesd/compile.h"
#include "rulesd/eval.h"
#include "rulesd/load.h"
#include "rulesd/names.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/conformance.h"

#define SOURCE_PORT 40000

/* A state, loaded and compiled. The numbers may be those of the states before it. */
struct compiled {
	struct model *model;
	struct numbers *numbers;
	struct image *image;
	unsigned int mistakes;
};

static GPtrArray *load_states(void)
{
	char *error = NULL;
	GPtrArray *states = conformance_load(CONFORMANCE_FILE, &error);

	if (!states)
		fail_msg("%s", error);
	return states;
}

/* previous may be NULL. */
static void compile_state(const struct conformance_state *state, struct numbers *numbers,
			  const struct image *previous, struct compiled *compiled)
{
	struct load_source source = {
		.name = state->id,
		.text = state->policy,
		.length = strlen(state->policy),
	};
	g_autoptr(GPtrArray) sources = g_ptr_array_new();
	struct diag *diag = diag_new();

	*compiled = (struct compiled){.numbers = numbers};
	g_ptr_array_add(sources, &source);
	if (load_policy(sources, &compiled->model, diag) ||
	    compile_image(compiled->model, numbers, previous, "host", &compiled->image, diag)) {
		diag_print(diag, stderr);
		fail_msg("state %s does not compile", state->id);
	}
	diag_free(&diag);
}

/* What trace says about the packet must be what eval_packet said, with the rule's name. */
static bool trace_agrees(const struct compiled *compiled, const char *interface_id,
			 const struct eval_packet *packet, struct eval_verdict verdict)
{
	struct trace *trace = trace_packet(compiled->model, compiled->image, compiled->numbers,
					   interface_id, packet);
	const char *rule = image_rule_name(compiled->image, verdict.rule);
	bool agrees = trace && trace->verdict.reason == verdict.reason &&
		      trace->verdict.rule == verdict.rule && g_strcmp0(trace->rule, rule) == 0;

	trace_free(&trace);
	return agrees;
}

/* One half of a probe: the verdict of one of its interfaces, in one direction. */
static void check_half(struct compiled *compiled, const struct conformance_state *state,
		       const struct conformance_probe *probe, enum sg_dir direction)
{
	const struct conformance_interface *iface =
		direction == SG_EGRESS ? probe->source : probe->destination;
	bool expected = direction == SG_EGRESS ? probe->egress : probe->ingress;
	struct eval_packet packet = {
		.direction = direction,
		.protocol = probe->protocol,
		.sport = SOURCE_PORT,
		.dport = probe->port,
	};
	struct eval_verdict verdict = {0};
	uint32_t reason = expected ? SG_ALLOW_RULE : SG_DROP_NO_RULE;
	char protocol[8];

	assert_int_equal(addr_parse(probe->source->address, &packet.src), 0);
	assert_int_equal(addr_parse(probe->destination->address, &packet.dst), 0);
	verdict = eval_packet(compiled->image, image_iface(compiled->image, iface->id), &packet);
	if (verdict.reason == reason && (verdict.rule != 0) == expected &&
	    trace_agrees(compiled, iface->id, &packet, verdict))
		return;
	compiled->mistakes++;
	print_error("%s: %s -> %s %s %u, %s: %s, expected %s\n", state->id, probe->source->id,
		    probe->destination->id, protocol_format(probe->protocol, protocol), probe->port,
		    dir_name(direction), reason_name(verdict.reason), reason_name(reason));
}

/* Returns how many probes the state has. */
static unsigned int check_state(struct compiled *compiled, const struct conformance_state *state)
{
	for (unsigned int i = 0; i < state->probes->len; i++) {
		const struct conformance_probe *probe =
			&g_array_index(state->probes, struct conformance_probe, i);

		assert_int_equal(probe->both, probe->egress && probe->ingress);
		check_half(compiled, state, probe, SG_EGRESS);
		check_half(compiled, state, probe, SG_INGRESS);
	}
	if (compiled->mistakes)
		fail_msg("state %s (%s): %u verdicts are wrong", state->id, state->description,
			 compiled->mistakes);
	return state->probes->len;
}

static void every_probe_of_every_state_holds(void **unused)
{
	g_autoptr(GPtrArray) states = load_states();
	unsigned int probes = 0;

	(void)unused;
	assert_int_equal(states->len, 18);
	for (unsigned int i = 0; i < states->len; i++) {
		struct numbers *numbers = numbers_new();
		struct compiled compiled;

		compile_state(states->pdata[i], numbers, NULL, &compiled);
		probes += check_state(&compiled, states->pdata[i]);
		image_free(&compiled.image);
		model_free(&compiled.model);
		numbers_free(&numbers);
	}
	assert_int_equal(probes, 15 * 288 + 360 + 2 * 72);
}

/* As a daemon would see them: each state is compiled with the numbers and the image of the last. */
static void states_hold_when_they_follow_each_other(void **unused)
{
	g_autoptr(GPtrArray) states = load_states();
	struct numbers *numbers = numbers_new();
	struct image *previous = NULL;

	(void)unused;
	for (unsigned int i = 0; i < states->len; i++) {
		struct compiled compiled;

		compile_state(states->pdata[i], numbers, previous, &compiled);
		check_state(&compiled, states->pdata[i]);
		image_free(&previous);
		previous = compiled.image;
		model_free(&compiled.model);
	}
	image_free(&previous);
	numbers_free(&numbers);
}

/* What the file says, so that a probe which is lost or read wrongly is noticed. */
static void the_probes_are_those_of_the_file(void **unused)
{
	g_autoptr(GPtrArray) states = load_states();
	unsigned int seen[2][2] = {0};

	(void)unused;
	for (unsigned int i = 0; i < states->len; i++) {
		const struct conformance_state *state = states->pdata[i];

		for (unsigned int j = 0; j < state->probes->len; j++) {
			const struct conformance_probe *probe =
				&g_array_index(state->probes, struct conformance_probe, j);

			seen[probe->egress][probe->ingress]++;
		}
	}
	assert_int_equal(seen[true][true], 3959);
	assert_int_equal(seen[true][false], 622);
	assert_int_equal(seen[false][true], 243);
	assert_int_equal(seen[false][false], 0);
}

static void a_missing_file_is_named(void **unused)
{
	g_autofree char *error = NULL;

	(void)unused;
	assert_null(conformance_load("tests/data/conformance/no-such-file.gz", &error));
	assert_non_null(strstr(error, "no-such-file.gz"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_probe_of_every_state_holds),
		cmocka_unit_test(states_hold_when_they_follow_each_other),
		cmocka_unit_test(the_probes_are_those_of_the_file),
		cmocka_unit_test(a_missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
