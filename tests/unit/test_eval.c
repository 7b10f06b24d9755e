/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_eval.c - the evaluator against a reference that reads the model itself: rules times peers
 * times ports, no compilation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/eval.h"
#include "rulesd/names.h"
#include "tests/lib/build.h"

#define POLICIES 400
#define PACKETS	 100 /* of each policy: 40,000 pairs */

static const char *const networks[] = {"default", "blue"};
static const char *const groups[] = {"sg-a", "sg-b", "sg-c", "sg-d", "sg-default"};
static const char *const lists[] = {"pl-x", "pl-y"};
/* Both networks have hosts of the same addresses; prefixes nest up to five deep and touch them. */
static const char *const hosts[] = {"10.0.0.1",	     "10.0.0.2",     "10.0.1.1",   "10.1.0.1",
				    "192.0.2.1",     "203.0.113.9",  "fd00::1",	   "fd00::2",
				    "fd00:1::1",     "2001:db8::1",  "10.0.0.255", "fd00::ffff",
				    "198.51.100.77", "2001:db8:1::1"};
static const char *const cidrs[] = {
	"0.0.0.0/0",	 "10.0.0.0/8",	  "10.0.0.0/16",   "10.0.0.0/24",
	"10.0.0.1/32",	 "10.0.0.0/31",	  "10.0.0.128/25", "192.0.2.0/24",
	"::/0",		 "fd00::/16",	  "fd00::/64",	   "fd00::1/128",
	"2001:db8::/32", "2001:db8::/48", "fd00::2/127",   "128.0.0.0/1"};
static const char *const protocols[] = {"tcp", "udp", "icmp", "icmpv6", "sctp",
					"gre", "all", "6",    "112"};
static const unsigned int ports[] = {0,	   1,	 22,   80,   79,   81,	  443,
				     8000, 8001, 8079, 8080, 8081, 65534, 65535};

#define PICK(array) ((array)[g_random_int_range(0, (gint32)G_N_ELEMENTS(array))])

static void cleanup_model(struct model **model)
{
	model_free(model);
}
static void cleanup_numbers(struct numbers **numbers)
{
	numbers_free(numbers);
}
static void cleanup_image(struct image **image)
{
	image_free(image);
}
static void cleanup_diag(struct diag **diag)
{
	diag_free(diag);
}
#define AUTO(type) CLEANUP(cleanup_##type) struct type

static bool chance(int percent)
{
	return g_random_int_range(0, 100) < percent;
}

/* ---------------------------------------------------------------- the reference */

struct reference {
	const struct model *model;
	const struct numbers *numbers;
	const struct model_network *network;
	const struct eval_packet *packet;
	struct sg_addr remote;
	/* The best so far in the order of compile.h. */
	bool allowed;
	unsigned int class, peer, all, order;
	const struct model_group *group;
	const struct model_rule *rule;
};

static bool reaches(const struct model_network *network, const char *other)
{
	if (strcmp(network->name, other) == 0)
		return true;
	for (guint i = 0; i < network->peers->len; i++)
		if (strcmp(g_ptr_array_index(network->peers, i), other) == 0)
			return true;
	return false;
}

static bool is_member(const struct reference *ref, const struct model_peer *peer)
{
	const struct model_network *network = model_network(ref->model, peer->network);
	GHashTableIter iter;
	gpointer value;

	if (!reaches(ref->network, peer->network) ||
	    model_group(ref->model, peer->network, peer->id)->external)
		return false;
	g_hash_table_iter_init(&iter, network->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_interface *iface = value;

		for (guint i = 0; i < iface->groups->len; i++) {
			if (strcmp(g_ptr_array_index(iface->groups, i), peer->id) != 0)
				continue;
			for (guint j = 0; j < iface->addresses->len; j++)
				if (addr_equal(&g_array_index(iface->addresses, struct sg_addr, j),
					       &ref->remote))
					return true;
		}
	}
	return false;
}

