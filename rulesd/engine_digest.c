/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_digest.c - the SHA-256 of a large policy, worked out in a thread of its own when somebody
 * wants to know it.
 *
 * It takes seconds and as much memory as a load, so there is one thread at a time, which gives way
 * to everything else. Where the policy changed before it had its digest there is none for a while:
 * who asks every second while the policy changes every second does not keep a CPU busy.
 */
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "rulesd/engine_parts.h"
#include "rulesd/log.h"

#define PAUSE_FACTOR 2 /* of what was in vain */
#define NICE	     5 /* somebody may wait for it */

struct engine_digest {
	struct engine *engine; /* NULL: closed meanwhile. For the engine's thread only */
	struct state texts;    /* path and policies are all that reading texts needs */
	struct state_generation generation;
	int64_t began_us;
	char hex[65]; /* "": the texts could not be read */
};

static void free_digest(struct engine_digest *digest)
{
	cleanup_fd(&digest->texts.policies);
	g_free(digest->texts.path);
	g_free(digest->generation.file);
	g_free(digest);
}

/* The generation that it is of, if it is still there as it was. */
static struct state_generation *find_generation(const struct engine_digest *digest)
{
	const GPtrArray *all = digest->engine->state->generations;

	for (guint i = 0; i < all->len; i++) {
		struct state_generation *one = all->pdata[i];

		if (one->generation == digest->generation.generation &&
		    one->patches == digest->generation.patches &&
		    strcmp(one->file, digest->generation.file) == 0)
			return one;
	}
	return NULL;
}

/* In the engine's thread. */
static gboolean take_digest(gpointer arg)
{
	struct engine_digest *digest = arg;
	struct engine *engine = digest->engine;
	int64_t now_us = g_get_monotonic_time();
	struct state_generation *generation;

	if (engine) {
		generation = find_generation(digest);
		if (generation && !generation->sha256 && *digest->hex)
			generation->sha256 = g_strdup(digest->hex);
		if (!generation || generation != state_current(engine->state))
			engine->digest_after_us =
				now_us + (now_us - digest->began_us) * PAUSE_FACTOR;
		engine->digest = NULL;
		if (engine->changed)
			engine->changed(engine->changed_arg);
	}
	free_digest(digest);
	malloc_trim(0);
	return G_SOURCE_REMOVE;
}

static gpointer work_out(gpointer arg)
{
	struct engine_digest *digest = arg;
	g_autofree char *error = NULL;

	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* else it is only less polite */
	if (engine_text_sha256(&digest->texts, &digest->generation, digest->hex, &error) < 0)
		log_warning("%s", error);
	g_idle_add(take_digest, digest);
	return NULL;
}

void engine_digest_start(struct engine *engine, const struct state_generation *generation)
{
	struct engine_digest *digest;
	GThread *thread;

	if (engine->digest || g_get_monotonic_time() < engine->digest_after_us)
		return;
	digest = g_new0(struct engine_digest, 1);
	digest->engine = engine;
	digest->texts.path = g_strdup(engine->state->path);
	digest->texts.policies = fcntl(engine->state->policies, F_DUPFD_CLOEXEC, 0);
	digest->generation = (struct state_generation){
		.generation = generation->generation,
		.file = g_strdup(generation->file),
		.patches = generation->patches,
	};
	digest->began_us = g_get_monotonic_time();
	thread = digest->texts.policies < 0 ? NULL
					    : g_thread_try_new("digest", work_out, digest, NULL);
	if (!thread) {
		free_digest(digest);
		return;
	}
	g_thread_unref(thread);
	engine->digest = digest;
}

/* The thread is not waited for: it touches nothing of the engine. */
void engine_digest_stop(struct engine *engine)
{
	if (engine->digest)
		engine->digest->engine = NULL;
	engine->digest = NULL;
}
