/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reference.h - which rule allows a packet, found in the slowest and plainest way: every rule times
 * every peer times every port, straight from the model. What the compiler and the dataplanes do is
 * compared with it. It knows no guard.
 */
#pragma once

#include "rulesd/eval.h"
#include "rulesd/model.h"
#include "rulesd/numbers.h"

struct reference {
	/* Given. */
	const struct model *model;
	const struct numbers *numbers; /* that the model was compiled with: peers are tried in the
					  order of theirs */
	const struct model_network *network;
	const struct eval_packet *packet;
	/* Found: the best in the order of compile.h. Allowed without a rule is exempt. */
	bool allowed;
	unsigned int class, peer, all, order;
	const struct model_group *group;
	const struct model_rule *rule;
	struct sg_addr remote;
};

/* The order is that of the interface's groups, then of the file; 0 is for what is exempt. */
void refer(struct reference *ref, const struct model_interface *iface);
