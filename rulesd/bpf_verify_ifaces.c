/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_verify_ifaces.c - what the maps say of attached interfaces: configuration, who is on which
 * device, guards and VLANs; and the control entry that all of them depend on.
 */
#include "rulesd/bpf_verify.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"

#define SLOTS_A_STEP 64u

static void store(__u64 *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static char *generation_text(uint64_t generation)
{
	return g_strdup_printf("generation %" G_GUINT64_FORMAT, generation);
}

/* ------------------------------------------------------------------ control */

bool verify_control(struct verification *v, int *code, char **error)
{
	struct dataplane *dataplane = v->dataplane;
	uint64_t held = dataplane->flipped, now = dataplane_generation(dataplane);

	(void)code;
	(void)error;
	v->result.checked[VERIFY_CONTROL]++;
	if (now != held && verify_differs(v, VERIFY_CONTROL, 0, g_strdup("generation"),
					  generation_text(held), generation_text(now))) {
		/* Flows carry the highest one that packets have read, so it only goes up. */
		store(&dataplane->control->generation, MAX(held, now));
		dataplane->flipped = MAX(held, now);
		v->revoke = true;
		verify_repaired(v, 0, NULL);
	}
	if (dataplane->control->abi != SG_ABI_VERSION &&
	    verify_differs(v, VERIFY_CONTROL, 0, g_strdup("version of the maps"),
			   g_strdup_printf("%u", SG_ABI_VERSION),
			   g_strdup_printf("%u", dataplane->control->abi))) {
		dataplane->control->abi = SG_ABI_VERSION;
		verify_repaired(v, 0, NULL);
	}
	if (dataplane->control->last_removal > dataplane->flipped &&
	    verify_differs(v, VERIFY_CONTROL, 0, g_strdup("last removal"),
			   generation_text(dataplane->flipped),
			   generation_text(dataplane->control->last_removal))) {
		store(&dataplane->control->last_removal, dataplane->flipped);
		verify_repaired(v, 0, NULL);
	}
	return false;
}

/* ------------------------------------------------------------------ interfaces */

/* Bits that a policy stored in place does not have go when nobody reads the one before. */
static bool narrows_soon(const struct dataplane *dataplane, uint32_t slot)
{
	const GArray *narrowed = dataplane->settling.narrowed;

	for (guint i = 0; i < narrowed->len; i++)
		if (g_array_index(narrowed, struct narrowed, i).slot == slot)
			return true;
	return false;
}

static bool is_old_enough(const struct dataplane *dataplane, uint64_t generation)
{
	return generation <= dataplane_generation(dataplane) || generation == SG_NEVER;
}

/* What differs first, or NULL. */
static const char *what_differs(const struct dataplane *dataplane, uint32_t slot,
				const struct sg_iface_conf *wanted)
{
	const struct sg_iface *iface = &dataplane->ifaces[slot];
	struct sg_iface_conf found = *plan_current_conf(dataplane, slot, NULL);

	if (iface->ifindex != dataplane->held[slot].ifindex)
		return "ifindex";
	if (iface->slot != slot)
		return "slot";
	if (!is_old_enough(dataplane, iface->since[0]) ||
	    !is_old_enough(dataplane, iface->since[1]) ||
	    (iface->since[0] == SG_NEVER && iface->since[1] == SG_NEVER))
		return "since";
	if (iface->removed_at > dataplane_generation(dataplane) ||
	    iface->keep_until > dataplane_generation(dataplane))
		return "removed_at or keep_until";
	if (narrows_soon(dataplane, slot))
		memcpy(found.has, wanted->has, sizeof(found.has));
	if (!memcmp(&found, wanted, sizeof(found)))
		return NULL;
	if (found.policy != wanted->policy)
		return "policy";
	if (found.zone != wanted->zone)
		return "network";
	if (found.flags != wanted->flags || memcmp(found.mac, wanted->mac, sizeof(found.mac)) != 0)
		return "guard";
	if (found.shard != wanted->shard || found.max_flows != wanted->max_flows)
		return "flow table";
	return "configuration";
}

/*
 * Beside the version that packets read now, as a change does, and the rest when that holds; the
 * ifindex last, because without it every packet drops.
 */
static int mend_iface(struct verification *v, uint32_t slot, const struct image_iface *wanted,
		      const struct sg_iface_conf *conf, char **error)
{
	struct dataplane *dataplane = v->dataplane;
	struct sg_iface *iface = &dataplane->ifaces[slot];
	uint64_t now = dataplane_generation(dataplane);
	CLEANUP(plan_free) struct plan *plan = plan_new();
	struct iface_change change = {.slot = slot,
				      .id = wanted->id,
				      .conf = *conf,
				      .conf_differs = true,
				      .removes = true,
				      .flows_before = conf->max_flows};
	unsigned int writes = 0;
	int code;

	for (unsigned int i = 0; i < 2; i++)
		if (!is_old_enough(dataplane, iface->since[i]))
			store(&iface->since[i], SG_NEVER);
	if (iface->keep_until > now)
		store(&iface->keep_until, 0);
	if (iface->removed_at > now)
		store(&iface->removed_at, 0);
	__atomic_store_n(&iface->slot, slot, __ATOMIC_RELEASE);
	g_array_append_val(plan->ifaces, change);
	code = apply_plan(dataplane, plan, false, &writes, error);
	if (!code)
		__atomic_store_n(&iface->ifindex, dataplane->held[slot].ifindex, __ATOMIC_RELEASE);
	return code;
}

static void check_iface(struct verification *v, const struct image_iface *wanted)
{
	struct dataplane *dataplane = v->dataplane;
	const struct held_slot *held = &dataplane->held[wanted->slot];
	uint32_t policy = wanted->policy ? held_policy_of(dataplane, wanted->policy) : 0;
	struct sg_iface_conf conf;
	const char *what;
	char *error = NULL;

	if (!held->ifindex)
		return;
	v->result.checked[VERIFY_INTERFACE]++;
	conf = plan_conf(dataplane, wanted, policy, held->shard);
	what = what_differs(dataplane, wanted->slot, &conf);
	if (!what)
		return;
	if (verify_differs(v, VERIFY_INTERFACE, wanted->slot,
			   g_strdup_printf("interface %s: %s", wanted->id, what),
			   g_strdup_printf("ifindex %u, policy %u", held->ifindex, policy),
			   g_strdup_printf(
				   "ifindex %u, policy %u", dataplane->ifaces[wanted->slot].ifindex,
				   plan_current_conf(dataplane, wanted->slot, NULL)->policy)))
		verify_repaired(v, mend_iface(v, wanted->slot, wanted, &conf, &error), error);
}

/* An entry of a slot that nothing is attached to. */
static void check_unused(struct verification *v, uint32_t slot)
{
	struct sg_iface *iface = &v->dataplane->ifaces[slot];

	if (v->dataplane->held[slot].ifindex || !iface->ifindex)
		return;
	if (!verify_differs(v, VERIFY_INTERFACE, slot, g_strdup_printf("slot %u", slot),
			    g_strdup("no interface"),
			    g_strdup_printf("ifindex %u", iface->ifindex)))
		return;
	__atomic_store_n(&iface->ifindex, 0, __ATOMIC_RELEASE);
	verify_repaired(v, 0, NULL);
}

/* ids of the interfaces that the image has now: others that come are checked when they are
 * attached. */
static void list_ifaces(struct verification *v)
{
	GHashTableIter iter;
	gpointer id;

	v->list = g_ptr_array_new_with_free_func(g_free);
	g_hash_table_iter_init(&iter, v->image->ifaces);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		g_ptr_array_add(v->list, g_strdup(id));
}

bool verify_interfaces(struct verification *v, int *code, char **error)
{
	(void)code;
	(void)error;
	if (!v->list) {
		list_ifaces(v);
		for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
			check_unused(v, slot);
	}
	for (uint32_t i = 0; i < SLOTS_A_STEP && v->next < v->list->len; i++) {
		const struct image_iface *iface = image_iface(v->image, v->list->pdata[v->next++]);

		if (iface && iface->slot && iface->slot <= SG_MAX_SLOTS)
			check_iface(v, iface);
	}
	return v->next < v->list->len;
}

/* ------------------------------------------------------------------ ifindex -> slot */

static uint32_t slot_of(const struct verification *v, uint32_t ifindex)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(v->seen, GUINT_TO_POINTER(ifindex)));
}

