/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * links.h - network devices of this namespace, as rtnetlink tells (libmnl): who is there, who
 * comes, who goes.
 */
#pragma once

#include <linux/if.h>
#include <stdbool.h>
#include <stdint.h>

struct link {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	char alias[IFALIASZ]; /* ip link set DEV alias; "" when it has none */
	uint8_t mac[6];
	uint32_t group; /* the device group; 0: the default */
	bool tap;	/* IFLA_INFO_KIND "tun" of type tap */
	bool vnet_hdr;	/* IFLA_TUN_VNET_HDR: frames may be GSO */
	/* "macvtap" or another of its kind (drivers/net/macvlan.c): what a VM sends leaves the
	 * device by egress, other than a tap's, whose ingress it enters; or NULL. */
	const char *reversed;
};

struct links;

/* Called for every device that appears, changes (any field of struct link) or disappears (gone). */
typedef void (*links_changed_fn)(const struct link *link, bool gone, void *arg);

/*
 * Opens the socket, subscribes, dumps what is there (each reported through changed before the call
 * returns) and watches from the default GMainContext. When messages were lost (ENOBUFS) it dumps
 * again and reports the differences. 0 or -errno.
 */
int links_open(links_changed_fn changed, void *arg, struct links **links);
void links_close(struct links **links);

/* Borrowed until the next event; NULL when there is none. */
const struct link *links_by_name(const struct links *links, const char *name);
/*
 * What an interface of a policy wants (struct model_settings, device): a name, or one of the
 * following, which no name can be.
 */
#define LINK_ALIAS "alias:"
#define LINK_MAC   "mac:" /* as mac_format writes it */
bool link_is_wanted(const struct link *link, const char *wanted);
/*
 * The one that is wanted. Where a tap matches, others do not count, as a bridge, which has the MAC
 * of a port. NULL when there is none, or more than one: *count (may be NULL) says how many.
 */
const struct link *links_find(const struct links *links, const char *wanted, unsigned int *count);
const struct link *links_by_index(const struct links *links, uint32_t ifindex);
/* Calls each for every device; it may not change anything about links. */
void links_each(const struct links *links, void (*each)(const struct link *link, void *arg),
		void *arg);
/*
 * Asks the kernel now, past what has been heard: reads events that are waiting. For "attach a
 * device made just before". Does nothing inside changed.
 */
void links_poll(struct links *links);
/* Who changed the group of a device itself: the kernel does not tell of devices that are down. */
void links_note_group(struct links *links, uint32_t ifindex, uint32_t group);
