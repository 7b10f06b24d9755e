/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shard.bpf.h - finding, inserting and removing flows in a shard: an ARRAY of buckets (bucket.h)
 * instead of the kernel's HASH, whose cold lookup waits for bucket, element and value one after the
 * other.
 *
 * Nobody waits for anybody. A cell is taken by compare-and-exchange on its tag word (FREE or GONE
 * -> BUSY), filled, and published (LIVE). Whoever gives it up (LIVE -> GONE) by the same means
 * counts it down, and from then on it rests for SG_TAG_REST. Races:
 *   - a CPU that found a flow may still be at its cell when it is given up. The cell rests for
 * longer (a quarter of a second where a jiffy is a millisecond) than a program runs, so nobody
 * else's flow is there, unless the CPU is stopped in the middle of a program: its hypervisor runs
 * another guest. Each use of a cell therefore has a number, in one word with the state
 * (sg_flow_head()), which changes before anything else of the cell does. It is read before the key;
 * whoever judged by what it read looks at it again before it writes, and finds the flow gone.
 * States, who allowed a flow and since when, and the cell's own word move by compare-and-exchange
 * against what was read of this use, so however long a CPU stops, no other flow is closed, revived,
 * given up, or taken for one that was found allowed. What is left, to a CPU that is stopped between
 * the second look and the stores after it, a few instructions, for so long that the flow is given
 * up, the rest passes and the cell is another flow's: windows, times and counts of that one, of the
 * same shard, and its witness, should it have the same one. Worst outcome: its segments are judged
 * by wrong windows, or a removal of its own rule does not end it if the rule of the flow before it
 * stays; it was allowed when it was opened, and no flow is opened;
 *   - the number has 16 bits: 65,536 uses of a cell, each with its rest unless it has the same key,
 * take more than four hours;
 *   - two CPUs insert the same key: both come to the same cell first, one wins it, and the other
 * sees the tag there (-EEXIST, as if it had come later). If cells between them came free at that
 * moment, the key is there twice: everybody finds the same one, and the other is a half-open flow
 * that times out, counted as such;
 *   - a lookup while a cell is BUSY finds nothing: the packet is one of no flow, and is sent again;
 *   - BUSY does not last: a program is not ended between taking a cell and publishing it.
 * Both buckets of a key full: the flow is refused (flow_table_full). With SG_BUCKET_FLOWS flows a
 * bucket that is all but impossible, and no live flow ever makes room.
 */
#pragma once

#include "bpf/bucket.h"
#include "bpf/state.bpf.h"

#define SG_EEXIST 17
#define SG_E2BIG  7

struct sg_hit {
	struct sg_flow *flow; /* NULL: none */
	__u32 *tag;	      /* the word of its cell; NULL: it is in an LRU */
	__u32 use;	      /* of the cell, as read before the key */
	__u32 state;	      /* its word as read */
	__u8 confirmed;	      /* it is in a shard */
	__u8 over;	      /* it has timed out or ended: only its place may be used again */
};

