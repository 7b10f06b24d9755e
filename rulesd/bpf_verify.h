/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_verify.h - what the parts of a verification share; only bpf_verify*.c include it.
 *
 *   bpf_verify.c           the steps in their order; what is told of a difference
 *   bpf_verify_programs.c  programs on devices, pins
 *   bpf_verify_ifaces.c    control, interfaces, ifindex maps, guards, VLANs
 *   bpf_verify_entries.c   members, prefixes, sets
 *   bpf_verify_policies.c  policies, their intervals, rules, peers
 *   bpf_verify_flows.c     tables of flows, and how many are counted
 *
 * Each step compares what is now with what is now, since nothing else of this process runs
 * meanwhile. Where a walk takes several steps, what it saw in an earlier one may be old: then
 * what looks wrong is asked for once more before it counts.
 *
 * The right value is written over a wrong one at once and for every generation: the wrong one was
 * nobody's decision, so there is no moment before which it holds.
 */
#pragma once

#include "rulesd/bpf_internal.h"

struct verification {
	struct dataplane *dataplane;
	const struct image *image; /* of the step at hand */
	bool repair;
	bool revoke; /* something that may have let flows in was put right */
	struct dataplane_verified result;

	unsigned int phase;
	/* of the phase at hand */
	struct table_walk *walk;
	struct image_member_walk *members;
	struct keyed *keyed;
	GHashTable *seen;
	GPtrArray *list;
	uint32_t next;
	uint64_t at_begin; /* generation */
	uint64_t buried_at_begin;
	unsigned int tries;
	GHashTable *views; /* of device_look_all, or NULL */
	struct flow_census *census;
};

/* A phase: one step of it; true when there is more to do. *code: it cannot go on. */
typedef bool (*verify_phase_fn)(struct verification *v, int *code, char **error);

bool verify_programs(struct verification *v, int *code, char **error);
bool verify_pins(struct verification *v, int *code, char **error);
bool verify_control(struct verification *v, int *code, char **error);
bool verify_interfaces(struct verification *v, int *code, char **error);
bool verify_ifindexes(struct verification *v, int *code, char **error);
bool verify_guards(struct verification *v, int *code, char **error);
bool verify_vlans(struct verification *v, int *code, char **error);
bool verify_sets(struct verification *v, int *code, char **error);
bool verify_members_held(struct verification *v, int *code, char **error);
bool verify_members_wanted(struct verification *v, int *code, char **error);
bool verify_hints(struct verification *v, int *code, char **error);
bool verify_prefixes(struct verification *v, int *code, char **error);
bool verify_policies(struct verification *v, int *code, char **error);
bool verify_policy_keys(struct verification *v, int *code, char **error);
bool verify_rules(struct verification *v, int *code, char **error);
bool verify_peers(struct verification *v, int *code, char **error);
bool verify_flow_tables(struct verification *v, int *code, char **error);
bool verify_flow_counts(struct verification *v, int *code, char **error);
void verify_flows_stop(struct verification *v);

/* One more difference; takes the three texts. True when it is to be repaired: then verify_repaired
 * says how that went (0 or a code), and takes error. */
bool verify_differs(struct verification *v, enum verify_kind kind, uint32_t slot, char *object,
		    char *expected, char *found);
void verify_repaired(struct verification *v, int code, char *error);

/* The pins alone, put right, at once: returns how many were wrong; *first and *error (of those that
 * could not be made) are the caller's to free. */
unsigned int verify_pins_now(struct dataplane *dataplane, char **first, char **error);

/* One part of a walk over a table; false at its end. */
bool verify_walk(struct verification *v, enum bpf_table_id id, table_each_fn each, int *code,
		 char **error);
/* Whether the entry only waits to be removed. */
bool verify_is_dead(const struct verification *v, enum bpf_table_id id, const void *key);
/* Makes a versioned entry read value in every generation; 0 removes it (not in a trie's sense). */
int verify_write(struct verification *v, enum bpf_table_id id, const void *key, uint32_t value,
		 bool remove, char **error);
/* "interface web-1", "slot 7". */
char *verify_slot_text(const struct verification *v, uint32_t slot);
const struct image_iface *verify_iface(const struct verification *v, uint32_t slot);
