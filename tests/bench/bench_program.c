/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_program.c - nanoseconds that each path through the programs takes by itself
 * (BPF_PROG_TEST_RUN), beside two references on the same frame: an empty program, and "parse + one
 * flow lookup + count", the floor for any stateful filter.
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/testrun.h"

#define REPEAT	     250000u
#define REPEAT_QUICK 100000u
#define REPEAT_SMOKE 1000u
#define BATCH \
	256u /* connections or datagrams at once: fewer than an interface may have half-open */
#define BATCHES	   64u
#define MANY_FLOWS 1048576u
#define GOAL	   1.6 /* of an established packet, over the floor */
#define VM	   "vm"

static const char policy[] =
	"{ \"version\": 1, \"groups\": { \"sg-web\": { \"ingress\": ["
	"  { \"id\": \"https\", \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"] },"
	"  { \"id\": \"dns\", \"protocol\": \"udp\", \"ports\": [53], \"from\": [\"any\"] },"
	"  { \"id\": \"ping\", \"protocol\": \"icmp\", \"from\": [\"any\"] } ] } },"
	"  \"interfaces\": { \"" VM "\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"    \"addresses\": [\"10.0.0.5\", \"fd00::5\"], \"groups\": [\"sg-web\"],"
	"    \"conntrack\": { \"max_flows\": " G_STRINGIFY(1048576) " } } } }";

/* What opens a flow: direction and frame, one after the other. */
struct opening {
	enum sg_dir dir;
	const char *frame;
};

static const struct opening tcp4[] = {
	{SG_INGRESS, "tcp 10.0.0.9:5000 > 10.0.0.5:443 S seq=100 ws=7"},
	{SG_EGRESS, "tcp 10.0.0.5:443 > 10.0.0.9:5000 SA seq=900 ack=101 ws=7"},
	{SG_INGRESS, "tcp 10.0.0.9:5000 > 10.0.0.5:443 A seq=101 ack=901"},
	{0, NULL}};
static const struct opening tcp6[] = {
	{SG_INGRESS, "tcp [fd00::9]:5000 > [fd00::5]:443 S seq=100 ws=7"},
	{SG_EGRESS, "tcp [fd00::5]:443 > [fd00::9]:5000 SA seq=900 ack=101 ws=7"},
	{SG_INGRESS, "tcp [fd00::9]:5000 > [fd00::5]:443 A seq=101 ack=901"},
	{0, NULL}};
static const struct opening udp4[] = {{SG_INGRESS, "udp 10.0.0.9:5000 > 10.0.0.5:53 len=20"},
				      {SG_EGRESS, "udp 10.0.0.5:53 > 10.0.0.9:5000 len=20"},
				      {0, NULL}};
static const struct opening ping4[] = {{SG_INGRESS, "icmp 10.0.0.9 > 10.0.0.5 type=8 id=77"},
				       {SG_EGRESS, "icmp 10.0.0.5 > 10.0.0.9 type=0 id=77"},
				       {0, NULL}};

