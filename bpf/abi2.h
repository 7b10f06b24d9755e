/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * abi2.h - the layout of pinned maps of ABI version 2, as far as a migration reads them
 * (rulesd/bpf_migrate.c). It is frozen: what changes is abi.h.
 *
 * Flow keys and flows, counters and the small maps of numbers are those of abi.h still; what is
 * here is what they were, so that a change of abi.h that forgets the migration does not compile.
 */
#pragma once

#include <linux/types.h>

#define SG2_ABI_VERSION 2u
#define SG2_MAX_SLOTS	4096u
#define SG2_MAX_SHARDS	4096u
#define SG2_NEVER	(~0ULL)
#define SG2_TIMEOUTS	9u

struct sg2_control {
	__u64 generation;
	__u64 last_removal;
	__u32 flags;
	__u32 abi;
	__u64 pad[5];
};

struct sg2_addr {
	__u8 b[16];
} __attribute__((aligned(8)));

struct sg2_iface_conf {
	__u32 policy;
	__u32 zone;
	__u32 flags;
	__u32 max_flows;
	__u32 shard;
	__u8 has[2];
	__u8 mac[6];
	__u32 pad;
	struct sg2_addr addr4;
	struct sg2_addr addr6;
	__u32 timeout[SG2_TIMEOUTS];
	__u32 pad2;
};

struct sg2_iface {
	__u32 ifindex;
	__u32 slot;
	__u64 since[2];
	__u64 removed_at;
	__u64 adopt_until;
	__u64 keep_until;
	struct sg2_iface_conf conf[2];
};

struct sg2_slot {
	__u32 flows;
	__u32 frags;
	__u32 half;
	__u32 lru;
	__u64 allowance_exceeded;
};

struct sg2_flow_key {
	struct sg2_addr local;
	struct sg2_addr remote;
	__be16 lport;
	__be16 rport;
	__u16 slot;
	__u8 proto;
	__u8 pad;
};

/* In the high bytes of sg2_flow.state. */
#define SG2_FLOW_DEAD (1u << 1)
#define SG2_FLOW_HALF (1u << 3)

#define SG2_HALF_ADOPTED (1u << 3) /* in sg2_flow_half.flags */

struct sg2_flow_half {
	__u32 end;
	__u32 maxend;
	__u32 maxwin;
	__u32 maxack;
	__u32 seen;
	__u8 scale;
	__u8 flags;
	__u16 pad;
	__u64 packets;
	__u64 bytes;
};

struct sg2_flow {
	__u64 stamp;
	__u64 created;
	__u32 rule;
	__u32 peer;
	__u32 state;
	__u8 opener;
	__u8 pad[3];
	struct sg2_flow_half half[2];
};
