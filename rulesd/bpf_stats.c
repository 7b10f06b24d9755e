/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_stats.c - counters: of a slot, summed over CPUs; of rules, with what their live flows carry.
 */
#include "rulesd/bpf_internal.h"

#include <errno.h>
#include <string.h>

#include "rulesd/cleanup.h"

int dataplane_stats(struct dataplane *dataplane, uint32_t slot, struct sg_stats *stats,
		    struct sg_slot *exact)
{
	size_t stride = (sizeof(struct sg_stats) + 7) / 8 * 8;
	g_autoptr(GByteArray) values = g_byte_array_new();
	struct sg_stats sum = {};
	uint64_t *total = (void *)&sum;
	int code;

	_Static_assert(sizeof(struct sg_stats) % sizeof(uint64_t) == 0, "counters of 8 bytes");
	if (!slot || slot > SG_MAX_SLOTS)
		return -EINVAL;
	/* The exact counters alone cost no system call. */
	if (stats) {
		g_byte_array_set_size(values, (guint)(stride * dataplane->cpus));
		code = table_lookup(dataplane, TABLE_STATS, &slot, values->data);
		if (code)
			return code;
	}
	for (uint32_t cpu = 0; stats && cpu < dataplane->cpus; cpu++) {
		const uint64_t *part = (const void *)(values->data + cpu * stride);

		for (size_t i = 0; i < sizeof(sum) / sizeof(*total); i++)
			total[i] += part[i];
	}
	if (stats)
		*stats = sum;
	if (exact) {
		const struct sg_slot *mapped = &dataplane->slots[slot];

		*exact = (struct sg_slot){
			.flows = __atomic_load_n(&mapped->flows, __ATOMIC_RELAXED),
			.frags = __atomic_load_n(&mapped->frags, __ATOMIC_RELAXED),
			.allowance_exceeded =
				__atomic_load_n(&mapped->allowance_exceeded, __ATOMIC_RELAXED),
		};
	}
	return 0;
}

static struct dataplane_rule_stats *stats_of(GHashTable *stats, uint32_t rule)
{
	gpointer key = GUINT_TO_POINTER(rule);
	struct dataplane_rule_stats *found = g_hash_table_lookup(stats, key);

	if (!found) {
		found = g_new0(struct dataplane_rule_stats, 1);
		g_hash_table_insert(stats, key, found);
	}
	return found;
}

static bool add_ended(const void *key, const void *value, void *arg)
{
	const struct sg_rule_stats *ended = value;
	struct dataplane_rule_stats *stats = stats_of(arg, *(const uint32_t *)key);

	stats->flows += ended->flows;
	stats->packets += ended->packets;
	stats->bytes += ended->bytes;
	return true;
}

/* Expired flows count until the collector folds them into their rule. */
static bool add_live(const struct flow_visit *visit, void *arg)
{
	struct dataplane_rule_stats *stats;

	if (visit->flow->rule & SG_RULE_EXEMPT)
		return true;
	stats = stats_of(arg, visit->flow->rule);
	for (unsigned int i = 0; i < SG_DIRS; i++) {
		stats->packets += visit->flow->half[i].packets;
		stats->bytes += visit->flow->half[i].bytes;
	}
	if (!visit->expired)
		stats->live++;
	return true;
}

int dataplane_rule_stats(struct dataplane *dataplane, GHashTable **stats, char **error)
{
	g_autoptr(GHashTable) all = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	int code = table_each(&dataplane->table[TABLE_RULES], add_ended, all);

	if (code)
		return bpf_fail(error, code, "map %s: reading it", SG_MAP_RULES);
	code = flows_visit(dataplane, 0, add_live, all, error);
	if (code)
		return code;
	*stats = TAKE_PTR(all);
	return 0;
}
