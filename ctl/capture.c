/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture.c - see capture.h. */
#include "ctl/capture.h"

#include <glib.h>
#include <netinet/in.h>
#include <string.h>

#include "bpf/tcp.h"
#include "rulesd/addr.h"
#include "rulesd/hash_index.h"

struct capture {
	struct offline_compiled compiled;
	const struct image_iface *iface;
	GHashTable *flows;     /* struct sg_flow_key -> the rule that opened it, or "" */
	GHashTable *fragments; /* struct datagram -> struct capture_verdict of its first one */
};

struct datagram {
	struct sg_addr src, dst;
	uint32_t id;
	uint32_t protocol;
};

static guint hash_key(gconstpointer key)
{
	return hash_bytes(key, sizeof(struct sg_flow_key));
}

static gboolean same_key(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct sg_flow_key)) == 0;
}

static guint hash_datagram(gconstpointer key)
{
	return hash_bytes(key, sizeof(struct datagram));
}

static gboolean same_datagram(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct datagram)) == 0;
}

struct capture *capture_new(const struct offline_compiled *compiled)
{
	struct capture *capture = g_new0(struct capture, 1);

	capture->compiled = *compiled;
	capture->iface = image_iface(compiled->image, compiled->iface->id);
	capture->flows = g_hash_table_new_full(hash_key, same_key, g_free, NULL);
	capture->fragments = g_hash_table_new_full(hash_datagram, same_datagram, g_free, g_free);
	return capture;
}

void capture_free(struct capture **capture)
{
	if (!*capture)
		return;
	g_hash_table_unref((*capture)->flows);
	g_hash_table_unref((*capture)->fragments);
	g_free(*capture);
	*capture = NULL;
}

/* ---------------------------------------------------------------- whose frame it is */

static bool is_own(const struct model_interface *iface, const struct sg_addr *addr)
{
	struct sg_addr link_local = addr_link_local_of_mac(iface->settings->mac);

	for (uint32_t i = 0; i < iface->address_count; i++)
		if (addr_equal(addr, &iface->addresses[i]))
			return true;
	for (uint32_t i = 0; i < iface->settings->allowed_count; i++)
		if (cidr_contains(&iface->settings->allowed[i], addr))
			return true;
	return iface->settings->has_mac && addr_equal(addr, &link_local);
}

bool capture_direction(const struct capture *capture, const void *bytes, size_t captured,
		       size_t length, enum sg_dir *dir)
{
	const struct model_interface *iface = capture->compiled.iface;
	struct frame frame;

	frame_parse(bytes, captured, length, SG_EGRESS, &frame);
	*dir = SG_EGRESS;
	if (iface->settings->has_mac &&
	    memcmp(frame.source_mac, iface->settings->mac, sizeof(frame.source_mac)) == 0)
		return true;
	if (frame.arp ? is_own(iface, &frame.arp_sender) : is_own(iface, &frame.packet.src))
		return true;
	*dir = SG_INGRESS;
	if (iface->settings->has_mac &&
	    memcmp(frame.destination_mac, iface->settings->mac, sizeof(frame.destination_mac)) == 0)
		return true;
	/* Broadcast and multicast reach everybody on the link. */
	return frame.destination_mac[0] & 1 || (!frame.arp && is_own(iface, &frame.packet.dst));
}

/* ---------------------------------------------------------------- guard */

static bool lists_vlan(const struct model_settings *settings, uint16_t vid)
{
	for (uint32_t i = 0; i < settings->vlan_count; i++)
		if (settings->vlans[i] == vid)
			return true;
	return false;
}

enum sg_reason capture_guard(const struct offline_compiled *compiled, const struct frame *frame,
			     enum sg_dir dir)
{
	const struct model_settings *settings = compiled->iface->settings;
	bool probe = addr_equal(&frame->arp_sender, &(struct sg_addr){0});

	if (frame->problem != SG_REASONS)
		return frame->problem;
	if (frame->tagged && !lists_vlan(settings, frame->vid))
		return SG_DROP_VLAN;
	if (dir == SG_EGRESS && settings->spoof_guard) {
		if (settings->has_mac &&
		    memcmp(frame->source_mac, settings->mac, sizeof(frame->source_mac)) != 0)
			return SG_DROP_SPOOFED_MAC;
		if (frame->arp &&
		    (memcmp(frame->arp_mac, frame->source_mac, sizeof(frame->arp_mac)) != 0 ||
		     (!probe && !is_own(compiled->iface, &frame->arp_sender))))
			return SG_DROP_SPOOFED_ARP;
	}
	return frame->arp ? SG_ALLOW_ARP : SG_REASONS;
}

