/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_settle.c - changes one right after the other: what a packet would read that began some
 * changes ago and still runs is one policy, that of then or a later one; who has to wait for a
 * grace period and who has not.
 *
 * test_flip.c runs real frames, but one that is held up for longer than a change takes is rare.
 * Here every generation that a running packet may have read is tried, after every change, on the
 * maps. Long because every kind of change goes through the same history of generations.
 */
#include <bpf/bpf.h>
#include <inttypes.h>
#include <string.h>

#include "rulesd/bpf_verify.h"
#include "rulesd/cleanup.h"
#include "tests/lib/build.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/plane.h"

/* What a policy of these tests may differ in. */
struct knobs {
	unsigned int port;	/* added to that of a rule */
	unsigned int rule;	/* which groups and CIDRs the VM lets in */
	unsigned int groups[2]; /* of two members: a bit each of sg-a, sg-b */
	unsigned int lists;	/* a bit each of prefixes inside each other */
	unsigned int allowed;	/* likewise of the VM's allowed_addresses */
	unsigned int mac;
};

#define LISTS	4u
#define ALLOWED 3u

static void add_choice(GString *text, unsigned int bits, const char *const *words,
		       unsigned int count)
{
	const char *comma = "";

	for (unsigned int i = 0; i < count; i++) {
		if (!(bits & 1u << i))
			continue;
		g_string_append_printf(text, "%s\"%s\"", comma, words[i]);
		comma = ",";
	}
}

static char *policy_of(const struct knobs *knobs)
{
	static const char *const groups[] = {"sg-a", "sg-b", "sg-c"};
	static const char *const lists[LISTS] = {"10.3.0.0/16", "10.0.0.0/8", "10.3.1.0/24",
						 "10.3.1.128/25"};
	static const char *const allowed[ALLOWED] = {"10.7.0.0/16", "10.7.1.0/24", "10.6.0.0/15"};
	static const char *const from[] = {"\"sg-a\"", "\"sg-b\"", "\"sg-a\",\"sg-b\"",
					   "\"10.3.1.0/24\""};
	GString *text = g_string_new("{\"version\":1,\"groups\":{\"sg-a\":{},\"sg-b\":{},"
				     "\"sg-c\":{},\"sg-web\":{\"ingress\":[{\"id\":\"r\","
				     "\"protocol\":\"tcp\",\"ports\":[");

	g_string_append_printf(
		text,
		"%u],\"from\":[\"pl-x\",%s]},{\"id\":\"x\",\"protocol\":\"tcp\",\"ports\":[80],"
		"\"from\":[\"sg-a\",\"sg-b\",\"10.3.0.0/16\"]}]}},"
		"\"prefix_lists\":{\"pl-x\":{\"entries\":[\"192.0.2.0/24\"%s",
		443 + knobs->port, from[knobs->rule % G_N_ELEMENTS(from)], knobs->lists ? "," : "");
	add_choice(text, knobs->lists, lists, LISTS);
	g_string_append_printf(text,
			       "]}},\"interfaces\":{\"vm\":{\"device\":\"tap0\",\"mac\":"
			       "\"52:54:00:00:00:%02x\",\"addresses\":[\"10.0.0.5\"],\"groups\":"
			       "[\"sg-web\"],\"allowed_addresses\":[",
			       knobs->mac);
	add_choice(text, knobs->allowed, allowed, ALLOWED);
	g_string_append(text, "]}");
	for (unsigned int i = 0; i < G_N_ELEMENTS(knobs->groups); i++) {
		g_string_append_printf(text, ",\"m%u\":{\"addresses\":[\"%s\"],\"groups\":[", i,
				       i ? "10.3.1.200" : "10.0.1.1");
		add_choice(text, knobs->groups[i] | 4u, groups, G_N_ELEMENTS(groups));
		g_string_append(text, "]}");
	}
	g_string_append(text, "}}");
	return g_string_free(text, FALSE);
}

/* ------------------------------------------------------------------ what a packet reads */

#define REMOTES 5u
#define OWN	3u

struct view {
	uint64_t rules; /* a hash of all */
	uint8_t mac[6];
	uint32_t member[REMOTES], prefix[REMOTES], guard[OWN];
};

