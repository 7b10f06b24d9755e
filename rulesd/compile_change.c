/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_change.c - an image from the one before and an edit of the model: the order of the work.
 *
 *   1. networks that come
 *   2. what rules name: new rules before old ones, so that what stays is never let go
 *   3. lists of groups that interfaces carry; then what is named is settled
 *   4. sets of lists and of prefixes, and with them members
 *   5. policies and interfaces of this host
 *   6. what nothing refers to any more
 *
 * Every error is found before anything is taken back, as compile_image() finds them.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"
#include "rulesd/image_delta_log.h"
#include "rulesd/model_edit.h"

struct work {
	struct compile compile;
	const struct model_edit *edit;
	GPtrArray *before, *after; /* of struct model_interface */
};

static struct image_zone *zone_of(const struct work *work, const struct model_change *change)
{
	return image_zone_of(work->compile.image, change->network);
}

/* ---------------------------------------------------------------- 1, 2, 3: what is asked for */

static void make_zones(struct work *work)
{
	for (guint i = 0; i < work->edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(work->edit, i);

		if (change->kind != MODEL_KIND_SERVICE)
			compile_zone(&work->compile, change->network);
	}
}

static void count_names(struct work *work, bool more)
{
	for (guint i = 0; i < work->edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(work->edit, i);
		const union model_object *object = more ? &change->new : &change->old;

		if (!change->enforced || !object->any)
			continue;
		if (change->kind == MODEL_KIND_GROUP)
			compile_group_names(&work->compile, zone_of(work, change), object->group,
					    more);
		if (change->kind == MODEL_KIND_NETWORK)
			compile_exempt_names(&work->compile, zone_of(work, change), object->network,
					     more);
	}
}

static bool names_group(const struct model_group *group, const char *network, const char *id,
			enum model_peer_kind kind)
{
	for (int dir = 0; dir < SG_DIRS; dir++) {
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			const struct model_rule *rule = g_ptr_array_index(group->rules[dir], i);

			for (guint j = 0; j < rule->peers->len; j++) {
				const struct model_peer *peer = g_ptr_array_index(rule->peers, j);

				if (peer->kind == kind && strcmp(peer->id, id) == 0 &&
				    (kind != MODEL_PEER_GROUP ||
				     strcmp(peer->network, network) == 0))
					return true;
			}
		}
	}
	return false;
}

/* The rules of a network that name what became, or is no longer, external: their text is what it
 * was, but not what it matches. That is rare, so all groups are looked through. */
static void dirty_referrers(struct work *work, struct image_zone *zone, const char *network,
			    const char *id, enum model_peer_kind kind)
{
	const struct model_network *own = model_network(work->compile.model, zone->network);
	GHashTableIter iter;
	gpointer value;

	if (!own)
		return;
	g_hash_table_iter_init(&iter, zone->groups);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct image_group *group = value;
		const struct model_group *rules = g_hash_table_lookup(own->groups, group->id);

		if (group->rules && rules && names_group(rules, network, id, kind))
			compile_dirty_group(&work->compile, group);
	}
}

static void change_group(struct work *work, const struct model_change *change)
{
	struct image_zone *zone = zone_of(work, change);
	struct image_group *group = g_hash_table_lookup(zone->groups, change->id);
	const struct model_group *old = change->old.group, *new = change->new.group;

	if (!group)
		return;
	compile_dirty_group(&work->compile, group);
	if ((old && !old->external) == (new && !new->external))
		return;
	compile_touch_group(&work->compile, zone, change->id);
	for (guint i = 0; old && new &&i < group->refs.len; i++)
		dirty_referrers(work, ((struct zone_peer *)group->refs.at[i])->zone, zone->network,
				change->id, MODEL_PEER_GROUP);
}

