/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flows.c - the flow table: what belongs to a flow, what opens one, what a change of policy ends.
 */
#include <string.h>

#include "rulesd/addr.h"
#include "tests/fuzz/reference/internal.h"

static bool is_icmp(const struct ref_tuple *tuple)
{
	return tuple->icmp_request != 0;
}

struct ref_flow *ref_flow_find(const struct ref_view *view, const struct ref_tuple *tuple,
			       enum sg_dir dir)
{
	bool out = dir == SG_EGRESS;
	const struct sg_addr *local = out ? &tuple->src : &tuple->dst,
			     *remote = out ? &tuple->dst : &tuple->src;
	uint16_t lport = out ? tuple->sport : tuple->dport,
		 rport = out ? tuple->dport : tuple->sport;
	enum sg_dir asker = tuple->icmp_reply ? !dir : dir;

	for (guint i = 0; i < view->plane->flows->len; i++) {
		struct ref_flow *flow = g_ptr_array_index(view->plane->flows, i);

		if (strcmp(flow->interface_id, view->iface->id) != 0 ||
		    flow->protocol != tuple->protocol || !addr_equal(&flow->local, local) ||
		    !addr_equal(&flow->remote, remote))
			continue;
		/* Who asked belongs to a ping: a request of the other side is no answer
		 * (CVE-2024-6640). */
		if (is_icmp(tuple) ? flow->icmp_request == tuple->icmp_request &&
					     flow->lport == tuple->icmp_id && flow->opener == asker
				   : flow->lport == lport && flow->rport == rport)
			return flow;
	}
	return NULL;
}

static unsigned int confirmed_flows(const struct ref_view *view)
{
	unsigned int found = 0;

	for (guint i = 0; i < view->plane->flows->len; i++) {
		const struct ref_flow *flow = g_ptr_array_index(view->plane->flows, i);

		found += flow->confirmed && strcmp(flow->interface_id, view->iface->id) == 0;
	}
	return found;
}

static bool allowance_is_used(const struct ref_view *view)
{
	return confirmed_flows(view) >=
	       model_effective_conntrack(view->plane->model, view->iface).max_flows;
}

bool ref_flow_still_allowed(const struct ref_view *view, const struct ref_flow *flow)
{
	struct ref_question question = {
		.opener = flow->opener,
		.local = flow->local,
		.remote = flow->remote,
		.protocol = flow->protocol,
		.icmp_type = flow->icmp_request,
		.icmp_code = flow->icmp_code,
		.port = flow->opener == SG_EGRESS ? flow->rport : flow->lport,
	};

	/* Known by its frame only: it is asked about again, and then revoked, only where something
	 * was taken away, and what that is is the dataplane's to say. */
	bool local = ref_guard_still_local(view, &flow->local) ||
		     (flow->by_frame && ref_guard_known_by_frame(view, &flow->local) &&
		      view->seen != SG_DROP_REVOKED);

	return local && ref_rules_allow(view, &question, NULL);
}

bool ref_flow_is_revoked(const struct ref_view *view, struct ref_flow *flow)
{
	if (flow->checked == view->plane->policy || flow->kept)
		return false;
	if (!ref_flow_still_allowed(view, flow))
		return true;
	flow->checked = view->plane->policy;
	flow->by_frame = ref_guard_known_by_frame(view, &flow->local);
	return false;
}

static enum ref_role role_of(const struct ref_view *view, const struct ref_flow *flow)
{
	return flow->opener == view->dir ? REF_OPENER : REF_RESPONDER;
}

/* A SYN or INIT on what is over opens it anew, whatever became of the old flow's rule. */
static bool reopens(const struct ref_view *view, const struct ref_flow *flow)
{
	const struct ref_packet *packet = view->packet;
	enum ref_role role = role_of(view, flow);

	if (flow->protocol == SG_IPPROTO_TCP) {
		struct ref_tcp tcp = flow->tcp;

		return ref_tcp_segment(&tcp, role, &packet->tcp) == REF_REOPEN;
	}
	if (flow->protocol == SG_IPPROTO_SCTP) {
		struct ref_sctp sctp = flow->sctp;

		return ref_sctp_packet(&sctp, role, &packet->sctp) == REF_REOPEN;
	}
	return false;
}

/* Moves the flow's state; REF_PASS: it may. *confirms: both sides have spoken, as the protocol
 * wants it. */