static const struct path {
	const char *name;
	enum sg_dir dir;
	const struct opening *opening; /* or NULL */
	const char *frame;
	enum sg_reason reason;
	struct testrun_vary vary;
} paths[] = {
	{"tcp established, out",
	 SG_EGRESS,
	 tcp4,
	 "tcp 10.0.0.5:443 > 10.0.0.9:5000 A seq=901 ack=101 len=10",
	 SG_ALLOW_FLOW,
	 {0}},
	{"tcp established, in",
	 SG_INGRESS,
	 tcp4,
	 "tcp 10.0.0.9:5000 > 10.0.0.5:443 A seq=101 ack=901 len=10",
	 SG_ALLOW_FLOW,
	 {0}},
	{"tcp established, out, 1,500 bytes",
	 SG_EGRESS,
	 tcp4,
	 "tcp 10.0.0.5:443 > 10.0.0.9:5000 A seq=901 ack=101 len=1460",
	 SG_ALLOW_FLOW,
	 {0}},
	{"tcp established, in, 1,500 bytes",
	 SG_INGRESS,
	 tcp4,
	 "tcp 10.0.0.9:5000 > 10.0.0.5:443 A seq=101 ack=901 len=1460",
	 SG_ALLOW_FLOW,
	 {0}},
	{"tcp established, IPv6, out",
	 SG_EGRESS,
	 tcp6,
	 "tcp [fd00::5]:443 > [fd00::9]:5000 A seq=901 ack=101 len=10",
	 SG_ALLOW_FLOW,
	 {0}},
	{"tcp established, IPv6, in",
	 SG_INGRESS,
	 tcp6,
	 "tcp [fd00::9]:5000 > [fd00::5]:443 A seq=101 ack=901 len=10",
	 SG_ALLOW_FLOW,
	 {0}},
	{"udp, out", SG_EGRESS, udp4, "udp 10.0.0.5:53 > 10.0.0.9:5000 len=20", SG_ALLOW_FLOW, {0}},
	{"udp, in", SG_INGRESS, udp4, "udp 10.0.0.9:5000 > 10.0.0.5:53 len=20", SG_ALLOW_FLOW, {0}},
	{"icmp echo, out",
	 SG_EGRESS,
	 ping4,
	 "icmp 10.0.0.5 > 10.0.0.9 type=0 id=77",
	 SG_ALLOW_FLOW,
	 {0}},
	{"icmp echo, in",
	 SG_INGRESS,
	 ping4,
	 "icmp 10.0.0.9 > 10.0.0.5 type=8 id=77",
	 SG_ALLOW_FLOW,
	 {0}},
	{"arp, out", SG_EGRESS, NULL, "arp 10.0.0.5 > 10.0.0.9", SG_ALLOW_ARP, {0}},
	{"arp, in", SG_INGRESS, NULL, "arp 10.0.0.9 > 10.0.0.5", SG_ALLOW_ARP, {0}},
	{"neighbour solicitation, out",
	 SG_EGRESS,
	 NULL,
	 "ns fd00::5 > ff02::1:ff00:9 target=fd00::9",
	 SG_ALLOW_ND,
	 {0}},
	{"denied SYN, in",
	 SG_INGRESS,
	 NULL,
	 "tcp 10.0.0.9:5000 > 10.0.0.5:80 S seq=100",
	 SG_DROP_NO_RULE,
	 {0}},
	{"denied SYNs, in, each another",
	 SG_INGRESS,
	 NULL,
	 "tcp 10.1.0.0:5000 > 10.0.0.5:80 S seq=100",
	 SG_DROP_NO_RULE,
	 {.how = TESTRUN_NEXT}},
	{"stray ACK, out",
	 SG_EGRESS,
	 NULL,
	 "tcp 10.0.0.5:443 > 10.0.0.7:5000 A seq=1 ack=1",
	 SG_DROP_NO_FLOW,
	 {0}},
	{"spoofed source address, out",
	 SG_EGRESS,
	 NULL,
	 "udp 10.0.0.6:53 > 10.0.0.9:5000 len=20 smac=5",
	 SG_DROP_SPOOFED_SOURCE,
	 {0}},
	{"spoofed MAC, out",
	 SG_EGRESS,
	 NULL,
	 "udp 10.0.0.5:53 > 10.0.0.9:5000 len=20 smac=6",
	 SG_DROP_SPOOFED_MAC,
	 {0}},
	{"flood of SYNs that a rule allows, in",
	 SG_INGRESS,
	 NULL,
	 "tcp 10.1.0.0:5000 > 10.0.0.5:443 S seq=100",
	 SG_ALLOW_RULE,
	 {.how = TESTRUN_NEXT}},
	{"flood of SYNs that a rule allows, out",
	 SG_EGRESS,
	 NULL,
	 "tcp 10.0.0.5:5000 > 10.1.0.0:443 S seq=100",
	 SG_ALLOW_RULE,
	 {.how = TESTRUN_NEXT}},
};

