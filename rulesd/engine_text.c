/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_text.c - the texts of the policy, which are on disk only: to show them, to go back to
 * them, to tell equal ones apart.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/load.h"
#include "rulesd/log.h"

/* Texts up to this are parsed whenever somebody wants to know their sum: it takes milliseconds. */
#define QUICK_BYTES (1u << 20)

static int load_texts(const struct state *state, const struct state_generation *generation,
		      GPtrArray **sources, GPtrArray **patches, char **error)
{
	g_autoptr(GPtrArray) texts = load_sources_new();
	g_autoptr(GPtrArray) later = load_patches_new();
	int err = 0;

	if (generation)
		err = state_load_sources(state, generation, texts, later, error);
	if (err < 0)
		return err;
	*sources = TAKE_PTR(texts);
	*patches = TAKE_PTR(later);
	return 0;
}

int engine_load_texts(const struct engine *engine, const struct state_generation *generation,
		      GPtrArray **sources, GPtrArray **patches, char **error)
{
	return load_texts(engine->state, generation, sources, patches, error);
}

/* In the order of their application; borrows. */
static GPtrArray *flatten(const GPtrArray *patches)
{
	GPtrArray *flat = g_ptr_array_new();

	for (guint i = 0; i < patches->len; i++) {
		const GPtrArray *patch = patches->pdata[i];

		for (guint k = 0; k < patch->len; k++)
			g_ptr_array_add(flat, patch->pdata[k]);
	}
	return flat;
}

static size_t bytes_of(const GPtrArray *sources)
{
	size_t bytes = 0;

	for (guint i = 0; i < sources->len; i++)
		bytes += ((const struct load_source *)sources->pdata[i])->length;
	return bytes;
}

char *engine_policy_text(const struct state *state, const struct state_generation *generation,
			 char **error)
{
	g_autoptr(GPtrArray) sources = NULL;
	g_autoptr(GPtrArray) patches = NULL;
	g_autoptr(GPtrArray) flat = NULL;

	if (load_texts(state, generation, &sources, &patches, error) < 0)
		return NULL;
	flat = flatten(patches);
	return load_canonical_patched(sources, flat);
}

int engine_text_sha256(const struct state *state, const struct state_generation *generation,
		       char hex[65], char **error)
{
	g_autoptr(GPtrArray) sources = NULL;
	g_autoptr(GPtrArray) patches = NULL;
	g_autoptr(GPtrArray) flat = NULL;
	int err = load_texts(state, generation, &sources, &patches, error);

	if (err < 0)
		return err;
	flat = flatten(patches);
	load_sha256_patched(sources, flat, hex);
	return 0;
}

/* Computed now, if need be. */
static const char *sha256_of(const struct engine *engine, struct state_generation *generation)
{
	g_autofree char *error = NULL;
	char hex[65];

	if (generation->sha256)
		return generation->sha256;
	if (engine_text_sha256(engine->state, generation, hex, &error) < 0) {
		log_warning("%s", error);
		return NULL;
	}
	generation->sha256 = g_strdup(hex);
	return generation->sha256;
}

bool engine_text_is_quick(const struct engine *engine)
{
	const struct state_generation *current = state_current(engine->state);

	return !current || state_policy_size(engine->state, current) <= QUICK_BYTES;
}

const char *engine_sha256(struct engine *engine, struct state_generation *generation, bool wanted)
{
	if (!generation || generation->sha256)
		return generation ? generation->sha256 : NULL;
	if (state_policy_size(engine->state, generation) <= QUICK_BYTES)
		return sha256_of(engine, generation);
	if (wanted)
		engine_digest_start(engine, generation);
	return NULL;
}

bool engine_same_texts(const struct engine *engine, const GPtrArray *sources)
{
	struct state_generation *current = state_current(engine->state);
	g_autoptr(GPtrArray) held = NULL;
	g_autoptr(GPtrArray) patches = NULL;
	g_autofree char *error = NULL;
	char hex[65] = "";

	if (!current)
		return false;
	if (bytes_of(sources) <= QUICK_BYTES &&
	    state_policy_size(engine->state, current) <= 2 * QUICK_BYTES) {
		load_sha256(sources, hex);
		return g_strcmp0(sha256_of(engine, current), hex) == 0;
	}
	/* Of large ones only the same bytes are the same: nobody waits for more. */
	if (current->patches || state_policy_size(engine->state, current) < bytes_of(sources) ||
	    engine_load_texts(engine, current, &held, &patches, &error) < 0 ||
	    held->len != sources->len || patches->len)
		return false;
	for (guint i = 0; i < sources->len; i++) {
		const struct load_source *a = sources->pdata[i], *b = held->pdata[i];

		if (a->length != b->length || memcmp(a->text, b->text, a->length) != 0)
			return false;
	}
	return true;
}
