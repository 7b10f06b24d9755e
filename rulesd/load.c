/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.c - policy documents to one model: parse all, merge all, validate the whole.
 */
#include "rulesd/load.h"

#include <errno.h>
#include <string.h>

#include "rulesd/load_internal.h"
#include "rulesd/nearest.h"
#include "rulesd/validate.h"

void load_source_free(struct load_source *source)
{
	if (!source)
		return;
	g_free(source->name);
	g_free(source->text);
	g_free(source);
}

static void free_source(void *source)
{
	load_source_free(source);
}

static void free_sources(void *sources)
{
	g_ptr_array_unref(sources);
}

GPtrArray *load_sources_new(void)
{
	return g_ptr_array_new_with_free_func(free_source);
}

GPtrArray *load_patches_new(void)
{
	return g_ptr_array_new_with_free_func(free_sources);
}

static void add_default_groups(struct model *model)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, model->networks);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct model_network *network = value;
		struct model_group *group;

		if (g_hash_table_contains(network->groups, MODEL_DEFAULT_GROUP))
			continue;
		group = model_default_group_new(network->name);
		g_hash_table_insert(network->groups, group->id, group);
	}
}

static void validate(struct load *load, const GPtrArray *documents)
{
	guint before = load->diag->entries->len;

	if (load->incomplete)
		model_validate_incomplete(load->model, load->diag);
	else
		model_validate(load->model, load->diag);
	load_locate(documents, load->diag, before);
}

static int load_all(const GPtrArray *sources, bool incomplete, struct model **model,
		    struct diag *diag)
{
	guint first = diag->entries->len, before = first + diag->left_out;
	g_autoptr(GPtrArray) documents = load_documents(sources, diag);
	g_autoptr(GHashTable) places =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	struct load load = {
		.model = model_new(),
		.diag = diag,
		.network_places = places,
		.incomplete = incomplete,
	};

	load.services = load.model->services;
	for (guint i = 0; i < documents->len; i++)
		load_header(&load, documents->pdata[i]);
	load_each_document(&load, documents, load_definitions);
	load_each_document(&load, documents, load_objects);
	load_draft_free(&load.draft);
	add_default_groups(load.model);
	validate(&load, documents);
	if (diag->entries->len + diag->left_out == before) {
		*model = load.model;
		return 0;
	}
	load_sort_errors(diag, first, sources);
	model_free(&load.model);
	return -EINVAL;
}

int load_policy(const GPtrArray *sources, struct model **model, struct diag *diag)
{
	return load_all(sources, false, model, diag);
}

int load_check(const GPtrArray *sources, struct diag *diag)
{
	struct model *model = NULL;
	int result = load_all(sources, true, &model, diag);

	model_free(&model);
	return result;
}
