/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random_world.c - see random_world.h.
 */
#include "tests/lib/random_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "tests/lib/build.h"
#include "tests/lib/policy.h"
#include "tests/lib/random_policy.h"

static const char *const networks[WORLD_NETWORKS] = {"default", "blue", "red"};
static const char *const cidrs[] = {
	"0.0.0.0/0",	 "10.0.0.0/8",	  "10.0.0.0/16",   "10.0.0.0/24",
	"10.0.0.1/32",	 "10.0.0.0/31",	  "10.0.0.128/25", "192.0.2.0/24",
	"::/0",		 "fd00::/16",	  "fd00::/64",	   "fd00::1/128",
	"2001:db8::/32", "2001:db8::/48", "fd00::2/127",   "128.0.0.0/1"};
static const char *const addresses[WORLD_ADDRESSES] = {
	"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.1.1",	 "10.1.0.1",	"192.0.2.1",
	"fd00::1",  "fd00::2",	"fd00::3",  "fd00:1::1", "2001:db8::1", "2001:db8:1::1"};
static const char *const strangers[] = {"203.0.113.9", "10.0.0.200", "2001:db9::1", "fd00::ffff"};
static const char *const matches[] = {
	"\"protocol\": \"tcp\", \"ports\": [80]",
	"\"protocol\": \"tcp\", \"ports\": [\"79-81\", 443, \"8000-8080\"]",
	"\"protocol\": \"tcp\"",
	"\"protocol\": \"udp\", \"ports\": [53]",
	"\"protocol\": \"icmp\", \"icmp\": {\"type\": 8}",
	"\"protocol\": \"all\"",
	"\"service\": \"dns\"",
};

/* ---------------------------------------------------------------- objects as text */

static void add_peer(GString *json, const struct random_world *world, int network, GRand *rand,
		     guint at)
{
	int kind = g_rand_int_range(rand, 0, 100);
	guint seed = g_rand_int(rand);

	/* at makes sure that no peer is twice in a rule. */
	if (kind < 40)
		g_string_append_printf(json, "\"%s\"", cidrs[(seed % 5 * 3 + at) % 16]);
	else if (kind < 60)
		g_string_append_printf(json, "\"pl-%u\"", at % WORLD_LISTS);
	else if (kind < 80 || (network == 2 && kind < 95))
		g_string_append_printf(json, "\"sg-%u\"", at % WORLD_GROUPS);
	else if (kind < 95)
		g_string_append_printf(json, "\"%s:sg-%u\"",
				       network			       ? "default"
				       : seed & 1 && world->present[2] ? "red"
								       : "blue",
				       at % WORLD_GROUPS);
	else
		g_string_append_printf(json, "\"198.51.100.%u\"", at);
}

static void add_rules(GString *json, const struct random_world *world, int network, GRand *rand,
		      const char *direction, const char *peers)
{
	int count = g_rand_int_range(rand, 0, 5);

	g_string_append_printf(json, "\"%s\": [", direction);
	for (int i = 0; i < count; i++) {
		guint start = g_rand_int(rand) % WORLD_LISTS;

		g_string_append_printf(json, "%s{\"id\": \"r%d\", %s, \"%s\": [", i ? ", " : "", i,
				       matches[g_rand_int(rand) % G_N_ELEMENTS(matches)], peers);
		if (g_rand_int_range(rand, 0, 10) == 0)
			g_string_append(json, "\"any\"");
		else
			for (guint j = 0, many = g_rand_int(rand) % 3 + 1; j < many; j++) {
				g_string_append(json, j ? ", " : "");
				add_peer(json, world, network, rand, start + j);
			}
		g_string_append(json, "]}");
	}
	g_string_append(json, "]");
}

static void add_group(GString *json, const struct random_world *world, int network, int at)
{
	GRand *rand = g_rand_new_with_seed(world->groups[network][at]);

	g_string_append_printf(json, "%s\"sg-%d\": {", at ? ", " : "", at);
	if (world->external[network][at]) {
		g_string_append(json, "\"external\": true}");
		g_rand_free(rand);
		return;
	}
	if (world->deep && !network && !at) {
		g_string_append(json, "\"ingress\": [{\"protocol\": \"tcp\", \"from\": [");
		for (int bits = 1; bits <= 66; bits++)
			g_string_append_printf(json, "%s\"8000::/%d\"", bits > 1 ? ", " : "", bits);
		g_string_append(json, "]}]}");
		g_rand_free(rand);
		return;
	}
	if (g_rand_int_range(rand, 0, 10) == 0)
		g_string_append_printf(json, "\"description\": \"%u\", ", g_rand_int(rand));
	add_rules(json, world, network, rand, "ingress", "from");
	if (g_rand_boolean(rand)) {
		g_string_append(json, ", ");
		add_rules(json, world, network, rand, "egress", "to");
	}
	g_string_append(json, "}");
	g_rand_free(rand);
}

