/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_policy.c - any bytes as a policy: the loader refuses them with an entry, or the model
 * compiles, and its canonical form is a policy with the same canonical form.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/load.h"
#include "tests/fuzz/fuzz.h"

static void free_source(gpointer source)
{
	load_source_free(source);
}

static GPtrArray *sources_of(const char *text, size_t length)
{
	GPtrArray *sources = g_ptr_array_new_with_free_func(free_source);
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup("fuzz");
	source->text = g_malloc(length + 1);
	memcpy(source->text, text, length);
	source->text[length] = '\0';
	source->length = length;
	g_ptr_array_add(sources, source);
	return sources;
}

static void compile(const struct model *model)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(numbers_free) struct numbers *numbers = numbers_new();
	CLEANUP(image_free) struct image *image = NULL;
	int result = compile_image(model, numbers, NULL, "here", &image, diag);

	FUZZ_EXPECT((result == 0) == (image != NULL), "compile_image says %d", result);
	FUZZ_EXPECT(result == 0 || diag->entries->len, "refused without a word");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) sources = sources_of((const char *)data, size);
	g_autoptr(GPtrArray) again = NULL;
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *model = NULL;
	CLEANUP(model_free) struct model *second = NULL;
	g_autofree char *canonical = NULL;
	g_autofree char *twice = NULL;
	int result = load_policy(sources, &model, diag);

	FUZZ_EXPECT((result == 0) == (model != NULL), "load_policy says %d", result);
	FUZZ_EXPECT(result == 0 || diag->entries->len, "refused without a word");
	if (result < 0)
		return 0;
	compile(model);
	canonical = load_canonical(sources);
	again = sources_of(canonical, strlen(canonical));
	result = load_policy(again, &second, diag);
	FUZZ_EXPECT(result == 0, "the canonical form is refused:\n%s", canonical);
	twice = load_canonical(again);
	FUZZ_EXPECT(strcmp(canonical, twice) == 0, "\n%s\nbecomes\n%s", canonical, twice);
	return 0;
}
