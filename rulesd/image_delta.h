/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_delta.h - what one change makes of an image: exactly the entries, sets, policies and
 * interfaces that differ, so that a dataplane writes those and looks at nothing else.
 */
#pragma once

#include "rulesd/image.h"

/* An address of a zone that stands for another set; 0 is "no entry". Each key appears once. */
struct image_member_change {
	struct sg_member_key key;
	uint32_t before, after; /* set numbers as in abi.h, SG_SET_SINGLE included; they differ */
};

/*
 * before and after are what an address stands for whose longest prefix is, or would be, this one:
 * of a prefix that is created, before is the set of the nearest one around it (0: none); of one
 * that is removed, after is. They are equal only for created and removed ones, which then give and
 * take nothing.
 */
struct image_prefix_change {
	struct sg_prefix_key key;
	uint32_t before, after;
	bool created, removed;
};

/* before NULL: new here; after NULL: gone. One whose policy alone differs is one that changed. */
struct image_iface_change {
	const struct image_iface *before; /* as it was; readable until the delta is freed */
	const struct image_iface *after;
};

struct image_delta {
	GArray *members;	  /* of struct image_member_change */
	GArray *prefixes;	  /* of struct image_prefix_change, outer before inner */
	GArray *ifaces;		  /* of struct image_iface_change */
	GPtrArray *policies_new;  /* of struct image_policy that the image had not before */
	GPtrArray *policies_gone; /* that it has no more; readable until the delta is freed */
	GPtrArray *sets_new;	  /* of struct image_set, likewise */
	GPtrArray *sets_gone;
	struct image_delta_undo_log *log; /* private; NULL in an inverse */
};

bool image_delta_empty(const struct image_delta *delta);
/*
 * The peers of a set that the delta names, also of one that is gone; *count of them. single is room
 * for the one peer of a number with SG_SET_SINGLE.
 */
const uint32_t *image_delta_peers(const struct image *image, const struct image_delta *delta,
				  uint32_t set, uint32_t *single, guint *count);
/*
 * The same change the other way round, to take a dataplane back. It borrows everything from delta:
 * free it, with image_delta_free(), before delta is freed or undone.
 */
struct image_delta *image_delta_inverse(const struct image_delta *delta);

/* Keeps the change: frees what the delta still held of the state before. */
void image_delta_free(struct image_delta **delta);
/*
 * Takes the change back: the image is what it was, to the number, and slots that the change took
 * are free again. It cannot fail, and does not look at the model: the caller takes the model's edit
 * back before or after, but asks the image nothing in between.
 */
void image_delta_undo(struct image *image, struct image_delta **delta);
