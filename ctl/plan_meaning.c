/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan_meaning.c - who may reach more and who less, whatever rule or group it comes from. See
 * plan.h.
 *
 * What the groups of an interface allow together is, for each direction, peer and protocol, a set
 * of ports. A peer gains what the set of after has and that of before had not, nor that of a peer
 * around it: any, a wider CIDR, every protocol.
 */
#include <string.h>

#include "ctl/plan.h"
#include "ctl/rule_text.h"
#include "rulesd/addr.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"

#define SHOWN_INTERFACES 5

/* A peer, a protocol and a direction, and the ports (ICMP: type << 8 | code) that they may. */
struct allowed {
	enum sg_dir direction;
	uint16_t protocol;
	enum model_peer_kind kind;
	struct cidr cidr; /* of MODEL_PEER_CIDR */
	char *peer;
	GArray *ports; /* of struct model_ports, sorted, disjoint */
};

/* What a list of groups allows: "direction protocol peer" -> struct allowed. */
struct plan_reach {
	GHashTable *lists;  /* "network groups" -> GHashTable of struct allowed */
	GHashTable *ifaces; /* id -> that key, of the interfaces with a device */
};

static void allowed_free(void *pointer)
{
	struct allowed *allowed = pointer;

	g_free(allowed->peer);
	g_array_unref(allowed->ports);
	g_free(allowed);
}

static void table_free(void *table)
{
	g_hash_table_unref(table);
}

/* ---------------------------------------------------------------- sets of ports */

static gint by_first(gconstpointer a, gconstpointer b)
{
	const struct model_ports *left = a, *right = b;

	return (int)left->first - (int)right->first;
}

static void merge(GArray *ports)
{
	guint kept = 0;

	g_array_sort(ports, by_first);
	for (guint i = 0; i < ports->len; i++) {
		struct model_ports next = g_array_index(ports, struct model_ports, i);
		struct model_ports *last =
			kept ? &g_array_index(ports, struct model_ports, kept - 1) : NULL;

		if (last && next.first <= last->last + 1u)
			last->last = MAX(last->last, next.last);
		else
			g_array_index(ports, struct model_ports, kept++) = next;
	}
	g_array_set_size(ports, kept);
}

static void subtract_one(GArray *ports, const struct model_ports *hole)
{
	for (guint i = 0; i < ports->len; i++) {
		struct model_ports *range = &g_array_index(ports, struct model_ports, i);
		struct model_ports above = {(uint16_t)(hole->last + 1), range->last};

		if (hole->last < range->first || hole->first > range->last)
			continue;
		if (hole->first <= range->first && hole->last >= range->last) {
			g_array_remove_index(ports, i--);
		} else if (hole->first <= range->first) {
			range->first = above.first;
		} else if (hole->last >= range->last) {
			range->last = (uint16_t)(hole->first - 1);
		} else {
			range->last = (uint16_t)(hole->first - 1);
			g_array_insert_val(ports, i + 1, above);
		}
	}
}

static void subtract(GArray *ports, const GArray *holes)
{
	for (guint i = 0; i < holes->len; i++)
		subtract_one(ports, &g_array_index(holes, struct model_ports, i));
}

/* ---------------------------------------------------------------- what a list of groups allows */

static void add_ports(GArray *ports, const struct model_match *match)
{
	struct model_ports every = {0, 65535}, icmp;

	if (protocol_is_icmp(match->protocol) && match->icmp_type >= 0) {
		icmp.first = (uint16_t)(match->icmp_type << 8 |
					(match->icmp_code < 0 ? 0 : match->icmp_code));
		icmp.last = (uint16_t)(match->icmp_type << 8 |
				       (match->icmp_code < 0 ? 255 : match->icmp_code));
		g_array_append_val(ports, icmp);
	} else if (match->ports && match->ports->len) {
		g_array_append_vals(ports, match->ports->data, match->ports->len);
	} else {
		g_array_append_val(ports, every);
	}
	merge(ports);
}

static void add_peer(GHashTable *table, const struct model_rule *rule,
		     const struct model_match *match, const struct model_peer *peer,
		     const char *network)
{
	char *name = rule_peer_text(peer, network);
	g_autofree char *key =
		g_strdup_printf("%d %u %s", (int)rule->direction, match->protocol, name);
	struct allowed *allowed = g_hash_table_lookup(table, key);

	if (!allowed) {
		allowed = g_new0(struct allowed, 1);
		allowed->direction = rule->direction;
		allowed->protocol = match->protocol;
		allowed->kind = peer->kind;
		allowed->cidr = peer->cidr;
		allowed->peer = TAKE_PTR(name);
		allowed->ports = g_array_new(FALSE, FALSE, sizeof(struct model_ports));
		g_hash_table_insert(table, TAKE_PTR(key), allowed);
	}
	g_free(name);
	add_ports(allowed->ports, match);
}

