/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_attach.c - attaching to real taps: every hook, adoption after a kill, replacement, limits of
 * flows, versions of the maps, and that nothing stays behind.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/bpf_internal.h"
#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/command.h"
#include "tests/lib/netns.h"
#include "tests/lib/plane.h"

/* One VM that may be reached at TCP 443; %s is more of its interface. */
#define POLICY(more)                                                                                 \
	"{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[{\"id\":\"https\",\"protocol\":"        \
	"\"tcp\",\"ports\":[443],\"from\":[\"any\"]}]}},\"interfaces\":{\"vm\":{\"device\":\"tap0\"" \
	",\"mac\":\"52:54:00:00:00:05\",\"addresses\":[\"10.0.0.5\",\"fd00::5\"],\"groups\":["       \
	"\"sg-web\"]" more "}}}"

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

/* Both directions are filtered: what a rule allows and what none does, and what the VM may send. */
static void assert_filters(const struct tap *neighbour, const struct tap *vm)
{
	assert_true(plane_arrives(neighbour, vm, "tcp 10.0.0.9:4000 > 10.0.0.5:443 S", true));
	assert_false(plane_arrives(neighbour, vm, "tcp 10.0.0.9:4000 > 10.0.0.5:444 S", false));
	assert_true(plane_arrives(vm, neighbour, "udp 10.0.0.5:4000 > 10.0.0.9:53", true));
	assert_false(
		plane_arrives(vm, neighbour, "udp 10.0.0.66:4000 > 10.0.0.9:53 smac=5", false));
}

/* Kernels before 6.6 have no tcx: auto then takes tc. */
static enum model_hook best_tc(void)
{
	uint32_t ids[64];
	LIBBPF_OPTS(bpf_prog_query_opts, options, .prog_ids = ids, .prog_cnt = 64);

	return bpf_prog_query_opts(1, 46, &options) ? MODEL_HOOK_TC : MODEL_HOOK_TCX;
}

static void each_hook_filters(struct plane *plane, const char *policy, bool vnet_hdr,
			      enum model_hook expected)
{
	struct dataplane_attachment attachment = {};
	struct tap *vm, *neighbour = plane_bridge(&vm, vnet_hdr);

	assert_int_equal(plane_apply(plane, policy, false), 0);
	if (plane_attach(plane, "vm", vm, &attachment))
		fail_msg("%s", plane->error);
	assert_int_equal(attachment.hook, expected);
	assert_true(attachment.live);
	assert_int_equal(attachment.ifindex, vm->ifindex);
	assert_filters(neighbour, vm);
	assert_int_equal(dataplane_detach(plane->dataplane, attachment.slot, &plane->error), 0);
	assert_true(plane_arrives(neighbour, vm, "tcp 10.0.0.9:4000 > 10.0.0.5:444 S", true));
}

static void auto_takes_xdp_for_plain_taps(void **state)
{
	each_hook_filters(*state, POLICY(""), false, MODEL_HOOK_XDP);
}

static void auto_takes_tc_for_taps_with_offloads(void **state)
{
	each_hook_filters(*state, POLICY(""), true, best_tc());
}

static void xdp_on_request(void **state)
{
	each_hook_filters(*state, POLICY(",\"hook\":\"xdp\""), true, MODEL_HOOK_XDP);
}

static void tcx_on_request_where_the_kernel_has_it(void **state)
{
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;

	if (best_tc() == MODEL_HOOK_TCX) {
		each_hook_filters(plane, POLICY(",\"hook\":\"tcx\""), false, MODEL_HOOK_TCX);
		return;
	}
	assert_int_equal(plane_apply(plane, POLICY(",\"hook\":\"tcx\""), false), 0);
	assert_int_equal(plane_attach(plane, "vm", tap_new("tap0", false), &attachment),
			 -EOPNOTSUPP);
	assert_non_null(strstr(plane->error, "Linux 6.6"));
}

static void tc_on_request(void **state)
{
	each_hook_filters(*state, POLICY(",\"hook\":\"tc\""), false, MODEL_HOOK_TC);
}

