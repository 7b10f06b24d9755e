/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics.h - what rulesd knows, as Prometheus text: GET /metrics of the API, and on a TCP port of
 * its own with --metrics.
 */
#pragma once

#include "rulesd/engine.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The caller frees it. */
char *metrics_text(const struct engine *engine);

struct metrics;

/* Serves GET /metrics, and nothing else, on "ADDR:PORT" or "[v6]:PORT". 0 or -errno and *error. */
int metrics_open(const struct engine *engine, const char *address, struct metrics **metrics,
		 char **error);
void metrics_close(struct metrics **metrics);
