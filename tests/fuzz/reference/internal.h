/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal.h - what the parts of the reference dataplane owe each other.
 */
#pragma once

#include "tests/fuzz/reference/plane.h"
#include "tests/fuzz/reference/sctp.h"
#include "tests/fuzz/reference/tcp.h"

/* The frame under judgement. */
struct ref_view {
	struct ref_plane *plane;
	const struct model_network *network;
	const struct model_interface *iface;
	enum sg_dir dir;
	const struct ref_packet *packet;
	uint32_t seen;
};

/* ---- guard.c */

/* Reasons of every frame, flows or not; REF_PASS: go on. */
uint32_t ref_guard_frame(const struct ref_view *view);
/* Reasons of what belongs to no flow. */
uint32_t ref_guard_open(const struct ref_view *view);
/* Whether the interface may still have flows with this address of its own. */
bool ref_guard_still_local(const struct ref_view *view, const struct sg_addr *local);
/* Whether such an address, once it was found local, was so by the MAC of its frame alone: that of a
 * broadcast, or the one that a link-local address is made of where the policy names none. */
bool ref_guard_known_by_frame(const struct ref_view *view, const struct sg_addr *local);
const struct sg_addr *ref_local(const struct ref_view *view);
const struct sg_addr *ref_remote(const struct ref_view *view);

/* ---- flows.c */

struct ref_flow {
	char *interface_id;
	struct sg_addr local, remote;
	uint16_t lport, rport; /* ICMP: identifier, 0 */
	uint8_t protocol, icmp_request, icmp_code;
	enum sg_dir opener;
	bool confirmed;
	bool sent[SG_DIRS];   /* something went this way */
	unsigned int checked; /* number of the policy under which it was last found allowed */
	bool by_frame;	      /* its local address was known by its frame only, when last checked */
	bool kept;	      /* whatever the policies say (--existing keep) */
	struct ref_tcp tcp;
	struct ref_sctp sctp;
};

struct ref_flow *ref_flow_find(const struct ref_view *view, const struct ref_tuple *tuple,
			       enum sg_dir dir);
/* A packet of a flow that is there. REF_PASS: the flow is over, the packet may open it again. */
uint32_t ref_flow_packet(const struct ref_view *view, struct ref_flow *flow);
/* Opens one; old (may be NULL) is what is over and stands in its place. SG_ALLOW_RULE or why not.
 */
uint32_t ref_flow_open(const struct ref_view *view, struct ref_flow *old);
bool ref_flow_related(const struct ref_view *view);
/* Whether a change of policy has ended the flow; one that it has not is settled. */
bool ref_flow_is_revoked(const struct ref_view *view, struct ref_flow *flow);
/* Whether the policy in force allows what opened the flow. */
bool ref_flow_still_allowed(const struct ref_view *view, const struct ref_flow *flow);

/* ---- fragments.c */

struct ref_datagram {
	char *interface_id;
	enum sg_dir dir;
	struct sg_addr src, dst;
	uint32_t id;
	uint8_t protocol;	   /* what all its fragments say that it begins with */
	unsigned int policy;	   /* number of the policy under which its first fragment passed */
	unsigned int units, total; /* of 8 bytes; total 0: not known yet */
	uint8_t here[8192];	   /* by unit */
};

uint32_t ref_fragment_first(const struct ref_view *view, uint32_t verdict);
uint32_t ref_fragment_later(const struct ref_view *view);

/* ---- plane.c */

struct ref_plane {
	const struct model *model;
	const struct numbers *numbers;
	unsigned int policy;  /* counts changes */
	GPtrArray *flows;     /* of struct ref_flow */
	GPtrArray *datagrams; /* of struct ref_datagram */
};

struct ref_question {
	enum sg_dir opener;
	struct sg_addr local, remote;
	uint8_t protocol, icmp_type, icmp_code;
	uint16_t port; /* that the opener asks for */
};
/* The rule that allows it: true, with name "" for exempt endpoints. rule may be NULL. */
bool ref_rules_allow(const struct ref_view *view, const struct ref_question *question,
		     char rule[160]);