static uint32_t move(const struct ref_view *view, struct ref_flow *flow, bool *confirms)
{
	const struct ref_packet *packet = view->packet;
	enum ref_role role = role_of(view, flow);

	if (flow->protocol == SG_IPPROTO_TCP) {
		enum ref_judgement judgement = ref_tcp_segment(&flow->tcp, role, &packet->tcp);

		*confirms = ref_tcp_is_confirmed(&flow->tcp);
		return judgement == REF_REFUSE	? SG_DROP_TCP_INVALID
		       : judgement == REF_ENDED ? SG_DROP_TCP_CLOSED
						: REF_PASS;
	}
	if (flow->protocol == SG_IPPROTO_SCTP) {
		enum ref_judgement judgement = ref_sctp_packet(&flow->sctp, role, &packet->sctp);

		*confirms = flow->sctp.state == SG_SCTP_ESTABLISHED;
		return judgement == REF_REFUSE ? SG_DROP_SCTP_INVALID : REF_PASS;
	}
	*confirms = role == REF_RESPONDER;
	return REF_PASS;
}

uint32_t ref_flow_packet(const struct ref_view *view, struct ref_flow *flow)
{
	bool confirms = false;
	uint32_t reason;

	if (reopens(view, flow))
		return REF_PASS;
	if (ref_flow_is_revoked(view, flow)) {
		g_ptr_array_remove(view->plane->flows, flow);
		return SG_DROP_REVOKED;
	}
	reason = move(view, flow, &confirms);
	if (reason != REF_PASS)
		return reason;
	flow->sent[view->dir] = true;
	if (confirms && !flow->confirmed) {
		if (allowance_is_used(view))
			return SG_DROP_ALLOWANCE;
		flow->confirmed = true;
	}
	return SG_ALLOW_FLOW;
}

uint32_t ref_flow_open(const struct ref_view *view, struct ref_flow *old)
{
	const struct ref_packet *packet = view->packet;
	const struct ref_tuple *tuple = &packet->tuple;
	bool out = view->dir == SG_EGRESS, confirmed = old && old->confirmed;
	struct ref_flow *flow;

	if (!confirmed && allowance_is_used(view))
		return SG_DROP_ALLOWANCE;
	if (old)
		g_ptr_array_remove(view->plane->flows, old);
	flow = g_new0(struct ref_flow, 1);
	flow->interface_id = g_strdup(view->iface->id);
	flow->local = *ref_local(view);
	flow->remote = *ref_remote(view);
	flow->lport = out ? tuple->sport : tuple->dport;
	flow->rport = out ? tuple->dport : tuple->sport;
	if (is_icmp(tuple))
		flow->lport = tuple->icmp_id;
	flow->protocol = tuple->protocol;
	flow->icmp_request = tuple->icmp_request;
	flow->icmp_code = packet->icmp_code;
	flow->opener = view->dir;
	flow->confirmed = confirmed;
	flow->sent[view->dir] = true;
	flow->checked = view->plane->policy;
	flow->by_frame = ref_guard_known_by_frame(view, &flow->local);
	if (flow->protocol == SG_IPPROTO_TCP)
		ref_tcp_open(&flow->tcp, &packet->tcp);
	if (flow->protocol == SG_IPPROTO_SCTP)
		ref_sctp_open(&flow->sctp, &packet->sctp);
	g_ptr_array_add(view->plane->flows, flow);
	return SG_ALLOW_RULE;
}

static bool is_over(const struct ref_flow *flow)
{
	return (flow->protocol == SG_IPPROTO_TCP && flow->tcp.state == SG_TCP_CLOSED) ||
	       (flow->protocol == SG_IPPROTO_SCTP && flow->sctp.state == SG_SCTP_CLOSED);
}

/* What the dataplane said can only follow from taking the error for related: of a first fragment
 * the datagram is judged after that. */
static bool was_taken_for_related(const struct ref_view *view)
{
	return view->seen == SG_ALLOW_RELATED ||
	       (view->packet->more &&
		(view->seen == SG_DROP_FRAG_LENGTH || view->seen == SG_DROP_FRAG_OVERLAP ||
		 view->seen == SG_DROP_FRAG_ALLOWANCE));
}

/* Not looked at since a change of policy: what is allowed still may wait for its next packet. */
static bool may_still_be_live(const struct ref_view *view, const struct ref_flow *flow)
{
	if (flow->checked == view->plane->policy || flow->kept)
		return true;
	return ref_flow_still_allowed(view, flow) && was_taken_for_related(view);
}

bool ref_flow_related(const struct ref_view *view)
{
	enum sg_dir inner_dir = !view->dir;
	const struct ref_flow *flow;

	if (!view->packet->has_inner)
		return false;
	flow = ref_flow_find(view, &view->packet->inner, inner_dir);
	if (!flow || is_over(flow) || !may_still_be_live(view, flow))
		return false;
	/* Errors go to the sender of a packet: that side must have sent one. */
	if (!flow->sent[inner_dir])
		return false;
	return flow->protocol != SG_IPPROTO_TCP ||
	       ref_tcp_in_flight(&flow->tcp, flow->opener == inner_dir ? REF_OPENER : REF_RESPONDER,
				 view->packet->inner_seq);
}
