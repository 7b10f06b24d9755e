/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_held.c - what a policy refers to by number in the kernel: compiled policies, sets of peers.
 *
 * They are written before anything refers to them and removed when nothing can. What the kernel
 * holds is remembered by content, so that unchanged content is never written again. Policies that
 * change where they are: bpf_edit.c.
 *
 * Long because whoever finds, writes, wants or drops one keeps the same books: names counted,
 * aliases, extents.
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
	g_clear_pointer(&policy->empty, g_array_unref);
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
	dataplane->peers = g_hash_table_new(NULL, NULL);
	dataplane->fresh = g_array_new(FALSE, FALSE, sizeof(struct retired));
	dataplane->free_intervals = g_array_new(FALSE, FALSE, sizeof(struct extent));
	dataplane->free_outlines = g_array_new(FALSE, FALSE, sizeof(struct extent));
	dataplane->undo = g_array_new(FALSE, FALSE, sizeof(struct change));
	edits_init(dataplane);
}

void held_free(struct dataplane *dataplane)
{
	for (unsigned int i = 0; i <= SG_MAX_SLOTS; i++) {
		g_clear_pointer(&dataplane->held[i].guards, g_array_unref);
		g_clear_pointer(&dataplane->held[i].vlans, g_array_unref);
	}
	g_hash_table_unref(dataplane->policies_by_content);
	g_hash_table_unref(dataplane->policies);
	g_hash_table_unref(dataplane->policy_alias);
	g_hash_table_unref(dataplane->sets_by_content);
	g_hash_table_unref(dataplane->sets);
	g_hash_table_unref(dataplane->set_alias);
	g_hash_table_unref(dataplane->rules);
	g_hash_table_unref(dataplane->peers);
	g_array_unref(dataplane->fresh);
	g_array_unref(dataplane->free_intervals);
	g_array_unref(dataplane->free_outlines);
	g_array_unref(dataplane->undo);
	edits_free(dataplane);
}

/* ------------------------------------------------------------------ policies */

struct held_policy *held_policy_at(struct dataplane *dataplane, uint32_t number)
{
	return g_hash_table_lookup(dataplane->policies, GUINT_TO_POINTER(number));
}

static void count(GHashTable *names, uint32_t number, int step)
{
	gpointer key = GUINT_TO_POINTER(number);

	g_hash_table_insert(
		names, key,
		GINT_TO_POINTER(GPOINTER_TO_INT(g_hash_table_lookup(names, key)) + step));
}

/* The rules and peers that a policy names, one more time or one less. */
static void count_names(struct dataplane *dataplane, GBytes *content, int step)
{
	struct held_cursor cursor = held_cursor_of(content);
	const struct sg_interval *intervals;
	const struct held_ports *ports;

	while ((ports = held_cursor_next(&cursor, &intervals))) {
		count(dataplane->peers, ports->peer, step);
		if (!g_hash_table_lookup(dataplane->peers, GUINT_TO_POINTER(ports->peer)))
			g_hash_table_remove(dataplane->peers, GUINT_TO_POINTER(ports->peer));
		for (uint32_t i = 0; i < ports->count; i++)
			if (!(intervals[i].rule & SG_RULE_EXEMPT))
				count(dataplane->rules, intervals[i].rule, step);
	}
}

static void remember_policy(struct dataplane *dataplane, uint32_t number, GBytes *content,
			    GArray *starts, bool complete)
{
	struct held_policy *policy = g_new0(struct held_policy, 1);

	if (complete)
		count_names(dataplane, content, 1);
	dataplane->highest_policy = MAX(dataplane->highest_policy, number);
	policy->number = number;
	policy->content = content;
	policy->starts = starts;
	policy->complete = complete;
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
	held->aliased |= held->number != policy->number;
	g_hash_table_insert(dataplane->policy_alias, alias, GUINT_TO_POINTER(held->number));
	return held->number;
}

/* The wanted number, or one beyond all others when the kernel holds something else under it. */
static uint32_t free_number(GHashTable *held, uint32_t wanted, uint32_t highest)
{
	if (wanted && !g_hash_table_contains(held, GUINT_TO_POINTER(wanted)))
		return wanted;
	return MAX(wanted, highest) + 1;
}

