/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.h - requests to rulesd: HTTP with JSON over its Unix socket, through libcurl.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "rulesd/diag.h"

struct args;

/*
 * Sends body (NULL: none) and waits for the answer. path starts with "/v1/" and is escaped already.
 * The socket is
 * --socket, else TAPGUARD_SOCKET, else /run/tapguard/api.sock.
 * 0 and *answer (the caller's) and *status (may be NULL) on 2xx. Otherwise -errno and why in diag:
 * -ENOENT for 404, -ECONNREFUSED when no daemon answers, -EACCES, -EPROTO when the answer is not
 * understood, -EREMOTEIO for other refusals.
 */
int client_request(const struct args *args, const char *method, const char *path,
		   const json_t *body, json_t **answer, long *status, struct diag *diag);

/*
 * GETs an answer of many lines that may never end. Calls line for each of them, without its line
 * end, until it returns false, the daemon ends it, or seconds are over (0: never). 0, or -errno and
 * why in diag.
 */
typedef bool (*client_line_fn)(const char *line, void *arg);
int client_stream(const struct args *args, const char *path, unsigned int seconds,
		  client_line_fn line, void *arg, struct diag *diag);

/* Appends "?key=value" or "&key=value", escaped; nothing when value is NULL. */
void client_add_query(GString *path, const char *key, const char *value);
/* Appends one escaped segment of a path. */
void client_add_segment(GString *path, const char *segment);
const char *client_socket(const struct args *args);
