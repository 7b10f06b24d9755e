/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_policy.c - replacing the policy or patching it, all or nothing; going back to an earlier
 * one.
 */
#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/load.h"
#include "rulesd/log.h"
#include "rulesd/model_diff.h"

/* What the interfaces of an image would be if it held: for a dry run. */
static struct engine_counts expected_counts(const struct engine *engine, const struct model *model,
					    const struct image *image)
{
	struct engine_counts counts = {0};
	GHashTableIter iter;
	gpointer value;
	unsigned int all = 0;

	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		all += ((const struct model_network *)value)->interfaces->len;
	g_hash_table_iter_init(&iter, image->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_iface *iface = value;

		if (links_find(engine->links, iface->device, NULL))
			counts.filtering++;
		else
			counts.waiting++;
	}
	counts.remote = all - counts.filtering - counts.waiting;
	return counts;
}

/* A policy on its way: worked out beside the one that holds, or as what it changes of that. */
struct arrival {
	struct candidate candidate; /* beside; its model alone until it is known how */
	struct engine_change change;
	bool whole;
};

static void arrival_clear(struct arrival *arrival)
{
	candidate_clear(&arrival->candidate);
	image_delta_free(&arrival->change.delta);
	model_edit_free(&arrival->change.edit);
}

/* To list what differs takes more than to begin anew where nearly everything does. */
#define WHOLE_INTERFACES 10000u

static bool is_new_world(const struct engine *engine, const struct model *model)
{
	return model->interfaces > WHOLE_INTERFACES &&
	       model->interfaces / 10 > engine->model->interfaces;
}

static int work_out(struct engine *engine, struct arrival *arrival, struct diag *diag)
{
	struct candidate *candidate = &arrival->candidate;
	int err;

	links_poll(engine->links);
	arrival->whole = engine->blank || is_new_world(engine, candidate->model);
	if (!arrival->whole)
		return engine_change_begin(engine, model_diff(engine->model, &candidate->model),
					   false, NULL, &arrival->change, diag);
	err = candidate_compile(engine, candidate, diag);
	return err == 0 ? candidate_check_flows(engine, candidate->image, diag) : err;
}

static int enforce(struct engine *engine, struct arrival *arrival, bool keep, uint64_t *kernel,
		   unsigned int *writes, struct diag *diag)
{
	if (arrival->whole)
		return candidate_enforce(engine, &arrival->candidate, keep, kernel, writes, diag);
	return engine_change_enforce(engine, &arrival->change, keep, kernel, writes, diag);
}

static void give_up(struct engine *engine, struct arrival *arrival)
{
	if (arrival->whole)
		engine_inherit_undo(engine);
	else
		engine_change_undo(engine, &arrival->change);
}

static void take(struct engine *engine, struct arrival *arrival)
{
	if (arrival->whole) {
		candidate_take(engine, &arrival->candidate);
		engine_inherit_make(engine);
		engine_reconcile(engine);
		engine_inherit_keep(engine);
		candidate_clear(&arrival->candidate);
	} else {
		engine_change_keep(engine, &arrival->change);
	}
	/* What a large policy was made of has gone; the memory of it should go, too. */
	malloc_trim(0);
}

/* Disk and kernel, in the order of state.h; then it is the engine's. */
static int take_policy(struct engine *engine, struct arrival *arrival, bool keep,
		       struct engine_result *result, struct diag *diag)
{
	struct state *state = engine->state;
	const uint64_t seen = engine_generation(engine);
	uint64_t kernel = 0;
	unsigned int writes = 0;
	uint64_t offset;
	int err = enforce(engine, arrival, keep, &kernel, &writes, diag);

	if (err < 0) {
		state_policy_abort(state);
		return err;
	}
	/* A policy that differs only in words changes nothing in the kernel, but is another one. */
	offset = candidate_offset(state->offset, kernel, seen, true);
	err = state_policy_commit(state, kernel + offset, offset);
	if (err < 0) {
		if (arrival->whole)
			candidate_revert(engine);
		return engine_disk_error(engine, err, diag);
	}
	take(engine, arrival);
	*result = (struct engine_result){
		.generation = kernel + offset, .changed = true, .writes = (int)writes};
	return 0;
}

