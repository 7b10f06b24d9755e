/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_aws_group.c - security groups and their rules, as ec2 describe-security-groups and
 * describe-security-group-rules print them, and AWS Config keeps them.
 */
#include <string.h>

#include "ctl/import_formats.h"
#include "rulesd/cleanup.h"

static void add_tag(struct import *import, const struct import_node *at, const char *object,
		    json_t *labels, const char *key, const struct import_node *value)
{
	g_autofree char *shown = NULL;

	if (json_object_get(labels, key)) {
		shown = diag_quote(key);
		import_report_add(import->report, IMPORT_LEFT_OUT, "duplicate", object, at,
				  "a second tag %s", shown);
		return;
	}
	json_object_set_new(labels, key, json_string(import_text(value) ? import_text(value) : ""));
}

json_t *import_aws_tags(struct import *import, const struct import_node *node, const char *object)
{
	json_t *labels = json_object();
	void *members = (void *)(uintptr_t)node->value;
	const char *key;
	json_t *value;

	json_object_foreach (members, key, value) {
		struct import_node member = import_get(node, key);

		add_tag(import, &member, object, labels, key, &member);
	}
	for (size_t i = 0; i < import_length(node); i++) {
		struct import_node tag = import_at(node, i);
		struct import_node text = import_get(&tag, "Value");
		const char *name = import_string(&tag, "Key");

		if (name)
			add_tag(import, &tag, object, labels, name, &text);
		else
			import_report_add(import->report, IMPORT_LEFT_OUT, "tag", object, &tag,
					  "a tag without a key");
		import_unknown(import, &tag, object, "Key Value", "");
	}
	if (json_object_size(labels))
		return labels;
	json_decref(labels);
	return NULL;
}

/* ------------------------------------------------------------------ peers */

struct import_peer *import_aws_group_peer(struct import *import, struct import_rule *rule,
					  const struct import_node *node, const char *id,
					  const char *description)
{
	const char *last = strrchr(id, '/');
	const char *slash = last && g_str_has_prefix(last + 1, "sg-") ? last : NULL;
	g_autofree char *here = import_id(import, slash ? slash + 1 : id, "sg-", node);
	struct import_group *group = import_group(import, here);
	struct import_peer *peer;

	if (slash) {
		g_autofree char *owner = g_strndup(id, (size_t)(slash - id));

		if (!group->owner)
			group->owner = g_strdup(owner);
	}
	if (!group->named++ && !group->place.file)
		import_place_set(&group->place, node);
	peer = import_rule_peer(rule, IMPORT_PEER_GROUP, here, description);
	return peer;
}

/* The status of a peering connection that carries traffic. */
static bool is_stale(const char *status)
{
	return status && strcmp(status, "active") != 0;
}

/* A reference through a connection that is gone matches nothing, even when the group is known. */
static void make_stale(struct import *import, struct import_peer *peer, const char *object,
		       const struct import_node *pair, const char *status)
{
	import_report_add(import->report, IMPORT_SAME, "stale-peer", object, pair,
			  "the peering connection to %s is %s: the reference matches nothing",
			  peer->value, status);
	import_group(import, peer->value)->named--;
	peer->stale = true;
}

static void read_pair(struct import *import, struct import_rule *rule, const char *object,
		      const struct import_group *of, const struct import_node *pair)
{
	static const char *const kept[] = {"VpcId", "VpcPeeringConnectionId", "PeeringStatus"};
	const char *id = import_string(pair, "GroupId");
	const char *name = import_string(pair, "GroupName");
	const char *owner = import_string(pair, "UserId");
	const char *description = import_string(pair, "Description");
	struct import_group *group;
	struct import_peer *peer;

	import_unknown(import, pair, object,
		       "GroupId GroupName UserId VpcId VpcPeeringConnectionId PeeringStatus "
		       "Description",
		       "");
	if (!id && !name) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "group", object, pair,
				  "a peer that names no group");
		return;
	}
	if (id) {
		peer = import_aws_group_peer(import, rule, pair, id, description);
		group = g_hash_table_lookup(import->groups, peer->value);
		if (!group->name && name)
			group->name = g_strdup(name);
		if (!group->owner && owner)
			group->owner = g_strdup(owner);
		else if (owner && strcmp(group->owner, owner) != 0)
			import_set_extra(&peer->extra, "UserId", owner);
	} else {
		peer = import_rule_peer(rule, IMPORT_PEER_GROUP_NAME, name, description);
		if (owner && (!of->owner || strcmp(of->owner, owner) != 0))
			import_set_extra(&peer->extra, "UserId", owner);
	}
	for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
		import_set_extra(&peer->extra, kept[i], import_string(pair, kept[i]));
	if (id && is_stale(import_string(pair, "PeeringStatus")))
		make_stale(import, peer, object, pair, import_string(pair, "PeeringStatus"));
}

