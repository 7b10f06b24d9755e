/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_patch.c - patch documents to an edit of a model: the objects that they name, and the groups
 * that use a service which they change.
 */
#include "rulesd/load.h"

#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/load_internal.h"
#include "rulesd/names.h"
#include "rulesd/nearest.h"
#include "rulesd/validate.h"

struct patch {
	struct load *load;
	const struct model *model;
	struct model_edit *edit;
};

static const struct load_section *const sections[] = {
	&load_services, &load_networks, &load_prefix_lists, &load_groups, &load_interfaces};

/* ------------------------------------------------------------------ removals */

static const struct load_section *section_of(enum model_kind kind)
{
	unsigned int i = 0;

	while (sections[i]->kind != kind)
		i++;
	return sections[i];
}

/* The objects of that kind, by id; NULL when there is no such network. */
static GHashTable *table_of(const struct model *model, enum model_kind kind, const char *name)
{
	const struct model_network *network;

	if (kind == MODEL_KIND_SERVICE)
		return model->services;
	if (kind == MODEL_KIND_NETWORK)
		return model->networks;
	network = model_network(model, name);
	if (!network)
		return NULL;
	return kind == MODEL_KIND_GROUP ? network->groups : network->prefix_lists;
}

/* What the id is instead, or nearly is; the caller frees it. */
static char *removal_fix(const struct patch *patch, const struct load_removal *removal)
{
	const struct model_interface *iface = model_interface(patch->model, removal->id);
	struct nearest nearest = nearest_new(removal->id);
	GHashTableIter iter;
	GHashTable *table;
	gpointer key;

	if (iface && removal->kind == MODEL_KIND_INTERFACE)
		return g_strdup_printf("it is in network \"%s\": begin with \"network\": \"%s\"",
				       iface->network, iface->network);
	for (unsigned int i = 0; i + 1 < G_N_ELEMENTS(sections); i++) {
		table = table_of(patch->model, sections[i]->kind, removal->network);
		if (sections[i]->kind != removal->kind && table &&
		    g_hash_table_contains(table, removal->id))
			return g_strdup_printf("it is a %s: name it under \"%s\"",
					       sections[i]->what, sections[i]->name);
	}
	if (iface)
		return g_strdup("it is an interface: name it under \"interfaces\"");
	table = removal->kind == MODEL_KIND_INTERFACE
			? NULL
			: table_of(patch->model, removal->kind, removal->network);
	if (table && !diag_may_suggest(patch->load->diag, g_hash_table_size(table)))
		table = NULL;
	if (table)
		g_hash_table_iter_init(&iter, table);
	while (table && g_hash_table_iter_next(&iter, &key, NULL))
		nearest_offer(&nearest, key);
	return nearest_fix(&nearest, "take it out of the patch");
}

static void cannot_remove(const struct patch *patch, const struct load_removal *removal)
{
	const char *what = section_of(removal->kind)->what;
	bool is_default_network = removal->kind == MODEL_KIND_NETWORK &&
				  strcmp(removal->id, MODEL_DEFAULT_NETWORK) == 0;
	bool is_default_group = removal->kind == MODEL_KIND_GROUP &&
				model_group(patch->model, removal->network, removal->id);
	g_autofree char *fix = NULL;

	if (is_default_network || is_default_group) {
		load_error_at_key(patch->load, removal->node, "reserved",
				  is_default_network ? "write {} to take away its settings"
						     : "take it out of the patch",
				  "%s \"%s\" is there without being written", what, removal->id);
		return;
	}
	fix = removal_fix(patch, removal);
	load_error_at_key(patch->load, removal->node, "not-found", fix,
			  "there is no %s \"%s\" to remove%s%s%s", what, removal->id,
			  removal->kind > MODEL_KIND_NETWORK ? " in network \"" : "",
			  removal->kind > MODEL_KIND_NETWORK ? removal->network : "",
			  removal->kind > MODEL_KIND_NETWORK ? "\"" : "");
}

/* Policies do not say anything about what was attached by hand. */
static bool is_attached(const struct patch *patch, const char *id,
			const struct load_removal *removal, struct place place)
{
	const struct model_interface *iface = model_interface(patch->model, id);
	g_autofree char *fix = NULL;
	g_autofree char *pointer = NULL;

	if (!iface || !iface->attached ||
	    (removal && strcmp(iface->network, removal->network) != 0))
		return false;
	fix = removal ? g_strdup_printf("sgctl detach %s", id)
		      : g_strdup_printf("detach %s first, or use another id", id);
	pointer = g_strdup_printf("/interfaces/%s", id);
	diag_add(patch->load->diag, "attached", place, pointer, fix,
		 "interface %s is attached by hand; an id is in the policy or attached by hand, "
		 "never both",
		 id);
	return true;
}

