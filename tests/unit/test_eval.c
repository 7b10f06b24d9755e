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
#include "tests/lib/reference.h"

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

/* An address belongs to one interface of a network (validate.c); NULL when all are taken. */
static const char *free_host(const struct model_network *network, const char *taken)
{
	size_t start = (size_t)g_random_int_range(0, (gint)G_N_ELEMENTS(hosts));

	for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
		const char *host = hosts[(start + i) % G_N_ELEMENTS(hosts)];
		struct sg_addr addr = build_addr(host);
		g_auto(GStrv) words = g_strsplit(taken, " ", -1);

		if (!model_interface_at(network, &addr) &&
		    !g_strv_contains((const char *const *)words, host))
			return host;
	}
	return NULL;
}

static void random_interfaces(struct model *model, const char *network)
{
	for (int i = g_random_int_range(1, 7); i > 0; i--) {
		g_autofree char *id = g_strdup_printf("%s-%d", network, i);
		g_autoptr(GString) addresses = g_string_new(NULL);
		g_autoptr(GString) carried = g_string_new(NULL);
		gint start = g_random_int_range(0, (gint)G_N_ELEMENTS(groups));
		struct model_interface *iface;
		struct model_settings settings;

		for (int j = g_random_int_range(1, 4), first = 1; j > 0; j--, first = 0) {
			const char *host = free_host(build_network(model, network), addresses->str);

			if (host)
				g_string_append_printf(addresses, "%s%s", first ? "" : " ", host);
		}
		if (!addresses->len)
			break;
		for (int j = 0, count = g_random_int_range(1, 5); j < count; j++)
			g_string_append_printf(
				carried, "%s%s", j ? " " : "",
				groups[((size_t)start + (size_t)j) % G_N_ELEMENTS(groups)]);
		iface = build_interface(model, network, id, chance(80) ? "tap0" : NULL,
					addresses->str, carried->str);
		settings = *iface->settings;
		settings.spoof_guard = false;
		build_changed(model, iface, &settings);
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
		iface->addresses[g_random_int_range(0, (gint32)iface->address_count)];
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
	const char *given = getenv("SEED");
	guint32 seed = given ? (guint32)strtoul(given, NULL, 0) : 20251121;
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
			const GPtrArray *own = model_network(model, networks[n])->interfaces;

			for (guint k = 0; k < own->len; k++)
				g_ptr_array_add(ifaces, own->pdata[k]);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_policies_agree_with_the_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
