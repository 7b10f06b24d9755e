/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_random.c - random policies and frames: the BPF programs and the offline evaluator come to
 * the same verdict for the same reason and name the same rule. (tests/unit/test_eval.c compares the
 * evaluator with a reference.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/eval.h"
#include "rulesd/names.h"
#include "tests/lib/check.h"
#include "tests/lib/offline.h"
#include "tests/lib/proggy.h"
#include "tests/lib/random_policy.h"

#define POLICIES 40  /* RANDOM_POLICIES of the environment */
#define FRAMES	 100 /* of each policy */

/* ---------------------------------------------------------------- frames */

/* With a port the address of IPv6 stands in brackets. */
static char *endpoint(const char *address, bool is_v6, unsigned int port)
{
	return g_strdup_printf(is_v6 ? "[%s]:%u" : "%s:%u", address, port);
}

static char *random_frame(size_t vm, enum sg_dir dir)
{
	static const char *const transports[] = {"tcp", "tcp", "udp", "udp", "sctp"};
	static const unsigned int v4_types[] = {0, 8, 8, 8, 13, 14, 5};
	static const unsigned int v6_types[] = {128, 128, 129, 200};
	bool is_v6 = random_chance(40);
	const char *own = is_v6 ? random_vms[vm].v6 : random_vms[vm].v4;
	const char *local = random_chance(80) ? own : random_address(is_v6, true);
	const char *remote = random_address(is_v6, true);
	const char *src = dir == SG_EGRESS ? local : remote,
		   *dst = dir == SG_EGRESS ? remote : local;
	g_autofree char *macs = dir == SG_EGRESS ? g_strdup_printf("smac=%u", random_vms[vm].mac)
						 : g_strdup("smac=99");
	int kind = g_random_int_range(0, 100);

	if (kind < 70) {
		g_autofree char *from =
			endpoint(src, is_v6, random_chance(20) ? random_port() : 40000);
		g_autofree char *to = endpoint(dst, is_v6, random_port());
		const char *transport = RANDOM_PICK(transports);

		return g_strdup_printf("%s %s > %s%s %s", transport, from, to,
				       strcmp(transport, "tcp") == 0 ? " S" : "", macs);
	}
	if (kind < 90)
		return g_strdup_printf("%s %s > %s type=%u id=7 %s", is_v6 ? "icmp6" : "icmp", src,
				       dst, is_v6 ? RANDOM_PICK(v6_types) : RANDOM_PICK(v4_types),
				       macs);
	if (is_v6)
		return g_strdup_printf("ns %s > %s target=%s %s", src, dst, dst, macs);
	return g_strdup_printf("ip/%u %s > %s len=20 %s", random_chance(50) ? 47u : 112u, src, dst,
			       macs);
}

/* ICMP that asks nothing is allowed message by message and leaves no flow that would name its rule.
 */
static bool leaves_a_flow(const struct frame_spec *spec)
{
	return spec->body != FRAME_ICMP || spec->type == 8 || spec->type == 13 || spec->type == 128;
}

static void compare(enum proggy_program program, const char *id, const struct frame_spec *spec,
		    const char *text, struct eval_verdict verdict)
{
	struct proggy_result result;
	struct frame frame;
	const char *rule;

	frame_build(spec, &frame);
	proggy_flush_flows();
	result = proggy_run(program, id, &frame);
	assert_int_equal(result.error, 0);
	if (result.reason != verdict.reason)
		fail_msg("%s of %s, %s: the kernel says %s, the evaluator %s", proggy_name(program),
			 id, text,
			 result.reason < SG_REASONS ? reason_name(result.reason) : "nothing",
			 reason_name(verdict.reason));
	if ((verdict.reason != SG_ALLOW_RULE && verdict.reason != SG_ALLOW_EXEMPT) ||
	    !leaves_a_flow(spec))
		return;
	rule = proggy_flow_rule(id);
	if (g_strcmp0(rule, image_rule_name(proggy_image(), verdict.rule)) != 0)
		fail_msg("%s of %s, %s: the kernel names %s, the evaluator %s",
			 proggy_name(program), id, text, rule,
			 image_rule_name(proggy_image(), verdict.rule));
}

static void one_frame(unsigned int seen[SG_REASONS])
{
	__attribute__((cleanup(frame_spec_free))) struct frame_spec *spec = NULL;
	size_t vm = (size_t)g_random_int_range(0, RANDOM_VMS);
	enum sg_dir dir = random_chance(50) ? SG_EGRESS : SG_INGRESS;
	g_autofree char *text = random_frame(vm, dir);
	g_autofree char *error = NULL;
	struct eval_verdict verdict;

	if (frame_spec_parse(text, &spec, &error) < 0)
		fail_msg("%s: %s", text, error);
	if (!offline_verdict(proggy_image(), image_iface(proggy_image(), random_vms[vm].id), dir,
			     spec, &verdict))
		return;
	seen[verdict.reason]++;
	if (dir == SG_INGRESS) {
		compare(PROGGY_TC_INGRESS, random_vms[vm].id, spec, text, verdict);
		return;
	}
	compare(PROGGY_XDP, random_vms[vm].id, spec, text, verdict);
	compare(PROGGY_TC_EGRESS, random_vms[vm].id, spec, text, verdict);
	compare(PROGGY_EARLY, random_vms[vm].id, spec, text, verdict);
}

static void kernel_and_evaluator_agree_on_random_policies(void **state)
{
	const char *given = getenv("SEED");
	guint32 seed = given ? (guint32)strtoul(given, NULL, 0) : 20251121;
	const char *fewer = getenv("RANDOM_POLICIES");
	unsigned int policies = fewer ? (unsigned int)atoi(fewer) : POLICIES;
	unsigned int seen[SG_REASONS] = {0};

	(void)state;
	print_message("SEED=%u\n", seed);
	g_random_set_seed(seed);
	for (unsigned int i = 0; i < policies; i++) {
		g_autofree char *policy = random_policy(false);

		if (getenv("VERBOSE"))
			print_message("%s\n", policy);
		proggy_change(policy, false);
		for (int j = 0; j < FRAMES; j++)
			one_frame(seen);
	}
	for (unsigned int i = 0; i < SG_REASONS; i++)
		if (seen[i])
			print_message("%u %s\n", seen[i], reason_name(i));
	/* Not all of one kind, or the agreement would say little. */
	assert_true(seen[SG_ALLOW_RULE] > policies * FRAMES / 10);
	assert_true(seen[SG_DROP_NO_RULE] > policies * FRAMES / 10);
	assert_true(seen[SG_DROP_SPOOFED_SOURCE] > 10 && seen[SG_DROP_WRONG_DESTINATION] > 10);
	assert_true(seen[SG_ALLOW_EXEMPT] > 0 && seen[SG_DROP_MARTIAN] > 0 &&
		    seen[SG_ALLOW_ND] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_and_evaluator_agree_on_random_policies),
	};

	return cmocka_run_group_tests(tests, proggy_setup, proggy_teardown);
}
