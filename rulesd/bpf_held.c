/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_held.c - the immutable objects of a policy in the kernel: compiled policies, sets of peers.
 *
 * They are written before anything refers to them and removed when nothing can. What the kernel
 * holds is remembered by content, so that unchanged content is never written again.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"

static void held_policy_free(gpointer pointer)
{
	struct held_policy *policy = pointer;

	g_bytes_unref(policy->content);
	g_array_unref(policy->starts);
	g_free(policy);
}

static void held_set_free(gpointer pointer)
{
	struct held_set *set = pointer;

	g_bytes_unref(set->content);
	g_free(set);
}

void held_init(struct dataplane *dataplane)
{
	dataplane->policies = g_hash_table_new_full(NULL, NULL, NULL, held_policy_free);
	dataplane->policies_by_content = g_hash_table_new(g_bytes_hash, g_bytes_equal);
	dataplane->policy_alias = g_hash_table_new(NULL, NULL);
	dataplane->sets = g_hash_table_new_full(NULL, NULL, NULL, held_set_free);
	dataplane->sets_by_content = g_hash_table_new(g_bytes_hash, g_bytes_equal);
	dataplane->set_alias = g_hash_table_new(NULL, NULL);
	dataplane->rules = g_hash_table_new(NULL, NULL);
	dataplane->free_intervals = g_array_new(FALSE, FALSE, sizeof(struct extent));
	dataplane->dead = g_array_new(FALSE, FALSE, sizeof(struct change));
	dataplane->undo = g_array_new(FALSE, FALSE, sizeof(struct change));
}

void held_free(struct dataplane *dataplane)
{
	for (unsigned int i = 0; i <= SG_MAX_SLOTS; i++) {
		g_clear_pointer(&dataplane->held[i].guards, g_array_unref);
		g_clear_pointer(&dataplane->held[i].vlans, g_array_unref);
	}
	g_clear_pointer(&dataplane->read_members, g_hash_table_unref);
	g_clear_pointer(&dataplane->read_prefixes, g_hash_table_unref);
	g_hash_table_unref(dataplane->policies_by_content);
	g_hash_table_unref(dataplane->policies);
	g_hash_table_unref(dataplane->policy_alias);
	g_hash_table_unref(dataplane->sets_by_content);
	g_hash_table_unref(dataplane->sets);
	g_hash_table_unref(dataplane->set_alias);
	g_hash_table_unref(dataplane->rules);
	g_array_unref(dataplane->free_intervals);
	g_array_unref(dataplane->dead);
	g_array_unref(dataplane->undo);
}

/* ------------------------------------------------------------------ policies */

static struct held_policy *policy_at(struct dataplane *dataplane, uint32_t number)
{
	return g_hash_table_lookup(dataplane->policies, GUINT_TO_POINTER(number));
}

static void remember_policy(struct dataplane *dataplane, uint32_t number, GBytes *content,
			    GArray *starts, bool complete)
{
	struct held_policy *policy = g_new0(struct held_policy, 1);

	policy->number = number;
	policy->content = content;
	policy->starts = starts;
	g_hash_table_insert(dataplane->policies, GUINT_TO_POINTER(number), policy);
	if (complete)
		g_hash_table_insert(dataplane->policies_by_content, content, policy);
}

void held_add_policy(struct dataplane *dataplane, uint32_t number, GBytes *content, GArray *starts)
{
	remember_policy(dataplane, number, content, starts, true);
}

uint32_t held_policy_of(struct dataplane *dataplane, const struct image_policy *policy)
{
	gpointer alias = GUINT_TO_POINTER(policy->number);
	uint32_t number = GPOINTER_TO_UINT(g_hash_table_lookup(dataplane->policy_alias, alias));
	g_autoptr(GBytes) content = NULL;
	struct held_policy *held;

	if (number)
		return number;
	content = held_policy_content(policy);
	held = g_hash_table_lookup(dataplane->policies_by_content, content);
	if (!held)
		return 0;
	g_hash_table_insert(dataplane->policy_alias, alias, GUINT_TO_POINTER(held->number));
	return held->number;
}

/* The wanted number, or one beyond all others when the kernel holds something else under it. */
static uint32_t free_number(GHashTable *held, uint32_t wanted)
{
	uint32_t highest = wanted;
	GHashTableIter iter;
	gpointer key;

	if (wanted && !g_hash_table_contains(held, GUINT_TO_POINTER(wanted)))
		return wanted;
	g_hash_table_iter_init(&iter, held);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		highest = MAX(highest, GPOINTER_TO_UINT(key));
	return highest + 1;
}

static int write_rules(struct dataplane *dataplane, const struct sg_interval *intervals,
		       uint32_t count, unsigned int *writes, char **error)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t rule = intervals[i].rule;
		struct sg_rule_stats none = {};
		int code;

		if ((rule & SG_RULE_EXEMPT) ||
		    g_hash_table_contains(dataplane->rules, GUINT_TO_POINTER(rule)))
			continue;
		code = table_update(dataplane, TABLE_RULES, &rule, &none, BPF_NOEXIST, error);
		if (code && code != -EEXIST)
			return code;
		g_hash_table_add(dataplane->rules, GUINT_TO_POINTER(rule));
		++*writes;
	}
	return 0;
}

