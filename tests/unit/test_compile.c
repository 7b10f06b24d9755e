/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_compile.c - the shape of the image: intervals, what policies have, sets of peers, zones,
 * limits.
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
#include "tests/lib/build.h"
#include "tests/lib/compiled.h"

static void check_text(char *text, const char *wanted, const char *file, int line)
{
	g_autofree char *owned = text;

	_assert_string_equal(owned, wanted, file, line);
}
#define MEMBER(f, network, address, wanted) \
	check_text(compiled_member(f, network, address), wanted, __FILE__, __LINE__)
#define PREFIX(f, network, address, wanted) \
	check_text(compiled_prefix(f, network, address), wanted, __FILE__, __LINE__)
#define INTERVALS(f, iface, dir, peer, proto, wanted) \
	check_text(compiled_intervals(f, iface, dir, peer, proto), wanted, __FILE__, __LINE__)

/* ---------------------------------------------------------------- rules */

static void the_first_rule_owns_an_overlap(void **state)
{
	struct compiled *f = *state;

	build_rule(f->model, "default", "sg-web", "mid", SG_INGRESS, "tcp 100-200", "any");
	build_rule(f->model, "default", "sg-web", "wide", SG_INGRESS, "tcp 50-150,180-300", "any");
	build_rule(f->model, "default", "sg-b", "all", SG_INGRESS, "tcp", "any");
	build_rule(f->model, "default", "sg-b", "never", SG_INGRESS, "tcp 60-250", "any");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-web");
	build_interface(f->model, "default", "two", "tap1", "10.0.0.2", "sg-web sg-b");
	build_interface(f->model, "default", "other", "tap2", "10.0.0.3", "sg-b sg-web");
	compiled_again(f);
	INTERVALS(f, "one", SG_INGRESS, "any", 6,
		  "50-99 sg-web/wide, 100-200 sg-web/mid, 201-300 sg-web/wide");
	INTERVALS(f, "two", SG_INGRESS, "any", 6,
		  "0-49 sg-b/all, 50-99 sg-web/wide, 100-200 sg-web/mid, 201-300 sg-web/wide, "
		  "301-65535 sg-b/all");
	INTERVALS(f, "other", SG_INGRESS, "any", 6, "0-65535 sg-b/all");
	INTERVALS(f, "one", SG_EGRESS, "any", 6, "");
	INTERVALS(f, "one", SG_INGRESS, "any", 17, "");
}

static void touching_intervals_of_a_rule_become_one(void **state)
{
	struct compiled *f = *state;

	build_rule(f->model, "default", "sg-web", "a", SG_INGRESS, "tcp 5,3-4,6,1,65535,65534",
		   "any");
	build_rule(f->model, "default", "sg-web", "b", SG_INGRESS, "tcp 2,7", "any");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-web");
	compiled_again(f);
	INTERVALS(f, "one", SG_INGRESS, "any", 6,
		  "1-1 sg-web/a, 2-2 sg-web/b, 3-6 sg-web/a, 7-7 sg-web/b, 65534-65535 sg-web/a");
}

static void icmp_types_and_codes_are_intervals(void **state)
{
	struct compiled *f = *state;

	build_rule(f->model, "default", "sg-web", "ping", SG_INGRESS, "icmp 8/0", "any");
	build_rule(f->model, "default", "sg-web", "unreachable", SG_INGRESS, "icmp 3", "any");
	build_rule(f->model, "default", "sg-web", "v6", SG_INGRESS, "icmpv6", "any");
	build_rule(f->model, "default", "sg-web", "number", SG_INGRESS, "47", "any");
	build_rule(f->model, "default", "sg-web", "six", SG_INGRESS, "6 1", "any");
	build_rule(f->model, "default", "sg-web", "last", SG_INGRESS, "icmp 255/255", "any");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-web");
	compiled_again(f);
	INTERVALS(f, "one", SG_INGRESS, "any", 1,
		  "768-1023 sg-web/unreachable, 2048-2048 sg-web/ping, 65535-65535 sg-web/last");
	INTERVALS(f, "one", SG_INGRESS, "any", 58, "0-65535 sg-web/v6");
	INTERVALS(f, "one", SG_INGRESS, "any", 47, "0-65535 sg-web/number");
	INTERVALS(f, "one", SG_INGRESS, "any", 6, "1-1 sg-web/six");
}

