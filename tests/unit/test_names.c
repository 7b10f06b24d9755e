/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_names.c - names of protocols, ICMP types, reasons, directions, hooks and flow states: both
 * ways, and nothing else.
 */
#include "rulesd/names.h"

#include <errno.h>
#include <glib.h>
#include <jansson.h>
#include <netinet/in.h>
#include <string.h>

#include "tests/lib/check.h"

static void protocols_have_names_and_numbers(void **state)
{
	static const struct {
		const char *text;
		uint16_t number;
		const char *shown;
	} good[] = {
		{"tcp", 6, "tcp"},
		{"udp", 17, "udp"},
		{"icmp", 1, "icmp"},
		{"icmpv6", 58, "icmpv6"},
		{"sctp", 132, "sctp"},
		{"gre", 47, "gre"},
		{"esp", 50, "esp"},
		{"ah", 51, "ah"},
		{"all", SG_PROTO_ALL, "all"},
		{"0", 0, "0"},
		{"6", 6, "tcp"},
		{"112", 112, "112"},
		{"255", 255, "255"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		uint16_t protocol = 999;
		char text[8];

		assert_int_equal(protocol_parse(good[i].text, &protocol), 0);
		assert_int_equal(protocol, good[i].number);
		assert_string_equal(protocol_format(protocol, text), good[i].shown);
	}
}

static void other_protocol_texts_are_refused(void **state)
{
	static const char *const bad[] = {"",	"TCP", "tcp ", " tcp", "-1",	      "+6",  "256",
					  "06", "00",  "0x6",  "6.0",  "99999999999", "any", "6 "};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		uint16_t protocol = 999;

		assert_int_equal(protocol_parse(bad[i], &protocol), -EINVAL);
		assert_int_equal(protocol, 999);
	}
}

static void only_tcp_udp_and_sctp_have_ports(void **state)
{
	(void)state;
	for (uint16_t protocol = 0; protocol <= SG_PROTO_ALL; protocol++) {
		assert_int_equal(protocol_has_ports(protocol),
				 protocol == 6 || protocol == 17 || protocol == 132);
		assert_int_equal(protocol_is_icmp(protocol), protocol == 1 || protocol == 58);
	}
}

static void icmp_types_have_the_names_of_nft_and_iptables(void **state)
{
	static const struct {
		uint16_t protocol;
		const char *text;
		int type;
	} names[] = {
		{1, "echo-request", 8},
		{1, "ping", 8},
		{1, "timestamp-reply", 14},
		{1, "0", 0},
		{1, "255", 255},
		{58, "echo-request", 128},
		{58, "packet-too-big", 2},
		{58, "nd-neighbor-solicit", 135},
		{58, "neighbour-solicitation", 135},
		{58, "neighbor-solicitation", 135},
		{58, "mld2-listener-report", 143},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		int type = -1;

		assert_int_equal(icmp_type_parse(names[i].protocol, names[i].text, &type), 0);
		assert_int_equal(type, names[i].type);
	}
}

static void an_icmp_type_belongs_to_its_family(void **state)
{
	int type = -7;

	(void)state;
	assert_int_equal(icmp_type_parse(1, "packet-too-big", &type), -EINVAL);
	assert_int_equal(icmp_type_parse(58, "source-quench", &type), -EINVAL);
	assert_int_equal(icmp_type_parse(6, "echo-request", &type), -EINVAL);
	assert_int_equal(icmp_type_parse(6, "8", &type), -EINVAL);
	assert_int_equal(icmp_type_parse(1, "256", &type), -EINVAL);
	assert_int_equal(icmp_type_parse(1, "08", &type), -EINVAL);
	assert_int_equal(icmp_type_parse(1, "-1", &type), -EINVAL);
	assert_int_equal(icmp_type_parse(1, "", &type), -EINVAL);
	assert_int_equal(icmp_type_parse(1, "Echo-Request", &type), -EINVAL);
	assert_int_equal(type, -7);
}

static void shown_icmp_names_parse_back(void **state)
{
	static const uint16_t families[] = {1, 58};
	int named = 0;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
		for (int type = 0; type < 256; type++) {
			const char *name = icmp_type_name(families[i], type);
			int parsed = -1;

			if (!name)
				continue;
			named++;
			assert_int_equal(icmp_type_parse(families[i], name, &parsed), 0);
			assert_int_equal(parsed, type);
		}
	}
	assert_int_equal(named, 15 + 18); /* as many types as nft knows */
	assert_null(icmp_type_name(1, 200));
	assert_null(icmp_type_name(6, 8));
	assert_string_equal(icmp_type_name(1, 8), "echo-request");
	assert_string_equal(icmp_type_name(58, 135), "nd-neighbor-solicit");
}

