/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_attach.c - interfaces and devices: attaching what is wanted, detaching what is not; those
 * that a change names, or all, each step for all of them together.
 *
 * A device is found by its name and from then on held by its ifindex. One that is renamed while it
 * is filtered stays filtered, because the VM behind it is the same one; it is let go when the
 * policy gives its new name to another interface, when a new device takes its old name, or when it
 * goes.
 *
 * Long because each of these steps has to know what the others leave behind.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"
#include "rulesd/names.h"

void engine_set_state(struct engine *engine, struct engine_iface *iface,
		      enum engine_iface_state state, const char *error)
{
	if (iface->state == state && g_strcmp0(iface->error, error) == 0)
		return;
	iface->state = state;
	g_free(iface->error);
	iface->error = g_strdup(error);
	if (!engine->ready)
		return;
	if (engine->changed)
		engine->changed(engine->changed_arg);
}

/* ------------------------------------------------------------------ where interfaces are */

struct engine_iface *engine_by_ifindex(const struct engine *engine, uint32_t ifindex)
{
	return ifindex ? g_hash_table_lookup(engine->by_ifindex, GUINT_TO_POINTER(ifindex)) : NULL;
}

struct engine_iface *engine_by_device(const struct engine *engine, const char *device)
{
	return g_hash_table_lookup(engine->by_device, device);
}

static void set_ifindex(struct engine *engine, struct engine_iface *iface, uint32_t ifindex)
{
	if (engine_by_ifindex(engine, iface->ifindex) == iface)
		g_hash_table_remove(engine->by_ifindex, GUINT_TO_POINTER(iface->ifindex));
	iface->ifindex = ifindex;
	iface->lost = false;
	iface->robbed = false;
	iface->displaced = false;
	if (ifindex)
		g_hash_table_insert(engine->by_ifindex, GUINT_TO_POINTER(ifindex), iface);
}

/* The key of the table is the string of whoever is in it. */
static void forget_device(struct engine *engine, const struct engine_iface *iface)
{
	if (engine_by_device(engine, iface->device) == iface)
		g_hash_table_remove(engine->by_device, iface->device);
}

void engine_set_device(struct engine *engine, struct engine_iface *iface, const char *device)
{
	if (engine_by_device(engine, device) == iface)
		return;
	forget_device(engine, iface);
	g_free(iface->device);
	iface->device = g_strdup(device);
	g_hash_table_replace(engine->by_device, iface->device, iface);
}

static struct engine_iface *add_iface(struct engine *engine, const struct image_iface *wanted)
{
	struct engine_iface *iface = g_new0(struct engine_iface, 1);

	iface->id = g_strdup(wanted->id);
	iface->device = g_strdup(wanted->device);
	iface->slot = wanted->slot;
	iface->state = ENGINE_WAITING;
	g_hash_table_insert(engine->ifaces, iface->id, iface);
	g_hash_table_replace(engine->by_device, iface->device, iface);
	return iface;
}

static void remove_iface(struct engine *engine, struct engine_iface *iface)
{
	set_ifindex(engine, iface, 0);
	forget_device(engine, iface);
	g_hash_table_remove(engine->ifaces, iface->id);
}

void engine_adopt_once(struct engine *engine, const char *id, unsigned int seconds)
{
	const struct image_iface *wanted = image_iface(engine->image, id);

	if (!seconds || !wanted || g_hash_table_contains(engine->ifaces, id))
		return;
	add_iface(engine, wanted)->adopt_seconds = seconds;
}

struct engine_iface *engine_wanting(const struct engine *engine, const struct link *link)
{
	g_autofree char *alias = *link->alias ? g_strconcat(LINK_ALIAS, link->alias, NULL) : NULL;
	char mac[sizeof(LINK_MAC) + MAC_TEXT_SIZE] = LINK_MAC;
	struct engine_iface *iface = engine_by_device(engine, link->name);

	if (!iface && alias)
		iface = engine_by_device(engine, alias);
	mac_format(link->mac, mac + strlen(LINK_MAC));
	return iface ? iface : engine_by_device(engine, mac);
}

