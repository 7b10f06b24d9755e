/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * numbers_registry.h - the inside of the registry; only numbers.c and numbers_json.c include it.
 */
#pragma once

#include <stdbool.h>

#include "rulesd/numbers.h"

/* What the file calls a kind and which numbers it may give, first and last included. */
struct number_range {
	const char *name;
	uint32_t first;
	uint32_t last;
};
extern const struct number_range number_ranges[NUMBER_KINDS];

struct numbered {
	char *name; /* by_name's */
	uint32_t number;
};

/* next is 64 bits wide so that it can stand behind the last number of a 32-bit range. */
struct registry {
	GHashTable *by_name; /* char * (owned) -> GUINT_TO_POINTER(number) */
	GArray *by_number;   /* of struct numbered, sorted */
	uint64_t next;
	uint64_t written; /* names of lower numbers are on disk (but of slots) */
	uint64_t mark;	  /* numbers from here on may not be used before it is raised on disk */
};

struct numbers {
	struct registry kinds[NUMBER_KINDS];
	GHashTable *slots_changed; /* of char *: ids given or released since the last write */
	uint64_t next_policy, policy_mark;
	uint64_t next_set, set_mark;
};

bool number_is_any(enum number_kind kind, const char *name);
/* The first whose number is not lower, NULL when there is none; with the ones behind it. */
const struct numbered *registry_from(const struct registry *registry, uint32_t number);
const char *registry_name(const struct registry *registry, uint32_t number);
void registry_add(struct registry *registry, const char *name, uint32_t number);
void registry_remove(struct registry *registry, const char *name, uint32_t number);
