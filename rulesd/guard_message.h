/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard_message.h - what nftables says, looked at before libnftnl is given it.
 */
#pragma once

#include <linux/netlink.h>

enum guard_message {
	GUARD_MESSAGE_BROKEN,  /* some attribute is not of the type that it must have */
	GUARD_MESSAGE_OTHER,   /* a rule of another table */
	GUARD_MESSAGE_KNOWN,   /* libnftnl may read it */
	GUARD_MESSAGE_FOREIGN, /* a rule of this table, not made as the guard's rules are */
};

/* header: NFT_MSG_NEWTABLE, NEWCHAIN or NEWRULE, with nfgenmsg, as long as it says. */
enum guard_message guard_message_kind(const struct nlmsghdr *header, const char *table);
