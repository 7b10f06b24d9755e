/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_inherit.c - a device that one change takes from an interface and gives to a new one: the
 * new one inherits the slot, so the device is filtered all the time, by the old rules or the new
 * ones, and its connections go on as far as the new rules allow them.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"

struct inheritance {
	char *from, *to; /* ids */
	uint32_t slot;
	bool made; /* the run-time interface has the new id */
};

static void inheritance_clear(gpointer data)
{
	struct inheritance *one = data;

	g_free(one->from);
	g_free(one->to);
}

GArray *engine_inherit_new(void)
{
	GArray *array = g_array_new(FALSE, TRUE, sizeof(struct inheritance));

	g_array_set_clear_func(array, inheritance_clear);
	return array;
}

void engine_inherit(struct engine *engine, const struct model *model,
		    const struct model_interface *iface)
{
	const struct link *link = engine_attaches(engine, iface)
					  ? links_find(engine->links, iface->settings->device, NULL)
					  : NULL;
	const struct engine_iface *holder = link ? engine_by_ifindex(engine, link->ifindex) : NULL;
	const struct model_interface *later = holder ? model_interface(model, holder->id) : NULL;
	struct inheritance one;

	/* One that goes on elsewhere needs its slot there, and so does one that has one. */
	if (!holder || holder->lost || (later && engine_attaches(engine, later)) ||
	    g_hash_table_contains(engine->ifaces, iface->id))
		return;
	one = (struct inheritance){
		.from = g_strdup(holder->id), .to = g_strdup(iface->id), .slot = holder->slot};
	g_array_append_val(engine->inherited, one);
	numbers_set_slot(engine->numbers, one.to, one.slot);
}

void engine_inherit_all(struct engine *engine, const struct model *model)
{
	GHashTableIter networks;
	gpointer network;

	g_hash_table_iter_init(&networks, model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		const GPtrArray *interfaces = ((const struct model_network *)network)->interfaces;

		for (guint i = 0; i < interfaces->len; i++)
			engine_inherit(engine, model, interfaces->pdata[i]);
	}
}

static void rename_iface(struct engine *engine, const char *from, const char *to)
{
	struct engine_iface *iface = g_hash_table_lookup(engine->ifaces, from);

	if (!iface || g_hash_table_contains(engine->ifaces, to))
		return;
	g_hash_table_steal(engine->ifaces, from);
	g_free(iface->id);
	iface->id = g_strdup(to);
	g_hash_table_insert(engine->ifaces, iface->id, iface);
}

void engine_inherit_make(struct engine *engine)
{
	for (guint i = 0; i < engine->inherited->len; i++) {
		struct inheritance *one = &g_array_index(engine->inherited, struct inheritance, i);

		if (one->made)
			continue;
		rename_iface(engine, one->from, one->to);
		one->made = true;
	}
}

void engine_inherit_keep(struct engine *engine)
{
	for (guint i = 0; i < engine->inherited->len; i++) {
		const struct inheritance *one =
			&g_array_index(engine->inherited, struct inheritance, i);

		log_info("interface %s: takes over what was interface %s", one->to, one->from);
	}
	g_array_set_size(engine->inherited, 0);
}

void engine_inherit_undo(struct engine *engine)
{
	for (guint i = engine->inherited->len; i-- > 0;) {
		const struct inheritance *one =
			&g_array_index(engine->inherited, struct inheritance, i);

		if (one->made)
			rename_iface(engine, one->to, one->from);
		numbers_set_slot(engine->numbers, one->from, one->slot);
	}
	g_array_set_size(engine->inherited, 0);
}
