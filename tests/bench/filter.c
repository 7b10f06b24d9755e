/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.c - see filter.h.
 */
#include "tests/bench/filter.h"

#include <errno.h>
#include <glib.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/bench/floor.h"
#include "tests/bench/links.h"
#include "tests/lib/command.h"
#include "tests/lib/daemon.h"
#include "tests/lib/netns.h"

#define SETTLE_SECONDS	  5
#define CONNTRACK_MAX	  "/proc/sys/net/netfilter/nf_conntrack_max"
#define CONNTRACK_BUCKETS "/proc/sys/net/netfilter/nf_conntrack_buckets"

/* ------------------------------------------------------------------ conntrack of the machine */

static struct {
	unsigned long max, buckets;
} before;

static unsigned long read_number(const char *path)
{
	g_autofree char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? strtoul(text, NULL, 10) : 0;
}

static void write_number(const char *path, unsigned long number)
{
	AUTO_FILE FILE *file = fopen(path, "we");

	if (!file || fprintf(file, "%lu\n", number) < 0 || fflush(file) != 0)
		fprintf(stderr, "cannot write %lu to %s: %s\n", number, path, strerror(errno));
}

static void restore_conntrack(void)
{
	netns_leave();
	write_number(CONNTRACK_MAX, before.max);
	write_number(CONNTRACK_BUCKETS, before.buckets);
}

void filter_conntrack_room(unsigned int connections)
{
	if (before.max)
		return;
	before.max = read_number(CONNTRACK_MAX);
	before.buckets = read_number(CONNTRACK_BUCKETS);
	if (!before.max)
		return; /* no conntrack before nftables asks for it: it makes a large table then */
	atexit(restore_conntrack);
	if (before.buckets < connections)
		write_number(CONNTRACK_BUCKETS, connections);
	if (before.max < connections)
		write_number(CONNTRACK_MAX, connections);
}

/* ------------------------------------------------------------------ putting a filter in place */

/* Runs the program with the text in a file as its last word, or as its standard input. */
static void feed(const char *program, const char *text, bool standard_input)
{
	const char *path = policy_file("filter.txt", text);
	g_autofree char *line =
		g_strdup_printf("exec %s %s %s", program, standard_input ? "<" : "", path);

	command_check("sh", "-c", line, NULL);
}

static void feed_own(const char *program, char *text, bool standard_input)
{
	g_autofree char *own = text;

	feed(program, own, standard_input);
}

static void install(struct filter *filter)
{
	const struct shape *shape = &filter->shape;
	g_autofree char *policy = NULL;

	path_enter(filter->path[0]);
	switch (filter->kind) {
	case FILTER_NONE:
		break;
	case FILTER_EMPTY:
	case FILTER_STATE:
	case FILTER_DROP:
		floor_free(&filter->floor);
		filter->floor = floor_new(filter->path[0], strcmp(shape->hook, "xdp") == 0,
					  filter->kind == FILTER_DROP	 ? FLOOR_DROP
					  : filter->kind == FILTER_STATE ? FLOOR_STATE
									 : FLOOR_PASS,
					  shape->max_flows);
		if (!filter->floor)
			fail_msg("no tcx on this kernel: %s", strerror(errno));
		break;
	case FILTER_NFT_CHAIN:
	case FILTER_NFT_CONNTRACK:
	case FILTER_NFTABLES:
		feed_own("nft -f",
			 filter->kind == FILTER_NFTABLES
				 ? shape_nftables(shape)
				 : shape_nftables_floor(filter->kind == FILTER_NFT_CONNTRACK),
			 false);
		/* As hypervisors do that leave checksums to the guest's end. */
		if (filter->kind != FILTER_NFT_CHAIN)
			netns_sysctl("/proc/sys/net/netfilter/nf_conntrack_checksum", "0");
		break;
	case FILTER_NEUTRON:
		/* The legacy tables are the faster of the two. */
		command_check("iptables-legacy", "-F", NULL);
		command_check("iptables-legacy", "-t", "raw", "-F", NULL);
		command_check("ipset", "destroy", NULL);
		feed_own("ipset restore", shape_ipset(shape), true);
		feed_own("iptables-legacy-restore", shape_neutron(shape), true);
		if (shape->bridged)
			netns_sysctl("/proc/sys/net/bridge/bridge-nf-call-iptables", "1");
		break;
	case FILTER_TAPGUARD:
		policy = shape_tapguard(shape);
		daemon_apply(filter->daemon, policy);
		if (strcmp(shape->hook, "tc") != 0)
			links_wait(1, SETTLE_SECONDS);
		break;
	}
}

