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

static char *mac_text(const uint8_t mac[6])
{
	return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
			       mac[4], mac[5]);
}

/* One VM behind its tap, known to the kernel without a question. */
static void route_to(const struct tap *tap, const char *address, const uint8_t mac[6])
{
	g_autofree char *text = mac_text(mac);

	command_check("ip", "route", "add", address, "dev", tap->name, NULL);
	command_check("ip", "neigh", "add", address, "lladdr", text, "dev", tap->name, "nud",
		      "permanent", NULL);
}

static void route(struct path *path)
{
	mac_of(path->a->name, path->gateway_a);
	mac_of(path->b->name, path->gateway_b);
	route_to(path->a, path->a_address, path->a_mac);
	route_to(path->b, path->b_address, path->b_mac);
	command_check("ip", "route", "add", path->behind, "via", path->a_address, "dev",
		      path->a->name, "onlink", NULL);
}

static void add_port(const struct tap *tap, const uint8_t mac[6])
{
	g_autofree char *text = mac_text(mac);

	bridge_add("br0", tap);
	command_check("bridge", "fdb", "add", text, "dev", tap->name, "master", "static", NULL);
}

static void bridge(struct path *path)
{
	memcpy(path->gateway_a, path->b_mac, 6);
	memcpy(path->gateway_b, path->a_mac, 6);
	add_port(path->a, path->a_mac);
	add_port(path->b, path->b_mac);
}

static struct path *new_pair(int netns, bool routed, bool vnet_hdr, unsigned int pair)
{
	struct path *path = g_new0(struct path, 1);
	g_autofree char *a = g_strdup_printf(PATH_A_TAP, pair);
	g_autofree char *b = g_strdup_printf(PATH_B_TAP, pair);

	path->netns = netns;
	path->pair = pair;
	path->routed = routed;
	g_snprintf(path->a_address, sizeof(path->a_address), PATH_A, pair);
	g_snprintf(path->b_address, sizeof(path->b_address), PATH_B, pair);
	g_snprintf(path->behind, sizeof(path->behind), PATH_BEHIND, pair + 1);
	memcpy(path->a_mac, (uint8_t[]){0x52, 0x54, 0, 0, (uint8_t)pair, 5}, 6);
	memcpy(path->b_mac, (uint8_t[]){0x52, 0x54, 0, 0, (uint8_t)pair, 9}, 6);
	path->a = tap_new(a, vnet_hdr);
	path->b = tap_new(b, vnet_hdr);
	if (routed)
		route(path);
	else
		bridge(path);
	return path;
}

struct path *path_new(bool routed, bool vnet_hdr)
{
	int netns = netns_new();

	if (routed) {
		netns_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
		netns_sysctl("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
		netns_sysctl("/proc/sys/net/ipv4/conf/all/send_redirects", "0");
	} else {
		bridge_new("br0");
	}
	return new_pair(netns, routed, vnet_hdr, 0);
}

struct path *path_new_pair(const struct path *first, unsigned int pair)
{
	path_enter(first);
	return new_pair(first->netns, first->routed, first->a->vnet_hdr, pair);
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
	if ((*path)->pair == 0)
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
