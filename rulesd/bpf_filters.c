/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_filters.c - our programs as tc filters of a clsact qdisc: where the kernel has no tcx, where
 * the user wants them, and for the time until links have taken over.
 */
#include "rulesd/bpf_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>

#include "rulesd/cleanup.h"

/* Ours among others; the first priority, so that none is before them. */
#define TC_HANDLE   0x7467
#define TC_PRIORITY 1

/* The VM's egress is what the device receives. */
static struct bpf_tc_hook hook_of(uint32_t ifindex, enum sg_dir dir)
{
	return (struct bpf_tc_hook){.sz = sizeof(struct bpf_tc_hook),
				    .ifindex = (int)ifindex,
				    .attach_point =
					    dir == SG_EGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS};
}

static const char *side_name(enum sg_dir dir)
{
	return dir == SG_EGRESS ? "tc ingress" : "tc egress";
}

int filter_look(uint32_t ifindex, enum sg_dir dir, uint32_t *program)
{
	uint32_t side = dir == SG_EGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS;
	struct device_filter filter = {0};
	int code = bpf_fault(CALL_TC_QUERY, side_name(dir));

	if (!code)
		code = device_filter(ifindex, TC_H_MAKE(TC_H_CLSACT, side), TC_HANDLE, TC_PRIORITY,
				     &filter);
	/* EINVAL: there is no clsact, or no filter of that priority. */
	if (code == -ENOENT || code == -ENODEV || code == -EINVAL) {
		*program = 0;
		return 0;
	}
	/* One of ours, of this or of another rulesd: libbpf says whose name it has. */
	if (!code)
		*program = g_str_has_prefix(filter.name, "sg_tc_") ? filter.program : 0;
	return code;
}

int filter_put(uint32_t ifindex, enum sg_dir dir, int program, const char *device, bool *made_qdisc,
	       char **error)
{
	struct bpf_tc_hook hook = hook_of(ifindex, dir);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY,
		    .prog_fd = program, .flags = BPF_TC_F_REPLACE);
	int code = bpf_fault(CALL_TC_HOOK, side_name(dir));

	if (!code)
		code = bpf_tc_hook_create(&hook);
	if (code && code != -EEXIST)
		return bpf_fail(error, code, "device %s: creating its clsact qdisc", device);
	if (!code)
		*made_qdisc = true;
	code = bpf_fault(CALL_TC_ATTACH, side_name(dir));
	if (!code)
		code = bpf_tc_attach(&hook, &options);
	if (code)
		return bpf_fail(error, code, "device %s: attaching to %s", device, side_name(dir));
	return 0;
}

int filter_remove(uint32_t ifindex, enum sg_dir dir, char **error)
{
	struct bpf_tc_hook hook = hook_of(ifindex, dir);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	uint32_t program = 0;
	int code = ifindex ? filter_look(ifindex, dir, &program) : 0;

	if (!code && !program)
		return 0;
	if (!code)
		code = bpf_fault(CALL_TC_DETACH, side_name(dir));
	if (!code)
		code = bpf_tc_detach(&hook, &options);
	if (code && code != -ENOENT && code != -ENODEV && code != -EINVAL)
		return bpf_fail(error, code, "ifindex %u: detaching from %s", ifindex,
				side_name(dir));
	return 0;
}

bool filter_remove_qdisc(uint32_t ifindex)
{
	struct bpf_tc_hook hook = {.sz = sizeof(hook),
				   .ifindex = (int)ifindex,
				   .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS};
	unsigned int others = 0;

	return !device_filters(ifindex, &others) && !others && !bpf_tc_hook_destroy(&hook);
}
