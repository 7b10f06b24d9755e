/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fragments.bpf.h - later fragments follow their first: (interface, direction, source, destination,
 * id, protocol).
 *
 * Only the first fragment has ports. When it passes, its datagram is remembered; later fragments
 * pass while that is remembered and drop otherwise, also when they overtake the first one.
 */
#pragma once

#include "bpf/state.bpf.h"

sg_inline void sg_frag_key_of(struct sg_frag_key *key, const struct sg_packet *p)
{
	key->src = *sg_source(p);
	key->dst = *sg_destination(p);
	key->id = p->frag_id;
	key->slot = p->key.slot;
	key->proto = p->proto;
	key->dir = p->dir;
}

static __noinline void sg_frag_remember(const struct sg_view *view, const struct sg_packet *p)
{
	struct sg_frag frag = {.seen = view->now, .state = 1};
	struct sg_frag_key key = {};

	sg_frag_key_of(&key, p);
	/* A failed insert drops the later fragments: closed, and the sender tries again. */
	bpf_map_update_elem(&sg_frags, &key, &frag, BPF_ANY);
}

static __noinline __u32 sg_frag_verdict(const struct sg_view *view, const struct sg_packet *p)
{
	struct sg_frag_key key = {};
	struct sg_frag *frag;

	sg_frag_key_of(&key, p);
	frag = bpf_map_lookup_elem(&sg_frags, &key);
	if (!frag || view->now - frag->seen > view->conf->timeout[SG_TIMEOUT_FRAGMENT])
		return SG_DROP_FRAG_NO_FIRST;
	return SG_ALLOW_FRAGMENT;
}