static bool in_list(const struct reference *ref, const struct model_peer *peer)
{
	const struct model_prefix_list *list =
		model_prefix_list(ref->model, ref->network->name, peer->id);

	for (guint i = 0; !list->external && i < list->entries->len; i++)
		if (cidr_contains(&g_array_index(list->entries, struct cidr, i), &ref->remote))
			return true;
	return false;
}

static bool peer_matches(const struct reference *ref, const struct model_peer *peer)
{
	switch (peer->kind) {
	case MODEL_PEER_ANY:
		return true;
	case MODEL_PEER_CIDR:
		return cidr_contains(&peer->cidr, &ref->remote);
	case MODEL_PEER_GROUP:
		return is_member(ref, peer);
	case MODEL_PEER_PREFIX_LIST:
		return in_list(ref, peer);
	}
	return false;
}

static bool port_matches(const GArray *ranges, unsigned int port)
{
	if (!ranges || !ranges->len)
		return true;
	for (guint i = 0; i < ranges->len; i++) {
		const struct model_ports *range = &g_array_index(ranges, struct model_ports, i);

		if (port >= range->first && port <= range->last)
			return true;
	}
	return false;
}

static bool match_matches(const struct model_match *match, const struct eval_packet *packet)
{
	if (match->protocol == SG_PROTO_ALL)
		return true;
	if (match->protocol != packet->protocol)
		return false;
	if (protocol_is_icmp(match->protocol))
		return (match->icmp_type < 0 || match->icmp_type == packet->icmp_type) &&
		       (match->icmp_type < 0 || match->icmp_code < 0 ||
			match->icmp_code == packet->icmp_code);
	return port_matches(match->ports, packet->dport);
}

static unsigned int peer_number(const struct reference *ref, const struct model_peer *peer)
{
	char text[CIDR_TEXT_SIZE];
	g_autofree char *name = NULL;

	if (peer->kind == MODEL_PEER_ANY)
		return SG_PEER_ANY;
	if (peer->kind == MODEL_PEER_CIDR)
		name = g_strdup_printf("%s:%s", ref->network->name, cidr_format(&peer->cidr, text));
	else
		name = g_strdup_printf("%s:%s",
				       peer->kind == MODEL_PEER_GROUP ? peer->network
								      : ref->network->name,
				       peer->id);
	return numbers_find(ref->numbers, NUMBER_PEER, name);
}

/* Keeps the first in precedence: class of the peer, its number, protocol before all, order of the
 * rules. */
static void consider(struct reference *ref, unsigned int class, unsigned int peer, bool all,
		     unsigned int order, const struct model_group *group,
		     const struct model_rule *rule)
{
	unsigned int mine[] = {class, peer, all, order};
	unsigned int best[] = {ref->class, ref->peer, ref->all, ref->order};

	for (int i = 0; ref->allowed && i < 4; i++) {
		if (mine[i] > best[i])
			return;
		if (mine[i] < best[i])
			break;
		if (i == 3)
			return;
	}
	ref->allowed = true;
	ref->class = class;
	ref->peer = peer;
	ref->all = all;
	ref->order = order;
	ref->group = group;
	ref->rule = rule;
}

static void consider_rule(struct reference *ref, const struct model_group *group,
			  const struct model_rule *rule, unsigned int order)
{
	for (guint i = 0; i < rule->peers->len; i++) {
		const struct model_peer *peer = g_ptr_array_index(rule->peers, i);
		unsigned int class = peer->kind == MODEL_PEER_ANY     ? 0
				     : peer->kind == MODEL_PEER_GROUP ? 1
								      : 2;

		if (!peer_matches(ref, peer))
			continue;
		for (guint j = 0; j < rule->matches->len; j++) {
			const struct model_match *match = g_ptr_array_index(rule->matches, j);

			if (match_matches(match, ref->packet))
				consider(ref, class, peer_number(ref, peer),
					 match->protocol == SG_PROTO_ALL, order, group, rule);
		}
	}
}

