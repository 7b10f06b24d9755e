/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_fault.c - calls into the kernel that fail because a test wants them to.
 */
#include "rulesd/bpf_internal.h"

static bpf_fault_fn current;
static void *current_arg;

void bpf_fault_set(bpf_fault_fn fault, void *arg)
{
	current = fault;
	current_arg = arg;
}

int bpf_fault(enum bpf_call call, const char *object)
{
	return current ? current(call, object, current_arg) : 0;
}

const char *bpf_call_name(enum bpf_call call)
{
	static const char *const names[CALL_COUNT] = {
#define X(name) [CALL_##name] = #name,
		BPF_CALLS(X)
#undef X
	};

	return names[call];
}
