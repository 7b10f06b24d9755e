/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hints.c - the table in front of the members': who is in it and when, what the programs make
 * of it, and that it never says anything else than the members' own table.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <string.h>

#include "rulesd/bpf_internal.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/plane.h"

#define GROUPS                                                                                       \
	"{\"version\":1,\"groups\":{\"sg-a\":{},\"sg-b\":{},\"sg-web\":{\"ingress\":[{\"protocol\":" \
	"\"tcp\",\"ports\":[443],\"from\":[\"sg-a\"]},{\"protocol\":\"tcp\",\"ports\":[22],"         \
	"\"from\":[\"sg-b\"]}]}},\"interfaces\":{\"vm\":{\"device\":\"tap0\",\"addresses\":"         \
	"[\"10.0.0.5\"],\"groups\":[\"sg-web\"]}"
#define MEMBER(id, address, groups) \
	",\"" id "\":{\"addresses\":[\"" address "\"],\"groups\":[" groups "]}"
#define A  MEMBER("a", "10.0.1.1", "\"sg-a\"")
#define B  MEMBER("a", "10.0.1.1", "\"sg-b\"")
#define AB MEMBER("a", "10.0.1.1", "\"sg-a\",\"sg-b\"")
#define A6 MEMBER("six", "fd00::9", "\"sg-a\"")

static void apply(struct plane *plane, const char *policy)
{
	if (plane_apply(plane, policy, false))
		fail_msg("%s", plane->error);
}

static struct tap *start(struct plane *plane, struct tap **vm, const char *policy)
{
	struct dataplane_attachment attachment = {};
	struct tap *neighbour = plane_bridge(vm, false);

	apply(plane, policy);
	if (plane_attach(plane, "vm", *vm, &attachment))
		fail_msg("%s", plane->error);
	return neighbour;
}

static struct sg_member_key key_of(struct plane *plane, const char *address)
{
	struct sg_member_key key = {
		.addr.w = {0, 0, htonl(0xffff), inet_addr(address)},
		.zone = numbers_find(plane->numbers, NUMBER_ZONE, "default"),
	};

	return key;
}

static uint32_t hint(struct plane *plane, const char *address)
{
	struct sg_member_key key = key_of(plane, address);

	return hints_find(plane->dataplane, &key);
}

static uint32_t held(struct plane *plane, const char *address)
{
	struct sg_member_key key = key_of(plane, address);
	struct sg_version version;

	if (table_lookup(plane->dataplane, TABLE_MEMBERS, &key, &version))
		return 0;
	return version_value(&version, dataplane_generation(plane->dataplane));
}

static bool lets_in(const struct tap *vm, const struct tap *neighbour, const char *from,
		    unsigned int port, bool expected)
{
	static unsigned int next = 4000;
	g_autofree char *text =
		g_strdup_printf("tcp %s:%u > 10.0.0.5:%u S seq=1 smac=9", from, next++, port);

	return plane_arrives(neighbour, vm, text, expected);
}

/* ------------------------------------------------------------------ when */

static void members_are_in_it_while_nothing_changes(void **state)
{
	struct plane *plane = *state;
	struct tap *vm, *neighbour = start(plane, &vm, GROUPS A A6 "}}");

	plane_settle(plane);
	assert_int_not_equal(held(plane, "10.0.1.1"), 0);
	assert_int_equal(hint(plane, "10.0.1.1"), held(plane, "10.0.1.1"));
	assert_int_equal(hint(plane, "10.0.1.2"), 0);
	assert_true(lets_in(vm, neighbour, "10.0.1.1", 443, true));
	/* At once when it changes, and again when that is settled. */
	apply(plane, GROUPS B A6 "}}");
	assert_int_equal(hint(plane, "10.0.1.1"), 0);
	assert_false(lets_in(vm, neighbour, "10.0.1.1", 443, false));
	assert_true(lets_in(vm, neighbour, "10.0.1.1", 22, true));
	plane_settle(plane);
	assert_int_equal(hint(plane, "10.0.1.1"), held(plane, "10.0.1.1"));
	assert_true(lets_in(vm, neighbour, "10.0.1.1", 22, true));
	apply(plane, GROUPS AB A6 "}}");
	assert_int_equal(hint(plane, "10.0.1.1"), 0);
	plane_settle(plane);
	assert_int_equal(hint(plane, "10.0.1.1"), held(plane, "10.0.1.1"));
	assert_true(lets_in(vm, neighbour, "10.0.1.1", 443, true));
	apply(plane, GROUPS A6 "}}");
	assert_int_equal(hint(plane, "10.0.1.1"), 0);
	assert_false(lets_in(vm, neighbour, "10.0.1.1", 443, false));
	plane_settle(plane);
	assert_int_equal(hint(plane, "10.0.1.1"), 0);
	assert_int_equal(plane->dataplane->hinting.count, 0);
}

static int fail_prefixes(enum bpf_call call, const char *object, void *arg)
{
	(void)arg;
	return call == CALL_MAP_UPDATE && !strcmp(object, SG_MAP_PEERGONE) ? -EIO : 0;
}