bool engine_renamed_and_ours(const struct engine *engine, const struct engine_iface *iface)
{
	const struct link *link = links_by_index(engine->links, iface->ifindex);
	const struct engine_iface *other = link ? engine_wanting(engine, link) : NULL;

	/* Another one that cannot have it, because it is on a device or more than one match, does
	 * not open it. */
	return link &&
	       (!other || other == iface || links_find(engine->links, other->device, NULL) != link);
}

/* ------------------------------------------------------------------ work, done side by side */

/* What a reconciliation has found to do. */
struct work {
	GPtrArray *detach; /* of struct engine_iface */
	GPtrArray *attach; /* of struct engine_iface, beside requests */
	GArray *requests;  /* of struct dataplane_request */
};

static void work_clear(struct work *work)
{
	g_ptr_array_unref(work->detach);
	g_ptr_array_unref(work->attach);
	g_array_unref(work->requests);
}

static struct work work_new(void)
{
	return (struct work){.detach = g_ptr_array_new(),
			     .attach = g_ptr_array_new(),
			     .requests =
				     g_array_new(FALSE, TRUE, sizeof(struct dataplane_request))};
}

static void want_detached(struct work *work, struct engine_iface *iface)
{
	if (iface->leaving || (!iface->ifindex && !iface->parked))
		return;
	iface->leaving = true;
	g_ptr_array_add(work->detach, iface);
}

static void detach_failed(struct engine *engine, struct engine_iface *iface, const char *why)
{
	iface->leaving = false;
	log_error("interface %s: detaching %s: %s", iface->id, iface->device, why);
	engine_set_state(engine, iface, ENGINE_FAILED, why);
}

/* Out of the guard's device group; those that cannot be stay filtered. */
static void shut_all(struct engine *engine, struct work *work)
{
	g_autoptr(GArray) ifindexes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autofree int *codes = g_new0(int, work->detach->len + 1);

	for (guint i = 0; i < work->detach->len; i++)
		g_array_append_val(ifindexes,
				   ((struct engine_iface *)work->detach->pdata[i])->ifindex);
	engine_guard_stop(engine, (const uint32_t *)(void *)ifindexes->data, ifindexes->len, codes);
	for (guint i = ifindexes->len; i-- > 0;) {
		g_autofree char *why = NULL;

		if (!codes[i])
			continue;
		why = g_strdup_printf("its device group cannot be reset: %s",
				      g_strerror(-codes[i]));
		detach_failed(engine, work->detach->pdata[i], why);
		g_ptr_array_remove_index(work->detach, i);
	}
}

/* Those that the kernel refused still have their ifindex, and repair tries again. */
static void detach_all(struct engine *engine, struct work *work)
{
	g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autofree int *codes = NULL;
	g_autofree char *error = NULL;
	guint count;

	shut_all(engine, work);
	count = work->detach->len;
	if (!count)
		return;
	codes = g_new0(int, count);
	for (guint i = 0; i < count; i++)
		g_array_append_val(slots, ((struct engine_iface *)work->detach->pdata[i])->slot);
	if (dataplane_detach_many(engine->dataplane, (const uint32_t *)(void *)slots->data, count,
				  codes, &error) < 0) {
		log_warning("detaching: %s; trying again", error ? error : "unknown error");
		g_clear_pointer(&error, g_free);
		for (guint i = 0; i < count; i++)
			if (codes[i])
				codes[i] = dataplane_detach(engine->dataplane,
							    g_array_index(slots, uint32_t, i),
							    error ? NULL : &error);
	}
	for (guint i = 0; i < count; i++) {
		struct engine_iface *iface = work->detach->pdata[i];

		iface->leaving = false;
		if (!codes[i]) {
			set_ifindex(engine, iface, 0);
			iface->parked = false;
			engine_set_state(engine, iface, ENGINE_WAITING, NULL);
			continue;
		}
		detach_failed(engine, iface, error ? error : g_strerror(-codes[i]));
	}
	g_ptr_array_set_size(work->detach, 0);
}