static uint32_t read_version(struct plane *plane, enum bpf_table_id id, const void *key,
			     uint64_t generation)
{
	struct sg_version version;

	if (table_lookup(plane->dataplane, id, key, &version))
		return 0;
	return version_value(&version, generation);
}

/* As sg_iface_conf_at() chooses. */
static const struct sg_iface_conf *conf_at(const struct sg_iface *iface, uint64_t generation)
{
	if (iface->since[0] <= generation &&
	    (iface->since[1] > generation || iface->since[0] >= iface->since[1]))
		return &iface->conf[0];
	if (iface->since[1] <= generation)
		return &iface->conf[1];
	return NULL;
}

#define HIGHEST_PEER 64u

struct rules_view {
	struct plane *plane;
	uint64_t generation, hash;
};

static void add_hash(uint64_t *hash, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		*hash = (*hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ULL;
}

/* An entry as sg_policy_peer() finds it. */
static void add_rules(struct rules_view *view, struct sg_policy_key own,
		      struct sg_policy_ports ports)
{
	struct dataplane *dataplane = view->plane->dataplane;
	uint64_t hash = 0xcbf29ce484222325ULL;
	uint32_t count, start;

	if (ports.count & SG_PORTS_SINCE && !SG_PORTS_HOLD(ports.start, view->generation)) {
		struct sg_policy_key before = own;

		before.pad = SG_PORTS_TAG(ports.count);
		if (table_lookup(dataplane, TABLE_POLICY, &before, &ports))
			return;
	}
	count = SG_PORTS_COUNT(ports.count);
	start = ports.count & SG_PORTS_SINCE ? ports.one.rule : ports.start;
	own.policy = 0;
	add_hash(&hash, &own, sizeof(own));
	for (uint32_t i = 0; i < count; i++) {
		struct sg_interval interval = ports.one;
		uint32_t index = start + i;

		if (count > 1)
			assert_int_equal(
				table_lookup(dataplane, TABLE_INTERVALS, &index, &interval), 0);
		add_hash(&hash, &interval, sizeof(interval));
	}
	/* In any order. */
	view->hash += count ? hash : 0;
}

static uint64_t rules_at(struct plane *plane, uint32_t policy, uint64_t generation)
{
	static const uint16_t protocols[] = {SG_IPPROTO_TCP, SG_PROTO_ALL};
	struct rules_view view = {.plane = plane, .generation = generation};

	/* One by one: to walk a table for two million takes longer than settling. */
	for (uint32_t peer = SG_PEER_ANY; peer < HIGHEST_PEER; peer++) {
		for (unsigned int i = 0; i < 2 * G_N_ELEMENTS(protocols); i++) {
			struct sg_policy_key key = {.policy = policy,
						    .peer = peer,
						    .proto = protocols[i / 2],
						    .dir = i % 2};
			struct sg_policy_ports ports;

			if (!table_lookup(plane->dataplane, TABLE_POLICY, &key, &ports))
				add_rules(&view, key, ports);
		}
	}
	return view.hash;
}

static struct view view_at(struct plane *plane, uint64_t generation)
{
	static const char *const remotes[REMOTES] = {"10.0.1.1", "10.0.1.2", "10.3.1.200",
						     "10.3.1.1", "10.3.2.1"};
	static const char *const own[OWN] = {"10.7.1.1", "10.7.2.1", "10.6.0.1"};
	uint32_t zone = numbers_find(plane->numbers, NUMBER_ZONE, "default"), slot = 1;
	const struct sg_iface_conf *conf = conf_at(&plane->dataplane->ifaces[slot], generation);
	struct view view = {};

	assert_non_null(conf);
	view.rules = rules_at(plane, conf->policy, generation);
	assert_true(view.rules);
	memcpy(view.mac, conf->mac, sizeof(view.mac));
	for (unsigned int i = 0; i < REMOTES; i++) {
		struct sg_member_key member = {.addr = build_addr(remotes[i]), .zone = zone};
		struct sg_prefix_key prefix = {.prefixlen = 160, .space = SG_SPACE(zone, 0)};

		memcpy(prefix.addr, member.addr.b, sizeof(prefix.addr));
		view.member[i] = read_version(plane, TABLE_MEMBERS, &member, generation);
		view.prefix[i] = read_version(plane, TABLE_PREFIXES, &prefix, generation);
	}
	for (unsigned int i = 0; i < OWN; i++) {
		struct sg_addr addr = build_addr(own[i]);
		struct sg_guard_key guard = {.prefixlen = 160, .slot = slot};

		memcpy(guard.addr, addr.b, sizeof(guard.addr));
		view.guard[i] = read_version(plane, TABLE_GUARD, &guard, generation);
	}
	return view;
}

/* Of one remote address, as a packet sees it. */
static bool same_view(const struct view *a, const struct view *b, unsigned int remote)
{
	return a->rules == b->rules && !memcmp(a->mac, b->mac, sizeof(a->mac)) &&
	       !memcmp(a->guard, b->guard, sizeof(a->guard)) &&
	       a->member[remote] == b->member[remote] && a->prefix[remote] == b->prefix[remote];
}

struct history {
	struct plane *plane;
	GArray *views; /* of struct view, by generation - first */
	uint64_t first;
};

static bool was_ever(const struct history *history, const struct view *view, unsigned int remote,
		     uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at <= to; at++)
		if (same_view(view,
			      &g_array_index(history->views, struct view, at - history->first),
			      remote))
			return true;
	return false;
}

