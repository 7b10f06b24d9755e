/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_reap.c - taking tcx links off devices that stay, without waiting for it.
 *
 * To remove such a link waits for grace periods, to exchange its program does not: it gets one that
 * decides nothing, which holds for the next packet, and a thread removes it. Its pin is gone by
 * then, so that a rulesd that is killed takes the link along, too.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>

#include "rulesd/cleanup.h"

#define TURN_US 1000

bool reap_turn(struct dataplane *dataplane, const gint *cancel)
{
	while (!g_rec_mutex_trylock(&dataplane->hooks_turn)) {
		if (cancel && g_atomic_int_get(cancel))
			return false;
		g_usleep(TURN_US);
	}
	return true;
}

static void reap(gpointer data, gpointer arg)
{
	struct dataplane *dataplane = arg;
	AUTO_FD int fd = GPOINTER_TO_INT(data) - 1;

	reap_turn(dataplane, NULL);
	/* At once, also when somebody else holds the link. */
	bpf_link_detach(fd);
	g_rec_mutex_unlock(&dataplane->hooks_turn);
}

static int load_idle(struct dataplane *dataplane)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = TC_ACT_UNSPEC},
		{.code = BPF_JMP | BPF_EXIT},
	};

	if (dataplane->idle_program < 0)
		dataplane->idle_program = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "sg_idle", "GPL",
							insns, G_N_ELEMENTS(insns), NULL);
	return dataplane->idle_program;
}

int reap_idle(struct dataplane *dataplane, int link)
{
	int code = bpf_fault(CALL_LINK_UPDATE, "sg_idle");
	int idle = load_idle(dataplane);

	if (!code && idle < 0)
		code = idle;
	if (!code && bpf_link_update(link, idle, NULL))
		code = -errno;
	return code;
}

void reap_link(struct dataplane *dataplane, int *link)
{
	if (!dataplane->reaper)
		dataplane->reaper = g_thread_pool_new(reap, dataplane, 1, FALSE, NULL);
	g_thread_pool_push(dataplane->reaper, GINT_TO_POINTER(TAKE_FD(*link) + 1), NULL);
}

void reap_end(struct dataplane *dataplane)
{
	if (dataplane->reaper)
		g_thread_pool_free(TAKE_PTR(dataplane->reaper), FALSE, TRUE);
	cleanup_fd(&dataplane->idle_program);
	dataplane->idle_program = -1;
}
