/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.c - see wire.h.
 */
#include "tests/lib/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/command.h"

#define WIRE_MTU "16000"

struct wire {
	struct tap *inside, *outside;
	char bridge[16];
	int packet; /* transmits on the tap's device */
};

static void add_port(const struct wire *wire, const struct tap *tap)
{
	command_check("ip", "link", "set", tap->name, "mtu", WIRE_MTU, "master", wire->bridge,
		      NULL);
	/* A test's MACs move as its policy wants; what was learnt would keep frames from the wire.
	 */
	command_check("ip", "link", "set", tap->name, "type", "bridge_slave", "learning", "off",
		      NULL);
}

static int packet_socket(const struct tap *tap)
{
	AUTO_FD int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)tap->ifindex};
	int on = tap->vnet_hdr;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0)
		fail_msg("cannot open a packet socket on %s: %s", tap->name, strerror(errno));
	return TAKE_FD(fd);
}

struct wire *wire_new(struct tap *tap)
{
	g_autofree char *name = g_strdup_printf("w-%s", tap->name);
	struct wire *wire = g_new0(struct wire, 1);

	wire->inside = tap;
	g_snprintf(wire->bridge, sizeof(wire->bridge), "b-%s", tap->name);
	bridge_new(wire->bridge);
	wire->outside = tap_new(name, tap->vnet_hdr);
	add_port(wire, tap);
	add_port(wire, wire->outside);
	wire->packet = packet_socket(tap);
	return wire;
}

void wire_free(struct wire **wire)
{
	if (!*wire)
		return;
	close((*wire)->packet);
	command_check("ip", "link", "del", (*wire)->bridge, NULL);
	tap_delete((*wire)->outside);
	g_clear_pointer(wire, g_free);
}

/* ------------------------------------------------------------------ sending */

/* Whether the frame is a plain TCP segment that a guest with offloads would send as GSO. */
static bool offloads(const struct frame_spec *spec)
{
	return spec->body == FRAME_TCP && spec->len > 1 && !strchr(spec->tcp_flags, 'S') &&
	       !spec->fragment && !*spec->ext && !spec->tag_count && spec->ver < 0 &&
	       spec->ihl < 0 && spec->tot < 0 && spec->doff < 0 && spec->ethertype < 0 &&
	       !spec->badsum && !spec->cut && !spec->pad;
}

static struct virtio_net_hdr offload_header(const struct frame_spec *spec)
{
	size_t l4 = ETH_HLEN + (spec->v6 ? 40 : 20 + 4 * (size_t)spec->option_words);
	struct virtio_net_hdr header = {.gso_type = VIRTIO_NET_HDR_GSO_NONE};

	if (!offloads(spec))
		return header;
	header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header.gso_type = spec->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	header.csum_start = (__virtio16)l4;
	header.csum_offset = 16;
	header.hdr_len = (__virtio16)(l4 + 20);
	header.gso_size = (__virtio16)((spec->len + 1) / 2);
	return header;
}

int wire_send(struct wire *wire, bool from_vm, const struct frame_spec *spec,
	      const struct frame *frame)
{
	struct virtio_net_hdr header = offload_header(spec);
	struct iovec parts[2] = {
		{&header, sizeof(header)},
		{(void *)(uintptr_t)frame->bytes, frame->length},
	};
	unsigned int skip = wire->inside->vnet_hdr ? 0 : 1;

	tap_drain(wire->inside);
	tap_drain(wire->outside);
	if (from_vm && wire->inside->vnet_hdr) {
		struct virtio_net_hdr_v1 full = {0};

		memcpy(&full, &header, sizeof(header));
		return tap_write_vnet(wire->inside, &full, frame);
	}
	if (from_vm)
		return tap_write(wire->inside, frame);
	/* ENOBUFS is how a packet socket hears that the hook dropped its frame. */
	return writev(wire->packet, &parts[skip], (int)(2 - skip)) < 0 && errno != ENOBUFS ? -errno
											   : 0;
}

bool wire_arrived(struct wire *wire, bool from_vm, const struct frame *frame, bool expected,
		  bool *other)
{
	const struct tap *end = from_vm ? wire->outside : wire->inside;
	struct frame got;

	*other = false;
	while (tap_read(end, &got, expected ? TAP_WAIT_MS : 0)) {
		if (got.length == frame->length &&
		    memcmp(got.bytes, frame->bytes, frame->length) == 0)
			return true;
		*other = true;
		expected = false;
	}
	return false;
}
