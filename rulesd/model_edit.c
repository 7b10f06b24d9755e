/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_edit.c - collecting the changes of a model, applying them and taking them back.
 */
#include "rulesd/model_edit.h"

#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/model_same.h"

/* ------------------------------------------------------------------ collecting */

static void object_free(enum model_kind kind, union model_object object)
{
	switch (kind) {
	case MODEL_KIND_SERVICE:
		model_service_free(object.service);
		break;
	case MODEL_KIND_NETWORK:
		model_network_free(object.network);
		break;
	case MODEL_KIND_PREFIX_LIST:
		model_prefix_list_free(object.list);
		break;
	case MODEL_KIND_GROUP:
		model_group_free(object.group);
		break;
	case MODEL_KIND_INTERFACE:
		model_interface_free(object.iface);
		break;
	}
}

struct model_edit *model_edit_new(void)
{
	struct model_edit *edit = g_new0(struct model_edit, 1);

	edit->changes = g_array_new(FALSE, FALSE, sizeof(struct model_change));
	return edit;
}

void model_edit_free(struct model_edit **edit)
{
	struct model_edit *own = TAKE_PTR(*edit);

	if (!own)
		return;
	for (guint i = 0; i < own->changes->len; i++) {
		struct model_change *change = model_edit_at(own, i);

		object_free(change->kind, own->applied ? change->old : change->new);
		g_free(change->network);
		g_free(change->id);
	}
	g_array_unref(own->changes);
	hash_index_free(&own->by_object);
	g_free(own);
}

/* Interface ids are unique across networks, but one edit may move an interface. */
struct object_key {
	const struct model_edit *edit;
	enum model_kind kind;
	const char *network, *id;
};

static uint64_t key_hash(enum model_kind kind, const char *network, const char *id)
{
	return hash_bytes(id, strlen(id)) + (uint64_t)kind * 31 +
	       (network ? hash_bytes(network, strlen(network)) << 1 : 0);
}

static bool is_of_object(const void *item, const void *key)
{
	const struct object_key *wanted = key;
	const struct model_change *change = model_edit_at(wanted->edit, GPOINTER_TO_UINT(item) - 1);

	return change->kind == wanted->kind && strcmp(change->id, wanted->id) == 0 &&
	       g_strcmp0(change->network, wanted->network) == 0;
}

struct model_change *model_edit_find(const struct model_edit *edit, enum model_kind kind,
				     const char *network, const char *id)
{
	const struct object_key key = {edit, kind, network, id};
	const void *found =
		hash_index_find(&edit->by_object, key_hash(kind, network, id), is_of_object, &key);

	return found ? model_edit_at(edit, GPOINTER_TO_UINT(found) - 1) : NULL;
}

static void index_change(struct model_edit *edit, guint position)
{
	const struct model_change *change = model_edit_at(edit, position);

	hash_index_add(&edit->by_object, key_hash(change->kind, change->network, change->id),
		       GUINT_TO_POINTER(position + 1));
}

static void index_all(struct model_edit *edit)
{
	hash_index_clear(&edit->by_object, edit->changes->len + edit->changes->len / 2 + 1);
	for (guint i = 0; i < edit->changes->len; i++)
		index_change(edit, i);
}

static void append(struct model_edit *edit, const struct model_change *change)
{
	g_array_append_vals(edit->changes, change, 1);
	if (hash_index_is_full(&edit->by_object, 1))
		index_all(edit);
	else
		index_change(edit, edit->changes->len - 1);
}

static void remove_change(struct model_edit *edit, struct model_change *change)
{
	g_free(change->network);
	g_free(change->id);
	g_array_remove_index(edit->changes,
			     (guint)(change - (struct model_change *)(void *)edit->changes->data));
	index_all(edit);
}

/* What the model has now. */
static union model_object find_object(const struct model *model, enum model_kind kind,
				      const char *network, const char *id)
{
	union model_object object = {NULL};

	switch (kind) {
	case MODEL_KIND_SERVICE:
		object.service = g_hash_table_lookup(model->services, id);
		break;
	case MODEL_KIND_NETWORK:
		object.network = model_network(model, id);
		break;
	case MODEL_KIND_PREFIX_LIST:
		object.list = model_prefix_list(model, network, id);
		break;
	case MODEL_KIND_GROUP:
		object.group = model_group(model, network, id);
		break;
	case MODEL_KIND_INTERFACE:
		object.iface = model_interface(model, id);
		if (object.iface && strcmp(object.iface->network, network) != 0)
			object.iface = NULL;
		break;
	}
	return object;
}

