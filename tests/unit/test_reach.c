/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_reach.c - "for every address" against trying every address: random policies, questions about
 * prefixes and ranges of ports that are small enough for that.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/offline.h"
#include "ctl/reach.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/names.h"
#include "tests/lib/policy.h"
#include "tests/lib/random_policy.h"

#define POLICIES  200
#define QUESTIONS 12 /* of each interface of each policy */

static const char *const prefixes[] = {
	"10.0.0.0/24",	  "10.0.0.0/28",	"10.0.0.1",	    "10.0.0.2",
	"10.0.1.0/25",	  "10.1.0.0/28",	"192.0.2.0/26",	    "203.0.113.0/28",
	"127.0.0.0/30",	  "223.255.255.248/29", "9.255.255.240/28", "fd00::/121",
	"2001:db8::/122", "fe80::/124",		"::ffff:0:0:0/124", "255.255.255.248/29",
};
static const char *const protocols[] = {"tcp", "udp", "icmp", "icmpv6", "sctp", "gre", "112"};
static const struct model_ports ranges[] = {{0, 2},	{20, 24},     {78, 83},
					    {440, 445}, {7999, 8002}, {65533, 65535}};

struct question {
	struct reach_query query;
	struct reach_expected expected;
	struct cidr prefix;
};

static bool is_own(const struct model_interface *iface, const struct sg_addr *addr)
{
	for (uint32_t i = 0; i < iface->address_count; i++)
		if (addr_equal(addr, &iface->addresses[i]))
			return true;
	return false;
}

static bool is_left_out(const struct question *question, const struct image_iface *compiled,
			const struct model_interface *iface, const struct sg_addr *addr)
{
	struct sg_addr of_mac = addr_link_local_of_mac(compiled->mac);

	if (!question->query.skip_own)
		return false;
	return is_own(iface, addr) ||
	       (compiled->flags & SG_IF_CHECK_MAC && addr_equal(addr, &of_mac));
}

static bool as_expected(const struct image *image, const struct image_iface *compiled,
			const struct reach_expected *expected, const struct eval_packet *packet)
{
	struct eval_verdict verdict = eval_packet(image, compiled, packet);
	const char *rule = image_rule_name(image, verdict.rule);

	return sg_reason_is_drop(verdict.reason) != expected->allow &&
	       (!expected->rule || (rule && strcmp(rule, expected->rule) == 0));
}

static void values_of(const struct question *question, unsigned int *first, unsigned int *last)
{
	const struct reach_query *query = &question->query;

	*first = *last = 0;
	if (protocol_has_ports(query->protocol)) {
		*first = g_array_index(query->ports, struct model_ports, 0).first;
		*last = g_array_index(query->ports, struct model_ports, 0).last;
	} else if (protocol_is_icmp(query->protocol)) {
		*last = 65535;
		if (query->icmp_type >= 0) {
			*first = (unsigned int)query->icmp_type << 8;
			*last = *first | 255;
		}
	}
}

