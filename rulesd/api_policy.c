/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_policy.c - /v1/policy, /v1/generations and /v1/rollback.
 */
#include <errno.h>
#include <string.h>

#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/load.h"

json_t *api_result_json(const struct engine_result *result)
{
	return json_pack("{sI sb so s{si si si}}", "generation", (json_int_t)result->generation,
			 "changed", result->changed, "writes",
			 result->writes < 0 ? json_null() : json_integer(result->writes),
			 "interfaces", "filtering", (int)result->interfaces.filtering, "waiting",
			 (int)result->interfaces.waiting, "failed", (int)result->interfaces.failed);
}

/* With a policy directory, the directory is the only source. */
static bool refused_by_directory(struct api_request *request)
{
	const char *directory = request->engine->options->policy_dir;
	g_autofree char *fix = NULL;

	if (!directory)
		return false;
	fix = g_strdup_printf("change the files in %s, or start rulesd without --policy-dir",
			      directory);
	api_fail(request, MHD_HTTP_CONFLICT, "policy-dir", fix,
		 "the policy comes from the directory %s only", directory);
	return true;
}

/* Takes the text. */
static void add_source(GPtrArray *sources, const char *name, char *text, size_t length)
{
	struct load_source *source = g_new0(struct load_source, 1);

	source->name = g_strdup(name);
	source->text = text;
	source->length = length;
	g_ptr_array_add(sources, source);
}

/* Whether the first key of the body is "files": then it is no policy, but texts of some. Parsing a
 * large policy twice to find out would be a waste. */
static bool is_file_list(const GByteArray *body)
{
	const char *at = (const char *)body->data;
	const char *end = at + body->len;

	while (at < end && g_ascii_isspace(*at))
		at++;
	if (at == end || *at++ != '{')
		return false;
	while (at < end && g_ascii_isspace(*at))
		at++;
	return end - at >= 7 && strncmp(at, "\"files\"", 7) == 0;
}

static int add_files(struct api_request *request, GPtrArray *sources)
{
	AUTO_JSON json_t *json = api_body_json(request);
	json_t *files = NULL;
	json_t *file;
	json_error_t error = {0};
	size_t index;

	if (!json)
		return -EINVAL;
	if (json_unpack_ex(json, &error, JSON_STRICT, "{so}", "files", &files) < 0 ||
	    !json_is_array(files)) {
		api_fail(request, MHD_HTTP_BAD_REQUEST, "type",
			 "{\"files\":[{\"name\":\"a.json\",\"text\":\"...\"}]}", "files: %s",
			 *error.text ? error.text : "is no array");
		return -EINVAL;
	}
	json_array_foreach (files, index, file) {
		const char *name = NULL;
		const char *text = NULL;
		size_t length = 0;

		if (json_unpack_ex(file, &error, JSON_STRICT, "{ss ss%}", "name", &name, "text",
				   &text, &length) < 0) {
			api_fail(request, MHD_HTTP_BAD_REQUEST, "type",
				 "{\"name\":\"a.json\",\"text\":\"...\"}", "files[%zu]: %s", index,
				 error.text);
			return -EINVAL;
		}
		add_source(sources, name, g_strndup(text, length), length);
	}
	if (sources->len == 0) {
		api_fail(request, MHD_HTTP_BAD_REQUEST, "type",
			 "for a policy without anything: {\"version\":1}", "files: is empty");
		return -EINVAL;
	}
	return 0;
}

static int read_sources(struct api_request *request, GPtrArray *sources)
{
	size_t length;
	char *text;

	if (!request->body) {
		api_fail(request, MHD_HTTP_BAD_REQUEST, "syntax",
			 "send a policy; one without anything is {\"version\":1}",
			 "the body is empty");
		return -EINVAL;
	}
	if (is_file_list(request->body))
		return add_files(request, sources);
	text = api_take_body(request, &length);
	add_source(sources, "-", text, length);
	return 0;
}