static int write_intervals(struct dataplane *dataplane, const struct sg_interval *intervals,
			   uint32_t count, uint32_t start, unsigned int *writes, char **error)
{
	g_autofree uint32_t *keys = g_new(uint32_t, count);
	uint32_t done;
	int code;

	for (uint32_t i = 0; i < count; i++)
		keys[i] = start + i;
	code = table_update_many(dataplane, TABLE_INTERVALS, keys, intervals, count, &done, error);
	*writes += done;
	return code;
}

static struct sg_policy_key key_of(uint32_t policy, const struct held_ports *ports)
{
	return (struct sg_policy_key){
		.policy = policy, .peer = ports->peer, .proto = ports->proto, .dir = ports->dir};
}

/* Deletes the keys that were written and frees their extents; errors keep the rest for later. */
static int policy_remove(struct dataplane *dataplane, uint32_t number, GBytes *content,
			 GArray *starts, char **error)
{
	struct held_cursor cursor = held_cursor_of(content);
	const struct sg_interval *intervals;
	const struct held_ports *ports;

	for (unsigned int i = 0; i < starts->len && (ports = held_cursor_next(&cursor, &intervals));
	     i++) {
		struct sg_policy_key key = key_of(number, ports);
		int code = table_delete(dataplane, TABLE_POLICY, &key, error);

		if (code)
			return code;
	}
	/* Only now: a second attempt after a failure must not give an extent twice. */
	cursor = held_cursor_of(content);
	for (unsigned int i = 0; i < starts->len && (ports = held_cursor_next(&cursor, &intervals));
	     i++)
		if (ports->count > 1)
			intervals_give(dataplane->free_intervals,
				       g_array_index(starts, uint32_t, i), ports->count);
	return 0;
}

static int policy_write(struct dataplane *dataplane, uint32_t number, GBytes *content,
			GArray *starts, unsigned int *writes, char **error)
{
	struct held_cursor cursor = held_cursor_of(content);
	const struct sg_interval *intervals;
	const struct held_ports *ports;

	while ((ports = held_cursor_next(&cursor, &intervals))) {
		struct sg_policy_key key = key_of(number, ports);
		struct sg_policy_ports value = {.count = ports->count, .one = intervals[0]};
		int code = write_rules(dataplane, intervals, ports->count, writes, error);

		if (code)
			return code;
		if (ports->count > 1) {
			code = intervals_take(dataplane->free_intervals, ports->count,
					      &value.start);
			if (code)
				return bpf_fail(error, code,
						"map %s has no %u entries in a row left",
						SG_MAP_INTERVALS, ports->count);
		}
		g_array_append_val(starts, value.start);
		if (ports->count > 1)
			code = write_intervals(dataplane, intervals, ports->count, value.start,
					       writes, error);
		if (!code)
			code = table_update(dataplane, TABLE_POLICY, &key, &value, BPF_ANY, error);
		if (code)
			return code;
		++*writes;
	}
	return 0;
}

int held_policy_ensure(struct dataplane *dataplane, const struct image_policy *policy,
		       uint32_t *number, unsigned int *writes, char **error)
{
	uint32_t known = held_policy_of(dataplane, policy);
	g_autoptr(GBytes) content = NULL;
	g_autoptr(GArray) starts = NULL;
	int code;

	if (known) {
		*number = known;
		return 0;
	}
	content = held_policy_content(policy);
	starts = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	known = free_number(dataplane->policies, policy->number);
	code = policy_write(dataplane, known, content, starts, writes, error);
	if (code && policy_remove(dataplane, known, content, starts, NULL))
		/* What could not be taken back is remembered, but not as this content: nobody
		 * refers to it, and a later sweep tries again. */
		remember_policy(dataplane, known, TAKE_PTR(content), TAKE_PTR(starts), false);
	if (code)
		return code;
	held_add_policy(dataplane, known, TAKE_PTR(content), TAKE_PTR(starts));
	g_hash_table_insert(dataplane->policy_alias, GUINT_TO_POINTER(policy->number),
			    GUINT_TO_POINTER(known));
	*number = known;
	return 0;
}

/* ------------------------------------------------------------------ sets */

void held_add_set(struct dataplane *dataplane, uint32_t number, GBytes *content)
{
	struct held_set *set = g_new0(struct held_set, 1);

	set->number = number;
	set->content = content;
	g_hash_table_insert(dataplane->sets, GUINT_TO_POINTER(number), set);
	g_hash_table_insert(dataplane->sets_by_content, content, set);
}

uint32_t held_set_of(struct dataplane *dataplane, uint32_t image_set)
{
	if (!image_set || (image_set & SG_SET_SINGLE))
		return image_set;
	return GPOINTER_TO_UINT(
		g_hash_table_lookup(dataplane->set_alias, GUINT_TO_POINTER(image_set)));
}

