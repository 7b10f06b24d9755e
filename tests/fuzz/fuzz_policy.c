/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_policy.c - any bytes as a policy: the loader refuses them with an entry, or the model
 * compiles, from nothing and as a change of the empty policy alike, and its canonical form is a
 * policy with the same canonical form.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/compile.h"
#include "rulesd/load.h"
#include "rulesd/model_diff.h"
#include "tests/fuzz/fuzz.h"

static GPtrArray *sources_of(const char *text, size_t length)
{
	GPtrArray *sources = load_sources_new();
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup("fuzz");
	source->text = g_malloc(length + 1);
	memcpy(source->text, text, length);
	source->text[length] = '\0';
	source->length = length;
	g_ptr_array_add(sources, source);
	return sources;
}

static int compile_anew(const struct model *model)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(numbers_free) struct numbers *numbers = numbers_new();
	CLEANUP(image_free) struct image *image = NULL;
	int result = compile_image(model, numbers, NULL, "here", &image, diag);

	FUZZ_EXPECT((result == 0) == (image != NULL), "compile_image says %d", result);
	FUZZ_EXPECT(result == 0 || diag->entries->len, "refused without a word");
	return result;
}

static struct image_delta *change(struct image *image, struct model *model, struct model_edit *edit,
				  struct numbers *numbers)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct image_delta *delta = NULL;
	int result;

	model_edit_apply(edit, model);
	result = compile_change(image, model, edit, numbers, "here", &delta, diag);
	FUZZ_EXPECT((result == 0) == (delta != NULL), "compile_change says %d", result);
	FUZZ_EXPECT(result == 0 || diag->entries->len, "a change is refused without a word");
	if (result < 0)
		model_edit_undo(edit, model);
	return delta;
}

static void expect_empty(const struct image *image)
{
	FUZZ_EXPECT(!g_hash_table_size(image->ifaces) && !g_hash_table_size(image->policies) &&
			    !g_hash_table_size(image->sets),
		    "something is left of a policy that has gone");
}

/* The empty policy becomes this one, and is again the empty one. */
static void compile_as_change(struct model **model, int expected)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(numbers_free) struct numbers *numbers = numbers_new();
	CLEANUP(model_free) struct model *held = model_new();
	CLEANUP(model_free) struct model *empty = model_new();
	CLEANUP(image_free) struct image *image = NULL;
	CLEANUP(model_edit_free) struct model_edit *coming = model_diff(held, model);
	CLEANUP(model_edit_free) struct model_edit *going = NULL;
	struct image_delta *delta = NULL;

	FUZZ_EXPECT(compile_image(held, numbers, NULL, "here", &image, diag) == 0,
		    "the empty policy is refused");
	delta = change(image, held, coming, numbers);
	FUZZ_EXPECT((delta != NULL) == (expected == 0),
		    "refused, from nothing or as a change only");
	if (!delta) {
		expect_empty(image);
		return;
	}
	image_delta_undo(image, &delta);
	expect_empty(image);
	model_edit_undo(coming, held);
	delta = change(image, held, coming, numbers);
	FUZZ_EXPECT(delta, "refused the second time");
	image_delta_free(&delta);
	going = model_diff(held, &empty);
	delta = change(image, held, going, numbers);
	FUZZ_EXPECT(delta, "the empty policy is refused as a change");
	image_delta_free(&delta);
	expect_empty(image);
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
	int result = load_policy(sources, &model, diag), compiled;

	FUZZ_EXPECT((result == 0) == (model != NULL), "load_policy says %d", result);
	FUZZ_EXPECT(result == 0 || diag->entries->len, "refused without a word");
	if (result < 0)
		return 0;
	compiled = compile_anew(model);
	canonical = load_canonical(sources);
	again = sources_of(canonical, strlen(canonical));
	result = load_policy(again, &second, diag);
	FUZZ_EXPECT(result == 0, "the canonical form is refused:\n%s", canonical);
	compile_as_change(&second, compiled);
	twice = load_canonical(again);
	FUZZ_EXPECT(strcmp(canonical, twice) == 0, "\n%s\nbecomes\n%s", canonical, twice);
	return 0;
}
