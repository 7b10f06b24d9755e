/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_compile.c - the shape of the image: intervals, sets, zones, guards, limits; that the same
 * input gives the same image and no new number.
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

#define HOST "here"

struct fixture {
	struct model *model;
	struct numbers *numbers;
	struct image *image;
	struct diag *diag;
};

static int setup(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);

	f->model = model_new();
	f->numbers = numbers_new();
	f->diag = diag_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	image_free(&f->image);
	diag_free(&f->diag);
	numbers_free(&f->numbers);
	model_free(&f->model);
	g_free(f);
	return 0;
}

/* Each image is made from the one before, as in the daemon. */
static void compile(struct fixture *f)
{
	struct image *next = NULL;

	if (compile_image(f->model, f->numbers, f->image, HOST, &next, f->diag) < 0)
		fail_msg("%s",
			 ((struct diag_entry *)g_ptr_array_index(f->diag->entries, 0))->message);
	image_free(&f->image);
	f->image = next;
}

/* ---------------------------------------------------------------- images as text */

static void dump_set(const struct fixture *f, const struct image *image, uint32_t set,
		     GString *text)
{
	const struct image_set *several = image_set_by_number(image, set);

	if (set & SG_SET_SINGLE) {
		g_string_append(text, numbers_name(f->numbers, NUMBER_PEER, set & ~SG_SET_SINGLE));
		return;
	}
	assert_non_null(several);
	assert_in_range(several->peers->len, 2, SG_SET_PEERS);
	for (guint i = 0; i < several->peers->len; i++) {
		uint32_t peer = g_array_index(several->peers, uint32_t, i);

		if (i)
			assert_true(peer > g_array_index(several->peers, uint32_t, i - 1));
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       numbers_name(f->numbers, NUMBER_PEER, peer));
	}
}

static const char *member(const struct fixture *f, const char *network, const char *address)
{
	static char shown[8192];
	struct sg_addr addr = build_addr(address);
	uint32_t set =
		image_find_member(f->image, numbers_find(f->numbers, NUMBER_ZONE, network), &addr);
	g_autoptr(GString) text = g_string_new(NULL);

	if (set)
		dump_set(f, f->image, set, text);
	g_strlcpy(shown, text->str, sizeof(shown));
	return shown;
}

static const char *prefix(const struct fixture *f, const char *network, const char *address)
{
	static char shown[8192];
	struct sg_addr addr = build_addr(address);
	uint32_t set =
		image_find_prefix(f->image, numbers_find(f->numbers, NUMBER_ZONE, network), &addr);
	g_autoptr(GString) text = g_string_new(NULL);

	if (set)
		dump_set(f, f->image, set, text);
	g_strlcpy(shown, text->str, sizeof(shown));
	return shown;
}

