/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_flip.c - packets while policies change: every one sees the old or the new policy, members
 * and prefixes included, never a mixture.
 *
 * Both policies let the same addresses in, by different groups, sets and rules; and both refuse
 * others that a mixture of them would let in. Frames run on other CPUs without a pause meanwhile.
 */
#include <bpf/bpf.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <pthread.h>
#include <string.h>

#include "rulesd/bpf_internal.h"
#include "rulesd/cleanup.h"
#include "rulesd/names.h"
#include "tests/lib/check.h"
#include "tests/lib/netns.h"
#include "tests/lib/plane.h"

#define FLIPS	  150
#define STEPS	  1500u
#define LOOKS	  12000000ul /* of a member, of which a few meet its update */
#define AT_A_TIME 2000

#define POLICY(rules, list, groups_1, groups_2)                                                    \
	"{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[" rules                               \
	"]},\"sg-a\":{},\"sg-b\":{}},"                                                             \
	"\"prefix_lists\":{\"pl-x\":{\"entries\":[" list "]}},\"interfaces\":{\"vm\":{\"device\":" \
	"\"tap0\",\"addresses\":[\"10.0.0.5\"],\"groups\":[\"sg-web\"]},\"one\":{\"addresses\":["  \
	"\"10.0.1.1\"],\"groups\":[" groups_1                                                      \
	"]},\"two\":{\"addresses\":[\"10.0.1.2\"],\"groups\":[" groups_2 "]}}}"
#define RULE(id, from) \
	"{\"id\":\"" id "\",\"protocol\":\"tcp\",\"ports\":[443],\"from\":[" from "]}"

/* "one" is let in by the group that it is in, and "two" is in the group that is not let in. */
static const char *const left =
	POLICY(RULE("a", "\"sg-a\",\"pl-x\""), "\"10.3.0.0/16\"", "\"sg-a\"", "\"sg-b\"");
static const char *const right =
	POLICY(RULE("b", "\"sg-b\",\"10.3.0.0/16\"") "," RULE("c", "\"10.3.1.0/24\""),
	       "\"10.4.0.0/16\"", "\"sg-b\"", "\"sg-a\"");

struct traffic {
	int program;
	uint32_t ifindex;
	const char *source;
	bool allowed;
	unsigned int cpu_seed;
	volatile bool *stop;
	unsigned long frames;
	unsigned long wrong;
};

static void *run_frames(void *arg)
{
	struct traffic *traffic = arg;
	struct frame frame;
	uint16_t port = (uint16_t)(1024 + traffic->cpu_seed * 7919);

	frame_make(&frame, "tcp %s:1 > 10.0.0.5:443 S", traffic->source);
	while (!*traffic->stop) {
		struct __sk_buff skb = {.ifindex = traffic->ifindex};
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.bytes,
			    .data_size_in = (uint32_t)frame.length, .ctx_in = &skb,
			    .ctx_size_in = sizeof(skb), .repeat = 1);
		bool passed;

		/* A new connection each time: only those ask the policy. */
		port = port == 65535 ? 1024 : port + 1;
		frame.bytes[34] = (uint8_t)(port >> 8);
		frame.bytes[35] = (uint8_t)port;
		if (bpf_prog_test_run_opts(traffic->program, &options))
			continue;
		passed = options.retval == (uint32_t)TC_ACT_UNSPEC;
		traffic->frames++;
		traffic->wrong += passed != traffic->allowed;
	}
	return NULL;
}

struct load {
	struct plane *plane;
	struct traffic traffic[3];
	pthread_t threads[3];
	volatile bool stop;
};

