/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_parts.h - what the parts of the compiler share; nobody else includes it.
 *
 *   compile.c          an image from nothing
 *   compile_change.c   an image from the one before and an edit of the model
 *   compile_names.c    names in the registry
 *   compile_peers.c    what rules name: counted, and active when it is named and exists
 *   compile_lists.c    lists of groups: who carries them, which set they stand for
 *   compile_sets.c     numbered sets of peers
 *   compile_prefixes.c prefixes -> sets, what is around them included
 *   compile_members.c  which addresses stand for another set after a change
 *   compile_ranges.c   rules of a group -> flat port ranges
 *   compile_policy.c   lists of groups -> port intervals by peer and protocol
 *   compile_ifaces.c   interfaces of this host and their guards
 *
 * Both ways take the same steps; an image from nothing is a change of everything without a journal
 * (nobody sees a half-made one) and without a delta (nothing was there before).
 */
#pragma once

#include "rulesd/compile.h"
#include "rulesd/image_delta.h"
#include "rulesd/image_parts.h"

struct compile {
	struct image *image;
	const struct model *model;
	struct numbers *numbers;
	const struct image *previous; /* or NULL */
	const char *host;	      /* or NULL: every interface is compiled */
	struct diag *diag;
	struct journal *journal;   /* or NULL */
	struct image_delta *delta; /* or NULL */
	GHashTable *old_lists;	   /* struct zone_peer's name -> struct model_prefix_list before */
	GPtrArray *regarded;	   /* of struct image_zone whose foreign changes */
	GPtrArray *peers;	   /* of struct zone_peer whose count or target changed */
	GArray *dirty_sets;	   /* of struct dirty_set */
	GPtrArray *dirty_nodes;	   /* of struct dirty_node (owned) */
	GPtrArray *dirty_lists;	   /* of struct image_list: their policy is to be compiled anew */
	GPtrArray *fresh_sets;	   /* of struct image_set made by this change */
	GPtrArray *fresh_policies; /* of struct image_policy */
	GPtrArray *idle_sets;	   /* that lost their last user, some of them for a moment only */
	GPtrArray *idle_policies;
	GPtrArray *idle_lists; /* of struct image_list that nobody carries any more */
	GHashTable *edited;    /* struct model_interface that the edit brings */
	GPtrArray *slots;      /* of char *: ids that got a slot */
	GHashTable *ifaces;    /* id -> struct image_iface_change: those of this host that differ */
};

/* A list whose set in one zone is computed anew. */
struct dirty_set {
	struct image_list *list;
	struct list_set *at;
	uint32_t before;
};

/* A prefix whose set is computed anew, or was. */
struct dirty_node {
	struct image_zone *zone;
	struct prefix_node *node;
	uint32_t before; /* its set */
	bool done;
};

void compile_init(struct compile *compile);
void compile_clear(struct compile *compile);

void compile_exhausted(struct compile *compile, const char *what, const char *name);
/* The zone of a network, made if it is not there; NULL when numbers are exhausted. */
struct image_zone *compile_zone(struct compile *compile, const char *network);

/* compile_names.c: in text, which is returned. */
#define COMPILE_NAME_SIZE 192
char *compile_name_of_cidr(const char *network, const struct cidr *cidr,
			   char text[COMPILE_NAME_SIZE]);
char *compile_name_of_id(const char *network, const char *id, char text[COMPILE_NAME_SIZE]);

/* compile_peers.c */

/* The rules of a group name their peers once more, or once less; so do exempt endpoints. */
void compile_group_names(struct compile *compile, struct image_zone *zone,
			 const struct model_group *group, bool more);
void compile_exempt_names(struct compile *compile, struct image_zone *zone,
			  const struct model_network *network, bool more);
/* The group or prefix list itself was made, replaced or removed. */
void compile_touch_group(struct compile *compile, struct image_zone *zone, const char *id);
void compile_touch_prefix_list(struct compile *compile, struct image_zone *zone, const char *id);
/* Gives what is named now to its addresses, and takes away what is not any more. */
void compile_settle_peers(struct compile *compile);
/* The number of what a rule or an exempt endpoint names, 0 when it matches nothing. */
uint32_t compile_peer(const struct image_zone *zone, const struct model_peer *peer);
uint32_t compile_cidr_peer(const struct image_zone *zone, const struct cidr *cidr);
struct image_group *compile_group(struct compile *compile, struct image_zone *zone, const char *id);

/* compile_sets.c: each set that is taken is given back once. */
uint32_t compile_take_set(struct compile *compile, const GArray *peers);
void compile_give_set(struct compile *compile, uint32_t set);
void compile_sort_peers(GArray *peers);
void compile_append_set(const struct image *image, uint32_t set, GArray *peers);
bool compile_too_many(struct compile *compile, const struct image_zone *zone, const char *what,
		      const char *address, const GArray *peers, struct place place);

/* compile_lists.c */
void compile_carry(struct compile *compile, struct image_zone *zone,
		   const struct model_interface *iface);
void compile_uncarry(struct compile *compile, struct image_zone *zone,
		     const struct model_interface *iface);
/* What the list stands for in the zone is to be computed anew. */
void compile_dirty_set(struct compile *compile, struct image_list *list, struct image_zone *zone);
void compile_dirty_sets(struct compile *compile); /* computes them */
void compile_sweep_lists(struct compile *compile);

/* compile_prefixes.c */
void compile_name_prefix(struct compile *compile, struct image_zone *zone, const struct cidr *cidr,
			 uint32_t peer, bool more);
void compile_prefixes(struct compile *compile);
void compile_prune_prefixes(struct compile *compile);

/* compile_members.c; before, after: of struct model_interface that the edit takes and brings */
void compile_members(struct compile *compile, const GPtrArray *before, const GPtrArray *after);
/* Addresses that several networks have, in an image from nothing. */
void compile_shared(struct compile *compile);

/* compile_ranges.c */
const struct range_list *compile_group_ranges(struct compile *compile, struct image_group *group);
const struct range_list *compile_exempt_ranges(struct compile *compile, struct image_zone *zone);
void compile_drop_ranges(struct compile *compile, struct range_list **ranges);

/* compile_policy.c */

/* Their policies are compiled anew before the change ends. */
void compile_dirty_list(struct compile *compile, struct image_list *list);
void compile_dirty_group(struct compile *compile, struct image_group *group);
void compile_dirty_zone(struct compile *compile, struct image_zone *zone);
/* The policy of a list, compiled if it must be; NULL when numbers are exhausted. */
struct image_policy *compile_policy(struct compile *compile, struct image_list *list);
void compile_policies(struct compile *compile);

/* compile_ifaces.c */
bool compile_is_ours(const struct model_interface *iface, const char *host);
void compile_iface(struct compile *compile, const struct model_interface *iface);
void compile_iface_gone(struct compile *compile, const char *id);
/* Before its content is overwritten. */
void compile_iface_changes(struct compile *compile, struct image_iface *iface);
void compile_zone_conntrack(struct compile *compile, const struct image_zone *zone);
bool compile_iface_differs(const struct image_iface *a, const struct image_iface *b);
