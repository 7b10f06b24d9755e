/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_settle.c - what can only be said when everything is read: names become ids, what is
 * missing becomes external, addresses are held by one.
 */
#include <errno.h>
#include <string.h>

#include "ctl/import_policy.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

static int by_id(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that reports do not depend on the hash. Of const char *, borrowed. */
static GPtrArray *ids_of(GHashTable *table)
{
	GPtrArray *ids = g_ptr_array_new();
	GHashTableIter iter;
	void *id;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		g_ptr_array_add(ids, id);
	g_ptr_array_sort(ids, by_id);
	return ids;
}

typedef void group_visitor(struct import *import, struct import_group *group);

static void each_group(struct import *import, group_visitor *visit)
{
	g_autoptr(GPtrArray) ids = ids_of(import->groups);

	for (guint i = 0; i < ids->len; i++)
		visit(import, g_hash_table_lookup(import->groups, ids->pdata[i]));
}

/* ------------------------------------------------------------------ one VPC of several */

/* What belongs to another VPC is known by name only. */
static void forget_group(struct import *import, struct import_group *group)
{
	if (!group->network || !strcmp(group->network, import->options.vpc))
		return;
	group->defined = group->carried = false;
	for (unsigned int dir = 0; dir < 2; dir++)
		g_ptr_array_set_size(group->rules[dir], 0);
}

static gboolean is_elsewhere(void *id, void *iface, void *vpc)
{
	const char *network = ((struct import_interface *)iface)->network;

	(void)id;
	return network && strcmp(network, vpc) != 0;
}

static void choose_vpc(struct import *import)
{
	if (!import->options.vpc)
		return;
	g_hash_table_foreach_remove(import->interfaces, is_elsewhere,
				    (void *)(uintptr_t)import->options.vpc);
	each_group(import, forget_group);
}

/* The references of what was forgotten do not count. */
static void count_named(struct import *import, struct import_group *group)
{
	(void)import;
	for (unsigned int dir = 0; dir < 2; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			const struct import_rule *rule = group->rules[dir]->pdata[i];

			for (guint j = 0; j < rule->peers->len; j++) {
				const struct import_peer *peer = rule->peers->pdata[j];
				struct import_group *named =
					peer->kind == IMPORT_PEER_GROUP
						? g_hash_table_lookup(import->groups, peer->value)
						: NULL;
				struct import_list *list =
					peer->kind == IMPORT_PEER_LIST
						? g_hash_table_lookup(import->lists, peer->value)
						: NULL;

				if (named && !peer->stale)
					named->named++;
				if (list)
					list->named++;
			}
		}
}

static void count_names_again(struct import *import)
{
	GHashTableIter iter;
	void *value;

	if (!import->options.vpc)
		return;
	g_hash_table_iter_init(&iter, import->groups);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		((struct import_group *)value)->named = 0;
	g_hash_table_iter_init(&iter, import->lists);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		((struct import_list *)value)->named = 0;
	each_group(import, count_named);
}

/* ------------------------------------------------------------------ references by name */

static const struct import_group *group_named(const struct import *import, const char *network,
					      const char *name)
{
	const struct import_group *found = NULL;
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, import->groups);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct import_group *group = value;

		/* Of two of one name, the one whose id sorts first: AWS has no two in a VPC. */
		if (group->defined && !g_strcmp0(group->name, name) &&
		    !g_strcmp0(group->network, network) &&
		    (!found || strcmp(group->id, found->id) < 0))
			found = group;
	}
	return found;
}

static void resolve_peer(struct import *import, const struct import_group *of,
			 const struct import_rule *rule, struct import_peer *peer)
{
	struct import_node nowhere = {.file = rule->place.file};
	bool foreign = json_object_get(peer->extra, "UserId") != NULL;
	const struct import_group *group =
		foreign ? NULL : group_named(import, of->network, peer->value);
	g_autofree char *made = g_strconcat("name-", peer->value, NULL);
	g_autofree char *id = NULL;
	struct import_group *external;

	peer->kind = IMPORT_PEER_GROUP;
	if (group) {
		import_report_add_at(import->report, IMPORT_SAME, "group-name", of->id,
				     rule->place.file, rule->place.pointer,
				     "the group named %s is %s", peer->value, group->id);
		import_set(&peer->value, group->id);
		((struct import_group *)(uintptr_t)group)->named++;
		return;
	}
	id = import_id(import, made, "sg-", &nowhere);
	external = import_group(import, id);
	external->named++;
	import_set(&external->name, peer->value);
	external->place.file = rule->place.file;
	import_set(&external->place.pointer, rule->place.pointer);
	import_set(&peer->value, id);
}

