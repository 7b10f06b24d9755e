/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eval.c - the offline evaluator: guard, what is always allowed, policy, in the order of the BPF
 * programs.
 */
#include "rulesd/eval.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

/* RFC 2131, 4.1 and RFC 8415, 7.2. */
#define DHCP_SERVER_PORT   67
#define DHCP_CLIENT_PORT   68
#define DHCPV6_CLIENT_PORT 546
#define DHCPV6_SERVER_PORT 547
#define MLD2_REPORT	   143 /* RFC 3810, 5.2 */

static const struct eval_verdict no_verdict = {.reason = SG_REASONS};

static struct eval_verdict verdict_of(enum sg_reason reason)
{
	return (struct eval_verdict){.reason = reason};
}

static bool is_decided(struct eval_verdict verdict)
{
	return verdict.reason != SG_REASONS;
}

/* ---------------------------------------------------------------- what kind of packet it is */

static bool is_udp(const struct eval_packet *packet, uint16_t sport, uint16_t dport)
{
	return packet->protocol == IPPROTO_UDP && packet->sport == sport && packet->dport == dport;
}

static bool is_icmpv6(const struct eval_packet *packet)
{
	return packet->protocol == IPPROTO_ICMPV6 && !addr_is_v4(&packet->src);
}

/* Hosts ignore neighbour discovery with a code (RFC 4861, 6.1 and 7.1). */
static bool is_nd(const struct eval_packet *packet)
{
	return is_icmpv6(packet) && packet->icmp_type >= ND_ROUTER_SOLICIT &&
	       packet->icmp_type <= ND_NEIGHBOR_ADVERT && !packet->icmp_code;
}

static bool is_mld(const struct eval_packet *packet)
{
	return is_icmpv6(packet) && ((packet->icmp_type >= MLD_LISTENER_QUERY &&
				      packet->icmp_type <= MLD_LISTENER_REDUCTION) ||
				     packet->icmp_type == MLD2_REPORT);
}

/* Errors that pass when they are about a live flow (sg_icmp_is_error in bpf/icmp.bpf.h); here there
 * is none. */
static bool is_icmp_error(const struct eval_packet *packet)
{
	uint8_t type = packet->icmp_type;

	if (is_icmpv6(packet))
		return type >= ICMP6_DST_UNREACH && type <= ICMP6_PARAM_PROB;
	return packet->protocol == IPPROTO_ICMP && addr_is_v4(&packet->src) &&
	       (type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
		type == ICMP_PARAMETERPROB);
}

static bool is_unspecified(const struct sg_addr *addr)
{
	static const struct sg_addr v4 = {.b = {[10] = 0xff, [11] = 0xff}}, v6;

	return addr_equal(addr, &v4) || addr_equal(addr, &v6);
}

static bool is_broadcast(const struct sg_addr *addr)
{
	static const struct sg_addr broadcast = {.b = {[10] = 0xff,
						       [11] = 0xff,
						       [12] = 0xff,
						       [13] = 0xff,
						       [14] = 0xff,
						       [15] = 0xff}};

	return addr_equal(addr, &broadcast);
}

static bool is_v6_link_local(const struct sg_addr *addr)
{
	return !addr_is_v4(addr) && addr_is_link_local(addr);
}

/* Also IPv4-compatible addresses, ::/96 (RFC 4291, 2.5.5.1). */
static bool is_martian(const struct sg_addr *addr)
{
	return addr_is_martian_source(addr) || (!addr->q[0] && !addr->w[2]);
}

/* ---------------------------------------------------------------- whose address it is */

/* Longest match over addresses mapped to 128 bits, as the trie does it. */
static uint32_t guard_bits(const struct image_iface *iface, const struct sg_addr *addr)
{
	unsigned int longest = 0;
	uint32_t bits = 0;

	for (guint i = 0; i < iface->guards->len; i++) {
		const struct image_guard *guard =
			&g_array_index(iface->guards, struct image_guard, i);
		unsigned int length = cidr_mapped_bits(&guard->cidr);

		if (length + 1 > longest && cidr_contains(&guard->cidr, addr)) {
			longest = length + 1;
			bits = guard->bits;
		}
	}
	return bits & (SG_GUARD_OWN | SG_GUARD_ALLOWED);
}

/*
 * The link-local address that the guest makes of its MAC. Without a MAC in the policy the kernel
 * takes the one of the frame, which is not known here: then whatever looks like one is.
 */