static void remember_fresh(struct dataplane *dataplane, bool set, uint32_t number)
{
	struct retired fresh = {.number = number, .set = set};

	g_array_append_val(dataplane->fresh, fresh);
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
		g_hash_table_insert(dataplane->rules, GUINT_TO_POINTER(rule), NULL);
		++*writes;
	}
	return 0;
}

/* Whether the kernel has what was written. */
static int intervals_read_back(struct dataplane *dataplane, const struct sg_interval *intervals,
			       uint32_t count, uint32_t start, char **error)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = start + i;
		struct sg_interval found = {};
		int code = table_lookup(dataplane, TABLE_INTERVALS, &index, &found);

		if (!code && memcmp(&found, &intervals[i], sizeof(found)) != 0)
			code = -EIO;
		if (code)
			return bpf_fail(error, code, "map %s: reading back entry %u",
					SG_MAP_INTERVALS, index);
	}
	return 0;
}

static int write_intervals(struct dataplane *dataplane, const struct sg_interval *intervals,
			   uint32_t count, uint32_t start, unsigned int *writes, char **error)
{
	g_autoptr(GArray) keys = g_array_sized_new(FALSE, FALSE, sizeof(uint32_t), count);
	uint32_t done;
	int code;

	for (uint32_t key = start; key < start + count; key++)
		g_array_append_val(keys, key);
	code = table_update_many(dataplane, TABLE_INTERVALS, keys->data, intervals, count, &done,
				 error);
	*writes += done;
	return code ? code : intervals_read_back(dataplane, intervals, count, start, error);
}

int held_write_ports(struct dataplane *dataplane, const struct held_ports *ports, uint32_t *start,
		     unsigned int *writes, char **error)
{
	const struct sg_interval *intervals = (const void *)(ports + 1);
	int code = write_rules(dataplane, intervals, ports->count, writes, error);

	if (code || ports->count <= 1)
		return code;
	code = intervals_take(dataplane->free_intervals, ports->count, start);
	if (code)
		return bpf_fail(error, code, "map %s has no %u entries in a row left",
				SG_MAP_INTERVALS, ports->count);
	code = write_intervals(dataplane, intervals, ports->count, *start, writes, error);
	if (code)
		intervals_give(dataplane->free_intervals, *start, ports->count);
	return code;
}

