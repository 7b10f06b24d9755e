/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_random.c - random policies and frames: the BPF programs and the offline evaluator come to
 * the same verdict for the same reason and name the same rule. (tests/unit/test_eval.c compares the
 * evaluator with a reference.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/eval.h"
#include "rulesd/names.h"
#include "tests/lib/check.h"
#include "tests/lib/offline.h"
#include "tests/lib/proggy.h"

#define POLICIES 40
#define FRAMES	 100 /* of each policy */

static const char *const groups[] = {"sg-a", "sg-b", "sg-c", "sg-d"};
static const char *const lists[] = {"pl-x", "pl-y"};
static const char *const cidrs[] = {
	"0.0.0.0/0",	 "10.0.0.0/8",	"10.0.0.0/16", "10.0.0.0/24",  "10.0.0.1/32", "10.0.0.2/31",
	"192.0.2.0/24",	 "::/0",	"fd00::/16",   "fd00::/64",    "fd00::1/128", "fd00::2/127",
	"2001:db8::/32", "128.0.0.0/1", "10.0.0.0/30", "2001:db8::/48"};
static const char *const matches[] = {
	"\"protocol\": \"tcp\", \"ports\": [80]",
	"\"protocol\": \"tcp\", \"ports\": [\"79-81\", 443, \"8000-8080\"]",
	"\"protocol\": \"tcp\"",
	"\"protocol\": 6, \"ports\": [\"1-1023\"]",
	"\"protocol\": \"udp\", \"ports\": [53, 68]",
	"\"protocol\": \"udp\", \"ports\": [\"50-600\"]",
	"\"protocol\": \"sctp\", \"ports\": [80]",
	"\"protocol\": \"icmp\", \"icmp\": {\"type\": 8, \"code\": 0}",
	"\"protocol\": \"icmp\", \"icmp\": {\"type\": 13}",
	"\"protocol\": \"icmp\"",
	"\"protocol\": \"icmpv6\", \"icmp\": {\"type\": 128}",
	"\"protocol\": \"icmpv6\"",
	"\"protocol\": 47",
	"\"protocol\": 112",
	"\"protocol\": \"all\"",
	"\"service\": \"dns\"",
};
static const unsigned int ports[] = {1,	  22,  53,  67,	 68,  78,   79,	  81,	82,   80,   80,
				     443, 546, 547, 600, 601, 7999, 8000, 8080, 8081, 65535};
static const char *const v4[] = {"10.0.0.1", "10.0.0.2",  "10.0.0.3",	"10.0.1.1",
				 "10.1.0.1", "192.0.2.1", "203.0.113.9"};
static const char *const v6[] = {"fd00::1",   "fd00::2",     "fd00::3",
				 "fd00:1::1", "2001:db8::1", "2001:db8:1::1"};
static const char *const odd_v4[] = {"127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.5",
				     "169.254.3.4"};
static const char *const odd_v6[] = {"::",
				     "::1",
				     "::10.0.0.1",
				     "ff02::1",
				     "fe80::9",
				     "fe80::5054:ff:fe00:1",
				     "fe80::5054:ff:fe00:2"};

/* The interfaces that get taps; the last byte of their MACs, and what they own. */
static const struct {
	const char *id;
	unsigned int mac;
	const char *v4, *v6;
} vms[] = {
	{"vm1", 1, "10.0.0.1", "fd00::1"},
	{"vm2", 2, "10.0.0.2", "fd00::2"},
	{"blue1", 1, "10.0.0.1", "fd00::1"},
};

#define PICK(array) ((array)[g_random_int_range(0, (gint32)G_N_ELEMENTS(array))])

static bool chance(int percent)
{
	return g_random_int_range(0, 100) < percent;
}

/* ---------------------------------------------------------------- policies */

/* A peer twice in one rule is an error, so each kind walks on from a random start. */
static void add_peers(GString *json, bool may_name_blue)
{
	guint cidr = g_random_int(), group = g_random_int(), list = g_random_int();

	for (int i = 0, count = g_random_int_range(1, 4); i < count; i++) {
		int kind = g_random_int_range(0, 100);

		g_string_append(json, i ? ", " : "");
		if (kind < 45)
			g_string_append_printf(json, "\"%s\"", cidrs[cidr++ % G_N_ELEMENTS(cidrs)]);
		else if (kind < 80 || i > 1)
			g_string_append_printf(json, "\"%s%s\"",
					       may_name_blue && group % 3 == 0 ? "blue:" : "",
					       groups[group % G_N_ELEMENTS(groups)]);
		else if (kind < 95)
			g_string_append_printf(json, "\"%s\"", lists[list++ % G_N_ELEMENTS(lists)]);
		else
			g_string_append(json, i ? "\"198.51.100.0/24\"" : "\"any\"");
		group += kind >= 45;
	}
}

static void add_rules(GString *json, const char *direction, const char *peers, bool may_name_blue)
{
	g_string_append_printf(json, "\"%s\": [", direction);
	for (int i = 0, count = g_random_int_range(0, 5); i < count; i++) {
		g_string_append_printf(json, "%s{\"id\": \"r%d\", %s, \"%s\": [", i ? ", " : "", i,
				       PICK(matches), peers);
		add_peers(json, may_name_blue);
		g_string_append(json, "]}");
	}
	g_string_append(json, "]");
}

static void add_objects(GString *json, bool may_name_blue)
{
	g_string_append(json, "\"groups\": {");
	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
		g_string_append_printf(json, "%s\"%s\": {", i ? ", " : "", groups[i]);
		add_rules(json, "ingress", "from", may_name_blue);
		g_string_append(json, ", ");
		add_rules(json, "egress", "to", may_name_blue);
		g_string_append(json, "}");
	}
	g_string_append(json, "}, \"prefix_lists\": {");
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		guint at = g_random_int();

		g_string_append_printf(json, "%s\"%s\": {\"entries\": [\"%s\", \"%s\"]}",
				       i ? ", " : "", lists[i], cidrs[at % G_N_ELEMENTS(cidrs)],
				       cidrs[(at + 1) % G_N_ELEMENTS(cidrs)]);
	}
	g_string_append(json, "}, \"interfaces\": {");
}

