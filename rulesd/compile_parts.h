/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_parts.h - what the parts of the compiler share; nobody else includes it.
 *
 *   compile.c        the order of the work, interfaces and their guards
 *   compile_names.c  names in the registry
 *   compile_peers.c  addresses and prefixes -> sets of peers
 *   compile_policy.c lists of groups -> port intervals by peer and protocol
 */
#pragma once

#include "rulesd/compile.h"

struct compile {
	const struct model *model;
	struct numbers *numbers;
	const struct image *previous; /* or NULL */
	struct image *image;
	struct diag *diag;
	GHashTable *policies; /* "NETWORK sg-a sg-b" -> struct image_policy: a thousand VMs with the
				 same groups cost one */
};

/* Keys of a table of strings, sorted, so that numbers are given in an order that only the content
 * decides. */
GPtrArray *compile_sorted_keys(GHashTable *table);
uint32_t compile_zone(struct compile *compile, const char *network);

/*
 * The number of what a rule of network names; 0 for what matches nothing here (an external group or
 * prefix list) and when numbers are exhausted (which is in diag).
 */
uint32_t compile_peer(struct compile *compile, const struct model_network *network,
		      const struct model_peer *peer);
uint32_t compile_cidr_peer(struct compile *compile, const struct model_network *network,
			   const struct cidr *cidr);

/* Fills image.members, image.prefixes and image.sets for every network. */
void compile_peers(struct compile *compile);

/* The policy of a list of groups, made or found; NULL when numbers are exhausted (which is in
 * diag). */
struct image_policy *compile_policy(struct compile *compile, const struct model_network *network,
				    const struct model_groups *groups);

void compile_exhausted(struct compile *compile, const char *what, const char *name);