static void add_group(GHashTable *table, const struct model_group *group)
{
	for (int dir = 0; group && !group->external && dir < SG_DIRS; dir++)
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			const struct model_rule *rule = group->rules[dir]->pdata[i];

			for (guint j = 0; j < rule->matches->len; j++)
				for (guint k = 0; k < rule->peers->len; k++)
					add_peer(table, rule, rule->matches->pdata[j],
						 rule->peers->pdata[k], group->network);
		}
}

static char *list_key(const struct model_interface *iface)
{
	GString *key = g_string_new(iface->network);

	for (uint32_t i = 0; i < iface->groups->count; i++)
		g_string_append_printf(key, " %s", iface->groups->ids[i]);
	return g_string_free(key, FALSE);
}

static void add_interface(struct plan_reach *reach, const struct model_network *network,
			  const struct model_interface *iface)
{
	g_autofree char *key = list_key(iface);
	gpointer known = NULL;
	GHashTable *table;

	if (!g_hash_table_lookup_extended(reach->lists, key, &known, NULL)) {
		table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, allowed_free);
		for (uint32_t i = 0; i < iface->groups->count; i++)
			add_group(table,
				  g_hash_table_lookup(network->groups, iface->groups->ids[i]));
		known = key;
		g_hash_table_insert(reach->lists, TAKE_PTR(key), table);
	}
	g_hash_table_insert(reach->ifaces, g_strdup(iface->id), known);
}

struct plan_reach *plan_reach_of(const struct model *model)
{
	struct plan_reach *reach = g_new0(struct plan_reach, 1);
	GHashTableIter iter;
	gpointer value;

	reach->lists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, table_free);
	reach->ifaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_network *network = value;

		for (guint i = 0; i < network->interfaces->len; i++) {
			const struct model_interface *iface = network->interfaces->pdata[i];

			if (iface->settings->device)
				add_interface(reach, network, iface);
		}
	}
	return reach;
}

void plan_reach_free(struct plan_reach **reach)
{
	if (!*reach)
		return;
	g_hash_table_unref((*reach)->ifaces);
	g_hash_table_unref((*reach)->lists);
	g_free(*reach);
	*reach = NULL;
}

/* ---------------------------------------------------------------- more and less */

static bool is_around(const struct allowed *outer, const struct allowed *inner)
{
	if (outer->direction != inner->direction ||
	    (outer->protocol != inner->protocol && outer->protocol != SG_PROTO_ALL))
		return false;
	if (outer->kind == MODEL_PEER_ANY)
		return true;
	if (outer->kind == MODEL_PEER_CIDR && inner->kind == MODEL_PEER_CIDR)
		return cidr_covers(&outer->cidr, &inner->cidr);
	return outer->kind == inner->kind && !strcmp(outer->peer, inner->peer);
}

/* What has has and the table does not give it already; the caller unrefs. */
static GArray *surplus(const struct allowed *has, GHashTable *table)
{
	GArray *ports = g_array_copy(has->ports);
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, table);
	while (ports->len && g_hash_table_iter_next(&iter, NULL, &value))
		if (is_around(value, has))
			subtract(ports, ((const struct allowed *)value)->ports);
	return ports;
}

static char *ports_text(uint16_t protocol, const GArray *ports)
{
	char name[8];
	GString *text = g_string_new(protocol_format(protocol, name));
	const struct model_ports *first = &g_array_index(ports, struct model_ports, 0);

	if (first->first == 0 && first->last == 65535)
		return g_string_free(text, FALSE);
	for (guint i = 0; i < ports->len; i++) {
		const struct model_ports *range = &g_array_index(ports, struct model_ports, i);

		g_string_append(text, i ? ", " : " ");
		if (protocol_is_icmp(protocol)) {
			unsigned int low = range->first >> 8, high = range->last >> 8;

			if (low != high)
				g_string_append_printf(text, "types %u-%u", low, high);
			else if (icmp_type_name(protocol, (int)low))
				g_string_append(text, icmp_type_name(protocol, (int)low));
			else
				g_string_append_printf(text, "type %u", low);
		} else if (range->first == range->last) {
			g_string_append_printf(text, "%u", range->first);
		} else {
			g_string_append_printf(text, "%u-%u", range->first, range->last);
		}
	}
	return g_string_free(text, FALSE);
}

