/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_image_read.c - the policy as the kernel's maps hold it, read back at opening.
 *
 * A predecessor may have been killed at any step. What it wrote for a generation that never came is
 * taken back here, because the next flip would publish it; what it had removed goes at the next
 * settling.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"

int held_guard_compare(const void *a, const void *b)
{
	const struct held_guard *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* ------------------------------------------------------------------ versioned entries */

struct version_reader {
	struct dataplane *dataplane;
	enum bpf_table_id id;
	uint64_t generation;
	bool opening;	      /* remember guards, VLANs, and what is dead */
	GArray *undo;	      /* of struct change: of a generation that never came */
	struct keyed *values; /* or NULL */
};

static void take_guard(struct dataplane *dataplane, const struct sg_guard_key *key, uint32_t bits)
{
	struct held_guard guard = {.key = *key, .bits = bits};
	struct held_slot *held = &dataplane->held[key->slot];

	if (!held->guards)
		held->guards = g_array_new(FALSE, FALSE, sizeof(guard));
	g_array_append_val(held->guards, guard);
}

static void take_vlan(struct dataplane *dataplane, const struct sg_vlan_key *key)
{
	struct held_slot *held = &dataplane->held[key->slot];

	if (!held->vlans)
		held->vlans = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	g_array_append_val(held->vlans, key->vid);
}

/* Entries of slots that nothing is attached to are what a killed attach or detach left. */
static bool orphan(const struct version_reader *reader, const void *key)
{
	uint32_t slot;

	if (reader->id == TABLE_GUARD)
		slot = ((const struct sg_guard_key *)key)->slot;
	else if (reader->id == TABLE_VLANS)
		slot = ((const struct sg_vlan_key *)key)->slot;
	else
		return false;
	return slot > SG_MAX_SLOTS || !reader->dataplane->ifaces[slot].ifindex;
}

static bool read_version(const void *key, const void *value, void *arg)
{
	struct version_reader *reader = arg;
	struct dataplane *dataplane = reader->dataplane;
	const struct sg_version *version = value;
	bool hash = reader->id == TABLE_MEMBERS || reader->id == TABLE_VLANS;
	uint32_t now = version_value(version, reader->generation);
	struct change change = {.table = reader->id, .before = now, .removed = true};

	memcpy(change.key, key, dataplane->table[reader->id].key_size);
	/* In a trie an entry of value 0 hides those around it: it is an entry like others. */
	change.created = hash && !now;
	if (orphan(reader, key)) {
		if (reader->opening)
			settle_dead(dataplane, &change, reader->generation);
		return true;
	}
	if (version->epoch > reader->generation && reader->undo)
		g_array_append_val(reader->undo, change);
	else if (change.created && reader->opening)
		settle_dead(dataplane, &change, reader->generation);
	if (change.created)
		return true;
	if (reader->values)
		keyed_insert(reader->values, key, now);
	else if (reader->opening && reader->id == TABLE_GUARD)
		take_guard(dataplane, key, now);
	else if (reader->opening && reader->id == TABLE_VLANS)
		take_vlan(dataplane, key);
	return true;
}

static int read_table(struct version_reader *reader, char **error)
{
	const struct bpf_table *table = &reader->dataplane->table[reader->id];
	int code;

	if (table->value_size != sizeof(struct sg_version) ||
	    table->key_size > sizeof(((struct change *)0)->key))
		return bpf_fail(error, -EPROTONOSUPPORT, "map %s has another shape", table->name);
	code = table_each(table, read_version, reader);
	return code ? bpf_fail(error, code, "map %s: reading it back", table->name) : 0;
}

static int take_back(struct dataplane *dataplane, enum bpf_table_id id, bool opening, char **error)
{
	g_autoptr(GArray) undo = g_array_new(FALSE, FALSE, sizeof(struct change));
	CLEANUP(keyed_free)
	struct keyed *members = opening && id == TABLE_MEMBERS ? keyed_new() : NULL;
	struct version_reader reader = {
		.dataplane = dataplane,
		.id = id,
		.generation = dataplane_generation(dataplane),
		.opening = opening,
		.undo = undo,
		.values = members,
	};
	int code = read_table(&reader, error);

	for (unsigned int i = 0; !code && i < undo->len; i++) {
		const struct change *change = &g_array_index(undo, struct change, i);
		struct sg_version settled = {.before = change->before, .after = change->before};

		if (change->created)
			code = table_delete(dataplane, id, change->key, error);
		else
			code = table_update(dataplane, id, change->key, &settled, 0, error);
	}
	if (!code && members)
		dataplane->members = TAKE_PTR(members);
	return code;
}

int image_take_back(struct dataplane *dataplane, enum bpf_table_id id, char **error)
{
	return take_back(dataplane, id, false, error);
}

int image_read_values(struct dataplane *dataplane, enum bpf_table_id id, struct keyed *values,
		      char **error)
{
	struct version_reader reader = {
		.dataplane = dataplane,
		.id = id,
		.generation = dataplane_generation(dataplane),
		.values = values,
	};

	return read_table(&reader, error);
}

/* ------------------------------------------------------------------ policies and sets */

/*
 * Entries as they are in the kernel: of those that a killed predecessor left with two versions
 * (bpf_edit.c) both are kept until all are read.
 */
struct policy_reader {
	GHashTable *entries; /* policy -> GArray of struct policy_entry, of those that hold */
	GArray *versions;    /* of struct policy_version, also of what is without rules */
};

struct policy_version {
	struct sg_policy_key key;
	struct sg_policy_ports value;
};

struct policy_entry {
	struct held_ports ports;
	uint32_t start;
	struct sg_interval one;
};

static void add_policy_entry(struct policy_reader *reader, const struct sg_policy_key *policy_key,
			     const struct sg_policy_ports *ports)
{
	struct policy_entry entry = {
		.ports = {.peer = policy_key->peer,
			  .proto = policy_key->proto,
			  .dir = policy_key->dir,
			  .count = SG_PORTS_COUNT(ports->count)},
		.start = ports->count & SG_PORTS_SINCE ? ports->one.rule : ports->start,
		.one = ports->one,
	};
	gpointer number = GUINT_TO_POINTER(policy_key->policy);
	GArray *array = g_hash_table_lookup(reader->entries, number);

	if (!array) {
		array = g_array_new(FALSE, FALSE, sizeof(entry));
		g_hash_table_insert(reader->entries, number, array);
	}
	/* A policy that has no rules any more is one, too. */
	if (entry.ports.count)
		g_array_append_val(array, entry);
}

static bool read_policy_key(const void *key, const void *value, void *arg)
{
	struct policy_reader *reader = arg;
	struct policy_version version;

	memcpy(&version.key, key, sizeof(version.key));
	memcpy(&version.value, value, sizeof(version.value));
	if (version.key.pad || !version.value.count || (version.value.count & SG_PORTS_SINCE))
		g_array_append_val(reader->versions, version);
	if (!version.key.pad && !(version.value.count & SG_PORTS_SINCE))
		add_policy_entry(reader, &version.key, &version.value);
	return true;
}

static int compare_policy_entries(const void *a, const void *b)
{
	return held_ports_compare(&((const struct policy_entry *)a)->ports,
				  &((const struct policy_entry *)b)->ports);
}

static int compare_extents(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static const struct policy_version *find_version(const struct policy_reader *reader,
						 const struct sg_policy_key *key, uint8_t pad)
{
	struct sg_policy_key wanted = *key;

	wanted.pad = pad;
	for (guint i = 0; i < reader->versions->len; i++) {
		const struct policy_version *version =
			&g_array_index(reader->versions, struct policy_version, i);

		if (!memcmp(&version->key, &wanted, sizeof(wanted)))
			return version;
	}
	return NULL;
}

/* The version that holds; one for a generation that never came is taken back. */
static int read_entry(struct dataplane *dataplane, struct policy_reader *reader,
		      const struct policy_version *version, char **error)
{
	const struct sg_policy_ports *now = &version->value;
	struct edited_key key = {.key = version->key, .word = ports_word(now)};
	static const struct sg_policy_ports nothing;
	const struct policy_version *found;
	const struct sg_policy_ports *before;
	int code = 0;

	if (!(now->count & SG_PORTS_SINCE))
		return 0;
	if (SG_PORTS_HOLD(now->start, dataplane_generation(dataplane))) {
		add_policy_entry(reader, &version->key, now);
	} else {
		key.tag = SG_PORTS_TAG(now->count);
		found = find_version(reader, &version->key, key.tag);
		before = found ? &found->value : &nothing;
		add_policy_entry(reader, &version->key, before);
		code = edits_take_back(dataplane, &key, before, error);
	}
	if (!code)
		edits_adopt(dataplane, &key);
	return code;
}

/* One that held before goes when nobody reads it; until then its places stay taken. They are also
 * those of the entry, or of another one before, when a change of it was taken back. */
static void read_before(struct dataplane *dataplane, const struct policy_version *version,
			GArray *used)
{
	struct edited_key key = {.key = version->key, .tag = version->key.pad};
	struct extent extent = {version->value.start, version->value.count};
	bool known = extent.count <= 1;

	for (guint i = 0; !known && i < used->len; i++)
		known = g_array_index(used, struct extent, i).start == extent.start;
	if (!known) {
		key.extent = extent;
		g_array_append_val(used, extent);
	}
	key.key.pad = 0;
	edits_adopt(dataplane, &key);
}

static int read_entries(struct dataplane *dataplane, struct policy_reader *reader, char **error)
{
	int code = 0;

	for (guint i = 0; !code && i < reader->versions->len; i++) {
		const struct policy_version *version =
			&g_array_index(reader->versions, struct policy_version, i);

		if (!version->key.pad)
			code = read_entry(dataplane, reader, version, error);
	}
	return code;
}

/* When all that holds is known. Entries without rules go with their policy. */
static void read_others(struct dataplane *dataplane, const struct policy_reader *reader,
			GArray *used)
{
	for (guint i = 0; i < reader->versions->len; i++) {
		const struct policy_version *version =
			&g_array_index(reader->versions, struct policy_version, i);
		struct held_policy *policy = held_policy_at(dataplane, version->key.policy);
		struct sg_policy_ports held;

		if (version->key.pad)
			read_before(dataplane, version, used);
		else if (policy && !held_find(policy, &version->key, &held))
			held_add_empty(policy, &version->key);
	}
}

static int read_policy(struct dataplane *dataplane, uint32_t number, GArray *entries, GArray *used,
		       char **error)
{
	g_autoptr(GByteArray) content = g_byte_array_new();
	GArray *starts = g_array_new(FALSE, FALSE, sizeof(uint32_t));

	g_array_sort(entries, compare_policy_entries);
	for (unsigned int i = 0; i < entries->len; i++) {
		const struct policy_entry *entry = &g_array_index(entries, struct policy_entry, i);
		struct extent extent = {entry->start, entry->ports.count};

		g_array_append_val(starts, entry->start);
		g_byte_array_append(content, (const guint8 *)&entry->ports, sizeof(entry->ports));
		if (entry->ports.count <= 1) {
			g_byte_array_append(content, (const guint8 *)&entry->one,
					    sizeof(entry->one));
			continue;
		}
		for (uint32_t k = 0; k < entry->ports.count; k++) {
			uint32_t index = entry->start + k;
			struct sg_interval interval;
			int code = table_lookup(dataplane, TABLE_INTERVALS, &index, &interval);

			if (code) {
				g_array_unref(starts);
				return bpf_fail(error, code, "map %s: entry %u of policy %u",
						SG_MAP_INTERVALS, index, number);
			}
			g_byte_array_append(content, (const guint8 *)&interval, sizeof(interval));
		}
		g_array_append_val(used, extent);
	}
	held_add_policy(dataplane, number, g_byte_array_free_to_bytes(TAKE_PTR(content)), starts);
	return 0;
}

/* What no policy uses is free. */
static void find_free_intervals(struct dataplane *dataplane, GArray *used)
{
	uint32_t next = 0, end = dataplane->table[TABLE_INTERVALS].max_entries;

	g_array_sort(used, compare_extents);
	for (unsigned int i = 0; i < used->len; i++) {
		const struct extent *extent = &g_array_index(used, struct extent, i);

		if (extent->start > next)
			intervals_give(dataplane->free_intervals, next, extent->start - next);
		next = MAX(next, extent->start + extent->count);
	}
	if (next < end)
		intervals_give(dataplane->free_intervals, next, end - next);
}

static int read_policies(struct dataplane *dataplane, char **error)
{
	g_autoptr(GHashTable) entries =
		g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
	g_autoptr(GArray) used = g_array_new(FALSE, FALSE, sizeof(struct extent));
	g_autoptr(GArray) versions = g_array_new(FALSE, FALSE, sizeof(struct policy_version));
	struct policy_reader reader = {entries, versions};
	int code = table_each(&dataplane->table[TABLE_POLICY], read_policy_key, &reader);
	GHashTableIter iter;
	gpointer key, value;

	if (code)
		return bpf_fail(error, code, "map %s: reading it back", SG_MAP_POLICY);
	code = read_entries(dataplane, &reader, error);
	if (code)
		return code;
	g_hash_table_iter_init(&iter, entries);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		code = read_policy(dataplane, GPOINTER_TO_UINT(key), value, used, error);
		if (code)
			return code;
	}
	read_others(dataplane, &reader, used);
	find_free_intervals(dataplane, used);
	return 0;
}

static bool read_set(const void *key, const void *value, void *arg)
{
	const struct sg_set *set = value;

	held_add_set(arg, *(const uint32_t *)key,
		     g_bytes_new(set->peers, MIN(set->count, SG_SET_PEERS) * sizeof(uint32_t)));
	return true;
}

static bool read_rule(const void *key, const void *value, void *arg)
{
	(void)value;
	if (!g_hash_table_contains(arg, GUINT_TO_POINTER(*(const uint32_t *)key)))
		g_hash_table_insert(arg, GUINT_TO_POINTER(*(const uint32_t *)key), NULL);
	return true;
}

/* ------------------------------------------------------------------ everything */

static int compare_vlans(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static void take_back_confs(struct dataplane *dataplane)
{
	uint64_t generation = dataplane_generation(dataplane);

	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
		for (unsigned int i = 0; i < 2; i++)
			if (dataplane->ifaces[slot].since[i] > generation)
				__atomic_store_n(&dataplane->ifaces[slot].since[i], SG_NEVER,
						 __ATOMIC_RELEASE);
}

int image_read_all(struct dataplane *dataplane, char **error)
{
	int code;

	take_back_confs(dataplane);
	settle_opened(dataplane);
	code = take_back(dataplane, TABLE_GUARD, true, error);
	if (!code)
		code = take_back(dataplane, TABLE_VLANS, true, error);
	if (!code)
		code = take_back(dataplane, TABLE_MEMBERS, true, error);
	if (!code)
		code = take_back(dataplane, TABLE_PREFIXES, true, error);
	if (!code)
		code = read_policies(dataplane, error);
	if (!code)
		code = outlines_read(dataplane, error);
	dataplane->unclean = true; /* a predecessor may have been about to find out */
	if (code)
		return code;
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		struct held_slot *held = &dataplane->held[slot];

		if (held->guards)
			g_array_sort(held->guards, held_guard_compare);
		if (held->vlans)
			g_array_sort(held->vlans, compare_vlans);
	}
	code = table_each(&dataplane->table[TABLE_SETS], read_set, dataplane);
	if (code)
		return bpf_fail(error, code, "map %s: reading it back", SG_MAP_SETS);
	code = table_each(&dataplane->table[TABLE_RULES], read_rule, dataplane->rules);
	if (code)
		return bpf_fail(error, code, "map %s: reading it back", SG_MAP_RULES);
	return 0;
}
