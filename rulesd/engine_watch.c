/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_watch.c - what happens to devices behind our back: those that come, go and are renamed,
 * programs that somebody removes, and links that take over from filters.
 *
 * Each of these is done a part at a time, so that nobody who asks rulesd something waits for it:
 * events of a moment together, a look at the programs in steps, one upgrade after the other.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"

#define CHECK_STEP_MS  20 /* between two parts of a look at the attached programs */
#define GRACE_STEP_MS  200
#define UPGRADE_GAP_MS 10 /* in which others get the kernel's lock on devices */

void engine_note(struct engine *engine)
{
	int err = state_note_generation(engine->state, engine_generation(engine),
					engine->state->offset);

	if (err < 0)
		log_warning("the generation could not be written to %s: %s", engine->state->path,
			    g_strerror(-err));
}

/* ------------------------------------------------------------------ devices */

static gboolean reconcile_touched(gpointer arg)
{
	struct engine *engine = arg;
	g_autoptr(GHashTable) touched = TAKE_PTR(engine->touched);

	engine->touched_source = 0;
	if (touched) {
		engine_inherit_renamed(engine);
		engine_reconcile_some(engine, touched);
	}
	engine_note(engine);
	return G_SOURCE_REMOVE;
}

static void touch(struct engine *engine, const struct engine_iface *iface)
{
	if (!engine->touched)
		engine->touched = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_hash_table_add(engine->touched, g_strdup(iface->id));
	if (!engine->touched_source)
		engine->touched_source =
			g_idle_add_full(G_PRIORITY_HIGH, reconcile_touched, engine, NULL);
}

static void touch_parked(gpointer key, gpointer value, gpointer arg)
{
	const struct engine_iface *iface = value;

	(void)key;
	if (iface->parked && g_get_monotonic_time() >= iface->parked_until_us)
		touch(arg, iface);
}

static gboolean look_at_parked(gpointer arg)
{
	struct engine *engine = arg;
	GHashTableIter iter;
	gpointer value;
	bool any = false;

	g_hash_table_iter_init(&iter, engine->ifaces);
	while (!any && g_hash_table_iter_next(&iter, NULL, &value))
		any = ((const struct engine_iface *)value)->parked;
	g_hash_table_foreach(engine->ifaces, touch_parked, engine);
	if (any)
		return G_SOURCE_CONTINUE;
	engine->grace_timer = 0;
	return G_SOURCE_REMOVE;
}

void engine_grace_soon(struct engine *engine)
{
	if (!engine->grace_timer)
		engine->grace_timer = g_timeout_add(GRACE_STEP_MS, look_at_parked, engine);
}

/*
 * A device that is filtered got another name, or another device has its number: after a loss of
 * events the two look alike, but for the programs.
 */
static void called(struct engine *engine, struct engine_iface *iface, const struct link *link)
{
	struct dataplane_attachment seen = {.slot = iface->slot, .ifindex = link->ifindex};

	if (strcmp(iface->called, link->name) == 0)
		return;
	g_strlcpy(iface->called, link->name, sizeof(iface->called));
	if (iface->state == ENGINE_FILTERING &&
	    dataplane_look(engine->dataplane, &seen, NULL) == 0 && !seen.live)
		iface->lost = true;
	touch(engine, iface);
	if (!iface->lost && strcmp(iface->device, link->name) != 0 &&
	    engine_renamed_and_ours(engine, iface))
		log_warning("interface %s: %s is called %s now, and stays filtered", iface->id,
			    iface->device, link->name);
}

void engine_link_changed(const struct link *link, bool gone, void *arg)
{
	struct engine *engine = arg;
	struct engine_iface *iface;

	if (!engine->ready)
		return;
	iface = engine_by_ifindex(engine, link->ifindex);
	if (iface && gone) {
		iface->lost = true;
		touch(engine, iface);
	}
	/* Of two that match one may be left. */
	if (gone) {
		iface = engine_wanting(engine, link);
		if (iface && iface->state == ENGINE_FAILED)
			touch(engine, iface);
		return;
	}
	if (iface)
		called(engine, iface, link);
	engine_guard_link(engine, link);
	iface = engine_wanting(engine, link);
	/* Some other change of one that is filtered is nothing to act on. */
	if (iface && (iface->ifindex != link->ifindex || iface->state != ENGINE_FILTERING))
		touch(engine, iface);
}

/* ------------------------------------------------------------------ programs */