static void want_attached(struct work *work, struct engine_iface *iface,
			  const struct image_iface *wanted, const struct link *link)
{
	struct dataplane_request request = {.iface = wanted,
					    .ifindex = link->ifindex,
					    .vnet_hdr = link->vnet_hdr,
					    .adopt_seconds = iface->adopt_seconds,
					    .same = iface->robbed && !iface->lost &&
						    iface->ifindex == link->ifindex};

	g_ptr_array_add(work->attach, iface);
	g_array_append_val(work->requests, request);
}

static void attach_failed(struct engine *engine, struct engine_iface *iface,
			  const struct dataplane_request *request)
{
	const char *why = request->error ? request->error : g_strerror(-request->code);

	if (iface->state != ENGINE_FAILED || g_strcmp0(iface->error, why) != 0)
		log_error("interface %s: %s is not filtered: %s", iface->id, iface->device, why);
	engine_guard_failed(engine, iface->slot, request->ifindex);
	engine_set_state(engine, iface, ENGINE_FAILED, why);
}

/* Its programs are in place; the guard shuts it, though. */
static void not_let_pass(struct engine *engine, struct engine_iface *iface, int code)
{
	g_autofree char *why = g_strdup_printf("its device group cannot be set, so the guard shuts "
					       "it: %s",
					       g_strerror(-code));

	if (code == -ENODEV) {
		engine_set_state(engine, iface, ENGINE_WAITING, NULL);
		return;
	}
	log_error("interface %s: %s: %s", iface->id, iface->device, why);
	engine_set_state(engine, iface, ENGINE_FAILED, why);
}

static const char *link_name(const struct engine *engine, uint32_t ifindex)
{
	const struct link *link = links_by_index(engine->links, ifindex);

	return link ? link->name : "";
}

/* shut: what became of its device group. */
static void attached(struct engine *engine, struct engine_iface *iface,
		     const struct dataplane_request *request, int shut)
{
	bool again = iface->state == ENGINE_FILTERING && iface->ifindex == request->ifindex;

	set_ifindex(engine, iface, request->ifindex);
	if (iface->parked)
		log_info("interface %s: its flows go on", iface->id);
	iface->parked = false;
	g_strlcpy(iface->called, link_name(engine, request->ifindex), sizeof(iface->called));
	iface->hook = request->attachment.hook;
	iface->quick = request->attachment.quick;
	iface->wanted_hook = request->iface->hook;
	iface->renewed = true;
	if (iface->adopt_seconds)
		log_info("interface %s: adopts TCP connections that run already for %u s",
			 iface->id, iface->adopt_seconds);
	iface->adopt_seconds = 0;
	if (shut) {
		not_let_pass(engine, iface, shut);
		return;
	}
	engine_set_state(engine, iface, ENGINE_FILTERING, NULL);
	if (!again)
		log_info("interface %s: filtering %s (ifindex %u, %s)", iface->id, iface->called,
			 iface->ifindex, hook_name(iface->hook));
	if (iface->quick)
		engine_upgrade_later(engine, iface);
}

/* Those that leave another device for the one that they are wanted on; or stay where they are. */
static void shut_left(struct engine *engine, struct work *work)
{
	for (guint i = work->attach->len; i-- > 0;) {
		struct engine_iface *iface = work->attach->pdata[i];
		g_autofree char *why = NULL;
		int code = 0;

		if (iface->ifindex &&
		    iface->ifindex !=
			    g_array_index(work->requests, struct dataplane_request, i).ifindex)
			engine_guard_stop(engine, &iface->ifindex, 1, &code);
		if (!code)
			continue;
		why = g_strdup_printf("the group of the device that it leaves cannot be reset: %s",
				      g_strerror(-code));
		detach_failed(engine, iface, why);
		g_ptr_array_remove_index(work->attach, i);
		g_array_remove_index(work->requests, i);
	}
}