static void read_list_peer(struct import *import, struct import_rule *rule,
			   const struct import_node *node, const char *id, const char *description)
{
	g_autofree char *here = import_id(import, id, "pl-", node);
	struct import_list *list = import_list(import, here);

	if (!list->named++ && !list->place.file)
		import_place_set(&list->place, node);
	import_rule_peer(rule, IMPORT_PEER_LIST, here, description);
}

/* Elements are objects with key, or strings as AWS Config and describe-stale-groups have them. */
static void read_ranges(struct import *import, struct import_rule *rule, const char *object,
			const struct import_node *ranges, const char *key)
{
	g_autofree char *known = g_strconcat(key, " Description", NULL);

	for (size_t i = 0; i < import_length(ranges); i++) {
		struct import_node range = import_at(ranges, i);
		struct import_node cidr =
			json_is_object(range.value) ? import_get(&range, key) : range;

		import_rule_cidr(import, rule, object, &cidr, import_string(&range, "Description"));
		import_unknown(import, &range, object, known, "");
	}
}

static void read_peers(struct import *import, struct import_rule *rule, const char *object,
		       const struct import_group *group, const struct import_node *node)
{
	struct import_node lists = import_get(node, "PrefixListIds");
	struct import_node pairs = import_get(node, "UserIdGroupPairs");
	struct import_node ranges = import_get(node, "IpRanges");
	struct import_node v4 = import_get(node, "Ipv4Ranges");
	struct import_node v6 = import_get(node, "Ipv6Ranges");

	/* AWS Config says the same twice: plain in ipRanges, with descriptions in ipv4Ranges. */
	read_ranges(import, rule, object, import_length(&v4) ? &v4 : &ranges, "CidrIp");
	read_ranges(import, rule, object, &v6, "CidrIpv6");
	for (size_t i = 0; i < import_length(&lists); i++) {
		struct import_node list = import_at(&lists, i);
		const char *id = json_is_object(list.value) ? import_string(&list, "PrefixListId")
							    : import_text(&list);

		if (id)
			read_list_peer(import, rule, &list, id,
				       import_string(&list, "Description"));
		else
			import_report_add(import->report, IMPORT_LEFT_OUT, "prefix-list", object,
					  &list, "a peer that names no prefix list");
		import_unknown(import, &list, object, "PrefixListId Description", "");
	}
	for (size_t i = 0; i < import_length(&pairs); i++) {
		struct import_node pair = import_at(&pairs, i);

		read_pair(import, rule, object, group, &pair);
	}
}

/* ------------------------------------------------------------------ groups */

static void read_permission(struct import *import, struct import_group *group, enum sg_dir dir,
			    const struct import_node *node)
{
	g_autofree char *object =
		g_strdup_printf("%s/%s", group->id, dir == SG_INGRESS ? "ingress" : "egress");
	struct import_node protocol = import_get(node, "IpProtocol");
	struct import_node from = import_get(node, "FromPort"), to = import_get(node, "ToPort");
	struct import_rule *rule;
	unsigned int before;

	if (!json_is_object(node->value)) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "type", object, node,
				  "a permission that is no object");
		return;
	}
	import_unknown(import, node, object,
		       "IpProtocol FromPort ToPort IpRanges Ipv4Ranges Ipv6Ranges PrefixListIds "
		       "UserIdGroupPairs",
		       "");
	rule = import_rule_new(node);
	before = import_report_count(import->report);
	if (import_protocol(import, &protocol, object, &rule->protocol) &&
	    import_ports(import, rule, object, &from, &to))
		read_peers(import, rule, object, group, node);
	import_rule_add(import, group, dir, rule, object, before);
}

static void read_permissions(struct import *import, struct import_group *group, enum sg_dir dir,
			     const struct import_node *list)
{
	for (size_t i = 0; i < import_length(list); i++) {
		struct import_node permission = import_at(list, i);

		read_permission(import, group, dir, &permission);
	}
}

/* False when the group was read before. */
static bool take_group(struct import *import, struct import_group *group,
		       const struct import_node *node)
{
	if (group->described && group->source) {
		if (!json_equal(group->source, node->value))
			import_report_add(import->report, IMPORT_LEFT_OUT, "duplicate", group->id,
					  node,
					  "the group is described before, in another way: that "
					  "description holds");
		return false;
	}
	group->described = group->defined = true;
	group->source = node->value;
	import_place_set(&group->place, node);
	return true;
}

static void report_missing(struct import *import, const struct import_group *group,
			   const struct import_node *node)
{
	bool classic = !group->network;

	if (!import_has(node, "IpPermissionsEgress"))
		import_report_add(import->report, IMPORT_ASSUMED, "egress", group->id, node,
				  "no egress permissions are given: nothing may go out");
	else if (classic && !group->rules[SG_EGRESS]->len)
		import_report_add(import->report, IMPORT_NARROWER, "classic", group->id, node,
				  "a group of no VPC (EC2-Classic) did not filter egress; here "
				  "nothing may go out");
	if (!import_has(node, "IpPermissions"))
		import_report_add(import->report, IMPORT_ASSUMED, "ingress", group->id, node,
				  "no ingress permissions are given: nothing may come in");
}

