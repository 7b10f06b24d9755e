/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame.c - see frame.h. */
#include "ctl/frame.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* Written for the BPF target, where packets are read as they lie. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "bpf/parse.bpf.h"
#include "bpf/related.bpf.h"
#pragma GCC diagnostic pop

static void fill_addresses(const struct sg_packet *p, struct eval_packet *packet)
{
	bool egress = p->dir == SG_EGRESS;

	packet->direction = egress ? SG_EGRESS : SG_INGRESS;
	packet->protocol = p->proto;
	packet->src = egress ? p->key.local : p->key.remote;
	packet->dst = egress ? p->key.remote : p->key.local;
}

static void fill_transport(const struct sg_packet *p, struct eval_packet *packet)
{
	if (p->proto == SG_IPPROTO_ICMP || p->proto == SG_IPPROTO_ICMPV6) {
		packet->icmp_type = (uint8_t)(p->port >> 8);
		packet->icmp_code = (uint8_t)p->port;
		return;
	}
	packet->dport = p->port;
	packet->sport = bpf_ntohs(p->dir == SG_EGRESS ? p->key.lport : p->key.rport);
}

static void fill(const struct sg_packet *p, bool parsed, struct frame *frame)
{
	frame->bytes = p->bytes;
	memcpy(frame->source_mac, p->eth_src, sizeof(frame->source_mac));
	memcpy(frame->destination_mac, p->eth_dst, sizeof(frame->destination_mac));
	frame->tagged = p->flags & SG_PKT_VLAN;
	frame->vid = p->vid;
	frame->arp = parsed && !p->family;
	if (!parsed)
		return;
	if (frame->arp) {
		memcpy(frame->arp_mac, p->arp_sha, sizeof(frame->arp_mac));
		if (p->arp_spa)
			sg_addr_set_v4(&frame->arp_sender, p->arp_spa);
		return;
	}
	frame->fragment = p->flags & SG_PKT_FRAGMENT;
	frame->later_fragment = p->flags & SG_PKT_LATER_FRAGMENT;
	frame->fragment_id = p->frag_id;
	frame->tcp = p->flags & SG_PKT_TCP;
	frame->tcp_flags = frame->tcp ? p->tcp.flags : 0;
	frame->error = p->flags & SG_PKT_ERROR;
	frame->reply = p->flags & SG_PKT_REPLY;
	frame->tracked = !(p->flags & (SG_PKT_UNTRACKED | SG_PKT_ERROR));
	frame->key = p->key;
	frame->inner = p->inner;
	fill_addresses(p, &frame->packet);
	if (!frame->later_fragment)
		fill_transport(p, &frame->packet);
}

void frame_parse(const void *bytes, size_t captured, size_t length, enum sg_dir dir,
		 struct frame *frame)
{
	/* The parser reads up to 40 bytes at a time, never beyond data_end; it wants a pointer that
	 * is not const; and one that is there, also of a frame of which nothing was captured. */
	g_autofree uint8_t *copy = g_malloc0(MAX(captured, 1));
	struct sg_frame f = {
		.data = copy,
		.data_end = copy + captured,
		.bytes = (uint32_t)MAX(captured, length),
		.gso = 1, /* captures on a tap see what TSO has not cut yet */
	};
	struct sg_packet p = {.dir = (uint8_t)dir};
	uint32_t reason;

	if (captured)
		memcpy(copy, bytes, captured);
	sg_packet_reset(&p, (uint8_t)dir);
	reason = sg_parse(&f, &p, -1);
	if (reason == SG_PARSED && p.flags & SG_PKT_ERROR)
		reason = sg_parse_inner(&f, &p);
	memset(frame, 0, sizeof(*frame));
	fill(&p, reason == SG_PARSED, frame);
	frame->problem = reason == SG_PARSED ? SG_REASONS : (enum sg_reason)reason;
}

int frame_parse_hex(const char *text, uint8_t **bytes, size_t *length)
{
	g_autoptr(GByteArray) made = g_byte_array_new();
	int high = -1;

	if (g_str_has_prefix(text, "0x"))
		text += 2;
	for (; *text; text++) {
		int digit = g_ascii_xdigit_value(*text);
		uint8_t byte;

		if (digit < 0 && (g_ascii_isspace(*text) || *text == ':') && high < 0)
			continue;
		if (digit < 0)
			return -EINVAL;
		if (high < 0) {
			high = digit;
			continue;
		}
		byte = (uint8_t)(high << 4 | digit);
		g_byte_array_append(made, &byte, 1);
		high = -1;
	}
	if (high >= 0 || !made->len)
		return -EINVAL;
	*length = made->len;
	*bytes = g_byte_array_free(g_steal_pointer(&made), FALSE);
	return 0;
}
