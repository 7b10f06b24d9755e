/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_neutron.c - the JSON of OpenStack's Networking API v2.0: security groups and rules,
 * address groups, ports (api-ref "Security groups", "Address groups", "Ports").
 */
#include <netinet/in.h>
#include <string.h>

#include "ctl/import_neutron.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

#define RULE_FIELDS                                                                        \
	"id security_group_id direction ethertype protocol port_range_min port_range_max " \
	"remote_ip_prefix remote_group_id remote_address_group_id description tags"
/* ["a", "b"] as {"a": "", "b": ""}. */
json_t *neutron_labels(struct import *import, const struct import_node *node, const char *object)
{
	struct import_node tags = import_get(node, "tags");
	json_t *labels = NULL;

	for (size_t i = 0; i < import_length(&tags); i++) {
		struct import_node tag = import_at(&tags, i);

		if (import_text(&tag))
			import_set_extra(&labels, import_text(&tag), "");
		else
			import_report_add(import->report, IMPORT_LEFT_OUT, "tag", object, &tag,
					  "a tag that is no text");
	}
	return labels;
}

const char *neutron_project(const struct import_node *node)
{
	const char *project = import_string(node, "project_id");

	return project ? project : import_string(node, "tenant_id");
}

/* The id of what has one; what is about to be made has a name at most. */
char *neutron_id(struct import *import, const struct import_node *node, const char *prefix)
{
	const char *id = import_string(node, "id"), *name = import_string(node, "name");
	g_autofree char *here = NULL;

	if (id)
		return import_id(import, id, prefix, node);
	if (!name) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "id", NULL, node,
				  "an object without id and name");
		return NULL;
	}
	here = import_id(import, name, prefix, node);
	import_report_add(import->report, IMPORT_ASSUMED, "id", here, node,
			  "it has no id yet: it is called after its name");
	return g_steal_pointer(&here);
}

/* ------------------------------------------------------------------ rules */

static bool left_out(struct import *import, const char *object, const struct import_node *node,
		     const char *code, const char *why)
{
	import_report_add(import->report, IMPORT_LEFT_OUT, code, object, node, "a rule %s", why);
	return false;
}

static bool read_protocol(struct import *import, struct import_rule *rule, const char *object,
			  const struct import_node *node)
{
	struct import_node protocol = import_get(node, "protocol");

	rule->protocol = SG_PROTO_ALL;
	if (!protocol.value)
		return true;
	if (!import_protocol(import, &protocol, object, &rule->protocol))
		return false;
	/* "icmp" of IPv6 is an old spelling of icmpv6 there. */
	if (rule->family == IMPORT_IPV6 && rule->protocol == IPPROTO_ICMP)
		rule->protocol = IPPROTO_ICMPV6;
	if (rule->family == IMPORT_IPV4 && rule->protocol == IPPROTO_ICMPV6)
		return left_out(import, object, &protocol, "protocol", "with icmpv6 in IPv4");
	return true;
}

static bool read_number(const struct import_node *node, int high, int *number)
{
	json_int_t value;

	if (!node->value)
		return true;
	if (!import_integer(node, &value) || value < 0 || value > high)
		return false;
	*number = (int)value;
	return true;
}

static bool read_ports(struct import *import, struct import_rule *rule, const char *object,
		       const struct import_node *node)
{
	struct import_node min = import_get(node, "port_range_min");
	struct import_node max = import_get(node, "port_range_max");
	bool is_icmp = protocol_is_icmp(rule->protocol);

	if (!min.value && !max.value)
		return true;
	if (!is_icmp && !protocol_has_ports(rule->protocol))
		return left_out(import, object, &min, "ports",
				"with ports of a protocol that cannot have them here");
	if (!read_number(&min, is_icmp ? 255 : 65535, &rule->first) ||
	    !read_number(&max, is_icmp ? 255 : 65535, &rule->last))
		return left_out(import, object, &min, "ports", "whose port is out of range");
	if (is_icmp ? rule->first == IMPORT_EVERY
		    : rule->first == IMPORT_EVERY || rule->last < rule->first)
		return left_out(import, object, &min, "ports", "with half a range of ports");
	if (!is_icmp && rule->first == 0 && rule->last == 65535)
		rule->first = rule->last = IMPORT_EVERY;
	return true;
}

static bool read_family(struct import *import, struct import_rule *rule, const char *object,
			const struct import_node *node)
{
	const char *ethertype = import_string(node, "ethertype");

	/* The API's default. */
	if (!ethertype || !g_ascii_strcasecmp(ethertype, "IPv4"))
		rule->family = IMPORT_IPV4;
	else if (!g_ascii_strcasecmp(ethertype, "IPv6"))
		rule->family = IMPORT_IPV6;
	else
		return left_out(import, object, node, "ethertype",
				"whose ethertype is neither IPv4 nor IPv6");
	return true;
}

