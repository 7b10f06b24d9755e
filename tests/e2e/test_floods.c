/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_floods.c - floods from outside and from the guest itself, while 1,000 established
 * connections of that guest exchange data: none of them loses a frame to the filter, and a
 * neighbour interface sees no effect.
 *
 * FLOOD=N sends N frames a test (`make test-floods`: a million). Five taps on a bridge: the VM and
 * its peer, a neighbour (filtered, too) and its peer, and the attacker. Everything that is sent is
 * counted and compared with what rulesd's counters say. It is long because the four floods share
 * one scene and one way of counting, which are of no use to another test.
 */
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "rulesd/cleanup.h"
#include "tests/lib/check.h"
#include "tests/lib/crowd.h"
#include "tests/lib/netns.h"
#include "tests/lib/patience.h"
#include "tests/lib/scene.h"

#define FLOOD_DEFAULT 100000u
#define BATCH                                                                               \
	4096u /* frames that an attacker sends before it waits for the VM to have read them \
	       */
#define BATCH_GUEST  512u /* fewer than the half-open flows it may have: answers find theirs */
#define CONNECTIONS  1000u
#define NEIGHBOUR    50u /* connections of the neighbour */
#define MAX_FLOWS    4096
#define ANSWER_EVERY 8u /* the VM answers one SYN in so many, as a busy server does */

static const char policy[] =
	"{ \"version\": 1, \"groups\": { \"sg-open\": { \"ingress\": ["
	"  { \"id\": \"web\", \"protocol\": \"tcp\", \"ports\": [443], \"from\": [\"any\"] },"
	"  { \"id\": \"dns\", \"protocol\": \"udp\", \"ports\": [53], \"from\": [\"any\"] } ] } },"
	"  \"interfaces\": {"
	"    \"vm\": { \"device\": \"tap0\", \"mac\": \"52:54:00:00:00:05\","
	"      \"addresses\": [\"10.0.0.5\", \"fd00::5\"], \"groups\": [\"sg-open\"],"
	"      \"conntrack\": { \"max_flows\": " G_STRINGIFY(
		4096) " } },"
		      "    \"neighbour\": { \"device\": \"tap3\", \"mac\": \"52:54:00:00:00:06\","
		      "      \"addresses\": [\"10.0.0.6\", \"fd00::6\"], \"groups\": [\"sg-open\"],"
		      "      \"conntrack\": { \"max_flows\": " G_STRINGIFY(MAX_FLOWS) " } } } }";

enum kind { FLOOD_SYN, FLOOD_UDP, FLOOD_FRAGMENTS, FLOOD_GUEST };

struct stage {
	enum kind kind;
	uint64_t frames; /* to send */
	struct tap *vm, *attacker, *neighbour;
	struct daemon *daemon;
	struct crowd *crowd, *neighbours;
	/* Written by the attacker's thread, read by others when it has ended. */
	uint64_t sent_to_vm, sent_by_vm; /* frames, markers and answers included */
	uint64_t arrived;		 /* of what the VM flooded */
	const char *error;
	_Atomic bool over;
	/* Written by the VM's thread. */
	_Atomic uint32_t mark; /* the last one read */
	_Atomic uint64_t reached_vm, answered;
};

static uint64_t flood_size(void)
{
	const char *text = getenv("FLOOD");
	uint64_t size = text ? g_ascii_strtoull(text, NULL, 10) : 0;

	return size ? size : FLOOD_DEFAULT;
}

/* ------------------------------------------------------------------ the VM's side */

static uint32_t mark_of(const struct frame *frame)
{
	uint32_t mark;

	memcpy(&mark, frame->bytes + 28, sizeof(mark)); /* the ARP sender's IP address */
	return mark;
}

/* Swaps the ends of an IPv4 TCP or UDP frame. */
static void turn(const struct frame *frame, struct frame *back)
{
	back->length = frame->length;
	memcpy(back->bytes, frame->bytes, frame->length);
	memcpy(back->bytes, frame->bytes + 6, 6);
	memcpy(back->bytes + 6, frame->bytes, 6);
	memcpy(back->bytes + 26, frame->bytes + 30, 4);
	memcpy(back->bytes + 30, frame->bytes + 26, 4);
	memcpy(back->bytes + 34, frame->bytes + 36, 2);
	memcpy(back->bytes + 36, frame->bytes + 34, 2);
}

