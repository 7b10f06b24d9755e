/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_outline.c - what a policy may allow at all: that it admits all that its rules allow and what
 * little else, that it is found again, given back, and not believed when it is another's; and from
 * when on an interface's flows are known to be its policy's.
 */
#include <bpf/bpf.h>
#include <string.h>

#include "rulesd/bpf_internal.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/plane.h"

#define POLICY_OF(ports, timeouts)                                                                    \
	"{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[{\"protocol\":\"udp\",\"ports\":[" ports \
	"],\"from\":[\"any\"]}]}},\"interfaces\":{\"vm\":{\"device\":\"tap0\","                       \
	"\"addresses\":[\"10.0.0.5\"],\"groups\":[\"sg-web\"]" timeouts "}}}"
#define TIMEOUTS(seconds) ",\"conntrack\":{\"tcp_established\":" seconds "}"

static struct sg_iface *iface_of(struct plane *plane)
{
	return &plane->dataplane->ifaces[plane_slot(plane, "vm")];
}

static struct sg_slot *slot_of(struct plane *plane)
{
	return &plane->dataplane->slots[plane_slot(plane, "vm")];
}

static struct sg_iface_conf *conf_of(struct plane *plane)
{
	unsigned int current;

	plan_current_conf(plane->dataplane, plane_slot(plane, "vm"), &current);
	return &iface_of(plane)->conf[current];
}

static void apply(struct plane *plane, const char *policy, bool keep)
{
	if (plane_apply(plane, policy, keep))
		fail_msg("%s", plane->error);
}

static struct tap *start(struct plane *plane, struct tap **vm, const char *policy)
{
	struct dataplane_attachment attachment = {};
	struct tap *neighbour = plane_bridge(vm, false);

	apply(plane, policy, false);
	if (plane_attach(plane, "vm", *vm, &attachment))
		fail_msg("%s", plane->error);
	return neighbour;
}

static bool lets_in(const struct tap *vm, const struct tap *neighbour, unsigned int port,
		    bool expected)
{
	static unsigned int from = 4000;
	g_autofree char *text =
		g_strdup_printf("udp 10.0.0.9:%u > 10.0.0.5:%u", from++ % 60000, port);

	return plane_arrives(neighbour, vm, text, expected);
}

/* ------------------------------------------------------------------ what it says */

#define RANGES 6u

struct range {
	struct held_ports ports;
	struct sg_interval interval;
};

static void random_range(GRand *random, struct range *range)
{
	static const uint16_t protocols[] = {
		SG_IPPROTO_TCP, SG_IPPROTO_UDP, SG_IPPROTO_ICMP, 47, 255, SG_PROTO_ALL};
	uint32_t first = (uint32_t)g_rand_int_range(random, 0, 65536);
	uint32_t width = (uint32_t)g_rand_int_range(random, 0, 4)
				 ? 0
				 : (uint32_t)g_rand_int_range(random, 0, 700);

	*range = (struct range){
		.ports = {.peer = (uint32_t)g_rand_int_range(random, 1, 4),
			  .proto = protocols[g_rand_int_range(random, 0, G_N_ELEMENTS(protocols))],
			  .dir = (uint8_t)g_rand_int_range(random, 0, SG_DIRS + 1),
			  .count = 1},
		.interval = {(uint16_t)first, (uint16_t)MIN(first + width, 65535), 1},
	};
	/* No exempt endpoint is any. */
	if (range->ports.dir == SG_DIR_EXEMPT)
		range->ports.peer = 2;
}

static bool bit(const __u64 *words, unsigned int number)
{
	return words[number / 64] >> number % 64 & 1;
}

/* As the programs ask it (bpf/outline.bpf.h). */
static bool says(const struct sg_outline *outline, unsigned int dir, unsigned int peers,
		 unsigned int proto, unsigned int port)
{
	const struct sg_outline_part *part = &outline->part[dir][peers];
	unsigned int which = proto == SG_IPPROTO_TCP   ? SG_OUTLINE_TCP
			     : proto == SG_IPPROTO_UDP ? SG_OUTLINE_UDP
						       : SG_OUTLINE_OTHER;

	if (which == SG_OUTLINE_OTHER && !bit(part->protocols, proto))
		return false;
	return bit(part->ports[which].high, port >> 8) && bit(part->ports[which].low, port & 255);
}

