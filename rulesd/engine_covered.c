/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_covered.c - says when what is pinned cannot be found any more (bpf_covered.c), and what
 * that means for the end of rulesd.
 */
#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/guard.h"
#include "rulesd/log.h"

static const char mounted_over[] = "something is mounted over the bpffs of";
static const char unmounted[] = "somebody has unmounted the bpffs of";

void engine_say_covered(struct engine *engine, bool is_covered)
{
	const char *covered = !is_covered				  ? NULL
			      : dataplane_is_unmounted(engine->dataplane) ? unmounted
									  : mounted_over;

	if (covered == engine->covered)
		return;
	engine->covered = covered;
	g_clear_pointer(&engine->repairs.failed, g_free);
	if (!covered) {
		log_info("%s can be seen again: everything is as it was", engine->options->bpffs);
		return;
	}
	engine->repairs.failed = g_strdup_printf("%s %s", covered, engine->options->bpffs);
	log_error("%s: filtering goes on, but nothing can be attached or detached, and %s",
		  engine->repairs.failed,
		  covered == unmounted
			  ? "it ends when rulesd ends: stop the VMs or set their devices down, "
			    "mount a bpffs again, and restart rulesd"
			  : "the next start would not find what is pinned: unmount what covers it");
}

void engine_before_end(const struct engine *engine)
{
	g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	g_autofree int *codes = NULL;
	unsigned int shut = 0;
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct engine_iface *iface = value;

		if (iface->state == ENGINE_FILTERING)
			g_array_append_val(open, iface->ifindex);
	}
	if (!open->len || !dataplane_is_unmounted(engine->dataplane)) {
		log_info("stopping; what is filtered stays filtered");
		return;
	}
	codes = g_new0(int, open->len);
	engine_guard_stop(engine, (const uint32_t *)(void *)open->data, open->len, codes);
	for (guint i = 0; i < open->len; i++) {
		const struct link *link =
			links_by_index(engine->links, g_array_index(open, uint32_t, i));

		shut += engine->guard && link && !codes[i] &&
			guard_matches(engine->guard, link->name);
	}
	log_error("stopping; somebody has unmounted the bpffs of %s, so nothing is filtered after "
		  "that: of %u devices the guard shuts %u, through the others every frame passes",
		  engine->options->bpffs, open->len, shut);
}
