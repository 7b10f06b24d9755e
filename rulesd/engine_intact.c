/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_intact.c - what somebody else takes away of what rulesd has put into the kernel: noticed
 * within a second, reported, and put back.
 *
 * Links are asked, filters tell: the kernel sends a message when one is removed, or its qdisc. Pins
 * and samples of the entries are looked at in every round; a sample that is wrong brings a
 * verification of everything, and so does the clock now and then.
 */
#include <errno.h>
#include <glib-unix.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <time.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"

#define ROUND_MS	700 /* between the beginnings of two rounds */
#define STEP_MS		20
#define SUSPECT_MS	20		      /* what else comes with a message about filters */
#define VERIFY_AGAIN_US (10 * G_USEC_PER_SEC) /* after one that did not mend everything */
#define MESSAGE_BYTES	32768

struct engine_intact {
	struct engine *engine;
	guint timer;
	uint32_t next; /* slot; 0: between two rounds */
	/* Links wait for the kernel's one lock on devices, so a thread asks them: part after part.
	 */
	GThread *thread;
	GAsyncQueue *questions; /* of GArray of struct dataplane_link; an empty one ends it */
	GArray *asked;		/* on its way there and back, or NULL */
	int64_t began_us;
	struct mnl_socket *filters; /* messages about them; NULL: none can be had */
	guint filters_source;
	GHashTable *suspects; /* ifindexes whose filters may be gone */
	guint suspects_timer;
	guint verify_timer;
	int64_t verify_after_us;
};

void engine_repaired(struct engine *engine, enum repair_kind kind, unsigned int count,
		     const char *what)
{
	uint64_t *const counters[] = {
		[REPAIR_PROGRAM] = &engine->repairs.programs,
		[REPAIR_PIN] = &engine->repairs.pins,
		[REPAIR_ENTRY] = &engine->repairs.entries,
	};

	*counters[kind] += count;
	g_free(engine->repairs.last);
	engine->repairs.last = g_strdup(what);
	engine->repairs.last_at = time(NULL);
	if (engine->told_repair)
		engine->told_repair(what, engine->told_repair_arg);
}

static void could_not(struct engine *engine, const char *what, const char *why)
{
	g_autofree char *text = g_strdup_printf("%s: %s", what, why);

	if (g_strcmp0(engine->repairs.failed, text) != 0)
		log_error("%s was changed by somebody else and cannot be put back: %s", what, why);
	g_free(engine->repairs.failed);
	engine->repairs.failed = TAKE_PTR(text);
}

/* ------------------------------------------------------------------ programs */

struct engine_iface *engine_iface_of_slot(const struct engine *engine, uint32_t slot)
{
	const char *id = engine_slot_id(engine, slot);

	return id ? g_hash_table_lookup(engine->ifaces, id) : NULL;
}

static void log_robbed(const struct engine *engine, const struct engine_iface *iface,
		       enum model_hook hook, const char *when, const char *until_then)
{
	g_autofree char *pins = dataplane_missing_pins(engine->dataplane, iface->slot, hook);

	log_warning("interface %s: its programs on %s were removed by somebody else%s%s%s: putting "
		    "them back; %s",
		    iface->id, iface->device, when, pins ? ", with the pin " : "", pins ? pins : "",
		    until_then);
}

void engine_robbed(struct engine *engine, struct engine_iface *iface)
{
	int shut = 0;

	engine_guard_stop(engine, &iface->ifindex, 1, &shut);
	log_robbed(engine, iface, iface->hook, "",
		   engine->guard ? "the guard shuts it until then"
				 : "until then frames pass unfiltered");
	iface->robbed = true;
	engine_set_state(engine, iface, ENGINE_FAILED, "its programs were removed");
}

void engine_robbed_before(struct engine *engine, struct engine_iface *iface, enum model_hook hook)
{
	log_robbed(engine, iface, hook, " while rulesd did not run",
		   "until now frames passed unfiltered");
	iface->robbed = true;
}

void engine_robbed_mended(struct engine *engine, const char *id)
{
	const struct engine_iface *iface = g_hash_table_lookup(engine->ifaces, id);
	g_autofree char *what = g_strdup_printf("programs of interface %s", id);

	if (iface && iface->state == ENGINE_FILTERING)
		engine_repaired(engine, REPAIR_PROGRAM, 1, what);
}

/* Whether it is one that should be filtered just now, on a device that is there. */
static bool should_filter(const struct engine *engine, const struct engine_iface *iface)
{
	return iface && iface->state == ENGINE_FILTERING && !iface->lost && !iface->leaving &&
	       links_by_index(engine->links, iface->ifindex);
}

static void put_back(struct engine *engine, const GArray *slots)
{
	g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer id;

	for (guint i = 0; i < slots->len; i++) {
		struct engine_iface *iface =
			engine_iface_of_slot(engine, g_array_index(slots, uint32_t, i));

		if (!should_filter(engine, iface))
			continue;
		engine_robbed(engine, iface);
		g_hash_table_add(ids, g_strdup(iface->id));
	}
	if (!g_hash_table_size(ids))
		return;
	engine_reconcile_some(engine, ids);
	engine_note(engine);
	g_hash_table_iter_init(&iter, ids);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		engine_robbed_mended(engine, id);
}