static bool is_of(const struct range *range, unsigned int dir, unsigned int peers,
		  unsigned int proto)
{
	unsigned int own_dir = range->ports.dir == SG_DIR_EXEMPT ? SG_EGRESS : range->ports.dir;
	unsigned int own_peers =
		range->ports.peer == SG_PEER_ANY ? SG_OUTLINE_ANY : SG_OUTLINE_OTHERS;

	return own_dir == dir && own_peers == peers &&
	       (range->ports.proto == SG_PROTO_ALL || range->ports.proto == proto);
}

/* Whether rules allow it; and whether some allow a port with this high byte, and with this low one.
 * For protocols that share a set that is asked of all of them. */
static void ask(const struct range *ranges, unsigned int dir, unsigned int peers,
		unsigned int proto, unsigned int port, bool *allowed, bool *near)
{
	bool high = false, low = false, named = false;
	bool shared = proto != SG_IPPROTO_TCP && proto != SG_IPPROTO_UDP;

	*allowed = false;
	for (unsigned int i = 0; i < RANGES; i++) {
		unsigned int first = ranges[i].interval.first, last = ranges[i].interval.last;
		uint16_t own = ranges[i].ports.proto;
		bool counts = is_of(&ranges[i], dir, peers, proto);

		named |= counts;
		*allowed |= counts && port >= first && port <= last;
		if (shared && own != SG_IPPROTO_TCP && own != SG_IPPROTO_UDP)
			counts = is_of(&ranges[i], dir, peers, own == SG_PROTO_ALL ? proto : own);
		if (!counts)
			continue;
		high |= port >> 8 >= first >> 8 && port >> 8 <= last >> 8;
		for (unsigned int each = first; each <= last; each++)
			low |= (each & 255) == (port & 255);
	}
	*near = named && high && low;
}

static void check_port(const struct sg_outline *outline, const struct range *ranges,
		       unsigned int dir, unsigned int peers, unsigned int proto, unsigned int port)
{
	bool allowed, near, said = says(outline, dir, peers, proto, port);

	ask(ranges, dir, peers, proto, port, &allowed, &near);
	if ((allowed && !said) || said != near)
		fail_msg(
			"direction %u, peers %u, protocol %u, port %u: allowed %d, near %d, said %d",
			dir, peers, proto, port, allowed, near, said);
}

static void it_admits_what_the_rules_allow(void **state)
{
	static const unsigned int protocols[] = {
		SG_IPPROTO_TCP, SG_IPPROTO_UDP, SG_IPPROTO_ICMP, 47, 255, 0};
	g_autoptr(GRand) random = g_rand_new_with_seed(3);

	(void)state;
	for (unsigned int round = 0; round < 60; round++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		g_autoptr(GBytes) content = NULL;
		struct range ranges[RANGES];
		struct sg_outline outline;

		for (unsigned int i = 0; i < RANGES; i++) {
			random_range(random, &ranges[i]);
			g_byte_array_append(bytes, (const guint8 *)&ranges[i], sizeof(ranges[i]));
		}
		content = g_bytes_new(bytes->data, bytes->len);
		outline_of(content, 7, &outline);
		assert_int_equal(outline.policy, 7);
		for (unsigned int i = 0; i < RANGES; i++)
			for (unsigned int p = 0; p < G_N_ELEMENTS(protocols); p++)
				for (unsigned int side = 0; side < 4; side++) {
					unsigned int first = ranges[i].interval.first;
					unsigned int last = ranges[i].interval.last;
					unsigned int ports[] = {first,
								last,
								(first + last) / 2,
								(first + 65535) & 65535,
								(last + 1) & 65535,
								(first ^ 256) & 65535,
								round * 1000 + i};

					for (unsigned int k = 0; k < G_N_ELEMENTS(ports); k++)
						check_port(&outline, ranges, side & 1, side >> 1,
							   protocols[p], ports[k]);
				}
	}
}

/* ------------------------------------------------------------------ whose it is */

