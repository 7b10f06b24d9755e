/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_path.c - what a filter adds to the way of a frame from tap to tap: established connections,
 * new ones, denied frames; beside nftables as an expert writes it, and iptables with ipset in the
 * shape that Neutron's agent gives it. The same policy everywhere (shape.h), each on a path of its
 * own.
 */
#include <glib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/bench/bench.h"
#include "tests/bench/filter.h"
#include "tests/lib/daemon.h"

#define MEMBERS	      10000
#define PAIRS	      4000 /* of segments, a sample */
#define CONNECTIONS   600  /* a sample */
#define DENIED	      4000
#define FLOOD_SECONDS 2
#define MOST_FILTERS  16
#define SMALL	      64
#define FULL	      1514
#define TSO	      (54 + 45 * 1448) /* 65,214 bytes: as much as an IPv4 packet of whole segments holds */

/* The variants of one measurement. The first is the path without a filter. */
struct stage {
	struct bench *bench;
	struct filter *filters[MOST_FILTERS];
	unsigned int count;
	unsigned int pairs, connections, denied; /* of a sample */
};

static struct filter *add(struct stage *stage, const char *variant, enum filter_kind kind,
			  const char *hook, const struct shape *shape, bool vnet_hdr)
{
	struct shape own = *shape;

	own.hook = hook;
	assert_true(stage->count < MOST_FILTERS);
	return stage->filters[stage->count++] = filter_new(variant, kind, &own, true, vnet_hdr);
}

static void add_bridged(struct stage *stage, const char *variant, enum filter_kind kind,
			const struct shape *shape)
{
	assert_true(stage->count < MOST_FILTERS);
	stage->filters[stage->count++] = filter_new(variant, kind, shape, false, false);
}

static void end_stage(struct stage *stage)
{
	for (unsigned int i = 0; i < stage->count; i++) {
		filter_check_traffic(stage->bench, stage->filters[i]);
		filter_free(&stage->filters[i]);
	}
	stage->count = 0;
}

static void check_stage(struct stage *stage)
{
	for (unsigned int i = 0; i < stage->count; i++)
		filter_check(stage->bench, stage->filters[i]);
}

/* ------------------------------------------------------------------ samples */

struct sample {
	const struct stage *stage;
	struct filter *filter;
};

static double exchange(void *context)
{
	const struct sample *sample = context;

	return traffic_exchange(sample->filter->traffic[0], sample->stage->pairs);
}

static double connect_and_end(void *context)
{
	const struct sample *sample = context;

	return traffic_connect(sample->filter->traffic[0], sample->stage->connections);
}

static double deny_outbound(void *context)
{
	const struct sample *sample = context;

	return traffic_deny(sample->filter->traffic[0], true, sample->stage->denied);
}

static double deny_inbound(void *context)
{
	const struct sample *sample = context;

	return traffic_deny(sample->filter->traffic[0], false, sample->stage->denied);
}

static bool passes_traffic(const struct filter *filter)
{
	return filter->kind != FILTER_DROP;
}

static bool denies_traffic(const struct filter *filter)
{
	return filter->kind != FILTER_NONE && filter->kind != FILTER_EMPTY &&
	       filter->kind != FILTER_STATE;
}

/* Measures those filters of the stage that can do it, in turns. The series, one a filter, NULL for
 * others. */
static void measure(struct stage *stage, bool (*able)(const struct filter *), double (*how)(void *),
		    const char *metric, const char *parameters,
		    struct bench_series *series[MOST_FILTERS])
{
	struct bench_subject subjects[MOST_FILTERS];
	struct sample samples[MOST_FILTERS];
	unsigned int count = 0;

	for (unsigned int i = 0; i < stage->count; i++) {
		series[i] = NULL;
		if (!able(stage->filters[i]))
			continue;
		series[i] = bench_series(stage->bench, metric, stage->filters[i]->variant, "ns",
					 "%s", parameters);
		samples[i] = (struct sample){stage, stage->filters[i]};
		subjects[count++] = (struct bench_subject){series[i], how, &samples[i]};
	}
	bench_interleave(stage->bench, subjects, count);
	for (unsigned int i = 0; i < stage->count; i++)
		filter_check_traffic(stage->bench, stage->filters[i]);
}