/* Frames that must come in turn: a batch of each step after the other. */
static const struct step {
	const char *name;
	enum sg_dir dir;
	const char *frame;
	enum sg_reason reason;
	bool ids;  /* datagrams, told apart by their id, instead of connections */
	bool last; /* of its turn */
} steps[] = {
	{"connection: SYN, in", SG_INGRESS, "tcp 10.2.0.0:1 > 10.0.0.5:443 S seq=100 ws=7",
	 SG_ALLOW_RULE, false, false},
	{"connection: SYN/ACK, out", SG_EGRESS,
	 "tcp 10.0.0.5:443 > 10.2.0.0:1 SA seq=900 ack=101 ws=7", SG_ALLOW_FLOW, false, false},
	{"connection: ACK, in (confirms)", SG_INGRESS,
	 "tcp 10.2.0.0:1 > 10.0.0.5:443 A seq=101 ack=901", SG_ALLOW_FLOW, false, false},
	{"connection: FIN, in", SG_INGRESS, "tcp 10.2.0.0:1 > 10.0.0.5:443 FA seq=101 ack=901",
	 SG_ALLOW_FLOW, false, false},
	{"connection: FIN, out", SG_EGRESS, "tcp 10.0.0.5:443 > 10.2.0.0:1 FA seq=901 ack=102",
	 SG_ALLOW_FLOW, false, false},
	{"connection: last ACK, in", SG_INGRESS, "tcp 10.2.0.0:1 > 10.0.0.5:443 A seq=102 ack=902",
	 SG_ALLOW_FLOW, false, true},
	{"fragments: first, out", SG_EGRESS, "udp 10.0.0.5:53 > 10.0.0.9:5000 len=1000 frag=0+",
	 SG_ALLOW_FLOW, true, false},
	{"fragments: last, out", SG_EGRESS, "udp 10.0.0.5:53 > 10.0.0.9:5000 len=400 frag=1008",
	 SG_ALLOW_FRAGMENT, true, true},
	{"fragments: first, in", SG_INGRESS, "udp 10.0.0.9:5000 > 10.0.0.5:53 len=1000 frag=0+",
	 SG_ALLOW_FLOW, true, false},
	{"fragments: last, in", SG_INGRESS, "udp 10.0.0.9:5000 > 10.0.0.5:53 len=400 frag=1008",
	 SG_ALLOW_FRAGMENT, true, true},
};

static const enum proggy_program of_dir[SG_DIRS][2] = {
	[SG_EGRESS] = {PROGGY_XDP, PROGGY_TC_EGRESS},
	[SG_INGRESS] = {PROGGY_TC_INGRESS, PROGGY_TC_INGRESS},
};

static const uint32_t flow_counts[] = {1, 1000, 100000, 1000000};

static const char *const kinds[TESTRUN_KINDS] = {
	[TESTRUN_EMPTY] = "empty",
	[TESTRUN_FLOOR] = "parse + one lookup",
	[TESTRUN_FILTER] = "tapguard",
};

/* What is measured in turns on one frame: the same run of each kind of program. */
struct row {
	struct testrun run[TESTRUN_KINDS];
	struct bench_series *series[TESTRUN_KINDS];
};

/* ------------------------------------------------------------------ rows */

static bool is_wanted(const char *name)
{
	const char *only = getenv("BENCH_PATHS"); /* a part of the names of those to measure */

	return !only || strstr(name, only);
}

static const char *hook_of(enum proggy_program program)
{
	return program == PROGGY_XDP ? "xdp" : "tc";
}

static void row_init(struct row *row, struct bench *bench, const char *name,
		     enum proggy_program program, const struct frame *frame, enum sg_reason reason,
		     const struct testrun_vary *vary)
{
	for (unsigned int kind = 0; kind < TESTRUN_KINDS; kind++) {
		row->run[kind] = (struct testrun){
			.bench = bench,
			.name = name,
			.kind = kind,
			.program = program,
			.interface_id = VM,
			.frame = *frame,
			.vary = *vary,
			.reason = reason,
			.repeat = bench_smoke(bench)   ? REPEAT_SMOKE
				  : bench_quick(bench) ? REPEAT_QUICK
						       : REPEAT,
		};
		row->series[kind] =
			bench_series(bench, name, kinds[kind], "ns", "hook=%s", hook_of(program));
	}
}

