// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reference.bpf.c - what the programs of a tap are measured against, and what varies their frames.
 *
 *   bench_empty_*  passes everything: what the hook and BPF_PROG_TEST_RUN cost by themselves
 *   bench_floor_*  parse, one lookup in a flow table with the filter's key and value, count: the
 *                  least that any stateful filter does
 *   bench_vary_*   writes another remote address and port into the frame, then runs the program
 *                  under test, so that each frame of a run can belong to another flow
 *
 * The floor judges nothing: no lengths beyond its own reads, no fragments, options or extension
 * headers, no guard, no state, no timeouts.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "tests/bench/reference.h"

char LICENSE[] SEC("license") = "GPL";

#define bench_inline static __always_inline

/* As large as the table of the filter it is compared with; the bench sets max_entries. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SG_SHARD_FLOWS);
	__type(key, struct sg_flow_key);
	__type(value, struct sg_flow);
} bench_flows SEC(".maps");

struct bench_count {
	__u64 packets[2]; /* [1]: of a flow */
	__u64 bytes[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_count);
} bench_counts SEC(".maps");

/* ------------------------------------------------------------------ empty */

SEC("xdp.frags")
int bench_empty_xdp(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("tc")
int bench_empty_tc(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_UNSPEC;
}

/* ------------------------------------------------------------------ floor */

bench_inline void bench_addr_v4(struct sg_addr *to, const __u8 *at)
{
	to->q[0] = 0;
	to->w[2] = bpf_htonl(0xffff);
	to->w[3] = *(const __be32 *)at;
}

bench_inline void bench_addr_v6(struct sg_addr *to, const __u8 *at)
{
	to->w[0] = *(const __be32 *)at;
	to->w[1] = *(const __be32 *)(at + 4);
	to->w[2] = *(const __be32 *)(at + 8);
	to->w[3] = *(const __be32 *)(at + 12);
}

/* 1 when the frame belongs to a flow; what has no ports never does. */
bench_inline int bench_floor(const __u8 *data, const __u8 *end, __u32 bytes, __u8 dir)
{
	struct sg_flow_key key = {};
	const __u8 *l4, *ip = data + 14;
	struct bench_count *count;
	__u32 zero = 0, known;

	if (ip + 20 > end)
		return 0;
	if (*(const __be16 *)(data + 12) == bpf_htons(0x0800)) {
		key.proto = ip[9];
		l4 = ip + 20;
		bench_addr_v4(dir == SG_EGRESS ? &key.local : &key.remote, ip + 12);
		bench_addr_v4(dir == SG_EGRESS ? &key.remote : &key.local, ip + 16);
	} else {
		if (ip + 40 > end)
			return 0;
		key.proto = ip[6];
		l4 = ip + 40;
		bench_addr_v6(dir == SG_EGRESS ? &key.local : &key.remote, ip + 8);
		bench_addr_v6(dir == SG_EGRESS ? &key.remote : &key.local, ip + 24);
	}
	if (l4 + 8 > end)
		return 0;
	key.lport = *(const __be16 *)(dir == SG_EGRESS ? l4 : l4 + 2);
	key.rport = *(const __be16 *)(dir == SG_EGRESS ? l4 + 2 : l4);
	key.slot = 1;
	known = bpf_map_lookup_elem(&bench_flows, &key) != 0;
	count = bpf_map_lookup_elem(&bench_counts, &zero);
	if (!count)
		return 0;
	count->packets[known]++;
	count->bytes[known] += bytes;
	return known;
}

SEC("xdp.frags")
int bench_floor_xdp(struct xdp_md *ctx)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	return bench_floor(data, end, end - data, SG_EGRESS) ? XDP_PASS : XDP_DROP;
}

SEC("tc")
int bench_floor_out(struct __sk_buff *skb)
{
	return bench_floor((void *)(long)skb->data, (void *)(long)skb->data_end, skb->len,
			   SG_EGRESS)
		       ? TC_ACT_UNSPEC
		       : TC_ACT_SHOT;
}

SEC("tc")
int bench_floor_in(struct __sk_buff *skb)
{
	return bench_floor((void *)(long)skb->data, (void *)(long)skb->data_end, skb->len,
			   SG_INGRESS)
		       ? TC_ACT_UNSPEC
		       : TC_ACT_SHOT;
}

/* ------------------------------------------------------------------ variation */

/* The program under test, by itself: tail calls keep its context. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} bench_target_xdp SEC(".maps"), bench_target_tc SEC(".maps");

struct bench_vary bench_vary;

bench_inline __u32 bench_index(void)
{
	__u32 x = bench_vary.next;

	if (!bench_vary.random) {
		bench_vary.next = x + 1 < bench_vary.count ? x + 1 : 0;
		return x;
	}
	x ^= x << 13; /* xorshift32: G. Marsaglia, "Xorshift RNGs" (2003) */
	x ^= x >> 17;
	x ^= x << 5;
	bench_vary.next = x;
	return (__u64)x * bench_vary.count >> 32;
}

bench_inline int bench_write(__u8 *data, __u8 *end)
{
	__u32 index = bench_index(), addr_at = bench_vary.addr_at, port_at = bench_vary.port_at;
	__u32 id_at = bench_vary.id_at;

	if (addr_at > 64 || port_at > 64 || id_at > 64)
		return 0;
	if (id_at) {
		if (data + id_at + 2 > end)
			return 0;
		*(__be16 *)(data + id_at) = bpf_htons(index);
		return 1;
	}
	if (data + addr_at + 4 > end)
		return 0;
	if (bench_vary.hosts) {
		if (data + port_at + 2 > end)
			return 0;
		*(__be32 *)(data + addr_at) = bpf_htonl(bench_vary.base + index);
		*(__be16 *)(data + port_at) =
			bpf_htons(BENCH_PORT_BASE + (bench_vary.port++ & 0x7fff));
		return 1;
	}
	*(__be32 *)(data + addr_at) = bpf_htonl(bench_vary.base + (index >> BENCH_PORT_BITS));
	if (!port_at)
		return 1;
	if (data + port_at + 2 > end)
		return 0;
	*(__be16 *)(data + port_at) =
		bpf_htons(BENCH_PORT_BASE + (index & ((1 << BENCH_PORT_BITS) - 1)));
	return 1;
}

SEC("xdp.frags")
int bench_vary_xdp(struct xdp_md *ctx)
{
	if (bench_write((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		bpf_tail_call(ctx, &bench_target_xdp, 0);
	return XDP_ABORTED;
}

SEC("tc")
int bench_vary_tc(struct __sk_buff *skb)
{
	if (bench_write((void *)(long)skb->data, (void *)(long)skb->data_end))
		bpf_tail_call(skb, &bench_target_tc, 0);
	return TC_ACT_STOLEN;
}