static void a_change_that_fails_leaves_nothing_wrong_in_it(void **state)
{
	struct plane *plane = *state;
	struct tap *vm, *neighbour = start(plane, &vm, GROUPS AB "}}");

	plane_settle(plane);
	bpf_fault_set(fail_prefixes, NULL);
	assert_int_equal(plane_apply(plane, GROUPS B "}}", false), -EIO);
	bpf_fault_set(NULL, NULL);
	assert_int_equal(hint(plane, "10.0.1.1"), 0);
	plane_settle(plane);
	assert_true(lets_in(vm, neighbour, "10.0.1.1", 443, true));
	assert_true(!hint(plane, "10.0.1.1") || hint(plane, "10.0.1.1") == held(plane, "10.0.1.1"));
}

/* ------------------------------------------------------------------ what the programs make of it
 */

static void the_programs_believe_it_and_a_start_does_not(void **state)
{
	struct plane *plane = *state;
	struct tap *vm, *neighbour = start(plane, &vm, GROUPS A "}}");
	struct sg_member_key key = key_of(plane, "10.0.1.2");
	uint64_t who = SG_HINT_WHO(key.zone, key.addr.w[3]);
	struct sg_hints *hints = &plane->dataplane->hinting.at[SG_HINT_BUCKET(who)];

	plane_settle(plane);
	assert_false(lets_in(vm, neighbour, "10.0.1.2", 443, false));
	hints->who[SG_HINTS - 1] = who;
	hints->set[SG_HINTS - 1] = held(plane, "10.0.1.1");
	assert_true(lets_in(vm, neighbour, "10.0.1.2", 443, true));
	/* Another network's member with the same address is somebody else. */
	hints->who[SG_HINTS - 1] = SG_HINT_WHO(key.zone + 1, key.addr.w[3]);
	assert_false(lets_in(vm, neighbour, "10.0.1.2", 443, false));
	hints->who[SG_HINTS - 1] = who;
	plane_reopen(plane);
	apply(plane, GROUPS A "}}");
	plane_settle(plane);
	assert_false(lets_in(vm, neighbour, "10.0.1.2", 443, false));
	assert_int_equal(hint(plane, "10.0.1.1"), held(plane, "10.0.1.1"));
	assert_int_not_equal(hint(plane, "10.0.1.1"), 0);
}

#define CROWD (2 * SG_HINTS + 4)

/* Addresses of one bucket. */
static void crowd_of(struct plane *plane, char address[CROWD][16])
{
	uint32_t zone = key_of(plane, "10.0.0.1").zone, wanted = 0;

	for (uint32_t i = 0, count = 0; count < CROWD; i++) {
		uint32_t v4 = htonl(0x0a100000 + i);
		uint32_t bucket = SG_HINT_BUCKET(SG_HINT_WHO(zone, v4));

		if (!count)
			wanted = bucket;
		if (bucket != wanted)
			continue;
		inet_ntop(AF_INET, &v4, address[count++], sizeof(address[0]));
	}
}

static void who_has_no_room_is_found_all_the_same(void **state)
{
	struct plane *plane = *state;
	struct tap *vm, *neighbour = start(plane, &vm, GROUPS "}}");
	GString *text = g_string_new(GROUPS);
	char address[CROWD][16];
	unsigned int in_it = 0;

	crowd_of(plane, address);
	for (unsigned int i = 0; i < CROWD; i++)
		g_string_append_printf(text, MEMBER("m%u", "%s", "\"sg-a\""), i, address[i]);
	g_string_append(text, "}}");
	apply(plane, text->str);
	plane_settle(plane);
	for (unsigned int i = 0; i < CROWD; i++) {
		in_it += hint(plane, address[i]) != 0;
		assert_true(lets_in(vm, neighbour, address[i], 443, true));
	}
	assert_int_equal(in_it, 2 * SG_HINTS);
	/* Half of them leave, from both buckets and from none. */
	g_string_assign(text, GROUPS);
	for (unsigned int i = 0; i < CROWD; i += 2)
		g_string_append_printf(text, MEMBER("m%u", "%s", "\"sg-a\""), i, address[i]);
	g_string_append(text, "}}");
	apply(plane, text->str);
	plane_settle(plane);
	for (unsigned int i = 0; i < CROWD; i++) {
		if (i % 2)
			assert_int_equal(hint(plane, address[i]), 0);
		assert_int_equal(lets_in(vm, neighbour, address[i], 443, i % 2 == 0), i % 2 == 0);
	}
	g_string_free(text, TRUE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plane_setup, plane_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(members_are_in_it_while_nothing_changes),
		TEST(a_change_that_fails_leaves_nothing_wrong_in_it),
		TEST(the_programs_believe_it_and_a_start_does_not),
		TEST(who_has_no_room_is_found_all_the_same),
	};

	return cmocka_run_group_tests_name("hints", tests, NULL, NULL);
}
