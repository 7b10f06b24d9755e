/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_terraform_resource.c - the AWS provider's resources that hold security groups, rules,
 * prefix lists and interfaces.
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

/* ------------------------------------------------------------------ peers */

static void add_cidrs(struct import *import, struct import_rule *rule, const char *object,
		      const struct import_node *node, const char *key)
{
	struct import_node list = import_get(node, key);

	for (size_t i = 0; i < import_length(&list); i++) {
		struct import_node cidr = import_at(&list, i);

		import_rule_cidr(import, rule, object, &cidr, NULL);
	}
}

static void add_list(struct import *import, struct import_rule *rule,
		     const struct import_node *node, const char *given)
{
	g_autofree char *id = import_id(import, given, "pl-", node);
	struct import_list *list = import_list(import, id);

	if (!list->named++ && !list->place.file)
		import_place_set(&list->place, node);
	import_rule_peer(rule, IMPORT_PEER_LIST, id, NULL);
}

static void add_lists(struct import *import, struct import_rule *rule,
		      const struct import_node *node)
{
	struct import_node lists = import_get(node, "prefix_list_ids");

	for (size_t i = 0; i < import_length(&lists); i++) {
		struct import_node list = import_at(&lists, i);

		if (import_text(&list))
			add_list(import, rule, &list, import_text(&list));
	}
}

/* "self" and the group's own id among the others are one peer. */
static void add_group(struct import *import, struct import_rule *rule,
		      const struct import_node *node, const char *id)
{
	g_autofree char *here = NULL;
	const char *slash = strrchr(id, '/'); /* "account/sg-1" */

	here = import_id(import, slash && g_str_has_prefix(slash + 1, "sg-") ? slash + 1 : id,
			 "sg-", node);
	for (guint i = 0; i < rule->peers->len; i++) {
		const struct import_peer *peer = rule->peers->pdata[i];

		if (peer->kind == IMPORT_PEER_GROUP && !strcmp(peer->value, here))
			return;
	}
	import_aws_group_peer(import, rule, node, id, NULL);
}

/* The default VPC's groups may stand there by name. */
static void add_named_group(struct import *import, struct import_rule *rule,
			    const struct import_node *node, const char *text)
{
	const char *slash = strrchr(text, '/');
	const char *name = slash ? slash + 1 : text;

	if (g_str_has_prefix(name, "sg-"))
		add_group(import, rule, node, text);
	else
		import_rule_peer(rule, IMPORT_PEER_GROUP_NAME, name, NULL);
}

static void add_groups(struct import *import, struct import_rule *rule,
		       const struct import_node *node)
{
	struct import_node groups = import_get(node, "security_groups");

	for (size_t i = 0; i < import_length(&groups); i++) {
		struct import_node group = import_at(&groups, i);

		if (import_text(&group))
			add_named_group(import, rule, &group, import_text(&group));
	}
}

/* ------------------------------------------------------------------ groups */

static void read_block(struct import *import, struct import_group *group, enum sg_dir dir,
		       const struct import_node *node)
{
	g_autofree char *object =
		g_strdup_printf("%s/%s", group->id, dir == SG_INGRESS ? "ingress" : "egress");
	struct import_node protocol = import_get(node, "protocol");
	struct import_node from = import_get(node, "from_port"), to = import_get(node, "to_port");
	struct import_rule *rule = import_rule_new(node);
	unsigned int before;

	import_unknown(import, node, object,
		       "protocol from_port to_port cidr_blocks ipv6_cidr_blocks prefix_list_ids "
		       "security_groups description",
		       "self");
	rule->description = g_strdup(import_string(node, "description"));
	before = import_report_count(import->report);
	if (import_protocol(import, &protocol, object, &rule->protocol) &&
	    import_ports(import, rule, object, &from, &to)) {
		add_cidrs(import, rule, object, node, "cidr_blocks");
		add_cidrs(import, rule, object, node, "ipv6_cidr_blocks");
		add_lists(import, rule, node);
		if (import_true(node, "self"))
			add_group(import, rule, node, group->id);
		add_groups(import, rule, node);
	}
	import_rule_add(import, group, dir, rule, object, before);
}

static json_t *labels_of(struct import *import, const struct import_node *values,
			 const char *object)
{
	struct import_node all = import_get(values, "tags_all"), own = import_get(values, "tags");

	return import_aws_tags(import, all.value ? &all : &own, object);
}

static char *resource_id(struct terraform *terraform, const struct terraform_resource *resource,
			 const char *prefix)
{
	const char *id = source_id(resource);

	return id ? import_id(terraform->import, id, prefix, &resource->values) : NULL;
}

