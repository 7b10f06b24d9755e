/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_flows.c - the flow table as user space sees it: listing, filters, removing, expiry, the
 * counters of interfaces and rules. The flows are made by frames through real taps.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/bpf_internal.h"
#include "rulesd/cleanup.h"
#include "tests/lib/build.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/plane.h"

#define POLICY                                                                                        \
	"{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[{\"id\":\"https\",\"protocol\":\"tcp\"," \
	"\"ports\":[443],\"from\":[\"any\"]},{\"id\":\"ping\",\"protocol\":\"icmp\",\"from\":["       \
	"\"any\"]}]}},\"interfaces\":{\"vm\":{\"device\":\"tap0\",\"addresses\":[\"10.0.0.5\"],"      \
	"\"groups\":[\"sg-web\"],\"conntrack\":{\"max_flows\":4}}}}"

struct scene {
	struct plane *plane;
	struct tap *vm, *neighbour;
	uint32_t slot;
};

static void in(struct scene *scene, const char *text)
{
	if (!plane_arrives(scene->neighbour, scene->vm, text, true))
		fail_msg("did not arrive: %s", text);
}

static void out(struct scene *scene, const char *text)
{
	if (!plane_arrives(scene->vm, scene->neighbour, text, true))
		fail_msg("did not leave: %s", text);
}

static struct scene start(void **state)
{
	struct scene scene = {.plane = *state};
	struct dataplane_attachment attachment = {};

	scene.neighbour = plane_bridge(&scene.vm, false);
	if (plane_apply(scene.plane, POLICY, false) ||
	    plane_attach(scene.plane, "vm", scene.vm, &attachment))
		fail_msg("%s", scene.plane->error);
	scene.slot = attachment.slot;
	return scene;
}

/* A connection, a query with its answer, an echo with its reply, and a SYN nobody answered. */
static struct scene with_flows(void **state)
{
	struct scene scene = start(state);

	in(&scene, "tcp 10.0.0.9:5000 > 10.0.0.5:443 S seq=100");
	out(&scene, "tcp 10.0.0.5:443 > 10.0.0.9:5000 SA seq=900 ack=101");
	in(&scene, "tcp 10.0.0.9:5000 > 10.0.0.5:443 A seq=101 ack=901");
	out(&scene, "udp 10.0.0.5:4000 > 10.0.0.9:53 len=20");
	in(&scene, "udp 10.0.0.9:53 > 10.0.0.5:4000 len=30");
	in(&scene, "icmp 10.0.0.9 > 10.0.0.5 type=8 id=77");
	out(&scene, "icmp 10.0.0.5 > 10.0.0.9 type=0 id=77");
	in(&scene, "tcp 10.0.0.8:6000 > 10.0.0.5:443 S seq=100 smac=9");
	return scene;
}

static struct dataplane_flow_filter everything(void)
{
	return (struct dataplane_flow_filter){.protocol = -1, .sport = -1, .dport = -1};
}

static bool take_flow(const struct dataplane_flow *flow, void *arg)
{
	g_array_append_val((GArray *)arg, *flow);
	return true;
}

static GArray *list(struct scene *scene, const struct dataplane_flow_filter *filter)
{
	GArray *flows = g_array_new(FALSE, FALSE, sizeof(struct dataplane_flow));

	if (dataplane_flows(scene->plane->dataplane, filter, take_flow, flows,
			    &scene->plane->error))
		fail_msg("%s", scene->plane->error);
	return flows;
}

static unsigned int count(struct scene *scene, const struct dataplane_flow_filter *filter)
{
	g_autoptr(GArray) flows = list(scene, filter);

	return flows->len;
}

static struct sg_slot exact(struct scene *scene)
{
	struct sg_slot counters = {};

	assert_int_equal(dataplane_stats(scene->plane->dataplane, scene->slot, NULL, &counters), 0);
	return counters;
}

static struct dataplane_rule_stats rule(struct scene *scene, const char *name)
{
	g_autoptr(GHashTable) stats = NULL;
	uint32_t number = numbers_find(scene->plane->numbers, NUMBER_RULE, name);
	const struct dataplane_rule_stats *found;

