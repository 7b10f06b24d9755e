/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_plan.c - what differs between what the kernel holds and an image: entries, interfaces, and
 * the peers that lost somebody. Reads only.
 */
#include "rulesd/bpf_internal.h"

#include <errno.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"

static void iface_change_clear(gpointer pointer)
{
	struct iface_change *change = pointer;

	g_clear_pointer(&change->guards, g_array_unref);
	g_clear_pointer(&change->vlans, g_array_unref);
}

struct plan *plan_new(void)
{
	struct plan *plan = g_new0(struct plan, 1);

	plan->changes = g_array_new(FALSE, TRUE, sizeof(struct change));
	plan->ifaces = g_array_new(FALSE, TRUE, sizeof(struct iface_change));
	g_array_set_clear_func(plan->ifaces, iface_change_clear);
	plan->gone = g_hash_table_new(NULL, NULL);
	return plan;
}

void plan_free(struct plan **plan)
{
	struct plan *freed = TAKE_PTR(*plan);

	if (!freed)
		return;
	g_array_unref(freed->changes);
	g_array_unref(freed->ifaces);
	g_hash_table_unref(freed->gone);
	g_free(freed);
}

bool plan_empty(const struct plan *plan)
{
	return !plan->changes->len && !plan->ifaces->len;
}

static void add_change(struct plan *plan, const struct dataplane *dataplane, struct change change,
		       const void *key)
{
	memcpy(change.key, key, dataplane->table[change.table].key_size);
	g_array_append_val(plan->changes, change);
}

/* ------------------------------------------------------------------ tries */

/* Lengths that occur in a trie, so that looking for what is around a prefix tries only those. */
struct lengths {
	bool used[161];
};

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	if (memcmp(a, b, bits / 8))
		return false;
	return !(bits % 8) || !((a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8));
}

static void lengths_of(GHashTable *prefixes, struct lengths *lengths)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, prefixes);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		const struct sg_prefix_key *prefix = key;

		if (prefix->prefixlen < G_N_ELEMENTS(lengths->used))
			lengths->used[prefix->prefixlen] = true;
	}
}

static void cut_prefix(struct sg_prefix_key *key, unsigned int prefixlen)
{
	unsigned int bits = prefixlen - 32;

	key->prefixlen = prefixlen;
	if (bits % 8)
		key->addr[bits / 8] &= (uint8_t)(0xff << (8 - bits % 8));
	for (unsigned int i = (bits + 7) / 8; i < sizeof(key->addr); i++)
		key->addr[i] = 0;
}

/* What an address in key matches when key itself is not there. */
static uint32_t around(GHashTable *prefixes, const struct lengths *lengths,
		       const struct sg_prefix_key *key)
{
	struct sg_prefix_key outer = *key;

	for (unsigned int length = key->prefixlen; length-- > 32;) {
		gpointer value;

		if (!lengths->used[length])
			continue;
		cut_prefix(&outer, length);
		if (g_hash_table_lookup_extended(prefixes, &outer, NULL, &value))
			return GPOINTER_TO_UINT(value);
	}
	return 0;
}

/* ------------------------------------------------------------------ members and prefixes */

struct peers {
	const uint32_t *at;
	uint32_t count;
	uint32_t single;
};

static void peers_of(struct dataplane *dataplane, uint32_t set, struct peers *peers)
{
	struct held_set *held;
	gsize size = 0;

	*peers = (struct peers){};
	if (!set)
		return;
	if (set & SG_SET_SINGLE) {
		peers->single = set & ~SG_SET_SINGLE;
		peers->at = &peers->single;
		peers->count = 1;
		return;
	}
	held = g_hash_table_lookup(dataplane->sets, GUINT_TO_POINTER(set));
	if (!held)
		return;
	peers->at = g_bytes_get_data(held->content, &size);
	peers->count = (uint32_t)(size / sizeof(uint32_t));
}

/* Peers that an address stood for and does not any more. */
static void add_gone(struct dataplane *dataplane, uint32_t before, uint32_t after,
		     struct plan *plan)
{
	struct peers old, new;

	peers_of(dataplane, before, &old);
	peers_of(dataplane, after, &new);
	for (uint32_t i = 0; i < old.count; i++) {
		bool stays = false;

		for (uint32_t k = 0; k < new.count && !stays; k++)
			stays = new.at[k] == old.at[i];
		if (!stays)
			g_hash_table_add(plan->gone, GUINT_TO_POINTER(old.at[i]));
	}
}

/*
 * The values of an image's table in the kernel's numbers: the table itself when they are the same,
 * as they nearly always are. -ENOENT when it has a set that the kernel does not.
 */
