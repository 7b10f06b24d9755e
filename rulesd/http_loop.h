/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_loop.h - libmicrohttpd driven by the GLib main loop: one thread, one event loop.
 */
#pragma once

#include <glib.h>
#include <microhttpd.h>

#include "rulesd/http_clients.h"

#define HTTP_TIMEOUT_SECS 30 /* without a byte in either direction */

/*
 * Starts a daemon on a listening, non-blocking socket, which it owns from then on, also on failure.
 * completed may be NULL. 0 or -errno.
 */
int http_start(int fd, const struct http_limits *limits, MHD_AccessHandlerCallback access,
	       MHD_RequestCompletedCallback completed, void *arg, struct MHD_Daemon **daemon,
	       guint *source);
/* What a connection does now, for its deadlines (http_clients.h). It begins, and goes on after a
 * reply, with HTTP_HEAD. */
void http_phase(struct MHD_Connection *connection, enum http_phase phase, uint64_t bytes);
/* url without the "http://host" that a request line may begin with (RFC 9112, 3.2.2). */
const char *http_path(const char *url);
/*
 * Has the server look at its connections in the next turn of the main loop. Whoever resumes one
 * must call it: libmicrohttpd, driven from outside, does not wake for that by itself, and the
 * answer would wait for the next client.
 */
void http_wake(guint source);
/* Closes every connection. Suspended ones must have been resumed. */
void http_stop(struct MHD_Daemon **daemon, guint *source);
