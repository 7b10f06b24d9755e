/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_parts.h - what an image keeps besides what dataplanes load: indexes that let the compiler
 * make a change at the cost of what changes. Only image*.c and compile*.c include it.
 *
 *   rule -> zone_peer        what the rules of a network name, and how often
 *   zone_peer -> group       groups that are named, by whichever network
 *   group -> image_list      lists of groups that contain it (what interfaces carry)
 *   image_list -> interfaces members; and those of this host, which share a compiled policy
 *   zone -> prefix_node      prefixes that are named, each with the set of all around it
 *
 * Everything that a change stores goes through journal.h.
 */
#pragma once

#include "rulesd/image.h"
#include "rulesd/journal.h"
#include "rulesd/prefix_tree.h"

struct image_zone;
struct image_group;

/* Something that rules of a network (or its exempt endpoints) name as the other side. */
struct zone_peer {
	char *name; /* in the registry, as compile_peer_name() makes it */
	struct image_zone *zone;
	uint32_t number; /* 0 while it has never been active */
	uint32_t count;	 /* how often it is named */
	uint32_t active; /* it is named, and neither missing nor external: its addresses have it */
	uint8_t kind;	 /* enum model_peer_kind */
	bool touched;	 /* it is in the list of the change at hand */
	struct place place; /* where it was named last */
	union {
		struct image_group *group; /* MODEL_PEER_GROUP */
		char *list;		   /* MODEL_PEER_PREFIX_LIST: its id */
		struct cidr cidr;	   /* MODEL_PEER_CIDR */
	};
};

/* One port range of one rule, flat, so that a policy is made by sorting and not by searching. */
struct rule_range {
	uint32_t peer;
	uint32_t rule;
	uint16_t proto;
	uint16_t first, last;
	uint8_t dir;
};

/* The rules of a group, or the exempt endpoints of a network, with their numbers. */
struct range_list {
	uint8_t has[SG_DIRS];
	GArray *ranges; /* of struct rule_range, in the order of the file */
};

struct image_group {
	char *id;
	struct image_zone *home;
	struct pointer_list lists;    /* of struct image_list: all that contain it */
	struct pointer_list compiled; /* of struct image_list: those of them with a policy */
	struct pointer_list refs;     /* of struct zone_peer, of any zone */
	struct range_list *rules;     /* NULL until a policy needs them */
	uint32_t dirty;
};

/* What a list of groups stands for in one zone. */
struct list_set {
	struct image_zone *zone;
	uint32_t set;
	uint32_t dirty; /* 1 + its index among those that the change at hand computes anew */
	struct list_set *next;
};

/*
 * Beyond this many interfaces a list does not keep them, so that one that leaves is found fast:
 * those of the network are looked through when the list stands for something else, which is about
 * as much work as to tell the kernel of as many.
 */
#define LIST_MAX_INTERFACES 4096u

struct image_list {
	const struct model_groups *groups; /* a reference */
	struct image_zone *home;
	struct pointer_list ifaces; /* of struct model_interface */
	uint32_t crowd; /* 0, or 1 + the number of interfaces once they are too many to keep */
	uint32_t dirty;
	struct list_set own;
	struct pointer_list here; /* of struct image_iface */
	struct image_policy *policy;
	struct image_group *group[]; /* as groups->ids */
};

/* An address that several networks have, which one zone sees: it stands for all their peers. */
struct shared_address {
	struct sg_addr addr;
	uint32_t set;
};

struct image_zone {
	char *network;
	uint32_t number;
	GHashTable *peers;  /* struct zone_peer, equal by name */
	GHashTable *groups; /* id -> struct image_group */
	GHashTable *lists;  /* struct model_groups -> struct image_list */
	/* Other zones -> GUINT_TO_POINTER(number of their groups that rules here name). */
	GHashTable *foreign;
	GHashTable *shared;	   /* struct shared_address; empty unless there are foreign ones */
	struct prefix_tree tree;   /* of what peers name */
	uint32_t regarded;	   /* foreign changes in the change at hand */
	struct range_list *exempt; /* NULL until a policy needs them */
};

struct image *image_new(const struct model *model);
struct image_zone *image_zone_new(const char *network, uint32_t number);
struct image_list *image_list_new(struct image_zone *home, const struct model_groups *groups);
struct image_group *image_group_new(struct image_zone *home, const char *id);
/* Without what they contain: they are freed one by one or all with the image. */
void image_zone_free(gpointer zone);
void image_list_free(gpointer list);
void image_group_free(gpointer group);
void zone_peer_free(gpointer peer);
void range_list_free(gpointer ranges);
void image_set_free(gpointer set);
void image_iface_free(gpointer iface);

void image_policy_free(gpointer policy);

struct image_set *image_find_set(const struct image *image, const GArray *peers);
struct image_policy *image_find_policy(const struct image *image, const char *content,
				       size_t length);
struct image_zone *image_zone_of(const struct image *image, const char *network);
struct zone_peer *image_peer_of(const struct image_zone *zone, const char *name);
struct image_list *image_list_of(const struct image_zone *zone, const struct model_groups *groups);
/* NULL when the list stands for nothing there and never did. */
struct list_set *image_list_set(struct image_list *list, const struct image_zone *zone);
struct shared_address *image_shared(const struct image_zone *zone, const struct sg_addr *addr);
/* Interfaces that carry the list, in the model as it is now. */
void image_list_each(const struct image *image, const struct image_list *list,
		     void (*each)(const struct model_interface *iface, void *arg), void *arg);
/* What one interface of a network stands for in a zone, other networks with its address apart. */
uint32_t image_interface_set(const struct image_zone *zone, const struct image_zone *home,
			     const struct model_interface *iface);
