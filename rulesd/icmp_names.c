/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * icmp_names.c - names of ICMP and ICMPv6 types and codes, as nft and iptables spell them.
 *
 * The first name of a type is the one that is shown: nft's, which both tools know for IPv4. Later
 * ones are what iptables and ip6tables call the same.
 */
#include "rulesd/names.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>

struct type_name {
	uint16_t protocol;
	uint8_t type;
	const char *name;
};

static const struct type_name types[] = {
	{IPPROTO_ICMP, 0, "echo-reply"},
	{IPPROTO_ICMP, 0, "pong"},
	{IPPROTO_ICMP, 3, "destination-unreachable"},
	{IPPROTO_ICMP, 4, "source-quench"},
	{IPPROTO_ICMP, 5, "redirect"},
	{IPPROTO_ICMP, 8, "echo-request"},
	{IPPROTO_ICMP, 8, "ping"},
	{IPPROTO_ICMP, 9, "router-advertisement"},
	{IPPROTO_ICMP, 10, "router-solicitation"},
	{IPPROTO_ICMP, 11, "time-exceeded"},
	{IPPROTO_ICMP, 11, "ttl-exceeded"},
	{IPPROTO_ICMP, 12, "parameter-problem"},
	{IPPROTO_ICMP, 13, "timestamp-request"},
	{IPPROTO_ICMP, 14, "timestamp-reply"},
	{IPPROTO_ICMP, 15, "info-request"},
	{IPPROTO_ICMP, 16, "info-reply"},
	{IPPROTO_ICMP, 17, "address-mask-request"},
	{IPPROTO_ICMP, 18, "address-mask-reply"},

	{IPPROTO_ICMPV6, 1, "destination-unreachable"},
	{IPPROTO_ICMPV6, 2, "packet-too-big"},
	{IPPROTO_ICMPV6, 3, "time-exceeded"},
	{IPPROTO_ICMPV6, 3, "ttl-exceeded"},
	{IPPROTO_ICMPV6, 4, "parameter-problem"},
	{IPPROTO_ICMPV6, 128, "echo-request"},
	{IPPROTO_ICMPV6, 128, "ping"},
	{IPPROTO_ICMPV6, 129, "echo-reply"},
	{IPPROTO_ICMPV6, 129, "pong"},
	{IPPROTO_ICMPV6, 130, "mld-listener-query"},
	{IPPROTO_ICMPV6, 131, "mld-listener-report"},
	{IPPROTO_ICMPV6, 132, "mld-listener-done"},
	{IPPROTO_ICMPV6, 132, "mld-listener-reduction"},
	{IPPROTO_ICMPV6, 133, "nd-router-solicit"},
	{IPPROTO_ICMPV6, 133, "router-solicitation"},
	{IPPROTO_ICMPV6, 134, "nd-router-advert"},
	{IPPROTO_ICMPV6, 134, "router-advertisement"},
	{IPPROTO_ICMPV6, 135, "nd-neighbor-solicit"},
	{IPPROTO_ICMPV6, 135, "neighbor-solicitation"},
	{IPPROTO_ICMPV6, 135, "neighbour-solicitation"},
	{IPPROTO_ICMPV6, 136, "nd-neighbor-advert"},
	{IPPROTO_ICMPV6, 136, "neighbor-advertisement"},
	{IPPROTO_ICMPV6, 136, "neighbour-advertisement"},
	{IPPROTO_ICMPV6, 137, "nd-redirect"},
	{IPPROTO_ICMPV6, 137, "redirect"},
	{IPPROTO_ICMPV6, 138, "router-renumbering"},
	{IPPROTO_ICMPV6, 141, "ind-neighbor-solicit"},
	{IPPROTO_ICMPV6, 142, "ind-neighbor-advert"},
	{IPPROTO_ICMPV6, 143, "mld2-listener-report"},
};