/* "22-22 sg-web/ssh, 80-81 sg-web/http" */
static const char *intervals(const struct fixture *f, const char *iface, enum sg_dir dir,
			     const char *peer, uint16_t proto)
{
	static char shown[8192];
	const struct image_ports *ports =
		image_policy_ports(image_iface(f->image, iface)->policy, dir,
				   numbers_find(f->numbers, NUMBER_PEER, peer), proto);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; ports && i < ports->intervals->len; i++) {
		const struct sg_interval *at =
			&g_array_index(ports->intervals, struct sg_interval, i);
		const char *name = image_rule_name(f->image, at->rule);

		g_string_append_printf(text, "%s%u-%u %s", i ? ", " : "", at->first, at->last,
				       name			   ? name
				       : at->rule & SG_RULE_EXEMPT ? "exempt"
								   : "?");
	}
	g_strlcpy(shown, text->str, sizeof(shown));
	return shown;
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every byte that a dataplane would load, numbers included, in sorted lines. */
static char *dump(const struct image *image)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, image->members);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const struct sg_member_key *at = key;
		char text[ADDR_TEXT_SIZE];

		g_ptr_array_add(lines, g_strdup_printf("member %u %s %x", at->zone,
						       addr_format(&at->addr, text),
						       GPOINTER_TO_UINT(value)));
	}
	g_hash_table_iter_init(&iter, image->prefixes);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const struct sg_prefix_key *at = key;
		struct sg_addr addr;
		char text[ADDR_TEXT_SIZE];

		memcpy(addr.b, at->addr, sizeof(addr.b));
		g_ptr_array_add(lines, g_strdup_printf("prefix %u %s/%u %x", at->space,
						       addr_format(&addr, text), at->prefixlen,
						       GPOINTER_TO_UINT(value)));
	}
	g_hash_table_iter_init(&iter, image->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_set *set = value;
		GString *line = g_string_new(NULL);

		g_string_printf(line, "set %u", set->number);
		for (guint i = 0; i < set->peers->len; i++)
			g_string_append_printf(line, " %u", g_array_index(set->peers, uint32_t, i));
		g_ptr_array_add(lines, g_string_free(line, FALSE));
	}
	g_hash_table_iter_init(&iter, image->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_policy *policy = value;
		g_autofree char *content = g_compute_checksum_for_data(
			G_CHECKSUM_SHA256, (const guchar *)policy->content, policy->content_length);

		g_ptr_array_add(lines, g_strdup_printf("policy %u %x %x %s", policy->number,
						       policy->has[0], policy->has[1], content));
	}
	g_hash_table_iter_init(&iter, image->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_iface *iface = value;

		g_ptr_array_add(
			lines,
			g_strdup_printf("iface %s slot %u zone %u policy %u flags %x guards %u",
					iface->id, iface->slot, iface->zone, iface->policy->number,
					iface->flags, iface->guards->len));
	}
	g_hash_table_iter_init(&iter, image->rule_names);
	while (g_hash_table_iter_next(&iter, &key, &value))
		g_ptr_array_add(
			lines, g_strdup_printf("rule %u %s", GPOINTER_TO_UINT(key), (char *)value));
	g_ptr_array_sort(lines, compare_lines);
	g_ptr_array_add(lines, NULL);
	return g_strjoinv("\n", (char **)lines->pdata);
}

/* ---------------------------------------------------------------- rules */

static void the_first_rule_owns_an_overlap(void **state)
{
	struct fixture *f = *state;

	build_rule(f->model, "default", "sg-web", "mid", SG_INGRESS, "tcp 100-200", "any");
	build_rule(f->model, "default", "sg-web", "wide", SG_INGRESS, "tcp 50-150,180-300", "any");
	build_rule(f->model, "default", "sg-b", "all", SG_INGRESS, "tcp", "any");
	build_rule(f->model, "default", "sg-b", "never", SG_INGRESS, "tcp 60-250", "any");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-web");
	build_interface(f->model, "default", "two", "tap1", "10.0.0.2", "sg-web sg-b");
	build_interface(f->model, "default", "other", "tap2", "10.0.0.3", "sg-b sg-web");
	compile(f);
	assert_string_equal(intervals(f, "one", SG_INGRESS, "any", 6),
			    "50-99 sg-web/wide, 100-200 sg-web/mid, 201-300 sg-web/wide");
	assert_string_equal(
		intervals(f, "two", SG_INGRESS, "any", 6),
		"0-49 sg-b/all, 50-99 sg-web/wide, 100-200 sg-web/mid, 201-300 sg-web/wide, "
		"301-65535 sg-b/all");
	assert_string_equal(intervals(f, "other", SG_INGRESS, "any", 6), "0-65535 sg-b/all");
	assert_string_equal(intervals(f, "one", SG_EGRESS, "any", 6), "");
	assert_string_equal(intervals(f, "one", SG_INGRESS, "any", 17), "");
}

static void touching_intervals_of_a_rule_become_one(void **state)
{
	struct fixture *f = *state;

	build_rule(f->model, "default", "sg-web", "a", SG_INGRESS, "tcp 5,3-4,6,1,65535,65534",
		   "any");
	build_rule(f->model, "default", "sg-web", "b", SG_INGRESS, "tcp 2,7", "any");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-web");
	compile(f);
	assert_string_equal(
		intervals(f, "one", SG_INGRESS, "any", 6),
		"1-1 sg-web/a, 2-2 sg-web/b, 3-6 sg-web/a, 7-7 sg-web/b, 65534-65535 sg-web/a");
}

