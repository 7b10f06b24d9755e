/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_family.c - rules that Neutron limits to IPv4 or IPv6, which a rule here is only by its
 * CIDRs and protocol: two such rules that differ in it become one; groups of addresses are split.
 */
#include <netinet/in.h>
#include <string.h>

#include "ctl/import_policy.h"
#include "rulesd/cleanup.h"

static const char *family_name(enum import_family family)
{
	return family == IMPORT_IPV6 ? "IPv6" : "IPv4";
}

static bool is_of(const char *address, enum import_family family)
{
	return (strchr(address, ':') != NULL) == (family == IMPORT_IPV6);
}

static bool is_world(const struct import_peer *peer)
{
	return peer->kind == IMPORT_PEER_CIDR && g_str_has_suffix(peer->value, "/0");
}

/* What a rule says but for the family; rules of two families with one key are counterparts. */
static char *content_key(const struct import_rule *rule, enum import_family family)
{
	GString *key = g_string_new(NULL);

	g_string_printf(key, "%d %d %u %d %d", family, rule->detail, rule->protocol, rule->first,
			rule->last);
	for (guint i = 0; i < rule->peers->len; i++) {
		const struct import_peer *peer = rule->peers->pdata[i];

		g_string_append_printf(key, " %d %s", peer->kind,
				       is_world(peer) ? "world" : peer->value);
	}
	return g_string_free(key, FALSE);
}

static enum import_family other_family(enum import_family family)
{
	return family == IMPORT_IPV4 ? IMPORT_IPV6 : IMPORT_IPV4;
}

/* The ids of both stay: the rule has one, the remark has both. */
static void note_ids(struct import_rule *rule, const struct import_rule *other)
{
	import_set_extra(&rule->extra, family_name(rule->family), rule->id);
	import_set_extra(&rule->extra, family_name(other->family), other->id);
}

static void join(struct import_rule *rule, const struct import_rule *other)
{
	note_ids(rule, other);
	if (g_strcmp0(rule->description, other->description) != 0)
		import_set_extra(&rule->extra, "description", other->description);
	for (guint i = 0; i < other->peers->len; i++) {
		const struct import_peer *peer = other->peers->pdata[i];

		if (peer->kind == IMPORT_PEER_CIDR)
			import_rule_peer(rule, IMPORT_PEER_CIDR, peer->value, NULL);
	}
	if (other->labels && !rule->labels)
		rule->labels = json_incref(other->labels);
	rule->family = IMPORT_ANY_FAMILY;
}

static void join_counterparts(GPtrArray *rules)
{
	g_autoptr(GHashTable) alone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < rules->len;) {
		struct import_rule *rule = rules->pdata[i], *first;
		g_autofree char *wanted = content_key(rule, other_family(rule->family));

		first = rule->family == IMPORT_ANY_FAMILY ? NULL
							  : g_hash_table_lookup(alone, wanted);
		if (first) {
			g_hash_table_remove(alone, wanted);
			join(first, rule);
			g_ptr_array_remove_index(rules, i);
			continue;
		}
		g_hash_table_insert(alone, content_key(rule, rule->family), rule);
		i++;
	}
}

/* Whether interfaces carry the group, and all have addresses of this family alone. */
static bool are_members_of(const struct import *import, const char *group,
			   enum import_family family)
{
	GHashTableIter iter;
	void *value;
	bool any = false;

	g_hash_table_iter_init(&iter, import->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct import_interface *iface = value;

		if (!g_ptr_array_find_with_equal_func(iface->groups, group, g_str_equal, NULL))
			continue;
		any = true;
		for (guint i = 0; i < iface->addresses->len; i++)
			if (!is_of(iface->addresses->pdata[i], family))
				return false;
	}
	return any;
}

static void settle_group_peer(struct import *import, const struct import_group *group,
			      const struct import_rule *rule, const struct import_peer *peer)
{
	const struct import_group *named = g_hash_table_lookup(import->groups, peer->value);

	if (rule->protocol == IPPROTO_ICMP || rule->protocol == IPPROTO_ICMPV6)
		return; /* of one family anyway */
	if (!named->defined && !named->carried)
		return; /* external: matches nothing */
	if (are_members_of(import, peer->value, rule->family) ||
	    are_members_of(import, group->id, rule->family)) {
		import_report_add_at(import->report, IMPORT_ASSUMED, "ethertype", group->id,
				     rule->place.file, rule->place.pointer,
				     "the rule is limited to %s; its interfaces have no other "
				     "addresses now",
				     family_name(rule->family));
		return;
	}
	import_report_add_at(import->report, IMPORT_WIDER, "ethertype", group->id, rule->place.file,
			     rule->place.pointer,
			     "the rule is limited to %s; here %s stands for addresses of both "
			     "families",
			     family_name(rule->family), peer->value);
}

/* The entries of one family as a list of their own. */
static void split_list(struct import *import, const struct import_group *group,
		       const struct import_rule *rule, struct import_peer *peer)
{
	struct import_list *list = g_hash_table_lookup(import->lists, peer->value);
	g_autofree char *id = NULL;
	struct import_list *part;
	guint fitting = 0;

	for (guint i = 0; list->entries && i < list->entries->len; i++)
		fitting += is_of(list->entries->pdata[i], rule->family);
	if (!list->entries || fitting == list->entries->len)
		return;
	id = g_strconcat(list->id, rule->family == IMPORT_IPV6 ? ".6" : ".4", NULL);
	import_report_add_at(import->report, IMPORT_SAME, "ethertype", group->id, rule->place.file,
			     rule->place.pointer,
			     "the rule is limited to %s: %s has those entries of %s",
			     family_name(rule->family), id, list->id);
	part = import_list(import, id);
	if (!part->entries) {
		part->entries = g_ptr_array_new_with_free_func(g_free);
		import_set(&part->name, list->name);
		import_set(&part->description, list->description);
		for (guint i = 0; i < list->entries->len; i++)
			if (is_of(list->entries->pdata[i], rule->family))
				g_ptr_array_add(part->entries, g_strdup(list->entries->pdata[i]));
	}
	part->named++;
	import_set(&peer->value, id);
}

void import_settle_families(struct import *import, struct import_group *group)
{
	for (unsigned int dir = 0; dir < 2; dir++) {
		join_counterparts(group->rules[dir]);
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			struct import_rule *rule = group->rules[dir]->pdata[i];

			if (rule->family == IMPORT_ANY_FAMILY)
				continue;
			for (guint j = 0; j < rule->peers->len; j++) {
				struct import_peer *peer = rule->peers->pdata[j];

				if (peer->kind == IMPORT_PEER_GROUP)
					settle_group_peer(import, group, rule, peer);
				else if (peer->kind == IMPORT_PEER_LIST)
					split_list(import, group, rule, peer);
			}
		}
	}
}
