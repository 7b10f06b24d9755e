/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_addr.c - addresses, CIDRs and MACs: what is accepted, what is canonical, what is refused.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/addr.h"
#include "tests/lib/check.h"

static struct sg_addr parse(const char *text)
{
	struct sg_addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static struct cidr parse_cidr(const char *text)
{
	struct cidr cidr;

	assert_int_equal(cidr_parse(text, &cidr), 0);
	return cidr;
}

static void addresses_become_canonical(void **state)
{
	static const char *const pairs[][2] = {
		{"10.0.0.5", "10.0.0.5"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"::", "::"},
		{"FD00:0:0::5", "fd00::5"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"2001:DB8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
		{"::fffe:1.2.3.4", "::fffe:102:304"},
	};
	char text[ADDR_TEXT_SIZE];

	(void)state;
	for (unsigned int i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct sg_addr addr = parse(pairs[i][0]);

		assert_string_equal(addr_format(&addr, text), pairs[i][1]);
	}
}

static void what_is_no_address_is_refused_and_leaves_the_result_alone(void **state)
{
	static const char *const bad[] = {
		"",	      " ",	   "10.0.0",	      "10.0.0.256",
		"010.0.0.1",  "10.0.0.5 ", " 10.0.0.5",	      "10.0.0.5/32",
		"0x0a000005", "1",	   "fe80::1%1",	      "1::2::3",
		":::",	      "12345::",   "::ffff:10.0.0.1", "::ffff:0a00:0001",
		"any",	      "10.0.0.5\n"};
	struct sg_addr before, addr;

	(void)state;
	memset(&before, 0xa5, sizeof(before));
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		addr = before;
		assert_int_equal(addr_parse(bad[i], &addr), -EINVAL);
		assert_true(addr_equal(&addr, &before));
	}
}

static void families_and_kinds_are_told_apart(void **state)
{
	const struct {
		const char *text;
		bool v4, link_local, multicast, martian;
	} cases[] = {
		{"10.0.0.5", true, false, false, false},
		{"0.1.2.3", true, false, false, true},
		{"127.255.0.1", true, false, false, true},
		{"126.255.255.255", true, false, false, false},
		{"128.0.0.1", true, false, false, false},
		{"169.254.1.1", true, true, false, false},
		{"169.253.1.1", true, false, false, false},
		{"223.255.255.255", true, false, false, false},
		{"224.0.0.1", true, false, true, true},
		{"239.255.255.255", true, false, true, true},
		{"240.0.0.1", true, false, false, true},
		{"255.255.255.255", true, false, false, true},
		{"::", false, false, false, true},
		{"::1", false, false, false, true},
		{"::2", false, false, false, false},
		{"fe80::1", false, true, false, false},
		{"febf::1", false, true, false, false},
		{"fec0::1", false, false, false, false},
		{"ff02::1", false, false, true, true},
		{"fd00::1", false, false, false, false},
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sg_addr addr = parse(cases[i].text);

		assert_int_equal(addr_is_v4(&addr), cases[i].v4);
		assert_int_equal(addr_is_link_local(&addr), cases[i].link_local);
		assert_int_equal(addr_is_multicast(&addr), cases[i].multicast);
		assert_int_equal(addr_is_martian_source(&addr), cases[i].martian);
	}
}

static void cidrs_with_host_bits_name_the_canonical_one(void **state)
{
	static const char *const pairs[][2] = {
		{"10.0.0.1/8", "10.0.0.0/8"},	      {"10.0.0.5/31", "10.0.0.4/31"},
		{"1.2.3.4/0", "0.0.0.0/0"},	      {"2001:db8::1/32", "2001:db8::/32"},
		{"fd00::1/127", "fd00::/127"},	      {"::1/0", "::/0"},
		{"255.255.255.255/1", "128.0.0.0/1"},
	};
	char text[CIDR_TEXT_SIZE];
	struct cidr cidr;

	(void)state;
	for (unsigned int i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(cidr_parse(pairs[i][0], &cidr), -ERANGE);
		assert_string_equal(cidr_format(&cidr, text), pairs[i][1]);
	}
}

static void cidrs_are_read_strictly(void **state)
{
	static const char *const bad[] = {"10.0.0.0/33",
					  "10.0.0.0/",
					  "10.0.0.0/08",
					  "10.0.0.0/-1",
					  "10.0.0.0/8 ",
					  "10.0.0.0/8/8",
					  "/8",
					  "::/129",
					  "::/1280",
					  "10.0.0.0/255.0.0.0",
					  "10.0.0.0/99999999999999999999",
					  "::ffff:10.0.0.0/104",
					  ""};
	char text[CIDR_TEXT_SIZE];
	struct cidr cidr;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(cidr_parse(bad[i], &cidr), -EINVAL);
	cidr = parse_cidr("10.0.0.5");
	assert_string_equal(cidr_format(&cidr, text), "10.0.0.5/32");
	assert_int_equal(cidr_mapped_bits(&cidr), 128);
	cidr = parse_cidr("fd00::5");
	assert_string_equal(cidr_format(&cidr, text), "fd00::5/128");
	cidr = parse_cidr("0.0.0.0/0");
	assert_int_equal(cidr_mapped_bits(&cidr), 96);
	cidr = parse_cidr("::/0");
	assert_int_equal(cidr_mapped_bits(&cidr), 0);
}

static void a_cidr_never_covers_the_other_family(void **state)
{
	const struct cidr all4 = parse_cidr("0.0.0.0/0"), all6 = parse_cidr("::/0");
	const struct cidr ten = parse_cidr("10.0.0.0/8"), sub = parse_cidr("10.1.0.0/16");
	const struct sg_addr v4 = parse("10.1.2.3"), v6 = parse("fd00::1"),
			     other = parse("11.0.0.1");

	(void)state;
	assert_true(cidr_contains(&all4, &v4));
	assert_false(cidr_contains(&all4, &v6));
	assert_true(cidr_contains(&all6, &v6));
	assert_false(cidr_contains(&all6, &v4));
	assert_true(cidr_covers(&ten, &sub));
	assert_false(cidr_covers(&sub, &ten));
	assert_true(cidr_covers(&ten, &ten));
	assert_true(cidr_contains(&ten, &v4));
	assert_false(cidr_contains(&ten, &other));
	assert_false(cidr_covers(&all6, &all4));
}

static void order_is_by_address_then_length(void **state)
{
	static const char *const sorted[] = {"0.0.0.0/0",   "10.0.0.0/8",    "10.0.0.0/16",
					     "10.0.1.0/24", "2001:db8::/32", "fd00::/8"};

	(void)state;
	for (unsigned int i = 0; i + 1 < sizeof(sorted) / sizeof(sorted[0]); i++) {
		struct cidr a = parse_cidr(sorted[i]), b = parse_cidr(sorted[i + 1]);

		assert_true(cidr_compare(&a, &b) < 0);
		assert_true(cidr_compare(&b, &a) > 0);
		assert_int_equal(cidr_compare(&a, &a), 0);
	}
}

static void macs_are_unicast_and_never_zero(void **state)
{
	static const char *const bad[] = {"",
					  "52:54:00:00:00",
					  "52:54:00:00:00:01:02",
					  "52-54-00-00-00-01",
					  "525400000001",
					  "5:54:00:00:00:01",
					  "53:54:00:00:00:01",
					  "00:00:00:00:00:00",
					  "ff:ff:ff:ff:ff:ff",
					  "52:54:00:00:00:0g",
					  "52:54:00:00:00:01 ",
					  " 52:54:00:00:00:01",
					  "52:54:00:00:00:0"};
	char text[MAC_TEXT_SIZE];
	uint8_t mac[6];

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mac_parse(bad[i], mac), -EINVAL);
	assert_int_equal(mac_parse("52:54:00:AB:cd:0F", mac), 0);
	assert_string_equal(mac_format(mac, text), "52:54:00:ab:cd:0f");
}

static void link_local_of_a_mac_flips_the_universal_bit(void **state)
{
	const uint8_t mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
	struct sg_addr addr = addr_link_local_of_mac(mac);
	char text[ADDR_TEXT_SIZE];

	(void)state;
	assert_string_equal(addr_format(&addr, text), "fe80::5054:ff:fe12:3456");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_become_canonical),
		cmocka_unit_test(what_is_no_address_is_refused_and_leaves_the_result_alone),
		cmocka_unit_test(families_and_kinds_are_told_apart),
		cmocka_unit_test(cidrs_with_host_bits_name_the_canonical_one),
		cmocka_unit_test(cidrs_are_read_strictly),
		cmocka_unit_test(a_cidr_never_covers_the_other_family),
		cmocka_unit_test(order_is_by_address_then_length),
		cmocka_unit_test(macs_are_unicast_and_never_zero),
		cmocka_unit_test(link_local_of_a_mac_flips_the_universal_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
