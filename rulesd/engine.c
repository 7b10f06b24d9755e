/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.c - starting from what is pinned and on disk, stopping, timers, and what is true of the
 * whole.
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <string.h>

#include "rulesd/bpffs.h"
#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/engine_parts.h"
#include "rulesd/guard.h"
#include "rulesd/load.h"
#include "rulesd/log.h"
#include "rulesd/validate.h"

#define COLLECT_EVERY_MS  1000
#define COLLECT_AGAIN_MS  5
#define REPAIR_EVERY_SECS 10
#define SETTLE_AFTER_MS	  20 /* a grace period or two */

uint64_t engine_generation(const struct engine *engine)
{
	return dataplane_generation(engine->dataplane) + engine->state->offset;
}

const char *engine_source(const struct engine *engine)
{
	const struct state_generation *current = state_current(engine->state);

	return current ? current->source : "none";
}

const char *engine_state_name(enum engine_iface_state state)
{
	static const char *const names[] = {
		[ENGINE_FILTERING] = "filtering",
		[ENGINE_WAITING] = "waiting",
		[ENGINE_FAILED] = "failed",
		[ENGINE_REMOTE] = "remote",
	};

	return names[state];
}

enum engine_iface_state engine_iface_state(const struct engine *engine,
					   const struct model_interface *iface,
					   const struct engine_iface **runtime)
{
	*runtime = image_iface(engine->image, iface->id)
			   ? g_hash_table_lookup(engine->ifaces, iface->id)
			   : NULL;
	return *runtime ? (*runtime)->state : ENGINE_REMOTE;
}

struct engine_counts engine_counts(const struct engine *engine)
{
	struct engine_counts counts = {0};
	GHashTableIter iter;
	gpointer value;
	unsigned int all = engine->model->interfaces;

	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct engine_iface *iface = value;

		counts.filtering += iface->state == ENGINE_FILTERING;
		counts.waiting += iface->state == ENGINE_WAITING;
		counts.failed += iface->state == ENGINE_FAILED;
	}
	all -= MIN(all, counts.filtering + counts.waiting + counts.failed);
	counts.remote = all;
	return counts;
}

const char *engine_slot_id(const struct engine *engine, uint32_t slot)
{
	return numbers_name(engine->numbers, NUMBER_SLOT, slot);
}

const char *engine_rule_name(const struct engine *engine, uint32_t rule)
{
	const char *name;

	if (!rule || rule & SG_RULE_EXEMPT)
		return NULL;
	name = image_rule_name(engine->image, rule);
	if (name)
		return name;
	/* NETWORK:DIRECTION:GROUP/RULE, of a policy that held before. */
	name = numbers_name(engine->numbers, NUMBER_RULE, rule);
	name = name ? strchr(name, ':') : NULL;
	name = name ? strchr(name + 1, ':') : NULL;
	return name ? name + 1 : NULL;
}

/* Once a pass, so a flood is one line a second and not one a packet. */
static void report_allowances(struct engine *engine)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct engine_iface *iface = value;
		struct sg_slot exact;

		if (!iface->ifindex ||
		    dataplane_stats(engine->dataplane, iface->slot, NULL, &exact) < 0)
			continue;
		if (exact.allowance_exceeded > iface->refused)
			log_warning("interface %s: allowance exceeded: %" PRIu64
				    " new flows refused, it has %u; raise conntrack.max_flows or "
				    "look for what opens them (sgctl flows --interface %s)",
				    iface->id, (uint64_t)exact.allowance_exceeded - iface->refused,
				    exact.flows, iface->id);
		iface->refused = exact.allowance_exceeded;
	}
}

static gboolean collect(gpointer arg)
{
	struct engine *engine = arg;
	bool more = false;
	int err = dataplane_collect(engine->dataplane, &more);

	if (!more) {
		report_allowances(engine);
		engine_settle_soon(engine);
	}

	if (err < 0)
		log_debug("collecting expired flows: %s", g_strerror(-err));
	engine->collect_timer = g_timeout_add(
		err == 0 && more ? COLLECT_AGAIN_MS : COLLECT_EVERY_MS, collect, engine);
	return G_SOURCE_REMOVE;
}

