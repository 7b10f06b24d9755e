/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proggy_flows.c - the flows and exact counters of the instance of proggy.h.
 */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

#include "rulesd/dataplane.h"
#include "rulesd/names.h"
#include "tests/lib/check.h"
#include "tests/lib/proggy.h"

void proggy_flush_flows(void)
{
	struct dataplane_flow_filter all = {.protocol = -1, .sport = -1, .dport = -1};
	unsigned int removed = 0;
	g_autofree char *error = NULL;

	if (dataplane_flows_remove(proggy_dataplane(), &all, &removed, &error) < 0)
		fail_msg("dataplane_flows_remove: %s", error);
}

struct flow_seen {
	unsigned int count;
	uint32_t rule;
};

static bool see_flow(const struct dataplane_flow *flow, void *arg)
{
	struct flow_seen *seen = arg;

	seen->count++;
	seen->rule = flow->flow.rule;
	return true;
}

static struct flow_seen see_flows(const char *interface_id)
{
	struct dataplane_flow_filter filter = {
		.slot = proggy_slot(interface_id), .protocol = -1, .sport = -1, .dport = -1};
	struct flow_seen seen = {0};
	g_autofree char *error = NULL;

	if (dataplane_flows(proggy_dataplane(), &filter, see_flow, &seen, &error) < 0)
		fail_msg("dataplane_flows: %s", error);
	return seen;
}

unsigned int proggy_count_flows(const char *interface_id)
{
	return see_flows(interface_id).count;
}

const char *proggy_flow_rule(const char *interface_id)
{
	struct flow_seen seen = see_flows(interface_id);

	if (seen.count != 1)
		fail_msg("%u flows where the test expects one", seen.count);
	return image_rule_name(proggy_image(), seen.rule);
}

struct state_search {
	const struct frame_spec *spec;
	enum sg_dir dir;
	const char *state;
};

static bool see_state(const struct dataplane_flow *flow, void *arg)
{
	struct state_search *search = arg;
	const struct frame_spec *spec = search->spec;
	bool sends = search->dir == SG_EGRESS;
	const struct sg_flow_key *key = &flow->key;
	bool ports = spec->body != FRAME_ICMP && spec->body != FRAME_RAW;
	uint16_t lport = sends ? spec->sport : spec->dport;
	uint16_t rport = sends ? spec->dport : spec->sport;

	if (key->proto != spec->protocol ||
	    memcmp(&key->local, sends ? &spec->src : &spec->dst, 16) != 0 ||
	    memcmp(&key->remote, sends ? &spec->dst : &spec->src, 16) != 0 ||
	    (ports && (ntohs(key->lport) != lport || ntohs(key->rport) != rport)) ||
	    (spec->body == FRAME_ICMP && ntohs(key->lport) != spec->id))
		return true;
	search->state = flow_state_name(key->proto, flow->flow.state);
	return false;
}

const char *proggy_flow_state(const char *interface_id, enum sg_dir dir,
			      const struct frame_spec *spec)
{
	struct dataplane_flow_filter filter = {
		.slot = proggy_slot(interface_id), .protocol = -1, .sport = -1, .dport = -1};
	struct state_search search = {.spec = spec, .dir = dir, .state = "none"};
	g_autofree char *error = NULL;

	if (dataplane_flows(proggy_dataplane(), &filter, see_state, &search, &error) < 0)
		fail_msg("dataplane_flows: %s", error);
	return search.state;
}

struct sg_slot proggy_exact(const char *interface_id)
{
	struct sg_stats stats;
	struct sg_slot exact = {0};

	if (dataplane_stats(proggy_dataplane(), proggy_slot(interface_id), &stats, &exact) < 0)
		fail_msg("dataplane_stats of %s", interface_id);
	return exact;
}
