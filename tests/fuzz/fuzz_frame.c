/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_frame.c - any bytes as a frame: the parser of the BPF programs, built natively, and the
 * reference's read the same out of it, or refuse it for the same reason.
 *
 * The first byte says who sends it. Nothing of the headers included here calls the kernel.
 */
#include <string.h>

#include "bpf/parse.bpf.h"
#include "bpf/related.bpf.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/reference/packet.h"

static __u32 parse(const uint8_t *bytes, size_t length, __u8 dir, struct sg_packet *p)
{
	/* A copy that ends where the frame does, so that no byte behind it is read unseen. */
	uint8_t *copy = malloc(length ? length : 1);
	struct sg_frame frame = {.data = copy, .data_end = copy + length, .bytes = (__u32)length};
	__u32 verdict;

	memcpy(copy, bytes, length);
	sg_packet_reset(p, dir);
	verdict = sg_parse(&frame, p, -1);
	if (verdict == SG_PARSED && p->flags & SG_PKT_ERROR)
		verdict = sg_parse_inner(&frame, p);
	free(copy);
	return verdict;
}

#define SAME(a, b) FUZZ_EXPECT((a) == (b), "%lld and %lld", (long long)(a), (long long)(b))

static int addr_same(const struct sg_addr *a, const struct sg_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The ports or identifiers of a flow's key. */
static void compare_key(const struct sg_flow_key *key, const struct ref_tuple *tuple, __u8 dir)
{
	int out = dir == SG_EGRESS;

	FUZZ_EXPECT(addr_same(&key->local, out ? &tuple->src : &tuple->dst), "local address");
	FUZZ_EXPECT(addr_same(&key->remote, out ? &tuple->dst : &tuple->src), "remote address");
	SAME(key->proto, tuple->protocol);
	if (tuple->icmp_request) {
		SAME(bpf_ntohs(key->lport), tuple->icmp_id);
		SAME(key->rport, SG_ICMP_FLOW(tuple->icmp_request, tuple->icmp_reply ? !dir : dir));
		return;
	}
	SAME(bpf_ntohs(key->lport), out ? tuple->sport : tuple->dport);
	SAME(bpf_ntohs(key->rport), out ? tuple->dport : tuple->sport);
}

static void compare_fragment(const struct sg_packet *p, const struct ref_packet *packet)
{
	SAME(!!(p->flags & SG_PKT_FRAGMENT), packet->fragment);
	SAME(!!(p->flags & SG_PKT_LATER_FRAGMENT), packet->fragment && packet->fragment_start > 0);
	if (!packet->fragment)
		return;
	SAME(!!(p->flags & SG_PKT_MORE_FRAGMENTS), packet->more);
	SAME(p->frag_id, packet->fragment_id);
	SAME(p->frag_unit * 8u, packet->fragment_start);
	SAME(p->frag_bytes, packet->fragment_bytes);
	SAME(p->frag_proto, packet->fragment_protocol);
}

static void compare_transport(const struct sg_packet *p, const struct ref_packet *packet)
{
	SAME(!!(p->flags & SG_PKT_QUERY), packet->icmp == REF_ICMP_QUERY);
	SAME(!!(p->flags & SG_PKT_REPLY), packet->icmp == REF_ICMP_REPLY);
	SAME(!!(p->flags & SG_PKT_ERROR), packet->has_inner);
	SAME(!!(p->flags & SG_PKT_UNTRACKED),
	     packet->icmp == REF_ICMP_ERROR || packet->icmp == REF_ICMP_OTHER);
	if (packet->icmp != REF_ICMP_NONE)
		SAME(p->port, packet->icmp_type << 8 | packet->icmp_code);
	if (packet->has_ports)
		SAME(p->port, packet->tuple.dport);
	SAME(!!(p->flags & SG_PKT_ND_TARGET), packet->has_target);
	FUZZ_EXPECT(!packet->has_target || addr_same(&p->nd_target, &packet->target), "ND target");
	SAME(!!(p->flags & SG_PKT_TCP), packet->has_ports && packet->tuple.protocol == 6);
	if (p->flags & SG_PKT_TCP) {
		SAME(p->tcp.seq, packet->tcp.seq);
		SAME(p->tcp.ack, packet->tcp.ack);
		SAME(p->tcp.length, packet->tcp.length);
		SAME(p->tcp.window, packet->tcp.window);
		SAME(p->tcp.flags, packet->tcp.flags);
	}
	SAME(!!(p->flags & SG_PKT_SCTP), packet->has_ports && packet->tuple.protocol == 132);
	if (p->flags & SG_PKT_SCTP) {
		SAME(p->sctp.tag, packet->sctp.tag);
		SAME(p->sctp.init_tag, packet->sctp.init_tag);
		SAME(p->sctp.chunk, packet->sctp.chunk);
		SAME(p->sctp.flags, packet->sctp.flags);
	}
}

static void compare(const struct sg_packet *p, const struct ref_packet *packet, __u8 dir)
{
	SAME(p->family, packet->family);
	SAME(!!(p->flags & SG_PKT_VLAN), packet->tagged);
	if (packet->tagged)
		SAME(p->vid, packet->vid);
	FUZZ_EXPECT(memcmp(p->eth_src, packet->smac, 6) == 0 &&
			    memcmp(p->eth_dst, packet->dmac, 6) == 0,
		    "MAC addresses");
	if (!packet->family) {
		FUZZ_EXPECT(memcmp(p->arp_sha, packet->arp_mac, 6) == 0 &&
				    memcmp(&p->arp_spa, packet->arp_ip.b + 12, 4) == 0,
			    "ARP sender");
		return;
	}
	if (packet->family == 6)
		SAME(!!(p->flags & SG_PKT_HOP_LIMIT_255), packet->hop_limit == 255);
	compare_key(&p->key, &packet->tuple, dir);
	compare_fragment(p, packet);
	if (packet->fragment && packet->fragment_start)
		return;
	compare_transport(p, packet);
	if (!packet->has_inner)
		return;
	compare_key(&p->inner, &packet->inner, !dir);
	if (packet->inner.protocol == SG_IPPROTO_TCP)
		SAME(p->inner_seq, packet->inner_seq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sg_packet p;
	struct ref_packet packet;
	__u32 ours, theirs;
	__u8 dir;

	if (size < 1)
		return 0;
	dir = data[0] & 1;
	ours = parse(data + 1, size - 1, dir, &p);
	theirs = ref_read(data + 1, size - 1, &packet);
	FUZZ_EXPECT(ours == theirs, "reason %u, the reference %u", ours, theirs);
	if (ours == SG_PARSED)
		compare(&p, &packet, dir);
	return 0;
}