static gboolean settle(gpointer arg)
{
	struct engine *engine = arg;
	bool more = false;
	int err = dataplane_settle(engine->dataplane, &more);

	if (err < 0)
		log_debug("removing what nothing refers to any more: %s", g_strerror(-err));
	if (err == 0 && more)
		return G_SOURCE_CONTINUE;
	/* What could not be removed goes with the next collection. */
	engine->settle_timer = 0;
	return G_SOURCE_REMOVE;
}

void engine_settle_soon(struct engine *engine)
{
	if (!engine->settle_timer)
		engine->settle_timer = g_timeout_add(SETTLE_AFTER_MS, settle, engine);
}

/* One that was renamed is not attached by its name, and has the programs of the rulesd before. */
static void renew_programs(struct engine *engine)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct engine_iface *iface = value;

		if (iface->state == ENGINE_FILTERING && !iface->renewed)
			engine_attach_again(engine, iface);
	}
}

/* A tap that still has the programs of the older rulesd has the older maps, too. */
static void finish_migration(struct engine *engine)
{
	g_autofree char *error = NULL;
	GHashTableIter iter;
	gpointer value;

	renew_programs(engine);
	if (!dataplane_is_migrating(engine->dataplane))
		return;
	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct engine_iface *iface = value;

		if (iface->ifindex && !iface->renewed) {
			log_warning("interface %s: %s has the programs of the older rulesd still",
				    iface->id, iface->device);
			return;
		}
	}
	if (dataplane_migrated(engine->dataplane, &error) < 0)
		log_warning("%s; the next start tries again", error);
}

static gboolean repair(gpointer arg)
{
	const struct engine *engine = arg;
	int err = state_settle(engine->state);

	if (err < 0)
		log_debug("the state directory %s cannot be mended yet: %s",
			  engine->options->state_dir, g_strerror(-err));
	finish_migration(arg);
	engine_repair(arg);
	engine_kept_settle(arg);
	return G_SOURCE_CONTINUE;
}

static int restore_kernel(struct engine *engine, struct diag *diag, char **error)
{
	g_autofree char *said = NULL;
	uint64_t kernel = 0;
	int err = compile_image(engine->model, engine->numbers, NULL, engine->options->host,
				&engine->image, diag);

	if (err < 0) {
		engine_summarize(diag, "the policy that held before does not compile", error);
		return err;
	}
	/* What held before has its names in the registry, and numbers of policies and sets are
	 * checked against the kernel; so a full disk need not keep anything from being filtered.
	 * The next change asks for marks again. */
	err = state_save_marks(engine->state, engine->numbers);
	if (err < 0)
		log_warning("the state directory %s cannot be written: %s; changes will be refused",
			    engine->state->path, g_strerror(-err));
	err = 0;
	/* What is kept needs the members and policies that are pinned. */
	if (err == 0 && !engine->blank) {
		err = dataplane_apply(engine->dataplane, engine->image, false, &kernel, NULL,
				      &said);
		err = err < 0 ? engine_dataplane_error(err, said, diag) : 0;
	}
	if (err < 0) {
		engine_summarize(diag, "the policy cannot be restored", error);
		return err;
	}
	engine_settle_soon(engine);
	kernel = dataplane_generation(engine->dataplane);
	engine->state->offset =
		candidate_offset(engine->state->offset, kernel, engine->state->generation, false);
	return engine_restore(engine, error);
}

static void kept_free(void *arg)
{
	struct engine_kept *kept = arg;

	g_free(kept->device);
	g_free(kept);
}

static void iface_free(void *arg)
{
	struct engine_iface *iface = arg;

	g_free(iface->id);
	g_free(iface->device);
	g_free(iface->error);
	g_free(iface);
}

/* So that the next start finds it whole, and still knows that something was lost. */
static void save_what_was_lost(struct engine *engine, bool whole)
{
	struct state *state = engine->state;
	g_autofree char *lost = g_strdup(state->lost);
	int err = 0;

	if (!whole)
		err = state_save_numbers(state, engine->numbers);
	if (err == 0 && state->damage->len) {
		g_clear_pointer(&state->lost, g_free);
		err = state_set_lost(state, lost);
	}
	if (err < 0)
		log_warning("the state directory %s cannot be mended: %s", state->path,
			    g_strerror(-err));
}