static void has_says_exactly_what_is_there(void **state)
{
	struct compiled *f = *state;

	build_rule(f->model, "default", "sg-1", "a", SG_INGRESS, "tcp 1", "any");
	build_rule(f->model, "default", "sg-2", "a", SG_INGRESS, "tcp 1", "sg-1");
	build_rule(f->model, "default", "sg-3", "a", SG_EGRESS, "all", "10.0.0.0/8");
	build_prefix_list(f->model, "default", "pl-x", "10.0.0.0/8");
	build_rule(f->model, "default", "sg-4", "a", SG_EGRESS, "udp", "pl-x");
	build_prefix_list(f->model, "default", "pl-ext", "10.0.0.0/8")->external = true;
	build_group(f->model, "default", "sg-ext")->external = true;
	build_rule(f->model, "default", "sg-5", "a", SG_INGRESS, "all", "pl-ext sg-ext");
	for (int i = 1; i <= 5; i++) {
		g_autofree char *group = g_strdup_printf("sg-%d", i);

		build_interface(f->model, "default", group + 3, "tap", "10.0.0.1", group);
	}
	compiled_again(f);
	for (int i = 1; i <= 5; i++) {
		static const uint8_t ingress[] = {0, SG_HAS_ANY, SG_HAS_GROUP, 0, 0, 0};
		static const uint8_t egress[] = {0, 0, 0, SG_HAS_PREFIX | SG_HAS_ALL, SG_HAS_PREFIX,
						 0};
		g_autofree char *id = g_strdup_printf("%d", i);
		const struct image_policy *policy = image_iface(f->image, id)->policy;

		assert_int_equal(policy->has[SG_INGRESS], ingress[i]);
		assert_int_equal(policy->has[SG_EGRESS], egress[i]);
	}
	assert_int_equal(image_iface(f->image, "5")->policy->entry_count, 0);
}

static void external_groups_and_lists_match_nothing(void **state)
{
	struct compiled *f = *state;

	build_prefix_list(f->model, "default", "pl-ext", "")->external = true;
	build_rule(f->model, "default", "sg-ext", "a", SG_INGRESS, "all", "any");
	build_group(f->model, "default", "sg-ext")->external = true;
	build_rule(f->model, "default", "sg-web", "a", SG_INGRESS, "all", "sg-ext pl-ext");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-web sg-ext");
	compiled_again(f);
	assert_int_equal(image_iface(f->image, "one")->policy->entry_count, 0);
	MEMBER(f, "default", "10.0.0.1", "");
	assert_int_equal(numbers_find(f->numbers, NUMBER_PEER, "default:sg-ext"), 0);
}

static void exempt_endpoints_stand_before_the_rules_of_every_policy(void **state)
{
	struct compiled *f = *state;
	const struct image_ports *ports;

	build_exempt(f->model, "default", "169.254.169.254", "tcp 80");
	build_exempt(f->model, "default", "169.254.169.254", "udp");
	build_rule(f->model, "default", "sg-web", "meta", SG_EGRESS, "tcp 79-81",
		   "169.254.169.254/32");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-web");
	build_interface(f->model, "default", "two", "tap1", "10.0.0.2", "sg-default");
	compiled_again(f);
	INTERVALS(f, "one", SG_EGRESS, "default:169.254.169.254/32", 6, "79-81 sg-web/meta");
	INTERVALS(f, "one", SG_DIR_EXEMPT, "default:169.254.169.254/32", 6, "80-80 exempt");
	INTERVALS(f, "one", SG_DIR_EXEMPT, "default:169.254.169.254/32", 17, "0-65535 exempt");
	INTERVALS(f, "two", SG_DIR_EXEMPT, "default:169.254.169.254/32", 6, "80-80 exempt");
	INTERVALS(f, "one", SG_INGRESS, "default:169.254.169.254/32", 6, "");
	assert_true(image_iface(f->image, "one")->policy->has[SG_EGRESS] & SG_HAS_EXEMPT);
	ports = image_policy_ports(
		image_iface(f->image, "two")->policy, SG_DIR_EXEMPT,
		numbers_find(f->numbers, NUMBER_PEER, "default:169.254.169.254/32"), 6);
	assert_string_equal(numbers_name(f->numbers, NUMBER_EXEMPT, ports->intervals[0].rule),
			    "default:169.254.169.254/6/80-80");
}

static void equal_lists_of_groups_share_a_policy(void **state)
{
	struct compiled *f = *state;

	build_rule(f->model, "default", "sg-a", "a", SG_INGRESS, "tcp 1", "any");
	build_rule(f->model, "default", "sg-b", "b", SG_INGRESS, "tcp 1", "any");
	for (int i = 0; i < 10; i++) {
		g_autofree char *id = g_strdup_printf("vm-%d", i);

		build_interface(f->model, "default", id, "tap", "10.0.0.1",
				i < 5 ? "sg-a sg-b" : "sg-b sg-a");
	}
	compiled_again(f);
	/* The order decides which rule is named, so the two lists differ. */
	assert_int_equal(g_hash_table_size(f->image->policies), 2);
	assert_ptr_equal(image_iface(f->image, "vm-0")->policy,
			 image_iface(f->image, "vm-4")->policy);
	assert_ptr_equal(
		image_policy_by_number(f->image, image_iface(f->image, "vm-9")->policy->number),
		image_iface(f->image, "vm-5")->policy);
	INTERVALS(f, "vm-0", SG_INGRESS, "any", 6, "1-1 sg-a/a");
	INTERVALS(f, "vm-5", SG_INGRESS, "any", 6, "1-1 sg-b/b");
}

