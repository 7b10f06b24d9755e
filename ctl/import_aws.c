/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_aws.c - documents of the AWS CLI and its relatives: finds the objects in whatever they
 * are wrapped in (an object, a list, a list of lists, AWS Config's items) by the fields they have.
 */
#include <string.h>

#include "ctl/import_formats.h"
#include "rulesd/cleanup.h"

static void walk(struct import *import, const struct import_node *node);

void import_refuse(struct import *import, const struct import_node *node, const char *code,
		   const char *fix, const char *format, ...)
{
	g_autofree char *pointer = import_pointer(node);
	g_autofree char *message = NULL;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	diag_add(import->diag, code, (struct place){.file = node->file}, pointer, fix, "%s",
		 message);
}

/* Wrappers: members whose value holds objects. Everything else in a wrapper is reported. */
static const char wrappers[] =
	"SecurityGroups SecurityGroup SecurityGroupRules NetworkInterfaces NetworkInterface "
	"PrefixLists PrefixList Reservations Instances Vpcs Vpc Subnets Subnet ConfigurationItems "
	"BaseConfigurationItems Results";
static const char said_nothing[] = "ResponseMetadata Return NextToken RequestId";

static void report_more(struct import *import, const struct import_node *node)
{
	struct import_node token = import_get(node, "NextToken");

	if (import_text(&token))
		import_report_add(import->report, IMPORT_LEFT_OUT, "next-token", NULL, &token,
				  "the listing goes on: this file is not all of it");
}

/* What describe-stale-security-groups and describe-security-group-references say is about groups
 * that other files describe. */
static void read_remarks(struct import *import, const struct import_node *node)
{
	struct import_node stale = import_get(node, "StaleSecurityGroupSet");
	struct import_node references = import_get(node, "SecurityGroupReferenceSet");

	for (size_t i = 0; i < import_length(&stale); i++) {
		struct import_node item = import_at(&stale, i);

		import_report_add(import->report, IMPORT_LEFT_OUT, "stale-rules",
				  import_string(&item, "GroupId"), &item,
				  "its stale rules: the permissions of the group itself hold");
	}
	for (size_t i = 0; i < import_length(&references); i++) {
		struct import_node item = import_at(&references, i);
		const char *vpc = import_string(&item, "ReferencingVpcId");

		import_report_add(import->report, IMPORT_LEFT_OUT, "reference",
				  import_string(&item, "GroupId"), &item,
				  "%s refers to it: nothing here depends on that",
				  vpc ? vpc : "a VPC");
	}
}

static void walk_wrapper(struct import *import, const struct import_node *node)
{
	void *members = (void *)(uintptr_t)node->value; /* jansson's iterator is not const */
	struct import_node entries = import_get(node, "Entries");
	g_autofree char *known = g_strconcat(
		wrappers, " Entries StaleSecurityGroupSet SecurityGroupReferenceSet", NULL);
	const char *key;
	json_t *value;

	report_more(import, node);
	read_remarks(import, node);
	if (json_is_array(entries.value))
		import_aws_entries(import, &entries);
	json_object_foreach (members, key, value) {
		struct import_node member = import_get(node, key);

		if (import_listed(key, wrappers))
			walk(import, &member);
	}
	import_unknown(import, node, NULL, known, said_nothing);
}

/* ------------------------------------------------------------------ AWS Config */

/* The configuration is an object, or its text. The text's document is kept: nodes borrow it. */
static bool open_configuration(struct import *import, const struct import_node *item,
			       struct import_node *configuration)
{
	struct import_node given = import_get(item, "configuration");
	json_error_t error;
	json_t *inside;

	*configuration = given;
	if (!json_is_string(given.value))
		return json_is_object(given.value);
	inside = json_loads(json_string_value(given.value), JSON_REJECT_DUPLICATES, &error);
	if (!inside) {
		import_refuse(import, &given, "syntax", NULL,
			      "the text inside is not JSON: %s (line %d, column %d of it)",
			      error.text, error.line, error.column);
		return false;
	}
	g_ptr_array_add(import->documents, inside);
	*configuration = import_inside(&given, inside);
	return true;
}

/* Of several captures of one group the newest holds. */
static bool is_newest(struct import *import, const struct import_node *item, const char *id)
{
	const char *time = import_string(item, "configurationItemCaptureTime");
	const char *other = g_hash_table_lookup(import->captured, id);
	struct import_group *group = g_hash_table_lookup(import->groups, id);

	if (!time)
		time = "";
	if (!other) {
		g_hash_table_insert(import->captured, g_strdup(id), g_strdup(time));
		return true;
	}
	import_report_add(import->report, IMPORT_LEFT_OUT, "history", id, item,
			  "an earlier state of the group: the newest capture holds");
	/* ISO 8601 of one zone sorts as text. */
	if (strcmp(time, other) <= 0)
		return false;
	g_hash_table_insert(import->captured, g_strdup(id), g_strdup(time));
	for (unsigned int dir = 0; group && dir < 2; dir++)
		g_ptr_array_set_size(group->rules[dir], 0);
	if (group)
		group->described = false;
	return true;
}

static void read_config_item(struct import *import, const struct import_node *item)
{
	const char *type = import_string(item, "resourceType");
	const char *status = import_string(item, "configurationItemStatus");
	const char *id = import_string(item, "resourceId");
	struct import_node configuration;

	if (status && g_str_has_prefix(status, "ResourceDeleted")) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "deleted", id, item,
				  "the resource was deleted");
		return;
	}
	if (!type || (strcmp(type, "AWS::EC2::SecurityGroup") != 0 &&
		      strcmp(type, "AWS::EC2::NetworkInterface") != 0)) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "resource-type", id, item,
				  "a resource of type %s", type ? type : "unknown");
		return;
	}
	if (!open_configuration(import, item, &configuration)) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "empty", id, item,
				  "an item without configuration");
		return;
	}
	if (id && !strcmp(type, "AWS::EC2::SecurityGroup") && !is_newest(import, item, id))
		return;
	walk(import, &configuration);
}

