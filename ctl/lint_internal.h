/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_internal.h - what the files of checks share: one run, and who uses what in the model.
 */
#pragma once

#include "ctl/lint.h"
#include "ctl/lint_cover.h"
#include "rulesd/json_doc.h"

/* Who uses a group. */
struct lint_group {
	const struct model_group *group;
	guint carriers;	 /* interfaces of the policy, and those attached by hand with --live */
	guint64 members; /* addresses of its interfaces */
	bool attached;	 /* an interface that is attached by hand carries it: addresses unknown */
	bool referenced; /* a rule of another group names it */
	bool self;	 /* one of its own rules does */
	GPtrArray *with; /* of struct model_group: those that all its interfaces carry besides it */
	bool counted;	 /* with is made */
	const struct model_interface *carrier; /* one of its interfaces, or NULL */
};

struct lint {
	const struct model *model;
	const GPtrArray *sources;
	const struct lint_live *live; /* or NULL */
	struct lint_findings *findings;
	struct cover_peers *peers;
	GPtrArray *docs;       /* of struct jdoc, of each source */
	GHashTable *groups;    /* struct model_group -> struct lint_group */
	GPtrArray *in_order;   /* of struct lint_group, by network and id */
	GHashTable *lists;     /* struct model_prefix_list that a rule names */
	GHashTable *services;  /* char *: names of services that a rule was written with */
	GHashTable *foreign;   /* char *: "NETWORK\nPEER" that a rule of NETWORK needs */
	GPtrArray *interfaces; /* of struct model_interface, by id */
};

/* lint_index.c */
void lint_index_make(struct lint *lint);
void lint_index_clear(struct lint *lint);
struct lint_group *lint_group_of(const struct lint *lint, const struct model_group *group);
/* "any", "10.0.0.0/8", "sg-x", "blue:sg-x", "pl-y"; the caller frees it. */
char *lint_peer_text(const struct model_peer *peer, const char *network);
/* "a", "a and b", "a, b and c", "a, b, c and 4 more". The caller frees it. */
char *lint_join(const GPtrArray *texts);
/* Whether the peer stands for no address now: an empty list, an external one, a group without
 * members (not in a network without interfaces, where others attach them). */
bool lint_peer_is_empty(const struct lint *lint, const struct model_peer *peer);

/* An interface, or what stands at path ("/allowed_addresses/0") in it. */
struct lint_at lint_at_interface(const struct lint *lint, const struct model_interface *iface,
				 const char *path);

/* lint_live.c: false when the daemon has no such rule. */
bool lint_live_hits(const struct lint_live *live, const struct model_group *group,
		    const struct model_rule *rule, guint64 *hits);
bool lint_live_attached(const struct lint_live *live, const char *network, const char *group);

/* The checks by subject, one file each. */
void lint_check_redundancy(struct lint *lint);
void lint_check_rules(struct lint *lint);
void lint_check_exposure(struct lint *lint);
void lint_check_references(struct lint *lint);
void lint_check_definitions(struct lint *lint);
void lint_check_interfaces(struct lint *lint);
void lint_check_quotas(struct lint *lint);
void lint_check_descriptions(struct lint *lint);
/* Takes the findings that an x-lint-ignore accepts out, and says which of those are wrong or
 * accept nothing. Returns how many it took. */
unsigned int lint_apply_ignores(struct lint *lint);
