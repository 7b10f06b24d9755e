/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_members.c - whether the number of members of a group can be seen on the way of a frame: a
 * VM behind a filtered tap is asked by any of 10, 10,000 and 1,000,000 members, which are behind
 * another tap, unfiltered, as hosts elsewhere are. What a connection of six frames adds, a SYN of
 * which finds its member in no cache, and a segment of an established one; beside nftables with the
 * same members in a set.
 *
 * The programs alone are bench_rules' business.
 */
#include <glib.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/filter.h"
#include "tests/bench/links.h"
#include "tests/lib/command.h"
#include "tests/lib/daemon.h"
#include "tests/lib/frame.h"
#include "tests/lib/netns.h"

#define MEMBERS_AT     0x0a400000u /* 10.64.0.0 + i */
#define MEMBERS_ROUTE  "10.64.0.0/12"
#define VM	       0x0a000005u /* a of the path */
#define VM_PORT	       443
#define FIRST_PORT     1024u
#define PORTS	       60000u
#define CONNECTIONS    600  /* a sample */
#define PAIRS	       4000 /* of segments, a sample */
#define SETTLE_SECONDS 5
#define HEADERS	       54
#define PAYLOAD	       10  /* frames of 64 bytes */
#define GOAL	       1.3 /* of a connection; of a segment bench_rules tells more exactly */

static const struct way {
	const char *variant, *hook; /* hook NULL: not tapguard */
	unsigned int members;
} ways[] = {
	{"unfiltered", NULL, 0},	 {"nftables", NULL, 10},
	{"nftables", NULL, 10000},	 {"nftables", NULL, 999990},
	{"tapguard xdp", "xdp", 10},	 {"tapguard xdp", "xdp", 10000},
	{"tapguard xdp", "xdp", 999990}, {"tapguard tcx", "tcx", 10},
	{"tapguard tcx", "tcx", 10000},	 {"tapguard tcx", "tcx", 999990},
};
#define WAYS G_N_ELEMENTS(ways)

struct host {
	const struct way *way;
	struct path *path;
	struct daemon *daemon;
	uint32_t random, opened; /* connections until now */
	uint32_t offset;	 /* bytes that the established one has sent, each way */
	unsigned int connections, pairs;
	uint64_t lost;
};

/* ------------------------------------------------------------------ filters */

static void add_members(GString *text, unsigned int members, const char *format)
{
	for (unsigned int i = 0; i < members; i++)
		g_string_append_printf(text, format, i, 64 + i / 65536, i / 256 % 256, i % 256);
}

static void filter_by_tapguard(struct host *host)
{
	static unsigned int number;
	g_autofree char *name = g_strdup_printf("members%u", number++);
	GString *text = g_string_new(NULL);

	g_string_printf(text,
			"{\"version\":1,\"groups\":{\"sg-peer\":{},\"sg-vm\":{\"ingress\":["
			"{\"protocol\":\"tcp\",\"ports\":[%u],\"from\":[\"sg-peer\"]}]}},"
			"\"interfaces\":{\"vm\":{\"device\":\"%s\",\"mac\":\"52:54:00:00:00:05\","
			"\"addresses\":[\"10.0.0.5\"],\"groups\":[\"sg-vm\"],\"hook\":\"%s\","
			"\"conntrack\":{\"max_flows\":131072}}",
			VM_PORT, host->path->a->name, host->way->hook);
	add_members(text, host->way->members,
		    ",\"m%u\":{\"addresses\":[\"10.%u.%u.%u\"],\"groups\":[\"sg-peer\"]}");
	g_string_append(text, "}}");
	host->daemon = daemon_start(name, NULL);
	daemon_apply(host->daemon, text->str);
	links_wait(1, SETTLE_SECONDS);
	g_string_free(text, TRUE);
}

static void filter_by_nftables(const struct host *host)
{
	GString *text = g_string_new("table inet bench {\n\tset peers { type ipv4_addr; elements = "
				     "{ 10.64.0.0");

	for (unsigned int i = 1; i < host->way->members; i++)
		g_string_append_printf(text, ",10.%u.%u.%u", 64 + i / 65536, i / 256 % 256,
				       i % 256);
	g_string_append_printf(
		text,
		" } }\n\tset guard { type iface_index . ether_addr . ipv4_addr; elements = "
		"{ %s . 52:54:00:00:00:05 . 10.0.0.5 } }\n"
		"\tchain forward {\n\t\ttype filter hook forward priority filter; policy drop;\n"
		"\t\tiif %s iif . ether saddr . ip saddr != @guard drop\n"
		"\t\tct state vmap { established : accept, related : accept, invalid : drop }\n"
		"\t\toif %s tcp dport %u ip saddr @peers accept\n\t}\n}\n",
		host->path->a->name, host->path->a->name, host->path->a->name, VM_PORT);
	command_check("nft", "-f", policy_file("members.nft", text->str), NULL);
	netns_sysctl("/proc/sys/net/netfilter/nf_conntrack_checksum", "0");
	g_string_free(text, TRUE);
}

