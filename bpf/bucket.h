/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bucket.h - the arithmetic of the flow table: where the flow of a key may be, which cells of a
 * bucket hold one with its tag, which may be used. Pure logic: programs, rulesd and tests share it.
 *
 * A flow has two buckets, and in each of them one cell that is looked at first: most flows are
 * there, so the processor fetches tags, key and flow at once, where a chained hash waits for one
 * after the other. That a flow is in neither costs one line of tags, unless the first bucket has
 * overflowed.
 */
#pragma once

#include "bpf/abi.h"

#define sg_pure static __inline __attribute__((always_inline, unused))

/* Where the flow of a key may be. */
struct sg_place {
	__u32 first;  /* bucket */
	__u32 second; /* bucket; may be the same */
	__u32 cell;   /* of both, looked at first */
	__u32 tag;    /* SG_TAG_LIVE and the hash bits: as a live cell's word, but for the uses */
};

#define SG_TAG(status, bits)  ((__u32)(status) << 30 | ((bits)&0x3fffu) << 16)
#define SG_TAG_STATUS(word)   ((word) >> 30)
#define SG_TAG_USES(word)     ((word)&0xffffu)
#define SG_TAG_NEXT_USE(word) (((word) + 1) & 0xffffu)

/*
 * A sum of products with secret multipliers, mixed. Who does not know them cannot choose ports or
 * addresses that meet in a bucket. The products do not wait for each other.
 */
