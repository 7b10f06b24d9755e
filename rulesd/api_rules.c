/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_rules.c - /v1/rules: every rule of every group, with what it let through.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/api_list.h"
#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"
#include "rulesd/sorted.h"

char *api_peer_text(const struct model_peer *peer, const char *network)
{
	char text[CIDR_TEXT_SIZE];

	switch (peer->kind) {
	case MODEL_PEER_CIDR:
		return g_strdup(cidr_format(&peer->cidr, text));
	case MODEL_PEER_GROUP:
	case MODEL_PEER_PREFIX_LIST:
		if (peer->network && strcmp(peer->network, network) != 0)
			return g_strdup_printf("%s:%s", peer->network, peer->id);
		return g_strdup(peer->id);
	case MODEL_PEER_ANY:
	default:
		return g_strdup("any");
	}
}

/* "tcp", "all", "tcp+udp": each protocol once, in the order of the matches. */
static char *protocols_text(const struct model_rule *rule)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < rule->matches->len; i++) {
		const struct model_match *match = rule->matches->pdata[i];
		char name[8];

		if (!g_hash_table_add(seen, GUINT_TO_POINTER(match->protocol)))
			continue;
		g_string_append_printf(text, "%s%s", text->len ? "+" : "",
				       protocol_format(match->protocol, name));
	}
	return g_strdup(text->str);
}

static json_t *ports_json(const struct model_rule *rule)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	json_t *list = json_array();

	for (guint i = 0; i < rule->matches->len; i++) {
		const struct model_match *match = rule->matches->pdata[i];

		for (guint j = 0; match->ports && j < match->ports->len; j++) {
			const struct model_ports *ports =
				&g_array_index(match->ports, struct model_ports, j);
			char *text = ports->first == ports->last
					     ? g_strdup_printf("%u", ports->first)
					     : g_strdup_printf("%u-%u", ports->first, ports->last);

			if (!g_hash_table_contains(seen, text))
				json_array_append_new(list, json_string(text));
			g_hash_table_add(seen, text);
		}
	}
	return list;
}

/* null: not about ICMP, or every type. */
static json_t *icmp_json(const struct model_rule *rule)
{
	const struct model_match *match = rule->matches->pdata[0];

	if (!protocol_is_icmp(match->protocol) || match->icmp_type < 0)
		return json_null();
	return json_pack("{si so}", "type", match->icmp_type, "code",
			 match->icmp_code < 0 ? json_null() : json_integer(match->icmp_code));
}

static json_t *peers_json(const struct model_rule *rule, const char *network)
{
	json_t *list = json_array();

	for (guint i = 0; i < rule->peers->len; i++) {
		g_autofree char *text = api_peer_text(rule->peers->pdata[i], network);

		json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *rule_json(const struct engine *engine, const struct model_group *group,
			 const struct model_rule *rule, GHashTable *totals)
{
	const char *direction = dir_name(rule->direction);
	g_autofree char *shown = g_strdup_printf("%s/%s", group->id, rule->id);
	g_autofree char *name = g_strdup_printf("%s:%s:%s", group->network, direction, shown);
	g_autofree char *protocols = protocols_text(rule);
	const uint32_t number = numbers_find(engine->numbers, NUMBER_RULE, name);
	const struct dataplane_rule_stats none = {0};
	const struct dataplane_rule_stats *stats =
		number ? g_hash_table_lookup(totals, GUINT_TO_POINTER(number)) : NULL;
	json_t *json = json_pack("{ss ss ss ss ss ss sb}", "rule", shown, "id", rule->id, "group",
				 group->id, "network", group->network, "direction", direction,
				 "protocol", protocols, "implied", rule->implied);

	stats = stats ? stats : &none;
	json_object_set_new(json, "service", api_string_or_null(rule->service));
	json_object_set_new(json, "ports", ports_json(rule));
	json_object_set_new(json, "icmp", icmp_json(rule));
	json_object_set_new(json, "peers", peers_json(rule, group->network));
	json_object_set_new(json, "description", api_string_or_null(rule->description));
	json_object_set_new(json, "packets", json_integer((json_int_t)stats->packets));
	json_object_set_new(json, "bytes", json_integer((json_int_t)stats->bytes));
	json_object_set_new(json, "flows", json_integer((json_int_t)stats->flows));
	json_object_set_new(json, "live", json_integer((json_int_t)stats->live));
	return json;
}

static void collect_groups(struct api_request *request, struct api_list *list)
{
	GHashTableIter networks, groups;
	gpointer value, id;

	g_hash_table_iter_init(&networks, request->engine->model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &value)) {
		const struct model_network *network = value;

		g_hash_table_iter_init(&groups, network->groups);
		while (g_hash_table_iter_next(&groups, &id, NULL))
			api_list_name(list, network->name, id);
	}
}

static const void *find_group(struct api_request *request, const char *network, const char *id)
{
	const struct model_network *found =
		g_hash_table_lookup(request->engine->model->networks, network);

	return found ? g_hash_table_lookup(found->groups, id) : NULL;
}

static void write_rules(struct api_request *request, const void *item, struct api_list *list,
			void *totals)
{
	static const enum sg_dir order[] = {SG_INGRESS, SG_EGRESS};
	const struct model_group *group = item;

	for (unsigned int i = 0; i < G_N_ELEMENTS(order); i++) {
		const GPtrArray *rules = group->rules[order[i]];

		for (guint j = 0; j < rules->len; j++)
			api_list_add(list,
				     rule_json(request->engine, group, rules->pdata[j], totals));
	}
}

static void free_totals(gpointer totals)
{
	g_hash_table_unref(totals);
}

void api_get_rules(struct api_request *request)
{
	static const struct api_list_kind kind = {
		.collect = collect_groups,
		.find = find_group,
		.write = write_rules,
	};
	GHashTable *totals = NULL;
	g_autofree char *error = NULL;
	int err = dataplane_rule_stats(request->engine->dataplane, &totals, &error);

	if (err < 0)
		api_fail(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "dataplane", NULL, "%s",
			 error ? error : g_strerror(-err));
	else
		api_list_reply(request, &kind, totals, free_totals);
}