static void answer_syn(struct stage *stage, const struct frame *frame)
{
	uint32_t seq;
	struct frame back;

	turn(frame, &back);
	memcpy(&seq, frame->bytes + 38, sizeof(seq));
	seq = GUINT32_TO_BE(GUINT32_FROM_BE(seq) + 1);
	memcpy(back.bytes + 42, &seq, sizeof(seq));
	back.bytes[47] |= 0x10; /* ACK */
	if (tap_write(stage->vm, &back) == 0)
		stage->answered++;
}

static void vm_reads(const struct frame *frame, void *arg)
{
	struct stage *stage = arg;

	if (frame->bytes[12] == 0x08 && frame->bytes[13] == 0x06) {
		stage->mark = mark_of(frame);
		return;
	}
	stage->reached_vm++;
	if (stage->kind == FLOOD_SYN && stage->reached_vm % ANSWER_EVERY == 0)
		answer_syn(stage, frame);
}

/* ------------------------------------------------------------------ the flood */

static void random_address(struct sg_addr *addr)
{
	addr->b[12] = 100; /* 100.64.0.0/10 */
	addr->b[13] = (uint8_t)(64 | (g_random_int() & 63));
	addr->b[14] = (uint8_t)g_random_int();
	addr->b[15] = (uint8_t)g_random_int();
}

/* What the next frame of the flood differs in. */
static void vary(const struct stage *stage, struct frame_spec *spec, uint64_t i)
{
	random_address(stage->kind == FLOOD_GUEST ? &spec->dst : &spec->src);
	spec->sport = (uint16_t)g_random_int();
	spec->seq = g_random_int();
	if (stage->kind == FLOOD_GUEST)
		spec->dport = (uint16_t)g_random_int();
	if (stage->kind != FLOOD_FRAGMENTS)
		return;
	/* First fragments, and every fourth time a later one whose first was never sent. */
	spec->ipid = (uint16_t)g_random_int();
	spec->fragment_offset = i % 4 == 3 ? 32 : 0;
}

static struct frame_spec *flood_spec(const struct stage *stage)
{
	static const char *const text[] = {
		[FLOOD_SYN] = "tcp 100.64.0.1:1 > 10.0.0.5:443 S win=1024 smac=10 dmac=5",
		[FLOOD_UDP] = "udp 100.64.0.1:1 > 10.0.0.5:53 len=24 smac=10 dmac=5",
		[FLOOD_FRAGMENTS] = "udp 100.64.0.1:1 > 10.0.0.5:53 frag=0+ len=24 smac=10 dmac=5",
		[FLOOD_GUEST] = "udp 10.0.0.5:1 > 100.64.0.1:1 len=24 smac=5 dmac=10",
	};
	struct frame_spec *spec = NULL;
	char *error = NULL;

	/* In the attacker's thread: what is wrong here is wrong before anything runs. */
	if (frame_spec_parse(text[stage->kind], &spec, &error))
		g_error("%s", error);
	return spec;
}

/* Waits until the VM has read everything that was sent to it so far. */
static bool wait_for_vm(struct stage *stage, uint32_t mark)
{
	struct frame frame;
	const gint64 began = g_get_monotonic_time();

	frame_make(&frame, "arp 10.0.0.10 > 10.0.0.5 op=1 smac=10 dmac=5");
	memcpy(frame.bytes + 28, &mark, sizeof(mark));
	if (tap_write(stage->attacker, &frame) < 0)
		return false;
	stage->sent_to_vm++;
	while (stage->mark != mark && !patience_over(began, GIVE_UP_MS))
		g_usleep(100);
	return stage->mark == mark;
}

/* What the VM opened arrives at the attacker, which answers every second one: so the flows become
 * confirmed, until the allowance is used up. */
static void drain_attacker(struct stage *stage)
{
	struct frame frame, back;

	while (tap_read(stage->attacker, &frame, 0)) {
		if (stage->kind != FLOOD_GUEST || frame.bytes[23] != 17)
			continue;
		if (stage->arrived++ % 2)
			continue;
		turn(&frame, &back);
		if (tap_write(stage->attacker, &back) == 0)
			stage->sent_to_vm++;
	}
}