static void report(struct engine *engine, const char *source, struct engine_result *result,
		   const char *what)
{
	engine_note(engine);
	result->interfaces = engine_counts(engine);
	log_info("%s: generation %" G_GUINT64_FORMAT " from %s%s: %u filtering, %u waiting, %u "
		 "failed",
		 what, result->generation, source, result->changed ? "" : ", unchanged",
		 result->interfaces.filtering, result->interfaces.waiting,
		 result->interfaces.failed);
}

/* What would be, of a change that is worked out. */
static void foresee(struct engine *engine, const struct arrival *arrival, bool same,
		    struct engine_result *result)
{
	const struct candidate *candidate = &arrival->candidate;

	*result = (struct engine_result){
		.generation = engine_generation(engine),
		.changed = !same,
		.writes = same ? 0 : -1,
		.interfaces = arrival->whole
				      ? expected_counts(engine, candidate->model, candidate->image)
				      : expected_counts(engine, engine->model, engine->image),
	};
}

static int replace(struct engine *engine, GPtrArray *sources, GPtrArray *patches,
		   const char *source, bool keep, bool dry_run, struct engine_result *result,
		   struct diag *diag)
{
	g_autoptr(GPtrArray) owned = sources;
	CLEANUP(arrival_clear) struct arrival arrival = {0};
	bool same;
	int err = candidate_model(owned, patches, engine->model, &arrival.candidate.model, diag);

	if (err == 0)
		err = work_out(engine, &arrival, diag);
	if (err < 0) {
		give_up(engine, &arrival);
		return err;
	}
	same = !patches && strcmp(engine_source(engine), source) == 0 &&
	       engine_same_texts(engine, owned);
	if (dry_run) {
		foresee(engine, &arrival, same, result);
		give_up(engine, &arrival);
		return 0;
	}
	if (same) {
		give_up(engine, &arrival);
		*result = (struct engine_result){.generation = engine_generation(engine)};
		engine_inherit_renamed(engine);
		engine_reconcile(engine); /* what failed is tried again */
		engine_kept_policy_taken(engine);
		report(engine, source, result, "policy");
		return 0;
	}
	err = state_save_numbers(engine->state, engine->numbers);
	if (err == 0)
		err = state_policy_prepare(engine->state, owned, patches, source, NULL,
					   engine_generation(engine) + 1);
	if (err < 0)
		err = engine_disk_error(engine, err, diag);
	g_clear_pointer(&owned, g_ptr_array_unref);
	if (err == 0)
		err = take_policy(engine, &arrival, keep, result, diag);
	if (err < 0) {
		give_up(engine, &arrival);
		return err;
	}
	engine_kept_policy_taken(engine);
	report(engine, source, result, "policy");
	return 0;
}

int engine_replace_policy(struct engine *engine, GPtrArray *sources, const char *source, bool keep,
			  bool dry_run, struct engine_result *result, struct diag *diag)
{
	int err = dry_run ? 0 : engine_confirm_check(engine, diag);

	if (err < 0) {
		g_ptr_array_unref(sources);
		return err;
	}
	return replace(engine, sources, NULL, source, keep, dry_run, result, diag);
}

/* ---------------------------------------------------------------- patches */

/* An id is in the policy or attached by hand, never both. */
static int check_attached(const struct model_edit *edit, struct diag *diag)
{
	int err = 0;

	for (guint i = 0; i < edit->changes->len; i++) {
		const struct model_change *change = model_edit_at(edit, i);
		const struct model_interface *old = change->old.iface;
		g_autofree char *fix = NULL;

		if (change->kind != MODEL_KIND_INTERFACE || !old || !old->attached)
			continue;
		fix = g_strdup_printf("detach %s first, or give the policy's interface another id",
				      old->id);
		diag_add(diag, "attached",
			 change->new.iface ? change->new.iface->place : (struct place){0}, NULL,
			 fix,
			 "interface %s is attached by hand; an id is in the policy or attached by "
			 "hand, never both",
			 old->id);
		err = -EINVAL;
	}
	return err;
}

