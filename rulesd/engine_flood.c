/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_flood.c - XDP while a VM floods: an interface whose hook is left to us (auto) and filtered
 * by tc, because XDP would copy its large frames, gets an XDP program as long as most of what its
 * VM sends is dropped (bpf/early.bpf.h).
 *
 * Measured (make bench BENCH=path): a frame dropped by XDP costs three quarters of one dropped by
 * tc; one that passes costs both programs, and a frame of 64 KB is copied. So it takes many drops a
 * second, and many more of them than of what passes; and it ends when that is over for a while.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"

#define FLOOD_LOOK_MS	  500
#define FLOOD_BEGINS	  50000u /* frames dropped a second */
#define FLOOD_ENDS	  10000u
#define FLOOD_PASSES	  4u  /* while it begins, so many are dropped for one that passes */
#define FLOOD_QUIET_LOOKS 10u /* that long below FLOOD_ENDS */

static bool may_have_xdp(const struct engine_iface *iface)
{
	return iface->state == ENGINE_FILTERING && iface->wanted_hook == MODEL_HOOK_AUTO &&
	       (iface->hook == MODEL_HOOK_TCX || iface->hook == MODEL_HOOK_TC) && !iface->lost;
}

static void turn(struct engine *engine, struct engine_iface *iface, bool on, uint64_t rate)
{
	g_autofree char *error = NULL;
	int err = dataplane_early(engine->dataplane, iface->slot, on, &error);

	iface->flood.quiet = 0;
	if (err < 0) {
		/* It is filtered as before. Not tried again until it is attached again. */
		iface->flood.refused = on;
		iface->flood.early = !on;
		log_warning("interface %s: %s", iface->id, error ? error : g_strerror(-err));
		return;
	}
	iface->flood.early = on;
	if (on)
		log_warning("interface %s: its VM sends %" G_GUINT64_FORMAT " frames a second that "
			    "no rule allows: dropping them by XDP while that lasts",
			    iface->id, rate);
	else
		log_info("interface %s: its VM floods no more: XDP is off again", iface->id);
}

static void look(struct engine *engine, struct engine_iface *iface, int64_t now)
{
	struct sg_stats stats;
	uint64_t dropped, passed;
	int64_t elapsed = now - iface->flood.looked_us;

	if (dataplane_stats(engine->dataplane, iface->slot, &stats, NULL) < 0)
		return;
	dropped = stats.packets[SG_EGRESS][SG_DROPPED] - iface->flood.dropped;
	passed = stats.packets[SG_EGRESS][SG_ALLOWED] - iface->flood.passed;
	iface->flood.dropped += dropped;
	iface->flood.passed += passed;
	iface->flood.looked_us = now;
	/* The first look, or counters that began anew. */
	if (elapsed <= 0 || elapsed > 4 * FLOOD_LOOK_MS * 1000 || dropped > UINT64_MAX / 2)
		return;
	dropped = dropped * G_USEC_PER_SEC / (uint64_t)elapsed;
	passed = passed * G_USEC_PER_SEC / (uint64_t)elapsed;
	if (!iface->flood.early) {
		if (!iface->flood.refused && dropped >= FLOOD_BEGINS &&
		    dropped / FLOOD_PASSES >= passed)
			turn(engine, iface, true, dropped);
		return;
	}
	iface->flood.quiet = dropped < FLOOD_ENDS || passed > dropped ? iface->flood.quiet + 1 : 0;
	if (iface->flood.quiet >= FLOOD_QUIET_LOOKS)
		turn(engine, iface, false, dropped);
}

static gboolean look_at_all(gpointer arg)
{
	struct engine *engine = arg;
	int64_t now = g_get_monotonic_time();
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct engine_iface *iface = value;

		if (may_have_xdp(iface))
			look(engine, iface, now);
		else
			memset(&iface->flood, 0, sizeof(iface->flood));
	}
	return G_SOURCE_CONTINUE;
}

void engine_flood_start(struct engine *engine)
{
	engine->flood_timer = g_timeout_add(FLOOD_LOOK_MS, look_at_all, engine);
}

void engine_flood_stop(struct engine *engine)
{
	g_clear_handle_id(&engine->flood_timer, g_source_remove);
}
