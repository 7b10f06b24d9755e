/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_patch.c - any bytes as a patch of a policy: refused with an entry and the model is as it
 * was, or the policy has a canonical form that is one, too; taking it back leads to the base.
 */
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/load.h"
#include "rulesd/model_diff.h"
#include "tests/fuzz/fuzz.h"

static const char base[] =
	"{\"version\": 1, \"networks\": {\"blue\": {\"peers\": [\"default\"]}},"
	" \"services\": {\"app\": {\"rules\": [{\"protocol\": \"tcp\", \"ports\": [8080]}]}},"
	" \"groups\": {\"sg-web\": {\"ingress\": [{\"service\": \"app\", \"from\": [\"any\"]}]},"
	"              \"sg-db\": {\"ingress\": [{\"protocol\": \"tcp\", \"from\": [\"sg-web\"]}]}},"
	" \"prefix_lists\": {\"pl-a\": {\"entries\": [\"10.0.0.0/8\"]}},"
	" \"interfaces\": {\"vm-1\": {\"addresses\": [\"10.0.0.1\"], \"groups\": [\"sg-web\"]},"
	"                  \"vm-2\": {\"addresses\": [\"10.0.0.2\"], \"device\": \"tap2\"}}}";

static GPtrArray *sources_of(const char *name, const char *text, size_t length)
{
	GPtrArray *sources = load_sources_new();
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup(name);
	source->text = g_malloc(length + 1);
	memcpy(source->text, text, length);
	source->text[length] = '\0';
	source->length = length;
	g_ptr_array_add(sources, source);
	return sources;
}

static struct model *model_of(const char *text)
{
	g_autoptr(GPtrArray) sources = sources_of("base", text, strlen(text));
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct model *model = NULL;
	int result = load_policy(sources, &model, diag);

	FUZZ_EXPECT(result == 0, "refused:\n%s", text);
	return model;
}

static void expect_same(const struct model *model, const char *text)
{
	struct model *other = model_of(text);
	CLEANUP(model_edit_free) struct model_edit *difference = model_diff(model, &other);

	FUZZ_EXPECT(difference->changes->len == 0, "%u objects differ from\n%s",
		    difference->changes->len, text);
}

/* It is a policy, of as many interfaces, and its own form. Objects may differ: the form leaves out
 * what a list says twice. That of several networks is several documents, which no single source
 * holds. */
static void expect_canonical(const struct model *model, const GPtrArray *patches)
{
	g_autoptr(GPtrArray) sources = sources_of("base", base, strlen(base));
	g_autofree char *canonical = load_canonical_patched(sources, patches);
	g_autoptr(GPtrArray) again = sources_of("base", canonical, strlen(canonical));
	g_autofree char *twice = NULL;
	CLEANUP(model_free) struct model *other = NULL;

	if (strstr(canonical, "\n}\n{"))
		return;
	other = model_of(canonical);
	FUZZ_EXPECT(other->interfaces == model->interfaces, "%u and %u interfaces",
		    other->interfaces, model->interfaces);
	twice = load_canonical(again);
	FUZZ_EXPECT(strcmp(canonical, twice) == 0, "\n%s\nbecomes\n%s", canonical, twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) sources = sources_of("fuzz", (const char *)data, size);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	CLEANUP(model_free) struct model *model = model_of(base);
	CLEANUP(model_edit_free) struct model_edit *edit = NULL;
	int result = load_patch(sources, model, &edit, diag);

	FUZZ_EXPECT((result == 0) == (edit != NULL), "load_patch says %d", result);
	FUZZ_EXPECT((result == 0) == !diag->entries->len, "%d with %u entries", result,
		    diag->entries->len);
	if (result < 0)
		return 0;
	model_edit_apply(edit, model);
	result = load_validate_patch(sources, model, edit, diag);
	FUZZ_EXPECT((result == 0) == !diag->entries->len, "%d with %u entries", result,
		    diag->entries->len);
	if (result == 0)
		expect_canonical(model, sources);
	model_edit_undo(edit, model);
	expect_same(model, base);
	return 0;
}
