/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * validate_internal.h - what the validate*.c files share: one run over a model.
 */
#pragma once

#include <glib.h>

#include "rulesd/diag.h"
#include "rulesd/model_edit.h"

struct validation {
	const struct model *model;
	struct diag *diag;
	bool references;	/* dangling ones are errors */
	GHashTable *devices;	/* name -> GPtrArray of struct model_interface */
	GHashTable *interfaces; /* id -> struct model_interface, of all networks */
	GHashTable *newer;	/* struct model_interface that an edit brings, or NULL */
};

/* Rules to groups and prefix lists, networks to networks. */
void validate_group(struct validation *v, const struct model_group *group);
void validate_network_peers(struct validation *v, const struct model_network *network);
/* The key of table that is nearest to id, or otherwise, as a fix; the caller frees it. */
char *validate_nearest(struct validation *v, GHashTable *table, const char *id,
		       const char *otherwise);
/* " in network \"blue\"", "" for the default one; the caller frees it. */
char *validate_in_network(const char *network);

/* False when validate_interface has something to say about the groups of those that carry them. */
bool validate_groups_are_fine(const struct validation *v, const struct model_network *network,
			      const struct model_groups *groups);
/* Groups, addresses, device and id; owners: struct sg_addr -> struct model_interface of the
 * network. */
void validate_interface(struct validation *v, struct model_interface *iface, GHashTable *owners);
GHashTable *validate_owners_new(void);

/* Whether what the group's rules refer to is there; false when one reference is an error. */
bool validate_group_is_fine(const struct validation *v, const struct model_group *group);
/* Numbers of the whole policy. */
void validate_totals(struct validation *v, const GPtrArray *networks);
bool validate_totals_are_fine(const struct model *model);
/* The whole model, with the interfaces of edit (NULL for none) behind the others. */
int validate_whole(const struct model *model, const struct model_edit *edit, bool references,
		   struct diag *diag);