static void ifindex_differs(struct verification *v, enum bpf_table_id id, uint32_t ifindex,
			    uint32_t expected, uint32_t found)
{
	char *error = NULL;
	int code;

	if (!verify_differs(v, VERIFY_IFINDEX, expected, g_strdup_printf("ifindex %u", ifindex),
			    expected ? g_strdup_printf("slot %u", expected) : g_strdup("no slot"),
			    found ? g_strdup_printf("slot %u", found) : g_strdup("no slot")))
		return;
	if (id == TABLE_IFHIGH && !expected)
		code = table_delete(v->dataplane, id, &ifindex, &error);
	else
		code = table_update(v->dataplane, id, &ifindex, &expected, BPF_ANY, &error);
	verify_repaired(v, code, error);
}

static bool check_low(const void *key, const void *value, void *arg)
{
	struct verification *v = arg;
	uint32_t ifindex = *(const uint32_t *)key, found = *(const uint32_t *)value;
	uint32_t expected = slot_of(v, ifindex);

	v->result.checked[VERIFY_IFINDEX] += expected != 0;
	if (found != expected)
		ifindex_differs(v, TABLE_IFINDEX, ifindex, expected, found);
	return true;
}

static bool check_high(const void *key, const void *value, void *arg)
{
	struct verification *v = arg;
	uint32_t ifindex = *(const uint32_t *)key, found = *(const uint32_t *)value;
	uint32_t expected = slot_of(v, ifindex);

	if (found != expected)
		ifindex_differs(v, TABLE_IFHIGH, ifindex, expected, found);
	return true;
}