static bool is_enforced(const struct model_change *change)
{
	return !change->old.any || !change->new.any ||
	       !model_object_means_same(change->kind, change->old, change->new);
}

/* Takes object; there is a change with it unless nothing would be different. */
static void set_change(struct model_edit *edit, const struct model *model, enum model_kind kind,
		       const char *network, const char *id, union model_object object)
{
	struct model_change *known = model_edit_find(edit, kind, network, id);
	struct model_change change = {.kind = kind};

	if (known) {
		object_free(kind, known->new);
		known->new = object;
		known->enforced = is_enforced(known);
		if (!known->old.any && !known->new.any)
			remove_change(edit, known);
		return;
	}
	change.network = g_strdup(network);
	change.id = g_strdup(id);
	change.old = find_object(model, kind, network, id);
	change.new = object;
	change.enforced = is_enforced(&change);
	append(edit, &change);
}

/* What will be there when the edit is applied; NULL for nothing. */
static union model_object future_object(const struct model_edit *edit, const struct model *model,
					enum model_kind kind, const char *network, const char *id)
{
	const struct model_change *change = model_edit_find(edit, kind, network, id);

	return change ? change->new : find_object(model, kind, network, id);
}

static void default_group_comes(struct model_edit *edit, const struct model *model,
				const char *network)
{
	if (!future_object(edit, model, MODEL_KIND_GROUP, network, MODEL_DEFAULT_GROUP).any)
		set_change(edit, model, MODEL_KIND_GROUP, network, MODEL_DEFAULT_GROUP,
			   (union model_object){.group = model_default_group_new(network)});
}

/* A written one must be removed by itself. */
static void default_group_goes(struct model_edit *edit, const struct model *model,
			       const char *network)
{
	union model_object group =
		future_object(edit, model, MODEL_KIND_GROUP, network, MODEL_DEFAULT_GROUP);

	if (group.any && group.group->implied)
		set_change(edit, model, MODEL_KIND_GROUP, network, MODEL_DEFAULT_GROUP,
			   (union model_object){NULL});
}

static void network_comes(struct model_edit *edit, const struct model *model, const char *network)
{
	const struct model_change *change =
		model_edit_find(edit, MODEL_KIND_NETWORK, network, network);

	/* One that goes stays gone: validation says that it is not empty. */
	if (model_network(model, network) || (change && change->new.any))
		return;
	set_change(edit, model, MODEL_KIND_NETWORK, network, network,
		   (union model_object){.network = model_network_new(network)});
	default_group_comes(edit, model, network);
}

static bool set_network(struct model_edit *edit, const struct model *model, const char *network,
			union model_object object)
{
	if (!object.any && (strcmp(network, MODEL_DEFAULT_NETWORK) == 0 ||
			    !future_object(edit, model, MODEL_KIND_NETWORK, network, network).any))
		return false;
	set_change(edit, model, MODEL_KIND_NETWORK, network, network, object);
	if (object.any)
		default_group_comes(edit, model, network);
	else
		default_group_goes(edit, model, network);
	return true;
}

static bool remove_default_group(struct model_edit *edit, const struct model *model,
				 const char *network)
{
	const struct model_change *going =
		model_edit_find(edit, MODEL_KIND_NETWORK, network, network);
	union model_object group =
		future_object(edit, model, MODEL_KIND_GROUP, network, MODEL_DEFAULT_GROUP);

	if (!group.any || group.group->implied)
		return false;
	group.group = going && !going->new.any ? NULL : model_default_group_new(network);
	set_change(edit, model, MODEL_KIND_GROUP, network, MODEL_DEFAULT_GROUP, group);
	return true;
}