/* ---------------------------------------------------------------- members and prefixes */

static void unreferenced_groups_cost_nothing(void **state)
{
	struct compiled *f = *state;

	build_rule(f->model, "default", "sg-web", "a", SG_INGRESS, "tcp", "sg-app 192.0.2.0/24");
	build_interface(f->model, "default", "app", "tap0", "10.0.0.1 fd00::1",
			"sg-x sg-app sg-y sg-z");
	build_interface(f->model, "default", "web", "tap1", "10.0.0.2", "sg-web");
	build_group(f->model, "default", "sg-x");
	build_group(f->model, "default", "sg-y");
	build_group(f->model, "default", "sg-app");
	compiled_again(f);
	MEMBER(f, "default", "10.0.0.1", "default:sg-app");
	MEMBER(f, "default", "fd00::1", "default:sg-app");
	MEMBER(f, "default", "10.0.0.2", "");
	assert_int_equal(compiled_members(f->image), 2);
	assert_int_equal(g_hash_table_size(f->image->sets), 0);
	assert_int_equal(numbers_find(f->numbers, NUMBER_PEER, "default:sg-x"), 0);
	assert_int_equal(compiled_prefixes(f->image), 1);
}

static void prefixes_carry_those_around_them(void **state)
{
	struct compiled *f = *state;

	build_prefix_list(f->model, "default", "pl-x", "10.0.0.0/8 10.1.2.0/24 2001:db8::/32");
	build_rule(f->model, "default", "sg-a", "a", SG_INGRESS, "tcp",
		   "0.0.0.0/0 10.1.0.0/16 10.1.2.3/32 pl-x ::/0");
	build_rule(f->model, "default", "sg-a", "b", SG_INGRESS, "udp",
		   "10.2.0.0/16 10.0.0.0/8 pl-x");
	build_interface(f->model, "default", "web", "tap1", "10.0.0.2", "sg-a");
	compiled_again(f);
	PREFIX(f, "default", "9.0.0.0", "default:0.0.0.0/0");
	PREFIX(f, "default", "10.255.0.1", "default:0.0.0.0/0 default:pl-x default:10.0.0.0/8");
	PREFIX(f, "default", "10.1.0.1",
	       "default:0.0.0.0/0 default:10.1.0.0/16 default:pl-x default:10.0.0.0/8");
	PREFIX(f, "default", "10.1.2.1",
	       "default:0.0.0.0/0 default:10.1.0.0/16 default:pl-x default:10.0.0.0/8");
	PREFIX(f, "default", "10.1.2.3",
	       "default:0.0.0.0/0 default:10.1.0.0/16 default:10.1.2.3/32 default:pl-x default:10.0.0.0/8");
	PREFIX(f, "default", "10.2.9.9",
	       "default:0.0.0.0/0 default:pl-x default:10.2.0.0/16 default:10.0.0.0/8");
	PREFIX(f, "default", "2001:db8::1", "default:pl-x default:::/0");
	PREFIX(f, "default", "2001:db9::1", "default:::/0");
	assert_int_equal(image_iface(f->image, "web")->policy->has[SG_INGRESS], SG_HAS_PREFIX);
}

static void networks_are_apart_unless_they_are_peers(void **state)
{
	struct compiled *f = *state;

	build_rule(f->model, "blue", "sg-web", "a", SG_INGRESS, "tcp", "sg-web");
	build_rule(f->model, "default", "sg-web", "a", SG_INGRESS, "tcp",
		   "sg-web blue:sg-web 10.0.0.0/8");
	g_ptr_array_add(build_network(f->model, "default")->peers, g_strdup("blue"));
	build_interface(f->model, "default", "d", "tap0", "10.0.0.1", "sg-web");
	build_interface(f->model, "blue", "b", "tap1", "10.0.0.1 10.0.0.2", "sg-web");
	build_group(f->model, "blue", "sg-other");
	build_interface(f->model, "blue", "b2", "tap2", "10.0.0.3", "sg-other");
	compiled_again(f);
	MEMBER(f, "default", "10.0.0.1", "blue:sg-web default:sg-web");
	MEMBER(f, "default", "10.0.0.2", "blue:sg-web");
	MEMBER(f, "default", "10.0.0.3", "");
	MEMBER(f, "blue", "10.0.0.1", "blue:sg-web");
	MEMBER(f, "blue", "10.0.0.2", "blue:sg-web");
	PREFIX(f, "default", "10.0.0.2", "default:10.0.0.0/8");
	PREFIX(f, "blue", "10.0.0.2", "");
	assert_int_not_equal(image_iface(f->image, "d")->zone, image_iface(f->image, "b")->zone);
	assert_int_equal(image_iface(f->image, "b")->zone,
			 numbers_find(f->numbers, NUMBER_ZONE, "blue"));
}

