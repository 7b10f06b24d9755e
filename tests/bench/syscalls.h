/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscalls.h - how many system calls a process makes, by a BPF program on their tracepoint: a
 * tracer would slow down what it counts.
 */
#pragma once

#ifndef __bpf__
#include <sys/types.h>
#endif

#define SYSCALLS_MAX 512

#ifndef __bpf__
/* Counts from now on those of all threads of the process, one process at a time. */
void syscalls_begin(pid_t process);
/* Stops. How many there were; *text, which the caller frees: how many of each, divided by of. */
unsigned long syscalls_end(unsigned int of, char **text);
#endif
