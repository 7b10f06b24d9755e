/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fragments.bpf.h - later fragments follow their first: (interface, direction, source, destination,
 * id, protocol).
 *
 * Only the first fragment has ports. When it passes, its datagram is remembered with a bit for
 * every 8 bytes seen, and later fragments pass while each brings bytes that no other has brought
 * (RFC 5722 and 8200, 4.5 for IPv6; the same here for IPv4). What overtakes its first drops:
 * nothing is known about it yet, and nothing is kept back. A datagram is forgotten when it is
 * complete, or SG_TIMEOUT_FRAGMENT after its first fragment.
 *
 * Races. An expired entry may be deleted by the collector just after a new datagram with the same
 * key took its place: that datagram is lost. A count is taken down only by whoever's delete
 * succeeded.
 */
#pragma once

#include "bpf/state.bpf.h"

/* Blank datagrams, one a CPU: too large for the stack. All zero between packets. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sg_frag);
} sg_frag_blank SEC(".maps");

sg_inline void sg_frag_key_of(struct sg_frag_key *key, const struct sg_packet *p)
{
	key->src = *sg_source(p);
	key->dst = *sg_destination(p);
	key->id = p->frag_id;
	key->slot = p->key.slot;
	key->proto = p->frag_proto;
	key->dir = p->dir;
}

sg_inline int sg_frag_expired(const struct sg_frag *frag, const struct sg_iface_conf *conf,
			      __u64 now)
{
	return (__s64)(now - frag->seen) > conf->timeout[SG_TIMEOUT_FRAGMENT];
}

/* Deletes a datagram; whoever's delete succeeds counts it down. */
sg_inline void sg_frag_forget(const struct sg_frag_key *key)
{
	__u32 slot = key->slot;
	struct sg_slot *counters;

	if (bpf_map_delete_elem(&sg_frags, key))
		return;
	counters = bpf_map_lookup_elem(&sg_slots, &slot);
	if (counters)
		__sync_fetch_and_add(&counters->frags, -1);
}

enum sg_frag_walk_what {
	SG_FRAG_MARK, /* sets bits; finds out which were set */
	SG_FRAG_LOOK, /* finds out only */
	SG_FRAG_WIPE, /* clears the words that the bits are in */
};

struct sg_frag_walk {
	struct sg_frag *frag;
	__u32 first; /* units */
	__u32 last;
	__u32 found;
	__u32 what; /* enum sg_frag_walk_what */
};

static long sg_frag_word(__u32 index, void *context)
{
	struct sg_frag_walk *walk = context;
	__u32 word = walk->first / 64 + index, start = word * 64;
	__u64 mask = ~0ULL;

	if (word >= SG_FRAG_WORDS || start >= walk->last)
		return 1;
	if (walk->what == SG_FRAG_WIPE) {
		walk->frag->bits[word] = 0;
		return 0;
	}
	if (walk->first > start)
		mask <<= (walk->first - start) & 63;
	if (walk->last < start + 64)
		mask &= ~(~0ULL << ((walk->last - start) & 63));
	if (walk->what == SG_FRAG_LOOK ? READ_ONCE(walk->frag->bits[word]) & mask
				       : __sync_fetch_and_or(&walk->frag->bits[word], mask) & mask)
		walk->found = 1;
	return 0;
}

/*
 * Walks over the bits of units [first, last); 1 when one of them was set before. Verifier: a plain
 * loop over the words multiplies its states beyond the limit.
 */
sg_inline int sg_frag_bits(struct sg_frag *frag, __u32 first, __u32 last,
			   enum sg_frag_walk_what what)
{
	struct sg_frag_walk walk = {.frag = frag, .first = first, .last = last, .what = what};

	bpf_loop(SG_FRAG_WORDS, sg_frag_word, &walk, 0);
	return walk.found;
}

/* Remembers the datagram of a first fragment that passed. Returns verdict, or why it drops after
 * all. */
sg_inline __u32 sg_frag_first(const struct sg_view *view, const struct sg_packet *p, __u32 verdict)
{
	__u32 zero = 0, slot = p->key.slot, units = p->frag_bytes / 8, error;
	struct sg_slot *counters = bpf_map_lookup_elem(&sg_slots, &slot);
	struct sg_frag *frag, *blank = bpf_map_lookup_elem(&sg_frag_blank, &zero);
	struct sg_frag_key key = {};

	if (!counters || !blank)
		return SG_DROP_INTERNAL;
	/* Only the last fragment may end inside a unit, and the first is not the last. */
	if (!units || p->frag_bytes & 7)
		return SG_DROP_FRAG_LENGTH;
	sg_frag_key_of(&key, p);
	frag = bpf_map_lookup_elem(&sg_frags, &key);
	if (frag) {
		if (!sg_frag_expired(frag, view->conf, view->now))
			return SG_DROP_FRAG_OVERLAP;
		sg_frag_forget(&key);
	}
	if (__sync_fetch_and_add(&counters->frags, 1) >= SG_SLOT_FRAGMENTS) {
		__sync_fetch_and_add(&counters->frags, -1);
		return SG_DROP_FRAG_ALLOWANCE;
	}
	blank->seen = view->now;
	blank->stamp = view->generation;
	blank->units = units;
	sg_frag_bits(blank, 0, units, SG_FRAG_MARK);
	error = bpf_map_update_elem(&sg_frags, &key, blank, BPF_NOEXIST) != 0;
	sg_frag_bits(blank, 0, units, SG_FRAG_WIPE);
	if (error) {
		__sync_fetch_and_add(&counters->frags, -1);
		return SG_DROP_FRAG_ALLOWANCE;
	}
	return verdict;
}

sg_inline __u32 sg_frag_later(const struct sg_view *view, const struct sg_packet *p)
{
	__u32 first = p->frag_unit, last = first + (p->frag_bytes + 7) / 8, units, total;
	int more = p->flags & SG_PKT_MORE_FRAGMENTS;
	struct sg_frag_key key = {};
	struct sg_frag *frag;

	sg_frag_key_of(&key, p);
	frag = bpf_map_lookup_elem(&sg_frags, &key);
	/* What was allowed before something was taken away is not worth a question about ports that
	 * are gone. */
	if (!frag || sg_frag_expired(frag, view->conf, view->now) ||
	    frag->stamp < READ_ONCE(view->control->last_removal))
		return SG_DROP_FRAG_NO_FIRST;
	total = READ_ONCE(frag->total);
	if (first == last || last > SG_FRAG_UNITS || (more && p->frag_bytes & 7) ||
	    (total && (more ? last >= total : last != total)))
		return SG_DROP_FRAG_LENGTH;
	/* A last one behind which something was before would never complete the datagram. */
	if (!more && sg_frag_bits(frag, last, SG_FRAG_UNITS, SG_FRAG_LOOK))
		return SG_DROP_FRAG_LENGTH;
	if (sg_frag_bits(frag, first, last, SG_FRAG_MARK))
		return SG_DROP_FRAG_OVERLAP;
	if (!more)
		WRITE_ONCE(frag->total, last);
	units = __sync_fetch_and_add(&frag->units, last - first) + last - first;
	if (units == READ_ONCE(frag->total))
		sg_frag_forget(&key);
	return SG_ALLOW_FRAGMENT;
}
