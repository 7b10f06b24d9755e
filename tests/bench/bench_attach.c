/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_attach.c - what it costs to attach taps, one by one and many at once, to adopt them at a
 * restart and to look after them: the kernel's primitives first, then the real rulesd.
 *
 * Where the time goes: a tcx link waits for a grace period (or two) with the kernel's one lock on
 * devices held, a table in an array of maps for one without it. Environment: TAPS=N for others than
 * 1,000.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rulesd/cleanup.h"
#include "tests/bench/bench.h"
#include "tests/lib/check.h"
#include "tests/lib/daemon.h"
#include "tests/lib/http.h"
#include "tests/lib/netns.h"
#include "tests/lib/tap.h"

#define RUNS	 11
#define RESTARTS 5
#define AGAIN	 5

/* Goals, in milliseconds, with a thousand taps. */
#define ATTACH_MS  40
#define RESTART_MS 2000
#define BULK_MS	   10000

static struct bench *bench;
static unsigned int count;
static bool vnet;

static double now_ms(void)
{
	return (double)bench_now_ns() / 1e6;
}

static const char *variant(void)
{
	return vnet ? "taps with vnet_hdr (tcx)" : "plain taps (xdp, tcx)";
}

static struct bench_series *series_of(const char *what, const char *of)
{
	return bench_series(bench, what, of, "ms", "taps=%u", count);
}

static void report(const char *what, const double *ms, unsigned int runs, double limit)
{
	struct bench_series *series = series_of(what, variant());

	for (unsigned int i = 0; i < runs; i++)
		bench_sample(series, ms[i]);
	if (limit > 0)
		bench_limit(bench, series, limit);
}

static void report_one(const char *what, double ms, double limit)
{
	report(what, &ms, 1, limit);
}

/* ------------------------------------------------------------------ the kernel's primitives */

static int program_of(enum bpf_prog_type type, enum bpf_attach_type attach)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach);
	int fd = bpf_prog_load(type, "bench", "GPL", insns, G_N_ELEMENTS(insns), &options);

	if (fd < 0)
		fail_msg("cannot load a program: %s", strerror(errno));
	return fd;
}

/* A grace period, an inner map, and a link of each kind, each timed by itself. */
static void primitives(void)
{
	double grace[RUNS], create[RUNS], update[RUNS], batch[RUNS], links[3][RUNS], pin[RUNS];
	static const int attach[3] = {BPF_XDP, 46, 47};
	static const char *const names[3] = {"primitive: bpf(LINK_CREATE), XDP",
					     "primitive: bpf(LINK_CREATE), tcx ingress",
					     "primitive: bpf(LINK_CREATE), tcx egress"};
	g_autofree char *path = g_strdup_printf("%s/link", netns_bpffs());
	int programs[3] = {program_of(BPF_PROG_TYPE_XDP, BPF_XDP),
			   program_of(BPF_PROG_TYPE_SCHED_CLS, 0),
			   program_of(BPF_PROG_TYPE_SCHED_CLS, 0)};
	AUTO_FD int shape = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "shape", 48, 128, 1024, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, outer_options, .inner_map_fd = (uint32_t)shape);
	AUTO_FD int outer =
		bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", 4, 4, 1024, &outer_options);
	/* The first user of a program or of a kind of hook pays for code that the kernel patches.
	 */
	struct tap *first = tap_new("bench1", vnet);
	int held[3];
	uint32_t keys[64];
	int values[64];

	for (unsigned int i = 0; i < 3; i++)
		held[i] = bpf_link_create(programs[i], (int)first->ifindex, attach[i], NULL);
	for (unsigned int run = 0; run < RUNS; run++) {
		struct tap *tap = tap_new("bench0", vnet);
		double at = now_ms();
		uint32_t size = 64;

		syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
		grace[run] = now_ms() - at;
		at = now_ms();
		for (unsigned int i = 0; i < 64; i++) {
			keys[i] = i;
			values[i] =
				bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "inner", 48, 128, 1024, NULL);
		}
		create[run] = (now_ms() - at) / 64;
		at = now_ms();
		if (bpf_map_update_elem(outer, &keys[0], &values[0], 0))
			fail_msg("bpf(MAP_UPDATE_ELEM): %s", strerror(errno));
		update[run] = now_ms() - at;
		at = now_ms();
		if (bpf_map_update_batch(outer, keys, values, &size, NULL))
			fail_msg("bpf(MAP_UPDATE_BATCH): %s", strerror(errno));
		batch[run] = now_ms() - at;
		for (unsigned int i = 0; i < 64; i++)
			close(values[i]);
		for (unsigned int i = 0; i < 3; i++) {
			int link;

			at = now_ms();
			link = bpf_link_create(programs[i], (int)tap->ifindex, attach[i], NULL);
			links[i][run] = now_ms() - at;
			if (link < 0)
				fail_msg("%s: %s", names[i], strerror(-link));
			if (i == 0) {
				at = now_ms();
				if (bpf_obj_pin(link, path))
					fail_msg("bpf(OBJ_PIN): %s", strerror(errno));
				pin[run] = now_ms() - at;
				unlink(path);
			}
			close(link);
		}
		tap_delete(tap);
	}
	report("primitive: grace period (membarrier)", grace, RUNS, 0);
	report("primitive: bpf(MAP_CREATE), table of half-open flows", create, RUNS, 0);
	report("primitive: bpf(MAP_UPDATE_ELEM), array of maps", update, RUNS, 0);
	report("primitive: bpf(MAP_UPDATE_BATCH), array of maps, 64 at once", batch, RUNS, 0);
	for (unsigned int i = 0; i < 3; i++)
		report(names[i], links[i], RUNS, 0);
	report("primitive: bpf(OBJ_PIN)", pin, RUNS, 0);
	for (unsigned int i = 0; i < 3; i++) {
		close(programs[i]);
		close(held[i]);
	}
	tap_delete(first);
}

