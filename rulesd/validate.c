/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate.c - what only the whole model can tell: references, uniqueness, limits.
 *
 * Objects are looked at in the order of their places, so that two runs say the same. A pointer
 * leads to the value inside the object; load.c finds its line and column.
 */
#include "rulesd/validate.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "rulesd/names.h"
#include "rulesd/nearest.h"

struct validation {
	const struct model *model;
	struct diag *diag;
	bool references; /* dangling ones are errors */
};

static int compare_places(const struct place *a, const struct place *b)
{
	int order = g_strcmp0(a->file, b->file);

	if (order)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column != b->column ? (a->column < b->column ? -1 : 1) : 0;
}

static int compare_networks(gconstpointer a, gconstpointer b)
{
	const struct model_network *x = *(const struct model_network *const *)a;
	const struct model_network *y = *(const struct model_network *const *)b;

	return strcmp(x->name, y->name);
}

static int compare_groups(gconstpointer a, gconstpointer b)
{
	const struct model_group *x = *(const struct model_group *const *)a;
	const struct model_group *y = *(const struct model_group *const *)b;
	int order = compare_places(&x->place, &y->place);

	return order ? order : strcmp(x->id, y->id);
}

static int compare_interfaces(gconstpointer a, gconstpointer b)
{
	const struct model_interface *x = *(const struct model_interface *const *)a;
	const struct model_interface *y = *(const struct model_interface *const *)b;
	int order = compare_places(&x->place, &y->place);

	return order ? order : strcmp(x->id, y->id);
}

static int compare_lists(gconstpointer a, gconstpointer b)
{
	const struct model_prefix_list *x = *(const struct model_prefix_list *const *)a;
	const struct model_prefix_list *y = *(const struct model_prefix_list *const *)b;
	int order = compare_places(&x->place, &y->place);

	return order ? order : strcmp(x->id, y->id);
}

static GPtrArray *sorted_values(GHashTable *table, GCompareFunc compare)
{
	GPtrArray *values = g_ptr_array_sized_new(g_hash_table_size(table));
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_ptr_array_add(values, value);
	g_ptr_array_sort(values, compare);
	return values;
}

/* In a message: what has a place is found by it, what has none is named. */
static char *interface_subject(const struct model_interface *iface)
{
	return iface->place.file ? g_strdup("") : g_strdup_printf("interface \"%s\": ", iface->id);
}

static void G_GNUC_PRINTF(6, 7)
	interface_error(struct validation *v, const struct model_interface *iface, const char *code,
			const char *path, const char *fix, const char *format, ...)
{
	g_autofree char *subject = NULL;
	g_autofree char *pointer = NULL;
	g_autofree char *message = NULL;
	va_list args;

	if (diag_full(v->diag)) {
		v->diag->left_out++;
		return;
	}
	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	subject = interface_subject(iface);
	pointer = iface->attached ? NULL : g_strdup_printf("/interfaces/%s%s", iface->id, path);
	diag_add(v->diag, code, iface->place, pointer, fix, "%s%s", subject, message);
}

/* ------------------------------------------------------------------ references */

static char *nearest_group(const struct validation *v, const char *network, const char *id)
{
	const struct model_network *net = model_network(v->model, network);
	struct nearest nearest = nearest_new(id);
	GHashTableIter iter;
	gpointer key;

	if (net) {
		g_hash_table_iter_init(&iter, net->groups);
		while (g_hash_table_iter_next(&iter, &key, NULL))
			nearest_offer(&nearest, key);
	}
	return nearest_fix(&nearest,
			   "define it under \"groups\", or declare it \"external\": true");
}

static char *nearest_list(const struct validation *v, const char *network, const char *id)
{
	const struct model_network *net = model_network(v->model, network);
	struct nearest nearest = nearest_new(id);
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, net->prefix_lists);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		nearest_offer(&nearest, key);
	return nearest_fix(&nearest,
			   "define it under \"prefix_lists\", or declare it \"external\": true");
}

static char *nearest_network(const struct validation *v, const char *name)
{
	struct nearest nearest = nearest_new(name);
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, v->model->networks);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		nearest_offer(&nearest, key);
	return nearest_fix(&nearest, "define it under \"networks\"");
}