static void add_list(GString *json, const struct random_world *world, int network, int at)
{
	GRand *rand = g_rand_new_with_seed(world->lists[network][at]);
	guint32 chosen = g_rand_int(rand);

	chosen &= g_rand_int(rand);
	g_string_append_printf(json, "%s\"pl-%d\": {", at ? ", " : "", at);
	if (world->external_list[network][at]) {
		g_string_append(json, "\"external\": true}");
	} else {
		g_string_append(json, "\"entries\": [\"198.51.100.0/24\"");
		for (guint i = 0; i < G_N_ELEMENTS(cidrs); i++)
			if (chosen >> i & 1)
				g_string_append_printf(json, ", \"%s\"", cidrs[i]);
		g_string_append(json, "]}");
	}
	g_rand_free(rand);
}

static void add_interface(GString *json, const struct random_world *world, int network, int at,
			  const char *comma)
{
	GRand *rand = g_rand_new_with_seed(world->ifaces[network][at]);
	guint32 seed = g_rand_int(rand);
	bool any = false;

	g_string_append_printf(json, "%s\"%s-%d\": {\"addresses\": [\"10.9.%d.%d\"", comma,
			       networks[network], at, network, at);
	for (int i = 0; i < WORLD_ADDRESSES; i++)
		if (world->owner[network][i] == at)
			g_string_append_printf(json, ", \"%s\"", addresses[i]);
	g_string_append(json, "], \"groups\": [");
	for (guint i = 0; i < WORLD_GROUPS; i++) {
		guint group = (i + seed) % WORLD_GROUPS;

		if (!(seed >> (8 + i) & 1) || world->external[network][group])
			continue;
		g_string_append_printf(json, "%s\"sg-%u\"", any ? ", " : "", group);
		any = true;
	}
	g_string_append(json, any ? "]" : "\"sg-0\"]");
	if (seed >> 16 & 1)
		g_string_append_printf(json, ", \"device\": \"tap%d%d\"", network, at);
	if (seed >> 16 & 1 && (seed >> 17 & 7) == 0)
		g_string_append(json, ", \"host\": \"elsewhere\"");
	if (seed >> 20 & 1)
		g_string_append(json, ", \"allowed_addresses\": [\"10.0.0.0/24\", \"::/0\"]");
	if (seed >> 21 & 1)
		g_string_append(json, ", \"mac\": \"52:54:00:00:00:01\"");
	if ((seed >> 22 & 3) == 0)
		g_string_append(json, ", \"vlans\": [5]");
	if ((seed >> 24 & 3) == 0)
		g_string_append(json, ", \"conntrack\": {\"udp\": 45}");
	if (seed >> 26 & 1)
		g_string_append(json, ", \"spoof_guard\": false");
	if ((seed >> 27 & 3) == 0)
		g_string_append(json, ", \"description\": \"x\"");
	g_string_append(json, "}");
	g_rand_free(rand);
}

static void add_settings(GString *json, const struct random_world *world, int network)
{
	guint32 seed = world->settings[network];

	g_string_append_printf(json, "%s\"%s\": {\"peers\": [%s]", network ? ", " : "",
			       networks[network],
			       network		   ? "\"default\""
			       : world->present[2] ? "\"blue\", \"red\""
						   : "\"blue\"");
	if (seed & 1)
		g_string_append_printf(
			json,
			", \"exempt\": [{\"address\": \"%s\", \"protocol\": \"tcp\", \"ports\": [80]}, "
			"{\"address\": \"%s\", \"protocol\": \"%s\"}]",
			addresses[seed / 4 % 6], addresses[6 + seed / 32 % 6],
			seed & 2 ? "udp" : "icmpv6");
	if (seed >> 16 & 1)
		g_string_append_printf(json, ", \"conntrack\": {\"icmp\": %u}",
				       10 + (seed >> 17 & 1));
	g_string_append(json, "}");
}

