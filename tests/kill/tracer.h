/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracer.h - rulesd under ptrace: the Nth system call that changes the kernel or the disk is its
 * last one, or fails.
 *
 * libbpf and glibc call the kernel past anything that could be preloaded, so a seccomp filter
 * (SECCOMP_RET_TRACE) stops every candidate before it is made. What counts as a change: bpf(2) but
 * for lookups, write(2) and the like to files of the state directory, rename, fsync, fdatasync,
 * ftruncate, unlink, mkdir, creating a file, netlink messages that ask for a change. Stores into
 * mapped memory are no system calls: they happen between two of them.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum tracer_action {
	TRACER_KILL, /* SIGKILL before the call is made */
	TRACER_FAIL, /* it is not made and returns -error */
	/* From it on every one that changes the state directory, until it is disarmed. */
	TRACER_FAIL_DISK,
};

/* Shared with the process that traces. */
struct tracer {
	pid_t tracer;	    /* 0: nothing runs */
	volatile pid_t pid; /* of rulesd; 0 until it has begun, -1 when it has ended */
	volatile int armed;
	volatile unsigned int count;  /* changes since it was armed */
	volatile unsigned int target; /* from 1; 0: only counts */
	volatile int action, error;
	volatile int hit;
	char what[160]; /* the call that was hit, the first one */
	char state_dir[256];
};

struct tracer *tracer_new(void);
/* Runs argv, standard error into the log, in the namespaces of the caller; returns at once. */
void tracer_start(struct tracer *tracer, const char *const *argv, const char *log);
void tracer_arm(struct tracer *tracer, enum tracer_action action, int error, unsigned int target);
void tracer_disarm(struct tracer *tracer);
bool tracer_runs(const struct tracer *tracer);
/* Ends it if it runs, and waits until it is gone. */
void tracer_kill(struct tracer *tracer);
void tracer_wait(struct tracer *tracer);