/* Every address of the prefix, every own address, every port. tried counts packets. */
static bool brute_force(const struct offline_compiled *policy, const struct image_iface *compiled,
			const struct question *question, unsigned int *tried)
{
	bool egress = question->query.direction == SG_EGRESS;
	unsigned int bits = 128 - cidr_mapped_bits(&question->prefix), first, last;

	values_of(question, &first, &last);
	for (unsigned int i = 0; i < 1u << bits; i++) {
		struct sg_addr remote = question->prefix.addr;

		remote.b[15] = (uint8_t)(remote.b[15] + i);
		if (is_left_out(question, compiled, policy->iface, &remote) ||
		    question->query.protocol ==
			    (addr_is_v4(&remote) ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
			continue;
		for (uint32_t j = 0; j < policy->iface->address_count; j++) {
			const struct sg_addr *local = &policy->iface->addresses[j];
			struct eval_packet packet = {
				.direction = question->query.direction,
				.protocol = question->query.protocol,
				.src = egress ? *local : remote,
				.dst = egress ? remote : *local,
			};

			if (addr_is_v4(local) != addr_is_v4(&remote))
				continue;
			for (unsigned int value = first; value <= last; value++) {
				packet.sport = protocol_has_ports(packet.protocol)
						       ? question->query.sport
						       : 0;
				packet.dport =
					protocol_has_ports(packet.protocol) ? (uint16_t)value : 0;
				packet.icmp_type = (uint8_t)(value >> 8);
				packet.icmp_code = (uint8_t)value;
				++*tried;
				if (!as_expected(policy->image, compiled, &question->expected,
						 &packet))
					return false;
			}
		}
	}
	return true;
}

static void ask(const struct offline_compiled *policy, unsigned int *held, unsigned int *failed)
{
	const struct image_iface *compiled = image_iface(policy->image, policy->iface->id);
	const char *prefix = RANDOM_PICK(prefixes);
	struct model_ports range = RANDOM_PICK(ranges);
	struct question question = {
		.query = {.direction = random_chance(60) ? SG_INGRESS : SG_EGRESS,
			  .skip_own = strchr(prefix, '/'),
			  .sport = 40000,
			  .remote = g_array_new(FALSE, FALSE, sizeof(struct reach_range)),
			  .ports = g_array_new(FALSE, FALSE, sizeof(struct model_ports)),
			  .icmp_type = random_chance(70) ? g_random_int_range(0, 16) : 128,
			  .icmp_code = -1},
		.expected = {.allow = random_chance(50)},
	};
	struct reach_answer answer;
	unsigned int tried = 0;
	bool truth;

	assert_int_equal(protocol_parse(RANDOM_PICK(protocols), &question.query.protocol), 0);
	assert_int_equal(cidr_parse(prefix, &question.prefix), 0);
	g_array_append_val(question.query.ports, range);
	reach_add_cidr(question.query.remote, &question.prefix);
	truth = brute_force(policy, compiled, &question, &tried);
	answer = reach_ask(policy->model, policy->image, policy->iface, &question.query,
			   &question.expected);
	if (answer.holds != truth)
		fail_msg("%s %s protocol %u: %s, but one by one %s", policy->iface->id, prefix,
			 question.query.protocol, answer.holds ? "holds" : "does not hold",
			 truth ? "it holds" : "it does not");
	if (!answer.holds)
		assert_false(
			as_expected(policy->image, compiled, &question.expected, &answer.packet));
	if (truth)
		assert_int_equal(answer.tried > 0, tried > 0);
	*(truth ? held : failed) += tried > 0;
	g_array_unref(question.query.remote);
	g_array_unref(question.query.ports);
}

/* random_policy() makes one document a network, with "---" between. */
static struct model *model_of(const char *text)
{
	g_auto(GStrv) documents = g_strsplit(text, "\n---\n", -1);
	g_autoptr(GPtrArray) sources = load_sources_new();
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct model *model = NULL;

	for (char **document = documents; *document; document++)
		policy_add_source(sources, "random.json", *document, strlen(*document));
	assert_int_equal(load_policy(sources, &model, diag), 0);
	return model;
}

static void every_address_is_what_trying_each_says(void **state)
{
	unsigned int held = 0, failed = 0;

	(void)state;
	for (int i = 0; i < POLICIES; i++) {
		CLEANUP(diag_free) struct diag *diag = diag_new();
		CLEANUP(offline_close) struct offline *offline = NULL;
		g_autofree char *text = random_policy(false);
		struct model *model = model_of(text);

		offline = offline_of_model(model);
		for (unsigned int vm = 0; vm < RANDOM_VMS; vm++) {
			struct offline_compiled policy;

			assert_int_equal(offline_compile(offline, random_vms[vm].id, &policy, diag),
					 0);
			for (int j = 0; j < QUESTIONS; j++)
				ask(&policy, &held, &failed);
		}
	}
	print_message("%u hold, %u do not\n", held, failed);
	assert_true(held > 500 && failed > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_address_is_what_trying_each_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