static void another_policy_s_is_not_believed(void **state)
{
	struct plane *plane = *state;
	struct tap *vm, *neighbour = start(plane, &vm, POLICY_OF("53", ""));
	uint32_t before = conf_of(plane)->outline;

	assert_int_not_equal(before, 0);
	/* Kept flows make it another policy; otherwise it is the same one with other rules. */
	apply(plane, POLICY_OF("54", ""), true);
	assert_int_not_equal(conf_of(plane)->outline, before);
	assert_true(lets_in(vm, neighbour, 54, true));
	/* What a policy stored in place has for a moment. */
	conf_of(plane)->outline = before;
	assert_true(lets_in(vm, neighbour, 54, true));
	assert_false(lets_in(vm, neighbour, 53, false));
	conf_of(plane)->outline = SG_MAX_OUTLINES;
	assert_true(lets_in(vm, neighbour, 54, true));
}

static guint free_ones(const struct plane *plane)
{
	guint count = 0;

	for (guint i = 0; i < plane->dataplane->free_outlines->len; i++)
		count += g_array_index(plane->dataplane->free_outlines, struct extent, i).count;
	return count;
}

static void without_room_there_is_none(void **state)
{
	struct plane *plane = *state;
	struct tap *vm, *neighbour;

	g_array_set_size(plane->dataplane->free_outlines, 0);
	neighbour = start(plane, &vm, POLICY_OF("53", ""));
	assert_int_equal(conf_of(plane)->outline, 0);
	assert_true(lets_in(vm, neighbour, 53, true));
	assert_false(lets_in(vm, neighbour, 54, false));
}

static void they_are_given_back(void **state)
{
	struct plane *plane = *state;
	struct tap *vm;
	char *error = NULL;
	bool more = true;
	guint room;

	start(plane, &vm, POLICY_OF("53", ""));
	room = free_ones(plane);
	assert_int_equal(room, SG_MAX_OUTLINES - 2);
	apply(plane, POLICY_OF("54", ""), false);
	apply(plane, POLICY_OF("55", ""), false);
	assert_int_equal(settle_wait(plane->dataplane, &error), 0);
	while (more)
		assert_int_equal(dataplane_settle(plane->dataplane, &more), 0);
	assert_int_equal(free_ones(plane), room);
}

static void it_is_found_again(void **state)
{
	struct plane *plane = *state;
	struct sg_outline damaged = {};
	struct tap *vm, *neighbour = start(plane, &vm, POLICY_OF("53", ""));
	uint32_t index = conf_of(plane)->outline;

	plane_reopen(plane);
	apply(plane, POLICY_OF("53", ""), false);
	assert_int_equal(conf_of(plane)->outline, index);
	assert_int_equal(free_ones(plane), SG_MAX_OUTLINES - 2);
	/* Half written by one that was killed: not the policy's. */
	assert_int_equal(table_lookup(plane->dataplane, TABLE_OUTLINES, &index, &damaged), 0);
	memset(&damaged.part, 0, sizeof(damaged.part));
	assert_int_equal(
		table_update(plane->dataplane, TABLE_OUTLINES, &index, &damaged, BPF_ANY, NULL), 0);
	assert_false(lets_in(vm, neighbour, 53, false));
	plane_reopen(plane);
	apply(plane, POLICY_OF("53", ""), false);
	assert_int_equal(conf_of(plane)->outline, 0);
	assert_true(lets_in(vm, neighbour, 53, true));
}

/* ------------------------------------------------------------------ flows of a policy before */

static void collect(struct plane *plane)
{
	bool more = true;

	while (more)
		assert_int_equal(dataplane_collect(plane->dataplane, &more), 0);
}

static uint64_t jiffies(struct plane *plane)
{
	struct sg_collect clock = {};

	assert_int_equal(collect_pass(plane->dataplane, PROGRAM_COLLECT_CLOCK, &clock, NULL), 0);
	return clock.jiffies;
}

static void settle(struct plane *plane)
{
	bool more = true;

	assert_int_equal(settle_wait(plane->dataplane, NULL), 0);
	while (more)
		assert_int_equal(dataplane_settle(plane->dataplane, &more), 0);
}

static struct sg_outline kernel_outline(struct plane *plane)
{
	struct sg_outline outline;

	assert_int_equal(
		table_lookup(plane->dataplane, TABLE_OUTLINES, &conf_of(plane)->outline, &outline),
		0);
	return outline;
}

