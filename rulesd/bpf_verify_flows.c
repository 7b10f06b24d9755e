/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_verify_flows.c - tables of flows that belong to slots, and whether as many flows are counted
 * as there are.
 *
 * Packets open and end flows while they are counted, so a table is read by a thread, as fast as it
 * can be, together with the counters before and after; only what is too many or too few every time
 * counts, by as much as it is at least.
 */
#include "rulesd/bpf_verify.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/cleanup.h"

#define SLOTS_A_STEP 32u
#define COUNTS	     4u /* of a table that does not seem right */

/* ------------------------------------------------------------------ tables */

static int publish(struct verification *v, int code, char **error)
{
	if (!code)
		code = shards_publish(v->dataplane, error);
	shards_published(v->dataplane);
	return code;
}

static void check_half(struct verification *v, uint32_t slot)
{
	g_autofree char *of = verify_slot_text(v, slot);
	char *error = NULL;

	if (shards_has_inner(v->dataplane, TABLE_HALF, slot))
		return;
	if (verify_differs(v, VERIFY_FLOW, slot, g_strdup_printf("%s: half-open flows", of),
			   g_strdup("a table"), g_strdup("none")))
		verify_repaired(
			v, publish(v, shards_make_half_again(v->dataplane, slot, &error), &error),
			error);
}

static void check_shard(struct verification *v, uint32_t shard)
{
	char *error = NULL;

	v->result.checked[VERIFY_FLOW]++;
	if (shards_has_inner(v->dataplane, TABLE_FLOWS, shard))
		return;
	if (verify_differs(v, VERIFY_FLOW, 0, g_strdup_printf("shard %u of the flows", shard),
			   g_strdup("a table"), g_strdup("none")))
		verify_repaired(v,
				publish(v, shards_make_again(v->dataplane, shard, &error), &error),
				error);
}

bool verify_flow_tables(struct verification *v, int *code, char **error)
{
	struct dataplane *dataplane = v->dataplane;
	/* Kernel 6.1: each lookup waits for a grace period. */
	uint32_t most = dataplane->tcx ? SLOTS_A_STEP : 1, done = 0;

	(void)code;
	(void)error;
	for (; v->next <= SG_MAX_SLOTS && done < most; v->next++) {
		if (v->next < SG_MAX_SHARDS && dataplane->shards[v->next].capacity) {
			check_shard(v, v->next);
			done++;
		}
		if (v->next && dataplane->held[v->next].ifindex) {
			check_half(v, v->next);
			done++;
		}
	}
	return v->next <= SG_MAX_SLOTS;
}

/* ------------------------------------------------------------------ counted by a thread */

struct counts {
	uint32_t flows, half;
};

struct flow_census {
	GThread *thread;
	gint done;
	struct bpf_table table; /* an inner map, its own descriptor */
	const struct sg_slot *slots;
	uint32_t shard;
	int code;
	struct counts found[SG_MAX_SLOTS + 1];
	struct sg_slot before[SG_MAX_SLOTS + 1], after[SG_MAX_SLOTS + 1];
	/* By slot, over all counts so far: how many too many are counted at least; its sign changes
	 * never. */
	int32_t surplus[SG_MAX_SLOTS + 1], half_surplus[SG_MAX_SLOTS + 1];
};

static bool count_flow(const struct cell_copy *cell, void *arg)
{
	struct flow_census *census = arg;
	const struct sg_flow_key *own = &cell->cell.key;
	const struct sg_flow *flow = &cell->cell.flow;

	if (own->slot > SG_MAX_SLOTS)
		return true;
	if (SG_FLOW_FLAGS(flow->state) & SG_FLOW_HALF)
		census->found[own->slot].half++;
	else
		census->found[own->slot].flows++;
	return true;
}

static gpointer count_all(gpointer arg)
{
	struct flow_census *census = arg;

	memset(census->found, 0, sizeof(census->found));
	memcpy(census->before, census->slots, sizeof(census->before));
	census->code = cells_each(&census->table, count_flow, census);
	memcpy(census->after, census->slots, sizeof(census->after));
	g_atomic_int_set(&census->done, 1);
	return NULL;
}

static bool start_census(struct verification *v, uint32_t shard)
{
	struct flow_census *census = v->census;

	if (shards_open_inner(v->dataplane, TABLE_FLOWS, shard, &census->table))
		return false;
	census->slots = v->dataplane->slots;
	census->shard = shard;
	census->done = 0;
	census->thread = g_thread_new("census", count_all, census);
	return true;
}

