/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_many.c - more members than one batch, or one thread, writes: all of them are there, or none
 * of them counts.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/bpf_internal.h"
#include "rulesd/cleanup.h"
#include "rulesd/parallel.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/plane.h"

#define MEMBERS 70000u /* the map is read back in parts */
#define GROUPS	10u

/* Each group is the peer of a rule, so that its members are written. The caller frees it. */
static char *policy(void)
{
	GString *text = g_string_new("{\"version\":1,\"groups\":{");

	for (unsigned int g = 0; g < GROUPS; g++)
		g_string_append_printf(
			text,
			"%s\"sg-%u\":{\"ingress\":[{\"id\":\"a\",\"protocol\":\"tcp\","
			"\"ports\":[443],\"from\":[\"sg-%u\"]}]}",
			g ? "," : "", g, (g + 1) % GROUPS);
	g_string_append(text, "},\"interfaces\":{");
	for (unsigned int i = 0; i < MEMBERS; i++)
		g_string_append_printf(text,
				       "%s\"m%u\":{\"addresses\":[\"10.%u.%u.%u\"],"
				       "\"groups\":[\"sg-%u\"]}",
				       i ? "," : "", i, i >> 16, i >> 8 & 255, i & 255, i % GROUPS);
	g_string_append(text, "}}");
	return g_string_free(text, FALSE);
}

struct seen {
	uint64_t generation;
	unsigned int entries, members;
};

static bool see(const void *key, const void *value, void *arg)
{
	struct seen *seen = arg;

	(void)key;
	seen->entries++;
	seen->members += version_value(value, seen->generation) != 0;
	return true;
}

/* Addresses that are a member's for packets of a generation. */
static unsigned int members_at(const struct plane *plane, uint64_t generation)
{
	struct seen seen = {.generation = generation};

	assert_int_equal(table_each(&plane->dataplane->table[TABLE_MEMBERS], see, &seen), 0);
	return seen.members;
}

struct member_check {
	struct plane *plane;
	unsigned int wrong;
};

static void check_member(const struct sg_member_key *key, uint32_t set, void *arg)
{
	struct member_check *check = arg;
	struct sg_version version;

	check->wrong += !set ||
			table_lookup(check->plane->dataplane, TABLE_MEMBERS, key, &version) != 0 ||
			!version_value(&version, dataplane_generation(check->plane->dataplane));
}

static void assert_all_there(struct plane *plane)
{
	struct member_check check = {.plane = plane};

	image_each_member(plane->image, check_member, &check);
	assert_int_equal(check.wrong, 0);
	assert_int_equal(members_at(plane, dataplane_generation(plane->dataplane)), MEMBERS);
	assert_true(plane->writes >= MEMBERS);
}

static void all_of_them_are_there(void **state)
{
	g_autofree char *text = policy();

	assert_int_equal(plane_apply(*state, text, false), 0);
	assert_all_there(*state);
}

/* Calls that fail of those on the table of members, from the first write on: the one with this
 * number, or all from it on. */
struct fault {
	enum bpf_call call;
	int left;
	bool forever, written, hit;
};

static int fail_call(enum bpf_call call, const char *object, void *arg)
{
	struct fault *fault = arg;
	int left;

	if (strcmp(object, SG_MAP_MEMBERS) != 0)
		return 0;
	if (call == CALL_MAP_UPDATE)
		__atomic_store_n(&fault->written, true, __ATOMIC_RELAXED);
	if (call != fault->call || !__atomic_load_n(&fault->written, __ATOMIC_RELAXED))
		return 0;
	left = __atomic_sub_fetch(&fault->left, 1, __ATOMIC_RELAXED);
	if (left > 0 || (left < 0 && !fault->forever))
		return 0;
	__atomic_store_n(&fault->hit, true, __ATOMIC_RELAXED);
	return -EIO;
}

static int apply_with(struct plane *plane, const char *text, struct fault fault)
{
	int code;

	bpf_fault_set(fail_call, &fault);
	code = plane_apply(plane, text, false);
	bpf_fault_set(NULL, NULL);
	if (!fault.hit)
		fail_msg("call %d is never made: %d are left, apply says %d", (int)fault.call,
			 fault.left, code);
	return code;
}

static void a_batch_that_fails_leaves_none(void **state)
{
	g_autofree char *text = policy();
	struct plane *plane = *state;
	uint64_t generation = dataplane_generation(plane->dataplane);

	for (int batch = 1; batch <= 61; batch += 30) {
		struct fault fault = {.call = CALL_MAP_UPDATE, .left = batch};

		assert_int_equal(apply_with(plane, text, fault), -EIO);
		assert_non_null(strstr(plane->error, SG_MAP_MEMBERS));
		assert_int_equal(dataplane_generation(plane->dataplane), generation);
		/* Nor with the next flip. */
		assert_int_equal(members_at(plane, generation + 2), 0);
	}
	assert_int_equal(plane_apply(plane, text, false), 0);
	assert_all_there(plane);
}

/* The last word is that of one thread which looks at all of it. */
static void what_cannot_be_read_back_does_not_hold(void **state)
{
	g_autofree char *text = policy();
	struct plane *plane = *state;
	uint64_t generation = dataplane_generation(plane->dataplane);
	struct fault forever = {.call = CALL_MAP_NEXT, .left = 10, .forever = true};
	struct fault once = {.call = CALL_MAP_NEXT, .left = 10};

	assert_int_equal(apply_with(plane, text, forever), -EIO);
	assert_non_null(strstr(plane->error, "reading back"));
	assert_int_equal(dataplane_generation(plane->dataplane), generation);
	/* With one processor that look is the only one. */
	if (parallel_threads() < 2) {
		assert_int_equal(apply_with(plane, text, once), -EIO);
		assert_int_equal(plane_apply(plane, text, false), 0);
	} else {
		assert_int_equal(apply_with(plane, text, once), 0);
	}
	assert_all_there(plane);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plane_setup, plane_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_them_are_there),
		TEST(a_batch_that_fails_leaves_none),
		TEST(what_cannot_be_read_back_does_not_hold),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
