/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_aws_interface.c - network interfaces, as ec2 describe-network-interfaces prints them, and
 * those inside describe-instances.
 */
#include <string.h>

#include "ctl/import_formats.h"
#include "rulesd/cleanup.h"

static void add_address(struct import *import, struct import_interface *iface,
			const struct import_node *node)
{
	const char *text = import_text(node);
	g_autofree char *shown = NULL;
	struct sg_addr addr;
	char canonical[ADDR_TEXT_SIZE];

	if (!node->value)
		return;
	if (text && !addr_parse(text, &addr) && !addr_is_martian_source(&addr)) {
		import_add_once(iface->addresses, addr_format(&addr, canonical));
		return;
	}
	shown = import_shown(node);
	import_report_add(import->report, IMPORT_LEFT_OUT, "address", iface->id, node,
			  "%s is no address of an interface", shown);
}

/* [{KEY: address}], whose first may be the one that stands alone as well. */
static void read_addresses(struct import *import, struct import_interface *iface,
			   const struct import_node *node, const char *list, const char *key)
{
	struct import_node alone = import_get(node, key), all = import_get(node, list);

	add_address(import, iface, &alone);
	for (size_t i = 0; i < import_length(&all); i++) {
		struct import_node item = import_at(&all, i);
		struct import_node address = import_get(&item, key);

		add_address(import, iface, &address);
	}
}

/* Prefixes delegated to the interface: it sends from them, but they are no members of groups. */
static void read_prefixes(struct import *import, struct import_interface *iface,
			  const struct import_node *node, const char *list, const char *key)
{
	struct import_node all = import_get(node, list);

	for (size_t i = 0; i < import_length(&all); i++) {
		struct import_node item = import_at(&all, i), prefix = import_get(&item, key);
		g_autofree char *cidr = import_cidr(import, iface->id, &prefix);

		if (!cidr)
			continue;
		import_add_once(iface->allowed, cidr);
		import_report_add(import->report, IMPORT_NARROWER, "prefix", iface->id, &item,
				  "%s may be used by the interface, but is no part of its groups "
				  "as peers",
				  cidr);
	}
}

/* Idle timeouts of the connection tracking: the ranges are the same as here. */
static void read_conntrack(struct import *import, struct import_interface *iface,
			   const struct import_node *node)
{
	static const struct {
		const char *theirs, *ours;
		json_int_t low, high;
	} fields[] = {{"TcpEstablishedTimeout", "tcp_established", 60, 432000},
		      {"UdpTimeout", "udp", 30, 60},
		      {"UdpStreamTimeout", "udp_stream", 60, 180}};
	struct import_node tracking = import_get(node, "ConnectionTrackingConfiguration");

	for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
		struct import_node seconds = import_get(&tracking, fields[i].theirs);
		json_int_t number;

		if (!seconds.value)
			continue;
		if (import_integer(&seconds, &number) && number >= fields[i].low &&
		    number <= fields[i].high) {
			if (!iface->conntrack)
				iface->conntrack = json_object();
			json_object_set_new(iface->conntrack, fields[i].ours, json_integer(number));
			continue;
		}
		import_report_add(import->report, IMPORT_LEFT_OUT, "conntrack", iface->id, &seconds,
				  "%s goes from %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT,
				  fields[i].theirs, fields[i].low, fields[i].high);
	}
	import_unknown(import, &tracking, iface->id,
		       "TcpEstablishedTimeout UdpTimeout UdpStreamTimeout", "");
}

static void read_groups(struct import *import, struct import_interface *iface,
			const struct import_node *groups)
{
	for (size_t i = 0; i < import_length(groups); i++) {
		struct import_node item = import_at(groups, i);
		const char *given = import_string(&item, "GroupId");
		const char *name = import_string(&item, "GroupName");
		g_autofree char *id = NULL;
		struct import_group *group;

		if (!given) {
			import_report_add(import->report, IMPORT_NARROWER, "group", iface->id,
					  &item, "a group without GroupId, which it cannot carry");
			continue;
		}
		id = import_id(import, given, "sg-", &item);
		group = import_group(import, id);
		if (!group->carried && !group->place.file)
			import_place_set(&group->place, &item);
		group->carried = true;
		if (!group->network)
			group->network = g_strdup(iface->network);
		if (!group->name && g_strcmp0(name, given) != 0)
			group->name = g_strdup(name);
		import_add_once(iface->groups, id);
	}
}

static void read_mac(struct import *import, struct import_interface *iface,
		     const struct import_node *node)
{
	struct import_node mac = import_get(node, "MacAddress");
	g_autofree char *shown = NULL;

	if (!mac.value)
		return;
	iface->has_mac = import_text(&mac) && !mac_parse(import_text(&mac), iface->mac);
	if (iface->has_mac)
		return;
	shown = import_shown(&mac);
	import_report_add(import->report, IMPORT_WIDER, "mac", iface->id, &mac,
			  "%s is no MAC address: the source MAC is not checked", shown);
}

/* False when it carries no group: AWS does not filter it. */
static bool has_groups(struct import *import, const char *id, const struct import_node *node,
		       const struct import_node *groups)
{
	const char *type = import_string(node, "InterfaceType");

	if (import_length(groups))
		return true;
	import_report_add(import->report, IMPORT_LEFT_OUT, "no-groups", id, node,
			  "the interface%s%s%s carries no security group: AWS does not filter it",
			  type ? " (" : "", type ? type : "", type ? ")" : "");
	return false;
}

