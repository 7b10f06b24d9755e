/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench.c - see bench.h.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/report.h"
#include "tests/lib/daemon.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

#define ROUNDS	     21
#define ROUNDS_QUICK 5

static struct {
	const char *name, *what;
	void (*run)(struct bench *bench);
	struct bench bench;
} this;

/* ------------------------------------------------------------------ where and how long */

static bool wanted(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value && strcmp(value, "0") != 0;
}

bool bench_quick(const struct bench *bench)
{
	return bench->quick;
}

bool bench_smoke(const struct bench *bench)
{
	return bench->smoke;
}

unsigned int bench_rounds(const struct bench *bench)
{
	if (bench->smoke)
		return 1;
	return bench->quick ? ROUNDS_QUICK : ROUNDS;
}

unsigned int bench_cpu(const struct bench *bench)
{
	return bench->cpu;
}

void bench_pin(const struct bench *bench)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(bench->cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		fail_msg("cannot run on CPU %u (BENCH_CPU): %s", bench->cpu, strerror(errno));
}

void bench_unpin(const struct bench *bench)
{
	if (sched_setaffinity(0, sizeof(bench->all_cpus), &bench->all_cpus) < 0)
		fail_msg("sched_setaffinity: %s", strerror(errno));
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t bench_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void choose_cpu(struct bench *bench)
{
	const char *given = getenv("BENCH_CPU");
	long last = sysconf(_SC_NPROCESSORS_ONLN) - 1;

	if (sched_getaffinity(0, sizeof(bench->all_cpus), &bench->all_cpus) < 0)
		fail_msg("sched_getaffinity: %s", strerror(errno));
	bench->cpu = given && *given ? (unsigned int)atoi(given) : (unsigned int)MAX(last, 0);
}

/* ------------------------------------------------------------------ series */

struct bench_series *bench_series(struct bench *bench, const char *metric, const char *variant,
				  const char *unit, const char *parameters, ...)
{
	struct bench_series *series = g_new0(struct bench_series, 1);
	va_list arguments;

	va_start(arguments, parameters);
	series->parameters = g_strdup_vprintf(parameters, arguments);
	va_end(arguments);
	series->metric = g_strdup(metric);
	series->variant = g_strdup(variant);
	series->unit = g_strdup(unit);
	series->samples = g_array_new(FALSE, FALSE, sizeof(double));
	g_ptr_array_add(bench->series, series);
	return series;
}

void bench_sample(struct bench_series *series, double value)
{
	g_array_append_val(series->samples, value);
}

static gint compare_doubles(gconstpointer a, gconstpointer b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The value below which this part of them lies; 0 when there are none. Sorts them. */
static double quantile(GArray *values, double part)
{
	if (values->len == 0)
		return 0;
	g_array_sort(values, compare_doubles);
	return g_array_index(values, double, (guint)lround(part * (values->len - 1)));
}

double bench_quantile(const struct bench_series *series, double part)
{
	g_autoptr(GArray) sorted = g_array_copy(series->samples);

	return quantile(sorted, part);
}

double bench_ratio(const struct bench_series *series, const struct bench_series *base)
{
	g_autoptr(GArray) ratios = g_array_new(FALSE, FALSE, sizeof(double));

	if (series->samples->len != base->samples->len)
		return bench_median(base) != 0 ? bench_median(series) / bench_median(base) : 0;
	for (guint i = 0; i < series->samples->len; i++) {
		double below = g_array_index(base->samples, double, i);
		double ratio = g_array_index(series->samples, double, i) / below;

		if (below != 0)
			g_array_append_val(ratios, ratio);
	}
	return quantile(ratios, 0.5);
}

double bench_median(const struct bench_series *series)
{
	return bench_quantile(series, 0.5);
}

struct bench_series *bench_added(struct bench *bench, const char *metric,
				 const struct bench_series *series, const struct bench_series *base)
{
	struct bench_series *added = bench_series(bench, metric, series->variant, series->unit,
						  "%s", series->parameters);

	assert_int_equal(series->samples->len, base->samples->len);
	for (guint i = 0; i < series->samples->len; i++)
		bench_sample(added, g_array_index(series->samples, double, i) -
					    g_array_index(base->samples, double, i));
	return added;
}

void bench_compare(struct bench *bench, const struct bench_series *series,
		   const struct bench_series *base, double goal)
{
	struct bench_comparison comparison = {.series = series, .base = base, .goal = goal};

	g_array_append_val(bench->comparisons, comparison);
}

void bench_limit(struct bench *bench, const struct bench_series *series, double limit)
{
	bench_compare(bench, series, NULL, limit);
}

/* ------------------------------------------------------------------ verdicts and notes */

void bench_verdict(struct bench *bench, bool right, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	bench->verdicts++;
	if (right)
		return;
	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (bench->wrong++ < 20)
		fprintf(stderr, "%s: WRONG VERDICT: %s\n", bench->name, text);
}

void bench_note(struct bench *bench, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_ptr_array_add(bench->notes, text);
}

/* ------------------------------------------------------------------ running */

void bench_interleave(struct bench *bench, const struct bench_subject *subjects, unsigned int count)
{
	bench_pin(bench);
	for (unsigned int i = 0; i < count; i++)
		subjects[i].measure(subjects[i].context);
	for (unsigned int round = 0; round < bench_rounds(bench); round++) {
		for (unsigned int i = 0; i < count; i++) {
			/* Not always behind the same neighbour, whose cache lines it would find. */
			const struct bench_subject *subject = &subjects[(i + round) % count];

			bench_sample(subject->series, subject->measure(subject->context));
		}
	}
	bench_unpin(bench);
}

static void series_free(gpointer data)
{
	struct bench_series *series = data;

	g_free(series->metric);
	g_free(series->variant);
	g_free(series->unit);
	g_free(series->parameters);
	g_array_unref(series->samples);
	g_free(series);
}

static int setup(void **state)
{
	struct bench *bench = &this.bench;

	(void)state;
	bench->name = this.name;
	bench->what = this.what;
	bench->smoke = wanted("SMOKE");
	bench->quick = bench->smoke || wanted("QUICK");
	bench->series = g_ptr_array_new_with_free_func(series_free);
	bench->comparisons = g_array_new(FALSE, FALSE, sizeof(struct bench_comparison));
	bench->notes = g_ptr_array_new_with_free_func(g_free);
	bench->start_ns = bench_now_ns();
	choose_cpu(bench);
	report_begin(bench);
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = &this.bench;

	(void)state;
	daemon_delete_all();
	tap_delete_all();
	netns_leave();
	g_ptr_array_unref(bench->series);
	g_array_unref(bench->comparisons);
	g_ptr_array_unref(bench->notes);
	return 0;
}

static void run(void **state)
{
	struct bench *bench = &this.bench;
	unsigned int missed;

	(void)state;
	this.run(bench);
	missed = report_end(bench);
	if (bench->verdicts == 0)
		fail_msg("no verdict was asked for: the numbers could be those of anything");
	if (bench->wrong > 0)
		fail_msg("%u of %u verdicts were wrong", bench->wrong, bench->verdicts);
	if (missed > 0 && wanted("STRICT"))
		fail_msg("%u goals were missed", missed);
}

int bench_main(const char *name, const char *what, void (*benchmark)(struct bench *bench))
{
	const struct CMUnitTest tests[] = {
		{name, run, setup, teardown, NULL},
	};

	this.name = name;
	this.what = what;
	this.run = benchmark;
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, netns_group_setup, NULL) ? 1 : 0;
}
