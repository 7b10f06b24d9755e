/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addr.h - IP addresses, CIDRs and MAC addresses: text to bytes and back, comparison, EUI-64.
 *
 * struct sg_addr holds both families in network order, IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

#define ADDR_TEXT_SIZE 46 /* "ffff:...:255.255.255.255" and NUL, as INET6_ADDRSTRLEN */
#define CIDR_TEXT_SIZE (ADDR_TEXT_SIZE + 4)
#define MAC_TEXT_SIZE  18

/* bits counts the family's own bits: 0-32 for IPv4, 0-128 for IPv6. Host bits of addr are zero. */
struct cidr {
	struct sg_addr addr;
	uint8_t bits;
};

bool addr_is_v4(const struct sg_addr *addr);
bool addr_equal(const struct sg_addr *a, const struct sg_addr *b);
int addr_compare(const struct sg_addr *a, const struct sg_addr *b);
bool addr_is_link_local(const struct sg_addr *addr); /* fe80::/10 and 169.254/16 */
bool addr_is_multicast(const struct sg_addr *addr);
/* An address no packet on a wire may come from: 0/8, 127/8, 224/4 and above, ::, ::1, ff00::/8,
 * IPv4-mapped. */
bool addr_is_martian_source(const struct sg_addr *addr);

/* Strict: exactly what inet_pton accepts, and no IPv4-mapped IPv6. 0 or -EINVAL. */
int addr_parse(const char *text, struct sg_addr *addr);
/* Writes the canonical form (RFC 5952) and returns text. */
char *addr_format(const struct sg_addr *addr, char text[ADDR_TEXT_SIZE]);

/* "A/LEN" or "A" (a host). 0, -EINVAL, or -ERANGE when host bits are set: *cidr then is the
 * canonical one. */
int cidr_parse(const char *text, struct cidr *cidr);
char *cidr_format(const struct cidr *cidr, char text[CIDR_TEXT_SIZE]);
bool cidr_contains(const struct cidr *cidr, const struct sg_addr *addr);
bool cidr_covers(const struct cidr *outer, const struct cidr *inner);
int cidr_compare(const struct cidr *a, const struct cidr *b);
/* Length in the bits of struct sg_addr: IPv4 lengths move up by 96. */
unsigned int cidr_mapped_bits(const struct cidr *cidr);

/* "52:54:00:00:00:01", either case. 0 or -EINVAL (multicast and zero MACs too). */
int mac_parse(const char *text, uint8_t mac[6]);
char *mac_format(const uint8_t mac[6], char text[MAC_TEXT_SIZE]);
/* fe80:: with the modified EUI-64 of mac (RFC 4291, appendix A). */
struct sg_addr addr_link_local_of_mac(const uint8_t mac[6]);
