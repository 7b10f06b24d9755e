/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_attach.c - interfaces and devices: attaching what is wanted, detaching what is not,
 * putting back what was removed behind our back.
 *
 * A device is found by its name and from then on held by its ifindex. One that is renamed while it
 * is filtered stays filtered, because the VM behind it is the same one; it is let go when the
 * policy gives its new name to another interface, when a new device takes its old name, or when it
 * goes.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"
#include "rulesd/names.h"

static void set_state(struct engine *engine, struct engine_iface *iface,
		      enum engine_iface_state state, const char *error)
{
	if (iface->state == state && g_strcmp0(iface->error, error) == 0)
		return;
	iface->state = state;
	g_free(iface->error);
	iface->error = g_strdup(error);
	if (!engine->ready)
		return;
	if (engine->iface_changed)
		engine->iface_changed(engine->iface_changed_arg);
}

/* false when the kernel refused: then the slot is still taken, and repair tries again. */
static bool detach(struct engine *engine, struct engine_iface *iface)
{
	g_autofree char *error = NULL;
	int err;

	if (!iface->ifindex)
		return true;
	err = dataplane_detach(engine->dataplane, iface->slot, &error);
	if (err < 0) {
		log_error("interface %s: detaching %s: %s", iface->id, iface->device,
			  error ? error : g_strerror(-err));
		set_state(engine, iface, ENGINE_FAILED, error ? error : g_strerror(-err));
		return false;
	}
	iface->ifindex = 0;
	return true;
}

static void attach(struct engine *engine, struct engine_iface *iface,
		   const struct image_iface *wanted, const struct link *link)
{
	struct dataplane_attachment attachment = {0};
	g_autofree char *error = NULL;
	const bool was_failed = iface->state == ENGINE_FAILED;
	int err;

	err = dataplane_attach(engine->dataplane, engine->image, wanted, link->ifindex,
			       link->vnet_hdr, iface->adopt_seconds, &attachment, &error);
	if (err == -ENODEV) {
		/* Gone since we heard of it; rtnetlink is about to say so. */
		set_state(engine, iface, ENGINE_WAITING, NULL);
		return;
	}
	if (err < 0) {
		const char *why = error ? error : g_strerror(-err);

		if (!was_failed || g_strcmp0(iface->error, why) != 0)
			log_error("interface %s: %s is not filtered: %s", iface->id, iface->device,
				  why);
		set_state(engine, iface, ENGINE_FAILED, why);
		return;
	}
	iface->ifindex = link->ifindex;
	iface->hook = attachment.hook;
	iface->wanted_hook = wanted->hook;
	if (iface->adopt_seconds)
		log_info("interface %s: adopts TCP connections that run already for %u s",
			 iface->id, iface->adopt_seconds);
	iface->adopt_seconds = 0;
	set_state(engine, iface, ENGINE_FILTERING, NULL);
	log_info("interface %s: filtering %s (ifindex %u, %s)", iface->id, iface->device,
		 iface->ifindex, hook_name(iface->hook));
}

/* The image's interface for a device, or NULL. Devices are unique in an image. */
static const struct image_iface *wanted_by_device(const struct engine *engine, const char *device)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->image->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_iface *iface = value;

		if (strcmp(iface->device, device) == 0)
			return iface;
	}
	return NULL;
}

static struct engine_iface *by_ifindex(const struct engine *engine, uint32_t ifindex)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct engine_iface *iface = value;

		if (iface->ifindex == ifindex)
			return iface;
	}
	return NULL;
}

/* Whether the device that the slot is on is there under another name that nobody else wants. */
static bool renamed_and_ours(const struct engine *engine, const struct engine_iface *iface)
{
	const struct link *link = links_by_index(engine->links, iface->ifindex);
	const struct image_iface *other = link ? wanted_by_device(engine, link->name) : NULL;

	return link && (!other || strcmp(other->id, iface->id) == 0);
}