/* ---------------------------------------------------------------- flows */

static struct datagram datagram_of(const struct frame *frame)
{
	struct datagram datagram;

	memset(&datagram, 0, sizeof(datagram));
	datagram.src = frame->packet.src;
	datagram.dst = frame->packet.dst;
	datagram.id = frame->fragment_id;
	datagram.protocol = frame->packet.protocol;
	return datagram;
}

/* A flow's entry of ICMP queries says which side asked; a reply looks for the other one's. */
static const char *find_flow(const struct capture *capture, const struct sg_flow_key *key)
{
	return g_hash_table_lookup(capture->flows, key);
}

/* The packet as the other side would have opened the flow. */
static struct eval_packet reversed(const struct eval_packet *packet)
{
	struct eval_packet other = *packet;

	other.direction = packet->direction == SG_EGRESS ? SG_INGRESS : SG_EGRESS;
	other.src = packet->dst;
	other.dst = packet->src;
	other.sport = packet->dport;
	other.dport = packet->sport;
	return other;
}

static bool opens_tcp(const struct frame *frame)
{
	return frame->tcp_flags & SG_TCP_FLAG_SYN && !(frame->tcp_flags & SG_TCP_FLAG_ACK);
}

static struct capture_verdict verdict_of(enum sg_reason reason, const char *rule)
{
	return (struct capture_verdict){.reason = reason, .rule = rule && *rule ? rule : NULL};
}

static struct capture_verdict ask_rules(struct capture *capture, const struct frame *frame)
{
	struct eval_verdict verdict =
		eval_packet(capture->compiled.image, capture->iface, &frame->packet);
	struct eval_packet other = reversed(&frame->packet);
	struct eval_verdict answer;
	struct capture_verdict result;
	const char *rule;

	/* Open before the capture began: either side may have opened it. */
	if (frame->tcp && !opens_tcp(frame) && sg_reason_is_drop(verdict.reason)) {
		answer = eval_packet(capture->compiled.image, capture->iface, &other);
		if (!sg_reason_is_drop(answer.reason))
			verdict = answer;
	}
	rule = image_rule_name(capture->compiled.image, verdict.rule);
	result = verdict_of(verdict.reason, rule);
	result.opens = true;
	if (!sg_reason_is_drop(verdict.reason) && frame->tracked && !frame->later_fragment)
		g_hash_table_replace(capture->flows, g_memdup2(&frame->key, sizeof(frame->key)),
				     (gpointer)(uintptr_t)(rule ? rule : ""));
	return result;
}

static struct capture_verdict judge_ip(struct capture *capture, const struct frame *frame)
{
	struct datagram datagram = datagram_of(frame);
	const struct capture_verdict *first;
	struct capture_verdict verdict;
	const char *rule = NULL;

	if (frame->later_fragment) {
		first = g_hash_table_lookup(capture->fragments, &datagram);
		if (!first)
			return verdict_of(SG_DROP_FRAG_NO_FIRST, NULL);
		return sg_reason_is_drop(first->reason)
			       ? verdict_of(SG_DROP_FRAG_NO_FIRST, NULL)
			       : verdict_of(SG_ALLOW_FRAGMENT, first->rule);
	}
	if (frame->error && (rule = find_flow(capture, &frame->inner)))
		verdict = verdict_of(SG_ALLOW_RELATED, rule);
	else if (frame->tracked && (rule = find_flow(capture, &frame->key)))
		verdict = verdict_of(SG_ALLOW_FLOW, rule);
	else
		verdict = ask_rules(capture, frame);
	if (frame->fragment)
		g_hash_table_replace(capture->fragments, g_memdup2(&datagram, sizeof(datagram)),
				     g_memdup2(&verdict, sizeof(verdict)));
	return verdict;
}

struct capture_verdict capture_judge(struct capture *capture, enum sg_dir dir, const void *bytes,
				     size_t captured, size_t length)
{
	struct capture_verdict verdict;
	struct frame frame;
	enum sg_reason reason;

	frame_parse(bytes, captured, length, dir, &frame);
	reason = capture_guard(&capture->compiled, &frame, dir);
	verdict = reason != SG_REASONS ? verdict_of(reason, NULL) : judge_ip(capture, &frame);
	verdict.direction = dir;
	verdict.frame = frame;
	return verdict;
}
