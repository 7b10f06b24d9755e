/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_terraform_resource.c - the AWS provider's resources by type, their ids and what refers to
 * them; prefix lists and interfaces.
 */
#include <string.h>

#include "ctl/import_terraform.h"
#include "rulesd/cleanup.h"

/* ------------------------------------------------------------------ references */

static bool is_group(const char *type)
{
	return !strcmp(type, "aws_security_group") || !strcmp(type, "aws_default_security_group");
}

static bool is_list(const char *type)
{
	return !strcmp(type, "aws_ec2_managed_prefix_list") || !strcmp(type, "aws_prefix_list");
}

/* A plan does not know the id of what it will make: its address is unique too. */
static const char *source_id(const struct terraform_resource *resource)
{
	const char *id = import_string(&resource->values, "id");

	return id ? id : resource->address;
}

void terraform_name_resources(struct terraform *terraform)
{
	for (guint i = 0; i < terraform->resources->len; i++) {
		const struct terraform_resource *resource = terraform->resources->pdata[i];

		if ((is_group(resource->type) || is_list(resource->type)) && resource->address)
			g_hash_table_insert(terraform->ids, g_strdup(resource->address),
					    g_strdup(source_id(resource)));
	}
}

/* "module.a.aws_x.y[0]" -> "module.a." and "[0]": the way to the module, and the instance. */
static char *module_of(const char *address)
{
	const char *last = NULL;

	for (const char *at = address; (at = strstr(at, "module.")); at += strlen("module."))
		last = at + strlen("module.");
	if (!last)
		return g_strdup("");
	last += strcspn(last, "[.");
	if (*last == '[')
		last += strcspn(last, "]") + 1;
	return g_strdup_printf("%.*s.", (int)(last - address), address);
}

static const char *instance_of(const char *address)
{
	const char *dot = strrchr(address, '.');
	const char *bracket = strchr(dot ? dot : address, '[');

	return bracket ? bracket : "";
}

/* The id of the resource that a reference such as "aws_security_group.web.id" names. */
static const char *resolve(const struct terraform *terraform,
			   const struct terraform_resource *resource, const char *reference)
{
	g_auto(GStrv) words = g_strsplit(reference, ".", 3);
	g_autofree char *module = resource->address ? module_of(resource->address) : NULL;
	g_autofree char *exact = NULL, *same = NULL, *plain = NULL, *name = NULL;
	const char *id;

	if (!module || !words[0] || !words[1])
		return NULL;
	exact = g_strdup_printf("%s%s.%s", module, words[0], words[1]);
	id = g_hash_table_lookup(terraform->ids, exact);
	if (id)
		return id;
	name = g_strndup(words[1], strcspn(words[1], "["));
	same = g_strdup_printf("%s%s.%s%s", module, words[0], name, instance_of(resource->address));
	id = g_hash_table_lookup(terraform->ids, same);
	if (id)
		return id;
	plain = g_strdup_printf("%s%s.%s[0]", module, words[0], name);
	return g_hash_table_lookup(terraform->ids, plain);
}

char *terraform_reference(struct terraform *terraform, const struct terraform_resource *resource,
			  const char *attribute)
{
	const char *given = import_string(&resource->values, attribute);
	struct import_node expression = import_get(&resource->expressions, attribute);
	struct import_node references = import_get(&expression, "references");

	if (given)
		return g_strdup(given);
	for (size_t i = 0; i < import_length(&references); i++) {
		struct import_node reference = import_at(&references, i);
		const char *id = import_text(&reference)
					 ? resolve(terraform, resource, import_text(&reference))
					 : NULL;

		if (id)
			return g_strdup(id);
	}
	return NULL;
}

json_t *terraform_labels(struct import *import, const struct import_node *values,
			 const char *object)
{
	struct import_node all = import_get(values, "tags_all"), own = import_get(values, "tags");

	return import_aws_tags(import, all.value ? &all : &own, object);
}

char *terraform_id(struct terraform *terraform, const struct terraform_resource *resource,
		   const char *prefix)
{
	const char *id = source_id(resource);

	return id ? import_id(terraform->import, id, prefix, &resource->values) : NULL;
}

bool terraform_lacks_id(struct import *import, const struct terraform_resource *resource,
			const char *id)
{
	if (id)
		return false;
	import_report_add(import->report, IMPORT_LEFT_OUT, "id", resource->address,
			  &resource->values, "a resource without an id");
	return true;
}