	assert_int_not_equal(number, 0);
	if (dataplane_rule_stats(scene->plane->dataplane, &stats, &scene->plane->error))
		fail_msg("%s", scene->plane->error);
	found = g_hash_table_lookup(stats, GUINT_TO_POINTER(number));
	assert_non_null(found);
	return *found;
}

static void a_flow_says_what_it_is(void **state)
{
	struct scene scene = with_flows(state);
	struct dataplane_flow_filter filter = everything();
	g_autoptr(GArray) flows = NULL;
	const struct dataplane_flow *flow;
	struct sg_addr local = build_addr("10.0.0.5"), remote = build_addr("10.0.0.9");

	filter.protocol = IPPROTO_UDP;
	flows = list(&scene, &filter);
	assert_int_equal(flows->len, 1);
	flow = &g_array_index(flows, struct dataplane_flow, 0);
	assert_memory_equal(&flow->key.local, &local, sizeof(local));
	assert_memory_equal(&flow->key.remote, &remote, sizeof(remote));
	assert_int_equal(ntohs(flow->key.lport), 4000);
	assert_int_equal(ntohs(flow->key.rport), 53);
	assert_int_equal(flow->key.slot, scene.slot);
	assert_int_equal(flow->flow.opener, SG_EGRESS);
	assert_false(flow->half);
	assert_int_equal(flow->flow.half[SG_EGRESS].packets, 1);
	assert_int_equal(flow->flow.half[SG_EGRESS].bytes, 14 + 20 + 8 + 20);
	assert_int_equal(flow->flow.half[SG_INGRESS].bytes, 14 + 20 + 8 + 30);
	assert_true(flow->age >= 0 && flow->age < 60);
	assert_true(flow->idle >= 0 && flow->idle <= flow->age + 0.1);
	/* Both ways: udp_stream. */
	assert_true(flow->expires > MODEL_DEFAULT_UDP_STREAM - 60 &&
		    flow->expires <= MODEL_DEFAULT_UDP_STREAM);
}

static void filters_select_as_the_opener_sent_it(void **state)
{
	struct scene scene = with_flows(state);
	struct dataplane_flow_filter filter = everything();
	struct sg_addr vm = build_addr("10.0.0.5"), nine = build_addr("10.0.0.9");

	assert_int_equal(count(&scene, NULL), 4);
	assert_int_equal(count(&scene, &filter), 4);
	filter.protocol = IPPROTO_TCP;
	assert_int_equal(count(&scene, &filter), 2);
	filter.src = &nine;
	assert_int_equal(count(&scene, &filter), 1);
	filter = everything();
	filter.src = &vm;
	assert_int_equal(count(&scene, &filter), 1); /* the query */
	filter.src = NULL;
	filter.dst = &vm;
	assert_int_equal(count(&scene, &filter), 3);
	filter.dport = 443;
	assert_int_equal(count(&scene, &filter), 2);
	filter.sport = 6000;
	assert_int_equal(count(&scene, &filter), 1);
	filter = everything();
	filter.sport = 77; /* of an echo: the identifier */
	assert_int_equal(count(&scene, &filter), 1);
	filter.dport = 8; /* and the type */
	assert_int_equal(count(&scene, &filter), 1);
	filter = everything();
	filter.rule =
		numbers_find(scene.plane->numbers, NUMBER_RULE, "default:ingress:sg-web/https");
	assert_int_equal(count(&scene, &filter), 2);
	filter = everything();
	filter.slot = scene.slot + 1;
	assert_int_equal(count(&scene, &filter), 0);
	filter.slot = SG_MAX_SLOTS + 1;
	assert_int_equal(dataplane_flows(scene.plane->dataplane, &filter, take_flow, NULL,
					 &scene.plane->error),
			 -EINVAL);
}

