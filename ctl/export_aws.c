/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export_aws.c - see export_aws.h. */
#include "ctl/export_aws.h"

#include <stdlib.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/sorted.h"

/* ------------------------------------------------------------------ what is written */

/* The canonical text is a document a network, one after the other. */
static json_t *read_documents(const GPtrArray *sources)
{
	g_autofree char *text = load_canonical(sources);
	json_t *documents = json_object();
	const char *at = text;
	size_t left = strlen(text);

	while (left) {
		json_error_t error;
		json_t *document = json_loadb(at, left, JSON_DISABLE_EOF_CHECK, &error);

		g_assert(document); /* we wrote it */
		json_object_set_new(documents,
				    json_string_value(json_object_get(document, "network")),
				    document);
		at += error.position;
		left -= (size_t)error.position;
		while (left && g_ascii_isspace(*at)) {
			at++;
			left--;
		}
	}
	return documents;
}

const json_t *export_aws_object(const struct export_aws *export, const char *network,
				const char *section, const char *id)
{
	const json_t *document = json_object_get(export->documents, network);

	return json_object_get(json_object_get(document, section), id);
}

const char *export_aws_kept(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(object, "x-aws"), key));
}

const char *export_aws_id(const json_t *object, const char *key, const char *id)
{
	const char *kept = export_aws_kept(object, key);

	if (kept)
		return kept;
	/* import_aws_group: a group that had a name only. */
	return g_str_has_prefix(id, "sg-name-") && export_aws_kept(object, "GroupName") ? NULL : id;
}

void export_aws_set(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, json_string(text));
}

