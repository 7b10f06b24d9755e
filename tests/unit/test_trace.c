/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_trace.c - explanations: the rule, the nearest miss, the steps; the question and the answer
 * as JSON.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/eval.h"
#include "tests/lib/build.h"
#include "tests/lib/compiled.h"

static int setup(void **state)
{
	struct compiled *f;

	compiled_setup(state);
	f = *state;
	build_prefix_list(f->model, "default", "pl-office", "203.0.113.0/24");
	build_rule(f->model, "default", "sg-web", "https", SG_INGRESS, "tcp 443,8000-8080", "any");
	build_rule(f->model, "default", "sg-web", "ssh", SG_INGRESS, "tcp 22",
		   "sg-bastion pl-office 10.0.0.0/8");
	build_rule(f->model, "default", "sg-web", "ping", SG_INGRESS, "icmp 8/0", "sg-bastion");
	build_rule(f->model, "default", "sg-web", "dns", SG_INGRESS, "tcp 53 + udp 53", "any");
	build_rule(f->model, "default", "sg-web", "blue", SG_INGRESS, "tcp 9", "blue:sg-b");
	build_rule(f->model, "default", "sg-web", "out", SG_EGRESS, "tcp 80", "any");
	build_group(f->model, "default", "sg-bastion");
	build_group(f->model, "blue", "sg-b");
	g_ptr_array_add(build_network(f->model, "default")->peers, g_strdup("blue"));
	build_exempt(f->model, "default", "169.254.169.254", "tcp 80");
	build_exempt(f->model, "default", "169.254.169.254", "udp 123");
	build_interface(f->model, "default", "web-1", "tap0", "10.0.0.5 fd00::5", "sg-web");
	build_interface(f->model, "default", "bastion", "tap1", "192.0.2.9", "sg-bastion");
	build_interface(f->model, "blue", "b-1", "tap2", "192.0.2.50", "sg-b");
	compiled_again(f);
	return 0;
}

static void cleanup_trace(struct trace **trace)
{
	trace_free(trace);
}
#define AUTO_TRACE CLEANUP(cleanup_trace)

/* The question as people write it, the answer as programs read it. */
static json_t *ask(struct compiled *f, const char *interface, const char *direction,
		   const char *protocol, const char *src, const char *dst)
{
	AUTO_JSON json_t *question =
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "interface", interface, "direction",
			  direction, "protocol", protocol, "src", src, "dst", dst);
	AUTO_TRACE struct trace *trace = NULL;
	struct eval_packet packet;
	g_autofree char *id = NULL;

	if (trace_packet_from_json(question, &id, &packet, f->diag) < 0)
		fail_msg("%s",
			 ((struct diag_entry *)g_ptr_array_index(f->diag->entries, 0))->message);
	trace = trace_packet(f->model, f->image, f->numbers, id, &packet);
	assert_non_null(trace);
	return trace_to_json(trace, id, packet.direction);
}

/* All of an answer but its steps. */
static void expect(struct compiled *f, const char *protocol, const char *src, const char *dst,
		   const char *wanted)
{
	AUTO_JSON json_t *answer = ask(f, "web-1", "ingress", protocol, src, dst);
	AUTO_JSON json_t *expected = json_loads(wanted, 0, NULL);
	g_autofree char *text = NULL;

	assert_non_null(expected);
	json_object_set_new(expected, "interface", json_string("web-1"));
	json_object_set_new(expected, "direction", json_string("ingress"));
	assert_true(json_array_size(json_object_get(answer, "steps")) >= 3);
	json_object_del(answer, "steps");
	text = json_dumps(answer, JSON_SORT_KEYS);
	if (!json_equal(answer, expected))
		fail_msg("%s %s -> %s: %s", protocol, src, dst, text);
}

#define ALLOW(rule) \
	"{\"verdict\": \"allow\", \"reason\": \"rule\", \"rule\": \"" rule "\", \"nearest\": null}"
#define MISS(rule, differs)                                                                                \
	"{\"verdict\": \"deny\", \"reason\": \"no_rule\", \"rule\": null, \"nearest\": {\"rule\": \"" rule \
	"\", \"differs\": [" differs "]}}"

static void an_allowed_packet_names_its_rule(void **state)
{
	expect(*state, "tcp", "198.51.100.1:40000", "10.0.0.5:443", ALLOW("sg-web/https"));
	expect(*state, "tcp", "[2001:db8::1]:40000", "[fd00::5]:8080", ALLOW("sg-web/https"));
	expect(*state, "6", "203.0.113.77", "10.0.0.5:22", ALLOW("sg-web/ssh"));
	expect(*state, "tcp", "192.0.2.9", "10.0.0.5:22", ALLOW("sg-web/ssh"));
	expect(*state, "tcp", "10.200.0.1", "10.0.0.5:22", ALLOW("sg-web/ssh"));
	expect(*state, "icmp", "192.0.2.9", "10.0.0.5", ALLOW("sg-web/ping"));
	expect(*state, "udp", "192.0.2.9", "10.0.0.5:53", ALLOW("sg-web/dns"));
	expect(*state, "tcp", "192.0.2.50", "10.0.0.5:9", ALLOW("sg-web/blue"));
}

