/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fragments.c - later fragments follow their first, bring only bytes that no other has brought (RFC
 * 5722), and end where fragments can end.
 */
#include <string.h>

#include "rulesd/addr.h"
#include "tests/fuzz/reference/internal.h"

static struct ref_datagram *find(const struct ref_view *view)
{
	const struct ref_packet *packet = view->packet;

	for (guint i = 0; i < view->plane->datagrams->len; i++) {
		struct ref_datagram *each = g_ptr_array_index(view->plane->datagrams, i);

		if (each->dir == view->dir && each->id == packet->fragment_id &&
		    each->protocol == packet->fragment_protocol &&
		    strcmp(each->interface_id, view->iface->id) == 0 &&
		    addr_equal(&each->src, &packet->tuple.src) &&
		    addr_equal(&each->dst, &packet->tuple.dst))
			return each;
	}
	return NULL;
}

static unsigned int count(const struct ref_view *view)
{
	unsigned int found = 0;

	for (guint i = 0; i < view->plane->datagrams->len; i++) {
		const struct ref_datagram *each = g_ptr_array_index(view->plane->datagrams, i);

		found += strcmp(each->interface_id, view->iface->id) == 0;
	}
	return found;
}

/* Marks units as here; false when one of them was. */
static bool mark(struct ref_datagram *datagram, unsigned int first, unsigned int last)
{
	bool fresh = true;

	for (unsigned int unit = first; unit < last; unit++) {
		fresh &= !datagram->here[unit];
		datagram->here[unit] = 1;
	}
	return fresh;
}

uint32_t ref_fragment_first(const struct ref_view *view, uint32_t verdict)
{
	const struct ref_packet *packet = view->packet;
	struct ref_datagram *datagram;

	/* Only the last fragment may have a length that is no multiple of 8 (RFC 791). */
	if (packet->fragment_bytes == 0 || packet->fragment_bytes % 8)
		return SG_DROP_FRAG_LENGTH;
	if (find(view))
		return SG_DROP_FRAG_OVERLAP;
	if (count(view) >= SG_SLOT_FRAGMENTS)
		return SG_DROP_FRAG_ALLOWANCE;
	datagram = g_new0(struct ref_datagram, 1);
	datagram->interface_id = g_strdup(view->iface->id);
	datagram->dir = view->dir;
	datagram->src = packet->tuple.src;
	datagram->dst = packet->tuple.dst;
	datagram->id = packet->fragment_id;
	datagram->protocol = packet->fragment_protocol;
	datagram->policy = view->plane->policy;
	datagram->units = packet->fragment_bytes / 8;
	mark(datagram, 0, datagram->units);
	g_ptr_array_add(view->plane->datagrams, datagram);
	return verdict;
}

uint32_t ref_fragment_later(const struct ref_view *view)
{
	const struct ref_packet *packet = view->packet;
	struct ref_datagram *datagram = find(view);
	unsigned int first = packet->fragment_start / 8,
		     last = first + (packet->fragment_bytes + 7) / 8;

	if (!datagram)
		return SG_DROP_FRAG_NO_FIRST;
	/* From before a change of policy: a dataplane need not know what its ports were. */
	if (datagram->policy != view->plane->policy && view->seen == SG_DROP_FRAG_NO_FIRST)
		return SG_DROP_FRAG_NO_FIRST;
	if (first == last || (packet->more && packet->fragment_bytes % 8))
		return SG_DROP_FRAG_LENGTH;
	if (datagram->total && (packet->more ? last >= datagram->total : last != datagram->total))
		return SG_DROP_FRAG_LENGTH;
	/* A last fragment that ends before another one does. */
	for (unsigned int unit = last; !packet->more && unit < SG_FRAG_UNITS; unit++)
		if (datagram->here[unit])
			return SG_DROP_FRAG_LENGTH;
	if (!mark(datagram, first, last))
		return SG_DROP_FRAG_OVERLAP;
	if (!packet->more)
		datagram->total = last;
	datagram->units += last - first;
	if (datagram->units == datagram->total)
		g_ptr_array_remove_fast(view->plane->datagrams, datagram);
	return SG_ALLOW_FRAGMENT;
}
