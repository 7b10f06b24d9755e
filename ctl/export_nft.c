/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export_nft.c - see export_nft.h.
 *
 * Sets hold the addresses of groups and the entries of prefix lists; a chain for each group and
 * direction has its rules; a chain for each interface and direction has its guard, jumps to its
 * groups and drops the rest; verdict maps by the name of the device lead there.
 */
#include "ctl/export_nft.h"

#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/names.h"

struct writer {
	const struct model *model;
	GString *out;
	bool bridge;
};

G_GNUC_PRINTF(2, 3) static void line(struct writer *writer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_string_append_vprintf(writer->out, format, args);
	va_end(args);
	g_string_append_c(writer->out, '\n');
}

/* ---------------------------------------------------------------- sets */

static void add_member_elements(GString *text, const struct model_network *network, const char *id,
				bool v4)
{
	for (guint i = 0; i < network->interfaces->len; i++) {
		const struct model_interface *iface = network->interfaces->pdata[i];

		for (uint32_t j = 0;
		     model_groups_have(iface->groups, id) && j < iface->address_count; j++) {
			char address[ADDR_TEXT_SIZE];

			if (addr_is_v4(&iface->addresses[j]) == v4)
				g_string_append_printf(text, "%s%s", text->len ? ", " : "",
						       addr_format(&iface->addresses[j], address));
		}
	}
}

static void write_set(struct writer *writer, const char *network, const char *id, bool v4,
		      bool interval, const GString *elements)
{
	line(writer, "\tset %s.%s.%s {", network, id, v4 ? "v4" : "v6");
	line(writer, "\t\ttype %s", v4 ? "ipv4_addr" : "ipv6_addr");
	if (interval)
		line(writer, "\t\tflags interval\n\t\tauto-merge");
	if (elements->len)
		line(writer, "\t\telements = { %s }", elements->str);
	line(writer, "\t}");
}

static void write_sets(struct writer *writer, const struct model_network *network)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, network->groups);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_group *group = value;

		line(writer, "\t# the addresses of the interfaces that carry %s", group->id);
		for (int v4 = 1; v4 >= 0; v4--) {
			g_autoptr(GString) elements = g_string_new(NULL);

			add_member_elements(elements, network, group->id, v4);
			write_set(writer, network->name, group->id, v4, false, elements);
		}
	}
	g_hash_table_iter_init(&iter, network->prefix_lists);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_prefix_list *list = value;

		line(writer, "\t# prefix list %s%s", list->id,
		     list->external ? ", known by name only" : "");
		for (int v4 = 1; v4 >= 0; v4--) {
			g_autoptr(GString) elements = g_string_new(NULL);

			for (guint i = 0; i < list->entries->len; i++) {
				const struct cidr *cidr =
					&g_array_index(list->entries, struct cidr, i);
				char text[CIDR_TEXT_SIZE];

				if (addr_is_v4(&cidr->addr) == v4)
					g_string_append_printf(elements, "%s%s",
							       elements->len ? ", " : "",
							       cidr_format(cidr, text));
			}
			write_set(writer, network->name, list->id, v4, true, elements);
		}
	}
}

/* ---------------------------------------------------------------- rules */

static char *match_text(const struct model_match *match)
{
	GString *text = g_string_new(NULL);
	char name[8];

	protocol_format(match->protocol, name);
	if (match->protocol == SG_PROTO_ALL)
		return g_string_free(text, FALSE);
	if (protocol_is_icmp(match->protocol) && match->icmp_type >= 0) {
		g_string_append_printf(text, "%s type %d ", name, match->icmp_type);
		if (match->icmp_code >= 0)
			g_string_append_printf(text, "%s code %d ", name, match->icmp_code);
	} else if (match->ports && match->ports->len) {
		g_string_append_printf(text, "%s dport { ", name);
		for (guint i = 0; i < match->ports->len; i++) {
			const struct model_ports *ports =
				&g_array_index(match->ports, struct model_ports, i);

			g_string_append_printf(text, i ? ", %u" : "%u", ports->first);
			if (ports->last != ports->first)
				g_string_append_printf(text, "-%u", ports->last);
		}
		g_string_append(text, " } ");
	} else {
		g_string_append_printf(text, "meta l4proto %u ", match->protocol);
	}
	return g_string_free(text, FALSE);
}

