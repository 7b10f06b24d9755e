/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * build.c - words to models.
 */
#include "tests/lib/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rulesd/names.h"

struct sg_addr build_addr(const char *text)
{
	struct sg_addr addr = {0};

	if (addr_parse(text, &addr) < 0)
		fail_msg("%s is not an address", text);
	return addr;
}

struct cidr build_cidr(const char *text)
{
	struct cidr cidr = {0};

	if (cidr_parse(text, &cidr) < 0)
		fail_msg("%s is not a CIDR", text);
	return cidr;
}

struct model_network *build_network(struct model *model, const char *name)
{
	return model_network_ensure(model, name);
}

struct model_group *build_group(struct model *model, const char *network, const char *id)
{
	struct model_network *owner = build_network(model, network);
	struct model_group *group = model_group(model, network, id);

	if (!group) {
		group = model_group_new(network, id);
		g_hash_table_insert(owner->groups, group->id, group);
	}
	return group;
}

struct model_prefix_list *build_prefix_list(struct model *model, const char *network,
					    const char *id, const char *entries)
{
	g_auto(GStrv) words = g_strsplit(entries, " ", -1);
	struct model_prefix_list *list = model_prefix_list_new(network, id);

	for (guint i = 0; words[i]; i++) {
		struct cidr cidr = build_cidr(words[i]);

		g_array_append_val(list->entries, cidr);
	}
	g_hash_table_insert(build_network(model, network)->prefix_lists, list->id, list);
	return list;
}

static void add_ports(GArray *ports, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, ",", -1);

	for (guint i = 0; words[i]; i++) {
		unsigned int first = 0, last = 0;
		int read = sscanf(words[i], "%u-%u", &first, &last);
		struct model_ports range = {.first = (uint16_t)first,
					    .last = (uint16_t)(read == 2 ? last : first)};

		assert_true(read >= 1 && first <= 65535 && range.last >= range.first);
		g_array_append_val(ports, range);
	}
}

static struct model_match *build_match(const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 2);
	struct model_match *match;
	uint16_t protocol = 0;

	if (protocol_parse(words[0], &protocol) < 0)
		fail_msg("%s is not a protocol", words[0]);
	match = model_match_new(protocol);
	if (words[1] && protocol_is_icmp(protocol))
		assert_true(sscanf(words[1], "%d/%d", &match->icmp_type, &match->icmp_code) >= 1);
	else if (words[1])
		add_ports(match->ports, words[1]);
	return match;
}

static struct model_peer *build_peer(const char *network, const char *text)
{
	const char *local = strchr(text, ':');
	struct model_peer *peer;

	if (strcmp(text, "any") == 0)
		return model_peer_new(MODEL_PEER_ANY);
	/* An IPv6 CIDR has colons too, but never one before an id. */
	local = local && (g_str_has_prefix(local, ":sg-") || g_str_has_prefix(local, ":pl-"))
			? local + 1
			: text;
	if (g_str_has_prefix(local, "sg-") || g_str_has_prefix(local, "pl-")) {
		peer = model_peer_new(*local == 's' ? MODEL_PEER_GROUP : MODEL_PEER_PREFIX_LIST);
		peer->network = local == text ? g_strdup(network)
					      : g_strndup(text, (gsize)(local - text - 1));
		peer->id = g_strdup(local);
		return peer;
	}
	peer = model_peer_new(MODEL_PEER_CIDR);
	peer->cidr = build_cidr(text);
	return peer;
}

struct model_rule *build_rule(struct model *model, const char *network, const char *group,
			      const char *id, enum sg_dir direction, const char *matches,
			      const char *peers)
{
	g_auto(GStrv) match_words = g_strsplit(matches, " + ", -1);
	g_auto(GStrv) peer_words = g_strsplit(peers, " ", -1);
	struct model_rule *rule = model_rule_new(direction);

	rule->id = g_strdup(id);
	for (guint i = 0; match_words[i]; i++)
		g_ptr_array_add(rule->matches, build_match(match_words[i]));
	for (guint i = 0; peer_words[i]; i++)
		g_ptr_array_add(rule->peers, build_peer(network, peer_words[i]));
	g_ptr_array_add(build_group(model, network, group)->rules[direction], rule);
	return rule;
}

struct model_interface *build_interface(struct model *model, const char *network, const char *id,
					const char *device, const char *addresses,
					const char *groups)
{
	g_auto(GStrv) address_words = g_strsplit(addresses, " ", -1);
	g_auto(GStrv) group_words = g_strsplit(groups, " ", -1);
	g_autoptr(GArray) built = g_array_new(FALSE, FALSE, sizeof(struct sg_addr));
	struct model_interface_spec spec = MODEL_INTERFACE_SPEC;
	struct model_interface *iface;

	for (guint i = 0; address_words[i]; i++) {
		struct sg_addr addr = build_addr(address_words[i]);

		g_array_append_val(built, addr);
	}
	spec.id = id;
	spec.network = build_network(model, network)->name;
	spec.settings.device = device;
	spec.addresses = (const struct sg_addr *)(const void *)built->data;
	spec.address_count = built->len;
	spec.groups = (const char *const *)group_words;
	spec.group_count = g_strv_length(group_words);
	iface = model_interface_new(&spec);
	model_add_interface(model, iface);
	return iface;
}

struct model_interface *build_changed(struct model *model, struct model_interface *iface,
				      const struct model_settings *settings)
{
	struct model_interface_spec spec = model_interface_spec(iface);
	struct model_interface *changed;

	spec.settings = *settings;
	changed = model_interface_new(&spec);
	model_remove_interface(model, iface);
	model_interface_free(iface);
	model_add_interface(model, changed);
	return changed;
}

void build_exempt(struct model *model, const char *network, const char *address, const char *match)
{
	struct model_match *built = build_match(match);
	struct model_exempt *exempt = g_new0(struct model_exempt, 1);

	exempt->address = build_addr(address);
	exempt->protocol = built->protocol;
	exempt->ports = built->ports && built->ports->len ? g_array_ref(built->ports) : NULL;
	model_match_free(built);
	g_ptr_array_add(build_network(model, network)->exempt, exempt);
}
