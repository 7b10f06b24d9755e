/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.h - what rulesd and its maps take of memory, as the kernel counts it.
 */
#pragma once

#include <sys/types.h>

/* The field ("VmRSS:") of /proc/PID/status in kB; 0 when there is none. */
double memory_of_process(pid_t pid, const char *field);

/*
 * Bytes of all maps pinned below bpffs, with the inner maps of the flow tables; each is told to
 * seen (may be NULL) with its name.
 */
double memory_of_maps(const char *bpffs,
		      void (*seen)(const char *name, double bytes, void *context), void *context);