/* device is NULL for what is only a member. */
static void add_interface(GString *json, const char *id, const char *device, unsigned int mac,
			  const char *addresses)
{
	static const char *const allowed[] = {"", "\"10.0.0.0/24\"", "\"::/0\"",
					      "\"fd00::/64\", \"203.0.113.8/29\""};
	guint group = g_random_int();

	g_string_append_printf(json, "%s\"%s\": {", json->str[json->len - 1] == '{' ? "" : ", ",
			       id);
	if (device)
		g_string_append_printf(
			json,
			"\"device\": \"%s\", \"mac\": \"52:54:00:00:00:%02x\", \"spoof_guard\": %s, ",
			device, mac, chance(80) ? "true" : "false");
	g_string_append_printf(
		json, "\"allowed_addresses\": [%s], \"addresses\": [%s], \"groups\": [\"%s\"",
		PICK(allowed), addresses, groups[group % G_N_ELEMENTS(groups)]);
	for (guint i = 1, count = (guint)g_random_int_range(1, 4); i < count; i++)
		g_string_append_printf(json, ", \"%s\"",
				       groups[(group + i) % G_N_ELEMENTS(groups)]);
	g_string_append(json, "]}");
}

static char *random_policy(void)
{
	GString *json =
		g_string_new("{\"version\": 1, \"networks\": {\"default\": {\"peers\": [\"blue\"]");

	if (chance(80))
		g_string_append_printf(
			json,
			", \"exempt\": [{\"address\": \"%s\", \"protocol\": \"tcp\", \"ports\": [80]}, "
			"{\"address\": \"%s\", \"protocol\": \"udp\"}]",
			PICK(v4), PICK(v6));
	g_string_append(json, "}}, ");
	add_objects(json, true);
	add_interface(json, "vm1", "dtap1", 1, "\"10.0.0.1\", \"fd00::1\"");
	add_interface(json, "vm2", "dtap2", 2, "\"10.0.0.2\", \"fd00::2\"");
	add_interface(json, "far", NULL, 0, "\"10.0.1.1\", \"fd00::3\", \"192.0.2.1\"");
	g_string_append(json, "}}\n---\n{\"version\": 1, \"network\": \"blue\", ");
	add_objects(json, false);
	add_interface(json, "blue1", "dtap3", 1, "\"10.0.0.1\", \"fd00::1\"");
	add_interface(json, "blue2", NULL, 0, "\"10.0.0.2\", \"2001:db8::1\", \"10.1.0.1\"");
	g_string_append(json, "}}");
	return g_string_free(json, FALSE);
}

/* ---------------------------------------------------------------- frames */

static const char *random_address(bool is_v6)
{
	if (chance(12))
		return is_v6 ? PICK(odd_v6) : PICK(odd_v4);
	return is_v6 ? PICK(v6) : PICK(v4);
}

/* With a port the address of IPv6 stands in brackets. */
static char *endpoint(const char *address, bool is_v6, unsigned int port)
{
	return g_strdup_printf(is_v6 ? "[%s]:%u" : "%s:%u", address, port);
}

