/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_apply.c - applying images to the kernel's maps: what is written and what is not, what a
 * packet would read at every moment, failures of every single call, kills, revocation.
 *
 * It is long because all of it stands on one fixture: a plane whose every write can be made to
 * fail.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/bpf_internal.h"
#include "rulesd/cleanup.h"
#include "tests/lib/build.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/plane.h"

/* "vm" with sg-web; sg-app and sg-ops are peers of its rules. */
#define VM	       "\"vm\":{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\"],\"groups\":[\"sg-web\"]}"
#define APP1	       "\"app-1\":{\"addresses\":[\"10.0.1.1\"],\"groups\":[\"sg-app\"]}"
#define APP2	       "\"app-2\":{\"addresses\":[\"10.0.1.2\"],\"groups\":[\"sg-app\"]}"
#define APP2_OPS       "\"app-2\":{\"addresses\":[\"10.0.1.2\"],\"groups\":[\"sg-app\",\"sg-ops\"]}"
#define HTTPS	       "{\"id\":\"https\",\"protocol\":\"tcp\",\"ports\":[443,8443],\"from\":[\"sg-app\"]}"
#define SSH	       "{\"id\":\"ssh\",\"protocol\":\"tcp\",\"ports\":[22],\"from\":[\"sg-ops\",\"pl-x\"]}"
#define PING	       "{\"id\":\"ping\",\"protocol\":\"icmp\",\"from\":[\"any\"]}"
#define LISTS(entries) "\"prefix_lists\":{\"pl-x\":{\"entries\":[" entries "]}}"
#define POLICY_OF(rules, lists, ifaces)                              \
	"{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[" rules \
	"]},\"sg-app\":{},\"sg-ops\":"                               \
	"{}}," lists ",\"interfaces\":{" ifaces "}}"
#define LIST_X LISTS("\"192.0.2.0/24\"")

static const char *const plain = POLICY_OF(HTTPS "," SSH, LIST_X, VM "," APP1);

static struct tap *start(struct plane *plane, const char *policy)
{
	struct dataplane_attachment attachment = {};
	struct tap *tap = tap_new("tap0", false);

	if (plane_apply(plane, policy, false) || plane_attach(plane, "vm", tap, &attachment))
		fail_msg("%s", plane->error);
	return tap;
}

static void apply(struct plane *plane, const char *policy)
{
	if (plane_apply(plane, policy, false))
		fail_msg("%s", plane->error);
}

/* ------------------------------------------------------------------ what a packet would read */

struct view {
	struct plane *plane;
	enum bpf_table_id id;
	GPtrArray *lines;
};

static char *hex(const void *bytes, size_t size)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < size; i++)
		g_string_append_printf(text, "%02x", ((const uint8_t *)bytes)[i]);
	return g_string_free(text, FALSE);
}

/* The peers behind a set number, because numbers may differ where content does not. */
static char *meaning(struct dataplane *dataplane, enum bpf_table_id id, uint32_t value)
{
	struct sg_set set = {};

	if ((id != TABLE_MEMBERS && id != TABLE_PREFIXES) || !value || (value & SG_SET_SINGLE))
		return g_strdup_printf("%x", value);
	assert_int_equal(table_lookup(dataplane, TABLE_SETS, &value, &set), 0);
	return hex(set.peers, set.count * sizeof(uint32_t));
}

static bool view_version(const void *key, const void *value, void *arg)
{
	struct view *view = arg;
	struct dataplane *dataplane = view->plane->dataplane;
	const struct sg_version *version = value;
	g_autofree char *text = hex(key, dataplane->table[view->id].key_size);
	uint32_t now = version_value(version, dataplane_generation(dataplane));
	g_autofree char *means = meaning(dataplane, view->id, now);

	if (now)
		g_ptr_array_add(view->lines,
				g_strdup_printf("%s %s = %s", dataplane->table[view->id].name, text,
						means));
	return true;
}

struct policy_view {
	struct view *view;
	uint32_t policy;
};

/* What an entry says of the generation that holds; false: nothing. */
static bool entry_now(struct plane *plane, const struct sg_policy_key *key,
		      const struct sg_policy_ports *found, struct sg_policy_ports *now)
{
	struct sg_policy_key before = *key;

	*now = *found;
	if (!(found->count & SG_PORTS_SINCE))
		return found->count;
	now->count = SG_PORTS_COUNT(found->count);
	now->start = found->one.rule;
	if (SG_PORTS_HOLD(found->start, dataplane_generation(plane->dataplane)))
		return now->count;
	before.pad = SG_PORTS_TAG(found->count);
	return !table_lookup(plane->dataplane, TABLE_POLICY, &before, now);
}

