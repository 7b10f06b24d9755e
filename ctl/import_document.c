/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_document.c - what was imported as documents of the policy format. */
#include <string.h>

#include "ctl/import_policy.h"
#include "rulesd/cleanup.h"
#include "rulesd/model.h"
#include "rulesd/names.h"

/* A document in the making: one network, or all of them in one. */
struct document {
	const struct import *import;
	const char *network; /* of the document */
	bool apart;	     /* the networks stay apart: this is one of several documents */
	json_t *groups;
	json_t *lists;
	json_t *interfaces;
	GHashTable *peers; /* networks whose groups are referred to; const char *, borrowed */
};

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(object, key, json_string(text));
}

static void set_object(json_t *object, const char *key, json_t *value)
{
	if (value && json_object_size(value))
		json_object_set(object, key, value);
}

static void set_extra(const struct import *import, json_t *object, json_t *extra)
{
	g_autofree char *key = import_extra_key(import);

	set_object(object, key, extra);
}

static const char *network_of(const struct document *document, const char *network)
{
	return !document->apart ? document->network : network ? network : MODEL_DEFAULT_NETWORK;
}

static bool is_of(const struct document *document, const char *network)
{
	return !strcmp(network_of(document, network), document->network);
}

/* ------------------------------------------------------------------ rules */

static json_t *external_group(const struct document *document, const struct import_group *group);

/* The group as this document calls it; one that is nowhere is external in each that names it. */
static char *group_text(struct document *document, const char *id)
{
	const struct import_group *group = g_hash_table_lookup(document->import->groups, id);

	if (!group->defined) {
		if (!json_object_get(document->groups, id))
			json_object_set_new(document->groups, id, external_group(document, group));
		return g_strdup(id);
	}
	if (is_of(document, group->network))
		return g_strdup(id);
	g_hash_table_add(document->peers, (void *)(uintptr_t)network_of(document, group->network));
	return g_strconcat(network_of(document, group->network), ":", id, NULL);
}

static json_t *list_json(const struct import *import, const struct import_list *list);

static void use_list(struct document *document, const char *id)
{
	const struct import_list *list = g_hash_table_lookup(document->import->lists, id);

	if (document->apart && !json_object_get(document->lists, id))
		json_object_set_new(document->lists, id, list_json(document->import, list));
}

static json_t *peer_json(struct document *document, const struct import_peer *peer)
{
	static const char *const keys[] = {
		[IMPORT_PEER_CIDR] = "cidr",
		[IMPORT_PEER_GROUP] = "group",
		[IMPORT_PEER_LIST] = "prefix_list",
	};
	g_autofree char *text = NULL;
	json_t *object;

	if (peer->kind == IMPORT_PEER_LIST)
		use_list(document, peer->value);
	text = peer->kind == IMPORT_PEER_GROUP ? group_text(document, peer->value)
					       : g_strdup(peer->value);
	if (!peer->description && !peer->extra)
		return json_string(text);
	object = json_pack("{s:s}", keys[peer->kind], text);
	set_text(object, "description", peer->description);
	set_extra(document->import, object, peer->extra);
	return object;
}

static json_t *protocol_json(uint16_t protocol)
{
	char name[8];

	protocol_format(protocol, name);
	return g_ascii_isdigit(name[0]) ? json_integer(protocol) : json_string(name);
}

static void set_ports(json_t *object, const struct import_rule *rule)
{
	if (rule->first == IMPORT_EVERY)
		return;
	if (protocol_is_icmp(rule->protocol)) {
		json_t *icmp = json_pack("{s:i}", "type", rule->first);

		if (rule->last != IMPORT_EVERY)
			json_object_set_new(icmp, "code", json_integer(rule->last));
		json_object_set_new(object, "icmp", icmp);
	} else if (rule->first == rule->last) {
		json_object_set_new(object, "ports", json_pack("[i]", rule->first));
	} else {
		json_object_set_new(
			object, "ports",
			json_pack("[o]", json_sprintf("%d-%d", rule->first, rule->last)));
	}
}

static json_t *rule_json(struct document *document, const struct import_rule *rule, bool ingress)
{
	json_t *object = json_object(), *peers = json_array();

	set_text(object, "id", rule->id);
	set_text(object, "description", rule->description);
	set_object(object, "labels", rule->labels);
	json_object_set_new(object, "protocol", protocol_json(rule->protocol));
	set_ports(object, rule);
	for (guint i = 0; i < rule->peers->len; i++)
		json_array_append_new(peers, peer_json(document, rule->peers->pdata[i]));
	json_object_set_new(object, ingress ? "from" : "to", peers);
	set_extra(document->import, object, rule->extra);
	return object;
}