static double run_once(void *context)
{
	struct testrun *run = context;
	double took = testrun_time(run);

	/* New ones the next time, too: some of the last ones are still half-open. */
	if (run->vary.how == TESTRUN_NEXT)
		run->vary.first += run->repeat;
	return took;
}

static void row_measure(struct row *row, struct bench *bench, double goal)
{
	struct bench_subject subjects[TESTRUN_KINDS];

	for (unsigned int kind = 0; kind < TESTRUN_KINDS; kind++)
		subjects[kind] =
			(struct bench_subject){row->series[kind], run_once, &row->run[kind]};
	bench_interleave(bench, subjects, TESTRUN_KINDS);
	bench_compare(bench, row->series[TESTRUN_FILTER], row->series[TESTRUN_FLOOR], goal);
}

static void run_opening(struct bench *bench, const struct opening *opening)
{
	for (; opening->frame; opening++) {
		struct proggy_result result;
		struct frame frame;

		frame_make_text(&frame, opening->frame);
		result = proggy_run(of_dir[opening->dir][0], VM, &frame);
		bench_verdict(bench, result.allowed, "dropped: %s", opening->frame);
	}
}

/* ------------------------------------------------------------------ paths of one frame */

static void measure_path(struct bench *bench, const struct path *path, enum proggy_program program)
{
	g_autofree struct row *row = g_new(struct row, 1);
	/* Echoes are flows, too, but nobody waits for their throughput. */
	bool has_goal = path->reason == SG_ALLOW_FLOW && path->opening != ping4;
	struct frame frame;

	frame_make_text(&frame, path->frame);
	proggy_flush_flows();
	if (path->opening)
		run_opening(bench, path->opening);
	if (!sg_reason_is_drop(path->reason))
		testrun_know(path->dir, &frame, &path->vary);
	row_init(row, bench, path->name, program, &frame, path->reason, &path->vary);
	row_measure(row, bench, has_goal ? GOAL : 0);
}

/* ------------------------------------------------------------------ paths of several frames */

/* Turns of steps[first], ... up to the last one of the turn, BATCH connections at once. */
static void measure_turn(struct bench *bench, unsigned int first, unsigned int count,
			 unsigned int hook)
{
	unsigned int batches = bench_smoke(bench) ? 1 : bench_quick(bench) ? BATCHES / 8 : BATCHES;
	g_autofree struct row *rows = g_new(struct row, count);

	proggy_flush_flows();
	if (steps[first].ids)
		run_opening(bench, udp4);
	for (unsigned int i = 0; i < count; i++) {
		const struct step *step = &steps[first + i];
		struct testrun_vary vary = {.how = step->ids ? TESTRUN_IDS : TESTRUN_NEXT};
		struct frame frame;

		frame_make_text(&frame, step->frame);
		row_init(&rows[i], bench, step->name, of_dir[step->dir][hook], &frame, step->reason,
			 &vary);
	}
	bench_pin(bench);
	for (unsigned int round = 0; round < bench_rounds(bench); round++) {
		g_autofree double *sums = g_new0(double, (gsize)count *TESTRUN_KINDS);

		for (unsigned int each = 0; each < batches * count * TESTRUN_KINDS; each++) {
			unsigned int step = each / TESTRUN_KINDS % count,
				     kind = each % TESTRUN_KINDS;
			struct testrun *run = &rows[step].run[kind];

			run->repeat = BATCH;
			run->vary.first = (round * batches + each / TESTRUN_KINDS / count) * BATCH;
			sums[step * TESTRUN_KINDS + kind] += testrun_time(run);
		}
		for (unsigned int i = 0; i < count * TESTRUN_KINDS; i++)
			bench_sample(rows[i / TESTRUN_KINDS].series[i % TESTRUN_KINDS],
				     sums[i] / batches);
	}
	bench_unpin(bench);
	for (unsigned int i = 0; i < count; i++)
		bench_compare(bench, rows[i].series[TESTRUN_FILTER], rows[i].series[TESTRUN_FLOOR],
			      0);
}