static void the_nearest_miss_differs_in_the_fewest_dimensions(void **state)
{
	expect(*state, "tcp", "198.51.100.1", "10.0.0.5:444", MISS("sg-web/https", "\"port\""));
	expect(*state, "tcp", "198.51.100.1", "10.0.0.5:22", MISS("sg-web/https", "\"port\""));
	expect(*state, "udp", "198.51.100.1", "10.0.0.5:443", MISS("sg-web/dns", "\"port\""));
	expect(*state, "udp", "198.51.100.1", "10.0.0.5:54", MISS("sg-web/dns", "\"port\""));
	expect(*state, "icmp", "198.51.100.1", "10.0.0.5", MISS("sg-web/ping", "\"peer\""));
	expect(*state, "tcp", "192.0.2.9", "10.0.0.5:9", MISS("sg-web/https", "\"port\""));
	expect(*state, "sctp", "198.51.100.1", "10.0.0.5:9999",
	       MISS("sg-web/https", "\"protocol\", \"port\""));
	expect(*state, "gre", "198.51.100.1", "10.0.0.5", MISS("sg-web/https", "\"protocol\""));
}

static void a_wrong_peer_or_type_is_said(void **state)
{
	struct compiled *f = *state;
	struct model_group *group = model_group(f->model, "default", "sg-web");

	/* Without the rules for any, those for peers are the nearest. */
	g_ptr_array_remove_index(group->rules[SG_INGRESS], 3);
	g_ptr_array_remove_index(group->rules[SG_INGRESS], 0);
	compiled_again(f);
	expect(f, "tcp", "198.51.100.1", "10.0.0.5:22", MISS("sg-web/ssh", "\"peer\""));
	expect(f, "tcp", "198.51.100.1", "10.0.0.5:23", MISS("sg-web/ssh", "\"port\", \"peer\""));
	expect(f, "icmp", "198.51.100.1", "10.0.0.5", MISS("sg-web/ping", "\"peer\""));
}

static json_t *ask_icmp(struct compiled *f, const char *icmp, int *result)
{
	AUTO_JSON json_t *question =
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "interface", "web-1", "direction", "ingress",
			  "protocol", "icmp", "src", "192.0.2.9", "dst", "10.0.0.5");
	AUTO_TRACE struct trace *trace = NULL;
	struct eval_packet packet;
	g_autofree char *id = NULL;

	json_object_set_new(question, "icmp", json_loads(icmp, 0, NULL));
	*result = trace_packet_from_json(question, &id, &packet, f->diag);
	if (*result < 0)
		return NULL;
	trace = trace_packet(f->model, f->image, f->numbers, id, &packet);
	return trace_to_json(trace, id, packet.direction);
}

static void icmp_types_are_numbers_or_names(void **state)
{
	static const struct {
		const char *icmp;
		const char *reason; /* NULL: refused */
	} cases[] = {
		{"{\"type\": 8, \"code\": 0}", "rule"},
		{"{\"type\": 8}", "rule"},
		{"{}", "rule"},
		{"{\"type\": \"echo-request\"}", "rule"},
		{"{\"type\": 8, \"code\": 1}", "no_rule"},
		{"{\"type\": \"echo-reply\"}", "no_rule"},
		{"{\"type\": 3, \"code\": 1}", "icmp_unrelated"},
		{"{\"type\": 256}", NULL},
		{"{\"type\": -1}", NULL},
		{"{\"type\": \"nonsense\"}", NULL},
		{"{\"type\": 8, \"code\": true}", NULL},
		{"[8, 0]", NULL},
		{"{\"kind\": 8}", NULL},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int result = 0;
		AUTO_JSON json_t *answer = ask_icmp(*state, cases[i].icmp, &result);
		const char *reason = json_string_value(json_object_get(answer, "reason"));

		if (g_strcmp0(reason, cases[i].reason) != 0)
			fail_msg("%s: %s", cases[i].icmp, reason ? reason : "refused");
		if (!cases[i].reason)
			assert_int_equal(result, -EINVAL);
	}
}