static char *random_frame(size_t vm, enum sg_dir dir)
{
	static const char *const transports[] = {"tcp", "tcp", "udp", "udp", "sctp"};
	static const unsigned int v4_types[] = {0, 8, 8, 8, 13, 14, 5};
	static const unsigned int v6_types[] = {128, 128, 129, 200};
	bool is_v6 = chance(40);
	const char *own = is_v6 ? vms[vm].v6 : vms[vm].v4;
	const char *local = chance(80) ? own : random_address(is_v6);
	const char *remote = random_address(is_v6);
	const char *src = dir == SG_EGRESS ? local : remote,
		   *dst = dir == SG_EGRESS ? remote : local;
	g_autofree char *macs =
		dir == SG_EGRESS ? g_strdup_printf("smac=%u", vms[vm].mac) : g_strdup("smac=99");
	int kind = g_random_int_range(0, 100);

	if (kind < 70) {
		g_autofree char *from = endpoint(src, is_v6, chance(20) ? PICK(ports) : 40000);
		g_autofree char *to = endpoint(dst, is_v6, PICK(ports));
		const char *transport = PICK(transports);

		return g_strdup_printf("%s %s > %s%s %s", transport, from, to,
				       strcmp(transport, "tcp") == 0 ? " S" : "", macs);
	}
	if (kind < 90)
		return g_strdup_printf("%s %s > %s type=%u id=7 %s", is_v6 ? "icmp6" : "icmp", src,
				       dst, is_v6 ? PICK(v6_types) : PICK(v4_types), macs);
	if (is_v6)
		return g_strdup_printf("ns %s > %s target=%s %s", src, dst, dst, macs);
	return g_strdup_printf("ip/%u %s > %s len=20 %s", chance(50) ? 47u : 112u, src, dst, macs);
}

/* ICMP that asks nothing is allowed message by message and leaves no flow that would name its rule.
 */
static bool leaves_a_flow(const struct frame_spec *spec)
{
	return spec->body != FRAME_ICMP || spec->type == 8 || spec->type == 13 || spec->type == 128;
}

static void compare(enum proggy_program program, const char *id, const struct frame_spec *spec,
		    const char *text, struct eval_verdict verdict)
{
	struct proggy_result result;
	struct frame frame;
	const char *rule;

	frame_build(spec, &frame);
	proggy_flush_flows();
	result = proggy_run(program, id, &frame);
	assert_int_equal(result.error, 0);
	if (result.reason != verdict.reason)
		fail_msg("%s of %s, %s: the kernel says %s, the evaluator %s", proggy_name(program),
			 id, text,
			 result.reason < SG_REASONS ? reason_name(result.reason) : "nothing",
			 reason_name(verdict.reason));
	if ((verdict.reason != SG_ALLOW_RULE && verdict.reason != SG_ALLOW_EXEMPT) ||
	    !leaves_a_flow(spec))
		return;
	rule = proggy_flow_rule(id);
	if (g_strcmp0(rule, image_rule_name(proggy_image(), verdict.rule)) != 0)
		fail_msg("%s of %s, %s: the kernel names %s, the evaluator %s",
			 proggy_name(program), id, text, rule,
			 image_rule_name(proggy_image(), verdict.rule));
}

static void one_frame(unsigned int seen[SG_REASONS])
{
	__attribute__((cleanup(frame_spec_free))) struct frame_spec *spec = NULL;
	size_t vm = (size_t)g_random_int_range(0, (gint32)G_N_ELEMENTS(vms));
	enum sg_dir dir = chance(50) ? SG_EGRESS : SG_INGRESS;
	g_autofree char *text = random_frame(vm, dir);
	g_autofree char *error = NULL;
	struct eval_verdict verdict;

	if (frame_spec_parse(text, &spec, &error) < 0)
		fail_msg("%s: %s", text, error);
	if (!offline_verdict(proggy_image(), image_iface(proggy_image(), vms[vm].id), dir, spec,
			     &verdict))
		return;
	seen[verdict.reason]++;
	if (dir == SG_INGRESS) {
		compare(PROGGY_TC_INGRESS, vms[vm].id, spec, text, verdict);
		return;
	}
	compare(PROGGY_XDP, vms[vm].id, spec, text, verdict);
	compare(PROGGY_TC_EGRESS, vms[vm].id, spec, text, verdict);
}

static void kernel_and_evaluator_agree_on_random_policies(void **state)
{
	const char *given = getenv("SEED");
	guint32 seed = given ? (guint32)strtoul(given, NULL, 0) : 20251121;
	unsigned int seen[SG_REASONS] = {0};

	(void)state;
	print_message("SEED=%u\n", seed);
	g_random_set_seed(seed);
	for (int i = 0; i < POLICIES; i++) {
		g_autofree char *policy = random_policy();

		if (getenv("VERBOSE"))
			print_message("%s\n", policy);
		proggy_change(policy, false);
		for (int j = 0; j < FRAMES; j++)
			one_frame(seen);
	}
	for (unsigned int i = 0; i < SG_REASONS; i++)
		if (seen[i])
			print_message("%u %s\n", seen[i], reason_name(i));
	/* Not all of one kind, or the agreement would say little. */
	assert_true(seen[SG_ALLOW_RULE] > POLICIES * FRAMES / 10);
	assert_true(seen[SG_DROP_NO_RULE] > POLICIES * FRAMES / 10);
	assert_true(seen[SG_DROP_SPOOFED_SOURCE] > 10 && seen[SG_DROP_WRONG_DESTINATION] > 10);
	assert_true(seen[SG_ALLOW_EXEMPT] > 0 && seen[SG_DROP_MARTIAN] > 0 &&
		    seen[SG_ALLOW_ND] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_and_evaluator_agree_on_random_policies),
	};

	return cmocka_run_group_tests(tests, proggy_setup, proggy_teardown);
}