/* ------------------------------------------------------------------ filters */

static gboolean look_at_suspects(gpointer arg)
{
	struct engine_intact *intact = arg;
	struct engine *engine = intact->engine;
	g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	GHashTableIter iter;
	gpointer ifindex;

	intact->suspects_timer = 0;
	links_poll(engine->links);
	g_hash_table_iter_init(&iter, intact->suspects);
	while (g_hash_table_iter_next(&iter, &ifindex, NULL)) {
		struct engine_iface *iface = engine_by_ifindex(engine, GPOINTER_TO_UINT(ifindex));
		struct dataplane_attachment seen = {0};

		if (!should_filter(engine, iface))
			continue;
		seen.slot = iface->slot;
		seen.ifindex = iface->ifindex;
		if (!dataplane_look(engine->dataplane, &seen, NULL) && !seen.live)
			g_array_append_val(slots, iface->slot);
	}
	g_hash_table_remove_all(intact->suspects);
	put_back(engine, slots);
	return G_SOURCE_REMOVE;
}

static void suspect(struct engine_intact *intact, uint32_t ifindex)
{
	const struct engine_iface *iface = engine_by_ifindex(intact->engine, ifindex);

	if (!iface || (iface->hook != MODEL_HOOK_TC && !iface->quick))
		return;
	g_hash_table_add(intact->suspects, GUINT_TO_POINTER(ifindex));
	if (!intact->suspects_timer)
		intact->suspects_timer = g_timeout_add(SUSPECT_MS, look_at_suspects, intact);
}

static int heard_filter(const struct nlmsghdr *header, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(header);

	if (header->nlmsg_len >= MNL_NLMSG_HDRLEN + sizeof(*tc) && tc->tcm_ifindex > 0)
		suspect(arg, (uint32_t)tc->tcm_ifindex);
	return MNL_CB_OK;
}

/* Messages were lost: any of them may be concerned. */
static void suspect_all(struct engine_intact *intact)
{
	GHashTableIter iter;
	gpointer iface;

	g_hash_table_iter_init(&iter, intact->engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &iface))
		suspect(intact, ((const struct engine_iface *)iface)->ifindex);
}

static gboolean hear_filters(gint fd, GIOCondition condition, gpointer arg)
{
	struct engine_intact *intact = arg;
	char buffer[MESSAGE_BYTES];

	(void)fd;
	(void)condition;
	for (;;) {
		ssize_t length = mnl_socket_recvfrom(intact->filters, buffer, sizeof(buffer));

		if (length < 0 && errno == ENOBUFS)
			suspect_all(intact);
		else if (length <= 0)
			return G_SOURCE_CONTINUE;
		else
			mnl_cb_run(buffer, (size_t)length, 0, 0, heard_filter, intact);
	}
}

static void listen_to_filters(struct engine_intact *intact)
{
	intact->filters = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!intact->filters ||
	    mnl_socket_bind(intact->filters, 1u << (RTNLGRP_TC - 1), MNL_SOCKET_AUTOPID) < 0) {
		log_warning("rtnetlink: %s: removed tc filters are noticed every 10 s only",
			    g_strerror(errno));
		return;
	}
	intact->filters_source =
		g_unix_fd_add(mnl_socket_get_fd(intact->filters), G_IO_IN, hear_filters, intact);
}

/* ------------------------------------------------------------------ entries */

static void verified(const struct dataplane_verified *result, int64_t took_us, const char *error,
		     void *arg)
{
	struct engine *engine = arg;
	const struct dataplane_difference *first =
		result->differences->len ? result->differences->pdata[0] : NULL;

	(void)took_us;
	if (error || result->repaired != result->found || !result->found)
		engine->intact->verify_after_us = g_get_monotonic_time() + VERIFY_AGAIN_US;
	if (result->repaired && first)
		engine_repaired(engine, REPAIR_ENTRY, (unsigned int)result->repaired,
				first->object);
	for (guint i = 0; i < result->differences->len; i++) {
		const struct dataplane_difference *one = result->differences->pdata[i];

		if (one && !one->repaired)
			could_not(engine, one->object, one->error ? one->error : "unknown error");
	}
}

static void verify(struct engine_intact *intact)
{
	/* One that is running does not see what comes behind it; the next round asks again. */
	if (!intact->engine->verifying)
		engine_verify(intact->engine, true, verified, intact->engine);
}

static gboolean verify_now(gpointer arg)
{
	verify(arg);
	return G_SOURCE_CONTINUE;
}

/* ------------------------------------------------------------------ rounds */

static void handle(struct engine_intact *intact, const struct dataplane_harm *harm)
{
	struct engine *engine = intact->engine;

	if (harm->pins) {
		log_warning("%s %s removed by somebody else: pinned again; filtering went on",
			    harm->pin, harm->pins > 1 ? "and others were" : "was");
		engine_repaired(engine, REPAIR_PIN, harm->pins, harm->pin);
	}
	if (harm->error)
		could_not(engine, harm->pin, harm->error);
	if (harm->entry && g_get_monotonic_time() >= intact->verify_after_us) {
		log_warning("%s was changed by somebody else: verifying everything", harm->entry);
		verify(intact);
	}
}

