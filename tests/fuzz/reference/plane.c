/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plane.c - the order of things: parse, guard, fragments, flows, rules (DESIGN.md, "Packet flow").
 */
#include "tests/fuzz/reference/plane.h"

#include <string.h>

#include "tests/fuzz/reference/internal.h"
#include "tests/lib/reference.h"

static void free_flow(gpointer data)
{
	struct ref_flow *flow = data;

	g_free(flow->interface_id);
	g_free(flow);
}

static void free_datagram(gpointer data)
{
	struct ref_datagram *datagram = data;

	g_free(datagram->interface_id);
	g_free(datagram);
}

struct ref_plane *ref_plane_new(void)
{
	struct ref_plane *plane = g_new0(struct ref_plane, 1);

	plane->flows = g_ptr_array_new_with_free_func(free_flow);
	plane->datagrams = g_ptr_array_new_with_free_func(free_datagram);
	return plane;
}

void ref_plane_free(struct ref_plane **plane)
{
	if (!*plane)
		return;
	g_ptr_array_unref((*plane)->flows);
	g_ptr_array_unref((*plane)->datagrams);
	g_clear_pointer(plane, g_free);
}

static struct ref_view view_of(struct ref_plane *plane, const char *interface_id)
{
	struct ref_view view = {.plane = plane, .seen = SG_REASONS};

	view.iface = model_interface(plane->model, interface_id);
	if (view.iface)
		view.network = model_network(plane->model, view.iface->network);
	return view;
}

void ref_plane_settle(struct ref_plane *plane)
{
	for (guint i = plane->flows->len; i > 0; i--) {
		struct ref_flow *flow = g_ptr_array_index(plane->flows, i - 1);
		struct ref_view view = view_of(plane, flow->interface_id);
		const uint8_t *id = flow->local.b + 8;
		/* There is no frame whose MAC a link-local address could belie. */
		struct ref_packet none = {
			.smac = {id[0] ^ 2, id[1], id[2], id[5], id[6], id[7]},
			.dmac = {id[0] ^ 2, id[1], id[2], id[5], id[6], id[7]},
		};

		view.packet = &none;
		if (view.iface && ref_flow_is_revoked(&view, flow))
			g_ptr_array_remove(plane->flows, flow);
	}
}

void ref_plane_policy(struct ref_plane *plane, const struct model *model,
		      const struct numbers *numbers)
{
	plane->model = model;
	plane->numbers = numbers;
	plane->policy++;
}

void ref_plane_keep(struct ref_plane *plane, const char *interface_id)
{
	for (guint i = 0; i < plane->flows->len; i++) {
		struct ref_flow *flow = g_ptr_array_index(plane->flows, i);

		flow->kept |= strcmp(flow->interface_id, interface_id) == 0;
	}
}

void ref_plane_flush(struct ref_plane *plane)
{
	g_ptr_array_set_size(plane->flows, 0);
}

void ref_plane_forget_fragments(struct ref_plane *plane)
{
	g_ptr_array_set_size(plane->datagrams, 0);
}

unsigned int ref_plane_flows(const struct ref_plane *plane, const char *interface_id)
{
	unsigned int found = 0;

	for (guint i = 0; i < plane->flows->len; i++) {
		const struct ref_flow *flow = g_ptr_array_index(plane->flows, i);

		found += strcmp(flow->interface_id, interface_id) == 0;
	}
	return found;
}

/* ------------------------------------------------------------------ rules */

bool ref_rules_allow(const struct ref_view *view, const struct ref_question *question,
		     char rule[160])
{
	struct eval_packet packet = {
		.direction = question->opener,
		.protocol = question->protocol,
		.dport = question->port,
		.icmp_type = question->icmp_type,
		.icmp_code = question->icmp_code,
	};
	struct reference found = {
		.model = view->plane->model,
		.numbers = view->plane->numbers,
		.network = view->network,
		.packet = &packet,
	};

	packet.src = question->opener == SG_EGRESS ? question->local : question->remote;
	packet.dst = question->opener == SG_EGRESS ? question->remote : question->local;
	refer(&found, view->iface);
	if (found.allowed && rule)
		g_snprintf(rule, 160, "%s%s%s", found.rule ? found.group->id : "",
			   found.rule ? "/" : "", found.rule ? found.rule->id : "");
	return found.allowed;
}