static void read_prefix(struct import *import, struct import_rule *rule, const char *object,
			const struct import_node *node)
{
	struct import_node prefix = import_get(node, "remote_ip_prefix");
	const struct import_peer *peer = import_rule_cidr(import, rule, object, &prefix, NULL);

	if (peer && (strchr(peer->value, ':') != NULL) != (rule->family == IMPORT_IPV6)) {
		left_out(import, object, &prefix, "ethertype",
			 "whose remote_ip_prefix is not of its ethertype");
		g_ptr_array_set_size(rule->peers, 0);
	}
}

static void read_remote_group(struct import *import, struct import_rule *rule,
			      const struct import_node *node, const char *given)
{
	g_autofree char *id = import_id(import, given, "sg-", node);
	struct import_group *group = import_group(import, id);

	if (!group->named++ && !group->place.file)
		import_place_set(&group->place, node);
	import_rule_peer(rule, IMPORT_PEER_GROUP, id, NULL);
}

static void read_address_group(struct import *import, struct import_rule *rule,
			       const struct import_node *node, const char *given)
{
	g_autofree char *id = import_id(import, given, "pl-", node);
	struct import_list *list = import_list(import, id);

	if (!list->named++ && !list->place.file)
		import_place_set(&list->place, node);
	import_rule_peer(rule, IMPORT_PEER_LIST, id, NULL);
}

static void read_remote(struct import *import, struct import_rule *rule, const char *object,
			const struct import_node *node)
{
	const char *prefix = import_string(node, "remote_ip_prefix");
	const char *group = import_string(node, "remote_group_id");
	const char *addresses = import_string(node, "remote_address_group_id");

	if (group)
		read_remote_group(import, rule, node, group);
	if (addresses)
		read_address_group(import, rule, node, addresses);
	if (prefix || import_get(node, "remote_ip_prefix").value)
		read_prefix(import, rule, object, node);
	else if (!group && !addresses)
		import_rule_peer(rule, IMPORT_PEER_CIDR,
				 rule->family == IMPORT_IPV6 ? "::/0" : "0.0.0.0/0", NULL);
	/* The API takes one of them; its documentation shows two. */
	if (!!prefix + !!group + !!addresses > 1)
		import_report_add(import->report, IMPORT_ASSUMED, "remote", object, node,
				  "a rule with several remotes is read as any of them");
}

static void read_rule(struct import *import, const struct import_node *node,
		      const struct import_group *parent)
{
	const char *of = import_string(node, "security_group_id");
	const char *direction = import_string(node, "direction");
	enum sg_dir dir = !g_strcmp0(direction, "egress") ? SG_EGRESS : SG_INGRESS;
	g_autofree char *id =
		of ? import_id(import, of, "sg-", node) : g_strdup(parent ? parent->id : NULL);
	struct import_group *group;
	struct import_rule *rule;
	unsigned int before;

	if (!id || (dir == SG_INGRESS && g_strcmp0(direction, "ingress") != 0)) {
		left_out(import, id, node, "rule",
			 id ? "without a direction" : "without security_group_id");
		return;
	}
	group = import_group(import, id);
	group->defined = true;
	if (!group->place.file)
		import_place_set(&group->place, node);
	rule = import_rule_new(node);
	rule->detail = !parent;
	rule->id = import_rule_id(import, import_string(node, "id"), node);
	rule->description = g_strdup(import_string(node, "description"));
	rule->labels = neutron_labels(import, node, id);
	import_unknown(import, node, id, RULE_FIELDS, NEUTRON_HISTORY);
	before = import_report_count(import->report);
	if (read_family(import, rule, id, node) && read_protocol(import, rule, id, node) &&
	    read_ports(import, rule, id, node))
		read_remote(import, rule, id, node);
	import_rule_add(import, group, dir, rule, id, before);
}

/* ------------------------------------------------------------------ groups */

static void read_group(struct import *import, const struct import_node *node)
{
	g_autofree char *id = neutron_id(import, node, "sg-");
	struct import_node rules = import_get(node, "security_group_rules");
	struct import_group *group;

	if (!id)
		return;
	if (!rules.value)
		rules = import_get(node, "rules");
	group = import_group(import, id);
	if (group->described) {
		if (!json_equal(group->source, node->value))
			import_report_add(import->report, IMPORT_LEFT_OUT, "duplicate", id, node,
					  "the group is described before, in another way: that "
					  "description holds");
		return;
	}
	group->described = group->defined = true;
	group->source = node->value;
	import_place_set(&group->place, node);
	import_set(&group->name, import_string(node, "name"));
	import_set(&group->owner, neutron_project(node));
	import_set(&group->description, import_string(node, "description"));
	group->labels = neutron_labels(import, node, id);
	import_unknown(import, node, id,
		       "id name description security_group_rules rules stateful tags",
		       NEUTRON_HISTORY " shared is_shared");
	if (import_false(node, "stateful"))
		import_report_add(import->report, IMPORT_WIDER, "stateless", id, node,
				  "a stateless group: here replies to what its rules allow pass");
	if (!rules.value)
		import_report_add(import->report, IMPORT_ASSUMED, "no-rules", id, node,
				  "no rules are given: nothing may pass");
	for (size_t i = 0; i < import_length(&rules); i++) {
		struct import_node rule = import_at(&rules, i);

		read_rule(import, &rule, group);
	}
}