sg_pure __u64 sg_flow_hash(const struct sg_flow_key *key, const __u64 secret[4])
{
	const __u64 *w = (const __u64 *)(const void *)key;
	__u64 fifth = secret[0] >> 32 | secret[0] << 32 | 1;
	__u64 h = w[0] * secret[0] + w[1] * secret[1] + w[2] * secret[2] + w[3] * secret[3] +
		  w[4] * fifth;

	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

sg_pure struct sg_place sg_place_of(const struct sg_flow_key *key, const __u64 secret[4],
				    __u32 buckets)
{
	__u64 h = sg_flow_hash(key, secret);

	return (struct sg_place){
		.first = (__u32)((h >> 32) * buckets >> 32),
		.second = (__u32)((h * 0xc2b2ae3d27d4eb4fULL >> 32) * buckets >> 32),
		.cell = (h >> 14 & 0xffffu) * SG_BUCKET_CELLS >> 16,
		.tag = SG_TAG(SG_TAG_LIVE, (__u32)h),
	};
}

/*
 * Where it is noted which slot the addresses with this sum of words are behind. The product's high
 * bits: the low ones know nothing of the last byte of an address in network order.
 */
#define SG_NEIGHBOURS 4096u
sg_pure __u32 sg_neighbour_index(__u32 sum)
{
	return sum * 0x9e3779b1u >> 20;
}

/* Whether a cell's word is that of a live flow with the tag of the place. */
sg_pure __u32 sg_tag_matches(__u32 word, __u32 tag)
{
	return (((word ^ tag) >> 16) - 1) >> 31;
}

/*
 * Whether the cell may not have a new flow: 0 or 1, by arithmetic, so that the verifier follows one
 * case a cell. Whose rest has been over for 2^14 jiffies seems to rest again for a while.
 */
sg_pure __u32 sg_tag_used(__u32 word, __u64 now)
{
	__u32 status = SG_TAG_STATUS(word);
	__u32 rested = ((__u32)now - (word >> 16)) & 0x3fffu;

	/* BUSY (1) and LIVE (2) are, GONE (3) while it rests. */
	return ((status ^ status >> 1) & 1) |
	       ((status & status >> 1) & (rested - SG_TAG_REST) >> 31);
}

/* The word of a cell that is given up. */
sg_pure __u32 sg_tag_gone(__u32 word, __u64 now)
{
	return SG_TAG(SG_TAG_GONE, (__u32)now) | SG_TAG_USES(word);
}

/*
 * Which use of a cell a flow is, and its state, are one word: who found a flow and writes to it, or
 * moves its state, asks by that word whether it is still this flow. May alias, because it is read
 * and changed as a whole.
 */
typedef __u64 __attribute__((may_alias)) sg_head;

#define SG_HEAD_STATE(head) ((__u32)(head))
#define SG_HEAD_USE(head)   ((__u32)((head) >> 48))

sg_pure sg_head *sg_flow_head_at(struct sg_flow *flow)
{
	return (sg_head *)(void *)&flow->state;
}

/* Read once; what is read after it in the program is read after it. */
sg_pure __u64 sg_flow_head(const struct sg_flow *flow)
{
	__u64 head = *(const volatile sg_head *)(const void *)&flow->state;

	__asm__ volatile("" ::: "memory");
	return head;
}

/* Moves the state of this use of the cell; 1 when it was from, for the one who did it. */
sg_pure int sg_flow_move(struct sg_flow *flow, __u32 use, __u32 from, __u32 to)
{
	__u64 head = sg_flow_head(flow);

	if (SG_HEAD_STATE(head) != from || SG_HEAD_USE(head) != use)
		return 0;
	return __sync_val_compare_and_swap(sg_flow_head_at(flow), head,
					   (head & ~0xffffffffULL) | to) == head;
}

#define SG_TAG_BITS	   0x3fff0000u
#define SG_TAG_TWICE(word) ((__u64)(word) << 32 | (word))

/*
 * Whether a flow with this tag is in the bucket, live or about to be, or in another one because
 * this one was full; 1 also for some that are not: what a cell has in the place of the hash while
 * it is free or rests may be the same. Two cells at a time: a sum leaves the bit above the hash
 * clear only where there is no difference.
 */
sg_pure int sg_bucket_may_have(const struct sg_bucket *bucket, __u32 tag)
{
	const volatile sg_head *pair = (const volatile sg_head *)(const void *)bucket->tags;
	const volatile __u32 *last = &bucket->tags[SG_BUCKET_CELLS - 1];
	__u64 differ = ~0ULL;
	__u32 i;

	_Static_assert(SG_BUCKET_CELLS % 2 == 1, "the last one has overflowed beside it");
#ifdef __bpf__
#pragma unroll
#endif
	for (i = 0; i < SG_BUCKET_CELLS / 2; i++)
		differ &= ((pair[i] ^ SG_TAG_TWICE(tag)) & SG_TAG_TWICE(SG_TAG_BITS)) +
			  SG_TAG_TWICE(SG_TAG_BITS);
	differ &= (((*last ^ tag) & SG_TAG_BITS) + SG_TAG_BITS) | ~0xffffffffULL;
	return (~differ & SG_TAG_TWICE(SG_TAG_BITS + 0x10000u)) != 0 ||
	       *(const volatile __u32 *)&bucket->overflowed;
}

/* Its rule and peer, as one word: who allowed it. */
sg_pure volatile sg_head *sg_flow_witness(struct sg_flow *flow)
{
	return (volatile sg_head *)(void *)&flow->rule;
}

#define SG_KILL_TRIES 4

/*
 * Marks this use of the cell dead, so that nobody confirms or revives it; its state is known from
 * then on: *state. 0 when the cell has another flow by now, or packets moved the state all the
 * time.
 */
sg_pure int sg_flow_kill(struct sg_flow *flow, __u32 use, __u32 *state)
{
	__u32 i;

#ifdef __bpf__
#pragma unroll
#endif
	for (i = 0; i < SG_KILL_TRIES; i++) {
		__u64 head = sg_flow_head(flow);

		if (SG_HEAD_USE(head) != use)
			return 0;
		*state = SG_HEAD_STATE(head) | SG_FLOW_DEAD << 8;
		if (head == ((head & ~0xffffffffULL) | *state) ||
		    __sync_val_compare_and_swap(sg_flow_head_at(flow), head,
						(head & ~0xffffffffULL) | *state) == head)
			return 1;
	}
	return 0;
}

/*
 * Nobody finds the flow of a cell that is being filled, and who found the one before sees that it
 * is another use: before anything else is written ...
 */
sg_pure void sg_cell_close(struct sg_cell *cell, __u32 use)
{
	*(volatile sg_head *)sg_flow_head_at(&cell->flow) = (__u64)use << 48 | SG_FLOW_DEAD << 8;
	__asm__ volatile("" ::: "memory");
}

/* ... and until all of it is. x86 keeps the order of stores, as BPF's JITs do. */
sg_pure void sg_cell_open(struct sg_cell *cell, __u32 state)
{
	__asm__ volatile("" ::: "memory");
	*(volatile __u32 *)&cell->flow.state = state;
}