static unsigned int find(const struct stage *stage, enum filter_kind kind)
{
	for (unsigned int i = 0; i < stage->count; i++)
		if (stage->filters[i]->kind == kind)
			return i;
	return MOST_FILTERS;
}

/* The path without a filter that goes the way of this one. */
static unsigned int find_unfiltered(const struct stage *stage, const struct filter *filter)
{
	for (unsigned int i = 0; i < stage->count; i++)
		if (stage->filters[i]->kind == FILTER_NONE &&
		    stage->filters[i]->path[0]->routed == filter->path[0]->routed)
			return i;
	fail_msg("%s is measured without the path that it is on", filter->variant);
	return 0;
}

/*
 * What each filter adds to the path without one. Compares tapguard's with that of nftables (goal)
 * and of Neutron's shape (its goal); 0: none. added: one a filter, NULL for the others.
 */
static void compare_added(struct stage *stage, const char *metric,
			  struct bench_series *series[MOST_FILTERS], double goal,
			  double neutron_goal, struct bench_series *added[MOST_FILTERS])
{
	unsigned int nft = find(stage, FILTER_NFTABLES), neutron = find(stage, FILTER_NEUTRON);

	for (unsigned int i = 0; i < stage->count; i++)
		added[i] = NULL;
	for (unsigned int i = 0; i < stage->count; i++)
		if (series[i] && stage->filters[i]->kind != FILTER_NONE)
			added[i] = bench_added(stage->bench, metric, series[i],
					       series[find_unfiltered(stage, stage->filters[i])]);
	for (unsigned int i = 0; i < stage->count; i++) {
		if (stage->filters[i]->kind != FILTER_TAPGUARD)
			continue;
		bench_compare(stage->bench, added[i], added[nft], goal);
		if (neutron < MOST_FILTERS)
			bench_compare(stage->bench, added[i], added[neutron], neutron_goal);
	}
}

/* Whole costs: goals for tapguard at XDP, and at the other hooks. */
static void compare_whole(struct stage *stage, struct bench_series *series[MOST_FILTERS],
			  double xdp_goal, double tcx_goal)
{
	for (unsigned int i = 0; i < stage->count; i++) {
		bool xdp = strcmp(stage->filters[i]->shape.hook, "xdp") == 0;

		if (stage->filters[i]->kind == FILTER_TAPGUARD)
			bench_compare(stage->bench, series[i], series[find(stage, FILTER_NFTABLES)],
				      xdp ? xdp_goal : tcx_goal);
	}
}

/* ------------------------------------------------------------------ the measurements */

static void add_all(struct stage *stage, const struct shape *shape)
{
	add(stage, "unfiltered", FILTER_NONE, "", shape, false);
	add(stage, "empty xdp", FILTER_EMPTY, "xdp", shape, false);
	add(stage, "empty tcx", FILTER_EMPTY, "tcx", shape, false);
	add(stage, "one line, xdp", FILTER_STATE, "xdp", shape, false);
	add(stage, "one line, tcx", FILTER_STATE, "tcx", shape, false);
	add(stage, "nftables", FILTER_NFTABLES, "", shape, false);
	add_bridged(stage, "unfiltered bridge", FILTER_NONE, shape);
	add_bridged(stage, "Neutron's shape, 2 taps", FILTER_NEUTRON, shape);
	add(stage, "Neutron's rules, routed", FILTER_NEUTRON, "", shape, false);
	add(stage, "tapguard xdp", FILTER_TAPGUARD, "xdp", shape, false);
	add(stage, "tapguard tcx", FILTER_TAPGUARD, "tcx", shape, false);
	add(stage, "tapguard tc", FILTER_TAPGUARD, "tc", shape, false);
}

/* added: as compare_added() leaves it. */
static void measure_established(struct stage *stage, unsigned int bytes,
				struct bench_series *added[MOST_FILTERS])
{
	struct bench_series *series[MOST_FILTERS] = {NULL};
	g_autofree char *parameters = g_strdup_printf(
		"flows=%u bytes=%u", traffic_opened(stage->filters[0]->traffic[0]), bytes);

	for (unsigned int i = 0; i < stage->count; i++)
		traffic_size(stage->filters[i]->traffic[0], bytes);
	measure(stage, passes_traffic, exchange, "established", parameters, series);
	compare_added(stage, "established, added", series, 0.5, 0, added);
}

