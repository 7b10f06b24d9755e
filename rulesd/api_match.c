/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_match.c - If-Match and If-None-Match (RFC 9110, 13.1): lists of entity tags, on one line or
 * several, and "*". The tag of everything is the generation.
 *
 * Only requests that change something are judged: what GET answers has counters in it, which the
 * generation knows nothing of.
 */
#include <string.h>

#include "rulesd/api_request.h"
#include "rulesd/cleanup.h"

struct tags {
	const char *name; /* of the header */
	const char *held; /* the tag, with its quotes */
	bool weak;	  /* "W/" makes no difference */
	bool given, any, matches, malformed;
};

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t");
}

/* etagc of RFC 9110: no control characters, no spaces, no quotes. */
static size_t opaque_length(const char *at)
{
	size_t length = 0;

	while ((unsigned char)at[length] > 0x20 && at[length] != '"' && at[length] != 0x7f)
		length++;
	return length;
}

/* One tag at *at, which is moved behind it. */
static bool read_tag(struct tags *tags, const char **at)
{
	bool weak = strncmp(*at, "W/", 2) == 0;
	const char *start = *at + (weak ? 2 : 0);
	size_t length;

	if (*start != '"')
		return false;
	length = opaque_length(start + 1) + 2;
	if (start[length - 1] != '"')
		return false;
	if ((!weak || tags->weak) && strlen(tags->held) == length &&
	    strncmp(start, tags->held, length) == 0)
		tags->matches = true;
	*at = start + length;
	return true;
}

/* Empty elements are permitted (RFC 9110, 5.6.1.2). */
static bool read_list(struct tags *tags, const char *value)
{
	const char *at = skip_space(value);

	if (*at == '*') {
		tags->any = true;
		return *skip_space(at + 1) == '\0';
	}
	while (*at) {
		if (*at != ',' && !read_tag(tags, &at))
			return false;
		at = skip_space(at);
		if (*at && *at != ',')
			return false;
		at = skip_space(at + (*at == ','));
	}
	return true;
}

static enum MHD_Result read_header(void *arg, enum MHD_ValueKind kind, const char *key,
				   const char *value)
{
	struct tags *tags = arg;

	(void)kind;
	if (g_ascii_strcasecmp(key, tags->name) != 0)
		return MHD_YES;
	tags->given = true;
	tags->malformed |= !value || !read_list(tags, value);
	return MHD_YES;
}

static struct tags read_tags(struct api_request *request, const char *name, const char *held,
			     bool weak)
{
	struct tags tags = {.name = name, .held = held, .weak = weak};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, read_header, &tags);
	return tags;
}

/* Whether what the request would change is there. */
static bool is_there(const struct api_request *request)
{
	const struct engine *engine = request->engine;

	if (request->id)
		return model_interface(engine->model, request->id) != NULL;
	return true;
}

static bool refuse_malformed(struct api_request *request, const struct tags *tags)
{
	if (!tags->malformed)
		return false;
	api_fail(request, MHD_HTTP_BAD_REQUEST, "parameter",
		 "\"12\", a list of such tags, or * is wanted", "%s is no list of entity tags",
		 tags->name);
	return true;
}

void api_check_match(struct api_request *request)
{
	g_autofree char *held =
		g_strdup_printf("\"%" G_GUINT64_FORMAT "\"", engine_generation(request->engine));
	struct tags match, none;

	if (!request->route->changes)
		return;
	match = read_tags(request, MHD_HTTP_HEADER_IF_MATCH, held, false);
	none = read_tags(request, MHD_HTTP_HEADER_IF_NONE_MATCH, held, true);
	if (refuse_malformed(request, &match) || refuse_malformed(request, &none))
		return;
	if (match.given && !match.matches && !(match.any && is_there(request)))
		api_fail(request, MHD_HTTP_PRECONDITION_FAILED, "generation",
			 "read what holds now, and try again",
			 match.any ? "If-Match is *, and there is nothing; the generation is %s"
				   : "If-Match names another generation than %s",
			 held);
	else if (none.given && (none.matches || (none.any && is_there(request))))
		api_fail(request, MHD_HTTP_PRECONDITION_FAILED, "generation",
			 "read what holds now, and try again",
			 "If-None-Match holds what is there; the generation is %s", held);
}