static void start_load(struct load *load, struct plane *plane, const char *policy,
		       void *(*run)(void *))
{
	static const struct traffic sources[] = {
		{.source = "10.0.1.1", .allowed = true},
		{.source = "10.0.1.2", .allowed = false},
		{.source = "10.3.1.9", .allowed = true}, /* a longer prefix comes and goes */
	};
	struct dataplane_attachment attachment = {};
	struct tap *tap = tap_new("tap0", false);

	*load = (struct load){.plane = plane};
	if (plane_apply(plane, policy, false) || plane_attach(plane, "vm", tap, &attachment))
		fail_msg("%s", plane->error);
	for (unsigned int i = 0; i < G_N_ELEMENTS(load->traffic); i++) {
		load->traffic[i] = sources[i];
		load->traffic[i].program = plane->dataplane->program[PROGRAM_TC_INGRESS];
		load->traffic[i].ifindex = tap->ifindex;
		load->traffic[i].cpu_seed = i;
		load->traffic[i].stop = &load->stop;
		pthread_create(&load->threads[i], NULL, run, &load->traffic[i]);
	}
}

/* Half-open flows would be found again, and nobody would ask the policy. */
static void forget_flows(struct plane *plane)
{
	struct dataplane_flow_filter half = {.protocol = -1, .sport = -1, .dport = -1};
	unsigned int removed;

	dataplane_flows_remove(plane->dataplane, &half, &removed, NULL);
}

/*
 * Drops that no policy decided: kernels before 6.15 refuse an insert (EBUSY) beside somebody who
 * walks the table, and a flow that is being flushed is busy; this test does both.
 */
static unsigned long undecided(const struct load *load)
{
	struct sg_stats stats;

	if (dataplane_stats(load->plane->dataplane, 1, &stats, NULL) < 0)
		fail_msg("no counters");
	for (unsigned int i = SG_DROP_FIRST; i < SG_REASONS; i++)
		if (stats.reasons[i])
			print_message("%s: %lu\n", reason_name(i), (unsigned long)stats.reasons[i]);
	return (unsigned long)(stats.reasons[SG_DROP_TABLE_FULL] +
			       stats.reasons[SG_DROP_FLOW_BUSY]);
}

static void end_load(struct load *load)
{
	unsigned long wrong = 0;

	load->stop = true;
	for (unsigned int i = 0; i < G_N_ELEMENTS(load->traffic); i++)
		pthread_join(load->threads[i], NULL);
	assert_null(load->plane->error);
	for (unsigned int i = 0; i < G_N_ELEMENTS(load->traffic); i++) {
		print_message("%s: %lu frames, %lu decided wrongly\n", load->traffic[i].source,
			      load->traffic[i].frames, load->traffic[i].wrong);
		assert_true(load->traffic[i].frames > FLIPS);
		if (load->traffic[i].allowed)
			wrong += load->traffic[i].wrong;
		else
			assert_int_equal(load->traffic[i].wrong, 0);
	}
	assert_int_equal(wrong, undecided(load));
}

static void no_packet_sees_a_mixture(void **state)
{
	struct plane *plane = *state;
	struct load load;

	start_load(&load, plane, left, run_frames);
	for (unsigned int i = 0; i < FLIPS; i++) {
		if (plane_apply(plane, i % 2 ? left : right, false))
			break;
		forget_flows(plane);
	}
	end_load(&load);
	assert_true(plane->generation >= FLIPS);
	/* Each meets the one before: members, prefixes and the rules of the interface. How many
	 * wait depends on how soon they follow; where the machine is busy, or the kernel waits by
	 * itself (6.1), none does. */
	print_message("%u changes waited\n", plane->dataplane->settling.waits);
}

#define BOTH "{\"id\":\"x\",\"protocol\":\"tcp\",\"ports\":[80],\"from\":[\"sg-a\",\"sg-b\"]}"
#define STEP(from, groups_1, groups_2) \
	POLICY(RULE("r", from ",\"pl-x\"") "," BOTH, "\"10.3.0.0/16\"", groups_1, groups_2)
#define A  "\"sg-a\""
#define B  "\"sg-b\""
#define C  "\"sg-web\""
#define AB "\"sg-a\",\"sg-b\""

/* From each to the next one object changes; all of them let "one" in and "two" not. Of two that are
 * not neighbours a mixture would not. */
static const char *const steps[] = {
	STEP(A, A, B), STEP(A, A, C), STEP(A, AB, C), STEP(B, AB, C), STEP(B, B, C),
	STEP(B, B, A), STEP(B, B, C), STEP(B, AB, C), STEP(A, AB, C), STEP(A, A, C),
};

