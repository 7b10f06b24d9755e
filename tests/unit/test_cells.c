/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_cells.c - the flow table's arithmetic (bpf/bucket.h) against plain definitions, and a shard
 * in memory of the process: filled to its last flow, emptied, and filled again.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "bpf/bucket.h"
#include "rulesd/bpf_internal.h"
#include "tests/lib/check.h"

#define BUCKETS 512u
#define FLOWS	(BUCKETS * SG_BUCKET_FLOWS)

static const __u64 secret[4] = {0x9d3f1c77a54b2e61, 0x3b8e4f1d2c6a7095, 0xe7c1a5930f4d8b2f,
				0x51f0b9e8d7a3c64d};

static struct sg_flow_key key_of(uint32_t number)
{
	struct sg_flow_key key = {.proto = 6, .slot = 3};

	key.local.w[2] = key.remote.w[2] = GUINT32_TO_BE(0xffff);
	key.local.w[3] = GUINT32_TO_BE(0x0a000005);
	key.remote.w[3] = GUINT32_TO_BE(0x0a010000 + number / 1000);
	key.lport = GUINT16_TO_BE(443);
	key.rport = GUINT16_TO_BE((uint16_t)(1024 + number % 1000));
	return key;
}

static struct cells_window window_new(void)
{
	return (struct cells_window){.buckets = g_new0(struct sg_bucket, BUCKETS),
				     .count = BUCKETS};
}

/* ------------------------------------------------------------------ arithmetic */

static void a_tag_matches_its_own_hash_bits_alone(void **state)
{
	GRand *rand = g_rand_new_with_seed(1);

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		uint32_t word = g_rand_int(rand), tag = SG_TAG(SG_TAG_LIVE, g_rand_int(rand));

		if (i & 1)
			word = tag ^ 1u << g_rand_int_range(rand, 0, 32);
		assert_int_equal(sg_tag_matches(word, tag), (word & 0xffff0000) == tag);
	}
	g_rand_free(rand);
}

static void a_cell_is_used_while_it_is_held_or_rests(void **state)
{
	(void)state;
	for (uint64_t now = 0; now < 70000; now += 31) {
		assert_int_equal(sg_tag_used(SG_TAG(SG_TAG_FREE, now), now), 0);
		assert_int_equal(sg_tag_used(SG_TAG(SG_TAG_BUSY, now), now), 1);
		assert_int_equal(sg_tag_used(SG_TAG(SG_TAG_LIVE, now), now), 1);
		for (uint64_t rest = 0; rest < 16384; rest += 15)
			assert_int_equal(sg_tag_used(sg_tag_gone(SG_TAG(SG_TAG_LIVE, 7) | 9, now),
						     now + rest),
					 rest < SG_TAG_REST);
	}
	assert_int_equal(SG_TAG_USES(sg_tag_gone(SG_TAG(SG_TAG_LIVE, 7) | 9, 1)), 9);
}

/* Ports and addresses one after the other, as a scan or a crowd has them. */
static void places_are_spread(void **state)
{
	g_autofree uint32_t *first = g_new0(uint32_t, BUCKETS);
	g_autofree uint32_t *second = g_new0(uint32_t, BUCKETS);
	uint32_t cells[SG_BUCKET_CELLS] = {0}, same = 0;

	(void)state;
	for (uint32_t i = 0; i < BUCKETS * 100; i++) {
		struct sg_flow_key key = key_of(i);
		struct sg_place place = sg_place_of(&key, secret, BUCKETS);

		assert_in_range(place.first, 0, BUCKETS - 1);
		assert_in_range(place.second, 0, BUCKETS - 1);
		assert_int_equal(SG_TAG_STATUS(place.tag), SG_TAG_LIVE);
		assert_int_equal(SG_TAG_USES(place.tag), 0);
		first[place.first]++;
		second[place.second]++;
		cells[place.cell]++;
		same += place.first == place.second;
	}
	/* 100 in each on average, with a deviation of 10. */
	for (uint32_t b = 0; b < BUCKETS; b++) {
		assert_in_range(first[b], 40, 170);
		assert_in_range(second[b], 40, 170);
	}
	for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++)
		assert_in_range(cells[i], BUCKETS * 5, BUCKETS * 8);
	assert_in_range(same, 0, 300);
}

/* ------------------------------------------------------------------ a shard */

static bool count_key(const struct cell_copy *flow, void *arg)
{
	uint8_t *seen = arg;
	uint32_t number = (GUINT32_FROM_BE(flow->cell.key.remote.w[3]) - 0x0a010000) * 1000 +
			  GUINT16_FROM_BE(flow->cell.key.rport) - 1024;

	assert_in_range(number, 0, FLOWS - 1);
	assert_int_equal(flow->cell.flow.rule, number);
	seen[number]++;
	return true;
}

static void fill(const struct cells_window *window, uint64_t now, uint32_t flows)
{
	for (uint32_t i = 0; i < flows; i++) {
		struct sg_flow_key key = key_of(i);
		struct sg_flow flow = {.rule = i};

		assert_int_equal(cells_insert(window, secret, now, &key, &flow), 0);
		assert_int_equal(cells_insert(window, secret, now, &key, &flow), -EEXIST);
	}
}