/* A stale reference to a group that is here must not become a reference to it. */
static void resolve_stale(struct import *import, struct import_peer *peer)
{
	const struct import_group *group = g_hash_table_lookup(import->groups, peer->value);
	struct import_node nowhere = {.file = group->place.file};
	g_autofree char *text = NULL;
	g_autofree char *id = NULL;
	struct import_group *stale;

	if (!group->defined && !group->carried)
		return;
	text = g_strconcat(peer->value, ".stale", NULL);
	id = import_id(import, text, "sg-", &nowhere);
	import_set_extra(&peer->extra, "GroupId", peer->value);
	stale = import_group(import, id);
	import_set(&stale->owner, group->owner);
	import_set(&peer->value, id);
}

static void resolve_names(struct import *import, struct import_group *group)
{
	for (unsigned int dir = 0; dir < 2; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			struct import_rule *rule = group->rules[dir]->pdata[i];

			for (guint j = 0; j < rule->peers->len; j++) {
				struct import_peer *peer = rule->peers->pdata[j];

				if (peer->kind == IMPORT_PEER_GROUP_NAME)
					resolve_peer(import, group, rule, peer);
				else if (peer->stale)
					resolve_stale(import, peer);
			}
		}
}

/* ------------------------------------------------------------------ what is missing */

static void report_external(struct import *import, const struct import_group *group)
{
	bool elsewhere = import->options.vpc && group->network &&
			 strcmp(import->options.vpc, group->network) != 0;
	const char *what = elsewhere ? " of " : group->owner ? " of account " : "";
	const char *whose = elsewhere ? group->network : group->owner ? group->owner : "";

	import_report_add_at(import->report, IMPORT_NARROWER, "external-group", group->id,
			     group->place.file, group->place.pointer,
			     "the group%s%s is not %s: it is external and matches nothing", what,
			     whose, elsewhere ? "imported" : "in these files");
}

static void settle_group(struct import *import, struct import_group *group)
{
	if (group->defined) {
		if (!group->described)
			import_report_add_at(
				import->report, IMPORT_ASSUMED, "partial", group->id,
				group->place.file, group->place.pointer,
				"only rules of the group are given: they are taken for "
				"all of them");
		return;
	}
	if (group->carried) {
		group->defined = true;
		import_report_add_at(import->report, IMPORT_NARROWER, "no-rules", group->id,
				     group->place.file, group->place.pointer,
				     "interfaces carry the group, its rules are not in these "
				     "files: nothing may pass");
		return;
	}
	if (group->named)
		report_external(import, group);
}

static void settle_lists(struct import *import)
{
	g_autoptr(GPtrArray) ids = ids_of(import->lists);

	for (guint i = 0; i < ids->len; i++) {
		const struct import_list *list = g_hash_table_lookup(import->lists, ids->pdata[i]);

		if (!list->entries)
			import_report_add_at(
				import->report, IMPORT_NARROWER, "external-prefix-list", list->id,
				list->place.file, list->place.pointer,
				"the entries of the prefix list are not in these files: "
				"it is external and matches nothing");
	}
}

/* The only list that waits for entries, or NULL. */
static struct import_list *waiting_list(const struct import *import)
{
	struct import_list *found = NULL;
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, import->lists);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct import_list *list = value;

		if (list->entries)
			continue;
		if (found)
			return NULL;
		found = list;
	}
	return found;
}

static char *list_of_file(struct import *import, const struct import_list *orphan)
{
	g_autofree char *base = g_path_get_basename(orphan->place.file);
	struct import_node nowhere = {.file = orphan->place.file};
	char *dot = strrchr(base, '.');

	if (dot && dot != base)
		*dot = '\0';
	return import_id(import, base, "pl-", &nowhere);
}