static bool send_batch(struct stage *stage, struct frame_spec *spec, uint64_t begun, uint64_t end)
{
	const bool guest = stage->kind == FLOOD_GUEST;
	struct frame frame;

	for (uint64_t i = begun; i < end; i++) {
		vary(stage, spec, i);
		frame_build(spec, &frame);
		if (tap_write(guest ? stage->vm : stage->attacker, &frame) < 0)
			return false;
		if (guest)
			stage->sent_by_vm++;
		else
			stage->sent_to_vm++;
	}
	drain_attacker(stage);
	return true;
}

static void *run_flood(void *arg)
{
	struct stage *stage = arg;
	CLEANUP(frame_spec_free) struct frame_spec *spec = flood_spec(stage);

	const uint64_t batch = stage->kind == FLOOD_GUEST ? BATCH_GUEST : BATCH;

	crowd_pin(crowd_cpu(2));
	for (uint64_t i = 0; i < stage->frames && !stage->error; i += batch) {
		if (!send_batch(stage, spec, i, MIN(i + batch, stage->frames)))
			stage->error = "cannot write to a tap";
		else if (!wait_for_vm(stage, (uint32_t)(i / batch + 1)))
			stage->error = "the VM was not sent a marker";
	}
	stage->over = true;
	return NULL;
}

/* ------------------------------------------------------------------ what rulesd says */

static int64_t number(json_t *object, const char *a, const char *b, const char *c)
{
	json_t *at = object;

	for (const char *const *key = (const char *const[]){a, b, c, NULL}; *key; key++)
		at = json_object_get(at, *key);
	return at ? json_integer_value(at) : 0;
}

static json_t *stats_of(const struct stage *stage, const char *id)
{
	AUTO_JSON json_t *list = sgctl_json(stage->daemon, "stats", "--interface", id, NULL);

	assert_int_equal(json_array_size(list), 1);
	return json_incref(json_array_get(list, 0));
}

/* Fails when the interface has dropped a frame for another reason than these (NULL-terminated). */
static void only_drops(json_t *stats, const char *const *expected)
{
	const char *reason;
	json_t *count;

	json_object_foreach (json_object_get(stats, "drops"), reason, count) {
		bool known = false;

		for (const char *const *each = expected; *each; each++)
			known = known || strcmp(*each, reason) == 0;
		if (!known)
			fail_msg("%s dropped %lld frames as %s",
				 json_string_value(json_object_get(stats, "interface")),
				 (long long)json_integer_value(count), reason);
	}
}

/* Every frame that was written to or by the interface is counted, once. */
static void counted_exactly(json_t *stats, const char *dir, uint64_t frames)
{
	assert_int_equal(number(stats, "allowed", dir, "packets") +
				 number(stats, "dropped", dir, "packets"),
			 (int64_t)frames);
}

static void nothing_was_lost(const struct crowd *crowd, unsigned int connections)
{
	struct crowd_count count = crowd_count(crowd);

	print_message("  %u connections: %" PRIu64 " frames to the VM, %" PRIu64 " from it\n",
		      connections, count.to_vm_sent, count.from_vm_sent);
	assert_int_equal(count.to_vm_seen, count.to_vm_sent);
	assert_int_equal(count.from_vm_seen, count.from_vm_sent);
	assert_int_equal(count.gaps, 0);
	assert_int_equal(count.idle, 0);
}

static unsigned int half_open_flows(const struct stage *stage)
{
	AUTO_JSON json_t *flows = sgctl_json(stage->daemon, "flows", "--interface", "vm", NULL);
	unsigned int half = 0;
	size_t index;
	json_t *flow;

	json_array_foreach (flows, index, flow) {
		const char *state = json_string_value(json_object_get(flow, "state"));

		half += !strcmp(state, "new") || !strcmp(state, "syn_sent") ||
			!strcmp(state, "syn_recv");
	}
	return half;
}

/* ------------------------------------------------------------------ the stage */

/* So that the bridge sends nothing to ports that it is not for. */
static void introduce(const struct tap *tap, unsigned int last)
{
	struct frame frame;

	frame_make(&frame, "arp 10.0.0.%u > 10.0.0.%u op=1 smac=%u dmac=ff:ff:ff:ff:ff:ff", last,
		   last, last);
	assert_int_equal(tap_write(tap, &frame), 0);
}

static struct tap *queued_tap(const char *name)
{
	struct tap *tap = scene_tap(name);

	crowd_widen_queue(tap);
	return tap;
}