static uint32_t live(const struct cells_window *window, uint8_t seen[FLOWS])
{
	uint32_t count = 0;

	memset(seen, 0, FLOWS);
	for (uint32_t b = 0; b < window->count; b++)
		for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++) {
			struct sg_bucket *bucket = &window->buckets[b];
			struct cell_copy copy = {bucket->cells[i], &bucket->cells[i],
						 &bucket->tags[i], bucket->tags[i]};

			if (SG_TAG_STATUS(copy.tagged) != SG_TAG_LIVE)
				continue;
			count_key(&copy, seen);
			count++;
		}
	return count;
}

static uint32_t remove_all(const struct cells_window *window, uint64_t now)
{
	uint32_t count = 0;

	for (uint32_t b = 0; b < window->count; b++)
		for (unsigned int i = 0; i < SG_BUCKET_CELLS; i++) {
			struct sg_bucket *bucket = &window->buckets[b];
			struct cell_copy copy = {bucket->cells[i], &bucket->cells[i],
						 &bucket->tags[i], bucket->tags[i]};
			struct sg_flow last;

			if (SG_TAG_STATUS(copy.tagged) != SG_TAG_LIVE)
				continue;
			assert_true(cells_remove(&copy, now, &last));
			assert_int_equal(last.rule, copy.cell.flow.rule);
			assert_int_equal(last.state, 0);
			/* Once. */
			assert_false(cells_remove(&copy, now, &last));
			count++;
		}
	return count;
}

static void a_shard_has_room_for_all_of_its_flows(void **state)
{
	struct cells_window window = window_new();
	g_autofree uint8_t *seen = g_new0(uint8_t, FLOWS);
	uint64_t now = 16000; /* its 14 bits wrap on the way */

	(void)state;
	for (unsigned int round = 0; round < 5; round++, now += SG_TAG_REST) {
		fill(&window, now, FLOWS);
		assert_int_equal(live(&window, seen), FLOWS);
		for (uint32_t i = 0; i < FLOWS; i++)
			assert_int_equal(seen[i], 1);
		assert_int_equal(remove_all(&window, now), FLOWS);
		assert_int_equal(live(&window, seen), 0);
	}
	g_free(window.buckets);
}

/* A CPU that found the flow before may still write to it. */
static void a_cell_that_was_given_up_rests(void **state)
{
	struct cells_window window = {.buckets = g_new0(struct sg_bucket, 1), .count = 1};
	uint64_t now = 1000;

	(void)state;
	fill(&window, now, SG_BUCKET_CELLS);
	for (uint32_t i = 0; i < 2; i++) {
		struct sg_flow_key key = key_of(100 + i);
		struct sg_flow flow = {.rule = 100 + i};

		assert_int_equal(cells_insert(&window, secret, now, &key, &flow), -ENOSPC);
		if (!i)
			assert_int_equal(remove_all(&window, now), SG_BUCKET_CELLS);
		assert_int_equal(cells_insert(&window, secret, now + SG_TAG_REST - 1, &key, &flow),
				 -ENOSPC);
	}
	fill(&window, now + SG_TAG_REST, SG_BUCKET_CELLS);
	g_free(window.buckets);
}

/* Whoever comes late with what was there before changes nothing. */
static void another_use_of_a_cell_is_not_removed(void **state)
{
	struct cells_window window = {.buckets = g_new0(struct sg_bucket, 1), .count = 1};
	struct sg_flow_key key = key_of(1);
	struct sg_flow flow = {.rule = 1}, last;
	struct sg_place place = sg_place_of(&key, secret, 1);
	struct sg_bucket *bucket = window.buckets;
	struct cell_copy old;

	(void)state;
	assert_int_equal(cells_insert(&window, secret, 1000, &key, &flow), 0);
	old = (struct cell_copy){bucket->cells[place.cell], &bucket->cells[place.cell],
				 &bucket->tags[place.cell], bucket->tags[place.cell]};
	assert_int_equal(SG_TAG_STATUS(old.tagged), SG_TAG_LIVE);
	assert_true(cells_remove(&old, 1000, &last));
	assert_int_equal(cells_insert(&window, secret, 2000, &key, &flow), 0);
	assert_int_equal(SG_TAG_STATUS(bucket->tags[place.cell]), SG_TAG_LIVE);
	assert_false(cells_remove(&old, 2000, &last));
	assert_int_equal(SG_TAG_STATUS(bucket->tags[place.cell]), SG_TAG_LIVE);
	assert_int_equal(bucket->cells[place.cell].flow.state, 0);
	g_free(window.buckets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tag_matches_its_own_hash_bits_alone),
		cmocka_unit_test(a_cell_is_used_while_it_is_held_or_rests),
		cmocka_unit_test(places_are_spread),
		cmocka_unit_test(a_shard_has_room_for_all_of_its_flows),
		cmocka_unit_test(a_cell_that_was_given_up_rests),
		cmocka_unit_test(another_use_of_a_cell_is_not_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
