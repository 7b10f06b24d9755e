/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lint_index.c - who carries, names and uses what: asked once, for all checks. */
#include <string.h>

#include "ctl/lint_internal.h"
#include "rulesd/cleanup.h"

static void free_group(gpointer data)
{
	struct lint_group *entry = data;

	if (entry->with)
		g_ptr_array_unref(entry->with);
	g_free(entry);
}

struct lint_group *lint_group_of(const struct lint *lint, const struct model_group *group)
{
	return g_hash_table_lookup(lint->groups, group);
}

static int compare_groups(gconstpointer a, gconstpointer b)
{
	const struct lint_group *x = *(const struct lint_group *const *)a;
	const struct lint_group *y = *(const struct lint_group *const *)b;
	int order = strcmp(x->group->network, y->group->network);

	return order ? order : strcmp(x->group->id, y->group->id);
}

static int compare_interfaces(gconstpointer a, gconstpointer b)
{
	const struct model_interface *x = *(const struct model_interface *const *)a;
	const struct model_interface *y = *(const struct model_interface *const *)b;

	return strcmp(x->id, y->id);
}

static void list_objects(struct lint *lint)
{
	GHashTableIter networks, objects;
	gpointer network, object;

	g_hash_table_iter_init(&networks, lint->model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		g_hash_table_iter_init(&objects, ((struct model_network *)network)->groups);
		while (g_hash_table_iter_next(&objects, NULL, &object)) {
			struct lint_group *entry = g_new0(struct lint_group, 1);

			entry->group = object;
			g_hash_table_insert(lint->groups, object, entry);
			g_ptr_array_add(lint->in_order, entry);
		}
		g_ptr_array_extend(lint->interfaces, ((struct model_network *)network)->interfaces,
				   NULL, NULL);
	}
	g_ptr_array_sort(lint->in_order, compare_groups);
	g_ptr_array_sort(lint->interfaces, compare_interfaces);
}

/* ------------------------------------------------------------------ rules */

static void use_peer(struct lint *lint, const struct model_group *group,
		     const struct model_peer *peer)
{
	const struct model_group *named;

	if (peer->kind == MODEL_PEER_PREFIX_LIST) {
		g_hash_table_add(lint->lists,
				 model_prefix_list(lint->model, peer->network, peer->id));
		return;
	}
	if (peer->kind != MODEL_PEER_GROUP)
		return;
	named = model_group(lint->model, peer->network, peer->id);
	if (named == group)
		lint_group_of(lint, named)->self = true;
	else
		lint_group_of(lint, named)->referenced = true;
	if (strcmp(peer->network, group->network) != 0)
		g_hash_table_add(lint->foreign,
				 g_strdup_printf("%s\n%s", group->network, peer->network));
}

static void use_rules(struct lint *lint, const struct model_group *group)
{
	for (int dir = 0; dir < SG_DIRS; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			const struct model_rule *rule = g_ptr_array_index(group->rules[dir], i);

			if (rule->service)
				g_hash_table_add(lint->services, g_strdup(rule->service));
			for (guint j = 0; j < rule->peers->len; j++)
				use_peer(lint, group, g_ptr_array_index(rule->peers, j));
		}
}

/* ------------------------------------------------------------------ interfaces */

/* What is left of the groups that all interfaces carry besides this one. */
static void keep_common(struct lint_group *entry, GPtrArray *carried)
{
	if (!entry->counted) {
		entry->with = g_ptr_array_new();
		for (guint i = 0; i < carried->len; i++)
			if (carried->pdata[i] != entry->group)
				g_ptr_array_add(entry->with, carried->pdata[i]);
		entry->counted = true;
		return;
	}
	for (guint i = entry->with->len; i-- > 0;)
		if (!g_ptr_array_find(carried, entry->with->pdata[i], NULL))
			g_ptr_array_remove_index(entry->with, i);
}

