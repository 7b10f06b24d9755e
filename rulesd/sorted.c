/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sorted.c - keys and values of a hash table in the order of its keys.
 */
#include "rulesd/sorted.h"

#include <string.h>

static gint compare_strings(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *sorted_keys(GHashTable *table)
{
	GPtrArray *keys = g_ptr_array_sized_new(g_hash_table_size(table));
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(keys, key);
	g_ptr_array_sort(keys, compare_strings);
	return keys;
}

GPtrArray *sorted_values(GHashTable *table)
{
	GPtrArray *values = sorted_keys(table);

	for (guint i = 0; i < values->len; i++)
		values->pdata[i] = g_hash_table_lookup(table, values->pdata[i]);
	return values;
}