static void assert_one_policy(struct history *history, uint64_t from, const char *when)
{
	uint64_t now = dataplane_generation(history->plane->dataplane);

	for (uint64_t began = MAX(from, history->first); began <= now; began++) {
		struct view view = view_at(history->plane, began);

		for (unsigned int remote = 0; remote < REMOTES; remote++)
			if (!was_ever(history, &view, remote, began, now))
				fail_msg("a packet that began at generation %" PRIu64
					 " sees at %" PRIu64 ", %s, of remote %u what never was "
					 "(settled: %" PRIu64 ")",
					 began, now, when, remote, from);
	}
}

static void start(struct history *history, struct plane *plane, const struct knobs *knobs)
{
	g_autofree char *policy = policy_of(knobs);
	struct dataplane_attachment attachment = {};
	struct tap *tap = tap_new("tap0", false);
	struct view view;

	if (plane_apply(plane, policy, false) || plane_attach(plane, "vm", tap, &attachment))
		fail_msg("%s", plane->error);
	*history = (struct history){.plane = plane,
				    .views = g_array_new(FALSE, FALSE, sizeof(struct view)),
				    .first = plane->generation};
	assert_int_equal(plane_slot(plane, "vm"), 1);
	assert_int_equal(settle_wait(plane->dataplane, NULL), 0);
	view = view_at(plane, plane->generation);
	g_array_append_val(history->views, view);
}

static void change(struct history *history, const struct knobs *knobs)
{
	struct plane *plane = history->plane;
	g_autofree char *policy = policy_of(knobs);
	uint64_t before = plane->generation, settled;

	if (plane_apply(plane, policy, false))
		fail_msg("%s", plane->error);
	if (plane->generation == before)
		return;
	/* Before the views are read: what settles meanwhile is then checked too strictly only. */
	settled = settle_generation(plane->dataplane);
	struct view view = view_at(plane, plane->generation);

	g_array_append_val(history->views, view);
	assert_int_equal(history->views->len, plane->generation - history->first + 1);
	if (settled < plane->generation)
		assert_one_policy(history, settled, "after a change");
}

static gpointer stay(gpointer arg)
{
	struct settling *settling = arg;

	g_mutex_lock(&settling->lock);
	while (!settling->stop)
		g_cond_wait(&settling->wake, &settling->lock);
	g_mutex_unlock(&settling->lock);
	return NULL;
}

/*
 * From now on no grace period passes but those that a change waits for. By itself one passes too
 * soon for some tests where changes are slow, and at once on a machine with one processor: whoever
 * asks there finds no program in the middle of a packet.
 */
static void readers_stay(struct plane *plane)
{
	struct settling *settling = &plane->dataplane->settling;

	settle_stop(settling);
	settling->thread = g_thread_new("stays", stay, settling);
}

/* ------------------------------------------------------------------ tests */

