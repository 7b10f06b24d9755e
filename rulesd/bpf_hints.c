/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_hints.c - the table in front of the members' (struct sg_hints): what is in it, and that it
 * never says anything else than sg_members says to every packet that runs.
 *
 * A member is in it only when sg_members has an epoch for it that is settled, so that every packet
 * takes the value after it. Whoever writes sg_members forgets the member here first, behind that
 * come the entry and the generation that publishes it: a packet of that generation does not find it
 * here any more, and one of the generation before may. It is learned again when the flip is
 * settled. A predecessor that was killed kept the same order; its table is emptied all the same.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <string.h>

#include "rulesd/addr.h"
#include "rulesd/cleanup.h"

#define STEP 4096u /* members learned in one step: about a millisecond */

struct hint_place {
	struct sg_hints *hints;
	uint32_t i;
};

static bool who_of(const struct sg_member_key *key, uint64_t *who)
{
	if (!addr_is_v4(&key->addr))
		return false;
	*who = SG_HINT_WHO(key->zone, key->addr.w[3]);
	return true;
}

static bool find_in(struct sg_hints *hints, uint64_t who, struct hint_place *place)
{
	for (uint32_t i = 0; i < SG_HINTS; i++) {
		if (!hints->set[i] || hints->who[i] != who)
			continue;
		*place = (struct hint_place){hints, i};
		return true;
	}
	return false;
}

static bool find(const struct hinting *hinting, uint64_t who, struct hint_place *place)
{
	uint32_t bucket = SG_HINT_BUCKET(who);

	return find_in(&hinting->at[bucket], who, place) ||
	       (hinting->at[bucket].spilled &&
		find_in(&hinting->at[SG_HINT_NEXT(bucket)], who, place));
}

static void put_in(struct sg_hints *hints, uint32_t i, uint64_t who, uint32_t set)
{
	__atomic_store_n(&hints->who[i], who, __ATOMIC_RELEASE);
	__atomic_store_n(&hints->set[i], set, __ATOMIC_RELEASE);
}

static bool put(struct sg_hints *hints, uint64_t who, uint32_t set)
{
	for (uint32_t i = 0; i < SG_HINTS; i++)
		if (!hints->set[i]) {
			put_in(hints, i, who, set);
			return true;
		}
	return false;
}

/* Where there is no room it is left to sg_members. */
static void add(struct hinting *hinting, uint64_t who, uint32_t set)
{
	uint32_t bucket = SG_HINT_BUCKET(who);

	if (put(&hinting->at[bucket], who, set)) {
		hinting->count++;
		return;
	}
	if (!put(&hinting->at[SG_HINT_NEXT(bucket)], who, set))
		return;
	hinting->count++;
	__atomic_store_n(&hinting->at[bucket].spilled, 1, __ATOMIC_RELEASE);
}

void hints_forget(struct dataplane *dataplane, const void *key)
{
	struct hinting *hinting = &dataplane->hinting;
	struct sg_member_key aligned;
	struct hint_place place;
	uint64_t who;

	memcpy(&aligned, key, sizeof(aligned));
	if (!hinting->count || !who_of(&aligned, &who) || !find(hinting, who, &place))
		return;
	__atomic_store_n(&place.hints->set[place.i], 0, __ATOMIC_RELEASE);
	hinting->count--;
}

static void learn(struct dataplane *dataplane, const struct sg_member_key *key,
		  const struct sg_version *version)
{
	struct hint_place place;
	uint64_t who;

	if (version->epoch > settle_generation(dataplane) || !version->after ||
	    !who_of(key, &who) || find(&dataplane->hinting, who, &place))
		return;
	add(&dataplane->hinting, who, version->after);
}

void hints_learn(struct dataplane *dataplane, const struct sg_member_key *key)
{
	struct sg_version version;

	if (dataplane->hinting.at && !table_lookup(dataplane, TABLE_MEMBERS, key, &version))
		learn(dataplane, key, &version);
}

uint32_t hints_find(const struct dataplane *dataplane, const struct sg_member_key *key)
{
	struct hint_place place;
	uint64_t who;

	if (!who_of(key, &who) || !find(&dataplane->hinting, who, &place))
		return 0;
	return place.hints->set[place.i];
}

/* ------------------------------------------------------------------ all of them */

void hints_want(struct dataplane *dataplane)
{
	struct hinting *hinting = &dataplane->hinting;

	table_walk_free(&hinting->walk);
	hinting->wanted = dataplane_generation(dataplane);
	hinting->due = true;
}

static bool learn_entry(const void *key, const void *value, void *arg)
{
	learn(arg, key, value);
	return true;
}

bool hints_step(struct dataplane *dataplane)
{
	struct hinting *hinting = &dataplane->hinting;

	if (hinting->due && settle_generation(dataplane) >= hinting->wanted) {
		hinting->due = false;
		hinting->walk = table_walk_new(&dataplane->table[TABLE_MEMBERS], STEP);
	}
	if (!hinting->walk)
		return hinting->due;
	if (table_walk_next(hinting->walk, learn_entry, dataplane) || hinting->walk->ended)
		table_walk_free(&hinting->walk);
	return hinting->due || hinting->walk;
}

void hints_renew(struct dataplane *dataplane)
{
	memset(dataplane->hinting.at, 0, SG_HINT_BUCKETS * sizeof(struct sg_hints));
	dataplane->hinting.count = 0;
	hints_want(dataplane);
}

void hints_open(struct dataplane *dataplane)
{
	/* A table that was made now is empty. */
	if (dataplane_generation(dataplane))
		hints_renew(dataplane);
}

void hints_close(struct dataplane *dataplane)
{
	table_walk_free(&dataplane->hinting.walk);
}
