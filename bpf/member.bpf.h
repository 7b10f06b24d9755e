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

/* Its set as of a generation, 0 when it is no member. */
sg_noinline __u32 sg_member_set(const struct sg_addr *addr, __u32 zone, __u64 generation)
{
	struct sg_member_key key = {.zone = zone};
	struct sg_version *found;
	__u32 set;

	if (sg_addr_is_v4(addr)) {
		set = sg_member_hinted(addr, zone);
		if (set)
			return set;
	}
	key.addr = *addr;
	found = bpf_map_lookup_elem(&sg_members, &key);
	return found ? sg_version_at(found, generation) : 0;
}
