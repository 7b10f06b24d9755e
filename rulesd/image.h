/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.h - the compiled policy (IR): what every dataplane loads and the offline evaluator reads.
 *
 * compile.c makes it from a model; it holds the very keys and values of bpf/abi.h, so that nothing
 * is translated twice. No products: members + prefixes + rules of each distinct list of groups. It
 * has no epochs: those belong to apply.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "rulesd/model.h"
#include "rulesd/numbers.h"

/* One (direction, peer, protocol) of a policy: sorted disjoint intervals. */
struct image_ports {
	struct sg_policy_key key;	     /* key.policy is the number of the policy */
	uint32_t count;			     /* at least one */
	const struct sg_interval *intervals; /* inside the policy's content */
};

struct image_policy {
	uint32_t number;
	char *content; /* canonical bytes (without the number) that tell equal policies apart; see
			  compile.c */
	size_t content_length;
	uint32_t users;		     /* lists of groups that it was compiled from */
	bool fresh;		     /* made by the change at hand */
	uint8_t has[SG_DIRS];	     /* enum sg_has_bits */
	struct image_ports *entries; /* sorted by direction, peer, protocol */
	uint32_t entry_count;
};

/* A list of peers, sorted. Sets of one peer have no struct image_set: their number is SG_SET_SINGLE
 * | peer. */
struct image_set {
	uint32_t number;
	uint32_t users; /* lists of groups, prefixes and shared addresses that stand for it */
	bool fresh;	/* made by the change at hand */
	GArray *peers;	/* of uint32_t, 2..SG_SET_PEERS */
};

struct image_guard {
	struct cidr cidr; /* a host for an own address */
	uint32_t bits;	  /* enum sg_guard_bits, those of the shorter prefixes around it included */
};

/* An interface that this host attaches. Members elsewhere appear in members only. */
struct image_iface {
	char *id;
	char *device;
	uint32_t slot;
	uint32_t zone;
	struct image_policy *policy; /* shared, borrowed from image.policies */
	struct image_list *list;     /* the compiler's: whose groups they are */
	uint32_t flags;		     /* enum sg_iface_flags */
	uint8_t mac[6];
	struct sg_addr addr4, addr6; /* first own ones or zero */
	enum model_hook hook;
	struct model_conntrack conntrack; /* effective, seconds */
	GArray *guards; /* of struct image_guard, sorted by cidr_compare, no duplicates */
	GArray *vlans;	/* of uint16_t */
};

/*
 * It has no table of members: the model knows whose an address is, and the image what the groups of
 * an interface stand for. So it borrows the model, which must outlive it, and follows the model's
 * changes through compile_change() only. What the compiler keeps besides, to make a change at the
 * cost of what changes, is in image_parts.h.
 */
struct image {
	const struct model *model;
	GHashTable *policies;	/* struct image_policy (owned), equal by content */
	GHashTable *sets;	/* struct image_set (owned), equal by peers */
	GHashTable *ifaces;	/* id -> struct image_iface (owned) */
	GHashTable *rule_names; /* GUINT_TO_POINTER(rule number) -> "sg-web/https" (what users see);
				 * also of rules that have gone meanwhile */
	GHashTable *policies_by_number; /* GUINT_TO_POINTER(number) -> struct image_policy */
	GHashTable *sets_by_number;	/* GUINT_TO_POINTER(number) -> struct image_set */
	GHashTable *zones;		/* network name -> struct image_zone (owned) */
	GHashTable *zones_by_number;
};

void image_free(struct image **image);

const struct image_iface *image_iface(const struct image *image, const char *id);
/* "sg-web/https"; NULL for exempt endpoints and unknown numbers. */
const char *image_rule_name(const struct image *image, uint32_t rule);
const struct image_policy *image_policy_by_number(const struct image *image, uint32_t number);
const struct image_set *image_set_by_number(const struct image *image, uint32_t number);

/*
 * Every address that stands for a set, once for each zone; every prefix that does. Nothing is
 * built for it: the walk goes over the model's interfaces.
 */
typedef void (*image_member_fn)(const struct sg_member_key *key, uint32_t set, void *arg);
typedef void (*image_prefix_fn)(const struct sg_prefix_key *key, uint32_t set, void *arg);
void image_each_member(const struct image *image, image_member_fn each, void *arg);
void image_each_prefix(const struct image *image, image_prefix_fn each, void *arg);
/*
 * The members a part at a time, each part of at most so many interfaces, while the image may change
 * between two parts: who is a member all the time is seen, now and then twice. next returns false
 * when there is nothing more to come.
 */
struct image_member_walk;
struct image_member_walk *image_member_walk_new(const struct image *image);
void image_member_walk_free(struct image_member_walk **walk);
bool image_member_walk_next(const struct image *image, struct image_member_walk *walk,
			    unsigned int most, image_member_fn each, void *arg);
/* Whether there is any prefix. */
bool image_has_prefix(const struct image *image);
/* The network that a zone stands for; NULL: none. Borrowed. */
const char *image_zone_name(const struct image *image, uint32_t zone);
/* The set of exactly this prefix (nested prefixes carry the outer's peers), 0 when there is none.
 */
uint32_t image_prefix_set(const struct image *image, const struct sg_prefix_key *key);

/* What the kernel's maps answer: the set number, 0 when there is none. */
uint32_t image_find_member(const struct image *image, uint32_t zone, const struct sg_addr *addr);
uint32_t image_find_prefix(const struct image *image, uint32_t zone, const struct sg_addr *addr);
/* The intervals of one (direction, peer, protocol), NULL when there are none. */
const struct image_ports *image_policy_ports(const struct image_policy *policy, unsigned int dir,
					     uint32_t peer, uint16_t proto);
/* The order of policy->entries. */
int image_ports_compare(const struct sg_policy_key *a, const struct sg_policy_key *b);