/* ------------------------------------------------------------------ objects */

/* What the source calls it, where that is no id here. A plan of Terraform has no id yet. */
static void set_renamed(const struct import *import, json_t *extra, const char *key, const char *id)
{
	const char *theirs = g_hash_table_lookup(import->renamed, id);
	const char *address = json_string_value(json_object_get(extra, "Terraform"));

	if (theirs && g_strcmp0(theirs, address) != 0 && !g_str_has_prefix(theirs, "name-") &&
	    strcmp(theirs, id) != 0 && !g_str_has_suffix(id, theirs))
		set_text(extra, key, theirs);
}

/* The source's own words for what the policy has no field for. */
static void set_group_extra(const struct import *import, json_t *object,
			    const struct import_group *group)
{
	bool aws = !strcmp(import->format, "aws");
	AUTO_JSON json_t *extra = json_object();

	set_text(extra, aws ? "GroupName" : "name", group->name);
	set_text(extra, aws ? "OwnerId" : "project_id", group->owner);
	if (aws)
		set_text(extra, "VpcId", group->network);
	if (group->extra)
		json_object_update(extra, group->extra);
	set_renamed(import, extra, aws ? "GroupId" : "id", group->id);
	set_extra(import, object, extra);
}

static json_t *external_group(const struct document *document, const struct import_group *group)
{
	json_t *object = json_pack("{s:b}", "external", 1);

	set_group_extra(document->import, object, group);
	return object;
}

static json_t *group_json(struct document *document, const struct import_group *group)
{
	static const char *const directions[] = {[SG_EGRESS] = "egress", [SG_INGRESS] = "ingress"};
	json_t *object = json_object();

	set_text(object, "description", group->description);
	set_object(object, "labels", group->labels);
	for (unsigned int dir = 0; dir < 2; dir++) {
		json_t *rules = json_array();

		for (guint i = 0; i < group->rules[dir]->len; i++)
			json_array_append_new(rules,
					      rule_json(document, group->rules[dir]->pdata[i],
							dir == SG_INGRESS));
		json_object_set_new(object, directions[dir], rules);
	}
	set_group_extra(document->import, object, group);
	return object;
}

/* What the entries say themselves need not be kept. NULL without entries. */
static const char *family_of(const struct import_list *list)
{
	if (!list->entries || !list->entries->len)
		return NULL;
	return strchr(list->entries->pdata[0], ':') ? "IPv6" : "IPv4";
}

static json_t *list_json(const struct import *import, const struct import_list *list)
{
	bool aws = !strcmp(import->format, "aws");
	AUTO_JSON json_t *extra = json_object();
	json_t *object = json_object();

	set_text(object, "description", list->description);
	set_object(object, "labels", list->labels);
	if (list->entries) {
		json_t *entries = json_array();

		for (guint i = 0; i < list->entries->len; i++)
			json_array_append_new(entries, json_string(list->entries->pdata[i]));
		json_object_set_new(object, "entries", entries);
	} else {
		json_object_set_new(object, "external", json_true());
	}
	set_text(extra, aws ? "PrefixListName" : "name", list->name);
	set_renamed(import, extra, aws ? "PrefixListId" : "id", list->id);
	if (list->extra)
		json_object_update(extra, list->extra);
	if (!g_strcmp0(json_string_value(json_object_get(extra, "AddressFamily")), family_of(list)))
		json_object_del(extra, "AddressFamily");
	set_object(extra, "EntryDescriptions", list->entry_descriptions);
	set_extra(import, object, extra);
	return object;
}

static json_t *strings(const GPtrArray *texts)
{
	json_t *list = json_array();

	for (guint i = 0; i < texts->len; i++)
		json_array_append_new(list, json_string(texts->pdata[i]));
	return list;
}