/* The address match of a family, or NULL when the peer has nothing of it. */
static char *peer_text(const struct model_peer *peer, const char *network, enum sg_dir dir, bool v4)
{
	const char *field = dir == SG_INGRESS ? "saddr" : "daddr";
	const char *ip = v4 ? "ip" : "ip6";
	char text[CIDR_TEXT_SIZE];

	switch (peer->kind) {
	case MODEL_PEER_CIDR:
		if (addr_is_v4(&peer->cidr.addr) != v4)
			return NULL;
		return g_strdup_printf("%s %s %s ", ip, field, cidr_format(&peer->cidr, text));
	case MODEL_PEER_GROUP:
		return g_strdup_printf("%s %s @%s.%s.%s ", ip, field,
				       peer->network ? peer->network : network, peer->id,
				       v4 ? "v4" : "v6");
	case MODEL_PEER_PREFIX_LIST:
		return g_strdup_printf("%s %s @%s.%s.%s ", ip, field, network, peer->id,
				       v4 ? "v4" : "v6");
	case MODEL_PEER_ANY:
	default:
		return NULL;
	}
}

static void write_match(struct writer *writer, const struct model_group *group,
			const struct model_rule *rule, const struct model_match *match,
			const struct model_peer *peer)
{
	g_autofree char *what = match_text(match);

	if (peer->kind == MODEL_PEER_ANY) {
		line(writer, "\t\t%saccept comment \"%s/%s\"", what, group->id, rule->id);
		return;
	}
	for (int v4 = 1; v4 >= 0; v4--) {
		g_autofree char *who = peer_text(peer, group->network, rule->direction, v4);

		if (!who || (v4 ? match->protocol == SG_IPPROTO_ICMPV6
				: match->protocol == SG_IPPROTO_ICMP))
			continue;
		line(writer, "\t\t%s%saccept comment \"%s/%s\"", who, what, group->id, rule->id);
	}
}

static void write_group(struct writer *writer, const struct model_group *group, enum sg_dir dir)
{
	line(writer, "\tchain %s.%s.%s {", group->network, group->id,
	     dir == SG_INGRESS ? "in" : "out");
	for (guint i = 0; i < group->rules[dir]->len; i++) {
		const struct model_rule *rule = group->rules[dir]->pdata[i];

		for (guint j = 0; j < rule->matches->len; j++)
			for (guint k = 0; k < rule->peers->len; k++)
				write_match(writer, group, rule, rule->matches->pdata[j],
					    rule->peers->pdata[k]);
	}
	line(writer, "\t}");
}

/* ---------------------------------------------------------------- interfaces */

static char *own_addresses(const struct model_interface *iface, bool v4)
{
	GString *text = g_string_new(NULL);
	const struct model_settings *settings = iface->settings;

	for (uint32_t i = 0; i < iface->address_count; i++) {
		char address[ADDR_TEXT_SIZE];

		if (addr_is_v4(&iface->addresses[i]) == v4)
			g_string_append_printf(text, "%s%s", text->len ? ", " : "",
					       addr_format(&iface->addresses[i], address));
	}
	if (!v4 && settings->has_mac) {
		struct sg_addr own = addr_link_local_of_mac(settings->mac);
		char address[ADDR_TEXT_SIZE];

		g_string_append_printf(text, "%s%s", text->len ? ", " : "",
				       addr_format(&own, address));
	}
	for (uint32_t i = 0; i < settings->allowed_count; i++) {
		char cidr[CIDR_TEXT_SIZE];

		if (addr_is_v4(&settings->allowed[i].addr) == v4)
			g_string_append_printf(text, "%s%s", text->len ? ", " : "",
					       cidr_format(&settings->allowed[i], cidr));
	}
	return g_string_free(text, FALSE);
}

