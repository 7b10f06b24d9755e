/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_model.c - the model of what was in force before, out of the state directory: the policy
 * that holds, which a thread reads while the kernel's maps are read back, and what was attached by
 * hand.
 */
#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/load.h"
#include "rulesd/validate.h"

void engine_summarize(const struct diag *diag, const char *what, char **error)
{
	const struct diag_entry *first = diag->entries->len ? diag->entries->pdata[0] : NULL;

	*error = g_strdup_printf(
		"%s: %s%s%s%s", what, first && first->place.file ? first->place.file : "",
		first && first->place.file ? ": " : "", first ? first->message : "unknown error",
		diag->entries->len > 1 ? " (and more)" : "");
}

static int restore_attached(struct engine *engine, struct model *model, struct diag *diag,
			    char **error)
{
	g_autoptr(GPtrArray) kept = load_sources_new();
	int err = state_load_attached(engine->state, kept, error);

	if (err < 0)
		return err;
	for (guint i = 0; i < kept->len; i++) {
		const struct load_source *source = kept->pdata[i];
		struct model_interface *iface = NULL;

		err = load_interface(source->name, source->text, source->length, &iface, diag);
		if (err == 0) {
			iface->attached = true;
			err = candidate_add_interface(model, iface, diag);
			if (err < 0)
				model_interface_free(iface);
		}
		if (err < 0) {
			g_autofree char *what = g_strdup_printf(
				"interface %s, attached by hand, does not load from "
				"%s/attached/%s.json",
				source->name, engine->state->path, source->name);

			engine_summarize(diag, what, error);
			return err;
		}
	}
	err = kept->len ? model_validate(model, diag) : 0;
	if (err < 0)
		engine_summarize(diag, "interfaces attached by hand do not fit the policy", error);
	return err;
}

static gpointer read_ahead(gpointer arg)
{
	struct engine_head_start *ahead = arg;
	CLEANUP(diag_free) struct diag *diag = diag_new();

	candidate_model_ahead(ahead->state, &ahead->model, diag);
	return NULL;
}

void engine_head_start(struct engine_head_start *ahead, const struct state *state)
{
	if (!state_current(state) || state->damage->len)
		return;
	ahead->state = state;
	ahead->thread = g_thread_try_new("reader", read_ahead, ahead, NULL);
}

static void end_ahead(struct engine_head_start *ahead)
{
	if (ahead->thread)
		g_thread_join(TAKE_PTR(ahead->thread));
}

void engine_head_start_clear(struct engine_head_start *ahead)
{
	end_ahead(ahead);
	model_free(&ahead->model);
}

static int read_policy(struct engine *engine, struct model **model, struct diag *diag, char **error)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autoptr(GPtrArray) patches = load_patches_new();
	int err = state_load_current(engine->state, sources, patches, error);

	if (err < 0)
		return err;
	err = candidate_model(state_current(engine->state) ? sources : NULL, patches, NULL, model,
			      diag);
	if (err < 0)
		engine_summarize(
			diag,
			"the policy that held before does not load any more (start the rulesd "
			"that accepted it)",
			error);
	return err;
}

int engine_restore_model(struct engine *engine, struct engine_head_start *ahead, struct diag *diag,
			 char **error)
{
	CLEANUP(model_free) struct model *model = NULL;
	int err = 0;

	end_ahead(ahead);
	model = TAKE_PTR(ahead->model);
	if (!model)
		err = read_policy(engine, &model, diag, error);
	if (err == 0)
		err = restore_attached(engine, model, diag, error);
	if (err < 0)
		return err;
	engine->model = TAKE_PTR(model);
	return 0;
}
