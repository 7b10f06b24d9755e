/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_edit_plan.c - which policies of a change are better written into ones that go (bpf_edit.c),
 * and what differs between the two.
 */
#include "rulesd/bpf_internal.h"

#include <string.h>

#include "rulesd/cleanup.h"

/* Entries of one policy; more are written under a fresh number. */
#define MAX_ENTRIES 64u

/* ------------------------------------------------------------------ which policy becomes which */

/* What stands for "more than one". */
static struct image_policy several;

struct pairs {
	GHashTable *after;  /* policy before -> the one that all its interfaces get */
	GHashTable *before; /* and the other way round */
};

static void pair(GHashTable *pairs, const struct image_policy *one,
		 const struct image_policy *other)
{
	gpointer known, key = (gpointer)(uintptr_t)one;

	if (!one)
		return;
	if (!other || (g_hash_table_lookup_extended(pairs, key, NULL, &known) && known != other))
		other = &several;
	g_hash_table_insert(pairs, key, (gpointer)(uintptr_t)other);
}

static void pairs_of(const struct image_delta *delta, struct pairs *pairs)
{
	for (guint i = 0; i < delta->ifaces->len; i++) {
		const struct image_iface_change *iface =
			&g_array_index(delta->ifaces, struct image_iface_change, i);
		const struct image_policy *old = iface->before ? iface->before->policy : NULL,
					  *new = iface->after ? iface->after->policy : NULL;

		/* One that comes or goes, or moves to another device, is attached or detached
		 * apart from the flip. */
		if (old && new && iface->before->slot != iface->after->slot)
			old = &several;
		pair(pairs->after, old, new);
		pair(pairs->before, new, old);
	}
}

/*
 * Whether the attached interfaces that use the kernel's policy are exactly those that get the new
 * one; and none of their configurations is so new that changing an entry could meet it: then
 * another number is stored into it, which waits for nobody (bpf_settle.c).
 */
static bool used_alone(struct dataplane *dataplane, const struct image_delta *delta,
		       const struct image_policy *old, uint32_t number)
{
	uint64_t settled = settle_generation(dataplane);
	unsigned int ours = 0, current;

	for (guint i = 0; i < delta->ifaces->len; i++) {
		const struct image_iface_change *iface =
			&g_array_index(delta->ifaces, struct image_iface_change, i);
		uint32_t slot = iface->before ? iface->before->slot : 0;

		if (!slot || slot > SG_MAX_SLOTS || iface->before->policy != old ||
		    !dataplane->held[slot].ifindex ||
		    plan_current_conf(dataplane, slot, &current)->policy != number)
			continue;
		if (dataplane->ifaces[slot].since[current] > settled)
			return false;
		ours++;
	}
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
		if (dataplane->held[slot].ifindex &&
		    plan_current_conf(dataplane, slot, NULL)->policy == number && ours-- == 0)
			return false;
	return true;
}

static bool is_gone(const struct image_delta *delta, const struct image_policy *policy)
{
	for (guint i = 0; i < delta->policies_gone->len; i++)
		if (delta->policies_gone->pdata[i] == policy)
			return true;
	return false;
}

/* ------------------------------------------------------------------ which entries differ */

static const struct sg_interval *intervals_of(const struct held_ports *ports)
{
	return (const void *)(ports + 1);
}

static bool same_ports(const struct held_ports *a, const struct held_ports *b)
{
	return a->count == b->count &&
	       !memcmp(intervals_of(a), intervals_of(b), a->count * sizeof(struct sg_interval));
}

static void add_entry(struct policy_edit *edit, const struct held_ports *old, uint32_t start,
		      const struct held_ports *new)
{
	struct ports_edit entry = {.key = held_key(edit->policy->number, new ? new : old),
				   .old = old,
				   .new = new,
				   .old_start = start,
				   .at = edit->starts->len};

	g_array_append_val(edit->entries, entry);
}

static void compare(struct policy_edit *edit)
{
	struct held_cursor left = held_cursor_of(edit->policy->content),
			   right = held_cursor_of(edit->content);
	const struct sg_interval *ignored;
	const struct held_ports *old = held_cursor_next(&left, &ignored),
				*new = held_cursor_next(&right, &ignored);
	guint at = 0;

	while (old || new) {
		int order = !old ? 1 : !new ? -1 : held_ports_compare(old, new);
		uint32_t start = order <= 0 ? g_array_index(edit->policy->starts, uint32_t, at) : 0;

		if (order || !same_ports(old, new))
			add_entry(edit, order <= 0 ? old : NULL, start, order >= 0 ? new : NULL);
		if (order >= 0)
			g_array_append_val(edit->starts, start);
		at += order <= 0;
		if (order <= 0)
			old = held_cursor_next(&left, &ignored);
		if (order >= 0)
			new = held_cursor_next(&right, &ignored);
	}
}