/* nft refuses overlapping elements of an anonymous set: a rule each. */
static void write_own(struct writer *writer, const char *chain, const char *own, bool v4,
		      const char *field)
{
	g_auto(GStrv) parts = g_strsplit(own, ", ", -1);

	line(writer, "\tchain %s {", chain);
	for (char **part = parts; *part && **part; part++)
		line(writer, "\t\t%s %s %s return", v4 ? "ip" : "ip6", field, *part);
	if (!strcmp(field, "daddr"))
		line(writer, v4 ? "\t\tip daddr { 224.0.0.0/4, 255.255.255.255 } return"
				: "\t\tip6 daddr ff00::/8 return");
	line(writer, "\t\tdrop");
	line(writer, "\t}");
}

static void write_guard(struct writer *writer, const struct model_interface *iface, enum sg_dir dir)
{
	const struct model_settings *settings = iface->settings;
	bool out = dir == SG_EGRESS;
	const char *suffix = out ? "out" : "in";
	char mac[MAC_TEXT_SIZE];

	if (writer->bridge) {
		line(writer, "\t\tether type != { arp, ip, ip6 } drop");
		if (out && settings->has_mac && settings->spoof_guard)
			line(writer, "\t\tether saddr != %s drop", mac_format(settings->mac, mac));
		line(writer, "\t\tether type arp accept%s",
		     out && settings->spoof_guard ? " comment \"the sender is not checked here\""
						  : "");
	}
	if (out && settings->spoof_guard) {
		line(writer, "\t\tudp sport 67 udp dport 68 drop comment \"no DHCP server\"");
		line(writer, "\t\ticmpv6 type nd-router-advert drop");
	}
	line(writer, "\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, "
		     "nd-router-solicit, nd-router-advert, mld2-listener-report } accept");
	line(writer,
	     out ? "\t\tudp sport 68 udp dport 67 accept" : "\t\tudp sport 67 udp dport 68 accept");
	if (!settings->spoof_guard)
		return;
	line(writer, "\t\tmeta protocol ip jump if.%s.%s.own4", iface->id, suffix);
	line(writer, "\t\tmeta protocol ip6 jump if.%s.%s.own6", iface->id, suffix);
}

static void write_exempt(struct writer *writer, const struct model_network *network)
{
	for (guint i = 0; i < network->exempt->len; i++) {
		const struct model_exempt *exempt = network->exempt->pdata[i];
		const struct model_match match = {.protocol = exempt->protocol,
						  .ports = exempt->ports,
						  .icmp_type = -1,
						  .icmp_code = -1};
		g_autofree char *what = match_text(&match);
		char text[ADDR_TEXT_SIZE];

		line(writer, "\t\t%s daddr %s %saccept comment \"exempt\"",
		     addr_is_v4(&exempt->address) ? "ip" : "ip6",
		     addr_format(&exempt->address, text), what);
	}
}

static void write_interface(struct writer *writer, const struct model_network *network,
			    const struct model_interface *iface, enum sg_dir dir)
{
	const char *suffix = dir == SG_INGRESS ? "in" : "out";
	const char *field = dir == SG_INGRESS ? "daddr" : "saddr";

	for (int v4 = 1; iface->settings->spoof_guard && v4 >= 0; v4--) {
		g_autofree char *own = own_addresses(iface, v4);
		g_autofree char *chain =
			g_strdup_printf("if.%s.%s.own%d", iface->id, suffix, v4 ? 4 : 6);

		write_own(writer, chain, own, v4, field);
	}
	line(writer, "\t# what %s %s", iface->id, dir == SG_INGRESS ? "is sent" : "sends");
	line(writer, "\tchain if.%s.%s {", iface->id, suffix);
	write_guard(writer, iface, dir);
	line(writer, "\t\tct state established,related accept");
	line(writer, "\t\tct state invalid drop");
	if (dir == SG_EGRESS)
		write_exempt(writer, network);
	for (uint32_t i = 0; i < iface->groups->count; i++)
		line(writer, "\t\tjump %s.%s.%s", network->name, iface->groups->ids[i], suffix);
	line(writer, "\t\tdrop");
	line(writer, "\t}");
}