/* How much more a frame costs with many connections than with one: no more than nftables. */
static void compare_growth(struct stage *stage, struct bench_series *many[MOST_FILTERS],
			   struct bench_series *one[MOST_FILTERS])
{
	struct bench_series *growth[MOST_FILTERS] = {NULL};
	unsigned int nft = find(stage, FILTER_NFTABLES);

	for (unsigned int i = 0; i < stage->count; i++)
		if (many[i])
			growth[i] =
				bench_added(stage->bench, "established, growth from 1 connection",
					    many[i], one[i]);
	for (unsigned int i = 0; i < stage->count; i++)
		if (stage->filters[i]->kind == FILTER_TAPGUARD)
			bench_compare(stage->bench, growth[i], growth[nft], 1);
}

static void open_all(struct stage *stage, unsigned int flows)
{
	for (unsigned int i = 0; i < stage->count; i++) {
		struct traffic *traffic = stage->filters[i]->traffic[0];

		traffic_open(traffic, flows - traffic_opened(traffic));
		filter_check_traffic(stage->bench, stage->filters[i]);
	}
}

static void established(struct stage *stage)
{
	static const unsigned int flows[] = {1, 100000, 1000000};
	struct shape shape = {.rules = 200, .members = MEMBERS, .max_flows = 1048576, .ports = 2};
	unsigned int counts = bench_smoke(stage->bench) ? 1 : bench_quick(stage->bench) ? 2 : 3;
	struct bench_series *added[G_N_ELEMENTS(flows)][MOST_FILTERS];

	if (counts < G_N_ELEMENTS(flows))
		shape.max_flows = 131072;
	add_all(stage, &shape);
	check_stage(stage);
	measure_established(stage, FULL, added[0]);
	for (unsigned int i = 0; i < counts; i++) {
		open_all(stage, flows[i]);
		measure_established(stage, SMALL, added[i]);
		if (i > 0)
			compare_growth(stage, added[i], added[0]);
	}
	end_stage(stage);
}

/* Other rules for everybody; the parameters that name them, which the caller frees. */
static char *reshape(struct stage *stage, unsigned int rules)
{
	for (unsigned int i = 0; i < stage->count; i++)
		filter_reshape(stage->filters[i], rules, MEMBERS);
	check_stage(stage);
	return g_strdup_printf("rules=%u", rules);
}

static void new_and_denied(struct stage *stage)
{
	static const unsigned int rules[] = {10, 200, 1000};
	struct shape shape = {.rules = 10, .members = MEMBERS, .max_flows = 262144, .ports = 2};
	struct shape busy = {.rules = 10, .members = MEMBERS, .ports = 100};
	unsigned int count;

	add_all(stage, &shape);
	add_bridged(stage, "Neutron's shape, 100 taps", FILTER_NEUTRON, &busy);
	add(stage, "empty xdp, drops", FILTER_DROP, "xdp", &shape, false);
	add(stage, "empty tcx, drops", FILTER_DROP, "tcx", &shape, false);
	count = bench_smoke(stage->bench) ? 1 : G_N_ELEMENTS(rules);
	for (unsigned int i = 0; i < count; i++) {
		g_autofree char *parameters = reshape(stage, rules[i]);
		struct bench_series *series[MOST_FILTERS] = {NULL}, *added[MOST_FILTERS];

		measure(stage, passes_traffic, connect_and_end, "connection", parameters, series);
		compare_added(stage, "connection, added", series, 0.6, rules[i] == 200 ? 0.25 : 0,
			      added);
		measure(stage, denies_traffic, deny_outbound, "denied, outbound", parameters,
			series);
		compare_whole(stage, series, 0.22, 0.4);
	}
	/* Last: what the receiver's rules deny the sender's allow, who then has many half-open
	 * connections, and pays for that with each new one. */
	for (unsigned int i = 0; i < count; i++) {
		g_autofree char *parameters = reshape(stage, rules[i]);
		struct bench_series *series[MOST_FILTERS] = {NULL};

		measure(stage, denies_traffic, deny_inbound, "denied, inbound", parameters, series);
		compare_whole(stage, series, 0, 0);
		if (i == 0)
			measure(stage, passes_traffic, connect_and_end,
				"connection, half-open ones beside it", parameters, series);
	}
	end_stage(stage);
}