static void an_icmp_code_belongs_to_its_type(void **state)
{
	int code = -7;

	(void)state;
	assert_int_equal(icmp_code_parse(1, 3, "port-unreachable", &code), 0);
	assert_int_equal(code, 3);
	assert_int_equal(icmp_code_parse(58, 1, "port-unreachable", &code), 0);
	assert_int_equal(code, 4);
	assert_int_equal(icmp_code_parse(1, 3, "fragmentation-needed", &code), 0);
	assert_int_equal(code, 4);
	code = -7;
	assert_int_equal(icmp_code_parse(1, 3, "frag-needed", &code), 0);
	assert_int_equal(code, 4);
	assert_int_equal(icmp_code_parse(1, 200, "17", &code), 0);
	assert_int_equal(code, 17);
	code = -7;
	assert_int_equal(icmp_code_parse(1, 11, "port-unreachable", &code), -EINVAL);
	assert_int_equal(icmp_code_parse(58, 1, "fragmentation-needed", &code), -EINVAL);
	assert_int_equal(icmp_code_parse(17, 3, "3", &code), -EINVAL);
	assert_int_equal(code, -7);
}

/* The names that schemas/policy.schema.json allows for "type" or "code" of one family. */
static json_t *schema_names(json_t *schema, const char *family, const char *field)
{
	json_t *choices = NULL;

	assert_int_equal(json_unpack(schema, "{s:{s:{s:{s:{s:o}}}}}", "$defs", family, "properties",
				     field, "anyOf", &choices),
			 0);
	return json_object_get(json_array_get(choices, 1), "enum");
}

static bool has_string(json_t *array, const char *text)
{
	size_t i = 0;
	json_t *entry = NULL;

	json_array_foreach (array, i, entry) {
		if (!strcmp(json_string_value(entry), text))
			return true;
	}
	return false;
}

static bool is_code_of_some_type(uint16_t protocol, const char *name)
{
	for (int type = 0; type < 256; type++) {
		int code = -1;

		if (!icmp_code_parse(protocol, type, name, &code))
			return true;
	}
	return false;
}

static void check_schema_names(json_t *schema, uint16_t protocol, const char *family)
{
	json_t *types = schema_names(schema, family, "type");
	json_t *codes = schema_names(schema, family, "code");
	size_t i = 0;
	json_t *name = NULL;

	json_array_foreach (types, i, name) {
		int type = -1;

		if (icmp_type_parse(protocol, json_string_value(name), &type))
			fail_msg("%s: no type '%s'", family, json_string_value(name));
	}
	json_array_foreach (codes, i, name) {
		if (!is_code_of_some_type(protocol, json_string_value(name)))
			fail_msg("%s: no code '%s'", family, json_string_value(name));
	}
	for (int type = 0; type < 256; type++) {
		const char *shown = icmp_type_name(protocol, type);

		if (shown && !has_string(types, shown))
			fail_msg("%s: the schema lacks '%s'", family, shown);
	}
	assert_true(json_array_size(types) > 15 && json_array_size(codes) > 10);
}

static void the_schema_knows_the_same_icmp_names(void **state)
{
	json_t *schema = json_load_file("schemas/policy.schema.json", 0, NULL);

	(void)state;
	assert_non_null(schema);
	check_schema_names(schema, 1, "icmp_v4");
	check_schema_names(schema, 58, "icmp_v6");
	json_decref(schema);
}

static void every_reason_has_its_own_name(void **state)
{
	(void)state;
	for (uint32_t reason = 0; reason < SG_REASONS; reason++) {
		uint32_t parsed = SG_REASONS;

		assert_int_equal(reason_parse(reason_name(reason), &parsed), 0);
		assert_int_equal(parsed, reason);
		assert_true(strlen(reason_description(reason)) > 10);
	}
	assert_string_equal(reason_name(SG_DROP_NO_RULE), "no_rule");
	assert_string_equal(reason_name(SG_ALLOW_RULE), "rule");
	assert_string_equal(reason_name(SG_REASONS), "unknown");
}

/* An enumeration of schemas/api.openapi.json. */
static json_t *api_enumeration(json_t *document, const char *name)
{
	json_t *names = NULL;

	assert_int_equal(json_unpack(document, "{s:{s:{s:{s:o}}}}", "components", "schemas", name,
				     "enum", &names),
			 0);
	return names;
}