static void start_daemon(struct filter *filter)
{
	static unsigned int number;
	g_autofree char *name = g_strdup_printf("bench%u", number++);
	g_autofree char *flows =
		g_strdup_printf("%u", 2 * filter->shape.pairs * filter->shape.max_flows);
	const char *const options[] = {"--max-flows", flows, NULL};

	filter->daemon = daemon_start(name, options);
}

struct filter *filter_new(const char *variant, enum filter_kind kind, const struct shape *shape,
			  bool routed, bool vnet_hdr)
{
	struct filter *filter = g_new0(struct filter, 1);

	filter->variant = variant;
	filter->kind = kind;
	filter->shape = *shape;
	filter->shape.bridged = !routed;
	filter->shape.pairs = MAX(shape->pairs, 1);
	assert_in_range(filter->shape.pairs, 1, PATH_PAIRS);
	filter->path[0] = path_new(routed, vnet_hdr);
	for (unsigned int i = 1; i < filter->shape.pairs; i++)
		filter->path[i] = path_new_pair(filter->path[0], i);
	if (kind == FILTER_TAPGUARD)
		start_daemon(filter);
	install(filter);
	for (unsigned int i = 0; i < filter->shape.pairs; i++)
		filter->traffic[i] = traffic_new(filter->path[i]);
	return filter;
}

void filter_reshape(struct filter *filter, unsigned int rules, unsigned int members)
{
	filter->shape.rules = rules;
	filter->shape.members = members;
	install(filter);
}

void filter_free(struct filter **filter)
{
	if (!*filter)
		return;
	for (unsigned int i = 0; i < PATH_PAIRS; i++)
		traffic_free(&(*filter)->traffic[i]);
	if ((*filter)->daemon)
		daemon_delete((*filter)->daemon);
	floor_free(&(*filter)->floor);
	netns_leave();
	for (unsigned int i = PATH_PAIRS; i-- > 0;)
		path_free(&(*filter)->path[i]);
	g_clear_pointer(filter, g_free);
}

/* ------------------------------------------------------------------ verdicts */

/* What a VM sends arrives, by the text of frame.h; MACs follow from the addresses. */
static bool arrives(const struct filter *filter, bool from_b, const char *text)
{
	const struct path *path = filter->path[0];
	const struct tap *from = from_b ? path->b : path->a, *to = from_b ? path->a : path->b;
	size_t header = from->vnet_hdr ? sizeof(struct virtio_net_hdr_v1) : 0;
	g_autofree uint8_t *bytes = g_malloc0(header + FRAME_ROOM);
	g_autofree uint8_t *room = g_malloc(PATH_FRAME);
	struct frame frame;

	frame_make_text(&frame, text);
	memcpy(frame.bytes, from_b ? path->gateway_b : path->gateway_a, 6);
	memcpy(bytes + header, frame.bytes, frame.length);
	path_send(from, bytes, header + frame.length);
	return path_receive(to, room) == (long)(header + frame.length);
}

/* Whether the policy of the shape is what decides. */
static bool filter_judges(const struct filter *filter)
{
	return filter->kind >= FILTER_NFTABLES;
}