static void icmp_types_and_codes_are_intervals(void **state)
{
	struct fixture *f = *state;

	build_rule(f->model, "default", "sg-web", "ping", SG_INGRESS, "icmp 8/0", "any");
	build_rule(f->model, "default", "sg-web", "unreachable", SG_INGRESS, "icmp 3", "any");
	build_rule(f->model, "default", "sg-web", "v6", SG_INGRESS, "icmpv6", "any");
	build_rule(f->model, "default", "sg-web", "number", SG_INGRESS, "47", "any");
	build_rule(f->model, "default", "sg-web", "six", SG_INGRESS, "6 1", "any");
	build_rule(f->model, "default", "sg-web", "last", SG_INGRESS, "icmp 255/255", "any");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-web");
	compile(f);
	assert_string_equal(
		intervals(f, "one", SG_INGRESS, "any", 1),
		"768-1023 sg-web/unreachable, 2048-2048 sg-web/ping, 65535-65535 sg-web/last");
	assert_string_equal(intervals(f, "one", SG_INGRESS, "any", 58), "0-65535 sg-web/v6");
	assert_string_equal(intervals(f, "one", SG_INGRESS, "any", 47), "0-65535 sg-web/number");
	assert_string_equal(intervals(f, "one", SG_INGRESS, "any", 6), "1-1 sg-web/six");
}

static void has_says_exactly_what_is_there(void **state)
{
	struct fixture *f = *state;

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
	compile(f);
	for (int i = 1; i <= 5; i++) {
		static const uint8_t ingress[] = {0, SG_HAS_ANY, SG_HAS_GROUP, 0, 0, 0};
		static const uint8_t egress[] = {0, 0, 0, SG_HAS_PREFIX | SG_HAS_ALL, SG_HAS_PREFIX,
						 0};
		g_autofree char *id = g_strdup_printf("%d", i);
		const struct image_policy *policy = image_iface(f->image, id)->policy;

		assert_int_equal(policy->has[SG_INGRESS], ingress[i]);
		assert_int_equal(policy->has[SG_EGRESS], egress[i]);
	}
	assert_int_equal(image_iface(f->image, "5")->policy->entries->len, 0);
}

static void external_groups_and_lists_match_nothing(void **state)
{
	struct fixture *f = *state;

	build_prefix_list(f->model, "default", "pl-ext", "")->external = true;
	build_rule(f->model, "default", "sg-ext", "a", SG_INGRESS, "all", "any");
	build_group(f->model, "default", "sg-ext")->external = true;
	build_rule(f->model, "default", "sg-web", "a", SG_INGRESS, "all", "sg-ext pl-ext");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-web sg-ext");
	compile(f);
	assert_int_equal(image_iface(f->image, "one")->policy->entries->len, 0);
	assert_string_equal(member(f, "default", "10.0.0.1"), "");
	assert_int_equal(numbers_find(f->numbers, NUMBER_PEER, "default:sg-ext"), 0);
}

static void exempt_endpoints_own_overlaps_in_every_policy(void **state)
{
	struct fixture *f = *state;
	const struct image_ports *ports;

	build_exempt(f->model, "default", "169.254.169.254", "tcp 80");
	build_exempt(f->model, "default", "169.254.169.254", "udp");
	build_rule(f->model, "default", "sg-web", "meta", SG_EGRESS, "tcp 79-81",
		   "169.254.169.254/32");
	build_interface(f->model, "default", "one", "tap0", "10.0.0.1", "sg-web");
	build_interface(f->model, "default", "two", "tap1", "10.0.0.2", "sg-default");
	compile(f);
	assert_string_equal(intervals(f, "one", SG_EGRESS, "default:169.254.169.254/32", 6),
			    "79-79 sg-web/meta, 80-80 exempt, 81-81 sg-web/meta");
	assert_string_equal(intervals(f, "one", SG_EGRESS, "default:169.254.169.254/32", 17),
			    "0-65535 exempt");
	assert_string_equal(intervals(f, "two", SG_EGRESS, "default:169.254.169.254/32", 6),
			    "80-80 exempt");
	assert_string_equal(intervals(f, "one", SG_INGRESS, "default:169.254.169.254/32", 6), "");
	assert_true(image_iface(f->image, "one")->policy->has[SG_EGRESS] & SG_HAS_PREFIX);
	ports = image_policy_ports(
		image_iface(f->image, "two")->policy, SG_EGRESS,
		numbers_find(f->numbers, NUMBER_PEER, "default:169.254.169.254/32"), 6);
	assert_string_equal(
		numbers_name(f->numbers, NUMBER_EXEMPT,
			     g_array_index(ports->intervals, struct sg_interval, 0).rule),
		"default:169.254.169.254/6/80-80");
}