static bool without_id(struct import *import, const struct terraform_resource *resource,
		       const char *id)
{
	if (id)
		return false;
	import_report_add(import->report, IMPORT_LEFT_OUT, "id", resource->address,
			  &resource->values, "a resource without an id");
	return true;
}

/* A data source knows the group's name; its rules are somewhere else. */
static void read_group_data(struct import *import, const struct terraform_resource *resource,
			    struct import_group *group)
{
	if (!group->name)
		group->name = g_strdup(import_string(&resource->values, "name"));
	if (!group->network && !group->defined)
		import_set_network(import, &group->network, &resource->values, "vpc_id");
	if (!group->place.file)
		import_place_set(&group->place, &resource->values);
}

static void read_group(struct terraform *terraform, const struct terraform_resource *resource)
{
	struct import *import = terraform->import;
	const struct import_node *values = &resource->values;
	static const char *const blocks[] = {[SG_EGRESS] = "egress", [SG_INGRESS] = "ingress"};
	g_autofree char *id = resource_id(terraform, resource, "sg-");
	struct import_group *group;

	if (without_id(import, resource, id))
		return;
	group = import_group(import, id);
	if (resource->data) {
		read_group_data(import, resource, group);
		return;
	}
	if (group->described) {
		if (!json_equal(group->source, values->value))
			import_report_add(import->report, IMPORT_LEFT_OUT, "duplicate", id, values,
					  "the group is described before, in another way: that "
					  "description holds");
		return;
	}
	group->described = group->defined = true;
	group->source = values->value;
	import_place_set(&group->place, values);
	import_set(&group->name, import_string(values, "name"));
	import_set_network(import, &group->network, values, "vpc_id");
	import_set(&group->owner, import_string(values, "owner_id"));
	import_set(&group->description, import_string(values, "description"));
	import_set_extra(&group->extra, "SecurityGroupArn", import_string(values, "arn"));
	import_set_extra(&group->extra, "Terraform", resource->address);
	group->labels = labels_of(import, values, id);
	import_unknown(import, values, id,
		       "id name vpc_id owner_id description arn tags tags_all ingress egress",
		       "name_prefix revoke_rules_on_delete timeouts region");
	for (unsigned int dir = 0; dir < 2; dir++) {
		struct import_node list = import_get(values, blocks[dir]);

		for (size_t i = 0; i < import_length(&list); i++) {
			struct import_node block = import_at(&list, i);

			read_block(import, group, dir, &block);
		}
	}
}

/* ------------------------------------------------------------------ rules by themselves */

/* The group whose rule it is, or NULL with a report. */
static struct import_group *group_of(struct terraform *terraform,
				     const struct terraform_resource *resource)
{
	g_autofree char *given = terraform_reference(terraform, resource, "security_group_id");
	g_autofree char *id = NULL;
	struct import_group *group;

	if (!given) {
		import_report_add(terraform->import->report, IMPORT_LEFT_OUT, "rule",
				  resource->address, &resource->values,
				  "a rule whose security_group_id is not known");
		return NULL;
	}
	id = import_id(terraform->import, given, "sg-", &resource->values);
	group = import_group(terraform->import, id);
	group->defined = true;
	if (!group->place.file)
		import_place_set(&group->place, &resource->values);
	return group;
}

static struct import_rule *rule_of(struct terraform *terraform,
				   const struct terraform_resource *resource, const char *object)
{
	struct import *import = terraform->import;
	const struct import_node *values = &resource->values;
	struct import_rule *rule = import_rule_new(values);
	const char *id = import_string(values, "security_group_rule_id");

	rule->detail = true;
	/* "sgrule-…" of the older resource is a hash, which only Terraform knows. */
	rule->id = import_rule_id(import, id ? id : import_string(values, "id"), values);
	rule->description = g_strdup(import_string(values, "description"));
	rule->labels = labels_of(import, values, object);
	import_set_extra(&rule->extra, "Terraform", resource->address);
	return rule;
}

static void read_rule(struct terraform *terraform, const struct terraform_resource *resource)
{
	struct import *import = terraform->import;
	const struct import_node *values = &resource->values;
	struct import_node protocol = import_get(values, "protocol");
	struct import_node from = import_get(values, "from_port"),
			   to = import_get(values, "to_port");
	struct import_group *group = group_of(terraform, resource);
	const char *type = import_string(values, "type");
	enum sg_dir dir = !g_strcmp0(type, "egress") ? SG_EGRESS : SG_INGRESS;
	g_autofree char *source = NULL;
	struct import_rule *rule;
	unsigned int before;

	if (!group)
		return;
	if (dir == SG_INGRESS && g_strcmp0(type, "ingress") != 0) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "rule", group->id, values,
				  "a rule whose type is neither ingress nor egress");
		return;
	}
	rule = rule_of(terraform, resource, group->id);
	import_unknown(
		import, values, group->id,
		"id security_group_rule_id security_group_id type protocol from_port to_port "
		"cidr_blocks ipv6_cidr_blocks prefix_list_ids source_security_group_id "
		"description",
		"self timeouts region");
	before = import_report_count(import->report);
	if (import_protocol(import, &protocol, group->id, &rule->protocol) &&
	    import_ports(import, rule, group->id, &from, &to)) {
		add_cidrs(import, rule, group->id, values, "cidr_blocks");
		add_cidrs(import, rule, group->id, values, "ipv6_cidr_blocks");
		add_lists(import, rule, values);
		if (import_true(values, "self"))
			add_group(import, rule, values, group->id);
		source = terraform_reference(terraform, resource, "source_security_group_id");
		if (source)
			add_group(import, rule, values, source);
	}
	import_rule_add(import, group, dir, rule, group->id, before);
}