static bool network_lists_peer(const struct model_network *network, const char *name)
{
	for (guint i = 0; i < network->peers->len; i++)
		if (strcmp(network->peers->pdata[i], name) == 0)
			return true;
	return false;
}

/* "" when the network is the default one, which needs no mention. */
static char *in_network(const char *network)
{
	return strcmp(network, MODEL_DEFAULT_NETWORK) == 0
		       ? g_strdup("")
		       : g_strdup_printf(" in network \"%s\"", network);
}

struct rule_position {
	const struct model_group *group;
	const struct model_rule *rule;
	guint rule_index, peer_index;
};

static void G_GNUC_PRINTF(5, 6)
	peer_error(struct validation *v, const struct rule_position *position, const char *code,
		   const char *fix, const char *format, ...)
{
	const struct model_peer *peer = position->rule->peers->pdata[position->peer_index];
	bool ingress = position->rule->direction == SG_INGRESS;
	g_autofree char *pointer = NULL;
	g_autofree char *message = NULL;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	pointer = g_strdup_printf("/groups/%s/%s/%u/%s/%u", position->group->id,
				  dir_name(position->rule->direction), position->rule_index,
				  ingress ? "from" : "to", position->peer_index);
	diag_add(v->diag, code, peer->place, pointer, fix, "%s", message);
}

static void check_group_peer(struct validation *v, const struct rule_position *position,
			     const struct model_peer *peer)
{
	const struct model_network *own = model_network(v->model, position->group->network);
	g_autofree char *fix = NULL;
	g_autofree char *where = NULL;

	if (strcmp(peer->network, own->name) != 0) {
		if (!model_network(v->model, peer->network)) {
			fix = nearest_network(v, peer->network);
			peer_error(v, position, "unknown-network", fix,
				   "there is no network \"%s\"", peer->network);
			return;
		}
		if (!network_lists_peer(own, peer->network)) {
			fix = g_strdup_printf("\"networks\": {\"%s\": {\"peers\": [\"%s\"]}}",
					      own->name, peer->network);
			peer_error(v, position, "network-peer", fix,
				   "network \"%s\" does not list \"%s\" as a peer", own->name,
				   peer->network);
		}
	}
	if (model_group(v->model, peer->network, peer->id))
		return;
	fix = nearest_group(v, peer->network, peer->id);
	where = in_network(peer->network);
	peer_error(v, position, "unknown-group", fix, "there is no group \"%s\"%s", peer->id,
		   where);
}

static void check_rule(struct validation *v, struct rule_position *position)
{
	const GPtrArray *peers = position->rule->peers;

	for (guint i = 0; i < peers->len && !diag_full(v->diag); i++) {
		const struct model_peer *peer = peers->pdata[i];

		position->peer_index = i;
		if (peer->kind == MODEL_PEER_GROUP) {
			check_group_peer(v, position, peer);
		} else if (peer->kind == MODEL_PEER_PREFIX_LIST &&
			   !model_prefix_list(v->model, peer->network, peer->id)) {
			g_autofree char *fix = nearest_list(v, peer->network, peer->id);
			g_autofree char *where = in_network(peer->network);

			peer_error(v, position, "unknown-prefix-list", fix,
				   "there is no prefix list \"%s\"%s", peer->id, where);
		}
	}
}

static void check_group(struct validation *v, const struct model_group *group)
{
	guint rules = group->rules[SG_INGRESS]->len + group->rules[SG_EGRESS]->len;

	if (rules > MODEL_MAX_RULES_OF_GROUP) {
		g_autofree char *pointer = g_strdup_printf("/groups/%s", group->id);
		g_autofree char *fix =
			g_strdup_printf("at most %u; split it", MODEL_MAX_RULES_OF_GROUP);

		diag_add(v->diag, "limit", group->place, pointer, fix, "group \"%s\" has %u rules",
			 group->id, rules);
	}
	for (int dir = 0; v->references && dir < SG_DIRS; dir++) {
		for (guint i = 0; i < group->rules[dir]->len; i++) {
			struct rule_position position = {
				.group = group,
				.rule = group->rules[dir]->pdata[i],
				.rule_index = i,
			};

			check_rule(v, &position);
		}
	}
}

