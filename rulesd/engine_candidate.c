/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_candidate.c - a whole policy worked out beside the one that holds: model and image; then
 * enforced or thrown away. The first policy, and what has to be shown before it is believed.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/engine_parts.h"
#include "rulesd/load.h"
#include "rulesd/log.h"
#include "rulesd/model_edit.h"
#include "rulesd/parallel.h"
#include "rulesd/validate.h"

void candidate_clear(struct candidate *candidate)
{
	image_free(&candidate->image);
	model_free(&candidate->model);
}

int candidate_load_error(const struct diag *diag)
{
	for (guint i = 0; i < diag->entries->len; i++) {
		const struct diag_entry *entry = diag->entries->pdata[i];

		if (strcmp(entry->code, "syntax") == 0)
			return -EBADMSG;
	}
	return -EINVAL;
}

int engine_disk_error(const struct engine *engine, int err, struct diag *diag)
{
	if (err == -ESTALE)
		diag_add(diag, "state", (struct place){0}, NULL,
			 "put it back, or restart rulesd and apply the whole policy; nothing was "
			 "changed",
			 "the state directory %s, or a file in it, was removed or replaced by "
			 "somebody else",
			 engine->options->state_dir);
	else
		diag_add(diag, "state", (struct place){0}, NULL,
			 "make room or repair the disk; nothing was changed",
			 "the state directory %s cannot be written: %s", engine->options->state_dir,
			 g_strerror(-err));
	return -EIO;
}

int engine_dataplane_error(int err, const char *error, struct diag *diag)
{
	diag_add(diag, "dataplane", (struct place){0}, NULL, "nothing was changed", "%s",
		 error ? error : g_strerror(-err));
	return err == -ENOSPC ? err : -EIO;
}

static int network_missing(const struct model_interface *iface, const char *fix, struct diag *diag)
{
	diag_add(diag, "unknown-network", iface->place, NULL, fix,
		 "interface %s is in network %s, which the policy does not have", iface->id,
		 iface->network);
	return -EINVAL;
}

int candidate_add_interface(struct model *model, struct model_interface *iface, struct diag *diag)
{
	if (!model_network(model, iface->network))
		return network_missing(
			iface, "write the network into the policy, or choose one that it has",
			diag);
	model_add_interface(model, iface);
	return 0;
}

/* One interface that was attached by hand, into the model of another policy. */
static int carry(struct model *model, const struct model_interface *iface, struct diag *diag)
{
	const struct model_interface *other = model_interface(model, iface->id);

	if (other) {
		g_autofree char *fix = g_strdup_printf("detach %s first, or give the policy's "
						       "interface another id",
						       iface->id);

		diag_add(diag, "attached", other->place, NULL, fix,
			 "interface %s is attached by hand; an id is in the policy or attached by "
			 "hand, never both",
			 iface->id);
		return -EINVAL;
	}
	if (!model_network(model, iface->network)) {
		g_autofree char *fix = g_strdup_printf(
			"detach %s first, or keep the network in the policy", iface->id);

		return network_missing(iface, fix, diag);
	}
	model_add_interface(model, model_interface_copy(iface));
	return 0;
}

/* Whether there was any; *err is the first failure. */
static bool carry_all(struct model *model, const struct model *from, struct diag *diag, int *err)
{
	GHashTableIter networks;
	gpointer network;
	bool any = false;

	g_hash_table_iter_init(&networks, from->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		const GPtrArray *interfaces = ((const struct model_network *)network)->interfaces;

		for (guint i = 0; i < interfaces->len; i++) {
			const struct model_interface *iface = interfaces->pdata[i];
			int failed;

			if (!iface->attached)
				continue;
			any = true;
			failed = carry(model, iface, diag);
			*err = *err < 0 ? *err : failed;
		}
	}
	return any;
}

static int apply_patch(struct model *model, const GPtrArray *patch, struct diag *diag)
{
	CLEANUP(model_edit_free) struct model_edit *edit = NULL;
	int err = load_patch(patch, model, &edit, diag);

	if (err == 0)
		model_edit_apply(edit, model);
	return err;
}

/* The policy, and which of the patches behind it need not be read: in any order. */
struct policy_texts {
	const GPtrArray *sources;
	GPtrArray *patches;
	/* Of which the journal is read now; NULL: all patches are there. */
	const struct state *state;
	const struct state_generation *generation;
	struct model *model;
	struct diag *diag;
	bool *superseded;
	int err, patches_err;
};

static void look_at_patches(struct policy_texts *texts)
{
	g_autofree char *error = NULL;

	if (texts->state)
		texts->patches_err =
			state_load_patches(texts->state, texts->generation, texts->patches, &error);
	texts->superseded = load_superseded(texts->patches);
}

static void look_at_texts(uint32_t piece, uint32_t worker, void *context)
{
	struct policy_texts *texts = context;

	(void)worker;
	if (piece == 0)
		texts->err = load_policy(texts->sources, &texts->model, texts->diag);
	else
		look_at_patches(texts);
}

