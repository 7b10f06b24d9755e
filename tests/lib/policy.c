/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.c - policies for tests: texts to sources, findings to text.
 */
#include "tests/lib/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void policy_add_source(GPtrArray *sources, const char *name, const char *text, size_t length)
{
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup(name);
	/* Exactly as long as it is, so that the sanitizer sees what reads behind the end. */
	source->text = g_memdup2(text, length);
	source->length = length;
	g_ptr_array_add(sources, source);
}

GPtrArray *policy_sources(const char *first, ...)
{
	GPtrArray *sources = load_sources_new();
	char name[] = "a.json";
	va_list texts;

	va_start(texts, first);
	for (const char *text = first; text; text = va_arg(texts, const char *)) {
		policy_add_source(sources, name, text, strlen(text));
		name[0]++;
	}
	va_end(texts);
	return sources;
}

char *policy_diag_text(const struct diag *diag)
{
	char *buffer = NULL, *text;
	size_t length = 0;
	FILE *out = open_memstream(&buffer, &length);

	diag_print(diag, out);
	fclose(out);
	text = g_strdup(buffer);
	free(buffer);
	return text;
}

char *policy_errors(const GPtrArray *sources)
{
	struct diag *diag = diag_new();
	struct model *model = NULL;
	int result = load_policy(sources, &model, diag);
	char *text = policy_diag_text(diag);

	/* Both or neither: no error without a message, no model with one. */
	g_assert((result == 0) == (model != NULL) && (result == 0) == (text[0] == '\0'));
	model_free(&model);
	diag_free(&diag);
	return text;
}

struct model *policy_model(const char *text)
{
	g_autoptr(GPtrArray) sources = policy_sources(text, NULL);
	struct diag *diag = diag_new();
	struct model *model = NULL;

	if (load_policy(sources, &model, diag) < 0) {
		diag_print(diag, stderr);
		abort();
	}
	diag_free(&diag);
	return model;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *policy_list(const char *folder, const char *suffix)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, suffix))
			g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, compare_names);
	return names;
}
