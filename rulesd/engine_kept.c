/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_kept.c - interfaces that are filtered and that nobody knows any more, because part of the
 * state directory was lost: they stay as they are pinned, so that a lost file opens nothing.
 *
 * One that a policy, or somebody by hand, gives a device of that name to becomes that interface,
 * with its slot and so with its flows. Until then it passes what its pinned policy allows. It ends
 * with its device, or when it is detached by name.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"

char *engine_unknown_id(uint32_t slot)
{
	return g_strdup_printf("?%u", slot);
}

bool engine_is_unknown_id(const char *id)
{
	return *id == '?';
}

static struct engine_kept *kept_at(const struct engine *engine, uint32_t slot)
{
	return g_hash_table_lookup(engine->kept, GUINT_TO_POINTER(slot));
}

bool engine_is_kept(const struct engine *engine, uint32_t slot)
{
	return kept_at(engine, slot) != NULL;
}

static void keep(struct engine *engine, uint32_t slot, uint32_t ifindex)
{
	const struct link *link = links_by_index(engine->links, ifindex);
	g_autofree char *unknown = engine_unknown_id(slot);
	struct engine_kept *kept = g_new0(struct engine_kept, 1);

	kept->slot = slot;
	kept->ifindex = ifindex;
	kept->device = g_strdup(link ? link->name : "");
	g_hash_table_insert(engine->kept, GUINT_TO_POINTER(slot), kept);
	if (!numbers_name(engine->numbers, NUMBER_SLOT, slot))
		numbers_set_slot(engine->numbers, unknown, slot);
}

bool engine_attaches(const struct engine *engine, const struct model_interface *iface)
{
	const struct model_settings *own = iface->settings;

	return own && own->device && (!own->host || strcmp(own->host, engine->options->host) == 0);
}

void engine_kept_claim(struct engine *engine, const struct model_interface *iface)
{
	GHashTableIter iter;
	gpointer value;

	if (!g_hash_table_size(engine->kept) || !engine_attaches(engine, iface))
		return;
	g_hash_table_iter_init(&iter, engine->kept);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct engine_kept *kept = value;

		/* One that is on a device already keeps its slot. */
		if (strcmp(kept->device, iface->settings->device) == 0 &&
		    !g_hash_table_contains(engine->ifaces, iface->id))
			numbers_set_slot(engine->numbers, iface->id, kept->slot);
	}
}

void engine_kept_claim_all(struct engine *engine, const struct model *model)
{
	GHashTableIter networks;
	gpointer network;

	if (!g_hash_table_size(engine->kept))
		return;
	g_hash_table_iter_init(&networks, model->networks);
	while (g_hash_table_iter_next(&networks, NULL, &network)) {
		const GPtrArray *interfaces = ((const struct model_network *)network)->interfaces;

		for (guint i = 0; i < interfaces->len; i++)
			engine_kept_claim(engine, interfaces->pdata[i]);
	}
}

static int skip_numbers(struct engine *engine, char **error)
{
	struct dataplane_numbers highest = {0};
	AUTO_JSON json_t *marks = NULL;
	int err = dataplane_numbers(engine->dataplane, &highest, error);

	if (err < 0)
		return err;
	marks = json_pack("{s:I s:I s:I s:I s:I s:I}", "zones", (json_int_t)highest.zone + 1,
			  "peers", (json_int_t)MAX(highest.peer, SG_PEER_ANY) + 1, "rules",
			  (json_int_t)highest.rule + 1, "exempt",
			  (json_int_t)MAX(highest.exempt, SG_RULE_EXEMPT) + 1, "policies",
			  (json_int_t)highest.policy + 1, "sets", (json_int_t)highest.set + 1);
	if (numbers_skip(engine->numbers, marks) < 0) {
		*error = g_strdup("the pinned maps name numbers that no rulesd gives");
		return -EINVAL;
	}
	return 0;
}

/* Whether there is anything that says whose the pins are. */
static bool knows_nothing(const struct engine *engine)
{
	return !state_current(engine->state) && !engine->model->interfaces;
}

static bool is_wanted(const struct engine *engine, uint32_t slot)
{
	const char *id = numbers_name(engine->numbers, NUMBER_SLOT, slot);
	const struct model_interface *iface = id ? model_interface(engine->model, id) : NULL;

	return iface && engine_attaches(engine, iface);
}

