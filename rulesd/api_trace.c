/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_trace.c - /v1/trace: what would be decided about a packet, and why.
 */
#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"
#include "rulesd/eval.h"

static void reply_trace(struct api_request *request, const char *id,
			const struct eval_packet *packet)
{
	const struct engine *engine = request->engine;
	CLEANUP(trace_free) struct trace *trace = NULL;

	if (!model_interface(engine->model, id)) {
		api_fail(request, MHD_HTTP_NOT_FOUND, "not-found", NULL, "no interface %s", id);
		return;
	}
	if (!image_iface(engine->image, id)) {
		api_fail(request, MHD_HTTP_UNPROCESSABLE_CONTENT, "remote",
			 "trace it where its device is, or offline with --policy",
			 "interface %s is not filtered by this host (%s)", id,
			 engine->options->host);
		return;
	}
	trace = trace_packet(engine->model, engine->image, engine->numbers, id, packet);
	api_reply(request, MHD_HTTP_OK, trace_to_json(trace, id, packet->direction));
}

void api_post_trace(struct api_request *request)
{
	AUTO_JSON json_t *question = api_body_json(request);
	CLEANUP(diag_free) struct diag *diag = diag_new();
	struct eval_packet packet = {0};
	g_autofree char *id = NULL;

	if (!question)
		return;
	if (trace_packet_from_json(question, &id, &packet, diag) < 0) {
		api_fail_diag(request, MHD_HTTP_UNPROCESSABLE_CONTENT, diag);
		return;
	}
	reply_trace(request, id, &packet);
}