/* Results of a Config query: each an item as a text. */
static void read_result(struct import *import, const struct import_node *node)
{
	json_t *inside = json_loads(json_string_value(node->value), JSON_REJECT_DUPLICATES, NULL);
	struct import_node root;

	if (!inside) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "type", NULL, node,
				  "a text that is not JSON");
		return;
	}
	g_ptr_array_add(import->documents, inside);
	root = import_inside(node, inside);
	walk(import, &root);
}

/* ------------------------------------------------------------------ objects by their fields */

struct shape {
	const char *keys; /* all of them are there */
	const char *any;  /* at least one of these, unless it is "" */
	void (*read)(struct import *import, const struct import_node *node);
};

static void read_vpc(struct import *import, const struct import_node *node)
{
	import_report_add(import->report, IMPORT_LEFT_OUT, "vpc", import_string(node, "VpcId"),
			  node, "the VPC's own settings: its groups need none of them");
}

static void read_subnet(struct import *import, const struct import_node *node)
{
	import_report_add(import->report, IMPORT_LEFT_OUT, "subnet",
			  import_string(node, "SubnetId"), node, "there are no subnets here");
}

/* The first that fits. */
static const struct shape shapes[] = {
	{"resourceType", "configuration resourceId", read_config_item},
	{"SecurityGroupRuleId", "", import_aws_rule},
	{"GroupId IsEgress", "", import_aws_rule},
	{"NetworkInterfaceId", "Groups PrivateIpAddress PrivateIpAddresses", import_aws_interface},
	{"GroupId", "IpPermissions IpPermissionsEgress Description OwnerId VpcId",
	 import_aws_group},
	{"GroupName", "IpPermissions IpPermissionsEgress", import_aws_group},
	{"GroupId", "GroupName", import_aws_group_name},
	{"ID", "Name", import_aws_group_name},
	{"PrefixListId", "", import_aws_prefix_list},
	{"InstanceId", "NetworkInterfaces SecurityGroups PrivateIpAddress State",
	 import_aws_instance},
	{"SubnetId CidrBlock", "", read_subnet},
	{"VpcId CidrBlock", "", read_vpc},
};

/* A string with something in it, or a flag. */
static bool has_value(const struct import_node *node, const char *key)
{
	struct import_node member = import_get(node, key);

	return import_text(&member) || json_is_boolean(member.value);
}

static bool fits(const struct shape *shape, const struct import_node *node)
{
	g_auto(GStrv) keys = g_strsplit(shape->keys, " ", -1);
	g_auto(GStrv) any = g_strsplit(shape->any, " ", -1);

	for (char **key = keys; *key; key++)
		if (!has_value(node, *key))
			return false;
	for (char **key = any; *key; key++)
		if (import_has(node, *key))
			return true;
	return !any[0];
}

static void walk_object(struct import *import, const struct import_node *node)
{
	for (guint i = 0; i < G_N_ELEMENTS(shapes); i++)
		if (fits(&shapes[i], node)) {
			shapes[i].read(import, node);
			return;
		}
	walk_wrapper(import, node);
}

/* A reservation repeats the groups that its instances name. */
static void walk_reservation(struct import *import, const struct import_node *node)
{
	struct import_node instances = import_get(node, "Instances");

	walk(import, &instances);
	import_unknown(import, node, import_string(node, "ReservationId"),
		       "ReservationId Instances", "OwnerId RequesterId Groups");
}

static void walk(struct import *import, const struct import_node *node)
{
	if (node->depth > IMPORT_MAX_DEPTH) {
		import_refuse(import, node, "too-deep", NULL, "nested deeper than %u",
			      IMPORT_MAX_DEPTH);
		return;
	}
	if (json_is_array(node->value)) {
		for (size_t i = 0; i < import_length(node); i++) {
			struct import_node item = import_at(node, i);

			walk(import, &item);
		}
		return;
	}
	if (json_is_object(node->value) && import_string(node, "ReservationId"))
		walk_reservation(import, node);
	else if (json_is_object(node->value))
		walk_object(import, node);
	else if (import_text(node) && *import_text(node) == '{')
		read_result(import, node);
	else if (node->value)
		import_report_add(import->report, IMPORT_LEFT_OUT, "type", NULL, node,
				  "a value where an object is expected");
}

void import_aws(struct import *import, const struct import_node *root)
{
	if (import_is_terraform(root))
		import_terraform(import, root);
	else if (import_is_neutron(root))
		import_refuse(import, root, "format", "sgctl import neutron",
			      "this is a document of OpenStack Neutron");
	else
		walk(import, root);
}
