/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.c - who may send what, rules aside (INTERFACES.md, "Interfaces"; DESIGN.md, "guard";
 * CASES.md, "What vulnerabilities teach").
 */
#include <string.h>

#include "rulesd/addr.h"
#include "tests/fuzz/reference/internal.h"

const struct sg_addr *ref_local(const struct ref_view *view)
{
	const struct ref_tuple *tuple = &view->packet->tuple;

	return view->dir == SG_EGRESS ? &tuple->src : &tuple->dst;
}

const struct sg_addr *ref_remote(const struct ref_view *view)
{
	const struct ref_tuple *tuple = &view->packet->tuple;

	return view->dir == SG_EGRESS ? &tuple->dst : &tuple->src;
}

static bool is_unspecified(const struct sg_addr *addr)
{
	static const struct sg_addr zero;

	return addr_equal(addr, &zero);
}

static bool is_own(const struct ref_view *view, const struct sg_addr *addr)
{
	for (uint32_t i = 0; i < view->iface->address_count; i++)
		if (addr_equal(addr, &view->iface->addresses[i]))
			return true;
	return false;
}

static bool is_listed(const struct ref_view *view, const struct sg_addr *addr)
{
	for (uint32_t i = 0; i < view->iface->settings->allowed_count; i++)
		if (cidr_contains(&view->iface->settings->allowed[i], addr))
			return true;
	return is_own(view, addr);
}

static bool is_link_local_v6(const struct sg_addr *addr)
{
	return addr->b[0] == 0xfe && (addr->b[1] & 0xc0) == 0x80;
}

/* Without a mac in the policy it is that of the VM's end of the frame. */
static bool is_eui64(const struct ref_view *view, const struct sg_addr *addr)
{
	const uint8_t *mac = view->iface->settings->has_mac ? view->iface->settings->mac
			     : view->dir == SG_EGRESS	    ? view->packet->smac
							    : view->packet->dmac;
	struct sg_addr own = addr_link_local_of_mac(mac);

	return addr_equal(addr, &own);
}

static bool is_mine(const struct ref_view *view, const struct sg_addr *addr)
{
	return is_listed(view, addr) || is_eui64(view, addr);
}

static bool is_multicast(const struct sg_addr *addr)
{
	return addr_is_v4(addr) ? (addr->b[12] & 0xf0) == 224 : addr->b[0] == 0xff;
}

static bool is_broadcast(const struct sg_addr *addr)
{
	return addr_is_v4(addr) && memcmp(addr->b + 12, "\xff\xff\xff\xff", 4) == 0;
}

static bool is_udp(const struct ref_view *view, uint16_t sport, uint16_t dport)
{
	const struct ref_tuple *tuple = &view->packet->tuple;

	return tuple->protocol == SG_IPPROTO_UDP && tuple->sport == sport && tuple->dport == dport;
}

/* ------------------------------------------------------------------ every frame */

static uint32_t judge_arp(const struct ref_view *view)
{
	const struct ref_packet *packet = view->packet;

	if (view->dir == SG_INGRESS || !view->iface->settings->spoof_guard)
		return SG_ALLOW_ARP;
	if (memcmp(packet->arp_mac, packet->smac, 6) != 0)
		return SG_DROP_SPOOFED_ARP;
	/* RFC 5227: a probe has no sender address. */
	if (memcmp(packet->arp_ip.b + 12, "\0\0\0\0", 4) == 0 || is_listed(view, &packet->arp_ip))
		return SG_ALLOW_ARP;
	return SG_DROP_SPOOFED_ARP;
}

static bool serves(const struct ref_view *view)
{
	return view->packet->family == 4 ? is_udp(view, 67, 68) : is_udp(view, 547, 546);
}

uint32_t ref_guard_frame(const struct ref_view *view)
{
	const struct ref_packet *packet = view->packet;
	bool guarded = view->dir == SG_EGRESS && view->iface->settings->spoof_guard, listed = false;

	for (uint32_t i = 0; i < view->iface->settings->vlan_count; i++)
		listed |= view->iface->settings->vlans[i] == packet->vid;
	if (packet->tagged && !listed)
		return SG_DROP_VLAN;
	if (packet->family == 6 &&
	    (addr_is_v4(&packet->tuple.src) || addr_is_v4(&packet->tuple.dst)))
		return SG_DROP_MARTIAN;
	if (guarded && view->iface->settings->has_mac &&
	    memcmp(packet->smac, view->iface->settings->mac, 6) != 0)
		return SG_DROP_SPOOFED_MAC;
	if (!packet->family)
		return judge_arp(view);
	if (!guarded || ref_is_later_fragment(packet))
		return REF_PASS;
	if (packet->has_ports && serves(view))
		return SG_DROP_DHCP_SERVER;
	if (packet->family == 6 && packet->icmp != REF_ICMP_NONE &&
	    (packet->icmp_type == 134 || packet->icmp_type == 137))
		return SG_DROP_ROUTER_ADVERTISEMENT;
	return REF_PASS;
}

/* ------------------------------------------------------------------ what opens a flow */