void import_aws_group(struct import *import, const struct import_node *node)
{
	const char *given = import_string(node, "GroupId"),
		   *name = import_string(node, "GroupName");
	g_autofree char *made = given ? NULL : g_strconcat("name-", name, NULL);
	g_autofree char *id = NULL;
	struct import_node ingress = import_get(node, "IpPermissions");
	struct import_node egress = import_get(node, "IpPermissionsEgress");
	struct import_node tags = import_get(node, "Tags");
	struct import_group *group;

	id = import_id(import, given ? given : made, "sg-", node);
	group = import_group(import, id);
	if (!take_group(import, group, node))
		return;
	/* sgctl export aws gives a group without a name its id as one. */
	import_set(&group->name, g_strcmp0(name, given) ? name : NULL);
	import_set_network(import, &group->network, node, "VpcId");
	import_set(&group->owner, import_string(node, "OwnerId"));
	import_set(&group->description, import_string(node, "Description"));
	import_set_extra(&group->extra, "SecurityGroupArn",
			 import_string(node, "SecurityGroupArn"));
	group->labels = import_aws_tags(import, &tags, id);
	import_unknown(import, node, id,
		       "GroupId GroupName VpcId OwnerId Description SecurityGroupArn IpPermissions "
		       "IpPermissionsEgress Tags",
		       "ResponseMetadata");
	read_permissions(import, group, SG_INGRESS, &ingress);
	read_permissions(import, group, SG_EGRESS, &egress);
	report_missing(import, group, node);
}

void import_aws_group_name(struct import *import, const struct import_node *node)
{
	const char *given = import_string(node, "GroupId");
	const char *name = import_string(node, "GroupName");
	g_autofree char *id = NULL;
	struct import_group *group;

	if (!given)
		given = import_string(node, "ID");
	if (!name)
		name = import_string(node, "Name");
	id = import_id(import, given, "sg-", node);
	group = import_group(import, id);
	if (!group->name)
		group->name = g_strdup(name);
	if (!group->named++)
		import_place_set(&group->place, node);
}

/* ------------------------------------------------------------------ rules with an id */

static void read_rule_peer(struct import *import, struct import_rule *rule, const char *object,
			   const struct import_group *group, const struct import_node *node)
{
	struct import_node v4 = import_get(node, "CidrIpv4"), v6 = import_get(node, "CidrIpv6");
	struct import_node pair = import_get(node, "ReferencedGroupInfo");
	const char *list = import_string(node, "PrefixListId");

	if (v4.value)
		import_rule_cidr(import, rule, object, &v4, NULL);
	if (v6.value)
		import_rule_cidr(import, rule, object, &v6, NULL);
	if (list)
		read_list_peer(import, rule, node, list, NULL);
	if (pair.value)
		read_pair(import, rule, object, group, &pair);
}

void import_aws_rule(struct import *import, const struct import_node *node)
{
	const char *of = import_string(node, "GroupId");
	struct import_node protocol = import_get(node, "IpProtocol");
	struct import_node from = import_get(node, "FromPort"), to = import_get(node, "ToPort");
	struct import_node tags = import_get(node, "Tags");
	enum sg_dir dir = import_true(node, "IsEgress") ? SG_EGRESS : SG_INGRESS;
	g_autofree char *id = NULL, *object = NULL;
	struct import_group *group;
	struct import_rule *rule;
	unsigned int before;

	if (!of || !import_has(node, "IsEgress")) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "rule", NULL, node,
				  "a rule without %s", of ? "IsEgress" : "GroupId");
		return;
	}
	id = import_id(import, of, "sg-", node);
	group = import_group(import, id);
	group->defined = true;
	if (!group->place.file)
		import_place_set(&group->place, node);
	if (!group->owner)
		group->owner = g_strdup(import_string(node, "GroupOwnerId"));
	rule = import_rule_new(node);
	rule->detail = true;
	rule->id = import_rule_id(import, import_string(node, "SecurityGroupRuleId"), node);
	object = g_strdup_printf("%s/%s", id, rule->id ? rule->id : "?");
	rule->description = g_strdup(import_string(node, "Description"));
	rule->labels = import_aws_tags(import, &tags, object);
	import_set_extra(&rule->extra, "SecurityGroupRuleArn",
			 import_string(node, "SecurityGroupRuleArn"));
	import_unknown(
		import, node, object,
		"SecurityGroupRuleId GroupId GroupOwnerId IsEgress IpProtocol FromPort ToPort "
		"CidrIpv4 CidrIpv6 PrefixListId ReferencedGroupInfo Description Tags "
		"SecurityGroupRuleArn",
		"");
	before = import_report_count(import->report);
	if (import_protocol(import, &protocol, object, &rule->protocol) &&
	    import_ports(import, rule, object, &from, &to))
		read_rule_peer(import, rule, object, group, node);
	import_rule_add(import, group, dir, rule, object, before);
}
