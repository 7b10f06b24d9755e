/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_loop.h - libmicrohttpd driven by the GLib main loop: one thread, one event loop.
 */
#pragma once

#include <glib.h>
#include <microhttpd.h>

#define HTTP_CONNECTIONS  256
#define HTTP_TIMEOUT_SECS 30

/*
 * Starts a daemon on a listening, non-blocking socket, which it owns from then on, also on failure.
 * completed may be NULL. 0 or -errno.
 */
int http_start(int fd, MHD_AccessHandlerCallback access, MHD_RequestCompletedCallback completed,
	       void *arg, struct MHD_Daemon **daemon, guint *source);
/*
 * Has the server look at its connections in the next turn of the main loop. Whoever resumes one
 * must call it: libmicrohttpd, driven from outside, does not wake for that by itself, and the
 * answer would wait for the next client.
 */
void http_wake(guint source);
/* Closes every connection. Suspended ones must have been resumed. */
void http_stop(struct MHD_Daemon **daemon, guint *source);