static void use_interface(struct lint *lint, const struct model_interface *iface)
{
	g_autoptr(GPtrArray) carried = g_ptr_array_new();

	for (uint32_t i = 0; i < iface->groups->count; i++)
		g_ptr_array_add(carried,
				model_group(lint->model, iface->network, iface->groups->ids[i]));
	for (guint i = 0; i < carried->len; i++) {
		struct lint_group *entry = lint_group_of(lint, carried->pdata[i]);

		entry->carriers++;
		entry->members += iface->address_count;
		if (!entry->carrier)
			entry->carrier = iface;
		keep_common(entry, carried);
	}
}

static void use_attached(struct lint *lint)
{
	for (guint i = 0; i < lint->in_order->len; i++) {
		struct lint_group *entry = g_ptr_array_index(lint->in_order, i);

		if (!lint_live_attached(lint->live, entry->group->network, entry->group->id))
			continue;
		entry->carriers++;
		entry->attached = true;
		/* What else it carries is not looked at: nothing is common for sure. */
		if (entry->with)
			g_ptr_array_set_size(entry->with, 0);
	}
}

void lint_index_make(struct lint *lint)
{
	lint->groups = g_hash_table_new_full(NULL, NULL, NULL, free_group);
	lint->in_order = g_ptr_array_new();
	lint->lists = g_hash_table_new(NULL, NULL);
	lint->services = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	lint->foreign = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	lint->interfaces = g_ptr_array_new();
	list_objects(lint);
	for (guint i = 0; i < lint->in_order->len; i++)
		use_rules(lint, ((const struct lint_group *)lint->in_order->pdata[i])->group);
	for (guint i = 0; i < lint->interfaces->len; i++)
		use_interface(lint, g_ptr_array_index(lint->interfaces, i));
	if (lint->live)
		use_attached(lint);
}

void lint_index_clear(struct lint *lint)
{
	g_hash_table_unref(lint->groups);
	g_ptr_array_unref(lint->in_order);
	g_hash_table_unref(lint->lists);
	g_hash_table_unref(lint->services);
	g_hash_table_unref(lint->foreign);
	g_ptr_array_unref(lint->interfaces);
}

/* ------------------------------------------------------------------ texts */

char *lint_peer_text(const struct model_peer *peer, const char *network)
{
	char cidr[CIDR_TEXT_SIZE];

	if (peer->kind == MODEL_PEER_ANY)
		return g_strdup("any");
	if (peer->kind == MODEL_PEER_CIDR)
		return g_strdup(cidr_format(&peer->cidr, cidr));
	if (g_strcmp0(peer->network, network) == 0)
		return g_strdup(peer->id);
	return g_strconcat(peer->network, ":", peer->id, NULL);
}

char *lint_join(const GPtrArray *texts)
{
	const guint shown = texts->len > 4 ? 3 : texts->len;
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < shown; i++) {
		bool last = i && i + 1 == texts->len;

		g_string_append_printf(out, "%s%s",
				       !i     ? ""
				       : last ? " and "
					      : ", ",
				       (const char *)texts->pdata[i]);
	}
	if (shown < texts->len)
		g_string_append_printf(out, " and %u more", texts->len - shown);
	return g_string_free(out, FALSE);
}

bool lint_peer_is_empty(const struct lint *lint, const struct model_peer *peer)
{
	const struct model_prefix_list *list;
	const struct lint_group *entry;

	if (peer->kind == MODEL_PEER_PREFIX_LIST) {
		list = model_prefix_list(lint->model, peer->network, peer->id);
		return list->external || !list->entries->len;
	}
	if (peer->kind != MODEL_PEER_GROUP)
		return false;
	entry = lint_group_of(lint, model_group(lint->model, peer->network, peer->id));
	/* Without any interface in the policy they are attached by hand. */
	return !entry->members && !entry->attached &&
	       (entry->group->external ||
		model_network(lint->model, peer->network)->interfaces->len);
}
