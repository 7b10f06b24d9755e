/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_policy_text.c - GET /v1/policy: the canonical text, of a large policy worked out in a thread.
 *
 * There is one thread at a time, and one text for all who wait: it is of a moment after they asked.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"

#define NICE 5 /* somebody waits for it, and so does the end of rulesd */

struct api_text {
	struct api_text **owner; /* where it is known; NULL: nobody waits any more */
	struct engine *engine;	 /* not for the thread */
	struct state texts;	 /* path and policies are all that reading texts needs */
	struct state_generation generation;
	uint64_t tag;
	int64_t began_us;
	bool done;
	GBytes *answer; /* NULL: error */
	char *error;
};

/* ---------------------------------------------------------------- the text */

/* In canonical form only the end of a document stands at the start of a line as "}". */
static const char *end_of_document(const char *text)
{
	const char *end = strstr(text, "\n}\n");

	return end ? end + 3 : text + strlen(text);
}

/* One document as it is; several (one a network) as the list of files that PUT takes, because no
 * single JSON text could hold them. Takes text. */
static char *answer_of(char *text)
{
	g_autofree char *owned = text;
	AUTO_JSON json_t *files = NULL;
	char *answer;

	if (!*end_of_document(text))
		return TAKE_PTR(owned);
	files = json_array();
	for (const char *at = text, *end; *at; at = end) {
		g_autofree char *name =
			g_strdup_printf("policy-%zu.json", json_array_size(files) + 1);

		end = end_of_document(at);
		json_array_append_new(
			files, json_pack("{ss ss%}", "name", name, "text", at, (size_t)(end - at)));
	}
	AUTO_JSON json_t *json = json_pack("{sO}", "files", files);
	g_autofree char *compact = json_dumps(json, JSON_COMPACT);

	answer = g_strconcat(compact ? compact : "null", "\n", NULL);
	return answer;
}

static void fail(struct api_request *request, const char *error)
{
	api_fail(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "state", NULL, "%s",
		 error ? error : "unknown error");
}

static void answer_now(struct api_request *request)
{
	const struct state *state = request->engine->state;
	g_autofree char *error = NULL;
	char *text = engine_policy_text(state, state_current(state), &error);

	if (text)
		api_reply_text(request, MHD_HTTP_OK, "application/json", answer_of(text));
	else
		fail(request, error);
}

/* ---------------------------------------------------------------- in a thread */

static void text_free(struct api_text *text)
{
	cleanup_fd(&text->texts.policies);
	g_free(text->texts.path);
	g_free(text->generation.file);
	g_clear_pointer(&text->answer, g_bytes_unref);
	g_free(text->error);
	g_free(text);
}

/* In the engine's thread. First those who asked before it began are answered, then it goes, and
 * the others have the next one begin. */
static gboolean finished(gpointer arg)
{
	struct api_text *text = arg;
	struct api_text **owner = text->owner;
	struct engine *engine = text->engine;

	text->done = true;
	if (owner && engine->changed)
		engine->changed(engine->changed_arg);
	if (owner)
		*owner = NULL;
	text_free(text);
	if (owner && engine->changed)
		engine->changed(engine->changed_arg);
	return G_SOURCE_REMOVE;
}

static gpointer work_out(gpointer arg)
{
	struct api_text *text = arg;
	char *policy;

	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* else it is only less polite */
	policy = engine_policy_text(&text->texts, &text->generation, &text->error);
	if (policy) {
		char *answer = answer_of(policy);

		text->answer = g_bytes_new_take(answer, strlen(answer));
	}
	g_idle_add(finished, text);
	return NULL;
}

static bool start(struct api_request *request)
{
	struct engine *engine = request->engine;
	const struct state_generation *current = state_current(engine->state);
	struct api_text *text = g_new0(struct api_text, 1);
	GThread *thread;

	text->owner = api_text_of(request);
	text->engine = engine;
	text->texts.path = g_strdup(engine->state->path);
	text->texts.policies = fcntl(engine->state->policies, F_DUPFD_CLOEXEC, 0);
	text->generation = (struct state_generation){
		.generation = current->generation,
		.file = g_strdup(current->file),
		.patches = current->patches,
	};
	text->tag = engine_generation(engine);
	text->began_us = g_get_monotonic_time();
	thread = text->texts.policies < 0 ? NULL : g_thread_try_new("text", work_out, text, NULL);
	if (!thread) {
		text_free(text);
		return false;
	}
	g_thread_unref(thread);
	*api_text_of(request) = text;
	return true;
}

static void take(struct api_request *request, const struct api_text *text)
{
	request->generation = text->tag;
	if (text->answer)
		api_reply_bytes(request, MHD_HTTP_OK, "application/json", text->answer);
	else
		fail(request, text->error);
}

/* Whether the file that it could not read has gone since, as that of a journal that was compacted.
 */
static bool is_stale(const struct api_request *request, const struct api_text *text)
{
	const struct state_generation *current = state_current(request->engine->state);

	return !text->answer && current && strcmp(current->file, text->generation.file) != 0;
}

static bool waited(struct api_request *request, bool late)
{
	const struct api_text *text = *api_text_of(request);

	if (text && text->done && request->since_us <= text->began_us && !is_stale(request, text))
		take(request, text);
	else if (late)
		api_fail(request, MHD_HTTP_GATEWAY_TIMEOUT, "late", "try again",
			 "the policy's text was not ready in %d seconds", API_MAX_WAIT);
	else if (!text && !start(request))
		answer_now(request);
	return request->response != NULL;
}

void api_get_policy(struct api_request *request)
{
	request->since_us = g_get_monotonic_time();
	if (engine_text_is_quick(request->engine))
		answer_now(request);
	else if (!waited(request, false))
		api_wait_for(request, API_MAX_WAIT, waited);
}

void api_text_forget(struct api_text **text)
{
	if (*text)
		(*text)->owner = NULL;
	*text = NULL;
}
