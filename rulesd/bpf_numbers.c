/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_numbers.c - the highest numbers that the kernel's maps name, for a registry that was lost:
 * nothing may be given out again that a live flow or a pinned policy names.
 */
#include "rulesd/bpf_internal.h"

#include "rulesd/cleanup.h"

static void take_rule(struct dataplane_numbers *highest, uint32_t rule)
{
	if (rule & SG_RULE_EXEMPT)
		highest->exempt = MAX(highest->exempt, rule);
	else
		highest->rule = MAX(highest->rule, rule);
}

static bool read_policy(const void *key, const void *value, void *arg)
{
	const struct sg_policy_key *policy = key;
	const struct sg_policy_ports *ports = value;
	struct dataplane_numbers *highest = arg;

	highest->policy = MAX(highest->policy, policy->policy);
	highest->peer = MAX(highest->peer, policy->peer);
	/* Of an entry that has two versions it may be a place. */
	if (!(ports->count & SG_PORTS_SINCE) || SG_PORTS_COUNT(ports->count) == 1)
		take_rule(highest, ports->one.rule);
	return true;
}

static bool read_set(const void *key, const void *value, void *arg)
{
	const struct sg_set *set = value;
	struct dataplane_numbers *highest = arg;

	highest->set = MAX(highest->set, *(const uint32_t *)key);
	for (uint32_t i = 0; i < MIN(set->count, SG_SET_PEERS); i++)
		highest->peer = MAX(highest->peer, set->peers[i]);
	return true;
}

static void take_set(struct dataplane_numbers *highest, uint32_t set)
{
	if (set & SG_SET_SINGLE)
		highest->peer = MAX(highest->peer, set & ~SG_SET_SINGLE);
}

static bool read_member(const void *key, const void *value, void *arg)
{
	const struct sg_member_key *member = key;
	const struct sg_version *version = value;
	struct dataplane_numbers *highest = arg;

	highest->zone = MAX(highest->zone, member->zone);
	take_set(highest, version->before);
	take_set(highest, version->after);
	return true;
}

static bool read_prefix(const void *key, const void *value, void *arg)
{
	const struct sg_prefix_key *prefix = key;
	const struct sg_version *version = value;
	struct dataplane_numbers *highest = arg;

	highest->zone = MAX(highest->zone, prefix->space >> 1);
	take_set(highest, version->before);
	take_set(highest, version->after);
	return true;
}

static bool read_rule(const void *key, const void *value, void *arg)
{
	(void)value;
	take_rule(arg, *(const uint32_t *)key);
	return true;
}

static bool read_peer(const void *key, const void *value, void *arg)
{
	struct dataplane_numbers *highest = arg;

	(void)value;
	highest->peer = MAX(highest->peer, *(const uint32_t *)key);
	return true;
}

static bool read_flow(const struct flow_visit *visit, void *arg)
{
	struct dataplane_numbers *highest = arg;

	take_rule(highest, visit->flow->rule);
	highest->peer = MAX(highest->peer, visit->flow->peer);
	return true;
}

int dataplane_numbers(struct dataplane *dataplane, struct dataplane_numbers *numbers, char **error)
{
	static const struct {
		enum bpf_table_id id;
		table_each_fn each;
	} tables[] = {
		{TABLE_POLICY, read_policy},  {TABLE_SETS, read_set},
		{TABLE_MEMBERS, read_member}, {TABLE_PREFIXES, read_prefix},
		{TABLE_RULES, read_rule},     {TABLE_PEERGONE, read_peer},
	};
	struct dataplane_numbers highest = {0};
	int code;

	for (unsigned int i = 0; i < G_N_ELEMENTS(tables); i++) {
		const struct bpf_table *table = &dataplane->table[tables[i].id];

		code = table_each(table, tables[i].each, &highest);
		if (code)
			return bpf_fail(error, code, "map %s: reading it", table->name);
	}
	for (uint32_t slot = 1; slot <= SG_MAX_SLOTS; slot++)
		for (unsigned int i = 0; i < 2; i++)
			highest.zone = MAX(highest.zone, dataplane->ifaces[slot].conf[i].zone);
	code = flows_visit(dataplane, 0, read_flow, &highest, error);
	if (code)
		return code;
	/* A set of one peer is the peer, whose number then is never out of range. */
	highest.peer = MIN(highest.peer, SG_SET_SINGLE - 1);
	*numbers = highest;
	return 0;
}

uint32_t dataplane_slot_device(const struct dataplane *dataplane, uint32_t slot)
{
	return slot && slot <= SG_MAX_SLOTS ? dataplane->ifaces[slot].ifindex : 0;
}
