// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * primitives.bpf.c - what filters are made of, each by itself: PRIM_STEPS of one thing in a run.
 *
 * prim_base is what a step costs beside the primitive: the loop, and a random key.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tests/bench/primitives.h"

char LICENSE[] SEC("license") = "GPL";

struct prim_run prim_run;

#define TABLE(name, kind, entries, key_type, value_type) \
	struct {                                         \
		__uint(type, kind);                      \
		__uint(max_entries, entries);            \
		__type(key, key_type);                   \
		__type(value, value_type);               \
	} name SEC(".maps")

TABLE(prim_hash, BPF_MAP_TYPE_HASH, PRIM_ENTRIES, struct prim_key, struct prim_value);
/* Twice as many: its free lists are per CPU, and it evicts before it is full. */
TABLE(prim_lru, BPF_MAP_TYPE_LRU_HASH, 2 * PRIM_ENTRIES, struct prim_key, struct prim_value);
TABLE(prim_lru_full, BPF_MAP_TYPE_LRU_HASH, PRIM_FEW, struct prim_key, struct prim_value);
TABLE(prim_changing, BPF_MAP_TYPE_HASH, PRIM_FEW, struct prim_key, struct prim_value);
TABLE(prim_hash4, BPF_MAP_TYPE_HASH, PRIM_FEW, __u32, __u64);
TABLE(prim_array, BPF_MAP_TYPE_ARRAY, PRIM_ENTRIES, __u32, struct prim_value);
TABLE(prim_percpu, BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, __u64);

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, PRIM_ENTRIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prim_prefix);
	__type(value, __u64);
} prim_lpm SEC(".maps");

struct prim_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PRIM_FEW);
	__type(key, struct prim_key);
	__type(value, struct prim_value);
} prim_inner SEC(".maps");

#define OUTER(name, kind)                           \
	struct {                                    \
		__uint(type, kind);                 \
		__uint(max_entries, 1);             \
		__type(key, __u32);                 \
		__array(values, struct prim_inner); \
	} name SEC(".maps") = {.values = {[0] = &prim_inner}}

OUTER(prim_array_of_maps, BPF_MAP_TYPE_ARRAY_OF_MAPS);
OUTER(prim_hash_of_maps, BPF_MAP_TYPE_HASH_OF_MAPS);

struct prim_locked {
	struct bpf_spin_lock lock;
	__u32 count;
};
TABLE(prim_lock, BPF_MAP_TYPE_ARRAY, 1, __u32, struct prim_locked);

struct prim_timed {
	struct bpf_timer timer;
};
TABLE(prim_timer, BPF_MAP_TYPE_ARRAY, 1, __u32, struct prim_timed);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PRIM_RING);
} prim_ring SEC(".maps");

int prim_tail(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct __sk_buff *));
} prim_programs SEC(".maps") = {.values = {[0] = (void *)&prim_tail}};

#define prim_inline static __always_inline

prim_inline __u32 prim_next(__u32 random)
{
	random ^= random << 13;
	random ^= random >> 17;
	return random ^ random << 5;
}

prim_inline __u32 prim_pick(__u32 random, __u32 count)
{
	return (__u32)((__u64)random * count >> 32);
}

/* A program that does STEP so many times, with what it may use: n, one of count at random, key with
 * that number, value, zero, sum. */
#define PROGRAM(name, setup, step)                                                   \
	SEC("tc") int name(struct __sk_buff *skb)                                    \
	{                                                                            \
		__u32 random = prim_run.random, count = prim_run.count, n, zero = 0; \
		struct prim_key key = {0};                                           \
		struct prim_value value = {0};                                       \
		__u64 sum = 0;                                                       \
                                                                                     \
		(void)skb, (void)zero, (void)value, (void)key;                       \
		setup;                                                               \
		for (__u32 i = 0; i < PRIM_STEPS; i++) {                             \
			random = prim_next(random);                                  \
			key.n = n = prim_pick(random, count);                        \
			step;                                                        \
		}                                                                    \
		prim_run.random = random;                                            \
		prim_run.sum += sum;                                                 \
		return TC_ACT_UNSPEC;                                                \
	}

#define FOUND(map, of) sum += bpf_map_lookup_elem(&(map), of) != NULL

/* Reads what was found, which is where the cache misses, and needs it (0) for the next key: one
 * lookup begins when the one before has ended, as it is with packets. */
#define READ(map, of)                                                              \
	do {                                                                       \
		const struct prim_value *_found = bpf_map_lookup_elem(&(map), of); \
                                                                                   \
		if (_found) {                                                      \
			random ^= (__u32)(*(const volatile __u64 *)_found->word);  \
			sum++;                                                     \
		}                                                                  \
	} while (0)