static void hook_changes_without_a_gap(void **state)
{
	bool tcx = best_tc() == MODEL_HOOK_TCX;
	const char *const policies[] = {POLICY(",\"hook\":\"tc\""), POLICY(",\"hook\":\"xdp\""),
					tcx ? POLICY(",\"hook\":\"tcx\"")
					    : POLICY(",\"hook\":\"tc\""),
					POLICY(",\"hook\":\"tc\"")};
	const enum model_hook hooks[] = {MODEL_HOOK_TC, MODEL_HOOK_XDP, best_tc(), MODEL_HOOK_TC};
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;
	struct tap *vm, *neighbour = plane_bridge(&vm, false);

	for (unsigned int i = 0; i < G_N_ELEMENTS(policies); i++) {
		assert_int_equal(plane_apply(plane, policies[i], false), 0);
		if (plane_attach(plane, "vm", vm, &attachment))
			fail_msg("%s", plane->error);
		assert_int_equal(attachment.hook, hooks[i]);
		assert_filters(neighbour, vm);
	}
}

static void xdp_that_is_taken(void **state)
{
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;
	struct tap *vm = tap_new("tap0", false);
	LIBBPF_OPTS(bpf_link_create_opts, options);
	AUTO_FD int other = bpf_link_create(plane->dataplane->program[PROGRAM_XDP],
					    (int)vm->ifindex, BPF_XDP, &options);

	assert_true(other >= 0);
	assert_int_equal(plane_apply(plane, POLICY(",\"hook\":\"xdp\""), false), 0);
	assert_int_equal(plane_attach(plane, "vm", vm, &attachment), -EBUSY);
	assert_non_null(strstr(plane->error, "tap0"));
	assert_int_equal(entries_of(plane, TABLE_GUARD), 0);
	assert_int_equal(plane->dataplane->ifaces[plane_slot(plane, "vm")].ifindex, 0);
	assert_int_equal(shards_reserved(plane->dataplane), 0);
	/* auto makes do with tcx. */
	assert_int_equal(plane_apply(plane, POLICY(""), false), 0);
	assert_int_equal(plane_attach(plane, "vm", vm, &attachment), 0);
	assert_int_equal(attachment.hook, best_tc());
}

/* A bridge has no XDP of its own, and a number beyond the array that finds slots. */
static void device_without_xdp_and_with_a_high_number(void **state)
{
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;
	struct tap device = {.name = "tap0", .ifindex = SG_MAX_IFINDEX + 4464};
	uint32_t slot = 0;

	command_check("ip", "link", "add", "tap0", "index", "70000", "type", "bridge", NULL);
	assert_int_equal(plane_apply(plane, POLICY(""), false), 0);
	assert_int_equal(plane_attach(plane, "vm", &device, &attachment), 0);
	assert_int_equal(attachment.hook, best_tc());
	assert_int_equal(table_lookup(plane->dataplane, TABLE_IFHIGH, &device.ifindex, &slot), 0);
	assert_int_equal(slot, attachment.slot);
	/* Who asks for XDP gets the generic one. */
	assert_int_equal(plane_apply(plane, POLICY(",\"hook\":\"xdp\""), false), 0);
	assert_int_equal(plane_attach(plane, "vm", &device, &attachment), 0);
	assert_int_equal(attachment.hook, MODEL_HOOK_XDP);
	assert_int_equal(dataplane_detach(plane->dataplane, attachment.slot, &plane->error), 0);
	assert_int_equal(entries_of(plane, TABLE_IFHIGH), 0);
}