static int read_existing(struct api_request *request, bool *keep)
{
	const char *existing = api_query(request, "existing");

	*keep = existing && strcmp(existing, "keep") == 0;
	if (!existing || *keep || strcmp(existing, "reevaluate") == 0)
		return 0;
	api_fail(request, MHD_HTTP_BAD_REQUEST, "parameter", "reevaluate or keep is wanted",
		 "existing=%s", existing);
	return -EINVAL;
}

/* ?confirm=SECONDS; 0 without. */
static int read_confirm(struct api_request *request, unsigned int *seconds)
{
	const char *text = api_query(request, "confirm");
	guint64 value = 0;

	if (text && !g_ascii_string_to_unsigned(text, 10, 1, CONFIRM_MAX_SECONDS, &value, NULL)) {
		api_fail(request, MHD_HTTP_BAD_REQUEST, "parameter",
			 "a number of seconds from 1 to 86400 is wanted", "confirm=%s", text);
		return -EINVAL;
	}
	*seconds = (unsigned int)value;
	return 0;
}

void api_post_confirm(struct api_request *request)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	int err = engine_confirm(request->engine, diag);

	if (err < 0)
		api_fail_engine(request, err, diag);
	else
		api_reply(request, MHD_HTTP_OK,
			  json_pack("{sI}", "generation",
				    (json_int_t)engine_generation(request->engine)));
}

typedef int (*change_fn)(struct engine *engine, GPtrArray *sources, const char *source, bool keep,
			 bool dry_run, struct engine_result *result, struct diag *diag);

static void change_policy(struct api_request *request, change_fn change)
{
	g_autoptr(GPtrArray) sources = load_sources_new();
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct engine_result result = {0};
	unsigned int confirm = 0;
	bool dry_run = false;
	bool keep = false;
	int err;

	if (refused_by_directory(request) || read_existing(request, &keep) < 0 ||
	    api_query_bool(request, "dry_run", &dry_run) < 0 ||
	    read_confirm(request, &confirm) < 0 || read_sources(request, sources) < 0)
		return;
	err = confirm && !dry_run ? engine_confirm_begin(request->engine, confirm, diag) : 0;
	if (err < 0) {
		api_fail_engine(request, err, diag);
		return;
	}
	err = change(request->engine, TAKE_PTR(sources), "api", keep, dry_run, &result, diag);
	if (confirm && !dry_run)
		engine_confirm_end(request->engine, err == 0);
	if (err < 0)
		api_fail_engine(request, err, diag);
	else
		api_reply(request, MHD_HTTP_OK, api_result_json(&result));
}

void api_put_policy(struct api_request *request)
{
	change_policy(request, engine_replace_policy);
}

void api_patch_policy(struct api_request *request)
{
	change_policy(request, engine_patch_policy);
}

void api_get_generations(struct api_request *request)
{
	const GPtrArray *known = request->engine->state->generations;
	json_t *list = json_array();

	for (guint i = 0; i < known->len; i++) {
		struct state_generation *entry = known->pdata[i];
		const char *sha256 = engine_sha256(request->engine, entry, false);

		json_array_append_new(list,
				      json_pack("{sI ss ss? ss}", "generation",
						(json_int_t)entry->generation, "time", entry->time,
						"sha256", sha256, "source", entry->source));
	}
	api_reply(request, MHD_HTTP_OK, list);
}

void api_post_rollback(struct api_request *request)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct engine_result result = {0};
	json_int_t generation = 0;
	int err;

	if (refused_by_directory(request))
		return;
	if (request->body) {
		AUTO_JSON json_t *json = api_body_json(request);
		json_error_t error = {0};

		if (!json)
			return;
		if (json_unpack_ex(json, &error, JSON_STRICT, "{s?I}", "generation", &generation) <
			    0 ||
		    generation < 0) {
			api_fail(request, MHD_HTTP_BAD_REQUEST, "type",
				 "{} or {\"generation\":12} is wanted", "the body: %s",
				 *error.text ? error.text : "a generation below 0");
			return;
		}
	}
	err = engine_rollback(request->engine, (uint64_t)generation, &result, diag);
	if (err == 0)
		engine_confirm_cancel(request->engine);
	if (err < 0)
		api_fail_engine(request, err, diag);
	else
		api_reply(request, MHD_HTTP_OK, api_result_json(&result));
}