void engine_found_nothing(struct engine *engine)
{
	unsigned int filtering = 0;
	GHashTableIter iter;
	gpointer iface;

	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &iface))
		filtering += ((const struct engine_iface *)iface)->state == ENGINE_FILTERING;
	if (filtering)
		log_warning(
			"nothing was pinned in %s, so until now frames of %u interface%s passed "
			"unfiltered: after a reboot or --flush that is so, else somebody has "
			"removed the pins, and the connections with them",
			engine->options->bpffs, filtering, filtering > 1 ? "s" : "");
}

void engine_repinned(struct engine *engine)
{
	const GPtrArray *pins = dataplane_repinned(engine->dataplane);

	for (guint i = 0; i < pins->len; i++) {
		log_warning("%s was removed by somebody else while rulesd did not run: pinned "
			    "again",
			    (char *)pins->pdata[i]);
		engine_repaired(engine, REPAIR_PIN, 1, pins->pdata[i]);
	}
}

static gboolean look(gpointer arg);

static void look_again(struct engine_intact *intact)
{
	int64_t left = ROUND_MS - (g_get_monotonic_time() - intact->began_us) / 1000;

	intact->timer =
		g_timeout_add(intact->next ? STEP_MS : (guint)MAX(left, STEP_MS), look, intact);
}

/* Those that looked wrong are asked once more: they may have been changed meanwhile, by us. */
static gboolean answered(gpointer arg)
{
	struct engine_intact *intact = arg;
	struct engine *engine = intact->engine;
	g_autoptr(GArray) asked = TAKE_PTR(intact->asked);
	g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	bool polled = false;

	for (guint i = 0; i < asked->len; i++) {
		const struct dataplane_link *link = &g_array_index(asked, struct dataplane_link, i);

		if (!link->wrong)
			continue;
		/* A device that is gone takes its programs with it. */
		if (!polled)
			links_poll(engine->links);
		polled = true;
		if (should_filter(engine, engine_iface_of_slot(engine, link->slot)) &&
		    !dataplane_links_right(engine->dataplane, link->slot))
			g_array_append_val(slots, link->slot);
	}
	put_back(engine, slots);
	look_again(intact);
	return G_SOURCE_REMOVE;
}

static gpointer ask_links(gpointer arg)
{
	struct engine_intact *intact = arg;

	for (;;) {
		GArray *links = g_async_queue_pop(intact->questions);

		if (!links->len)
			return links;
		dataplane_links_ask(links);
		g_idle_add_full(G_PRIORITY_DEFAULT, answered, intact, NULL);
	}
}

static gboolean look(gpointer arg)
{
	struct engine_intact *intact = arg;
	struct engine *engine = intact->engine;
	CLEANUP(dataplane_harm_clear) struct dataplane_harm harm = {0};
	bool first;

	intact->timer = 0;
	first = !intact->next;
	if (first)
		intact->began_us = g_get_monotonic_time();
	intact->asked = g_array_new(FALSE, TRUE, sizeof(struct dataplane_link));
	dataplane_intact(engine->dataplane, engine->image, &intact->next, intact->asked, &harm);
	if (intact->asked->len) {
		g_async_queue_push(intact->questions, intact->asked);
	} else {
		g_clear_pointer(&intact->asked, g_array_unref);
		look_again(intact);
	}
	if (first)
		engine_say_covered(engine, harm.covered);
	handle(intact, &harm);
	return G_SOURCE_REMOVE;
}

void engine_intact_start(struct engine *engine)
{
	struct engine_intact *intact;

	if (!engine->options->verify_every)
		return;
	intact = engine->intact = g_new0(struct engine_intact, 1);
	intact->engine = engine;
	intact->suspects = g_hash_table_new(NULL, NULL);
	listen_to_filters(intact);
	intact->questions = g_async_queue_new();
	intact->thread = g_thread_new("intact", ask_links, intact);
	intact->timer = g_timeout_add(ROUND_MS, look, intact);
	intact->verify_timer =
		g_timeout_add_seconds(engine->options->verify_every, verify_now, intact);
}

void engine_intact_stop(struct engine *engine)
{
	struct engine_intact *intact = TAKE_PTR(engine->intact);

	if (!intact)
		return;
	g_async_queue_push(intact->questions,
			   g_array_new(FALSE, FALSE, sizeof(struct dataplane_link)));
	g_array_unref(g_thread_join(intact->thread));
	while (g_idle_remove_by_data(intact))
		;
	g_clear_pointer(&intact->asked, g_array_unref);
	g_async_queue_unref(intact->questions);
	g_clear_handle_id(&intact->timer, g_source_remove);
	g_clear_handle_id(&intact->verify_timer, g_source_remove);
	g_clear_handle_id(&intact->suspects_timer, g_source_remove);
	g_clear_handle_id(&intact->filters_source, g_source_remove);
	if (intact->filters)
		mnl_socket_close(intact->filters);
	g_hash_table_unref(intact->suspects);
	g_free(intact);
}