static void change_list(struct work *work, const struct model_change *change)
{
	struct image_zone *zone = zone_of(work, change);
	const struct model_prefix_list *old = change->old.list, *new = change->new.list;
	char name[COMPILE_NAME_SIZE];

	g_hash_table_insert(work->compile.old_lists,
			    g_strdup(compile_name_of_id(zone->network, change->id, name)),
			    change->old.list);
	compile_touch_prefix_list(&work->compile, zone, change->id);
	if (old && new && old->external != new->external)
		dirty_referrers(work, zone, NULL, change->id, MODEL_PEER_PREFIX_LIST);
}

static void change_network(struct work *work, const struct model_change *change)
{
	struct image_zone *zone = zone_of(work, change);

	if (!change->new.network)
		return;
	compile_dirty_zone(&work->compile, zone);
	compile_zone_conntrack(&work->compile, zone);
}

static void change_objects(struct work *work)
{
	for (guint i = 0; i < work->edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(work->edit, i);

		if (!change->enforced)
			continue;
		switch (change->kind) {
		case MODEL_KIND_NETWORK:
			change_network(work, change);
			break;
		case MODEL_KIND_PREFIX_LIST:
			change_list(work, change);
			break;
		case MODEL_KIND_GROUP:
			change_group(work, change);
			break;
		case MODEL_KIND_SERVICE:
		case MODEL_KIND_INTERFACE:
			break;
		}
	}
}

/* Also those of which only the text differs: the model holds another object now. */
static void carry(struct work *work)
{
	struct compile *compile = &work->compile;

	for (guint i = 0; i < work->edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(work->edit, i);
		struct model_interface *old = change->old.iface, *new = change->new.iface;

		if (change->kind != MODEL_KIND_INTERFACE)
			continue;
		if (new) {
			compile_carry(compile, zone_of(work, change), new);
			g_hash_table_add(compile->edited, new);
			g_ptr_array_add(work->after, new);
		}
		if (old) {
			compile_uncarry(compile, zone_of(work, change), old);
			g_ptr_array_add(work->before, old);
		}
	}
}

/* ---------------------------------------------------------------- 5: interfaces of this host */

static void change_ifaces(struct work *work)
{
	struct compile *compile = &work->compile;

	for (guint i = 0; i < work->before->len; i++)
		compile_iface_gone(compile, ((struct model_interface *)work->before->pdata[i])->id);
	for (guint i = 0; i < work->after->len; i++)
		if (compile_is_ours(work->after->pdata[i], compile->host))
			compile_iface(compile, work->after->pdata[i]);
	compile_policies(compile);
}

/* ---------------------------------------------------------------- 6: what is left over */

static void sweep_sets(struct compile *compile)
{
	struct image *image = compile->image;

	for (guint i = 0; i < compile->idle_sets->len; i++) {
		struct image_set *set = compile->idle_sets->pdata[i];
		gpointer number = GUINT_TO_POINTER(set->number);

		if (set->users || g_hash_table_lookup(image->sets_by_number, number) != set)
			continue;
		journal_remove(compile->journal, image->sets, set);
		journal_remove(compile->journal, image->sets_by_number, number);
		journal_replaced(compile->journal, set, image_set_free);
		if (!set->fresh)
			g_ptr_array_add(compile->delta->sets_gone, set);
	}
	for (guint i = 0; i < compile->fresh_sets->len; i++)
		if (((struct image_set *)compile->fresh_sets->pdata[i])->users)
			g_ptr_array_add(compile->delta->sets_new, compile->fresh_sets->pdata[i]);
}

static void sweep_policies(struct compile *compile)
{
	struct image *image = compile->image;

	for (guint i = 0; i < compile->idle_policies->len; i++) {
		struct image_policy *policy = compile->idle_policies->pdata[i];
		gpointer number = GUINT_TO_POINTER(policy->number);

		if (policy->users ||
		    g_hash_table_lookup(image->policies_by_number, number) != policy)
			continue;
		journal_remove(compile->journal, image->policies, policy);
		journal_remove(compile->journal, image->policies_by_number, number);
		journal_replaced(compile->journal, policy, image_policy_free);
		if (!policy->fresh)
			g_ptr_array_add(compile->delta->policies_gone, policy);
	}
	for (guint i = 0; i < compile->fresh_policies->len; i++)
		if (((struct image_policy *)compile->fresh_policies->pdata[i])->users)
			g_ptr_array_add(compile->delta->policies_new,
					compile->fresh_policies->pdata[i]);
}

