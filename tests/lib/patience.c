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

static guint64 delay_of_process(pid_t pid)
{
	g_autofree char *folder = g_strdup_printf("/proc/%d/task", (int)pid);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	guint64 delayed = 0;
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_strdup_printf("%s/%s/schedstat", folder, name);

		delayed += delay_of(path);
	}
	return delayed;
}

static guint64 delays(pid_t pid)
{
	return delay_of_process(getpid()) + (pid > 0 ? delay_of_process(pid) : 0);
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
	patience_slowness();
	return (struct stopwatch){
		.pid = pid,
		.delayed_ns = delays(pid),
		.stolen_us = stolen_us(),
		.began_us = g_get_monotonic_time(),
	};
}

int stopwatch_ms(const struct stopwatch *watch)
{
	gint64 us = g_get_monotonic_time() - watch->began_us;

	us -= (gint64)(delays(watch->pid) - watch->delayed_ns) / 1000;
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
