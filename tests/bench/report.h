/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h - what a benchmark's numbers look like: the table, and .build/bench/NAME.json. For
 * bench.c alone.
 */
#pragma once

#include <glib.h>
#include <sched.h>

#include "tests/bench/bench.h"

struct bench_series {
	char *metric, *variant, *unit, *parameters;
	GArray *samples; /* of double */
};

struct bench_comparison {
	const struct bench_series *series, *base; /* base NULL: the goal is an amount */
	double goal;				  /* 0: none */
};

struct bench {
	const char *name, *what;
	bool quick, smoke;
	unsigned int cpu;
	cpu_set_t all_cpus; /* that the process may use beside it */
	uint64_t start_ns;
	GPtrArray *series, *notes;
	GArray *comparisons;
	unsigned int verdicts, wrong;
	double load_before; /* of the machine, one minute */
	struct bench_ticks {
		/* Of the measuring CPU: all, what its hypervisor kept from it; of the others: all,
		 * busy. In USER_HZ, since the machine started. */
		unsigned long long own, stolen, others, others_busy;
	} ticks_before;
};

/* The sample below which this part of them lies. */
double bench_quantile(const struct bench_series *series, double part);
/*
 * The median of the ratios of each turn, where both were measured in turns: when something slows
 * the machine down for a while, it slows both samples of a turn. Else the ratio of the medians.
 */
double bench_ratio(const struct bench_series *series, const struct bench_series *base);

void report_begin(struct bench *bench);
/* Prints and writes; how many goals were missed. */
unsigned int report_end(const struct bench *bench);