static json_t *interface_json(struct document *document, const struct import_interface *iface)
{
	bool aws = !strcmp(document->import->format, "aws");
	AUTO_JSON json_t *extra = json_object();
	json_t *object = json_object();
	char mac[MAC_TEXT_SIZE];

	set_text(object, "description", iface->description);
	set_object(object, "labels", iface->labels);
	set_text(object, "device", iface->device);
	set_text(object, "host", iface->host);
	if (iface->has_mac)
		set_text(object, "mac", mac_format(iface->mac, mac));
	json_object_set_new(object, "addresses", strings(iface->addresses));
	json_object_set_new(object, "groups", strings(iface->groups));
	if (iface->allowed->len)
		json_object_set_new(object, "allowed_addresses", strings(iface->allowed));
	if (iface->no_spoof_guard)
		json_object_set_new(object, "spoof_guard", json_false());
	set_object(object, "conntrack", iface->conntrack);
	if (iface->extra)
		json_object_update(extra, iface->extra);
	set_renamed(document->import, extra, aws ? "NetworkInterfaceId" : "id", iface->id);
	set_extra(document->import, object, extra);
	return object;
}

/* ------------------------------------------------------------------ documents */

static void add_groups(struct document *document)
{
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, document->import->groups);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct import_group *group = value;

		if (group->defined && is_of(document, group->network))
			json_object_set_new(document->groups, group->id,
					    group_json(document, group));
		else if (!document->apart && !group->defined && group->named &&
			 !json_object_get(document->groups, group->id))
			json_object_set_new(document->groups, group->id,
					    external_group(document, group));
	}
}

/* A list belongs to no VPC: apart, each document has those that it uses; the rest is "default"'s.
 */
static void add_lists(struct document *document)
{
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, document->import->lists);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct import_list *list = value;

		if (!document->apart ||
		    (!list->named && !strcmp(document->network, MODEL_DEFAULT_NETWORK)))
			json_object_set_new(document->lists, list->id,
					    list_json(document->import, list));
	}
}

static void add_interfaces(struct document *document)
{
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, document->import->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct import_interface *iface = value;

		if (is_of(document, iface->network))
			json_object_set_new(document->interfaces, iface->id,
					    interface_json(document, iface));
	}
}

static json_t *network_peers(const struct document *document)
{
	json_t *peers = json_array();
	GHashTableIter iter;
	void *name;

	g_hash_table_iter_init(&iter, document->peers);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		json_array_append_new(peers, json_string(name));
	return json_pack("{s:{s:o}}", document->network, "peers", peers);
}

static json_t *make(const struct import *import, const char *network, bool apart)
{
	g_autoptr(GHashTable) peers = g_hash_table_new(g_str_hash, g_str_equal);
	AUTO_JSON json_t *groups = json_object();
	AUTO_JSON json_t *lists = json_object();
	AUTO_JSON json_t *interfaces = json_object();
	struct document document = {
		.import = import,
		.network = network,
		.apart = apart,
		.groups = groups,
		.lists = lists,
		.interfaces = interfaces,
		.peers = peers,
	};
	json_t *policy = json_pack("{s:i, s:s}", "version", 1, "network", network);

	add_groups(&document);
	add_lists(&document);
	add_interfaces(&document);
	if (g_hash_table_size(peers))
		json_object_set_new(policy, "networks", network_peers(&document));
	set_object(policy, "groups", groups);
	set_object(policy, "prefix_lists", lists);
	set_object(policy, "interfaces", interfaces);
	return policy;
}

json_t *import_document(const struct import *import)
{
	return make(import,
		    import->options.network ? import->options.network : MODEL_DEFAULT_NETWORK,
		    false);
}

static void need(json_t *documents, const char *network)
{
	json_object_set_new(documents, network ? network : MODEL_DEFAULT_NETWORK, json_null());
}

json_t *import_documents(const struct import *import)
{
	json_t *documents = json_object();
	GHashTableIter iter;
	const char *network;
	json_t *value;
	void *object, *next;

	g_hash_table_iter_init(&iter, import->groups);
	while (g_hash_table_iter_next(&iter, NULL, &object))
		if (((const struct import_group *)object)->defined)
			need(documents, ((const struct import_group *)object)->network);
	g_hash_table_iter_init(&iter, import->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &object))
		need(documents, ((const struct import_interface *)object)->network);
	g_hash_table_iter_init(&iter, import->lists);
	while (g_hash_table_iter_next(&iter, NULL, &object))
		if (!((const struct import_list *)object)->named)
			need(documents, NULL);
	json_object_foreach_safe(documents, next, network, value)
		json_object_set_new(documents, network, make(import, network, true));
	return documents;
}
