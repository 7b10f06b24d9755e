/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_concurrent.c - both directions of the same flows on two CPUs at once, while rules are added:
 * no frame of an established flow is lost, and the count of flows stays exact.
 */
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/crowd.h"
#include "tests/lib/netns.h"
#include "tests/lib/plane.h"

#define CONNECTIONS 300u
#define UDP	    100u /* of them */
#define CHANGES	    150u /* each adds a rule */
#define HANDSHAKES  30000u

struct scene {
	struct plane *plane;
	struct tap *vm, *peer;
	uint32_t slot;
};

/* A policy whose first extra rules are there, and those of before are, too. */
static char *policy(unsigned int extra)
{
	GString *text = g_string_new(
		"{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":["
		"{\"id\":\"web\",\"protocol\":\"tcp\",\"ports\":[443],\"from\":[\"any\"]},"
		"{\"id\":\"quic\",\"protocol\":\"udp\",\"ports\":[443],\"from\":[\"any\"]}");

	for (unsigned int i = 0; i < extra; i++)
		g_string_append_printf(text,
				       ",{\"id\":\"more-%u\",\"protocol\":\"%s\",\"ports\":[%u],"
				       "\"from\":[\"%s\"]}",
				       i, i & 1 ? "udp" : "tcp", 1000 + 2 * i,
				       i % 3 ? "any" : "10.0.0.0/8");
	g_string_append(text, "]}},\"interfaces\":{\"vm\":{\"device\":\"tap0\",\"addresses\":["
			      "\"10.0.0.5\",\"fd00::5\"],\"groups\":[\"sg-web\"],\"conntrack\":{"
			      "\"max_flows\":32768}}}}");
	return g_string_free(text, FALSE);
}

static void apply(struct scene *scene, unsigned int extra)
{
	g_autofree char *json = policy(extra);

	if (plane_apply(scene->plane, json, false))
		fail_msg("%s", scene->plane->error);
}

static struct scene start(void **state)
{
	struct scene scene = {.plane = *state};
	struct dataplane_attachment attachment = {0};

	scene.peer = plane_bridge(&scene.vm, false);
	crowd_widen_queue(scene.vm);
	crowd_widen_queue(scene.peer);
	apply(&scene, 0);
	if (plane_attach(scene.plane, "vm", scene.vm, &attachment))
		fail_msg("%s", scene.plane->error);
	scene.slot = attachment.slot;
	return scene;
}

/* ------------------------------------------------------------------ counts */

static bool count_confirmed(const struct dataplane_flow *flow, void *arg)
{
	unsigned int *confirmed = arg;

	*confirmed += !flow->half;
	return true;
}

/* The exact counter of the slot and the entries of the table, after collection. */
static void assert_count_exact(struct scene *scene, unsigned int expected)
{
	const struct dataplane_flow_filter filter = {
		.slot = scene->slot, .protocol = -1, .sport = -1, .dport = -1};
	unsigned int confirmed = 0;
	struct sg_slot exact = {0};
	bool more = true;

	while (more)
		assert_int_equal(dataplane_collect(scene->plane->dataplane, &more), 0);
	if (dataplane_flows(scene->plane->dataplane, &filter, count_confirmed, &confirmed,
			    &scene->plane->error))
		fail_msg("%s", scene->plane->error);
	assert_int_equal(dataplane_stats(scene->plane->dataplane, scene->slot, NULL, &exact), 0);
	assert_int_equal(exact.flows, confirmed);
	assert_int_equal(confirmed, expected);
}

static void assert_no_drops(struct scene *scene)
{
	struct sg_stats stats = {0};
	struct sg_slot exact = {0};

	assert_int_equal(dataplane_stats(scene->plane->dataplane, scene->slot, &stats, &exact), 0);
	for (unsigned int reason = SG_DROP_FIRST; reason < SG_REASONS; reason++)
		if (stats.reasons[reason])
			fail_msg("%" PRIu64 " frames dropped for reason %u of enum sg_reason",
				 (uint64_t)stats.reasons[reason], reason);
}

/* ------------------------------------------------------------------ established flows */

static void established_flows_lose_nothing_while_rules_are_added(void **state)
{
	struct scene scene = start(state);
	const struct crowd_options options = {
		.vm = {scene.vm, "10.0.0.5", "fd00::5"},
		.peer = {scene.peer, "10.0.0.9", "fd00::9"},
		.count = CONNECTIONS,
		.udp = UDP,
		.port = 443,
		.cpu_vm = crowd_cpu(0),
		.cpu_peer = crowd_cpu(1),
	};
	struct crowd *crowd = crowd_new(&options);
	struct crowd_count count;

	crowd_start(crowd);
	for (unsigned int i = 1; i <= CHANGES; i++)
		apply(&scene, i);
	/* On a busy machine the crowd may not even have begun: the frames that open it, and more.
	 */
	crowd_wait_round(crowd);
	crowd_wait_round(crowd);
	crowd_stop(crowd);
	count = crowd_count(crowd);
	print_message("  %u rules added during %" PRIu64 " frames to the VM and %" PRIu64
		      " from it\n",
		      CHANGES, count.to_vm_sent, count.from_vm_sent);
	assert_int_equal(count.to_vm_seen, count.to_vm_sent);
	assert_int_equal(count.from_vm_seen, count.from_vm_sent);
	assert_int_equal(count.gaps, 0);
	assert_int_equal(count.idle, 0);
	assert_no_drops(&scene);
	assert_count_exact(&scene, CONNECTIONS);
}

/* ------------------------------------------------------------------ flows that are being confirmed
 */

/*
 * The server repeats its SYN/ACK at the moment in which the client's ACK confirms the flow: the
 * entry moves from one table to the other while the other CPU looks for it.
 */
struct race {
	struct scene *scene;
	struct frame ack, again;
	_Atomic unsigned int turn, done; /* rounds begun, and ended by the server */
	int error;
};

static void *run_server(void *arg)
{
	struct race *race = arg;

	crowd_pin(crowd_cpu(1));
	for (unsigned int round = 1; round <= HANDSHAKES; round++) {
		while (race->turn < round)
			sched_yield();
		if (tap_write(race->scene->vm, &race->again) < 0)
			race->error = 1;
		race->done = round;
	}
	return NULL;
}

static void must_arrive(struct race *race, bool write, const struct tap *to,
			const struct frame *frame, const char *what, unsigned int round)
{
	const struct tap *from = to == race->scene->vm ? race->scene->peer : race->scene->vm;

	if ((!write || tap_write(from, frame) == 0) && tap_read_exactly(to, frame, TAP_WAIT_MS))
		return;
	print_error("handshake %u: the %s does not arrive\n", round, what);
	race->turn = HANDSHAKES; /* lets the thread end */
	assert_no_drops(race->scene);
	fail();
}

static void one_handshake(struct race *race, unsigned int round)
{
	const struct scene *scene = race->scene;
	const unsigned int port = 20000 + round % 40000;
	struct frame frame;

	frame_make(&frame, "tcp 10.0.%u.9:%u > 10.0.0.5:443 S seq=99 smac=9", 1 + round / 40000,
		   port);
	must_arrive(race, true, scene->vm, &frame, "SYN", round);
	frame_make(&race->again, "tcp 10.0.0.5:443 > 10.0.%u.9:%u SA seq=499 ack=100 dmac=9",
		   1 + round / 40000, port);
	must_arrive(race, true, scene->peer, &race->again, "SYN/ACK", round);
	frame_make(&race->ack, "tcp 10.0.%u.9:%u > 10.0.0.5:443 A seq=100 ack=500 smac=9",
		   1 + round / 40000, port);
	race->turn = round;
	if (tap_write(scene->peer, &race->ack) < 0)
		fail_msg("cannot write to a tap");
	while (race->done < round)
		sched_yield();
	must_arrive(race, false, scene->vm, &race->ack, "ACK", round);
	must_arrive(race, false, scene->peer, &race->again, "repeated SYN/ACK", round);
}

static void a_flow_is_found_while_it_is_confirmed(void **state)
{
	struct scene scene = start(state);
	struct race *race = g_new0(struct race, 1);
	pthread_t server;

	race->scene = &scene;
	assert_int_equal(pthread_create(&server, NULL, run_server, race), 0);
	for (unsigned int round = 1; round <= HANDSHAKES; round++)
		one_handshake(race, round);
	pthread_join(server, NULL);
	assert_int_equal(race->error, 0);
	g_free(race);
	assert_no_drops(&scene);
	assert_count_exact(&scene, HANDSHAKES);
}

static int teardown(void **state)
{
	crowd_delete_all();
	return plane_teardown(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, plane_setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(established_flows_lose_nothing_while_rules_are_added),
		TEST(a_flow_is_found_while_it_is_confirmed),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