static void consider_exempt(struct reference *ref)
{
	for (guint i = 0; ref->packet->direction == SG_EGRESS && i < ref->network->exempt->len;
	     i++) {
		const struct model_exempt *exempt = g_ptr_array_index(ref->network->exempt, i);
		struct model_peer peer = {.kind = MODEL_PEER_CIDR, .cidr.addr = exempt->address};

		peer.cidr.bits = addr_is_v4(&exempt->address) ? 32 : 128;
		if (addr_equal(&exempt->address, &ref->remote) &&
		    (exempt->protocol == SG_PROTO_ALL ||
		     exempt->protocol == ref->packet->protocol) &&
		    port_matches(exempt->ports, ref->packet->dport))
			consider(ref, 2, peer_number(ref, &peer), exempt->protocol == SG_PROTO_ALL,
				 0, NULL, NULL);
	}
}

/* The order of the interface's groups, then of the file; 0 is for what is exempt. */
static void refer(struct reference *ref, const struct model_interface *iface)
{
	unsigned int order = 1;

	ref->remote = ref->packet->direction == SG_EGRESS ? ref->packet->dst : ref->packet->src;
	consider_exempt(ref);
	for (guint i = 0; i < iface->groups->len; i++) {
		const struct model_group *group = model_group(ref->model, iface->network,
							      g_ptr_array_index(iface->groups, i));
		const GPtrArray *rules = group->rules[ref->packet->direction];

		for (guint j = 0; !group->external && j < rules->len; j++)
			consider_rule(ref, group, g_ptr_array_index(rules, j), order++);
	}
}

/* ---------------------------------------------------------------- random policies and packets */

static void random_match(GString *text)
{
	const char *protocol = PICK(protocols);
	uint16_t number = 0;

	g_string_append(text, protocol);
	protocol_parse(protocol, &number);
	if (protocol_has_ports(number)) {
		for (int i = g_random_int_range(0, 4), first = 1; i > 0; i--, first = 0) {
			unsigned int low = PICK(ports), high = PICK(ports);

			g_string_append_printf(text, "%s%u-%u", first ? " " : ",", MIN(low, high),
					       MAX(low, high));
		}
	} else if (protocol_is_icmp(number) && chance(70)) {
		unsigned int type = number == 1 ? (unsigned int)g_random_int_range(0, 10)
						: 127u + (unsigned int)g_random_int_range(0, 3);

		g_string_append_printf(text, " %u", type);
		if (chance(60))
			g_string_append_printf(text, "/%d", g_random_int_range(0, 3));
	}
}

static char *random_peers(const char *network)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (int i = g_random_int_range(1, 4), first = 1; i > 0; i--, first = 0) {
		int kind = g_random_int_range(0, 100);

		g_string_append(text, first ? "" : " ");
		if (kind < 8)
			g_string_append(text, "any");
		else if (kind < 45)
			g_string_append(text, PICK(cidrs));
		else if (kind < 70)
			g_string_append(text, PICK(groups));
		else if (kind < 85 && strcmp(network, "default") == 0)
			g_string_append_printf(text, "blue:%s", PICK(groups));
		else
			g_string_append(text, PICK(lists));
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void random_rules(struct model *model, const char *network, const char *group)
{
	for (int i = g_random_int_range(0, 7); i > 0; i--) {
		enum sg_dir dir = chance(50) ? SG_EGRESS : SG_INGRESS;
		g_autoptr(GString) matches = g_string_new(NULL);
		g_autofree char *peers = random_peers(network);
		g_autofree char *id = g_strdup_printf("r%d", i);

		random_match(matches);
		if (chance(20)) {
			g_string_append(matches, " + ");
			random_match(matches);
		}
		build_rule(model, network, group, id, dir, matches->str, peers);
	}
}

static void random_interfaces(struct model *model, const char *network)
{
	for (int i = g_random_int_range(1, 7); i > 0; i--) {
		g_autofree char *id = g_strdup_printf("%s-%d", network, i);
		g_autoptr(GString) addresses = g_string_new(NULL);
		g_autoptr(GString) carried = g_string_new(NULL);
		gint start = g_random_int_range(0, (gint)G_N_ELEMENTS(groups));
		struct model_interface *iface;

		for (int j = g_random_int_range(1, 4), first = 1; j > 0; j--, first = 0)
			g_string_append_printf(addresses, "%s%s", first ? "" : " ", PICK(hosts));
		for (int j = 0, count = g_random_int_range(1, 5); j < count; j++)
			g_string_append_printf(
				carried, "%s%s", j ? " " : "",
				groups[((size_t)start + (size_t)j) % G_N_ELEMENTS(groups)]);
		iface = build_interface(model, network, id, chance(80) ? "tap0" : NULL,
					addresses->str, carried->str);
		iface->spoof_guard = false;
	}
}

static struct model *random_model(void)
{
	struct model *model = model_new();

	g_ptr_array_add(build_network(model, "default")->peers, g_strdup("blue"));
	for (size_t n = 0; n < G_N_ELEMENTS(networks); n++) {
		for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
			g_autoptr(GString) entries = g_string_new(NULL);

			for (int j = 0, count = g_random_int_range(1, 5); j < count; j++)
				g_string_append_printf(entries, "%s%s", j ? " " : "", PICK(cidrs));
			build_prefix_list(model, networks[n], lists[i], entries->str)->external =
				chance(10);
		}
		for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
			build_group(model, networks[n], groups[i])->external = chance(10);
			random_rules(model, networks[n], groups[i]);
		}
		random_interfaces(model, networks[n]);
		if (chance(50))
			build_exempt(model, networks[n], PICK(hosts),
				     chance(50)	  ? "tcp 80,443"
				     : chance(50) ? "udp"
						  : "all");
	}
	return model;
}

