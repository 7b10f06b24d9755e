// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * syscalls.bpf.c - counts the system calls of one process.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "tests/bench/syscalls.h"

char LICENSE[] SEC("license") = "GPL";

__u32 syscalls_process;
__u64 syscalls_count[SYSCALLS_MAX];

SEC("raw_tp/sys_enter") int syscalls_enter(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 number = ctx->args[1];

	if (bpf_get_current_pid_tgid() >> 32 == syscalls_process && number < SYSCALLS_MAX)
		__sync_fetch_and_add(&syscalls_count[number], 1);
	return 0;
}