static struct crowd *people(struct stage *stage, struct tap *vm, struct tap *peer,
			    unsigned int vm_last, unsigned int peer_last, unsigned int count)
{
	g_autofree char *vm4 = g_strdup_printf("10.0.0.%u", vm_last);
	g_autofree char *vm6 = g_strdup_printf("fd00::%x", vm_last);
	g_autofree char *peer4 = g_strdup_printf("10.0.0.%u", peer_last);
	g_autofree char *peer6 = g_strdup_printf("fd00::%x", peer_last);
	const struct crowd_options options = {
		.vm = {vm, vm4, vm6},
		.peer = {peer, peer4, peer6},
		.count = count,
		.port = 443,
		.cpu_vm = crowd_cpu(0),
		.cpu_peer = crowd_cpu(1),
		.other = vm == stage->vm ? vm_reads : NULL,
		.arg = stage,
	};

	return crowd_new(&options);
}

static void open_stage(struct stage *stage, enum kind kind)
{
	struct tap *peer, *neighbour_peer;

	memset(stage, 0, sizeof(*stage));
	stage->kind = kind;
	stage->frames = flood_size();
	stage->vm = queued_tap("tap0");
	peer = queued_tap("tap1");
	stage->attacker = queued_tap("tap2");
	stage->neighbour = queued_tap("tap3");
	neighbour_peer = queued_tap("tap4");
	introduce(stage->vm, 5);
	introduce(peer, 9);
	introduce(stage->attacker, 10);
	introduce(stage->neighbour, 6);
	introduce(neighbour_peer, 11);
	stage->daemon = daemon_start("floods", NULL);
	daemon_apply(stage->daemon, policy);
	tap_drain(stage->vm);
	stage->crowd = people(stage, stage->vm, peer, 5, 9, CONNECTIONS);
	stage->neighbours = people(stage, stage->neighbour, neighbour_peer, 6, 11, NEIGHBOUR);
}

/* Floods, while both crowds exchange data and rulesd is asked all the time. */
static void flood(struct stage *stage)
{
	gint64 start = g_get_monotonic_time();
	unsigned int asked = 0;
	pthread_t attacker;

	crowd_start(stage->crowd);
	crowd_start(stage->neighbours);
	assert_int_equal(pthread_create(&attacker, NULL, run_flood, stage), 0);
	while (!stage->over) {
		sgctl_check(stage->daemon, "show", "status", NULL);
		asked++;
		g_usleep(100000);
	}
	pthread_join(attacker, NULL);
	crowd_stop(stage->crowd);
	crowd_stop(stage->neighbours);
	if (stage->error)
		fail_msg("%s", stage->error);
	print_message("  %" PRIu64 " frames of flood in %.1f s, %" PRIu64
		      " reached the VM; rulesd answered %u times\n",
		      stage->frames, (double)(g_get_monotonic_time() - start) / 1e6,
		      stage->kind == FLOOD_GUEST ? stage->arrived : stage->reached_vm, asked);
	assert_true(asked > 0);
}

/* What holds after every flood. Returns the VM's counters. */
static json_t *check_after(struct stage *stage, const char *const *drops)
{
	struct crowd_count own = crowd_count(stage->crowd);
	struct crowd_count other = crowd_count(stage->neighbours);
	AUTO_JSON json_t *neighbour = stats_of(stage, "neighbour");
	json_t *stats = stats_of(stage, "vm");

	only_drops(stats, drops);
	only_drops(neighbour, (const char *const[]){NULL});
	nothing_was_lost(stage->crowd, CONNECTIONS);
	nothing_was_lost(stage->neighbours, NEIGHBOUR);
	counted_exactly(stats, "ingress", own.frames_to_vm + stage->sent_to_vm);
	counted_exactly(stats, "egress", own.frames_from_vm + stage->sent_by_vm + stage->answered);
	counted_exactly(neighbour, "ingress", other.frames_to_vm);
	counted_exactly(neighbour, "egress", other.frames_from_vm);
	assert_int_equal(number(neighbour, "flows", NULL, NULL), NEIGHBOUR);
	assert_int_equal(number(neighbour, "allowance_exceeded", NULL, NULL), 0);
	assert_int_equal(number(neighbour, "allowance_available", NULL, NULL),
			 MAX_FLOWS - NEIGHBOUR);
	assert_true(half_open_flows(stage) <=
		    MAX(SG_HALF_FLOWS, 128u * (unsigned int)get_nprocs_conf()));
	return stats;
}

