/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shape.h - the policy that a path is filtered by, in the words of each filter: the same verdicts
 * from all of them.
 *
 * VM a of each pair is a member of sg-client: port 10000 may come in, everything may go out. VM b
 * has as many rules as the shape says in each direction, peers in turn anyone, a CIDR, the group
 * and a prefix list, a port each; and last of all, inwards only, the service (TRAFFIC_PORT_LOW to
 * _HIGH) from the group. All send their own MAC and address only.
 */
#pragma once

#include <stdbool.h>

struct shape {
	unsigned int rules;	/* of b, in each direction: at least 4 */
	unsigned int pairs;	/* of VMs; 0 counts as 1 */
	unsigned int members;	/* of sg-client, beside a of each pair: at most 1,000,000 */
	unsigned int max_flows; /* tapguard: allowance of each interface */
	const char *hook;	/* tapguard: "auto", "xdp", "tcx", "tc" */
	unsigned int ports;	/* Neutron's shape: taps on the host, ours the ones in the middle */
	/* Bridged frames: Neutron's rules match what br_netfilter tells of them. */
	int bridged;
};

/* The texts; the caller frees. */
char *shape_tapguard(const struct shape *shape); /* a policy */
char *shape_nftables(const struct shape *shape); /* for nft -f: replaces what was there */
/* What every ruleset of nft's pays: an empty chain, or one that asks for the state of a connection
 * and lets everything pass. */
char *shape_nftables_floor(bool conntrack);
char *shape_ipset(const struct shape *shape);	/* for ipset restore */
char *shape_neutron(const struct shape *shape); /* for iptables-restore, with those sets */
