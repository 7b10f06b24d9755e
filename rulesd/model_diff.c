/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_diff.c - what makes one model of another: objects by their ids, side by side.
 */
#include "rulesd/model_diff.h"

#include <assert.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/model_same.h"

struct diff {
	struct model_edit *edit;
	const struct model *old;
	struct model *new;
};

static bool is_same(enum model_kind kind, union model_object a, union model_object b)
{
	return model_object_means_same(kind, a, b) && model_object_texts_same(kind, a, b);
}

/* Takes b, which may be NULL. */
static void add(struct diff *diff, enum model_kind kind, const char *network, const char *id,
		union model_object b)
{
	/* A removal may be implied already by that of the network. */
	model_edit_set(diff->edit, diff->old, kind, network, id, b.any);
}

/* Objects of one table of both: what differs leaves b. */
static void diff_tables(struct diff *diff, enum model_kind kind, const char *network, GHashTable *a,
			GHashTable *b)
{
	GHashTableIter iter;
	gpointer key, value;

	if (a) {
		g_hash_table_iter_init(&iter, a);
		while (g_hash_table_iter_next(&iter, &key, NULL))
			if (!b || !g_hash_table_contains(b, key))
				add(diff, kind, network, key, (union model_object){NULL});
	}
	if (!b)
		return;
	g_hash_table_iter_init(&iter, b);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const union model_object old = {a ? g_hash_table_lookup(a, key) : NULL};
		const union model_object new = {value};

		if (old.any && is_same(kind, old, new))
			continue;
		g_hash_table_iter_steal(&iter);
		add(diff, kind, network, key, new);
	}
}

static const struct model_interface *counterpart(const struct model *model,
						 const struct model_interface *iface)
{
	const struct model_interface *found = model_interface(model, iface->id);

	return found && strcmp(found->network, iface->network) == 0 ? found : NULL;
}

static void diff_interfaces(struct diff *diff, const struct model_network *a,
			    struct model_network *b)
{
	for (guint i = 0; a && i < a->interfaces->len; i++) {
		const struct model_interface *iface = a->interfaces->pdata[i];

		if (!counterpart(diff->new, iface))
			add(diff, MODEL_KIND_INTERFACE, a->name, iface->id,
			    (union model_object){NULL});
	}
	for (guint i = 0; b && i < b->interfaces->len; i++) {
		struct model_interface *iface = b->interfaces->pdata[i];
		const struct model_interface *known = counterpart(diff->old, iface);
		const union model_object old = {(gpointer)(uintptr_t)known};
		const union model_object new = {iface};

		if (!known || !is_same(MODEL_KIND_INTERFACE, old, new))
			add(diff, MODEL_KIND_INTERFACE, b->name, iface->id, new);
	}
}

/* What the edit took must not be freed with the rest. */
static void keep_taken(const struct diff *diff, struct model_network *network)
{
	GPtrArray *all = network->interfaces;

	for (guint i = 0; i < all->len; i++) {
		struct model_interface *iface = all->pdata[i];
		const struct model_change *change =
			model_edit_find(diff->edit, MODEL_KIND_INTERFACE, network->name, iface->id);

		if (!change || change->new.iface != iface)
			model_interface_free(iface);
	}
	g_ptr_array_set_free_func(all, NULL);
	g_ptr_array_set_size(all, 0);
}

static void diff_settings(struct diff *diff, struct model_network *a, struct model_network *b)
{
	struct model_network *settings;

	if (a && b && is_same(MODEL_KIND_NETWORK, (union model_object){a}, (union model_object){b}))
		return;
	if (!b) {
		add(diff, MODEL_KIND_NETWORK, a->name, a->name, (union model_object){NULL});
		return;
	}
	settings = model_network_new(b->name);
	model_swap_settings(settings, b);
	add(diff, MODEL_KIND_NETWORK, b->name, b->name, (union model_object){settings});
}

static void diff_networks(struct diff *diff, struct model_network *a, struct model_network *b)
{
	const char *name;

	assert(a || b);
	name = b ? b->name : a->name;
	/* First, so that a written sg-default replaces the implied one that comes with it. */
	diff_settings(diff, a, b);
	diff_tables(diff, MODEL_KIND_PREFIX_LIST, name, a ? a->prefix_lists : NULL,
		    b ? b->prefix_lists : NULL);
	diff_tables(diff, MODEL_KIND_GROUP, name, a ? a->groups : NULL, b ? b->groups : NULL);
	diff_interfaces(diff, a, b);
}

struct model_edit *model_diff(const struct model *old, struct model **new)
{
	struct diff diff = {.edit = model_edit_new(), .old = old, .new = *new};
	GHashTableIter iter;
	gpointer name, network;

	diff_tables(&diff, MODEL_KIND_SERVICE, NULL, old->services, diff.new->services);
	g_hash_table_iter_init(&iter, old->networks);
	while (g_hash_table_iter_next(&iter, &name, &network))
		diff_networks(&diff, network, model_network(diff.new, name));
	g_hash_table_iter_init(&iter, diff.new->networks);
	while (g_hash_table_iter_next(&iter, &name, &network))
		if (!model_network(old, name))
			diff_networks(&diff, NULL, network);
	g_hash_table_iter_init(&iter, diff.new->networks);
	while (g_hash_table_iter_next(&iter, NULL, &network))
		keep_taken(&diff, network);
	model_free(new);
	model_edit_sort(diff.edit);
	return diff.edit;
}
