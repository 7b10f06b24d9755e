/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_reply.c - answers in their one form, and questions read from a request.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"

/* Takes response, of so many bytes. */
static void reply_with(struct api_request *request, unsigned int status, const char *type,
		       struct MHD_Response *response, size_t length)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status < 300) {
		const uint64_t generation = request->generation
						    ? request->generation
						    : engine_generation(request->engine);
		g_autofree char *tag = g_strdup_printf("\"%" G_GUINT64_FORMAT "\"", generation);

		MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
	}
	if (request->response)
		MHD_destroy_response(request->response);
	request->response = response;
	request->reply_bytes = length;
	request->status = status;
}

void api_reply_text(struct api_request *request, unsigned int status, const char *type, char *text)
{
	const size_t length = strlen(text);

	/* g_free is free since GLib 2.46, which is what libmicrohttpd calls. */
	reply_with(request, status, type,
		   MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE), length);
}

static void unref_bytes(void *bytes)
{
	g_bytes_unref(bytes);
}

void api_reply_bytes(struct api_request *request, unsigned int status, const char *type,
		     GBytes *bytes)
{
	size_t length = 0;
	void *data = (void *)(uintptr_t)g_bytes_get_data(bytes, &length);

	reply_with(request, status, type,
		   MHD_create_response_from_buffer_with_free_callback_cls(length, data, unref_bytes,
									  g_bytes_ref(bytes)),
		   length);
}

void api_reply(struct api_request *request, unsigned int status, json_t *json)
{
	AUTO_JSON json_t *owned = json;
	g_autofree char *text = json_dumps(owned, JSON_COMPACT | JSON_ENCODE_ANY);

	api_reply_text(request, status, "application/json",
		       g_strconcat(text ? text : "null", "\n", NULL));
}

void api_fail_diag(struct api_request *request, unsigned int status, const struct diag *diag)
{
	api_reply(request, status, json_pack("{so}", "errors", diag_to_json(diag)));
}

void api_fail(struct api_request *request, unsigned int status, const char *code, const char *fix,
	      const char *format, ...)
{
	CLEANUP(diag_free) struct diag *diag = diag_new();
	g_autofree char *message = NULL;
	va_list arguments;

	va_start(arguments, format);
	message = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	diag_add(diag, code, (struct place){0}, NULL, fix, "%s", message);
	api_fail_diag(request, status, diag);
}

void api_fail_stopping(struct api_request *request)
{
	api_fail(request, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping", "try again when it has started",
		 "rulesd stops");
}

void api_fail_engine(struct api_request *request, int err, const struct diag *diag)
{
	unsigned int status;

	switch (err) {
	case -EBADMSG:
		status = MHD_HTTP_BAD_REQUEST;
		break;
	case -EINVAL:
	case -ENOSPC:
		status = MHD_HTTP_UNPROCESSABLE_CONTENT;
		break;
	case -EEXIST:
	case -EALREADY:
		status = MHD_HTTP_CONFLICT;
		break;
	case -ENOENT:
	case -ENODEV:
		status = MHD_HTTP_NOT_FOUND;
		break;
	default:
		status = MHD_HTTP_INTERNAL_SERVER_ERROR;
		break;
	}
	api_fail_diag(request, status, diag);
}

struct presence {
	const char *key;
	bool found;
};

static enum MHD_Result look_for(void *arg, enum MHD_ValueKind kind, const char *key,
				const char *value)
{
	struct presence *presence = arg;

	(void)kind;
	(void)value;
	presence->found |= strcmp(key, presence->key) == 0;
	return presence->found ? MHD_NO : MHD_YES;
}

/* "?KEY" is not as if it were not there: what it filters would be everything. */
const char *api_query(const struct api_request *request, const char *key)
{
	const char *value =
		MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, key);
	struct presence presence = {.key = key};

	if (value)
		return value;
	MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, look_for, &presence);
	return presence.found ? "" : NULL;
}

int api_query_bool(struct api_request *request, const char *key, bool *value)
{
	const char *text = api_query(request, key);

	if (text && *text && strcmp(text, "0") != 0 && strcmp(text, "false") != 0 &&
	    strcmp(text, "1") != 0 && strcmp(text, "true") != 0) {
		api_fail(request, MHD_HTTP_BAD_REQUEST, "parameter", "1 or 0 is wanted", "%s=%s",
			 key, text);
		return -EINVAL;
	}
	*value = text && strcmp(text, "0") != 0 && strcmp(text, "false") != 0;
	return 0;
}

json_t *api_body_json(struct api_request *request)
{
	json_error_t error = {0};
	json_t *json = NULL;

	if (request->body)
		json = json_loadb((const char *)request->body->data, request->body->len,
				  JSON_REJECT_DUPLICATES, &error);
	if (json)
		return json;
	api_fail(request, MHD_HTTP_BAD_REQUEST, "syntax", "send one JSON object", "the body: %s",
		 request->body ? error.text : "is empty");
	return NULL;
}

json_t *api_string_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}
