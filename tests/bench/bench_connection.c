/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_connection.c - where the time of a connection goes, from tap to tap: what each of the six
 * frames of a new one adds, and a segment of one of few or of many; beside the least that a filter
 * can do (empty programs, one line of memory, an empty chain of nftables, conntrack alone), step by
 * step up to tapguard and nftables.
 */
#include <glib.h>

#include "tests/bench/bench.h"
#include "tests/bench/filter.h"

#define MEMBERS	    10000
#define RULES	    200
#define CONNECTIONS 600	 /* a sample */
#define PAIRS	    4000 /* of segments, a sample */
#define MANY	    100000
#define FILTERS	    10
#define NFTABLES    7 /* who tapguard's two, behind it, are compared with */

static const char *const names[TRAFFIC_STEPS] = {
	[TRAFFIC_SYN] = "1 SYN", [TRAFFIC_SYN_ACK] = "2 SYN/ACK", [TRAFFIC_ACK] = "3 ACK",
	[TRAFFIC_FIN] = "4 FIN", [TRAFFIC_FIN_ACK] = "5 FIN/ACK", [TRAFFIC_LAST_ACK] = "6 last ACK",
};

/* What each adds to the first, which is the path without a filter. */
static void compare(struct bench *bench, const char *metric, struct bench_series *series[FILTERS])
{
	g_autofree char *added_metric = g_strdup_printf("%s, added", metric);
	struct bench_series *added[FILTERS] = {NULL};

	for (unsigned int i = 1; i < FILTERS; i++)
		added[i] = bench_added(bench, added_metric, series[i], series[0]);
	for (unsigned int i = NFTABLES + 1; i < FILTERS; i++)
		bench_compare(bench, added[i], added[NFTABLES], 0);
}

/* The six frames of a connection by the clock, so that each has its share; and their sum. */
static void new_connections(struct bench *bench, struct filter *filters[FILTERS])
{
	unsigned int connections = bench_quick(bench) ? CONNECTIONS / 5 : CONNECTIONS;
	struct bench_series *series[TRAFFIC_STEPS + 1][FILTERS];
	double ns[TRAFFIC_STEPS];

	for (unsigned int j = 0; j <= TRAFFIC_STEPS; j++)
		for (unsigned int i = 0; i < FILTERS; i++)
			series[j][i] = bench_series(bench, j < TRAFFIC_STEPS ? names[j] : "all six",
						    filters[i]->variant, "ns", "rules=%u", RULES);
	bench_pin(bench);
	for (unsigned int i = 0; i < FILTERS; i++)
		traffic_connect_steps(filters[i]->traffic[0], connections, ns);
	for (unsigned int round = 0; round < bench_rounds(bench); round++)
		for (unsigned int i = 0; i < FILTERS; i++) {
			unsigned int which = (i + round) % FILTERS;
			double sum = 0;

			traffic_connect_steps(filters[which]->traffic[0], connections, ns);
			for (unsigned int j = 0; j < TRAFFIC_STEPS; j++) {
				bench_sample(series[j][which], ns[j]);
				sum += ns[j];
			}
			bench_sample(series[TRAFFIC_STEPS][which], sum);
		}
	bench_unpin(bench);
	for (unsigned int j = 0; j <= TRAFFIC_STEPS; j++)
		compare(bench, j < TRAFFIC_STEPS ? names[j] : "all six", series[j]);
}

static double exchange(void *context)
{
	const struct filter *filter = context;

	return traffic_exchange(filter->traffic[0], PAIRS);
}

static void established(struct bench *bench, struct filter *filters[FILTERS], unsigned int flows)
{
	struct bench_subject subjects[FILTERS];
	struct bench_series *series[FILTERS];

	for (unsigned int i = 0; i < FILTERS; i++) {
		struct traffic *traffic = filters[i]->traffic[0];

		traffic_open(traffic, flows - traffic_opened(traffic));
		series[i] = bench_series(bench, "established", filters[i]->variant, "ns",
					 "flows=%u", flows);
		subjects[i] = (struct bench_subject){series[i], exchange, filters[i]};
	}
	bench_interleave(bench, subjects, FILTERS);
	compare(bench, "established", series);
}

static void run(struct bench *bench)
{
	static const struct {
		const char *variant, *hook;
		enum filter_kind kind;
	} variants[FILTERS] = {
		{"unfiltered", "", FILTER_NONE},
		{"empty xdp", "xdp", FILTER_EMPTY},
		{"empty tcx", "tcx", FILTER_EMPTY},
		{"one line, xdp", "xdp", FILTER_STATE},
		{"one line, tcx", "tcx", FILTER_STATE},
		{"nftables, empty chain", "", FILTER_NFT_CHAIN},
		{"nftables, conntrack alone", "", FILTER_NFT_CONNTRACK},
		{"nftables", "", FILTER_NFTABLES},
		{"tapguard xdp", "xdp", FILTER_TAPGUARD},
		{"tapguard tcx", "tcx", FILTER_TAPGUARD},
	};
	struct shape shape = {.rules = RULES, .members = MEMBERS, .max_flows = 262144, .ports = 2};
	struct filter *filters[FILTERS];

	filter_conntrack_room(4000000);
	for (unsigned int i = 0; i < FILTERS; i++) {
		shape.hook = variants[i].hook;
		filters[i] = filter_new(variants[i].variant, variants[i].kind, &shape, true, false);
		filter_check(bench, filters[i]);
	}
	new_connections(bench, filters);
	established(bench, filters, 1);
	if (!bench_smoke(bench))
		established(bench, filters, MANY);
	for (unsigned int i = 0; i < FILTERS; i++) {
		filter_check_traffic(bench, filters[i]);
		filter_free(&filters[i]);
	}
}

BENCH_MAIN("connection", "what each frame of a connection adds, from tap to tap", run)
