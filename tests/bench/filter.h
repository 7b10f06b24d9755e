/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.h - one variant of a benchmark of paths: a path, the filter on it, and its traffic.
 */
#pragma once

#include <stdbool.h>

#include "tests/bench/bench.h"
#include "tests/bench/path.h"
#include "tests/bench/shape.h"
#include "tests/bench/traffic.h"

enum filter_kind {
	FILTER_NONE,
	FILTER_EMPTY, /* programs that do nothing, at the hook that the shape names: the floor */
	FILTER_STATE, /* programs that find and count in one line of memory of the connection: the
			 floor of filters with state */
	FILTER_DROP,  /* as FILTER_EMPTY, but what the VMs send is dropped */
	FILTER_NFT_CHAIN,     /* nftables with a chain that is empty: its hook */
	FILTER_NFT_CONNTRACK, /* and asks conntrack first, no more: its state */
	FILTER_NFTABLES,
	FILTER_NEUTRON,
	FILTER_TAPGUARD,
};

struct filter {
	const char *variant; /* as the results name it */
	enum filter_kind kind;
	struct shape shape;
	struct path *path[PATH_PAIRS];
	struct traffic *traffic[PATH_PAIRS];
	struct daemon *daemon; /* of FILTER_TAPGUARD */
	struct floor *floor;   /* of FILTER_EMPTY, _STATE and _DROP */
};

/*
 * Lets the conntrack of this machine hold so many connections, with as many buckets, until the
 * process ends; both settings are of the whole machine. Call it in the first namespace.
 */
void filter_conntrack_room(unsigned int connections);

/* Makes the paths, as many as the shape has pairs, and filters them as it says. variant is
 * borrowed.
 */
struct filter *filter_new(const char *variant, enum filter_kind kind, const struct shape *shape,
			  bool routed, bool vnet_hdr);
/* Filters by other rules and members; connections stay. */
void filter_reshape(struct filter *filter, unsigned int rules, unsigned int members);
void filter_free(struct filter **filter);

/* Whether it does what the shape says, with frames: what must pass does, what must not does not. */
void filter_check(struct bench *bench, struct filter *filter);
/* Whether all that was sent until now had the right fate. */
void filter_check_traffic(struct bench *bench, const struct filter *filter);
