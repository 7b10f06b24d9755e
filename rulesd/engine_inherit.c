/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_inherit.c - a device that goes from one interface to another: the slot stays with the
 * device, and the interfaces exchange theirs.
 *
 * So the device is filtered all the time, each frame by the rules of the one or of the other as the
 * generation says, and its connections go on as far as the new rules allow them. To take programs
 * off and put others on would leave it open for some milliseconds; to give a slot that is in use
 * another device would have frames decided by rules that are not meant for it.
 *
 * An interface that goes to a device that nobody has gets another slot, too: what is left behind
 * keeps its rules until the programs are off.
 *
 * A change of the policy makes exchanges, and so do devices that others rename while they are
 * filtered, and a start that finds them renamed.
 */
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"
#include "rulesd/model_edit.h"

/* The one of from is now that of to, and where to had one, that is from's. */
struct inheritance {
	char *from, *to; /* ids */
	uint32_t slot;	 /* that from had */
	uint32_t other;	 /* that to had; 0: none */
	bool made;	 /* the run-time interfaces have the new ids */
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

static void exchange_slots(struct engine *engine, const char *from, uint32_t slot, const char *to,
			   uint32_t other)
{
	numbers_set_slot(engine->numbers, to, slot);
	if (other)
		numbers_set_slot(engine->numbers, from, other);
}

/* ------------------------------------------------------------------ finding out */

/* Whose the device of an interface will be, after what has been decided so far. */
static const char *later_id(const struct engine *engine, const char *id)
{
	for (guint i = 0; i < engine->inherited->len; i++) {
		const struct inheritance *one =
			&g_array_index(engine->inherited, struct inheritance, i);

		if (strcmp(id, one->from) == 0)
			id = one->to;
		else if (one->other && strcmp(id, one->to) == 0)
			id = one->from;
	}
	return id;
}

/* Whose it has been, of the device that will be that interface's. */
static const char *earlier_id(const struct engine *engine, const char *id)
{
	for (guint i = engine->inherited->len; i-- > 0;) {
		const struct inheritance *one =
			&g_array_index(engine->inherited, struct inheritance, i);

		if (strcmp(id, one->to) == 0)
			id = one->from;
		else if (one->other && strcmp(id, one->from) == 0)
			id = one->to;
	}
	return id;
}

/* Who filters the device that an interface wants; NULL: nobody, or it is not there. */
static const struct engine_iface *holder_of(const struct engine *engine,
					    const struct model_interface *iface,
					    const struct link **link)
{
	const struct engine_iface *holder;

	*link = engine_attaches(engine, iface)
			? links_find(engine->links, iface->settings->device, NULL)
			: NULL;
	holder = *link ? engine_by_ifindex(engine, (*link)->ifindex) : NULL;
	return holder && !holder->lost ? holder : NULL;
}

/* What an interface has it keeps, whoever else looks like it. */
static bool keeps(const struct engine *engine, const struct model *model, const char *id,
		  const struct link *link)
{
	const struct model_interface *iface = model_interface(model, id);

	return iface && engine_attaches(engine, iface) &&
	       link_is_wanted(link, iface->settings->device);
}

void engine_inherit(struct engine *engine, const struct model *model,
		    const struct model_interface *iface)
{
	const struct link *link;
	const struct engine_iface *holder = holder_of(engine, iface, &link);
	const char *from = holder ? later_id(engine, holder->id) : NULL;
	struct inheritance one;

	if (!holder || strcmp(from, iface->id) == 0 || keeps(engine, model, from, link))
		return;
	one = (struct inheritance){
		.from = g_strdup(from),
		.to = g_strdup(iface->id),
		.slot = holder->slot,
		.other = numbers_find(engine->numbers, NUMBER_SLOT, iface->id),
	};
	g_array_append_val(engine->inherited, one);
	exchange_slots(engine, one.from, one.slot, one.to, one.other);
}

/* The device that an interface holds after the exchanges, and that it is not for any more. */
static const struct engine_iface *left_by(const struct engine *engine,
					  const struct model_interface *iface)
{
	const char *id = earlier_id(engine, iface->id);
	const struct engine_iface *held = g_hash_table_lookup(engine->ifaces, id);
	const struct link *link =
		held && !held->lost ? links_by_index(engine->links, held->ifindex) : NULL;

	if (!link || !engine_attaches(engine, iface) ||
	    link_is_wanted(link, iface->settings->device))
		return NULL;
	/* Somebody has renamed the device. */
	if (strcmp(id, iface->id) == 0 && strcmp(held->device, iface->settings->device) == 0)
		return NULL;
	return held;
}

void engine_inherit_leave(struct engine *engine, const struct model_interface *iface)
{
	const struct engine_iface *held = left_by(engine, iface);
	struct inheritance one;

	/* With the last one it moves, slot and all. */
	if (!held || !numbers_slots_left(engine->numbers))
		return;
	one = (struct inheritance){
		.from = g_strdup(iface->id),
		.to = engine_unknown_id(held->slot),
		.slot = held->slot,
	};
	g_array_append_val(engine->inherited, one);
	exchange_slots(engine, one.from, one.slot, one.to, 0);
}

static void each_interface(struct engine *engine, const struct model *model,
			   void (*each)(struct engine *engine, const struct model *model,
					const struct model_interface *iface))
{
	GHashTableIter networks;
	gpointer network;

	g_hash_table_iter_init(&networks, model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		const GPtrArray *interfaces = ((const struct model_network *)network)->interfaces;

		for (guint i = 0; i < interfaces->len; i++)
			each(engine, model, interfaces->pdata[i]);
	}
}

static void leave(struct engine *engine, const struct model *model,
		  const struct model_interface *iface)
{
	(void)model;
	engine_inherit_leave(engine, iface);
}

void engine_inherit_all(struct engine *engine, const struct model *model)
{
	each_interface(engine, model, engine_inherit);
	each_interface(engine, model, leave);
}

static void add_unchanged(struct engine *engine, struct model_edit *edit, const char *id)
{
	const struct model_interface *iface = model_interface(engine->model, id);

	if (iface && !model_edit_find(edit, MODEL_KIND_INTERFACE, iface->network, id))
		model_edit_set(edit, engine->model, MODEL_KIND_INTERFACE, iface->network, id,
			       model_interface_copy(iface));
}

void engine_inherit_widen(struct engine *engine, struct model_edit *edit)
{
	/* What is added may bring others. */
	for (guint i = 0; i < edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(edit, i);
		const struct engine_iface *holder;
		const struct link *link;

		if (change->kind != MODEL_KIND_INTERFACE || !change->new.iface)
			continue;
		holder = holder_of(engine, change->new.iface, &link);
		if (holder && strcmp(holder->id, change->id) != 0)
			add_unchanged(engine, edit, holder->id);
	}
}

/* ------------------------------------------------------------------ making, taking back */

static void give_id(struct engine *engine, struct engine_iface *iface, const char *id)
{
	g_free(iface->id);
	iface->id = g_strdup(id);
	g_hash_table_insert(engine->ifaces, iface->id, iface);
}

/* Where it is filtered is not where it is wanted: nobody may take that for a device that somebody
 * has renamed. */
static void settle_device(struct engine *engine, struct engine_iface *iface)
{
	const struct image_iface *wanted = image_iface(engine->image, iface->id);
	const struct link *link = links_by_index(engine->links, iface->ifindex);

	iface->displaced =
		iface->ifindex && !(wanted && link && link_is_wanted(link, wanted->device));
	if (wanted && !iface->displaced)
		engine_set_device(engine, iface, wanted->device);
	/* Its links are put on by its id. */
	if (iface->quick)
		engine_upgrade_later(engine, iface);
}

static void exchange_ids(struct engine *engine, const char *from, const char *to)
{
	struct engine_iface *one = g_hash_table_lookup(engine->ifaces, from);
	struct engine_iface *other = g_hash_table_lookup(engine->ifaces, to);

	if (one)
		g_hash_table_steal(engine->ifaces, from);
	if (other)
		g_hash_table_steal(engine->ifaces, to);
	if (one)
		give_id(engine, one, to);
	if (other)
		give_id(engine, other, from);
}

static void settle_devices(struct engine *engine)
{
	for (guint i = 0; i < engine->inherited->len; i++) {
		const struct inheritance *one =
			&g_array_index(engine->inherited, struct inheritance, i);
		struct engine_iface *from = g_hash_table_lookup(engine->ifaces, one->from);
		struct engine_iface *to = g_hash_table_lookup(engine->ifaces, one->to);

		if (from)
			settle_device(engine, from);
		if (to)
			settle_device(engine, to);
	}
}

void engine_inherit_make(struct engine *engine)
{
	bool any = false;

	for (guint i = 0; i < engine->inherited->len; i++) {
		struct inheritance *one = &g_array_index(engine->inherited, struct inheritance, i);

		if (one->made)
			continue;
		exchange_ids(engine, one->from, one->to);
		one->made = any = true;
	}
	if (any)
		settle_devices(engine);
}

void engine_inherit_ids(const struct engine *engine, GHashTable *ids)
{
	for (guint i = 0; i < engine->inherited->len; i++) {
		const struct inheritance *one =
			&g_array_index(engine->inherited, struct inheritance, i);

		g_hash_table_add(ids, g_strdup(one->from));
		g_hash_table_add(ids, g_strdup(one->to));
	}
}

void engine_inherit_keep(struct engine *engine)
{
	for (guint i = 0; i < engine->inherited->len; i++) {
		const struct inheritance *one =
			&g_array_index(engine->inherited, struct inheritance, i);

		if (!engine_is_unknown_id(one->to))
			log_info("interface %s: takes over what was interface %s", one->to,
				 one->from);
	}
	g_array_set_size(engine->inherited, 0);
}

void engine_inherit_undo(struct engine *engine)
{
	bool any = false;

	for (guint i = engine->inherited->len; i-- > 0;) {
		const struct inheritance *one =
			&g_array_index(engine->inherited, struct inheritance, i);

		if (one->made)
			exchange_ids(engine, one->to, one->from);
		any |= one->made;
		exchange_slots(engine, one->to, one->slot, one->from, one->other);
	}
	if (any)
		settle_devices(engine);
	g_array_set_size(engine->inherited, 0);
}

/* ------------------------------------------------------------------ devices that others rename */

/* Those that want a device which another one is on that does not want it; NULL: nobody. */
static struct model_edit *find_renamed(struct engine *engine)
{
	struct model_edit *edit = NULL;
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct engine_iface *iface = value, *other;
		const struct link *link = links_by_index(engine->links, iface->ifindex);