static struct eval_packet random_packet(const struct model_interface *iface)
{
	struct sg_addr local =
		g_array_index(iface->addresses, struct sg_addr,
			      (guint)g_random_int_range(0, (gint32)iface->addresses->len));
	struct eval_packet packet = {.direction = chance(50) ? SG_EGRESS : SG_INGRESS,
				     .sport = 40000};
	struct sg_addr remote;

	do {
		remote = build_addr(PICK(hosts));
	} while (addr_is_v4(&remote) != addr_is_v4(&local));
	packet.src = packet.direction == SG_EGRESS ? local : remote;
	packet.dst = packet.direction == SG_EGRESS ? remote : local;
	do {
		assert_int_equal(protocol_parse(PICK(protocols), &packet.protocol), 0);
	} while (packet.protocol == SG_PROTO_ALL ||
		 packet.protocol == (addr_is_v4(&local) ? 58 : 1));
	if (protocol_has_ports(packet.protocol))
		packet.dport = (uint16_t)(chance(90) ? PICK(ports)
						     : (unsigned int)g_random_int_range(0, 65536));
	if (packet.protocol == 1)
		packet.icmp_type = (uint8_t)g_random_int_range(0, 10);
	if (packet.protocol == 58)
		packet.icmp_type = (uint8_t)(127 + g_random_int_range(0, 3));
	packet.icmp_code =
		protocol_is_icmp(packet.protocol) ? (uint8_t)g_random_int_range(0, 3) : 0;
	return packet;
}

static char *describe(const struct model_interface *iface, const struct eval_packet *packet)
{
	char src[ADDR_TEXT_SIZE], dst[ADDR_TEXT_SIZE];

	return g_strdup_printf("%s %s proto %u %s -> %s port %u type %u/%u", iface->id,
			       dir_name(packet->direction), packet->protocol,
			       addr_format(&packet->src, src), addr_format(&packet->dst, dst),
			       packet->dport, packet->icmp_type, packet->icmp_code);
}

