// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * floor.bpf.c - what a hook costs that does nothing: programs that pass everything, and programs
 * that drop everything. No filter at these hooks is cheaper.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("xdp.frags")
int floor_pass_xdp(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("tc")
int floor_pass_tcx(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_UNSPEC;
}

SEC("xdp.frags")
int floor_drop_xdp(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SEC("tc")
int floor_drop_tcx(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_SHOT;
}