static void any_changes_one_after_the_other(void **state)
{
	struct plane *plane = *state;
	struct knobs knobs = {.groups = {1, 2}, .lists = 1};
	g_autoptr(GRand) random = g_rand_new_with_seed(20261121);
	struct history history;

	start(&history, plane, &knobs);
	for (unsigned int i = 0; i < 800; i++) {
		unsigned int count = g_rand_int_range(random, 0, 4) ? 1 : 3;

		if (i == 400)
			readers_stay(plane);
		while (count--) {
			switch (g_rand_int_range(random, 0, 7)) {
			case 0:
				knobs.port ^= 1;
				break;
			case 1:
				knobs.rule = (unsigned int)g_rand_int_range(random, 0, 4);
				break;
			case 2:
				knobs.lists ^= 1u << g_rand_int_range(random, 0, LISTS);
				break;
			case 3:
				knobs.allowed ^= 1u << g_rand_int_range(random, 0, ALLOWED);
				break;
			case 4:
				knobs.mac ^= 1;
				break;
			default:
				knobs.groups[g_rand_int_range(random, 0, 2)] =
					(unsigned int)g_rand_int_range(random, 0, 4);
			}
		}
		change(&history, &knobs);
		if (!g_rand_int_range(random, 0, 8)) {
			uint64_t settled = settle_generation(plane->dataplane);
			bool more;

			assert_int_equal(dataplane_settle(plane->dataplane, &more), 0);
			assert_one_policy(&history, settled, "after removing");
		}
	}
	print_message("%u changes, %u waited\n", history.views->len - 1,
		      plane->dataplane->settling.waits);
	/* Most meet nothing that is still read. */
	assert_true(plane->dataplane->settling.waits > 0);
	assert_true(plane->dataplane->settling.waits < history.views->len);
	g_array_unref(history.views);
}

static void members_that_come_and_go_wait_for_nobody(void **state)
{
	struct plane *plane = *state;
	struct knobs knobs = {.groups = {1, 2}};
	struct history history;

	start(&history, plane, &knobs);
	for (unsigned int i = 0; i < 200; i++) {
		knobs.groups[i % 3 == 0] ^= 1 + i % 2;
		change(&history, &knobs);
	}
	assert_int_equal(history.views->len, 201);
	assert_int_equal(plane->dataplane->settling.waits, 0);
	g_array_unref(history.views);
}

static void rules_that_change_wait_for_nobody(void **state)
{
	struct plane *plane = *state;
	struct knobs knobs = {.groups = {1, 2}};
	struct history history;
	struct sg_iface_conf after;
	uint32_t number;

	start(&history, plane, &knobs);
	number = plan_current_conf(plane->dataplane, 1, NULL)->policy;
	for (unsigned int i = 0; i < 200; i++) {
		knobs.port = 1 + i;
		change(&history, &knobs);
	}
	assert_int_equal(history.views->len, 201);
	assert_int_equal(plane->dataplane->settling.waits, 0);
	/* Where they are, but when that has no tag left for what held before. */
	if (settle_generation(plane->dataplane) > history.first)
		assert_int_equal(plan_current_conf(plane->dataplane, 1, NULL)->policy, number);
	/* Those that move from one peer to another and on meet now and then. */
	for (unsigned int i = 0; i < 200; i++) {
		knobs.rule = (i + 1) % 3;
		change(&history, &knobs);
	}
	assert_int_equal(history.views->len, 401);
	print_message("%u of 200 waited\n", plane->dataplane->settling.waits);
	assert_true(plane->dataplane->settling.waits < 100);
	g_array_unref(history.views);
	/* What is held in the end is what a plane would hold that had only ever seen this policy.
	 */
	plane_settle(plane);
	after = *plan_current_conf(plane->dataplane, 1, NULL);
	assert_int_equal(g_hash_table_size(plane->dataplane->policies), 1);
	assert_int_equal(plane->dataplane->settling.narrowed->len, 0);
	assert_int_equal(after.has[SG_INGRESS], SG_HAS_GROUP | SG_HAS_PREFIX);
}

static void settled_until(struct plane *plane, uint64_t generation)
{
	struct settling *settling = &plane->dataplane->settling;
	bool more;

	g_mutex_lock(&settling->lock);
	settling->wanted = settling->settled = generation;
	g_mutex_unlock(&settling->lock);
	assert_int_equal(dataplane_settle(plane->dataplane, &more), 0);
}

/* Flows that are kept make it another policy, not the same one with other rules. */
static void replace(struct plane *plane, const struct knobs *knobs)
{
	g_autofree char *policy = policy_of(knobs);

	if (plane_apply(plane, policy, true))
		fail_msg("%s", plane->error);
}