static void exempt_and_guard_have_no_rule(void **state)
{
	static const struct {
		const char *protocol, *src, *dst, *reason;
	} cases[] = {
		{"udp", "10.0.0.5", "169.254.169.254:123", "exempt"},
		{"tcp", "10.0.0.6", "192.0.2.9:80", "spoofed_source"},
		{"udp", "0.0.0.0:68", "255.255.255.255:67", "dhcp"},
		{"icmpv6", "fe80::5054:ff:fe00:1", "fd00::9", "no_rule"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		AUTO_JSON json_t *answer = ask(*state, "web-1", "egress", cases[i].protocol,
					       cases[i].src, cases[i].dst);

		assert_string_equal(json_string_value(json_object_get(answer, "reason")),
				    cases[i].reason);
		assert_true(json_is_null(json_object_get(answer, "rule")));
		if (strcmp(cases[i].reason, "no_rule") != 0)
			assert_true(json_is_null(json_object_get(answer, "nearest")));
	}
}

static bool has_step(const json_t *answer, const char *text)
{
	const json_t *steps = json_object_get(answer, "steps");

	for (size_t i = 0; i < json_array_size(steps); i++)
		if (strcmp(json_string_value(json_array_get(steps, i)), text) == 0)
			return true;
	return false;
}

static void steps_say_who_is_who(void **state)
{
	AUTO_JSON json_t *bastion =
		ask(*state, "web-1", "ingress", "tcp", "192.0.2.9:1", "10.0.0.5:23");
	AUTO_JSON json_t *office =
		ask(*state, "web-1", "ingress", "tcp", "203.0.113.9:1", "10.0.0.5:22");
	AUTO_JSON json_t *blue =
		ask(*state, "web-1", "ingress", "tcp", "192.0.2.50:1", "10.0.0.5:9");
	AUTO_JSON json_t *nobody =
		ask(*state, "web-1", "ingress", "tcp", "198.51.100.1:1", "10.0.0.5:23");
	AUTO_JSON json_t *spoofed =
		ask(*state, "web-1", "egress", "tcp", "10.0.0.6:1", "10.0.0.9:23");

	assert_true(has_step(bastion, "interface: web-1 of network default carries sg-web"));
	assert_true(has_step(bastion, "guard: web-1 may be reached at 10.0.0.5"));
	assert_true(has_step(bastion, "other side: 192.0.2.9 is in sg-bastion"));
	assert_true(has_step(bastion, "rule sg-web/https: another port"));
	assert_true(has_step(bastion, "rule sg-web/ping: another protocol"));
	assert_true(
		has_step(bastion, "denied: no rule of any of the interface's groups allows it"));
	assert_true(has_step(office, "other side: 203.0.113.9 is in pl-office"));
	assert_true(has_step(office, "rule sg-web/ssh: matches"));
	assert_true(has_step(office, "allowed: by rule sg-web/ssh, peer pl-office"));
	assert_true(has_step(blue, "other side: 192.0.2.50 is in blue:sg-b"));
	assert_true(has_step(
		nobody,
		"other side: 198.51.100.1 is in no group, CIDR or prefix list that rules of network "
		"default refer to"));
	assert_true(has_step(nobody, "rule sg-web/ssh: another port, peer"));
	assert_true(has_step(spoofed, "guard: refuses sending from 10.0.0.6 to 10.0.0.9"));
}

static void groups_without_rules_have_no_nearest(void **state)
{
	AUTO_JSON json_t *answer =
		ask(*state, "bastion", "ingress", "tcp", "10.0.0.5:1", "192.0.2.9:23");

	assert_true(json_is_null(json_object_get(answer, "nearest")));
	assert_true(has_step(answer, "rules: the groups have no ingress rule"));
}

static void many_rules_are_counted_not_listed(void **state)
{
	struct compiled *f = *state;
	AUTO_JSON json_t *answer = NULL;

	for (int i = 0; i < 100; i++) {
		g_autofree char *id = g_strdup_printf("r%d", i);

		build_rule(f->model, "default", "sg-bastion", id, SG_INGRESS,
			   i == 77 ? "tcp 77" : "udp 1", "any");
	}
	compiled_again(f);
	answer = ask(f, "bastion", "ingress", "tcp", "10.0.0.5:1", "192.0.2.9:77");
	assert_true(json_array_size(json_object_get(answer, "steps")) < 30);
	assert_true(has_step(answer, "79 more rules do not match"));
	assert_true(has_step(answer, "rule sg-bastion/r77: matches"));
}

static void an_unknown_interface_has_no_trace(void **state)
{
	struct compiled *f = *state;
	struct eval_packet packet = {.protocol = 6};

	assert_null(trace_packet(f->model, f->image, f->numbers, "nobody", &packet));
}

/* Each mistake is one entry, at its place. */
static void a_wrong_question_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *field;
		const char *value; /* JSON; NULL removes the field */
		const char *pointer;
		const char *says;
	} cases[] = {
		{"interface", NULL, "/interface", "\"interface\" is missing"},
		{"interface", "5", "/interface", "not a string"},
		{"direction", "\"sideways\"", "/direction", "\"sideways\" is not a direction"},
		{"direction", NULL, "/direction", "missing"},
		{"protocol", "\"all\"", "/protocol", "\"all\" is not the protocol of a packet"},
		{"protocol", "\"tpc\"", "/protocol", "\"tpc\""},
		{"protocol", "256", "/protocol", "256 is not a protocol"},
		{"protocol", "-1", "/protocol", "-1 is not a protocol"},
		{"protocol", "1.5", "/protocol", "not a string"},
		{"protocol", "\"gre\"", "/dst", "packets of gre have no port"},
		{"protocol", "\"icmp\"", "/dst", "packets of icmp have no port"},
		{"src", "\"10.0.0.256\"", "/src", "\"10.0.0.256\" is not an address"},
		{"src", "\"10.0.0.1:70000\"", "/src", "not an address"},
		{"src", "\"10.0.0.1:\"", "/src", "not an address"},
		{"src", "\"10.0.0.1:+5\"", "/src", "not an address"},
		{"src", "\"[fd00::1\"", "/src", "not an address"},
		{"src", "\"[10.0.0.1]:5\"", "/src", "not an address"},
		{"src", "\"[fd00::1]5\"", "/src", "not an address"},
		{"src", "\"fd00::1\"", "/dst", "different families"},
		{"src", "\"::ffff:10.0.0.1\"", "/src", "not an address"},
		{"src", "\"\"", "/src", "not an address"},
		{"dst", "\"10.0.0.5\"", "/dst", "packets of tcp need a destination port"},
		{"dst", NULL, "/dst", "missing"},
		{"dport", "65536", "/dport", "not a port"},
		{"dport", "\"443\"", "/dport", "not a port"},
		{"dport", "444", "/dport", "\"dport\" is 443 in \"dst\" and 444 here"},
		{"icmp", "{\"type\": 8}", "/icmp", "no ICMP type"},
		{"port", "1", "/port", "unknown field \"port\""},
	};
	struct compiled *f = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		AUTO_JSON json_t *question = json_pack(
			"{s:s, s:s, s:s, s:s, s:s}", "interface", "web-1", "direction", "ingress",
			"protocol", "tcp", "src", "192.0.2.9", "dst", "10.0.0.5:443");
		struct eval_packet packet = {.dport = 4711};
		const struct diag_entry *entry;
		char *id = NULL;

		if (cases[i].value)
			json_object_set_new(question, cases[i].field,
					    json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		else
			json_object_del(question, cases[i].field);
		if (trace_packet_from_json(question, &id, &packet, f->diag) != -EINVAL)
			fail_msg("accepted: %s %s", cases[i].field, cases[i].value);
		assert_null(id);
		assert_int_equal(packet.dport, 4711);
		assert_int_equal(f->diag->entries->len, 1);
		entry = g_ptr_array_index(f->diag->entries, 0);
		if (strcmp(entry->pointer, cases[i].pointer) != 0 ||
		    !strstr(entry->message, cases[i].says))
			fail_msg("%s: %s, not %s: %s", entry->pointer, entry->message,
				 cases[i].pointer, cases[i].says);
		assert_non_null(entry->fix);
		g_ptr_array_set_size(f->diag->entries, 0);
	}
}