static bool is_own_link_local(const struct image_iface *iface, const struct sg_addr *addr)
{
	static const uint8_t first[8] = {0xfe, 0x80};
	struct sg_addr own = addr_link_local_of_mac(iface->mac);

	if (iface->flags & SG_IF_CHECK_MAC)
		return addr_equal(addr, &own);
	return memcmp(addr->b, first, sizeof(first)) == 0 && addr->b[11] == 0xff &&
	       addr->b[12] == 0xfe;
}

/* Whether the address may stand for the VM: own, allowed, or the link-local address of its MAC. */
static bool is_mine(const struct image_iface *iface, const struct sg_addr *addr)
{
	return guard_bits(iface, addr) || is_own_link_local(iface, addr);
}

/* ---------------------------------------------------------------- what always passes */

static bool is_dhcp_client(const struct image_iface *iface, const struct eval_packet *packet)
{
	bool egress = packet->direction == SG_EGRESS;
	const struct sg_addr *local = egress ? &packet->src : &packet->dst;
	const struct sg_addr *remote = egress ? &packet->dst : &packet->src;
	bool is_v4 = addr_is_v4(local);
	uint16_t client = is_v4 ? DHCP_CLIENT_PORT : DHCPV6_CLIENT_PORT;
	uint16_t server = is_v4 ? DHCP_SERVER_PORT : DHCPV6_SERVER_PORT;

	if (!is_udp(packet, egress ? client : server, egress ? server : client))
		return false;
	if (!is_v4)
		return is_v6_link_local(local) && is_mine(iface, local) &&
		       (egress || is_v6_link_local(remote));
	if (egress && is_unspecified(local))
		return is_broadcast(remote);
	return guard_bits(iface, local) || (!egress && is_broadcast(local));
}

/* Neighbour discovery and MLD, as hosts on the link send them. */
static struct eval_verdict always_allowed(const struct image_iface *iface,
					  const struct eval_packet *packet)
{
	bool judged = iface->flags & SG_IF_SPOOF_GUARD && packet->direction == SG_EGRESS;
	bool unspecified = is_unspecified(&packet->src);

	if (is_dhcp_client(iface, packet))
		return verdict_of(SG_ALLOW_DHCP);
	if (is_nd(packet) && (!judged || unspecified || is_mine(iface, &packet->src)))
		return verdict_of(SG_ALLOW_ND);
	if (is_mld(packet) && (unspecified || (is_v6_link_local(&packet->src) &&
					       (!judged || is_mine(iface, &packet->src)))))
		return verdict_of(SG_ALLOW_MLD);
	return no_verdict;
}

/* ---------------------------------------------------------------- guard */

/* What no VM may send, whatever its address. */
static struct eval_verdict guard_kind(const struct image_iface *iface,
				      const struct eval_packet *packet)
{
	if (!(iface->flags & SG_IF_SPOOF_GUARD) || packet->direction == SG_INGRESS)
		return no_verdict;
	if (addr_is_v4(&packet->src) ? is_udp(packet, DHCP_SERVER_PORT, DHCP_CLIENT_PORT)
				     : is_udp(packet, DHCPV6_SERVER_PORT, DHCPV6_CLIENT_PORT))
		return verdict_of(SG_DROP_DHCP_SERVER);
	if (is_icmpv6(packet) &&
	    (packet->icmp_type == ND_ROUTER_ADVERT || packet->icmp_type == ND_REDIRECT))
		return verdict_of(SG_DROP_ROUTER_ADVERTISEMENT);
	return no_verdict;
}

/* The question of a client that has no address yet, on its way to a VM: a matter of rules. */
static bool is_dhcp_question(const struct eval_packet *packet)
{
	return packet->direction == SG_INGRESS && addr_is_v4(&packet->src) &&
	       packet->src.w[3] == 0 && is_broadcast(&packet->dst) &&
	       is_udp(packet, DHCP_CLIENT_PORT, DHCP_SERVER_PORT);
}