/* "gains|ingress|10.0.0.0/8|tcp 22" -> ids of interfaces, borrowed. */
static void compare_tables(GHashTable *has, GHashTable *lacks, const char *effect,
			   const GPtrArray *ids, GHashTable *lines)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, has);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct allowed *allowed = value;
		g_autoptr(GArray) ports = surplus(allowed, lacks);
		g_autofree char *what = NULL;
		char *key;
		GPtrArray *all;

		if (!ports->len)
			continue;
		what = ports_text(allowed->protocol, ports);
		key = g_strdup_printf("%s|%s|%s|%s", dir_name(allowed->direction), allowed->peer,
				      what, effect);
		all = g_hash_table_lookup(lines, key);
		if (!all) {
			all = g_ptr_array_new();
			g_hash_table_insert(lines, g_strdup(key), all);
		}
		for (guint i = 0; i < ids->len; i++)
			g_ptr_array_add(all, ids->pdata[i]);
		g_free(key);
	}
}

static gint compare_strings(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_free(void *list)
{
	g_ptr_array_unref(list);
}

/* Interfaces that both have, by the lists of before and after where these differ in anything. */
static GHashTable *pairs_of(const struct plan_reach *before, const struct plan_reach *after)
{
	GHashTable *pairs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, list_free);
	GHashTableIter iter;
	gpointer id, key;

	g_hash_table_iter_init(&iter, after->ifaces);
	while (g_hash_table_iter_next(&iter, &id, &key)) {
		const char *old = g_hash_table_lookup(before->ifaces, id);
		g_autofree char *pair = old ? g_strdup_printf("%s|%s", old, (char *)key) : NULL;
		GPtrArray *ids = pair ? g_hash_table_lookup(pairs, pair) : NULL;

		if (!old)
			continue;
		if (!ids) {
			ids = g_ptr_array_new();
			g_hash_table_insert(pairs, TAKE_PTR(pair), ids);
		}
		g_ptr_array_add(ids, id);
	}
	return pairs;
}

static void print_lines(GHashTable *lines, json_t *meaning)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, lines);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(keys, key);
	g_ptr_array_sort(keys, compare_strings);
	for (guint i = 0; i < keys->len; i++) {
		g_auto(GStrv) parts = g_strsplit(keys->pdata[i], "|", 4);
		GPtrArray *ids = g_hash_table_lookup(lines, keys->pdata[i]);
		json_t *some = json_array();

		g_ptr_array_sort(ids, compare_strings);
		for (guint k = 0; k < MIN(ids->len, SHOWN_INTERFACES); k++)
			json_array_append_new(some, json_string(ids->pdata[k]));
		json_array_append_new(meaning, json_pack("{ss ss ss ss si so}", "direction",
							 parts[0], "peer", parts[1], "what",
							 parts[2], "effect", parts[3], "interfaces",
							 (int)ids->len, "examples", some));
	}
}

void plan_meaning(const struct plan_reach *before, const struct plan_reach *after, json_t *meaning)
{
	g_autoptr(GHashTable) pairs = pairs_of(before, after);
	g_autoptr(GHashTable) lines =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, list_free);
	GHashTableIter iter;
	gpointer key, ids;

	g_hash_table_iter_init(&iter, pairs);
	while (g_hash_table_iter_next(&iter, &key, &ids)) {
		g_auto(GStrv) names = g_strsplit(key, "|", 2);
		GHashTable *old = g_hash_table_lookup(before->lists, names[0]);
		GHashTable *new = g_hash_table_lookup(after->lists, names[1]);

		compare_tables(new, old, "gains", ids, lines);
		compare_tables(old, new, "loses", ids, lines);
	}
	print_lines(lines, meaning);
}

/* ---------------------------------------------------------------- members */

static void collect_members(const struct model_interface *iface, GHashTable *set)
{
	for (uint32_t i = 0; iface && i < iface->groups->count; i++)
		for (uint32_t j = 0; j < iface->address_count; j++) {
			char text[ADDR_TEXT_SIZE];

			g_hash_table_add(set,
					 g_strdup_printf("%s|%s|%s|%s", iface->network,
							 iface->groups->ids[i], iface->id,
							 addr_format(&iface->addresses[j], text)));
		}
}

static void list_members(GHashTable *has, GHashTable *lacks, const char *effect, json_t *members)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, has);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (!g_hash_table_contains(lacks, key))
			g_ptr_array_add(keys, key);
	g_ptr_array_sort(keys, compare_strings);
	for (guint i = 0; i < keys->len; i++) {
		g_auto(GStrv) parts = g_strsplit(keys->pdata[i], "|", 4);

		json_array_append_new(members, json_pack("{ss ss ss ss ss}", "network", parts[0],
							 "group", parts[1], "interface", parts[2],
							 "address", parts[3], "effect", effect));
	}
}

void plan_members(const struct model_edit *edit, json_t *members)
{
	g_autoptr(GHashTable) before = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) after = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(edit, i);

		if (change->kind != MODEL_KIND_INTERFACE)
			continue;
		collect_members(change->old.iface, before);
		collect_members(change->new.iface, after);
	}
	list_members(after, before, "joins", members);
	list_members(before, after, "leaves", members);
}