static void read_addresses(struct import *import, const struct import_node *node)
{
	struct import_node addresses = import_get(node, "addresses");
	g_autofree char *id = neutron_id(import, node, "pl-");
	struct import_list *list;

	if (!id)
		return;
	list = import_list(import, id);
	if (list->described && list->entries)
		import_report_add(
			import->report, IMPORT_ASSUMED, "duplicate", id, node,
			"the address group is given more than once: it has all addresses");
	list->described = true;
	if (!list->place.file)
		import_place_set(&list->place, node);
	import_set(&list->name, import_string(node, "name"));
	import_set(&list->description, import_string(node, "description"));
	import_set_extra(&list->extra, "project_id", neutron_project(node));
	import_unknown(import, node, id, "id name description addresses",
		       NEUTRON_HISTORY " shared");
	import_aws_list_entries(import, list, &addresses, "address", "description");
}

/* The body of add_addresses: whose, only the request's path says. */
static void read_bare_addresses(struct import *import, const struct import_node *node)
{
	struct import_node addresses = import_get(node, "addresses");

	import_aws_entries(import, &addresses);
}

/* ------------------------------------------------------------------ documents */

static void report_template(struct import *import, const struct import_node *node)
{
	import_report_add(import->report, IMPORT_LEFT_OUT, "default-rule", NULL, node,
			  "a rule that new groups begin with: no group has it by this");
}

static void report_statefulness(struct import *import, const struct import_node *node)
{
	import_report_add(import->report, IMPORT_LEFT_OUT, "default-statefulness", NULL, node,
			  "whether new groups of a project are stateful");
}

static void read_lone_rule(struct import *import, const struct import_node *node)
{
	read_rule(import, node, NULL);
}

/* A member of a document, with its objects: one, or a list of them. */
static const struct {
	const char *key;
	void (*read)(struct import *import, const struct import_node *node);
} members[] = {
	{"security_groups", read_group},
	{"security_group", read_group},
	{"security_group_rules", read_lone_rule},
	{"security_group_rule", read_lone_rule},
	{"address_groups", read_addresses},
	{"address_group", read_addresses},
	{"ports", neutron_port},
	{"port", neutron_port},
	{"default_security_group_rules", report_template},
	{"default_security_group_rule", report_template},
	{"security_groups_default_statefulness", report_statefulness},
};

static bool is_bare(const struct import_node *node)
{
	return import_has(node, "id") || import_has(node, "name") ||
	       import_has(node, "direction") || import_has(node, "addresses");
}

bool import_is_neutron(const struct import_node *root)
{
	struct import_node first = import_at(root, 0);
	const struct import_node *node = json_is_array(root->value) ? &first : root;

	for (guint i = 0; i < G_N_ELEMENTS(members); i++)
		if (json_object_get(node->value, members[i].key))
			return true;
	return false;
}

static void each_object(struct import *import, const struct import_node *node,
			void (*read)(struct import *import, const struct import_node *node))
{
	if (json_is_object(node->value))
		read(import, node);
	for (size_t i = 0; i < import_length(node); i++) {
		struct import_node item = import_at(node, i);

		if (json_is_object(item.value))
			read(import, &item);
		else
			import_report_add(import->report, IMPORT_LEFT_OUT, "type", NULL, &item,
					  "a value where an object is expected");
	}
}

/* An object that no document is around, known by its fields. */
static void read_bare(struct import *import, const struct import_node *node)
{
	if (import_has(node, "direction"))
		read_lone_rule(import, node);
	else if (import_has(node, "fixed_ips") || import_has(node, "mac_address"))
		neutron_port(import, node);
	else if (import_has(node, "addresses") &&
		 (import_string(node, "id") || import_string(node, "name")))
		read_addresses(import, node);
	else if (import_has(node, "addresses"))
		read_bare_addresses(import, node);
	else
		read_group(import, node);
}

static void read_document(struct import *import, const struct import_node *node)
{
	g_autoptr(GString) known = g_string_new("addresses");

	if (is_bare(node)) {
		read_bare(import, node);
		return;
	}
	for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
		struct import_node member = import_get(node, members[i].key);

		each_object(import, &member, members[i].read);
		g_string_append_printf(known, " %s", members[i].key);
	}
	import_unknown(import, node, NULL, known->str, "");
}

void import_neutron(struct import *import, const struct import_node *root)
{
	if (import_has(root, "SecurityGroups"))
		import_refuse(import, root, "format", "sgctl import aws",
			      "this is a document of the AWS CLI");
	else if (import_is_terraform(root))
		import_refuse(import, root, "format", "sgctl import terraform",
			      "this is Terraform's");
	else
		each_object(import, root, read_document);
}