static void add_cidr_of(struct import *import, struct import_rule *rule, const char *object,
			const struct import_node *values, const char *key)
{
	struct import_node cidr = import_get(values, key);

	if (cidr.value)
		import_rule_cidr(import, rule, object, &cidr, NULL);
}

static void read_vpc_rule(struct terraform *terraform, const struct terraform_resource *resource)
{
	struct import *import = terraform->import;
	const struct import_node *values = &resource->values;
	struct import_node protocol = import_get(values, "ip_protocol");
	struct import_node from = import_get(values, "from_port"),
			   to = import_get(values, "to_port");
	struct import_group *group = group_of(terraform, resource);
	enum sg_dir dir = strstr(resource->type, "egress") ? SG_EGRESS : SG_INGRESS;
	g_autofree char *peer = NULL, *list = NULL;
	struct import_rule *rule;
	unsigned int before;

	if (!group)
		return;
	rule = rule_of(terraform, resource, group->id);
	import_set_extra(&rule->extra, "SecurityGroupRuleArn", import_string(values, "arn"));
	import_unknown(
		import, values, group->id,
		"id security_group_rule_id security_group_id ip_protocol from_port to_port "
		"cidr_ipv4 cidr_ipv6 prefix_list_id referenced_security_group_id description "
		"arn tags tags_all",
		"region");
	before = import_report_count(import->report);
	if (import_protocol(import, &protocol, group->id, &rule->protocol) &&
	    import_ports(import, rule, group->id, &from, &to)) {
		add_cidr_of(import, rule, group->id, values, "cidr_ipv4");
		add_cidr_of(import, rule, group->id, values, "cidr_ipv6");
		list = terraform_reference(terraform, resource, "prefix_list_id");
		if (list)
			add_list(import, rule, values, list);
		peer = terraform_reference(terraform, resource, "referenced_security_group_id");
		if (peer)
			add_group(import, rule, values, peer);
	}
	import_rule_add(import, group, dir, rule, group->id, before);
}

/* ------------------------------------------------------------------ prefix lists */

static void read_list(struct terraform *terraform, const struct terraform_resource *resource)
{
	struct import *import = terraform->import;
	const struct import_node *values = &resource->values;
	struct import_node blocks = import_get(values, "entry");
	struct import_node entries = blocks.value ? blocks : import_get(values, "entries");
	struct import_node cidrs = import_get(values, "cidr_blocks");
	g_autofree char *id = resource_id(terraform, resource, "pl-");
	struct import_list *list;

	if (without_id(import, resource, id))
		return;
	list = import_list(import, id);
	list->described = true;
	if (!list->place.file)
		import_place_set(&list->place, values);
	import_set(&list->name, import_string(values, "name"));
	if (!list->labels)
		list->labels = labels_of(import, values, id);
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

	if (without_id(import, resource, id))
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

	if (!without_id(terraform->import, resource, id))
		read_as_interface(terraform, resource, id, "security_groups");
}

static void read_instance(struct terraform *terraform, const struct terraform_resource *resource)
{
	const char *id = import_string(&resource->values, "primary_network_interface_id");

	if (!id)
		id = import_string(&resource->values, "id");
	if (!without_id(terraform->import, resource, id))
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
	if (!g_ptr_array_find_with_equal_func(iface->groups, id, g_str_equal, NULL))
		g_ptr_array_add(iface->groups, g_strdup(id));
}

/* ------------------------------------------------------------------ all types */

static const struct {
	const char *type;
	void (*read)(struct terraform *terraform, const struct terraform_resource *resource);
	bool data; /* as a data source too */
} types[] = {
	{"aws_security_group", read_group, true},
	{"aws_default_security_group", read_group, false},
	{"aws_security_group_rule", read_rule, false},
	{"aws_vpc_security_group_ingress_rule", read_vpc_rule, false},
	{"aws_vpc_security_group_egress_rule", read_vpc_rule, false},
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
