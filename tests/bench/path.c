/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * path.c - see path.h.
 */
#include "tests/bench/path.h"

#include <errno.h>
#include <glib.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/command.h"
#include "tests/lib/netns.h"

static void mac_of(const char *device, uint8_t mac[6])
{
	AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};

	g_strlcpy(request.ifr_name, device, sizeof(request.ifr_name));
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		fail_msg("cannot read the MAC of %s: %s", device, strerror(errno));
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
}

/* One VM behind its tap, known to the kernel without a question. */
static void route_to(const struct tap *tap, const char *address, const char *mac)
{
	command_check("ip", "route", "add", address, "dev", tap->name, NULL);
	command_check("ip", "neigh", "add", address, "lladdr", mac, "dev", tap->name, "nud",
		      "permanent", NULL);
}

static void route(struct path *path)
{
	netns_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
	netns_sysctl("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	netns_sysctl("/proc/sys/net/ipv4/conf/all/send_redirects", "0");
	mac_of(path->a->name, path->gateway_a);
	mac_of(path->b->name, path->gateway_b);
	route_to(path->a, PATH_A, PATH_A_MAC);
	route_to(path->b, PATH_B, PATH_B_MAC);
	command_check("ip", "route", "add", PATH_BEHIND, "via", PATH_A, "dev", path->a->name,
		      "onlink", NULL);
}

static void bridge(struct path *path)
{
	static const uint8_t a[] = {0x52, 0x54, 0, 0, 0, 5}, b[] = {0x52, 0x54, 0, 0, 0, 9};

	bridge_new("br0");
	bridge_add("br0", path->a);
	bridge_add("br0", path->b);
	memcpy(path->gateway_a, b, 6);
	memcpy(path->gateway_b, a, 6);
	command_check("bridge", "fdb", "add", PATH_A_MAC, "dev", path->a->name, "master", "static",
		      NULL);
	command_check("bridge", "fdb", "add", PATH_B_MAC, "dev", path->b->name, "master", "static",
		      NULL);
}

struct path *path_new(bool routed, bool vnet_hdr)
{
	struct path *path = g_new0(struct path, 1);

	path->netns = netns_new();
	path->routed = routed;
	path->a = tap_new("tapa", vnet_hdr);
	path->b = tap_new("tapb", vnet_hdr);
	if (routed)
		route(path);
	else
		bridge(path);
	return path;
}

void path_enter(const struct path *path)
{
	netns_switch(path->netns);
}

void path_free(struct path **path)
{
	if (!*path)
		return;
	tap_delete((*path)->a);
	tap_delete((*path)->b);
	close((*path)->netns);
	g_clear_pointer(path, g_free);
}

void path_send(const struct tap *from, const void *bytes, size_t length)
{
	if (write(from->fd, bytes, length) != (ssize_t)length)
		fail_msg("cannot write %zu bytes to %s: %s", length, from->name, strerror(errno));
}

long path_receive(const struct tap *to, void *bytes)
{
	return read(to->fd, bytes, PATH_FRAME);
}
