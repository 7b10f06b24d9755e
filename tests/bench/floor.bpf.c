// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * floor.bpf.c - what a hook costs that does nothing: programs that pass everything, and programs
 * that drop everything. No filter at these hooks is cheaper.
 *
 * And the least state: programs that parse a TCP segment, find the one cache line of its
 * connection, and count there; a SYN writes the line. No stateful filter at these hooks is cheaper,
 * however it judges. They judge nothing, keep no half-open connections apart, compare no more than
 * the tuple, and let a connection take the line of another one.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
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

/* ------------------------------------------------------------------ one line a connection */

struct floor_line {
	__u64 addresses;
	__u32 ports;
	__u32 ifindex;
	__u64 packets[2];
	__u64 bytes[2];
	__u32 end[2];
	__u32 seen[2];
};

/* Mapped, so that its lines are cache lines; the bench sets max_entries, a power of two. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct floor_line);
} floor_lines SEC(".maps");

const volatile __u32 floor_mask = 0;

/* out: what the VM sends. */
static __always_inline void floor_connection(const __u8 *data, const __u8 *end, __u32 ifindex,
					     __u32 out)
{
	const __u8 *ip = data + 14, *tcp = data + 34;
	__u32 source, destination, ports, index;
	struct floor_line *line;
	__u64 addresses, hash;

	if (tcp + 20 > end || *(const __be16 *)(data + 12) != bpf_htons(0x0800) || ip[9] != 6)
		return;
	source = *(const __u32 *)(ip + 12);
	destination = *(const __u32 *)(ip + 16);
	ports = *(const __u32 *)tcp;
	if (!out)
		ports = ports << 16 | ports >> 16;
	addresses = out ? (__u64)source << 32 | destination : (__u64)destination << 32 | source;
	hash = addresses * 0x9e3779b97f4a7c15ULL + ((__u64)ifindex << 32 | ports);
	hash = (hash ^ hash >> 32) * 0xc2b2ae3d27d4eb4fULL;
	index = hash >> 32 & floor_mask;
	line = bpf_map_lookup_elem(&floor_lines, &index);
	if (!line)
		return;
	if (tcp[13] == 2) {
		__builtin_memset(line, 0, sizeof(*line));
		line->addresses = addresses;
		line->ports = ports;
		line->ifindex = ifindex;
	}
	if (line->addresses != addresses || line->ports != ports || line->ifindex != ifindex)
		return;
	line->packets[out]++;
	line->bytes[out] += end - data;
	line->end[out] = *(const __u32 *)(tcp + 4);
	line->seen[out] = (__u32)bpf_jiffies64();
}

SEC("xdp.frags")
int floor_state_xdp(struct xdp_md *ctx)
{
	floor_connection((void *)(long)ctx->data, (void *)(long)ctx->data_end, ctx->ingress_ifindex,
			 1);
	return XDP_PASS;
}

SEC("tc")
int floor_state_out(struct __sk_buff *skb)
{
	floor_connection((void *)(long)skb->data, (void *)(long)skb->data_end, skb->ifindex, 1);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int floor_state_in(struct __sk_buff *skb)
{
	floor_connection((void *)(long)skb->data, (void *)(long)skb->data_end, skb->ifindex, 0);
	return TC_ACT_UNSPEC;
}
