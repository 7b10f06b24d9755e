/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * testrun.h - times of the BPF programs by themselves: BPF_PROG_TEST_RUN with many repetitions, of
 * the filter's programs and of the reference programs (reference.bpf.c), on one frame or on frames
 * that each belong to another flow.
 *
 * The programs under test are those of tests/lib/proggy.h: the policy in force is its.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/bench.h"
#include "tests/lib/proggy.h"

enum testrun_kind { TESTRUN_EMPTY, TESTRUN_FLOOR, TESTRUN_FILTER, TESTRUN_KINDS };

/* How the frames of a run differ. */
struct testrun_vary {
	enum {
		TESTRUN_SAME,
		TESTRUN_NEXT,
		TESTRUN_RANDOM,
		TESTRUN_HOSTS, /* any remote address, each time from another port */
		TESTRUN_IDS
	} how;
	uint32_t first; /* TESTRUN_NEXT and _IDS: the index of the first frame; _HOSTS: a seed, not
			   0 */
	uint32_t count; /* TESTRUN_RANDOM and _HOSTS: of indexes 0 .. count - 1 */
};

/* Besides proggy's setup and teardown. flows: entries of the reference's flow table. */
void testrun_open(uint32_t flows);
void testrun_close(void);
/* The key that a frame with the index has, remote address and port varied, is in the floor's table
 * from now on. frame as in testrun_time. */
void testrun_know(enum sg_dir dir, const struct frame *frame, const struct testrun_vary *vary);

/* One run of a program on a frame. */
struct testrun {
	struct bench *bench;
	const char *name; /* for messages */
	enum testrun_kind kind;
	enum proggy_program program;
	const char *interface_id;
	struct frame frame;
	struct testrun_vary vary;
	enum sg_reason reason; /* what the filter counts for every frame of the run */
	uint32_t repeat;
};

/* Nanoseconds a frame. Asks bench_verdict whether each of them got what run->reason says. */
double testrun_time(const struct testrun *run);
