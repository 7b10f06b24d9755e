/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_links.c - any bytes as what the kernel's netlink socket delivers: links are read out of them
 * or not, and none has a name that no device can have.
 *
 * links.c is included: what it makes of a message is nobody else's business.
 */
#include <string.h>

#include "rulesd/links.c" /* NOLINT(bugprone-suspicious-include) */
#include "tests/fuzz/fuzz.h"

static int look(const struct nlmsghdr *header, void *arg)
{
	struct link link;

	(void)arg;
	if (!parse_link(header, &link))
		return MNL_CB_OK;
	FUZZ_EXPECT(link.ifindex, "a link without a number");
	FUZZ_EXPECT(*link.name && strnlen(link.name, IFNAMSIZ) < IFNAMSIZ, "a name without end");
	return MNL_CB_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As in the buffer of a socket: aligned, and of no more bytes than came. */
	g_autofree char *message = g_malloc(MAX(size, 1));

	memcpy(message, data, size);
	if (framed(message, size))
		mnl_cb_run(message, size, 0, 0, look, NULL);
	return 0;
}