static void killed_and_opened_again_adopts(void **state)
{
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;
	struct tap *vm, *neighbour = plane_bridge(&vm, false);
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(attachment));
	struct sg_stats stats;

	assert_int_equal(plane_apply(plane, POLICY(""), false), 0);
	assert_int_equal(plane_attach(plane, "vm", vm, &attachment), 0);
	assert_filters(neighbour, vm);
	/* A handshake, and a flow that must survive. */
	assert_true(
		plane_arrives(neighbour, vm, "tcp 10.0.0.9:5000 > 10.0.0.5:443 S seq=100", true));
	assert_true(plane_arrives(vm, neighbour,
				  "tcp 10.0.0.5:443 > 10.0.0.9:5000 SA seq=900 ack=101", true));
	assert_true(plane_arrives(neighbour, vm,
				  "tcp 10.0.0.9:5000 > 10.0.0.5:443 A seq=101 ack=901", true));
	dataplane_close(&plane->dataplane);
	assert_true(plane_arrives(neighbour, vm,
				  "tcp 10.0.0.9:5000 > 10.0.0.5:443 A seq=101 ack=901", true));
	assert_false(plane_arrives(neighbour, vm, "tcp 10.0.0.9:5000 > 10.0.0.5:444 S", false));
	plane_reopen(plane);
	assert_int_equal(dataplane_attachments(plane->dataplane, list, &plane->error), 0);
	assert_int_equal(list->len, 1);
	assert_true(g_array_index(list, struct dataplane_attachment, 0).live);
	assert_int_equal(g_array_index(list, struct dataplane_attachment, 0).ifindex, vm->ifindex);
	assert_int_equal(g_array_index(list, struct dataplane_attachment, 0).hook, MODEL_HOOK_XDP);
	assert_int_equal(shards_reserved(plane->dataplane), MODEL_DEFAULT_MAX_FLOWS);

	assert_int_equal(plane_apply(plane, POLICY(""), false), 0);
	assert_int_equal(plane->writes, 0);
	assert_int_equal(plane_attach(plane, "vm", vm, &attachment), 0);
	assert_true(plane_arrives(neighbour, vm,
				  "tcp 10.0.0.9:5000 > 10.0.0.5:443 A seq=101 ack=901", true));
	assert_filters(neighbour, vm);
	/* The counters went on, too. */
	assert_int_equal(dataplane_stats(plane->dataplane, attachment.slot, &stats, NULL), 0);
	assert_true(stats.packets[SG_INGRESS][SG_ALLOWED] >= 5);
	assert_true(stats.reasons[SG_DROP_NO_RULE] >= 3);
}

static void tap_made_again_is_filtered_again(void **state)
{
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;
	struct tap *vm, *neighbour = plane_bridge(&vm, false);
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(attachment));

	assert_int_equal(plane_apply(plane, POLICY(""), false), 0);
	assert_int_equal(plane_attach(plane, "vm", vm, &attachment), 0);
	tap_delete(vm);
	assert_int_equal(dataplane_attachments(plane->dataplane, list, &plane->error), 0);
	assert_int_equal(list->len, 1);
	assert_false(g_array_index(list, struct dataplane_attachment, 0).live);
	vm = tap_new("tap0", false);
	bridge_add("br0", vm);
	assert_int_equal(plane_attach(plane, "vm", vm, &attachment), 0);
	assert_int_equal(attachment.ifindex, vm->ifindex);
	assert_filters(neighbour, vm);
	assert_int_equal(shards_reserved(plane->dataplane), MODEL_DEFAULT_MAX_FLOWS);
}

static void programs_removed_behind_our_back_are_noticed(void **state)
{
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;
	struct tap *vm, *neighbour = plane_bridge(&vm, false);
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(attachment));

	assert_int_equal(plane_apply(plane, POLICY(",\"hook\":\"tc\""), false), 0);
	assert_int_equal(plane_attach(plane, "vm", vm, &attachment), 0);
	command_check("tc", "filter", "del", "dev", "tap0", "egress", NULL);
	assert_int_equal(dataplane_attachments(plane->dataplane, list, &plane->error), 0);
	assert_false(g_array_index(list, struct dataplane_attachment, 0).live);
	assert_int_equal(plane_attach(plane, "vm", vm, &attachment), 0);
	assert_filters(neighbour, vm);
}

static void the_same_ifindex_of_another_namespace_is_another_device(void **state)
{
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;
	struct tap *vm = tap_new("tap0", false);
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(attachment));
	AUTO_FD int home = netns_new();

	/* home is the second namespace; the first is where the tap is. */
	(void)home;
	assert_int_equal(plane_apply(plane, POLICY(""), false), 0);
	struct tap *same = tap_new("tap0", false);

	assert_int_equal(same->ifindex, vm->ifindex);
	assert_int_equal(plane_attach(plane, "vm", same, &attachment), 0);
	AUTO_FD int third = netns_new();

	(void)third;
	struct tap *again = tap_new("tap0", false);

	assert_int_equal(again->ifindex, vm->ifindex);
	assert_int_equal(dataplane_attachments(plane->dataplane, list, &plane->error), 0);
	assert_false(g_array_index(list, struct dataplane_attachment, 0).live);
	assert_int_equal(plane_attach(plane, "vm", again, &attachment), 0);
	assert_true(attachment.live);
}

