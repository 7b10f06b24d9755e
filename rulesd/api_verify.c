/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_verify.c - /v1/verify: what rulesd believes against what the kernel holds; POST puts it
 * right.
 */
#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"

static json_t *difference_json(const struct dataplane_difference *one)
{
	return json_pack("{ss ss ss ss sb ss?}", "kind", verify_kind_name(one->kind), "object",
			 one->object, "expected", one->expected, "found", one->found, "repaired",
			 (int)one->repaired, "error", one->error);
}

static json_t *result_json(const struct dataplane_verified *result, int64_t took_us)
{
	json_t *json = json_object();
	json_t *checked = json_object();
	json_t *list = json_array();

	for (unsigned int kind = 0; kind < VERIFY_KIND_COUNT; kind++)
		json_object_set_new(checked, verify_kind_name(kind),
				    json_integer((json_int_t)result->checked[kind]));
	for (guint i = 0; i < result->differences->len; i++)
		json_array_append_new(list, difference_json(result->differences->pdata[i]));
	json_object_set_new(json, "differences", list);
	json_object_set_new(json, "found", json_integer((json_int_t)result->found));
	json_object_set_new(json, "repaired", json_integer((json_int_t)result->repaired));
	json_object_set_new(json, "checked", checked);
	json_object_set_new(json, "seconds", json_real((double)took_us / G_USEC_PER_SEC));
	return json;
}

static void verified(const struct dataplane_verified *result, int64_t took_us, const char *error,
		     void *arg)
{
	struct api_request *request = arg;

	if (error)
		api_fail(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "dataplane", NULL, "%s", error);
	else
		api_reply(request, MHD_HTTP_OK, result_json(result, took_us));
	api_resume(request);
}

static bool waited(struct api_request *request, bool late)
{
	if (!late || request->response)
		return request->response != NULL;
	engine_verify_stop(request->engine);
	api_fail(request, MHD_HTTP_GATEWAY_TIMEOUT, "late", "try again",
		 "the verification was not at its end in %d seconds", API_MAX_WAIT);
	return true;
}

static void verify(struct api_request *request, bool repair)
{
	if (engine_verify(request->engine, repair, verified, request) < 0)
		api_fail(request, MHD_HTTP_CONFLICT, "busy", "try again in a second",
			 "another verification is running");
	else
		api_wait_for(request, API_MAX_WAIT, waited);
}

void api_get_verify(struct api_request *request)
{
	verify(request, false);
}

void api_post_verify(struct api_request *request)
{
	verify(request, true);
}
