/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_rules.c - whether the number of rules, members and prefixes can be seen in the time of a
 * frame: 10, 200, 1,000 and 16,000 rules on the interface, groups of 10, 10,000 and 1,000,000
 * members, 10,000 prefixes; a SYN of any of the members, through the first and the last rule, the
 * six frames of a connection, and a segment of an established one. BPF_PROG_TEST_RUN of the program
 * that judges what a VM is sent, under policies that the daemon's own loader, compiler and
 * dataplane have put there.
 */
#include <glib.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/testrun.h"

#define VM	    "vm"
#define MEMBERS_AT  "10.64.0.0" /* 10.64.0.0 + i */
#define PREFIXES_AT "11.0.0.0"	/* /24s from there */
#define FIRST_PORT  22
#define LAST_PORT   443
#define A_GROUP	    1000 /* rules */
#define BATCH	    256u /* connections at once: fewer than an interface may have half-open */
#define BATCHES	    64u
#define REPEAT	    1000000u

static const struct shape {
	unsigned int rules, members, prefixes;
} shapes[] =
	{
		{10, 10, 0},	 {200, 10, 0},	    {1000, 10, 0},   {10, 10000, 0},
		{10, 999990, 0}, {1000, 999990, 0}, {10, 10, 10000}, {1000, 999990, 10000},
		{16000, 10, 0}, /* as many as an interface may have */
};
#define SHAPES G_N_ELEMENTS(shapes)

/* Frames that come in turn, each for a batch of connections. The first one asks the rules. */
struct step {
	enum proggy_program program;
	enum sg_reason reason;
	const char *frame;
};

#define SYN(from, port)                                                            \
	{                                                                          \
		PROGGY_TC_INGRESS, SG_ALLOW_RULE,                                  \
			"tcp " from ":1 > 10.0.0.5:" port " S seq=100 ws=7 smac=9" \
	}

static const struct what {
	const char *metric;
	struct step steps[7];
	double goal; /* over the smallest shape */
} whats[] = {
	{"SYN, first rule", {SYN(MEMBERS_AT, "22")}, 0},
	{"SYN, last rule", {SYN(MEMBERS_AT, "443")}, 0},
	{"SYN, prefix list", {SYN(PREFIXES_AT, "443")}, 0},
	{"connection of six frames, last rule",
	 {SYN(MEMBERS_AT, "443"),
	  {PROGGY_TC_EGRESS, SG_ALLOW_FLOW,
	   "tcp 10.0.0.5:443 > " MEMBERS_AT ":1 SA seq=900 ack=101 ws=7"},
	  {PROGGY_TC_INGRESS, SG_ALLOW_FLOW,
	   "tcp " MEMBERS_AT ":1 > 10.0.0.5:443 A seq=101 ack=901 smac=9"},
	  {PROGGY_TC_INGRESS, SG_ALLOW_FLOW,
	   "tcp " MEMBERS_AT ":1 > 10.0.0.5:443 FA seq=101 ack=901 smac=9"},
	  {PROGGY_TC_EGRESS, SG_ALLOW_FLOW,
	   "tcp 10.0.0.5:443 > " MEMBERS_AT ":1 FA seq=901 ack=102"},
	  {PROGGY_TC_INGRESS, SG_ALLOW_FLOW,
	   "tcp " MEMBERS_AT ":1 > 10.0.0.5:443 A seq=102 ack=902 smac=9"}},
	 1.3},
	{"tcp established", {{0, 0, NULL}}, 1.15},
};
#define WHATS	    G_N_ELEMENTS(whats)
#define ESTABLISHED "tcp 10.64.0.3:5000 > 10.0.0.5:443 A seq=101 ack=901 len=10 smac=9"

/* ------------------------------------------------------------------ policies */

/* Rules whose peers are groups, CIDRs, lists and any in turn; what is asked for is the first and
 * the last of them. A group holds no more than A_GROUP. */
static char *policy_of(const struct shape *shape)
{
	GString *text = g_string_new("{\"version\":1,\"groups\":{\"sg-peer\":{}");

	for (unsigned int i = 0; i < shape->rules; i++) {
		unsigned int port = i == 0		   ? FIRST_PORT
				    : i < shape->rules - 1 ? 10000 + 2 * i
							   : LAST_PORT;
		g_autofree char *cidr = g_strdup_printf("198.%u.%u.0/24", 18 + i / 256, i % 256);
		const char *const peers[] = {"sg-peer", "any", cidr, "pl-far"};
		bool asked = i == 0 || i == shape->rules - 1;

		if (i % A_GROUP == 0)
			g_string_append_printf(text, "%s,\"sg-vm%u\":{\"ingress\":[", i ? "]}" : "",
					       i / A_GROUP);
		g_string_append_printf(
			text, "%s{\"protocol\":\"tcp\",\"ports\":[%u],\"from\":[\"%s\"%s]}",
			i % A_GROUP ? "," : "", port, peers[asked ? 0 : i % 4],
			asked ? ",\"pl-far\"" : "");
	}
	g_string_append(text, "]}},\"prefix_lists\":{\"pl-far\":{\"entries\":[");
	for (unsigned int i = 0; i < MAX(shape->prefixes, 10); i++)
		g_string_append_printf(text, "%s\"11.%u.%u.0/24\"", i ? "," : "", i / 256, i % 256);
	g_string_append(text, "]}},\"interfaces\":{\"" VM "\":{\"device\":\"tap0\",\"mac\":"
			      "\"52:54:00:00:00:05\",\"addresses\":[\"10.0.0.5\"],\"groups\":[");
	for (unsigned int i = 0; i < shape->rules; i += A_GROUP)
		g_string_append_printf(text, "%s\"sg-vm%u\"", i ? "," : "", i / A_GROUP);
	g_string_append(text, "]}");
	for (unsigned int i = 0; i < shape->members; i++)
		g_string_append_printf(text,
				       ",\"m%u\":{\"addresses\":[\"10.%u.%u.%u\"],\"groups\":["
				       "\"sg-peer\"]}",
				       i, 64 + i / 65536, i / 256 % 256, i % 256);
	g_string_append(text, "}}");
	return g_string_free(text, FALSE);
}

