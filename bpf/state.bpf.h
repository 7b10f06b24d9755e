/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state.bpf.h - the one view of control and interface that a packet is judged under.
 */
#pragma once

#include "bpf/maps.bpf.h"
#include "bpf/packet.bpf.h"

struct sg_view {
	__u64 generation; /* read once */
	__u64 now;	  /* jiffies */
	struct sg_control *control;
	struct sg_iface *iface;
	const struct sg_iface_conf *conf;
};

sg_inline __u32 sg_version_at(const struct sg_version *v, __u64 generation)
{
	return v->epoch <= generation ? v->after : v->before;
}

/* Whichever of the two has the higher since that is not in the future; NULL when neither holds. */
sg_inline const struct sg_iface_conf *sg_iface_conf_at(const struct sg_iface *iface,
						       __u64 generation)
{
	__u64 first = READ_ONCE(iface->since[0]), second = READ_ONCE(iface->since[1]);

	if (first <= generation && (second > generation || first >= second))
		return &iface->conf[0];
	if (second <= generation)
		return &iface->conf[1];
	return 0;
}

/* The asm keeps clang from making one call of the two: of a map that is known the verifier puts the
 * array access in its place. */
sg_inline __u32 sg_slot_of(__u32 ifindex)
{
	__u32 *slot;

	if (ifindex < SG_MAX_IFINDEX) {
		slot = bpf_map_lookup_elem(&sg_ifindex, &ifindex);
		return slot ? *slot : 0;
	}
	slot = bpf_map_lookup_elem(&sg_ifhigh, &ifindex);
	asm volatile("" : "+r"(slot));
	return slot ? *slot : 0;
}

/* SG_PARSED, or why the packet cannot even be judged. Sets p->key.slot as soon as it is known. */
sg_inline __u32 sg_view_open(struct sg_view *view, struct sg_packet *p, __u32 ifindex)
{
	__u32 zero = 0, slot = sg_slot_of(ifindex);

	view->control = bpf_map_lookup_elem(&sg_control, &zero);
	if (!view->control)
		return SG_DROP_INTERNAL;
	if (!slot || slot > SG_MAX_SLOTS)
		return SG_DROP_NO_INTERFACE;
	view->iface = bpf_map_lookup_elem(&sg_ifaces, &slot);
	if (!view->iface || view->iface->ifindex != ifindex)
		return SG_DROP_NO_INTERFACE;
	p->key.slot = slot;
	view->generation = READ_ONCE(view->control->generation);
	view->conf = sg_iface_conf_at(view->iface, view->generation);
	if (!view->conf)
		return SG_DROP_NO_POLICY;
	view->now = bpf_jiffies64();
	return SG_PARSED;
}