static void removed_flows_count_down_and_leave_their_totals(void **state)
{
	struct scene scene = with_flows(state);
	struct dataplane_flow_filter filter = everything();
	unsigned int removed = 0;

	assert_int_equal(exact(&scene).flows, 3);
	filter.protocol = IPPROTO_TCP;
	assert_int_equal(dataplane_flows_remove(scene.plane->dataplane, &filter, &removed,
						&scene.plane->error),
			 0);
	assert_int_equal(removed, 2);
	assert_int_equal(exact(&scene).flows, 2);
	assert_int_equal(count(&scene, NULL), 2);
	assert_int_equal(rule(&scene, "default:ingress:sg-web/https").packets, 4);
	assert_int_equal(rule(&scene, "default:ingress:sg-web/https").flows, 2);
	assert_int_equal(rule(&scene, "default:ingress:sg-web/https").live, 0);
	/* The connection is gone for the kernel, too; the others go on. */
	assert_false(plane_arrives(scene.neighbour, scene.vm,
				   "tcp 10.0.0.9:5000 > 10.0.0.5:443 A seq=101 ack=901", false));
	in(&scene, "udp 10.0.0.9:53 > 10.0.0.5:4000 len=30");
}

static void totals_of_a_rule_count_live_flows(void **state)
{
	struct scene scene = with_flows(state);
	struct dataplane_rule_stats https = rule(&scene, "default:ingress:sg-web/https");
	struct dataplane_rule_stats ping = rule(&scene, "default:ingress:sg-web/ping");

	assert_int_equal(https.flows, 2);
	assert_int_equal(https.live, 2);
	assert_int_equal(https.packets, 4);
	assert_int_equal(ping.live, 1);
	assert_int_equal(ping.packets, 2);
	in(&scene, "icmp 10.0.0.9 > 10.0.0.5 type=8 id=77");
	assert_int_equal(rule(&scene, "default:ingress:sg-web/ping").packets, 3);
}

static void expired_flows_are_collected(void **state)
{
	struct scene scene = with_flows(state);
	struct dataplane *dataplane = scene.plane->dataplane;
	struct sg_iface *iface = &dataplane->ifaces[scene.slot];
	bool more = true;

	/* No setting is as short as a test: written into the configuration itself. */
	for (unsigned int i = 0; i < 2; i++) {
		iface->conf[i].timeout[SG_TIMEOUT_UDP_STREAM] = 1;
		iface->conf[i].timeout[SG_TIMEOUT_TCP_HALF] = 1;
	}
	usleep(100000);
	assert_int_equal(count(&scene, NULL), 2);
	assert_int_equal(exact(&scene).flows, 3);
	while (more)
		assert_int_equal(dataplane_collect(dataplane, &more), 0);
	assert_int_equal(exact(&scene).flows, 2);
	assert_int_equal(count(&scene, NULL), 2);
	assert_int_equal(rule(&scene, "default:egress:sg-web/default-egress").packets, 2);
	/* Collecting kills no live flow. */
	in(&scene, "tcp 10.0.0.9:5000 > 10.0.0.5:443 A seq=101 ack=901");
}

static void allowance_is_exact(void **state)
{
	struct scene scene = with_flows(state);

	out(&scene, "udp 10.0.0.5:4002 > 10.0.0.9:53 len=20");
	in(&scene, "udp 10.0.0.9:53 > 10.0.0.5:4002 len=30");
	assert_int_equal(exact(&scene).flows, 4);
	assert_int_equal(exact(&scene).allowance_exceeded, 0);
	/* The fifth does not even begin, and is counted. */
	assert_false(plane_arrives(scene.vm, scene.neighbour,
				   "udp 10.0.0.5:4001 > 10.0.0.9:53 len=20", false));
	assert_int_equal(exact(&scene).allowance_exceeded, 1);
	assert_int_equal(exact(&scene).flows, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plane_setup, plane_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flow_says_what_it_is),
		TEST(filters_select_as_the_opener_sent_it),
		TEST(removed_flows_count_down_and_leave_their_totals),
		TEST(totals_of_a_rule_count_live_flows),
		TEST(expired_flows_are_collected),
		TEST(allowance_is_exact),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
