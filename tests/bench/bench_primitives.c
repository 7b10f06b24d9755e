/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_primitives.c - what filters and their control are made of, each by itself, on this machine:
 * map lookups in tables that fit the caches and in tables that do not, changes, clocks, atomics,
 * calls; from user space the system calls of a change; a frame's way through taps and hooks.
 *
 * A missed goal is explained by these: so many of them, so many nanoseconds each. In the kernel a
 * step of the loop with its random key is taken off.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/bench/bench.h"
#include "tests/bench/hooks.h"
#include "tests/bench/primitives.h"
#include "tests/lib/netns.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "primitives.skel.h"
#pragma GCC diagnostic pop

#define REPEAT	      4000u /* runs of a program: PRIM_STEPS steps each */
#define REPEAT_QUICK  400u
#define FILL	      4096u /* entries a system call */
#define LARGEST	      1000000u
#define LARGEST_QUICK 10000u

static struct bench *bench;
static struct primitives_bpf *object;

/* ------------------------------------------------------------------ in the kernel */

/* What sum becomes: nothing that can be told, as many as steps, or none. */
enum found { FOUND_ANY, FOUND_ALL, FOUND_NONE };

static const struct primitive {
	const char *name, *program;
	uint32_t entries; /* keys are taken from; 1 where there is no table */
	enum found found;
	uint32_t steps; /* in a run; 0: PRIM_STEPS */
	bool alone;	/* has no key and no loop of its own: nothing is taken off */
} primitives[] = {
	{"HASH lookup, 40-byte key", "prim_hash_lookup", 1000, FOUND_ALL, 0, false},
	{"HASH lookup, 40-byte key", "prim_hash_lookup", 100000, FOUND_ALL, 0, false},
	{"HASH lookup, 40-byte key", "prim_hash_lookup", 1000000, FOUND_ALL, 0, false},
	{"HASH lookup that misses, 40-byte key", "prim_hash_miss", 1000, FOUND_NONE, 0, false},
	{"HASH lookup that misses, 40-byte key", "prim_hash_miss", 1000000, FOUND_NONE, 0, false},
	{"HASH lookup, 4-byte key", "prim_hash4_lookup", 1000, FOUND_ALL, 0, false},
	{"LRU_HASH lookup, 40-byte key", "prim_lru_lookup", 1000, FOUND_ALL, 0, false},
	{"LRU_HASH lookup, 40-byte key", "prim_lru_lookup", 100000, FOUND_ALL, 0, false},
	{"LRU_HASH lookup, 40-byte key", "prim_lru_lookup", 1000000, FOUND_ALL, 0, false},
	{"ARRAY lookup, 64 bytes", "prim_array_lookup", 1, FOUND_ALL, 0, false},
	{"ARRAY lookup, 64 bytes", "prim_array_lookup", 1000, FOUND_ALL, 0, false},
	{"ARRAY lookup, 64 bytes", "prim_array_lookup", 100000, FOUND_ALL, 0, false},
	{"ARRAY lookup, 64 bytes", "prim_array_lookup", 1000000, FOUND_ALL, 0, false},
	{"LPM_TRIE lookup", "prim_lpm_lookup", 100, FOUND_ALL, 0, false},
	{"LPM_TRIE lookup", "prim_lpm_lookup", 10000, FOUND_ALL, 0, false},
	{"LPM_TRIE lookup", "prim_lpm_lookup", 100000, FOUND_ALL, 0, false},
	{"ARRAY_OF_MAPS, then HASH lookup", "prim_array_of_maps_lookup", 1000, FOUND_ALL, 0, false},
	{"HASH_OF_MAPS, then HASH lookup", "prim_hash_of_maps_lookup", 1000, FOUND_ALL, 0, false},
	{"HASH insert and delete", "prim_insert_delete", 1, FOUND_ALL, 0, false},
	{"HASH update in place", "prim_update", 1000, FOUND_ALL, 0, false},
	{"LRU_HASH insert that evicts", "prim_evict", 1, FOUND_ALL, 0, false},
	{"per-CPU add", "prim_percpu_add", 1, FOUND_ALL, 0, false},
	{"atomic add", "prim_atomic_add", 1, FOUND_ALL, 0, false},
	{"bpf_spin_lock and unlock", "prim_locking", 1, FOUND_ALL, 0, false},
	{"bpf_timer_start", "prim_timer_start", 1, FOUND_ALL, 0, false},
	{"ktime_get_ns", "prim_ktime", 1, FOUND_ALL, 0, false},
	{"ktime_get_coarse_ns", "prim_ktime_coarse", 1, FOUND_ALL, 0, false},
	{"jiffies64", "prim_jiffies", 1, FOUND_ALL, 0, false},
	{"get_prandom_u32", "prim_prandom", 1, FOUND_ANY, 0, false},
	{"skb_load_bytes, 40 bytes", "prim_load_bytes", 1, FOUND_ALL, 0, false},
	{"BPF to BPF call", "prim_call", 1, FOUND_ALL, 0, false},
	{"bpf_loop, an iteration", "prim_loop", 1, FOUND_ALL, 0, true},
	{"tail call", "prim_tail_calls", 1, FOUND_ALL, PRIM_CALLS, true},
	{"loop iteration with a random key", "prim_base", 1000, FOUND_ANY, 0, true},
	{"ringbuf reserve and submit, 64 bytes", "prim_submit", 1, FOUND_ALL, 0, false},
	{"the same with a forced wake-up", "prim_submit_wake", 1, FOUND_ALL, 0, false},
};