/* ------------------------------------------------------------------ the daemon */

static char *interface_of(unsigned int i, bool with_network)
{
	return g_strdup_printf("{\"device\":\"bench%u\",%s\"mac\":\"52:54:00:00:%02x:%02x\","
			       "\"addresses\":[\"10.1.%u.%u\",\"fd00::%x\"],\"groups\":[\"sg-web\"]"
			       ",\"conntrack\":{\"max_flows\":256}}",
			       i, with_network ? "\"network\":\"default\"," : "", i >> 8, i & 255,
			       i >> 8, i & 255, i + 1);
}

static char *policy_of(unsigned int interfaces)
{
	GString *text = g_string_new(
		"{\"version\":1,\"groups\":{\"sg-web\":{\"ingress\":[{\"id\":\"https\","
		"\"protocol\":\"tcp\",\"ports\":[443],\"from\":[\"any\"]}]}},\"interfaces\":{");

	for (unsigned int i = 0; i < interfaces; i++) {
		g_autofree char *one = interface_of(i, false);

		g_string_append_printf(text, "%s\"vm-%u\":%s", i ? "," : "", i, one);
	}
	g_string_append(text, "}}");
	return g_string_free(text, FALSE);
}

static void expect_filtering(struct daemon *daemon, unsigned int expected)
{
	struct http_answer answer =
		http_expect(daemon->socket, 200, "GET", "/v1/interfaces", NULL, NULL);
	unsigned int filtering = 0;
	size_t i;
	json_t *one;

	json_array_foreach (answer.json, i, one)
		filtering += !strcmp(json_string_value(json_object_get(one, "state")), "filtering");
	http_free(&answer);
	bench_verdict(bench, filtering == expected, "%u of %u interfaces are filtered", filtering,
		      expected);
}

/* Until links have taken over from filters everywhere. */
static void wait_for_links(const struct daemon *daemon)
{
	g_autofree char *folder = g_strdup_printf("%s/links", daemon->bpffs);
	double at = now_ms();
	unsigned int links = 0;

	while (links < count) {
		g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
		const char *name;

		g_usleep(20000);
		for (links = 0; directory && (name = g_dir_read_name(directory));)
			links += g_str_has_suffix(name, "-ingress");
		if (now_ms() - at > 1000 + 200.0 * count)
			fail_msg("%u of %u interfaces have their link", links, count);
	}
	g_usleep(200000);
	report_one("then links take over, in the background", now_ms() - at, 0);
}