/* Whether the same call may end otherwise a moment later. */
static bool is_passing(int code)
{
	return code && code != -ENODEV && code != -EEXIST && code != -EOPNOTSUPP && code != -EINVAL;
}

/* Making many at once needs more of them than having many. There may be hundreds: all together. */
static void without_descriptors_once_more(struct engine *engine, struct dataplane_request *requests,
					  guint count)
{
	g_autoptr(GArray) again = g_array_new(FALSE, FALSE, sizeof(*requests));
	struct dataplane_request *next;

	for (guint i = 0; i < count; i++) {
		if (requests[i].code == -EMFILE)
			g_array_append_val(again, requests[i]);
	}
	/* What all of them are refused, they are refused again. */
	if (!again->len || again->len == count)
		return;
	next = (struct dataplane_request *)(void *)again->data;
	for (guint i = 0; i < again->len; i++)
		g_free(next[i].error);
	dataplane_attach_many(engine->dataplane, engine->image, next, again->len);
	for (guint i = 0; i < count; i++)
		if (requests[i].code == -EMFILE)
			requests[i] = *next++;
}

/* A tap that is not filtered is worse than a second attempt. */
static void attach_once_more(struct engine *engine, struct dataplane_request *requests, guint count)
{
	without_descriptors_once_more(engine, requests, count);
	for (guint i = 0; i < count; i++) {
		if (!is_passing(requests[i].code) || requests[i].code == -EMFILE)
			continue;
		log_warning("interface %s: %s; trying again", requests[i].iface->id,
			    requests[i].error ? requests[i].error : g_strerror(-requests[i].code));
		g_clear_pointer(&requests[i].error, g_free);
		dataplane_attach_many(engine->dataplane, engine->image, &requests[i], 1);
	}
}

static void attach_all(struct engine *engine, struct work *work)
{
	g_autofree int *shut = g_new0(int, work->attach->len + 1);
	struct dataplane_request *requests;

	shut_left(engine, work);
	requests = (struct dataplane_request *)(void *)work->requests->data;
	if (!work->attach->len)
		return;
	dataplane_attach_many(engine->dataplane, engine->image, requests, work->attach->len);
	attach_once_more(engine, requests, work->attach->len);
	engine_guard_pass(engine, requests, work->attach->len, shut);
	for (guint i = 0; i < work->attach->len; i++) {
		struct engine_iface *iface = work->attach->pdata[i];

		/* ENODEV: gone since we heard of it; rtnetlink is about to say so. */
		if (requests[i].code == -ENODEV)
			engine_set_state(engine, iface, ENGINE_WAITING, NULL);
		else if (requests[i].code)
			attach_failed(engine, iface, &requests[i]);
		else
			attached(engine, iface, &requests[i], shut[i]);
		g_free(requests[i].error);
	}
	g_ptr_array_set_size(work->attach, 0);
	g_array_set_size(work->requests, 0);
}

void engine_attach_again(struct engine *engine, struct engine_iface *iface)
{
	const struct image_iface *wanted = image_iface(engine->image, iface->id);
	const struct link *link = links_by_index(engine->links, iface->ifindex);
	CLEANUP(work_clear) struct work work = work_new();

	if (!wanted || !link || iface->lost)
		return;
	want_attached(&work, iface, wanted, link);
	g_array_index(work.requests, struct dataplane_request, 0).patient = true;
	attach_all(engine, &work);
}

/* ------------------------------------------------------------------ reconciling */

/* Those that a reconciliation is about: ids (NULL: everything). */
static GPtrArray *ifaces_of(const struct engine *engine, GHashTable *ids)
{
	GPtrArray *ifaces = g_ptr_array_new();
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, ids ? ids : engine->ifaces);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		if (ids)
			value = g_hash_table_lookup(engine->ifaces, key);
		if (value)
			g_ptr_array_add(ifaces, value);
	}
	return ifaces;
}