/* ------------------------------------------------------------------ measuring */

static void open_connection(struct bench *bench)
{
	static const struct {
		enum proggy_program program;
		const char *frame;
	} steps[] = {
		{PROGGY_TC_INGRESS, "tcp 10.64.0.3:5000 > 10.0.0.5:443 S seq=100 smac=9"},
		{PROGGY_TC_EGRESS, "tcp 10.0.0.5:443 > 10.64.0.3:5000 SA seq=900 ack=101"},
		{PROGGY_TC_INGRESS, "tcp 10.64.0.3:5000 > 10.0.0.5:443 A seq=101 ack=901 smac=9"},
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(steps); i++) {
		struct frame frame;

		frame_make_text(&frame, steps[i].frame);
		bench_verdict(bench, proggy_run(steps[i].program, VM, &frame).allowed,
			      "dropped: %s", steps[i].frame);
	}
}

static double measure_established(struct bench *bench)
{
	struct testrun run = {
		.bench = bench,
		.name = "tcp established",
		.kind = TESTRUN_FILTER,
		.program = PROGGY_TC_INGRESS,
		.interface_id = VM,
		.reason = SG_ALLOW_FLOW,
		.repeat = bench_quick(bench) ? REPEAT / 10 : REPEAT,
	};

	open_connection(bench);
	frame_make_text(&run.frame, ESTABLISHED);
	testrun_time(&run);
	return testrun_time(&run);
}

/* Nanoseconds of all steps of a connection. */
static double measure_new(struct bench *bench, const struct shape *shape, const struct what *what,
			  unsigned int round)
{
	unsigned int batches = bench_quick(bench) ? BATCHES / 8 : BATCHES;
	bool far = strstr(what->steps[0].frame, PREFIXES_AT) != NULL;
	struct testrun run = {
		.bench = bench,
		.name = what->metric,
		.kind = TESTRUN_FILTER,
		.interface_id = VM,
		.repeat = BATCH,
		.vary = {.how = TESTRUN_HOSTS,
			 .count = far ? MAX(shape->prefixes, 10) * 256 : shape->members},
	};
	double sum = 0;

	for (unsigned int i = 0; i < batches; i++) {
		/* The same addresses and ports in each step of a batch. */
		run.vary.first = (round * batches + i + 1) * 2654435761u;
		for (const struct step *step = what->steps; step->frame; step++) {
			run.program = step->program;
			run.reason = step->reason;
			frame_make_text(&run.frame, step->frame);
			sum += testrun_time(&run);
		}
		proggy_flush_flows();
	}
	return sum / batches;
}

static double measure(struct bench *bench, const struct shape *shape, const struct what *what,
		      unsigned int round)
{
	proggy_flush_flows();
	return what->steps[0].frame ? measure_new(bench, shape, what, round)
				    : measure_established(bench);
}

static void measure_all(struct bench *bench)
{
	struct bench_series *series[SHAPES][WHATS];
	unsigned int rounds = bench_quick(bench) ? 1 : 5;
	void *state = NULL;

	assert_int_equal(proggy_setup(&state), 0);
	testrun_open(1024);
	for (unsigned int s = 0; s < SHAPES; s++)
		for (unsigned int what = 0; what < WHATS; what++)
			series[s][what] =
				bench_series(bench, whats[what].metric, "tapguard", "ns",
					     "rules=%u members=%u prefixes=%u", shapes[s].rules,
					     shapes[s].members, MAX(shapes[s].prefixes, 10));
	bench_note(bench,
		   "a policy is loaded for each sample; members are drawn anew for each frame");
	for (unsigned int round = 0; round < rounds; round++) {
		for (unsigned int s = 0; s < SHAPES; s++) {
			g_autofree char *policy = policy_of(&shapes[s]);

			proggy_policy(policy);
			proggy_settle();
			bench_pin(bench);
			for (unsigned int what = 0; what < WHATS; what++)
				bench_sample(series[s][what],
					     measure(bench, &shapes[s], &whats[what], round));
			bench_unpin(bench);
		}
	}
	for (unsigned int what = 0; what < WHATS; what++)
		for (unsigned int s = 1; s < SHAPES; s++)
			bench_compare(bench, series[s][what], series[0][what],
				      shapes[s].rules <= A_GROUP ? whats[what].goal : 0);
	testrun_close();
	assert_int_equal(proggy_teardown(&state), 0);
}

BENCH_MAIN("rules", "whether rules, members and prefixes can be seen in the time of a frame",
	   measure_all)