static void a_policy_that_comes_back_and_goes_stays_until_then(void **state)
{
	struct plane *plane = *state;
	struct knobs knobs = {.groups = {1, 2}};
	struct history history;
	uint64_t gone, gone_again;
	uint32_t number;

	start(&history, plane, &knobs);
	number = plan_current_conf(plane->dataplane, 1, NULL)->policy;
	knobs.rule = 1;
	replace(plane, &knobs);
	assert_int_not_equal(plan_current_conf(plane->dataplane, 1, NULL)->policy, number);
	gone = plane->generation;
	knobs.rule = 0;
	replace(plane, &knobs);
	assert_int_equal(plan_current_conf(plane->dataplane, 1, NULL)->policy, number);
	knobs.rule = 1;
	replace(plane, &knobs);
	gone_again = plane->generation;
	/* Nobody waits for a grace period any more; then as if one had passed just after each. */
	while (settle_generation(plane->dataplane) < plane->generation)
		g_usleep(1000);
	/* A packet that read the generation between needs it still. */
	for (uint64_t settled = gone; settled < gone_again; settled++) {
		settled_until(plane, settled);
		assert_non_null(held_policy_at(plane->dataplane, number));
		assert_true(held_policy_at(plane->dataplane, number)->complete);
	}
	settled_until(plane, gone_again);
	assert_null(held_policy_at(plane->dataplane, number));
	g_array_unref(history.views);
}

static void a_rule_and_a_member_at_once_wait_for_each_other(void **state)
{
	struct plane *plane = *state;
	struct knobs knobs = {.groups = {1, 2}};
	struct history history;

	start(&history, plane, &knobs);
	readers_stay(plane);
	for (unsigned int i = 0; i < 10; i++) {
		knobs.rule = i % 2;
		knobs.groups[0] = 1 + i % 2;
		change(&history, &knobs);
	}
	/* The first one has nobody before it; the rest must. */
	assert_int_equal(plane->dataplane->settling.waits, history.views->len - 2);
	g_array_unref(history.views);
}

/* What is dead hides what is around it until it goes. */
static void a_prefix_inside_one_that_went_waits(void **state)
{
	struct plane *plane = *state;
	struct knobs knobs = {.groups = {1, 2}, .lists = 2 | 4 | 8};
	struct history history;

	start(&history, plane, &knobs);
	readers_stay(plane);
	for (unsigned int i = 0; i < 40; i++) {
		knobs.lists ^= i % 3 == 0 ? 8 : i % 3 == 1 ? 4 : 2;
		change(&history, &knobs);
	}
	assert_true(plane->dataplane->settling.waits >= 1);
	g_array_unref(history.views);
}

/* A change that failed has written over what an earlier one left for packets that still run. */
static int fail_once(enum bpf_call call, const char *object, void *arg)
{
	int *countdown = arg;

	(void)call;
	(void)object;
	return --*countdown == 0 ? -EIO : 0;
}

static void a_change_that_fails_in_between(void **state)
{
	struct plane *plane = *state;
	struct knobs knobs = {.groups = {1, 2}, .lists = 2};
	struct history history;

	start(&history, plane, &knobs);
	for (unsigned int i = 0; i < 120; i++) {
		struct knobs failing = knobs;
		g_autofree char *policy = NULL;
		int countdown = 1 + (int)i % 12;
		uint64_t settled;
		int code;

		failing.groups[i % 2] ^= 3;
		failing.lists ^= 1u << i % LISTS;
		failing.rule = i % 4;
		policy = policy_of(&failing);
		bpf_fault_set(fail_once, &countdown);
		code = plane_apply(plane, policy, false);
		bpf_fault_set(NULL, NULL);
		if (!code) {
			struct view view = view_at(plane, plane->generation);

			if (plane->generation > history.first + history.views->len - 1)
				g_array_append_val(history.views, view);
			knobs = failing;
		}
		settled = settle_generation(plane->dataplane);
		assert_one_policy(&history, settled, "after a failure");
		knobs.groups[0] ^= 1;
		change(&history, &knobs);
	}
	g_array_unref(history.views);
}