int held_set_ensure(struct dataplane *dataplane, const struct image_set *set, unsigned int *writes,
		    char **error)
{
	g_autoptr(GBytes) content = NULL;
	struct sg_set value = {.count = set->peers->len};
	struct held_set *held;
	uint32_t number;
	int code;

	if (held_set_of(dataplane, set->number))
		return 0;
	content = g_bytes_new(set->peers->data, set->peers->len * sizeof(uint32_t));
	held = g_hash_table_lookup(dataplane->sets_by_content, content);
	if (!held) {
		number = free_number(dataplane->sets, set->number);
		memcpy(value.peers, set->peers->data,
		       MIN(set->peers->len, SG_SET_PEERS) * sizeof(uint32_t));
		code = table_update(dataplane, TABLE_SETS, &number, &value, BPF_ANY, error);
		if (code)
			return code;
		++*writes;
		held_add_set(dataplane, number, g_bytes_ref(content));
	} else {
		number = held->number;
	}
	g_hash_table_insert(dataplane->set_alias, GUINT_TO_POINTER(set->number),
			    GUINT_TO_POINTER(number));
	return 0;
}

/* ------------------------------------------------------------------ mark and sweep */

void held_want(struct dataplane *dataplane, const struct image *image)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, dataplane->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		((struct held_policy *)value)->wanted = false;
	g_hash_table_iter_init(&iter, dataplane->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		((struct held_set *)value)->wanted = false;
	g_hash_table_iter_init(&iter, image->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct held_policy *held = policy_at(dataplane, held_policy_of(dataplane, value));

		if (held)
			held->wanted = true;
	}
	g_hash_table_iter_init(&iter, image->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		uint32_t number = held_set_of(dataplane, ((const struct image_set *)value)->number);
		struct held_set *held =
			g_hash_table_lookup(dataplane->sets, GUINT_TO_POINTER(number));

		if (held)
			held->wanted = true;
	}
}

static gboolean alias_of(gpointer key, gpointer value, gpointer number)
{
	(void)key;
	return value == number;
}

static void forget_alias(GHashTable *aliases, uint32_t number)
{
	g_hash_table_foreach_remove(aliases, alias_of, GUINT_TO_POINTER(number));
}

/* Policies that attached interfaces use, whatever the image says. */
static GHashTable *policies_in_use(struct dataplane *dataplane)
{
	GHashTable *used = g_hash_table_new(NULL, NULL);

	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		const struct sg_iface *iface = &dataplane->ifaces[slot];

		if (!iface->ifindex)
			continue;
		g_hash_table_add(
			used, GUINT_TO_POINTER(plan_current_conf(dataplane, slot, NULL)->policy));
	}
	return used;
}

static int sweep_sets(struct dataplane *dataplane, char **error)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, dataplane->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct held_set *set = value;
		int code;

		if (set->wanted)
			continue;
		code = table_delete(dataplane, TABLE_SETS, &set->number, error);
		if (code)
			return code;
		forget_alias(dataplane->set_alias, set->number);
		if (g_hash_table_lookup(dataplane->sets_by_content, set->content) == set)
			g_hash_table_remove(dataplane->sets_by_content, set->content);
		g_hash_table_iter_remove(&iter);
	}
	return 0;
}

/* Counters of rules that no policy of the kernel contains any more. */
static int sweep_rules(struct dataplane *dataplane, char **error)
{
	g_autoptr(GHashTable) named = g_hash_table_new(NULL, NULL);
	const struct sg_interval *intervals;
	const struct held_ports *ports;
	GHashTableIter iter;
	gpointer value, key;

	g_hash_table_iter_init(&iter, dataplane->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct held_cursor cursor = held_cursor_of(((struct held_policy *)value)->content);

		while ((ports = held_cursor_next(&cursor, &intervals)))
			for (uint32_t i = 0; i < ports->count; i++)
				g_hash_table_add(named, GUINT_TO_POINTER(intervals[i].rule));
	}
	g_hash_table_iter_init(&iter, dataplane->rules);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		uint32_t rule = GPOINTER_TO_UINT(key);
		int code;

		if (g_hash_table_contains(named, key))
			continue;
		code = table_delete(dataplane, TABLE_RULES, &rule, error);
		if (code)
			return code;
		g_hash_table_iter_remove(&iter);
	}
	return 0;
}

int held_sweep(struct dataplane *dataplane, char **error)
{
	g_autoptr(GHashTable) used = policies_in_use(dataplane);
	bool removed = false;
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, dataplane->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct held_policy *policy = value;
		int code;

		if (policy->wanted || g_hash_table_contains(used, GUINT_TO_POINTER(policy->number)))
			continue;
		code = policy_remove(dataplane, policy->number, policy->content, policy->starts,
				     error);
		if (code)
			return code;
		removed = true;
		forget_alias(dataplane->policy_alias, policy->number);
		if (g_hash_table_lookup(dataplane->policies_by_content, policy->content) == policy)
			g_hash_table_remove(dataplane->policies_by_content, policy->content);
		g_hash_table_iter_remove(&iter);
	}
	if (removed) {
		int code = sweep_rules(dataplane, error);

		if (code)
			return code;
	}
	return sweep_sets(dataplane, error);
}
