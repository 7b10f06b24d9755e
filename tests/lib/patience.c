/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience.c - see patience.h.
 */
#include "tests/lib/patience.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"

#define MARGIN	    3
#define PROBE_TURNS 20000000u
#define PROBE_MS    33.0 /* five cycles of 3 GHz a turn */

int patience(void)
{
	const char *given = getenv("PATIENCE");

	return given ? MAX(atoi(given), 1) : 1;
}

bool patience_over(gint64 since, int limit_ms)
{
	return g_get_monotonic_time() - since > (gint64)limit_ms * 1000;
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

double patience_slowness(void)
{
	static double slowness;
	volatile uint32_t result;
	uint32_t hash = 2166136261u;
	double began;

	if (slowness > 0)
		return slowness;
	began = cpu_ms();
	for (uint32_t i = 0; i < PROBE_TURNS; i++)
		hash = (hash ^ (i & 0xff)) * 16777619u;
	result = hash;
	(void)result;
	slowness = MAX((cpu_ms() - began) / PROBE_MS, 1.0);
	return slowness;
}

void patience_real_time(bool yes)
{
	const struct sched_param param = {.sched_priority = yes ? 1 : 0};

	(void)sched_setscheduler(0, yes ? SCHED_FIFO : SCHED_OTHER, &param);
}

/* ------------------------------------------------------------------ the stopwatch */

/* The second number of schedstat: nanoseconds that a thread was ready and had no CPU. */
static guint64 delay_of(const char *path)
{
	g_autofree char *text = NULL;
	uint64_t ran, delayed;

	if (!g_file_get_contents(path, &text, NULL, NULL) ||
	    sscanf(text, "%" SCNu64 " %" SCNu64, &ran, &delayed) != 2)
		return 0;
	return delayed;
}

/* Reads the threads of a process into what is left of the array. */
static void read_threads(pid_t pid, struct stopwatch_threads *threads)
{
	g_autofree char *folder = g_strdup_printf("/proc/%d/task", (int)pid);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_strdup_printf("%s/%s/schedstat", folder, name);

		if (threads->count == G_N_ELEMENTS(threads->each)) {
			threads->more = true;
			return;
		}
		threads->each[threads->count++] = (struct stopwatch_thread){
			.tid = atoi(name),
			.delayed_ns = delay_of(path),
		};
	}
}

static void read_all_threads(pid_t pid, struct stopwatch_threads *threads)
{
	*threads = (struct stopwatch_threads){0};
	read_threads(getpid(), threads);
	if (pid > 0)
		read_threads(pid, threads);
}

/*
 * How long threads that are there now have waited since before was read. What one has waited that
 * is gone is not known; it must not be taken off, since it was none of this time.
 */
static guint64 delayed_since(pid_t pid, const struct stopwatch_threads *before)
{
	struct stopwatch_threads now;
	guint64 delayed = 0;

	read_all_threads(pid, &now);
	for (unsigned int i = 0; i < now.count; i++) {
		const struct stopwatch_thread *thread = &now.each[i], *old = NULL;

		for (unsigned int j = 0; j < before->count && !old; j++)
			if (before->each[j].tid == thread->tid)
				old = &before->each[j];
		if (old && thread->delayed_ns > old->delayed_ns)
			delayed += thread->delayed_ns - old->delayed_ns;
		else if (!old && !before->more)
			delayed += thread->delayed_ns; /* made since then */
	}
	return delayed;
}

/* What the hypervisor took, of a CPU on average: the eighth number of /proc/stat, in ticks. */
static gint64 stolen_us(void)
{
	g_autofree char *text = NULL;
	uint64_t ticks;

	if (!g_file_get_contents("/proc/stat", &text, NULL, NULL) ||
	    sscanf(text, "cpu %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &ticks) != 1)
		return 0;
	return (gint64)ticks * G_USEC_PER_SEC / sysconf(_SC_CLK_TCK) /
	       MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
}

struct stopwatch stopwatch_start(pid_t pid)
{
	struct stopwatch watch = {.pid = pid};

	patience_slowness();
	read_all_threads(pid, &watch.threads);
	watch.stolen_us = stolen_us();
	watch.began_us = g_get_monotonic_time();
	return watch;
}

int stopwatch_ms(const struct stopwatch *watch)
{
	gint64 us = g_get_monotonic_time() - watch->began_us;

	us -= (gint64)(delayed_since(watch->pid, &watch->threads) / 1000);
	us -= stolen_us() - watch->stolen_us;
	return (int)(MAX(us, 0) / 1000);
}

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int stopwatch_quartile(int *took_ms, unsigned int count, unsigned int which)
{
	qsort(took_ms, count, sizeof(took_ms[0]), compare_ints);
	return took_ms[MIN(count * which / 4, count - 1)];
}

void stopwatch_promised(int took_ms, int promised_ms, const char *what)
{
	const double limit_ms = promised_ms * MARGIN * patience() * patience_slowness();

	if (took_ms > limit_ms)
		fail_msg("%s: %d ms, where %d are promised (%.0f on this machine)", what, took_ms,
			 promised_ms, limit_ms);
}

void stopwatch_assert(const struct stopwatch *watch, int promised_ms, const char *what)
{
	stopwatch_promised(stopwatch_ms(watch), promised_ms, what);
}
