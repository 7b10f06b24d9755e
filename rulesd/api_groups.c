/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_groups.c - /v1/groups, /v1/members and /v1/prefix-lists.
 */
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/api_list.h"
#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/sorted.h"

struct carriers {
	unsigned int interfaces, members;
};

/* Who carries each group of a network, in one pass: id -> struct carriers. */
static GHashTable *count_carriers(const struct model_network *network)
{
	GHashTable *counts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

	for (guint i = 0; i < network->interfaces->len; i++) {
		const struct model_interface *iface = network->interfaces->pdata[i];

		for (uint32_t j = 0; j < iface->groups->count; j++) {
			const char *id = iface->groups->ids[j];
			struct carriers *count = g_hash_table_lookup(counts, id);

			if (!count) {
				count = g_new0(struct carriers, 1);
				g_hash_table_insert(counts, (gpointer)(uintptr_t)id, count);
			}
			count->interfaces++;
			count->members += iface->address_count;
		}
	}
	return counts;
}

static json_t *group_json(const struct model_group *group, const struct carriers *count)
{
	json_t *json = json_pack("{ss ss sb sb}", "id", group->id, "network", group->network,
				 "external", group->external, "implied", group->implied);

	json_object_set_new(json, "description", api_string_or_null(group->description));
	json_object_set_new(json, "ingress", json_integer(group->rules[SG_INGRESS]->len));
	json_object_set_new(json, "egress", json_integer(group->rules[SG_EGRESS]->len));
	json_object_set_new(json, "members", json_integer(count ? count->members : 0));
	json_object_set_new(json, "interfaces", json_integer(count ? count->interfaces : 0));
	return json;
}

void api_get_groups(struct api_request *request)
{
	g_autoptr(GPtrArray) networks = sorted_values(request->engine->model->networks);
	json_t *list = json_array();

	for (guint i = 0; i < networks->len; i++) {
		const struct model_network *network = networks->pdata[i];
		g_autoptr(GPtrArray) groups = sorted_values(network->groups);
		g_autoptr(GHashTable) counts = count_carriers(network);

		for (guint j = 0; j < groups->len; j++) {
			const struct model_group *group = groups->pdata[j];

			json_array_append_new(
				list, group_json(group, g_hash_table_lookup(counts, group->id)));
		}
	}
	api_reply(request, MHD_HTTP_OK, list);
}

static void collect_interfaces(struct api_request *request, struct api_list *list)
{
	const char *only = api_query(request, "network");
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, request->engine->model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_network *network = value;

		if ((only && strcmp(network->name, only) != 0) ||
		    !g_hash_table_contains(network->groups, api_query(request, "group")))
			continue;
		for (guint i = 0; i < network->interfaces->len; i++) {
			const struct model_interface *iface = network->interfaces->pdata[i];

			api_list_name(list, network->name, iface->id);
		}
	}
}

static void write_members(struct api_request *request, const void *item, struct api_list *list,
			  void *arg)
{
	const struct model_interface *iface = item;
	const char *group = api_query(request, "group");

	(void)arg;
	if (!model_groups_have(iface->groups, group))
		return;
	for (uint32_t i = 0; i < iface->address_count; i++) {
		char text[ADDR_TEXT_SIZE];

		api_list_add(list, json_pack("{ss ss ss ss}", "address",
					     addr_format(&iface->addresses[i], text), "interface",
					     iface->id, "network", iface->network, "group", group));
	}
}

static bool has_group(const struct api_request *request, const char *group, const char *only)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, request->engine->model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_network *network = value;

		if ((!only || strcmp(network->name, only) == 0) &&
		    g_hash_table_contains(network->groups, group))
			return true;
	}
	return false;
}

void api_get_members(struct api_request *request)
{
	static const struct api_list_kind kind = {
		.collect = collect_interfaces,
		.find = api_list_interface,
		.write = write_members,
	};
	const char *group = api_query(request, "group");
	const char *only = api_query(request, "network");

	if (!group)
		api_fail(request, MHD_HTTP_BAD_REQUEST, "parameter", "?group=sg-web",
			 "the group whose members are wanted is missing");
	else if (!has_group(request, group, only))
		api_fail(request, MHD_HTTP_NOT_FOUND, "not-found", NULL, "no group %s%s%s", group,
			 only ? " in network " : "", only ? only : "");
	else
		api_list_reply(request, &kind, NULL, NULL);
}

static json_t *list_json(const struct model_prefix_list *list)
{
	json_t *entries = json_array();
	json_t *json = json_pack("{ss ss sb}", "id", list->id, "network", list->network, "external",
				 list->external);

	for (guint i = 0; i < list->entries->len; i++) {
		char text[CIDR_TEXT_SIZE];

		json_array_append_new(
			entries, json_string(cidr_format(
					 &g_array_index(list->entries, struct cidr, i), text)));
	}
	json_object_set_new(json, "description", api_string_or_null(list->description));
	json_object_set_new(json, "entries", entries);
	return json;
}

static void collect_lists(struct api_request *request, struct api_list *list)
{
	GHashTableIter networks, lists;
	gpointer value, id;

	g_hash_table_iter_init(&networks, request->engine->model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &value)) {
		const struct model_network *network = value;

		g_hash_table_iter_init(&lists, network->prefix_lists);
		while (g_hash_table_iter_next(&lists, &id, NULL))
			api_list_name(list, network->name, id);
	}
}

static const void *find_list(struct api_request *request, const char *network, const char *id)
{
	const struct model_network *found =
		g_hash_table_lookup(request->engine->model->networks, network);

	return found ? g_hash_table_lookup(found->prefix_lists, id) : NULL;
}

static void write_list(struct api_request *request, const void *item, struct api_list *list,
		       void *arg)
{
	(void)request;
	(void)arg;
	api_list_add(list, list_json(item));
}

void api_get_prefix_lists(struct api_request *request)
{
	static const struct api_list_kind kind = {
		.collect = collect_lists,
		.find = find_list,
		.write = write_list,
	};

	api_list_reply(request, &kind, NULL, NULL);
}
