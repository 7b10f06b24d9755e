/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_change.c - a change in place, at the cost of what changes: the model's objects are
 * swapped, the image follows, the kernel is told what differs; or all of it is taken back.
 *
 * To copy a policy of a million members for one of them would make the cost of a change
 * proportional to everything else.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/engine_parts.h"
#include "rulesd/load.h"
#include "rulesd/log.h"
#include "rulesd/validate.h"

/* Only what changes can ask for more flows than before. */
static int check_flows(const struct engine *engine, const struct image_delta *delta,
		       struct diag *diag)
{
	for (guint i = 0; i < delta->ifaces->len; i++) {
		const struct image_iface_change *change =
			&g_array_index(delta->ifaces, struct image_iface_change, i);

		if (change->after &&
		    (!change->before ||
		     change->before->conntrack.max_flows != change->after->conntrack.max_flows ||
		     strcmp(change->before->device, change->after->device) != 0))
			return candidate_check_flows(engine, engine->image, diag);
	}
	return 0;
}

int engine_change_begin(struct engine *engine, struct model_edit *edit, bool validate,
			const GPtrArray *sources, struct engine_change *change, struct diag *diag)
{
	int err = 0;

	*change = (struct engine_change){.edit = edit};
	engine_inherit_widen(engine, edit);
	model_edit_apply(edit, engine->model);
	if (validate && sources)
		err = load_validate_patch(sources, engine->model, edit, diag);
	else if (validate)
		err = model_validate_edit(engine->model, edit, diag);
	for (guint i = 0; err == 0 && i < edit->changes->len; i++) {
		const struct model_change *one = model_edit_at(edit, i);

		if (one->kind != MODEL_KIND_INTERFACE || !one->new.iface)
			continue;
		engine_kept_claim(engine, one->new.iface);
		engine_inherit(engine, engine->model, one->new.iface);
	}
	for (guint i = 0; err == 0 && i < edit->changes->len; i++) {
		const struct model_change *one = model_edit_at(edit, i);

		if (one->kind == MODEL_KIND_INTERFACE && one->new.iface)
			engine_inherit_leave(engine, one->new.iface);
	}
	if (err == 0)
		err = compile_change(engine->image, engine->model, edit, engine->numbers,
				     engine->options->host, &change->delta, diag);
	if (err == 0)
		err = check_flows(engine, change->delta, diag);
	if (err < 0)
		engine_change_undo(engine, change);
	return err;
}

int engine_save_numbers(struct engine *engine, struct diag *diag)
{
	int err = state_save_marks(engine->state, engine->numbers);

	return err < 0 ? engine_disk_error(engine, err, diag) : 0;
}

int engine_change_enforce(struct engine *engine, struct engine_change *change, bool keep,
			  uint64_t *generation, unsigned int *writes, struct diag *diag)
{
	g_autofree char *error = NULL;
	int err = engine_save_numbers(engine, diag);

	if (err < 0)
		return err;
	err = dataplane_apply_delta(engine->dataplane, engine->image, change->delta, keep,
				    generation, writes, &error);
	engine_settle_soon(engine);
	if (err < 0)
		return engine_dataplane_error(err, error, diag);
	change->enforced = true;
	return 0;
}

void engine_change_reconcile(struct engine *engine, const struct engine_change *change)
{
	g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < change->delta->ifaces->len; i++) {
		const struct image_iface_change *iface =
			&g_array_index(change->delta->ifaces, struct image_iface_change, i);

		g_hash_table_add(ids,
				 g_strdup(iface->after ? iface->after->id : iface->before->id));
	}
	engine_inherit_ids(engine, ids);
	engine_inherit_make(engine);
	if (g_hash_table_size(ids))
		engine_reconcile_some(engine, ids);
}

void engine_change_keep(struct engine *engine, struct engine_change *change)
{
	engine_change_reconcile(engine, change);
	engine_inherit_keep(engine);
	image_delta_free(&change->delta);
	model_edit_free(&change->edit);
	change->enforced = false;
}

static void revert_kernel(struct engine *engine, const struct image_delta *delta)
{
	CLEANUP(image_delta_free) struct image_delta *inverse = image_delta_inverse(delta);
	g_autofree char *error = NULL;
	uint64_t generation = 0;

	if (dataplane_apply_delta(engine->dataplane, engine->image, inverse, false, &generation,
				  NULL, &error) < 0)
		log_error("the kernel could not go back to the policy that holds: %s; restart "
			  "rulesd, which applies it anew",
			  error ? error : "unknown error");
}

void engine_change_undo(struct engine *engine, struct engine_change *change)
{
	if (change->enforced)
		revert_kernel(engine, change->delta);
	if (change->delta)
		image_delta_undo(engine->image, &change->delta);
	engine_inherit_undo(engine);
	if (change->edit) {
		model_edit_undo(change->edit, engine->model);
		model_edit_free(&change->edit);
	}
	change->enforced = false;
}
