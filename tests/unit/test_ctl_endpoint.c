/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_endpoint.c - addresses with ports, directions, protocols and numbers of the command
 * line. */
#include "ctl/endpoint.h"

#include <errno.h>
#include <glib.h>

#include "tests/lib/check.h"

static void assert_endpoint(const char *text, const char *address, int port)
{
	struct endpoint endpoint;
	char shown[ADDR_TEXT_SIZE];
	g_autofree char *error = NULL;

	if (endpoint_parse(text, &endpoint, &error))
		fail_msg("%s: %s", text, error);
	assert_string_equal(addr_format(&endpoint.addr, shown), address);
	assert_int_equal(endpoint.port, port);
}

static void assert_no_endpoint(const char *text, const char *fragment)
{
	struct endpoint endpoint = {.port = 77};
	g_autofree char *error = NULL;

	assert_int_equal(endpoint_parse(text, &endpoint, &error), -EINVAL);
	assert_int_equal(endpoint.port, 77);
	if (!strstr(error, fragment) || !strstr(error, text))
		fail_msg("%s: \"%s\" does not say %s", text, error, fragment);
}

static void addresses_of_both_families_with_and_without_port(void **state)
{
	(void)state;
	assert_endpoint("10.0.0.5", "10.0.0.5", -1);
	assert_endpoint("10.0.0.5:443", "10.0.0.5", 443);
	assert_endpoint("10.0.0.5:0", "10.0.0.5", 0);
	assert_endpoint("10.0.0.5:65535", "10.0.0.5", 65535);
	assert_endpoint("fd00::5", "fd00::5", -1);
	assert_endpoint("[fd00::5]", "fd00::5", -1);
	assert_endpoint("[FD00:0::5]:443", "fd00::5", 443);
	/* without brackets the last group is not a port */
	assert_endpoint("fd00::5:443", "fd00::5:443", -1);
	assert_endpoint("::1", "::1", -1);
}

static void what_is_no_endpoint_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		":443",
		"10.0.0",
		"10.0.0.256",
		"host:443",
		"[10.0.0.5]",
		"[fd00::5",
		"[fd00::5]443",
		"[fd00::5]x:1",
		"[]:443",
		"10.0.0.5/24",
		"10.0.0.5:1:",
		"::ffff:1.2.3.4",
		"fd00::5%eth0",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_no_endpoint(bad[i], "is not an address; right are");
}

static void ports_are_numbers_of_16_bits(void **state)
{
	static const char *const bad[] = {"",	   "-1",   "+1",   " 1", "1 ",
					  "65536", "0x50", "http", "1.0"};
	uint16_t port = 7;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *error = NULL;
		g_autofree char *whole = g_strdup_printf("10.0.0.5:%s", bad[i]);
		struct endpoint endpoint;

		assert_int_equal(endpoint_parse_port(bad[i], &port, &error), -EINVAL);
		assert_int_equal(port, 7);
		g_clear_pointer(&error, g_free);
		assert_int_equal(endpoint_parse(whole, &endpoint, &error), -EINVAL);
	}
}

static void directions_as_the_policy_and_as_the_tables_say(void **state)
{
	enum sg_dir direction = SG_DIRS;
	g_autofree char *error = NULL;

	(void)state;
	assert_int_equal(endpoint_parse_direction("ingress", &direction, &error), 0);
	assert_int_equal(direction, SG_INGRESS);
	assert_int_equal(endpoint_parse_direction("out", &direction, &error), 0);
	assert_int_equal(direction, SG_EGRESS);
	assert_int_equal(endpoint_parse_direction("in", &direction, &error), 0);
	assert_int_equal(direction, SG_INGRESS);
	assert_int_equal(endpoint_parse_direction("egress", &direction, &error), 0);
	assert_int_equal(direction, SG_EGRESS);
	assert_int_equal(endpoint_parse_direction("up", &direction, &error), -EINVAL);
	assert_string_equal(error, "direction \"up\" is neither ingress nor egress");
}

static void a_packet_has_one_protocol(void **state)
{
	uint16_t protocol;
	g_autofree char *all = NULL, *near = NULL;

	(void)state;
	assert_int_equal(endpoint_parse_protocol("icmpv6", &protocol, NULL), 0);
	assert_int_equal(protocol, 58);
	assert_int_equal(endpoint_parse_protocol("112", &protocol, NULL), 0);
	assert_int_equal(protocol, 112);
	assert_int_equal(endpoint_parse_protocol("all", &protocol, &all), -EINVAL);
	assert_int_equal(endpoint_parse_protocol("tpc", &protocol, &near), -EINVAL);
	assert_string_equal(near, "unknown protocol \"tpc\"; did you mean tcp?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_both_families_with_and_without_port),
		cmocka_unit_test(what_is_no_endpoint_is_refused),
		cmocka_unit_test(ports_are_numbers_of_16_bits),
		cmocka_unit_test(directions_as_the_policy_and_as_the_tables_say),
		cmocka_unit_test(a_packet_has_one_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
