/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience.h - time in tests, on machines that are slow, emulated or busy with something else.
 *
 * What must come is waited for until GIVE_UP_MS: long, since only a test that fails waits that
 * long. What the product promises in milliseconds is measured with a stopwatch that stands still
 * while the scheduler lets rulesd, or the test, wait for a CPU; so the promise is rulesd's, not the
 * machine's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* PATIENCE of the environment, at least 1: as of tests/run. */
int patience(void);

#define GIVE_UP_MS (60000 * patience())

/* Whether limit_ms have passed since this moment of g_get_monotonic_time(). */
bool patience_over(gint64 since, int limit_ms);

/*
 * How often slower than a core of 3 GHz this one computes, in CPU time, at least 1: measured
 * once.
 */
double patience_slowness(void);

/* Whether the calling thread comes before all others that are no real-time tasks; where that is not
 * allowed, nothing happens. */
void patience_real_time(bool yes);

/* Whether the memory that is used is the product's, so that bounds of it hold: not with sanitizers,
 * which take several times as much and reserve terabytes. */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_COUNTS false
#else
#define MEMORY_COUNTS true
#endif

struct stopwatch_thread {
	pid_t tid;
	guint64 delayed_ns; /* ready, and without a CPU, since it was made */
};

struct stopwatch_threads {
	unsigned int count;
	bool more; /* than there is room for */
	struct stopwatch_thread each[64];
};

struct stopwatch {
	pid_t pid; /* whose waiting for a CPU does not count, beside the caller's */
	gint64 began_us, stolen_us;
	struct stopwatch_threads threads;
};
struct stopwatch stopwatch_start(pid_t pid);
/* Without what the scheduler or the hypervisor kept both of them waiting. */
int stopwatch_ms(const struct stopwatch *watch);
/*
 * Fails the test, naming what, when it shows more than thrice the promise (what waits for a disk or
 * a lock is not seen), on a slow machine so much more.
 */
void stopwatch_assert(const struct stopwatch *watch, int promised_ms, const char *what);
/* Sorts what several have shown; returns the first, second or third quartile. */
int stopwatch_quartile(int *took_ms, unsigned int count, unsigned int which);
/* stopwatch_assert() for one that has been read. */
void stopwatch_promised(int took_ms, int promised_ms, const char *what);
