/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_verify.c - a verification from its beginning to its end, in steps between everything else
 * that the daemon does; and programs put back at the end of it.
 */
#include <errno.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"

#define STEP_MS 10

struct engine_verification {
	struct engine *engine;
	struct verification *verification;
	bool repair;
	engine_verified_fn done;
	void *arg;
	int64_t began_us;
	guint idle, timer;
};

static void verification_free(struct engine_verification *verifying)
{
	g_clear_handle_id(&verifying->idle, g_source_remove);
	g_clear_handle_id(&verifying->timer, g_source_remove);
	dataplane_verify_end(&verifying->verification);
	g_free(verifying);
}

/* Those whose programs differ are attached again, all together. */
static void put_programs_back(struct engine_verification *verifying)
{
	const GArray *slots = dataplane_verified(verifying->verification)->attach_again;
	struct engine *engine = verifying->engine;
	g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < slots->len; i++) {
		struct engine_iface *iface =
			engine_iface_of_slot(engine, g_array_index(slots, uint32_t, i));

		if (!iface || iface->state != ENGINE_FILTERING)
			continue;
		engine_robbed(engine, iface);
		g_hash_table_add(ids, iface->id);
	}
	if (g_hash_table_size(ids))
		engine_reconcile_some(engine, ids);
	for (guint i = 0; i < slots->len; i++) {
		uint32_t slot = g_array_index(slots, uint32_t, i);
		const struct engine_iface *iface = engine_iface_of_slot(engine, slot);

		dataplane_verify_attached(verifying->verification, slot,
					  iface && iface->state == ENGINE_FILTERING);
	}
}

static void log_result(const struct dataplane_verified *result, bool repair)
{
	if (!result->found)
		return;
	for (guint i = 0; i < result->differences->len; i++) {
		const struct dataplane_difference *one = result->differences->pdata[i];

		log_warning("verify: %s: expected %s, found %s%s%s", one->object, one->expected,
			    one->found,
			    one->repaired ? ": repaired"
			    : repair	  ? ": not repaired: "
					  : "",
			    repair && one->error ? one->error : "");
	}
}

static void finish(struct engine_verification *verifying, const char *error)
{
	struct engine *engine = verifying->engine;
	const struct dataplane_verified *result = dataplane_verified(verifying->verification);

	if (error)
		log_error("verify: %s", error);
	else if (verifying->repair)
		put_programs_back(verifying);
	log_result(result, verifying->repair);
	engine->verifying = NULL;
	engine_note(engine);
	if (verifying->done)
		verifying->done(result, g_get_monotonic_time() - verifying->began_us, error,
				verifying->arg);
	verification_free(verifying);
}

static gboolean step(gpointer arg)
{
	struct engine_verification *verifying = arg;
	g_autofree char *error = NULL;
	bool more = false;
	int code = dataplane_verify_step(verifying->verification, verifying->engine->image, &more,
					 &error);

	if (more)
		return G_SOURCE_CONTINUE;
	/* The source that called is one of those that this removes, which GLib allows. */
	finish(verifying, code ? (error ? error : g_strerror(-code)) : NULL);
	return G_SOURCE_REMOVE;
}

int engine_verify(struct engine *engine, bool repair, engine_verified_fn done, void *arg)
{
	struct engine_verification *verifying;

	if (engine->verifying)
		return -EBUSY;
	verifying = g_new0(struct engine_verification, 1);
	verifying->engine = engine;
	verifying->verification = dataplane_verify_begin(engine->dataplane, repair);
	verifying->repair = repair;
	verifying->done = done;
	verifying->arg = arg;
	verifying->began_us = g_get_monotonic_time();
	/* Whatever else there is to do comes first; but where that never ends, on a slow machine
	 * that is asked all the time, a step now and then all the same. */
	verifying->idle = g_idle_add_full(G_PRIORITY_LOW, step, verifying, NULL);
	verifying->timer = g_timeout_add(STEP_MS, step, verifying);
	engine->verifying = verifying;
	return 0;
}

void engine_verify_stop(struct engine *engine)
{
	g_clear_pointer(&engine->verifying, verification_free);
}