static void the_api_description_knows_the_same_reasons_and_states(void **state)
{
	json_t *document = json_load_file("schemas/api.openapi.json", 0, NULL);
	json_t *allows = NULL;
	json_t *drops = NULL;
	json_t *states = NULL;

	(void)state;
	assert_non_null(document);
	allows = api_enumeration(document, "AllowReason");
	drops = api_enumeration(document, "DropReason");
	for (uint32_t reason = 0; reason < SG_REASONS; reason++) {
		if (!has_string(sg_reason_is_drop(reason) ? drops : allows, reason_name(reason)))
			fail_msg("schemas/api.openapi.json lacks the reason '%s'",
				 reason_name(reason));
	}
	assert_int_equal(json_array_size(allows) + json_array_size(drops), SG_REASONS);
	states = api_enumeration(document, "FlowState");
	assert_int_equal(json_array_size(states), SG_TCP_STATES);
	for (uint32_t tcp = 0; tcp < SG_TCP_STATES; tcp++)
		assert_true(has_string(states, flow_state_name(IPPROTO_TCP, tcp)));
	json_decref(document);
}

static void unknown_reasons_are_refused(void **state)
{
	uint32_t reason = 12345;

	(void)state;
	assert_int_equal(reason_parse("unknown", &reason), -EINVAL);
	assert_int_equal(reason_parse("", &reason), -EINVAL);
	assert_int_equal(reason_parse("NO_RULE", &reason), -EINVAL);
	assert_int_equal(reason, 12345);
}

static void directions_and_hooks_parse_back(void **state)
{
	static const char *const hooks[] = {"auto", "xdp", "tcx", "tc"};
	enum sg_dir dir = SG_EGRESS;
	enum model_hook hook = MODEL_HOOK_AUTO;

	(void)state;
	assert_int_equal(dir_parse("ingress", &dir), 0);
	assert_int_equal(dir, SG_INGRESS);
	assert_int_equal(dir_parse("egress", &dir), 0);
	assert_int_equal(dir, SG_EGRESS);
	assert_int_equal(dir_parse("in", &dir), -EINVAL);
	assert_string_equal(dir_name(SG_INGRESS), "ingress");
	assert_string_equal(dir_name(SG_EGRESS), "egress");
	for (int i = 0; i < (int)G_N_ELEMENTS(hooks); i++) {
		assert_int_equal(hook_parse(hooks[i], &hook), 0);
		assert_int_equal(hook, i);
		assert_string_equal(hook_name(hook), hooks[i]);
	}
	assert_int_equal(hook_parse("tcx ", &hook), -EINVAL);
}

static void flow_states_are_those_of_tcp_or_new_and_established(void **state)
{
	(void)state;
	assert_string_equal(flow_state_name(IPPROTO_TCP, SG_TCP_SYN_SENT), "syn_sent");
	assert_string_equal(flow_state_name(IPPROTO_TCP, SG_TCP_ESTABLISHED | SG_FLOW_REPLIED << 8),
			    "established");
	assert_string_equal(flow_state_name(IPPROTO_TCP, SG_TCP_CLOSED), "closed");
	assert_string_equal(flow_state_name(IPPROTO_TCP, 0xff), "unknown");
	assert_string_equal(flow_state_name(IPPROTO_UDP, 0), "new");
	assert_string_equal(flow_state_name(IPPROTO_UDP, SG_FLOW_REPLIED << 8), "established");
	assert_string_equal(flow_state_name(IPPROTO_ICMP, SG_FLOW_EXEMPT << 8), "new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocols_have_names_and_numbers),
		cmocka_unit_test(other_protocol_texts_are_refused),
		cmocka_unit_test(only_tcp_udp_and_sctp_have_ports),
		cmocka_unit_test(icmp_types_have_the_names_of_nft_and_iptables),
		cmocka_unit_test(an_icmp_type_belongs_to_its_family),
		cmocka_unit_test(shown_icmp_names_parse_back),
		cmocka_unit_test(an_icmp_code_belongs_to_its_type),
		cmocka_unit_test(the_schema_knows_the_same_icmp_names),
		cmocka_unit_test(every_reason_has_its_own_name),
		cmocka_unit_test(the_api_description_knows_the_same_reasons_and_states),
		cmocka_unit_test(unknown_reasons_are_refused),
		cmocka_unit_test(directions_and_hooks_parse_back),
		cmocka_unit_test(flow_states_are_those_of_tcp_or_new_and_established),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