PROGRAM(prim_base, , sum += n; asm volatile("" : "+r"(sum)))
PROGRAM(prim_hash_lookup, , READ(prim_hash, &key))
PROGRAM(prim_hash_miss, , key.rest[8] = 1; READ(prim_hash, &key))
PROGRAM(prim_lru_lookup, , READ(prim_lru, &key))
PROGRAM(prim_hash4_lookup, , FOUND(prim_hash4, &n))
PROGRAM(prim_array_lookup, , READ(prim_array, &n))
PROGRAM(prim_update, , sum += !bpf_map_update_elem(&prim_hash, &key, &value, BPF_EXIST))
PROGRAM(prim_evict, , key.n = random;
	sum += !bpf_map_update_elem(&prim_lru_full, &key, &value, BPF_ANY))
PROGRAM(prim_insert_delete, , key.n = random;
	sum += !bpf_map_update_elem(&prim_changing, &key, &value, BPF_NOEXIST);
	bpf_map_delete_elem(&prim_changing, &key))

PROGRAM(prim_lpm_lookup, struct prim_prefix prefix = {.length = 32},
	*(__be32 *)prefix.address = bpf_htonl(n << 8 | 5);
	FOUND(prim_lpm, &prefix))

#define INNER(outer)                                                    \
	do {                                                            \
		void *_map = bpf_map_lookup_elem(&(outer), &zero);      \
                                                                        \
		if (_map)                                               \
			sum += bpf_map_lookup_elem(_map, &key) != NULL; \
	} while (0)
PROGRAM(prim_array_of_maps_lookup, , INNER(prim_array_of_maps))
PROGRAM(prim_hash_of_maps_lookup, , INNER(prim_hash_of_maps))

PROGRAM(prim_percpu_add, __u64 *own = bpf_map_lookup_elem(&prim_percpu, &zero);
	if (!own) return 0, *(volatile __u64 *)own += n; sum++)
PROGRAM(prim_atomic_add, struct prim_value *own = bpf_map_lookup_elem(&prim_array, &zero);
	if (!own) return 0, __sync_fetch_and_add(&own->word[1], n); sum++)
PROGRAM(prim_locking, struct prim_locked *own = bpf_map_lookup_elem(&prim_lock, &zero);
	if (!own) return 0, bpf_spin_lock(&own->lock); own->count++; bpf_spin_unlock(&own->lock);
	sum++)

PROGRAM(prim_ktime, , sum += bpf_ktime_get_ns() != 0)
PROGRAM(prim_ktime_coarse, , sum += bpf_ktime_get_coarse_ns() != 0)
PROGRAM(prim_jiffies, , sum += bpf_jiffies64() != 0)
PROGRAM(prim_prandom, , sum += bpf_get_prandom_u32() != count; n = 0)

PROGRAM(prim_load_bytes, , sum += !bpf_skb_load_bytes(skb, 14, &key, sizeof(key)))

static int on_timer(void *map, __u32 *key, struct prim_timed *own)
{
	(void)map, (void)key, (void)own;
	return 0;
}

#define CLOCK_MONOTONIC 1
PROGRAM(prim_timer_start, struct prim_timed *own = bpf_map_lookup_elem(&prim_timer, &zero);
	if (!own) return 0; bpf_timer_init(&own->timer, &prim_timer, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&own->timer, on_timer),
	sum += !bpf_timer_start(&own->timer, 3600000000000ull, 0))

#define SUBMIT(flags)                                                                            \
	do {                                                                                     \
		struct prim_value *_event = bpf_ringbuf_reserve(&prim_ring, sizeof(*_event), 0); \
                                                                                                 \
		if (_event) {                                                                    \
			_event->word[0] = n;                                                     \
			bpf_ringbuf_submit(_event, flags);                                       \
			sum++;                                                                   \
		}                                                                                \
	} while (0)
PROGRAM(prim_submit, , SUBMIT(BPF_RB_NO_WAKEUP))
PROGRAM(prim_submit_wake, , SUBMIT(BPF_RB_FORCE_WAKEUP))

static __noinline int prim_callee(__u32 n)
{
	asm volatile("" : "+r"(n));
	return n != 0xffffffff;
}
PROGRAM(prim_call, , sum += prim_callee(n))

static int prim_iteration(__u32 i, void *context)
{
	__u64 *sum = context;

	(void)i;
	*sum += 1;
	return 0;
}

SEC("tc") int prim_loop(struct __sk_buff *skb)
{
	__u64 sum = 0;

	(void)skb;
	bpf_loop(PRIM_STEPS, prim_iteration, &sum, 0);
	prim_run.sum += sum;
	return TC_ACT_UNSPEC;
}

__u32 prim_calls;

SEC("tc") int prim_tail(struct __sk_buff *skb)
{
	if (++prim_calls < PRIM_CALLS) {
		prim_run.sum++;
		bpf_tail_call(skb, &prim_programs, 0);
	}
	return TC_ACT_UNSPEC;
}

SEC("tc") int prim_tail_calls(struct __sk_buff *skb)
{
	prim_calls = 0;
	prim_run.sum++;
	bpf_tail_call(skb, &prim_programs, 0);
	return TC_ACT_SHOT;
}