static void two_interfaces_on_one_device_are_refused(void **state)
{
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;
	struct tap *vm = tap_new("tap0", false);

	assert_int_equal(
		plane_apply(
			plane,
			"{\"version\":1,\"interfaces\":{\"a\":{\"device\":\"tap0\",\"addresses\":"
			"[\"10.0.0.5\"]},\"b\":{\"device\":\"tap1\",\"addresses\":[\"10.0.0.6\"]}}}",
			false),
		0);
	assert_int_equal(plane_attach(plane, "a", vm, &attachment), 0);
	assert_int_equal(plane_attach(plane, "b", vm, &attachment), -EEXIST);
	assert_non_null(strstr(plane->error, "interface b"));
}

static void detach_leaves_nothing_of_the_slot(void **state)
{
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;
	struct tap *vm, *neighbour = plane_bridge(&vm, false);
	struct sg_slot exact;
	struct sg_stats stats;
	uint32_t id;

	assert_int_equal(
		plane_apply(plane, POLICY(",\"vlans\":[5],\"allowed_addresses\":[\"10.9.0.0/16\"]"),
			    false),
		0);
	assert_int_equal(plane_attach(plane, "vm", vm, &attachment), 0);
	assert_true(entries_of(plane, TABLE_GUARD) >= 3);
	assert_int_equal(entries_of(plane, TABLE_VLANS), 1);
	assert_true(plane_arrives(neighbour, vm, "udp 10.0.0.9:53 > 10.0.0.5:9", false) == false);
	assert_true(plane_arrives(vm, neighbour, "udp 10.0.0.5:9 > 10.0.0.9:53", true));
	assert_true(plane_arrives(neighbour, vm, "udp 10.0.0.9:53 > 10.0.0.5:9", true));
	assert_int_equal(dataplane_stats(plane->dataplane, attachment.slot, &stats, &exact), 0);
	assert_int_equal(exact.flows, 1);
	assert_int_equal(dataplane_detach(plane->dataplane, attachment.slot, &plane->error), 0);

	assert_int_equal(entries_of(plane, TABLE_GUARD), 0);
	assert_int_equal(entries_of(plane, TABLE_VLANS), 0);
	assert_int_equal(shards_reserved(plane->dataplane), 0);
	assert_int_equal(table_lookup(plane->dataplane, TABLE_HALF, &attachment.slot, &id),
			 -ENOENT);
	id = 0;
	assert_int_equal(table_lookup(plane->dataplane, TABLE_FLOWS, &id, &id), -ENOENT);
	assert_int_equal(dataplane_detach(plane->dataplane, attachment.slot, &plane->error), 0);
	/* A new life of the slot begins with zeros. */
	assert_int_equal(plane_attach(plane, "vm", vm, &attachment), 0);
	assert_int_equal(dataplane_stats(plane->dataplane, attachment.slot, &stats, &exact), 0);
	assert_int_equal(exact.flows, 0);
	assert_int_equal(stats.packets[SG_EGRESS][SG_ALLOWED], 0);
	assert_false(plane_arrives(neighbour, vm, "udp 10.0.0.9:53 > 10.0.0.5:9", false));
}