		if (!link || iface->lost || link_is_wanted(link, iface->device))
			continue;
		other = engine_wanting(engine, link);
		if (!other || other == iface ||
		    links_find(engine->links, other->device, NULL) != link)
			continue;
		if (!edit)
			edit = model_edit_new();
		add_unchanged(engine, edit, other->id);
	}
	return edit;
}

void engine_inherit_renamed(struct engine *engine)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct model_edit *edit = find_renamed(engine);
	struct engine_change change = {0};
	uint64_t generation = 0;
	unsigned int writes = 0;
	int err;

	if (!edit)
		return;
	err = engine_change_begin(engine, edit, false, NULL, &change, diag);
	if (err == 0)
		err = engine_change_enforce(engine, &change, false, &generation, &writes, diag);
	if (err == 0) {
		engine_change_keep(engine, &change);
		/* A start that does not know of it finds the same. */
		err = state_save_numbers(engine->state, engine->numbers);
		if (err < 0)
			log_warning("the state directory %s cannot be written: %s",
				    engine->state->path, g_strerror(-err));
		return;
	}
	engine_change_undo(engine, &change);
	for (guint i = 0; i < diag->entries->len; i++)
		log_error("devices were renamed: %s",
			  ((const struct diag_entry *)diag->entries->pdata[i])->message);
}

