/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_groups.c - /v1/groups, /v1/members and /v1/prefix-lists.
 */
#include <string.h>

#include "rulesd/addr.h"
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

static void add_members(json_t *list, const struct model_network *network, const char *group)
{
	g_autoptr(GPtrArray) interfaces = model_sorted_interfaces(network);

	for (guint i = 0; i < interfaces->len; i++) {
		const struct model_interface *iface = interfaces->pdata[i];

		if (!model_groups_have(iface->groups, group))
			continue;
		for (uint32_t j = 0; j < iface->address_count; j++) {
			char text[ADDR_TEXT_SIZE];

			json_array_append_new(list,
					      json_pack("{ss ss ss ss}", "address",
							addr_format(&iface->addresses[j], text),
							"interface", iface->id, "network",
							network->name, "group", group));
		}
	}
}

void api_get_members(struct api_request *request)
{
	const char *group = api_query(request, "group");
	const char *only = api_query(request, "network");
	g_autoptr(GPtrArray) networks = sorted_values(request->engine->model->networks);
	AUTO_JSON json_t *list = json_array();
	bool found = false;

	if (!group) {
		api_fail(request, MHD_HTTP_BAD_REQUEST, "parameter", "?group=sg-web",
			 "the group whose members are wanted is missing");
		return;
	}
	for (guint i = 0; i < networks->len; i++) {
		const struct model_network *network = networks->pdata[i];

		if ((only && strcmp(network->name, only) != 0) ||
		    !g_hash_table_contains(network->groups, group))
			continue;
		found = true;
		add_members(list, network, group);
	}
	if (!found) {
		api_fail(request, MHD_HTTP_NOT_FOUND, "not-found", NULL, "no group %s%s%s", group,
			 only ? " in network " : "", only ? only : "");
		return;
	}
	api_reply(request, MHD_HTTP_OK, TAKE_PTR(list));
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

void api_get_prefix_lists(struct api_request *request)
{
	g_autoptr(GPtrArray) networks = sorted_values(request->engine->model->networks);
	json_t *all = json_array();

	for (guint i = 0; i < networks->len; i++) {
		const struct model_network *network = networks->pdata[i];
		g_autoptr(GPtrArray) lists = sorted_values(network->prefix_lists);

		for (guint j = 0; j < lists->len; j++)
			json_array_append_new(all, list_json(lists->pdata[j]));
	}
	api_reply(request, MHD_HTTP_OK, all);
}