static void equal_lists_of_groups_share_a_policy(void **state)
{
	struct fixture *f = *state;

	build_rule(f->model, "default", "sg-a", "a", SG_INGRESS, "tcp 1", "any");
	build_rule(f->model, "default", "sg-b", "b", SG_INGRESS, "tcp 1", "any");
	for (int i = 0; i < 10; i++) {
		g_autofree char *id = g_strdup_printf("vm-%d", i);

		build_interface(f->model, "default", id, "tap", "10.0.0.1",
				i < 5 ? "sg-a sg-b" : "sg-b sg-a");
	}
	compile(f);
	/* The order decides which rule is named, so the two lists differ. */
	assert_int_equal(g_hash_table_size(f->image->policies), 2);
	assert_ptr_equal(image_iface(f->image, "vm-0")->policy,
			 image_iface(f->image, "vm-4")->policy);
	assert_ptr_equal(
		image_policy_by_number(f->image, image_iface(f->image, "vm-9")->policy->number),
		image_iface(f->image, "vm-5")->policy);
	assert_string_equal(intervals(f, "vm-0", SG_INGRESS, "any", 6), "1-1 sg-a/a");
	assert_string_equal(intervals(f, "vm-5", SG_INGRESS, "any", 6), "1-1 sg-b/b");
}

/* ---------------------------------------------------------------- members and prefixes */

static void unreferenced_groups_cost_nothing(void **state)
{
	struct fixture *f = *state;

	build_rule(f->model, "default", "sg-web", "a", SG_INGRESS, "tcp", "sg-app 192.0.2.0/24");
	build_interface(f->model, "default", "app", "tap0", "10.0.0.1 fd00::1",
			"sg-x sg-app sg-y sg-z");
	build_interface(f->model, "default", "web", "tap1", "10.0.0.2", "sg-web");
	build_group(f->model, "default", "sg-x");
	build_group(f->model, "default", "sg-y");
	build_group(f->model, "default", "sg-app");
	compile(f);
	assert_string_equal(member(f, "default", "10.0.0.1"), "default:sg-app");
	assert_string_equal(member(f, "default", "fd00::1"), "default:sg-app");
	assert_string_equal(member(f, "default", "10.0.0.2"), "");
	assert_int_equal(g_hash_table_size(f->image->members), 2);
	assert_int_equal(g_hash_table_size(f->image->sets), 0);
	assert_int_equal(numbers_find(f->numbers, NUMBER_PEER, "default:sg-x"), 0);
	assert_int_equal(g_hash_table_size(f->image->prefixes), 1);
}

static void prefixes_carry_those_around_them(void **state)
{
	struct fixture *f = *state;

	build_prefix_list(f->model, "default", "pl-x", "10.0.0.0/8 10.1.2.0/24 2001:db8::/32");
	build_rule(f->model, "default", "sg-a", "a", SG_INGRESS, "tcp",
		   "0.0.0.0/0 10.1.0.0/16 10.1.2.3/32 pl-x ::/0");
	build_rule(f->model, "default", "sg-a", "b", SG_INGRESS, "udp",
		   "10.2.0.0/16 10.0.0.0/8 pl-x");
	build_interface(f->model, "default", "web", "tap1", "10.0.0.2", "sg-a");
	compile(f);
	assert_string_equal(prefix(f, "default", "9.0.0.0"), "default:0.0.0.0/0");
	assert_string_equal(prefix(f, "default", "10.255.0.1"),
			    "default:0.0.0.0/0 default:pl-x default:10.0.0.0/8");
	assert_string_equal(
		prefix(f, "default", "10.1.0.1"),
		"default:0.0.0.0/0 default:10.1.0.0/16 default:pl-x default:10.0.0.0/8");
	assert_string_equal(
		prefix(f, "default", "10.1.2.1"),
		"default:0.0.0.0/0 default:10.1.0.0/16 default:pl-x default:10.0.0.0/8");
	assert_string_equal(
		prefix(f, "default", "10.1.2.3"),
		"default:0.0.0.0/0 default:10.1.0.0/16 default:10.1.2.3/32 default:pl-x default:10.0.0.0/8");
	assert_string_equal(
		prefix(f, "default", "10.2.9.9"),
		"default:0.0.0.0/0 default:pl-x default:10.2.0.0/16 default:10.0.0.0/8");
	assert_string_equal(prefix(f, "default", "2001:db8::1"), "default:pl-x default:::/0");
	assert_string_equal(prefix(f, "default", "2001:db9::1"), "default:::/0");
	assert_int_equal(image_iface(f->image, "web")->policy->has[SG_INGRESS], SG_HAS_PREFIX);
}