static bool view_policy_key(const void *key, const void *value, void *arg)
{
	struct policy_view *view = arg;
	const struct sg_policy_key *policy_key = key;
	struct sg_policy_ports now, *ports = &now;
	GString *line;

	if (policy_key->policy != view->policy || policy_key->pad ||
	    !entry_now(view->view->plane, policy_key, value, &now))
		return true;
	line = g_string_new(NULL);
	g_string_append_printf(line, "rule dir %u peer %u proto %u:", policy_key->dir,
			       policy_key->peer, policy_key->proto);
	for (uint32_t i = 0; i < ports->count; i++) {
		struct sg_interval interval = ports->one;
		uint32_t index = ports->start + i;

		if (ports->count > 1)
			assert_int_equal(table_lookup(view->view->plane->dataplane, TABLE_INTERVALS,
						      &index, &interval),
					 0);
		g_string_append_printf(line, " %u-%u by %u", interval.first, interval.last,
				       interval.rule);
	}
	g_ptr_array_add(view->view->lines, g_string_free(line, FALSE));
	return true;
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Everything that decides about packets of slot 1 and of the host, as text. */
static char *kernel_view(struct plane *plane)
{
	static const enum bpf_table_id ids[] = {TABLE_GUARD, TABLE_VLANS, TABLE_MEMBERS,
						TABLE_PREFIXES};
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	struct view view = {.plane = plane, .lines = lines};
	struct policy_view policy = {.view = &view};
	struct sg_iface_conf conf = *plan_current_conf(plane->dataplane, 1, NULL);

	for (unsigned int i = 0; i < G_N_ELEMENTS(ids); i++) {
		view.id = ids[i];
		assert_int_equal(table_each(&plane->dataplane->table[ids[i]], view_version, &view),
				 0);
	}
	policy.policy = conf.policy;
	assert_int_equal(
		table_each(&plane->dataplane->table[TABLE_POLICY], view_policy_key, &policy), 0);
	conf.policy = 0;
	g_ptr_array_add(lines, hex(&conf, sizeof(conf)));
	g_ptr_array_sort(lines, compare_lines);
	g_ptr_array_add(lines, NULL);
	return g_strjoinv("\n", (char **)lines->pdata);
}

static bool count_entry(const void *key, const void *value, void *arg)
{
	(void)key;
	(void)value;
	++*(unsigned int *)arg;
	return true;
}

static unsigned int entries_of(struct plane *plane, enum bpf_table_id id)
{
	unsigned int count = 0;

	assert_int_equal(table_each(&plane->dataplane->table[id], count_entry, &count), 0);
	return count;
}

static const struct sg_iface *iface_of(struct plane *plane)
{
	return &plane->dataplane->ifaces[plane_slot(plane, "vm")];
}

/* ------------------------------------------------------------------ what is written */

static void same_policy_twice_writes_nothing(void **state)
{
	struct plane *plane = *state;
	uint64_t generation;

	start(plane, plain);
	generation = plane->generation;
	assert_true(plane->writes > 0);
	for (unsigned int i = 0; i < 2; i++) {
		apply(plane, plain);
		assert_int_equal(plane->writes, 0);
		assert_int_equal(plane->generation, generation);
	}
}

static void member_that_joins_or_leaves_is_one_write(void **state)
{
	struct plane *plane = *state;
	uint64_t generation, gone = 0;
	uint32_t peer;

	start(plane, plain);
	generation = plane->generation;
	apply(plane, POLICY_OF(HTTPS "," SSH, LIST_X, VM "," APP1 "," APP2));
	assert_int_equal(plane->writes, 1);
	assert_int_equal(plane->generation, generation + 1);
	assert_int_equal(plane->dataplane->control->last_removal, 0);
	assert_int_equal(entries_of(plane, TABLE_PEERGONE), 0);

	apply(plane, plain);
	/* Its entry, and the generation from which flows of the group are looked at again. */
	assert_int_equal(plane->writes, 2);
	peer = numbers_find(plane->numbers, NUMBER_PEER, "default:sg-app");
	assert_int_equal(table_lookup(plane->dataplane, TABLE_PEERGONE, &peer, &gone), 0);
	assert_int_equal(gone, plane->generation);
	assert_int_equal(plane->dataplane->control->last_removal, plane->generation);
	assert_int_equal(iface_of(plane)->removed_at, 0);
	/* The entry goes when nobody can read it any more. */
	assert_int_equal(entries_of(plane, TABLE_MEMBERS), 2);
	plane_settle(plane);
	assert_int_equal(entries_of(plane, TABLE_MEMBERS), 1);
}

static void restart_with_other_numbers_writes_nothing(void **state)
{
	struct plane *plane = *state;
	g_autofree char *before = NULL;
	g_autofree char *after = NULL;
	uint64_t generation;

	start(plane, POLICY_OF(HTTPS "," SSH, LIST_X, VM "," APP1 "," APP2_OPS));
	before = kernel_view(plane);
	generation = plane->generation;
	plane_reopen(plane);
	numbers_next_policy(plane->numbers);
	numbers_next_set(plane->numbers);
	apply(plane, POLICY_OF(HTTPS "," SSH, LIST_X, VM "," APP1 "," APP2_OPS));
	assert_int_equal(plane->writes, 0);
	assert_int_equal(plane->generation, generation);
	plane_settle(plane);
	after = kernel_view(plane);
	assert_string_equal(before, after);
	/* And the numbers still meet later: only what changes is written. */
	apply(plane, POLICY_OF(HTTPS "," SSH, LIST_X, VM "," APP2_OPS));
	assert_int_equal(plane->writes, 2);
}

static void what_changed_while_down_is_written_at_start(void **state)
{
	struct plane *plane = *state;
	g_autofree char *restarted = NULL;
	g_autofree char *fresh = NULL;

	start(plane, plain);
	plane_reopen(plane);
	apply(plane, POLICY_OF(HTTPS "," PING, LISTS("\"198.51.100.0/24\""), VM "," APP2_OPS));
	plane_settle(plane);
	restarted = kernel_view(plane);
	assert_int_equal(entries_of(plane, TABLE_MEMBERS), 1);
	apply(plane, plain);
	apply(plane, POLICY_OF(HTTPS "," PING, LISTS("\"198.51.100.0/24\""), VM "," APP2_OPS));
	fresh = kernel_view(plane);
	assert_string_equal(restarted, fresh);
}

/* All of them, in one piece. */
static void assert_intervals_free(const struct plane *plane)
{
	const GArray *extents = plane->dataplane->free_intervals;

	assert_int_equal(extents->len, 1);
	assert_int_equal(g_array_index(extents, struct extent, 0).start, 0);
	assert_int_equal(g_array_index(extents, struct extent, 0).count, SG_MAX_INTERVALS);
}

static void nothing_is_left_of_old_policies(void **state)
{
	struct plane *plane = *state;
	struct extent *free_extent;
	unsigned int keys, rules;

	start(plane, plain);
	keys = entries_of(plane, TABLE_POLICY);
	rules = entries_of(plane, TABLE_RULES);
	for (unsigned int i = 0; i < 5; i++) {
		apply(plane, POLICY_OF(HTTPS "," PING, LIST_X, VM "," APP2_OPS));
		apply(plane, plain);
	}
	plane_settle(plane);
	assert_int_equal(entries_of(plane, TABLE_POLICY), keys);
	assert_int_equal(entries_of(plane, TABLE_RULES), rules);
	assert_int_equal(entries_of(plane, TABLE_SETS), 0);
	apply(plane, POLICY_OF(PING, LIST_X, VM));
	plane_settle(plane);
	assert_intervals_free(plane);
	/* The same after a restart, derived from the maps. */
	apply(plane, plain);
	plane_settle(plane);
	free_extent = &g_array_index(plane->dataplane->free_intervals, struct extent, 0);
	keys = free_extent->start;
	assert_true(keys > 0);
	plane_reopen(plane);
	assert_int_equal(plane->dataplane->free_intervals->len, 1);
	free_extent = &g_array_index(plane->dataplane->free_intervals, struct extent, 0);
	assert_int_equal(free_extent->start, keys);
}

/* ------------------------------------------------------------------ before and after the flip */

static struct sg_version prefix_at(struct plane *plane, const char *cidr)
{
	struct cidr parsed = build_cidr(cidr);
	struct sg_prefix_key key = {.prefixlen = 32 + cidr_mapped_bits(&parsed)};
	/* Wide enough for the longest match to be the key itself. */
	struct sg_version version = {};

	key.space = SG_SPACE(numbers_find(plane->numbers, NUMBER_ZONE, "default"), 0);
	memcpy(key.addr, parsed.addr.b, sizeof(key.addr));
	assert_int_equal(table_lookup(plane->dataplane, TABLE_PREFIXES, &key, &version), 0);
	return version;
}

static void a_longer_prefix_does_not_hide_the_shorter_one(void **state)
{
	struct plane *plane = *state;
	struct sg_version inner, outer;
	uint32_t alone;

	start(plane, POLICY_OF(SSH, LISTS("\"10.0.0.0/8\""), VM));
	alone = prefix_at(plane, "10.0.0.0/8").after;
	assert_int_not_equal(alone, 0);
	apply(plane,
	      POLICY_OF("{\"id\":\"b\",\"protocol\":\"udp\",\"from\":[\"10.2.0.0/16\"]}," SSH,
			LISTS("\"10.0.0.0/8\""), VM));
	inner = prefix_at(plane, "10.2.0.0/16");
	assert_int_equal(inner.epoch, plane->generation);
	assert_int_equal(inner.before, alone); /* what its addresses matched before */
	assert_int_not_equal(inner.after, alone);
	apply(plane, POLICY_OF(SSH, LISTS("\"10.0.0.0/8\""), VM));
	inner = prefix_at(plane, "10.2.0.0/16");
	outer = prefix_at(plane, "10.0.0.0/8");
	assert_int_equal(inner.epoch, plane->generation);
	assert_int_equal(inner.after, outer.after); /* what they match from now on */
	plane_settle(plane);
	assert_int_equal(entries_of(plane, TABLE_PREFIXES), 1);
}

static void configurations_alternate(void **state)
{
	struct plane *plane = *state;
	unsigned int first, second;
	uint32_t old;

	start(plane, plain);
	old = plan_current_conf(plane->dataplane, 1, &first)->policy;
	apply(plane, POLICY_OF(HTTPS "," PING, LIST_X, VM "," APP1));
	assert_int_not_equal(plan_current_conf(plane->dataplane, 1, &second)->policy, old);
	assert_int_equal(second, 1 - first);
	assert_int_equal(iface_of(plane)->since[second], plane->generation);
	assert_int_equal(iface_of(plane)->conf[first].policy, old);
	assert_true(iface_of(plane)->since[first] < plane->generation);
}

/* ------------------------------------------------------------------ revocation */

static bool later(const void *key, const void *value, void *arg)
{
	uint64_t *latest = arg;

	(void)key;
	*latest = MAX(*latest, *(const uint64_t *)value);
	return true;
}

/* Flows of the VM with an older stamp are evaluated again: all, or those of some peer. */
static uint64_t revoked_at(struct plane *plane)
{
	uint64_t latest = iface_of(plane)->removed_at;

	assert_int_equal(table_each(&plane->dataplane->table[TABLE_PEERGONE], later, &latest), 0);
	return latest;
}

static void only_removals_revoke(void **state)
{
	struct plane *plane = *state;
	uint64_t removed;

	start(plane, POLICY_OF(HTTPS, LIST_X, VM "," APP1));
	apply(plane, POLICY_OF(HTTPS "," SSH, LIST_X, VM "," APP1));
	assert_int_equal(revoked_at(plane), 0);
	apply(plane, POLICY_OF(SSH, LIST_X, VM "," APP1));
	removed = plane->generation;
	assert_int_equal(revoked_at(plane), removed);
	assert_int_equal(plane->dataplane->control->last_removal, removed);
	assert_int_equal(iface_of(plane)->keep_until, 0);
	/* A wider range is no removal, a narrower one is. */
	apply(plane, POLICY_OF("{\"id\":\"ssh\",\"protocol\":\"tcp\",\"ports\":[\"20-30\"],"
			       "\"from\":[\"sg-ops\",\"pl-x\"]}",
			       LIST_X, VM "," APP1));
	assert_int_equal(revoked_at(plane), removed);
	apply(plane, POLICY_OF("{\"id\":\"ssh\",\"protocol\":\"tcp\",\"ports\":[\"20-24\","
			       "\"26-30\"],\"from\":[\"sg-ops\",\"pl-x\"]}",
			       LIST_X, VM "," APP1));
	assert_int_equal(revoked_at(plane), plane->generation);
}

static void keep_exempts_what_is_live(void **state)
{
	struct plane *plane = *state;

	start(plane, plain);
	assert_int_equal(plane_apply(plane, POLICY_OF(HTTPS, LIST_X, VM "," APP1), true), 0);
	assert_int_equal(iface_of(plane)->removed_at, plane->generation);
	assert_int_equal(iface_of(plane)->keep_until, plane->generation - 1);
	/* A member that leaves concerns every interface that may name its group. */
	assert_int_equal(plane_apply(plane, POLICY_OF(HTTPS, LIST_X, VM), true), 0);
	assert_int_equal(iface_of(plane)->keep_until, plane->generation - 1);
}

static void losing_an_address_revokes(void **state)
{
	struct plane *plane = *state;

	start(plane, POLICY_OF(PING, LIST_X,
			       "\"vm\":{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\","
			       "\"10.0.0.6\"],\"groups\":[\"sg-web\"]}"));
	apply(plane, POLICY_OF(PING, LIST_X, VM));
	assert_int_equal(iface_of(plane)->removed_at, plane->generation);
}

static void list_that_shrinks_revokes_its_peer(void **state)
{
	struct plane *plane = *state;
	uint32_t peer;
	uint64_t gone = 0;

	start(plane, POLICY_OF(SSH, LISTS("\"192.0.2.0/24\",\"198.51.100.0/24\""), VM));
	apply(plane, POLICY_OF(SSH, LISTS("\"192.0.2.0/24\""), VM));
	peer = numbers_find(plane->numbers, NUMBER_PEER, "default:pl-x");
	assert_int_equal(table_lookup(plane->dataplane, TABLE_PEERGONE, &peer, &gone), 0);
	assert_int_equal(gone, plane->generation);
	assert_int_equal(iface_of(plane)->removed_at, 0);
}

/* ------------------------------------------------------------------ failures */

struct fault {
	unsigned int countdown; /* calls that succeed */
	bool forever;		/* after the first failure nothing works any more */
	bool hit;
};

/* Any call that an apply makes: writes, what reads them back, passes over maps, grace periods. */
static int fail_call(enum bpf_call call, const char *object, void *arg)
{
	struct fault *fault = arg;

	(void)call;
	(void)object;
	if (fault->hit)
		return fault->forever ? -EIO : 0;
	if (fault->countdown--)
		return 0;
	fault->hit = true;
	return -EIO;
}

/* Differs from plain in every table. */
static const char *const other = POLICY_OF(
	HTTPS "," PING
	      ",{\"id\":\"x\",\"protocol\":\"udp\",\"ports\":[1,3,5],\"from\":[\"10.2.0.0/16\","
	      "\"10.0.0.0/8\"]}",
	LISTS("\"198.51.100.0/24\""),
	"\"vm\":{\"device\":\"tap0\",\"addresses\":[\"10.0.0.6\"],\"vlans\":[7],\"groups\":"
	"[\"sg-web\"],\"allowed_addresses\":[\"10.7.0.0/16\"]}," APP2_OPS);

/* Of eight entries two get another port and one goes: the policy changes where it is. */
#define UDP                                                                               \
	"{\"id\":\"x\",\"protocol\":\"udp\",\"ports\":[1,3,5],\"from\":[\"10.2.0.0/16\"," \
	"\"10.0.0.0/8\"]}"
#define SSH2                                                                             \
	"{\"id\":\"ssh\",\"protocol\":\"tcp\",\"ports\":[22,2222],\"from\":[\"sg-ops\"," \
	"\"pl-x\"]}"
#define GRE "{\"id\":\"gre\",\"protocol\":\"gre\",\"from\":[\"sg-app\"]}"
static const char *const rules_before =
	POLICY_OF(HTTPS "," SSH "," GRE "," PING "," UDP, LIST_X, VM "," APP1);
static const char *const rules_after =
	POLICY_OF(HTTPS "," SSH2 "," PING "," UDP, LIST_X, VM "," APP1);

static void a_rule_that_changes_is_few_writes(void **state)
{
	struct plane *plane = *state;
	uint32_t policy;
	uint64_t gone = 0;
	uint32_t peer;

	start(plane, rules_before);
	policy = plan_current_conf(plane->dataplane, 1, NULL)->policy;
	apply(plane, POLICY_OF(HTTPS ",{\"id\":\"ssh\",\"protocol\":\"tcp\",\"ports\":[23],"
				     "\"from\":[\"sg-ops\"]}," GRE "," PING "," UDP,
			       LIST_X, VM "," APP1));
	assert_int_equal(plan_current_conf(plane->dataplane, 1, NULL)->policy, policy);
	/* Two entries, what each said before, the outline; and the peers, one of which no rule
	 * names any more, and its prefix. */
	assert_in_range(plane->writes, 7, 8);
	assert_int_equal(iface_of(plane)->removed_at, 0);
	peer = numbers_find(plane->numbers, NUMBER_PEER, "default:sg-ops");
	assert_int_equal(table_lookup(plane->dataplane, TABLE_PEERGONE, &peer, &gone), 0);
	assert_int_equal(gone, plane->generation);
	assert_int_equal(plane->dataplane->control->last_removal, plane->generation);
	plane_settle(plane);
	apply(plane, rules_before);
	assert_int_equal(plan_current_conf(plane->dataplane, 1, NULL)->policy, policy);
	plane_settle(plane);
	assert_int_equal(g_hash_table_size(plane->dataplane->policies), 1);
}

static void failure_of_any_call(struct plane *plane, const char *from, const char *to)
{
	g_autofree char *before = NULL;
	unsigned int step;

	start(plane, from);
	before = kernel_view(plane);
	for (step = 0; step < 1000; step++) {
		struct fault fault = {.countdown = step};
		uint64_t generation = plane->generation;
		g_autofree char *after = NULL;
		int code;

		bpf_fault_set(fail_call, &fault);
		code = plane_apply(plane, to, false);
		bpf_fault_set(NULL, NULL);
		if (!fault.hit) {
			assert_int_equal(code, 0);
			break;
		}
		assert_int_equal(code, -EIO);
		assert_non_null(plane->error);
		assert_int_equal(dataplane_generation(plane->dataplane), generation);
		after = kernel_view(plane);
		assert_string_equal(before, after);
	}
	assert_true(step > 15 && step < 1000);
	apply(plane, from);
	plane_settle(plane);
	g_autofree char *back = kernel_view(plane);

	assert_string_equal(before, back);
}

static void failure_of_any_call_leaves_the_old_policy(void **state)
{
	failure_of_any_call(*state, plain, other);
}

static void failure_of_any_call_leaves_the_old_rules(void **state)
{
	failure_of_any_call(*state, rules_before, rules_after);
}

/* As before, but nothing can be taken back, and then the process is gone. */
static void kill_at_any_call(struct plane *plane, const char *from, const char *to)
{
	g_autofree char *before = NULL;
	g_autofree char *wanted = NULL;
	unsigned int step, keys;

	start(plane, to);
	wanted = kernel_view(plane);
	apply(plane, from);
	before = kernel_view(plane);
	plane_settle(plane);
	keys = entries_of(plane, TABLE_POLICY);
	for (step = 0; step < 1000; step++) {
		struct fault fault = {.countdown = step, .forever = true};
		uint64_t generation = plane->generation;
		g_autofree char *after = NULL;

		bpf_fault_set(fail_call, &fault);
		plane_apply(plane, to, false);
		bpf_fault_set(NULL, NULL);
		if (!fault.hit)
			break;
		plane_reopen(plane);
		assert_int_equal(dataplane_generation(plane->dataplane), generation);
		after = kernel_view(plane);
		assert_string_equal(before, after);
		/* A flip for another reason must not publish what was left. */
		plane->dataplane->control->generation += 2;
		g_free(after);
		after = kernel_view(plane);
		assert_string_equal(before, after);
		plane->dataplane->control->generation -= 2;
		apply(plane, from);
		plane_settle(plane);
		assert_int_equal(entries_of(plane, TABLE_POLICY), keys);
	}
	assert_true(step > 15 && step < 1000);
	g_autofree char *after = kernel_view(plane);

	assert_string_equal(wanted, after);
}

static void kill_at_any_call_leaves_the_old_policy(void **state)
{
	kill_at_any_call(*state, plain, other);
}

static void kill_at_any_call_leaves_the_old_rules(void **state)
{
	kill_at_any_call(*state, rules_before, rules_after);
}

/* Somebody's entry in a group: 10.0.9.9 is what 10.0.1.1 is. */
static void spoil_members(struct plane *plane)
{
	struct sg_member_key key = {.addr.w = {0, 0, htonl(0xffff), htonl(0x0a000101)}};
	struct sg_version version = {};

	key.zone = plan_current_conf(plane->dataplane, 1, NULL)->zone;
	assert_int_equal(table_lookup(plane->dataplane, TABLE_MEMBERS, &key, &version), 0);
	key.addr.w[3] = htonl(0x0a000909);
	assert_int_equal(
		table_update(plane->dataplane, TABLE_MEMBERS, &key, &version, BPF_ANY, NULL), 0);
}

/* A verification with repairs. */
static void repair(struct plane *plane)
{
	struct verification *v = dataplane_verify_begin(plane->dataplane, true);
	bool more = true;

	while (more)
		assert_int_equal(dataplane_verify_step(v, plane->image, &more, &plane->error), 0);
	assert_true(dataplane_verified(v)->found > 0);
	dataplane_verify_end(&v);
}

/* Neither a change nor its undo came to its end; a repair makes a generation of its own then. */
static void a_repair_publishes_nothing_of(struct plane *plane, const char *from, const char *to)
{
	g_autofree char *before = NULL;
	unsigned int step, left = 0;

	start(plane, from);
	before = kernel_view(plane);
	for (step = 0; step < 1000; step++) {
		struct fault fault = {.countdown = step, .forever = true};
		uint64_t generation = dataplane_generation(plane->dataplane);
		g_autofree char *after = NULL;

		bpf_fault_set(fail_call, &fault);
		plane_apply(plane, to, false);
		bpf_fault_set(NULL, NULL);
		if (!fault.hit)
			break;
		left += plane->dataplane->undo->len > 0 || plane->dataplane->undo_ports->len > 0;
		spoil_members(plane);
		repair(plane);
		assert_true(dataplane_generation(plane->dataplane) > generation);
		after = kernel_view(plane);
		assert_string_equal(before, after);
		assert_int_equal(plane->dataplane->undo->len + plane->dataplane->undo_ports->len,
				 0);
	}
	assert_true(step > 15 && step < 1000);
	assert_true(left > 5);
}

static void a_repair_publishes_nothing_of_a_failed_policy(void **state)
{
	a_repair_publishes_nothing_of(*state, plain, other);
}

static void a_repair_publishes_nothing_of_failed_rules(void **state)
{
	a_repair_publishes_nothing_of(*state, rules_before, rules_after);
}

/* One that was killed after the flip leaves entries that have two versions. */
static void kill_after_a_change_leaves_the_new_rules(void **state)
{
	struct plane *plane = *state;
	g_autofree char *wanted = NULL;
	unsigned int keys;

	start(plane, rules_before);
	keys = entries_of(plane, TABLE_POLICY);
	apply(plane, rules_after);
	wanted = kernel_view(plane);
	assert_int_equal(entries_of(plane, TABLE_POLICY), keys + 3);
	plane_reopen(plane);
	g_autofree char *found = kernel_view(plane);
	assert_string_equal(wanted, found);
	apply(plane, rules_after);
	assert_int_equal(plane->writes, 0);
	plane_settle(plane);
	/* One of them has no rules any more. */
	assert_int_equal(entries_of(plane, TABLE_POLICY), keys);
	g_autofree char *settled = kernel_view(plane);
	assert_string_equal(wanted, settled);
	apply(plane, plain);
	plane_settle(plane);
	assert_int_equal(g_hash_table_size(plane->dataplane->policies), 1);
	assert_true(entries_of(plane, TABLE_POLICY) < keys);
}

static int fail_peergone(enum bpf_call call, const char *object, void *arg)
{
	(void)arg;
	return call == CALL_MAP_UPDATE && !g_strcmp0(object, SG_MAP_PEERGONE) ? -ENOMEM : 0;
}

/*
 * A change that is taken back, made again, and then a kill: what the entries said before is there
 * twice, its intervals once.
 */
static void what_was_taken_back_goes_once(void **state)
{
	struct plane *plane = *state;
	struct sg_policy_ports was = {}, is = {};
	struct sg_policy_key key = {.proto = SG_IPPROTO_TCP, .dir = SG_INGRESS};
	unsigned int keys;

	start(plane, rules_after);
	plane_settle(plane);
	keys = entries_of(plane, TABLE_POLICY);
	key.policy = plan_current_conf(plane->dataplane, 1, NULL)->policy;
	key.peer = numbers_find(plane->numbers, NUMBER_PEER, "default:sg-ops");
	assert_int_equal(table_lookup(plane->dataplane, TABLE_POLICY, &key, &was), 0);
	bpf_fault_set(fail_peergone, NULL);
	assert_int_equal(plane_apply(plane, rules_before, false), -ENOMEM);
	bpf_fault_set(NULL, NULL);
	/* A packet that had read the first 8 bytes when it was written sees that it was. */
	assert_int_equal(table_lookup(plane->dataplane, TABLE_POLICY, &key, &is), 0);
	assert_int_not_equal(ports_word(&is), ports_word(&was));
	assert_int_equal(SG_PORTS_COUNT(is.count), was.count);
	assert_int_equal(is.one.rule, was.start);
	apply(plane, rules_before);
	plane_reopen(plane);
	apply(plane, rules_before);
	assert_int_equal(plane->writes, 0);
	plane_settle(plane);
	assert_int_equal(entries_of(plane, TABLE_POLICY), keys + 1);
	apply(plane, POLICY_OF(PING, LIST_X, VM));
	plane_settle(plane);
	assert_intervals_free(plane);
}

/* The same for a policy that is applied as a whole, as at start and at a first load. */
static void failure_of_any_call_of_a_whole_policy_leaves_the_old_one(void **state)
{
	struct plane *plane = *state;
	g_autofree char *before = NULL;
	unsigned int step;

	start(plane, plain);
	before = kernel_view(plane);
	for (step = 0; step < 1000; step++) {
		struct fault fault = {.countdown = step};
		uint64_t generation = dataplane_generation(plane->dataplane);
		g_autofree char *after = NULL;
		int code;

		/* Without a model there is nothing to tell the difference from. */
		image_free(&plane->image);
		model_free(&plane->model);
		bpf_fault_set(fail_call, &fault);
		code = plane_apply(plane, other, false);
		bpf_fault_set(NULL, NULL);
		if (!fault.hit) {
			assert_int_equal(code, 0);
			break;
		}
		assert_int_equal(code, -EIO);
		assert_int_equal(dataplane_generation(plane->dataplane), generation);
		after = kernel_view(plane);
		assert_string_equal(before, after);
	}
	assert_true(step > 30 && step < 1000);
	apply(plane, plain);
	plane_settle(plane);
	g_autofree char *back = kernel_view(plane);

	assert_string_equal(before, back);
}

static void full_map_is_named(void **state)
{
	struct plane *plane = *state;

	start(plane, plain);
	/* A table with no room at all: what a write to sg_vlans says stands for all. */
	for (uint32_t i = 0; i < SG_MAX_VLANS; i++) {
		struct sg_vlan_key key = {.slot = (uint16_t)(100 + i / 4096), .vid = i % 4096};
		struct sg_version version = {};

		assert_int_equal(
			table_update(plane->dataplane, TABLE_VLANS, &key, &version, BPF_ANY, NULL),
			0);
	}
	assert_int_equal(plane_apply(plane, other, false), -E2BIG);
	assert_non_null(strstr(plane->error, "sg_vlans is full (65536 entries)"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plane_setup, plane_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(same_policy_twice_writes_nothing),
		TEST(member_that_joins_or_leaves_is_one_write),
		TEST(restart_with_other_numbers_writes_nothing),
		TEST(what_changed_while_down_is_written_at_start),
		TEST(nothing_is_left_of_old_policies),
		TEST(a_longer_prefix_does_not_hide_the_shorter_one),
		TEST(configurations_alternate),
		TEST(only_removals_revoke),
		TEST(keep_exempts_what_is_live),
		TEST(losing_an_address_revokes),
		TEST(list_that_shrinks_revokes_its_peer),
		TEST(failure_of_any_call_leaves_the_old_policy),
		TEST(kill_at_any_call_leaves_the_old_policy),
		TEST(a_repair_publishes_nothing_of_a_failed_policy),
		TEST(a_repair_publishes_nothing_of_failed_rules),
		TEST(a_rule_that_changes_is_few_writes),
		TEST(failure_of_any_call_leaves_the_old_rules),
		TEST(kill_at_any_call_leaves_the_old_rules),
		TEST(kill_after_a_change_leaves_the_new_rules),
		TEST(what_was_taken_back_goes_once),
		TEST(failure_of_any_call_of_a_whole_policy_leaves_the_old_one),
		TEST(full_map_is_named),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
