/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_program.c - nanoseconds that each path through the programs takes by itself
 * (BPF_PROG_TEST_RUN), beside two references on the same frame: an empty program, and "parse + one
 * flow lookup + count", the floor for any stateful filter.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/bench/testrun.h"

#define REPEAT 1000000u
#define ROUNDS 5u
#define BATCH \
	256u /* connections or datagrams at once: fewer than an interface may have half-open */
#define BATCHES	   64u
#define MANY_FLOWS 1048576u
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

static const char *only = ""; /* paths whose name has this */
static double samples[512][TESTRUN_KINDS][64];
static unsigned int rows;

/* ------------------------------------------------------------------ results */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), compare_doubles);
	return values[count / 2];
}

static const char *program_label(enum proggy_program program)
{
	return program == PROGGY_XDP ? "xdp" : "tc";
}

static void report(const char *name, enum proggy_program program, unsigned int row,
		   unsigned int rounds)
{
	double empty, floor, filter;

	if (!strstr(name, only))
		return;
	empty = median(samples[row][TESTRUN_EMPTY], rounds);
	floor = median(samples[row][TESTRUN_FLOOR], rounds);
	filter = median(samples[row][TESTRUN_FILTER], rounds);

	printf("%-44s %-4s %7.0f %7.0f %7.0f %7.2f\n", name, program_label(program), empty, floor,
	       filter, filter / floor);
}

/* ------------------------------------------------------------------ measuring */

static void run_opening(const struct opening *opening)
{
	for (; opening->frame; opening++) {
		struct proggy_result result;
		struct frame frame;

		frame_make_text(&frame, opening->frame);
		result = proggy_run(of_dir[opening->dir][0], VM, &frame);
		if (!result.allowed) {
			fprintf(stderr, "dropped: %s\n", opening->frame);
			exit(1);
		}
	}
}

static void measure_path(const struct path *path, enum proggy_program program, unsigned int row,
			 unsigned int round)
{
	struct frame frame;

	if (!strstr(path->name, only))
		return;
	frame_make_text(&frame, path->frame);
	proggy_flush_flows();
	if (path->opening)
		run_opening(path->opening);
	if (!sg_reason_is_drop(path->reason))
		testrun_know(path->dir, &frame, &path->vary);
	for (unsigned int kind = 0; kind < TESTRUN_KINDS; kind++)
		samples[row][kind][round] = testrun_time(
			kind, program, VM, &frame, &path->vary,
			path->vary.how == TESTRUN_SAME ? REPEAT : REPEAT / 10, path->reason);
}

/* Turns of steps [first, ...] up to the last one of the turn; rows in their order. */
static unsigned int measure_turn(unsigned int first, unsigned int tc, unsigned int row,
				 unsigned int round)
{
	unsigned int count = 0;

	while (!steps[first + count++].last)
		;
	if (!strstr(steps[first].name, only))
		return count;
	proggy_flush_flows();
	if (steps[first].ids)
		run_opening(udp4);
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int kind = 0; kind < TESTRUN_KINDS; kind++)
			samples[row + i][kind][round] = 0;
	for (unsigned int batch = 0; batch < BATCHES; batch++) {
		for (unsigned int i = 0; i < count; i++) {
			const struct step *step = &steps[first + i];
			struct testrun_vary vary = {.how = step->ids ? TESTRUN_IDS : TESTRUN_NEXT,
						    .first = batch * BATCH};
			struct frame frame;

			frame_make_text(&frame, step->frame);
			for (unsigned int kind = 0; kind < TESTRUN_KINDS; kind++)
				samples[row + i][kind][round] +=
					testrun_time(kind, of_dir[step->dir][tc], VM, &frame, &vary,
						     BATCH, step->reason) /
					BATCHES;
		}
	}
	return count;
}