/* In one piece: 65,536 numbers are read in half a millisecond, and devices come and go. */
bool verify_ifindexes(struct verification *v, int *code, char **error)
{
	const struct dataplane *dataplane = v->dataplane;
	uint32_t low = dataplane->table[TABLE_IFINDEX].max_entries;

	v->seen = g_hash_table_new(NULL, NULL);
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
		if (dataplane->held[slot].ifindex &&
		    dataplane->held[slot].ifindex != DATAPLANE_PARKED)
			g_hash_table_insert(v->seen,
					    GUINT_TO_POINTER(dataplane->held[slot].ifindex),
					    GUINT_TO_POINTER(slot));
	*code = table_each(&dataplane->table[TABLE_IFINDEX], check_low, v);
	if (!*code)
		*code = table_each(&dataplane->table[TABLE_IFHIGH], check_high, v);
	if (*code)
		bpf_fail(error, *code, "map %s: reading it back", SG_MAP_IFINDEX);
	for (uint32_t slot = 1; !*code && slot <= SG_MAX_SLOTS; slot++) {
		uint32_t ifindex = dataplane->held[slot].ifindex, found;

		if (ifindex < low || ifindex == DATAPLANE_PARKED)
			continue;
		v->result.checked[VERIFY_IFINDEX]++;
		if (table_lookup(v->dataplane, TABLE_IFHIGH, &ifindex, &found) == -ENOENT)
			ifindex_differs(v, TABLE_IFHIGH, ifindex, slot, 0);
	}
	return false;
}

/* ------------------------------------------------------------------ guards */

static char *guard_text(const struct verification *v, const struct sg_guard_key *key)
{
	g_autofree char *of = verify_slot_text(v, key->slot);
	char text[CIDR_TEXT_SIZE];
	struct cidr cidr;
	unsigned int bits = key->prefixlen - 32;

	memcpy(cidr.addr.b, key->addr, sizeof(cidr.addr.b));
	cidr.bits = (uint8_t)(addr_is_v4(&cidr.addr) && bits >= 96 ? bits - 96 : bits);
	return g_strdup_printf("%s: guard of %s", of, cidr_format(&cidr, text));
}

static char *bits_text(uint32_t bits, bool there)
{
	if (!there)
		return g_strdup("no entry");
	return g_strdup_printf("%s%s%s", bits & SG_GUARD_OWN ? "own" : "",
			       bits & SG_GUARD_ALLOWED ? " allowed" : "",
			       bits & SG_GUARD_HOLE ? " hole" : "");
}