/* False when it was read before. */
static bool take_interface(struct import *import, const char *id, const struct import_node *node)
{
	const struct import_interface *first = g_hash_table_lookup(import->interfaces, id);

	if (!first)
		return true;
	/* The same interface, short in describe-instances, long in describe-network-interfaces. */
	if (!json_equal(first->source, node->value) &&
	    !json_equal(json_object_get(first->source, "Groups"),
			json_object_get(node->value, "Groups")))
		import_report_add(import->report, IMPORT_LEFT_OUT, "duplicate", id, node,
				  "the interface is described before, in another way: that "
				  "description holds");
	return false;
}

static void read_interface(struct import *import, struct import_interface *iface,
			   const struct import_node *node)
{
	read_mac(import, iface, node);
	read_addresses(import, iface, node, "PrivateIpAddresses", "PrivateIpAddress");
	read_addresses(import, iface, node, "Ipv6Addresses", "Ipv6Address");
	read_prefixes(import, iface, node, "Ipv4Prefixes", "Ipv4Prefix");
	read_prefixes(import, iface, node, "Ipv6Prefixes", "Ipv6Prefix");
	read_conntrack(import, iface, node);
	if (import_false(node, "SourceDestCheck")) {
		iface->no_spoof_guard = true;
		import_report_add(import->report, IMPORT_SAME, "source-dest-check", iface->id, node,
				  "without source/destination check: spoof_guard is off");
	}
	if (import_true(node, "DenyAllIgwTraffic"))
		import_report_add(import->report, IMPORT_LEFT_OUT, "unknown-field", iface->id, node,
				  "DenyAllIgwTraffic: there is no internet gateway here");
}

static void note_vpc(struct import_interface *iface, const struct import_node *node)
{
	static const char *const kept[] = {"VpcId", "SubnetId", "OwnerId", "InterfaceType"};
	struct import_node attachment = import_get(node, "Attachment");

	for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
		import_set_extra(&iface->extra, kept[i], import_string(node, kept[i]));
	import_set_extra(&iface->extra, "InstanceId", import_string(&attachment, "InstanceId"));
}

void import_aws_interface(struct import *import, const struct import_node *node)
{
	g_autofree char *id =
		import_id(import, import_string(node, "NetworkInterfaceId"), "", node);
	struct import_node groups = import_get(node, "Groups"), tags = import_get(node, "TagSet");
	struct import_interface *iface;

	if (!take_interface(import, id, node) || !has_groups(import, id, node, &groups))
		return;
	iface = import_interface(import, id);
	iface->source = node->value;
	import_place_set(&iface->place, node);
	import_set_network(import, &iface->network, node, "VpcId");
	import_set(&iface->description, import_string(node, "Description"));
	if (!tags.value)
		tags = import_get(node, "Tags");
	iface->labels = import_aws_tags(import, &tags, id);
	note_vpc(iface, node);
	read_interface(import, iface, node);
	read_groups(import, iface, &groups);
	/* Where it is attached, its names and public addresses: AWS translates them outside. */
	import_unknown(
		import, node, id,
		"NetworkInterfaceId MacAddress PrivateIpAddress PrivateIpAddresses "
		"Ipv6Address Ipv6Addresses Ipv4Prefixes Ipv6Prefixes Groups TagSet Tags VpcId "
		"SubnetId OwnerId Description SourceDestCheck DenyAllIgwTraffic "
		"ConnectionTrackingConfiguration Attachment InterfaceType",
		"Association AvailabilityZone AvailabilityZoneId NetworkInterfaceArn OutpostArn "
		"PrivateDnsName PublicDnsName PublicIpDnsNameOptions RequesterId Operator "
		"RequesterManaged Status Ipv6Native AssociatedSubnets ResponseMetadata");
}

/* EC2-Classic had no interfaces of their own: the instance is one. */
static void read_bare_instance(struct import *import, const struct import_node *node)
{
	g_autofree char *id = import_id(import, import_string(node, "InstanceId"), "", node);
	struct import_node groups = import_get(node, "SecurityGroups");
	struct import_node address = import_get(node, "PrivateIpAddress");
	struct import_node tags = import_get(node, "Tags");
	struct import_interface *iface;

	if (!address.value) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "no-addresses", id, node,
				  "an instance without an interface, as after its end");
		return;
	}
	if (!take_interface(import, id, node) || !has_groups(import, id, node, &groups))
		return;
	iface = import_interface(import, id);
	iface->source = node->value;
	import_place_set(&iface->place, node);
	import_set_network(import, &iface->network, node, "VpcId");
	iface->labels = import_aws_tags(import, &tags, id);
	note_vpc(iface, node);
	read_interface(import, iface, node);
	read_groups(import, iface, &groups);
}

void import_aws_instance(struct import *import, const struct import_node *node)
{
	struct import_node interfaces = import_get(node, "NetworkInterfaces");
	struct import_node tags = import_get(node, "Tags");
	const char *instance = import_string(node, "InstanceId");

	for (size_t i = 0; i < import_length(&interfaces); i++) {
		struct import_node item = import_at(&interfaces, i);
		g_autofree char *id = NULL;
		struct import_interface *iface;

		if (!import_string(&item, "NetworkInterfaceId")) {
			import_report_add(import->report, IMPORT_LEFT_OUT, "id", instance, &item,
					  "an interface without NetworkInterfaceId");
			continue;
		}
		import_aws_interface(import, &item);
		id = import_id(import, import_string(&item, "NetworkInterfaceId"), "", &item);
		iface = g_hash_table_lookup(import->interfaces, id);
		if (!iface)
			continue;
		import_set_extra(&iface->extra, "InstanceId", instance);
		if (!iface->labels)
			iface->labels = import_aws_tags(import, &tags, id);
	}
	if (!import_length(&interfaces))
		read_bare_instance(import, node);
}