/* Where the patch names the object a second time: another document of it sets or removes it. */
static bool is_named_twice(const struct patch *patch, const struct load_removal *removal,
			   guint count)
{
	const struct load *load = patch->load;
	const struct place *place = NULL;
	GHashTable *table = removal->kind == MODEL_KIND_INTERFACE
				    ? NULL
				    : table_of(load->model, removal->kind, removal->network);
	const void *found = table ? g_hash_table_lookup(table, removal->id)
				  : model_interface(load->model, removal->id);

	for (guint i = 0; i < count && !place; i++) {
		const struct load_removal *other =
			&g_array_index(load->removals, struct load_removal, i);

		if (other->kind == removal->kind && strcmp(other->id, removal->id) == 0 &&
		    (removal->kind <= MODEL_KIND_NETWORK ||
		     strcmp(other->network, removal->network) == 0))
			place = &other->place;
	}
	if (place || !found) {
		/* Nothing to do. */
	} else if (removal->kind == MODEL_KIND_NETWORK) {
		place = g_hash_table_lookup(load->network_places, removal->id);
	} else if (removal->kind == MODEL_KIND_INTERFACE) {
		const struct model_interface *iface = found;

		if (strcmp(iface->network, removal->network) == 0)
			place = &iface->place;
	} else if (removal->kind == MODEL_KIND_GROUP) {
		const struct model_group *group = found;

		place = group->implied ? NULL : &group->place;
	} else if (removal->kind == MODEL_KIND_SERVICE) {
		place = &((const struct model_service *)found)->place;
	} else {
		place = &((const struct model_prefix_list *)found)->place;
	}
	if (place)
		load_defined_twice(patch->load, removal->node, section_of(removal->kind)->what,
				   removal->id, *place);
	return place;
}

static void apply_removals(struct patch *patch)
{
	struct load *load = patch->load;

	for (guint i = 0; i < load->removals->len; i++) {
		const struct load_removal *removal =
			&g_array_index(load->removals, struct load_removal, i);
		const char *network =
			removal->kind == MODEL_KIND_NETWORK ? removal->id : removal->network;
		struct model_change *change;

		load->doc = removal->doc;
		if (is_named_twice(patch, removal, i))
			continue;
		if (removal->kind == MODEL_KIND_INTERFACE &&
		    is_attached(patch, removal->id, removal, removal->place))
			continue;
		if (!model_edit_set(patch->edit, patch->model, removal->kind, network, removal->id,
				    NULL)) {
			cannot_remove(patch, removal);
			continue;
		}
		change = model_edit_find(patch->edit, removal->kind,
					 removal->kind == MODEL_KIND_SERVICE ? NULL : network,
					 removal->id);
		if (change)
			change->place = removal->place;
	}
}

/* ------------------------------------------------------------------ objects */

static void take_table(struct patch *patch, enum model_kind kind, const char *network,
		       GHashTable *table)
{
	GHashTableIter iter;
	gpointer id, object;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &id, &object)) {
		if (kind == MODEL_KIND_GROUP && ((const struct model_group *)object)->implied)
			continue;
		g_hash_table_iter_steal(&iter);
		model_edit_set(patch->edit, patch->model, kind, network, id, object);
	}
}

static void take_interfaces(struct patch *patch, const struct model_network *network)
{
	while (network->interfaces->len) {
		struct model_interface *iface =
			network->interfaces->pdata[network->interfaces->len - 1];

		model_remove_interface(patch->load->model, iface);
		if (is_attached(patch, iface->id, NULL, iface->place))
			model_interface_free(iface);
		else
			model_edit_set(patch->edit, patch->model, MODEL_KIND_INTERFACE,
				       network->name, iface->id, iface);
	}
}

/* Settings that the patch writes, and networks that it names and nobody knows. */
static void take_settings(struct patch *patch, struct model_network *network)
{
	struct model_network *settings;

	if (!g_hash_table_contains(patch->load->network_places, network->name) &&
	    model_network(patch->model, network->name))
		return;
	settings = model_network_new(network->name);
	model_swap_settings(settings, network);
	model_edit_set(patch->edit, patch->model, MODEL_KIND_NETWORK, network->name, network->name,
		       settings);
}

static void take_objects(struct patch *patch)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, patch->load->model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct model_network *network = value;

		take_settings(patch, network);
		take_table(patch, MODEL_KIND_PREFIX_LIST, network->name, network->prefix_lists);
		take_table(patch, MODEL_KIND_GROUP, network->name, network->groups);
		take_interfaces(patch, network);
	}
}

/* ------------------------------------------------------------------ services */

static bool is_changed_service(const struct patch *patch, const char *name)
{
	return name && (g_hash_table_contains(patch->load->services, name) ||
			model_edit_find(patch->edit, MODEL_KIND_SERVICE, NULL, name));
}