static void check_network_peers(struct validation *v, const struct model_network *network)
{
	for (guint i = 0; v->references && i < network->peers->len; i++) {
		const char *name = network->peers->pdata[i];
		g_autofree char *pointer =
			g_strdup_printf("/networks/%s/peers/%u", network->name, i);
		g_autofree char *fix = NULL;

		if (!name[0] || model_network(v->model, name))
			continue;
		fix = nearest_network(v, name);
		diag_add(v->diag, "unknown-network", network->place, pointer, fix,
			 "there is no network \"%s\"", name);
	}
}

static void check_list(struct validation *v, const struct model_prefix_list *list)
{
	g_autofree char *pointer = NULL;
	g_autofree char *fix = NULL;

	if (list->entries->len <= MODEL_MAX_ENTRIES_OF_LIST)
		return;
	pointer = g_strdup_printf("/prefix_lists/%s", list->id);
	fix = g_strdup_printf("at most %u; split it", MODEL_MAX_ENTRIES_OF_LIST);
	diag_add(v->diag, "limit", list->place, pointer, fix, "prefix list \"%s\" has %u entries",
		 list->id, list->entries->len);
}

/* ------------------------------------------------------------------ interfaces */

static void check_interface_groups(struct validation *v, const struct model_interface *iface)
{
	if (iface->groups->len > MODEL_MAX_GROUPS_OF_INTERFACE) {
		g_autofree char *fix = g_strdup_printf("at most %u", MODEL_MAX_GROUPS_OF_INTERFACE);

		interface_error(v, iface, "limit", "/groups", fix, "%u groups", iface->groups->len);
	}
	for (guint i = 0; v->references && i < iface->groups->len; i++) {
		const char *id = iface->groups->pdata[i];
		const struct model_group *group = model_group(v->model, iface->network, id);
		g_autofree char *path = NULL;
		g_autofree char *fix = NULL;
		g_autofree char *where = NULL;

		if ((group && !group->external) || !id[0])
			continue;
		path = g_strdup_printf("/groups/%u", i);
		if (group) {
			interface_error(v, iface, "external-group", path,
					"define the group, or take it off the interface",
					"group \"%s\" is external: it has no rules here", id);
			continue;
		}
		fix = nearest_group(v, iface->network, id);
		where = in_network(iface->network);
		interface_error(v, iface, "unknown-group", path, fix, "there is no group \"%s\"%s",
				id, where);
	}
}

static void check_addresses(struct validation *v, const struct model_interface *iface,
			    GHashTable *owners)
{
	static const struct sg_addr unreadable;

	for (guint i = 0; i < iface->addresses->len; i++) {
		struct sg_addr *addr = &g_array_index(iface->addresses, struct sg_addr, i);
		const struct model_interface *owner = g_hash_table_lookup(owners, addr);
		char text[ADDR_TEXT_SIZE];
		g_autofree char *path = NULL;

		if (addr_equal(addr, &unreadable))
			continue;
		if (!owner) {
			g_hash_table_insert(owners, addr, (gpointer)(uintptr_t)iface);
			continue;
		}
		path = g_strdup_printf("/addresses/%u", i);
		addr_format(addr, text);
		if (owner == iface)
			interface_error(v, iface, "duplicate-address", path, "remove one of them",
					"%s is listed twice", text);
		else
			interface_error(v, iface, "duplicate-address", path,
					"an address belongs to one interface of a network",
					"interface \"%s\" has %s already", owner->id, text);
	}
}

/* The same device on two hosts is two devices. */
static bool same_device(const struct model_interface *a, const struct model_interface *b)
{
	return !a->host || !b->host || strcmp(a->host, b->host) == 0;
}

static void check_device(struct validation *v, struct model_interface *iface, GHashTable *devices)
{
	GPtrArray *users;

	if (!iface->device)
		return;
	users = g_hash_table_lookup(devices, iface->device);
	if (!users) {
		users = g_ptr_array_new();
		g_hash_table_insert(devices, iface->device, users);
	}
	for (guint i = 0; i < users->len; i++) {
		const struct model_interface *other = users->pdata[i];

		if (!same_device(other, iface))
			continue;
		interface_error(v, iface, "duplicate-device", "/device",
				"a device belongs to one interface",
				"interface \"%s\" has device \"%s\" already", other->id,
				iface->device);
		return;
	}
	g_ptr_array_add(users, iface);
}

static guint address_hash(gconstpointer key)
{
	const uint8_t *b = key;
	guint hash = 2166136261u;

	for (int i = 0; i < 16; i++)
		hash = (hash ^ b[i]) * 16777619u;
	return hash;
}

