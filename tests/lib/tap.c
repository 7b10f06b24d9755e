/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tap.c - see tap.h.
 */
#include "tests/lib/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/command.h"
#include "tests/lib/patience.h"

static GPtrArray *taps; /* all that live, of struct tap */

/* Up, and running: a device whose carrier comes back is so when the kernel's linkwatch has seen it,
 * up to a second later; until then a bridge's port forwards nothing. */
static void set_up(struct ifreq *request, const char *name)
{
	AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const gint64 began = g_get_monotonic_time();

	request->ifr_flags = IFF_UP;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, request) < 0)
		fail_msg("cannot set %s up: %s", name, strerror(errno));
	for (;;) {
		if (ioctl(fd, SIOCGIFFLAGS, request) < 0)
			fail_msg("cannot read the flags of %s: %s", name, strerror(errno));
		if (request->ifr_flags & IFF_RUNNING)
			return;
		if (patience_over(began, GIVE_UP_MS))
			fail_msg("%s is up and never running", name);
		g_usleep(1000);
	}
}

struct tap *tap_new(const char *name, bool vnet_hdr)
{
	AUTO_FD int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct ifreq request = {0};
	struct tap *tap = NULL;
	int header = sizeof(struct virtio_net_hdr_v1);

	g_strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	request.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | (vnet_hdr ? IFF_VNET_HDR : 0));
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		fail_msg("cannot make the tap %s: %s", name, strerror(errno));
	if (vnet_hdr &&
	    (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0 ||
	     ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN) < 0))
		fail_msg("cannot set the offloads of %s: %s", name, strerror(errno));
	set_up(&request, name);
	tap = g_new0(struct tap, 1);
	g_strlcpy(tap->name, name, sizeof(tap->name));
	tap->ifindex = if_nametoindex(name);
	tap->vnet_hdr = vnet_hdr;
	tap->fd = TAKE_FD(fd);
	if (!taps)
		taps = g_ptr_array_new();
	g_ptr_array_add(taps, tap);
	return tap;
}

void tap_delete(struct tap *tap)
{
	g_ptr_array_remove(taps, tap);
	close(tap->fd); /* the device goes with its last descriptor */
	g_free(tap);
}

void tap_delete_all(void)
{
	while (taps && taps->len > 0)
		tap_delete(g_ptr_array_index(taps, taps->len - 1));
}

int tap_write_vnet(const struct tap *tap, const struct virtio_net_hdr_v1 *header,
		   const struct frame *frame)
{
	struct virtio_net_hdr_v1 copy = *header;
	struct iovec parts[2] = {
		{&copy, sizeof(copy)},
		{(void *)(uintptr_t)frame->bytes, frame->length},
	};

	return writev(tap->fd, parts, 2) < 0 ? -errno : 0;
}

int tap_write(const struct tap *tap, const struct frame *frame)
{
	static const struct virtio_net_hdr_v1 plain;

	if (tap->vnet_hdr)
		return tap_write_vnet(tap, &plain, frame);
	return write(tap->fd, frame->bytes, frame->length) < 0 ? -errno : 0;
}

/* One frame that waits already; false when none does. */
static bool read_waiting(const struct tap *tap, struct frame *frame)
{
	struct virtio_net_hdr_v1 header;
	struct iovec parts[2] = {{&header, sizeof(header)}, {frame->bytes, sizeof(frame->bytes)}};
	unsigned int skip = tap->vnet_hdr ? 0 : 1;
	ssize_t got = readv(tap->fd, &parts[skip], (int)(2 - skip));

	if (got < 0)
		return false;
	frame->length = (size_t)got - (tap->vnet_hdr ? sizeof(header) : 0);
	return true;
}

bool tap_read(const struct tap *tap, struct frame *frame, int timeout_ms)
{
	struct pollfd waiting = {.fd = tap->fd, .events = POLLIN};

	if (read_waiting(tap, frame))
		return true;
	return poll(&waiting, 1, timeout_ms) == 1 && read_waiting(tap, frame);
}

bool tap_read_exactly(const struct tap *tap, const struct frame *frame, int timeout_ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	struct frame got;

	for (;;) {
		gint64 left = end - g_get_monotonic_time();

		if (!tap_read(tap, &got, left > 0 ? (int)((left + 999) / 1000) : 0))
			return false;
		if (got.length == frame->length &&
		    memcmp(got.bytes, frame->bytes, frame->length) == 0)
			return true;
	}
}

void tap_drain(const struct tap *tap)
{
	struct frame frame;

	while (read_waiting(tap, &frame))
		;
}

void tap_rename(const char *from, const char *to)
{
	const char *const words[] = {"ip", "link", "set", from, "name", to, NULL};
	AUTO_COMMAND struct command command = command_run(words);

	if (!command.status)
		return;
	command_check("ip", "link", "set", from, "down", NULL);
	command_check("ip", "link", "set", from, "name", to, "up", NULL);
}

void bridge_new(const char *name)
{
	command_check("ip", "link", "add", name, "type", "bridge", "stp_state", "0",
		      "mcast_snooping", "0", "forward_delay", "0", NULL);
	command_check("ip", "link", "set", name, "up", NULL);
}

void bridge_add(const char *name, const struct tap *tap)
{
	command_check("ip", "link", "set", tap->name, "master", name, NULL);
}
