/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_addresses.h - a peer of a rule as a set of addresses. What lint_cover.h is made from.
 */
#pragma once

#include "ctl/lint_cover.h"

/* Ranges sorted, apart from each other; a group has none and a name instead. Interned: two peers
 * that stand for the same prefix list or group are one object. */
struct cover_set {
	const struct cover_range *ranges;
	guint count;
	const void *group;	/* struct model_group, or NULL */
	struct cover_range own; /* of a CIDR */
};

/* The set of a peer, which cover_peers owns. */
const struct cover_set *cover_set_of(struct cover_peers *peers, const struct model_peer *peer);
/* Whether one set alone holds another one. */
bool cover_set_holds(const struct cover_set *outer, const struct cover_set *inner);
/* Whether the union of the sets holds the whole set. scratch: of struct cover_range. */
bool cover_union_holds(const struct cover_set *const *sets, guint count,
		       const struct cover_set *set, GArray *scratch);
bool cover_union_holds_range(const struct cover_set *const *sets, guint count,
			     const struct cover_range *range, GArray *scratch);