static bool uses_changed_service(const struct patch *patch, const struct model_group *group)
{
	for (int dir = 0; dir < SG_DIRS; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			const struct model_rule *rule = group->rules[dir]->pdata[i];

			if (is_changed_service(patch, rule->service))
				return true;
		}
	return false;
}

/* The rule as it would be read now. */
static void read_service_anew(struct patch *patch, const struct model_group *group,
			      struct model_rule *rule, guint index)
{
	if (load_find_service(patch->load, rule->service) || service_find(rule->service)) {
		g_ptr_array_set_size(rule->matches, 0);
		load_service_matches(patch->load, 0, rule->service, rule->matches);
	} else {
		g_autofree char *pointer = g_strdup_printf("/groups/%s/%s/%u/service", group->id,
							   dir_name(rule->direction), index);

		diag_add(patch->load->diag, "unknown-service", rule->place, pointer,
			 "change or remove the rule too", "rule %s/%s uses service \"%s\"",
			 group->id, rule->id, rule->service);
	}
}

static void read_services_anew(struct patch *patch, const struct model_group *group)
{
	struct model_group *copy = model_group_copy(group);

	for (int dir = 0; dir < SG_DIRS; dir++) {
		for (guint i = 0; i < copy->rules[dir]->len; i++) {
			struct model_rule *rule = copy->rules[dir]->pdata[i];

			if (is_changed_service(patch, rule->service))
				read_service_anew(patch, copy, rule, i);
		}
		load_derive_ids(copy, (enum sg_dir)dir);
	}
	model_edit_set(patch->edit, patch->model, MODEL_KIND_GROUP, group->network, group->id,
		       copy);
}

static bool changes_services(const struct patch *patch)
{
	for (guint i = 0; i < patch->edit->changes->len; i++)
		if (model_edit_at(patch->edit, i)->kind == MODEL_KIND_SERVICE)
			return true;
	return g_hash_table_size(patch->load->services);
}

/* Groups that the patch does not name itself. */
static void take_users_of_services(struct patch *patch)
{
	GHashTableIter networks, groups;
	gpointer network, group;

	if (!changes_services(patch))
		return;
	g_hash_table_iter_init(&networks, patch->model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		g_hash_table_iter_init(&groups, ((const struct model_network *)network)->groups);
		while (g_hash_table_iter_next(&groups, NULL, &group)) {
			const struct model_group *own = group;

			if (!model_edit_find(patch->edit, MODEL_KIND_GROUP, own->network,
					     own->id) &&
			    uses_changed_service(patch, own))
				read_services_anew(patch, own);
		}
	}
}

/* ------------------------------------------------------------------ the patch */

static void clear_removal(gpointer data)
{
	struct load_removal *removal = data;

	g_free(removal->id);
	g_free(removal->network);
}

int load_patch(const GPtrArray *sources, const struct model *model, struct model_edit **edit,
	       struct diag *diag)
{
	guint first = diag->entries->len, before = first + diag->left_out;
	g_autoptr(GPtrArray) documents = load_documents(sources, diag);
	g_autoptr(GHashTable) places =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GArray) removals = g_array_new(FALSE, FALSE, sizeof(struct load_removal));
	CLEANUP(model_edit_free) struct model_edit *made = model_edit_new();
	CLEANUP(model_free) struct model *objects = model_new();
	struct load load = {
		.model = objects,
		.diag = diag,
		.services = objects->services,
		.base_services = model->services,
		.removals = removals,
		.network_places = places,
	};
	struct patch patch = {.load = &load, .model = model, .edit = made};

	g_array_set_clear_func(removals, clear_removal);
	for (guint i = 0; i < documents->len; i++)
		load_header(&load, documents->pdata[i]);
	load_each_document(&load, documents, load_definitions);
	load_each_document(&load, documents, load_objects);
	load_draft_free(&load.draft);
	apply_removals(&patch);
	take_objects(&patch);
	take_users_of_services(&patch);
	take_table(&patch, MODEL_KIND_SERVICE, NULL, objects->services);
	if (diag->entries->len + diag->left_out != before) {
		load_sort_errors(diag, first, sources);
		return -EINVAL;
	}
	model_edit_sort(made);
	*edit = TAKE_PTR(made);
	return 0;
}

int load_validate_patch(const GPtrArray *sources, const struct model *model,
			const struct model_edit *edit, struct diag *diag)
{
	guint first = diag->entries->len;
	CLEANUP(diag_free) struct diag *ignored = diag_new();
	g_autoptr(GPtrArray) documents = NULL;
	struct load load = {.diag = ignored};

	if (model_validate_edit(model, edit, diag) == 0)
		return 0;
	documents = load_documents(sources, ignored);
	for (guint i = 0; i < documents->len; i++)
		load_header(&load, documents->pdata[i]);
	load_locate(documents, diag, first);
	load_sort_errors(diag, first, sources);
	return -EINVAL;
}