static void no_packet_sees_a_mixture_of_small_changes(void **state)
{
	struct plane *plane = *state;
	struct load load;
	int code = 0;

	start_load(&load, plane, steps[0], run_frames);
	for (unsigned int i = 1; !code && i < STEPS; i++) {
		code = plane_apply(plane, steps[i % G_N_ELEMENTS(steps)], false);
		if (i % 50 == 0)
			forget_flows(plane);
	}
	end_load(&load);
	print_message("%" PRIu64 " generations, %u changes waited\n", plane->generation,
		      plane->dataplane->settling.waits);
	assert_int_equal(code, 0);
	assert_true(plane->generation >= STEPS);
}

struct member {
	struct sg_member_key key;
	struct sg_version version;
};

static bool add_member(const void *key, const void *value, void *arg)
{
	struct member member;

	memcpy(&member.key, key, sizeof(member.key));
	memcpy(&member.version, value, sizeof(member.version));
	g_array_append_val((GArray *)arg, member);
	return true;
}

static void *run_denied(void *arg)
{
	struct traffic *traffic = arg;
	struct frame frame;

	frame_make(&frame, "tcp 10.0.1.2:1 > 10.0.0.5:443 S");
	while (!*traffic->stop) {
		struct __sk_buff skb = {.ifindex = traffic->ifindex};
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.bytes,
			    .data_size_in = (uint32_t)frame.length, .ctx_in = &skb,
			    .ctx_size_in = sizeof(skb), .repeat = AT_A_TIME);

		if (!bpf_prog_test_run_opts(traffic->program, &options))
			__atomic_fetch_add(&traffic->frames, AT_A_TIME, __ATOMIC_RELAXED);
	}
	return NULL;
}

static unsigned long frames_of(const struct load *load)
{
	unsigned long frames = 0;

	for (unsigned int i = 0; i < G_N_ELEMENTS(load->traffic); i++)
		frames += __atomic_load_n(&load->traffic[i].frames, __ATOMIC_RELAXED);
	return frames;
}

/*
 * The kernel gives the memory of what an update replaces to the next one while packets still read
 * it (bpf/member.bpf.h): all members are written again and again, each as it is, and one of them
 * that no rule lets in is never taken for another.
 */
static void a_member_is_never_another_one(void **state)
{
	const char *patience = getenv("PATIENCE"); /* of tests/run, for emulated machines */
	const unsigned long looks = LOOKS / (patience ? (unsigned long)MAX(atoi(patience), 1) : 1);
	struct plane *plane = *state;
	struct bpf_table *table = &plane->dataplane->table[TABLE_MEMBERS];
	g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(struct member));
	struct load load;
	struct sg_stats stats;
	int code = 0;

	start_load(&load, plane, steps[0], run_denied);
	assert_int_equal(table_each(table, add_member, members), 0);
	assert_int_equal(members->len, 2);
	while (!code && frames_of(&load) < looks)
		for (guint i = 0; i < members->len; i++) {
			struct member *member = &g_array_index(members, struct member, i);

			/* As when it is about to change. */
			hints_forget(plane->dataplane, &member->key);
			code |= bpf_map_update_elem(table->fd, &member->key, &member->version,
						    BPF_EXIST);
		}
	load.stop = true;
	for (unsigned int i = 0; i < G_N_ELEMENTS(load.traffic); i++)
		pthread_join(load.threads[i], NULL);
	assert_int_equal(code, 0);
	assert_int_equal(dataplane_stats(plane->dataplane, 1, &stats, NULL), 0);
	assert_int_equal(stats.reasons[SG_ALLOW_RULE] + stats.reasons[SG_ALLOW_FLOW], 0);
	assert_true(stats.reasons[SG_DROP_NO_RULE] >= looks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_packet_sees_a_mixture, plane_setup,
						plane_teardown),
		cmocka_unit_test_setup_teardown(no_packet_sees_a_mixture_of_small_changes,
						plane_setup, plane_teardown),
		cmocka_unit_test_setup_teardown(a_member_is_never_another_one, plane_setup,
						plane_teardown),
	};

	return cmocka_run_group_tests(tests, netns_group_setup, NULL);
}