static void sweep_group(struct compile *compile, struct image_zone *zone, const char *id)
{
	struct image_group *group = g_hash_table_lookup(zone->groups, id);

	if (!group || group->lists.len || group->refs.len)
		return;
	journal_remove(compile->journal, zone->groups, group->id);
	journal_replaced(compile->journal, group, image_group_free);
}

static void sweep_zone(struct compile *compile, const char *network)
{
	struct image_zone *zone = image_zone_of(compile->image, network);

	journal_remove(compile->journal, compile->image->zones_by_number,
		       GUINT_TO_POINTER(zone->number));
	journal_remove(compile->journal, compile->image->zones, zone->network);
	journal_replaced(compile->journal, zone, image_zone_free);
}

static void sweep_objects(struct work *work)
{
	for (guint i = 0; i < work->edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(work->edit, i);

		if (change->kind == MODEL_KIND_GROUP && !change->new.any)
			sweep_group(&work->compile, zone_of(work, change), change->id);
	}
	/* Only now: what was in them is gone, so that they are freed alone. */
	for (guint i = 0; i < work->edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(work->edit, i);

		if (change->kind == MODEL_KIND_NETWORK && !change->new.any)
			sweep_zone(&work->compile, change->network);
	}
}

static void list_ifaces(struct compile *compile)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, compile->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_iface_change *change = value;

		if (!change->before || !change->after ||
		    compile_iface_differs(change->before, change->after))
			g_array_append_val(compile->delta->ifaces, *change);
	}
}

static guint errors(const struct diag *diag)
{
	return diag->entries->len + diag->left_out;
}

static void work_clear(struct work *work)
{
	g_ptr_array_unref(work->before);
	g_ptr_array_unref(work->after);
	compile_clear(&work->compile);
}

static void run(struct work *work)
{
	struct compile *compile = &work->compile;

	make_zones(work);
	count_names(work, true);
	count_names(work, false);
	change_objects(work);
	carry(work);
	compile_settle_peers(compile);
	compile_dirty_sets(compile);
	compile_prefixes(compile);
	compile_members(compile, work->before, work->after);
	change_ifaces(work);
}

static void sweep(struct work *work)
{
	struct compile *compile = &work->compile;

	compile_sweep_lists(compile);
	compile_prune_prefixes(compile);
	sweep_sets(compile);
	sweep_policies(compile);
	sweep_objects(work);
	list_ifaces(compile);
}

int compile_change(struct image *image, const struct model *model, const struct model_edit *edit,
		   struct numbers *numbers, const char *host, struct image_delta **delta,
		   struct diag *diag)
{
	struct image_delta *made = image_delta_new(numbers);
	guint before = errors(diag);
	bool failed;

	g_assert(model == image->model && edit->applied);
	{
		CLEANUP(work_clear)
		struct work work = {
			.compile = {.model = model,
				    .numbers = numbers,
				    .host = host,
				    .image = image,
				    .diag = diag,
				    .delta = made,
				    .journal = made->log->journal},
			.edit = edit,
			.before = g_ptr_array_new(),
			.after = g_ptr_array_new(),
		};

		compile_init(&work.compile);
		run(&work);
		failed = errors(diag) != before;
		if (!failed)
			sweep(&work);
		for (guint i = 0; i < work.compile.slots->len; i++)
			g_ptr_array_add(made->log->slots, g_strdup(work.compile.slots->pdata[i]));
	}
	if (failed) {
		image_delta_undo(image, &made);
		return -EINVAL;
	}
	*delta = made;
	return 0;
}
