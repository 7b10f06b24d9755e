/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_candidate.c - a change worked out beside what holds: model, numbers, image; then enforced
 * or thrown away.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/engine_parts.h"
#include "rulesd/load.h"
#include "rulesd/log.h"
#include "rulesd/validate.h"

void candidate_clear(struct candidate *candidate)
{
	numbers_free(&candidate->numbers);
	image_free(&candidate->image);
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
	diag_add(diag, "state", (struct place){0}, NULL,
		 "make room or repair the disk; nothing was changed",
		 "the state directory %s cannot be written: %s", engine->options->state_dir,
		 g_strerror(-err));
	return -EIO;
}

static int network_missing(const struct model_interface *iface, const char *fix, struct diag *diag)
{
	diag_add(diag, "unknown-network", iface->place, NULL, fix,
		 "interface %s is in network %s, which the policy does not have", iface->id,
		 iface->network);
	return -EINVAL;
}

struct model_interface *model_steal_interface(struct model *model, const char *id)
{
	struct model_interface *iface = model_interface(model, id);

	if (iface)
		model_remove_interface(model, iface);
	return iface;
}

int model_insert_interface(struct model *model, struct model_interface *iface,
			   struct model_interface **replaced, struct diag *diag)
{
	if (!model_network(model, iface->network))
		return network_missing(
			iface, "write the network into the policy, or choose one that it has",
			diag);
	*replaced = model_steal_interface(model, iface->id);
	model_add_interface(model, iface);
	return 0;
}

/* One interface that was attached by hand, into the model of another policy. */
static int carry(struct model *model, const struct model_interface *iface, struct diag *diag)
{
	struct model_interface *copy;
	struct model_interface *none = NULL;
	const struct model_interface *other = model_interface(model, iface->id);
	int err;

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
	copy = model_interface_copy(iface);
	err = model_insert_interface(model, copy, &none, diag);
	if (err < 0)
		model_interface_free(copy);
	return err;
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

int candidate_model(const GPtrArray *sources, const struct model *from, struct model **model,
		    struct diag *diag)
{
	CLEANUP(model_free) struct model *made = NULL;
	int err = 0;

	if (!sources)
		made = model_new();
	else if (load_policy(sources, &made, diag) < 0)
		return candidate_load_error(diag);
	if (from && carry_all(made, from, diag, &err)) {
		if (err < 0)
			return err;
		err = model_validate(made, diag);
		if (err < 0)
			return err;
	}
	*model = TAKE_PTR(made);
	return 0;
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

		if (!links_by_name(engine->links, iface->device))
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

int candidate_compile(const struct engine *engine, const struct model *model,
		      struct candidate *candidate, struct diag *diag)
{
	CLEANUP(candidate_clear) struct candidate made = {0};
	int err;

	made.numbers = numbers_copy(engine->numbers);
	err = compile_image(model, made.numbers, engine->image, engine->options->host, &made.image,
			    diag);
	if (err < 0)
		return err;
	candidate->numbers = TAKE_PTR(made.numbers);
	candidate->image = TAKE_PTR(made.image);
	return 0;
}

int candidate_enforce(struct engine *engine, struct candidate *candidate, bool keep,
		      uint64_t *generation, unsigned int *writes, struct diag *diag)
{
	g_autofree char *error = NULL;
	struct numbers *numbers = engine->numbers;
	int err = state_save_numbers(engine->state, candidate->numbers);

	if (err < 0)
		return engine_disk_error(engine, err, diag);
	/* From here on the kernel may have seen them: even if the change fails they must not be
	 * given to anything else. */
	engine->numbers = candidate->numbers;
	candidate->numbers = numbers;
	err = dataplane_apply(engine->dataplane, engine->image, candidate->image, keep, generation,
			      writes, &error);
	engine_settle_soon(engine);
	if (err == 0)
		return 0;
	diag_add(diag, "dataplane", (struct place){0}, NULL, "nothing was changed", "%s",
		 error ? error : g_strerror(-err));
	return err == -ENOSPC ? err : -EIO;
}

void candidate_revert(struct engine *engine, const struct candidate *candidate)
{
	g_autofree char *error = NULL;
	uint64_t generation = 0;

	if (dataplane_apply(engine->dataplane, candidate->image, engine->image, false, &generation,
			    NULL, &error) < 0)
		log_error("the kernel could not go back to the policy that holds: %s; restart "
			  "rulesd, which applies it anew",
			  error ? error : "unknown error");
}

void candidate_take(struct engine *engine, struct candidate *candidate)
{
	struct image *image = engine->image;

	engine->image = candidate->image;
	candidate->image = image;
}

uint64_t candidate_offset(uint64_t offset, uint64_t kernel, uint64_t seen, bool must_rise)
{
	uint64_t least = must_rise ? seen + 1 : seen;

	return kernel + offset < least ? least - kernel : offset;
}
