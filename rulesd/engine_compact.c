/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_compact.c - compacts the journal of the policy in a thread of its own when it has grown
 * (state_compact.c), so that a restart has little to read however many changes there were.
 *
 * The thread gives way to everything else as long as there is time. What failed is tried again
 * after a while; a journal that cannot be compacted grows until changes are refused.
 */
#include <errno.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"

#define NICE	     10
#define URGENT_BYTES (STATE_JOURNAL_BYTES / 4) /* of the journal: before changes are refused */
#define AGAIN_SECS   60
#define FEW_BYTES    (256u << 10) /* are written while changes wait */
#define MOST_ROUNDS  8		  /* then changes wait for the rest */
#define US_OF_A_SEC  1000000ll

struct engine_compaction {
	struct engine *engine; /* NULL: closed meanwhile. For the engine's thread only */
	struct state_compaction *work;
	unsigned int rounds;
	int nice;
	int err;
};

static void free_compaction(struct engine_compaction *compaction)
{
	state_compact_free(&compaction->work);
	g_free(compaction);
}

static void failed(struct engine *engine, int err)
{
	engine->compact_after_us = g_get_monotonic_time() + AGAIN_SECS * US_OF_A_SEC;
	log_warning("the journal in the state directory %s cannot be compacted: %s; it is tried "
		    "again in %u s at the earliest",
		    engine->options->state_dir, g_strerror(-err), AGAIN_SECS);
}

static bool run_thread(struct engine_compaction *compaction);

/* In the engine's thread. */
static gboolean worked(gpointer arg)
{
	struct engine_compaction *compaction = arg;
	struct engine *engine = compaction->engine;
	int err = compaction->err;

	if (!engine) {
		free_compaction(compaction);
		return G_SOURCE_REMOVE;
	}
	if (err == 0 && compaction->rounds < MOST_ROUNDS &&
	    state_compact_refresh(engine->state, compaction->work) > FEW_BYTES &&
	    run_thread(compaction))
		return G_SOURCE_REMOVE;
	if (err == 0)
		err = state_compact_commit(engine->state, engine->numbers, &compaction->work);
	else
		state_compact_abandon(engine->state, &compaction->work);
	/* There is another policy, whose journal is short. */
	if (err < 0 && err != -ESTALE && err != -ENOENT)
		failed(engine, err);
	if (err == 0)
		log_debug("the journal of the policy was compacted");
	engine->compaction = NULL;
	free_compaction(compaction);
	malloc_trim(0);
	/* What came meanwhile may be as long again, and nothing may come after it. */
	if (err == 0)
		engine_compact_soon(engine);
	return G_SOURCE_REMOVE;
}

static gpointer work(gpointer arg)
{
	struct engine_compaction *compaction = arg;

	/* Else it is only less polite. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), compaction->nice);
	compaction->err = state_compact_work(compaction->work);
	g_idle_add(worked, compaction);
	return NULL;
}

static bool run_thread(struct engine_compaction *compaction)
{
	const struct state *state = compaction->engine->state;
	GThread *thread;

	compaction->nice = state->journal.length < URGENT_BYTES ? NICE : 0;
	thread = g_thread_try_new("compact", work, compaction, NULL);
	if (!thread)
		return false;
	compaction->rounds++;
	g_thread_unref(thread);
	return true;
}

void engine_compact_soon(struct engine *engine)
{
	struct engine_compaction *compaction;
	int err;

	if (engine->compaction || !state_wants_compaction(engine->state) ||
	    g_get_monotonic_time() < engine->compact_after_us)
		return;
	if (!state_current(engine->state)) {
		err = state_compact_bare(engine->state, engine->numbers);
		if (err < 0)
			failed(engine, err);
		return;
	}
	compaction = g_new0(struct engine_compaction, 1);
	compaction->engine = engine;
	compaction->work = state_compact_begin(engine->state);
	if (compaction->work && run_thread(compaction)) {
		engine->compaction = compaction;
		return;
	}
	state_compact_abandon(engine->state, &compaction->work);
	free_compaction(compaction);
	failed(engine, -EAGAIN);
}

/* The thread is not waited for: it touches nothing of the engine, and what it has written is
 * removed by the next start. */
void engine_compact_stop(struct engine *engine)
{
	if (engine->compaction)
		engine->compaction->engine = NULL;
	engine->compaction = NULL;
}
