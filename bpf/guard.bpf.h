/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.bpf.h - who may send what, rules aside: MAC and IP spoofing, ARP, neighbour discovery,
 * DHCP, VLANs, martians; and what always passes under it.
 *
 * A packet of a flow needs no address check: the flow's key holds the local address and was judged
 * when it was opened.
 */
#pragma once

#include "bpf/icmp.bpf.h"
#include "bpf/parse.bpf.h"
#include "bpf/state.bpf.h"

/* No verdict of the guard: go on with the flow table and the rules. */
#define SG_GO_ON SG_PARSED

/* SG_GUARD_OWN and SG_GUARD_ALLOWED of an address, 0 when it is neither: a hole is nothing. */
sg_noinline __u32 sg_guard_bits(const struct sg_view *view, __u32 slot, const struct sg_addr *addr)
{
	struct sg_guard_key key = {.prefixlen = 32 + 128, .slot = slot};
	struct sg_version *found;

	if (!sg_addr_is_zero(addr) &&
	    (sg_addr_equal(addr, &view->conf->addr4) || sg_addr_equal(addr, &view->conf->addr6)))
		return SG_GUARD_OWN;
	if (!(view->conf->flags & SG_IF_GUARDS))
		return 0;
	__builtin_memcpy(key.addr, addr->b, 16);
	found = bpf_map_lookup_elem(&sg_guard, &key);
	if (!found)
		return 0;
	return sg_version_at(found, view->generation) & (SG_GUARD_OWN | SG_GUARD_ALLOWED);
}

/* fe80:: with the modified EUI-64 of the MAC (RFC 4291, appendix A). */
sg_inline int sg_is_link_local_of(const struct sg_addr *addr, const __u8 *mac)
{
	return addr->w[0] == bpf_htonl(0xfe800000) && addr->w[1] == 0 &&
	       addr->b[8] == (mac[0] ^ 2) && addr->b[9] == mac[1] && addr->b[10] == mac[2] &&
	       addr->b[11] == 0xff && addr->b[12] == 0xfe && addr->b[13] == mac[3] &&
	       addr->b[14] == mac[4] && addr->b[15] == mac[5];
}

