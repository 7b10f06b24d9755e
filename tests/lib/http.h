/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.h - requests to rulesd's socket as any client sends them: with libcurl, as another user, or
 * byte by byte.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

struct http_answer {
	long status; /* 0: the connection ended without an answer */
	char *text;
	char *etag;   /* with its quotes, or NULL */
	char *allow;  /* of a 405, or NULL */
	json_t *json; /* NULL when it is none */
};

/* body and header ("Name: value") may be NULL. The caller frees the answer. */
struct http_answer http_request(const char *socket, const char *method, const char *path,
				const char *body, const char *header);
void http_free(struct http_answer *answer);
#define AUTO_HTTP __attribute__((cleanup(http_free)))

/* The status of the same request, or only of its parts, when another process sends it. */
struct http_peer {
	uid_t uid;
	gid_t gid;
	gid_t group; /* supplementary; equal to gid: none */
};
/* 0: it could not connect. */
long http_status_as(const struct http_peer *peer, const char *socket, const char *method,
		    const char *path, const char *body);

/* A connection that has sent these bytes and nothing more. */
int http_send_bytes(const char *socket, const char *bytes, size_t length);

/* Sends and fails the test unless the status is this one, showing the answer. */
struct http_answer http_expect(const char *socket, long status, const char *method,
			       const char *path, const char *body, const char *header);
/* The same, of which only the code of the first error matters. */
void http_refuses(const char *socket, long status, const char *code, const char *method,
		  const char *path, const char *body);