static void measure_turns(struct bench *bench)
{
	for (unsigned int hook = 0; hook < 2; hook++) {
		unsigned int first = 0;

		while (first < G_N_ELEMENTS(steps)) {
			unsigned int count = 1;

			while (!steps[first + count - 1].last)
				count++;
			if (is_wanted(steps[first].name))
				measure_turn(bench, first, count, hook);
			first += count;
		}
	}
}

/* ------------------------------------------------------------------ many flows */

static void open_many(struct bench *bench, uint32_t count)
{
	static const struct opening opening[] = {
		{SG_INGRESS, "tcp 10.2.0.0:1 > 10.0.0.5:443 S seq=100 ws=7"},
		{SG_EGRESS, "tcp 10.0.0.5:443 > 10.2.0.0:1 SA seq=900 ack=101 ws=7"},
		{SG_INGRESS, "tcp 10.2.0.0:1 > 10.0.0.5:443 A seq=101 ack=901"}};

	for (uint32_t at = 0; at < count; at += BATCH)
		for (unsigned int i = 0; i < G_N_ELEMENTS(opening); i++) {
			struct testrun run = {
				.bench = bench,
				.name = "opening of many flows",
				.kind = TESTRUN_FILTER,
				.program = of_dir[opening[i].dir][0],
				.interface_id = VM,
				.vary = {.how = TESTRUN_NEXT, .first = at},
				.reason = i ? SG_ALLOW_FLOW : SG_ALLOW_RULE,
				.repeat = MIN(BATCH, count - at),
			};

			frame_make_text(&run.frame, opening[i].frame);
			testrun_time(&run);
		}
}

static void measure_many(struct bench *bench, uint32_t count)
{
	static const char *const frames[SG_DIRS] = {
		[SG_EGRESS] = "tcp 10.0.0.5:443 > 10.2.0.0:1 A seq=901 ack=101 len=10",
		[SG_INGRESS] = "tcp 10.2.0.0:1 > 10.0.0.5:443 A seq=101 ack=901 len=10"};
	g_autofree struct row *row = g_new(struct row, 1);
	struct testrun_vary vary = {.how = TESTRUN_RANDOM, .count = count};

	proggy_flush_flows();
	open_many(bench, count);
	/* Not PROGGY_EARLY, which decides drops only. */
	for (unsigned int program = PROGGY_XDP; program <= PROGGY_TC_INGRESS; program++) {
		g_autofree char *name =
			g_strdup_printf("tcp established, %s, any of %u flows",
					proggy_dir(program) == SG_EGRESS ? "out" : "in", count);
		struct frame frame;

		frame_make_text(&frame, frames[proggy_dir(program)]);
		if (program == PROGGY_XDP)
			testrun_know(proggy_dir(program), &frame, &vary);
		row_init(row, bench, name, program, &frame, SG_ALLOW_FLOW, &vary);
		row_measure(row, bench, 0);
	}
}

static void measure_all(struct bench *bench)
{
	unsigned int counts = bench_smoke(bench) ? 2 : G_N_ELEMENTS(flow_counts);
	void *state = NULL;

	assert_int_equal(proggy_setup(&state), 0);
	testrun_open(MANY_FLOWS);
	proggy_policy(policy);
	bench_note(bench, "a varied frame costs the write and a tail call more, in every column");
	for (unsigned int i = 0; i < G_N_ELEMENTS(paths); i++) {
		if (!is_wanted(paths[i].name))
			continue;
		measure_path(bench, &paths[i], of_dir[paths[i].dir][0]);
		if (paths[i].dir == SG_EGRESS)
			measure_path(bench, &paths[i], PROGGY_TC_EGRESS);
	}
	measure_turns(bench);
	for (unsigned int i = 0; i < counts; i++)
		if (is_wanted("any of flows"))
			measure_many(bench, flow_counts[i]);
	testrun_close();
	assert_int_equal(proggy_teardown(&state), 0);
}

BENCH_MAIN("program", "nanoseconds of a frame in the programs alone (BPF_PROG_TEST_RUN)",
	   measure_all)