sg_inline int sg_is_link_local(const struct sg_addr *addr)
{
	return (addr->w[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

sg_inline int sg_is_multicast(const struct sg_addr *addr)
{
	if (sg_addr_is_v4(addr))
		return addr->b[12] >= 224 && addr->b[12] <= 239;
	return addr->b[0] == 0xff;
}

sg_inline int sg_is_broadcast(const struct sg_addr *addr)
{
	return sg_addr_is_v4(addr) && addr->w[3] == bpf_htonl(0xffffffff);
}

/* Sources that no packet on a wire may have. Unspecified ones are judged apart: DHCP and DAD use
 * them. */
sg_inline int sg_is_martian(int is_v4, const struct sg_addr *addr)
{
	if (is_v4)
		return addr->b[12] == 0 || addr->b[12] == 127 || addr->b[12] >= 224;
	/* multicast, ::1 and ::, IPv4-compatible and IPv4-mapped (RFC 4291, 2.5.5): ::/96 and
	 * ::ffff:0:0/96 */
	return addr->b[0] == 0xff ||
	       (addr->q[0] == 0 && (addr->w[2] == 0 || addr->w[2] == bpf_htonl(0xffff)));
}

/* The MAC of the local end of this frame: what a link-local address must be derived from when mac
 * is not given. */
sg_inline const __u8 *sg_local_mac(const struct sg_view *view, const struct sg_packet *p)
{
	if (view->conf->flags & SG_IF_CHECK_MAC)
		return view->conf->mac;
	return p->dir == SG_EGRESS ? p->eth_src : p->eth_dst;
}

/* Whether the address may stand for the VM: own, allowed, or the link-local address of its MAC. */
sg_inline int sg_is_mine(const struct sg_view *view, const struct sg_packet *p,
			 const struct sg_addr *addr)
{
	return sg_guard_bits(view, p->key.slot, addr) ||
	       sg_is_link_local_of(addr, sg_local_mac(view, p));
}

/* Beside an update of its entry a frame may be judged by another entry's version, as in
 * member.bpf.h. Worst outcome: one frame with an id that comes or goes passes or drops; what it
 * carries is judged all the same. */
sg_noinline __u32 sg_guard_vlan(const struct sg_view *view, const struct sg_packet *p)
{
	struct sg_vlan_key key = {.slot = p->key.slot, .vid = p->vid};
	struct sg_version *listed;

	if (!(view->conf->flags & SG_IF_VLANS))
		return SG_DROP_VLAN;
	listed = bpf_map_lookup_elem(&sg_vlans, &key);
	return listed && sg_version_at(listed, view->generation) ? SG_GO_ON : SG_DROP_VLAN;
}

/* The sender must be the VM, in the frame and in the message; what is sent to the VM is its own
 * business. */
sg_noinline __u32 sg_guard_arp(const struct sg_view *view, const struct sg_packet *p)
{
	struct sg_addr sender = {};

	if (!(view->conf->flags & SG_IF_SPOOF_GUARD) || p->dir == SG_INGRESS)
		return SG_ALLOW_ARP;
	if (!sg_mac_equal(p->arp_sha, p->eth_src))
		return SG_DROP_SPOOFED_ARP;
	if (!p->arp_spa) /* a probe (RFC 5227) */
		return SG_ALLOW_ARP;
	sg_addr_set_v4(&sender, p->arp_spa);
	return sg_guard_bits(view, p->key.slot, &sender) ? SG_ALLOW_ARP : SG_DROP_SPOOFED_ARP;
}

/* Judged for every frame, before the flow table: tags, MAC, ARP, and what no VM may ever send. */
sg_inline __u32 sg_guard_frame(const struct sg_view *view, const struct sg_packet *p)
{
	const struct sg_iface_conf *conf = view->conf;

	if (p->flags & SG_PKT_VLAN && sg_guard_vlan(view, p) != SG_GO_ON)
		return SG_DROP_VLAN;
	/* IPv4-mapped IPv6 (RFC 4291, 2.5.5.2) is on no wire, and would share the keys of IPv4
	 * flows and fragments. */
	if (p->family == 6 && (sg_addr_is_v4(&p->key.local) || sg_addr_is_v4(&p->key.remote)))
		return SG_DROP_MARTIAN;
	if (p->dir == SG_INGRESS || !(conf->flags & SG_IF_SPOOF_GUARD))
		return p->family ? SG_GO_ON : sg_guard_arp(view, p);
	if (conf->flags & SG_IF_CHECK_MAC && !sg_mac_equal(p->eth_src, conf->mac))
		return SG_DROP_SPOOFED_MAC;
	if (!p->family) /* the parser lets nothing but IP and ARP come here */
		return sg_guard_arp(view, p);
	if (p->flags & SG_PKT_LATER_FRAGMENT)
		return SG_GO_ON;
	if (p->proto == SG_IPPROTO_UDP) {
		__u16 from = p->family == 4 ? 67 : 547;

		if (p->key.lport == bpf_htons(from) && p->port == (p->family == 4 ? 68 : 546))
			return SG_DROP_DHCP_SERVER;
	}
	if (p->proto == SG_IPPROTO_ICMPV6 && p->family == 6 &&
	    (sg_icmp_type(p) == SG_ICMPV6_RA || sg_icmp_type(p) == SG_ICMPV6_REDIRECT))
		return SG_DROP_ROUTER_ADVERTISEMENT;
	return SG_GO_ON;
}

/* DHCP and DHCPv6 as a client: exact ports, direction and addresses (RFC 2131, 4.1; RFC 8415, 7.2).
 */
sg_inline int sg_is_dhcp_client(const struct sg_view *view, const struct sg_packet *p)
{
	const struct sg_addr *local = &p->key.local;
	__u16 lport = bpf_ntohs(p->key.lport), rport = bpf_ntohs(p->key.rport);

	if (p->proto != SG_IPPROTO_UDP || p->flags & SG_PKT_FRAGMENT)
		return 0;
	if (p->family == 4) {
		if (lport != 68 || rport != 67)
			return 0;
		if (p->dir == SG_INGRESS)
			return sg_is_broadcast(local) || sg_guard_bits(view, p->key.slot, local);
		if (local->w[3] == 0)
			return sg_is_broadcast(&p->key.remote);
		return sg_guard_bits(view, p->key.slot, local) != 0;
	}
	return lport == 546 && rport == 547 && sg_is_link_local(local) &&
	       sg_is_mine(view, p, local) &&
	       (p->dir == SG_EGRESS || sg_is_link_local(&p->key.remote));
}

/* Neighbour discovery and MLD: hop limit 255 (RFC 4861) or link scope (RFC 3810) keeps them on the
 * link. */
sg_inline __u32 sg_guard_icmpv6(const struct sg_view *view, const struct sg_packet *p)
{
	const struct sg_addr *source = sg_source(p);
	int guarded = view->conf->flags & SG_IF_SPOOF_GUARD;
	__u8 type = sg_icmp_type(p);

	if (type >= SG_ICMPV6_RS && type <= SG_ICMPV6_NA) {
		if (!(p->flags & SG_PKT_HOP_LIMIT_255) || p->port & 0xff ||
		    p->flags & SG_PKT_FRAGMENT)
			return SG_GO_ON; /* hosts ignore it; only a rule can let it through */
		if (!guarded || p->dir == SG_INGRESS)
			return SG_ALLOW_ND;
		if (!sg_addr_is_zero(source) && !sg_is_mine(view, p, source))
			return SG_GO_ON; /* the source check names the reason */
		if (type == SG_ICMPV6_NA &&
		    (!(p->flags & SG_PKT_ND_TARGET) || !sg_is_mine(view, p, &p->nd_target)))
			return SG_DROP_SPOOFED_ND;
		return SG_ALLOW_ND;
	}
	if ((type >= SG_ICMPV6_MLD_QUERY && type <= SG_ICMPV6_MLD_DONE) ||
	    type == SG_ICMPV6_MLD2_REPORT) {
		if (p->flags & SG_PKT_FRAGMENT)
			return SG_GO_ON;
		if (!guarded || p->dir == SG_INGRESS)
			return sg_is_link_local(source) || sg_addr_is_zero(source) ? SG_ALLOW_MLD
										   : SG_GO_ON;
		if (sg_addr_is_zero(source) ||
		    (sg_is_link_local(source) && sg_is_mine(view, p, source)))
			return SG_ALLOW_MLD;
	}
	return SG_GO_ON;
}

/* The question of a client that has no address yet, on its way to a VM (RFC 2131, 4.1): whether
 * that VM may be asked is a matter of rules, as for any broadcast. */
sg_inline int sg_is_dhcp_question(const struct sg_packet *p)
{
	return p->dir == SG_INGRESS && p->family == 4 && p->proto == SG_IPPROTO_UDP &&
	       !(p->flags & SG_PKT_FRAGMENT) && p->key.remote.w[3] == 0 &&
	       p->key.rport == bpf_htons(68) && p->key.lport == bpf_htons(67) &&
	       sg_is_broadcast(&p->key.local);
}

/*
 * Judged for packets that belong to no flow. First what always passes, then addresses:
 *   egress:  martian, link-local that is not the MAC's, neither own nor allowed
 *   ingress: martian, the VM's own address as source, a destination that is not the VM's
 */
sg_noinline __u32 sg_guard_open(const struct sg_view *view, const struct sg_packet *p)
{
	const struct sg_addr *source = sg_source(p), *destination = sg_destination(p);
	__u32 verdict;

	if (sg_is_dhcp_client(view, p))
		return SG_ALLOW_DHCP;
	if (p->family == 6 && p->proto == SG_IPPROTO_ICMPV6 &&
	    !(p->flags & SG_PKT_LATER_FRAGMENT)) {
		verdict = sg_guard_icmpv6(view, p);
		if (verdict != SG_GO_ON)
			return verdict;
	}
	if (sg_is_martian(p->family == 4, source) && !sg_is_dhcp_question(p))
		return SG_DROP_MARTIAN;
	if (!(view->conf->flags & SG_IF_SPOOF_GUARD))
		return SG_GO_ON;
	if (p->dir == SG_EGRESS) {
		if (sg_is_mine(view, p, source))
			return SG_GO_ON;
		return sg_is_link_local(source) ? SG_DROP_LINK_LOCAL : SG_DROP_SPOOFED_SOURCE;
	}
	if (sg_guard_bits(view, p->key.slot, source) & SG_GUARD_OWN ||
	    (view->conf->flags & SG_IF_CHECK_MAC && sg_is_link_local_of(source, view->conf->mac)))
		return SG_DROP_LAND;
	if (sg_is_multicast(destination) || sg_is_broadcast(destination) ||
	    sg_is_mine(view, p, destination))
		return SG_GO_ON;
	/* A subnet's broadcast address is known by its frame only. */
	if (p->family == 4 && p->eth_dst[0] == 0xff && p->eth_dst[1] == 0xff &&
	    p->eth_dst[2] == 0xff && p->eth_dst[3] == 0xff && p->eth_dst[4] == 0xff &&
	    p->eth_dst[5] == 0xff)
		return SG_GO_ON;
	return SG_DROP_WRONG_DESTINATION;
}