/* RFC 2131, 4.1 and RFC 8415, 7.2: ports, direction and addresses. */
static bool is_dhcp_client(const struct ref_view *view)
{
	const struct sg_addr *local = ref_local(view), *remote = ref_remote(view);
	bool out = view->dir == SG_EGRESS;

	if (view->packet->fragment)
		return false;
	if (view->packet->family == 6)
		return (out ? is_udp(view, 546, 547) : is_udp(view, 547, 546)) &&
		       is_link_local_v6(local) && is_mine(view, local) &&
		       (out || is_link_local_v6(remote));
	if (!(out ? is_udp(view, 68, 67) : is_udp(view, 67, 68)))
		return false;
	if (out && memcmp(local->b + 12, "\0\0\0\0", 4) == 0)
		return is_broadcast(remote);
	return is_listed(view, local) || (!out && is_broadcast(local));
}

/* A client without an address, on its way to a VM: whether it may be asked is for the rules. */
static bool is_dhcp_question(const struct ref_view *view)
{
	return view->dir == SG_INGRESS && view->packet->family == 4 && !view->packet->fragment &&
	       is_udp(view, 68, 67) && memcmp(ref_remote(view)->b + 12, "\0\0\0\0", 4) == 0 &&
	       is_broadcast(ref_local(view));
}

/* RFC 4861: hop limit 255, code 0; RFC 6980: not in fragments. */
static uint32_t judge_discovery(const struct ref_view *view)
{
	const struct ref_packet *packet = view->packet;
	const struct sg_addr *source = &packet->tuple.src;

	if (packet->hop_limit != 255 || packet->icmp_code != 0 || packet->fragment)
		return REF_PASS;
	if (view->dir == SG_INGRESS || !view->iface->settings->spoof_guard)
		return SG_ALLOW_ND;
	if (!is_unspecified(source) && !is_mine(view, source))
		return REF_PASS;
	if (packet->icmp_type == 136 && !(packet->has_target && is_mine(view, &packet->target)))
		return SG_DROP_SPOOFED_ND;
	return SG_ALLOW_ND;
}

/* RFC 3810, 5: from a link-local address, or from none. */
static uint32_t judge_mld(const struct ref_view *view)
{
	const struct sg_addr *source = &view->packet->tuple.src;
	bool guarded = view->dir == SG_EGRESS && view->iface->settings->spoof_guard;

	if (view->packet->fragment)
		return REF_PASS;
	if (is_unspecified(source) ||
	    (is_link_local_v6(source) && (!guarded || is_mine(view, source))))
		return SG_ALLOW_MLD;
	return REF_PASS;
}

static uint32_t judge_icmpv6(const struct ref_view *view)
{
	uint8_t type = view->packet->icmp_type;

	if (view->packet->family != 6 || view->packet->icmp == REF_ICMP_NONE)
		return REF_PASS;
	if (type >= 133 && type <= 136)
		return judge_discovery(view);
	if ((type >= 130 && type <= 132) || type == 143)
		return judge_mld(view);
	return REF_PASS;
}

static bool is_martian(int family, const struct sg_addr *addr)
{
	static const uint8_t zeros[12];

	if (family == 4)
		return addr->b[12] == 0 || addr->b[12] == 127 || addr->b[12] >= 224;
	/* Multicast; the loopback, unspecified and IPv4-compatible addresses. */
	return addr->b[0] == 0xff || memcmp(addr->b, zeros, 12) == 0 || addr_is_v4(addr);
}

uint32_t ref_guard_open(const struct ref_view *view)
{
	const struct ref_packet *packet = view->packet;
	const struct sg_addr *source = &packet->tuple.src, *destination = &packet->tuple.dst;
	uint32_t verdict;

	if (is_dhcp_client(view))
		return SG_ALLOW_DHCP;
	verdict = judge_icmpv6(view);
	if (verdict != REF_PASS)
		return verdict;
	if (is_martian(packet->family, source) && !is_dhcp_question(view))
		return SG_DROP_MARTIAN;
	if (!view->iface->settings->spoof_guard)
		return REF_PASS;
	if (view->dir == SG_EGRESS) {
		if (is_mine(view, source))
			return REF_PASS;
		return is_link_local_v6(source) ? SG_DROP_LINK_LOCAL : SG_DROP_SPOOFED_SOURCE;
	}
	if (is_own(view, source) || (view->iface->settings->has_mac && is_eui64(view, source)))
		return SG_DROP_LAND;
	if (is_multicast(destination) || is_broadcast(destination) || is_mine(view, destination))
		return REF_PASS;
	/* The broadcast address of a subnet is known by its frame only. */
	if (packet->family == 4 && memcmp(packet->dmac, "\xff\xff\xff\xff\xff\xff", 6) == 0)
		return REF_PASS;
	return SG_DROP_WRONG_DESTINATION;
}

bool ref_guard_known_by_frame(const struct ref_view *view, const struct sg_addr *local)
{
	return view->iface->settings->spoof_guard && !is_listed(view, local) &&
	       !is_multicast(local) && !is_broadcast(local) &&
	       (addr_is_v4(local) || !view->iface->settings->has_mac);
}

bool ref_guard_still_local(const struct ref_view *view, const struct sg_addr *local)
{
	return !view->iface->settings->spoof_guard || is_mine(view, local) || is_multicast(local) ||
	       is_broadcast(local);
}
