/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parallel.c - see parallel.h.
 */
#include "rulesd/parallel.h"

#include <glib.h>
#include <sched.h>

struct run {
	parallel_work *work;
	void *context;
	uint32_t pieces;
	uint32_t next;	  /* atomic: the first piece that nobody has taken */
	uint32_t workers; /* atomic: threads that began */
};

static gpointer take_pieces(gpointer data)
{
	struct run *run = data;
	uint32_t worker = __atomic_fetch_add(&run->workers, 1, __ATOMIC_RELAXED);
	uint32_t piece;

	while ((piece = __atomic_fetch_add(&run->next, 1, __ATOMIC_RELAXED)) < run->pieces)
		run->work(piece, worker, run->context);
	return NULL;
}

uint32_t parallel_threads(void)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return 1;
	return CLAMP((uint32_t)CPU_COUNT(&cpus), 1u, PARALLEL_MAX);
}

void parallel_run(uint32_t pieces, parallel_work *work, void *context)
{
	struct run run = {.work = work, .context = context, .pieces = pieces};
	uint32_t wanted = pieces < 2 ? pieces : MIN(parallel_threads(), pieces), made = 0;
	GThread *threads[PARALLEL_MAX];

	while (made + 1 < wanted) {
		threads[made] = g_thread_try_new("worker", take_pieces, &run, NULL);
		if (!threads[made])
			break;
		made++;
	}
	take_pieces(&run);
	while (made)
		g_thread_join(threads[--made]);
}