static void write_map(struct writer *writer, const GPtrArray *ifaces, enum sg_dir dir)
{
	const char *suffix = dir == SG_INGRESS ? "in" : "out";

	line(writer, "\tmap taps.%s {", suffix);
	line(writer, "\t\ttype ifname : verdict");
	if (ifaces->len)
		line(writer, "\t\telements = {");
	for (guint i = 0; i < ifaces->len; i++) {
		const struct model_interface *iface = ifaces->pdata[i];

		line(writer, "\t\t\t\"%s\" : jump if.%s.%s%s", iface->settings->device, iface->id,
		     suffix, i + 1 < ifaces->len ? "," : "");
	}
	if (ifaces->len)
		line(writer, "\t\t}");
	line(writer, "\t}");
}

static void write_network(struct writer *writer, const struct model_network *network,
			  GPtrArray *taps)
{
	GHashTableIter iter;
	gpointer value;

	line(writer, "\n\t# ---- network %s", network->name);
	g_hash_table_iter_init(&iter, network->groups);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		write_group(writer, value, SG_INGRESS);
		write_group(writer, value, SG_EGRESS);
	}
	for (guint i = 0; i < network->interfaces->len; i++) {
		const struct model_interface *iface = network->interfaces->pdata[i];

		if (!iface->settings->device)
			continue;
		/* An alias or a MAC has nothing to do with the device in a ruleset. */
		if (strchr(iface->settings->device, ':')) {
			line(writer, "\t# %s: not in this ruleset: its device is found by %s",
			     iface->id, iface->settings->device);
			continue;
		}
		g_ptr_array_add(taps, (gpointer)(uintptr_t)iface);
		if (iface->settings->vlan_count)
			line(writer,
			     "\t# %s: its VLANs are not in this ruleset: tagged frames drop",
			     iface->id);
		write_interface(writer, network, iface, SG_INGRESS);
		write_interface(writer, network, iface, SG_EGRESS);
	}
}

char *export_nft(const struct model *model, const char *family)
{
	struct writer writer = {
		.model = model, .out = g_string_new(NULL), .bridge = !strcmp(family, "bridge")};
	g_autoptr(GPtrArray) taps = g_ptr_array_new();
	GHashTableIter iter;
	gpointer network;

	line(&writer, "#!/usr/sbin/nft -f");
	line(&writer,
	     "# Security groups as sgctl export nft writes them. Sets hold the addresses of");
	line(&writer,
	     "# groups and prefix lists, a chain for each group its rules, a chain for each");
	line(&writer,
	     "# tap its guard and its groups. Not in here, because nft has no words for it:");
	line(&writer, "# allowances of flows, timeouts, ARP senders, revocation of live flows.");
	if (writer.bridge)
		line(&writer, "# Needs the module nf_conntrack_bridge.");
	line(&writer, "table %s tapguard", family);
	line(&writer, "delete table %s tapguard", family);
	line(&writer, "table %s tapguard {", family);
	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &network))
		write_sets(&writer, network);
	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &network))
		write_network(&writer, network, taps);
	line(&writer, "\n\t# ---- taps");
	write_map(&writer, taps, SG_EGRESS);
	write_map(&writer, taps, SG_INGRESS);
	line(&writer, "\tchain prerouting {");
	line(&writer, "\t\ttype filter hook prerouting priority filter; policy accept");
	line(&writer, "\t\tiifname vmap @taps.out");
	line(&writer, "\t}");
	line(&writer, "\tchain postrouting {");
	line(&writer, "\t\ttype filter hook postrouting priority filter; policy accept");
	line(&writer, "\t\toifname vmap @taps.in");
	line(&writer, "\t}\n}");
	return g_string_free(writer.out, FALSE);
}
