/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_clients.h - the connections of an HTTP server: whose they are, what they are doing, and when
 * they have taken too long or too many; private to http_loop.c but for the declarations that it
 * shares with its users.
 *
 * A connection that is closed from here is shut down; libmicrohttpd notices and frees it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum http_phase {
	HTTP_HEAD, /* nothing, or a part of a request's head, has come */
	HTTP_BODY,
	HTTP_WORK, /* we have something to do, or to wait for */
	HTTP_REPLY,
};

/* Seconds in a phase, and bytes a second that it takes longer. They are seconds in which we had
 * time for the client: what it sends while the main loop is busy with something else is not late.
 */
#define HTTP_FIRST_HEAD_SECS 10
#define HTTP_KEPT_SECS	     30 /* between requests */
#define HTTP_BODY_SECS	     10
#define HTTP_BODY_RATE	     (64u << 10)
#define HTTP_REPLY_SECS	     30
#define HTTP_REPLY_RATE	     (256u << 10)

struct http_owner {
	uint64_t key; /* who is the same has the same */
	bool trusted; /* its connections are the last to be closed */
};

struct http_limits {
	unsigned int connections; /* of all; a quarter is kept free by closing idle ones */
	unsigned int others;	  /* of owners that are not trusted, together */
	unsigned int each;	  /* of one of those */
	void (*owner_of)(int fd, struct http_owner *owner);
};

struct http_clients;
struct http_client;

struct http_clients *http_clients_new(const struct http_limits *limits);
/* Every connection must have gone. */
void http_clients_free(struct http_clients **clients);
/* A new connection; others may be shut down for it, or it itself. */
struct http_client *http_clients_add(struct http_clients *clients, int fd);
void http_clients_remove(struct http_clients *clients, struct http_client *client);
/* bytes: more of the body, or the size of the reply. */
void http_client_phase(struct http_client *client, enum http_phase phase, uint64_t bytes);