static void networks_are_apart_unless_they_are_peers(void **state)
{
	struct fixture *f = *state;

	build_rule(f->model, "blue", "sg-web", "a", SG_INGRESS, "tcp", "sg-web");
	build_rule(f->model, "default", "sg-web", "a", SG_INGRESS, "tcp",
		   "sg-web blue:sg-web 10.0.0.0/8");
	g_ptr_array_add(build_network(f->model, "default")->peers, g_strdup("blue"));
	build_interface(f->model, "default", "d", "tap0", "10.0.0.1", "sg-web");
	build_interface(f->model, "blue", "b", "tap1", "10.0.0.1 10.0.0.2", "sg-web");
	build_group(f->model, "blue", "sg-other");
	build_interface(f->model, "blue", "b2", "tap2", "10.0.0.3", "sg-other");
	compile(f);
	assert_string_equal(member(f, "default", "10.0.0.1"), "blue:sg-web default:sg-web");
	assert_string_equal(member(f, "default", "10.0.0.2"), "blue:sg-web");
	assert_string_equal(member(f, "default", "10.0.0.3"), "");
	assert_string_equal(member(f, "blue", "10.0.0.1"), "blue:sg-web");
	assert_string_equal(member(f, "blue", "10.0.0.2"), "blue:sg-web");
	assert_string_equal(prefix(f, "default", "10.0.0.2"), "default:10.0.0.0/8");
	assert_string_equal(prefix(f, "blue", "10.0.0.2"), "");
	assert_int_not_equal(image_iface(f->image, "d")->zone, image_iface(f->image, "b")->zone);
	assert_int_equal(image_iface(f->image, "b")->zone,
			 numbers_find(f->numbers, NUMBER_ZONE, "blue"));
}

static void refuse(struct fixture *f, const char *what)
{
	struct image *image = NULL;
	const struct diag_entry *entry;

	assert_int_equal(compile_image(f->model, f->numbers, NULL, HOST, &image, f->diag), -EINVAL);
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
	struct fixture *f = *state;

	for (unsigned int bits = 1; bits <= SG_SET_PEERS; bits++) {
		g_autofree char *id = g_strdup_printf("r%u", bits);
		g_autofree char *cidr = g_strdup_printf("8000::/%u", bits);

		build_rule(f->model, "default", "sg-a", id, SG_INGRESS, "tcp", cidr);
	}
	build_interface(f->model, "default", "vm", "tap0", "10.0.0.1", "sg-a");
	compile(f);
	assert_int_equal(g_hash_table_size(f->image->sets), SG_SET_PEERS - 1);
	build_rule(f->model, "default", "sg-a", "r65", SG_INGRESS, "tcp", "8000::/65");
	build_rule(f->model, "default", "sg-a", "r66", SG_INGRESS, "tcp", "8000::/66");
	refuse(f, "prefix 8000::/65 of network default stands for 65 peers");
	assert_non_null(
		strstr(((struct diag_entry *)g_ptr_array_index(f->diag->entries, 0))->message,
		       "default:8000::/64"));
}

static void an_address_may_be_in_64_groups(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < SG_SET_PEERS; i++) {
		g_autofree char *group = g_strdup_printf("sg-%u", i);
		g_autofree char *vm = g_strdup_printf("vm-%u", i);

		build_group(f->model, "default", group);
		build_rule(f->model, "default", "sg-a", vm, SG_INGRESS, "tcp", group);
		build_interface(f->model, "default", vm, NULL, "10.0.0.1", group);
	}
	compile(f);
	assert_int_equal(g_hash_table_size(f->image->sets), 1);
	build_rule(f->model, "default", "sg-a", "own", SG_INGRESS, "tcp", "sg-a");
	build_interface(f->model, "default", "vm", NULL, "10.0.0.1", "sg-a");
	refuse(f, "address 10.0.0.1 of network default stands for 65 peers");
}

