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
#include "rulesd/model_edit.h"

static void cleanup_interface(struct model_interface **iface)
{
	if (*iface)
		model_interface_free(*iface);
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
	if (!attaches_here(engine, iface) ||
	    links_find(engine->links, iface->settings->device, NULL))
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

static int append(struct engine *engine, const char *id, const char *text, size_t length,
		  struct diag *diag)
{
	AUTO_JSON json_t *news = numbers_news(engine->numbers);
	struct state_record record = {.generation = engine_generation(engine),
				      .offset = engine->state->offset,
				      .numbers = news};
	int err = state_append_attached(engine->state, &record, id, text, length);

	if (err < 0)
		return engine_disk_error(engine, err, diag);
	numbers_news_written(engine->numbers);
	engine_compact_soon(engine);
	return 0;
}

/*
 * Kernel first, then the attachment itself, then the record: an interface that cannot be attached
 * leaves no trace.
 */
static int take_interface(struct engine *engine, const char *id, struct engine_change *change,
			  const char *text, size_t length, unsigned int adopt_seconds,
			  struct diag *diag)
{
	uint64_t kernel = 0;
	unsigned int writes = 0;
	int err = engine_change_enforce(engine, change, false, &kernel, &writes, diag);

	if (err < 0)
		return err;
	engine_adopt_once(engine, id, adopt_seconds);
	engine_change_reconcile(engine, change);
	err = check_attached(engine, id, diag);
	return err < 0 ? err : append(engine, id, text, length, diag);
}

/* Whether the network is there: to attach to another one must not make it. */
static int check_network(const struct engine *engine, const struct model_interface *iface,
			 struct diag *diag)
{
	if (model_network(engine->model, iface->network))
		return 0;
	diag_add(diag, "unknown-network", iface->place, NULL,
		 "write the network into the policy, or choose one that it has",
		 "interface %s is in network %s, which the policy does not have", iface->id,
		 iface->network);
	return -EINVAL;
}

/* Takes iface; old may be of another network. */
static struct model_edit *edit_of(const struct engine *engine, const struct model_interface *old,
				  struct model_interface *iface)
{
	struct model_edit *edit = model_edit_new();

	if (old && strcmp(old->network, iface->network) != 0)
		model_edit_set(edit, engine->model, MODEL_KIND_INTERFACE, old->network, old->id,
			       NULL);
	model_edit_set(edit, engine->model, MODEL_KIND_INTERFACE, iface->network, iface->id, iface);
	return edit;
}

/* As it was before; interfaces that the change attached or detached already follow. */
static void take_back(struct engine *engine, struct engine_change *change)
{
	g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer id;

	for (guint i = 0; change->delta && i < change->delta->ifaces->len; i++) {
		const struct image_iface_change *iface =
			&g_array_index(change->delta->ifaces, struct image_iface_change, i);

		g_hash_table_add(ids,
				 g_strdup(iface->after ? iface->after->id : iface->before->id));
	}
	engine_inherit_ids(engine, ids);
	engine_change_undo(engine, change);
	g_hash_table_iter_init(&iter, ids);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		engine_reconcile_one(engine, id);
}

int engine_put_interface(struct engine *engine, const char *id, const char *text, size_t length,
			 const struct engine_put *how, bool *created, struct diag *diag)
{
	CLEANUP(cleanup_interface) struct model_interface *iface = NULL;
	const struct model_interface *old = model_interface(engine->model, id);
	struct engine_change change = {0};
	bool fresh = !old;
	int err;

	if (load_interface(id, text, length, &iface, diag) < 0)
		return candidate_load_error(diag);
	err = check_policy_owns(engine, id, diag);
	if (err == 0)
		err = check_adoption(engine, id, how->adopt_seconds, diag);
	if (err == 0)
		err = check_network(engine, iface, diag);
	if (err < 0)
		return err;
	if (attaches_here(engine, iface))
		links_poll(engine->links);
	if (!how->allow_waiting) {
		err = check_device(engine, iface, diag);
		if (err < 0)
			return err;
	}
	iface->attached = true;
	err = engine_change_begin(engine, edit_of(engine, old, TAKE_PTR(iface)), true, NULL,
				  &change, diag);
	if (err < 0)
		return err;
	err = take_interface(engine, id, &change, text, length, how->adopt_seconds, diag);
	if (err < 0) {
		take_back(engine, &change);
		return err;
	}
	engine_change_keep(engine, &change);
	engine_note(engine);
	log_info("interface %s: %s by hand", id, fresh ? "attached" : "changed");
	*created = fresh;
	return 0;
}

int engine_delete_interface(struct engine *engine, const char *id, struct diag *diag)
{
	const struct model_interface *old = model_interface(engine->model, id);
	struct engine_change change = {0};
	struct model_edit *edit;
	uint64_t kernel = 0;
	unsigned int writes = 0;
	int err;

	if (!old) {
		err = engine_kept_detach(engine, id, diag);
		if (err != -ENOENT)
			return err;
		diag_add(diag, "not-found", (struct place){0}, NULL, NULL, "no interface %s", id);
		return -ENOENT;
	}
	err = check_policy_owns(engine, id, diag);
	if (err < 0)
		return err;
	edit = model_edit_new();
	model_edit_set(edit, engine->model, MODEL_KIND_INTERFACE, old->network, id, NULL);
	err = engine_change_begin(engine, edit, true, NULL, &change, diag);
	if (err < 0)
		return err;
	err = engine_change_enforce(engine, &change, false, &kernel, &writes, diag);
	if (err == 0)
		err = append(engine, id, NULL, 0, diag);
	if (err < 0) {
		engine_change_undo(engine, &change);
		return err;
	}
	engine_change_keep(engine, &change);
	engine_note(engine);
	log_info("interface %s: detached by hand", id);
	return 0;
}
