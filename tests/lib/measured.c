/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measured.c - see measured.h.
 */
#include "tests/lib/measured.h"

#include <bpf/bpf.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PROGRAM 65536 /* instructions after the verifier's rewriting */

/* ------------------------------------------------------------------ what the verifier says */

/* "stack depth 64+0+32", one number a BPF function; newer kernels may say more after it. */
static void parse_depths(const char *log, struct measured *measured)
{
	const char *at = strstr(log, "stack depth ");

	if (!at)
		return;
	at += strlen("stack depth ");
	while (g_ascii_isdigit(*at) && measured->frames < MEASURED_FUNCTIONS) {
		char *end;

		measured->depth[measured->frames++] = (unsigned int)strtoul(at, &end, 10);
		at = *end == '+' ? end + 1 : end;
	}
}

bool measured_parse(const char *log, struct measured *measured)
{
	const char *line = strstr(log, "processed ");

	parse_depths(log, measured);
	return measured->frames > 0 && line &&
	       sscanf(line,
		      "processed %u insns (limit %*u) max_states_per_insn %*u total_states %u "
		      "peak_states %u",
		      &measured->insns, &measured->states, &measured->peak_states) == 3;
}

/* ------------------------------------------------------------------ the deepest chain of calls */

struct graph {
	const struct bpf_insn *insns;
	unsigned int insn_count;
	unsigned int start[MEASURED_FUNCTIONS + 1]; /* of each function, and the end */
	unsigned int functions;
	const unsigned int *depth;
};

static unsigned int function_at(const struct graph *graph, unsigned int insn)
{
	unsigned int f = 0;

	while (f + 1 < graph->functions && graph->start[f + 1] <= insn)
		f++;
	return f;
}

/* Bytes that a call of function needs, as kernel/bpf/verifier.c of Linux 6.1 counts them: frames
 * are rounded up to 32 bytes. Later kernels round less. There is no recursion in BPF. */
static unsigned int chain_from(const struct graph *graph, unsigned int function)
{
	unsigned int deepest = 0, own = (MAX(graph->depth[function], 1u) + 31u) & ~31u;

	for (unsigned int i = graph->start[function]; i < graph->start[function + 1]; i++) {
		const struct bpf_insn *insn = &graph->insns[i];
		unsigned int callee;

		if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL)
			callee = (unsigned int)insn->imm; /* Kernel: jit_subprogs leaves its number
							     for those who dump */
		else if (insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
			 insn->src_reg == BPF_PSEUDO_FUNC) /* a callback: a distance */
			callee = function_at(graph, (unsigned int)((int)i + insn->imm + 1));
		else
			continue;
		if (callee < graph->functions && callee != function)
			deepest = MAX(deepest, chain_from(graph, callee));
	}
	return own + deepest;
}

/* The program as the kernel runs it. 0 when it does not tell. */
static unsigned int deepest_chain(int fd, const struct measured *measured)
{
	g_autofree struct bpf_insn *insns = g_new0(struct bpf_insn, MAX_PROGRAM);
	struct bpf_func_info functions[MEASURED_FUNCTIONS] = {};
	struct bpf_prog_info info = {
		.xlated_prog_insns = (uintptr_t)insns,
		.xlated_prog_len = MAX_PROGRAM * sizeof(*insns),
		.func_info = (uintptr_t)functions,
		.nr_func_info = MEASURED_FUNCTIONS,
		.func_info_rec_size = sizeof(functions[0]),
	};
	struct graph graph = {.insns = insns, .depth = measured->depth};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.nr_func_info != measured->frames ||
	    info.xlated_prog_len > MAX_PROGRAM * sizeof(*insns))
		return 0;
	graph.insn_count = info.xlated_prog_len / (uint32_t)sizeof(*insns);
	graph.functions = measured->frames;
	for (unsigned int f = 0; f < graph.functions; f++)
		graph.start[f] = functions[f].insn_off;
	graph.start[graph.functions] = graph.insn_count;
	return chain_from(&graph, 0);
}

void measured_loaded(int fd, struct measured *measured)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	if (!bpf_obj_get_info_by_fd(fd, &info, &size)) {
		measured->xlated_bytes = info.xlated_prog_len;
		measured->jited_bytes = info.jited_prog_len;
	}
	measured->stack = deepest_chain(fd, measured);
}