static char *network_text(const struct random_world *world, int network)
{
	GString *json = g_string_new("{\"version\": 1, ");
	const char *comma = "";

	if (network) {
		g_string_append_printf(json, "\"network\": \"%s\", ", networks[network]);
	} else {
		g_string_append(json, "\"networks\": {");
		for (int i = 0; i < WORLD_NETWORKS; i++)
			if (world->present[i])
				add_settings(json, world, i);
		g_string_append(json, "}, ");
	}
	g_string_append(json, "\"groups\": {");
	for (int i = 0; i < WORLD_GROUPS; i++)
		add_group(json, world, network, i);
	g_string_append(json, "}, \"prefix_lists\": {");
	for (int i = 0; i < WORLD_LISTS; i++)
		add_list(json, world, network, i);
	g_string_append(json, "}, \"interfaces\": {");
	for (int i = 0; i < WORLD_INTERFACES; i++) {
		if (!world->ifaces[network][i])
			continue;
		add_interface(json, world, network, i, comma);
		comma = ", ";
	}
	g_string_append(json, "}}");
	return g_string_free(json, FALSE);
}

struct model *random_world_model(const struct random_world *world)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct model *model = NULL;

	for (int i = 0; i < WORLD_NETWORKS; i++) {
		g_autofree char *text = world->present[i] ? network_text(world, i) : NULL;

		if (text)
			policy_add_source(sources, networks[i], text, strlen(text));
	}
	if (load_policy(sources, &model, diag) < 0) {
		diag_print(diag, stderr);
		fail_msg("a random world is no valid policy");
	}
	return model;
}

/* ---------------------------------------------------------------- changes */

static guint32 seed_new(void)
{
	return g_random_int() | 1;
}

static void fill_network(struct random_world *world, int network)
{
	world->settings[network] = g_random_int();
	for (int i = 0; i < WORLD_GROUPS; i++) {
		world->groups[network][i] = seed_new();
		world->external[network][i] = i && random_chance(15);
	}
	for (int i = 0; i < WORLD_LISTS; i++) {
		world->lists[network][i] = seed_new();
		world->external_list[network][i] = random_chance(15);
	}
	for (int i = 0; i < WORLD_INTERFACES; i++)
		world->ifaces[network][i] = random_chance(70) ? seed_new() : 0;
	for (int i = 0; i < WORLD_ADDRESSES; i++)
		world->owner[network][i] = g_random_int_range(-1, WORLD_INTERFACES);
}

void random_world(struct random_world *world)
{
	memset(world, 0, sizeof(*world));
	for (int i = 0; i < WORLD_NETWORKS; i++) {
		world->present[i] = i < 2 || random_chance(50);
		fill_network(world, i);
	}
}

static void change_one(struct random_world *world)
{
	int network = g_random_int_range(0, WORLD_NETWORKS);
	int group = g_random_int_range(1, WORLD_GROUPS), list = g_random_int_range(0, WORLD_LISTS);
	int iface = g_random_int_range(0, WORLD_INTERFACES);

	switch (g_random_int_range(0, 20)) {
	case 0:
		world->present[2] = !world->present[2];
		break;
	case 1:
		world->deep = true;
		break;
	case 2:
		world->settings[network] = g_random_int();
		break;
	case 3:
		world->external[network][group] = !world->external[network][group];
		break;
	case 4:
		world->external_list[network][list] = !world->external_list[network][list];
		break;
	case 5:
	case 6:
		world->lists[network][list] = seed_new();
		break;
	case 7:
	case 8:
	case 9:
		world->groups[network][group - random_chance(50)] = seed_new();
		break;
	case 10:
	case 11:
	case 12:
		world->ifaces[network][iface] = seed_new();
		break;
	case 13:
	case 14:
		world->ifaces[network][iface] = 0;
		break;
	default:
		world->owner[network][g_random_int_range(0, WORLD_ADDRESSES)] =
			g_random_int_range(-1, WORLD_INTERFACES);
	}
}

void random_world_change(struct random_world *world)
{
	int count = random_chance(60) ? 1 : g_random_int_range(1, 8);

	if (random_chance(2))
		fill_network(world, g_random_int_range(0, WORLD_NETWORKS));
	while (count-- > 0)
		change_one(world);
}

struct eval_packet random_world_packet(void)
{
	static const uint16_t protocols[] = {6, 6, 17, 1, 58, 132};
	static const uint16_t ports[] = {53, 80, 81, 443, 8001, 1};
	struct eval_packet packet = {
		.direction = random_chance(50) ? SG_EGRESS : SG_INGRESS,
		.protocol = RANDOM_PICK(protocols),
		.sport = 40000,
		.dport = RANDOM_PICK(ports),
		.icmp_type = 8,
	};

	packet.src = build_addr(RANDOM_PICK(addresses));
	do {
		packet.dst = build_addr(random_chance(85) ? RANDOM_PICK(addresses)
							  : RANDOM_PICK(strangers));
	} while (addr_is_v4(&packet.src) != addr_is_v4(&packet.dst));
	if (random_chance(50)) {
		struct sg_addr src = packet.src;

		packet.src = packet.dst;
		packet.dst = src;
	}
	return packet;
}
