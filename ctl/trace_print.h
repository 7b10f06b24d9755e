/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace_print.h - a trace for people: the verdict, and the steps to it. */
#pragma once

#include <jansson.h>

/* trace: as POST /v1/trace answers. */
void trace_print(const json_t *trace);