static void reservations_never_exceed_the_host(void **state)
{
	struct dataplane_attachment attachment = {};
	struct plane *plane = *state;
	struct tap *a = tap_new("tap0", false), *b = tap_new("tap1", false);
#define TWO(flows)                                                                                      \
	"{\"version\":1,\"interfaces\":{\"a\":{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\"],"       \
	"\"conntrack\":{\"max_flows\":60000}},\"b\":{\"device\":\"tap1\",\"addresses\":[\"10.0.0.6\"]," \
	"\"conntrack\":{\"max_flows\":" flows "}}}}"

	plane->options.max_flows = 200000;
	plane_reopen(plane);
	assert_int_equal(plane_apply(plane, TWO("140001"), false), 0);
	assert_int_equal(plane_attach(plane, "a", a, &attachment), 0);
	assert_int_equal(plane_attach(plane, "b", b, &attachment), -ENOSPC);
	assert_non_null(strstr(plane->error, "140001"));
	assert_non_null(strstr(plane->error, "60000 of 200000"));
	/* A shard of its own for the large one, none for what is left of the first. */
	assert_int_equal(plane_apply(plane, TWO("140000"), false), 0);
	assert_int_equal(plane_attach(plane, "b", b, &attachment), 0);
	assert_int_equal(plane->dataplane->shards[0].capacity, SG_SHARD_FLOWS);
	assert_int_equal(plane->dataplane->shards[0].reserved, 60000);
	assert_int_equal(plane->dataplane->shards[1].capacity, 140000);
	/* Live ones shrink and grow in place as far as their shard has room. */
	assert_int_equal(plane_apply(plane, TWO("100"), false), 0);
	assert_int_equal(shards_reserved(plane->dataplane), 60100);
	assert_int_equal(plane_apply(plane, TWO("140000"), false), 0);
	assert_int_equal(plane_apply(plane, TWO("140001"), false), -ENOSPC);
	assert_int_equal(shards_reserved(plane->dataplane), 200000);
	plane_reopen(plane);
	assert_int_equal(shards_reserved(plane->dataplane), 200000);
	assert_int_equal(plane->dataplane->shards[1].capacity, 140000);
}

static void maps_of_another_version_are_refused(void **state)
{
	struct plane *plane = *state;

	plane->dataplane->control->abi = SG_ABI_VERSION + 1;
	dataplane_close(&plane->dataplane);
	assert_int_equal(dataplane_open(&plane->options, &plane->dataplane, &plane->error),
			 -EPROTONOSUPPORT);
	assert_non_null(strstr(plane->error, "rulesd --flush"));
	assert_null(plane->dataplane);
}

static void flush_removes_everything(void **state)
{
	static const char *const hooks[] = {POLICY(",\"hook\":\"tc\""),
					    POLICY(",\"hook\":\"xdp\"")};
	struct plane *plane = *state;
	struct tap *vm, *neighbour = plane_bridge(&vm, false);

	for (unsigned int i = 0; i < G_N_ELEMENTS(hooks); i++) {
		struct dataplane_attachment attachment = {};

		assert_int_equal(plane_apply(plane, hooks[i], false), 0);
		assert_int_equal(plane_attach(plane, "vm", vm, &attachment), 0);
		assert_filters(neighbour, vm);
		dataplane_close(&plane->dataplane);
		assert_int_equal(dataplane_flush_all(&plane->options, NULL, &plane->error), 0);
		assert_true(access(plane->options.bpffs, F_OK) && errno == ENOENT);
		assert_true(
			plane_arrives(neighbour, vm, "tcp 10.0.0.9:4000 > 10.0.0.5:444 S", true));
		assert_int_equal(dataplane_flush_all(&plane->options, NULL, &plane->error), 0);
		plane_reopen(plane);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plane_setup, plane_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(auto_takes_xdp_for_plain_taps),
		TEST(auto_takes_tc_for_taps_with_offloads),
		TEST(xdp_on_request),
		TEST(tcx_on_request_where_the_kernel_has_it),
		TEST(tc_on_request),
		TEST(hook_changes_without_a_gap),
		TEST(xdp_that_is_taken),
		TEST(device_without_xdp_and_with_a_high_number),
		TEST(killed_and_opened_again_adopts),
		TEST(tap_made_again_is_filtered_again),
		TEST(programs_removed_behind_our_back_are_noticed),
		TEST(the_same_ifindex_of_another_namespace_is_another_device),
		TEST(two_interfaces_on_one_device_are_refused),
		TEST(detach_leaves_nothing_of_the_slot),
		TEST(reservations_never_exceed_the_host),
		TEST(maps_of_another_version_are_refused),
		TEST(flush_removes_everything),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