/* Opens flows 0 .. count - 1, as connections of steps[0..2] but to the address of the many. */
static void open_many(uint32_t count)
{
	static const struct opening opening[] = {
		{SG_INGRESS, "tcp 10.2.0.0:1 > 10.0.0.5:443 S seq=100 ws=7"},
		{SG_EGRESS, "tcp 10.0.0.5:443 > 10.2.0.0:1 SA seq=900 ack=101 ws=7"},
		{SG_INGRESS, "tcp 10.2.0.0:1 > 10.0.0.5:443 A seq=101 ack=901"}};

	for (uint32_t at = 0; at < count; at += BATCH)
		for (unsigned int i = 0; i < G_N_ELEMENTS(opening); i++) {
			struct testrun_vary vary = {.how = TESTRUN_NEXT, .first = at};
			struct frame frame;

			frame_make_text(&frame, opening[i].frame);
			testrun_time(TESTRUN_FILTER, of_dir[opening[i].dir][0], VM, &frame, &vary,
				     MIN(BATCH, count - at), i ? SG_ALLOW_FLOW : SG_ALLOW_RULE);
		}
}

static void bench_many(unsigned int rounds)
{
	static const char *const frames[SG_DIRS] = {
		[SG_EGRESS] = "tcp 10.0.0.5:443 > 10.2.0.0:1 A seq=901 ack=101 len=10",
		[SG_INGRESS] = "tcp 10.2.0.0:1 > 10.0.0.5:443 A seq=101 ack=901 len=10"};

	for (unsigned int i = 0; i < G_N_ELEMENTS(flow_counts); i++) {
		struct testrun_vary vary = {.how = TESTRUN_RANDOM, .count = flow_counts[i]};
		struct frame frame;

		proggy_flush_flows();
		open_many(flow_counts[i]);
		frame_make_text(&frame, frames[SG_EGRESS]);
		testrun_know(SG_EGRESS, &frame, &vary);
		for (unsigned int program = 0; program < PROGGY_PROGRAMS; program++) {
			g_autofree char *name =
				g_strdup_printf("tcp established, any of %u flows", flow_counts[i]);

			frame_make_text(&frame, frames[proggy_dir(program)]);
			for (unsigned int round = 0; round < rounds; round++)
				for (unsigned int kind = 0; kind < TESTRUN_KINDS; kind++)
					samples[rows][kind][round] =
						testrun_time(kind, program, VM, &frame, &vary,
							     REPEAT, SG_ALLOW_FLOW);
			report(name, program, rows++, rounds);
		}
	}
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)atoi(argv[1]) : ROUNDS;
	unsigned int first = 0, row = 0;
	void *state = NULL;

	if (argc > 2)
		only = argv[2];
	rounds = MIN(MAX(rounds, 1u), 63u);
	if (proggy_setup(&state))
		return 1;
	testrun_open(MANY_FLOWS);
	proggy_policy(policy);
	for (unsigned int round = 0; round < rounds; round++) {
		row = 0;
		for (unsigned int i = 0; i < G_N_ELEMENTS(paths); i++) {
			measure_path(&paths[i], of_dir[paths[i].dir][0], row++, round);
			if (paths[i].dir == SG_EGRESS)
				measure_path(&paths[i], PROGGY_TC_EGRESS, row++, round);
		}
		for (unsigned int tc = 0; tc < 2; tc++)
			for (unsigned int i = 0; i < G_N_ELEMENTS(steps);) {
				unsigned int count = measure_turn(i, tc, row, round);

				i += count;
				row += count;
			}
	}
	printf("%-44s %-4s %7s %7s %7s %7s\n", "ns a frame", "hook", "empty", "floor", "filter",
	       "ratio");
	row = 0;
	for (unsigned int i = 0; i < G_N_ELEMENTS(paths); i++) {
		report(paths[i].name, of_dir[paths[i].dir][0], row++, rounds);
		if (paths[i].dir == SG_EGRESS)
			report(paths[i].name, PROGGY_TC_EGRESS, row++, rounds);
	}
	for (unsigned int tc = 0; tc < 2; tc++)
		for (first = 0; first < G_N_ELEMENTS(steps); first++)
			report(steps[first].name, of_dir[steps[first].dir][tc], row++, rounds);
	rows = row;
	fflush(stdout);
	if (strstr("flows", only))
		bench_many(rounds);
	testrun_close();
	return proggy_teardown(&state) ? 1 : 0;
}