static void check_pair(const struct filter *filter, struct traffic *traffic)
{
	if (filter->kind == FILTER_DROP || filter_judges(filter)) {
		traffic_deny(traffic, true, 10);
		traffic_deny(traffic, false, 10);
	}
	if (filter->kind == FILTER_DROP)
		return;
	traffic_connect(traffic, 10);
	if (traffic_opened(traffic) == 0)
		traffic_open(traffic, 1);
	traffic_exchange(traffic, 10);
}

void filter_check(struct bench *bench, struct filter *filter)
{
	static const struct {
		bool from_b, passes;
		const char *frame;
	} cases[] = {
		{false, true, "tcp 10.0.0.5:1500 > 10.0.0.9:5019 S"}, /* the last rule */
		{true, true, "tcp 10.0.0.9:5019 > 10.0.0.5:1500 SA ack=1"},
		{false, true, "tcp 10.0.0.5:1500 > 10.0.0.9:10000 S"}, /* the first: anyone */
		{false, false,
		 "tcp 10.0.0.5:1500 > 10.0.0.9:10002 S"},	       /* a CIDR that a is not in */
		{false, true, "tcp 10.0.0.5:1500 > 10.0.0.9:10004 S"}, /* the group */
		{false, false, "tcp 10.0.0.5:1500 > 10.0.0.9:10006 S"}, /* the prefix list */
		{false, false, "tcp 10.0.0.5:1500 > 10.0.0.9:9999 S"},
		{false, false, "udp 10.0.0.5:1500 > 10.0.0.9:5000"},
		{true, false, "tcp 10.0.0.9:1500 > 10.0.0.5:9999 S"},
		{true, false, "tcp 10.0.0.9:1500 > 192.0.2.1:9999 S"},
		{true, true, "tcp 10.0.0.9:1500 > 10.0.0.5:10000 S"},
		{true, false, "tcp 10.0.0.9:1500 > 10.0.0.5:10002 S"},
		{false, false, "tcp 10.0.0.6:1500 > 10.0.0.9:5000 S smac=5"},  /* not its address */
		{false, false, "tcp 10.0.0.5:1502 > 10.0.0.9:5000 S smac=77"}, /* nor its MAC */
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		bool passes = filter->kind != FILTER_DROP &&
			      (filter_judges(filter) ? cases[i].passes : true);

		bench_verdict(bench, arrives(filter, cases[i].from_b, cases[i].frame) == passes,
			      "%s, %u rules: %s from %c %s", filter->variant, filter->shape.rules,
			      cases[i].frame, cases[i].from_b ? 'b' : 'a',
			      passes ? "does not arrive" : "arrives");
	}
	for (unsigned int i = 0; i < filter->shape.pairs; i++)
		check_pair(filter, filter->traffic[i]);
	filter_check_traffic(bench, filter);
}

/* What tapguard says of the frames that it dropped. */
static void show_drops(const struct filter *filter)
{
	AUTO_COMMAND struct command stats = {0};

	if (filter->kind != FILTER_TAPGUARD)
		return;
	stats = sgctl_run(filter->daemon, "stats", NULL);
	fprintf(stderr, "%s%s", stats.out, stats.err);
}

void filter_check_traffic(struct bench *bench, const struct filter *filter)
{
	for (unsigned int i = 0; i < filter->shape.pairs; i++) {
		const struct traffic *traffic = filter->traffic[i];

		if (traffic_lost(traffic) > 0)
			show_drops(filter);
		bench_verdict(bench, traffic_lost(traffic) == 0,
			      "%s, %u rules: %" G_GUINT64_FORMAT " frames did not arrive",
			      filter->variant, filter->shape.rules, traffic_lost(traffic));
		bench_verdict(bench, traffic_leaked(traffic) == 0,
			      "%s, %u rules: %" G_GUINT64_FORMAT " frames arrived that must not",
			      filter->variant, filter->shape.rules, traffic_leaked(traffic));
	}
}