/* A patch is kept beside a policy: where none was ever applied, beside the empty one. */
static int ensure_policy(struct engine *engine, struct diag *diag)
{
	static char empty[] = "{\"version\": 1}\n";
	struct load_source source = {
		.name = (char[]){"-"}, .text = empty, .length = sizeof(empty) - 1};
	g_autoptr(GPtrArray) sources = g_ptr_array_new();
	uint64_t generation = engine_generation(engine);
	int err;

	if (state_current(engine->state))
		return 0;
	g_ptr_array_add(sources, &source);
	err = state_policy_prepare(engine->state, sources, NULL, "api", NULL, generation);
	if (err == 0)
		err = state_policy_commit(engine->state, generation, engine->state->offset);
	return err < 0 ? engine_disk_error(engine, err, diag) : 0;
}

static int append_patch(struct engine *engine, const GPtrArray *sources, const char *source,
			uint64_t seen, uint64_t kernel, struct engine_result *result,
			struct diag *diag)
{
	AUTO_JSON json_t *news = numbers_news(engine->numbers);
	struct state_record record = {
		.offset = candidate_offset(engine->state->offset, kernel, seen, true),
		.numbers = news};
	int err;

	record.generation = kernel + record.offset;
	err = state_append_patch(engine->state, &record, sources, source);
	if (err < 0)
		return engine_disk_error(engine, err, diag);
	numbers_news_written(engine->numbers);
	result->generation = record.generation;
	return 0;
}

int engine_patch_policy(struct engine *engine, GPtrArray *sources, const char *source, bool keep,
			bool dry_run, struct engine_result *result, struct diag *diag)
{
	g_autoptr(GPtrArray) owned = sources;
	struct arrival arrival = {0};
	struct model_edit *edit = NULL;
	const uint64_t seen = engine_generation(engine);
	struct engine_result made = {.changed = true};
	unsigned int writes = 0;
	uint64_t kernel = 0;
	int err;

	err = dry_run ? 0 : engine_confirm_check(engine, diag);
	if (err < 0)
		return err;
	if (load_patch(owned, engine->model, &edit, diag) < 0)
		return candidate_load_error(diag);
	err = check_attached(edit, diag);
	if (err < 0) {
		model_edit_free(&edit);
		return err;
	}
	links_poll(engine->links);
	err = engine_change_begin(engine, edit, true, owned, &arrival.change, diag);
	if (err < 0)
		return err;
	if (dry_run) {
		foresee(engine, &arrival, false, result);
		engine_change_undo(engine, &arrival.change);
		return 0;
	}
	err = ensure_policy(engine, diag);
	if (err == 0)
		err = engine_change_enforce(engine, &arrival.change, keep, &kernel, &writes, diag);
	if (err == 0)
		err = append_patch(engine, owned, source, seen, kernel, &made, diag);
	if (err < 0) {
		engine_change_undo(engine, &arrival.change);
		return err;
	}
	made.writes = (int)writes;
	engine_change_keep(engine, &arrival.change);
	engine_compact_soon(engine);
	*result = made;
	report(engine, source, result, "patch");
	return 0;
}

/* ---------------------------------------------------------------- rollback */

/* The one to go back to, or NULL with an entry in diag. */
static const struct state_generation *find_earlier(const struct engine *engine, uint64_t generation,
						   struct diag *diag)
{
	const GPtrArray *known = engine->state->generations;
	const struct state_generation *found;

	if (generation == 0 && known->len >= 2)
		return known->pdata[known->len - 2];
	found = generation ? state_find(engine->state, generation) : NULL;
	if (found)
		return found;
	if (generation)
		diag_add(diag, "not-found", (struct place){0}, NULL,
			 "choose one of those that 'sgctl show generations' lists",
			 "no policy of generation %" G_GUINT64_FORMAT " is kept", generation);
	else
		diag_add(diag, "not-found", (struct place){0}, NULL, NULL,
			 "there is no earlier policy to go back to");
	return NULL;
}

int engine_rollback(struct engine *engine, uint64_t generation, struct engine_result *result,
		    struct diag *diag)
{
	g_autoptr(GPtrArray) sources = NULL;
	g_autoptr(GPtrArray) patches = NULL;
	g_autofree char *error = NULL;
	const struct state_generation *earlier = find_earlier(engine, generation, diag);

	if (!earlier)
		return -ENOENT;
	if (engine_load_texts(engine, earlier, &sources, &patches, &error) < 0) {
		diag_add(diag, "state", (struct place){0}, NULL, NULL, "%s", error);
		return -EIO;
	}
	return replace(engine, TAKE_PTR(sources), patches->len ? patches : NULL, "api", false,
		       false, result, diag);
}
