/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate.c - what only the whole model can tell: references, uniqueness, limits.
 *
 * Objects are looked at in the order of their places, so that two runs say the same. A pointer
 * leads to the value inside the object; load.c finds its line and column.
 */
#include "rulesd/validate.h"

#include <errno.h>
#include <string.h>

#include "rulesd/validate_internal.h"

static int compare_places(const struct place *a, const struct place *b)
{
	int order = g_strcmp0(a->file, b->file);

	if (order)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column != b->column ? (a->column < b->column ? -1 : 1) : 0;
}

static int compare_networks(gconstpointer a, gconstpointer b)
{
	const struct model_network *x = *(const struct model_network *const *)a;
	const struct model_network *y = *(const struct model_network *const *)b;

	return strcmp(x->name, y->name);
}

static int compare_groups(gconstpointer a, gconstpointer b)
{
	const struct model_group *x = *(const struct model_group *const *)a;
	const struct model_group *y = *(const struct model_group *const *)b;
	int order = compare_places(&x->place, &y->place);

	return order ? order : strcmp(x->id, y->id);
}

/* validation: those that came last are to blame. */
static int compare_interfaces(gconstpointer a, gconstpointer b, gpointer validation)
{
	const struct model_interface *x = *(const struct model_interface *const *)a;
	const struct model_interface *y = *(const struct model_interface *const *)b;
	GHashTable *newer = ((const struct validation *)validation)->newer;
	int order = newer ? g_hash_table_contains(newer, x) - g_hash_table_contains(newer, y) : 0;

	if (!order)
		order = compare_places(&x->place, &y->place);
	return order ? order : strcmp(x->id, y->id);
}

static int compare_lists(gconstpointer a, gconstpointer b)
{
	const struct model_prefix_list *x = *(const struct model_prefix_list *const *)a;
	const struct model_prefix_list *y = *(const struct model_prefix_list *const *)b;
	int order = compare_places(&x->place, &y->place);

	return order ? order : strcmp(x->id, y->id);
}

static GPtrArray *sorted_values(GHashTable *table, GCompareFunc compare)
{
	GPtrArray *values = g_ptr_array_sized_new(g_hash_table_size(table));
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_ptr_array_add(values, value);
	g_ptr_array_sort(values, compare);
	return values;
}

static void check_list(struct validation *v, const struct model_prefix_list *list)
{
	g_autofree char *pointer = NULL;
	g_autofree char *fix = NULL;

	if (list->entries->len <= MODEL_MAX_ENTRIES_OF_LIST)
		return;
	pointer = g_strdup_printf("/prefix_lists/%s", list->id);
	fix = g_strdup_printf("at most %u; split it", MODEL_MAX_ENTRIES_OF_LIST);
	diag_add(v->diag, "limit", list->place, pointer, fix, "prefix list \"%s\" has %u entries",
		 list->id, list->entries->len);
}

static void check_network(struct validation *v, const struct model_network *network)
{
	g_autoptr(GPtrArray) groups = sorted_values(network->groups, compare_groups);
	g_autoptr(GPtrArray) lists = sorted_values(network->prefix_lists, compare_lists);

	validate_network_peers(v, network);
	for (guint i = 0; i < groups->len; i++)
		validate_group(v, groups->pdata[i]);
	for (guint i = 0; i < lists->len; i++)
		check_list(v, lists->pdata[i]);
}

/* ------------------------------------------------------------------ interfaces */

/* Interfaces that may have an error; the others are not looked at one by one. */
struct suspects {
	GHashTable *set; /* of struct model_interface */
	GPtrArray *ifaces;
};

static void suspect(struct suspects *suspects, struct model_interface *iface)
{
	if (g_hash_table_add(suspects->set, iface))
		g_ptr_array_add(suspects->ifaces, iface);
}

/* Lists of groups that some interface of the network carries and none may. */
static GHashTable *bad_lists(const struct validation *v, const struct model_network *network)
{
	GHashTable *bad = g_hash_table_new(NULL, NULL);
	GHashTableIter iter;
	gpointer groups;

	g_hash_table_iter_init(&iter, network->carried);
	while (g_hash_table_iter_next(&iter, &groups, NULL))
		if (!validate_groups_are_fine(v, network, groups))
			g_hash_table_add(bad, groups);
	return bad;
}

