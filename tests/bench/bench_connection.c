/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_connection.c - what each of the six frames of a new connection adds to its way from tap to
 * tap: where the time of a connection goes, beside nftables and the least that a filter with state
 * can do.
 */
#include <glib.h>

#include "tests/bench/bench.h"
#include "tests/bench/filter.h"

#define MEMBERS	    10000
#define RULES	    200
#define CONNECTIONS 600 /* a sample */
#define FILTERS	    6

static const char *const names[TRAFFIC_STEPS] = {
	[TRAFFIC_SYN] = "1 SYN", [TRAFFIC_SYN_ACK] = "2 SYN/ACK", [TRAFFIC_ACK] = "3 ACK",
	[TRAFFIC_FIN] = "4 FIN", [TRAFFIC_FIN_ACK] = "5 FIN/ACK", [TRAFFIC_LAST_ACK] = "6 last ACK",
};

static void measure(struct bench *bench, struct filter *filters[FILTERS])
{
	unsigned int connections = bench_quick(bench) ? CONNECTIONS / 5 : CONNECTIONS;
	struct bench_series *series[FILTERS][TRAFFIC_STEPS];
	double ns[TRAFFIC_STEPS];

	for (unsigned int i = 0; i < FILTERS; i++)
		for (unsigned int j = 0; j < TRAFFIC_STEPS; j++)
			series[i][j] = bench_series(bench, names[j], filters[i]->variant, "ns",
						    "rules=%u", RULES);
	bench_pin(bench);
	for (unsigned int i = 0; i < FILTERS; i++)
		traffic_connect_steps(filters[i]->traffic[0], connections, ns);
	for (unsigned int round = 0; round < bench_rounds(bench); round++)
		for (unsigned int i = 0; i < FILTERS; i++) {
			unsigned int which = (i + round) % FILTERS;

			traffic_connect_steps(filters[which]->traffic[0], connections, ns);
			for (unsigned int j = 0; j < TRAFFIC_STEPS; j++)
				bench_sample(series[which][j], ns[j]);
		}
	bench_unpin(bench);
	for (unsigned int j = 0; j < TRAFFIC_STEPS; j++) {
		g_autofree char *metric = g_strdup_printf("%s, added", names[j]);
		struct bench_series *added[FILTERS] = {NULL};

		for (unsigned int i = 1; i < FILTERS; i++)
			added[i] = bench_added(bench, metric, series[i][j], series[0][j]);
		for (unsigned int i = 4; i < FILTERS; i++)
			bench_compare(bench, added[i], added[3], 0);
	}
}

static void run(struct bench *bench)
{
	static const struct {
		const char *variant, *hook;
		enum filter_kind kind;
	} variants[FILTERS] = {
		{"unfiltered", "", FILTER_NONE},	  {"one line, xdp", "xdp", FILTER_STATE},
		{"one line, tcx", "tcx", FILTER_STATE},	  {"nftables", "", FILTER_NFTABLES},
		{"tapguard xdp", "xdp", FILTER_TAPGUARD}, {"tapguard tcx", "tcx", FILTER_TAPGUARD},
	};
	struct shape shape = {.rules = RULES, .members = MEMBERS, .max_flows = 262144, .ports = 2};
	struct filter *filters[FILTERS];

	filter_conntrack_room(4000000);
	for (unsigned int i = 0; i < FILTERS; i++) {
		shape.hook = variants[i].hook;
		filters[i] = filter_new(variants[i].variant, variants[i].kind, &shape, true, false);
		filter_check(bench, filters[i]);
	}
	measure(bench, filters);
	for (unsigned int i = 0; i < FILTERS; i++) {
		filter_check_traffic(bench, filters[i]);
		filter_free(&filters[i]);
	}
}

BENCH_MAIN("connection", "what each frame of a new connection adds, from tap to tap", run)
