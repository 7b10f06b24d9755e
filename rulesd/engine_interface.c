/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_interface.c - interfaces attached by hand: one changes, the policy stays.
 *
 * The model is changed in place and put back when a later step fails: to copy a policy of a million
 * members for one tap would make the cost of a change proportional to everything else.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/load.h"
#include "rulesd/log.h"
#include "rulesd/validate.h"

static void cleanup_interface(struct model_interface **iface)
{
	if (*iface)
		model_interface_free(*iface);
}

/* The model as it was before id was changed; old may be NULL. */
static void put_back(struct model *model, const char *id, struct model_interface *old)
{
	struct model_interface *changed = model_steal_interface(model, id);

	if (old)
		model_add_interface(model, old);
	if (changed)
		model_interface_free(changed);
}

static int check_policy_owns(const struct engine *engine, const char *id, struct diag *diag)
{
	const struct model_interface *known = model_interface(engine->model, id);
	g_autofree char *fix = NULL;

	if (!known || known->attached)
		return 0;
	fix = engine->options->policy_dir
		      ? g_strdup_printf("change it in %s", engine->options->policy_dir)
		      : g_strdup("change it in the policy and apply that");
	diag_add(diag, "in-policy", known->place, NULL, fix,
		 "interface %s is in the policy; an id is in the policy or attached by hand, never "
		 "both",
		 id);
	return -EEXIST;
}

/* Asked for again it would be ignored, or be a hole that a script opens again and again. */
static int check_adoption(const struct engine *engine, const char *id, unsigned int seconds,
			  struct diag *diag)
{
	if (!seconds || !model_interface(engine->model, id))
		return 0;
	diag_add(diag, "not-new", (struct place){0}, NULL,
		 "leave out --adopt-flows (?adopt_flows), or detach it first",
		 "interface %s is attached already; running flows are adopted only when an "
		 "interface is first attached",
		 id);
	return -EALREADY;
}

static bool attaches_here(const struct engine *engine, const struct model_interface *iface)
{
	const struct model_settings *own = iface->settings;

	return own->device && (!own->host || strcmp(own->host, engine->options->host) == 0);
}

static int check_device(const struct engine *engine, const struct model_interface *iface,
			struct diag *diag)
{
	if (!attaches_here(engine, iface) || links_by_name(engine->links, iface->settings->device))
		return 0;
	diag_add(diag, "no-device", (struct place){0}, "/device",
		 "create it first, or wait for it (sgctl attach --wait, ?allow_waiting=1)",
		 "device %s does not exist in rulesd's network namespace", iface->settings->device);
	return -ENODEV;
}

/* After the reconciliation: a device that is there and cannot be filtered refuses the change. */
static int check_attached(const struct engine *engine, const char *id, struct diag *diag)
{
	const struct engine_iface *runtime = g_hash_table_lookup(engine->ifaces, id);

	if (!runtime || runtime->state != ENGINE_FAILED)
		return 0;
	diag_add(diag, "attach", (struct place){0}, NULL, "nothing was changed", "interface %s: %s",
		 id, runtime->error);
	return -EIO;
}

/*
 * Kernel first, then the attachment itself, then the file: an interface that cannot be attached
 * leaves no trace. The model has been changed already.
 */
static int take_interface(struct engine *engine, const char *id, struct candidate *candidate,
			  const char *text, size_t length, unsigned int adopt_seconds,
			  struct diag *diag)
{
	uint64_t kernel = 0;
	int err = state_attached_prepare(engine->state, id, text, length);

	if (err < 0)
		return engine_disk_error(engine, err, diag);
	err = candidate_enforce(engine, candidate, false, &kernel, NULL, diag);
	if (err < 0) {
		state_attached_abort(engine->state, id);
		return err;
	}
	candidate_take(engine, candidate);
	engine_adopt_once(engine, id, adopt_seconds);
	engine_reconcile(engine);
	err = check_attached(engine, id, diag);
	if (err == 0) {
		err = state_attached_commit(engine->state, id);
		if (err == 0)
			return 0;
		engine_disk_error(engine, err, diag);
		err = -EIO;
	}
	/* The old image again; the caller puts the model back and reconciles. */
	state_attached_abort(engine->state, id);
	candidate_take(engine, candidate);
	candidate_revert(engine, candidate);
	return err;
}

int engine_put_interface(struct engine *engine, const char *id, const char *text, size_t length,
			 const struct engine_put *how, bool *created, struct diag *diag)
{
	CLEANUP(cleanup_interface) struct model_interface *iface = NULL;
	CLEANUP(cleanup_interface) struct model_interface *old = NULL;
	CLEANUP(candidate_clear) struct candidate candidate = {0};
	bool fresh;
	int err;

	if (load_interface(id, text, length, &iface, diag) < 0)
		return candidate_load_error(diag);
	err = check_policy_owns(engine, id, diag);
	if (err == 0)
		err = check_adoption(engine, id, how->adopt_seconds, diag);
	if (err < 0)
		return err;
	links_poll(engine->links);
	if (!how->allow_waiting) {
		err = check_device(engine, iface, diag);
		if (err < 0)
			return err;
	}
	iface->attached = true;
	err = model_insert_interface(engine->model, iface, &old, diag);
	if (err < 0)
		return err;
	iface = NULL; /* the model's now */
	fresh = !old;
	err = model_validate(engine->model, diag);
	if (err == 0)
		err = candidate_compile(engine, engine->model, &candidate, diag);
	if (err == 0)
		err = candidate_check_flows(engine, candidate.image, diag);
	if (err == 0)
		err = take_interface(engine, id, &candidate, text, length, how->adopt_seconds,
				     diag);
	if (err < 0) {
		put_back(engine->model, id, TAKE_PTR(old));
		if (candidate.image)
			engine_reconcile(engine);
		return err;
	}
	engine_note(engine);
	log_info("interface %s: %s by hand", id, fresh ? "attached" : "changed");
	*created = fresh;
	return 0;
}

int engine_delete_interface(struct engine *engine, const char *id, struct diag *diag)
{
	CLEANUP(cleanup_interface) struct model_interface *old = NULL;
	CLEANUP(candidate_clear) struct candidate candidate = {0};
	uint64_t kernel = 0;
	int err;

	if (!model_interface(engine->model, id)) {
		diag_add(diag, "not-found", (struct place){0}, NULL, NULL, "no interface %s", id);
		return -ENOENT;
	}
	err = check_policy_owns(engine, id, diag);
	if (err < 0)
		return err;
	old = model_steal_interface(engine->model, id);
	err = candidate_compile(engine, engine->model, &candidate, diag);
	if (err == 0)
		err = candidate_enforce(engine, &candidate, false, &kernel, NULL, diag);
	if (err == 0) {
		err = state_attached_remove(engine->state, id);
		if (err < 0) {
			candidate_revert(engine, &candidate);
			err = engine_disk_error(engine, err, diag);
		}
	}
	if (err < 0) {
		put_back(engine->model, id, TAKE_PTR(old));
		return err;
	}
	candidate_take(engine, &candidate);
	engine_reconcile(engine);
	engine_note(engine);
	log_info("interface %s: detached by hand", id);
	return 0;
}
