/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * testrun.c - see testrun.h.
 */
#include "tests/bench/testrun.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "rulesd/dataplane.h"
#include "tests/bench/reference.h"
#include "tests/lib/check.h"
#include "tests/lib/tap.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "reference.skel.h"
#pragma GCC diagnostic pop

#define HELD 3

static struct {
	struct reference_bpf *reference;
	int program[TESTRUN_KINDS][PROGGY_PROGRAMS];
	int links[HELD];
} testrun;

/*
 * A test run of an XDP program puts it into the kernel's dispatcher (bpf_prog_change_xdp()), which
 * takes a grace period, and another one to take it out again: 20 to 40 ms for a run of 256 frames,
 * unless it is there already because it is attached somewhere. The filter's own is, by the policy.
 */
static void hold(unsigned int number, const struct bpf_program *program)
{
	g_autofree char *name = g_strdup_printf("held%u", number);
	struct tap *tap = tap_new(name, false);
	int link = bpf_link_create(bpf_program__fd(program), (int)tap->ifindex, BPF_XDP, NULL);

	if (link < 0)
		fail_msg("attaching a reference program: %s", strerror(-link));
	testrun.links[number] = link;
}

void testrun_open(uint32_t flows)
{
	struct reference_bpf *skel = reference_bpf__open();
	int code;

	if (!skel)
		fail_msg("reference programs: open: %s", strerror(errno));
	bpf_map__set_max_entries(skel->maps.bench_flows, flows);
	code = reference_bpf__load(skel);
	if (code)
		fail_msg("reference programs: load: %s", strerror(-code));
	testrun.reference = skel;
	for (unsigned int i = 0; i < PROGGY_PROGRAMS; i++) {
		bool xdp = proggy_is_xdp(i);

		testrun.program[TESTRUN_EMPTY][i] = bpf_program__fd(
			xdp ? skel->progs.bench_empty_xdp : skel->progs.bench_empty_tc);
		testrun.program[TESTRUN_FILTER][i] = -1;
	}
	testrun.program[TESTRUN_FLOOR][PROGGY_XDP] = bpf_program__fd(skel->progs.bench_floor_xdp);
	testrun.program[TESTRUN_FLOOR][PROGGY_TC_EGRESS] =
		bpf_program__fd(skel->progs.bench_floor_out);
	testrun.program[TESTRUN_FLOOR][PROGGY_TC_INGRESS] =
		bpf_program__fd(skel->progs.bench_floor_in);
	hold(0, skel->progs.bench_empty_xdp);
	hold(1, skel->progs.bench_floor_xdp);
	hold(2, skel->progs.bench_vary_xdp);
}

void testrun_close(void)
{
	for (unsigned int i = 0; i < HELD; i++)
		close(testrun.links[i]);
	reference_bpf__destroy(testrun.reference);
	testrun.reference = NULL;
}

/* ------------------------------------------------------------------ varied frames */

/* Where the remote end of a frame is: IPv4 without options or IPv6 without extension headers. */
static struct remote_place {
	uint32_t addr_at, port_at;
	bool v6;
} place_of(enum sg_dir dir, const struct frame *frame)
{
	bool v6 = frame->bytes[12] == 0x86, out = dir == SG_EGRESS;
	uint8_t proto = frame->bytes[v6 ? 14 + 6 : 14 + 9];
	struct remote_place place = {.v6 = v6};

	if (v6)
		place.addr_at = 14 + (out ? 24 : 8) + 12;
	else
		place.addr_at = 14 + (out ? 16 : 12);
	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP)
		place.port_at = 14 + (v6 ? 40 : 20) + (out ? 2 : 0);
	return place;
}

static uint32_t base_of(const struct frame *frame, const struct remote_place *place)
{
	uint32_t word;

	memcpy(&word, frame->bytes + place->addr_at, sizeof(word));
	return ntohl(word);
}

static void set_vary(enum sg_dir dir, const struct frame *frame, const struct testrun_vary *vary)
{
	struct remote_place place = place_of(dir, frame);
	struct bench_vary *to = &testrun.reference->bss->bench_vary;

	memset(to, 0, sizeof(*to));
	to->hosts = vary->how == TESTRUN_HOSTS;
	to->random = vary->how == TESTRUN_RANDOM || to->hosts;
	to->next = to->random && !to->hosts ? 2463534242u : vary->first;
	to->count = to->random ? vary->count : UINT32_MAX;
	to->base = base_of(frame, &place);
	to->addr_at = place.addr_at;
	to->port_at = place.port_at;
	if (vary->how == TESTRUN_IDS)
		to->id_at = 14 + 4;
}