static struct host *host_new(const struct bench *bench, const struct way *way)
{
	struct host *host = g_new0(struct host, 1);

	host->way = way;
	host->random = 2463534242u;
	host->connections = CONNECTIONS / (bench_quick(bench) ? 5 : 1);
	host->pairs = PAIRS / (bench_quick(bench) ? 5 : 1);
	host->path = path_new(true, false);
	command_check("ip", "route", "add", MEMBERS_ROUTE, "via", host->path->b_address, "dev",
		      host->path->b->name, "onlink", NULL);
	if (way->hook)
		filter_by_tapguard(host);
	else if (way->members)
		filter_by_nftables(host);
	return host;
}

static void host_free(struct host *host)
{
	if (host->daemon)
		daemon_delete(host->daemon);
	netns_leave();
	path_free(&host->path);
	g_free(host);
}

/* ------------------------------------------------------------------ frames */

struct segment {
	bool from_vm;
	uint32_t member; /* its number */
	uint16_t port;	 /* the member's */
	uint32_t seq, ack;
	uint8_t flags;
	uint8_t payload; /* bytes: 0 or PAYLOAD */
};

/* Sends it; whether it arrives at the other tap. */
static bool passes(const struct host *host, const struct segment *segment)
{
	static uint8_t room[PATH_FRAME];
	const struct path *path = host->path;
	uint32_t member = htonl(MEMBERS_AT + segment->member), vm = htonl(VM);
	uint8_t frame[HEADERS + PAYLOAD] = {0};
	size_t length = HEADERS + segment->payload;
	struct iphdr *ip = (struct iphdr *)(void *)(frame + 14);
	struct tcphdr *tcp = (struct tcphdr *)(void *)(frame + 34);
	uint8_t pseudo[4] = {0, IPPROTO_TCP, 0, (uint8_t)(sizeof(*tcp) + segment->payload)};
	const struct tap *from = segment->from_vm ? path->a : path->b;
	const struct tap *to = segment->from_vm ? path->b : path->a;

	memcpy(frame, segment->from_vm ? path->gateway_a : path->gateway_b, 6);
	memcpy(frame + 6, segment->from_vm ? path->a_mac : path->b_mac, 6);
	frame[12] = 0x08;
	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(length - 14)),
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.saddr = segment->from_vm ? vm : member,
		.daddr = segment->from_vm ? member : vm,
	};
	ip->check = htons((uint16_t)~frame_sum(ip, sizeof(*ip), 0));
	tcp->source = htons(segment->from_vm ? VM_PORT : segment->port);
	tcp->dest = htons(segment->from_vm ? segment->port : VM_PORT);
	tcp->seq = htonl(segment->seq);
	tcp->ack_seq = htonl(segment->ack);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->th_flags = segment->flags;
	tcp->window = htons(65535);
	tcp->check = htons((uint16_t)~frame_sum(
		tcp, length - 34, frame_sum(pseudo, sizeof(pseudo), frame_sum(&ip->saddr, 8, 0))));
	path_send(from, frame, length);
	return path_receive(to, room) == (long)length;
}

static uint32_t any_member(struct host *host)
{
	uint32_t x = host->random, members = MAX(host->way->members, 10u);

	x ^= x << 13; /* xorshift32, as in reference.bpf.c */
	x ^= x >> 17;
	x ^= x << 5;
	host->random = x;
	return (uint32_t)((uint64_t)x * members >> 32);
}

/* The first so many of the six frames of a connection by this member. */
static void connect_by(struct host *host, uint32_t member, uint16_t port, unsigned int frames)
{
	const struct segment segments[] = {
		{false, member, port, 100, 0, TH_SYN, 0},
		{true, member, port, 900, 101, TH_SYN | TH_ACK, 0},
		{false, member, port, 101, 901, TH_ACK, 0},
		{false, member, port, 101, 901, TH_FIN | TH_ACK, 0},
		{true, member, port, 901, 102, TH_FIN | TH_ACK, 0},
		{false, member, port, 102, 902, TH_ACK, 0},
	};

	for (unsigned int i = 0; i < frames; i++)
		host->lost += !passes(host, &segments[i]);
}