static bool admits(struct plane *plane, unsigned int port)
{
	struct sg_outline outline = kernel_outline(plane);
	const struct sg_outline_set *set =
		&outline.part[SG_INGRESS][SG_OUTLINE_ANY].ports[SG_OUTLINE_UDP];

	return set->low[port / 64 % 4] >> port % 64 & 1;
}

static void it_is_wider_while_rules_change(void **state)
{
	struct plane *plane = *state;
	struct tap *vm, *neighbour = start(plane, &vm, POLICY_OF("53", ""));
	uint32_t index = conf_of(plane)->outline;

	apply(plane, POLICY_OF("54", ""), false);
	assert_int_equal(conf_of(plane)->outline, index);
	assert_true(admits(plane, 54));
	assert_true(lets_in(vm, neighbour, 54, true));
	assert_false(lets_in(vm, neighbour, 53, false));
	settle(plane);
	assert_true(admits(plane, 54));
	assert_false(admits(plane, 53));
	/* One that was killed between the two. */
	apply(plane, POLICY_OF("55", ""), false);
	plane_reopen(plane);
	apply(plane, POLICY_OF("55", ""), false);
	assert_int_equal(conf_of(plane)->outline, index);
	assert_true(admits(plane, 55));
	settle(plane);
	apply(plane, POLICY_OF("56", ""), false);
	settle(plane);
	assert_false(admits(plane, 54));
	assert_false(admits(plane, 55));
	assert_true(lets_in(vm, neighbour, 56, true));
}

static void flows_are_known_a_time_out_after_a_removal(void **state)
{
	struct plane *plane = *state;
	uint32_t hz = plane->dataplane->hz;
	struct tap *vm;
	uint64_t before, after;

	start(plane, &vm, POLICY_OF("53,54", TIMEOUTS("1000")));
	collect(plane);
	assert_int_equal(slot_of(plane)->clean_from, 0);
	apply(plane, POLICY_OF("\"53-60\"", TIMEOUTS("1000")), false);
	assert_int_equal(slot_of(plane)->clean_from, 0);
	apply(plane, POLICY_OF("53", TIMEOUTS("1000")), false);
	/* Until its outline says no more than that. */
	settle(plane);
	assert_true(slot_of(plane)->clean_from == SG_NEVER);
	before = jiffies(plane);
	collect(plane);
	after = jiffies(plane);
	assert_in_range(slot_of(plane)->clean_from, before + 1001 * (uint64_t)hz,
			after + 1001 * (uint64_t)hz);
	/* A later one begins anew; so does a longer time-out. */
	apply(plane, POLICY_OF("54", TIMEOUTS("1000")), false);
	settle(plane);
	assert_true(slot_of(plane)->clean_from == SG_NEVER);
	collect(plane);
	assert_false(slot_of(plane)->clean_from == SG_NEVER);
	apply(plane, POLICY_OF("54", TIMEOUTS("2000")), false);
	assert_true(slot_of(plane)->clean_from == SG_NEVER);
	plane_reopen(plane);
	apply(plane, POLICY_OF("54", TIMEOUTS("2000")), false);
	collect(plane);
	assert_in_range(slot_of(plane)->clean_from, after + 2000 * (uint64_t)hz,
			jiffies(plane) + 2001 * (uint64_t)hz);
}

static void flows_that_are_kept_are_never_known(void **state)
{
	struct plane *plane = *state;
	struct tap *vm;

	start(plane, &vm, POLICY_OF("53,54", ""));
	apply(plane, POLICY_OF("53", ""), true);
	collect(plane);
	assert_true(slot_of(plane)->clean_from == SG_NEVER);
	apply(plane, POLICY_OF("55", ""), false);
	collect(plane);
	assert_true(slot_of(plane)->clean_from == SG_NEVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plane_setup, plane_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_admits_what_the_rules_allow),
		TEST(another_policy_s_is_not_believed),
		TEST(without_room_there_is_none),
		TEST(they_are_given_back),
		TEST(it_is_found_again),
		TEST(it_is_wider_while_rules_change),
		TEST(flows_are_known_a_time_out_after_a_removal),
		TEST(flows_that_are_kept_are_never_known),
	};

	return cmocka_run_group_tests_name("outline", tests, NULL, NULL);
}
