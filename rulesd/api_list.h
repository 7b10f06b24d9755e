/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_list.h - lists of what the policy has, in the order of their ids, written part by part
 * (api_parts.h): a million members take seconds and would take gigabytes as JSON objects. Private
 * to api*.c.
 *
 * When the policy changes before such a list is at its end, what has come since is not in it and
 * what has gone is not either; each object in it is as it was at one moment, and the answer's ETag
 * is that of its beginning, so that a change that relies on it is refused.
 */
#pragma once

#include "rulesd/api_request.h"

struct api_list;

struct api_list_kind {
	/* Names all of them, in any order. */
	void (*collect)(struct api_request *request, struct api_list *list);
	/* NULL: it has gone. */
	const void *(*find)(struct api_request *request, const char *network, const char *id);
	/* Adds what stands for it: nothing, one object or several. */
	void (*write)(struct api_request *request, const void *item, struct api_list *list,
		      void *arg);
};

/* Answers, now or later. arg is the list's (free may be NULL). */
void api_list_reply(struct api_request *request, const struct api_list_kind *kind, void *arg,
		    GDestroyNotify free_arg);
/* One that is to be in it; network "" where ids alone are the order. Copied. */
void api_list_name(struct api_list *list, const char *network, const char *id);
/* The interface of that id; in that network, unless it is "". */
const void *api_list_interface(struct api_request *request, const char *network, const char *id);
/* One more object; takes json. */
void api_list_add(struct api_list *list, json_t *json);
