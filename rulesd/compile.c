/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile.c - an image from nothing: the order of the work.
 */
#include "rulesd/compile.h"

#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile_parts.h"
#include "rulesd/sorted.h"

void compile_exhausted(struct compile *compile, const char *what, const char *name)
{
	diag_add(compile->diag, "numbers-exhausted", (struct place){0}, NULL,
		 "start with a new state directory after rulesd --flush",
		 "no number is left for %s %s", what, name);
}

struct image_zone *compile_zone(struct compile *compile, const char *network)
{
	struct image_zone *zone = image_zone_of(compile->image, network);
	uint32_t number;

	if (zone)
		return zone;
	number = numbers_get(compile->numbers, NUMBER_ZONE, network);
	if (!number) {
		compile_exhausted(compile, "network", network);
		return NULL;
	}
	zone = image_zone_new(network, number);
	journal_made(compile->journal, zone, image_zone_free);
	journal_insert(compile->journal, compile->image->zones, zone->network, zone);
	journal_insert(compile->journal, compile->image->zones_by_number, GUINT_TO_POINTER(number),
		       zone);
	return zone;
}

/* ---------------------------------------------------------------- working lists */

static void free_dirty_node(gpointer node)
{
	g_free(node);
}

void compile_init(struct compile *compile)
{
	compile->old_lists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	compile->peers = g_ptr_array_new();
	compile->regarded = g_ptr_array_new();
	compile->dirty_sets = g_array_new(FALSE, FALSE, sizeof(struct dirty_set));
	compile->dirty_nodes = g_ptr_array_new_with_free_func(free_dirty_node);
	compile->dirty_lists = g_ptr_array_new();
	compile->fresh_sets = g_ptr_array_new();
	compile->fresh_policies = g_ptr_array_new();
	compile->idle_sets = g_ptr_array_new();
	compile->idle_policies = g_ptr_array_new();
	compile->idle_lists = g_ptr_array_new();
	compile->slots = g_ptr_array_new_with_free_func(g_free);
	compile->edited = g_hash_table_new(NULL, NULL);
	compile->ifaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* Marks on objects of the image are of this change alone. */
static void clear_marks(struct compile *compile)
{
	for (guint i = 0; i < compile->peers->len; i++)
		((struct zone_peer *)compile->peers->pdata[i])->touched = false;
	for (guint i = 0; i < compile->regarded->len; i++)
		((struct image_zone *)compile->regarded->pdata[i])->regarded = false;
	for (guint i = 0; i < compile->dirty_sets->len; i++)
		g_array_index(compile->dirty_sets, struct dirty_set, i).at->dirty = 0;
	for (guint i = 0; i < compile->dirty_nodes->len; i++) {
		struct prefix_node *node =
			((struct dirty_node *)compile->dirty_nodes->pdata[i])->node;

		node->change = 0;
		node->failed = false;
	}
	for (guint i = 0; i < compile->dirty_lists->len; i++)
		((struct image_list *)compile->dirty_lists->pdata[i])->dirty = false;
	for (guint i = 0; i < compile->fresh_sets->len; i++)
		((struct image_set *)compile->fresh_sets->pdata[i])->fresh = false;
	for (guint i = 0; i < compile->fresh_policies->len; i++)
		((struct image_policy *)compile->fresh_policies->pdata[i])->fresh = false;
}

void compile_clear(struct compile *compile)
{
	clear_marks(compile);
	g_hash_table_destroy(compile->old_lists);
	g_ptr_array_unref(compile->peers);
	g_ptr_array_unref(compile->regarded);
	g_array_unref(compile->dirty_sets);
	g_ptr_array_unref(compile->dirty_nodes);
	g_ptr_array_unref(compile->dirty_lists);
	g_ptr_array_unref(compile->fresh_sets);
	g_ptr_array_unref(compile->fresh_policies);
	g_ptr_array_unref(compile->idle_sets);
	g_ptr_array_unref(compile->idle_policies);
	g_ptr_array_unref(compile->idle_lists);
	g_ptr_array_unref(compile->slots);
	g_hash_table_destroy(compile->edited);
	g_hash_table_destroy(compile->ifaces);
}

/* ---------------------------------------------------------------- from nothing */

static void name_network(struct compile *compile, const struct model_network *network)
{
	struct image_zone *zone = image_zone_of(compile->image, network->name);
	g_autoptr(GPtrArray) ids = sorted_keys(network->groups);

	for (guint i = 0; i < ids->len; i++)
		compile_group_names(compile, zone,
				    g_hash_table_lookup(network->groups, g_ptr_array_index(ids, i)),
				    true);
	compile_exempt_names(compile, zone, network, true);
}

static void carry_network(struct compile *compile, const struct model_network *network)
{
	struct image_zone *zone = image_zone_of(compile->image, network->name);

	for (guint i = 0; i < network->interfaces->len; i++)
		compile_carry(compile, zone, network->interfaces->pdata[i]);
}

static int compare_ids(gconstpointer a, gconstpointer b)
{
	const struct model_interface *const *left = a, *const *right = b;

	return strcmp((*left)->id, (*right)->id);
}

static void attach_network(struct compile *compile, const struct model_network *network)
{
	g_autoptr(GPtrArray) ours = g_ptr_array_new();

	for (guint i = 0; i < network->interfaces->len; i++)
		if (compile_is_ours(network->interfaces->pdata[i], compile->host))
			g_ptr_array_add(ours, network->interfaces->pdata[i]);
	g_ptr_array_sort(ours, compare_ids);
	for (guint i = 0; i < ours->len; i++)
		compile_iface(compile, ours->pdata[i]);
}

/* False when even the networks have no numbers. */
static bool make_zones(struct compile *compile, const GPtrArray *names)
{
	bool made = true;

	for (guint i = 0; i < names->len; i++)
		made &= compile_zone(compile, names->pdata[i]) != NULL;
	return made;
}

static void each_network(struct compile *compile, const GPtrArray *names,
			 void (*each)(struct compile *, const struct model_network *))
{
	for (guint i = 0; i < names->len; i++)
		each(compile, model_network(compile->model, names->pdata[i]));
}

static void cleanup_image(struct image **image)
{
	image_free(image);
}

static guint errors(const struct diag *diag)
{
	return diag->entries->len + diag->left_out;
}

static int compile_all(struct compile *given, bool with_ifaces, struct image **image)
{
	CLEANUP(cleanup_image) struct image *made = image_new(given->model);
	CLEANUP(compile_clear) struct compile compile = *given;
	g_autoptr(GPtrArray) names = sorted_keys(compile.model->networks);
	guint before = errors(compile.diag);

	compile.image = made;
	compile_init(&compile);
	if (!make_zones(&compile, names))
		return -EINVAL;
	each_network(&compile, names, name_network);
	compile_settle_peers(&compile);
	each_network(&compile, names, carry_network);
	compile_dirty_sets(&compile);
	compile_shared(&compile);
	compile_prefixes(&compile);
	if (with_ifaces)
		each_network(&compile, names, attach_network);
	if (errors(compile.diag) == before) {
		*image = TAKE_PTR(made);
		return 0;
	}
	for (guint i = 0; i < compile.slots->len; i++)
		numbers_release_slot(compile.numbers, compile.slots->pdata[i]);
	return -EINVAL;
}

int compile_image(const struct model *model, struct numbers *numbers, const struct image *previous,
		  const char *host, struct image **image, struct diag *diag)
{
	struct compile compile = {.model = model,
				  .numbers = numbers,
				  .previous = previous,
				  .host = host,
				  .diag = diag};

	return compile_all(&compile, true, image);
}

int compile_bare_image(const struct model *model, struct numbers *numbers, struct image **image,
		       struct diag *diag)
{
	struct compile compile = {.model = model, .numbers = numbers, .diag = diag};

	return compile_all(&compile, false, image);
}

int compile_interface(struct image *image, const struct model_interface *iface,
		      struct numbers *numbers, struct diag *diag)
{
	CLEANUP(compile_clear)
	struct compile compile = {
		.model = image->model, .numbers = numbers, .image = image, .diag = diag};
	guint before = errors(diag);

	compile_init(&compile);
	if (!image_iface(image, iface->id))
		compile_iface(&compile, iface);
	return errors(diag) == before ? 0 : -EINVAL;
}
