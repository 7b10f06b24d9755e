/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_plan_iface.c - one interface as the maps hold it, and what differs from that: configuration,
 * guards, VLANs. Reads only.
 */
#include "rulesd/bpf_internal.h"

#include <errno.h>
#include <string.h>

#include "rulesd/addr.h"

const struct sg_iface_conf *plan_current_conf(const struct dataplane *dataplane, uint32_t slot,
					      unsigned int *index)
{
	const struct sg_iface *iface = &dataplane->ifaces[slot];
	uint64_t generation = dataplane_generation(dataplane);
	bool first = iface->since[0] <= generation, second = iface->since[1] <= generation;
	unsigned int current = second && (!first || iface->since[1] > iface->since[0]) ? 1 : 0;

	if (index)
		*index = current;
	return &iface->conf[current];
}

static uint32_t jiffies_of(const struct dataplane *dataplane, uint32_t seconds)
{
	uint64_t jiffies = (uint64_t)seconds * dataplane->hz;

	return (uint32_t)MIN(jiffies, (uint64_t)INT32_MAX);
}

/* Not settings: nf_conntrack's defaults (SYN_RECV 60 s, FIN_WAIT 120 s, CLOSE 10 s, fragments 30
 * s).
 */
#define HALF_SECONDS	 60
#define CLOSING_SECONDS	 120
#define CLOSED_SECONDS	 10
#define FRAGMENT_SECONDS 30

/* Whether the guard is more than its first addresses: what conf has of them needs no look into the
 * trie. */
static bool has_guards(const struct image_iface *iface)
{
	for (guint i = 0; i < iface->guards->len; i++) {
		const struct image_guard *guard =
			&g_array_index(iface->guards, struct image_guard, i);
		bool first = addr_equal(&guard->cidr.addr, &iface->addr4) ||
			     addr_equal(&guard->cidr.addr, &iface->addr6);

		if (!first || !(guard->bits & SG_GUARD_OWN) ||
		    cidr_mapped_bits(&guard->cidr) != 128)
			return true;
	}
	return false;
}

static uint32_t outline_index(const struct dataplane *dataplane, uint32_t policy)
{
	const struct held_policy *held =
		g_hash_table_lookup(dataplane->policies, GUINT_TO_POINTER(policy));

	return held ? held->outline : 0;
}

struct sg_iface_conf plan_conf(const struct dataplane *dataplane, const struct image_iface *iface,
			       uint32_t policy, uint32_t shard)
{
	const struct model_conntrack *conntrack = &iface->conntrack;
	struct sg_iface_conf conf = {
		.policy = policy,
		.outline = outline_index(dataplane, policy),
		.zone = iface->zone,
		.flags = iface->flags | (has_guards(iface) ? SG_IF_GUARDS : 0),
		.max_flows = conntrack->max_flows,
		.shard = shard,
		.buckets = shard < SG_MAX_SHARDS ? dataplane->shards[shard].buckets : 0,
		.addr4 = iface->addr4,
		.addr6 = iface->addr6,
	};

	if (iface->policy)
		memcpy(conf.has, iface->policy->has, sizeof(conf.has));
	memcpy(conf.mac, iface->mac, sizeof(conf.mac));
	conf.timeout[SG_TIMEOUT_TCP_ESTABLISHED] =
		jiffies_of(dataplane, conntrack->tcp_established);
	conf.timeout[SG_TIMEOUT_TCP_HALF] = jiffies_of(dataplane, HALF_SECONDS);
	conf.timeout[SG_TIMEOUT_TCP_CLOSING] = jiffies_of(dataplane, CLOSING_SECONDS);
	conf.timeout[SG_TIMEOUT_TCP_CLOSED] = jiffies_of(dataplane, CLOSED_SECONDS);
	conf.timeout[SG_TIMEOUT_UDP] = jiffies_of(dataplane, conntrack->udp);
	conf.timeout[SG_TIMEOUT_UDP_STREAM] = jiffies_of(dataplane, conntrack->udp_stream);
	conf.timeout[SG_TIMEOUT_ICMP] = jiffies_of(dataplane, conntrack->icmp);
	conf.timeout[SG_TIMEOUT_OTHER] = jiffies_of(dataplane, conntrack->other);
	conf.timeout[SG_TIMEOUT_FRAGMENT] = jiffies_of(dataplane, FRAGMENT_SECONDS);
	return conf;
}

static struct held_guard guard_of(uint32_t slot, const struct cidr *cidr, uint32_t bits)
{
	struct held_guard guard = {.key = {.prefixlen = 32 + cidr_mapped_bits(cidr), .slot = slot},
				   .bits = bits};

	memcpy(guard.key.addr, cidr->addr.b, sizeof(guard.key.addr));
	return guard;
}

GArray *plan_guards(const struct image_iface *iface)
{
	GArray *guards = g_array_new(FALSE, FALSE, sizeof(struct held_guard));

	for (unsigned int i = 0; i < iface->guards->len; i++) {
		const struct image_guard *guard =
			&g_array_index(iface->guards, struct image_guard, i);
		struct held_guard held = guard_of(iface->slot, &guard->cidr, guard->bits);

		g_array_append_val(guards, held);
	}
	g_array_sort(guards, held_guard_compare);
	return guards;
}

GArray *plan_vlans(const struct image_iface *iface)
{
	GArray *vlans = g_array_new(FALSE, FALSE, sizeof(uint16_t));

	if (iface->vlans)
		g_array_append_vals(vlans, iface->vlans->data, iface->vlans->len);
	return vlans;
}

