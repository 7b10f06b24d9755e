/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filters.h - which flows are meant: the options that flows and flush share.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

struct args;

/* In the option lists of the commands that take filters. */
#define FILTER_OPTIONS                                                                \
	{"interface", "ID", "of this interface", 0, 0},                               \
		{"protocol", "P", "of this protocol: a name or a number", 0, 0},      \
		{"src", "A", "opened by this address: A, A:PORT or [v6]:PORT", 0, 0}, \
		{"dst", "A", "opened to this address, likewise", 0, 0},               \
		{"sport", "PORT", "opened from this port", 0, 0},                     \
		{"dport", "PORT", "opened to this port", 0, 0},                       \
		{"port", "PORT", "with this port at either end", 0, 0},               \
		{"state", "STATE", "in this state, as the table shows it", 0, 0},     \
		{"rule", "RULE", "allowed by this rule, such as sg-web/https", 0, 0}, \
	{                                                                             \
		"direction", "ingress|egress", "opened to the VM, or by it", 0, 0     \
	}

/*
 * Appends the query of the filters to path, all but --port, of which the API knows nothing: *port
 * is its value or -1. 0, or -EINVAL and *error.
 */
int filters_query(const struct args *args, GString *path, int *port, char **error);
/* Whether a flow of the API has the port at either end; true for port -1. */
bool filters_port_matches(const json_t *flow, int port);