/* Marks every interface whose programs are not in place any more. */
static void find_removed(struct engine *engine, const GArray *pinned)
{
	for (guint i = 0; i < pinned->len; i++) {
		const struct dataplane_attachment *one =
			&g_array_index(pinned, struct dataplane_attachment, i);
		struct engine_iface *iface = engine_by_ifindex(engine, one->ifindex);

		if (one->live || !iface || iface->state != ENGINE_FILTERING ||
		    iface->slot != one->slot)
			continue;
		engine_robbed(engine, iface);
	}
}

/* One part; the last one puts back what all of them have found, and tries again what failed. */
static gboolean check_step(gpointer arg)
{
	struct engine *engine = arg;
	g_autoptr(GArray) pinned = g_array_new(FALSE, TRUE, sizeof(struct dataplane_attachment));
	g_autofree char *error = NULL;

	if (dataplane_attachments_from(engine->dataplane, &engine->check_next, pinned, &error) <
	    0) {
		log_error("the attached programs could not be checked: %s",
			  error ? error : "unknown error");
		engine->check_next = 0;
	} else {
		find_removed(engine, pinned);
	}
	if (engine->check_next)
		return G_SOURCE_CONTINUE;
	engine->check_timer = 0;
	engine_inherit_renamed(engine);
	engine_reconcile(engine);
	engine_note(engine);
	return G_SOURCE_REMOVE;
}

void engine_repair(struct engine *engine)
{
	links_poll(engine->links);
	if (engine->check_timer)
		return;
	/* That looks for programs all the time, and where nobody waits for the kernel's lock. */
	if (engine->intact) {
		engine_inherit_renamed(engine);
		engine_reconcile(engine);
		engine_note(engine);
		return;
	}
	engine->check_next = 1;
	engine->check_timer = g_timeout_add(CHECK_STEP_MS, check_step, engine);
}

/* ------------------------------------------------------------------ links for filters */

static gboolean upgraded(gpointer arg);

static gboolean upgrade_next(gpointer arg)
{
	struct engine *engine = arg;

	engine->upgrade_timer = 0;
	while (!engine->upgrading && !g_queue_is_empty(&engine->upgrades)) {
		g_autofree char *id = g_queue_pop_head(&engine->upgrades);
		struct engine_iface *iface = g_hash_table_lookup(engine->ifaces, id);
		const struct image_iface *wanted = image_iface(engine->image, id);
		const struct link *link =
			iface ? links_by_index(engine->links, iface->ifindex) : NULL;
		struct dataplane_request request = {.iface = wanted};

		if (!wanted || !link || !iface->quick || iface->lost ||
		    iface->state != ENGINE_FILTERING)
			continue;
		request.ifindex = link->ifindex;
		request.vnet_hdr = link->vnet_hdr;
		/* What is the matter is told when it is attached again. */
		if (dataplane_upgrade(engine->dataplane, &request, upgraded, engine, NULL) == 0)
			engine->upgrading = TAKE_PTR(id);
	}
	return G_SOURCE_REMOVE;
}

static gboolean upgraded(gpointer arg)
{
	struct engine *engine = arg;
	g_autofree char *id = TAKE_PTR(engine->upgrading);
	struct engine_iface *iface = id ? g_hash_table_lookup(engine->ifaces, id) : NULL;

	if (iface && iface->quick && iface->state == ENGINE_FILTERING)
		engine_attach_again(engine, iface);
	if (!engine->upgrade_timer && !g_queue_is_empty(&engine->upgrades))
		engine->upgrade_timer = g_timeout_add(UPGRADE_GAP_MS, upgrade_next, engine);
	return G_SOURCE_REMOVE;
}

void engine_upgrade_later(struct engine *engine, const struct engine_iface *iface)
{
	g_queue_push_tail(&engine->upgrades, g_strdup(iface->id));
	if (!engine->upgrading && !engine->upgrade_timer)
		engine->upgrade_timer = g_timeout_add(UPGRADE_GAP_MS, upgrade_next, engine);
}

/* ------------------------------------------------------------------ end */

void engine_watch_stop(struct engine *engine)
{
	g_clear_handle_id(&engine->grace_timer, g_source_remove);
	g_clear_handle_id(&engine->touched_source, g_source_remove);
	g_clear_handle_id(&engine->check_timer, g_source_remove);
	g_clear_handle_id(&engine->upgrade_timer, g_source_remove);
	/* What a thread has sent that ended before the dataplane was closed. */
	while (g_idle_remove_by_data(engine))
		;
	g_clear_pointer(&engine->touched, g_hash_table_unref);
	g_clear_pointer(&engine->upgrading, g_free);
	g_queue_clear_full(&engine->upgrades, g_free);
}