/* Slots that are on devices and that the model does not want there: all are kept for now. */
static void keep_unwanted(struct engine *engine)
{
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		uint32_t ifindex = dataplane_slot_device(engine->dataplane, slot);

		if (ifindex && !is_wanted(engine, slot))
			keep(engine, slot, ifindex);
	}
}

int engine_kept_find(struct engine *engine, bool whole, char **error)
{
	bool nothing = knows_nothing(engine);
	int err = 0;

	keep_unwanted(engine);
	if (nothing && g_hash_table_size(engine->kept) && !engine->state->lost)
		state_report_damage(engine->state, "policies",
				    "it knows of nothing, but interfaces are filtered");
	if (!whole || (nothing && engine->state->lost))
		err = skip_numbers(engine, error);
	if (err < 0)
		return err;
	engine_kept_claim_all(engine, engine->model);
	/* A predecessor that died in a change left what it wanted to detach. */
	if (!engine->state->lost)
		g_hash_table_remove_all(engine->kept);
	engine->blank = nothing && g_hash_table_size(engine->kept);
	if (g_hash_table_size(engine->kept))
		log_warning("%u interfaces are filtered as they are pinned until a policy names "
			    "their devices, or they are detached ('sgctl show status' lists them)",
			    g_hash_table_size(engine->kept));
	return 0;
}

static void forget_loss(struct engine *engine)
{
	int err;

	if (!engine->state->lost || g_hash_table_size(engine->kept))
		return;
	err = state_set_lost(engine->state, NULL);
	if (err < 0)
		log_warning("the state directory %s cannot be written: %s", engine->state->path,
			    g_strerror(-err));
}

void engine_kept_policy_taken(struct engine *engine)
{
	engine->blank = false;
	forget_loss(engine);
}

/* Its slot is free again. 0 or -errno and *error. */
static int let_go(struct engine *engine, const struct engine_kept *kept, char **error)
{
	g_autofree char *id = g_strdup(numbers_name(engine->numbers, NUMBER_SLOT, kept->slot));
	int err = 0;

	engine_guard_stop(engine, &kept->ifindex, 1, &err);
	if (err < 0)
		*error = g_strdup_printf("resetting its device group: %s", g_strerror(-err));
	else
		err = dataplane_detach(engine->dataplane, kept->slot, error);
	if (err < 0)
		return err;
	if (id && !image_iface(engine->image, id))
		numbers_release_slot(engine->numbers, id);
	return 0;
}

/* Whether it is an interface that is known again. */
static bool is_claimed(const struct engine *engine, const struct engine_kept *kept)
{
	const char *id = numbers_name(engine->numbers, NUMBER_SLOT, kept->slot);
	const struct engine_iface *iface = id ? g_hash_table_lookup(engine->ifaces, id) : NULL;

	return iface && iface->slot == kept->slot && iface->ifindex;
}

void engine_kept_settle(struct engine *engine)
{
	GHashTableIter iter;
	gpointer value;

	if (!g_hash_table_size(engine->kept))
		return;
	g_hash_table_iter_init(&iter, engine->kept);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct engine_kept *kept = value;
		g_autofree char *error = NULL;

		if (is_claimed(engine, kept)) {
			g_hash_table_iter_remove(&iter);
		} else if (!links_by_index(engine->links, kept->ifindex) &&
			   let_go(engine, kept, &error) == 0) {
			log_info("%s, which was filtered as it was pinned, is gone", kept->device);
			g_hash_table_iter_remove(&iter);
		}
	}
}

int engine_kept_detach(struct engine *engine, const char *device, struct diag *diag)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->kept);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct engine_kept *kept = value;
		g_autofree char *error = NULL;
		int err;

		if (strcmp(kept->device, device) != 0)
			continue;
		err = let_go(engine, kept, &error);
		if (err < 0)
			return engine_dataplane_error(err, error, diag);
		log_info("%s, which was filtered as it was pinned, is not filtered any more",
			 device);
		g_hash_table_iter_remove(&iter);
		forget_loss(engine);
		return 0;
	}
	return -ENOENT;
}
