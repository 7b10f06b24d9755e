/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outline.bpf.h - whether a policy may allow a packet at all, answered without an address and
 * without a hash.
 */
#pragma once

#include "bpf/maps.bpf.h"

/* NULL when there is none of this policy: then everything may be. */
sg_inline const struct sg_outline *sg_outline_of(__u32 index, __u32 policy)
{
	const struct sg_outline *outline;

	if (!index)
		return 0;
	outline = bpf_map_lookup_elem(&sg_outlines, &index);
	return outline && outline->policy == policy ? outline : 0;
}

/* Kernel 6.1 forgets the bound of what was on the stack meanwhile; the asm keeps clang from
 * dropping ours. */
sg_inline int sg_outline_bit(const __u64 *words, __u32 bit)
{
	__u32 word = bit >> 6;

	asm volatile("" : "+r"(word));
	return words[word & 3] >> (bit & 63) & 1;
}

sg_inline int sg_outline_has(const struct sg_outline_part *part, __u32 proto, __u32 port)
{
	const struct sg_outline_set *set = &part->ports[SG_OUTLINE_OTHER];

	if (proto == SG_IPPROTO_TCP)
		set = &part->ports[SG_OUTLINE_TCP];
	else if (proto == SG_IPPROTO_UDP)
		set = &part->ports[SG_OUTLINE_UDP];
	else if (!sg_outline_bit(part->protocols, proto))
		return 0;
	return sg_outline_bit(set->high, port >> 8) && sg_outline_bit(set->low, port & 255);
}

/* Whether the rules of any peer, and those of others, may allow it. port as in struct sg_interval.
 */
sg_inline int sg_outline_any(const struct sg_outline *outline, __u8 dir, __u32 proto, __u32 port)
{
	return !outline || sg_outline_has(&outline->part[dir & 1][SG_OUTLINE_ANY], proto, port);
}

sg_inline int sg_outline_others(const struct sg_outline *outline, __u8 dir, __u32 proto, __u32 port)
{
	return !outline || sg_outline_has(&outline->part[dir & 1][SG_OUTLINE_OTHERS], proto, port);
}