static void ports_may_stand_apart_and_null_is_absent(void **state)
{
	struct compiled *f = *state;
	AUTO_JSON json_t *question =
		json_pack("{s:s, s:s, s:i, s:s, s:s, s:i, s:i, s:n}", "interface", "web-1",
			  "direction", "egress", "protocol", 17, "src", "fd00::5", "dst", "fd00::9",
			  "sport", 1, "dport", 53, "icmp");
	struct eval_packet packet;
	g_autofree char *id = NULL;

	assert_int_equal(trace_packet_from_json(question, &id, &packet, f->diag), 0);
	assert_string_equal(id, "web-1");
	assert_int_equal(packet.direction, SG_EGRESS);
	assert_int_equal(packet.protocol, 17);
	assert_int_equal(packet.sport, 1);
	assert_int_equal(packet.dport, 53);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, compiled_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_allowed_packet_names_its_rule),
		TEST(the_nearest_miss_differs_in_the_fewest_dimensions),
		TEST(a_wrong_peer_or_type_is_said),
		TEST(icmp_types_are_numbers_or_names),
		TEST(exempt_and_guard_have_no_rule),
		TEST(steps_say_who_is_who),
		TEST(groups_without_rules_have_no_nearest),
		TEST(many_rules_are_counted_not_listed),
		TEST(an_unknown_interface_has_no_trace),
		TEST(a_wrong_question_is_refused_with_its_place),
		TEST(ports_may_stand_apart_and_null_is_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
