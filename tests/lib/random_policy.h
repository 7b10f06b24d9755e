/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random_policy.h - small but nasty policies for comparisons: overlapping prefixes, groups of two
 * networks with the same addresses, exempt endpoints; and addresses and ports that meet them.
 *
 * Everything is drawn from GLib's global generator: g_random_set_seed() repeats it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The interfaces with a device; the last byte of their MACs, and what they own. */
struct random_vm {
	const char *id;
	unsigned int mac;
	const char *v4, *v6;
};
#define RANDOM_VMS 3
extern const struct random_vm random_vms[RANDOM_VMS];

/* stateful: also VLANs and small allowances of flows, for tests that know them. */
char *random_policy(bool stateful);
/* The same with one thing changed: a rule, a peer, a list, an interface. */
char *random_policy_change(const char *policy);

#define RANDOM_PICK(array) ((array)[g_random_int_range(0, (gint32)G_N_ELEMENTS(array))])
bool random_chance(int percent);
unsigned int random_port(void);
/* Mostly one that policies know; with odd, sometimes one that nobody should use. */
const char *random_address(bool v6, bool odd);
