/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * protocols.c - names of IP protocols: those that a policy may spell, every other one by its
 * number.
 */
#include "rulesd/names.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	uint16_t number;
} protocols[] = {
	{"tcp", IPPROTO_TCP},	    {"udp", IPPROTO_UDP},   {"icmp", IPPROTO_ICMP},
	{"icmpv6", IPPROTO_ICMPV6}, {"sctp", IPPROTO_SCTP}, {"gre", IPPROTO_GRE},
	{"esp", IPPROTO_ESP},	    {"ah", IPPROTO_AH},	    {"all", SG_PROTO_ALL},
};

int number_parse_octet(const char *text, int *value)
{
	int number = 0;

	if (!g_ascii_isdigit(text[0]) || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (const char *c = text; *c; c++) {
		if (!g_ascii_isdigit(*c))
			return -EINVAL;
		number = number * 10 + (*c - '0');
		if (number > 255)
			return -EINVAL;
	}
	*value = number;
	return 0;
}

int protocol_parse(const char *text, uint16_t *protocol)
{
	int number = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(protocols); i++) {
		if (!strcmp(text, protocols[i].name)) {
			*protocol = protocols[i].number;
			return 0;
		}
	}
	if (number_parse_octet(text, &number))
		return -EINVAL;
	*protocol = (uint16_t)number;
	return 0;
}

const char *protocol_format(uint16_t protocol, char text[8])
{
	for (size_t i = 0; i < G_N_ELEMENTS(protocols); i++) {
		if (protocols[i].number == protocol) {
			g_strlcpy(text, protocols[i].name, 8);
			return text;
		}
	}
	snprintf(text, 8, "%u", protocol);
	return text;
}

bool protocol_has_ports(uint16_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

bool protocol_is_icmp(uint16_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}