void testrun_know(enum sg_dir dir, const struct frame *frame, const struct testrun_vary *vary)
{
	struct remote_place place = place_of(dir, frame);
	const uint8_t *local = frame->bytes + 14, *l4;
	uint32_t base = base_of(frame, &place);
	struct sg_flow_key key = {.slot = 1};
	struct sg_flow flow = {};
	int fd = bpf_map__fd(testrun.reference->maps.bench_flows);
	uint8_t *remote4 = key.remote.b + 12;

	if (place.v6) {
		memcpy(key.local.b, local + (dir == SG_EGRESS ? 8 : 24), 16);
		memcpy(key.remote.b, local + (dir == SG_EGRESS ? 24 : 8), 16);
		key.proto = frame->bytes[14 + 6];
		l4 = frame->bytes + 54;
	} else {
		memset(key.local.b + 10, 0xff, 2);
		memset(key.remote.b + 10, 0xff, 2);
		memcpy(key.local.b + 12, local + (dir == SG_EGRESS ? 12 : 16), 4);
		memcpy(remote4, local + (dir == SG_EGRESS ? 16 : 12), 4);
		key.proto = frame->bytes[14 + 9];
		l4 = frame->bytes + 34;
	}
	memcpy(&key.lport, l4 + (dir == SG_EGRESS ? 0 : 2), 2);
	memcpy(&key.rport, l4 + (dir == SG_EGRESS ? 2 : 0), 2);
	if (vary->how == TESTRUN_SAME && bpf_map_update_elem(fd, &key, &flow, BPF_ANY))
		fail_msg("reference flow table: %s", strerror(errno));
	for (uint32_t i = 0; vary->how == TESTRUN_RANDOM && i < vary->count; i++) {
		uint32_t word = htonl(base + (i >> BENCH_PORT_BITS));

		memcpy(remote4, &word, sizeof(word));
		if (place.port_at)
			key.rport = htons(
				(uint16_t)(BENCH_PORT_BASE + (i & ((1 << BENCH_PORT_BITS) - 1))));
		if (bpf_map_update_elem(fd, &key, &flow, BPF_ANY))
			fail_msg("reference flow table: %s", strerror(errno));
	}
}

/* The varying program, with the program under test behind it. */
static int varied(int target, enum proggy_program program)
{
	bool xdp = program == PROGGY_XDP;
	struct reference_bpf *skel = testrun.reference;
	int fd = bpf_map__fd(xdp ? skel->maps.bench_target_xdp : skel->maps.bench_target_tc);
	uint32_t zero = 0;

	if (bpf_map_update_elem(fd, &zero, &target, BPF_ANY))
		fail_msg("tail call to the program under test: %s", strerror(errno));
	return bpf_program__fd(xdp ? skel->progs.bench_vary_xdp : skel->progs.bench_vary_tc);
}

/* ------------------------------------------------------------------ running */

static uint64_t counted(const char *interface_id, uint32_t reason)
{
	struct sg_stats stats = {};
	int code = dataplane_stats(proggy_dataplane(), proggy_slot(interface_id), &stats, NULL);

	if (code)
		fail_msg("counters: %s", strerror(-code));
	return stats.reasons[reason];
}

static bool is_right(const struct testrun *run, uint32_t verdict)
{
	bool passed = run->program == PROGGY_XDP ? verdict == XDP_PASS
						 : verdict == (uint32_t)TC_ACT_UNSPEC;

	if (run->kind == TESTRUN_FLOOR)
		return true; /* it knows flows only */
	return passed == (run->kind == TESTRUN_EMPTY || !sg_reason_is_drop(run->reason));
}

double testrun_time(const struct testrun *run)
{
	uint32_t ifindex = proggy_ifindex(run->interface_id);
	struct xdp_md xdp = {.data_end = (uint32_t)run->frame.length, .ingress_ifindex = ifindex};
	struct __sk_buff skb = {.ifindex = ifindex};
	static uint8_t out[FRAME_ROOM + 256];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = run->frame.bytes,
		    .data_size_in = (uint32_t)run->frame.length, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = (int)run->repeat);
	bool is_filter = run->kind == TESTRUN_FILTER;
	int fd = is_filter ? proggy_program_fd(run->program)
			   : testrun.program[run->kind][run->program];
	uint64_t before = is_filter ? counted(run->interface_id, run->reason) : 0, frames;

	options.ctx_in = run->program == PROGGY_XDP ? (void *)&xdp : (void *)&skb;
	options.ctx_size_in = run->program == PROGGY_XDP ? sizeof(xdp) : sizeof(skb);
	if (run->vary.how != TESTRUN_SAME) {
		set_vary(proggy_dir(run->program), &run->frame, &run->vary);
		fd = varied(fd, run->program);
	}
	if (bpf_prog_test_run_opts(fd, &options))
		fail_msg("BPF_PROG_TEST_RUN: %s", strerror(errno));
	bench_verdict(run->bench, is_right(run, options.retval), "%s: %s returned %u", run->name,
		      proggy_name(run->program), options.retval);
	if (is_filter) {
		frames = counted(run->interface_id, run->reason) - before;
		bench_verdict(run->bench, frames == run->repeat,
			      "%s: %s counted %" PRIu64 " of %u frames as reason %u", run->name,
			      proggy_name(run->program), frames, run->repeat, run->reason);
	}
	return options.duration;
}