static const struct held_guard *guard_find(const GArray *guards, const struct sg_guard_key *key)
{
	for (unsigned int i = 0; guards && i < guards->len; i++) {
		const struct held_guard *guard = &g_array_index(guards, struct held_guard, i);

		if (!memcmp(&guard->key, key, sizeof(*key)))
			return guard;
	}
	return NULL;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return !(bits % 8) || !((a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8));
}

/* What an address in key matches when key itself is not there. */
static uint32_t guard_around(const GArray *guards, const struct sg_guard_key *key)
{
	const struct held_guard *best = NULL;

	for (unsigned int i = 0; guards && i < guards->len; i++) {
		const struct held_guard *guard = &g_array_index(guards, struct held_guard, i);

		if (guard->key.prefixlen < key->prefixlen &&
		    bits_equal(guard->key.addr, key->addr, guard->key.prefixlen - 32) &&
		    (!best || guard->key.prefixlen > best->key.prefixlen))
			best = guard;
	}
	return best ? best->bits : 0;
}

/* Adds the changes of guards; true when there are any. */
static bool plan_guard_changes(struct dataplane *dataplane, const GArray *old, const GArray *new,
			       struct plan *plan, bool *removes)
{
	guint before = plan->changes->len;

	for (unsigned int i = 0; i < new->len; i++) {
		const struct held_guard *guard = &g_array_index(new, struct held_guard, i);
		const struct held_guard *same = guard_find(old, &guard->key);
		struct change change = {
			.table = TABLE_GUARD,
			.created = !same,
			.before = same ? same->bits : guard_around(old, &guard->key),
			.after = guard->bits,
		};

		if (same && same->bits == guard->bits)
			continue;
		*removes |= (change.before & ~change.after) != 0;
		plan_add(plan, dataplane, change, &guard->key);
	}
	for (unsigned int i = 0; old && i < old->len; i++) {
		const struct held_guard *guard = &g_array_index(old, struct held_guard, i);
		struct change change = {
			.table = TABLE_GUARD,
			.removed = true,
			.before = guard->bits,
			.after = guard_around(new, &guard->key),
		};

		if (guard_find(new, &guard->key))
			continue;
		*removes |= (change.before & ~change.after) != 0;
		plan_add(plan, dataplane, change, &guard->key);
	}
	return plan->changes->len != before;
}

static bool vlan_in(const GArray *vlans, uint16_t vid)
{
	for (unsigned int i = 0; vlans && i < vlans->len; i++)
		if (g_array_index(vlans, uint16_t, i) == vid)
			return true;
	return false;
}

static bool plan_vlan_changes(struct dataplane *dataplane, uint32_t slot, const GArray *old,
			      const GArray *new, struct plan *plan, bool *removes)
{
	guint before = plan->changes->len;

	for (unsigned int i = 0; i < new->len; i++) {
		uint16_t vid = g_array_index(new, uint16_t, i);
		struct sg_vlan_key key = {.slot = (uint16_t)slot, .vid = vid};
		struct change change = {.table = TABLE_VLANS, .created = true, .after = 1};

		if (!vlan_in(old, vid))
			plan_add(plan, dataplane, change, &key);
	}
	for (unsigned int i = 0; old && i < old->len; i++) {
		uint16_t vid = g_array_index(old, uint16_t, i);
		struct sg_vlan_key key = {.slot = (uint16_t)slot, .vid = vid};
		struct change change = {.table = TABLE_VLANS, .removed = true, .before = 1};

		if (vlan_in(new, vid))
			continue;
		*removes = true;
		plan_add(plan, dataplane, change, &key);
	}
	return plan->changes->len != before;
}

/* Whether what the old configuration let through may be refused by the new one. */
static bool conf_removes(struct dataplane *dataplane, const struct sg_iface_conf *old,
			 const struct sg_iface_conf *new)
{
	const struct held_policy *before =
		g_hash_table_lookup(dataplane->policies, GUINT_TO_POINTER(old->policy));
	const struct held_policy *after =
		g_hash_table_lookup(dataplane->policies, GUINT_TO_POINTER(new->policy));

	if (old->zone != new->zone || (old->flags ^ new->flags) & ~(uint32_t)SG_IF_GUARDS ||
	    memcmp(old->mac, new->mac, sizeof(old->mac)) != 0)
		return true;
	if (old->policy == new->policy)
		return false;
	return held_policy_shrinks(before, after ? after->content : NULL);
}

int plan_iface(struct dataplane *dataplane, const struct image_iface *iface, struct plan *plan,
	       char **error)
{
	uint32_t slot = iface->slot;
	const struct sg_iface_conf *current = plan_current_conf(dataplane, slot, NULL);
	struct iface_change change = {
		.slot = slot, .id = iface->id, .flows_before = current->max_flows};
	g_autoptr(GArray) guards = plan_guards(iface);
	g_autoptr(GArray) vlans = plan_vlans(iface);
	uint32_t policy = iface->policy ? held_policy_of(dataplane, iface->policy) : 0;
	struct held_slot *held = &dataplane->held[slot];

	if (iface->policy && !policy)
		return bpf_fail(error, -ENOENT, "interface %s: its policy is not in the image",
				iface->id);
	change.conf = plan_conf(dataplane, iface, policy, current->shard);
	change.conf_differs = memcmp(&change.conf, current, sizeof(*current)) != 0;
	if (change.conf_differs)
		change.removes = conf_removes(dataplane, current, &change.conf);
	if (plan_guard_changes(dataplane, held->guards, guards, plan, &change.removes))
		change.guards = g_array_ref(guards);
	if (plan_vlan_changes(dataplane, slot, held->vlans, vlans, plan, &change.removes))
		change.vlans = g_array_ref(vlans);
	if (change.conf_differs || change.guards || change.vlans)
		g_array_append_val(plan->ifaces, change);
	return 0;
}