/* ------------------------------------------------------------------ a packet */

static bool is_tracked(const struct ref_packet *packet)
{
	return packet->icmp != REF_ICMP_ERROR && packet->icmp != REF_ICMP_OTHER;
}

/* What may not open a flow, whatever the rules say. */
static bool cannot_open(const struct ref_packet *packet)
{
	if (packet->tuple.protocol == SG_IPPROTO_TCP)
		return (packet->tcp.flags & (REF_SYN | REF_ACK)) != REF_SYN;
	return packet->tuple.protocol == SG_IPPROTO_SCTP && !ref_sctp_opens(&packet->sctp);
}

static uint32_t open_flow(const struct ref_view *view, struct ref_flow *old, char rule[160])
{
	const struct ref_packet *packet = view->packet;
	struct ref_question question = {
		.opener = view->dir,
		.local = *ref_local(view),
		.remote = *ref_remote(view),
		.protocol = packet->tuple.protocol,
		.icmp_type = packet->icmp_type,
		.icmp_code = packet->icmp_code,
		.port = packet->tuple.dport,
	};
	uint32_t verdict = ref_guard_open(view);
	bool exempt;

	if (verdict != REF_PASS)
		return verdict;
	if (packet->icmp == REF_ICMP_ERROR && ref_flow_related(view))
		return SG_ALLOW_RELATED;
	if (cannot_open(packet))
		return SG_DROP_NO_FLOW;
	if (!ref_rules_allow(view, &question, rule))
		return packet->icmp == REF_ICMP_ERROR ? SG_DROP_ICMP_UNRELATED : SG_DROP_NO_RULE;
	exempt = !*rule;
	verdict = SG_ALLOW_RULE;
	/* Replies that nobody asked for, and what asks nothing: each is allowed by itself. */
	if (packet->icmp == REF_ICMP_NONE || packet->icmp == REF_ICMP_QUERY)
		verdict = ref_flow_open(view, old);
	return verdict == SG_ALLOW_RULE && exempt ? SG_ALLOW_EXEMPT : verdict;
}

static uint32_t judge(const struct ref_view *view, char rule[160])
{
	const struct ref_packet *packet = view->packet;
	uint32_t verdict = ref_guard_frame(view);
	struct ref_flow *flow = NULL;

	if (verdict != REF_PASS)
		return verdict;
	if (ref_is_later_fragment(packet))
		return ref_fragment_later(view);
	if (packet->tuple.protocol == SG_IPPROTO_TCP && !ref_tcp_flags_exist(packet->tcp.flags))
		return SG_DROP_TCP_FLAGS;
	if (is_tracked(packet)) {
		flow = ref_flow_find(view, &packet->tuple, view->dir);
		if (flow)
			verdict = ref_flow_packet(view, flow);
	}
	if (verdict == REF_PASS)
		verdict = open_flow(view, flow, rule);
	if (packet->more && !sg_reason_is_drop(verdict))
		verdict = ref_fragment_first(view, verdict);
	return verdict;
}

struct ref_verdict ref_plane_judge(struct ref_plane *plane, const char *interface_id,
				   enum sg_dir dir, const uint8_t *bytes, size_t length,
				   uint32_t seen)
{
	struct ref_view view = view_of(plane, interface_id);
	struct ref_verdict verdict = {0};
	struct ref_packet packet;

	view.dir = dir;
	view.seen = seen;
	view.packet = &packet;
	verdict.reason = ref_read(bytes, length, &packet);
	if (verdict.reason == REF_PASS)
		verdict.reason = judge(&view, verdict.rule);
	if (verdict.reason != SG_ALLOW_RULE)
		*verdict.rule = '\0';
	return verdict;
}