static const struct code_name {
	uint16_t protocol;
	uint8_t type;
	uint8_t code;
	const char *name;
} codes[] = {
	{IPPROTO_ICMP, 3, 0, "net-unreachable"},
	{IPPROTO_ICMP, 3, 0, "network-unreachable"},
	{IPPROTO_ICMP, 3, 1, "host-unreachable"},
	{IPPROTO_ICMP, 3, 2, "prot-unreachable"},
	{IPPROTO_ICMP, 3, 2, "protocol-unreachable"},
	{IPPROTO_ICMP, 3, 3, "port-unreachable"},
	{IPPROTO_ICMP, 3, 4, "frag-needed"},
	{IPPROTO_ICMP, 3, 4, "fragmentation-needed"},
	{IPPROTO_ICMP, 3, 5, "source-route-failed"},
	{IPPROTO_ICMP, 3, 6, "network-unknown"},
	{IPPROTO_ICMP, 3, 7, "host-unknown"},
	{IPPROTO_ICMP, 3, 9, "net-prohibited"},
	{IPPROTO_ICMP, 3, 9, "network-prohibited"},
	{IPPROTO_ICMP, 3, 10, "host-prohibited"},
	{IPPROTO_ICMP, 3, 11, "TOS-network-unreachable"},
	{IPPROTO_ICMP, 3, 12, "TOS-host-unreachable"},
	{IPPROTO_ICMP, 3, 13, "admin-prohibited"},
	{IPPROTO_ICMP, 3, 13, "communication-prohibited"},
	{IPPROTO_ICMP, 3, 14, "host-precedence-violation"},
	{IPPROTO_ICMP, 3, 15, "precedence-cutoff"},
	{IPPROTO_ICMP, 5, 0, "network-redirect"},
	{IPPROTO_ICMP, 5, 1, "host-redirect"},
	{IPPROTO_ICMP, 5, 2, "TOS-network-redirect"},
	{IPPROTO_ICMP, 5, 3, "TOS-host-redirect"},
	{IPPROTO_ICMP, 11, 0, "ttl-zero-during-transit"},
	{IPPROTO_ICMP, 11, 1, "ttl-zero-during-reassembly"},
	{IPPROTO_ICMP, 12, 0, "ip-header-bad"},
	{IPPROTO_ICMP, 12, 1, "required-option-missing"},

	{IPPROTO_ICMPV6, 1, 0, "no-route"},
	{IPPROTO_ICMPV6, 1, 1, "admin-prohibited"},
	{IPPROTO_ICMPV6, 1, 1, "communication-prohibited"},
	{IPPROTO_ICMPV6, 1, 2, "beyond-scope"},
	{IPPROTO_ICMPV6, 1, 3, "addr-unreachable"},
	{IPPROTO_ICMPV6, 1, 3, "address-unreachable"},
	{IPPROTO_ICMPV6, 1, 4, "port-unreachable"},
	{IPPROTO_ICMPV6, 1, 5, "policy-fail"},
	{IPPROTO_ICMPV6, 1, 5, "failed-policy"},
	{IPPROTO_ICMPV6, 1, 6, "reject-route"},
	{IPPROTO_ICMPV6, 3, 0, "ttl-zero-during-transit"},
	{IPPROTO_ICMPV6, 3, 1, "ttl-zero-during-reassembly"},
	{IPPROTO_ICMPV6, 4, 0, "bad-header"},
	{IPPROTO_ICMPV6, 4, 1, "unknown-header-type"},
	{IPPROTO_ICMPV6, 4, 2, "unknown-option"},
};

int icmp_type_parse(uint16_t protocol, const char *text, int *type)
{
	if (!protocol_is_icmp(protocol))
		return -EINVAL;
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		if (types[i].protocol == protocol && !strcmp(types[i].name, text)) {
			*type = types[i].type;
			return 0;
		}
	}
	return number_parse_octet(text, type);
}

int icmp_code_parse(uint16_t protocol, int type, const char *text, int *code)
{
	if (!protocol_is_icmp(protocol))
		return -EINVAL;
	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		if (codes[i].protocol == protocol && codes[i].type == type &&
		    !strcmp(codes[i].name, text)) {
			*code = codes[i].code;
			return 0;
		}
	}
	return number_parse_octet(text, code);
}

const char *icmp_type_name(uint16_t protocol, int type)
{
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		if (types[i].protocol == protocol && types[i].type == type)
			return types[i].name;
	}
	return NULL;
}
