// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tap.bpf.c - the entry programs of a tap: sequence only.
 *
 *   sg_xdp         XDP: what the VM sends
 *   sg_xdp_early   XDP: drops what the next one would, while the VM floods
 *   sg_tc_egress   tcx or clsact at the device's ingress: what the VM sends, where XDP is not used
 *   sg_tc_ingress  tcx or clsact at the device's egress: what the VM is sent
 *
 * All three are the same code: parse -> guard -> conntrack -> policy -> verdict. tc programs let
 * the next program run when they pass a frame.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "bpf/early.bpf.h"
#include "bpf/filter.bpf.h"
#include "bpf/options.bpf.h"
#include "bpf/parse.bpf.h"
#include "bpf/related.bpf.h"
#include "bpf/shortcut.bpf.h"
#include "bpf/verdict.bpf.h"

char LICENSE[] SEC("license") = "GPL";

sg_inline __u32 sg_parse_all(const struct sg_frame *f, struct sg_packet *p, __s32 vlan_tci)
{
	__u32 verdict = sg_parse(f, p, vlan_tci);

	if (verdict == SG_PARSED && p->flags & SG_PKT_ERROR)
		verdict = sg_parse_inner(f, p);
	return verdict;
}

sg_inline struct sg_frame sg_frame_md(struct xdp_md *ctx)
{
	return (struct sg_frame){
		.data = (void *)(long)ctx->data,
		.data_end = (void *)(long)ctx->data_end,
		.bytes = bpf_xdp_get_buff_len(ctx),
	};
}

sg_inline int sg_shortcut_md(struct xdp_md *ctx, int drops_only)
{
	struct sg_frame frame = sg_frame_md(ctx);

	return sg_shortcut(&frame, ctx->ingress_ifindex, SG_EGRESS, drops_only);
}

sg_noinline int sg_shortcut_xdp(struct xdp_md *ctx)
{
	return sg_shortcut_md(ctx, 0);
}

sg_noinline int sg_shortcut_early(struct xdp_md *ctx)
{
	return sg_shortcut_md(ctx, 1);
}

sg_inline int sg_shortcut_skb(struct __sk_buff *skb, __u8 dir)
{
	struct sg_frame frame = {
		.data = (void *)(long)skb->data,
		.data_end = (void *)(long)skb->data_end,
		.bytes = skb->len,
	};

	return skb->vlan_present ? SG_SHORT_UNDECIDED : sg_shortcut(&frame, skb->ifindex, dir, 0);
}

sg_noinline int sg_shortcut_egress(struct __sk_buff *skb)
{
	return sg_shortcut_skb(skb, SG_EGRESS);
}

sg_noinline int sg_shortcut_ingress(struct __sk_buff *skb)
{
	return sg_shortcut_skb(skb, SG_INGRESS);
}

sg_inline int sg_xdp_long(struct xdp_md *ctx)
{
	struct sg_frame frame = sg_frame_md(ctx);
	__u32 zero = 0, verdict;
	struct sg_packet *p = bpf_map_lookup_elem(&sg_packet_scratch, &zero);

	if (!p)
		return XDP_DROP;
	sg_packet_reset(p, SG_EGRESS);
	verdict = sg_parse_all(&frame, p, -1);
	if (p->tcp_options)
		p->tcp.scale = sg_options_xdp(ctx, p->l4 + 20, p->tcp_options);
	verdict = sg_judge(verdict, ctx->ingress_ifindex);
	return sg_reason_is_drop(verdict) ? XDP_DROP : XDP_PASS;
}

SEC("xdp.frags")
int sg_xdp(struct xdp_md *ctx)
{
	int decided = sg_shortcut_xdp(ctx);

	if (decided == SG_SHORT_PASSES)
		return XDP_PASS;
	if (decided == SG_SHORT_DROPS)
		return XDP_DROP;
	return sg_xdp_long(ctx);
}

SEC("xdp.frags")
int sg_xdp_early(struct xdp_md *ctx)
{
	int decided = sg_shortcut_early(ctx);
	struct sg_frame frame;
	struct sg_packet *p;
	__u32 zero = 0;

	if (decided != SG_SHORT_UNDECIDED)
		return decided == SG_SHORT_PASSES ? XDP_PASS : XDP_DROP;
	frame = sg_frame_md(ctx);
	p = bpf_map_lookup_elem(&sg_packet_scratch, &zero);
	if (!p)
		return XDP_PASS;
	sg_packet_reset(p, SG_EGRESS);
	return sg_early(sg_parse_all(&frame, p, -1), ctx->ingress_ifindex) ? XDP_DROP : XDP_PASS;
}

sg_inline __u32 sg_parse_skb(struct __sk_buff *skb, struct sg_packet *p, __u8 dir)
{
	struct sg_frame frame = {
		.data = (void *)(long)skb->data,
		.data_end = (void *)(long)skb->data_end,
		.bytes = skb->len,
		.gso = skb->gso_size != 0,
	};

	sg_packet_reset(p, dir);
	return sg_parse_all(&frame, p, skb->vlan_present ? (__s32)(skb->vlan_tci & 0xffff) : -1);
}

/*
 * Once more, with the headers made linear: a GSO frame or one of a hostile vnet_hdr may have as
 * little as 14 linear bytes. Rare, so not inlined; global, so that it is verified by itself.
 */
__noinline __u32 sg_parse_pulled(struct __sk_buff *skb, __u8 dir)
{
	__u32 zero = 0, bytes = skb->len;
	struct sg_packet *p = bpf_map_lookup_elem(&sg_packet_scratch, &zero);

	if (!p || bpf_skb_pull_data(skb, bytes < SG_LINEAR_MAX ? bytes : SG_LINEAR_MAX))
		return SG_DROP_TRUNCATED;
	return sg_parse_skb(skb, p, dir);
}

sg_inline int sg_tc(struct __sk_buff *skb, __u8 dir, int decided)
{
	__u32 zero = 0, verdict;
	struct sg_packet *p;

	if (decided == SG_SHORT_PASSES)
		return TC_ACT_UNSPEC;
	if (decided == SG_SHORT_DROPS)
		return TC_ACT_SHOT;
	p = bpf_map_lookup_elem(&sg_packet_scratch, &zero);
	if (!p)
		return TC_ACT_SHOT;
	verdict = sg_parse_skb(skb, p, dir);
	if (verdict == SG_DROP_TRUNCATED)
		verdict = sg_parse_pulled(skb, dir);
	if (p->tcp_options)
		p->tcp.scale = sg_options_tc(skb, p->l4 + 20, p->tcp_options);
	verdict = sg_judge(verdict, skb->ifindex);
	return sg_reason_is_drop(verdict) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int sg_tc_egress(struct __sk_buff *skb)
{
	return sg_tc(skb, SG_EGRESS, sg_shortcut_egress(skb));
}

SEC("tc")
int sg_tc_ingress(struct __sk_buff *skb)
{
	return sg_tc(skb, SG_INGRESS, sg_shortcut_ingress(skb));
}
