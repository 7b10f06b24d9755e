/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate_totals.c - the limits that count over the whole policy.
 */
#include "rulesd/validate_internal.h"

#include <string.h>

/* One count; the last object that counts is the one that an error shows. */
struct total {
	guint count;
	struct place last;
	const char *section, *id;
};

struct totals {
	struct total groups;
	struct total members; /* addresses; one counts once in each network */
	struct total devices; /* that any host may attach */
	GHashTable *by_host;  /* host -> struct total of devices that only it attaches */
};

static bool is_behind(const struct place *a, const struct place *b)
{
	int order = g_strcmp0(a->file, b->file);

	if (order == 0 && a->line != b->line)
		order = a->line < b->line ? -1 : 1;
	return order ? order > 0 : a->column > b->column;
}

static void add(struct total *total, guint count, const char *section, const char *id,
		const struct place *place)
{
	total->count += count;
	if (total->id && !is_behind(place, &total->last))
		return;
	total->last = *place;
	total->section = section;
	total->id = id;
}

static void count_interface(struct totals *totals, const struct model_interface *iface)
{
	struct total *devices = &totals->devices;

	if (iface->address_count)
		add(&totals->members, iface->address_count, "interfaces", iface->id, &iface->place);
	if (!iface->settings->device)
		return;
	if (iface->settings->host) {
		devices = g_hash_table_lookup(totals->by_host, iface->settings->host);
		if (!devices) {
			devices = g_new0(struct total, 1);
			g_hash_table_insert(totals->by_host,
					    (gpointer)(uintptr_t)iface->settings->host, devices);
		}
	}
	add(devices, 1, "interfaces", iface->id, &iface->place);
}

static void count_network(struct totals *totals, const struct model_network *network)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, network->groups);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_group *group = value;

		if (!group->implied)
			add(&totals->groups, 1, "groups", group->id, &group->place);
	}
	for (guint i = 0; i < network->interfaces->len; i++)
		count_interface(totals, network->interfaces->pdata[i]);
}

static void check(struct validation *v, const struct total *total, guint most, const char *what)
{
	g_autofree char *pointer = NULL;
	g_autofree char *fix = NULL;

	if (total->count <= most)
		return;
	pointer = g_strdup_printf("/%s/%s", total->section, total->id);
	fix = g_strdup_printf("at most %u", most);
	diag_add(v->diag, "limit", total->last, total->last.file ? pointer : NULL, fix,
		 "the policy has %u %s", total->count, what);
}

/* The host with the most devices of its own, if any has some. */
static struct total busiest_host(const struct totals *totals)
{
	struct total most = totals->devices;
	GHashTableIter iter;
	gpointer host;
	guint own = 0;

	g_hash_table_iter_init(&iter, totals->by_host);
	while (g_hash_table_iter_next(&iter, NULL, &host)) {
		const struct total *devices = host;

		if (devices->count < own ||
		    (devices->count == own && is_behind(&devices->last, &most.last)))
			continue;
		own = devices->count;
		most = totals->devices;
		add(&most, own, devices->section, devices->id, &devices->last);
	}
	return most;
}

/* Without looking at every object: the usual case. */
bool validate_totals_are_fine(const struct model *model)
{
	uint64_t groups = 0, members = 0;
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct model_network *network = value;

		const struct model_group *group =
			g_hash_table_lookup(network->groups, MODEL_DEFAULT_GROUP);

		/* No other one is implied. */
		groups += g_hash_table_size(network->groups) - (group && group->implied);
		members += network->members;
	}
	return groups <= MODEL_MAX_GROUPS && members <= MODEL_MAX_MEMBERS &&
	       model_most_devices(model) <= MODEL_MAX_ATTACHED;
}

void validate_totals(struct validation *v, const GPtrArray *networks)
{
	g_autoptr(GHashTable) by_host =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	struct totals totals = {.by_host = by_host};
	struct total devices;

	if (validate_totals_are_fine(v->model))
		return;
	for (guint i = 0; i < networks->len; i++)
		count_network(&totals, networks->pdata[i]);
	devices = busiest_host(&totals);
	check(v, &totals.groups, MODEL_MAX_GROUPS, "groups");
	check(v, &totals.members, MODEL_MAX_MEMBERS, "addresses of interfaces");
	check(v, &devices, MODEL_MAX_ATTACHED, "interfaces with a device on one host");
}