/* A new connection to the VM, after the flood. */
static bool opens(const struct stage *stage, unsigned int port, bool expected)
{
	struct frame frame;

	frame_make(&frame, "tcp 10.0.0.10:%u > 10.0.0.5:443 S", port);
	return scene_arrives(stage->attacker, stage->vm, &frame, expected);
}

/* ------------------------------------------------------------------ the tests */

static void syns_from_everywhere_to_an_open_port(void **state)
{
	AUTO_JSON json_t *stats = NULL;
	struct stage stage;

	(void)state;
	open_stage(&stage, FLOOD_SYN);
	flood(&stage);
	/* Answers that come when their SYN's place has gone to a younger one. */
	stats = check_after(&stage, (const char *const[]){"no_flow", NULL});
	assert_true(number(stats, "drops", "no_flow", NULL) <= (int64_t)stage.answered);
	assert_int_equal(stage.reached_vm, stage.frames);
	assert_int_equal(number(stats, "flows", NULL, NULL), CONNECTIONS);
	assert_int_equal(number(stats, "allowance_exceeded", NULL, NULL), 0);
	assert_true(opens(&stage, 4000, true));
}

static void datagrams_from_everywhere_to_an_open_port(void **state)
{
	AUTO_JSON json_t *stats = NULL;
	struct stage stage;

	(void)state;
	open_stage(&stage, FLOOD_UDP);
	flood(&stage);
	stats = check_after(&stage, (const char *const[]){NULL});
	assert_int_equal(stage.reached_vm, stage.frames);
	assert_int_equal(number(stats, "flows", NULL, NULL), CONNECTIONS);
	assert_true(opens(&stage, 4000, true));
}

static void fragments_whose_datagrams_never_end(void **state)
{
	AUTO_JSON json_t *stats = NULL;
	struct stage stage;

	(void)state;
	open_stage(&stage, FLOOD_FRAGMENTS);
	flood(&stage);
	stats = check_after(&stage,
			    (const char *const[]){"fragment_allowance", "fragment_without_first",
						  "fragment_overlap", NULL});
	assert_int_equal(number(stats, "flows", NULL, NULL), CONNECTIONS);
	assert_true(number(stats, "drops", "fragment_allowance", NULL) > 0);
	assert_true(number(stats, "drops", "fragment_without_first", NULL) > 0);
	/* Only those with a place in the table arrived. */
	assert_in_range(stage.reached_vm, 1, SG_SLOT_FRAGMENTS * 2);
	assert_true(opens(&stage, 4000, true));
}

/* rulesd's log says so at its next look. */
static void assert_reported(const struct daemon *daemon)
{
	g_autofree char *log = NULL;

	for (gint64 began = g_get_monotonic_time(); !patience_over(began, GIVE_UP_MS);) {
		g_free(log);
		log = daemon_log(daemon);
		if (strstr(log, "allowance exceeded: "))
			break;
		g_usleep(100000);
	}
	assert_non_null(strstr(log, "allowance exceeded: "));
}

static void a_guest_that_opens_flows_as_fast_as_it_can(void **state)
{
	AUTO_JSON json_t *stats = NULL;
	struct stage stage;

	(void)state;
	open_stage(&stage, FLOOD_GUEST);
	flood(&stage);
	stats = check_after(&stage, (const char *const[]){"allowance_exceeded", "no_rule", NULL});
	/* Exactly its allowance, and it is the only one that pays. */
	assert_int_equal(number(stats, "flows", NULL, NULL), MAX_FLOWS);
	assert_int_equal(number(stats, "allowance_available", NULL, NULL), 0);
	assert_true(number(stats, "allowance_exceeded", NULL, NULL) > 0);
	assert_int_equal(number(stats, "allowance_exceeded", NULL, NULL),
			 number(stats, "drops", "allowance_exceeded", NULL));
	assert_false(opens(&stage, 4000, false));
	assert_reported(stage.daemon);
}

static int teardown(void **state)
{
	crowd_delete_all();
	return scene_teardown(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(syns_from_everywhere_to_an_open_port),
		TEST(datagrams_from_everywhere_to_an_open_port),
		TEST(fragments_whose_datagrams_never_end),
		TEST(a_guest_that_opens_flows_as_fast_as_it_can),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
