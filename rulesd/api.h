/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api.h - HTTP with JSON over a Unix socket: everything that sgctl does online.
 */
#pragma once

#include "rulesd/engine.h"
#include "rulesd/options.h"

struct api;

/*
 * What can be known to fail before anything is touched: groups that do not exist, and a socket
 * where somebody answers (-EADDRINUSE). Makes the socket's folder and joins its group. 0 or -errno
 * and *error (the caller frees it).
 */
int api_check(const struct options *options, char **error);
/*
 * Listens on options->socket. A stale socket is replaced; a live one is -EADDRINUSE. 0 or -errno
 * and *error (the caller frees it).
 */
int api_open(struct engine *engine, const struct options *options, struct api **api, char **error);
/* Removes the socket. */
void api_close(struct api **api);