static GPtrArray *wanted_of(const struct engine *engine, GHashTable *ids)
{
	GPtrArray *wanted = g_ptr_array_new();
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, ids ? ids : engine->image->ifaces);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		if (ids)
			value = (gpointer)(uintptr_t)image_iface(engine->image, key);
		if (value)
			g_ptr_array_add(wanted, value);
	}
	return wanted;
}

static bool is_misplaced(const struct engine_iface *iface, const struct image_iface *wanted)
{
	return !wanted || iface->displaced || strcmp(wanted->device, iface->device) != 0;
}

/* Wanted by its name before, by its alias or its MAC now: the device is the same one. */
static void follow_device(struct engine *engine, struct engine_iface *iface)
{
	const struct image_iface *wanted = image_iface(engine->image, iface->id);
	const struct link *link = links_by_index(engine->links, iface->ifindex);

	if (wanted && link && !iface->lost && link_is_wanted(link, wanted->device))
		engine_set_device(engine, iface, wanted->device);
}

/* After a restart the time begins anew: nobody knows when the device went. */
static void park_until(struct engine *engine, struct engine_iface *iface)
{
	iface->parked_until_us =
		g_get_monotonic_time() + (int64_t)engine->options->grace * G_USEC_PER_SEC;
	engine_grace_soon(engine);
}

/* Whether its flows wait for its device to come back. */
static bool park(struct engine *engine, struct engine_iface *iface)
{
	g_autofree char *error = NULL;

	if (!engine->options->grace || !iface->ifindex)
		return false;
	if (dataplane_park(engine->dataplane, iface->slot, &error) < 0) {
		log_warning("interface %s: its flows cannot be kept: %s", iface->id, error);
		return false;
	}
	set_ifindex(engine, iface, 0);
	iface->parked = true;
	park_until(engine, iface);
	engine_set_state(engine, iface, ENGINE_WAITING, NULL);
	return true;
}

static bool is_over(const struct engine_iface *iface)
{
	return iface->parked && g_get_monotonic_time() >= iface->parked_until_us;
}

/* Those that the image has no more, those that moved to another device, and those whose device
 * went. */
static void let_go(struct engine *engine, GHashTable *ids, struct work *work)
{
	g_autoptr(GPtrArray) ifaces = ifaces_of(engine, ids);

	for (guint i = 0; i < ifaces->len; i++) {
		struct engine_iface *iface = ifaces->pdata[i];

		if (iface->lost)
			log_info("interface %s: %s is gone, waiting for it", iface->id,
				 iface->device);
		follow_device(engine, iface);
		if (is_misplaced(iface, image_iface(engine->image, iface->id)) || is_over(iface))
			want_detached(work, iface);
		else if (iface->lost && !park(engine, iface))
			want_detached(work, iface);
	}
	detach_all(engine, work);
	for (guint i = 0; i < ifaces->len; i++) {
		struct engine_iface *iface = ifaces->pdata[i];
		const struct image_iface *wanted = image_iface(engine->image, iface->id);

		if (iface->ifindex || iface->parked || !is_misplaced(iface, wanted))
			continue;
		if (wanted) {
			engine_set_device(engine, iface, wanted->device);
			engine_set_state(engine, iface, ENGINE_WAITING, NULL);
			continue;
		}
		if (engine_is_unknown_id(iface->id))
			log_info("%s is not filtered any more", iface->device);
		else
			log_info("interface %s: %s is not filtered any more", iface->id,
				 iface->device);
		remove_iface(engine, iface);
	}
}

static void ambiguous(struct engine *engine, struct engine_iface *iface, unsigned int count)
{
	g_autofree char *why =
		g_strdup_printf("%u devices match %s, and one is wanted", count, iface->device);

	if (g_strcmp0(iface->error, why) != 0)
		log_error("interface %s: %s", iface->id, why);
	engine_set_state(engine, iface, ENGINE_FAILED, why);
}