static struct eval_verdict guard_addresses(const struct image_iface *iface,
					   const struct eval_packet *packet)
{
	if (is_martian(&packet->src) && !is_dhcp_question(packet))
		return verdict_of(SG_DROP_MARTIAN);
	if (!(iface->flags & SG_IF_SPOOF_GUARD))
		return no_verdict;
	if (packet->direction == SG_EGRESS) {
		if (is_mine(iface, &packet->src))
			return no_verdict;
		return verdict_of(is_v6_link_local(&packet->src) ? SG_DROP_LINK_LOCAL
								 : SG_DROP_SPOOFED_SOURCE);
	}
	if (guard_bits(iface, &packet->src) & SG_GUARD_OWN ||
	    (iface->flags & SG_IF_CHECK_MAC && is_own_link_local(iface, &packet->src)))
		return verdict_of(SG_DROP_LAND);
	if (addr_is_multicast(&packet->dst) || is_broadcast(&packet->dst) ||
	    is_mine(iface, &packet->dst))
		return no_verdict;
	return verdict_of(SG_DROP_WRONG_DESTINATION);
}

/* ---------------------------------------------------------------- policy */

static uint16_t port_value(const struct eval_packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		return packet->dport;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return (uint16_t)(packet->icmp_type << 8 | packet->icmp_code);
	default:
		return 0;
	}
}

static uint32_t find_rule(const struct image_ports *ports, uint16_t port)
{
	guint low = 0, high = ports ? ports->count : 0;

	while (low < high) {
		guint middle = low + (high - low) / 2;
		const struct sg_interval *interval = &ports->intervals[middle];

		if (port < interval->first)
			high = middle;
		else if (port > interval->last)
			low = middle + 1;
		else
			return interval->rule;
	}
	return 0;
}

static struct eval_verdict ask_peer(const struct image_policy *policy,
				    const struct eval_packet *packet, unsigned int dir,
				    uint32_t peer)
{
	uint32_t rule = find_rule(image_policy_ports(policy, dir, peer, packet->protocol),
				  port_value(packet));

	if (!rule)
		rule = find_rule(image_policy_ports(policy, dir, peer, SG_PROTO_ALL),
				 port_value(packet));
	if (!rule)
		return no_verdict;
	return (struct eval_verdict){
		.reason = rule & SG_RULE_EXEMPT ? SG_ALLOW_EXEMPT : SG_ALLOW_RULE,
		.rule = rule,
		.peer = peer,
	};
}

static struct eval_verdict ask_set(const struct image *image, const struct image_policy *policy,
				   const struct eval_packet *packet, unsigned int dir, uint32_t set)
{
	const struct image_set *peers;
	struct eval_verdict verdict = no_verdict;

	if (!set)
		return no_verdict;
	if (set & SG_SET_SINGLE)
		return ask_peer(policy, packet, dir, set & ~SG_SET_SINGLE);
	peers = image_set_by_number(image, set);
	for (guint i = 0; peers && i < peers->peers->len && !is_decided(verdict); i++)
		verdict = ask_peer(policy, packet, dir, g_array_index(peers->peers, uint32_t, i));
	return verdict;
}

/* The order of compile.h: exempt endpoints, any, then the groups of the remote address, then the
 * prefixes around it.
 */
static struct eval_verdict ask_policy(const struct image *image, const struct image_iface *iface,
				      const struct eval_packet *packet)
{
	const struct sg_addr *remote = packet->direction == SG_EGRESS ? &packet->dst : &packet->src;
	uint8_t has = iface->policy->has[packet->direction];
	struct eval_verdict verdict = no_verdict;

	if (has & SG_HAS_EXEMPT)
		verdict = ask_set(image, iface->policy, packet, SG_DIR_EXEMPT,
				  image_find_prefix(image, iface->zone, remote));
	if (!is_decided(verdict) && has & SG_HAS_ANY)
		verdict = ask_peer(iface->policy, packet, packet->direction, SG_PEER_ANY);
	if (!is_decided(verdict) && has & SG_HAS_GROUP)
		verdict = ask_set(image, iface->policy, packet, packet->direction,
				  image_find_member(image, iface->zone, remote));
	if (!is_decided(verdict) && has & SG_HAS_PREFIX)
		verdict = ask_set(image, iface->policy, packet, packet->direction,
				  image_find_prefix(image, iface->zone, remote));
	if (is_decided(verdict))
		return verdict;
	return verdict_of(is_icmp_error(packet) ? SG_DROP_ICMP_UNRELATED : SG_DROP_NO_RULE);
}

struct eval_verdict eval_packet(const struct image *image, const struct image_iface *iface,
				const struct eval_packet *packet)
{
	struct eval_verdict verdict = guard_kind(iface, packet);

	if (!is_decided(verdict))
		verdict = always_allowed(iface, packet);
	if (!is_decided(verdict))
		verdict = guard_addresses(iface, packet);
	if (!is_decided(verdict))
		verdict = ask_policy(image, iface, packet);
	return verdict;
}