/* Returns the reason, so that the caller can tell that the pairs are not all of one kind. */
static enum sg_reason compare(const struct model *model, const struct numbers *numbers,
			      const struct image *image, const struct model_interface *iface,
			      const struct eval_packet *packet)
{
	struct eval_verdict verdict = eval_packet(image, image_iface(image, iface->id), packet);
	struct reference ref = {
		.model = model,
		.numbers = numbers,
		.network = model_network(model, iface->network),
		.packet = packet,
	};
	g_autofree char *what = describe(iface, packet);
	g_autofree char *wanted = NULL;
	const char *rule = image_rule_name(image, verdict.rule);

	refer(&ref, iface);
	if (ref.allowed == sg_reason_is_drop(verdict.reason))
		fail_msg("%s: the reference %s, the evaluator says %s", what,
			 ref.allowed ? "allows" : "denies", reason_name(verdict.reason));
	if (!ref.allowed)
		return verdict.reason;
	if (!ref.rule) {
		if (verdict.reason != SG_ALLOW_EXEMPT || rule)
			fail_msg("%s: exempt by the reference, %s by rule %s", what,
				 reason_name(verdict.reason), rule);
		return verdict.reason;
	}
	wanted = g_strdup_printf("%s/%s", ref.group->id, ref.rule->id);
	if (verdict.reason != SG_ALLOW_RULE || g_strcmp0(rule, wanted) != 0 ||
	    verdict.peer != ref.peer)
		fail_msg("%s: %s peer %u by the reference, %s peer %u", what, wanted, ref.peer,
			 rule, verdict.peer);
	return verdict.reason;
}

/* Policies follow one another as they do in a daemon: one registry, each image made from the one
 * before. */
static void random_policies_agree_with_the_reference(void **state)
{
	AUTO(numbers) *numbers = numbers_new();
	AUTO(image) *image = NULL;
	guint32 seed = getenv("SEED") ? (guint32)strtoul(getenv("SEED"), NULL, 0) : 20251121;
	unsigned int seen[SG_REASONS] = {0}, denied;

	(void)state;
	print_message("SEED=%u\n", seed);
	g_random_set_seed(seed);
	for (int i = 0; i < POLICIES; i++) {
		AUTO(model) *model = random_model();
		AUTO(diag) *diag = diag_new();
		struct image *next = NULL;
		g_autoptr(GPtrArray) ifaces = g_ptr_array_new();

		assert_int_equal(compile_image(model, numbers, image, NULL, &next, diag), 0);
		image_free(&image);
		image = next;
		for (size_t n = 0; n < G_N_ELEMENTS(networks); n++) {
			GHashTableIter iter;
			gpointer iface;

			g_hash_table_iter_init(&iter,
					       model_network(model, networks[n])->interfaces);
			while (g_hash_table_iter_next(&iter, NULL, &iface))
				g_ptr_array_add(ifaces, iface);
		}
		for (int j = 0; j < PACKETS; j++) {
			const struct model_interface *iface = g_ptr_array_index(
				ifaces, (guint)g_random_int_range(0, (gint32)ifaces->len));
			struct eval_packet packet = random_packet(iface);

			seen[compare(model, numbers, image, iface, &packet)]++;
		}
	}
	denied = seen[SG_DROP_NO_RULE] + seen[SG_DROP_ICMP_UNRELATED];
	print_message("%u by rule, %u exempt, %u denied\n", seen[SG_ALLOW_RULE],
		      seen[SG_ALLOW_EXEMPT], denied);
	assert_int_equal(seen[SG_ALLOW_RULE] + seen[SG_ALLOW_EXEMPT] + denied, POLICIES * PACKETS);
	assert_true(seen[SG_ALLOW_RULE] > POLICIES * PACKETS / 10);
	assert_true(denied > POLICIES * PACKETS / 10);
	assert_true(seen[SG_ALLOW_EXEMPT] > 10);
}

/* ---------------------------------------------------------------- guard and what always passes */

struct guard_case {
	const char *why;
	const char *iface;
	enum sg_dir direction;
	const char *src;
	const char *dst;
	uint16_t protocol;
	uint16_t sport, dport; /* or type, code */
	enum sg_reason reason;
};

#define VM_LL "fe80::5054:ff:fe00:1"

