/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sources.c - see sources.h.
 */
#include "tests/lib/sources.h"

#include <string.h>

#include "rulesd/load.h"

void sources_free_one(gpointer source)
{
	load_source_free(source);
}

void sources_free_all(gpointer sources)
{
	g_ptr_array_unref(sources);
}

GPtrArray *sources_of(const char *text)
{
	GPtrArray *sources = g_ptr_array_new_with_free_func(sources_free_one);
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup("a.json");
	source->text = g_strdup(text);
	source->length = strlen(text);
	g_ptr_array_add(sources, source);
	return sources;
}