/* Peers whose flows may have lost the rule that allowed them. */
static void lose_peers(const struct policy_edit *edit, struct plan *plan)
{
	for (guint i = 0; i < edit->entries->len; i++) {
		const struct ports_edit *entry =
			&g_array_index(edit->entries, struct ports_edit, i);

		if (entry->old && (!entry->new || !held_ports_cover(entry->old, entry->new)))
			g_hash_table_add(plan->gone, GUINT_TO_POINTER(entry->key.peer));
	}
}

static bool has_tags(const struct dataplane *dataplane, const struct policy_edit *edit)
{
	for (guint i = 0; i < edit->entries->len; i++)
		if (!edit_free_tag(dataplane,
				   &g_array_index(edit->entries, struct ports_edit, i).key))
			return false;
	return true;
}

static bool edit_policy(struct dataplane *dataplane, const struct image_delta *delta,
			const struct image_policy *old, const struct image_policy *new,
			struct plan *plan)
{
	struct held_policy *held = held_policy_at(dataplane, held_policy_of(dataplane, old));
	struct policy_edit *edit;

	if (!held || !held->complete || !used_alone(dataplane, delta, old, held->number))
		return false;
	edit = g_new0(struct policy_edit, 1);
	edit->policy = held;
	edit->old = old;
	edit->new = new;
	edit->content = held_policy_content(new);
	edit->starts = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	edit->entries = g_array_new(FALSE, FALSE, sizeof(struct ports_edit));
	compare(edit);
	/* Each is two writes now and two later; what is left of entries goes with a policy. */
	if (edit->entries->len > MAX_ENTRIES ||
	    (held->empty && held->empty->len > MAX_ENTRIES + edit->starts->len) ||
	    edit->entries->len * 2 > edit->starts->len + delta->ifaces->len ||
	    !has_tags(dataplane, edit)) {
		edit_free(edit);
		return false;
	}
	lose_peers(edit, plan);
	g_hash_table_insert(dataplane->policy_alias, GUINT_TO_POINTER(new->number),
			    GUINT_TO_POINTER(held->number));
	g_ptr_array_add(plan->edits, edit);
	return true;
}

static void forget_aliases(struct dataplane *dataplane, const struct plan *plan)
{
	for (guint i = 0; i < plan->edits->len; i++) {
		const struct policy_edit *edit = plan->edits->pdata[i];

		g_hash_table_remove(dataplane->policy_alias, GUINT_TO_POINTER(edit->new->number));
	}
}

void edits_abandon(struct dataplane *dataplane, const struct plan *plan)
{
	forget_aliases(dataplane, plan);
	for (guint i = 0; i < plan->edits->len; i++)
		held_drop_rules_of(dataplane,
				   ((const struct policy_edit *)plan->edits->pdata[i])->content);
}

void edits_plan(struct dataplane *dataplane, const struct image_delta *delta, struct plan *plan)
{
	struct pairs pairs;

	if (!delta->policies_new->len || !delta->policies_gone->len || !delta->ifaces->len)
		return;
	pairs = (struct pairs){g_hash_table_new(NULL, NULL), g_hash_table_new(NULL, NULL)};
	pairs_of(delta, &pairs);
	for (guint i = 0; i < delta->policies_new->len; i++) {
		const struct image_policy *new = delta->policies_new->pdata[i];
		const struct image_policy *old = g_hash_table_lookup(pairs.before, new);

		if (!old || old == &several || g_hash_table_lookup(pairs.after, old) != new ||
		    !is_gone(delta, old) || held_policy_of(dataplane, new))
			continue;
		edit_policy(dataplane, delta, old, new, plan);
	}
	g_hash_table_unref(pairs.after);
	g_hash_table_unref(pairs.before);
	/* A fresh number waits for nobody. */
	if (settle_edits_fit(dataplane, plan))
		return;
	forget_aliases(dataplane, plan);
	g_ptr_array_set_size(plan->edits, 0);
	g_hash_table_remove_all(plan->gone);
}
