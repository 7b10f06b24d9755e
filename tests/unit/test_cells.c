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

/* One cell at a time may have it, among others that differ in one bit of the hash. */
static void a_bucket_says_which_hash_bits_it_has(void **state)
{
	GRand *rand = g_rand_new_with_seed(2);

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		struct sg_bucket bucket = {0};
		uint32_t tag = SG_TAG(SG_TAG_LIVE, g_rand_int(rand));
		unsigned int at = i % (SG_BUCKET_CELLS + 2);

		for (unsigned int j = 0; j < SG_BUCKET_CELLS; j++)
			bucket.tags[j] = (tag ^ 0x10000u << g_rand_int_range(rand, 0, 14)) ^
					 (g_rand_int(rand) & 0xc000ffff);
		assert_int_equal(sg_bucket_may_have(&bucket, tag), 0);
		if (at < SG_BUCKET_CELLS)
			bucket.tags[at] = (tag & 0x3fff0000) | (g_rand_int(rand) & 0xc000ffff);
		else
			bucket.overflowed = at == SG_BUCKET_CELLS;
		assert_int_equal(sg_bucket_may_have(&bucket, tag), at <= SG_BUCKET_CELLS);
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

/* Those of a tap's /24, or one of each of many, are not noted in one place. */
static void neighbours_are_spread(void **state)
{
	(void)state;
	for (unsigned int shift = 0; shift <= 24; shift += 8) {
		g_autofree bool *noted = g_new0(bool, SG_NEIGHBOURS);
		unsigned int places = 0;

		for (uint32_t i = 0; i < 256; i++) {
			uint32_t v4 = GUINT32_TO_BE(0x0a000000u ^ i << shift);
			uint32_t index = sg_neighbour_index(GUINT32_TO_BE(0xffff) + v4);

			assert_in_range(index, 0, SG_NEIGHBOURS - 1);
			places += !noted[index];
			noted[index] = true;
		}
		if (places < 200)
			fail_msg("256 addresses, %u bits apart: %u places", shift, places);
	}
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

/* ------------------------------------------------------------------ who sleeps */

/* The cell of a flow that a packet found, and what the packet remembers of it. */
struct asleep {
	struct sg_flow *flow;
	uint32_t use, state;
};

static struct cell_copy copy_of(struct sg_bucket *bucket, unsigned int i)
{
	return (struct cell_copy){bucket->cells[i], &bucket->cells[i], &bucket->tags[i],
				  bucket->tags[i]};
}

/* Opens the flow of a key, whose bucket has room in the cell that is looked at first. */
static struct asleep open_flow(const struct cells_window *window, uint64_t now, uint32_t number,
			       uint32_t word)
{
	struct sg_flow_key key = key_of(number);
	struct sg_flow flow = {.rule = number, .state = word};
	struct sg_cell *cell = &window->buckets->cells[sg_place_of(&key, secret, 1).cell];

	flow.half[0].end = flow.half[1].end = number;
	assert_int_equal(cells_insert(window, secret, now, &key, &flow), 0);
	assert_memory_equal(&cell->key, &key, sizeof(key));
	return (struct asleep){&cell->flow, SG_HEAD_USE(sg_flow_head(&cell->flow)), word};
}

/* Two keys that come to the same cell first. */
static void two_of_a_cell(uint32_t numbers[2])
{
	struct sg_flow_key key = key_of(numbers[0] = 1);
	uint32_t cell = sg_place_of(&key, secret, 1).cell;

	for (numbers[1] = 2;; numbers[1]++) {
		key = key_of(numbers[1]);
		if (sg_place_of(&key, secret, 1).cell == cell)
			return;
	}
}

/* Found, then not run for longer than a cell rests: the flow that is there by now is left alone. */
static void who_sleeps_through_a_rest_moves_no_other_flow(void **state)
{
	static const uint32_t word = SG_TCP_ESTABLISHED | SG_FLOW_REPLIED << 8;
	struct cells_window window = {.buckets = g_new0(struct sg_bucket, 1), .count = 1};
	uint32_t numbers[2], seen = 0;
	struct asleep asleep, other;
	struct cell_copy copy;
	struct sg_flow last;
	uint64_t head;

	(void)state;
	two_of_a_cell(numbers);
	asleep = open_flow(&window, 1000, numbers[0], word);
	assert_int_equal(sg_flow_move(asleep.flow, asleep.use, word, word), 1);
	copy = copy_of(window.buckets,
		       (unsigned int)((struct sg_cell *)(void *)((char *)asleep.flow -
								 offsetof(struct sg_cell, flow)) -
				      window.buckets->cells));
	assert_true(cells_remove(&copy, 1000, &last));
	/* While the cell rests it is of nobody, and cannot be revived. */
	assert_int_equal(sg_flow_move(asleep.flow, asleep.use, word, SG_TCP_SYN_SENT), 0);
	other = open_flow(&window, 1000 + SG_TAG_REST, numbers[1], word);
	assert_ptr_equal(other.flow, asleep.flow);
	assert_int_not_equal(other.use, asleep.use);
	/* The very same state, but another use. */
	head = sg_flow_head(other.flow);
	assert_int_equal(sg_flow_move(asleep.flow, asleep.use, word, SG_TCP_CLOSED), 0);
	assert_int_equal(sg_flow_kill(asleep.flow, asleep.use, &seen), 0);
	assert_false(cells_remove(&copy, 2000, &last));
	assert_int_equal(sg_flow_head(other.flow), head);
	assert_int_equal(sg_flow_kill(other.flow, other.use, &seen), 1);
	assert_int_equal(seen, word | SG_FLOW_DEAD << 8);
	g_free(window.buckets);
}

#define REUSES	60000u /* of a cell in a round: fewer than uses are told apart by */
#define READERS 2u
#define ROUNDS	200u
#define ENOUGH	20000

/* One cell that two flows have in turn, and packets of one of them at every moment of it. */
struct reuse {
	struct cells_window window;
	uint32_t numbers[2];
	gint hits, mixed, stop;
};

/* As a program reads a flow: sg_cell_is(), what it judges by, sg_hit_stands(). */
static gpointer read_flows(gpointer arg)
{
	struct reuse *reuse = arg;
	struct sg_flow_key key = key_of(reuse->numbers[0]);
	const struct sg_cell *cell =
		&reuse->window.buckets->cells[sg_place_of(&key, secret, 1).cell];
	const volatile struct sg_flow *flow = &cell->flow;

	while (!g_atomic_int_get(&reuse->stop)) {
		uint64_t head = sg_flow_head(&cell->flow);
		uint32_t rule, ends[2];

		if (SG_FLOW_FLAGS(SG_HEAD_STATE(head)) & SG_FLOW_DEAD ||
		    memcmp(&cell->key, &key, sizeof(key)) != 0)
			continue;
		g_thread_yield(); /* sleeps, as a processor that its hypervisor stops */
		rule = flow->rule;
		ends[0] = flow->half[0].end;
		ends[1] = flow->half[1].end;
		if (SG_HEAD_USE(sg_flow_head(&cell->flow)) != SG_HEAD_USE(head))
			continue;
		g_atomic_int_inc(&reuse->hits);
		if (rule != reuse->numbers[0] || ends[0] != rule || ends[1] != rule)
			g_atomic_int_inc(&reuse->mixed);
	}
	return NULL;
}

static void reuse_a_cell(struct reuse *reuse, uint64_t now)
{
	struct sg_flow last;

	for (uint32_t i = 0; i < REUSES; i++, now += SG_TAG_REST) {
		struct asleep flow =
			open_flow(&reuse->window, now, reuse->numbers[i & 1], SG_TCP_ESTABLISHED);
		struct cell_copy copy = copy_of(
			reuse->window.buckets,
			(unsigned int)((struct sg_cell *)(void *)((char *)flow.flow -
								  offsetof(struct sg_cell, flow)) -
				       reuse->window.buckets->cells));

		assert_true(cells_remove(&copy, now, &last));
		assert_int_equal(last.rule, reuse->numbers[i & 1]);
	}
}

static void a_flow_is_never_read_as_half_another(void **state)
{
	struct reuse reuse = {0};

	(void)state;
	two_of_a_cell(reuse.numbers);
	for (uint32_t round = 0; round < ROUNDS && reuse.hits < ENOUGH; round++) {
		GThread *readers[READERS];

		reuse.window = (struct cells_window){g_new0(struct sg_bucket, 1), 0, 1};
		reuse.stop = 0;
		for (unsigned int i = 0; i < READERS; i++)
			readers[i] = g_thread_new("reader", read_flows, &reuse);
		reuse_a_cell(&reuse, 1000);
		g_atomic_int_set(&reuse.stop, 1);
		for (unsigned int i = 0; i < READERS; i++)
			g_thread_join(readers[i]);
		g_free(reuse.window.buckets);
	}
	assert_int_not_equal(reuse.hits, 0);
	assert_int_equal(reuse.mixed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tag_matches_its_own_hash_bits_alone),
		cmocka_unit_test(a_bucket_says_which_hash_bits_it_has),
		cmocka_unit_test(a_cell_is_used_while_it_is_held_or_rests),
		cmocka_unit_test(neighbours_are_spread),
		cmocka_unit_test(places_are_spread),
		cmocka_unit_test(a_shard_has_room_for_all_of_its_flows),
		cmocka_unit_test(a_cell_that_was_given_up_rests),
		cmocka_unit_test(another_use_of_a_cell_is_not_removed),
		cmocka_unit_test(who_sleeps_through_a_rest_moves_no_other_flow),
		cmocka_unit_test(a_flow_is_never_read_as_half_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