static int skip_event(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	return 0;
}

/* The ring holds what one run of the benchmark submits, no more. */
static void drain(void)
{
	static struct ring_buffer *ring;

	if (!ring)
		ring = ring_buffer__new(bpf_map__fd(object->maps.prim_ring), skip_event, NULL,
					NULL);
	if (!ring || ring_buffer__consume(ring) < 0)
		fail_msg("ring buffer: %s", strerror(errno));
}

/* Nanoseconds a step. */
static double time_program(const struct primitive *primitive, uint32_t entries)
{
	static uint8_t frame[64] = {[12] = 0x08};
	uint32_t steps = primitive->steps ? primitive->steps : PRIM_STEPS;
	uint32_t repeat = bench_quick(bench) ? REPEAT_QUICK : REPEAT;
	uint64_t wanted = (uint64_t)repeat * steps;
	const struct bpf_program *program =
		bpf_object__find_program_by_name(object->obj, primitive->program);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)repeat);

	object->bss->prim_run.count = entries;
	object->bss->prim_run.sum = 0;
	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		fail_msg("%s: %s", primitive->program, strerror(errno));
	if (primitive->found != FOUND_ANY)
		bench_verdict(bench,
			      object->bss->prim_run.sum ==
				      (primitive->found == FOUND_ALL ? wanted : 0),
			      "%s, %u entries: %llu of %llu", primitive->name, entries,
			      object->bss->prim_run.sum, (unsigned long long)wanted);
	return (double)options.duration / steps;
}

static double run_primitive(void *context)
{
	static const struct primitive step = {"step", "prim_base", 1, FOUND_ANY, 0, true};
	const struct primitive *primitive = context;
	double taken_off = primitive->alone ? 0 : time_program(&step, primitive->entries);
	double took = time_program(primitive, primitive->entries);

	drain();
	return took - taken_off;
}

/* ------------------------------------------------------------------ tables */

static void fill_some(int fd, uint32_t first, uint32_t count)
{
	static struct prim_key keys[FILL];
	static struct prim_value values[FILL];

	for (uint32_t i = 0; i < count; i++)
		keys[i].n = first + i;
	if (bpf_map_update_batch(fd, keys, values, &count, NULL))
		fail_msg("filling a map: %s", strerror(errno));
}

static void fill(const struct bpf_map *map, uint32_t entries)
{
	for (uint32_t first = 0; first < entries; first += FILL)
		fill_some(bpf_map__fd(map), first, MIN(FILL, entries - first));
}

static void fill_others(uint32_t prefixes)
{
	struct prim_prefix prefix = {.length = 24};
	uint64_t one = 1;

	for (uint32_t i = 0; i < PRIM_FEW; i++)
		bpf_map_update_elem(bpf_map__fd(object->maps.prim_hash4), &i, &one, BPF_ANY);
	for (uint32_t i = 0; i < prefixes; i++) {
		uint32_t address = GUINT32_TO_BE(i << 8);

		memcpy(prefix.address, &address, sizeof(address));
		if (bpf_map_update_elem(bpf_map__fd(object->maps.prim_lpm), &prefix, &one, BPF_ANY))
			fail_msg("filling the trie: %s", strerror(errno));
	}
}

/* With the tables that hold fewer first: a table only grows. */
static void measure_kernel(uint32_t largest)
{
	static const uint32_t sizes[] = {1000, 10000, 100000, 1000000};
	uint32_t measured = 0;

	fill(object->maps.prim_inner, 1000);
	for (unsigned int s = 0; s < G_N_ELEMENTS(sizes) && sizes[s] <= largest; s++) {
		struct bench_subject subjects[G_N_ELEMENTS(primitives)];
		unsigned int count = 0;

		fill(object->maps.prim_hash, sizes[s]);
		fill(object->maps.prim_lru, sizes[s]);
		fill_others(sizes[s] == 1000 ? 100 : MIN(sizes[s], 100000u));
		for (unsigned int i = 0; i < G_N_ELEMENTS(primitives); i++) {
			const struct primitive *primitive = &primitives[i];

			if (primitive->entries <= measured || primitive->entries > sizes[s])
				continue;
			subjects[count++] = (struct bench_subject){
				bench_series(bench, primitive->name, "kernel", "ns", "entries=%u",
					     primitive->entries),
				run_primitive, (void *)(uintptr_t)primitive};
		}
		bench_interleave(bench, subjects, count);
		measured = sizes[s];
	}
}