/* What the texts say, but not validated as a whole. */
static int model_of_texts(struct policy_texts *texts, struct model **model)
{
	CLEANUP(model_free) struct model *made = NULL;
	g_autofree bool *superseded = NULL;

	parallel_run(texts->patches ? 2 : 1, look_at_texts, texts);
	made = texts->model;
	superseded = texts->superseded;
	if (texts->err < 0)
		return candidate_load_error(texts->diag);
	if (texts->patches_err < 0)
		return texts->patches_err;
	for (guint i = 0; texts->patches && i < texts->patches->len; i++)
		if (!superseded[i] && apply_patch(made, texts->patches->pdata[i], texts->diag) < 0)
			return candidate_load_error(texts->diag);
	*model = TAKE_PTR(made);
	return 0;
}

int candidate_model(const GPtrArray *sources, GPtrArray *patches, const struct model *from,
		    struct model **model, struct diag *diag)
{
	struct policy_texts texts = {.sources = sources, .patches = patches, .diag = diag};
	CLEANUP(model_free) struct model *made = NULL;
	bool changed = patches && patches->len;
	int err = 0;

	if (sources)
		err = model_of_texts(&texts, &made);
	else
		made = model_new();
	if (err < 0)
		return err;
	changed |= from && carry_all(made, from, diag, &err);
	if (err == 0 && changed)
		err = model_validate(made, diag);
	if (err == 0)
		*model = TAKE_PTR(made);
	return err;
}

int candidate_model_ahead(const struct state *state, struct model **model, struct diag *diag)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	g_autoptr(GPtrArray) patches = load_patches_new();
	CLEANUP(model_free) struct model *made = NULL;
	struct policy_texts texts = {
		.sources = sources,
		.patches = patches,
		.state = state,
		.generation = state_current(state),
		.diag = diag,
	};
	g_autofree char *error = NULL;
	int err = state_load_policy(state, texts.generation, sources, patches, &error);

	if (err == 0)
		err = model_of_texts(&texts, &made);
	if (err == 0 && patches->len)
		err = model_validate(made, diag);
	if (err == 0)
		*model = TAKE_PTR(made);
	return err;
}

/* Interfaces whose device is there reserve their flows now; the others when they come. */
int candidate_check_flows(const struct engine *engine, const struct image *image, struct diag *diag)
{
	GHashTableIter iter;
	gpointer value;
	guint64 sum = 0;
	unsigned int count = 0;

	g_hash_table_iter_init(&iter, image->ifaces);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct image_iface *iface = value;

		if (!links_find(engine->links, iface->device, NULL))
			continue;
		sum += iface->conntrack.max_flows;
		count++;
	}
	if (sum <= engine->options->max_flows)
		return 0;
	diag_add(diag, "max-flows", (struct place){0}, NULL,
		 "lower conntrack.max_flows of interfaces or of the network, or start rulesd with "
		 "a higher --max-flows",
		 "%u interfaces of this host reserve %" G_GUINT64_FORMAT
		 " flow entries, and it has "
		 "%u",
		 count, sum, engine->options->max_flows);
	return -ENOSPC;
}

/* Numbers that a policy gets which is not taken in the end stay its own, which does no harm. */
int candidate_compile(struct engine *engine, struct candidate *candidate, struct diag *diag)
{
	engine_kept_claim_all(engine, candidate->model);
	engine_inherit_all(engine, candidate->model);
	return compile_image(candidate->model, engine->numbers, engine->image,
			     engine->options->host, &candidate->image, diag);
}

int candidate_enforce(struct engine *engine, const struct candidate *candidate, bool keep,
		      uint64_t *generation, unsigned int *writes, struct diag *diag)
{
	g_autofree char *error = NULL;
	int err = engine_save_numbers(engine, diag);

	if (err < 0)
		return err;
	err = dataplane_apply(engine->dataplane, candidate->image, keep, generation, writes,
			      &error);
	engine_settle_soon(engine);
	return err < 0 ? engine_dataplane_error(err, error, diag) : 0;
}

void candidate_revert(struct engine *engine)
{
	g_autofree char *error = NULL;
	uint64_t generation = 0;

	if (dataplane_apply(engine->dataplane, engine->image, false, &generation, NULL, &error) < 0)
		log_error("the kernel could not go back to the policy that holds: %s; restart "
			  "rulesd, which applies it anew",
			  error ? error : "unknown error");
}

void candidate_take(struct engine *engine, struct candidate *candidate)
{
	struct candidate old = {.model = engine->model, .image = engine->image};

	engine->model = candidate->model;
	engine->image = candidate->image;
	*candidate = old;
}

uint64_t candidate_offset(uint64_t offset, uint64_t kernel, uint64_t seen, bool must_rise)
{
	uint64_t least = must_rise ? seen + 1 : seen;

	return kernel + offset < least ? least - kernel : offset;
}