/* ---------------------------------------------------------------- numbers that stay */

static void fill(struct model *model, bool backwards)
{
	static const char *const groups[] = {"sg-a", "sg-b", "sg-c", "sg-d", "sg-e", "sg-f"};
	int count = (int)G_N_ELEMENTS(groups);

	build_prefix_list(model, "default", "pl-x", "10.0.0.0/8 192.0.2.0/24");
	for (int i = 0; i < count; i++) {
		int at = backwards ? count - 1 - i : i;

		build_rule(model, "default", groups[at], "r", SG_INGRESS, "tcp 1-9", "any");
		build_rule(model, "default", groups[at], "s", SG_INGRESS, "udp 53",
			   groups[(at + 1) % count]);
		build_rule(model, "default", groups[at], "t", SG_EGRESS, "all", "pl-x 10.1.0.0/16");
	}
	for (int i = 0; i < 40; i++) {
		int at = backwards ? 39 - i : i;
		g_autofree char *id = g_strdup_printf("vm-%d", at);
		g_autofree char *addresses = g_strdup_printf("10.0.0.%d fd00::%d", at, at);
		g_autofree char *carried =
			g_strdup_printf("%s %s", groups[at % 6], groups[(at + 2) % 6]);

		build_interface(model, "default", id, "tap", addresses, carried);
	}
}

static void cleanup_string(char **text)
{
	g_free(*text);
}

static void compiling_again_gives_the_same_image_and_no_number(void **state)
{
	struct fixture *f = *state;
	CLEANUP(cleanup_string) char *first = NULL;
	CLEANUP(cleanup_string) char *second = NULL;
	AUTO_JSON json_t *before = NULL;
	AUTO_JSON json_t *after = NULL;

	fill(f->model, false);
	compile(f);
	first = dump(f->image);
	before = numbers_to_json(f->numbers);
	compile(f);
	second = dump(f->image);
	after = numbers_to_json(f->numbers);
	assert_string_equal(first, second);
	assert_true(json_equal(before, after));
}

static void the_order_of_objects_does_not_matter(void **state)
{
	struct fixture *f = *state;
	struct fixture other = {.model = model_new(), .numbers = numbers_new(), .diag = diag_new()};
	CLEANUP(cleanup_string) char *first = NULL;
	CLEANUP(cleanup_string) char *second = NULL;

	fill(f->model, false);
	compile(f);
	fill(other.model, true);
	compile(&other);
	first = dump(f->image);
	second = dump(other.image);
	assert_string_equal(first, second);
	image_free(&other.image);
	numbers_free(&other.numbers);
	model_free(&other.model);
	diag_free(&other.diag);
}

static void a_change_renews_only_what_it_touches(void **state)
{
	struct fixture *f = *state;
	uint32_t touched, untouched, rule, set;
	struct sg_addr addr = build_addr("10.0.0.9");

	fill(f->model, false);
	build_rule(f->model, "default", "sg-z", "r", SG_INGRESS, "tcp 1", "any");
	build_interface(f->model, "default", "z", "tapz", "10.9.0.1", "sg-z");
	compile(f);
	touched = image_iface(f->image, "z")->policy->number;
	untouched = image_iface(f->image, "vm-1")->policy->number;
	set = image_find_member(f->image, 1, &addr);
	rule = numbers_find(f->numbers, NUMBER_RULE, "default:ingress:sg-z/r");
	assert_string_equal(image_rule_name(f->image, rule), "sg-z/r");
	g_ptr_array_set_size(model_group(f->model, "default", "sg-z")->rules[SG_INGRESS], 0);
	build_rule(f->model, "default", "sg-z", "r", SG_INGRESS, "tcp 2", "any");
	compile(f);
	assert_true(image_iface(f->image, "z")->policy->number > touched);
	assert_int_equal(image_iface(f->image, "vm-1")->policy->number, untouched);
	assert_int_equal(image_find_member(f->image, 1, &addr), set);
	/* The rule has its name still, so its counters go on. */
	assert_int_equal(numbers_find(f->numbers, NUMBER_RULE, "default:ingress:sg-z/r"), rule);
	/* A content that was there long ago does not get its old number back. */
	touched = image_iface(f->image, "z")->policy->number;
	g_ptr_array_set_size(model_group(f->model, "default", "sg-z")->rules[SG_INGRESS], 0);
	build_rule(f->model, "default", "sg-z", "r", SG_INGRESS, "tcp 1", "any");
	compile(f);
	assert_true(image_iface(f->image, "z")->policy->number > touched);
}

