/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_terraform_rule.c - the AWS provider's groups and rules, inside them and by themselves. */
#include <string.h>

#include "ctl/import_terraform.h"
#include "rulesd/cleanup.h"

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

void terraform_group(struct terraform *terraform, const struct terraform_resource *resource)
{
	struct import *import = terraform->import;
	const struct import_node *values = &resource->values;
	static const char *const blocks[] = {[SG_EGRESS] = "egress", [SG_INGRESS] = "ingress"};
	g_autofree char *id = terraform_id(terraform, resource, "sg-");
	struct import_group *group;

	if (terraform_lacks_id(import, resource, id))
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
	group->labels = terraform_labels(import, values, id);
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
	rule->labels = terraform_labels(import, values, object);
	import_set_extra(&rule->extra, "Terraform", resource->address);
	return rule;
}

void terraform_rule(struct terraform *terraform, const struct terraform_resource *resource)
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

void terraform_vpc_rule(struct terraform *terraform, const struct terraform_resource *resource)
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
