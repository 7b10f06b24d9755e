/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parallel.h - numbered pieces of one piece of work on all CPUs that the process may use.
 */
#pragma once

#include <stdint.h>

/* At most that many threads work on one thing, the caller among them. */
#define PARALLEL_MAX 8u

/*
 * Calls work once for each of 0 .. pieces - 1, in any order and at the same time, and returns when
 * all of them are done. A thread that cannot be made is one less: the caller works, too. work may
 * use whatever no other piece changes, and what belongs to its worker: a number less than
 * PARALLEL_MAX that no other thread of the run has.
 */
typedef void parallel_work(uint32_t piece, uint32_t worker, void *context);
void parallel_run(uint32_t pieces, parallel_work *work, void *context);
/* Threads that parallel_run would use for many pieces; 1 where there is one CPU. */
uint32_t parallel_threads(void);
