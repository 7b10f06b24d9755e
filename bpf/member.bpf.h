/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * member.bpf.h - what an address stands for: the set of groups that it is a member of.
 */
#pragma once

#include "bpf/state.bpf.h"

/* The set of who in this bucket, 0 when it is not there. */
sg_inline __u32 sg_member_hint(const struct sg_hints *hints, __u64 who)
{
	__u32 i, set;

#pragma unroll
	for (i = 0; i < SG_HINTS; i++) {
		if (READ_ONCE(hints->who[i]) != who)
			continue;
		set = READ_ONCE(hints->set[i]);
		return READ_ONCE(hints->who[i]) == who ? set : 0;
	}
	return 0;
}

sg_inline __u32 sg_member_hinted(const struct sg_addr *addr, __u32 zone)
{
	__u64 who = SG_HINT_WHO(zone, addr->w[3]);
	__u32 bucket = SG_HINT_BUCKET(who), set;
	const struct sg_hints *hints = bpf_map_lookup_elem(&sg_hints, &bucket);

	if (!hints)
		return 0;
	set = sg_member_hint(hints, who);
	if (set || !READ_ONCE(hints->spilled))
		return set;
	bucket = SG_HINT_NEXT(bucket);
	hints = bpf_map_lookup_elem(&sg_hints, &bucket);
	return hints ? sg_member_hint(hints, who) : 0;
}

#define SG_MEMBER_LOOKS 4

/*
 * What sg_members says. Kernel: the element of a HASH that an update replaces is given to the next
 * insert at once, without an RCU grace period (bpf_mem_alloc, in all since 6.1). So beside the
 * update of a member its lookup may miss what is always there, and the value of what it found may
 * be another member's by the time it is read. An answer counts when two lookups in a row give it;
 * worst outcome, when all meet updates of this very member: it is none, and the packet is sent
 * again.
 */
sg_inline __u32 sg_member_looked_up(const struct sg_member_key *key, __u64 generation)
{
	__u32 i, set, last = 0;

#pragma unroll
	for (i = 0; i < SG_MEMBER_LOOKS; i++) {
		const struct sg_version *found = bpf_map_lookup_elem(&sg_members, key);

		set = found ? sg_version_at(found, generation) : 0;
		if (i && set == last)
			return set;
		last = set;
	}
	return 0;
}

/* Its set as of a generation, 0 when it is no member. */
sg_noinline __u32 sg_member_set(const struct sg_addr *addr, __u32 zone, __u64 generation)
{
	struct sg_member_key key = {.zone = zone};
	__u32 set;

	if (sg_addr_is_v4(addr)) {
		set = sg_member_hinted(addr, zone);
		if (set)
			return set;
	}
	key.addr = *addr;
	return sg_member_looked_up(&key, generation);
}
