/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_events.h - GET /v1/events: drops and new flows as they happen, to whoever listens.
 */
#pragma once

#include "rulesd/engine.h"

struct api_events;

/* source: of the HTTP server's loop (http_wake). */
struct api_events *api_events_new(struct engine *engine, guint source);
/* Ends every stream; the HTTP server must still run once. */
void api_events_close(struct api_events *events);
void api_events_free(struct api_events **events);
