/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_links.c - real devices of a namespace of the test's own: what comes, is renamed and goes is
 * reported once.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <linux/if_tun.h>
#include <linux/sockios.h>

#include "rulesd/cleanup.h"
#include "rulesd/links.h"
#include "tests/lib/patience.h"

#define RENAMES 20000

struct report {
	struct link link;
	bool gone;
};

struct fixture {
	GArray *reports; /* of struct report */
	struct links *links;
	int control; /* socket for ioctls */
};

static void changed(const struct link *link, bool gone, void *arg)
{
	struct fixture *f = arg;
	struct report report = {.link = *link, .gone = gone};

	g_array_append_val(f->reports, report);
}

/* A tap that lives as long as the descriptor. */
static int make_tap(const char *name, short flags)
{
	struct ifreq request = {.ifr_flags = flags};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	g_strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	return fd;
}

static void rename_link(const struct fixture *f, const char *from, const char *to)
{
	struct ifreq request = {0};

	g_strlcpy(request.ifr_name, from, sizeof(request.ifr_name));
	g_strlcpy(request.ifr_newname, to, sizeof(request.ifr_newname));
	assert_int_equal(ioctl(f->control, SIOCSIFNAME, &request), 0);
}

static void bridge_port(const struct fixture *f, const char *bridge, const char *port,
			unsigned long command)
{
	struct ifreq request = {.ifr_ifindex = (int)if_nametoindex(port)};

	g_strlcpy(request.ifr_name, bridge, sizeof(request.ifr_name));
	assert_int_equal(ioctl(f->control, command, &request), 0);
}

/* Turns the main loop until a report says so. */
static bool heard(struct fixture *f, const char *name, bool gone)
{
	const gint64 began = g_get_monotonic_time();

	while (!patience_over(began, GIVE_UP_MS)) {
		for (guint i = 0; i < f->reports->len; i++) {
			const struct report *report = &g_array_index(f->reports, struct report, i);

			if (strcmp(report->link.name, name) == 0 && report->gone == gone)
				return true;
		}
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
	}
	return false;
}

static int count(const struct fixture *f, const char *name, bool gone)
{
	int reports = 0;

	for (guint i = 0; i < f->reports->len; i++) {
		const struct report *report = &g_array_index(f->reports, struct report, i);

		reports += strcmp(report->link.name, name) == 0 && report->gone == gone;
	}
	return reports;
}

