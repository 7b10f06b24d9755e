/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * case_run.c - runs one case of cases.h on the instance of proggy.h.
 */
#include <stdlib.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"
#include "tests/lib/cases.h"
#include "tests/lib/check.h"
#include "tests/lib/frame.h"
#include "tests/lib/offline.h"
#include "tests/lib/proggy.h"

struct runner {
	const struct case_list *list;
	const struct case_line *line;
	const char *interface;
	const char *at; /* which program judges the line, for messages */
	enum case_mode mode;
	/* When the case began, or was last asked: */
	uint64_t refused;	/* by the allowance */
	unsigned int datagrams; /* in fragments, which stay when flows are removed */
};

#define FAIL_LINE(runner, format, ...)                                                   \
	fail_msg("%s:%u: %s\n    " format, (runner)->list->file, (runner)->line->number, \
		 (runner)->line->text, __VA_ARGS__)

static const char *find_policy(const struct runner *runner, const char *name)
{
	const char *json = case_policy_find(runner->list, name);

	if (!json)
		FAIL_LINE(runner, "there is no policy \"%s\"", name);
	return json;
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
static void judge(const struct runner *runner, const struct proggy_result *result,
		  const char *expected)
{
	uint32_t reason = 0;

	if (reason_parse(expected, &reason) < 0)
		FAIL_LINE(runner, "\"%s\" is no reason", expected);
	if (result->error < 0)
		FAIL_LINE(runner, "%s: the frame was refused: %s", runner->at,
			  strerror(-result->error));
	if (result->reason != reason)
		FAIL_LINE(runner, "%s: %s by %s", runner->at,
			  result->allowed ? "allowed" : "dropped",
			  result->reason < SG_REASONS ? reason_name(result->reason)
						      : "no single counter");
	if (result->allowed == !!sg_reason_is_drop(reason))
		FAIL_LINE(runner, "%s: the counter says %s, the verdict %s", runner->at, expected,
			  result->allowed ? "pass" : "drop");
	if (!result->counted)
		FAIL_LINE(runner, "%s: packets and bytes were not counted as one frame",
			  runner->at);
	if (!result->unchanged)
		FAIL_LINE(runner, "%s: the frame came out changed", runner->at);
}

/* The evaluator must say the same, where it can be asked. */
static void judge_offline(const struct runner *runner, enum sg_dir dir,
			  const struct frame_spec *spec, uint32_t reason, const char *rule)
{
	const struct image_iface *iface = image_iface(proggy_image(), runner->interface);
	struct eval_verdict verdict;
	const char *name;

	if (!offline_knows(reason) || !offline_verdict(proggy_image(), iface, dir, spec, &verdict))
		return;
	if (verdict.reason != reason)
		FAIL_LINE(runner, "the offline evaluator says %s", reason_name(verdict.reason));
	name = image_rule_name(proggy_image(), verdict.rule);
	if (rule && g_strcmp0(name, rule) != 0)
		FAIL_LINE(runner, "the offline evaluator names the rule %s",
			  name ? name : "(none)");
}

static struct proggy_result run_frame(struct runner *runner, enum sg_dir dir,
				      const struct frame_spec *spec)
{
	bool sends = dir == SG_EGRESS;
	enum proggy_program program = !sends				? PROGGY_TC_INGRESS
				      : runner->mode == CASE_TEST_XDP	? PROGGY_XDP
				      : runner->mode == CASE_TEST_EARLY ? PROGGY_EARLY
									: PROGGY_TC_EGRESS;
	struct frame frame;

	frame_build(spec, &frame);
	if (runner->mode == CASE_TAPS || runner->mode == CASE_VNET_TAPS) {
		runner->at = sends ? "from the tap" : "to the tap";
		return proggy_send(runner->interface, dir, spec, &frame);
	}
	runner->at = proggy_name(program);
	return proggy_run(program, runner->interface, &frame);
}

static void run_packet(struct runner *runner, const char *text, bool sends)
{
	enum sg_dir dir = sends ? SG_EGRESS : SG_INGRESS;
	CLEANUP(frame_spec_free) struct frame_spec *spec = NULL;
	CLEANUP(case_packet_clear) struct case_packet packet = {0};
	struct proggy_result result;

	if (!case_packet_read(text, &packet))
		FAIL_LINE(runner, "%s", "not FRAME = REASON [RULE] [state=STATE]");
	spec = read_frame(runner, packet.frame, sends);
	result = run_frame(runner, dir, spec);
	judge(runner, &result, packet.reason);
	if (packet.rule) {
		const char *rule = proggy_flow_rule(runner->interface);

		if (g_strcmp0(rule, packet.rule) != 0)
			FAIL_LINE(runner, "the flow names the rule %s", rule ? rule : "(none)");
	}
	if (packet.state) {
		const char *state = proggy_flow_state(runner->interface, dir, spec);

		if (strcmp(state, packet.state) != 0)
			FAIL_LINE(runner, "the flow's state is %s", state);
	}
	judge_offline(runner, dir, spec, result.reason,
		      result.reason == SG_ALLOW_RULE ? packet.rule : NULL);
}

/* How many new flows the allowance has refused since the case began or asked last. */
static void run_refused(struct runner *runner, unsigned int expected)
{
	uint64_t now = proggy_exact(runner->interface).allowance_exceeded;

	if (now - runner->refused != expected)
		FAIL_LINE(runner, "%u were refused", (unsigned int)(now - runner->refused));
	runner->refused = now;
}

static void remember_counters(struct runner *runner)
{
	struct sg_slot exact = proggy_exact(runner->interface);

	runner->refused = exact.allowance_exceeded;
	runner->datagrams = exact.frags;
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
		remember_counters(runner);
	} else if (g_str_has_prefix(text, "on ")) {
		runner->interface = text + 3;
		remember_counters(runner);
	} else if (g_str_has_prefix(text, "change ")) {
		g_auto(GStrv) words = g_strsplit(text + 7, " ", 2);

		proggy_change(find_policy(runner, words[0]), g_strcmp0(words[1], "keep") == 0);
	} else if (strcmp(text, "flush") == 0) {
		proggy_flush_flows();
	} else if (g_str_has_prefix(text, "flows ")) {
		unsigned int flows = proggy_count_flows(runner->interface);

		if (flows != (unsigned int)atoi(text + 6))
			FAIL_LINE(runner, "there are %u flows", flows);
	} else if (g_str_has_prefix(text, "refused ")) {
		run_refused(runner, (unsigned int)atoi(text + 8));
	} else if (g_str_has_prefix(text, "fragments ")) {
		unsigned int datagrams = proggy_exact(runner->interface).frags - runner->datagrams;

		if (datagrams != (unsigned int)atoi(text + 10))
			FAIL_LINE(runner, "there are %u datagrams", datagrams);
	} else if (g_str_has_prefix(text, "wait ")) {
		g_usleep((gulong)(g_ascii_strtod(text + 5, NULL) * G_USEC_PER_SEC));
	} else {
		FAIL_LINE(runner, "%s", "no line of a case");
	}
}

void case_run(const struct case_list *list, const struct prog_case *test, enum case_mode mode)
{
	struct runner runner = {.list = list, .interface = "vm", .mode = mode};

	proggy_use(mode == CASE_TAPS	    ? PROGGY_TAPS
		   : mode == CASE_VNET_TAPS ? PROGGY_VNET_TAPS
					    : PROGGY_TEST_RUN);
	for (unsigned int i = 0; i < test->lines->len; i++) {
		runner.line = g_ptr_array_index(test->lines, i);
		run_line(&runner);
	}
}