/* By a match and a name, or by two matches: names alone cannot. */
static void taken(struct engine *engine, struct engine_iface *iface,
		  const struct engine_iface *holder, const struct link *link)
{
	g_autofree char *why = g_strdup_printf("%s is interface %s already, which it matches, too",
					       link->name, holder->id);

	if (g_strcmp0(iface->error, why) != 0)
		log_error("interface %s: %s", iface->id, why);
	engine_set_state(engine, iface, ENGINE_FAILED, why);
}

/* Its rules would be applied the wrong way round. */
static void reversed(struct engine *engine, struct engine_iface *iface, const struct link *link)
{
	g_autofree char *why = g_strdup_printf("%s is a %s, whose frames go the other way round "
					       "than a tap's: not supported yet; give the VM a tap",
					       link->name, link->reversed);

	if (g_strcmp0(iface->error, why) != 0)
		log_error("interface %s: %s", iface->id, why);
	engine_set_state(engine, iface, ENGINE_FAILED, why);
}

/* Finds out what one wanted interface needs. */
static void settle(struct engine *engine, struct engine_iface *iface,
		   const struct image_iface *wanted, struct work *work)
{
	unsigned int count = 0;
	const struct link *link = links_find(engine->links, wanted->device, &count);
	const struct link *held = links_by_index(engine->links, iface->ifindex);
	struct engine_iface *holder;

	/* What it has it keeps, whoever else looks like it. */
	if (count > 1 && held && link_is_wanted(held, wanted->device))
		link = held;
	else if (count > 1 && !iface->ifindex) {
		ambiguous(engine, iface, count);
		return;
	}
	if (!link && iface->parked)
		return;
	if (!link) {
		if (iface->ifindex && engine_renamed_and_ours(engine, iface))
			return;
		if (iface->ifindex)
			log_info("interface %s: waiting for %s", iface->id, iface->device);
		want_detached(work, iface);
		if (!iface->ifindex)
			engine_set_state(engine, iface, ENGINE_WAITING, NULL);
		return;
	}
	if (iface->ifindex == link->ifindex && iface->state == ENGINE_FILTERING &&
	    iface->wanted_hook == wanted->hook)
		return;
	if (link->reversed) {
		reversed(engine, iface, link);
		return;
	}
	holder = engine_by_ifindex(engine, link->ifindex);
	if (holder && holder != iface && !holder->leaving && link_is_wanted(link, holder->device)) {
		taken(engine, iface, holder, link);
		return;
	}
	if (holder && holder != iface)
		want_detached(work, holder);
	want_attached(work, iface, wanted, link);
}

static void release_slot(struct engine *engine, const char *id)
{
	if (engine_is_kept(engine, numbers_find(engine->numbers, NUMBER_SLOT, id)))
		return;
	if (!image_iface(engine->image, id) && !g_hash_table_contains(engine->ifaces, id))
		numbers_release_slot(engine->numbers, id);
}

/* Slots of interfaces that are neither wanted nor attached go back to the pool. */
static void release_slots(struct engine *engine, GHashTable *ids)
{
	GHashTableIter iter;
	gpointer key;

	for (uint32_t slot = 1; !ids && slot <= SG_MAX_SLOTS; slot++) {
		g_autofree char *id = g_strdup(numbers_name(engine->numbers, NUMBER_SLOT, slot));

		if (id)
			release_slot(engine, id);
	}
	if (!ids)
		return;
	g_hash_table_iter_init(&iter, ids);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		release_slot(engine, key);
}

void engine_reconcile_some(struct engine *engine, GHashTable *ids)
{
	CLEANUP(work_clear) struct work work = work_new();
	g_autoptr(GPtrArray) wanted = wanted_of(engine, ids);

	let_go(engine, ids, &work);
	/* All of them before any is settled: each may hold a device that another one wants. */
	for (guint i = 0; i < wanted->len; i++) {
		const struct image_iface *one = wanted->pdata[i];

		if (!g_hash_table_contains(engine->ifaces, one->id))
			add_iface(engine, one);
	}
	for (guint i = 0; i < wanted->len; i++) {
		const struct image_iface *one = wanted->pdata[i];

		settle(engine, g_hash_table_lookup(engine->ifaces, one->id), one, &work);
	}
	detach_all(engine, &work);
	attach_all(engine, &work);
	engine_kept_settle(engine);
	release_slots(engine, ids);
	if (engine->ready && engine->changed)
		engine->changed(engine->changed_arg);
}