static int setup(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	f->reports = g_array_new(FALSE, FALSE, sizeof(struct report));
	f->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(f->control >= 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	links_close(&f->links);
	g_array_unref(f->reports);
	close(f->control);
	g_free(f);
	return 0;
}

static void what_is_there_is_reported_before_open_returns(void **state)
{
	struct fixture *f = *state;
	AUTO_FD int tap = make_tap("tap0", IFF_TAP | IFF_NO_PI);

	assert_true(tap >= 0);
	assert_int_equal(links_open(changed, f, &f->links), 0);
	assert_int_equal(count(f, "lo", false), 1);
	assert_int_equal(count(f, "tap0", false), 1);
	assert_int_equal(links_by_name(f->links, "tap0")->ifindex, if_nametoindex("tap0"));
	assert_string_equal(links_by_index(f->links, if_nametoindex("lo"))->name, "lo");
	assert_false(links_by_name(f->links, "lo")->tap);
	assert_null(links_by_name(f->links, "tap1"));
	assert_null(links_by_index(f->links, 4711));
}

static void a_tap_comes_is_renamed_and_goes(void **state)
{
	struct fixture *f = *state;
	uint32_t ifindex;
	int tap;

	assert_int_equal(links_open(changed, f, &f->links), 0);
	tap = make_tap("tap0", IFF_TAP | IFF_NO_PI);
	ifindex = if_nametoindex("tap0");
	assert_true(heard(f, "tap0", false));
	assert_int_equal(links_by_name(f->links, "tap0")->ifindex, ifindex);
	rename_link(f, "tap0", "web");
	assert_true(heard(f, "web", false));
	assert_null(links_by_name(f->links, "tap0"));
	assert_int_equal(links_by_name(f->links, "web")->ifindex, ifindex);
	assert_string_equal(links_by_index(f->links, ifindex)->name, "web");
	close(tap);
	assert_true(heard(f, "web", true));
	assert_null(links_by_name(f->links, "web"));
	assert_null(links_by_index(f->links, ifindex));
	assert_int_equal(count(f, "tap0", false), 1);
	assert_int_equal(count(f, "tap0", true), 0);
	assert_int_equal(count(f, "web", false), 1);
	assert_int_equal(count(f, "web", true), 1);
}

static void taps_are_told_from_tuns_and_with_vnet_hdr(void **state)
{
	struct fixture *f = *state;
	AUTO_FD int before = make_tap("before", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	AUTO_FD int plain = -1;
	AUTO_FD int vnet = -1;
	AUTO_FD int tun = -1;
	struct ifreq request;
	static const uint8_t zero[6];

	assert_true(before >= 0);
	assert_int_equal(links_open(changed, f, &f->links), 0);
	plain = make_tap("plain", IFF_TAP | IFF_NO_PI);
	vnet = make_tap("vnet", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	tun = make_tap("tun", IFF_TUN | IFF_NO_PI);
	assert_true(plain >= 0 && vnet >= 0 && tun >= 0);
	assert_true(heard(f, "tun", false));
	assert_true(links_by_name(f->links, "before")->tap);
	assert_true(links_by_name(f->links, "before")->vnet_hdr);
	assert_true(links_by_name(f->links, "plain")->tap);
	assert_false(links_by_name(f->links, "plain")->vnet_hdr);
	assert_true(links_by_name(f->links, "vnet")->tap);
	assert_true(links_by_name(f->links, "vnet")->vnet_hdr);
	assert_false(links_by_name(f->links, "tun")->tap);
	/* The report itself says so too, not only the table some events later. */
	for (guint i = 0; i < f->reports->len; i++) {
		const struct report *report = &g_array_index(f->reports, struct report, i);

		if (strcmp(report->link.name, "vnet") == 0)
			assert_true(report->link.tap && report->link.vnet_hdr);
	}
	g_strlcpy(request.ifr_name, "plain", sizeof(request.ifr_name));
	assert_int_equal(ioctl(f->control, SIOCGIFHWADDR, &request), 0);
	assert_memory_equal(links_by_name(f->links, "plain")->mac, request.ifr_hwaddr.sa_data, 6);
	assert_memory_not_equal(links_by_name(f->links, "plain")->mac, zero, 6);
}

static void two_devices_change_names(void **state)
{
	struct fixture *f = *state;
	AUTO_FD int a = make_tap("a", IFF_TAP | IFF_NO_PI);
	AUTO_FD int b = make_tap("b", IFF_TAP | IFF_NO_PI);
	uint32_t index_a = if_nametoindex("a"), index_b = if_nametoindex("b");

	assert_true(a >= 0 && b >= 0);
	assert_int_equal(links_open(changed, f, &f->links), 0);
	rename_link(f, "a", "c");
	rename_link(f, "b", "a");
	rename_link(f, "c", "b");
	links_poll(f->links);
	assert_int_equal(links_by_name(f->links, "a")->ifindex, index_b);
	assert_int_equal(links_by_name(f->links, "b")->ifindex, index_a);
	assert_null(links_by_name(f->links, "c"));
	assert_string_equal(links_by_index(f->links, index_a)->name, "b");
}

/* A bridge tells about its ports in RTM_NEWLINK and RTM_DELLINK of its own family. */
static void leaving_a_bridge_is_not_going_away(void **state)
{
	struct fixture *f = *state;
	AUTO_FD int tap = make_tap("tap0", IFF_TAP | IFF_NO_PI);

	assert_true(tap >= 0);
	assert_int_equal(links_open(changed, f, &f->links), 0);
	assert_int_equal(ioctl(f->control, SIOCBRADDBR, "br0"), 0);
	bridge_port(f, "br0", "tap0", SIOCBRADDIF);
	bridge_port(f, "br0", "tap0", SIOCBRDELIF);
	bridge_port(f, "br0", "tap0", SIOCBRADDIF);
	links_poll(f->links);
	assert_true(heard(f, "br0", false));
	assert_int_equal(count(f, "tap0", false), 1);
	assert_int_equal(count(f, "tap0", true), 0);
	assert_non_null(links_by_name(f->links, "tap0"));
}

static void poll_knows_a_device_made_just_before(void **state)
{
	struct fixture *f = *state;
	AUTO_FD int tap = -1;

	assert_int_equal(links_open(changed, f, &f->links), 0);
	for (int i = 0; i < 20; i++) {
		tap = make_tap("tap0", IFF_TAP | IFF_NO_PI);
		links_poll(f->links);
		assert_non_null(links_by_name(f->links, "tap0"));
		close(TAKE_FD(tap));
		links_poll(f->links);
		assert_null(links_by_name(f->links, "tap0"));
	}
	assert_int_equal(count(f, "tap0", false), 20);
	assert_int_equal(count(f, "tap0", true), 20);
}

/* More events than the socket holds: what happened while nobody listened is found all the same. */
static void lost_events_are_made_up_for(void **state)
{
	struct fixture *f = *state;
	AUTO_FD int stays = make_tap("stays", IFF_TAP | IFF_NO_PI);
	int goes = make_tap("goes", IFF_TAP | IFF_NO_PI);
	AUTO_FD int comes = -1;
	guint before;

	assert_true(stays >= 0);
	assert_int_equal(links_open(changed, f, &f->links), 0);
	before = f->reports->len;
	for (int i = 0; i < RENAMES / 2; i++) {
		rename_link(f, "stays", "other");
		rename_link(f, "other", "stays");
	}
	close(goes);
	comes = make_tap("comes", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	assert_true(comes >= 0);
	rename_link(f, "stays", "last");
	assert_true(heard(f, "goes", true));
	assert_true(heard(f, "comes", false));
	assert_true(heard(f, "last", false));
	/* Otherwise nothing was lost and this test has shown nothing. */
	assert_true(f->reports->len - before < RENAMES);
	assert_null(links_by_name(f->links, "goes"));
	assert_null(links_by_name(f->links, "stays"));
	assert_true(links_by_name(f->links, "comes")->vnet_hdr);
	assert_int_equal(links_by_name(f->links, "last")->ifindex, if_nametoindex("last"));
	rename_link(f, "last", "again");
	assert_true(heard(f, "again", false));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_there_is_reported_before_open_returns),
		TEST(a_tap_comes_is_renamed_and_goes),
		TEST(taps_are_told_from_tuns_and_with_vnet_hdr),
		TEST(two_devices_change_names),
		TEST(leaving_a_bridge_is_not_going_away),
		TEST(poll_knows_a_device_made_just_before),
		TEST(lost_events_are_made_up_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
