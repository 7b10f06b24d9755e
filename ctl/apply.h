/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply.h - what a changed policy came to; apply, patch and rollback tell it alike.
 */
#pragma once

#include <jansson.h>

#include "ctl/command.h"

/* Prints the answer of PUT /v1/policy ("generation 12: ..."), and warns about interfaces that are
 * waiting or failed. */
/* The policy files that the operands name, to rulesd: PUT or PATCH. */
enum exit_status apply_send(const struct args *args, const char *method);
enum exit_status apply_report(const struct args *args, const json_t *answer);