static int translate(struct dataplane *dataplane, GHashTable *values, GHashTable **translated)
{
	g_autoptr(GHashTable) result = NULL;
	bool same = true;
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, values);
	while (same && g_hash_table_iter_next(&iter, NULL, &value))
		same = held_set_of(dataplane, GPOINTER_TO_UINT(value)) == GPOINTER_TO_UINT(value);
	if (same) {
		*translated = g_hash_table_ref(values);
		return 0;
	}
	result = keyed_new();
	g_hash_table_iter_init(&iter, values);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		uint32_t set = GPOINTER_TO_UINT(value), number = held_set_of(dataplane, set);

		if (set && !number)
			return -ENOENT;
		keyed_insert(result, key, number);
	}
	*translated = TAKE_PTR(result);
	return 0;
}

static int plan_table(struct dataplane *dataplane, enum bpf_table_id id, GHashTable *old,
		      GHashTable *new, struct plan *plan)
{
	bool trie = id == TABLE_PREFIXES;
	struct lengths old_lengths = {}, new_lengths = {};
	GHashTableIter iter;
	gpointer key, value;

	if (trie) {
		lengths_of(old, &old_lengths);
		lengths_of(new, &new_lengths);
	}
	g_hash_table_iter_init(&iter, new);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		struct change change = {.table = id, .after = GPOINTER_TO_UINT(value)};
		gpointer before = NULL;

		change.created = !g_hash_table_lookup_extended(old, key, NULL, &before);
		change.before = GPOINTER_TO_UINT(before);
		if (change.created && trie)
			change.before = around(old, &old_lengths, key);
		if (!change.created && change.before == change.after)
			continue;
		add_change(plan, dataplane, change, key);
		add_gone(dataplane, change.before, change.after, plan);
	}
	g_hash_table_iter_init(&iter, old);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		struct change change = {
			.table = id, .before = GPOINTER_TO_UINT(value), .removed = true};

		if (g_hash_table_contains(new, key))
			continue;
		if (trie)
			change.after = around(new, &new_lengths, key);
		add_change(plan, dataplane, change, key);
		add_gone(dataplane, change.before, change.after, plan);
	}
	return 0;
}

/* What the kernel holds, in its numbers: the image before, or what opening read, or a look now. */
static int current_values(struct dataplane *dataplane, enum bpf_table_id id, GHashTable *image,
			  GHashTable **read, GHashTable **values, char **error)
{
	if (image && !translate(dataplane, image, values))
		return 0;
	if (*read) {
		*values = g_hash_table_ref(*read);
		return 0;
	}
	return image_read_versions(dataplane, id, values, error);
}

int plan_tables(struct dataplane *dataplane, const struct image *from, const struct image *to,
		struct plan *plan, char **error)
{
	static const enum bpf_table_id ids[] = {TABLE_MEMBERS, TABLE_PREFIXES};

	for (unsigned int i = 0; i < G_N_ELEMENTS(ids); i++) {
		bool members = ids[i] == TABLE_MEMBERS;
		GHashTable *before = NULL;
		g_autoptr(GHashTable) old = NULL;
		g_autoptr(GHashTable) new = NULL;
		int code;

		if (from)
			before = members ? from->members : from->prefixes;
		code = current_values(dataplane, ids[i], before,
				      members ? &dataplane->read_members
					      : &dataplane->read_prefixes,
				      &old, error);
		if (code)
			return code;
		code = translate(dataplane, members ? to->members : to->prefixes, &new);
		if (code)
			return bpf_fail(error, code, "the image names a set that it does not have");
		code = plan_table(dataplane, ids[i], old, new, plan);
		if (code)
			return code;
	}
	return 0;
}

/* ------------------------------------------------------------------ interfaces */

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

struct sg_iface_conf plan_conf(const struct dataplane *dataplane, const struct image_iface *iface,
			       uint32_t policy, uint32_t shard)
{
	const struct model_conntrack *conntrack = &iface->conntrack;
	struct sg_iface_conf conf = {
		.policy = policy,
		.zone = iface->zone,
		.flags = iface->flags,
		.max_flows = conntrack->max_flows,
		.shard = shard,
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
		add_change(plan, dataplane, change, &guard->key);
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
		add_change(plan, dataplane, change, &guard->key);
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
			add_change(plan, dataplane, change, &key);
	}
	for (unsigned int i = 0; old && i < old->len; i++) {
		uint16_t vid = g_array_index(old, uint16_t, i);
		struct sg_vlan_key key = {.slot = (uint16_t)slot, .vid = vid};
		struct change change = {.table = TABLE_VLANS, .removed = true, .before = 1};

		if (vlan_in(new, vid))
			continue;
		*removes = true;
		add_change(plan, dataplane, change, &key);
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

	if (old->zone != new->zone || old->flags != new->flags ||
	    memcmp(old->mac, new->mac, sizeof(old->mac)))
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
