/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench.h - the frame of a benchmark: interleaved runs, medians, ratios against a baseline of the
 * same run, goals; printed as a table and written as JSON.
 *
 * A benchmark is one program tests/bench/bench_NAME.c whose main is BENCH_MAIN. It makes its
 * variants (filters, programs, tables), asks of each one first whether its verdicts are right
 * (bench_verdict), then measures all of them in turns (bench_interleave): what else the machine
 * does meets every variant alike. A number is worth something only beside another one of the same
 * run, so goals are ratios.
 *
 * Environment: QUICK=1 few short runs; SMOKE=1 one turn of the smallest, for the verdicts alone;
 * STRICT=1 a missed goal fails; BENCH_CPU=N the CPU that measures (default: the last one).
 *
 * A benchmark runs as the one test of a cmocka group, so it may use all of tests/lib.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/check.h"

struct bench;
/* The samples of one metric, for one variant and one set of parameters. */
struct bench_series;

/* Runs it; returns the exit status of the program: 1 for a wrong verdict, or a failure in it. */
int bench_main(const char *name, const char *what, void (*run)(struct bench *bench));
#define BENCH_MAIN(name, what, run)                   \
	int main(void)                                \
	{                                             \
		return bench_main(name, what, (run)); \
	}

/* Whether numbers matter less than that it ends soon. */
bool bench_quick(const struct bench *bench);
/* Whether they do not matter at all: quick, too. */
bool bench_smoke(const struct bench *bench);
/* How many samples a median is made of: odd. */
unsigned int bench_rounds(const struct bench *bench);
/*
 * Keeps the calling thread on the measuring CPU; bench_unpin gives back what it had. Start daemons
 * unpinned: they inherit it. bench_interleave does it by itself.
 */
void bench_pin(const struct bench *bench);
void bench_unpin(const struct bench *bench);
unsigned int bench_cpu(const struct bench *bench);
uint64_t bench_now_ns(void);
/* CPU time of the calling thread: when another task has the CPU for a while, that does not count.
 */
uint64_t bench_cpu_ns(void);

/*
 * One more series. metric: what is measured ("established, added"); variant: what is under test
 * ("nftables", "tapguard xdp"); unit: "ns", "bytes"; parameters: "flows=100000 bytes=64", words of
 * the form KEY=VALUE, numbers in the JSON where they are numbers. All are copied. Owned by bench.
 */
struct bench_series *bench_series(struct bench *bench, const char *metric, const char *variant,
				  const char *unit, const char *parameters, ...)
	__attribute__((format(printf, 5, 6)));
void bench_sample(struct bench_series *series, double value);
/* 0 when there is none. */
double bench_median(const struct bench_series *series);
/* The series of series[i] - base[i], of the same variant and parameters: what a filter adds. Both
 * have as many samples, taken in turns. */
struct bench_series *bench_added(struct bench *bench, const char *metric,
				 const struct bench_series *series,
				 const struct bench_series *base);

/* Shows series / base, the median of the turns' ratios; goal: the most that it may be, 0 for none.
 */
void bench_compare(struct bench *bench, const struct bench_series *series,
		   const struct bench_series *base, double goal);
/* A goal that is an amount, not a ratio. */
void bench_limit(struct bench *bench, const struct bench_series *series, double limit);

/* Counts a verdict; a wrong one is printed and makes the benchmark fail at its end. */
void bench_verdict(struct bench *bench, bool right, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A line for the reader, kept in the JSON too: a condition of the run, something left out. */
void bench_note(struct bench *bench, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One that is measured in turns. measure returns the sample, in the unit of the series. */
struct bench_subject {
	struct bench_series *series;
	double (*measure)(void *context);
	void *context;
};
/* bench_rounds samples of each, in turns, on the measuring CPU; one more before them is forgotten.
 */
void bench_interleave(struct bench *bench, const struct bench_subject *subjects,
		      unsigned int count);
