/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reach.h - "for every address": whether an interface's rules give one verdict to all packets of a
 * kind, with a packet that shows it when they do not.
 *
 * Addresses and ports are not tried one by one. The rules of the interface, the lists and members
 * that they name, and the guard cut the address space into pieces inside which no verdict can
 * change; one address of each piece is put to the evaluator, and each member by itself.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "rulesd/eval.h"

struct reach_range {
	struct sg_addr first, last; /* of one family */
};

/* Packets that would open a flow. */
struct reach_query {
	enum sg_dir direction;
	uint16_t protocol;
	GArray *remote;	   /* the other side, of struct reach_range */
	bool unicast_only; /* of it only what a packet on a wire can come from */
	bool skip_own;	   /* and not the interface's own addresses */
	/* The interface's side; NULL: each of its addresses. */
	const struct sg_addr *local;
	uint16_t sport;
	GArray *ports;		  /* of struct model_ports: tcp, udp, sctp; empty means every one */
	int icmp_type, icmp_code; /* icmp, icmpv6; -1: every one */
};

/* What is expected of every packet; NULL fields: anything. */
struct reach_expected {
	bool allow;
	const char *rule; /* "sg-web/https" */
	const char *reason;
};

struct reach_answer {
	bool holds;
	guint64 tried;		   /* packets put to the evaluator; 0: the query stands for none */
	struct eval_packet packet; /* when it does not hold: one that shows it */
	struct eval_verdict verdict;
};

/* image is compiled for iface. */
struct reach_answer reach_ask(const struct model *model, const struct image *image,
			      const struct model_interface *iface, const struct reach_query *query,
			      const struct reach_expected *expected);

void reach_add_cidr(GArray *ranges, const struct cidr *cidr);
/* The addresses of the interfaces that carry the group. */
void reach_add_group(GArray *ranges, const struct model_network *network, const char *group);