/* ------------------------------------------------------------------ prefix lists */

static void read_list(struct terraform *terraform, const struct terraform_resource *resource)
{
	struct import *import = terraform->import;
	const struct import_node *values = &resource->values;
	struct import_node blocks = import_get(values, "entry");
	struct import_node entries = blocks.value ? blocks : import_get(values, "entries");
	struct import_node cidrs = import_get(values, "cidr_blocks");
	g_autofree char *id = terraform_id(terraform, resource, "pl-");
	struct import_list *list;

	if (terraform_lacks_id(import, resource, id))
		return;
	list = import_list(import, id);
	list->described = true;
	if (!list->place.file)
		import_place_set(&list->place, values);
	import_set(&list->name, import_string(values, "name"));
	if (!list->labels)
		list->labels = terraform_labels(import, values, id);
	import_set_extra(&list->extra, "AddressFamily", import_string(values, "address_family"));
	import_set_extra(&list->extra, "OwnerId", import_string(values, "owner_id"));
	import_set_extra(&list->extra, "PrefixListArn", import_string(values, "arn"));
	import_unknown(
		import, values, id,
		"id name entry entries cidr_blocks address_family owner_id arn tags tags_all",
		"max_entries version filter prefix_list_id region timeouts");
	import_aws_list_entries(import, list, &entries, "cidr", "description");
	import_aws_list_entries(import, list, &cidrs, "cidr", "description");
}

static void read_list_entry(struct terraform *terraform, const struct terraform_resource *resource)
{
	struct import *import = terraform->import;
	const struct import_node *values = &resource->values;
	g_autofree char *given = terraform_reference(terraform, resource, "prefix_list_id");
	g_autofree char *id = given ? import_id(import, given, "pl-", values) : NULL;
	struct import_node cidr = import_get(values, "cidr");
	const char *description = import_string(values, "description");
	g_autofree char *text = NULL;
	struct import_list *list;

	if (terraform_lacks_id(import, resource, id))
		return;
	list = import_list(import, id);
	if (!list->place.file)
		import_place_set(&list->place, values);
	text = import_cidr(import, id, &cidr);
	if (!text)
		return;
	if (description)
		json_object_set_new(list->entry_descriptions, text, json_string(description));
	if (!list->entries)
		list->entries = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(list->entries, g_steal_pointer(&text));
}

/* ------------------------------------------------------------------ interfaces */

static const struct {
	const char *theirs, *ours;
} interface_strings[] = {
	{"mac_address", "MacAddress"},	{"private_ip", "PrivateIpAddress"},
	{"description", "Description"}, {"subnet_id", "SubnetId"},
	{"owner_id", "OwnerId"},
};

/* [address, ...] as [{KEY: address}, ...]. */
static void set_items(json_t *object, const char *list, const char *key,
		      const struct import_node *values, const char *theirs)
{
	struct import_node texts = import_get(values, theirs);
	json_t *items = json_object_get(object, list);

	for (size_t i = 0; i < import_length(&texts); i++) {
		struct import_node text = import_at(&texts, i);

		if (!items) {
			items = json_array();
			json_object_set_new(object, list, items);
		}
		if (import_text(&text))
			json_array_append_new(items, json_pack("{s:s}", key, import_text(&text)));
	}
}

/* Written as describe-network-interfaces would print it, and read as that. */
static void read_as_interface(struct terraform *terraform,
			      const struct terraform_resource *resource, const char *id,
			      const char *groups)
{
	const struct import_node *values = &resource->values;
	struct import_node tags = import_get(values, "tags_all");
	json_t *object = json_pack("{s:s}", "NetworkInterfaceId", id);
	struct import_node node;

	for (guint i = 0; i < G_N_ELEMENTS(interface_strings); i++) {
		const char *text = import_string(values, interface_strings[i].theirs);

		if (text)
			json_object_set_new(object, interface_strings[i].ours, json_string(text));
	}
	set_items(object, "PrivateIpAddresses", "PrivateIpAddress", values, "private_ips");
	set_items(object, "PrivateIpAddresses", "PrivateIpAddress", values,
		  "secondary_private_ips");
	set_items(object, "Ipv6Addresses", "Ipv6Address", values, "ipv6_addresses");
	set_items(object, "Ipv4Prefixes", "Ipv4Prefix", values, "ipv4_prefixes");
	set_items(object, "Ipv6Prefixes", "Ipv6Prefix", values, "ipv6_prefixes");
	set_items(object, "Groups", "GroupId", values, groups);
	if (import_false(values, "source_dest_check"))
		json_object_set_new(object, "SourceDestCheck", json_false());
	if (!tags.value)
		tags = import_get(values, "tags");
	if (tags.value)
		json_object_set(object, "Tags", (json_t *)(uintptr_t)tags.value);
	g_ptr_array_add(terraform->import->documents, object);
	node = import_inside(values, object);
	import_aws_interface(terraform->import, &node);
}

