/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random_world.h - a policy of up to three networks that sees each other's groups, as objects that
 * change one by one: for comparing what follows a change with what starts anew.
 *
 * Addresses are few, and the same in every network; prefixes nest; groups and lists become external
 * and come back; a network comes and goes. Every world is a valid policy, but one that is deep puts
 * an address into more prefixes than it may be in. Drawn from GLib's global generator.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "rulesd/eval.h"
#include "rulesd/model.h"

#define WORLD_NETWORKS	 3
#define WORLD_GROUPS	 6
#define WORLD_LISTS	 3
#define WORLD_INTERFACES 8
#define WORLD_ADDRESSES	 12
#define WORLD_HOST	 "here"

/* What an object says is a function of its seed and of the flags. */
struct random_world {
	bool present[WORLD_NETWORKS]; /* the first two always are */
	bool deep;
	guint32 settings[WORLD_NETWORKS];
	guint32 groups[WORLD_NETWORKS][WORLD_GROUPS];
	bool external[WORLD_NETWORKS][WORLD_GROUPS]; /* never the first one */
	guint32 lists[WORLD_NETWORKS][WORLD_LISTS];
	bool external_list[WORLD_NETWORKS][WORLD_LISTS];
	guint32 ifaces[WORLD_NETWORKS][WORLD_INTERFACES]; /* 0: not there */
	int owner[WORLD_NETWORKS][WORLD_ADDRESSES];	  /* an interface, -1: nobody */
};

void random_world(struct random_world *world);
void random_world_change(struct random_world *world);
struct model *random_world_model(const struct random_world *world);
/* A packet of an interface, with addresses of the world. */
struct eval_packet random_world_packet(void);