/* ---------------------------------------------------------------- interfaces */

static void only_interfaces_of_this_host_are_attached(void **state)
{
	struct fixture *f = *state;
	struct image *all = NULL;

	build_interface(f->model, "default", "open", "tap0", "10.0.0.1", "sg-default");
	build_interface(f->model, "default", "ours", "tap1", "10.0.0.2", "sg-default")->host =
		g_strdup(HOST);
	build_interface(f->model, "default", "theirs", "tap2", "10.0.0.3", "sg-default")->host =
		g_strdup("there");
	build_interface(f->model, "default", "member", NULL, "10.0.0.4", "sg-default");
	compile(f);
	assert_non_null(image_iface(f->image, "open"));
	assert_non_null(image_iface(f->image, "ours"));
	assert_null(image_iface(f->image, "theirs"));
	assert_null(image_iface(f->image, "member"));
	assert_int_not_equal(image_iface(f->image, "open")->slot,
			     image_iface(f->image, "ours")->slot);
	assert_string_equal(member(f, "default", "10.0.0.3"), "default:sg-default");
	assert_string_equal(member(f, "default", "10.0.0.4"), "default:sg-default");
	assert_int_equal(compile_image(f->model, f->numbers, NULL, NULL, &all, f->diag), 0);
	assert_int_equal(g_hash_table_size(all->ifaces), 4);
	assert_int_equal(numbers_find(f->numbers, NUMBER_SLOT, "theirs"), 0);
	image_free(&all);
}

static void an_interface_is_compiled_with_everything_it_says(void **state)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, 1};
	struct fixture *f = *state;
	struct model_interface *iface =
		build_interface(f->model, "default", "vm", "tap0",
				"fd00::5 10.0.0.5 10.0.0.6 fd00::6", "sg-default");
	const struct image_iface *compiled;
	struct sg_addr first4 = build_addr("10.0.0.5"), first6 = build_addr("fd00::5");
	uint16_t vlan = 7;

	iface->has_mac = true;
	memcpy(iface->mac, mac, sizeof(mac));
	iface->hook = MODEL_HOOK_TCX;
	iface->conntrack.udp = 31;
	g_array_append_val(iface->vlans, vlan);
	build_interface(f->model, "default", "bare", "tap1", "10.0.0.7", "sg-default")
		->spoof_guard = false;
	compile(f);
	compiled = image_iface(f->image, "vm");
	assert_string_equal(compiled->device, "tap0");
	assert_int_equal(compiled->flags, SG_IF_SPOOF_GUARD | SG_IF_CHECK_MAC | SG_IF_VLANS);
	assert_memory_equal(compiled->mac, mac, 6);
	assert_true(addr_equal(&compiled->addr4, &first4));
	assert_true(addr_equal(&compiled->addr6, &first6));
	assert_int_equal(compiled->hook, MODEL_HOOK_TCX);
	assert_int_equal(compiled->conntrack.udp, 31);
	assert_int_equal(compiled->conntrack.max_flows, MODEL_DEFAULT_MAX_FLOWS);
	assert_int_equal(g_array_index(compiled->vlans, uint16_t, 0), 7);
	compiled = image_iface(f->image, "bare");
	assert_int_equal(compiled->flags, 0);
	assert_true(addr_equal(&compiled->addr6, &(struct sg_addr){0}));
}

