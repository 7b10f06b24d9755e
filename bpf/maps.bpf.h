/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maps.bpf.h - every map. Pinned by name, so that all objects of this directory share them and they
 * outlive rulesd. Keys, values and who writes what: abi.h.
 */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/bucket.h"
#include "bpf/packet.bpf.h"

#define SG_MAP(map_type, entries, key_type, value_type, map_flag_bits) \
	__uint(type, map_type);                                        \
	__uint(max_entries, entries);                                  \
	__uint(map_flags, map_flag_bits);                              \
	__uint(pinning, LIBBPF_PIN_BY_NAME);                           \
	__type(key, key_type);                                         \
	__type(value, value_type)

struct {
	SG_MAP(BPF_MAP_TYPE_ARRAY, 1, __u32, struct sg_control, BPF_F_MMAPABLE);
} sg_control SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_ARRAY, SG_MAX_IFINDEX, __u32, __u32, 0);
} sg_ifindex SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_HASH, SG_MAX_SLOTS, __u32, __u32, BPF_F_NO_PREALLOC);
} sg_ifhigh SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_ARRAY, SG_MAX_SLOTS + 1, __u32, struct sg_iface, BPF_F_MMAPABLE);
} sg_ifaces SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_ARRAY, SG_MAX_SLOTS + 1, __u32, struct sg_slot, BPF_F_MMAPABLE);
} sg_slots SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, SG_MAX_SLOTS + 1, __u32, struct sg_stats, 0);
} sg_stats SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_LPM_TRIE, SG_MAX_GUARDS, struct sg_guard_key, struct sg_version,
	       BPF_F_NO_PREALLOC);
} sg_guard SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_HASH, SG_MAX_VLANS, struct sg_vlan_key, struct sg_version,
	       BPF_F_NO_PREALLOC);
} sg_vlans SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_HASH, SG_MAX_MEMBERS, struct sg_member_key, struct sg_version,
	       BPF_F_NO_PREALLOC);
} sg_members SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_ARRAY, SG_HINT_BUCKETS, __u32, struct sg_hints, BPF_F_MMAPABLE);
} sg_hints SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_LPM_TRIE, SG_MAX_PREFIXES, struct sg_prefix_key, struct sg_version,
	       BPF_F_NO_PREALLOC);
} sg_prefixes SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_HASH, SG_MAX_SETS, __u32, struct sg_set, BPF_F_NO_PREALLOC);
} sg_sets SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_HASH, SG_MAX_POLICY_KEYS, struct sg_policy_key, struct sg_policy_ports,
	       BPF_F_NO_PREALLOC);
} sg_policy SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_ARRAY, SG_MAX_INTERVALS, __u32, struct sg_interval, 0);
} sg_intervals SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_ARRAY, SG_MAX_OUTLINES, __u32, struct sg_outline, 0);
} sg_outlines SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_HASH, SG_MAX_PEERS_GONE, __u32, __u64, BPF_F_NO_PREALLOC);
} sg_peergone SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_HASH, SG_MAX_RULES, __u32, struct sg_rule_stats, BPF_F_NO_PREALLOC);
} sg_rules SEC(".maps");

/*
 * Inner maps are made by rulesd when a slot is attached; these are only their shapes.
 *
 * Kernel 6.1: sizes, not types. With types the shape has BTF, and the kernel refuses (EINVAL) inner
 * maps that were created without: it compares timer_off, which is another error number then.
 */
struct sg_half_shape {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SG_HALF_FLOWS);
	__uint(key_size, sizeof(struct sg_flow_key));
	__uint(value_size, sizeof(struct sg_flow));
};

/* Mapped: its memory begins with a page, so that buckets are whole cache lines, and rulesd removes
 * flows by the same means as the programs. */
struct sg_flows_shape {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct sg_bucket));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SG_MAX_SLOTS + 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__array(values, struct sg_half_shape);
} sg_half SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SG_MAX_SHARDS);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__array(values, struct sg_flows_shape);
} sg_flows SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_HASH, SG_MAX_FRAGMENTS, struct sg_frag_key, struct sg_frag,
	       BPF_F_NO_PREALLOC);
} sg_frags SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SG_EVENTS_BYTES);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_events SEC(".maps");

struct {
	SG_MAP(BPF_MAP_TYPE_ARRAY, 1, __u32, struct sg_collect, 0);
} sg_collect SEC(".maps");

/* See struct sg_packet. Not pinned: it holds nothing between packets. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sg_packet);
} sg_packet_scratch SEC(".maps");

/* Which slot an address was last seen behind: a guess, see sg_short_neighbour(). One for all CPUs,
 * because a flow may be opened on another one than it lives on. Not pinned. */
struct sg_neighbour {
	__u32 address; /* its four words and its network, added up */
	__u32 slot;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SG_NEIGHBOURS);
	__type(key, __u32);
	__type(value, struct sg_neighbour);
} sg_neighbours SEC(".maps");

/*
 * The flows that this CPU has met of late, by hash: what it needs of others is far away. As many as
 * processors have pages at hand, each flow being in one of its own. Not pinned.
 */
#define SG_RECENT 1024u
struct sg_recent {
	__u32 flows[SG_RECENT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sg_recent);
} sg_recent SEC(".maps");