static void join_census(struct flow_census *census)
{
	if (!census->thread)
		return;
	g_thread_join(TAKE_PTR(census->thread));
	close(census->table.fd);
}

void verify_flows_stop(struct verification *v)
{
	if (v->census)
		join_census(v->census);
	g_clear_pointer(&v->census, g_free);
}

/* How many more are counted than there can have been, negative: fewer; 0 when it may be right. */
static int32_t surplus(uint32_t before, uint32_t after, uint32_t found)
{
	int64_t low = MIN((int32_t)before, (int32_t)after),
		high = MAX((int32_t)before, (int32_t)after);
	int64_t slack = high - low; /* what came and went again meanwhile, unseen */

	if (slack)
		slack += 16;
	if (low - slack > found)
		return (int32_t)(low - slack - found);
	if (high + slack < found)
		return (int32_t)(high + slack - found);
	return 0;
}

static int32_t nearest_to_zero(int32_t a, int32_t b)
{
	if ((a > 0) != (b > 0) || !a || !b)
		return 0;
	return ABS(a) < ABS(b) ? a : b;
}

/* Whether some slot of it is still wrong. */
static bool judge_census(struct flow_census *census, const struct dataplane *dataplane, bool first)
{
	bool wrong = false;

	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		int32_t flows, half;

		if (!dataplane->held[slot].ifindex ||
		    dataplane->held[slot].shard != census->shard) {
			census->surplus[slot] = census->half_surplus[slot] = 0;
			continue;
		}
		flows = surplus(census->before[slot].flows, census->after[slot].flows,
				census->found[slot].flows);
		half = surplus(census->before[slot].half, census->after[slot].half,
			       census->found[slot].half);
		census->surplus[slot] =
			first ? flows : nearest_to_zero(census->surplus[slot], flows);
		census->half_surplus[slot] =
			first ? half : nearest_to_zero(census->half_surplus[slot], half);
		wrong |= census->surplus[slot] || census->half_surplus[slot];
	}
	return wrong;
}

static void count_differs(struct verification *v, uint32_t slot, const char *what, int32_t more,
			  __u32 *counter)
{
	g_autofree char *of = verify_slot_text(v, slot);
	uint32_t now = __atomic_load_n(counter, __ATOMIC_RELAXED);

	if (!verify_differs(v, VERIFY_FLOW, slot, g_strdup_printf("%s: %s", of, what),
			    g_strdup_printf("%u", now - (uint32_t)more),
			    g_strdup_printf("%d", (int32_t)now)))
		return;
	/* Packets count meanwhile: what is added is what is missing. */
	__atomic_fetch_sub(counter, (uint32_t)more, __ATOMIC_RELAXED);
	verify_repaired(v, 0, NULL);
}

static void tell_census(struct verification *v)
{
	struct flow_census *census = v->census;

	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		struct sg_slot *counters = &v->dataplane->slots[slot];

		if (!v->dataplane->held[slot].ifindex)
			continue;
		if (census->surplus[slot])
			count_differs(v, slot, "number of flows", census->surplus[slot],
				      &counters->flows);
		if (census->half_surplus[slot])
			count_differs(v, slot, "number of half-open flows",
				      census->half_surplus[slot], &counters->half);
	}
}

/* v->next: the shard that is counted, or is next. */
bool verify_flow_counts(struct verification *v, int *code, char **error)
{
	struct flow_census *census = v->census;

	(void)code;
	(void)error;
	if (!census)
		census = v->census = g_new0(struct flow_census, 1);
	if (census->thread && !g_atomic_int_get(&census->done)) {
		g_usleep(100);
		return true;
	}
	if (census->thread) {
		join_census(census);
		if (!census->code && judge_census(census, v->dataplane, !v->tries) &&
		    ++v->tries < COUNTS && start_census(v, v->next))
			return true;
		if (!census->code && v->tries == COUNTS)
			tell_census(v);
		v->tries = 0;
		v->next++;
	}
	while (v->next < SG_MAX_SHARDS &&
	       (!v->dataplane->shards[v->next].capacity || !start_census(v, v->next)))
		v->next++;
	return v->next < SG_MAX_SHARDS;
}