/* Where something is there twice, whoever has it. */
static void suspect_repeated(const struct validation *v, const struct model_network *network,
			     struct model_interface *iface, struct suspects *suspects)
{
	const struct model *model = v->model;
	struct model_interface *other = model_interface(model, iface->id);
	const char *device = iface->settings->device;

	if (other != iface) {
		suspect(suspects, iface);
		suspect(suspects, other);
	}
	if (device && GPOINTER_TO_UINT(g_hash_table_lookup(model->devices, device)) > 1)
		suspect(suspects, iface);
	for (uint32_t i = 0; network->repeated && i < iface->address_count; i++) {
		other = model_interface_at(network, &iface->addresses[i]);
		/* It may list an address twice itself. */
		if (other == iface && iface->address_count == 1)
			continue;
		suspect(suspects, iface);
		if (other)
			suspect(suspects, other);
	}
}

static void suspect_network(const struct validation *v, const struct model_network *network,
			    struct suspects *suspects)
{
	g_autoptr(GHashTable) bad = bad_lists(v, network);
	const struct model *model = v->model;
	bool stale = model->stale || network->stale;
	bool repeats = model->repeated_ids || model->repeated_devices || network->repeated;

	if (!g_hash_table_size(bad) && !stale && !repeats)
		return;
	for (guint i = 0; i < network->interfaces->len; i++) {
		struct model_interface *iface = network->interfaces->pdata[i];

		if (stale || g_hash_table_contains(bad, iface->groups))
			suspect(suspects, iface);
		else if (repeats)
			suspect_repeated(v, network, iface, suspects);
	}
}

static void free_owners(gpointer owners)
{
	g_hash_table_unref(owners);
}

/* Of all networks together: a device that is used twice is an error where it is used again. */
static void check_interfaces(struct validation *v, const GPtrArray *networks)
{
	g_autoptr(GHashTable) owners_of =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_owners);
	g_autoptr(GHashTable) set = g_hash_table_new(NULL, NULL);
	g_autoptr(GPtrArray) ifaces = g_ptr_array_new();
	struct suspects suspects = {set, ifaces};

	for (guint i = 0; i < networks->len; i++) {
		const struct model_network *network = networks->pdata[i];

		g_hash_table_insert(owners_of, (gpointer)(uintptr_t)network->name,
				    validate_owners_new());
		suspect_network(v, network, &suspects);
	}
	g_ptr_array_sort_with_data(ifaces, compare_interfaces, v);
	for (guint i = 0; i < ifaces->len; i++) {
		struct model_interface *iface = ifaces->pdata[i];

		validate_interface(v, iface, g_hash_table_lookup(owners_of, iface->network));
	}
}

static void free_users(gpointer users)
{
	g_ptr_array_unref(users);
}

/* The interfaces that edit brings; NULL without an edit. */
static GHashTable *interfaces_of(const struct model_edit *edit)
{
	GHashTable *newer = edit ? g_hash_table_new(NULL, NULL) : NULL;

	for (guint i = 0; edit && i < edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(edit, i);

		if (change->kind == MODEL_KIND_INTERFACE && change->new.any)
			g_hash_table_add(newer, change->new.any);
	}
	return newer;
}

int validate_whole(const struct model *model, const struct model_edit *edit, bool references,
		   struct diag *diag)
{
	guint before = diag->entries->len + diag->left_out;
	g_autoptr(GPtrArray) networks = sorted_values(model->networks, compare_networks);
	g_autoptr(GHashTable) devices =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_users);
	g_autoptr(GHashTable) interfaces = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) newer = interfaces_of(edit);
	struct validation v = {
		.model = model,
		.diag = diag,
		.references = references,
		.devices = devices,
		.interfaces = interfaces,
		.newer = newer,
	};

	for (guint i = 0; i < networks->len; i++)
		check_network(&v, networks->pdata[i]);
	check_interfaces(&v, networks);
	validate_totals(&v, networks);
	return diag->entries->len + diag->left_out > before ? -EINVAL : 0;
}

int model_validate(const struct model *model, struct diag *diag)
{
	return validate_whole(model, NULL, true, diag);
}

int model_validate_incomplete(const struct model *model, struct diag *diag)
{
	return validate_whole(model, NULL, false, diag);
}
