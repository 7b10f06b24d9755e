/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard_table.h - the guard's nftables tables: what they shall be, what they are, and making the
 * one the other in a single transaction. Private to guard*.c.
 *
 * One table of the same name in each of the families bridge, inet and arp. In every hook that a
 * frame of a guarded device passes, one rule a pattern:
 *
 *   iifname "tap*" iifgroup != 29799 counter drop     (prerouting, input)
 *   oifname "tap*" oifgroup != 29799 counter drop     (output, postrouting)
 *
 * A frame that is forwarded passes prerouting and postrouting. There is no set of devices: the
 * device group is a property of the device, and dies with it.
 */
#pragma once

#include <stdint.h>

struct mnl_socket;

struct guard_table {
	const char *name;
	const char *instance; /* for the comment: whose it is */
	const char *const *patterns;
	unsigned int count;
	uint32_t group;
	/* Whose the tables are (guard_table_own); NULL: anybody's who may write nftables. */
	struct mnl_socket *owner;
};

struct guard_counters {
	uint64_t packets, bytes; /* dropped by all rules since the table was written */
};

/*
 * The socket that owns the tables from the next write on: as long as it is open nobody else can
 * change them, and "nft flush ruleset" leaves them out. When it is closed, or its process killed,
 * they stay, and are anybody's. Linux 6.9 (NFT_TABLE_F_PERSIST) knows that; an earlier one refuses
 * the write (-EOPNOTSUPP). 0 or -errno.
 */
int guard_table_own(struct mnl_socket **owner);
void guard_table_disown(struct mnl_socket **owner);
/*
 * The tables in words: equal texts are equal rules. Of what shall be, and of what the kernel has
 * ("" when there is none). The caller frees.
 */
char *guard_table_text(const struct guard_table *table);
/* Those that an owner has left behind when it ended; to be taken over as they are. */
char *guard_table_orphan_text(const struct guard_table *table);
/* 0, or -errno and *error. counters and group may be NULL; *group: the device group that the rules
 * name, 0 when there are none. */
int guard_table_read(const char *name, const struct mnl_socket *owner, char **text,
		     struct guard_counters *counters, uint32_t *group, char **error);
/* Replaces whatever has the name, in one transaction: frames meet the old rules or the new. 0, or
 * -errno and *error, which names what the kernel lacks. */
int guard_table_write(const struct guard_table *table, char **error);
/* Takes over tables that are orphans, rules and all. 0, or -errno and *error. */
int guard_table_adopt(const struct guard_table *table, char **error);
/* 0 also when there is none. */
int guard_table_remove(const char *name, char **error);
/* Changes whenever anybody changes any nftables table of the namespace. 0 or -errno. */
int guard_table_generation(uint32_t *generation);
