/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addr.c - IP addresses, CIDRs and MAC addresses: text to bytes and back, comparison, EUI-64.
 */
#include "rulesd/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static const uint8_t *bytes(const struct sg_addr *addr)
{
	return (const uint8_t *)addr;
}

bool addr_is_v4(const struct sg_addr *addr)
{
	return memcmp(addr, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool addr_equal(const struct sg_addr *a, const struct sg_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

int addr_compare(const struct sg_addr *a, const struct sg_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

bool addr_is_link_local(const struct sg_addr *addr)
{
	const uint8_t *b = bytes(addr);

	if (addr_is_v4(addr))
		return b[12] == 169 && b[13] == 254;
	return b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct sg_addr *addr)
{
	const uint8_t *b = bytes(addr);

	if (addr_is_v4(addr))
		return b[12] >= 224 && b[12] < 240;
	return b[0] == 0xff;
}

bool addr_is_martian_source(const struct sg_addr *addr)
{
	static const uint8_t zeros[15];
	const uint8_t *b = bytes(addr);

	if (addr_is_v4(addr))
		return b[12] == 0 || b[12] == 127 || b[12] >= 224;
	return b[0] == 0xff || (memcmp(b, zeros, sizeof(zeros)) == 0 && b[15] <= 1);
}

int addr_parse(const char *text, struct sg_addr *addr)
{
	struct sg_addr parsed;
	uint8_t *b = (uint8_t *)&parsed;

	if (inet_pton(AF_INET, text, b + sizeof(v4_prefix)) == 1) {
		memcpy(b, v4_prefix, sizeof(v4_prefix));
	} else if (inet_pton(AF_INET6, text, b) != 1 || addr_is_v4(&parsed)) {
		return -EINVAL;
	}
	*addr = parsed;
	return 0;
}

char *addr_format(const struct sg_addr *addr, char text[ADDR_TEXT_SIZE])
{
	if (addr_is_v4(addr))
		inet_ntop(AF_INET, bytes(addr) + sizeof(v4_prefix), text, ADDR_TEXT_SIZE);
	else
		inet_ntop(AF_INET6, addr, text, ADDR_TEXT_SIZE);
	return text;
}

/* Decimal without sign, spaces or leading zeros, as the canonical form writes it. */
static int parse_bits(const char *text, unsigned int max, unsigned int *bits)
{
	unsigned int value = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned int)(*text - '0');
		if (value > max)
			return -EINVAL;
	}
	*bits = value;
	return 0;
}

/* Clears what lies behind the first bits of 128; true when something was set there. */
static bool clear_host_bits(struct sg_addr *addr, unsigned int bits)
{
	uint8_t *b = (uint8_t *)addr;
	bool cleared = false;

	for (unsigned int i = bits / 8; i < 16; i++) {
		uint8_t keep = i == bits / 8 ? (uint8_t)(0xff00u >> bits % 8) : 0;

		if (b[i] & ~keep)
			cleared = true;
		b[i] &= keep;
	}
	return cleared;
}

int cidr_parse(const char *text, struct cidr *cidr)
{
	char host[ADDR_TEXT_SIZE];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct cidr parsed = {0};
	unsigned int max, bits;
	bool host_bits;

	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	if (addr_parse(host, &parsed.addr) < 0)
		return -EINVAL;
	max = addr_is_v4(&parsed.addr) ? 32 : 128;
	bits = max;
	if (slash && parse_bits(slash + 1, max, &bits) < 0)
		return -EINVAL;
	parsed.bits = (uint8_t)bits;
	host_bits = clear_host_bits(&parsed.addr, cidr_mapped_bits(&parsed));
	*cidr = parsed;
	return host_bits ? -ERANGE : 0;
}

char *cidr_format(const struct cidr *cidr, char text[CIDR_TEXT_SIZE])
{
	size_t length;

	addr_format(&cidr->addr, text);
	length = strlen(text);
	snprintf(text + length, CIDR_TEXT_SIZE - length, "/%u", cidr->bits);
	return text;
}

bool cidr_contains(const struct cidr *cidr, const struct sg_addr *addr)
{
	const struct cidr host = {.addr = *addr, .bits = addr_is_v4(addr) ? 32 : 128};

	return cidr_covers(cidr, &host);
}

bool cidr_covers(const struct cidr *outer, const struct cidr *inner)
{
	struct sg_addr masked = inner->addr;

	/* The families are apart although IPv4 is stored inside ::/0. */
	if (addr_is_v4(&outer->addr) != addr_is_v4(&inner->addr) || inner->bits < outer->bits)
		return false;
	clear_host_bits(&masked, cidr_mapped_bits(outer));
	return addr_equal(&masked, &outer->addr);
}

int cidr_compare(const struct cidr *a, const struct cidr *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : (int)a->bits - (int)b->bits;
}

unsigned int cidr_mapped_bits(const struct cidr *cidr)
{
	return addr_is_v4(&cidr->addr) ? cidr->bits + 96u : cidr->bits;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mac_parse(const char *text, uint8_t mac[6])
{
	static const uint8_t zero[6];
	uint8_t parsed[6];

	for (int i = 0; i < 6; i++, text += 3) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		parsed[i] = (uint8_t)(high << 4 | low);
	}
	if ((parsed[0] & 1) || memcmp(parsed, zero, sizeof(zero)) == 0)
		return -EINVAL;
	memcpy(mac, parsed, sizeof(parsed));
	return 0;
}

char *mac_format(const uint8_t mac[6], char text[MAC_TEXT_SIZE])
{
	snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return text;
}

struct sg_addr addr_link_local_of_mac(const uint8_t mac[6])
{
	struct sg_addr addr;
	const uint8_t id[16] = {
		0xfe,	0x80,	0,    0,    0,	    0,	    0,	   0, (uint8_t)(mac[0] ^ 2),
		mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

	_Static_assert(sizeof(id) == sizeof(addr), "an address is 16 bytes");
	memcpy(&addr, id, sizeof(addr));
	return addr;
}