/* As if the grace period behind the last flip took longer than everything here. */
static void unsettle(struct plane *plane)
{
	struct settling *settling = &plane->dataplane->settling;

	g_mutex_lock(&settling->lock);
	settling->settled = dataplane_generation(plane->dataplane) - 1;
	g_mutex_unlock(&settling->lock);
}

/* A verification from its beginning to its end; how many differences it found. */
static uint64_t verify(struct plane *plane, bool repair)
{
	struct verification *v = dataplane_verify_begin(plane->dataplane, repair);
	bool more = true;
	uint64_t found;

	while (more) {
		unsettle(plane);
		assert_int_equal(dataplane_verify_step(v, plane->image, &more, &plane->error), 0);
	}
	found = dataplane_verified(v)->found;
	if (repair)
		assert_int_equal(dataplane_verified(v)->repaired, found);
	dataplane_verify_end(&v);
	return found;
}

/* Somebody has spoiled both versions, and packets may still read what held before the last flip. */
static void an_interface_is_mended_right_behind_a_change(void **state)
{
	struct plane *plane = *state;
	struct knobs knobs = {.groups = {1, 2}};
	struct sg_iface *iface;
	struct history history;

	start(&history, plane, &knobs);
	iface = &plane->dataplane->ifaces[1];
	for (unsigned int i = 0; i < 20; i++) {
		knobs.rule = i % 4;
		change(&history, &knobs);
		iface->since[0] = iface->since[1] = 1u << 30;
		assert_int_equal(verify(plane, true), 1);
		assert_int_equal(verify(plane, false), 0);
		plane->generation = dataplane_generation(plane->dataplane);
		g_array_unref(history.views);
		history.first = plane->generation;
		history.views = g_array_new(FALSE, FALSE, sizeof(struct view));
		struct view view = view_at(plane, plane->generation);

		g_array_append_val(history.views, view);
	}
	g_array_unref(history.views);
}

#define MANY_PREFIXES 3000u

static char *many_prefixes(unsigned int from)
{
	GString *text = g_string_new("{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[{"
				     "\"protocol\":\"tcp\",\"from\":[\"pl-x\"]}]}},"
				     "\"interfaces\":{\"vm\":{\"device\":\"tap0\",\"addresses\":["
				     "\"10.0.0.5\"],\"groups\":[\"sg-web\"]}},"
				     "\"prefix_lists\":{\"pl-x\":{\"entries\":[\"192.0.2.0/24\"");

	for (unsigned int i = from; i < MANY_PREFIXES; i++)
		g_string_append_printf(text, ",\"10.%u.%u.0/24\"", 1 + i / 256, i % 256);
	return g_string_append(text, "]}}}") ? g_string_free(text, FALSE) : NULL;
}

/* They are read in several steps, and what a flip removed is taken away between two of them. */
static void a_prefix_that_goes_while_they_are_read_is_no_difference(void **state)
{
	struct plane *plane = *state;
	g_autofree char *before = many_prefixes(0), *after = many_prefixes(500);
	struct verification *v;
	bool more = true;
	uint64_t buried;

	if (plane_apply(plane, before, false) || plane_apply(plane, after, false))
		fail_msg("%s", plane->error);
	assert_true(plane->dataplane->settling.dead->len >= 500);
	buried = plane->dataplane->settling.buried;
	v = dataplane_verify_begin(plane->dataplane, false);
	while (more) {
		assert_int_equal(dataplane_verify_step(v, plane->image, &more, &plane->error), 0);
		/* As soon as a part of them has been read. */
		if (v->keyed && plane->dataplane->settling.buried == buried)
			assert_int_equal(settle_wait(plane->dataplane, NULL), 0);
	}
	assert_true(plane->dataplane->settling.buried >= buried + 500);
	assert_int_equal(dataplane_verified(v)->found, 0);
	dataplane_verify_end(&v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plane_setup, plane_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_changes_one_after_the_other),
		TEST(members_that_come_and_go_wait_for_nobody),
		TEST(a_policy_that_comes_back_and_goes_stays_until_then),
		TEST(rules_that_change_wait_for_nobody),
		TEST(a_rule_and_a_member_at_once_wait_for_each_other),
		TEST(a_prefix_inside_one_that_went_waits),
		TEST(a_change_that_fails_in_between),
		TEST(an_interface_is_mended_right_behind_a_change),
		TEST(a_prefix_that_goes_while_they_are_read_is_no_difference),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
