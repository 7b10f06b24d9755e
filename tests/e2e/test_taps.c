/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_taps.c - the ground the other tests stand on: without a filter, a frame that one tap's VM
 * sends arrives unchanged at the other's, through a bridge in a namespace of the test.
 */
#include <linux/virtio_net.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

static int setup(void **state)
{
	(void)state;
	netns_new();
	bridge_new("br0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tap_delete_all();
	netns_leave();
	return 0;
}

static void pass_both_ways(bool vnet_hdr)
{
	struct tap *a = tap_new("tap0", vnet_hdr);
	struct tap *b = tap_new("tap1", vnet_hdr);
	struct frame frame;

	bridge_add("br0", a);
	bridge_add("br0", b);
	frame_make_text(&frame, "tcp 10.0.0.5:4000 > 10.0.0.9:443 S");
	assert_int_equal(tap_write(a, &frame), 0);
	assert_true(tap_read_exactly(b, &frame, TAP_WAIT_MS));
	frame_make_text(&frame, "tcp 10.0.0.9:443 > 10.0.0.5:4000 SA");
	assert_int_equal(tap_write(b, &frame), 0);
	assert_true(tap_read_exactly(a, &frame, TAP_WAIT_MS));
	assert_false(tap_read_exactly(b, &frame, 0));
}

static void frames_pass_between_taps(void **state)
{
	(void)state;
	pass_both_ways(false);
}

static void frames_pass_between_taps_with_vnet_hdr(void **state)
{
	(void)state;
	pass_both_ways(true);
}

/* What tap_read's caller relies on: a frame has arrived when write() returns. */
static void delivery_is_synchronous(void **state)
{
	struct tap *a = tap_new("tap0", false);
	struct tap *b = tap_new("tap1", false);
	struct frame frame;

	(void)state;
	bridge_add("br0", a);
	bridge_add("br0", b);
	for (unsigned int i = 0; i < 1000; i++) {
		frame_make(&frame, "udp 10.0.0.5:4000 > 10.0.0.9:53 ipid=%u", i);
		assert_int_equal(tap_write(a, &frame), 0);
		assert_true(tap_read_exactly(b, &frame, 0));
	}
}

static void a_kernel_of_its_own_is_quiet(void **state)
{
	struct tap *a = tap_new("tap0", false);
	struct frame frame;

	(void)state;
	bridge_add("br0", a);
	assert_false(tap_read(a, &frame, 50));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frames_pass_between_taps, setup, teardown),
		cmocka_unit_test_setup_teardown(frames_pass_between_taps_with_vnet_hdr, setup,
						teardown),
		cmocka_unit_test_setup_teardown(delivery_is_synchronous, setup, teardown),
		cmocka_unit_test_setup_teardown(a_kernel_of_its_own_is_quiet, setup, teardown),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