static gboolean address_equal(gconstpointer a, gconstpointer b)
{
	return addr_equal(a, b);
}

static void check_network(struct validation *v, const struct model_network *network,
			  GHashTable *devices)
{
	g_autoptr(GPtrArray) groups = sorted_values(network->groups, compare_groups);
	g_autoptr(GPtrArray) lists = sorted_values(network->prefix_lists, compare_lists);
	g_autoptr(GPtrArray) ifaces = sorted_values(network->interfaces, compare_interfaces);
	g_autoptr(GHashTable) owners = g_hash_table_new(address_hash, address_equal);

	check_network_peers(v, network);
	for (guint i = 0; i < groups->len; i++)
		check_group(v, groups->pdata[i]);
	for (guint i = 0; i < lists->len; i++)
		check_list(v, lists->pdata[i]);
	for (guint i = 0; i < ifaces->len; i++) {
		check_interface_groups(v, ifaces->pdata[i]);
		check_addresses(v, ifaces->pdata[i], owners);
		check_device(v, ifaces->pdata[i], devices);
	}
}

/* ------------------------------------------------------------------ limits of the whole */

struct totals {
	guint groups;
	guint members;	     /* distinct addresses of each network */
	guint attached;	     /* devices that any host may have */
	GHashTable *by_host; /* host -> number of devices that only it has */
};

static void count_interface(struct totals *totals, const struct model_interface *iface)
{
	guint count;

	totals->members += iface->addresses->len;
	if (!iface->device)
		return;
	if (!iface->host) {
		totals->attached++;
		return;
	}
	count = GPOINTER_TO_UINT(g_hash_table_lookup(totals->by_host, iface->host));
	g_hash_table_insert(totals->by_host, iface->host, GUINT_TO_POINTER(count + 1));
}

static void count_network(struct totals *totals, const struct model_network *network)
{
	GHashTableIter iter;
	gpointer iface, group;

	g_hash_table_iter_init(&iter, network->groups);
	while (g_hash_table_iter_next(&iter, NULL, &group))
		totals->groups += !((const struct model_group *)group)->implied;
	g_hash_table_iter_init(&iter, network->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &iface))
		count_interface(totals, iface);
}

static void check_total(struct validation *v, guint count, guint most, const char *what)
{
	const struct place nowhere = {0};
	g_autofree char *fix = g_strdup_printf("at most %u", most);

	if (count > most)
		diag_add(v->diag, "limit", nowhere, NULL, fix, "the policy has %u %s", count, what);
}

static void check_totals(struct validation *v, const GPtrArray *networks)
{
	g_autoptr(GHashTable) by_host = g_hash_table_new(g_str_hash, g_str_equal);
	struct totals totals = {.by_host = by_host};
	GHashTableIter iter;
	gpointer count;
	guint most = 0;

	for (guint i = 0; i < networks->len; i++)
		count_network(&totals, networks->pdata[i]);
	g_hash_table_iter_init(&iter, by_host);
	while (g_hash_table_iter_next(&iter, NULL, &count))
		most = MAX(most, GPOINTER_TO_UINT(count));
	check_total(v, totals.groups, MODEL_MAX_GROUPS, "groups");
	check_total(v, totals.members, MODEL_MAX_MEMBERS, "addresses of interfaces");
	check_total(v, totals.attached + most, MODEL_MAX_ATTACHED,
		    "interfaces with a device on one host");
}

static void free_users(gpointer users)
{
	g_ptr_array_unref(users);
}

static int validate(const struct model *model, struct diag *diag, bool references)
{
	struct validation v = {.model = model, .diag = diag, .references = references};
	guint before = diag->entries->len + diag->left_out;
	g_autoptr(GPtrArray) networks = sorted_values(model->networks, compare_networks);
	g_autoptr(GHashTable) devices =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_users);

	for (guint i = 0; i < networks->len; i++)
		check_network(&v, networks->pdata[i], devices);
	check_totals(&v, networks);
	return diag->entries->len + diag->left_out > before ? -EINVAL : 0;
}

int model_validate(const struct model *model, struct diag *diag)
{
	return validate(model, diag, true);
}

int model_validate_incomplete(const struct model *model, struct diag *diag)
{
	return validate(model, diag, false);
}
