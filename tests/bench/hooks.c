/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks.c - see hooks.h.
 *
 * One path for all: the memory that it is made of costs more or less than a hook. What a program
 * that passes adds is the difference to the path without one, measured in turns; what one that
 * drops leaves is a whole cost.
 */
#include "tests/bench/hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <glib.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/path.h"
#include "tests/lib/frame.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "floor.skel.h"
#pragma GCC diagnostic pop

/* Of the kernel's enum bpf_attach_type; newer than the headers of Debian 12. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47

#define FRAMES 4000u /* a sample */
#define BATCH  8u    /* at once: read while it is in the caches, as a VMM does */

enum hook { HOOK_NONE, HOOK_XDP, HOOK_TCX_IN, HOOK_TCX_OUT, HOOK_TC_IN, HOOK_TC_OUT };

static const struct way {
	const char *metric;
	enum hook hook; /* on the way in: of the sender's tap; out: of the receiver's */
	bool drops;
} ways[] = {
	{"tap to tap, routed: write, way, queue", HOOK_NONE, false},
	{"XDP, program that passes", HOOK_XDP, false},
	{"tcx ingress, program that passes", HOOK_TCX_IN, false},
	{"tcx egress, program that passes", HOOK_TCX_OUT, false},
	{"tc ingress (clsact), program that passes", HOOK_TC_IN, false},
	{"tc egress (clsact), program that passes", HOOK_TC_OUT, false},
	{"write to a tap, XDP drops", HOOK_XDP, true},
	{"write to a tap, tcx drops", HOOK_TCX_IN, true},
	{"write to a tap, tc drops", HOOK_TC_IN, true},
};
#define WAYS G_N_ELEMENTS(ways)

static struct {
	struct path *path;
	struct frame frame;
	struct floor_bpf *object;
	unsigned int frames; /* of a sample */
	uint64_t arrived, expected;
} walk;

/* Attaches its program, or takes it away. */
static void hook(const struct way *way, bool attach)
{
	static int link;
	bool out = way->hook == HOOK_TCX_OUT || way->hook == HOOK_TC_OUT;
	int ifindex = (int)(out ? walk.path->b : walk.path->a)->ifindex, code = 0;
	const struct bpf_program *program =
		way->hook == HOOK_XDP ? (way->drops ? walk.object->progs.floor_drop_xdp
						    : walk.object->progs.floor_pass_xdp)
				      : (way->drops ? walk.object->progs.floor_drop_tcx
						    : walk.object->progs.floor_pass_tcx);
	int fd = bpf_program__fd(program);
	LIBBPF_OPTS(bpf_tc_hook, clsact, .ifindex = ifindex,
		    .attach_point = out ? BPF_TC_EGRESS : BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = fd);
	static const int types[] = {[HOOK_XDP] = BPF_XDP,
				    [HOOK_TCX_IN] = ATTACH_TCX_INGRESS,
				    [HOOK_TCX_OUT] = ATTACH_TCX_EGRESS};

	switch (way->hook) {
	case HOOK_NONE:
		break;
	case HOOK_XDP:
	case HOOK_TCX_IN:
	case HOOK_TCX_OUT:
		if (attach)
			code = link = bpf_link_create(fd, ifindex,
						      (enum bpf_attach_type)types[way->hook], NULL);
		else
			close(link);
		break;
	case HOOK_TC_IN:
	case HOOK_TC_OUT:
		if (attach)
			code = bpf_tc_hook_create(&clsact);
		else
			clsact.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		if (!code)
			code = attach ? bpf_tc_attach(&clsact, &filter)
				      : bpf_tc_hook_destroy(&clsact);
		break;
	}
	if (code < 0)
		fail_msg("%s: %s", way->metric, strerror(-code));
}

/* What asking for the time takes, which a batch as small would show. */
static uint64_t clock_itself(void)
{
	uint64_t start = bench_cpu_ns();

	for (unsigned int i = 0; i < 99; i++)
		bench_cpu_ns();
	return (bench_cpu_ns() - start) / 100;
}

struct spent {
	double writing, reading; /* ns a frame */
};

static struct spent walk_frames(bool drops, unsigned int frames)
{
	static uint8_t room[PATH_FRAME];
	uint64_t writing = 0, reading = 0, clock = clock_itself();

	for (unsigned int left = frames; left > 0; left -= MIN(left, BATCH)) {
		unsigned int batch = MIN(left, BATCH);
		uint64_t start = bench_cpu_ns(), written;

		for (unsigned int i = 0; i < batch; i++)
			path_send(walk.path->a, walk.frame.bytes, walk.frame.length);
		written = bench_cpu_ns();
		writing += written - start - clock;
		/* No more than there must be: the answer that there is none costs, too. */
		for (unsigned int i = 0; i < batch && !drops; i++)
			walk.arrived += path_receive(walk.path->b, room) == (long)walk.frame.length;
		reading += bench_cpu_ns() - written - clock;
		walk.arrived += path_receive(walk.path->b, room) > 0;
	}
	walk.expected += drops ? 0 : frames;
	return (struct spent){(double)writing / frames, (double)reading / frames};
}

static double write_frames(void *context)
{
	const struct way *way = context;
	double took;

	hook(way, true);
	walk_frames(way->drops, walk.frames); /* after a while without a CPU */
	took = walk_frames(way->drops, walk.frames).writing;
	hook(way, false);
	return took;
}

static double read_frames(void *context)
{
	(void)context;
	return walk_frames(false, walk.frames).reading;
}

void hooks_measure(struct bench *bench)
{
	struct bench_subject subjects[WAYS + 1];
	struct bench_series *series[WAYS];

	walk.object = floor_bpf__open_and_load();
	if (!walk.object)
		fail_msg("cannot load floor.bpf.o: %s", strerror(errno));
	walk.frames = bench_quick(bench) ? FRAMES / 10 : FRAMES;
	walk.path = path_new(true, false);
	frame_make_text(&walk.frame, "udp 10.0.0.5:5000 > 10.0.0.9:5000 len=18");
	memcpy(walk.frame.bytes, walk.path->gateway_a, 6);
	for (unsigned int i = 0; i < WAYS; i++) {
		bool whole = ways[i].drops || ways[i].hook == HOOK_NONE;
		g_autofree char *metric =
			g_strdup_printf("%s%s", ways[i].metric, whole ? "" : ", whole way");

		series[i] = bench_series(bench, metric, "tap", "ns", "entries=1");
		subjects[i] = (struct bench_subject){series[i], write_frames,
						     (void *)(uintptr_t)&ways[i]};
	}
	subjects[WAYS] = (struct bench_subject){
		bench_series(bench, "read from a tap", "tap", "ns", "entries=1"), read_frames,
		NULL};
	bench_interleave(bench, subjects, WAYS + 1);
	for (unsigned int i = 1; i < WAYS && !ways[i].drops; i++)
		bench_added(bench, ways[i].metric, series[i], series[0]);
	bench_verdict(bench, walk.arrived == walk.expected,
		      "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " frames arrived", walk.arrived,
		      walk.expected);
	path_free(&walk.path);
	floor_bpf__destroy(walk.object);
}
