/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_text.h - images as sorted lines: with numbers, to be the same image; without, to say the
 * same; and what a delta must list, worked out from two of them.
 */
#pragma once

#include "rulesd/image_delta.h"

/* Everything, numbers included. */
char *image_text(const struct image *image);
/* The same without the numbers of sets and policies. */
char *image_text_content(const struct image *image);
/* What an image was, to be compared with what it becomes. */
struct image_tables {
	GHashTable *members;  /* "zone address" -> GUINT_TO_POINTER(set) */
	GArray *prefixes;     /* of struct image_prefix_entry */
	GHashTable *ifaces;   /* id -> text */
	GHashTable *policies; /* GUINT_TO_POINTER(number) -> itself */
	GHashTable *sets;
};
struct image_prefix_entry {
	struct sg_prefix_key key;
	uint32_t set;
};
struct image_tables *image_tables_new(const struct image *image);
void image_tables_free(struct image_tables **tables);
/* What a change from one to the other is, as sorted lines; and what a delta says it is. */
char *image_tables_difference(const struct image_tables *before, const struct image_tables *after);
char *image_delta_text(const struct image_delta *delta);