static double connections(void *context)
{
	struct host *host = context;
	uint64_t start = bench_cpu_ns();

	for (unsigned int i = 0; i < host->connections; i++)
		connect_by(host, any_member(host),
			   (uint16_t)(FIRST_PORT + 1 + host->opened++ % PORTS), 6);
	return (double)(bench_cpu_ns() - start) / host->connections;
}

/* Of the one connection that stays: of the first member, from a port that no other has. */
static double exchange(void *context)
{
	struct host *host = context;
	uint64_t start = bench_cpu_ns();

	for (unsigned int i = 0; i < host->pairs; i++) {
		const struct segment forth = {
			.port = FIRST_PORT,
			.seq = 101 + host->offset,
			.ack = 901 + host->offset,
			.flags = TH_ACK | TH_PUSH,
			.payload = PAYLOAD,
		};
		const struct segment back = {
			.from_vm = true,
			.port = FIRST_PORT,
			.seq = forth.ack,
			.ack = forth.seq + PAYLOAD,
			.flags = TH_ACK | TH_PUSH,
			.payload = PAYLOAD,
		};

		host->lost += !passes(host, &forth);
		host->lost += !passes(host, &back);
		host->offset += PAYLOAD;
	}
	return (double)(bench_cpu_ns() - start) / (2.0 * host->pairs);
}

/* ------------------------------------------------------------------ run */

static void check(struct bench *bench, struct host *host)
{
	const struct way *way = host->way;
	struct segment stranger = {false, way->members, 900, 1, 0, TH_SYN, 0};

	bench_verdict(bench, passes(host, &stranger) == !way->members,
		      "%s, %u members: who is none", way->variant, way->members);
	connect_by(host, MAX(way->members, 1u) - 1, FIRST_PORT - 1, 6);
	connect_by(host, 0, FIRST_PORT, 3);
	bench_verdict(bench, !host->lost, "%s, %u members: %" G_GUINT64_FORMAT " frames are lost",
		      way->variant, way->members, host->lost);
}

static void measure(struct bench *bench, struct host *const hosts[WAYS], unsigned int count,
		    const char *metric, double (*how)(void *), double goal)
{
	g_autofree char *added_metric = g_strdup_printf("%s, added", metric);
	struct bench_series *series[WAYS], *added[WAYS] = {NULL};
	struct bench_series *nftables[WAYS] = {NULL};
	struct bench_subject subjects[WAYS];
	unsigned int base = 0;

	for (unsigned int i = 0; i < count; i++) {
		series[i] = bench_series(bench, metric, hosts[i]->way->variant, "ns", "members=%u",
					 hosts[i]->way->members);
		subjects[i] = (struct bench_subject){series[i], how, hosts[i]};
	}
	bench_interleave(bench, subjects, count);
	for (unsigned int i = 1; i < count; i++) {
		added[i] = bench_added(bench, added_metric, series[i], series[0]);
		if (hosts[i]->way->members == ways[1].members)
			base = i;
		else
			bench_compare(bench, added[i], added[base], hosts[i]->way->hook ? goal : 0);
		if (!hosts[i]->way->hook)
			nftables[i] = added[i];
		for (unsigned int j = 1; j < i && hosts[i]->way->hook; j++)
			if (nftables[j] && hosts[j]->way->members == hosts[i]->way->members)
				bench_compare(bench, added[i], nftables[j], 0);
	}
	for (unsigned int i = 0; i < count; i++)
		bench_verdict(bench, !hosts[i]->lost, "%s: %" G_GUINT64_FORMAT " frames are lost",
			      hosts[i]->way->variant, hosts[i]->lost);
}

static void run(struct bench *bench)
{
	struct host *hosts[WAYS];
	unsigned int count = 0;

	filter_conntrack_room(1000000);
	bench_note(bench, "one tap is filtered, members are drawn anew for each connection");
	for (unsigned int i = 0; i < WAYS; i++) {
		if (bench_quick(bench) && ways[i].members > 10000)
			continue;
		hosts[count] = host_new(bench, &ways[i]);
		check(bench, hosts[count++]);
	}
	measure(bench, hosts, count, "connection", connections, GOAL);
	measure(bench, hosts, count, "established", exchange, 0);
	for (unsigned int i = 0; i < count; i++)
		host_free(hosts[i]);
}

BENCH_MAIN("members", "whether members of a group can be seen on the way of a frame", run)
