/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate_interface.c - interfaces among each other and in their network.
 */
#include "rulesd/validate_internal.h"

#include <stdarg.h>
#include <string.h>

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

static const struct model_group *carried_group(const struct model_network *network, const char *id)
{
	return g_hash_table_lookup(network->groups, id);
}

bool validate_groups_are_fine(const struct validation *v, const struct model_network *network,
			      const struct model_groups *groups)
{
	if (groups->count > MODEL_MAX_GROUPS_OF_INTERFACE)
		return false;
	for (uint32_t i = 0; v->references && i < groups->count; i++) {
		const struct model_group *group = carried_group(network, groups->ids[i]);

		if ((!group || group->external) && groups->ids[i][0])
			return false;
	}
	return true;
}

static void check_interface_groups(struct validation *v, const struct model_interface *iface)
{
	const struct model_network *network = model_network(v->model, iface->network);

	if (iface->groups->count > MODEL_MAX_GROUPS_OF_INTERFACE) {
		g_autofree char *fix = g_strdup_printf("at most %u", MODEL_MAX_GROUPS_OF_INTERFACE);

		interface_error(v, iface, "limit", "/groups", fix, "%u groups",
				iface->groups->count);
	}
	for (uint32_t i = 0; v->references && i < iface->groups->count; i++) {
		const char *id = iface->groups->ids[i];
		const struct model_group *group = carried_group(network, id);
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
		fix = validate_nearest(
			v, network->groups, id,
			"define it under \"groups\", or declare it \"external\": true");
		where = validate_in_network(iface->network);
		interface_error(v, iface, "unknown-group", path, fix, "there is no group \"%s\"%s",
				id, where);
	}
}

static void check_addresses(struct validation *v, const struct model_interface *iface,
			    GHashTable *owners)
{
	static const struct sg_addr unreadable;

	for (uint32_t i = 0; i < iface->address_count; i++) {
		const struct sg_addr *addr = &iface->addresses[i];
		const struct model_interface *owner = g_hash_table_lookup(owners, addr);
		char text[ADDR_TEXT_SIZE];
		g_autofree char *path = NULL;

		if (addr_equal(addr, &unreadable))
			continue;
		if (!owner) {
			g_hash_table_insert(owners, (gpointer)(uintptr_t)addr,
					    (gpointer)(uintptr_t)iface);
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
	const char *x = a->settings->host, *y = b->settings->host;

	return !x || !y || strcmp(x, y) == 0;
}

static void check_device(struct validation *v, struct model_interface *iface)
{
	GPtrArray *users;

	if (!iface->settings->device)
		return;
	users = g_hash_table_lookup(v->devices, iface->settings->device);
	if (!users) {
		users = g_ptr_array_new();
		g_hash_table_insert(v->devices, (gpointer)(uintptr_t)iface->settings->device,
				    users);
	}
	for (guint i = 0; i < users->len; i++) {
		const struct model_interface *other = users->pdata[i];

		if (!same_device(other, iface))
			continue;
		interface_error(v, iface, "duplicate-device", "/device",
				"a device belongs to one interface",
				"interface \"%s\" has device \"%s\" already", other->id,
				iface->settings->device);
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

GHashTable *validate_owners_new(void)
{
	return g_hash_table_new(address_hash, address_equal);
}

/* Inside a network the table of interfaces sees to it. */
static void check_id(struct validation *v, struct model_interface *iface)
{
	const struct model_interface *other = g_hash_table_lookup(v->interfaces, iface->id);

	if (!other) {
		g_hash_table_insert(v->interfaces, (gpointer)(uintptr_t)iface->id, iface);
		return;
	}
	interface_error(v, iface, "duplicate-id", "", "ids are unique in the whole policy",
			"network \"%s\" has an interface \"%s\" already", other->network,
			iface->id);
}

void validate_interface(struct validation *v, struct model_interface *iface, GHashTable *owners)
{
	check_id(v, iface);
	check_interface_groups(v, iface);
	check_addresses(v, iface, owners);
	check_device(v, iface);
}
