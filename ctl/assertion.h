/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * assertion.h - tests whose other side is not one address: {"src": "any"}, "sg-app", "pl-office",
 * "10.0.0.0/8", a range of ports. They hold for every packet that they stand for (reach.h).
 */
#pragma once

#include <jansson.h>

#include "ctl/offline.h"
#include "rulesd/diag.h"

/* Whether the test is one; others are traces of one packet. */
bool assertion_is_symbolic(const json_t *test);
/* Appends what is wrong with it in itself; pointer is its place in the file. */
void assertion_check(const json_t *test, const char *file, const char *pointer, struct diag *diag);
/*
 * Whether it holds. 0, and *problem (NULL: it holds; the caller frees it) and *trace, that of a
 * packet that shows it (NULL when it holds; the caller's); or -errno and why in diag: the policy
 * has no such interface, group or list.
 */
int assertion_ask(struct offline *offline, const json_t *test, char **problem, json_t **trace,
		  struct diag *diag);