void export_aws_tags(json_t *out, const char *key, const json_t *object)
{
	json_t *tags = json_array(), *labels = json_object_get(object, "labels"), *value;
	const char *name;

	json_object_foreach (labels, name, value)
		json_array_append_new(tags, json_pack("{s:s, s:O}", "Key", name, "Value", value));
	if (json_array_size(tags))
		json_object_set(out, key, tags);
	json_decref(tags);
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* The VPC that an import came from; a network of its own is one. */
static const char *vpc_of(const json_t *object, const char *network)
{
	const char *kept = export_aws_kept(object, "VpcId");

	if (kept)
		return kept;
	return strcmp(network, MODEL_DEFAULT_NETWORK) != 0 ? network : NULL;
}

/* ------------------------------------------------------------------ groups */

static json_t *permissions_of(struct export_aws *export, const struct model_group *group,
			      const json_t *object, enum sg_dir dir)
{
	const json_t *written = json_object_get(object, dir == SG_INGRESS ? "ingress" : "egress");
	json_t *permissions = json_array();

	for (guint i = 0; i < group->rules[dir]->len; i++)
		export_aws_rule(export, group, group->rules[dir]->pdata[i],
				json_array_get(written, i), permissions);
	return permissions;
}

static json_t *group_json(struct export_aws *export, const struct model_group *group)
{
	const json_t *object = export_aws_object(export, group->network, "groups", group->id);
	const char *name = export_aws_kept(object, "GroupName");
	json_t *out = json_object();

	export_aws_set(out, "Description", group->description ? group->description : "");
	export_aws_set(out, "GroupName", name ? name : group->id);
	json_object_set_new(out, "IpPermissions",
			    permissions_of(export, group, object, SG_INGRESS));
	export_aws_set(out, "OwnerId", export_aws_kept(object, "OwnerId"));
	export_aws_set(out, "GroupId", export_aws_id(object, "GroupId", group->id));
	json_object_set_new(out, "IpPermissionsEgress",
			    permissions_of(export, group, object, SG_EGRESS));
	export_aws_tags(out, "Tags", object);
	export_aws_set(out, "VpcId", vpc_of(object, group->network));
	export_aws_set(out, "SecurityGroupArn", export_aws_kept(object, "SecurityGroupArn"));
	return out;
}

/* Whether a rule or an interface of the document has to do with sg-default, which it does not
 * write. */
static bool needs_default(const json_t *document)
{
	g_autofree char *text = NULL;
	json_t *interfaces = json_object_get(document, "interfaces"), *iface;
	const char *id;
	char *dumped = json_dumps(json_object_get(document, "groups"), JSON_COMPACT);

	text = g_strdup(dumped ? dumped : "");
	free(dumped);
	if (strstr(text, "\"" MODEL_DEFAULT_GROUP "\""))
		return true;
	json_object_foreach (interfaces, id, iface) {
		const json_t *groups = json_object_get(iface, "groups"), *group;
		size_t i;

		if (!groups)
			return true;
		json_array_foreach (groups, i, group)
			if (!strcmp(json_string_value(group), MODEL_DEFAULT_GROUP))
				return true;
	}
	return false;
}

static void add_groups(struct export_aws *export, const struct model_network *network, json_t *out)
{
	g_autoptr(GPtrArray) ids = sorted_keys(network->groups);
	const json_t *document = json_object_get(export->documents, network->name);

	for (guint i = 0; i < ids->len; i++) {
		const struct model_group *group =
			g_hash_table_lookup(network->groups, ids->pdata[i]);

		if (!group->external && (!group->implied || needs_default(document)))
			json_array_append_new(out, group_json(export, group));
	}
}

/* ------------------------------------------------------------------ prefix lists */

static const char *family_of(const json_t *entries)
{
	const char *first = json_string_value(json_array_get(entries, 0));

	if (!first)
		return NULL;
	return strchr(first, ':') ? "IPv6" : "IPv4";
}

static json_t *list_json(const char *id, const json_t *object)
{
	const json_t *described =
		json_object_get(json_object_get(object, "x-aws"), "EntryDescriptions");
	const json_t *entries = json_object_get(object, "entries"), *entry;
	const char *name = export_aws_kept(object, "PrefixListName");
	const char *family = export_aws_kept(object, "AddressFamily");
	json_t *out = json_object(), *list = json_array();
	size_t i;

	export_aws_set(out, "PrefixListId", export_aws_id(object, "PrefixListId", id));
	export_aws_set(out, "PrefixListName", name ? name : text_of(object, "description"));
	export_aws_set(out, "AddressFamily", family ? family : family_of(entries));
	export_aws_set(out, "OwnerId", export_aws_kept(object, "OwnerId"));
	export_aws_set(out, "PrefixListArn", export_aws_kept(object, "PrefixListArn"));
	export_aws_tags(out, "Tags", object);
	json_array_foreach (entries, i, entry) {
		json_t *item = json_pack("{s:O}", "Cidr", entry);

		export_aws_set(item, "Description", text_of(described, json_string_value(entry)));
		json_array_append_new(list, item);
	}
	if (entries)
		json_object_set(out, "Entries", list);
	json_decref(list);
	return out;
}

static void add_lists(const json_t *document, json_t *out)
{
	json_t *lists = json_object_get(document, "prefix_lists"), *list;
	const char *id;

	json_object_foreach (lists, id, list)
		if (!g_str_has_prefix(id, "x-"))
			json_array_append_new(out, list_json(id, list));
}

/* ------------------------------------------------------------------ interfaces */

static void add_addresses(json_t *out, const json_t *addresses)
{
	json_t *v4 = json_array(), *v6 = json_array();
	const json_t *address;
	size_t i;

	json_array_foreach (addresses, i, address) {
		const char *text = json_string_value(address);

		if (strchr(text, ':'))
			json_array_append_new(v6, json_pack("{s:s}", "Ipv6Address", text));
		else
			json_array_append_new(v4, json_pack("{s:b, s:s}", "Primary",
							    !json_array_size(v4),
							    "PrivateIpAddress", text));
	}
	if (json_array_size(v4))
		json_object_set(out, "PrivateIpAddress",
				json_object_get(json_array_get(v4, 0), "PrivateIpAddress"));
	json_object_set_new(out, "PrivateIpAddresses", v4);
	json_object_set_new(out, "Ipv6Addresses", v6);
}

static void add_prefixes(json_t *out, const json_t *allowed)
{
	const json_t *prefix;
	size_t i;

	json_array_foreach (allowed, i, prefix) {
		bool v6 = strchr(json_string_value(prefix), ':') != NULL;
		const char *key = v6 ? "Ipv6Prefixes" : "Ipv4Prefixes";
		json_t *list = json_object_get(out, key);

		if (!list) {
			list = json_array();
			json_object_set_new(out, key, list);
		}
		json_array_append_new(list,
				      json_pack("{s:O}", v6 ? "Ipv6Prefix" : "Ipv4Prefix", prefix));
	}
}

static void add_conntrack(struct export_aws *export, const char *id, json_t *out, json_t *conntrack)
{
	static const struct {
		const char *ours, *theirs;
	} fields[] = {{"tcp_established", "TcpEstablishedTimeout"},
		      {"udp", "UdpTimeout"},
		      {"udp_stream", "UdpStreamTimeout"}};
	json_t *tracking = json_object(), *value;
	const char *key;

	json_object_foreach (conntrack, key, value) {
		guint i = 0;

		while (i < G_N_ELEMENTS(fields) && strcmp(fields[i].ours, key) != 0)
			i++;
		if (i < G_N_ELEMENTS(fields))
			json_object_set(tracking, fields[i].theirs, value);
		else
			import_report_add(export->report, IMPORT_LEFT_OUT, "conntrack", id, NULL,
					  "%s of the connection tracking", key);
	}
	if (json_object_size(tracking))
		json_object_set(out, "ConnectionTrackingConfiguration", tracking);
	json_decref(tracking);
}

static void add_carried(struct export_aws *export, json_t *out, const char *network,
			const json_t *groups)
{
	json_t *carried = json_array();
	const json_t *group;
	size_t i;

	json_array_foreach (groups, i, group) {
		const char *id = json_string_value(group);
		const json_t *object = export_aws_object(export, network, "groups", id);
		const char *name = export_aws_kept(object, "GroupName");
		json_t *item = json_object();

		export_aws_set(item, "GroupName", name ? name : id);
		export_aws_set(item, "GroupId", export_aws_id(object, "GroupId", id));
		json_array_append_new(carried, item);
	}
	if (!groups)
		json_array_append_new(carried,
				      json_pack("{s:s, s:s}", "GroupName", MODEL_DEFAULT_GROUP,
						"GroupId", MODEL_DEFAULT_GROUP));
	json_object_set_new(out, "Groups", carried);
}

/* Its device, host and hook say where it is filtered, not what passes: AWS asks for none. */
static json_t *interface_json(struct export_aws *export, const char *network, const char *id,
			      const json_t *object)
{
	static const char *const kept[] = {"SubnetId", "OwnerId", "InterfaceType"};
	const char *instance = export_aws_kept(object, "InstanceId");
	json_t *out = json_object();

	export_aws_set(out, "NetworkInterfaceId", export_aws_id(object, "NetworkInterfaceId", id));
	export_aws_set(out, "Description", text_of(object, "description"));
	export_aws_set(out, "MacAddress", text_of(object, "mac"));
	add_addresses(out, json_object_get(object, "addresses"));
	add_prefixes(out, json_object_get(object, "allowed_addresses"));
	add_carried(export, out, network, json_object_get(object, "groups"));
	json_object_set_new(out, "SourceDestCheck",
			    json_boolean(!json_is_false(json_object_get(object, "spoof_guard"))));
	add_conntrack(export, id, out, json_object_get(object, "conntrack"));
	if (json_array_size(json_object_get(object, "vlans")))
		import_report_add(export->report, IMPORT_LEFT_OUT, "vlans", id, NULL,
				  "the VLANs of the interface");
	export_aws_tags(out, "TagSet", object);
	export_aws_set(out, "VpcId", vpc_of(object, network));
	for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
		export_aws_set(out, kept[i], export_aws_kept(object, kept[i]));
	if (instance)
		json_object_set_new(out, "Attachment", json_pack("{s:s}", "InstanceId", instance));
	return out;
}

static void add_interfaces(struct export_aws *export, const char *network, const json_t *document,
			   json_t *out)
{
	json_t *interfaces = json_object_get(document, "interfaces"), *iface;
	const char *id;

	json_object_foreach (interfaces, id, iface)
		if (!g_str_has_prefix(id, "x-"))
			json_array_append_new(out, interface_json(export, network, id, iface));
}

/* ------------------------------------------------------------------ the whole */

static void report_exempt(struct export_aws *export, const struct model_network *network)
{
	if (network->exempt->len)
		import_report_add(export->report, IMPORT_LEFT_OUT, "exempt", network->name, NULL,
				  "exempt endpoints of the network: AWS has its own");
}

json_t *export_aws(const GPtrArray *sources, const struct model *model,
		   struct import_report *report)
{
	AUTO_JSON json_t *documents = read_documents(sources);
	AUTO_JSON json_t *rules = json_array();
	AUTO_JSON json_t *lists = json_array();
	AUTO_JSON json_t *interfaces = json_array();
	struct export_aws export = {
		.model = model, .documents = documents, .report = report, .rules = rules};
	g_autoptr(GPtrArray) names = sorted_keys(model->networks);
	json_t *groups = json_array(), *out = json_pack("{s:o}", "SecurityGroups", groups);

	for (guint i = 0; i < names->len; i++) {
		const struct model_network *network = model_network(model, names->pdata[i]);
		const json_t *document = json_object_get(documents, network->name);

		add_groups(&export, network, groups);
		add_lists(document, lists);
		add_interfaces(&export, network->name, document, interfaces);
		report_exempt(&export, network);
	}
	if (json_array_size(rules))
		json_object_set(out, "SecurityGroupRules", rules);
	if (json_array_size(interfaces))
		json_object_set(out, "NetworkInterfaces", interfaces);
	if (json_array_size(lists))
		json_object_set(out, "PrefixLists", lists);
	return out;
}
