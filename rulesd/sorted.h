/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sorted.h - what a hash table keyed by strings holds, in the order of its keys: what is numbered,
 * answered or printed must not depend on the order of a hash.
 */
#pragma once

#include <glib.h>

/* The keys, compared as bytes; borrowed from the table. The caller unrefs the array. */
GPtrArray *sorted_keys(GHashTable *table);
/* The values in the order of their keys; likewise. */
GPtrArray *sorted_values(GHashTable *table);