static const struct guard_case guard_cases[] = {
	{"own source", "vm", SG_EGRESS, "10.0.0.5", "10.0.0.9", 6, 1, 2, SG_DROP_NO_RULE},
	{"own IPv6 source", "vm", SG_EGRESS, "fd00::5", "fd00::9", 6, 1, 2, SG_DROP_NO_RULE},
	{"allowed source", "vm", SG_EGRESS, "10.8.1.2", "10.0.0.9", 6, 1, 2, SG_DROP_NO_RULE},
	{"one beyond allowed", "vm", SG_EGRESS, "10.9.0.0", "10.0.0.9", 6, 1, 2,
	 SG_DROP_SPOOFED_SOURCE},
	{"somebody's source", "vm", SG_EGRESS, "10.0.0.6", "10.0.0.9", 6, 1, 2,
	 SG_DROP_SPOOFED_SOURCE},
	{"somebody's IPv6 source", "vm", SG_EGRESS, "fd00::6", "fd00::9", 6, 1, 2,
	 SG_DROP_SPOOFED_SOURCE},
	{"loopback source", "vm", SG_EGRESS, "127.0.0.1", "10.0.0.9", 6, 1, 2, SG_DROP_MARTIAN},
	{"multicast source", "vm", SG_EGRESS, "224.0.0.1", "10.0.0.9", 6, 1, 2, SG_DROP_MARTIAN},
	{"::1", "vm", SG_INGRESS, "::1", "fd00::5", 6, 1, 2, SG_DROP_MARTIAN},
	{"IPv4-compatible", "vm", SG_INGRESS, "::10.0.0.1", "fd00::5", 6, 1, 2, SG_DROP_MARTIAN},
	{"unspecified", "vm", SG_EGRESS, "0.0.0.0", "10.0.0.9", 6, 1, 2, SG_DROP_MARTIAN},
	{"unspecified IPv6", "vm", SG_EGRESS, "::", "fd00::9", 17, 1, 2, SG_DROP_MARTIAN},
	{"own link-local", "vm", SG_EGRESS, VM_LL, "fd00::9", 6, 1, 2, SG_DROP_NO_RULE},
	{"another link-local", "vm", SG_EGRESS, "fe80::1", "fd00::9", 6, 1, 2, SG_DROP_LINK_LOCAL},
	{"another's EUI-64", "vm", SG_EGRESS, "fe80::5054:ff:fe00:2", "fd00::9", 6, 1, 2,
	 SG_DROP_LINK_LOCAL},
	{"EUI-64 of an unknown MAC", "nomac", SG_EGRESS, "fe80::5054:ff:fe00:2", "fd00::9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"not EUI-64, unknown MAC", "nomac", SG_EGRESS, "fe80::1", "fd00::9", 6, 1, 2,
	 SG_DROP_LINK_LOCAL},
	{"IPv4 link-local", "vm", SG_EGRESS, "169.254.0.7", "10.0.0.9", 6, 1, 2,
	 SG_DROP_SPOOFED_SOURCE},
	{"to the VM", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 6, 1, 2, SG_DROP_NO_RULE},
	{"to its allowed", "vm", SG_INGRESS, "10.0.0.9", "10.8.255.255", 6, 1, 2, SG_DROP_NO_RULE},
	{"to its link-local", "vm", SG_INGRESS, "fe80::1", VM_LL, 6, 1, 2, SG_DROP_NO_RULE},
	{"to somebody", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.6", 6, 1, 2,
	 SG_DROP_WRONG_DESTINATION},
	{"to somebody's link-local", "vm", SG_INGRESS, "fe80::1", "fe80::2", 6, 1, 2,
	 SG_DROP_WRONG_DESTINATION},
	{"multicast", "vm", SG_INGRESS, "10.0.0.9", "224.0.0.251", 17, 1, 2, SG_DROP_NO_RULE},
	{"IPv6 multicast", "vm", SG_INGRESS, "fd00::9", "ff02::fb", 17, 1, 2, SG_DROP_NO_RULE},
	{"broadcast", "vm", SG_INGRESS, "10.0.0.9", "255.255.255.255", 17, 1, 2, SG_DROP_NO_RULE},
	{"own address from outside", "vm", SG_INGRESS, "10.0.0.5", "10.0.0.5", 6, 1, 2,
	 SG_DROP_LAND},
	{"allowed one from outside", "vm", SG_INGRESS, "10.8.0.5", "10.0.0.5", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"router, any source", "router", SG_EGRESS, "10.77.0.1", "10.0.0.9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"router, any destination", "router", SG_INGRESS, "10.77.0.1", "10.99.0.9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"router, own from outside", "router", SG_INGRESS, "10.0.0.7", "10.0.0.9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"router, martian", "router", SG_EGRESS, "127.0.0.1", "10.0.0.9", 6, 1, 2, SG_DROP_MARTIAN},
	{"router, DHCP server", "router", SG_EGRESS, "10.0.0.7", "255.255.255.255", 17, 67, 68,
	 SG_DROP_NO_RULE},
	{"router advertises", "router", SG_EGRESS, "fe80::1", "ff02::1", 58, 134, 0, SG_ALLOW_ND},
	{"::/0 allowed, IPv6", "wide", SG_EGRESS, "2001:db8::7", "fd00::9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"::/0 allowed is not IPv4", "wide", SG_EGRESS, "10.0.0.6", "10.0.0.9", 6, 1, 2,
	 SG_DROP_SPOOFED_SOURCE},
	{"::/0 allowed, own IPv4", "wide", SG_EGRESS, "10.0.0.8", "10.0.0.9", 6, 1, 2,
	 SG_DROP_NO_RULE},
	{"serves DHCP", "vm", SG_EGRESS, "10.0.0.5", "10.0.0.9", 17, 67, 68, SG_DROP_DHCP_SERVER},
	{"serves DHCPv6", "vm", SG_EGRESS, "fd00::5", "fd00::9", 17, 547, 546, SG_DROP_DHCP_SERVER},
	{"IPv4 547 is nothing", "vm", SG_EGRESS, "10.0.0.5", "10.0.0.9", 17, 547, 546,
	 SG_DROP_NO_RULE},
	{"advertises", "vm", SG_EGRESS, VM_LL, "ff02::1", 58, 134, 0, SG_DROP_ROUTER_ADVERTISEMENT},
	{"redirects", "vm", SG_EGRESS, VM_LL, "fd00::9", 58, 137, 0, SG_DROP_ROUTER_ADVERTISEMENT},
	{"asks DHCP", "vm", SG_EGRESS, "0.0.0.0", "255.255.255.255", 17, 68, 67, SG_ALLOW_DHCP},
	{"0.0.0.0 to one host", "vm", SG_EGRESS, "0.0.0.0", "10.0.0.9", 17, 68, 67,
	 SG_DROP_MARTIAN},
	{"renews DHCP", "vm", SG_EGRESS, "10.0.0.5", "10.0.0.9", 17, 68, 67, SG_ALLOW_DHCP},
	{"renews for somebody", "vm", SG_EGRESS, "10.0.0.6", "10.0.0.9", 17, 68, 67,
	 SG_DROP_SPOOFED_SOURCE},
	{"DHCP answers", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 17, 67, 68, SG_ALLOW_DHCP},
	{"DHCP answers all", "vm", SG_INGRESS, "10.0.0.9", "255.255.255.255", 17, 67, 68,
	 SG_ALLOW_DHCP},
	{"another asks DHCP", "vm", SG_INGRESS, "10.0.0.9", "255.255.255.255", 17, 68, 67,
	 SG_DROP_NO_RULE},
	{"asks DHCPv6", "vm", SG_EGRESS, VM_LL, "ff02::1:2", 17, 546, 547, SG_ALLOW_DHCP},
	{"DHCPv6 from fd00", "vm", SG_EGRESS, "fd00::5", "ff02::1:2", 17, 546, 547,
	 SG_DROP_NO_RULE},
	{"DHCPv6 answers", "vm", SG_INGRESS, "fe80::1", VM_LL, 17, 547, 546, SG_ALLOW_DHCP},
	{"DHCPv6 from afar", "vm", SG_INGRESS, "fd00::9", VM_LL, 17, 547, 546, SG_DROP_NO_RULE},
	{"solicits", "vm", SG_EGRESS, VM_LL, "ff02::1:ff00:9", 58, 135, 0, SG_ALLOW_ND},
	{"detects duplicates", "vm", SG_EGRESS, "::", "ff02::1:ff00:5", 58, 135, 0, SG_ALLOW_ND},
	{"solicits as somebody", "vm", SG_EGRESS, "fd00::6", "ff02::1:ff00:9", 58, 135, 0,
	 SG_DROP_SPOOFED_SOURCE},
	{"solicits a router", "vm", SG_EGRESS, VM_LL, "ff02::2", 58, 133, 0, SG_ALLOW_ND},
	{"hears a router", "vm", SG_INGRESS, "fe80::1", "ff02::1", 58, 134, 0, SG_ALLOW_ND},
	{"hears a neighbour", "vm", SG_INGRESS, "fd00::9", "fd00::5", 58, 136, 0, SG_ALLOW_ND},
	{"ND with a code", "vm", SG_INGRESS, "fd00::9", "fd00::5", 58, 136, 1, SG_DROP_NO_RULE},
	{"reports MLD", "vm", SG_EGRESS, VM_LL, "ff02::16", 58, 143, 0, SG_ALLOW_MLD},
	{"reports MLD early", "vm", SG_EGRESS, "::", "ff02::16", 58, 143, 0, SG_ALLOW_MLD},
	{"MLD query", "vm", SG_INGRESS, "fe80::1", "ff02::1", 58, 130, 0, SG_ALLOW_MLD},
	{"MLD from afar", "vm", SG_INGRESS, "fd00::9", "ff02::1", 58, 130, 0, SG_DROP_NO_RULE},
	{"echo reply to nothing", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 1, 0, 0,
	 SG_DROP_NO_RULE},
	{"error about nothing", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 1, 3, 1,
	 SG_DROP_ICMP_UNRELATED},
	{"source quench", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 1, 4, 0, SG_DROP_NO_RULE},
	{"too big about nothing", "vm", SG_INGRESS, "fd00::9", "fd00::5", 58, 2, 0,
	 SG_DROP_ICMP_UNRELATED},
	{"protocol 58 in IPv4 is no ND", "vm", SG_INGRESS, "10.0.0.9", "10.0.0.5", 58, 135, 0,
	 SG_DROP_NO_RULE},
};

static struct model *guard_model(void)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, 1};
	struct model *model = model_new();
	struct model_interface *vm, *wide;
	struct cidr allowed = build_cidr("10.8.0.0/16"), all_v6 = build_cidr("::/0");

	build_group(model, "default", "sg-none");
	vm = build_interface(model, "default", "vm", "tap0", "10.0.0.5 fd00::5", "sg-none");
	g_array_append_val(vm->allowed, allowed);
	vm->has_mac = true;
	memcpy(vm->mac, mac, sizeof(mac));
	build_interface(model, "default", "nomac", "tap1", "10.0.0.6", "sg-none");
	build_interface(model, "default", "router", "tap2", "10.0.0.7", "sg-none")->spoof_guard =
		false;
	wide = build_interface(model, "default", "wide", "tap3", "10.0.0.8", "sg-none");
	g_array_append_val(wide->allowed, all_v6);
	return model;
}

static void the_guard_names_each_reason(void **state)
{
	AUTO(model) *model = guard_model();
	AUTO(numbers) *numbers = numbers_new();
	AUTO(image) *image = NULL;
	AUTO(diag) *diag = diag_new();

	(void)state;
	assert_int_equal(compile_image(model, numbers, NULL, "host", &image, diag), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(guard_cases); i++) {
		const struct guard_case *c = &guard_cases[i];
		struct eval_packet packet = {
			.direction = c->direction,
			.protocol = c->protocol,
			.src = build_addr(c->src),
			.dst = build_addr(c->dst),
		};
		struct eval_verdict verdict;

		if (protocol_is_icmp(c->protocol)) {
			packet.icmp_type = (uint8_t)c->sport;
			packet.icmp_code = (uint8_t)c->dport;
		} else {
			packet.sport = c->sport;
			packet.dport = c->dport;
		}
		verdict = eval_packet(image, image_iface(image, c->iface), &packet);
		if (verdict.reason != c->reason)
			fail_msg("%s: %s, not %s", c->why, reason_name(verdict.reason),
				 reason_name(c->reason));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_policies_agree_with_the_reference),
		cmocka_unit_test(the_guard_names_each_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
