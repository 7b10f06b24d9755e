/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measured.h - what a BPF program costs the kernel: the verifier's work, stack, size.
 */
#pragma once

#include <stdbool.h>

#define MEASURED_FUNCTIONS 64

struct measured {
	unsigned int insns, states, peak_states;
	unsigned int frames, depth[MEASURED_FUNCTIONS]; /* bytes of stack of each BPF function */
	unsigned int stack;				/* of the deepest chain of calls */
	unsigned int xlated_bytes, jited_bytes;
};

/* Reads the verifier's log of level 4 (BPF_LOG_STATS). False when it has no statistics. */
bool measured_parse(const char *log, struct measured *measured);

/*
 * Adds what the kernel tells of the loaded program fd; after measured_parse. stack stays 0 when it
 * does not tell which function calls which (a program without BTF).
 */
void measured_loaded(int fd, struct measured *measured);