static void one_by_one(struct daemon *daemon, const char *what, const char *after, double limit)
{
	double attach[RUNS], detach[RUNS];

	for (unsigned int run = 0; run < RUNS; run++) {
		g_autofree char *name = g_strdup_printf("bench%u", count);
		g_autofree char *body = interface_of(count, true);
		struct tap *tap = tap_new(name, vnet);
		struct http_answer answer;
		double at = now_ms();

		answer =
			http_expect(daemon->socket, 201, "PUT", "/v1/interfaces/extra", body, NULL);
		attach[run] = now_ms() - at;
		http_free(&answer);
		expect_filtering(daemon, count + 1);
		at = now_ms();
		answer = http_expect(daemon->socket, 200, "DELETE", "/v1/interfaces/extra", NULL,
				     NULL);
		detach[run] = now_ms() - at;
		http_free(&answer);
		tap_delete(tap);
		g_usleep(20000);
	}
	report(what, attach, RUNS, limit);
	report(after, detach, RUNS, 0);
}

/* How long anybody has to wait for an answer while rulesd looks after its interfaces. */
static void answers_meanwhile(struct daemon *daemon)
{
	unsigned int seconds = bench_quick(bench) ? 2 : 12;
	double worst = 0, sum = 0, end = now_ms() + 1000.0 * seconds;
	unsigned int asked = 0;

	while (now_ms() < end) {
		double at = now_ms(), took;
		struct http_answer answer =
			http_expect(daemon->socket, 200, "GET", "/v1/groups", NULL, NULL);

		took = now_ms() - at;
		http_free(&answer);
		worst = MAX(worst, took);
		sum += took;
		asked++;
		g_usleep(2000);
	}
	report_one("a question while programs are checked, worst", worst, 0);
	report_one("a question while programs are checked, mean", sum / asked, 0);
}

static void restart(struct daemon *daemon, const char *what, bool killed)
{
	double took[RESTARTS];

	for (unsigned int run = 0; run < RESTARTS; run++) {
		double at;

		if (killed)
			daemon_kill(daemon);
		else
			daemon_stop(daemon);
		at = now_ms();
		daemon_restart(daemon, NULL);
		took[run] = now_ms() - at;
		expect_filtering(daemon, count);
	}
	report(what, took, RESTARTS, RESTART_MS);
}

/* All away and all back, again and again. */
static void again(struct daemon *daemon, const char *policy, const char *none)
{
	double detach[AGAIN], attach[AGAIN];

	for (unsigned int run = 0; run < AGAIN; run++) {
		double at = now_ms();

		daemon_apply(daemon, none);
		detach[run] = now_ms() - at;
		expect_filtering(daemon, 0);
		at = now_ms();
		daemon_apply(daemon, policy);
		attach[run] = now_ms() - at;
		expect_filtering(daemon, count);
	}
	report("detach all at once (sgctl apply)", detach, AGAIN, 0);
	report("attach all again", attach, AGAIN, BULK_MS);
}

static void daemon_runs(void)
{
	double at = now_ms();
	struct daemon *daemon = daemon_start("bench", NULL);
	g_autofree char *policy = policy_of(count);
	g_autofree char *none = policy_of(0);

	report_one("start of rulesd, nothing pinned", now_ms() - at, 0);
	daemon_stop(daemon);
	at = now_ms();
	daemon_restart(daemon, NULL);
	report_one("start of rulesd, programs pinned, no interface", now_ms() - at, 0);
	at = now_ms();
	for (unsigned int i = 0; i < count; i++) {
		g_autofree char *name = g_strdup_printf("bench%u", i);

		tap_new(name, vnet);
	}
	report_one("making the taps", now_ms() - at, 0);
	at = now_ms();
	daemon_apply(daemon, policy);
	report_one("attach all at once (sgctl apply)", now_ms() - at, BULK_MS);
	expect_filtering(daemon, count);
	one_by_one(daemon, "attach one more meanwhile", "detach it meanwhile", 0);
	wait_for_links(daemon);
	one_by_one(daemon, "attach one more (PUT /v1/interfaces/ID)", "detach it (DELETE)",
		   ATTACH_MS);
	answers_meanwhile(daemon);
	restart(daemon, "restart that adopts all", false);
	restart(daemon, "restart after a kill that adopts all", true);
	again(daemon, policy, none);
	at = now_ms();
	daemon_delete_all();
	report_one("kill and rulesd --flush", now_ms() - at, 0);
}

static void run(struct bench *running)
{
	const char *given = getenv("TAPS");
	struct rlimit files = {65536, 65536};

	bench = running;
	count = given ? (unsigned int)atoi(given) : bench_quick(bench) ? 100 : 1000;
	setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned int i = 0; i < 2; i++) {
		vnet = i;
		netns_new();
		primitives();
		daemon_runs();
		tap_delete_all();
		netns_leave();
	}
}

BENCH_MAIN("attach", "attaching, adopting and detaching taps", run)