static void guard_differs(struct verification *v, const struct sg_guard_key *key, uint32_t expected,
			  bool wanted, uint32_t found, bool there)
{
	char *error = NULL;

	if (!verify_differs(v, VERIFY_GUARD, key->slot, guard_text(v, key),
			    bits_text(expected, wanted), bits_text(found, there)))
		return;
	v->revoke = true;
	verify_repaired(v, verify_write(v, TABLE_GUARD, key, expected, !wanted, &error), error);
}

static bool take_guard(const void *key, const void *value, void *arg)
{
	struct verification *v = arg;

	keyed_insert(v->keyed, key, version_value(value, dataplane_generation(v->dataplane)));
	return true;
}

static void check_guards_of(struct verification *v, uint32_t slot)
{
	const GArray *guards = v->dataplane->held[slot].guards;

	for (guint i = 0; guards && i < guards->len; i++) {
		const struct held_guard *guard = &g_array_index(guards, struct held_guard, i);
		struct keyed_entry *entry = keyed_find(v->keyed, &guard->key);

		v->result.checked[VERIFY_GUARD]++;
		if (entry)
			entry->seen = true;
		if (!entry || entry->value != guard->bits)
			guard_differs(v, &guard->key, guard->bits, true, entry ? entry->value : 0,
				      entry != NULL);
	}
}

static void compare_guards(struct verification *v)
{
	struct keyed_entry *entry;
	uint32_t at = 0;

	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
		check_guards_of(v, slot);
	while ((entry = keyed_next(v->keyed, &at)))
		if (!entry->seen && !verify_is_dead(v, TABLE_GUARD, entry->key))
			guard_differs(v, (const void *)entry->key, 0, false, entry->value, true);
}

/*
 * A trie cannot be asked for one entry, so all are read, in one piece: attaching and detaching come
 * without a generation. Two or three an interface.
 */
bool verify_guards(struct verification *v, int *code, char **error)
{
	v->keyed = keyed_new();
	*code = table_each(&v->dataplane->table[TABLE_GUARD], take_guard, v);
	if (*code)
		bpf_fail(error, *code, "map %s: reading it back", SG_MAP_GUARD);
	else
		compare_guards(v);
	return false;
}

/* ------------------------------------------------------------------ VLANs */

static bool has_vlan(const struct verification *v, const struct sg_vlan_key *key)
{
	const GArray *vlans =
		key->slot <= SG_MAX_SLOTS ? v->dataplane->held[key->slot].vlans : NULL;

	for (guint i = 0; vlans && i < vlans->len; i++)
		if (g_array_index(vlans, uint16_t, i) == key->vid)
			return true;
	return false;
}

static void vlan_differs(struct verification *v, const struct sg_vlan_key *key, bool wanted)
{
	g_autofree char *of = verify_slot_text(v, key->slot);
	char *error = NULL;

	if (!verify_differs(v, VERIFY_VLAN, key->slot, g_strdup_printf("%s: vlan %u", of, key->vid),
			    g_strdup(wanted ? "allowed" : "not allowed"),
			    g_strdup(wanted ? "not allowed" : "allowed")))
		return;
	v->revoke |= !wanted;
	verify_repaired(v, verify_write(v, TABLE_VLANS, key, wanted, !wanted, &error), error);
}

static bool check_vlan(const void *key, const void *value, void *arg)
{
	struct verification *v = arg;
	struct sg_vlan_key vlan;
	uint32_t found = version_value(value, dataplane_generation(v->dataplane));

	memcpy(&vlan, key, sizeof(vlan));
	v->result.checked[VERIFY_VLAN] += found != 0;
	if (has_vlan(v, &vlan) != (found == 1))
		vlan_differs(v, &vlan, has_vlan(v, &vlan));
	return true;
}

bool verify_vlans(struct verification *v, int *code, char **error)
{
	if (verify_walk(v, TABLE_VLANS, check_vlan, code, error))
		return true;
	for (uint32_t slot = 1; !*code && slot <= SG_MAX_SLOTS; slot++) {
		const GArray *vlans = v->dataplane->held[slot].vlans;

		for (guint i = 0; vlans && i < vlans->len; i++) {
			struct sg_vlan_key key = {.slot = (uint16_t)slot,
						  .vid = g_array_index(vlans, uint16_t, i)};
			struct sg_version version;

			if (table_lookup(v->dataplane, TABLE_VLANS, &key, &version) == -ENOENT)
				vlan_differs(v, &key, true);
		}
	}
	return false;
}