static void guards_have_the_bits_of_those_around_them(void **state)
{
	static const struct {
		const char *cidr;
		uint32_t bits;
	} wanted[] = {
		{"::/0", SG_GUARD_ALLOWED},
		{"0.0.0.0/0", SG_GUARD_HOLE}, /* sorted where IPv4 lies in 128 bits */
		{"10.0.0.0/8", SG_GUARD_ALLOWED},
		{"10.0.0.5/32", SG_GUARD_OWN | SG_GUARD_ALLOWED},
		{"192.0.2.1/32", SG_GUARD_OWN},
		{"fd00::5/128", SG_GUARD_OWN | SG_GUARD_ALLOWED},
	};
	struct fixture *f = *state;
	struct model_interface *iface = build_interface(f->model, "default", "vm", "tap0",
							"fd00::5 10.0.0.5 192.0.2.1", "sg-default");
	struct cidr ten = build_cidr("10.0.0.0/8"), same = build_cidr("10.0.0.5/32"),
		    all_v6 = build_cidr("::/0");
	const GArray *guards;

	g_array_append_val(iface->allowed, same);
	g_array_append_val(iface->allowed, ten);
	g_array_append_val(iface->allowed, all_v6);
	compile(f);
	guards = image_iface(f->image, "vm")->guards;
	assert_int_equal(guards->len, G_N_ELEMENTS(wanted));
	for (guint i = 0; i < guards->len; i++) {
		const struct image_guard *guard = &g_array_index(guards, struct image_guard, i);
		struct cidr cidr = build_cidr(wanted[i].cidr);

		assert_int_equal(cidr_compare(&guard->cidr, &cidr), 0);
		assert_int_equal(guard->bits, wanted[i].bits);
	}
}

static void guards_need_a_hole_only_around_ipv4(void **state)
{
	static const struct {
		const char *allowed;
		bool hole;
	} cases[] = {{"2001:db8::/32", false}, {"::/80", true},		{"::/81", false},
		     {"::8000:0:0/81", true},  {"::fffe:0:0/95", true}, {"::fffc:0:0/95", false},
		     {"10.0.0.0/8", false},    {"0.0.0.0/0", false}};
	struct fixture *f = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *id = g_strdup_printf("vm-%zu", i);
		struct model_interface *iface =
			build_interface(f->model, "default", id, "tap0", "192.0.2.1", "sg-default");
		struct cidr allowed = build_cidr(cases[i].allowed);
		bool found = false;

		g_array_append_val(iface->allowed, allowed);
		compile(f);
		for (guint j = 0; j < image_iface(f->image, id)->guards->len; j++)
			found |= g_array_index(image_iface(f->image, id)->guards,
					       struct image_guard, j)
					 .bits == SG_GUARD_HOLE;
		if (found != cases[i].hole)
			fail_msg("%s: %s", cases[i].allowed, found ? "a hole" : "no hole");
	}
}

static void a_host_has_4096_slots(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < SG_MAX_SLOTS; i++) {
		g_autofree char *id = g_strdup_printf("vm-%04u", i);

		build_interface(f->model, "default", id, "tap", "10.0.0.1", "sg-default");
	}
	compile(f);
	assert_int_equal(g_hash_table_size(f->image->ifaces), SG_MAX_SLOTS);
	build_interface(f->model, "default", "vm-last", "tap", "10.0.0.1", "sg-default");
	refuse(f, "interface vm-last");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_first_rule_owns_an_overlap),
		TEST(touching_intervals_of_a_rule_become_one),
		TEST(icmp_types_and_codes_are_intervals),
		TEST(has_says_exactly_what_is_there),
		TEST(external_groups_and_lists_match_nothing),
		TEST(exempt_endpoints_own_overlaps_in_every_policy),
		TEST(equal_lists_of_groups_share_a_policy),
		TEST(unreferenced_groups_cost_nothing),
		TEST(prefixes_carry_those_around_them),
		TEST(networks_are_apart_unless_they_are_peers),
		TEST(an_address_may_be_in_64_prefixes),
		TEST(an_address_may_be_in_64_groups),
		TEST(compiling_again_gives_the_same_image_and_no_number),
		TEST(the_order_of_objects_does_not_matter),
		TEST(a_change_renews_only_what_it_touches),
		TEST(only_interfaces_of_this_host_are_attached),
		TEST(an_interface_is_compiled_with_everything_it_says),
		TEST(guards_have_the_bits_of_those_around_them),
		TEST(guards_need_a_hole_only_around_ipv4),
		TEST(a_host_has_4096_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