/* Deletes the keys that were written and frees their extents; errors keep the rest for later. */
static int policy_remove(struct dataplane *dataplane, const struct held_policy *policy,
			 char **error)
{
	uint32_t number = policy->number;
	GBytes *content = policy->content;
	GArray *starts = policy->starts;
	struct held_cursor cursor = held_cursor_of(content);
	const struct sg_interval *intervals;
	const struct held_ports *ports;

	for (unsigned int i = 0; i < starts->len && (ports = held_cursor_next(&cursor, &intervals));
	     i++) {
		struct sg_policy_key key = held_key(number, ports);
		int code = table_delete(dataplane, TABLE_POLICY, &key, error);

		if (code)
			return code;
	}
	for (guint i = 0; policy->empty && i < policy->empty->len; i++) {
		int code =
			table_delete(dataplane, TABLE_POLICY,
				     &g_array_index(policy->empty, struct sg_policy_key, i), error);

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

int held_read_back(struct dataplane *dataplane, const struct sg_policy_key *key,
		   const struct sg_policy_ports *wrote, char **error)
{
	struct sg_policy_ports found = {};
	int code = table_lookup(dataplane, TABLE_POLICY, key, &found);

	if (code)
		return bpf_fail(error, code, "map %s: reading back policy %u", SG_MAP_POLICY,
				key->policy);
	return memcmp(&found, wrote, sizeof(found)) == 0
		       ? 0
		       : bpf_fail(error, -EIO, "map %s has something else than policy %u",
				  SG_MAP_POLICY, key->policy);
}

int held_write_key(struct dataplane *dataplane, const struct sg_policy_key *key,
		   const struct sg_policy_ports *value, unsigned int *writes, char **error)
{
	int code = table_update(dataplane, TABLE_POLICY, key, value, BPF_ANY, error);

	if (code)
		return code;
	++*writes;
	return held_read_back(dataplane, key, value, error);
}

static int policy_write(struct dataplane *dataplane, uint32_t number, GBytes *content,
			GArray *starts, unsigned int *writes, char **error)
{
	struct held_cursor cursor = held_cursor_of(content);
	const struct sg_interval *intervals;
	const struct held_ports *ports;

	while ((ports = held_cursor_next(&cursor, &intervals))) {
		struct sg_policy_key key = held_key(number, ports);
		struct sg_policy_ports value;
		uint32_t start = 0;
		int code = held_write_ports(dataplane, ports, &start, writes, error);

		if (code)
			return code;
		g_array_append_val(starts, start);
		value = held_value(ports, start);
		code = held_write_key(dataplane, &key, &value, writes, error);
		if (code)
			return code;
	}
	return 0;
}

int held_policy_ensure(struct dataplane *dataplane, const struct image_policy *policy,
		       uint32_t *number, unsigned int *writes, char **error)
{
	uint32_t known = held_policy_of(dataplane, policy), outline = 0;
	g_autoptr(GBytes) content = NULL;
	g_autoptr(GArray) starts = NULL;
	int code;

	if (known) {
		*number = known;
		return 0;
	}
	content = held_policy_content(policy);
	starts = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	known = free_number(dataplane->policies, policy->number, dataplane->highest_policy);
	/* Its outline first, so that a policy that is found whole has one. */
	code = outline_write(dataplane, known, content, &outline, writes, error);
	if (!code)
		code = policy_write(dataplane, known, content, starts, writes, error);
	/* One that is not complete is remembered too, but not as this content: nobody refers to
	 * it, and it goes with what else was written for the change. */
	remember_policy(dataplane, known, TAKE_PTR(content), TAKE_PTR(starts), !code);
	remember_fresh(dataplane, false, known);
	held_policy_at(dataplane, known)->outline = outline;
	if (code)
		return code;
	held_policy_at(dataplane, known)->aliased = known != policy->number;
	g_hash_table_insert(dataplane->policy_alias, GUINT_TO_POINTER(policy->number),
			    GUINT_TO_POINTER(known));
	*number = known;
	return 0;
}

bool held_find(const struct held_policy *policy, const struct sg_policy_key *key,
	       struct sg_policy_ports *value)
{
	struct held_cursor cursor = held_cursor_of(policy->content);
	const struct sg_interval *intervals;
	const struct held_ports *ports;

	for (guint i = 0;
	     i < policy->starts->len && (ports = held_cursor_next(&cursor, &intervals)); i++) {
		struct sg_policy_key own = held_key(policy->number, ports);

		if (memcmp(&own, key, sizeof(own)) != 0)
			continue;
		*value = held_value(ports, g_array_index(policy->starts, uint32_t, i));
		return true;
	}
	return false;
}

bool held_is_empty(const struct held_policy *policy, const struct sg_policy_key *key)
{
	for (guint i = 0; policy->empty && i < policy->empty->len; i++)
		if (!memcmp(&g_array_index(policy->empty, struct sg_policy_key, i), key,
			    sizeof(*key)))
			return true;
	return false;
}

void held_add_empty(struct held_policy *policy, const struct sg_policy_key *key)
{
	if (held_is_empty(policy, key))
		return;
	if (!policy->empty)
		policy->empty = g_array_new(FALSE, FALSE, sizeof(*key));
	g_array_append_val(policy->empty, *key);
}

GBytes *held_replace(struct dataplane *dataplane, struct held_policy *policy,
		     const struct image_policy *old, const struct image_policy *new,
		     GBytes *content, GArray *starts)
{
	GBytes *before = policy->content;

	if (g_hash_table_lookup(dataplane->policies_by_content, before) == policy)
		g_hash_table_remove(dataplane->policies_by_content, before);
	count_names(dataplane, content, 1);
	count_names(dataplane, before, -1);
	g_array_unref(policy->starts);
	policy->content = content;
	policy->starts = starts;
	policy->aliased |= new->number != policy->number;
	g_hash_table_insert(dataplane->policies_by_content, content, policy);
	g_hash_table_remove(dataplane->policy_alias, GUINT_TO_POINTER(old->number));
	return before;
}

/* ------------------------------------------------------------------ sets */

void held_add_set(struct dataplane *dataplane, uint32_t number, GBytes *content)
{
	struct held_set *set = g_new0(struct held_set, 1);

	set->number = number;
	set->content = content;
	dataplane->highest_set = MAX(dataplane->highest_set, number);
	g_hash_table_insert(dataplane->sets, GUINT_TO_POINTER(number), set);
	g_hash_table_insert(dataplane->sets_by_content, content, set);
}

struct held_set *held_set_at(struct dataplane *dataplane, uint32_t number)
{
	return g_hash_table_lookup(dataplane->sets, GUINT_TO_POINTER(number));
}

uint32_t held_set_of(struct dataplane *dataplane, uint32_t image_set)
{
	if (!image_set || (image_set & SG_SET_SINGLE))
		return image_set;
	return GPOINTER_TO_UINT(
		g_hash_table_lookup(dataplane->set_alias, GUINT_TO_POINTER(image_set)));
}

static int set_read_back(struct dataplane *dataplane, uint32_t number, const struct sg_set *wrote,
			 char **error)
{
	struct sg_set found = {};
	int code = table_lookup(dataplane, TABLE_SETS, &number, &found);

	if (!code && memcmp(&found, wrote, sizeof(found)) != 0)
		code = -EIO;
	return code ? bpf_fail(error, code, "map %s: reading back set %u", SG_MAP_SETS, number) : 0;
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
		number = free_number(dataplane->sets, set->number, dataplane->highest_set);
		memcpy(value.peers, set->peers->data,
		       MIN(set->peers->len, SG_SET_PEERS) * sizeof(uint32_t));
		code = table_update(dataplane, TABLE_SETS, &number, &value, BPF_ANY, error);
		if (code)
			return code;
		++*writes;
		held_add_set(dataplane, number, g_bytes_ref(content));
		remember_fresh(dataplane, true, number);
		held = held_set_at(dataplane, number);
		code = set_read_back(dataplane, number, &value, error);
		if (code)
			return code;
	}
	number = held->number;
	held->aliased |= number != set->number;
	g_hash_table_insert(dataplane->set_alias, GUINT_TO_POINTER(set->number),
			    GUINT_TO_POINTER(number));
	return 0;
}

/* ------------------------------------------------------------------ what is not wanted */

static void forget_fresh(struct dataplane *dataplane)
{
	g_array_set_size(dataplane->fresh, 0);
}

void held_forget_fresh(struct dataplane *dataplane)
{
	for (guint i = 0; i < dataplane->fresh->len; i++) {
		const struct retired *fresh = &g_array_index(dataplane->fresh, struct retired, i);
		int code = fresh->set ? held_set_drop(dataplane, fresh->number, NULL)
				      : held_policy_drop(dataplane, fresh->number, NULL);

		if (code)
			settle_retire(dataplane, fresh->set, fresh->number,
				      dataplane_generation(dataplane));
	}
	forget_fresh(dataplane);
}

void held_want_policy(struct dataplane *dataplane, const struct image_policy *policy, bool wanted)
{
	struct held_policy *held = held_policy_at(dataplane, held_policy_of(dataplane, policy));

	if (!held)
		return;
	held->wanted = wanted;
	if (!wanted)
		settle_retire(dataplane, false, held->number, dataplane_generation(dataplane));
}

void held_want_set(struct dataplane *dataplane, const struct image_set *set, bool wanted)
{
	struct held_set *held = held_set_at(dataplane, held_set_of(dataplane, set->number));

	if (!held)
		return;
	held->wanted = wanted;
	if (!wanted)
		settle_retire(dataplane, true, held->number, dataplane_generation(dataplane));
}

void held_want(struct dataplane *dataplane, const struct image *image)
{
	uint64_t since = dataplane_generation(dataplane);
	GHashTableIter iter;
	gpointer value;

	forget_fresh(dataplane);
	g_hash_table_iter_init(&iter, dataplane->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		((struct held_policy *)value)->wanted = false;
	g_hash_table_iter_init(&iter, dataplane->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		((struct held_set *)value)->wanted = false;
	g_hash_table_iter_init(&iter, image->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		held_want_policy(dataplane, value, true);
	g_hash_table_iter_init(&iter, image->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		held_want_set(dataplane, value, true);
	g_hash_table_iter_init(&iter, dataplane->policies);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct held_policy *policy = value;

		if (!policy->wanted)
			settle_retire(dataplane, false, policy->number, since);
	}
	g_hash_table_iter_init(&iter, dataplane->sets);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct held_set *set = value;

		if (!set->wanted)
			settle_retire(dataplane, true, set->number, since);
	}
	held_drop_rules(dataplane);
}

void held_want_delta(struct dataplane *dataplane, const struct image_delta *delta)
{
	forget_fresh(dataplane);
	for (guint i = 0; i < delta->policies_gone->len; i++)
		held_want_policy(dataplane, delta->policies_gone->pdata[i], false);
	for (guint i = 0; i < delta->sets_gone->len; i++)
		held_want_set(dataplane, delta->sets_gone->pdata[i], false);
	for (guint i = 0; i < delta->policies_new->len; i++)
		held_want_policy(dataplane, delta->policies_new->pdata[i], true);
	for (guint i = 0; i < delta->sets_new->len; i++)
		held_want_set(dataplane, delta->sets_new->pdata[i], true);
}

static gboolean alias_of(gpointer key, gpointer value, gpointer number)
{
	(void)key;
	return value == number;
}

/* Nearly always an image's number is the kernel's. */
static void forget_alias(GHashTable *aliases, uint32_t number, bool aliased)
{
	gpointer key = GUINT_TO_POINTER(number);

	if (aliased)
		g_hash_table_foreach_remove(aliases, alias_of, key);
	else if (g_hash_table_lookup(aliases, key) == key)
		g_hash_table_remove(aliases, key);
}

/* Whether an attached interface uses the policy, whatever the image says. */
static bool policy_in_use(struct dataplane *dataplane, uint32_t number)
{
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
		if (dataplane->ifaces[slot].ifindex &&
		    plan_current_conf(dataplane, slot, NULL)->policy == number)
			return true;
	return false;
}

/* Counters of a rule that no policy of the kernel contains any more. */
static int drop_rule(struct dataplane *dataplane, uint32_t rule, char **error)
{
	gpointer count_of = NULL;
	int code;

	if (!g_hash_table_lookup_extended(dataplane->rules, GUINT_TO_POINTER(rule), NULL,
					  &count_of) ||
	    count_of)
		return 0;
	code = table_delete(dataplane, TABLE_RULES, &rule, error);
	if (!code)
		g_hash_table_remove(dataplane->rules, GUINT_TO_POINTER(rule));
	return code;
}

void held_drop_rules_of(struct dataplane *dataplane, GBytes *content)
{
	struct held_cursor cursor = held_cursor_of(content);
	const struct sg_interval *intervals;
	const struct held_ports *ports;

	/* Counters that could not be removed go when all are looked through. */
	while ((ports = held_cursor_next(&cursor, &intervals)))
		for (uint32_t i = 0; i < ports->count; i++)
			drop_rule(dataplane, intervals[i].rule, NULL);
}

void held_drop_rules(struct dataplane *dataplane)
{
	g_autoptr(GArray) unused = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, dataplane->rules);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		uint32_t rule = GPOINTER_TO_UINT(key);

		if (!value)
			g_array_append_val(unused, rule);
	}
	for (guint i = 0; i < unused->len; i++)
		drop_rule(dataplane, g_array_index(unused, uint32_t, i), NULL);
}

int held_set_drop(struct dataplane *dataplane, uint32_t number, char **error)
{
	struct held_set *set = held_set_at(dataplane, number);
	int code;

	if (!set || set->wanted)
		return 0;
	code = table_delete(dataplane, TABLE_SETS, &number, error);
	if (code)
		return code;
	forget_alias(dataplane->set_alias, number, set->aliased);
	if (g_hash_table_lookup(dataplane->sets_by_content, set->content) == set)
		g_hash_table_remove(dataplane->sets_by_content, set->content);
	g_hash_table_remove(dataplane->sets, GUINT_TO_POINTER(number));
	return 0;
}

int held_policy_drop(struct dataplane *dataplane, uint32_t number, char **error)
{
	struct held_policy *policy = held_policy_at(dataplane, number);
	int code;

	if (!policy || policy->wanted || policy_in_use(dataplane, number))
		return 0;
	/* Nobody may find it by what it held once the first key is gone: the others may fail. */
	forget_alias(dataplane->policy_alias, number, policy->aliased);
	if (g_hash_table_lookup(dataplane->policies_by_content, policy->content) == policy)
		g_hash_table_remove(dataplane->policies_by_content, policy->content);
	if (policy->complete)
		count_names(dataplane, policy->content, -1);
	policy->complete = false;
	code = policy_remove(dataplane, policy, error);
	if (code)
		return code;
	outline_give(dataplane, policy->outline);
	held_drop_rules_of(dataplane, policy->content);
	g_hash_table_remove(dataplane->policies, GUINT_TO_POINTER(number));
	return 0;
}