/* Brings one wanted interface to where it should be. */
static void settle(struct engine *engine, struct engine_iface *iface,
		   const struct image_iface *wanted)
{
	const struct link *link = links_by_name(engine->links, wanted->device);
	struct engine_iface *holder;

	if (!link) {
		if (iface->ifindex && renamed_and_ours(engine, iface))
			return;
		if (iface->ifindex && detach(engine, iface))
			log_info("interface %s: waiting for %s", iface->id, iface->device);
		if (!iface->ifindex)
			set_state(engine, iface, ENGINE_WAITING, NULL);
		return;
	}
	if (iface->ifindex == link->ifindex && iface->state == ENGINE_FILTERING &&
	    iface->wanted_hook == wanted->hook)
		return;
	holder = by_ifindex(engine, link->ifindex);
	if (holder && holder != iface) {
		if (!detach(engine, holder))
			return;
		set_state(engine, holder, ENGINE_WAITING, NULL);
	}
	attach(engine, iface, wanted, link);
}

static struct engine_iface *iface_new(const struct image_iface *wanted)
{
	struct engine_iface *iface = g_new0(struct engine_iface, 1);

	iface->id = g_strdup(wanted->id);
	iface->device = g_strdup(wanted->device);
	iface->slot = wanted->slot;
	iface->state = ENGINE_WAITING;
	return iface;
}

void engine_adopt_once(struct engine *engine, const char *id, unsigned int seconds)
{
	const struct image_iface *wanted = image_iface(engine->image, id);
	struct engine_iface *iface;

	if (!seconds || !wanted || g_hash_table_contains(engine->ifaces, id))
		return;
	iface = iface_new(wanted);
	iface->adopt_seconds = seconds;
	g_hash_table_insert(engine->ifaces, iface->id, iface);
}

/* Those that the image has no more, and those that moved to another device. */
static void let_go(struct engine *engine)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct engine_iface *iface = value;
		const struct image_iface *wanted = image_iface(engine->image, iface->id);

		if (wanted && strcmp(wanted->device, iface->device) == 0)
			continue;
		if (!detach(engine, iface))
			continue;
		if (wanted) {
			g_free(iface->device);
			iface->device = g_strdup(wanted->device);
			set_state(engine, iface, ENGINE_WAITING, NULL);
			continue;
		}
		log_info("interface %s: %s is not filtered any more", iface->id, iface->device);
		g_hash_table_iter_remove(&iter);
	}
}

/* Slots of interfaces that are neither wanted nor attached go back to the pool. */
static void release_slots(struct engine *engine)
{
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		const char *id = numbers_name(engine->numbers, NUMBER_SLOT, slot);
		g_autofree char *copy = NULL;

		if (!id || image_iface(engine->image, id) ||
		    g_hash_table_contains(engine->ifaces, id))
			continue;
		copy = g_strdup(id);
		numbers_release_slot(engine->numbers, copy);
	}
}

void engine_reconcile(struct engine *engine)
{
	GHashTableIter iter;
	gpointer value;

	let_go(engine);
	g_hash_table_iter_init(&iter, engine->image->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_iface *wanted = value;
		struct engine_iface *iface = g_hash_table_lookup(engine->ifaces, wanted->id);

		if (!iface) {
			iface = iface_new(wanted);
			g_hash_table_insert(engine->ifaces, iface->id, iface);
		}
		settle(engine, iface, wanted);
	}
	release_slots(engine);
	if (engine->ready && engine->iface_changed)
		engine->iface_changed(engine->iface_changed_arg);
}

void engine_note(struct engine *engine)
{
	int err = state_note_generation(engine->state, engine_generation(engine),
					engine->state->offset);

	if (err < 0)
		log_warning("the generation could not be written to %s: %s", engine->state->path,
			    g_strerror(-err));
}