static void refuse(struct compiled *f, const char *what)
{
	struct image *image = NULL;
	const struct diag_entry *entry;

	assert_int_equal(compile_image(f->model, f->numbers, NULL, COMPILED_HOST, &image, f->diag),
			 -EINVAL);
	assert_null(image);
	assert_int_equal(f->diag->entries->len, 1);
	entry = g_ptr_array_index(f->diag->entries, 0);
	if (!strstr(entry->message, what))
		fail_msg("\"%s\" does not say \"%s\"", entry->message, what);
	assert_non_null(entry->fix);
}

/* 64 prefixes nest, one in the other; the 65th is refused once, although one more lies inside it.
 */
static void an_address_may_be_in_64_prefixes(void **state)
{
	struct compiled *f = *state;

	for (unsigned int bits = 1; bits <= SG_SET_PEERS; bits++) {
		g_autofree char *id = g_strdup_printf("r%u", bits);
		g_autofree char *cidr = g_strdup_printf("8000::/%u", bits);

		build_rule(f->model, "default", "sg-a", id, SG_INGRESS, "tcp", cidr);
	}
	build_interface(f->model, "default", "vm", "tap0", "10.0.0.1", "sg-a");
	compiled_again(f);
	assert_int_equal(g_hash_table_size(f->image->sets), SG_SET_PEERS - 1);
	build_rule(f->model, "default", "sg-a", "r65", SG_INGRESS, "tcp", "8000::/65");
	build_rule(f->model, "default", "sg-a", "r66", SG_INGRESS, "tcp", "8000::/66");
	refuse(f, "prefix 8000::/65 of network default stands for 65 peers");
	assert_non_null(
		strstr(((struct diag_entry *)g_ptr_array_index(f->diag->entries, 0))->message,
		       "default:8000::/64"));
}

/* An interface of network n with the address, in groups of its network that default refers to. */
static void in_groups(struct compiled *f, const char *network, unsigned int count)
{
	g_autoptr(GString) groups = g_string_new(NULL);

	for (unsigned int i = 0; i < count; i++) {
		g_autofree char *group = g_strdup_printf("sg-%u", i);
		g_autofree char *peer = g_strdup_printf("%s:%s", network, group);
		g_autofree char *rule = g_strdup_printf("%s-%u", network, i);

		build_group(f->model, network, group);
		build_rule(f->model, "default", "sg-a", rule, SG_INGRESS, "tcp", peer);
		g_string_append_printf(groups, "%s%s", i ? " " : "", group);
	}
	build_interface(f->model, network, network, NULL, "10.0.0.1", groups->str);
}

/* Networks that are peers may all have it, with 16 groups each. */
static void an_address_may_be_in_64_groups(void **state)
{
	static const char *const networks[] = {"n1", "n2", "n3", "n4"};
	struct compiled *f = *state;

	for (unsigned int n = 0; n < G_N_ELEMENTS(networks); n++) {
		build_network(f->model, networks[n]);
		g_ptr_array_add(build_network(f->model, "default")->peers, g_strdup(networks[n]));
		in_groups(f, networks[n], SG_SET_PEERS / 4);
	}
	compiled_again(f);
	assert_int_equal(compiled_members(f->image), 1);
	build_rule(f->model, "default", "sg-a", "own", SG_INGRESS, "tcp", "sg-a");
	build_interface(f->model, "default", "vm", NULL, "10.0.0.1", "sg-a");
	refuse(f, "address 10.0.0.1 of network default stands for 65 peers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPILED_TEST(the_first_rule_owns_an_overlap),
		COMPILED_TEST(touching_intervals_of_a_rule_become_one),
		COMPILED_TEST(icmp_types_and_codes_are_intervals),
		COMPILED_TEST(has_says_exactly_what_is_there),
		COMPILED_TEST(external_groups_and_lists_match_nothing),
		COMPILED_TEST(exempt_endpoints_stand_before_the_rules_of_every_policy),
		COMPILED_TEST(equal_lists_of_groups_share_a_policy),
		COMPILED_TEST(unreferenced_groups_cost_nothing),
		COMPILED_TEST(prefixes_carry_those_around_them),
		COMPILED_TEST(networks_are_apart_unless_they_are_peers),
		COMPILED_TEST(an_address_may_be_in_64_prefixes),
		COMPILED_TEST(an_address_may_be_in_64_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
