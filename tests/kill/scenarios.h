/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios.h - the changes and starts in the middle of which rulesd dies, or is refused.
 */
#pragma once

#include <stdbool.h>

struct world;

struct scenario {
	const char *name;
	void (*prepare)(struct world *world); /* to what holds before; may find anything */
	long (*act)(struct world *world);     /* the change; an HTTP status, or 0 */
	void (*between)(struct world *world); /* to what may hold in between; or NULL */
	bool starts;			      /* the change is a start */
	bool bare;			      /* nothing is filtered before, or afterwards */
	bool spoiled; /* kernel and rulesd do not agree before, nor when it fails */
	bool rereads; /* a start asks for the new one again */
	bool older;   /* it needs the rulesd of an older version */
};

extern const struct scenario scenarios[];
extern const unsigned int scenarios_count;

/* The old policy and nothing else holds, whatever held. */
void scenario_to_old(struct world *world);
/* A rulesd that has nothing begins with it. */
void scenario_begin_anew(struct world *world);
/* One change after the other until rulesd ends, for a thread; world: struct world. */
void *scenario_change_all(void *world);