static int restore_one(struct engine *engine, const struct dataplane_attachment *pinned,
		       char **error)
{
	struct sg_slot exact = {};
	const char *id = numbers_name(engine->numbers, NUMBER_SLOT, pinned->slot);
	const struct image_iface *wanted = id ? image_iface(engine->image, id) : NULL;
	struct engine_iface *iface;

	if (!wanted) {
		log_info("slot %u (%s) is pinned and not wanted: detaching it", pinned->slot,
			 id ? id : "unknown");
		return dataplane_detach(engine->dataplane, pinned->slot, error);
	}
	iface = iface_new(wanted);
	iface->ifindex = pinned->ifindex;
	iface->hook = pinned->hook;
	iface->wanted_hook = wanted->hook;
	/* What was refused before this start has been reported by whoever ran then. */
	if (dataplane_stats(engine->dataplane, pinned->slot, NULL, &exact) == 0)
		iface->refused = exact.allowance_exceeded;
	/* A device that was renamed stays as it is; any other is attached again by name, which
	 * adopts what is pinned and brings its programs up to date. */
	if (pinned->live && !links_by_name(engine->links, wanted->device))
		iface->state = ENGINE_FILTERING;
	g_hash_table_replace(engine->ifaces, iface->id, iface);
	return 0;
}

int engine_restore(struct engine *engine, char **error)
{
	g_autoptr(GArray) pinned = g_array_new(FALSE, TRUE, sizeof(struct dataplane_attachment));
	int err = dataplane_attachments(engine->dataplane, pinned, error);

	if (err < 0)
		return err;
	for (guint i = 0; i < pinned->len; i++) {
		err = restore_one(engine, &g_array_index(pinned, struct dataplane_attachment, i),
				  error);
		if (err < 0)
			return err;
	}
	engine_reconcile(engine);
	return 0;
}

/* Marks every interface whose programs are not in place any more. */
static void find_removed(struct engine *engine, const GArray *pinned)
{
	g_autoptr(GHashTable) live = g_hash_table_new(NULL, NULL);
	GHashTableIter iter;
	gpointer value;

	for (guint i = 0; i < pinned->len; i++) {
		const struct dataplane_attachment *one =
			&g_array_index(pinned, struct dataplane_attachment, i);

		if (one->live)
			g_hash_table_add(live, GUINT_TO_POINTER(one->slot));
	}
	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct engine_iface *iface = value;

		if (iface->state != ENGINE_FILTERING ||
		    g_hash_table_contains(live, GUINT_TO_POINTER(iface->slot)))
			continue;
		log_warning("interface %s: its programs on %s were removed by somebody else: "
			    "putting them back",
			    iface->id, iface->device);
		set_state(engine, iface, ENGINE_FAILED, "its programs were removed");
	}
}

void engine_repair(struct engine *engine)
{
	g_autoptr(GArray) pinned = g_array_new(FALSE, TRUE, sizeof(struct dataplane_attachment));
	g_autofree char *error = NULL;

	links_poll(engine->links);
	if (dataplane_attachments(engine->dataplane, pinned, &error) < 0)
		log_error("the attached programs could not be checked: %s",
			  error ? error : "unknown error");
	else
		find_removed(engine, pinned);
	engine_reconcile(engine);
	engine_note(engine);
}

static void link_gone(struct engine *engine, const struct link *link)
{
	struct engine_iface *iface = by_ifindex(engine, link->ifindex);

	if (!iface || !detach(engine, iface))
		return;
	log_info("interface %s: %s is gone, waiting for it", iface->id, link->name);
	set_state(engine, iface, ENGINE_WAITING, NULL);
}

void engine_link_changed(const struct link *link, bool gone, void *arg)
{
	struct engine *engine = arg;
	const struct image_iface *wanted;
	struct engine_iface *iface;

	if (!engine->ready)
		return;
	if (gone) {
		link_gone(engine, link);
		return;
	}
	iface = by_ifindex(engine, link->ifindex);
	if (iface && strcmp(iface->device, link->name) != 0 && renamed_and_ours(engine, iface))
		log_warning("interface %s: %s is called %s now, and stays filtered", iface->id,
			    iface->device, link->name);
	wanted = wanted_by_device(engine, link->name);
	iface = wanted ? g_hash_table_lookup(engine->ifaces, wanted->id) : NULL;
	if (iface)
		settle(engine, iface, wanted);
	engine_note(engine);
}
