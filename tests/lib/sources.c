/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sources.c - see sources.h.
 */
#include "tests/lib/sources.h"

#include <string.h>

#include "rulesd/load.h"

GPtrArray *sources_of(const char *text)
{
	GPtrArray *sources = load_sources_new();
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup("a.json");
	source->text = g_strdup(text);
	source->length = strlen(text);
	g_ptr_array_add(sources, source);
	return sources;
}