bool model_edit_set(struct model_edit *edit, const struct model *model, enum model_kind kind,
		    const char *network, const char *id, void *object)
{
	const union model_object taken = {object};

	g_assert(!edit->applied);
	if (kind == MODEL_KIND_NETWORK)
		return set_network(edit, model, id, taken);
	if (!object && kind == MODEL_KIND_GROUP && strcmp(id, MODEL_DEFAULT_GROUP) == 0)
		return remove_default_group(edit, model, network);
	if (!object && !future_object(edit, model, kind, network, id).any)
		return false;
	if (object && kind != MODEL_KIND_SERVICE)
		network_comes(edit, model, network);
	set_change(edit, model, kind, kind == MODEL_KIND_SERVICE ? NULL : network, id, taken);
	return true;
}

/* ------------------------------------------------------------------ applying */

static guint rank(const struct model_change *change)
{
	bool goes = change->kind == MODEL_KIND_NETWORK && !change->new.any;

	return goes ? MODEL_KIND_INTERFACE + 1 : change->kind;
}

static int compare_ranks(gconstpointer a, gconstpointer b)
{
	const struct model_change *x = a, *y = b;

	return (int)rank(x) - (int)rank(y);
}

void model_edit_sort(struct model_edit *edit)
{
	g_array_sort(edit->changes, compare_ranks);
	index_all(edit);
}

/* The network of the model stays where it is, because its objects hang on it. */
static void swap_network(struct model_change *change)
{
	const union model_object old = change->old;

	model_swap_settings(change->old.network, change->new.network);
	change->old = change->new;
	change->new = old;
}

static void exchange_named(GHashTable *table, const char *id, void *out, void *in)
{
	if (out)
		g_hash_table_steal(table, id);
	if (in)
		g_hash_table_insert(table, (gpointer)(uintptr_t)id, in);
}

/* Everything but networks that go and interfaces; out leaves the model, in comes. */
static void exchange(struct model *model, struct model_change *change, union model_object out,
		     union model_object in)
{
	const struct model_network *network;

	switch (change->kind) {
	case MODEL_KIND_SERVICE:
		exchange_named(model->services, in.any ? in.service->name : change->id, out.any,
			       in.any);
		break;
	case MODEL_KIND_NETWORK:
		if (in.any && out.any)
			swap_network(change);
		else if (in.any)
			model_add_network(model, in.network);
		break;
	case MODEL_KIND_PREFIX_LIST:
		network = model_network(model, change->network);
		exchange_named(network->prefix_lists, in.any ? in.list->id : change->id, out.any,
			       in.any);
		break;
	case MODEL_KIND_GROUP:
		network = model_network(model, change->network);
		exchange_named(network->groups, in.any ? in.group->id : change->id, out.any,
			       in.any);
		break;
	case MODEL_KIND_INTERFACE:
		break;
	}
}

/*
 * Networks first, as they come, then what hangs on them, then interfaces: all that go before all
 * that come, so that an address may pass from one to another; at last networks that go.
 */
static void swap_all(struct model_edit *edit, struct model *model, bool forward)
{
	for (int kind = MODEL_KIND_SERVICE; kind < MODEL_KIND_INTERFACE; kind++)
		for (guint i = 0; i < edit->changes->len; i++) {
			struct model_change *change = model_edit_at(edit, i);

			if (change->kind == (enum model_kind)kind)
				exchange(model, change, forward ? change->old : change->new,
					 forward ? change->new : change->old);
		}
	/* From the end: what was added last, and may be there twice, leaves the indexes first. */
	for (guint i = edit->changes->len; i-- > 0;) {
		struct model_change *change = model_edit_at(edit, i);
		union model_object out = forward ? change->old : change->new;

		if (change->kind == MODEL_KIND_INTERFACE && out.any)
			model_remove_interface(model, out.iface);
	}
	for (guint i = 0; i < edit->changes->len; i++) {
		struct model_change *change = model_edit_at(edit, i);
		union model_object out = forward ? change->old : change->new;
		union model_object in = forward ? change->new : change->old;

		if (change->kind == MODEL_KIND_INTERFACE && in.any)
			model_add_interface(model, in.iface);
		else if (change->kind == MODEL_KIND_NETWORK && !in.any)
			model_remove_network(model, out.network);
	}
	model_settle_interfaces(model);
	edit->applied = forward;
}

void model_edit_apply(struct model_edit *edit, struct model *model)
{
	g_assert(!edit->applied);
	model_edit_sort(edit);
	swap_all(edit, model, true);
}

void model_edit_undo(struct model_edit *edit, struct model *model)
{
	g_assert(edit->applied);
	swap_all(edit, model, false);
}
