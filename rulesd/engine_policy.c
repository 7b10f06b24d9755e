/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_policy.c - replacing the policy, all or nothing; going back to an earlier one.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/load.h"
#include "rulesd/log.h"

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

		if (links_by_name(engine->links, iface->device))
			counts.filtering++;
		else
			counts.waiting++;
	}
	counts.remote = all - counts.filtering - counts.waiting;
	return counts;
}

/* Disk and kernel, in the order of state.h; then it is the engine's. */
static int take_policy(struct engine *engine, GPtrArray **sources, struct model **model,
		       struct candidate *candidate, const char *source, const char *sha256,
		       bool keep, struct engine_result *result, struct diag *diag)
{
	struct state *state = engine->state;
	const uint64_t seen = engine_generation(engine);
	uint64_t kernel = 0;
	unsigned int writes = 0;
	uint64_t offset;
	struct model *old;
	int err;

	err = state_policy_prepare(state, *sources, source, sha256, seen + 1);
	if (err < 0)
		return engine_disk_error(engine, err, diag);
	err = candidate_enforce(engine, candidate, keep, &kernel, &writes, diag);
	if (err < 0) {
		state_policy_abort(state);
		return err;
	}
	/* A policy that differs only in words changes nothing in the kernel, but is another one. */
	offset = candidate_offset(state->offset, kernel, seen, true);
	err = state_policy_commit(state, kernel + offset, offset);
	if (err < 0) {
		candidate_revert(engine, candidate);
		return engine_disk_error(engine, err, diag);
	}
	candidate_take(engine, candidate);
	old = engine->model;
	engine->model = TAKE_PTR(*model);
	model_free(&old);
	g_clear_pointer(&engine->sources, g_ptr_array_unref);
	engine->sources = TAKE_PTR(*sources);
	*result = (struct engine_result){
		.generation = kernel + offset, .changed = true, .writes = (int)writes};
	return 0;
}

int engine_replace_policy(struct engine *engine, GPtrArray *sources, const char *source, bool keep,
			  bool dry_run, struct engine_result *result, struct diag *diag)
{
	g_autoptr(GPtrArray) owned = sources;
	CLEANUP(model_free) struct model *model = NULL;
	CLEANUP(candidate_clear) struct candidate candidate = {0};
	char sha256[65] = "";
	bool same;
	int err;

	err = candidate_model(owned, engine->model, &model, diag);
	if (err < 0)
		return err;
	links_poll(engine->links);
	err = candidate_compile(engine, model, &candidate, diag);
	if (err == 0)
		err = candidate_check_flows(engine, candidate.image, diag);
	if (err < 0)
		return err;
	load_sha256(owned, sha256);
	same = engine_sha256(engine) && strcmp(engine_sha256(engine), sha256) == 0 &&
	       strcmp(engine_source(engine), source) == 0;
	if (dry_run) {
		*result = (struct engine_result){
			.generation = engine_generation(engine),
			.changed = !same,
			.writes = same ? 0 : -1,
			.interfaces = expected_counts(engine, model, candidate.image),
		};
		return 0;
	}
	if (same) {
		*result = (struct engine_result){.generation = engine_generation(engine)};
	} else {
		err = take_policy(engine, &owned, &model, &candidate, source, sha256, keep, result,
				  diag);
		if (err < 0)
			return err;
	}
	engine_reconcile(engine);
	engine_note(engine);
	result->interfaces = engine_counts(engine);
	log_info("policy: generation %" G_GUINT64_FORMAT " from %s%s: %u filtering, %u waiting, %u "
		 "failed",
		 result->generation, source, same ? ", unchanged" : "",
		 result->interfaces.filtering, result->interfaces.waiting,
		 result->interfaces.failed);
	return 0;
}

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
	g_autoptr(GPtrArray) sources =
		g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))load_source_free);
	g_autofree char *error = NULL;
	const struct state_generation *earlier = find_earlier(engine, generation, diag);

	if (!earlier)
		return -ENOENT;
	if (state_load_sources(engine->state, earlier, sources, &error) < 0) {
		diag_add(diag, "state", (struct place){0}, NULL, NULL, "%s", error);
		return -EIO;
	}
	return engine_replace_policy(engine, TAKE_PTR(sources), "api", false, false, result, diag);
}
