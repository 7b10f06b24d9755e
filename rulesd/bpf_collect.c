/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_collect.c - removing expired flows, one bounded step at a time, by programs in the kernel.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <errno.h>

int collect_pass(struct dataplane *dataplane, enum bpf_program_id program, struct sg_collect *pass,
		 char **error)
{
	/* Programs that ask the rules are of a kind that wants a frame; none of them looks at it.
	 */
	static const uint8_t frame[64];
	bool asks = program == PROGRAM_SETTLE_FLOWS || program == PROGRAM_SETTLE_HALF;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = asks ? frame : NULL,
		    .data_size_in = asks ? sizeof(frame) : 0);
	uint32_t zero = 0;
	int code = table_update(dataplane, TABLE_COLLECT, &zero, pass, BPF_ANY, error);

	if (code)
		return code;
	code = bpf_fault(CALL_TEST_RUN, "collect");
	if (!code)
		code = bpf_prog_test_run_opts(dataplane->program[program], &run);
	if (code)
		return bpf_fail(error, code, "collecting flows: bpf(PROG_TEST_RUN)");
	code = table_lookup(dataplane, TABLE_COLLECT, &zero, pass);
	return code ? bpf_fail(error, code, "map %s", SG_MAP_COLLECT) : 0;
}

int collect_settle(struct dataplane *dataplane, char **error)
{
	for (uint32_t shard = 0; shard < SG_MAX_SHARDS; shard++) {
		struct sg_collect pass = {.shard = shard};
		int code;

		if (!dataplane->shards[shard].capacity)
			continue;
		code = collect_pass(dataplane, PROGRAM_SETTLE_FLOWS, &pass, error);
		if (code)
			return code;
	}
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++) {
		struct sg_collect pass = {.shard = slot};
		int code;

		if (!dataplane->ifaces[slot].ifindex)
			continue;
		code = collect_pass(dataplane, PROGRAM_SETTLE_HALF, &pass, error);
		if (code)
			return code;
	}
	return 0;
}

/*
 * A step is one shard, or the half-open flows of some slots: a few hundred microseconds, because
 * who changes a policy waits for them.
 */
#define STEP_SLOTS   8u
#define MOST_PUT_OFF 10u

/* The next shard, or the next slots' half-open flows; at the end the datagrams in fragments. */
static int step(struct dataplane *dataplane, bool *more)
{
	struct sg_collect frags = {};
	uint32_t slots = 0;
	int failed;

	*more = true;
	for (; dataplane->collect_shard < SG_MAX_SHARDS; dataplane->collect_shard++) {
		struct sg_collect pass = {.shard = dataplane->collect_shard};

		if (!dataplane->shards[pass.shard].capacity)
			continue;
		dataplane->collect_shard++;
		return collect_pass(dataplane, PROGRAM_COLLECT_FLOWS, &pass, NULL);
	}
	for (; dataplane->collect_slot <= SG_MAX_SLOTS; dataplane->collect_slot++) {
		struct sg_collect pass = {.shard = dataplane->collect_slot};
		int code;

		if (!dataplane->ifaces[pass.shard].ifindex)
			continue;
		if (slots++ == STEP_SLOTS)
			return 0;
		code = collect_pass(dataplane, PROGRAM_COLLECT_HALF, &pass, NULL);
		if (code)
			return code;
	}
	*more = false;
	failed = collect_pass(dataplane, PROGRAM_COLLECT_FRAGS, &frags, NULL);
	if (!failed)
		outline_clean(dataplane, frags.jiffies);
	return failed;
}

int dataplane_collect(struct dataplane *dataplane, bool *more)
{
	bool again = false;
	int code;

	/* By the timeouts of an entry that somebody has wiped every flow would be over. That is put
	 * right within a second; where nobody does it, others' flows must end all the same. */
	if (intact_ifaces(dataplane)) {
		dataplane->intact.put_off = 0;
	} else if (dataplane->intact.put_off++ < MOST_PUT_OFF) {
		*more = false;
		return 0;
	}
	code = step(dataplane, &again);

	if (!code && !again) {
		dataplane->collect_shard = 0;
		dataplane->collect_slot = 1;
	}
	if (!code)
		*more = again;
	return code;
}
