/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * totals.c - counting what holds.
 */
#include "rulesd/totals.h"

static void add_network(const struct model_network *network, struct totals *totals)
{
	GHashTableIter iter;
	gpointer value;

	totals->interfaces += network->interfaces->len;
	g_hash_table_iter_init(&iter, network->groups);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		totals->groups += !((const struct model_group *)value)->implied;
	/* Validation keeps an address from being given twice in a network. */
	totals->members += network->members;
}

struct totals totals_of_model(const struct model *model)
{
	struct totals totals = {0};
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		add_network(value, &totals);
	return totals;
}

struct totals totals_of(const struct engine *engine)
{
	struct totals totals = totals_of_model(engine->model);
	GHashTableIter iter;
	gpointer value;

	totals.states = engine_counts(engine);
	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct engine_iface *iface = value;
		const struct image_iface *compiled = image_iface(engine->image, iface->id);
		struct sg_stats stats;
		struct sg_slot exact;

		if (!iface->ifindex && !iface->parked)
			continue;
		if (compiled)
			totals.reserved_flows += compiled->conntrack.max_flows;
		if (dataplane_stats(engine->dataplane, iface->slot, &stats, &exact) == 0)
			totals.flows += exact.flows;
	}
	return totals;
}