void engine_reconcile(struct engine *engine)
{
	engine_reconcile_some(engine, NULL);
}

void engine_reconcile_one(struct engine *engine, const char *id)
{
	g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);

	g_hash_table_add(ids, (gpointer)(uintptr_t)id);
	engine_reconcile_some(engine, ids);
}

/*
 * Whether a device without all of its programs is the one that had them. The number alone may be
 * another device's by now; but then links are pinned that are on none.
 */
static bool is_same_device(const struct engine *engine, const struct image_iface *wanted,
			   const struct dataplane_attachment *pinned)
{
	const struct link *link = links_by_index(engine->links, pinned->ifindex);
	g_autofree char *missing =
		dataplane_missing_pins(engine->dataplane, pinned->slot, wanted->hook);

	return link && link_is_wanted(link, wanted->device) &&
	       (pinned->any || (missing && !pinned->pinned));
}

static int restore_one(struct engine *engine, const struct dataplane_attachment *pinned,
		       char **error)
{
	struct sg_slot exact = {};
	const char *id = numbers_name(engine->numbers, NUMBER_SLOT, pinned->slot);
	const struct image_iface *wanted = id ? image_iface(engine->image, id) : NULL;
	struct engine_iface *iface;

	if (!wanted && engine_is_kept(engine, pinned->slot))
		return 0;
	if (!wanted) {
		int code = 0;

		engine_guard_stop(engine, &pinned->ifindex, 1, &code);
		log_info("slot %u (%s) is pinned and not wanted: detaching it", pinned->slot,
			 id ? id : "unknown");
		return dataplane_detach(engine->dataplane, pinned->slot, error);
	}
	iface = add_iface(engine, wanted);
	if (pinned->ifindex == DATAPLANE_PARKED) {
		iface->parked = true;
		park_until(engine, iface);
		return 0;
	}
	set_ifindex(engine, iface, pinned->ifindex);
	/* The number may be another device's by now: it is by its programs that a device is known.
	 */
	if (!pinned->live && is_same_device(engine, wanted, pinned))
		engine_robbed_before(engine, iface, wanted->hook);
	iface->lost = !pinned->live && !iface->robbed;
	iface->hook = pinned->hook;
	iface->wanted_hook = wanted->hook;
	/* What was refused before this start has been reported by whoever ran then. */
	if (dataplane_stats(engine->dataplane, pinned->slot, NULL, &exact) == 0)
		iface->refused = exact.allowance_exceeded;
	/* A device that was renamed stays as it is; any other is attached again by name, which
	 * adopts what is pinned and brings its programs up to date. */
	if (pinned->live && !links_find(engine->links, wanted->device, NULL))
		iface->state = ENGINE_FILTERING;
	return 0;
}

int engine_restore(struct engine *engine, char **error)
{
	g_autoptr(GArray) pinned = g_array_new(FALSE, TRUE, sizeof(struct dataplane_attachment));
	g_autoptr(GPtrArray) robbed = g_ptr_array_new_with_free_func(g_free);
	int err = dataplane_attachments(engine->dataplane, pinned, error);

	if (err < 0)
		return err;
	for (guint i = 0; i < pinned->len; i++) {
		const struct dataplane_attachment *one =
			&g_array_index(pinned, struct dataplane_attachment, i);
		const struct engine_iface *iface;

		err = restore_one(engine, one, error);
		if (err < 0)
			return err;
		iface = engine_by_ifindex(engine, one->ifindex);
		if (iface && iface->robbed)
			g_ptr_array_add(robbed, g_strdup(iface->id));
	}
	engine_reconcile(engine);
	for (guint i = 0; i < robbed->len; i++)
		engine_robbed_mended(engine, robbed->pdata[i]);
	return 0;
}