/* A second of what the VM may not send, so that rulesd notices. */
static void flood(const struct filter *filter)
{
	gint64 end = g_get_monotonic_time() + FLOOD_SECONDS * G_USEC_PER_SEC;

	while (g_get_monotonic_time() < end)
		traffic_deny(filter->traffic[0], true, DENIED);
}

static bool is_flooded(const struct filter *filter)
{
	AUTO_JSON json_t *interfaces = sgctl_json(filter->daemon, "show", "interfaces", NULL);
	size_t index;
	json_t *each;

	json_array_foreach (interfaces, index, each)
		if (json_is_true(json_object_get(each, "flooded")))
			return true;
	return false;
}

/* Hook auto with vnet_hdr is tcx, and XDP in front of it while the VM floods. */
static void flooded(struct stage *stage)
{
	struct shape shape = {.rules = 200, .members = MEMBERS, .max_flows = 16384, .ports = 2};
	struct bench_series *series[MOST_FILTERS] = {NULL};
	const struct filter *automatic;

	add(stage, "nftables", FILTER_NFTABLES, "", &shape, true);
	automatic = add(stage, "tapguard auto, flooded", FILTER_TAPGUARD, "auto", &shape, true);
	add(stage, "tapguard tcx", FILTER_TAPGUARD, "tcx", &shape, true);
	add(stage, "tapguard xdp", FILTER_TAPGUARD, "xdp", &shape, true);
	check_stage(stage);
	flood(automatic);
	bench_verdict(stage->bench, is_flooded(automatic), "a flood brings no XDP");
	measure(stage, denies_traffic, deny_outbound, "denied, outbound, vnet_hdr", "rules=200",
		series);
	compare_whole(stage, series, 0, 0);
	end_stage(stage);
}

static void large(struct stage *stage)
{
	static const unsigned int sizes[] = {SMALL, FULL, TSO};
	struct shape shape = {.rules = 200, .members = MEMBERS, .max_flows = 16384, .ports = 2};

	add(stage, "unfiltered", FILTER_NONE, "", &shape, true);
	add(stage, "nftables", FILTER_NFTABLES, "", &shape, true);
	add(stage, "tapguard auto", FILTER_TAPGUARD, "auto", &shape, true);
	add(stage, "tapguard xdp", FILTER_TAPGUARD, "xdp", &shape, true);
	check_stage(stage);
	for (unsigned int i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *parameters = g_strdup_printf("flows=1 bytes=%u", sizes[i]);
		struct bench_series *series[MOST_FILTERS] = {NULL}, *added[MOST_FILTERS];
		unsigned int pairs = stage->pairs;

		for (unsigned int j = 0; j < stage->count; j++)
			traffic_size(stage->filters[j]->traffic[0], sizes[i]);
		if (sizes[i] == TSO)
			stage->pairs /= 2;
		measure(stage, passes_traffic, exchange, "established, vnet_hdr", parameters,
			series);
		stage->pairs = pairs;
		for (unsigned int j = 1; j < stage->count; j++)
			bench_compare(stage->bench, series[j], series[0],
				      sizes[i] == TSO && j == find(stage, FILTER_TAPGUARD) ? 1.1
											   : 0);
		compare_added(stage, "established, vnet_hdr, added", series,
			      sizes[i] == TSO ? 0 : 0.5, 0, added);
	}
	end_stage(stage);
}

static void run(struct bench *bench)
{
	unsigned int part = bench_smoke(bench) ? 100 : bench_quick(bench) ? 5 : 1;
	struct stage stage = {
		.bench = bench,
		.pairs = PAIRS / part,
		.connections = CONNECTIONS / part,
		.denied = DENIED / part,
	};

	filter_conntrack_room(4000000);
	bench_note(bench,
		   "routed between two taps; a frame is one write and one read by one thread");
	bench_note(bench, "a group of %u members; the service in the last of the rules", MEMBERS);
	established(&stage);
	new_and_denied(&stage);
	if (!bench_smoke(bench))
		flooded(&stage);
	large(&stage);
}

BENCH_MAIN("path", "what filters add to frames from tap to tap", run)