int engine_open(const struct options *options, struct engine **engine, char **error)
{
	CLEANUP(engine_close) struct engine *e = g_new0(struct engine, 1);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(engine_head_start_clear) struct engine_head_start ahead = {0};
	const struct dataplane_options dataplane = {
		.bpffs = options->bpffs,
		.max_flows = options->max_flows,
	};
	bool whole = true, nothing = false;
	int err;

	e->options = options;
	e->started_us = g_get_monotonic_time();
	e->ifaces = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, iface_free);
	e->by_device = g_hash_table_new(g_str_hash, g_str_equal);
	e->by_ifindex = g_hash_table_new(NULL, NULL);
	e->inherited = engine_inherit_new();
	e->kept = g_hash_table_new_full(NULL, NULL, NULL, kept_free);
	err = state_open(options->state_dir, &e->state, error);
	if (err == 0)
		err = state_load_numbers(e->state, &e->numbers, &whole, error);
	if (err == 0)
		err = bpffs_prepare(options->bpffs, error);
	if (err < 0) {
		engine_guard_refused(e, err);
		return err;
	}
	err = links_open(engine_link_changed, e, &e->links);
	if (err < 0) {
		*error = g_strdup_printf("rtnetlink: %s", g_strerror(-err));
		return err;
	}
	err = engine_guard_open(e, error);
	if (err == 0)
		engine_head_start(&ahead, e->state);
	if (err == 0)
		err = dataplane_open(&dataplane, &e->dataplane, error);
	if (err == 0)
		nothing = dataplane_generation(e->dataplane) == 0;
	if (err == 0)
		engine_repinned(e);
	if (err == 0)
		err = engine_guard_enforce(e, error);
	if (err == 0)
		err = engine_restore_model(e, &ahead, diag, error);
	if (err == 0)
		err = engine_kept_find(e, whole, error);
	if (err == 0)
		engine_inherit_restore(e);
	if (err == 0)
		err = restore_kernel(e, diag, error);
	if (err < 0)
		return err;
	if (nothing)
		engine_found_nothing(e);
	finish_migration(e);
	engine_kept_settle(e);
	save_what_was_lost(e, whole);
	e->ready = true;
	engine_guard_sweep(e);
	engine_note(e);
	malloc_trim(0);
	e->collect_timer = g_timeout_add(COLLECT_EVERY_MS, collect, e);
	engine_intact_start(e);
	e->repair_timer = g_timeout_add_seconds(REPAIR_EVERY_SECS, repair, e);
	engine_flood_start(e);
	err = engine_confirm_restore(e, error);
	if (err < 0)
		return err;
	engine_compact_soon(e);
	*engine = TAKE_PTR(e);
	return 0;
}

void engine_close(struct engine **engine)
{
	struct engine *e = TAKE_PTR(*engine);

	if (!e)
		return;
	engine_flood_stop(e);
	g_clear_handle_id(&e->collect_timer, g_source_remove);
	g_clear_handle_id(&e->confirm_timer, g_source_remove);
	g_clear_handle_id(&e->repair_timer, g_source_remove);
	g_clear_handle_id(&e->settle_timer, g_source_remove);
	g_clear_handle_id(&e->guard_timer, g_source_remove);
	engine_intact_stop(e);
	engine_verify_stop(e);
	guard_close(&e->guard);
	if (e->links)
		links_close(&e->links);
	dataplane_close(&e->dataplane);
	engine_watch_stop(e);
	engine_digest_stop(e);
	engine_compact_stop(e);
	image_free(&e->image);
	model_free(&e->model);
	numbers_free(&e->numbers);
	g_clear_pointer(&e->by_device, g_hash_table_unref);
	g_clear_pointer(&e->by_ifindex, g_hash_table_unref);
	g_clear_pointer(&e->ifaces, g_hash_table_unref);
	g_clear_pointer(&e->kept, g_hash_table_unref);
	g_clear_pointer(&e->inherited, g_array_unref);
	state_close(&e->state);
	g_free(e->policy_error);
	g_free(e->repairs.last);
	g_free(e->repairs.failed);
	g_free(e);
}