static void adopt(struct import *import, struct import_list *orphan, struct import_list *list)
{
	if (!list) {
		g_autofree char *id = list_of_file(import, orphan);

		list = import_list(import, id);
		list->place.file = orphan->place.file;
		import_set(&list->place.pointer, orphan->place.pointer);
	}
	import_report_add_at(import->report, IMPORT_ASSUMED, "entries", list->id,
			     orphan->place.file, orphan->place.pointer,
			     "the file does not say whose entries these are: they are taken for "
			     "those of %s (--entries FILE=pl-ID says it)",
			     list->id);
	if (!list->entries)
		list->entries = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < orphan->entries->len; i++)
		g_ptr_array_add(list->entries, g_strdup(orphan->entries->pdata[i]));
	json_object_update(list->entry_descriptions, orphan->entry_descriptions);
}

static void settle_orphans(struct import *import)
{
	struct import_list *list = import->orphans->len == 1 ? waiting_list(import) : NULL;

	for (guint i = 0; i < import->orphans->len; i++)
		adopt(import, import->orphans->pdata[i], list);
}

/* ------------------------------------------------------------------ addresses */

/*
 * Within a network an address belongs to one interface. In a document of several VPCs they share
 * one; then only the caller can say what to do.
 */
static int check_addresses(struct import *import, bool apart)
{
	g_autoptr(GHashTable) owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) ids = ids_of(import->interfaces);
	int result = 0;

	for (guint i = 0; i < ids->len; i++) {
		const struct import_interface *iface =
			g_hash_table_lookup(import->interfaces, ids->pdata[i]);

		for (guint j = 0; j < iface->addresses->len; j++) {
			const char *address = iface->addresses->pdata[j];
			g_autofree char *key = g_strdup_printf(
				"%s %s", apart && iface->network ? iface->network : "", address);
			const struct import_interface *other = g_hash_table_lookup(owners, key);

			if (!other) {
				g_hash_table_insert(owners, g_steal_pointer(&key),
						    (void *)(uintptr_t)iface);
				continue;
			}
			diag_add(import->diag, "duplicate-address",
				 (struct place){.file = iface->place.file}, iface->place.pointer,
				 g_strcmp0(iface->network, other->network)
					 ? "--vpc VPC for one of them, or --output-dir DIR for a "
					   "file for each"
					 : NULL,
				 "%s has %s, which %s of %s has: a network has an address once",
				 iface->id, address, other->id,
				 other->network ? other->network : "the same network");
			result = -EINVAL;
		}
	}
	return result;
}

/* Terraform's interfaces do not say their VPC; their groups do. */
static void find_network(struct import *import, struct import_interface *iface)
{
	for (guint i = 0; !iface->network && i < iface->groups->len; i++)
		iface->network = g_strdup(import_group(import, iface->groups->pdata[i])->network);
}

/* An interface carries groups of its own VPC. */
static void keep_own_groups(struct import *import, struct import_interface *iface)
{
	for (guint i = 0; i < iface->groups->len;) {
		const struct import_group *group = import_group(import, iface->groups->pdata[i]);

		if (!g_strcmp0(group->network, iface->network)) {
			i++;
			continue;
		}
		import_report_add_at(import->report, IMPORT_LEFT_OUT, "other-vpc", iface->id,
				     iface->place.file, iface->place.pointer,
				     "the interface cannot carry %s of another VPC", group->id);
		g_ptr_array_remove_index(iface->groups, i);
	}
}

static void settle_interfaces(struct import *import, bool apart)
{
	g_autoptr(GPtrArray) ids = ids_of(import->interfaces);

	for (guint i = 0; i < ids->len; i++) {
		struct import_interface *iface =
			g_hash_table_lookup(import->interfaces, ids->pdata[i]);

		find_network(import, iface);
		if (apart)
			keep_own_groups(import, iface);
		if (iface->groups->len)
			continue;
		import_report_add_at(import->report, IMPORT_LEFT_OUT, "no-groups", iface->id,
				     iface->place.file, iface->place.pointer,
				     "no group is left that the interface could carry");
		g_hash_table_remove(import->interfaces, ids->pdata[i]);
	}
}

int import_settle(struct import *import, bool apart)
{
	settle_interfaces(import, apart);
	choose_vpc(import);
	each_group(import, resolve_names);
	count_names_again(import);
	settle_orphans(import);
	each_group(import, import_settle_families);
	each_group(import, import_settle_rules);
	each_group(import, settle_group);
	settle_lists(import);
	return check_addresses(import, apart);
}