static void read_interface(struct terraform *terraform, const struct terraform_resource *resource)
{
	const char *id = import_string(&resource->values, "id");

	if (!terraform_lacks_id(terraform->import, resource, id))
		read_as_interface(terraform, resource, id, "security_groups");
}

static void read_instance(struct terraform *terraform, const struct terraform_resource *resource)
{
	const char *id = import_string(&resource->values, "primary_network_interface_id");

	if (!id)
		id = import_string(&resource->values, "id");
	if (!terraform_lacks_id(terraform->import, resource, id))
		read_as_interface(terraform, resource, id, "vpc_security_group_ids");
}

static void read_attachment(struct terraform *terraform, const struct terraform_resource *resource)
{
	struct import *import = terraform->import;
	const struct import_node *values = &resource->values;
	const char *given = import_string(values, "network_interface_id");
	g_autofree char *group = terraform_reference(terraform, resource, "security_group_id");
	struct import_interface *iface =
		given ? g_hash_table_lookup(import->interfaces, given) : NULL;
	g_autofree char *id = NULL;

	if (!iface || !group) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "attachment", given, values,
				  "a group is attached to an interface that is not in the state");
		return;
	}
	id = import_id(import, group, "sg-", values);
	import_group(import, id)->carried = true;
	import_add_once(iface->groups, id);
}

/* ------------------------------------------------------------------ all types */

static const struct {
	const char *type;
	void (*read)(struct terraform *terraform, const struct terraform_resource *resource);
	bool data; /* as a data source too */
} types[] = {
	{"aws_security_group", terraform_group, true},
	{"aws_default_security_group", terraform_group, false},
	{"aws_security_group_rule", terraform_rule, false},
	{"aws_vpc_security_group_ingress_rule", terraform_vpc_rule, false},
	{"aws_vpc_security_group_egress_rule", terraform_vpc_rule, false},
	{"aws_ec2_managed_prefix_list", read_list, true},
	{"aws_prefix_list", read_list, true},
	{"aws_ec2_managed_prefix_list_entry", read_list_entry, false},
	{"aws_network_interface", read_interface, false},
	{"aws_instance", read_instance, false},
	{"aws_network_interface_sg_attachment", read_attachment, false},
};

/* Other resources have nothing to do with this, unless they carry groups or are filters. */
static void report_other(struct import *import, const struct terraform_resource *resource)
{
	static const char *const carrying[] = {"security_groups", "security_group_ids",
					       "vpc_security_group_ids", "security_group_id"};

	if (resource->data)
		return;
	if (strstr(resource->type, "network_acl") || strstr(resource->type, "security_group") ||
	    strstr(resource->type, "secgroup") || strstr(resource->type, "firewall")) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "resource-type",
				  resource->address, &resource->values,
				  "a resource of type %s is not imported", resource->type);
		return;
	}
	for (guint i = 0; i < G_N_ELEMENTS(carrying); i++) {
		struct import_node groups = import_get(&resource->values, carrying[i]);

		if (import_says_nothing(groups.value))
			continue;
		import_report_add(import->report, IMPORT_LEFT_OUT, "no-addresses",
				  resource->address, &resource->values,
				  "%s carries security groups, its addresses are not in the state",
				  resource->type);
		return;
	}
}

void terraform_read_resource(struct terraform *terraform, const struct terraform_resource *resource)
{
	for (guint i = 0; i < G_N_ELEMENTS(types); i++)
		if (!strcmp(types[i].type, resource->type)) {
			if (!resource->data || types[i].data)
				types[i].read(terraform, resource);
			return;
		}
	report_other(terraform->import, resource);
}
