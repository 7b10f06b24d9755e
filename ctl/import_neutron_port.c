/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_neutron_port.c - ports of OpenStack as interfaces. */
#include <string.h>

#include "ctl/import_neutron.h"
#include "rulesd/cleanup.h"

static void read_fixed_ips(struct import *import, struct import_interface *iface,
			   const struct import_node *node)
{
	struct import_node all = import_get(node, "fixed_ips");

	for (size_t i = 0; i < import_length(&all); i++) {
		struct import_node item = import_at(&all, i), ip = import_get(&item, "ip_address");
		g_autofree char *shown = NULL;
		char text[ADDR_TEXT_SIZE];
		struct sg_addr addr;

		if (import_text(&ip) && !addr_parse(import_text(&ip), &addr) &&
		    !addr_is_martian_source(&addr)) {
			import_add_once(iface->addresses, addr_format(&addr, text));
			continue;
		}
		shown = import_shown(&ip);
		import_report_add(import->report, IMPORT_LEFT_OUT, "address", iface->id, &item,
				  "%s is no address of an interface", shown);
	}
}

static void read_address_pairs(struct import *import, struct import_interface *iface,
			       const struct import_node *node)
{
	struct import_node all = import_get(node, "allowed_address_pairs");

	for (size_t i = 0; i < import_length(&all); i++) {
		struct import_node pair = import_at(&all, i), ip = import_get(&pair, "ip_address");
		const char *mac = import_string(&pair, "mac_address");
		g_autofree char *cidr = import_cidr(import, iface->id, &ip);
		uint8_t bytes[6];

		if (!cidr)
			continue;
		if (mac && iface->has_mac &&
		    (mac_parse(mac, bytes) || memcmp(bytes, iface->mac, sizeof(bytes)) != 0)) {
			import_report_add(
				import->report, IMPORT_LEFT_OUT, "address-pair", iface->id, &pair,
				"%s with the MAC address %s: an interface has one", cidr, mac);
			continue;
		}
		import_add_once(iface->allowed, cidr);
	}
}

static void read_port_groups(struct import *import, struct import_interface *iface,
			     const struct import_node *groups)
{
	for (size_t i = 0; i < import_length(groups); i++) {
		struct import_node item = import_at(groups, i);
		g_autofree char *id = NULL;
		struct import_group *group;

		if (!import_text(&item))
			continue;
		id = import_id(import, import_text(&item), "sg-", &item);
		group = import_group(import, id);
		if (!group->carried && !group->place.file)
			import_place_set(&group->place, &item);
		group->carried = true;
		import_add_once(iface->groups, id);
	}
}

/* The host has it as a device; names are those of gethostname(). */
static void read_host(struct import *import, struct import_interface *iface,
		      const struct import_node *node)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	struct import_node host = import_get(node, "binding:host_id");
	const char *name = import_text(&host);
	g_autofree char *shown = NULL;

	if (!name)
		return;
	if (strlen(name) <= 253 && name[strspn(name, letters)] == '\0') {
		import_set(&iface->host, name);
		return;
	}
	shown = import_shown(&host);
	import_report_add(import->report, IMPORT_LEFT_OUT, "host", iface->id, &host,
			  "%s is no name of a host", shown);
}

void neutron_port(struct import *import, const struct import_node *node)
{
	g_autofree char *id = neutron_id(import, node, "");
	struct import_node groups = import_get(node, "security_groups");
	const char *owner = import_string(node, "device_owner");
	const char *mac = import_string(node, "mac_address");
	struct import_interface *iface;

	if (!id || g_hash_table_contains(import->interfaces, id))
		return;
	if (import_false(node, "port_security_enabled") || !import_length(&groups)) {
		import_report_add(import->report, IMPORT_LEFT_OUT, "no-groups", id, node,
				  "the port%s%s%s is not filtered", owner ? " (" : "",
				  owner ? owner : "", owner ? ")" : "");
		return;
	}
	iface = import_interface(import, id);
	import_place_set(&iface->place, node);
	import_set(&iface->description, import_string(node, "description"));
	read_host(import, iface, node);
	iface->labels = neutron_labels(import, node, id);
	import_set_extra(&iface->extra, "name", import_string(node, "name"));
	import_set_extra(&iface->extra, "network_id", import_string(node, "network_id"));
	import_set_extra(&iface->extra, "device_id", import_string(node, "device_id"));
	import_set_extra(&iface->extra, "project_id", neutron_project(node));
	iface->has_mac = mac && !mac_parse(mac, iface->mac);
	if (!iface->has_mac)
		import_report_add(import->report, IMPORT_WIDER, "mac", id, node,
				  "the port has no MAC address: the source MAC is not checked");
	read_fixed_ips(import, iface, node);
	read_address_pairs(import, iface, node);
	read_port_groups(import, iface, &groups);
	if (import_false(node, "admin_state_up"))
		import_report_add(import->report, IMPORT_WIDER, "admin-state", id, node,
				  "the port is down by its administrator; here it is up");
	import_unknown(import, node, id,
		       "id name description mac_address fixed_ips allowed_address_pairs "
		       "security_groups port_security_enabled admin_state_up network_id device_id "
		       "device_owner binding:host_id tags",
		       NEUTRON_HISTORY
		       " status binding:vnic_type binding:vif_type binding:vif_details "
		       "binding:profile extra_dhcp_opts dns_name dns_domain dns_assignment "
		       "ip_allocation propagate_uplink_status resource_request "
		       "qos_policy_id qos_network_policy_id numa_affinity_policy "
		       "device_profile hints hardware_offload_type trusted");
}