/* The keys of flows are words of 8 bytes, and so are compared. */
sg_inline int sg_key_equal(const struct sg_flow_key *a, const struct sg_flow_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

/* The number of a cell, where the verifier has forgotten its bound and clang has not. */
sg_inline __u32 sg_cell_number(__u32 i)
{
	asm volatile("" : "+r"(i));
	return i < SG_BUCKET_CELLS ? i : 0;
}

/*
 * 1 when the cell has the key. The line of tags is read only of a flow that is dead: it says
 * whether somebody removes it at this moment, or the cell rests.
 */
sg_inline int sg_cell_is(struct sg_bucket *bucket, __u32 i, __u32 tag,
			 const struct sg_flow_key *key, struct sg_hit *hit)
{
	struct sg_cell *cell;
	__u64 head;

	i = sg_cell_number(i);
	cell = &bucket->cells[i];
	head = sg_flow_head(&cell->flow);
	if (!sg_key_equal(&cell->key, key))
		return 0;
	if (SG_FLOW_FLAGS(SG_HEAD_STATE(head)) & SG_FLOW_DEAD &&
	    !sg_tag_matches(READ_ONCE(bucket->tags[i]), tag))
		return 0;
	hit->flow = &cell->flow;
	hit->tag = &bucket->tags[i];
	hit->use = SG_HEAD_USE(head);
	hit->state = SG_HEAD_STATE(head);
	return 1;
}

/* The number + 1 of the cell of a bucket that has the key; 0: none has. */
sg_inline __u32 sg_bucket_find(const struct sg_bucket *bucket, __u32 tag,
			       const struct sg_flow_key *key)
{
	__u32 i;

#pragma unroll
	for (i = 0; i < SG_BUCKET_CELLS; i++)
		if (sg_tag_matches(READ_ONCE(bucket->tags[i]), tag) &&
		    sg_key_equal(&bucket->cells[i].key, key))
			return i + 1;
	return 0;
}

/*
 * Finds a key that is not where it is looked for first: the bucket and the number + 1 of its cell,
 * SG_AT(); 0: the shard does not have it. Verifier: global, so that it is verified by itself, and
 * without pointers among the results.
 */
#define SG_AT(bucket, found) ((__u64)(bucket) << 32 | (found))
__noinline __u64 sg_shard_seek(const struct sg_flow_key *key, __u32 shard, __u32 first,
			       __u32 second, __u32 tag)
{
	void *table = bpf_map_lookup_elem(&sg_flows, &shard);
	struct sg_bucket *bucket;
	__u32 found;

	if (!table || !key)
		return 0;
	bucket = bpf_map_lookup_elem(table, &first);
	if (!bucket)
		return 0;
	found = sg_bucket_find(bucket, tag, key);
	if (found || !READ_ONCE(bucket->overflowed))
		return found ? SG_AT(first, found) : 0;
	bucket = bpf_map_lookup_elem(table, &second);
	found = bucket ? sg_bucket_find(bucket, tag, key) : 0;
	return found ? SG_AT(second, found) : 0;
}

/* Fills in flow, tag, use and state; 0 when the shard does not have the key. */
sg_inline int sg_shard_find(const struct sg_control *control, const struct sg_iface_conf *conf,
			    const struct sg_flow_key *key, struct sg_hit *hit)
{
	struct sg_place place = sg_place_of(key, control->hash, conf->buckets);
	__u32 shard = conf->shard, index = place.first;
	void *table = bpf_map_lookup_elem(&sg_flows, &shard);
	struct sg_bucket *bucket;
	__u64 at;

	if (!table)
		return 0;
	bucket = bpf_map_lookup_elem(table, &index);
	if (!bucket)
		return 0;
	if (sg_cell_is(bucket, place.cell, place.tag, key, hit))
		return 1;
	at = sg_shard_seek(key, shard, place.first, place.second, place.tag);
	if (!at)
		return 0;
	index = at >> 32;
	bucket = bpf_map_lookup_elem(table, &index);
	return bucket && sg_cell_is(bucket, (__u32)at - 1, place.tag, key, hit);
}

/* Whether the shard has the key; for who expects that it has not. */
sg_inline int sg_shard_has(const struct sg_control *control, const struct sg_iface_conf *conf,
			   const struct sg_flow_key *key)
{
	struct sg_place place = sg_place_of(key, control->hash, conf->buckets);

	return sg_shard_seek(key, conf->shard, place.first, place.second, place.tag) != 0;
}

/* For who visits every cell: fills in flow, tag, use and confirmed when it holds a flow. */
sg_inline int sg_cell_live(struct sg_bucket *bucket, __u32 i, struct sg_hit *hit)
{
	__u32 word = READ_ONCE(bucket->tags[i]);

	if (SG_TAG_STATUS(word) != SG_TAG_LIVE)
		return 0;
	__builtin_memset(hit, 0, sizeof(*hit));
	hit->flow = &bucket->cells[i].flow;
	hit->tag = &bucket->tags[i];
	hit->use = SG_HEAD_USE(sg_flow_head(hit->flow));
	hit->confirmed = 1;
	return 1;
}

/*
 * Whether the cell has no other flow by now than the one that was found. It is asked behind a
 * branch on what was read of the flow, which therefore was read before; clang may keep that in
 * registers.
 */
sg_inline int sg_hit_stands(const struct sg_hit *hit)
{
	return READ_ONCE(hit->flow->use) == hit->use;
}

/*
 * Gives up the cell of a flow that the caller has marked dead; 1 for the one who did it. The word
 * is read before it is known that the flow is still this one, so it is the word of this use.
 */
sg_inline int sg_hit_remove(const struct sg_hit *hit)
{
	__u32 word;

	if (!hit->tag)
		return 0;
	word = READ_ONCE(*hit->tag);
	return SG_TAG_STATUS(word) == SG_TAG_LIVE && sg_hit_stands(hit) &&
	       __sync_val_compare_and_swap(hit->tag, word, sg_tag_gone(word, bpf_jiffies64())) ==
		       word;
}

/*
 * Begins to fetch the tags and all of a cell: who opens a flow writes there soon, and would wait
 * for one after the other, where other work can be done meanwhile.
 */
sg_inline void sg_cell_fetch(const struct sg_bucket *bucket, __u32 i)
{
	const __u64 *cell = (const __u64 *)&bucket->cells[sg_cell_number(i)];

	_Static_assert(sizeof(struct sg_cell) == 19 * sizeof(*cell), "these words reach all lines");
	asm volatile("" : : "r"(READ_ONCE(bucket->overflowed)));
	asm volatile("" : : "r"(READ_ONCE(cell[0])));
	asm volatile("" : : "r"(READ_ONCE(cell[8])));
	asm volatile("" : : "r"(READ_ONCE(cell[16])));
	asm volatile("" : : "r"(READ_ONCE(cell[18])));
}

/*
 * Wins a cell whose word it is, and gives it the key: from here on its flow may be written, but for
 * state and use, until sg_cell_publish(). The word that was found instead when another CPU was
 * faster.
 */
sg_inline __u32 sg_cell_win(struct sg_bucket *bucket, __u32 i, __u32 word, __u32 tag,
			    const struct sg_flow_key *key)
{
	__u32 use = SG_TAG_NEXT_USE(word), seen;
	struct sg_cell *cell = &bucket->cells[i];

	seen = __sync_val_compare_and_swap(&bucket->tags[i], word,
					   SG_TAG(SG_TAG_BUSY, tag >> 16) | use);
	if (seen != word)
		return seen;
	sg_cell_close(cell, use);
	__builtin_memcpy(&cell->key, key, sizeof(cell->key));
	return word;
}

/* word: as it was won. Stores in this order are enough: see sg_cell_open(). */
sg_inline void sg_cell_publish(struct sg_bucket *bucket, __u32 i, __u32 word, __u32 tag,
			       __u32 state)
{
	sg_cell_open(&bucket->cells[i], state);
	asm volatile("" ::: "memory");
	WRITE_ONCE(bucket->tags[i], tag | SG_TAG_NEXT_USE(word));
}

/* Wins a cell, fills it, and publishes it; as sg_cell_win(). flow is scratch. */
sg_inline __u32 sg_cell_take(struct sg_bucket *bucket, __u32 i, __u32 word, __u32 tag,
			     const struct sg_flow_key *key, struct sg_flow *flow)
{
	__u32 seen = sg_cell_win(bucket, i, word, tag, key), state;

	if (seen != word)
		return seen;
	state = flow->state;
	flow->state = SG_FLOW_DEAD << 8;
	flow->use = SG_TAG_NEXT_USE(word);
	__builtin_memcpy(&bucket->cells[i].flow, flow, sizeof(*flow));
	flow->state = state;
	sg_cell_publish(bucket, i, word, tag, state);
	return word;
}

/* Cells that no new flow may have. */
sg_inline __u32 sg_bucket_used(const struct sg_bucket *bucket, __u64 now)
{
	__u32 i, used = 0;

#pragma clang loop unroll(disable)
	for (i = 0; i < SG_BUCKET_CELLS; i++)
		used += sg_tag_used(READ_ONCE(bucket->tags[i]), now);
	return used;
}

/* The bucket that a flow of the place is put into. */
sg_inline struct sg_bucket *sg_shard_bucket(void *table, const struct sg_place *place, __u64 now)
{
	struct sg_bucket *first = bpf_map_lookup_elem(table, &place->first), *second;
	__u32 used;

	if (!first || !sg_tag_used(READ_ONCE(first->tags[sg_cell_number(place->cell)]), now))
		return first;
	used = sg_bucket_used(first, now);
	if (used < SG_BUCKET_FULL)
		return first;
	second = bpf_map_lookup_elem(table, &place->second);
	if (!second || sg_bucket_used(second, now) >= used)
		return first;
	WRITE_ONCE(first->overflowed, 1);
	return second;
}

/*
 * Inserts flow as the flow of key of the packet in this CPU's scratch, which the shard was found
 * not to have. 0, -SG_EEXIST, or -SG_E2BIG: no cell of its buckets is free. Verifier: global, so
 * that it is verified by itself.
 */
__noinline int sg_shard_insert(__u32 shard, __u32 buckets)
{
	__u32 zero = 0, n, i, word;
	struct sg_packet *p = bpf_map_lookup_elem(&sg_packet_scratch, &zero);
	struct sg_control *control = bpf_map_lookup_elem(&sg_control, &zero);
	void *table = bpf_map_lookup_elem(&sg_flows, &shard);
	__u64 now = bpf_jiffies64();
	struct sg_bucket *bucket;
	struct sg_place place;

	if (!p || !control || !table)
		return -SG_E2BIG;
	place = sg_place_of(&p->key, control->hash, buckets);
	bucket = sg_shard_bucket(table, &place, now);
	if (!bucket)
		return -SG_E2BIG;
#pragma clang loop unroll(disable)
	for (n = 0; n < SG_BUCKET_CELLS; n++) {
		i = place.cell + n;
		i = sg_cell_number(i < SG_BUCKET_CELLS ? i : i - SG_BUCKET_CELLS);
		word = READ_ONCE(bucket->tags[i]);
		/* One that rests is only kept from other flows: a tuple that comes and goes many
		 * times a second must not fill its buckets. */
		if (!sg_tag_used(word, now) || (SG_TAG_STATUS(word) == SG_TAG_GONE &&
						sg_key_equal(&bucket->cells[i].key, &p->key))) {
			__u32 seen = sg_cell_take(bucket, i, word, place.tag, &p->key, &p->flow);

			if (seen == word)
				return 0;
			word = seen;
		}
		/* Somebody else inserts a flow with this tag now, or has since we looked. */
		if (sg_tag_matches(word, SG_TAG(SG_TAG_BUSY, place.tag >> 16)))
			return -SG_EEXIST;
		if (sg_tag_matches(word, place.tag) && sg_key_equal(&bucket->cells[i].key, &p->key))
			return -SG_EEXIST;
	}
	return -SG_E2BIG;
}
