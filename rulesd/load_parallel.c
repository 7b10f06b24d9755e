/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_parallel.c - a large section of a document, read by several threads.
 *
 * Only a section without any finding is taken from them. What has one is read again by load_map,
 * one object after the other, so that findings are the same, and in the same order, whatever the
 * number of CPUs.
 */
#include "rulesd/load_internal.h"

#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/parallel.h"

/* A piece is so many objects at least, and there are some for each thread, in case one is late. */
#define PIECE_MIN	64u
#define PIECES_A_THREAD 8u

/* One at work: what load_map has one of. */
struct worker {
	struct load load;
	struct jdoc *view;
	struct diag *diag;
};

struct section_run {
	const struct load *load;
	const struct load_section *section;
	struct load_made *made; /* object NULL: not made, or no id */
	uint32_t count, piece;
	struct worker workers[PARALLEL_MAX];
	bool any; /* atomic: there is a finding, or what is no object */
};

static struct worker *begin(struct section_run *run, uint32_t number)
{
	struct worker *worker = &run->workers[number];

	if (worker->view)
		return worker;
	worker->view = jdoc_view(run->load->doc);
	worker->diag = diag_new();
	worker->load = *run->load;
	worker->load.doc = worker->view;
	worker->load.diag = worker->diag;
	worker->load.draft = NULL;
	return worker;
}

static void end(struct worker *worker)
{
	load_draft_free(&worker->load.draft);
	diag_free(&worker->diag);
	jdoc_free(&worker->view);
}

static void make_one(struct section_run *run, struct worker *worker, struct load_made *made)
{
	CLEANUP(jdoc_text_clear) struct jdoc_text text;
	const char *id = jdoc_read_key(worker->view, made->node, &text);

	if (json_is_annotation(id) || !load_is_id(id, run->section->prefix))
		__atomic_store_n(&run->any, true, __ATOMIC_RELAXED);
	else
		made->object = run->section->make(&worker->load, made->node, id);
}

static void make_piece(uint32_t piece, uint32_t number, void *context)
{
	struct section_run *run = context;
	struct worker *worker = begin(run, number);
	uint32_t first = piece * run->piece, end = MIN(first + run->piece, run->count);

	for (uint32_t i = first; i < end && !__atomic_load_n(&run->any, __ATOMIC_RELAXED); i++)
		make_one(run, worker, &run->made[i]);
	if (diag_any(worker->diag))
		__atomic_store_n(&run->any, true, __ATOMIC_RELAXED);
}

static void list_members(struct section_run *run, uint32_t node)
{
	const struct jdoc *doc = run->load->doc;
	uint32_t count = 0;

	for (uint32_t member = jdoc_first(doc, node); member; member = jdoc_next(doc, member))
		run->made[count++].node = member;
}

static void discard(const struct section_run *run)
{
	for (uint32_t i = 0; i < run->count; i++)
		if (run->made[i].object)
			run->section->discard(run->made[i].object);
}

bool load_map_parallel(struct load *load, uint32_t node, const struct load_section *section)
{
	struct section_run run = {.load = load, .section = section};
	uint32_t threads;

	run.count = section->make && !load->removals ? jdoc_count(load->doc, node) : 0;
	if (run.count < MAX(section->large, 1u))
		return false;
	threads = parallel_threads();
	if (threads < 2)
		return false;
	run.made = g_new0(struct load_made, run.count);
	list_members(&run, node);
	run.piece = MAX(run.count / (threads * PIECES_A_THREAD) + 1, PIECE_MIN);
	parallel_run((run.count + run.piece - 1) / run.piece, make_piece, &run);
	for (uint32_t i = 0; i < PARALLEL_MAX; i++)
		if (run.workers[i].view)
			end(&run.workers[i]);
	if (run.any)
		discard(&run);
	else
		section->take(load, run.made, run.count);
	g_free(run.made);
	return !run.any;
}
