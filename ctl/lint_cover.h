/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_cover.h - what rules allow as sets, and whether some of it is allowed by others already.
 *
 * A rule is a union of boxes: a protocol, an interval of ports (or of ICMP type * 256 + code; every
 * one for other protocols) and a peer. Covering is exact over unions of boxes. Peers are sets of
 * addresses: any, a CIDR, the entries of a prefix list; a group is a set of its own, because its
 * members change without the rules: it lies within itself and within every address of both
 * families, and holds nothing but itself.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "rulesd/model.h"

/* Addresses of one family, both ends included, as numbers in host order. */
struct cover_range {
	bool v6;
	unsigned __int128 first;
	unsigned __int128 last;
};

/* Sets of addresses by peer, made once for all rules of a model. Borrows the model. */
struct cover_peers;
struct cover_peers *cover_peers_new(const struct model *model);
void cover_peers_free(struct cover_peers **peers);

/* Rules that may stand in for each other: those of one direction of one or more groups. */
struct cover;
struct cover *cover_new(struct cover_peers *peers);
void cover_free(struct cover **cover);

/* Rules are numbered from 0 in the order in which they are added; peers that skip has are left out.
 */
guint cover_add(struct cover *cover, const struct model_rule *rule, const GHashTable *skip);

#define COVER_EVERY_PEER (~0u)
/* Takes a rule, or one of its peers, out of what covers others. */
void cover_remove(struct cover *cover, guint rule, guint peer);

/*
 * Whether all that the rule (one peer of it, or COVER_EVERY_PEER) allows is allowed by the others
 * that were not removed; it need not be in itself. used: the numbers of rules that were needed for
 * it are appended, sorted, without repeats; not the least set. NULL when nobody asks.
 */
bool cover_holds(struct cover *cover, guint rule, guint peer, GArray *used);
/* Whether one rule alone, removed or not, allows all that another one does. */
bool cover_by_one(struct cover *cover, guint rule, guint by);
/* The other rules that could: those with ports where the rule begins. Of guint, sorted, without
 * repeats. */
void cover_candidates(struct cover *cover, guint rule, GArray *candidates);
/* cover_holds by those of the rules (guint) alone. */
bool cover_by_some(struct cover *cover, guint rule, guint peer, const GArray *by);

/* Whether the peers of a rule together hold all addresses of a range. */
bool cover_peers_hold(struct cover_peers *peers, const struct model_rule *rule,
		      const struct cover_range *range);
bool cover_peer_holds(struct cover_peers *peers, const struct model_peer *peer,
		      const struct cover_range *range);
struct cover_range cover_range_of_cidr(const struct cidr *cidr);
/* The longest range of a peer; 0 for a group, and for what holds nothing. */
unsigned __int128 cover_peer_size(struct cover_peers *peers, const struct model_peer *peer);
