/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate_edit.c - whether a valid model is still valid with an edit: looks at what the edit can
 * have broken, and only when something is broken at everything, to say it as ever.
 */
#include "rulesd/validate.h"

#include <errno.h>
#include <string.h>

#include "rulesd/validate_internal.h"

/* What went, or may no longer be referred to, and where from. */
struct losses {
	bool rules_of_all; /* a network: rules of any other may refer to what it had */
	GHashTable *rules; /* names of networks whose rules are looked at */
	GHashTable *lists; /* likewise with the lists of groups that interfaces carry */
};

/* Groups of a network are referred to by its own rules and by those of networks that list it. */
static void group_is_lost(struct losses *losses, const struct model *model, const char *name)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_add(losses->lists, (gpointer)(uintptr_t)name);
	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_network *network = value;

		if (network->peers->len || strcmp(network->name, name) == 0)
			g_hash_table_add(losses->rules, (gpointer)(uintptr_t)network->name);
	}
}

static void find_losses(struct losses *losses, const struct model *model,
			const struct model_change *change)
{
	bool goes = change->old.any && !change->new.any;

	switch (change->kind) {
	case MODEL_KIND_NETWORK:
		losses->rules_of_all |= goes;
		if (!goes && change->old.any)
			g_hash_table_add(losses->rules, change->network);
		break;
	case MODEL_KIND_PREFIX_LIST:
		if (goes)
			g_hash_table_add(losses->rules, change->network);
		break;
	case MODEL_KIND_GROUP:
		if (goes)
			group_is_lost(losses, model, change->network);
		else if (change->new.group->external)
			g_hash_table_add(losses->lists, change->network);
		break;
	case MODEL_KIND_SERVICE:
	case MODEL_KIND_INTERFACE:
		break;
	}
}

static bool are_rules_fine(const struct validation *v, const struct model_network *network)
{
	GHashTableIter iter;
	gpointer group;

	g_hash_table_iter_init(&iter, network->groups);
	while (g_hash_table_iter_next(&iter, NULL, &group))
		if (!validate_group_is_fine(v, group))
			return false;
	return true;
}

static bool are_lists_fine(const struct validation *v, const struct model_network *network)
{
	GHashTableIter iter;
	gpointer groups;

	g_hash_table_iter_init(&iter, network->carried);
	while (g_hash_table_iter_next(&iter, &groups, NULL))
		if (!validate_groups_are_fine(v, network, groups))
			return false;
	return true;
}

static bool are_peers_fine(const struct model *model, const struct model_network *network)
{
	for (guint i = 0; i < network->peers->len; i++)
		if (!model_network(model, network->peers->pdata[i]))
			return false;
	return true;
}

/* What lost something that it may refer to. */
static bool are_others_fine(const struct validation *v, const struct losses *losses)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, v->model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_network *network = value;

		if (losses->rules_of_all && !are_peers_fine(v->model, network))
			return false;
		if ((losses->rules_of_all || g_hash_table_contains(losses->rules, network->name)) &&
		    !are_rules_fine(v, network))
			return false;
		if (g_hash_table_contains(losses->lists, network->name) &&
		    !are_lists_fine(v, network))
			return false;
	}
	return true;
}

/* The new object itself. */
static bool is_fine(const struct validation *v, const struct model_change *change)
{
	const struct model_network *network;

	switch (change->kind) {
	case MODEL_KIND_SERVICE:
		return true;
	case MODEL_KIND_NETWORK:
		return are_peers_fine(v->model, change->new.network);
	case MODEL_KIND_PREFIX_LIST:
		return change->new.list->entries->len <= MODEL_MAX_ENTRIES_OF_LIST;
	case MODEL_KIND_GROUP:
		return validate_group_is_fine(v, change->new.group);
	case MODEL_KIND_INTERFACE:
		network = model_network(v->model, change->network);
		return validate_groups_are_fine(v, network, change->new.iface->groups);
	}
	return false;
}

static bool is_model_fine(const struct model *model, const struct model_edit *edit)
{
	g_autoptr(GHashTable) rules = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) lists = g_hash_table_new(g_str_hash, g_str_equal);
	struct losses losses = {.rules = rules, .lists = lists};
	const struct validation v = {.model = model, .references = true};

	for (guint i = 0; i < edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(edit, i);

		find_losses(&losses, model, change);
		if (change->new.any && !is_fine(&v, change))
			return false;
	}
	return !model_may_repeat(model) && validate_totals_are_fine(model) &&
	       are_others_fine(&v, &losses);
}

/* A network that goes and has something left is no part of the model any more: nothing else can be
 * said about the model then. */
static bool leftovers(const struct model_edit *edit, struct diag *diag)
{
	bool any = false;

	for (guint i = 0; i < edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(edit, i);
		const struct model_network *network = change->old.network;
		guint groups, lists;
		g_autofree char *pointer = NULL;

		if (change->kind != MODEL_KIND_NETWORK || change->new.any)
			continue;
		groups = g_hash_table_size(network->groups);
		lists = g_hash_table_size(network->prefix_lists);
		if (!groups && !lists && !network->interfaces->len)
			continue;
		any = true;
		pointer = g_strdup_printf("/networks/%s", change->id);
		diag_add(diag, "not-empty", change->place, pointer,
			 "remove them too, or write {} to take away its settings only",
			 "network \"%s\" has %u groups, %u prefix lists and %u interfaces left",
			 change->id, groups, lists, network->interfaces->len);
	}
	return any;
}

int model_validate_edit(const struct model *model, const struct model_edit *edit, struct diag *diag)
{
	if (leftovers(edit, diag))
		return -EINVAL;
	if (is_model_fine(model, edit))
		return 0;
	return validate_whole(model, edit, true, diag);
}
