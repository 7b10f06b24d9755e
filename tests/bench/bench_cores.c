/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_cores.c - one, two and four threads at once, each on a CPU and a pair of taps of its own,
 * behind one filter: what the CPUs share (tables, counters, locks) shows as a frame that costs more
 * than it does for one thread.
 *
 * Needs as many idle CPUs as threads; its numbers say nothing on a machine that does other work.
 */
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/filter.h"

#define FLOWS	    10000 /* a pair */
#define PAIRS	    5000  /* of segments, a thread and sample */
#define CONNECTIONS 600
#define VARIANTS    4

enum work {
	WORK_EXCHANGE,
	WORK_CONNECT,
};

struct load {
	struct filter *filter;
	enum work work;
	unsigned int threads, part;
	unsigned int cpu; /* of the first thread; the others on those before it */
	pthread_barrier_t start;
};

struct thread {
	pthread_t id;
	struct load *load;
	unsigned int number;
	double ns; /* a frame, or a connection */
};

static void *work(void *context)
{
	struct thread *thread = context;
	struct load *load = thread->load;
	struct traffic *traffic = load->filter->traffic[thread->number];
	unsigned int cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((load->cpu + cpus - thread->number) % cpus, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		g_error("cannot run on the CPU of thread %u: %s", thread->number, strerror(errno));
	pthread_barrier_wait(&load->start);
	if (load->work == WORK_EXCHANGE)
		thread->ns = traffic_exchange(traffic, PAIRS / load->part);
	else
		thread->ns = traffic_connect(traffic, CONNECTIONS / load->part);
	return NULL;
}

/* The mean of the threads. */
static double run_load(void *context)
{
	struct load *load = context;
	struct thread threads[PATH_PAIRS] = {0};
	double sum = 0;

	pthread_barrier_init(&load->start, NULL, load->threads);
	for (unsigned int i = 0; i < load->threads; i++) {
		threads[i].load = load;
		threads[i].number = i;
		if (pthread_create(&threads[i].id, NULL, work, &threads[i]) != 0)
			g_error("cannot start a thread");
	}
	for (unsigned int i = 0; i < load->threads; i++) {
		pthread_join(threads[i].id, NULL);
		sum += threads[i].ns;
	}
	pthread_barrier_destroy(&load->start);
	return sum / load->threads;
}

static void measure(struct bench *bench, struct filter *filters[VARIANTS], enum work kind,
		    const char *metric, const unsigned int *threads, unsigned int counts)
{
	struct bench_series *series[VARIANTS * 3];
	struct bench_subject subjects[VARIANTS * 3];
	struct load loads[VARIANTS * 3];

	for (unsigned int i = 0; i < VARIANTS * counts; i++) {
		struct filter *filter = filters[i / counts];

		loads[i] = (struct load){
			.filter = filter,
			.work = kind,
			.threads = threads[i % counts],
			.part = bench_smoke(bench)   ? 100
				: bench_quick(bench) ? 5
						     : 1,
			.cpu = bench_cpu(bench),
		};
		series[i] = bench_series(bench, metric, filter->variant, "ns", "threads=%u",
					 threads[i % counts]);
		subjects[i] = (struct bench_subject){series[i], run_load, &loads[i]};
	}
	bench_interleave(bench, subjects, VARIANTS * counts);
	for (unsigned int i = 0; i < VARIANTS; i++) {
		filter_check_traffic(bench, filters[i]);
		for (unsigned int j = 1; j < counts; j++)
			bench_compare(bench, series[i * counts + j], series[i * counts], 0);
	}
}

static void run(struct bench *bench)
{
	static const struct {
		const char *variant;
		enum filter_kind kind;
		const char *hook;
	} variants[VARIANTS] = {
		{"unfiltered", FILTER_NONE, ""},
		{"nftables", FILTER_NFTABLES, ""},
		{"tapguard xdp", FILTER_TAPGUARD, "xdp"},
		{"tapguard tcx", FILTER_TAPGUARD, "tcx"},
	};
	static const unsigned int threads[] = {1, 2, 4};
	unsigned int cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), counts = 0;
	struct shape shape = {.rules = 200, .members = 10000, .max_flows = 131072};
	struct filter *filters[VARIANTS];

	while (counts < G_N_ELEMENTS(threads) && threads[counts] <= cpus)
		shape.pairs = threads[counts++];
	if (counts < G_N_ELEMENTS(threads))
		bench_note(bench, "this machine has %u CPUs: no more than %u threads", cpus,
			   shape.pairs);
	bench_note(bench, "%u connections a pair of taps", FLOWS);
	filter_conntrack_room(1000000);
	for (unsigned int i = 0; i < VARIANTS; i++) {
		shape.hook = variants[i].hook;
		filters[i] = filter_new(variants[i].variant, variants[i].kind, &shape, true, false);
		filter_check(bench, filters[i]);
		for (unsigned int j = 0; j < shape.pairs; j++)
			traffic_open(filters[i]->traffic[j], bench_smoke(bench) ? 100 : FLOWS);
	}
	measure(bench, filters, WORK_EXCHANGE, "established, a frame", threads, counts);
	measure(bench, filters, WORK_CONNECT, "connection", threads, counts);
	for (unsigned int i = 0; i < VARIANTS; i++)
		filter_free(&filters[i]);
}

BENCH_MAIN("cores", "what a frame costs when other CPUs are at it too", run)