/* ------------------------------------------------------------------ from user space */

#define CALLS 1000u

static double each(uint64_t began_ns, uint32_t count)
{
	return (double)(bench_now_ns() - began_ns) / count;
}

static double update_one(void *context)
{
	int fd = bpf_map__fd(object->maps.prim_changing);
	struct prim_key key = {0};
	struct prim_value value = {0};
	uint64_t began = bench_now_ns();

	(void)context;
	for (uint32_t i = 0; i < CALLS; i++) {
		key.n = i % 512;
		bpf_map_update_elem(fd, &key, &value, BPF_ANY);
	}
	return each(began, CALLS);
}

static double update_batch(void *context)
{
	uint64_t began = bench_now_ns();

	(void)context;
	fill_some(bpf_map__fd(object->maps.prim_hash), 0, FILL);
	return each(began, FILL);
}

static double grace_period(void *context)
{
	uint64_t began = bench_now_ns();

	(void)context;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		fail_msg("membarrier: %s", strerror(errno));
	return each(began, 1);
}

static double append_and_sync(void *context)
{
	static const char line[200];
	int fd = *(const int *)context;
	uint64_t began = bench_now_ns();

	if (write(fd, line, sizeof(line)) != (ssize_t)sizeof(line) || fdatasync(fd))
		fail_msg("write: %s", strerror(errno));
	return each(began, 1);
}

struct peer {
	int fds[2];
	unsigned int pause_us; /* before each question: then everybody sleeps */
	uint32_t count;
};

static gpointer answer(gpointer data)
{
	int fd = ((const struct peer *)data)->fds[1];
	char byte;

	while (read(fd, &byte, 1) == 1)
		if (write(fd, &byte, 1) != 1)
			break;
	return NULL;
}

static double ask(void *context)
{
	const struct peer *peer = context;
	double sum = 0;
	char byte = 0;

	for (uint32_t i = 0; i < peer->count; i++) {
		uint64_t began;

		g_usleep(peer->pause_us);
		began = bench_now_ns();
		if (write(peer->fds[0], &byte, 1) != 1 || read(peer->fds[0], &byte, 1) != 1)
			fail_msg("socket: %s", strerror(errno));
		sum += each(began, 1);
	}
	return sum / peer->count;
}

static struct bench_series *user_series(const char *name)
{
	return bench_series(bench, name, "user space", "ns", "entries=1");
}

static void measure_user(void)
{
	g_autofree char *path = g_strdup_printf("%s/appended", netns_workdir());
	AUTO_FD int file = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	struct peer busy = {.count = 100}, paced = {.pause_us = 20000, .count = 3};
	struct bench_subject subjects[] = {
		{user_series("bpf(MAP_UPDATE_ELEM), HASH"), update_one, NULL},
		{user_series("bpf(MAP_UPDATE_BATCH), HASH, an entry"), update_batch, NULL},
		{user_series("RCU grace period (membarrier)"), grace_period, NULL},
		{user_series("append 200 bytes and fdatasync"), append_and_sync, &file},
		{user_series("question and answer over a socket"), ask, &busy},
		{user_series("the same, every 20 ms"), ask, &paced},
	};
	GThread *thread;

	if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, busy.fds))
		fail_msg("%s: %s", path, strerror(errno));
	memcpy(paced.fds, busy.fds, sizeof(busy.fds));
	thread = g_thread_new("answer", answer, &busy);
	bench_interleave(bench, subjects, G_N_ELEMENTS(subjects));
	shutdown(busy.fds[0], SHUT_RDWR);
	g_thread_join(thread);
	close(busy.fds[0]);
	close(busy.fds[1]);
}

/* ------------------------------------------------------------------ run */

static void run(struct bench *running)
{
	bench = running;
	netns_new();
	object = primitives_bpf__open_and_load();
	if (!object)
		fail_msg("cannot load primitives.bpf.o: %s", strerror(errno));
	object->bss->prim_run.random = 2463534242u;
	measure_kernel(bench_quick(bench) ? LARGEST_QUICK : LARGEST);
	measure_user();
	hooks_measure(bench);
	netns_leave();
	primitives_bpf__destroy(object);
}

BENCH_MAIN("primitives", "what filters and their control are made of, each by itself", run)
