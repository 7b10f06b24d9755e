/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_guard.c - any attributes in what the kernel tells of nftables and of device groups: they are
 * read or not, and never make a table that is not the guard's look like it.
 *
 * An input is one byte, which says what kind of message it is, and its payload. guard_table.c and
 * device_group.c are included: what they make of a message is nobody else's business.
 */
#define close_socket close_guard_socket
#define open_socket  open_guard_socket
#define hear_answers hear_guard_answers
#include "rulesd/guard_table.c" /* NOLINT(bugprone-suspicious-include) */
#undef close_socket
#undef open_socket
#undef hear_answers
#include "rulesd/device_group.c" /* NOLINT(bugprone-suspicious-include) */
#include "tests/fuzz/fuzz.h"

#define MOST 65536u

static const char *const patterns[] = {"tap*", "vnet0"};

static const struct guard_table guarded = {.name = "tapguard",
					   .instance = "/sys/fs/bpf/tapguard",
					   .patterns = patterns,
					   .count = 2,
					   .group = 0x7467};

static void hear_kind(uint8_t kind, const struct nlmsghdr *header, struct words *words)
{
	uint32_t number = 0;

	switch (kind % 5) {
	case 0:
		hear_table(header, words);
		break;
	case 1:
		hear_chain(header, words);
		break;
	case 2:
		hear_rule(header, words);
		break;
	case 3:
		hear_generation(header, &number);
		break;
	default:
		read_link(header, &number);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {
		(NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWTABLE,
		(NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWCHAIN,
		(NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWRULE,
		(NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN,
		RTM_NEWLINK,
	};
	CLEANUP(words_clear) struct words words = words_new(guarded.name, NULL);
	g_autofree char *wanted = guard_table_text(&guarded);
	g_autofree char *buffer = NULL;
	g_autofree char *text = NULL;
	struct nlmsghdr *header;
	size_t least, length;

	if (!size || size > MOST)
		return 0;
	/* The kernel's own part is always there: nfgenmsg, or ifinfomsg. */
	least = data[0] % 5 == 4 ? sizeof(struct ifinfomsg) : sizeof(struct nfgenmsg);
	length = MNL_NLMSG_HDRLEN + MAX(size - 1, least);
	buffer = g_malloc0(length);
	header = (struct nlmsghdr *)(void *)buffer;
	header->nlmsg_len = (uint32_t)length;
	header->nlmsg_type = types[data[0] % 5];
	memcpy(buffer + MNL_NLMSG_HDRLEN, data + 1, size - 1);
	hear_kind(data[0], header, &words);
	text = words_join(&words);
	FUZZ_EXPECT(strcmp(text, wanted) != 0, "one message looks like all of the table");
	return 0;
}