/* ------------------------------------------------------------------ at start */

/* What interfaces of the model want -> the interface. */
static GHashTable *wishes_of(const struct engine *engine)
{
	GHashTable *wishes = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter networks;
	gpointer network;

	g_hash_table_iter_init(&networks, engine->model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		const GPtrArray *interfaces = ((const struct model_network *)network)->interfaces;

		for (guint i = 0; i < interfaces->len; i++) {
			struct model_interface *iface = interfaces->pdata[i];

			if (engine_attaches(engine, iface))
				g_hash_table_insert(wishes,
						    (gpointer)(uintptr_t)iface->settings->device,
						    iface);
		}
	}
	return wishes;
}

static const struct model_interface *wanting(const struct engine *engine, GHashTable *wishes,
					     const struct link *link)
{
	g_autofree char *alias = g_strconcat(LINK_ALIAS, link->alias, NULL);
	char mac[sizeof(LINK_MAC) + MAC_TEXT_SIZE] = LINK_MAC;
	const char *const keys[] = {link->name, alias, mac};

	mac_format(link->mac, mac + strlen(LINK_MAC));
	for (unsigned int i = 0; i < G_N_ELEMENTS(keys); i++) {
		const struct model_interface *iface = g_hash_table_lookup(wishes, keys[i]);

		if (iface && links_find(engine->links, iface->settings->device, NULL) == link)
			return iface;
	}
	return NULL;
}

/* The link that a slot filters; NULL: none, or it is where it is wanted. */
static const struct link *misplaced_link(const struct engine *engine, uint32_t slot)
{
	uint32_t ifindex = dataplane_slot_device(engine->dataplane, slot);
	const char *id = ifindex ? engine_slot_id(engine, slot) : NULL;
	const struct link *link =
		id && !engine_is_kept(engine, slot) ? links_by_index(engine->links, ifindex) : NULL;
	struct dataplane_attachment seen = {.slot = slot, .ifindex = ifindex};

	if (!link || keeps(engine, engine->model, id, link))
		return NULL;
	/* The number may be another device's by now. */
	return dataplane_look(engine->dataplane, &seen, NULL) == 0 && seen.live ? link : NULL;
}

void engine_inherit_restore(struct engine *engine)
{
	g_autoptr(GHashTable) wishes = NULL;

	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		const struct link *link = misplaced_link(engine, slot);
		const struct model_interface *iface;
		g_autofree char *from = NULL;

		if (link && !wishes)
			wishes = wishes_of(engine);
		iface = link ? wanting(engine, wishes, link) : NULL;
		if (!iface)
			continue;
		from = g_strdup(engine_slot_id(engine, slot));
		log_info("interface %s: takes over what was interface %s", iface->id, from);
		exchange_slots(engine, from, slot, iface->id,
			       numbers_find(engine->numbers, NUMBER_SLOT, iface->id));
	}
}
