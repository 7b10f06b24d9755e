/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_addr.c - addresses and CIDRs in policies, and what is usually wrong with them.
 */
#include "rulesd/load_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

/* addr_parse refuses them, because struct sg_addr stores IPv4 that way. */
static bool is_mapped(const char *text)
{
	g_autofree char *host = g_strndup(text, strcspn(text, "/"));
	struct sg_addr addr;

	return inet_pton(AF_INET6, host, &addr) == 1 && addr_is_v4(&addr);
}

static void address_error(struct load *load, uint32_t node, const char *text)
{
	g_autofree char *quoted = diag_quote(text);
	struct cidr cidr;

	if (cidr_parse(text, &cidr) != -EINVAL) {
		g_autofree char *fix =
			g_strdup_printf("write \"%.*s\"", (int)strcspn(text, "/"), text);

		load_error(load, node, "address", fix, "%s is a CIDR, not an address", quoted);
	} else if (is_mapped(text)) {
		load_error(load, node, "address", "write it as IPv4",
			   "%s is an IPv4-mapped IPv6 address", quoted);
	} else {
		load_error(load, node, "address", "as \"10.0.0.5\" or \"fd00::5\"",
			   "%s is no IP address", quoted);
	}
}

bool load_address(struct load *load, uint32_t node, struct sg_addr *addr)
{
	CLEANUP(jdoc_text_clear) struct jdoc_text buffer;
	const char *text = load_short_string(load, node,
					     "an address, as \"10.0.0.5\" or \"fd00::5\"", &buffer);

	if (!text)
		return false;
	if (addr_parse(text, addr) == 0)
		return true;
	address_error(load, node, text);
	return false;
}

void load_cidr_error(struct load *load, uint32_t node, const char *text, int error,
		     const struct cidr *canonical, const char *expected)
{
	g_autofree char *quoted = diag_quote(text);
	char correct[CIDR_TEXT_SIZE];

	if (error == -ERANGE) {
		g_autofree char *fix = NULL;

		cidr_format(canonical, correct);
		fix = g_strdup_printf("the network is \"%s\"", correct);
		load_error(load, node, "host-bits", fix, "%s has host bits set", quoted);
		return;
	}
	if (is_mapped(text)) {
		load_error(load, node, "address", "write it as IPv4",
			   "%s is an IPv4-mapped IPv6 address", quoted);
		return;
	}
	load_error(load, node, "address", expected, "%s is no CIDR and no address", quoted);
}

bool load_cidr(struct load *load, uint32_t node, struct cidr *cidr)
{
	static const char expected[] = "a CIDR or address, as \"10.0.0.0/8\" or \"2001:db8::/32\"";
	CLEANUP(jdoc_text_clear) struct jdoc_text buffer;
	const char *text = load_short_string(load, node, expected, &buffer);
	struct cidr parsed = {0};
	int error;

	if (!text)
		return false;
	error = cidr_parse(text, &parsed);
	if (error < 0) {
		load_cidr_error(load, node, text, error, &parsed, expected);
		return false;
	}
	*cidr = parsed;
	return true;
}
