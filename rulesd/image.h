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
	struct sg_policy_key key; /* key.policy is the number of the policy */
	GArray *intervals;	  /* of struct sg_interval, at least one */
};

/* The compiled rules of one distinct list of groups in one network. Immutable. */
struct image_policy {
	uint32_t number;
	char *content; /* canonical bytes (without the number) that tell equal policies apart; see
			  compile.c */
	size_t content_length;
	uint8_t has[SG_DIRS]; /* enum sg_has_bits */
	GPtrArray *entries;   /* of struct image_ports, sorted by direction, peer, protocol */
};

/* A list of peers, sorted. Sets of one peer have no struct image_set: their number is SG_SET_SINGLE
 * | peer. */
struct image_set {
	uint32_t number;
	GArray *peers; /* of uint32_t, 2..SG_SET_PEERS */
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
	uint32_t flags;		     /* enum sg_iface_flags */
	uint8_t mac[6];
	struct sg_addr addr4, addr6; /* first own ones or zero */
	enum model_hook hook;
	struct model_conntrack conntrack; /* effective, seconds */
	GArray *guards; /* of struct image_guard, sorted by cidr_compare, no duplicates */
	GArray *vlans;	/* of uint16_t */
};

struct image {
	GHashTable *policies; /* GBytes content -> struct image_policy (owned) */
	GHashTable *sets;     /* GBytes of the peers -> struct image_set (owned) */
	GHashTable *members;  /* struct sg_member_key -> GUINT_TO_POINTER(set number) */
	GHashTable *prefixes; /* struct sg_prefix_key -> GUINT_TO_POINTER(set number); nested
				 prefixes carry the outer's */
	GHashTable *ifaces;   /* id -> struct image_iface (owned) */
	GHashTable
		*rule_names; /* GUINT_TO_POINTER(rule number) -> "sg-web/https" (what users see) */
	/* Kept by the image_add_ functions for the finders below. */
	GHashTable *policies_by_number; /* GUINT_TO_POINTER(number) -> struct image_policy */
	GHashTable *sets_by_number;	/* GUINT_TO_POINTER(number) -> struct image_set */
	uint64_t prefix_lengths[3];	/* bit n: prefixes has one of n mapped bits (0-128) */
};

struct image *image_new(void);
void image_free(struct image **image);

const struct image_iface *image_iface(const struct image *image, const char *id);
/* "sg-web/https"; NULL for exempt endpoints and unknown numbers. */
const char *image_rule_name(const struct image *image, uint32_t rule);
const struct image_policy *image_policy_by_number(const struct image *image, uint32_t number);
const struct image_set *image_set_by_number(const struct image *image, uint32_t number);

/* A policy that owns copies of nothing yet: number 0, no content, no entries. */
struct image_policy *image_policy_new(void);
void image_policy_free(struct image_policy *policy);
/* Take ownership; policy->content (or set->peers) must be complete, it is the key. */
void image_add_policy(struct image *image, struct image_policy *policy);
void image_add_set(struct image *image, struct image_set *set);
void image_add_member(struct image *image, uint32_t zone, const struct sg_addr *addr, uint32_t set);
void image_add_prefix(struct image *image, uint32_t zone, const struct cidr *cidr, uint32_t set);

/* What the kernel's maps answer: the set number, 0 when there is none. */
uint32_t image_find_member(const struct image *image, uint32_t zone, const struct sg_addr *addr);
uint32_t image_find_prefix(const struct image *image, uint32_t zone, const struct sg_addr *addr);
/* The intervals of one (direction, peer, protocol), NULL when there are none. */
const struct image_ports *image_policy_ports(const struct image_policy *policy, unsigned int dir,
					     uint32_t peer, uint16_t proto);
/* The order of policy->entries. */
int image_ports_compare(const struct sg_policy_key *a, const struct sg_policy_key *b);
